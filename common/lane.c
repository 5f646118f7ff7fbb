#include "common/lane.h"

#include "common/err.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define KEY_SIZE 32
#define IV_SIZE  12

#define AT_ID      1
#define AT_COUNTER 9

/* ---- integers ---- */

static void put_u64(uint8_t *out, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

void lane_context(uint64_t id, uint8_t context[8])
{
	put_u64(context, id);
}

/* ---- the cipher ---- */

/* A context with its key in place: what a datagram adds is the nonce. NULL: the library failed. */
static EVP_CIPHER_CTX *cipher_new(const uint8_t key[KEY_SIZE], bool encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (c && EVP_CipherInit_ex(c, EVP_chacha20_poly1305(), NULL, key, NULL, encrypt) == 1)
		return c;
	EVP_CIPHER_CTX_free(c);
	ERR_clear_error();
	return NULL;
}

/* The counter, in the last bytes of the IV's length, over the IV: RFC 8446 5.3. */
static void make_nonce(const uint8_t iv[IV_SIZE], uint64_t counter, uint8_t nonce[IV_SIZE])
{
	uint8_t bytes[8];

	put_u64(bytes, counter);
	memcpy(nonce, iv, IV_SIZE);
	for (int i = 0; i < 8; i++)
		nonce[IV_SIZE - 8 + i] ^= bytes[i];
}

static bool encrypt(struct lane *l, uint8_t *datagram, const uint8_t *frame, int length)
{
	uint8_t nonce[IV_SIZE];
	uint8_t *text = datagram + LANE_HEADER;
	int size;

	make_nonce(l->iv_out, l->counter, nonce);
	return EVP_EncryptInit_ex(l->out, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_EncryptUpdate(l->out, NULL, &size, datagram, LANE_HEADER) == 1 &&
	       EVP_EncryptUpdate(l->out, text, &size, frame, length) == 1 &&
	       EVP_EncryptFinal_ex(l->out, text + length, &size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(l->out, EVP_CTRL_AEAD_GET_TAG, LANE_TAG, text + length) == 1;
}

static bool decrypt(struct lane *l, uint64_t counter, uint8_t *datagram, int length)
{
	uint8_t nonce[IV_SIZE];
	uint8_t *text = datagram + LANE_HEADER;
	int size;

	make_nonce(l->iv_in, counter, nonce);
	return EVP_DecryptInit_ex(l->in, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_CIPHER_CTX_ctrl(l->in, EVP_CTRL_AEAD_SET_TAG, LANE_TAG, text + length) == 1 &&
	       EVP_DecryptUpdate(l->in, NULL, &size, datagram, LANE_HEADER) == 1 &&
	       EVP_DecryptUpdate(l->in, text, &size, text, length) == 1 &&
	       EVP_DecryptFinal_ex(l->in, text + length, &size) == 1;
}

/* ---- a lane ---- */

int lane_init(struct lane *l, uint64_t id, enum lane_side side, const uint8_t *keys)
{
	struct lane made = {.id = id};

	if (keys) {
		size_t mine = side == LANE_CLIENT ? 0 : 1, theirs = 1 - mine;
		const uint8_t *ivs = keys + 2 * (size_t)KEY_SIZE;

		made.out = cipher_new(keys + mine * KEY_SIZE, true);
		made.in = cipher_new(keys + theirs * KEY_SIZE, false);
		memcpy(made.iv_out, ivs + mine * IV_SIZE, IV_SIZE);
		memcpy(made.iv_in, ivs + theirs * IV_SIZE, IV_SIZE);
		if (!made.out || !made.in) {
			lane_fini(&made);
			return ERR_CRYPTO;
		}
	}
	*l = made;
	return 0;
}

void lane_fini(struct lane *l)
{
	EVP_CIPHER_CTX_free(l->out);
	EVP_CIPHER_CTX_free(l->in);
	l->out = l->in = NULL;
	explicit_bzero(l->iv_out, sizeof(l->iv_out));
	explicit_bzero(l->iv_in, sizeof(l->iv_in));
}

size_t lane_sealed_size(const struct lane *l, size_t length)
{
	return LANE_HEADER + length + (l->out ? LANE_TAG : 0);
}

int lane_seal(struct lane *l, const uint8_t *frame, size_t length, uint8_t *out, size_t size,
	size_t *used)
{
	size_t whole = lane_sealed_size(l, length);

	if (length > FRAME_MAX || whole > size || whole > LANE_MAX)
		return ERR_TOO_BIG;
	if (l->counter == UINT64_MAX) /* a nonce must never come twice */
		return ERR_FULL;
	l->counter++;
	out[0] = LANE_VERSION;
	put_u64(out + AT_ID, l->id);
	put_u64(out + AT_COUNTER, l->counter);
	if (!l->out) {
		memcpy(out + LANE_HEADER, frame, length);
	} else if (!encrypt(l, out, frame, (int)length)) {
		ERR_clear_error();
		return ERR_CRYPTO;
	}
	*used = whole;
	return 0;
}

int lane_id(const uint8_t *datagram, size_t length, uint64_t *id)
{
	if (length < LANE_HEADER + FRAME_HEADER || length > LANE_MAX || datagram[0] != LANE_VERSION)
		return ERR_PROTOCOL;
	*id = get_u64(datagram + AT_ID);
	return 0;
}

/* The counter, and how long the frame is; ERR_PROTOCOL. */
static int look_at(const struct lane *l, const uint8_t *datagram, size_t length, uint64_t *counter,
	size_t *size)
{
	uint64_t id;

	if (lane_id(datagram, length, &id) != 0 || id != l->id ||
		length < lane_sealed_size(l, FRAME_HEADER))
		return ERR_PROTOCOL;
	*counter = get_u64(datagram + AT_COUNTER);
	*size = length - lane_sealed_size(l, 0);
	return 0;
}

/* Is it from the other end? What is insecure always is. */
static int unseal(struct lane *l, uint64_t counter, uint8_t *datagram, size_t size)
{
	if (!l->in || (l->forged < LANE_FORGED_MOST && decrypt(l, counter, datagram, (int)size)))
		return 0;
	ERR_clear_error();
	l->forged++;
	return ERR_CRYPTO;
}

int lane_open(struct lane *l, uint8_t *datagram, size_t length, struct lane_arrival *out)
{
	struct lane_arrival a;
	uint64_t counter;
	size_t size;
	int r = look_at(l, datagram, length, &counter, &size);

	/* Before the work of looking at it, but nothing is noted yet: whoever forges must not use
	 * numbers up. */
	if (r == 0 && !replay_is_new(&l->replay, counter))
		r = ERR_EXISTS;
	if (r == 0)
		r = unseal(l, counter, datagram, size);
	if (r)
		return r;
	a.newest = replay_take(&l->replay, counter);
	r = frame_decode_datagram(datagram + LANE_HEADER, size, FRAME_PAYLOAD_MAX, &a.frame);
	if (r == 0)
		*out = a;
	return r;
}

int lane_open_copy(struct lane *l, uint8_t *datagram, size_t length, struct frame *out)
{
	uint64_t counter;
	size_t size;
	int r = look_at(l, datagram, length, &counter, &size);

	if (r == 0 && !replay_was_there(&l->replay, counter))
		r = ERR_NOT_FOUND;
	if (r == 0)
		r = unseal(l, counter, datagram, size);
	return r ? r : frame_decode_datagram(datagram + LANE_HEADER, size, FRAME_PAYLOAD_MAX, out);
}
