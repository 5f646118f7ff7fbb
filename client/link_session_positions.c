/*
 * How far the owner has dealt with what came, kept on disk for the next process: positions.h. And
 * what becomes of all positions when the server's log is another one than it was.
 */
#include "client/link_session_private.h"

#include "common/err.h"
#include "common/name.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- what an earlier process left ---- */

/* Are the positions that are stored of the log that we know, or will be when the owner has dealt with
 * all that it has to? */
static bool has_stored(const struct link_session *s)
{
	const uint8_t *log = s->positions ? positions_log(s->positions) : NULL;

	return log && s->log_known && (s->moving || memcmp(s->log, log, sizeof(s->log)) == 0);
}

/* `*known` stays as it is where there is none. */
static int stored(struct link_session *s, const char *folded, bool *known, uint64_t *seq)
{
	int r = has_stored(s) ? positions_get(s->positions, folded, seq) : ERR_NOT_FOUND;

	if (r == ERR_NOT_FOUND)
		return 0;
	if (r == 0 && s->moving && *seq > s->moving_upto)
		*seq = s->moving_upto;
	*known = *known || r == 0;
	return r;
}

int client_positions_of(struct link_session *s, struct seat *seat)
{
	return seat->seen_known ? 0 : stored(s, seat->folded, &seat->seen_known, &seat->seen);
}

/* They hold if the log is the same one; on_welcome will see. */
static int take_positions(struct link_session *s)
{
	const uint8_t *log = positions_log(s->positions);

	if (!log)
		return 0;
	s->log_known = true;
	memcpy(s->log, log, sizeof(s->log));
	int r = stored(s, "", &s->inbox_known, &s->inbox_seen);
	for (struct seat *seat = s->seats.head; seat && r == 0; seat = seat->next)
		r = client_positions_of(s, seat);
	return r;
}

static void explain(int r, const char *path, char *reason, size_t size)
{
	if (r == ERR_AGAIN)
		snprintf(reason, size,
			"another program goes by --resume on this server already, and only one "
			"can: "
			"wait for its end, or give this one another XDG_STATE_HOME");
	else if (r == ERR_DAMAGED)
		snprintf(reason, size,
			"--resume cannot tell what was missed: %s is damaged; remove it to begin "
			"anew with what is said from now on",
			path);
	else
		snprintf(reason, size, "--resume cannot keep how far it got in %s: %s", path,
			r == ERR_SYSTEM    ? strerror(errno)
			: r == ERR_FULL    ? strerror(ENOSPC)
			: r == ERR_REFUSED ? "it is of a newer lanchat"
					   : err_text(r));
}

int client_positions_open(
	struct link_session *s, const uint8_t server[IDENTITY_SIZE], char *reason, size_t size)
{
	char path[PATH_MAX];

	if (!s->resume || !s->state_folder)
		return 0;
	int r = positions_open(s->state_folder, server, path, &s->positions);
	if (r == 0 && (r = take_positions(s)) != 0) {
		positions_close(s->positions);
		s->positions = NULL;
	}
	if (r)
		explain(r, path, reason, size);
	return r;
}

/* ---- another log, another server ---- */

bool client_positions_any(const struct link_session *s)
{
	/* Of rooms that will be joined later, too: LOGIN says once whether there is anything. */
	bool any = s->inbox_known || (has_stored(s) && positions_any(s->positions));

	for (const struct seat *seat = s->seats.head; seat && !any; seat = seat->next)
		any = seat->seen_known;
	return any;
}

void client_positions_forget(struct link_session *s)
{
	s->log_known = s->inbox_known = s->inbox_keep = s->moving = false;
	s->inbox_seen = 0;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		seat->seen_known = seat->keep = false;
		seat->seen = 0;
	}
	client_forget_read(s);
}

static void lower(uint64_t *seen, uint64_t upto)
{
	if (*seen > upto)
		*seen = upto;
}

/* What is kept on disk follows when the owner has dealt with all that came of the log before. */
void client_positions_move(struct link_session *s, const uint8_t log[INSTANCE_ID], uint64_t upto)
{
	lower(&s->inbox_seen, upto);
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		lower(&seat->seen, upto);
	client_forget_read(s);
	memcpy(s->log, log, sizeof(s->log));
	s->moving_upto = s->moving && s->moving_upto < upto ? s->moving_upto : upto;
	s->moving = s->positions != NULL;
}

void client_positions_begin(struct link_session *s, const uint8_t log[INSTANCE_ID])
{
	s->log_known = true;
	memcpy(s->log, log, sizeof(s->log));
	if (s->positions)
		positions_set_log(s->positions, log, 0);
}

/* ---- how far the owner is ---- */

/* What it was not shown must come again, so what counts is what it has dealt with. */
static void note(struct link_session *s, const char *room, uint64_t seq)
{
	struct seat *seat = room[0] ? seats_find(&s->seats, span_of(room)) : NULL;
	char folded[NAME_FOLDED_MAX];

	if (!room[0]) {
		s->inbox_keep = true;
		s->inbox_kept = seq;
	} else if (seat) {
		seat->keep = true;
		seat->kept = seq;
	} else if (name_fold(room, strlen(room), folded) == 0) {
		/* It has been left by now. */
		positions_begin(s->positions);
		positions_put(s->positions, folded, seq);
		(void)positions_end(s->positions);
	}
}

static void note_log(struct link_session *s, const struct event *e)
{
	if (e->own) {
		s->left_events--;
		return;
	}
	if (s->left_events > 0)
		return; /* of a server that was left since */
	/* With the positions before the change, which are of the log before. */
	(void)client_positions_save(s);
	lower(&s->inbox_kept, e->seq);
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		lower(&seat->kept, e->seq);
	positions_set_log(s->positions, e->instance, e->seq);
	if (memcmp(e->instance, s->log, sizeof(s->log)) == 0)
		s->moving = false;
}

bool link_session_done(struct link_session *s, const struct event *e)
{
	bool waited = s->save_at != 0;

	if (!s->positions || (s->left_events > 0 && e->type != EVENT_LOG_CHANGED))
		return false;
	switch (e->type) {
	case EVENT_MESSAGE:
		note(s, e->room, e->seq);
		break;
	case EVENT_GAP:
		note(s, e->room, e->number - 1);
		break;
	case EVENT_JOINED:
		note(s, e->room, e->number);
		break;
	case EVENT_CAUGHT_UP:
		if (e->room[0])
			return false;
		note(s, "", e->seq);
		break;
	case EVENT_LOG_CHANGED:
		note_log(s, e);
		break;
	default:
		return false;
	}
	client_keep_touch(s);
	return !waited;
}

bool client_positions_save(struct link_session *s)
{
	if (!s->positions)
		return true;
	positions_begin(s->positions);
	if (s->inbox_keep)
		positions_put(s->positions, "", s->inbox_kept);
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		if (seat->keep)
			positions_put(s->positions, seat->folded, seat->kept);
	if (!positions_end(s->positions))
		return false;
	s->inbox_keep = false;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		seat->keep = false;
	return true;
}
