#include "tools/lab/journal.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Entries lie in chunks, which never move; what tells how many there are is written behind them. */
#define CHUNK  1024
#define CHUNKS ((JOURNAL_ENTRIES + CHUNK - 1) / CHUNK)

struct journal {
	uint64_t start_ns;
	int64_t wall_start_us;
	_Atomic(uint64_t) count; /* that may be read without the lock */
	_Atomic(bool) full;
	struct journal_entry *chunk[CHUNKS];

	struct lock lock; /* who writes; and below */
	pthread_cond_t more;
	uint64_t bytes; /* in texts and packets */
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct journal *journal_new(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->start_ns = monotonic_ns();
	j->wall_start_us = (int64_t)clock_wall_us();
	lock_init(&j->lock, LOCK_LEAF);
	lock_cond_init(&j->more);
	return j;
}

/* ---- what an entry owns ---- */

static void free_owned(struct journal_entry *e)
{
	switch (e->kind) {
	case JOURNAL_PACKET:
		free(e->of.packet.bytes);
		break;
	case JOURNAL_CALL:
		free(e->of.call.operation);
		free(e->of.call.arguments);
		free(e->of.call.why);
		break;
	case JOURNAL_WORDS:
		free(e->of.words.text);
		break;
	case JOURNAL_CHECK:
		free(e->of.check.text);
		free(e->of.check.measured);
		break;
	case JOURNAL_ARRIVAL:
		break;
	}
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t owned_size(const struct journal_entry *e)
{
	switch (e->kind) {
	case JOURNAL_PACKET:
		return e->of.packet.length;
	case JOURNAL_CALL:
		return text_size(e->of.call.operation) + text_size(e->of.call.arguments) +
		       text_size(e->of.call.why);
	case JOURNAL_WORDS:
		return text_size(e->of.words.text);
	case JOURNAL_CHECK:
		return text_size(e->of.check.text) + text_size(e->of.check.measured);
	case JOURNAL_ARRIVAL:
		break;
	}
	return 0;
}

/* NULL stays NULL. False: memory is short. */
static bool copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return !text || *out;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	uint64_t count = atomic_load_explicit(&j->count, memory_order_acquire);
	for (uint64_t i = 0; i < count; i++)
		free_owned(&j->chunk[i / CHUNK][i % CHUNK]);
	for (size_t i = 0; i < CHUNKS; i++)
		free(j->chunk[i]);
	PTHREAD_OK(pthread_cond_destroy(&j->more));
	lock_fini(&j->lock);
	free(j);
}

/* ---- writing ---- */

/* Words and verdicts are few, and a run that is too long for the rest needs them to say so. */
static bool has_room_locked(struct journal *j, uint64_t count, const struct journal_entry *e)
{
	bool last_words = e->kind == JOURNAL_WORDS || e->kind == JOURNAL_CHECK;
	uint64_t entries = JOURNAL_ENTRIES - (last_words ? 0 : JOURNAL_RESERVE);
	uint64_t bytes = JOURNAL_BYTES + (last_words ? JOURNAL_BYTES_RESERVE : 0);

	lock_assert_held(&j->lock);
	return count < entries && j->bytes + owned_size(e) <= bytes;
}

static int64_t add_locked(struct journal *j, struct journal_entry *e, bool now)
{
	uint64_t count = atomic_load_explicit(&j->count, memory_order_relaxed);
	struct journal_entry **chunk = &j->chunk[count / CHUNK];

	lock_assert_held(&j->lock);
	if (!has_room_locked(j, count, e)) {
		atomic_store_explicit(&j->full, true, memory_order_relaxed);
		return ERR_FULL;
	}
	if (!*chunk)
		*chunk = calloc(CHUNK, sizeof(**chunk));
	if (!*chunk)
		return ERR_MEMORY;
	e->number = count;
	if (now)
		e->time_ns = journal_now(j);
	(*chunk)[count % CHUNK] = *e;
	j->bytes += owned_size(e);
	atomic_store_explicit(&j->count, count + 1, memory_order_release);
	PTHREAD_OK(pthread_cond_broadcast(&j->more));
	return (int64_t)count;
}

/* Takes over what it owns, whether it could be added or not. `whole`: all of it could be copied. `now`:
 * the time is that at which it gets its number. */
static int64_t add(struct journal *j, struct journal_entry *e, bool whole, bool now)
{
	int64_t r = ERR_MEMORY;

	if (whole) {
		lock_take(&j->lock);
		r = add_locked(j, e, now);
		lock_drop(&j->lock);
	}
	if (r < 0)
		free_owned(e);
	return r;
}

int64_t journal_packet(
	struct journal *j, enum side side, uint64_t time_ns, const struct journal_packet *p)
{
	struct journal_entry e = {
		.time_ns = time_ns, .kind = JOURNAL_PACKET, .side = side, .of.packet = *p};
	struct journal_packet *own = &e.of.packet;

	own->bytes = malloc(p->length ? p->length : 1);
	if (!own->bytes)
		return ERR_MEMORY;
	if (p->length)
		memcpy(own->bytes, p->bytes, p->length);
	if (p->packet.payload)
		own->packet.payload = own->bytes + (p->packet.payload - p->bytes);
	return add(j, &e, true, false);
}

int64_t journal_arrival(
	struct journal *j, enum side side, uint64_t time_ns, uint64_t of, bool second)
{
	struct journal_entry e = {.time_ns = time_ns,
		.kind = JOURNAL_ARRIVAL,
		.side = side,
		.of.arrival = {of, second}};

	return add(j, &e, true, false);
}

int64_t journal_call(struct journal *j, enum side side, const struct journal_call *c)
{
	struct journal_entry e = {.kind = JOURNAL_CALL, .side = side, .of.call = *c};
	struct journal_call *own = &e.of.call;

	bool whole = copy_text(&own->operation, c->operation);
	whole = copy_text(&own->arguments, c->arguments) && whole;
	whole = copy_text(&own->why, c->why) && whole;
	return add(j, &e, whole, true);
}

int64_t journal_words(struct journal *j, enum side side, const char *text)
{
	struct journal_entry e = {.kind = JOURNAL_WORDS, .side = side};

	return add(j, &e, copy_text(&e.of.words.text, text), true);
}

int64_t journal_voice(
	struct journal *j, enum side side, uint8_t voice, const char *before, const char *line)
{
	struct journal_entry e = {.kind = JOURNAL_WORDS, .side = side};
	size_t size = strlen(before) + strlen(line) + 1;
	char *text = malloc(size);

	if (!text)
		return ERR_MEMORY;
	(void)snprintf(text, size, "%s%s", before, line);
	e.of.words.text = text;
	e.of.words.voice = voice;
	e.of.words.quote = (uint16_t)strlen(before);
	return add(j, &e, true, true);
}

int64_t journal_check(struct journal *j, enum side side, enum verdict verdict, const char *text,
	const char *measured)
{
	struct journal_entry e = {.kind = JOURNAL_CHECK, .side = side, .of.check.verdict = verdict};

	bool whole = copy_text(&e.of.check.text, text);
	whole = copy_text(&e.of.check.measured, measured) && whole;
	return add(j, &e, whole, true);
}

/* ---- reading ---- */

uint64_t journal_now(const struct journal *j)
{
	return monotonic_ns() - j->start_ns;
}

int64_t journal_wall_start(const struct journal *j)
{
	return j->wall_start_us;
}

uint64_t journal_count(const struct journal *j)
{
	return atomic_load_explicit(&j->count, memory_order_acquire);
}

bool journal_full(const struct journal *j)
{
	return atomic_load_explicit(&j->full, memory_order_relaxed);
}

const struct journal_entry *journal_at(const struct journal *j, uint64_t number)
{
	if (number >= journal_count(j))
		return NULL;
	return &j->chunk[number / CHUNK][number % CHUNK];
}

uint64_t journal_wait(struct journal *j, uint64_t count, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;
	uint64_t now;

	lock_take(&j->lock);
	do
		now = journal_count(j);
	while (now <= count && lock_wait(&j->lock, &j->more, deadline));
	now = journal_count(j);
	lock_drop(&j->lock);
	return now;
}
