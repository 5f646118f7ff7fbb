#include "server/store_prune.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/store_words.h"

#define CHUNK       500    /* entries in one transaction */
#define COUNT_CHUNK 100000 /* entries counted at once */
#define DAY_US      (24ULL * 3600 * 1000000)
#define SOME_PAGES  "PRAGMA incremental_vacuum(256)"

/* ---- how far ---- */

/* The first entry above a number, and the newest; `*first` 0: there is none. */
static int ends(
	struct store *s, uint64_t above, uint64_t *first, uint64_t *first_time, uint64_t *last)
{
	sqlite3_stmt *t = store_statement(s, STORE_OLDEST);

	*first = *last = *first_time = 0;
	store_bind_int(t, 1, above);
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
 * too much, all but the newest, which is where numbers and times go on from. Above what was spared
 * numbers have no holes, so they count. 0: none. */
static int find_limits(struct store *s, const struct engine_config *c,
	const struct store_kept *kept, uint64_t *limit, uint64_t *most)
{
	uint64_t first, time, last;
	int r = ends(s, kept->passed, &first, &time, &last);

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

/* The row is one of STORE_TO_PRUNE or STORE_ACTS_BELOW. */
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

/* A turn of pruning: what it looks at, and what it has done. */
struct pruning {
	struct store *s;
	const struct engine_config *config;
	struct store_kept *kept;
	uint64_t limit, most; /* find_limits */
	uint64_t indexed;     /* up to this number words are indexed */
	uint64_t dropped;
	uint64_t passed; /* entries */
};

/* The log comes to an act that may stay. Of its room those go that are beyond the number that is spared:
 * itself, where it is one of them, or older ones. */
static int spare(struct pruning *p, uint64_t seq, uint64_t stream)
{
	sqlite3_stmt *t = store_statement(p->s, STORE_ACT_BEYOND);
	uint64_t beyond = 0;

	store_bind_int(t, 1, stream);
	store_bind_int(t, 2, STORE_ACTS_EACH);
	int r = store_one(t, &beyond);
	p->kept->acts++;
	if (r < 0 || beyond == 0)
		return r < 0 ? r : 0;
	sqlite3_stmt *rows = store_statement(p->s, STORE_ACTS_BELOW);
	store_bind_int(rows, 1, stream);
	store_bind_int(rows, 2, beyond < seq ? beyond : seq);
	while ((r = store_step(rows)) == 1) {
		r = drop_entry(p->s, rows, p->indexed);
		if (r)
			break;
		p->kept->acts--;
		p->dropped++;
	}
	(void)sqlite3_reset(rows);
	return r > 0 ? 0 : r;
}

/* Go on past an entry, which is a row of STORE_TO_PRUNE: it goes, or is spared. */
static int pass(struct pruning *p, sqlite3_stmt *row)
{
	uint64_t seq = store_int(row, 0);
	uint64_t cost = cost_of(store_text(row, 5).length, store_int(row, 2) != 0);
	bool old = too_old(store_int(row, 6), p->config->keep_days);
	int r;

	if (store_int(row, 7) && !old)
		r = spare(p, seq, store_int(row, 1));
	else if ((r = drop_entry(p->s, row, p->indexed)) == 0)
		p->dropped++;
	/* What is spared does not count as much that is kept, or it would push messages out. */
	if (seq <= p->kept->counted)
		p->kept->bytes -= cost < p->kept->bytes ? cost : p->kept->bytes;
	p->kept->passed = seq;
	p->passed++;
	return r;
}

/* Pass what is at or below `limit`, and, up to `most`, what is too old or too much. */
static int pass_some(struct pruning *p)
{
	const struct engine_config *c = p->config;
	sqlite3_stmt *rows = store_statement(p->s, STORE_TO_PRUNE);
	int r;

	store_bind_int(rows, 1, p->kept->passed);
	store_bind_int(rows, 2, p->most);
	store_bind_int(rows, 3, CHUNK);
	while ((r = store_step(rows)) == 1) {
		bool much = c->keep_bytes && p->kept->bytes > c->keep_bytes;
		if (store_int(rows, 0) > p->limit && !much &&
			!too_old(store_int(rows, 6), c->keep_days))
			break;
		r = pass(p, rows);
		if (r)
			break;
	}
	(void)sqlite3_reset(rows);
	return r > 0 ? 0 : r;
}

/* Of those that were spared, the oldest may be too old by now, or too many. */
static int drop_spared(struct pruning *p)
{
	sqlite3_stmt *rows = store_statement(p->s, STORE_TO_PRUNE);
	int r;

	store_bind_int(rows, 1, 0);
	store_bind_int(rows, 2, p->kept->passed);
	store_bind_int(rows, 3, CHUNK);
	while ((r = store_step(rows)) == 1) {
		if (p->kept->acts <= STORE_ACTS_MOST &&
			!too_old(store_int(rows, 6), p->config->keep_days))
			break;
		r = drop_entry(p->s, rows, p->indexed);
		if (r)
			break;
		p->kept->acts -= p->kept->acts > 0;
		p->dropped++;
		p->passed++;
	}
	(void)sqlite3_reset(rows);
	return r > 0 ? 0 : r;
}

int store_prune(struct store *s, const struct engine_config *config, struct store_kept *kept,
	uint64_t *dropped, bool *more)
{
	struct store_kept after;
	struct pruning p = {.s = s, .config = config, .kept = &after};

	*dropped = 0;
	*more = false;
	int r = config->keep_bytes ? count_some(s, kept) : 0;
	if (r == 0)
		r = find_limits(s, config, kept, &p.limit, &p.most);
	if (r || (!p.most && !kept->passed))
		return r;
	r = store_indexed(s, &p.indexed);
	if (r == 0)
		r = store_begin(s);
	if (r)
		return r;
	after = *kept;
	r = p.most ? pass_some(&p) : 0;
	if (r == 0 && after.passed)
		r = drop_spared(&p);
	if (r == 0)
		r = store_commit(s);
	if (r) {
		store_rollback(s);
		return r;
	}
	*kept = after;
	*dropped = p.dropped;
	*more = p.passed > 0;
	if (p.dropped)
		r = store_error(sqlite3_exec(s->db, SOME_PAGES, NULL, NULL, NULL));
	return r;
}
