#include "tests/property/world.h"

#include "common/err.h"

#include <assert.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOGIN_TIME INT64_C(3600000000) /* the schedule decides what is too slow */

static const char *const room_names[ROOMS_MOST] = {"red", "green", "blue"};

void world_tell(struct world *w, const char *format, ...)
{
	va_list ap;

	if (!w->config.story)
		return;
	va_start(ap, format);
	fputs("  ", w->config.story);
	vfprintf(w->config.story, format, ap);
	fputc('\n', w->config.story);
	va_end(ap);
}

struct truth *world_truth(struct world *w)
{
	return w->truths[w->truth_count - 1];
}

/* ---- the server's life ---- */

static void add_truth(struct world *w)
{
	struct stream_key streams[STREAMS_MOST];

	oracle_streams(&w->oracle, streams);
	w->truths = realloc(w->truths, (w->truth_count + 1) * sizeof(struct truth *));
	assert(w->truths);
	w->truths[w->truth_count++] =
		truth_new(streams, w->oracle.rooms + w->oracle.persons, &w->verdict);
}

static void start_server(struct world *w)
{
	struct chat_config config = {
		.keep_bytes = w->config.keep_bytes,
		.window_bytes = w->config.window_bytes,
		.policy =
			{
				.name = "property",
				.login_ms = 600000,
				.frame_ms = 600000,
				.ping_ms = 600000,
				.idle_ms = 600000,
				.replay_max = 100000,
				.rooms_each = ROOMS_MOST,
				.rooms_max = 10,
			},
	};

	struct engine_config log = {.folder = w->folder, .sync = SYNC_OFF};
	char error[256];

	if (w->folder)
		config.log = &log;
	if (!w->truth_count || !w->folder)
		add_truth(w);
	truth_expect(world_truth(w));
	if (chat_start(&config, &w->chat, error, sizeof(error)) != 0) {
		fprintf(stderr, "the server does not start: %s\n", error);
		abort();
	}
}

static void end_ghost(struct world *w, struct path **at)
{
	struct path *ghost = *at;

	*at = ghost->next;
	w->ghost_count--;
	path_cut(ghost);
}

static void stop_server(struct world *w, bool goodbye)
{
	for (size_t i = 0; i < w->config.clients; i++) {
		if (w->client[i].path)
			path_stop(w->client[i].path, goodbye);
	}
	while (w->ghosts)
		end_ghost(w, &w->ghosts);
	truth_set_fault(world_truth(w), FAULT_NONE, 0, 0);
	truth_detach(world_truth(w));
	chat_stop(w->chat);
	w->chat = NULL;
}

void world_restart(struct world *w, bool goodbye)
{
	world_tell(w, "the server %s and starts again", goodbye ? "stops" : "dies");
	stop_server(w, goodbye);
	start_server(w);
}

/* ---- the durable log's folder ---- */

static void make_folder(struct world *w)
{
	const char *parent = getenv("TMPDIR");

	if (asprintf(&w->folder, "%s/lanchat-property-XXXXXX", parent ? parent : "/tmp") < 0 ||
		!mkdtemp(w->folder)) {
		perror("a temporary folder");
		abort();
	}
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *f)
{
	(void)s;
	(void)flag;
	(void)f;
	return remove(path);
}

static void remove_folder(struct world *w)
{
	if (w->folder)
		(void)nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w->folder);
}

/* ---- life ---- */

static void add_client(struct world *w, size_t i)
{
	struct author *a = &w->oracle.author[i];
	struct link_session_config config = {.nick = a->nick, .replay = w->config.replay};

	a->person = w->config.shared && i + 1 == w->config.clients ? 0 : (int)i;
	a->replay = w->config.replay;
	a->instance[0] = (uint8_t)(i + 1);
	a->instance[INSTANCE_ID - 1] = 0xaa;
	snprintf(a->nick, sizeof(a->nick), "client%d", a->person);
	oracle_person(a->person, config.identity.id);
	memcpy(config.instance, a->instance, sizeof(config.instance));
	int r = link_session_new(&config, &w->client[i].session);
	assert(r == 0);
	(void)r;
	w->client[i].wanted = true;
}

void world_init(struct world *w, const struct world_config *config)
{
	*w = (struct world){.config = *config, .now = 1000000};
	verdict_init(&w->verdict);
	w->oracle = (struct oracle){
		.verdict = &w->verdict,
		.rooms = config->rooms,
		.persons = config->clients - (config->shared ? 1 : 0),
		.authors = config->clients,
		.room_names = room_names,
	};
	for (size_t i = 0; i < config->clients; i++)
		add_client(w, i);
	if (config->durable)
		make_folder(w);
	start_server(w);
}

void world_fini(struct world *w)
{
	stop_server(w, false);
	for (size_t i = 0; i < w->config.clients; i++) {
		path_cut(w->client[i].path);
		link_session_free(w->client[i].session);
	}
	for (size_t i = 0; i < w->truth_count; i++)
		truth_free(w->truths[i]);
	free(w->truths);
	remove_folder(w);
	oracle_fini(&w->oracle);
	verdict_fini(&w->verdict);
}

/* ---- clients ---- */

/* What a client was told, for the story. */
static void tell_event(struct world *w, int client, const struct event *e)
{
	static const char *const names[] = {
		[EVENT_LOGGED_IN] = "logged in as",
		[EVENT_LOG_CHANGED] = "another log",
		[EVENT_MET] = "met",
		[EVENT_JOINED] = "joined",
		[EVENT_PARTED] = "parted",
		[EVENT_MESSAGE] = "shows",
		[EVENT_ACK] = "kept",
		[EVENT_REFUSED] = "refused",
		[EVENT_GAP] = "gap",
		[EVENT_CAUGHT_UP] = "caught up",
	};

	if ((size_t)e->type >= sizeof(names) / sizeof(names[0]) || !names[e->type])
		return;
	world_tell(w,
		"    client %d: %s %s, seq %" PRIu64 ", counter %" PRIu64 " of %u, number %" PRIu64
		", code %u%s",
		client, names[e->type], e->room ? e->room : "", e->seq, e->counter, e->instance[0],
		e->number, e->code, e->flag ? ", flag" : "");
}

/* What a client was told, to the oracle. */
static void take_events(struct world *w, int client)
{
	struct client *c = &w->client[client];
	struct event_list events = {0};
	struct event *e;

	link_session_events(c->session, &events);
	while ((e = event_list_take(&events))) {
		/* Without a connection, only rooms are left that were never joined. */
		tell_event(w, client, e);
		struct truth *t = c->path ? c->path->truth : world_truth(w);
		oracle_event(&w->oracle, client, e, t, c->path ? c->path->inbox_last : 0);
		event_free(e);
	}
}

/* What a client has to send goes on its way. */
static void take_output(struct world *w, int client)
{
	struct client *c = &w->client[client];
	struct link_bytes out = {0};

	while (c->path && link_session_has_output(c->session)) {
		link_session_output(c->session, &out);
		path_send(c->path, out.bytes, out.length);
	}
	free(out.bytes);
}

/* The client knows that its connection is over. */
static void hang_up(struct world *w, int client)
{
	struct client *c = &w->client[client];

	link_session_end(c->session);
	take_events(w, client);
	path_cut(c->path);
	c->path = NULL;
}

void world_connect(struct world *w, int client, int buffer)
{
	struct client *c = &w->client[client];
	int inbox = oracle_inbox(&w->oracle, w->oracle.author[client].person);

	if (c->path)
		return;
	world_tell(w, "client %d connects%s", client, buffer ? ", by a narrow path" : "");
	c->path = path_open(w->chat, world_truth(w), inbox, buffer);
	int r = link_session_begin(c->session, w->now, w->now + LOGIN_TIME);
	assert(r == 0);
	(void)r;
	take_events(w, client);
}

void world_join(struct world *w, int client, int room)
{
	world_tell(w, "client %d joins %s", client, room_names[room]);
	(void)link_session_join(w->client[client].session, room_names[room]);
	w->oracle.author[client].wants[room] = true;
	take_events(w, client);
}

void world_part(struct world *w, int client, int room)
{
	world_tell(w, "client %d leaves %s", client, room_names[room]);
	(void)link_session_part(w->client[client].session, room_names[room]);
	w->oracle.author[client].wants[room] = false;
	take_events(w, client);
}

void world_say(struct world *w, int client, int room, int person, size_t length)
{
	struct client *c = &w->client[client];
	uint8_t id[PERSON_ID];
	uint64_t counter = 0;
	char text[TEXT_MAX + 1], nick[16];

	memset(text, '.', sizeof(text));
	int n = snprintf(
		text, sizeof(text), "%d says %zu", client, w->oracle.author[client].count + 1);
	if (length > (size_t)n && length < sizeof(text))
		text[n] = ' ';
	else
		length = (size_t)n;
	text[length] = '\0';
	int r;
	if (room >= 0) {
		r = link_session_say(c->session, room_names[room], SAID_TEXT, text, &counter);
		world_tell(w, "client %d says message %" PRIu64 " in %s, %zu bytes", client,
			counter, room_names[room], length);
	} else {
		oracle_person(person, id);
		snprintf(nick, sizeof(nick), "client%d", person);
		r = link_session_direct(c->session, nick, id, SAID_TEXT, text, &counter);
		world_tell(w, "client %d says message %" PRIu64 " to person %d, %zu bytes", client,
			counter, person, length);
	}
	if (r != 0)
		verdict_complain(
			&w->verdict, "client %d cannot say anything: %s", client, err_text(r));
	else
		oracle_said(&w->oracle, client, room, person, text, counter);
}

void world_pass(struct world *w, int64_t microseconds)
{
	w->now += microseconds;
	for (size_t i = 0; i < w->config.clients; i++) {
		if (w->client[i].path && link_session_tick(w->client[i].session, w->now) != 0)
			verdict_complain(&w->verdict, "client %zu gives its server up", i);
		take_events(w, (int)i);
	}
}

/* ---- the network ---- */

/* What came of one step has come to all. */
static void settle(struct world *w)
{
	for (size_t i = 0; i < w->config.clients; i++) {
		struct path *p = w->client[i].path;
		if (p && !path_await(p))
			verdict_complain(&w->verdict, "client %zu waits in vain", i);
	}
	for (struct path *p = w->ghosts; p; p = p->next) {
		path_collect(p);
		p->down.start = p->down.end;
		p->scanned = 0;
	}
}

void world_up(struct world *w, int client, size_t bytes)
{
	struct client *c = &w->client[client];

	if (!c->path)
		return;
	take_output(w, client);
	size_t all = c->path->up.end - c->path->up.start;
	if (all == 0)
		return;
	world_tell(w, "of %zu bytes from client %d, %zu arrive", all, client,
		bytes < all ? bytes : all);
	path_deliver(c->path, bytes);
	settle(w);
}

/* A client gives its connection up only when the server goes, or when its login on one that it has given
 * up arrives after its newest. */
static void judge_end(struct world *w, int client, int result)
{
	unsigned code;
	const char *why = link_session_reason(w->client[client].session, &code);

	if (result != ERR_CLOSED || (code != CODE_STOPPING && code != CODE_ALREADY))
		verdict_complain(&w->verdict, "client %d gives its connection up: %s (%s)", client,
			why, err_text(result));
}

/* Give the client what has arrived. */
static void feed(struct world *w, int client)
{
	struct client *c = &w->client[client];
	struct path *p = c->path;
	size_t used = 0;

	int r = link_session_input(
		c->session, p->down.bytes + p->down.start, p->visible, w->now, &used);
	take_events(w, client);
	path_shown(p, used);
	if (r != 0) {
		judge_end(w, client, r);
		world_tell(w, "client %d hangs up", client);
		hang_up(w, client);
	} else if (p->ended && !path_has_news(p)) {
		/* What is left, if anything, is a part of a frame. */
		world_tell(w, "client %d finds its server gone", client);
		hang_up(w, client);
	}
}

void world_down(struct world *w, int client, size_t frames, size_t bytes)
{
	struct path *p = w->client[client].path;

	if (!p)
		return;
	path_collect(p);
	if (!p->ended && p->down.start == p->down.end)
		return;
	path_show(p, frames, bytes);
	world_tell(w, "of %zu bytes for client %d, %zu have arrived", p->down.end - p->down.start,
		client, p->visible);
	if (p->down.bytes)
		feed(w, client);
	else
		hang_up(w, client);
}

void world_break(struct world *w, int client, bool haunting)
{
	struct client *c = &w->client[client];

	if (!c->path)
		return;
	haunting = haunting && w->ghost_count < GHOSTS_MOST && c->path->session;
	world_tell(w, "client %d is cut off%s", client,
		haunting ? ", which the server does not notice" : "");
	if (!haunting) {
		hang_up(w, client);
		return;
	}
	take_output(w, client);
	struct path *ghost = c->path;
	c->path = NULL;
	link_session_end(c->session);
	take_events(w, client);
	ghost->stalled = false;
	ghost->next = w->ghosts;
	w->ghosts = ghost;
	w->ghost_count++;
	settle(w);
}

static struct path **ghost_at(struct world *w, size_t i)
{
	struct path **at = &w->ghosts;

	for (i %= w->ghost_count; i > 0; i--)
		at = &(*at)->next;
	return at;
}

void world_haunt(struct world *w, size_t ghost, size_t bytes)
{
	if (w->ghost_count == 0)
		return;
	struct path *p = *ghost_at(w, ghost);
	size_t all = p->up.end - p->up.start;
	world_tell(w, "of %zu bytes on a connection that person %d gave up, %zu arrive", all,
		p->inbox - (int)w->oracle.rooms, bytes < all ? bytes : all);
	path_deliver(p, bytes);
	settle(w);
}

void world_lay(struct world *w, size_t ghost)
{
	if (w->ghost_count == 0)
		return;
	world_tell(w, "a connection given up long ago ends");
	end_ghost(w, ghost_at(w, ghost));
	settle(w);
}

void world_stall(struct world *w, int client, bool stalled)
{
	struct path *p = w->client[client].path;

	if (!p || p->stalled == stalled || p->ended ||
		(stalled && !link_session_logged_in(w->client[client].session)))
		return;
	world_tell(w, "client %d %s", client, stalled ? "stops reading" : "reads on");
	p->stalled = stalled;
	settle(w);
}

void world_repeat(struct world *w, int client, uint64_t counter)
{
	const struct author *a = &w->oracle.author[client];
	struct path *p = w->client[client].path;
	uint8_t frame[8192];
	size_t used = 0;
	int r;

	if (!p || !link_session_logged_in(w->client[client].session) ||
		!truth_find(p->truth, (unsigned)client + 1, counter))
		return;
	const struct said *said = &a->messages[counter - 1];
	world_tell(w, "message %" PRIu64 " of client %d is sent once more", counter, client);
	take_output(w, client);
	if (said->room >= 0) {
		struct msg_say m = {.counter = counter,
			.room = span_of(room_names[said->room]),
			.text = span_of(said->text)};
		r = message_encode(MESSAGE_SAY, &m, frame, sizeof(frame), &used);
	} else {
		struct msg_direct m = {.counter = counter, .text = span_of(said->text)};
		oracle_person(said->person, m.person);
		m.nick = span_of("somebody");
		r = message_encode(MESSAGE_DIRECT, &m, frame, sizeof(frame), &used);
	}
	assert(r == 0);
	(void)r;
	path_send(p, frame, used);
}

/* ---- the end ---- */

#define PATIENCE_ROUNDS 500
#define MOMENT          20 /* milliseconds */
#define SOON            INT64_C(3000000)

static bool is_done(struct world *w, int client)
{
	struct client *c = &w->client[client];

	return c->path && link_session_logged_in(c->session) &&
	       link_session_unacknowledged(c->session) == 0 &&
	       !oracle_lacks(&w->oracle, client, world_truth(w));
}

/* One round for one client; was there anything to do? */
static bool advance(struct world *w, int client)
{
	struct client *c = &w->client[client];

	if (!c->path) {
		world_connect(w, client, 0);
		return true;
	}
	take_output(w, client);
	path_collect(c->path);
	bool any = c->path->up.start < c->path->up.end || path_has_news(c->path) ||
		   (c->path->ended && c->path->session == NULL);
	world_up(w, client, SIZE_MAX);
	world_down(w, client, SIZE_MAX, SIZE_MAX);
	return any;
}

/* Nothing moves: either something is due soon on the clients' clock, or the server's threads are at
 * it. */
static void wait_a_moment(struct world *w)
{
	struct pollfd fds[CLIENTS_MOST];
	int64_t next = INT64_MAX;
	nfds_t count = 0;

	for (size_t i = 0; i < w->config.clients; i++) {
		struct client *c = &w->client[i];
		int64_t due = link_session_deadline(c->session);
		next = due < next ? due : next;
		if (c->path && !c->path->ended)
			fds[count++] = (struct pollfd){.fd = c->path->fd, .events = POLLIN};
	}
	if (next < w->now + SOON)
		world_pass(w, next > w->now ? next - w->now : 0);
	else
		(void)poll(fds, count, MOMENT);
}

static void complain_of_delay(struct world *w)
{
	for (size_t i = 0; i < w->config.clients; i++) {
		if (is_done(w, (int)i))
			continue;
		verdict_complain(&w->verdict,
			"client %zu does not come to an end: %s, %zu messages unacknowledged%s", i,
			link_session_logged_in(w->client[i].session) ? "logged in"
								     : "not logged in",
			link_session_unacknowledged(w->client[i].session),
			oracle_lacks(&w->oracle, (int)i, world_truth(w))
				? ", something was not shown"
				: "");
	}
}

static void finish(struct world *w)
{
	for (int round = 0; round < PATIENCE_ROUNDS && verdict_is_good(&w->verdict); round++) {
		bool any = false, done = true;
		for (size_t i = 0; i < w->config.clients; i++) {
			any = advance(w, (int)i) || any;
			done = done && is_done(w, (int)i);
		}
		if (done && !any)
			return;
		if (!any)
			wait_a_moment(w);
	}
	complain_of_delay(w);
}

/* After its PONG everything has come that was on its way, so what comes too often is seen as well. */
static void expect_silence(struct world *w)
{
	struct msg_ping ping = {.token = UINT64_MAX};
	uint8_t frame[64];
	size_t used = 0;

	(void)message_encode(MESSAGE_PING, &ping, frame, sizeof(frame), &used);
	for (size_t i = 0; i < w->config.clients && verdict_is_good(&w->verdict); i++) {
		path_send(w->client[i].path, frame, used);
		for (int round = 0; round < PATIENCE_ROUNDS; round++) {
			world_up(w, (int)i, SIZE_MAX);
			world_down(w, (int)i, SIZE_MAX, SIZE_MAX);
			if (!w->client[i].path || w->client[i].path->answered == ping.token)
				break;
			wait_a_moment(w);
		}
	}
}

void world_heal(struct world *w)
{
	world_tell(w, "all comes right");
	truth_set_fault(world_truth(w), FAULT_NONE, 0, 0);
	for (size_t i = 0; i < w->config.clients; i++)
		world_stall(w, (int)i, false);
	while (w->ghosts)
		end_ghost(w, &w->ghosts);
	finish(w);
	expect_silence(w);
	if (!verdict_is_good(&w->verdict))
		return;
	for (size_t i = 0; i < w->config.clients; i++) {
		if (!is_done(w, (int)i))
			verdict_complain(&w->verdict, "client %zu is not done after all", i);
	}
	oracle_judge(&w->oracle, world_truth(w));
}
