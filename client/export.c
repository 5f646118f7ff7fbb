#include "client/export.h"

#include "client/link.h"
#include "client/locate.h"
#include "client/pager.h"
#include "client/pipe_print.h"
#include "client/plain.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/fingerprint.h"
#include "common/text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_MS 250

struct export
{
	const struct export_config *config;
	struct link *link;
	struct pager pager;
	uint32_t request; /* that an answer is due to; 0: none */
	bool away;        /* the connection was lost, and that was said */
	bool failed;      /* the exit status is 1 */
	bool over;

	bool progress; /* to be shown */
	bool shown;    /* a line of it is on the screen */
	int64_t progress_at;
};

/* ---- stderr ---- */

static void clear_progress(struct export *x)
{
	if (x->shown)
		fputs("\r\033[K", stderr);
	x->shown = false;
}

static void show_progress(struct export *x)
{
	if (!x->progress || clock_ms() < x->progress_at)
		return;
	fprintf(stderr, "\r%" PRIu64 " messages", x->pager.count);
	x->shown = true;
	x->progress_at = clock_ms() + PROGRESS_MS;
}

/* One line; what peers sent is made clean. */
__attribute__((format(printf, 2, 3))) static void tell(struct export *x, const char *format, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	clear_progress(x);
	char *clean = text_sanitize(line, strlen(line), 0);
	fprintf(stderr, "lanchat: %s\n", clean ? clean : "out of memory");
	free(clean);
}

static void give_up(struct export *x)
{
	x->failed = x->over = true;
}

/* The room as the user named it. */
static const char *room_name(const struct export *x)
{
	return x->config->room[0] ? x->config->room : "your direct messages";
}

/* ---- asking ---- */

/* The end: all that there is has been printed. */
static void conclude(struct export *x)
{
	if (!x->pager.any) {
		tell(x, "nothing is kept of %s", room_name(x));
		x->failed = true;
	}
	x->over = true;
}

static void ask(struct export *x)
{
	struct pager_question q;

	if (!pager_next(&x->pager, &q)) {
		conclude(x);
		return;
	}
	int r = link_history(x->link, x->config->room, q.from, q.value, q.limit, &x->request);
	/* Without a connection, the next login will ask. */
	if (r == 0 || r == ERR_CLOSED)
		return;
	tell(x, "cannot ask for what was said: %s", err_text(r));
	give_up(x);
}

/* ---- events ---- */

static void on_state(struct export *x, const struct event *e)
{
	if (e->state == LINK_FAILED) {
		tell(x, "%s%s", e->text,
			e->code == CODE_PASSWORD ? " (--password-file FILE gives it)" : "");
		give_up(x);
	} else if (e->state == LINK_WAITING && !x->away) {
		tell(x, "lost the connection, trying again");
		x->away = true;
	} else if (e->state == LINK_ONLINE) {
		x->away = false;
	}
}

static void tell_gap(struct export *x, const struct pager_gap *gap)
{
	if (gap->last == 0)
		return;
	if (gap->after == 0)
		tell(x, "what was said up to message %" PRIu64 " is no longer kept", gap->last);
	else
		tell(x,
			"what was said after message %" PRIu64 " and up to %" PRIu64
			" is no longer kept",
			gap->after, gap->last);
}

static void print_page(const struct export *x, const struct event *page)
{
	const struct pipe_printer printer = {.out = stdout, .json = true, .nick = x->config->nick};

	for (size_t i = 0; i < page->count; i++) {
		if (x->config->json)
			pipe_print(&printer, &page->entries[i]);
		else
			plain_dated(stdout, &page->entries[i]);
	}
}

static void flush(struct export *x)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	/* Whoever has seen enough, as head(1) does, need not be told. */
	if (errno != EPIPE)
		tell(x, "cannot write to stdout: %s", strerror(errno));
	give_up(x);
}

static void on_page(struct export *x, const struct event *page)
{
	struct pager_gap gap;
	size_t take;

	if (page->number != x->request)
		return;
	x->request = 0;
	int r = pager_take(&x->pager, page, &gap, &take);
	if (r) {
		tell(x, "the server promises more and sends nothing");
		give_up(x);
		return;
	}
	tell_gap(x, &gap);
	/* The next page comes while this one is printed. */
	ask(x);
	if (take > 0)
		print_page(x, page);
	flush(x);
	show_progress(x);
}

/* Without a code the connection broke, and the next login asks again. */
static void on_error(struct export *x, const struct event *e)
{
	if (e->number != x->request || x->request == 0)
		return;
	x->request = 0;
	if (e->code == CODE_NONE)
		return;
	tell(x, "cannot export %s: %s", room_name(x), e->text);
	give_up(x);
}

/* The numbers mean something else now. What is printed already is of no use, unless it is nothing. */
static void on_log_changed(struct export *x)
{
	x->request = 0;
	if (x->pager.count == 0) {
		pager_init(&x->pager, x->config->since);
		return;
	}
	tell(x, "the server's history is another one now, so the rest of this one cannot be had; "
		"export again");
	give_up(x);
}

static void on_met(struct export *x, const struct event *e)
{
	char key[FINGERPRINT_SIZE], before[FINGERPRINT_SIZE];

	if (e->flag)
		tell(x,
			"the server's key is new here, and is not the one that was known by that "
			"name: it was %s and is %s",
			fingerprint(e->peer, before), fingerprint(e->person, key));
	else
		tell(x, "the server's key is new here: %s", fingerprint(e->person, key));
}

static void handle(struct export *x, const struct event *e)
{
	switch (e->type) {
	case EVENT_STATE:
		on_state(x, e);
		break;
	case EVENT_MET:
		on_met(x, e);
		break;
	case EVENT_LOGGED_IN:
		ask(x);
		break;
	case EVENT_LOG_CHANGED:
		on_log_changed(x);
		break;
	case EVENT_HISTORY:
		on_page(x, e);
		break;
	case EVENT_ERROR:
		on_error(x, e);
		break;
	case EVENT_JOINED:
	case EVENT_PARTED:
	case EVENT_MESSAGE:
	case EVENT_RESTORED:
	case EVENT_SENT:
	case EVENT_ACK:
	case EVENT_REFUSED:
	case EVENT_MEMBERS:
	case EVENT_PRESENCE:
	case EVENT_ROOMS:
	case EVENT_RENAMED:
	case EVENT_NOTICE:
	case EVENT_GAP:
	case EVENT_CAUGHT_UP:
	case EVENT_RTT:
	case EVENT_PLACES:
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

/* ---- the loop ---- */

static void loop(struct export *x)
{
	struct pollfd fds[] = {
		{.fd = link_fd(x->link), .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* whoever reads our output may go away */
	};

	while (!x->over) {
		struct event *e = link_next(x->link);

		if (e)
			handle(x, e);
		event_free(e);
		if (x->over || poll(fds, 2, e ? 0 : -1) <= 0)
			continue;
		if (fds[1].revents & (POLLERR | POLLNVAL))
			give_up(x);
	}
	clear_progress(x);
}

static int start(struct export *x)
{
	const struct export_config *c = x->config;
	struct location where;
	char error[512];

	int r = locate_server(c->server, c->data_folder, c->interfaces, c->not_interfaces, &where,
		error, sizeof(error));
	if (r) {
		tell(x, "%s", error);
		return r;
	}
	if (where.others > 0)
		tell(x, "%zu servers found, asking %s", where.others + 1, where.name);
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
		.give_up_ms = c->timeout_ms,
	};
	r = link_start(&config, &x->link);
	if (r)
		tell(x, "cannot start: %s", err_text(r));
	return r;
}

/* At once, even while a write waits for somebody to read: there is nothing to be put in order. */
static void on_interrupt(int number)
{
	static const char word[] = "lanchat: interrupted\n";
	ssize_t ignored = write(STDERR_FILENO, word, sizeof(word) - 1);

	(void)number;
	(void)ignored;
	_exit(1);
}

int export_run(const struct export_config *config)
{
	struct export x = {
		.config = config,
		/* Where the messages go to the same screen, they show how far it is. */
		.progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO),
	};

	(void)signal(SIGINT, on_interrupt);
	(void)signal(SIGTERM, on_interrupt);
	pager_init(&x.pager, config->since);
	if (start(&x) == 0) {
		loop(&x);
		(void)link_stop(x.link);
	} else {
		x.failed = true;
	}
	return x.failed ? 1 : 0;
}
