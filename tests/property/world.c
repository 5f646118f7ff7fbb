#include "tests/property/world_private.h"

#include "common/err.h"

#include <assert.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOGIN_TIME INT64_C(3600000000) /* the schedule decides what is too slow */

const char *const world_rooms[ROOMS_MOST] = {"red", "green", "blue"};

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

void world_end_ghost(struct world *w, struct path **at)
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
		world_end_ghost(w, &w->ghosts);
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
		.room_names = world_rooms,
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

void world_take_events(struct world *w, int client)
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

void world_take_output(struct world *w, int client)
{
	struct client *c = &w->client[client];
	struct link_bytes out = {0};

	while (c->path && link_session_has_output(c->session)) {
		link_session_output(c->session, &out);
		path_send(c->path, out.bytes, out.length);
	}
	free(out.bytes);
}

void world_hang_up(struct world *w, int client)
{
	struct client *c = &w->client[client];

	link_session_end(c->session);
	world_take_events(w, client);
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
	world_take_events(w, client);
}

void world_join(struct world *w, int client, int room)
{
	world_tell(w, "client %d joins %s", client, world_rooms[room]);
	(void)link_session_join(w->client[client].session, world_rooms[room]);
	w->oracle.author[client].wants[room] = true;
	world_take_events(w, client);
}

void world_part(struct world *w, int client, int room)
{
	world_tell(w, "client %d leaves %s", client, world_rooms[room]);
	(void)link_session_part(w->client[client].session, world_rooms[room]);
	w->oracle.author[client].wants[room] = false;
	world_take_events(w, client);
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
		r = link_session_say(c->session, world_rooms[room], SAID_TEXT, text, &counter);
		world_tell(w, "client %d says message %" PRIu64 " in %s, %zu bytes", client,
			counter, world_rooms[room], length);
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
		world_take_events(w, (int)i);
	}
}
