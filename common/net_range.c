#include "common/net_range.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 32
#define V6_BITS 128

#define MAPPED_BITS 96
static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* Make 0 of what is below the prefix. */
static void clear_rest(struct net_range *range)
{
	for (unsigned bit = range->bits; bit < V6_BITS; bit++)
		range->bytes[bit / 8] &= (uint8_t) ~(0x80U >> (bit % 8));
}

static int parse_bits(const char *text, unsigned most, uint8_t *bits)
{
	char *end;

	if (*text < '0' || *text > '9')
		return ERR_ARGUMENT;
	unsigned long n = strtoul(text, &end, 10);
	if (*end || n > most)
		return ERR_ARGUMENT;
	*bits = (uint8_t)n;
	return 0;
}

int net_range_parse(const char *text, struct net_range *out)
{
	char address[INET6_ADDRSTRLEN];
	struct net_range range = {0};
	size_t length = strcspn(text, "/");

	if (length == 0 || length >= sizeof(address))
		return ERR_ARGUMENT;
	memcpy(address, text, length);
	address[length] = '\0';
	range.v6 = strchr(address, ':') != NULL;
	if (inet_pton(range.v6 ? AF_INET6 : AF_INET, address, range.bytes) != 1)
		return ERR_ARGUMENT;
	range.bits = range.v6 ? V6_BITS : V4_BITS;
	int r = text[length] ? parse_bits(text + length + 1, range.bits, &range.bits) : 0;
	if (r)
		return r;
	/* ::ffff:a.b.c.d is IPv4. */
	if (range.v6 && range.bits >= MAPPED_BITS &&
		memcmp(range.bytes, mapped, sizeof(mapped)) == 0) {
		memmove(range.bytes, range.bytes + sizeof(mapped), 4);
		range.bits = (uint8_t)(range.bits - MAPPED_BITS);
		range.v6 = false;
	}
	clear_rest(&range);
	/* What has been written of IPv4 in it would not count. */
	if (range.v6 && range.bits < MAPPED_BITS && strchr(address, '.'))
		return ERR_ARGUMENT;
	*out = range;
	return 0;
}

char *net_range_print(const struct net_range *range, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";
	unsigned most = range->v6 ? V6_BITS : V4_BITS;

	(void)inet_ntop(range->v6 ? AF_INET6 : AF_INET, range->bytes, address, sizeof(address));
	if (range->bits == most)
		(void)snprintf(out, size, "%s", address);
	else
		(void)snprintf(out, size, "%s/%u", address, range->bits);
	return out;
}

bool net_range_has(const struct net_range *range, const struct net_address *a)
{
	const uint8_t *bytes;
	bool v6 = false;

	if (a->u.any.sa_family == AF_INET) {
		bytes = (const uint8_t *)&a->u.v4.sin_addr;
	} else if (a->u.any.sa_family == AF_INET6) {
		bytes = a->u.v6.sin6_addr.s6_addr;
		v6 = !IN6_IS_ADDR_V4MAPPED(&a->u.v6.sin6_addr);
		bytes += v6 ? 0 : 12;
	} else {
		return false;
	}
	return v6 == range->v6 && same_prefix(bytes, range->bytes, range->bits);
}
