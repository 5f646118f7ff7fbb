/*
 * The client's whole receive path: whatever a server sends, and however that mixes
 * with what the user asks for, the session neither crashes nor lies.
 *
 * Input: a byte that says whether the login has been done already and how finely
 * the bytes are cut; then steps. A step is a byte: below 0x40 a frame follows
 * (its type is the byte, from 0x38 on 8 more, then a length in two bytes, then the
 * payload; where there is a lane, it comes in a datagram, too), above it
 * is a request of the user's, a moment that passes or the end of the connection;
 * 0xff: all the rest is bytes from the server as they are.
 *
 * About: client/link_session*.c client/event.c client/seats.c client/outbox.c
 *   client/pipe_print.c client/plain.c client/json.c
 */
#include "client/link_session.h"

#include "client/event.h"
#include "client/pipe_print.h"
#include "common/bytes.h"
#include "common/err.h"
#include "common/message.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"

#include <string.h>

#define STEPS_MOST 2000

struct fuzz {
	struct link_session *s;
	struct event_list events;
	struct link_bytes out;
	int64_t now;
	size_t cut;
	uint32_t login_tag; /* of the last login that went out */
	uint64_t said;      /* messages that the user sent */
	uint64_t lobby;     /* the last message of that room that was shown */
	bool lane;          /* there are datagrams */
	struct link_bytes tossed;
	FILE *sink;
	char *printed;
	size_t printed_length;
};

/* What is printed for scripts is one line of clean text, whatever came. */
static void check_printed(struct fuzz *z, const struct event *e, bool json)
{
	struct pipe_printer p = {.out = z->sink, .json = json, .nick = "me"};

	rewind(z->sink);
	pipe_print(&p, e);
	fflush(z->sink);
	size_t length = (size_t)ftell(z->sink);
	for (size_t at = 0; at < length;) {
		const char *line = z->printed + at;
		const char *end = memchr(line, '\n', length - at);
		REQUIRE(end);
		REQUIRE(utf8_is_line(line, (size_t)(end - line)));
		at += (size_t)(end - line) + 1;
	}
}

/* A page rises, what was found falls; all of it is complete. */
static void check_entries(const struct event *e)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct event *m = &e->entries[i];

		REQUIRE(m->type == EVENT_MESSAGE && m->kind < SAID_KINDS);
		REQUIRE(m->room && m->nick && m->text && (!m->direct || m->peer_nick));
		if (i > 0)
			REQUIRE(e->type == EVENT_FOUND ? m->seq < m[-1].seq : m->seq > m[-1].seq);
	}
}

static void check_event(struct fuzz *z, const struct event *e)
{
	if (e->type == EVENT_HISTORY || e->type == EVENT_FOUND)
		check_entries(e);
	if (e->type == EVENT_PLACES) {
		for (size_t i = 0; i < e->count; i++)
			REQUIRE(e->places[i].room);
	}
	if (e->type == EVENT_LOG_CHANGED || e->type == EVENT_PARTED)
		z->lobby = 0;
	PLANTED(e->type == EVENT_MESSAGE && says_bugs(e->text, strlen(e->text)));
	if (e->type == EVENT_MESSAGE) {
		REQUIRE(e->room && e->nick && e->text && e->kind < SAID_KINDS);
		REQUIRE(!e->direct || e->peer_nick);
		if (!e->direct && strcmp(e->room, "lobby") == 0) {
			REQUIRE(e->seq > z->lobby);
			z->lobby = e->seq;
		}
	}
	if (e->type == EVENT_ACK || e->type == EVENT_REFUSED)
		REQUIRE(e->counter >= 1 && e->counter <= z->said);
	if (e->type == EVENT_MEMBERS) {
		for (size_t i = 0; i < e->count; i++)
			REQUIRE(e->people[i].nick && e->people[i].away);
	}
	check_printed(z, e, true);
	check_printed(z, e, false);
}

static void take_events(struct fuzz *z)
{
	struct event *e;

	link_session_events(z->s, &z->events);
	while ((e = event_list_take(&z->events))) {
		check_event(z, e);
		event_free(e);
	}
	REQUIRE(link_session_unacknowledged(z->s) <= z->said);
}

/* Everything that goes out is a message that a client may send. */
static void take_output(struct fuzz *z)
{
	link_session_output(z->s, &z->out);
	for (size_t at = 0; at < z->out.length;) {
		struct frame f;
		union message m;

		REQUIRE(frame_decode(z->out.bytes + at, z->out.length - at, FRAME_PAYLOAD_MAX, &f,
				NULL) == 0);
		REQUIRE(message_decode(&f, &m) == 0);
		REQUIRE(message_spec(f.type)->sender & SENDER_CLIENT);
		if (f.type == MESSAGE_LOGIN)
			z->login_tag = m.login.tag;
		at += FRAME_HEADER + f.length;
	}
}

/* A lane that was given works at once; every datagram has one message that may be there. */
static void serve_lane(struct fuzz *z)
{
	struct lane_offer offer;
	struct link_race race;

	if (link_session_lane_offer(z->s, &offer)) {
		z->lane = offer.port != 9;
		link_session_lane_ready(z->s, z->lane ? NULL : "no", z->now);
	}
	REQUIRE(link_session_lane_output(z->s, &z->tossed) == 0);
	for (size_t at = 0; at < z->tossed.length; at += frame_size(z->tossed.bytes + at)) {
		struct frame f;
		union message m;

		REQUIRE(frame_decode_datagram(z->tossed.bytes + at,
				frame_size(z->tossed.bytes + at), FRAME_PAYLOAD_MAX, &f) == 0);
		REQUIRE(message_decode(&f, &m) == 0);
		REQUIRE(f.type == MESSAGE_PING || f.type == MESSAGE_PONG ||
			f.type == MESSAGE_PROBE || f.type == MESSAGE_TOSS);
	}
	z->tossed.length = 0;
	if (!link_session_race_look(z->s, z->now, &race))
		return;
	for (int way = 0; way < RACE_WAYS; way++) {
		const struct race_score *s = &race.scores[way];
		REQUIRE(s->arrived + s->lost <= s->sent && s->sent <= s->count);
		REQUIRE(s->late <= s->arrived && s->p50_us <= s->p99_us);
	}
}

static void reconnect(struct fuzz *z)
{
	link_session_end(z->s);
	z->lane = false;
	take_events(z);
	REQUIRE(link_session_begin(z->s, z->now, z->now + 10000000) == 0);
}

static void give(struct fuzz *z, const uint8_t *bytes, size_t length)
{
	size_t done = 0;
	size_t have = 0;

	while (have < length) {
		size_t used;

		have = length - have < z->cut ? length : have + z->cut;
		int r = link_session_input(z->s, bytes + done, have - done, z->now, &used);
		REQUIRE(used <= have - done);
		done += used;
		take_events(z);
		if (r != 0) {
			unsigned code;
			REQUIRE(link_session_reason(z->s, &code)[0] != '\0');
			reconnect(z);
			return;
		}
	}
}

/* A frame of what the input has left; returns how many bytes of it were taken. */
static size_t give_frame(struct fuzz *z, uint8_t type, const uint8_t *data, size_t size)
{
	static uint8_t frame[FRAME_MAX];

	if (size < 2)
		return size;
	size_t length = bytes_u16(data);
	if (length > size - 2)
		length = size - 2;
	if (type >= 0x38)
		type = (uint8_t)(type + 8);
	frame_encode_header(frame, (uint32_t)length, type, 0);
	memcpy(frame + FRAME_HEADER, data + 2, length);
	serve_lane(z);
	if (z->lane) {
		struct frame f = {.type = type, .length = (uint32_t)length, .payload = data + 2};
		link_session_lane_input(z->s, &f, z->now);
		link_session_lane_copy(z->s, &f);
		take_events(z);
	}
	give(z, frame, FRAME_HEADER + length);
	return 2 + length;
}

static void log_in(struct fuzz *z)
{
	struct msg_welcome welcome = {.version = PROTOCOL_VERSION,
		.features = FEATURE_LANE,
		.name = span_of("s"),
		.agent = span_of("")};
	struct msg_logged_in in = {.nick = span_of("anna"), .text_max = 100};
	uint8_t frame[256];
	size_t used;

	REQUIRE(message_encode(MESSAGE_WELCOME, &welcome, frame, sizeof(frame), &used) == 0);
	give(z, frame, used);
	take_output(z); /* which finds the login's tag */
	in.tag = z->login_tag;
	REQUIRE(message_encode(MESSAGE_LOGGED_IN, &in, frame, sizeof(frame), &used) == 0);
	give(z, frame, used);
}

/* Of what was said earlier, and of the lane. */
static void ask(struct fuzz *z, uint8_t which)
{
	const struct link_race_plan plan = {.count = 5, .size = 100};
	uint32_t number;

	switch (which % 12) {
	case 4:
		link_session_heard(z->s, z->now);
		break;
	case 5:
		(void)link_session_history(z->s, "lobby", HISTORY_BEFORE, 50, 10, &number);
		break;
	case 6:
		(void)link_session_history(z->s, "", HISTORY_AFTER, 5, LIST_MAX, &number);
		break;
	case 7:
		(void)link_session_history(z->s, "lobby", HISTORY_SINCE, 5, 3, &number);
		break;
	case 8:
		(void)link_session_search(z->s, SEARCH_EVERYWHERE, "", "words", 50, 10, &number);
		break;
	case 9:
		(void)link_session_read(z->s, "lobby", (uint64_t)z->now);
		break;
	case 0:
		(void)link_session_toss(z->s, "lobby", "catch", z->now);
		break;
	case 1:
		(void)link_session_race(z->s, "", &plan, z->now);
		break;
	case 2:
		(void)link_session_race(z->s, "ben", &plan, z->now);
		break;
	case 10:
		if (link_session_race_accept(z->s, 1, 5, z->now) != 0)
			(void)link_session_race_refuse(z->s, 1, CODE_RACING);
		break;
	case 11:
		serve_lane(z);
		break;
	default:
		(void)link_session_read(z->s, "", (uint64_t)z->now);
		break;
	}
}

static void request(struct fuzz *z, uint8_t which)
{
	static const uint8_t person[PERSON_ID] = {1};

	switch (which % 16) {
	case 0:
		(void)link_session_join(z->s, "lobby");
		break;
	case 1:
		(void)link_session_part(z->s, "lobby");
		break;
	case 2:
		(void)link_session_join(z->s, "other");
		break;
	case 3:
		z->said += link_session_say(z->s, "lobby", SAID_TEXT, "hi", NULL) == 0;
		break;
	case 4:
		z->said += link_session_direct(z->s, "ben", person, SAID_TEXT, "hi", NULL) == 0;
		break;
	case 5:
		(void)link_session_nick(z->s, "bea");
		break;
	case 6:
		(void)link_session_away(z->s, which & 16 ? PERSON_AWAY : PERSON_HERE, "lunch");
		break;
	case 7:
		(void)link_session_list_rooms(z->s);
		break;
	case 8:
		(void)link_session_list_members(z->s, "lobby");
		break;
	case 9:
		z->now += 1000 << (which >> 4);
		break;
	case 10:
		z->now += 20000000;
		break;
	case 11:
		take_output(z);
		break;
	case 12:
		reconnect(z);
		break;
	case 13:
		reconnect(z);
		log_in(z);
		break;
	case 14:
		(void)link_session_bye(z->s);
		break;
	default:
		ask(z, which >> 4);
		break;
	}
	if (link_session_tick(z->s, z->now) != 0)
		reconnect(z);
	REQUIRE(link_session_deadline(z->s) > 0);
	take_events(z);
}

static void run(struct fuzz *z, const uint8_t *data, size_t size)
{
	for (int i = 0; size > 0 && i < STEPS_MOST; i++) {
		uint8_t step = *data++;
		size--;
		if (step == 0xff) {
			give(z, data, size);
			return;
		}
		if (step >= 0x40) {
			request(z, step);
			continue;
		}
		size_t used = give_frame(z, step, data, size);
		data += used;
		size -= used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_session_config config = {
		.identity = {.id = {7}}, .instance = {9}, .nick = "anna", .any_nick = true};
	struct fuzz z = {.now = 1000000};

	if (size < 1)
		return 0;
	z.cut = data[0] >> 1 ? data[0] >> 1 : SIZE_MAX;
	z.sink = open_memstream(&z.printed, &z.printed_length);
	REQUIRE(z.sink);
	REQUIRE(link_session_new(&config, &z.s) == 0);
	REQUIRE(link_session_begin(z.s, z.now, z.now + 10000000) == 0);
	if (data[0] & 1) {
		log_in(&z);
		request(&z, 0);
	}
	run(&z, data + 1, size - 1);
	take_output(&z);
	link_session_free(z.s);
	event_list_fini(&z.events);
	free(z.out.bytes);
	free(z.tossed.bytes);
	fclose(z.sink);
	free(z.printed);
	return 0;
}
