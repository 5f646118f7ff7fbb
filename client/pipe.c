#include "client/pipe.h"

#include "client/lines.h"
#include "client/link.h"
#include "client/locate.h"
#include "client/pipe_places.h"
#include "client/pipe_print.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/fingerprint.h"
#include "common/name.h"
#include "common/text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW        256  /* no input is read while so many messages are unacknowledged */
#define EVENTS_A_TURN 1000 /* printed before stdin is looked at again */
#define ECHO_MS       1000 /* how long to wait for one's own last message to come back */

struct pipe {
	const struct pipe_config *config;
	struct link *link;
	struct pipe_printer printer;
	const char *room; /* where lines go; borrowed */
	char nick[NICK_MAX + 1];
	bool away; /* the connection was lost, and that was said */
	struct pipe_places places;

	/* Input. */
	bool joined; /* `room`, so that lines can go there */
	bool ended;  /* stdin */
	struct lines lines;
	char input[8192]; /* what was read is said, whatever the window: it is gone otherwise */
	size_t input_at, input_length;
	size_t waiting; /* messages without an answer */

	/* What ending depends on. */
	uint64_t printed;
	int64_t linger_until;
	int64_t echo_until; /* 0: nothing to wait for yet */
	uint64_t seq_acked, seq_seen;
	bool failed;      /* the exit status is 1 */
	char reason[512]; /* and the last line says so; "" where that was said */
	bool over;        /* at once */
	bool broken;      /* stdout: the last event may not have been printed */
};

/* One line on stderr; the exit status will be 1. What peers sent is made clean. */
__attribute__((format(printf, 2, 3))) static void complain(struct pipe *p, const char *format, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	char *clean = text_sanitize(line, strlen(line), 0);
	fprintf(stderr, "lanchat: %s\n", clean ? clean : "out of memory");
	free(clean);
	p->failed = true;
}

/* It is over, which the last line will say: there may be more to add by then. */
__attribute__((format(printf, 2, 3))) static void give_up(struct pipe *p, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (!p->over)
		vsnprintf(p->reason, sizeof(p->reason), format, ap);
	va_end(ap);
	p->failed = p->over = true;
}

/* ---- events ---- */

/* Something may be said until the connection is back: with --resume there is more to wait for. */
static void on_break(struct pipe *p)
{
	if (p->config->resume)
		pipe_places_broke(&p->places);
	if (!p->away)
		fprintf(stderr, "lanchat: lost the connection, trying again\n");
	p->away = true;
}

static void on_state(struct pipe *p, const struct event *e)
{
	if (e->state == LINK_FAILED) {
		give_up(p, "%s%s", e->text,
			e->code == CODE_PASSWORD ? " (--password-file FILE gives it)" : "");
	} else if (e->state == LINK_WAITING) {
		on_break(p);
	} else if (e->state == LINK_ONLINE) {
		p->away = false;
	}
}

static void on_met(const struct event *e)
{
	char key[FINGERPRINT_SIZE], before[FINGERPRINT_SIZE];

	if (e->flag)
		fprintf(stderr,
			"lanchat: the server's key is new here, and is not the one that was known "
			"by that name: it was %s and is %s\n",
			fingerprint(e->peer, before), fingerprint(e->person, key));
	else
		fprintf(stderr, "lanchat: the server's key is new here: %s\n",
			fingerprint(e->person, key));
}

static void on_logged_in(struct pipe *p, const struct event *e)
{
	if (p->nick[0] == '\0' && strcmp(e->nick, p->config->nick) != 0)
		fprintf(stderr, "lanchat: the nick %s is taken; you are %s\n", p->config->nick,
			e->nick);
	snprintf(p->nick, sizeof(p->nick), "%s", e->nick);
	if (p->lines.limit == 0)
		lines_init(&p->lines, (size_t)e->number);
}

/* Room names that differ in case or width are one room; the server's way of writing it is used from
 * then on, because that is what events carry. */
static bool is_first_room(const struct pipe *p, const char *room)
{
	return room && name_same(room, p->room);
}

static void note_seen(struct pipe *p, const char *room, uint64_t seq)
{
	if (seq > p->seq_seen && is_first_room(p, room))
		p->seq_seen = seq;
}

static void on_message(struct pipe *p, const struct event *e)
{
	if (pipe_counts(e))
		p->printed++;
	note_seen(p, e->room, e->seq);
}

static void on_caught_up(struct pipe *p, const struct event *e)
{
	pipe_places_caught_up(&p->places, e->room);
	note_seen(p, e->room, e->seq);
}

/* The numbers mean something else now. */
static void on_log_changed(struct pipe *p, const struct event *e)
{
	if (e->own)
		fprintf(stderr, "lanchat: another server answers at this address now\n");
	else if (e->seq > 0)
		fprintf(stderr,
			"lanchat: the server's history is another one now, the same up to message "
			"%" PRIu64 "; what was said after that before cannot be had from it\n",
			e->seq);
	else
		fprintf(stderr, "lanchat: the server's history is another one now; all that is in "
				"it counts as new\n");
	p->seq_seen = p->seq_acked = 0;
}

static void on_answer(struct pipe *p, const struct event *e)
{
	if (p->waiting > 0)
		p->waiting--;
	if (e->type == EVENT_REFUSED)
		complain(p, "message %" PRIu64 " was refused: %s", e->counter, e->text);
	else if (!e->direct && e->seq > p->seq_acked && is_first_room(p, e->room))
		p->seq_acked = e->seq;
}

/* Without the first room there is nothing to do; without another, the rest goes on. */
static void on_room_lost(struct pipe *p, const struct event *e)
{
	const char *room = e->room ? e->room : "", *colon = e->room ? ": " : "";
	const char *text = e->text && e->text[0] ? e->text : "no longer in the room";

	if (is_first_room(p, e->room))
		give_up(p, "%s%s%s", room, colon, text);
	else
		complain(p, "%s%s%s", room, colon, text);
	if (e->room)
		pipe_places_lost(&p->places, e->room);
}

static void handle(struct pipe *p, const struct event *e)
{
	p->printer.nick = p->nick[0] ? p->nick : p->config->nick;
	pipe_print(&p->printer, e);
	switch (e->type) {
	case EVENT_STATE:
		on_state(p, e);
		break;
	case EVENT_MET:
		on_met(e);
		break;
	case EVENT_LOGGED_IN:
		on_logged_in(p, e);
		break;
	case EVENT_RENAMED:
		snprintf(p->nick, sizeof(p->nick), "%s", e->nick);
		break;
	case EVENT_JOINED:
		p->joined = p->joined || is_first_room(p, e->room);
		break;
	case EVENT_MESSAGE:
		on_message(p, e);
		break;
	case EVENT_RESTORED:
		p->waiting++;
		break;
	case EVENT_ACK:
	case EVENT_REFUSED:
		on_answer(p, e);
		break;
	case EVENT_GAP:
		note_seen(p, e->room, e->number - 1);
		break;
	case EVENT_CAUGHT_UP:
		on_caught_up(p, e);
		break;
	case EVENT_LOG_CHANGED:
		on_log_changed(p, e);
		break;
	case EVENT_PARTED:
	case EVENT_ERROR:
		on_room_lost(p, e);
		break;
	case EVENT_SENT:
	case EVENT_MEMBERS:
	case EVENT_PRESENCE:
	case EVENT_ROOMS:
	case EVENT_NOTICE:
	case EVENT_RTT:
	case EVENT_PLACES:
	case EVENT_HISTORY:
	case EVENT_FOUND:
	case EVENT_DONE:
	case EVENT_CHARTER:
	case EVENT_RANKS:
	case EVENT_AUDIT:
	case EVENT_TOSSED:
	case EVENT_LANE:
	case EVENT_RACED:
	case EVENT_PERSON:
		break;
	}
}

/* ---- the end ---- */

/* Everything said is acknowledged and, unless that takes too long, has been printed as well. */
static bool all_said(struct pipe *p)
{
	if (!p->ended || !p->joined || p->waiting > 0)
		return false;
	if (p->seq_seen >= p->seq_acked)
		return true;
	if (p->echo_until == 0)
		p->echo_until = clock_ms() + ECHO_MS;
	return clock_ms() >= p->echo_until;
}

/* Everything that was asked for has been printed: the rooms' history, or, with --resume, what was said while
 * we were away. Whoever wants so many messages does not wait for more. */
static bool all_heard(const struct pipe *p)
{
	bool enough = p->config->until > 0 && !p->config->resume;

	return enough || pipe_places_all(&p->places);
}

static bool is_done(struct pipe *p)
{
	return p->over || (all_said(p) && all_heard(p) && p->printed >= p->config->until &&
				  clock_ms() >= p->linger_until);
}

/* When is_done has to be asked again though nothing has happened. */
static int64_t deadline(const struct pipe *p)
{
	int64_t now = clock_ms();

	if (!p->ended)
		return INT64_MAX;
	if (p->linger_until > now)
		return p->linger_until;
	return p->echo_until > now ? p->echo_until : INT64_MAX;
}

static void flush(struct pipe *p)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || p->broken)
		return;
	give_up(p, "cannot write to stdout: %s", strerror(errno));
	p->broken = true;
}

/* With --resume each line is written out before the next event is asked for, which says that this
 * one was dealt with. */
static void print_events(struct pipe *p)
{
	struct event *e;

	for (int i = 0; i < EVENTS_A_TURN && !is_done(p) && (e = link_next(p->link)); i++) {
		handle(p, e);
		event_free(e);
		if (p->config->resume)
			flush(p);
	}
	flush(p);
}

/* ---- input ---- */

static void refuse_line(struct pipe *p, int r)
{
	if (r == ERR_TOO_BIG)
		complain(p, "line %" PRIu64 " was not sent: it is longer than %zu bytes",
			p->lines.number, p->lines.limit);
	else if (r == ERR_TEXT)
		complain(p,
			"line %" PRIu64
			" was not sent: it is not valid UTF-8, or has control characters in it",
			p->lines.number);
	else
		complain(p, "line %" PRIu64 " was not sent: %s", p->lines.number, err_text(r));
}

/* A line, or what was wrong with it. Empty lines say nothing. */
static void take_line(struct pipe *p, int r, const char *text)
{
	if (r == 0 && text[0] == '\0')
		return;
	if (r == 0)
		r = link_say(p->link, p->room, SAID_TEXT, text, NULL);
	if (r == 0)
		p->waiting++;
	else
		refuse_line(p, r);
}

/* Lines are left where they are until there was a server to take them: whoever could not connect
 * can simply try again. From then on they are taken at any time. */
static bool may_read(const struct pipe *p)
{
	return p->joined && !p->ended && p->waiting < WINDOW;
}

/* Say the lines that were read. */
static void send_lines(struct pipe *p)
{
	while (p->input_at < p->input_length) {
		const char *text = "";
		size_t used;
		int r = lines_feed(&p->lines, p->input + p->input_at, p->input_length - p->input_at,
			&used, &text);

		p->input_at += used;
		if (r != ERR_AGAIN)
			take_line(p, r, text);
	}
}

static void end_input(struct pipe *p)
{
	const char *text = "";
	int r = lines_end(&p->lines, &text);

	if (r != ERR_AGAIN)
		take_line(p, r, text);
	p->ended = true;
	p->linger_until = clock_ms() + p->config->linger_ms;
}

/* stdin is readable, so this does not block. */
static void read_input(struct pipe *p)
{
	ssize_t n = read(STDIN_FILENO, p->input, sizeof(p->input));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		complain(p, "cannot read stdin: %s", strerror(errno));
	p->input_at = 0;
	p->input_length = n > 0 ? (size_t)n : 0;
	if (n > 0)
		send_lines(p);
	else
		end_input(p);
}

/* ---- the loop ---- */

static void wait_for_something(struct pipe *p)
{
	struct pollfd fds[] = {
		{.fd = link_fd(p->link), .events = POLLIN},
		{.fd = may_read(p) ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* whoever reads our output may go away */
	};

	if (poll(fds, 3, clock_poll_timeout(deadline(p))) < 0)
		return;
	if (fds[1].revents)
		read_input(p);
	if (fds[2].revents & (POLLERR | POLLNVAL)) {
		give_up(p, "nobody reads our output any more");
		p->broken = true;
	}
}

static void loop(struct pipe *p)
{
	while (!is_done(p)) {
		print_events(p);
		if (!is_done(p))
			wait_for_something(p);
	}
}

static int start(struct pipe *p)
{
	const struct pipe_config *c = p->config;
	struct location where;
	char error[512];

	int r = locate_server(c->server, c->data_folder, c->interfaces, c->not_interfaces, &where,
		error, sizeof(error));
	if (r) {
		complain(p, "%s", error);
		return r;
	}
	if (where.others > 0)
		fprintf(stderr, "lanchat: %zu servers found, joining %s\n", where.others + 1,
			where.name);
	struct link_config config = {
		.host = where.found ? NULL : where.host,
		.port = where.port,
		.addresses = where.addresses,
		.address_count = where.address_count,
		.server_id = where.found ? where.server_id : NULL,
		.interfaces = c->interfaces,
		.not_interfaces = c->not_interfaces,
		.identity = c->identity,
		.tls = c->tls,
		.data_folder = c->data_folder,
		.name = where.found ? where.name : NULL,
		.chosen = where.chosen,
		.nick = c->nick,
		.password = c->password,
		.any_nick = true,
		.replay = c->replay,
		.give_up_ms = c->timeout_ms,
		.state_folder = c->state_folder,
		.resume = c->resume,
		.follow_log = true,
	};
	r = link_start(&config, &p->link);
	if (r)
		complain(p, "cannot start: %s", err_text(r));
	return r;
}

static void join_rooms(struct pipe *p)
{
	const struct option_list *rooms = p->config->rooms;

	for (size_t i = 0; i < rooms->count; i++) {
		int r = link_join(p->link, rooms->items[i]);

		if (r) {
			give_up(p, "cannot join %s: %s", rooms->items[i], err_text(r));
		}
	}
}

/* The one line that tells why it is over. Whoever starts us must not say again what the next run will
 * send. */
static void tell_why(struct pipe *p)
{
	size_t count = p->config->state_folder ? link_unacknowledged(p->link) : 0;

	if (count > 0)
		complain(p, "%s; %zu message%s not acknowledged yet, and the next run will send %s",
			p->reason, count, count == 1 ? " is" : "s are", count == 1 ? "it" : "them");
	else if (p->over)
		complain(p, "%s", p->reason);
}

static void run(struct pipe *p)
{
	if (start(p) != 0)
		return;
	join_rooms(p);
	loop(p);
	/* The last event has been dealt with; another one, if there is one, has not. */
	if (!p->broken)
		event_free(link_next(p->link));
	tell_why(p);
	if (!link_stop(p->link))
		complain(p,
			"how far --resume got could not be written; the next run prints some of "
			"it again");
}

int pipe_run(const struct pipe_config *config)
{
	struct pipe *p = calloc(1, sizeof(*p));

	if (p)
		p->config = config;
	if (!p || pipe_places_init(&p->places, config->rooms) != 0) {
		free(p);
		fprintf(stderr, "lanchat: out of memory\n");
		return 1;
	}
	p->room = config->rooms->items[0];
	p->printer = (struct pipe_printer){.out = stdout, .json = config->json};
	run(p);
	lines_fini(&p->lines);
	int status = p->failed ? 1 : 0;
	pipe_places_fini(&p->places);
	free(p);
	return status;
}
