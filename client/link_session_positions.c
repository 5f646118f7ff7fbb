/*
 * How far the owner has dealt with what came, kept on disk for the next process: positions.h. And
 * what becomes of all positions when the server's log is another one than it was.
 */
#include "client/link_session_private.h"

#include "common/err.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- what an earlier process left ---- */

/* Are the positions that are stored, or will be, of the log that we know? */
static bool is_same_log(const struct link_session *s)
{
	const uint8_t *log = s->positions ? positions_log(s->positions) : NULL;

	return log && s->log_known && memcmp(s->log, log, sizeof(s->log)) == 0;
}

void client_positions_of(struct link_session *s, struct seat *seat)
{
	if (!seat->seen_known && is_same_log(s))
		seat->seen_known = positions_get(s->positions, seat->folded, &seat->seen);
}

/* They hold if the log is the same one; on_welcome will see. */
static void take_positions(struct link_session *s)
{
	const uint8_t *log = positions_log(s->positions);

	if (!log)
		return;
	s->log_known = true;
	memcpy(s->log, log, sizeof(s->log));
	s->inbox_known = positions_get(s->positions, "", &s->inbox_seen);
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		client_positions_of(s, seat);
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
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
}

int client_positions_open(
	struct link_session *s, const uint8_t server[IDENTITY_SIZE], char *reason, size_t size)
{
	char path[PATH_MAX];

	if (!s->resume || !s->state_folder)
		return 0;
	int r = positions_open(s->state_folder, server, path, &s->positions);
	if (r)
		explain(r, path, reason, size);
	else
		take_positions(s);
	return r;
}

/* ---- another log, another server ---- */

bool client_positions_any(const struct link_session *s)
{
	/* Of rooms that will be joined later, too: LOGIN says once whether there is anything. */
	bool any = s->inbox_known || (is_same_log(s) && positions_any(s->positions));

	for (const struct seat *seat = s->seats.head; seat && !any; seat = seat->next)
		any = seat->seen_known;
	return any;
}

static void forget_notes(struct link_session *s)
{
	s->noted = false;
	s->noted_events = 0;
	client_forget_read(s);
}

void client_positions_forget(struct link_session *s)
{
	s->log_known = s->inbox_known = false;
	s->inbox_seen = 0;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		seat->seen_known = false;
		seat->seen = 0;
	}
	forget_notes(s);
}

static void lower(uint64_t *seen, uint64_t upto)
{
	if (*seen > upto)
		*seen = upto;
}

void client_positions_move(struct link_session *s, const uint8_t log[INSTANCE_ID], uint64_t upto)
{
	lower(&s->inbox_seen, upto);
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		lower(&seat->seen, upto);
	forget_notes(s);
	memcpy(s->log, log, sizeof(s->log));
	if (s->positions)
		positions_set_log(s->positions, log, upto);
}

void client_positions_begin(struct link_session *s, const uint8_t log[INSTANCE_ID])
{
	s->log_known = true;
	memcpy(s->log, log, sizeof(s->log));
	if (s->positions)
		positions_set_log(s->positions, log, 0);
}

/* ---- saving ---- */

void client_positions_note(struct link_session *s)
{
	if (s->noted)
		return;
	s->noted_events = s->moved_events;
	if (!s->positions)
		return;
	s->noted = true;
	s->inbox_keep = s->inbox_known;
	s->inbox_kept = s->inbox_seen;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		seat->keep = seat->seen_known && !seat->quiet;
		seat->kept = seat->seen;
	}
}

static bool write_notes(struct link_session *s)
{
	s->noted = false;
	positions_begin(s->positions);
	if (s->inbox_keep)
		positions_put(s->positions, "", s->inbox_kept);
	s->inbox_keep = false;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		if (seat->keep)
			positions_put(s->positions, seat->folded, seat->kept);
		seat->keep = false;
	}
	return positions_end(s->positions);
}

bool client_positions_save(struct link_session *s, bool all)
{
	if (!s->positions)
		return true;
	if (all && s->events_finished >= s->moved_events) {
		s->noted = false;
		client_positions_note(s);
	}
	bool ready = s->noted && s->events_finished >= s->noted_events && is_same_log(s);
	return ready ? write_notes(s) : true;
}

bool client_positions_wait(const struct link_session *s)
{
	return s->noted || s->noted_events < s->moved_events;
}
