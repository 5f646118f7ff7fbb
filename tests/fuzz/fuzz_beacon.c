/*
 * The discovery packet: what decodes is within its bounds and encodes to the
 * same bytes.
 *
 * Input: a datagram.
 *
 * About: common/beacon.c
 */
#include "common/beacon.h"

#include "common/err.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct beacon b;
	uint8_t again[BEACON_SIZE];
	int r = beacon_decode(data, size, &b);

	REQUIRE(r == 0 || r == ERR_PROTOCOL);
	if (r != 0)
		return 0;
	REQUIRE(size == BEACON_SIZE);
	REQUIRE(b.type >= BEACON_QUERY && b.type <= BEACON_GOODBYE);
	REQUIRE(b.version_low <= b.version_high);
	REQUIRE(b.type == BEACON_QUERY || b.port != 0);
	size_t name = strnlen(b.name, sizeof(b.name));
	REQUIRE(name <= SERVER_NAME_MAX && utf8_is_line(b.name, name));
	beacon_encode(&b, again);
	REQUIRE(memcmp(again, data, BEACON_SIZE) == 0);
	PLANTED(b.type == BEACON_GOODBYE && says_bugs(b.name, name));
	/* Nobody's packet is shorter than it ought to be. */
	REQUIRE(beacon_decode(data, size - 1, &b) == ERR_PROTOCOL);
	return 0;
}
