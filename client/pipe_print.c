#include "client/pipe_print.h"

#include "common/json.h"
#include "client/plain.h"
#include "common/fingerprint.h"
#include "common/clock.h"

#include <inttypes.h>
#include <string.h>

bool pipe_counts(const struct event *e)
{
	return e->type == EVENT_MESSAGE && !e->direct && e->kind != SAID_TOPIC;
}

/* The members that every object has. A zero `seq` or `counter` and a NULL text are null. */
struct common {
	const char *type;
	const char *room;
	bool direct; /* `room` is a nick */
	uint64_t seq;
	const uint8_t *instance;
	uint64_t counter;
	const char *from;
	const char *text;
	uint64_t time; /* 0: now */
};

static void put_id(struct json *j, const uint8_t *instance, uint64_t counter)
{
	char text[2 * INSTANCE_ID + 32];
	size_t used = 0;

	for (size_t i = 0; i < INSTANCE_ID; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%02x", instance[i]);
	snprintf(text + used, sizeof(text) - used, ":%" PRIu64, counter);
	json_text(j, "id", text);
}

static void put_room(struct json *j, const char *room, bool direct)
{
	char text[ROOM_NAME_MAX + 2];

	if (!direct) {
		json_text(j, "room", room);
		return;
	}
	snprintf(text, sizeof(text), "@%s", room);
	json_text(j, "room", text);
}

static void begin(struct json *j, FILE *out, const struct common *c)
{
	json_begin(j, out);
	json_text(j, "type", c->type);
	put_room(j, c->room, c->direct);
	if (c->seq)
		json_unsigned(j, "seq", c->seq);
	else
		json_null(j, "seq");
	if (c->counter)
		put_id(j, c->instance, c->counter);
	else
		json_null(j, "id");
	json_text(j, "from", c->from);
	json_text(j, "text", c->text);
	json_time(j, "time", c->time ? c->time : clock_wall_us());
}

static const char *const said_kinds[SAID_KINDS] = {
	[SAID_TEXT] = "text",
	[SAID_ACTION] = "action",
	[SAID_NOTICE] = "notice",
	[SAID_TOPIC] = "topic",
};

static void json_message(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = e->kind == SAID_TOPIC ? "topic" : "message",
			.room = e->direct ? e->peer_nick : e->room,
			.direct = e->direct,
			.seq = e->seq,
			.instance = e->instance,
			.counter = e->counter,
			.from = e->nick,
			.text = e->text,
			.time = e->time,
		});
	json_text(&j, "kind", said_kinds[e->kind]);
	json_bool(&j, "own", e->own);
	json_hex(&j, "person", e->person, sizeof(e->person));
	json_end(&j);
}

static void json_ack(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = "ack",
			.room = e->direct ? e->nick : e->room,
			.direct = e->direct,
			.seq = e->seq,
			.instance = e->instance,
			.counter = e->counter,
			.from = p->nick,
		});
	json_end(&j);
}

/* An own message of an earlier run that will be sent now. */
static void json_waiting(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = "waiting",
			.room = e->direct ? e->peer_nick : e->room,
			.direct = e->direct,
			.instance = e->instance,
			.counter = e->counter,
			.from = p->nick,
			.text = e->text,
		});
	json_text(&j, "kind", said_kinds[e->kind]);
	json_end(&j);
}

static void json_error(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = "error",
			.room = e->direct ? e->nick : e->room,
			.direct = e->direct,
			.instance = e->instance,
			.counter = e->counter,
			.text = e->text,
		});
	json_unsigned(&j, "code", e->code);
	json_end(&j);
}

static void json_joined(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out,
		&(struct common){.type = "join", .room = e->room, .seq = e->seq, .from = p->nick});
	json_bool(&j, "own", true);
	json_unsigned(&j, "people", e->count);
	json_bool(&j, "resumed", e->flag);
	json_end(&j);
	if (!e->text[0])
		return;
	begin(&j, p->out,
		&(struct common){
			.type = "topic",
			.room = e->room,
			.from = e->nick,
			.text = e->text,
			.time = e->time,
		});
	json_end(&j);
}

static void json_parted(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = "part", .room = e->room, .from = p->nick, .text = e->text});
	json_bool(&j, "own", true);
	json_end(&j);
}

static void json_presence(const struct pipe_printer *p, const struct event *e)
{
	static const char *const types[] = {
		[CHANGE_JOINED] = "join",
		[CHANGE_PARTED] = "part",
		[CHANGE_RENAMED] = "nick",
		[CHANGE_STATE] = "status",
		[CHANGE_ACT] = "act",
	};
	static const char *const states[] = {
		[PERSON_HERE] = "here",
		[PERSON_AWAY] = "away",
		[PERSON_GONE] = "gone",
	};
	struct json j;

	/* One's own coming was told when the room was joined. */
	if (e->change == CHANGE_JOINED && strcmp(e->nick, p->nick) == 0)
		return;
	begin(&j, p->out,
		&(struct common){
			.type = types[e->change],
			.room = e->room,
			.from = e->nick,
			.text = e->text,
		});
	json_text(&j, "state", states[e->person_state]);
	json_hex(&j, "person", e->person, sizeof(e->person));
	json_unsigned(&j, "people", e->number);
	json_end(&j);
}

static void json_renamed(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out, &(struct common){.type = "nick", .from = p->nick, .text = e->nick});
	json_bool(&j, "own", true);
	json_end(&j);
}

static void json_notice(const struct pipe_printer *p, const struct event *e)
{
	static const char *const kinds[] = {
		[NOTICE_SERVER] = "server",
		[NOTICE_MOTD] = "motd",
		[NOTICE_WARNING] = "warning",
	};
	struct json j;

	begin(&j, p->out, &(struct common){.type = "notice", .text = e->text});
	json_text(&j, "kind", kinds[e->kind]);
	json_end(&j);
}

static void json_state(const struct pipe_printer *p, const struct event *e)
{
	static const char *const names[] = {
		[LINK_CONNECTING] = "connecting",
		[LINK_LOGGING_IN] = "logging-in",
		[LINK_ONLINE] = "online",
		[LINK_WAITING] = "waiting",
		[LINK_FAILED] = "failed",
		[LINK_CLOSED] = "closed",
	};
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = e->state == LINK_FAILED ? "error" : "status", .text = e->text});
	json_text(&j, "state", names[e->state]);
	if (e->state == LINK_WAITING)
		json_unsigned(&j, "wait_ms", e->number);
	if (e->state == LINK_WAITING || e->state == LINK_FAILED)
		json_unsigned(&j, "code", e->code);
	json_end(&j);
}

static void json_logged_in(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out, &(struct common){.type = "status", .from = e->nick, .text = e->text});
	json_text(&j, "state", "logged-in");
	json_bool(&j, "history_kept", e->flag);
	json_unsigned(&j, "text_max", e->number);
	json_end(&j);
}

static void json_met(const struct pipe_printer *p, const struct event *e)
{
	char key[FINGERPRINT_SIZE];
	struct json j;

	begin(&j, p->out, &(struct common){.type = "status", .text = e->text});
	json_text(&j, "state", "new-key");
	json_text(&j, "key", fingerprint(e->person, key));
	json_bool(&j, "replaced", e->flag);
	json_end(&j);
}

static void json_members(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out, &(struct common){.type = "status", .room = e->room});
	json_text(&j, "state", "members");
	json_unsigned(&j, "people", e->number);
	if (e->flag) {
		json_array_begin(&j, "members");
		for (size_t i = 0; i < e->count; i++)
			json_array_text(&j, e->people[i].nick);
		json_array_end(&j);
	}
	json_end(&j);
}

static void json_gap(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out, &(struct common){.type = "gap", .room = e->room, .direct = !e->room[0]});
	json_unsigned(&j, "after", e->seq);
	json_unsigned(&j, "next", e->number);
	json_end(&j);
}

/* All that was said before has been printed, or numbers mean something else from now on. */
static void json_history(const struct pipe_printer *p, const struct event *e)
{
	bool caught_up = e->type == EVENT_CAUGHT_UP;
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = "status",
			.room = e->room && e->room[0] ? e->room : NULL,
			.seq = caught_up ? e->seq : 0,
		});
	json_text(&j, "state", caught_up ? "caught-up" : "history-replaced");
	json_end(&j);
}

/* Said as a datagram: it has no number, and nothing tells whether there were others. */
static void json_tossed(const struct pipe_printer *p, const struct event *e)
{
	struct json j;

	begin(&j, p->out,
		&(struct common){
			.type = "message",
			.room = e->room,
			.from = e->nick,
			.text = e->text,
			.time = e->time,
		});
	json_text(&j, "kind", said_kinds[e->kind]);
	json_bool(&j, "own", false);
	json_hex(&j, "person", e->person, sizeof(e->person));
	json_bool(&j, "datagram", true);
	json_end(&j);
}

/* What an event is printed as; NULL: scripts have no use for it. */
static void (*const printers[EVENT_TYPES])(const struct pipe_printer *p, const struct event *e) = {
	[EVENT_STATE] = json_state,
	[EVENT_MET] = json_met,
	[EVENT_LOGGED_IN] = json_logged_in,
	[EVENT_LOG_CHANGED] = json_history,
	[EVENT_JOINED] = json_joined,
	[EVENT_PARTED] = json_parted,
	[EVENT_MESSAGE] = json_message,
	[EVENT_RESTORED] = json_waiting,
	[EVENT_ACK] = json_ack,
	[EVENT_REFUSED] = json_error,
	[EVENT_MEMBERS] = json_members,
	[EVENT_PRESENCE] = json_presence,
	[EVENT_RENAMED] = json_renamed,
	[EVENT_NOTICE] = json_notice,
	[EVENT_ERROR] = json_error,
	[EVENT_GAP] = json_gap,
	[EVENT_CAUGHT_UP] = json_history,
	[EVENT_TOSSED] = json_tossed,
};

static void print_json(const struct pipe_printer *p, const struct event *e)
{
	if (printers[e->type])
		printers[e->type](p, e);
}

static void print_plain(FILE *out, const struct event *e)
{
	if (e->type == EVENT_MESSAGE && e->kind != SAID_TOPIC)
		plain_message(out, e);
	else if (e->type == EVENT_TOSSED)
		plain_tossed(out, e);
	else if (e->type == EVENT_GAP)
		plain_gap(out, e);
}

void pipe_print(const struct pipe_printer *p, const struct event *e)
{
	if (p->json)
		print_json(p, e);
	else
		print_plain(p->out, e);
}
