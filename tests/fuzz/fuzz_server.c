/*
 * The server's whole way of a connection: whatever comes in, in whatever phase, on
 * however many connections at once, costs no more than those connections.
 *
 * The real sessions, rooms, feeds and log in memory, with the drain thread and the
 * history readers, on a stage (stage.h). One well-behaved member, the witness, is in
 * the lobby all the time. It sees everything that the log has of the lobby, in order
 * and once, and is answered to the last.
 *
 * Input: a byte of settings, then steps. A step is a byte: below 0x40 a frame follows
 * (its type is the byte, then a length in two bytes, then the payload), above it
 * something happens: see act. 0xff: all the rest is bytes as they are.
 *
 * About: server/session*.c server/intake.c server/chat.c server/room.c server/occupant.c server/people.c server/hub*.c
 *   server/feed.c server/outlet.c server/member.c server/pump.c server/drain.c server/catchup.c
 *   server/engine_memory.c server/memory_*.c server/logins.c server/budget.c server/said.c
 */
#include "server/session.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/log.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/stage.h"

#include <string.h>

#define DEEP       3 /* connections at once, beside the witness's */
#define STEPS_MOST 1500
#define SEEN_MOST  4096

/* A connection of somebody who means no good. */
struct guest {
	struct stage_end end;
	struct session *session;
	uint8_t sent[FRAME_MAX]; /* what it is to receive */
	uint64_t counter;        /* of its own messages */
	uint64_t told;           /* messages that it was asked to keep, as far as can be seen */
};

struct play {
	const uint8_t *data;
	size_t size;
	int steps;
	size_t cut;
	struct chat *chat;
	struct guest *guests[DEEP]; /* the last of them acts */
	size_t depth;

	struct stage_end witness;
	uint8_t asked[512];  /* what the witness says next */
	size_t witness_read; /* of what it was sent */
	uint64_t lobby;      /* the last number it saw there */
	uint64_t seen[SEEN_MOST];
	size_t seen_count;
	uint64_t token, answered; /* of its pings */
	bool leaving;
};

/* ---- what comes out ---- */

static void check_message(const struct frame *f, union message *m)
{
	const struct message_spec *spec = message_spec(f->type);

	REQUIRE(spec && (spec->sender & SENDER_SERVER));
	REQUIRE(message_decode(f, m) == 0);
	REQUIRE(message_check_text(f->type, m) == 0);
}

/* What a guest was told: whole frames, in the order of the phases, and nothing after the last word. */
static void check_guest(const struct guest *g)
{
	const struct stage_end *e = &g->end;
	uint64_t last_kept = 0, answers = 0;
	bool logged_in = false, over = false;
	struct frame f;
	union message m;
	size_t at = 0;

	while (at < e->out_length &&
		frame_decode(e->out + at, e->out_length - at, FRAME_PAYLOAD_MAX, &f, NULL) == 0) {
		REQUIRE(!over);
		check_message(&f, &m);
		REQUIRE(logged_in || message_spec(f.type)->phase & PHASE_OPENING);
		logged_in = logged_in || f.type == MESSAGE_LOGGED_IN;
		over = f.type == MESSAGE_BYE || (f.type == MESSAGE_ERROR && m.error.fatal);
		answers += f.type == MESSAGE_ACK || f.type == MESSAGE_REFUSED;
		if (f.type == MESSAGE_ACK && !m.ack.duplicate) {
			REQUIRE(m.ack.seq > last_kept);
			last_kept = m.ack.seq;
		}
		at += FRAME_HEADER + (size_t)f.length;
	}
	/* Only who does not read can get a part of one. */
	REQUIRE(at == e->out_length || e->room == 0);
	REQUIRE(answers <= g->told);
}

static void see_said(struct play *p, const struct msg_said *said)
{
	REQUIRE(span_equal(said->room, "lobby"));
	REQUIRE(said->seq > p->lobby && said->prev == p->lobby);
	p->lobby = said->seq;
	if (p->seen_count < SEEN_MOST)
		p->seen[p->seen_count++] = said->seq;
	PLANTED(said->kind == SAID_ACTION && says_bugs(said->text.text, said->text.length));
}

/* What the witness was told since it was looked at last. */
static void check_witness(struct play *p)
{
	struct stage_end *e = &p->witness;
	struct frame f;
	union message m;

	while (p->witness_read < e->out_length &&
		frame_decode(e->out + p->witness_read, e->out_length - p->witness_read,
			FRAME_PAYLOAD_MAX, &f, NULL) == 0) {
		check_message(&f, &m);
		REQUIRE(f.type != MESSAGE_BYE && f.type != MESSAGE_ERROR);
		REQUIRE(f.type != MESSAGE_GAP && f.type != MESSAGE_PARTED);
		if (f.type == MESSAGE_SAID)
			see_said(p, &m.said);
		else if (f.type == MESSAGE_PONG)
			p->answered = m.pong.token;
		p->witness_read += FRAME_HEADER + (size_t)f.length;
	}
	REQUIRE(p->witness_read == e->out_length);
}

/* ---- what goes in ---- */

static size_t put(uint8_t *to, size_t size, enum message_number number, const void *value)
{
	size_t used = 0;

	REQUIRE(message_encode((uint16_t)number, value, to, size, &used) == 0);
	return used;
}

static void give(struct guest *g, const uint8_t *bytes, size_t length)
{
	REQUIRE(length <= sizeof(g->sent));
	memcpy(g->sent, bytes, length);
	g->end.in = g->sent;
	g->end.in_length = length;
	/* As many as begin in it, wherever it is cut; each such frame has some bytes. */
	g->told += 1 + length / FRAME_HEADER;
}

static void give_message(struct guest *g, enum message_number number, const void *value)
{
	uint8_t frame[1024];

	give(g, frame, put(frame, sizeof(frame), number, value));
}

/* A frame of what the input has left. */
static void give_frame(struct play *p, struct guest *g, uint8_t type)
{
	static uint8_t frame[FRAME_MAX];
	size_t length = p->size < 2 ? 0 : bytes_u16(p->data);
	size_t head = p->size < 2 ? p->size : 2;

	p->data += head;
	p->size -= head;
	if (length > p->size)
		length = p->size;
	frame_encode_header(frame, (uint32_t)length, type, 0);
	memcpy(frame + FRAME_HEADER, p->data, length);
	p->data += length;
	p->size -= length;
	give(g, frame, FRAME_HEADER + length);
}

static void log_in(struct guest *g, uint8_t who)
{
	struct msg_hello hello = {
		.version_low = 1, .version_high = 1, .features = 1, .agent = span_of("")};
	struct msg_login login = {.tag = 2, .flags = LOGIN_ANY_NICK, .nick = span_of("guest")};
	struct msg_join join = {.tag = 3, .room = span_of("lobby"), .replay = 20};
	uint8_t frames[1024];

	/* Several may be one person, and even one client. */
	login.person[0] = 1 + (who & 1);
	login.instance[0] = 1 + (who & 3);
	size_t length = put(frames, sizeof(frames), MESSAGE_HELLO, &hello);
	length += put(frames + length, sizeof(frames) - length, MESSAGE_LOGIN, &login);
	length += put(frames + length, sizeof(frames) - length, MESSAGE_JOIN, &join);
	give(g, frames, length);
}

static void say(struct guest *g, uint8_t kind)
{
	struct msg_say m = {.counter = ++g->counter,
		.kind = kind & 1 ? SAID_NOTICE : SAID_TEXT,
		.room = span_of("lobby"),
		.text = span_of("anything at all")};

	give_message(g, MESSAGE_SAY, &m);
}

/* To a person who has that id, be they here or not. */
static void whisper(struct guest *g, uint8_t whom)
{
	struct msg_direct m = {.counter = ++g->counter, .text = span_of("between us")};

	m.person[0] = whom & 3;
	m.nick = span_of(whom & 3 ? "" : "witness");
	give_message(g, MESSAGE_DIRECT, &m);
}

static void witness_gives(struct play *p, size_t length)
{
	p->witness.in = p->asked;
	p->witness.in_length = length;
}

static void witness_pings(struct play *p)
{
	struct msg_ping ping = {.token = ++p->token};

	witness_gives(p, put(p->asked, sizeof(p->asked), MESSAGE_PING, &ping));
}

static void witness_logs_in(struct play *p)
{
	struct msg_hello hello = {.version_low = 1, .version_high = 1, .agent = span_of("")};
	struct msg_login login = {.tag = 2, .nick = span_of("witness")};
	struct msg_join join = {.tag = 3, .room = span_of("lobby")};

	login.person[0] = login.instance[0] = 9;
	size_t length = put(p->asked, sizeof(p->asked), MESSAGE_HELLO, &hello);
	length += put(p->asked + length, sizeof(p->asked) - length, MESSAGE_LOGIN, &login);
	length += put(p->asked + length, sizeof(p->asked) - length, MESSAGE_JOIN, &join);
	witness_gives(p, length);
}

/* ---- connections ---- */

/* One connection, from its beginning to its end; others may come and go meanwhile. */
static void visit(struct play *p)
{
	struct net_address nowhere = {0};
	struct guest *g = calloc(1, sizeof(*g));

	REQUIRE(g && p->depth < DEEP);
	g->end.cut = p->cut;
	g->end.room = SIZE_MAX / 2;
	REQUIRE(session_new(p->chat, stage_connect(&g->end), &nowhere, &g->session) == 0);
	p->guests[p->depth++] = g;
	session_run(g->session, NULL, NULL);
	p->depth--;
	stage_run_threads(); /* which may still have to let go of it */
	session_free(g->session);
	check_guest(g);
	stage_end_fini(&g->end);
	free(g);
	/* However much time has passed, the witness was not silent. */
	witness_pings(p);
}

/* What happens apart from frames. */
static void act(struct play *p, struct guest *g, uint8_t step)
{
	uint8_t which = step >> 4 & 3;

	switch (step & 15) {
	case 0:
		stage_pass_ms(INT64_C(1) << which * 5);
		break;
	case 1:
		if (p->depth < DEEP)
			visit(p);
		break;
	case 2:
		g->end.closed = true;
		break;
	case 3:
		g->end.room = which * (size_t)100;
		break;
	case 4:
		g->end.room = SIZE_MAX / 2;
		break;
	case 5:
	case 6:
		log_in(g, which);
		break;
	case 7:
		say(g, which);
		break;
	case 8:
		whisper(g, which);
		break;
	case 9:
		session_stop(g->session);
		break;
	case 10:
		g->counter = which; /* to be said again */
		break;
	case 11:
		stage_pass_ms(40000);
		break;
	default:
		stage_run_threads();
		break;
	}
}

/* What the witness does when nobody else is there: see what there is, ask whether it is heard, and leave
 * when the play is over. */
static bool witness_step(struct play *p)
{
	check_witness(p);
	if (p->size > 0 && p->steps < STEPS_MOST) {
		visit(p);
		return true;
	}
	if (p->leaving)
		return false;
	/* Everything has been said, and has reached it. */
	if (p->answered == p->token && p->token > 0) {
		p->leaving = true;
		p->witness.closed = true;
	} else if (p->witness.in_length > 0) {
		return false; /* it has said more than it may for now */
	} else {
		witness_pings(p);
	}
	return true;
}

static bool step(void *context)
{
	struct play *p = context;
	struct guest *g = p->depth ? p->guests[p->depth - 1] : NULL;

	stage_run_threads();
	if (!g)
		return witness_step(p);
	if (p->size == 0 || p->steps++ >= STEPS_MOST) {
		bool was = g->end.closed;
		g->end.closed = true;
		return !was;
	}
	uint8_t what = *p->data++;
	p->size--;
	if (g->end.in_length > 0)
		return true; /* it is not read from; what would come waits */
	if (what == 0xff) {
		size_t length = p->size < sizeof(g->sent) ? p->size : sizeof(g->sent);
		give(g, p->data, length);
		p->data += length;
		p->size -= length;
	} else if (what < 0x40) {
		give_frame(p, g, what);
	} else {
		act(p, g, what);
	}
	return true;
}

/* ---- the play ---- */

static bool check_entry(void *context, const struct log_entry *e)
{
	struct play *p = context;
	size_t i = 0;

	while (i < p->seen_count && p->seen[i] != e->seq)
		i++;
	REQUIRE(i < p->seen_count || p->seen_count == SEEN_MOST);
	REQUIRE(utf8_is_line(e->text.text, e->text.length));
	return true;
}

/* The witness has seen all that the log has of the lobby, and nobody is left. */
static void check_end(struct play *p)
{
	struct stream_key lobby;
	uint64_t pruned;

	check_witness(p);
	REQUIRE(stream_key_room("lobby", 5, &lobby) == 0);
	REQUIRE(engine_range(
			chat_engine(p->chat), &lobby, 0, UINT64_MAX, check_entry, p, &pruned) == 0);
	REQUIRE(people_count(chat_people(p->chat)) == 0);
}

static void start_chat(struct play *p, uint8_t settings)
{
	struct chat_config config = {
		.keep_bytes = settings & 4 ? 8192 : 1 << 20,
		.window_bytes = settings & 8 ? 8192 : 1 << 20,
		.policy =
			{
				.name = "fuzz",
				.login_ms = 10000,
				.frame_ms = 30000,
				.ping_ms = 30000,
				.idle_ms = 120000,
				.rate = settings & 16 ? 5 : 0,
				.burst = 10,
				.replay_max = 100,
				.rooms_each = 3,
				.rooms_max = 5,
			},
		.motd = settings & 32 ? "welcome\nto the play" : NULL,
	};
	char error[256];

	log_set_level(LOG_LEVEL_ERROR);
	REQUIRE(chat_start(&config, &p->chat, error, sizeof(error)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_address nowhere = {0};
	struct session *witness;

	if (size < 1)
		return 0;
	struct play *p = calloc(1, sizeof(*p));
	REQUIRE(p);
	p->data = data + 1;
	p->size = size - 1;
	p->cut = data[0] & 2 ? 7 : SIZE_MAX;
	p->witness.cut = SIZE_MAX;
	p->witness.room = SIZE_MAX / 2;
	stage_begin(step, p, 2000 + size * 20);
	start_chat(p, data[0]);
	REQUIRE(session_new(p->chat, stage_connect(&p->witness), &nowhere, &witness) == 0);
	witness_logs_in(p);
	session_run(witness, NULL, NULL);
	stage_run_threads();
	session_free(witness);
	check_end(p);
	chat_stop(p->chat);
	stage_end_fini(&p->witness);
	stage_finish();
	free(p);
	return 0;
}
