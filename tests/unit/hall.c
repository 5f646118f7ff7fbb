#include "tests/unit/hall.h"

#include "server/act.h"
#include "tests/unit/entries.h"

#include <check.h>

struct hub *hub;
struct engine *hall_engine;
struct segment_budget hall_budget;
uint8_t hall_bytes[HALL_BYTES];
const uint8_t hall_somebody[PERSON_ID] = {1};
const struct hub_viewer hall_everybody;

static void publish_act(const struct log_entry *e)
{
	struct stream_key subject;
	struct act a;

	ck_assert(stream_key_subject(e->room, &subject) && act_parse(e->text, &a) == 0);
	struct room *r = hub_find(hub, &subject);
	if (r)
		room_apply_act(r, &a, e->clock);
	room_unref(r);
	hub_look_again(hub, &subject);
}

/* As the chat does: what is in the log is in the room's feed. */
static void publish(void *context, const struct log_entry *e)
{
	uint8_t frame[SAID_FRAME_MAX];

	(void)context;
	if (e->kind == SAID_ACT) {
		publish_act(e);
		return;
	}
	struct room *r = hub_find(hub, e->room);
	if (!r)
		return;
	feed_publish(room_feed(r), frame, said_encode(e, room_name(r), NULL, frame), e->seq);
	room_unref(r);
}

void hall_setup(void)
{
	hall_budget.bound = 1 << 24;
	atomic_init(&hall_budget.bytes, 0);
	ck_assert_int_eq(engine_open_memory(1 << 20, publish, NULL, &hall_engine), 0);
	hub = hub_new(hall_engine, &hall_budget, HALL_ROOMS);
	ck_assert_ptr_nonnull(hub);
}

void hall_teardown(void)
{
	hub_free(hub);
	engine_close(hall_engine);
	ck_assert_uint_eq(atomic_load(&hall_budget.bytes), 0);
}

struct room *hall_room(const char *name)
{
	struct room *r = NULL;

	ck_assert_int_eq(hub_open(hub, span_of(name), &r), CODE_NONE);
	ck_assert_ptr_nonnull(r);
	return r;
}

void hall_say_kind(const char *room, enum said_kind kind, const char *text)
{
	static uint64_t counter;
	struct stream_key key = entry_room(room);
	struct append_result result;
	struct log_entry e = {
		.room = &key,
		.room_name = span_of(room),
		.kind = kind,
		.person = hall_somebody,
		.instance = hall_somebody,
		.counter = ++counter,
		.nick = span_of("n"),
		.text = span_of(text),
	};

	ck_assert_int_eq(engine_append(hall_engine, &e, 1, INT64_MAX, &result), 0);
	ck_assert_int_eq(result.status, APPEND_OK);
}

void hall_say(const char *room)
{
	hall_say_kind(room, SAID_TEXT, "x");
}

uint32_t hall_total(void)
{
	struct msg_room_list m;

	hub_list(hub, span_of(""), 1, &hall_everybody, &m, hall_bytes, sizeof(hall_bytes));
	return m.total;
}

struct room_session hall_session(const char *nick)
{
	return (struct room_session){.person = hall_somebody, .nick = nick, .away = ""};
}
