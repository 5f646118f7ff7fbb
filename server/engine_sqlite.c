/*
 * The engine that keeps the log in a database.
 *
 * One thread writes (log_writer.h); everybody reads for themselves, from a snapshot,
 * so no reader waits for the writer and the writer waits for no reader.
 */
#include "server/engine.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/log_writer.h"
#include "server/store_acts.h"
#include "server/store_people.h"
#include "server/store_pool.h"
#include "server/store_read.h"
#include "server/store_words.h"
#include "server/store_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stores for each kind of reading. */
enum pool {
	LOOKUPS, /* single rows, also under locks of others */
	PAGES,
	WALKS, /* far back, which takes milliseconds */
	SEARCHES,
	POOLS,
};
#define FAR_BACK 200 /* entries that a lookup may walk over */

static const unsigned pool_sizes[POOLS] = {[LOOKUPS] = 2, [PAGES] = 3, [WALKS] = 1, [SEARCHES] = 2};

#define PATH_BYTES 4096

struct durable {
	struct engine base;
	struct log_writer *writer;
	struct store_pool pools[POOLS];
	unsigned begun;                    /* of the pools */
	struct engine_ancestor *ancestors; /* owned */
};

static struct durable *of(struct engine *e)
{
	return (struct durable *)e;
}

/* ---- writing ---- */

static int durable_append(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	return log_writer_append(of(e)->writer, entries, count, deadline, results);
}

static int durable_note(struct engine *e, const struct note *n)
{
	return log_writer_note(of(e)->writer, n);
}

static enum engine_health durable_health(struct engine *e)
{
	return log_writer_health(of(e)->writer);
}

static void durable_stats(struct engine *e, struct engine_stats *out)
{
	log_writer_stats(of(e)->writer, out);
}

/* ---- reading ---- */

/* Take a store, use it, give it back. Nobody keeps one for long, so waiting ends. */
#define WITH_STORE(pool, call)                                                                     \
	do {                                                                                       \
		struct store *s = store_pool_take(&of(e)->pools[pool], 0, INT64_MAX);              \
		int result_ = (call);                                                              \
		store_pool_give(&of(e)->pools[pool], s);                                           \
		return result_;                                                                    \
	} while (0)

static int durable_range(struct engine *e, const struct stream_key *key, uint64_t after,
	uint64_t upto, engine_reader *reader, void *context, uint64_t *pruned)
{
	WITH_STORE(PAGES, store_range(s, key, after, upto, reader, context, pruned));
}

static int durable_last(struct engine *e, const struct stream_key *key, uint32_t count,
	uint64_t *last, uint64_t *after)
{
	WITH_STORE(count > FAR_BACK ? WALKS : LOOKUPS, store_last(s, key, count, last, after));
}

static int durable_before(struct engine *e, const struct stream_key *key, uint64_t before,
	uint32_t count, uint64_t *after)
{
	WITH_STORE(PAGES, store_before(s, key, before, count, after));
}

static int durable_since(
	struct engine *e, const struct stream_key *key, uint64_t time, uint64_t *after)
{
	WITH_STORE(PAGES, store_since(s, key, time, after));
}

static int durable_room(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	WITH_STORE(LOOKUPS, store_room(s, key, out));
}

static int durable_rooms(struct engine *e, const struct stream_key *after, bool all, uint32_t limit,
	engine_room_reader *reader, void *context)
{
	WITH_STORE(PAGES, store_rooms(s, after, all, limit, reader, context));
}

static int durable_settled(struct engine *e, const uint8_t *instance, const uint8_t *person,
	uint64_t counter, struct append_result *result)
{
	WITH_STORE(LOOKUPS, store_settled(s, instance, person, counter, result));
}

static uint64_t durable_accepted(struct engine *e, const uint8_t *instance, const uint8_t *person)
{
	struct store *s = store_pool_take(&of(e)->pools[LOOKUPS], 0, INT64_MAX);
	uint64_t accepted;

	/* Where it cannot be read, nothing is settled, and each message is answered for itself. */
	if (store_accepted(s, instance, person, &accepted) != 0)
		accepted = 0;
	store_pool_give(&of(e)->pools[LOOKUPS], s);
	return accepted;
}

static int durable_places(
	struct engine *e, const uint8_t *person, engine_place_reader *reader, void *context)
{
	WITH_STORE(PAGES, store_places(s, person, reader, context));
}

static int durable_read_position(
	struct engine *e, const uint8_t *person, const struct stream_key *key, uint64_t *seq)
{
	WITH_STORE(LOOKUPS, store_read_position(s, person, key, seq));
}

static int durable_person(
	struct engine *e, const char *folded, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	WITH_STORE(LOOKUPS, store_person(s, folded, person, nick));
}

static int durable_charter(struct engine *e, const struct stream_key *key, struct charter *out)
{
	WITH_STORE(LOOKUPS, store_charter(s, key, out));
}

static int durable_owner(
	struct engine *e, const char *look, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	WITH_STORE(LOOKUPS, store_owner(s, look, person, nick));
}

static int durable_search(
	struct engine *e, const struct search *what, engine_reader *reader, void *context)
{
	/* What was said a moment ago is found as well. */
	int r = log_writer_index(of(e)->writer, what->deadline);
	if (r)
		return r;
	struct store *s = store_pool_take(&of(e)->pools[SEARCHES], what->had, what->deadline);
	if (!s)
		return ERR_TIMEOUT;
	r = store_search(s, what, reader, context);
	store_pool_give(&of(e)->pools[SEARCHES], s);
	return r;
}

/* ---- life ---- */

static void durable_close(struct engine *e)
{
	struct durable *d = of(e);

	/* The writer last: whoever closes last moves the write-ahead log into the database. */
	for (unsigned i = 0; i < d->begun; i++)
		store_pool_fini(&d->pools[i]);
	log_writer_stop(d->writer);
	free(d->ancestors);
	free(d);
}

static const struct engine_class durable_class = {
	.name = "sqlite",
	.kept = true,
	.close = durable_close,
	.append = durable_append,
	.settled = durable_settled,
	.accepted = durable_accepted,
	.range = durable_range,
	.last = durable_last,
	.before = durable_before,
	.since = durable_since,
	.search = durable_search,
	.room = durable_room,
	.rooms = durable_rooms,
	.note = durable_note,
	.places = durable_places,
	.read_position = durable_read_position,
	.person = durable_person,
	.charter = durable_charter,
	.owner = durable_owner,
	.health = durable_health,
	.stats = durable_stats,
};

static int open_pools(struct durable *d, const char *path, char *error, size_t size)
{
	while (d->begun < POOLS) {
		unsigned i = d->begun++; /* to be ended even where it cannot be begun */
		int r = store_pool_init(&d->pools[i], path, pool_sizes[i], error, size);
		if (r)
			return r;
	}
	return 0;
}

static int read_ancestors(struct durable *d, char *error, size_t size)
{
	struct store *s = store_pool_take(&d->pools[LOOKUPS], 0, INT64_MAX);
	int r = store_ancestors(s, &d->ancestors, &d->base.ancestor_count);

	d->base.ancestors = d->ancestors;
	if (r)
		snprintf(error, size, "%s", sqlite3_errmsg(s->db));
	store_pool_give(&d->pools[LOOKUPS], s);
	return r;
}

/* A file that was just made is safe only once its folder is. */
static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return ERR_SYSTEM;
	int r = fsync(fd) == 0 ? 0 : ERR_SYSTEM;
	(void)close(fd);
	return r;
}

static int start(struct durable *d, const struct engine_config *config, char *reason, size_t size)
{
	char path[PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/" STORE_FILE, config->folder);

	if (n < 0 || (size_t)n >= sizeof(path))
		return ERR_TOO_BIG;
	int r = log_writer_start(config, path, d->base.applied, d->base.context, d->base.log_id,
		&d->writer, reason, size);
	if (r == 0)
		r = open_pools(d, path, reason, size);
	if (r == 0)
		r = read_ancestors(d, reason, size);
	if (r == 0)
		r = sync_folder(config->folder);
	return r;
}

/* What went wrong, and the way out. */
static void explain(
	const struct engine_config *config, int r, const char *reason, char *error, size_t size)
{
	const char *f = config->folder;

	if (r == ERR_DAMAGED)
		snprintf(error, size,
			"the log %s/%s cannot be used: %s; restore a backup (lanchatd --data %s "
			"--restore FILE) or set it aside and begin anew (lanchatd --data %s "
			"--set-aside)",
			f, STORE_FILE, reason, f, f);
	else
		snprintf(error, size, "cannot open the log %s/%s: %s", f, STORE_FILE,
			*reason           ? reason
			: r == ERR_SYSTEM ? strerror(errno)
					  : err_text(r));
}

int engine_open_sqlite(const struct engine_config *config, engine_applied *applied, void *context,
	struct engine **out, char *error, size_t size)
{
	struct durable *d = calloc(1, sizeof(*d));
	char reason[256] = "";
	int r = ERR_MEMORY;

	if (d) {
		d->base.class = &durable_class;
		d->base.applied = applied;
		d->base.context = context;
		r = start(d, config, reason, sizeof(reason));
	}
	if (r == 0) {
		*out = &d->base;
		return 0;
	}
	explain(config, r, reason, error, size);
	if (d)
		durable_close(&d->base);
	return r;
}
