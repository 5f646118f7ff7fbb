#include "common/beacon.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/utf8.h"

#include <assert.h>
#include <openssl/sha.h>
#include <string.h>

static const uint8_t magic[4] = {'L', 'C', 'B', '1'};

/* Where each field starts; the picture in beacon.h. */
enum {
	AT_MAGIC = 0,
	AT_TYPE = 4,
	AT_FLAGS = 5,
	AT_VERSION_LOW = 6,
	AT_VERSION_HIGH = 8,
	AT_PORT = 10,
	AT_SEQUENCE = 12,
	AT_LIFETIME = 16,
	AT_PEOPLE = 20,
	AT_PEOPLE_MAX = 24,
	AT_NONCE = 28,
	AT_SERVER = AT_NONCE + BEACON_NONCE,
	AT_INSTANCE = AT_SERVER + IDENTITY_SIZE,
	AT_PROOF = AT_INSTANCE + INSTANCE_ID,
	AT_NAME = AT_PROOF + BEACON_SECRET,
	AT_PADDING = AT_NAME + SERVER_NAME_MAX,
};
_Static_assert(AT_SERVER == 36 && AT_INSTANCE == 68 && AT_PROOF == 84 && AT_NAME == 100 &&
		       AT_PADDING == 148,
	"the fields lie where the picture in beacon.h has them");

static bool all_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* The bounds that go with the type, which encoder and decoder agree on. */
static bool is_consistent(const struct beacon *b)
{
	if (b->version_low > b->version_high)
		return false;
	switch (b->type) {
	case BEACON_QUERY:
		return true;
	case BEACON_ANSWER:
	case BEACON_ANNOUNCEMENT:
		return b->port != 0 && b->lifetime_ms != 0;
	case BEACON_GOODBYE:
		return b->port != 0;
	}
	return false;
}

void beacon_encode(const struct beacon *b, uint8_t out[BEACON_SIZE])
{
	size_t name = strnlen(b->name, sizeof(b->name));

	assert(is_consistent(b) && name <= SERVER_NAME_MAX);
	memset(out, 0, BEACON_SIZE);
	memcpy(out + AT_MAGIC, magic, sizeof(magic));
	out[AT_TYPE] = (uint8_t)b->type;
	out[AT_FLAGS] = b->flags;
	bytes_put_u16(out + AT_VERSION_LOW, b->version_low);
	bytes_put_u16(out + AT_VERSION_HIGH, b->version_high);
	memcpy(out + AT_NONCE, b->nonce, BEACON_NONCE);
	if (b->type == BEACON_QUERY)
		return;
	bytes_put_u16(out + AT_PORT, b->port);
	bytes_put_u32(out + AT_SEQUENCE, b->sequence);
	bytes_put_u32(out + AT_LIFETIME, b->lifetime_ms);
	bytes_put_u32(out + AT_PEOPLE, b->people);
	bytes_put_u32(out + AT_PEOPLE_MAX, b->people_max);
	memcpy(out + AT_SERVER, b->server, IDENTITY_SIZE);
	memcpy(out + AT_INSTANCE, b->instance, INSTANCE_ID);
	memcpy(out + AT_PROOF, b->proof, BEACON_SECRET);
	memcpy(out + AT_NAME, b->name, name);
}

/* The name ends at its first zero, and nothing hides behind that. */
static int decode_name(const uint8_t *field, char name[SERVER_NAME_MAX + 1])
{
	size_t length = strnlen((const char *)field, SERVER_NAME_MAX);

	if (!all_zero(field + length, SERVER_NAME_MAX - length))
		return ERR_PROTOCOL;
	if (!utf8_is_line((const char *)field, length))
		return ERR_PROTOCOL;
	memcpy(name, field, length);
	name[length] = '\0';
	return 0;
}

/* A query says nothing about a server. */
static bool is_bare_query(const uint8_t *bytes)
{
	return all_zero(bytes + AT_PORT, AT_NONCE - AT_PORT) &&
	       all_zero(bytes + AT_SERVER, AT_PADDING - AT_SERVER);
}

int beacon_decode(const uint8_t *bytes, size_t length, struct beacon *out)
{
	if (length != BEACON_SIZE || memcmp(bytes + AT_MAGIC, magic, sizeof(magic)) != 0)
		return ERR_PROTOCOL;
	if (bytes[AT_TYPE] < BEACON_QUERY || bytes[AT_TYPE] > BEACON_GOODBYE)
		return ERR_PROTOCOL;
	if (!all_zero(bytes + AT_PADDING, BEACON_SIZE - AT_PADDING))
		return ERR_PROTOCOL;

	struct beacon b = {
		.type = (enum beacon_type)bytes[AT_TYPE],
		.flags = bytes[AT_FLAGS],
		.version_low = bytes_u16(bytes + AT_VERSION_LOW),
		.version_high = bytes_u16(bytes + AT_VERSION_HIGH),
		.port = bytes_u16(bytes + AT_PORT),
		.sequence = bytes_u32(bytes + AT_SEQUENCE),
		.lifetime_ms = bytes_u32(bytes + AT_LIFETIME),
		.people = bytes_u32(bytes + AT_PEOPLE),
		.people_max = bytes_u32(bytes + AT_PEOPLE_MAX),
	};
	memcpy(b.nonce, bytes + AT_NONCE, BEACON_NONCE);
	memcpy(b.server, bytes + AT_SERVER, IDENTITY_SIZE);
	memcpy(b.instance, bytes + AT_INSTANCE, INSTANCE_ID);
	memcpy(b.proof, bytes + AT_PROOF, BEACON_SECRET);
	if (!is_consistent(&b) || (b.type == BEACON_QUERY && !is_bare_query(bytes)))
		return ERR_PROTOCOL;
	int error = decode_name(bytes + AT_NAME, b.name);
	if (error != 0)
		return error;
	*out = b;
	return 0;
}

void beacon_name(char out[SERVER_NAME_MAX + 1], const char *text)
{
	size_t length = strnlen(text, SERVER_NAME_MAX + 1);

	if (length > SERVER_NAME_MAX) {
		length = SERVER_NAME_MAX;
		while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(out, text, length);
	out[length] = '\0';
}

void beacon_commit(const uint8_t secret[BEACON_SECRET], uint8_t commitment[BEACON_SECRET])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	(void)SHA256(secret, BEACON_SECRET, digest);
	memcpy(commitment, digest, BEACON_SECRET);
}

bool beacon_opens(const uint8_t secret[BEACON_SECRET], const uint8_t commitment[BEACON_SECRET])
{
	uint8_t opened[BEACON_SECRET];

	beacon_commit(secret, opened);
	return memcmp(opened, commitment, BEACON_SECRET) == 0;
}
