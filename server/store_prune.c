#include "server/store_prune.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/store_words.h"

#define CHUNK      500 /* entries in one transaction */
#define DAY_US     (24ULL * 3600 * 1000000)
#define SOME_PAGES "PRAGMA incremental_vacuum(256)"

/* ---- how far ---- */

static int ends(struct store *s, uint64_t *first, uint64_t *first_time, uint64_t *last)
{
	sqlite3_stmt *t = store_statement(s, STORE_OLDEST);

	*first = *last = *first_time = 0;
	int r = store_step(t);
	if (r != 1)
		return r;
	*first = store_int(t, 0);
	*first_time = store_int(t, 1);
	(void)sqlite3_reset(t);
	r = store_one(store_statement(s, STORE_NEWEST), last);
	return r < 0 ? r : 0;
}

static int too_large(struct store *s, uint64_t most, bool *yes)
{
	uint64_t pages = 0, size = 0;
	int r = store_one(store_statement(s, STORE_PAGES), &pages);

	if (r >= 0)
		r = store_one(store_statement(s, STORE_PAGE_SIZE), &size);
	*yes = pages * size > most;
	return r < 0 ? r : 0;
}

/* Is an entry of this time older than may be? */
static bool too_old(uint64_t time, uint32_t days)
{
	uint64_t now = clock_wall_us();

	return days && now > days * DAY_US && time < now - days * DAY_US;
}

/* Up to which number entries may go now; 0: none. Numbers have no holes, so they count. */
static int find_limit(
	struct store *s, const struct engine_config *c, uint64_t *limit, uint64_t *oldest)
{
	uint64_t first, time, last;
	bool large = false;
	int r = ends(s, &first, &time, &last);

	*limit = 0;
	if (r || !first)
		return r;
	if (c->keep_messages && last - first + 1 > c->keep_messages)
		*limit = last - c->keep_messages;
	if (c->keep_bytes)
		r = too_large(s, c->keep_bytes, &large);
	/* The newest entry always stays: it is where numbers and times go on from. */
	if (large && last > first)
		*limit = first + CHUNK / 5 > *limit ? first + CHUNK / 5 : *limit;
	if (*limit >= last)
		*limit = last - 1;
	*oldest = too_old(time, c->keep_days) ? last - 1 : 0;
	return r;
}

/* ---- letting go ---- */

static int change(struct store *s, enum store_statement which, uint64_t a, uint64_t b)
{
	sqlite3_stmt *t = store_statement(s, which);

	store_bind_int(t, 1, a);
	store_bind_int(t, 2, b);
	return store_run(t);
}

static int leave_stream(struct store *s, uint64_t stream, uint64_t seq)
{
	int r = change(s, STORE_DROP_CHAIN, stream, seq);

	return r ? r : change(s, STORE_RAISE_STREAM, seq, stream);
}

static int drop_entry(struct store *s, sqlite3_stmt *row, uint64_t indexed)
{
	uint64_t seq = store_int(row, 0), stream = store_int(row, 1), other = store_int(row, 2);
	int r = leave_stream(s, stream, seq);

	if (r == 0 && other)
		r = leave_stream(s, other, seq);
	if (r == 0)
		r = change(s, STORE_RAISE_INSTANCE, store_int(row, 4), store_int(row, 3));
	if (r == 0 && seq <= indexed)
		r = store_unindex(s, seq, stream, other, store_text(row, 5));
	if (r)
		return r;
	sqlite3_stmt *t = store_statement(s, STORE_DROP_ENTRY);
	store_bind_int(t, 1, seq);
	return store_run(t);
}

/* Drop what is at or below `limit`, and, up to `aged`, what is too old. */
static int drop_some(struct store *s, const struct engine_config *c, uint64_t limit, uint64_t aged,
	uint64_t *dropped)
{
	uint64_t indexed;
	int r = store_indexed(s, &indexed);

	if (r)
		return r;
	sqlite3_stmt *rows = store_statement(s, STORE_TO_PRUNE);
	store_bind_int(rows, 1, limit > aged ? limit : aged);
	store_bind_int(rows, 2, CHUNK);
	while ((r = store_step(rows)) == 1) {
		if (store_int(rows, 0) > limit && !too_old(store_int(rows, 6), c->keep_days))
			break;
		r = drop_entry(s, rows, indexed);
		if (r)
			break;
		++*dropped;
	}
	(void)sqlite3_reset(rows);
	return r > 0 ? 0 : r;
}

int store_prune(struct store *s, const struct engine_config *config, uint64_t *dropped, bool *more)
{
	uint64_t limit, aged = 0;

	*dropped = 0;
	*more = false;
	int r = find_limit(s, config, &limit, &aged);
	if (r || (!limit && !aged))
		return r;
	r = store_begin(s);
	if (r == 0)
		r = drop_some(s, config, limit, aged, dropped);
	if (r == 0)
		r = store_commit(s);
	if (r) {
		store_rollback(s);
		*dropped = 0;
		return r;
	}
	*more = *dropped > 0;
	if (*dropped)
		r = store_error(sqlite3_exec(s->db, SOME_PAGES, NULL, NULL, NULL));
	return r;
}
