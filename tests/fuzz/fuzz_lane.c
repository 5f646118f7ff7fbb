/*
 * Datagrams of the lane: what opens is a whole frame that the other end sealed and that was not
 * there before; and whatever does not open leaves the lane as it was.
 *
 * Input: a byte that says whether the lane is insecure (bit 0), then datagrams, each behind
 * two bytes: a length, and what is done with it: 0 as it is; 1 the bytes are a frame, which the other
 * end seals; 2 the same, and it comes twice; 3 the same, with a bit changed.
 *
 * About: common/lane.c, common/replay.c
 */
#include "common/lane.h"

#include "common/err.h"
#include "common/message.h"
#include "tests/fuzz/require.h"

#include <stdbool.h>

#define ID UINT64_C(0x0102030405060708)

static struct lane ours, theirs;
static bool insecure;

static void make(void)
{
	uint8_t keys[LANE_KEYS];

	for (size_t i = 0; i < sizeof(keys); i++)
		keys[i] = (uint8_t)i;
	REQUIRE(lane_init(&ours, ID, LANE_SERVER, insecure ? NULL : keys) == 0);
	REQUIRE(lane_init(&theirs, ID, LANE_CLIENT, insecure ? NULL : keys) == 0);
}

static int open_it(const uint8_t *bytes, size_t length, bool sealed_by_them)
{
	uint8_t *copy = malloc(length + 1); /* its own block: reading past it is found */
	struct lane_arrival a;
	uint64_t newest = ours.replay.newest;

	REQUIRE(copy);
	memcpy(copy, bytes, length);
	int r = lane_open(&ours, copy, length, &a);
	REQUIRE(r == 0 || r == ERR_PROTOCOL || r == ERR_EXISTS || r == ERR_CRYPTO);
	if (r == ERR_EXISTS || r == ERR_CRYPTO)
		REQUIRE(ours.replay.newest == newest);
	if (r == 0) {
		union message m;
		/* Nobody else has the keys; and in the clear anybody has them. */
		REQUIRE(sealed_by_them || insecure);
		REQUIRE(a.frame.payload > copy &&
			a.frame.payload + a.frame.length <= copy + length);
		REQUIRE(a.frame.length + FRAME_HEADER == length - lane_sealed_size(&ours, 0));
		REQUIRE(a.newest == (ours.replay.newest > newest));
		PLANTED(message_decode(&a.frame, &m) == 0 && a.frame.type == MESSAGE_TOSS &&
			says_bugs(m.toss.text.text, m.toss.text.length));
		(void)m;
	}
	free(copy);
	return r;
}

static void one(uint8_t what, const uint8_t *bytes, size_t length)
{
	uint8_t datagram[512];
	size_t used;

	if (what % 4 == 0) {
		(void)open_it(bytes, length, false);
		return;
	}
	REQUIRE(lane_seal(&theirs, bytes, length, datagram, sizeof(datagram), &used) == 0);
	REQUIRE(used == lane_sealed_size(&theirs, length));
	if (what % 4 == 3) {
		datagram[what % used] ^= 1;
		int r = open_it(datagram, used, insecure);
		REQUIRE(insecure || r != 0);
		return;
	}
	/* In the clear its number may have been used by somebody. */
	int first = open_it(datagram, used, true);
	REQUIRE(insecure || first == 0 || first == ERR_PROTOCOL);
	if (what % 4 == 2)
		REQUIRE(open_it(datagram, used, true) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	insecure = data[0] & 1;
	make();
	data++;
	size--;
	while (size >= 2) {
		size_t length = data[0] < size - 2 ? data[0] : size - 2;
		one(data[1], data + 2, length);
		data += 2 + length;
		size -= 2 + length;
	}
	lane_fini(&ours);
	lane_fini(&theirs);
	return 0;
}
