/*
 * The client from the socket to what it knows: whatever a server sends, the link's
 * thread, the session, the events and the model stay whole, and all that could be
 * drawn is clean.
 *
 * The real link and model, on a stage (stage.h), with one who uses them as the chat
 * screen does. (fuzz_session looks at the session alone, and closer.)
 *
 * Input: a byte that says how finely the bytes are cut and whether the login is done
 * already, then steps. A step is a byte: below 0x40 a frame from the server follows
 * (its type is the byte, then a length in two bytes, then the payload), above it
 * something happens: see act. 0xff: all the rest is bytes as they are.
 *
 * About: client/link.c client/link_thread.c client/link_session*.c client/event.c
 *   client/model*.c client/scrollback.c client/roster.c
 */
#include "client/link.h"

#include "client/link_private.h"
#include "client/model.h"
#include "common/bytes.h"
#include "common/err.h"
#include "common/message.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/stage.h"

#include <string.h>

#define STEPS_MOST 1500

struct play {
	const uint8_t *data;
	size_t size;
	int steps;
	size_t cut;
	bool begun; /* with the login done */
	struct stage_end server;
	bool connected;     /* ever since it was put to use */
	size_t read;        /* of what came from the client */
	uint32_t tag, join; /* the newest of its requests, and of its JOINs */
	uint8_t sent[2 * FRAME_MAX];
	struct link *link;
	struct model model;
	bool leaving;
};

/* The play that there is, for what the linker puts in place. */
static struct play *playing;

/* ---- what it knows ---- */

static void check_line_text(const char *text)
{
	REQUIRE(text && utf8_is_line(text, strlen(text)));
}

static void check_lines(const struct scrollback *s)
{
	uint64_t last = 0;

	REQUIRE(s->count <= s->most && s->waiting <= s->count);
	for (uint64_t at = s->first; at < scrollback_end(s); at++) {
		const struct line *l = scrollback_line(s, at);
		REQUIRE(l);
		check_line_text(l->text);
		check_line_text(l->nick);
		/* The stretch of the log rises. */
		if (at < s->base || l->seq == 0)
			continue;
		REQUIRE(l->seq > last);
		last = l->seq;
	}
}

static void check_buffer(const struct buffer *b)
{
	check_line_text(b->name);
	if (b->topic)
		check_line_text(b->topic);
	check_lines(&b->lines);
	if (b->past)
		check_lines(&b->past->lines);
	for (size_t i = 0; i < b->roster.count; i++) {
		check_line_text(b->roster.people[i].nick);
		check_line_text(b->roster.people[i].away);
		REQUIRE(i == 0 || strcmp(b->roster.people[i - 1].key, b->roster.people[i].key) < 0);
	}
}

static void check_model(const struct model *m)
{
	REQUIRE(m->count > 0 && m->current < m->count && m->last < m->count);
	REQUIRE(m->buffers[0]->kind == BUFFER_SERVER);
	check_line_text(m->nick);
	check_line_text(m->server_name);
	for (size_t i = 0; i < m->count; i++)
		check_buffer(m->buffers[i]);
	for (size_t i = 0; i < m->room_count; i++) {
		check_line_text(m->rooms[i].name);
		check_line_text(m->rooms[i].topic);
	}
	REQUIRE(m->found.count == 0 || m->found.chosen < m->found.count);
	for (size_t i = 0; i < m->found.count; i++) {
		check_line_text(m->found.lines[i].line.text);
		check_line_text(m->found.lines[i].room);
	}
}

static void plant(const struct model *m)
{
	struct buffer *b = model_room(m, "lobby");

	PLANTED(b && b->topic && says_bugs(b->topic, strlen(b->topic)));
}

/* Take what the link has to tell, as the chat screen does. */
static void take_events(struct play *p)
{
	struct event *e;
	bool any = false;

	while ((e = link_next(p->link))) {
		REQUIRE(model_apply(&p->model, e) == 0);
		event_free(e);
		any = true;
	}
	p->model.bell = false;
	p->model.hint[0] = '\0';
	if (!any)
		return;
	check_model(&p->model);
	plant(&p->model);
}

/* ---- the server ---- */

static void give(struct play *p, size_t length)
{
	p->server.in = p->sent;
	p->server.in_length = length;
}

static size_t put(struct play *p, size_t at, enum message_number number, const void *value)
{
	size_t used = 0;

	REQUIRE(message_encode(
			(uint16_t)number, value, p->sent + at, sizeof(p->sent) - at, &used) == 0);
	return at + used;
}

/* What came is frames that a client may send; the last may be under way. */
static void read_output(struct play *p)
{
	const struct stage_end *e = &p->server;
	struct frame f;
	union message m;

	while (p->read < e->out_length) {
		int r = frame_decode(
			e->out + p->read, e->out_length - p->read, FRAME_PAYLOAD_MAX, &f, NULL);
		if (r == ERR_AGAIN)
			break;
		REQUIRE(r == 0 && message_decode(&f, &m) == 0);
		REQUIRE(message_spec(f.type)->sender & SENDER_CLIENT);
		REQUIRE(message_check_text(f.type, &m) == 0);
		if (f.type == MESSAGE_LOGIN || f.type == MESSAGE_JOIN)
			p->tag = m.login.tag; /* the first field of both */
		if (f.type == MESSAGE_JOIN)
			p->join = m.join.tag;
		p->read += FRAME_HEADER + (size_t)f.length;
	}
}

/* All that a server says until somebody is logged in, the LOGIN's tag being the next one. */
static void welcome(struct play *p)
{
	struct msg_welcome hello = {
		.version = PROTOCOL_VERSION, .name = span_of("s"), .agent = span_of("")};
	struct msg_logged_in in = {.nick = span_of("anna"), .text_max = 100};
	struct msg_caught_up all = {.room = span_of("")};
	size_t length = put(p, 0, MESSAGE_WELCOME, &hello);

	read_output(p);
	in.tag = p->tag + 1;
	length = put(p, length, MESSAGE_LOGGED_IN, &in);
	give(p, put(p, length, MESSAGE_CAUGHT_UP, &all));
}

static void show_room(struct play *p)
{
	struct msg_joined joined = {
		.room = span_of("lobby"), .people = 1, .last = 100, .after = 100};
	struct msg_caught_up all = {.room = span_of("lobby"), .last = 100};

	read_output(p);
	joined.tag = p->join;
	size_t length = put(p, 0, MESSAGE_JOINED, &joined);
	give(p, put(p, length, MESSAGE_CAUGHT_UP, &all));
}

static void give_frame(struct play *p, uint8_t type)
{
	size_t length = p->size < 2 ? 0 : bytes_u16(p->data);
	size_t head = p->size < 2 ? p->size : 2;

	p->data += head;
	p->size -= head;
	length = length < p->size ? length : p->size;
	frame_encode_header(p->sent, (uint32_t)length, type, 0);
	memcpy(p->sent + FRAME_HEADER, p->data, length);
	p->data += length;
	p->size -= length;
	give(p, FRAME_HEADER + length);
}

static void hang_up(struct play *p)
{
	if (!p->connected)
		return;
	read_output(p);
	stage_end_fini(&p->server);
	p->connected = false;
}

/* In place of looking up, connecting and TLS. */
int __wrap_link_connect(struct link *l, int64_t deadline);
int __wrap_link_connect(struct link *l, int64_t deadline)
{
	struct play *p = playing;

	(void)deadline;
	hang_up(p);
	if (p->leaving)
		return link_fail(l, ERR_CLOSED, 0, "nobody is there any more");
	p->server = (struct stage_end){.cut = p->cut, .room = SIZE_MAX / 2};
	p->connected = true;
	p->read = 0;
	l->stream = stage_connect(&p->server);
	l->input_length = l->output.length = l->output_sent = 0;
	l->output_broken = false;
	if (p->begun)
		welcome(p);
	return 0;
}

/* ---- the user ---- */

static void ask_pages(struct play *p)
{
	for (size_t i = 0; i < p->model.count; i++) {
		struct buffer *b = p->model.buffers[i];
		uint32_t request;

		if (b->asking.aim == PAGE_NONE || b->asking.request != 0)
			continue;
		const char *room = b->kind == BUFFER_ROOM ? b->name : "";
		if (link_history(p->link, room, b->asking.from, b->asking.value, 10, &request) == 0)
			model_asked(b, request);
		else
			model_ask_failed(b);
	}
}

static void search(struct play *p)
{
	struct model *m = &p->model;
	struct found *f = &m->found;
	uint32_t request;

	REQUIRE(model_search(m, model_current(m), false, "words") == 0);
	if (link_search(p->link, f->where, f->room, f->words, f->before, 10, &request) == 0)
		model_searched(m, request);
	else
		model_search_failed(m, "there is no connection");
}

static void say(struct play *p)
{
	struct buffer *b = model_current(&p->model);
	uint64_t counter;
	int r = ERR_ARGUMENT;

	if (b->kind == BUFFER_ROOM)
		r = link_say(p->link, b->name, SAID_TEXT, "hi", &counter);
	else if (b->kind == BUFFER_DIRECT)
		r = link_direct(p->link, b->name, b->person, SAID_TEXT, "hi", &counter);
	if (r == 0)
		REQUIRE(model_sent(&p->model, b, SAID_TEXT, "hi", counter) == 0);
}

static void look_around(struct play *p, uint8_t which)
{
	struct model *m = &p->model;
	struct buffer *b = model_current(m);

	switch (which & 3) {
	case 0:
		(void)model_want_older(b, 0);
		break;
	case 1:
		model_want_newer(b);
		break;
	case 2:
		model_want_place(b, HISTORY_AFTER, 50);
		break;
	default:
		model_leave_past(b);
		buffer_to_end(b);
		break;
	}
	ask_pages(p);
}

static void act(struct play *p, uint8_t step)
{
	static const uint8_t person[PERSON_ID] = {1};
	struct model *m = &p->model;
	uint8_t which = step >> 4 & 3;

	switch (step & 15) {
	case 0:
		stage_pass_ms(INT64_C(1) << which * 5);
		break;
	case 1:
		p->server.closed = true;
		break;
	case 2:
		p->server.room = which * (size_t)20;
		break;
	case 3:
		p->server.room = SIZE_MAX / 2;
		break;
	case 4:
		welcome(p);
		break;
	case 5:
		show_room(p);
		break;
	case 6:
		say(p);
		break;
	case 7:
		look_around(p, which);
		break;
	case 8:
		search(p);
		break;
	case 9:
		model_choose(m, which);
		(void)model_go_to_found(m);
		ask_pages(p);
		break;
	case 10:
		model_show(m, (m->current + 1) % m->count);
		(void)link_read(p->link, "lobby", model_seen(m, model_current(m)));
		break;
	case 11:
		if (m->current > 0)
			model_close(m, model_current(m));
		break;
	case 12:
		(void)(which & 1 ? link_join(p->link, "lobby") : link_part(p->link, "lobby"));
		break;
	case 13:
		(void)(which & 1 ? link_nick(p->link, "bea") : link_list_members(p->link, "lobby"));
		break;
	case 14:
		REQUIRE(model_open_direct(m, person, "ben"));
		break;
	default:
		link_retry(p->link);
		break;
	}
}

/* ---- the play ---- */

static bool step(void *context)
{
	struct play *p = context;

	take_events(p);
	if (p->size == 0 || p->steps++ >= STEPS_MOST) {
		bool was = p->leaving;
		if (!was)
			link_quit(p->link);
		p->leaving = true;
		if (p->connected && p->server.in_length == 0 && !p->server.closed) {
			p->server.closed = true;
			return true;
		}
		return !was;
	}
	uint8_t what = *p->data++;
	p->size--;
	if (p->connected && p->server.in_length > 0)
		return true;
	if (what == 0xff) {
		size_t length = p->size < sizeof(p->sent) ? p->size : sizeof(p->sent);
		memcpy(p->sent, p->data, length);
		p->data += length;
		p->size -= length;
		give(p, length);
	} else if (what < 0x40) {
		give_frame(p, what);
	} else {
		act(p, what);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t me[PERSON_ID] = {7};
	struct link_config config = {
		.identity = {.id = {7}}, .nick = "anna", .any_nick = true, .keep_trying = true};

	if (size < 1)
		return 0;
	struct play *p = playing = calloc(1, sizeof(*p));
	REQUIRE(p);
	p->data = data + 1;
	p->size = size - 1;
	p->begun = data[0] & 1;
	p->cut = data[0] >> 1 ? data[0] >> 1 : SIZE_MAX;
	stage_begin(step, p, 2000 + size * 20);
	REQUIRE(model_init(&p->model, me, "anna") == 0);
	REQUIRE(model_set(&p->model.wanted, "lobby") == 0);
	REQUIRE(link_start(&config, &p->link) == 0);
	REQUIRE(link_join(p->link, "lobby") == 0);
	stage_run_last();
	take_events(p);
	REQUIRE(p->model.state == LINK_CLOSED);
	hang_up(p);
	REQUIRE(link_stop(p->link));
	model_fini(&p->model);
	stage_finish();
	free(p);
	playing = NULL;
	return 0;
}
