#include "client/database.h"
#include "client/state_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/name.h"
#include "common/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const uint8_t *state_server(const struct state *st)
{
	return st->server;
}

const uint8_t *state_instance(const struct state *st)
{
	return st->instance;
}

uint64_t state_used(const struct state *st)
{
	return st->used;
}

/* ---- writing ---- */

/* A change did not reach the disk. */
static void complain(struct state *st)
{
	st->failed = true;
	if (st->warned)
		return;
	st->warned = true;
	log_warning("what should outlive this program cannot be written to disk: %s",
		sqlite3_errmsg(st->db));
}

/* Run a statement whose parameters are bound. */
static int finish(struct state *st, enum state_statement which)
{
	sqlite3_stmt *t = st->statements[which];
	int r = database_error(sqlite3_step(t));

	if (r)
		complain(st);
	sqlite3_reset(t);
	sqlite3_clear_bindings(t);
	return r;
}

static int run(struct state *st, const char *text)
{
	int r = database_run(st->db, text);

	if (r)
		complain(st);
	return r;
}

int state_reserve(struct state *st, uint64_t used)
{
	uint64_t base = used > st->reserved ? used : st->reserved;

	if (base > INT64_MAX - 2 * STATE_RESERVE)
		return ERR_FULL;
	uint64_t top = base + STATE_RESERVE;
	/* This one write must survive a power cut as well. */
	int r = run(st, "PRAGMA synchronous = FULL");
	if (r == 0) {
		sqlite3_bind_int64(st->statements[STATE_RESERVE_TO], 1, (sqlite3_int64)top);
		r = finish(st, STATE_RESERVE_TO);
	}
	(void)run(st, "PRAGMA synchronous = NORMAL");
	if (r)
		return r;
	st->used = base;
	st->reserved = top;
	return 0;
}

void state_add(struct state *st, const struct outgoing *m)
{
	sqlite3_stmt *t = st->statements[STATE_ADD];

	assert(m->counter > st->used);
	if (m->counter > st->reserved)
		(void)state_reserve(st, m->counter - 1);
	sqlite3_bind_int64(t, 1, (sqlite3_int64)m->counter);
	sqlite3_bind_int(t, 2, (int)m->kind);
	sqlite3_bind_int(t, 3, m->direct);
	sqlite3_bind_blob(t, 4, m->person, sizeof(m->person), SQLITE_STATIC);
	sqlite3_bind_text(t, 5, m->to, -1, SQLITE_STATIC);
	sqlite3_bind_text(t, 6, m->text, m->length, SQLITE_STATIC);
	sqlite3_bind_int64(t, 7, (sqlite3_int64)clock_wall_us());
	(void)finish(st, STATE_ADD);
}

void state_begin(struct state *st)
{
	st->failed = false;
	(void)run(st, "BEGIN");
}

bool state_end(struct state *st)
{
	if (!st->failed)
		(void)run(st, "COMMIT");
	/* Some failures have ended the transaction already. */
	if (!sqlite3_get_autocommit(st->db))
		(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	return !st->failed;
}

void state_forget_below(struct state *st, uint64_t counter)
{
	sqlite3_bind_int64(st->statements[STATE_FORGET], 1, (sqlite3_int64)counter);
	(void)finish(st, STATE_FORGET);
}

void state_forget(struct state *st, uint64_t counter)
{
	sqlite3_bind_int64(st->statements[STATE_FORGET_ONE], 1, (sqlite3_int64)counter);
	(void)finish(st, STATE_FORGET_ONE);
}

/* ---- reading ---- */

/* The text of a column, if it has no NUL in it and is not longer than `most`; else NULL. */
static const char *text_of(sqlite3_stmt *t, int column, size_t most)
{
	const char *text = (const char *)sqlite3_column_text(t, column);
	size_t length = (size_t)sqlite3_column_bytes(t, column);

	return text && length <= most && strlen(text) == length ? text : NULL;
}

/* Only what could have been asked for may be sent. */
static bool is_message(const struct state *st, const struct outgoing *m, const char *text)
{
	static const uint8_t nobody[PERSON_ID];
	size_t length = strlen(m->to);
	bool by_id = m->direct && length == 0 && memcmp(m->person, nobody, PERSON_ID) != 0;

	if (m->counter == 0 || m->counter > st->used || m->kind >= SAID_KINDS)
		return false;
	if (!by_id && name_check(m->to, length, m->direct ? NICK_MAX : ROOM_NAME_MAX) != 0)
		return false;
	if (m->kind == SAID_TOPIC ? m->direct : text[0] == '\0')
		return false;
	return utf8_is_line(text, strlen(text));
}

static int read_message(struct state *st, sqlite3_stmt *t, state_each *each, void *context)
{
	struct outgoing m = {
		.counter = (uint64_t)sqlite3_column_int64(t, 0),
		.kind = (enum said_kind)sqlite3_column_int(t, 1),
		.direct = sqlite3_column_int(t, 2) != 0,
	};
	const void *person = sqlite3_column_blob(t, 3);
	const char *to = text_of(t, 4, ROOM_NAME_MAX);
	const char *text = text_of(t, 5, TEXT_MAX);

	if (!person || sqlite3_column_bytes(t, 3) != PERSON_ID || !to || !text)
		return ERR_DAMAGED;
	memcpy(m.person, person, sizeof(m.person));
	memcpy(m.to, to, strlen(to) + 1);
	if (!is_message(st, &m, text))
		return ERR_DAMAGED;
	return each(context, &m, text, (uint64_t)sqlite3_column_int64(t, 6));
}

int state_messages(struct state *st, state_each *each, void *context)
{
	sqlite3_stmt *t = st->statements[STATE_MESSAGES];
	int step = SQLITE_ROW;
	int r = 0;

	while (r == 0 && (step = sqlite3_step(t)) == SQLITE_ROW)
		r = read_message(st, t, each, context);
	sqlite3_reset(t);
	return r ? r : database_error(step);
}

void state_close(struct state *st)
{
	if (!st)
		return;
	state_shut(st);
	if (st->lock >= 0)
		(void)close(st->lock); /* and with it the lock goes */
	free(st);
}
