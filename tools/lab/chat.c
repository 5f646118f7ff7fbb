#include "tools/lab/chat.h"

#include "common/err.h"
#include "tools/lab/chat_cast.h"
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"
#include "tools/lab/traffic.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define SLICE_MS    50
#define PACE_MS     10
#define WATCHED_MS  400
#define PATIENCE_MS 60000 /* without anything new: it hangs */
#define DATAGRAMS   100
#define SIZE        64
#define ERROR_LINE  512
#define READ        65536

static int run(struct stage *s);

const struct scenario chat_scenario = {
	.number = 16,
	.name = "chat",
	.title = "A chat over a bad network",
	.about = "Two people chat by lanchat's own server and clients while the network loses "
		 "packets. Do they notice?",
	.medium = SITE_POINT_TO_POINT,
	.hosts = 2,
	.impaired = {.loss = 0.1, .delay_ns = 20000000},
	.count = DATAGRAMS,
	.size = SIZE,
	.run = run,
};

struct chat {
	struct stage *stage;
	struct chat_cast cast;
	struct chat_lines lines;
	struct chat_reader script;
	size_t script_lines, bad_lines, first_bad;
	int by; /* whose output is being read */
	int error;
	int64_t progress_ms; /* when something last happened */
	struct pair datagrams;
	uint32_t sent; /* datagrams */
	int64_t due_ms;
	bool hangs;
	int gone; /* who ended too early: the server, or a client and 1; -1: nobody */
};

/* ---- what is said, and printed ---- */

static void say(void *of, const char *line)
{
	struct chat *c = of;
	const char *text;
	int who;

	c->script_lines++;
	if (chat_lines_is_nothing(line))
		return;
	if (chat_lines_read(line, &who, &text) != 0) {
		if (c->bad_lines++ == 0)
			c->first_bad = c->script_lines;
		return;
	}
	int64_t number = chat_lines_say(&c->lines, who, text);
	if (number < 0) {
		c->error = (int)number;
		return;
	}
	stage_say(c->stage, SIDE_TCP, "%s says: %s", chat_name(who), text);
	stage_sent(c->stage, SIDE_TCP, (uint32_t)number);
	/* One that does not listen any more has ended, which is told elsewhere. */
	if (chat_program_write(&c->cast.client[who], text) == ERR_MEMORY)
		c->error = ERR_MEMORY;
	c->progress_ms = stage_ms(c->stage);
}

static void printed(void *of, const char *line)
{
	struct chat *c = of;
	int64_t number = chat_lines_print(&c->lines, c->by, line);
	char before[64];

	(void)snprintf(before, sizeof(before), "%s's client prints: ", chat_name(c->by));
	stage_voice(c->stage, (uint8_t)(c->by + 1), before, line);
	if (number >= 0 && chat_lines_who(&c->lines, (size_t)number) != c->by)
		(void)stage_arrived(c->stage, SIDE_TCP, (uint32_t)number);
	c->progress_ms = stage_ms(c->stage);
}

static void complained(void *of, const char *line)
{
	struct chat *c = of;

	stage_say(c->stage, SIDE_TCP, "%s's client complains: %s", chat_name(c->by), line);
}

static void ignore(void *of, const char *line)
{
	(void)of;
	(void)line;
}

static void logged(void *of, const char *line)
{
	struct chat *c = of;

	stage_say(c->stage, SIDE_TCP, "the server says: %s", line);
}

static void take(struct chat *c, struct chat_reader *r, void (*got)(void *of, const char *line))
{
	int e = r->fd >= 0 ? chat_reader_take(r, got, c) : 0;

	if (e == ERR_CLOSED) {
		if (r != &c->script)
			net_close(r->fd);
		r->fd = -1;
	} else if (e) {
		c->error = e;
	}
}

/* ---- datagrams ---- */

static void send_datagram(struct chat *c)
{
	char bytes[SIZE];

	traffic_make(bytes, sizeof(bytes), c->sent);
	stage_sent(c->stage, SIDE_UDP, c->sent);
	(void)stage_send(c->stage, c->datagrams.client, bytes, sizeof(bytes), 0,
		c->sent ? NULL : "numbered datagrams take the same wire");
	c->sent++;
	c->due_ms += stage_options(c->stage)->watched ? WATCHED_MS : PACE_MS;
}

static void take_datagrams(struct chat *c)
{
	static char bytes[READ];

	while (stage_wait(c->stage, c->datagrams.server, POLLIN, 0) > 0) {
		ssize_t n = stage_receive(
			c->stage, c->datagrams.server, bytes, sizeof(bytes), NULL, 0, NULL);
		if (n < 0)
			return;
		int64_t number = traffic_number(bytes, (size_t)n);
		if (number >= 0)
			(void)stage_arrived(c->stage, SIDE_UDP, (uint32_t)number);
	}
}

/* ---- while it goes on ---- */

static void watch(struct pollfd *fds, size_t *count, int fd, short events)
{
	if (fd >= 0)
		fds[(*count)++] = (struct pollfd){fd, events, 0};
}

/* Until something happens, or the next datagram is due. */
static void wait_for_any(struct chat *c)
{
	struct pollfd fds[16];
	size_t count = 0;
	int64_t left = c->due_ms - stage_ms(c->stage);
	bool full = false;

	for (int i = 0; i < CHAT_PEOPLE; i++) {
		struct chat_program *p = &c->cast.client[i];
		watch(fds, &count, p->out.fd, POLLIN);
		watch(fds, &count, p->error.fd, POLLIN);
		watch(fds, &count, p->ended, POLLIN);
		if (p->unwritten_length)
			watch(fds, &count, p->input, POLLOUT);
		full |= p->unwritten_length > 0;
	}
	watch(fds, &count, c->cast.server.error.fd, POLLIN);
	watch(fds, &count, c->cast.server.ended, POLLIN);
	watch(fds, &count, c->datagrams.server, POLLIN);
	if (!full)
		watch(fds, &count, c->script.fd, POLLIN);
	(void)poll(fds, count, left < 0 ? 0 : left > SLICE_MS ? SLICE_MS : (int)left);
}

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

static void take_all(struct chat *c)
{
	bool full = false;

	for (c->by = 0; c->by < CHAT_PEOPLE; c->by++) {
		struct chat_program *p = &c->cast.client[c->by];
		if (chat_program_flush(p) == ERR_MEMORY)
			c->error = ERR_MEMORY;
		take(c, &p->out, printed);
		take(c, &p->error, complained);
		full |= p->unwritten_length > 0;
	}
	take(c, &c->cast.server.error, logged);
	take(c, &c->cast.server.out, ignore);
	take_datagrams(c);
	if (!full && is_readable(c->script.fd))
		take(c, &c->script, say);
}

/* Has somebody ended who should not have? */
static bool somebody_is_gone(struct chat *c)
{
	if (chat_program_over(&c->cast.server))
		c->gone = 0;
	for (int i = 0; i < CHAT_PEOPLE && c->gone < 0; i++) {
		if (chat_program_over(&c->cast.client[i]))
			c->gone = i + 1;
	}
	return c->gone >= 0;
}

static int go_on(struct chat *c)
{
	const struct stage_options *o = stage_options(c->stage);

	c->progress_ms = c->due_ms = stage_ms(c->stage);
	for (;;) {
		bool over = c->script.fd < 0;
		if (over && chat_lines_all(&c->lines) && (c->sent >= o->count || o->watched))
			return 0;
		if (stage_ms(c->stage) >= c->due_ms)
			send_datagram(c);
		wait_for_any(c);
		if (stage_stopped(c->stage))
			return ERR_STOPPING;
		take_all(c);
		if (c->error)
			return c->error;
		/* Whoever types takes his time. */
		if (!over && chat_lines_all(&c->lines))
			c->progress_ms = stage_ms(c->stage);
		c->hangs = stage_ms(c->stage) - c->progress_ms > PATIENCE_MS;
		if (somebody_is_gone(c) || c->hangs)
			return 0;
	}
}

/* ---- what came of it ---- */

static void check_programs(struct chat *c)
{
	static const char *const names[] = {"the server", "a's client", "b's client"};
	const struct chat_program *p[] = {&c->cast.server, &c->cast.client[0], &c->cast.client[1]};
	char status[CHAT_STATUS];
	int bad = c->gone;

	for (int i = 0; i < CHAT_PEOPLE + 1 && bad < 0; i++) {
		if (p[i]->status != 0)
			bad = i;
	}
	stage_check(c->stage, SIDE_TCP, bad < 0 && !c->hangs,
		"the server and both clients do to the end what they are there for", "%s%s%s",
		bad >= 0   ? names[bad]
		: c->hangs ? "nothing new for a minute"
			   : "they do",
		bad >= 0 ? " " : "", bad >= 0 ? chat_program_status(p[bad], status) : "");
}

static void check_lines(struct chat *c)
{
	char text[128];

	for (int i = 0; i < CHAT_PEOPLE; i++) {
		const struct chat_seen *s = &c->lines.seen[i];
		(void)snprintf(text, sizeof(text), "%s reads every line of both once, and in order",
			chat_name(i));
		stage_check(c->stage, SIDE_TCP, chat_lines_good(&c->lines, i), text,
			"%zu of %zu, %zu twice, %zu out of order, %zu that nobody said", s->count,
			c->lines.count, s->twice, s->late, s->strange);
	}
	stage_check(c->stage, SIDE_TCP, chat_lines_same_order(&c->lines),
		"both read them in the same order", "%zu lines of a and b",
		c->lines.seen[0].count < c->lines.seen[1].count ? c->lines.seen[0].count
								: c->lines.seen[1].count);
	if (c->bad_lines)
		stage_check(c->stage, SIDE_BOTH, false,
			"every line to be said says who says it, \"a: hello\" or \"b: hello\"",
			"%zu do not, the first is line %zu", c->bad_lines, c->first_bad);
}

static void check_datagrams(struct chat *c)
{
	struct score x;
	struct evidence carried = {SIDE_UDP, CLIENT_HOST, FLOW_DATAGRAM, FATE_CARRIED};
	uint64_t came = evidence_count(stage_journal(c->stage), 0, carried);

	stage_score(c->stage, SIDE_UDP, &x);
	stage_check(c->stage, SIDE_UDP, x.received == came,
		"of the datagrams those come that the wire carries, and no other",
		"%lu of %lu came, %lu were carried", (unsigned long)x.received,
		(unsigned long)x.sent, (unsigned long)came);
	stage_say(c->stage, SIDE_UDP,
		"%lu of %lu datagrams never came, %lu came after a later one, %lu twice. Nobody "
		"sent them again, for nobody was told.",
		(unsigned long)x.lost, (unsigned long)x.sent, (unsigned long)x.late,
		(unsigned long)x.twice);
}

static void tell_wire(struct chat *c)
{
	struct wire_counts w;

	stage_counts(c->stage, SIDE_TCP, &w);
	stage_say(c->stage, SIDE_TCP,
		"%lu of %lu packets of the chat were lost, and %lu sent again by the kernels' TCP. "
		"Lanchat knows nothing of it: its lines are late at most.",
		(unsigned long)(w.lost + w.overflowed), (unsigned long)w.sent,
		(unsigned long)w.retransmitted);
}

static int settle(struct chat *c)
{
	int e = stage_settle(c->stage, SIDE_UDP, c->sent);

	if (e == ERR_STOPPING)
		return e;
	take_datagrams(c);
	stage_give_up(c->stage, SIDE_TCP);
	stage_give_up(c->stage, SIDE_UDP);
	return 0;
}

/* ---- all ---- */

static int play(struct chat *c)
{
	char error[ERROR_LINE] = "";
	int e = pair_udp(c->stage, PAIR_PORT, true, &c->datagrams);

	if (e)
		return e;
	e = chat_cast_open(&c->cast, c->stage, error, sizeof(error));
	if (e == 0) {
		stage_say(c->stage, SIDE_TCP, "lanchatd runs on the server's host, as process %ld.",
			(long)c->cast.server.pid);
		e = chat_cast_enter(&c->cast, c->stage, error, sizeof(error));
	}
	if (e == 0)
		e = go_on(c);
	else if (e != ERR_STOPPING)
		stage_check(c->stage, SIDE_TCP, false, "lanchat's programs start", "%s", error);
	if (e == 0)
		e = settle(c);
	return e;
}

static int run(struct stage *s)
{
	struct chat c = {.stage = s, .script.fd = stage_options(s)->lines_fd, .gone = -1};
	int e = play(&c);

	/* What the programs have to say when they leave needs no bad network. */
	if (e == 0)
		stage_impair(s, &(struct impairment){0});
	chat_cast_close(&c.cast);
	if (e == 0) {
		check_programs(&c);
		check_lines(&c);
		check_datagrams(&c);
		tell_wire(&c);
	}
	c.script.fd = -1;
	chat_reader_fini(&c.script);
	chat_lines_fini(&c.lines);
	/* What did not start was told by a check. */
	return e == ERR_SYSTEM || e == ERR_TIMEOUT || e == ERR_CLOSED ? 0 : e;
}
