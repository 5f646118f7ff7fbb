#include "server/store_prune.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/store_words.h"

#define CHUNK       500    /* entries in one transaction */
#define COUNT_CHUNK 100000 /* entries counted at once */
#define DAY_US      (24ULL * 3600 * 1000000)
#define SOME_PAGES  "PRAGMA incremental_vacuum(256)"

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

/* Is an entry of this time older than may be? */
static bool too_old(uint64_t time, uint32_t days)
{
	uint64_t now = clock_wall_us();

	return days && now > days * DAY_US && time < now - days * DAY_US;
}

/* About what an entry takes with its places and its words in the indexes: measured over a million. The
 * file's size says nothing, for what goes out of the index of words leaves it no smaller at once. */
static uint64_t cost_of(uint64_t text, bool direct)
{
	return 190 + 2 * text + (direct ? 40 : 0);
}

/* Count what has come since the last time; what was there at the start a part at a time. */
static int count_some(struct store *s, struct store_kept *kept)
{
	sqlite3_stmt *t = store_statement(s, STORE_COUNT);

	store_bind_int(t, 1, kept->counted);
	store_bind_int(t, 2, COUNT_CHUNK);
	int r = store_step(t);
	if (r != 1)
		return r;
	uint64_t entries = store_int(t, 0), text = store_int(t, 1), direct = store_int(t, 2);
	if (entries) {
		kept->bytes += (entries - direct) * cost_of(0, false) + direct * cost_of(0, true) +
			       2 * text;
		kept->counted = store_int(t, 3);
	}
	(void)sqlite3_reset(t);
	return 0;
}

/* Up to which number entries may go: beyond the number that may be kept, and, if they are too old or
 * too much, all but the newest, which is where numbers and times go on from. Numbers have no holes,
 * so they count. 0: none. */
static int find_limits(struct store *s, const struct engine_config *c,
	const struct store_kept *kept, uint64_t *limit, uint64_t *most)
{
	uint64_t first, time, last;
	int r = ends(s, &first, &time, &last);

	*limit = *most = 0;
	if (r || !first)
		return r;
	if (c->keep_messages && last - first + 1 > c->keep_messages)
		*limit = last - c->keep_messages;
	if (*limit || too_old(time, c->keep_days) || (c->keep_bytes && kept->bytes > c->keep_bytes))
		*most = last - 1;
	return 0;
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

/* Drop what is at or below `limit`, and, up to `most`, what is too old or too much. */
static int drop_some(struct store *s, const struct engine_config *c, uint64_t limit, uint64_t most,
	struct store_kept *kept, uint64_t *dropped)
{
	uint64_t indexed;
	int r = store_indexed(s, &indexed);

	if (r)
		return r;
	sqlite3_stmt *rows = store_statement(s, STORE_TO_PRUNE);
	store_bind_int(rows, 1, most);
	store_bind_int(rows, 2, CHUNK);
	while ((r = store_step(rows)) == 1) {
		uint64_t seq = store_int(rows, 0);
		bool much = c->keep_bytes && kept->bytes > c->keep_bytes;
		if (seq > limit && !much && !too_old(store_int(rows, 6), c->keep_days))
			break;
		uint64_t cost = cost_of(store_text(rows, 5).length, store_int(rows, 2) != 0);
		r = drop_entry(s, rows, indexed);
		if (r)
			break;
		if (seq <= kept->counted)
			kept->bytes -= cost < kept->bytes ? cost : kept->bytes;
		++*dropped;
	}
	(void)sqlite3_reset(rows);
	return r > 0 ? 0 : r;
}

int store_prune(struct store *s, const struct engine_config *config, struct store_kept *kept,
	uint64_t *dropped, bool *more)
{
	uint64_t limit, most;
	struct store_kept after;

	*dropped = 0;
	*more = false;
	int r = config->keep_bytes ? count_some(s, kept) : 0;
	if (r == 0)
		r = find_limits(s, config, kept, &limit, &most);
	if (r || !most)
		return r;
	after = *kept;
	r = store_begin(s);
	if (r == 0)
		r = drop_some(s, config, limit, most, &after, dropped);
	if (r == 0)
		r = store_commit(s);
	if (r) {
		store_rollback(s);
		*dropped = 0;
		return r;
	}
	*kept = after;
	*more = *dropped > 0;
	if (*dropped)
		r = store_error(sqlite3_exec(s->db, SOME_PAGES, NULL, NULL, NULL));
	return r;
}
