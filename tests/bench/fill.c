/*
 * Fill a log: fill FOLDER ROOM COUNT
 *
 * Appends COUNT messages of some hundred people to a room by the engine itself, in
 * large batches and without waiting for the disk, as a server of years would have
 * them. Each has a dozen words out of some thousands; every thousandth also has the
 * word "needle".
 */
#include "common/clock.h"
#include "common/err.h"
#include "server/engine.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH  64
#define PEOPLE 200
#define WORDS  12

static void ignore(void *context, const struct log_entry *e)
{
	(void)context;
	(void)e;
}

/* Words of some syllables; small numbers, which are frequent, give short ones. */
static size_t put_word(char *out, uint32_t n)
{
	static const char *const syllables[] = {
		"ka", "lo", "mi", "ne", "ru", "sa", "ти", "во", "ще", "йо"};
	size_t length = 0;

	do {
		const char *s = syllables[n % 10];
		memcpy(out + length, s, strlen(s));
		length += strlen(s);
		n /= 10;
	} while (n);
	out[length++] = ' ';
	return length;
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*state >> 33);
}

static uint16_t put_text(char *out, uint64_t i, uint64_t *state)
{
	size_t length = 0;

	for (int w = 0; w < WORDS; w++) {
		uint32_t r = next_random(state);
		length += put_word(out + length, r % (1 + next_random(state) % 20000));
	}
	if (i % 1000 == 0) {
		memcpy(out + length, "needle", 6);
		return (uint16_t)(length + 6);
	}
	return (uint16_t)(length - 1);
}

static void append(struct engine *e, const struct stream_key *key, uint64_t from, uint64_t count)
{
	static uint64_t state = 1983;
	static uint8_t ids[PEOPLE][PERSON_ID];
	static uint64_t counters[PEOPLE];
	static char texts[BATCH][WORDS * 16 + 8];
	struct log_entry entries[BATCH];
	struct append_result results[BATCH];
	uint32_t who = next_random(&state) % PEOPLE;

	/* Appends of one call are of one instance. */
	ids[who][0] = (uint8_t)(who + 1);
	for (uint64_t i = 0; i < count; i++) {
		entries[i] = (struct log_entry){
			.room = key,
			.room_name = {.text = (const char *)key->bytes + 1,
				.length = (uint16_t)(key->length - 1)},
			.person = ids[who],
			.instance = ids[who],
			.counter = ++counters[who],
			.nick = span_of("somebody"),
			.text = {.text = texts[i], .length = put_text(texts[i], from + i, &state)},
		};
	}
	if (engine_append(e, entries, (size_t)count, INT64_MAX, results) != 0 ||
		results[count - 1].status != APPEND_OK) {
		fprintf(stderr, "fill: not kept\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct stream_key key;
	struct engine *e;
	char error[512];

	if (argc != 4 || stream_key_room(argv[2], strlen(argv[2]), &key) != 0) {
		fprintf(stderr, "usage: fill FOLDER ROOM COUNT\n");
		return 2;
	}
	struct engine_config config = {.folder = argv[1], .sync = SYNC_OFF};
	if (engine_open_sqlite(&config, ignore, NULL, &e, error, sizeof(error)) != 0) {
		fprintf(stderr, "fill: %s\n", error);
		return 1;
	}
	uint64_t count = strtoull(argv[3], NULL, 10);
	for (uint64_t i = 0; i < count; i += BATCH)
		append(e, &key, i, count - i < BATCH ? count - i : BATCH);
	/* A search has the index brought up to date. */
	struct search any = {.streams = &key,
		.stream_count = 1,
		.words = span_of("needle"),
		.before = UINT64_MAX,
		.deadline = INT64_MAX};
	(void)engine_search(e, &any, NULL, NULL);
	engine_close(e);
	return 0;
}
