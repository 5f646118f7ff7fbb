/*
 * Acts and charters: lines that are acts, or are not, done one after the other by a few
 * people in one room, on the server and to nicks, as the log would.
 *
 * Input: lines; the first character of each says who does it and where, the rest is the act
 * as the log writes it, or anything.
 *
 * About: server/act.c server/charter.c server/rules.c server/memory_acts.c common/lookalike.c
 */
#include "server/act.h"
#include "server/charter.h"
#include "server/memory_acts.h"
#include "server/rules.h"
#include "tests/fuzz/require.h"

#include <stdint.h>
#include <string.h>

#define NOW   UINT64_C(1764201600000000)
#define LINES 64

/* What an act is written as is what it is read as. */
static void check_act(struct span line)
{
	char written[ACT_TEXT_MAX], again[ACT_TEXT_MAX];
	struct act a, b;

	if (act_parse(line, &a) != 0)
		return;
	size_t length = act_print(&a, written);
	const struct span back = {.text = written, .length = (uint16_t)length};
	REQUIRE(act_parse(back, &b) == 0);
	REQUIRE(act_print(&b, again) == length && memcmp(written, again, length) == 0);
	REQUIRE(a.verb == b.verb && a.value == b.value && a.has_person == b.has_person);
}

static void check_charter(const struct charter *c)
{
	size_t owners = 0;
	struct charter back;
	char *text = charter_print(c);

	REQUIRE(text && strlen(text) <= UINT16_MAX);
	REQUIRE(charter_parse(text, strlen(text), &back) == 0);
	char *again = charter_print(&back);
	REQUIRE(again && strcmp(text, again) == 0);
	REQUIRE(charter_text_is_closed(span_of(text)) == (c->entry != ENTRY_OPEN));
	REQUIRE(c->count <= CHARTER_MOST && c->slow <= SLOW_MAX);
	for (size_t i = 0; i < c->count; i++) {
		const struct standing *s = &c->standings[i];
		owners += s->kind == STANDING_OWNER;
		REQUIRE(s->kind != STANDING_OWNER ||
			!charter_find(c, STANDING_BANNED, s->person, NOW));
		PLANTED(s->kind == STANDING_VOICE && says_bugs(s->label, strlen(s->label)));
	}
	REQUIRE(owners <= 1);
	charter_fini(&back);
	free(text);
	free(again);
}

/* One line. */
static void act(struct memory_acts *m, char who, struct span line)
{
	static const char room_name[] = "rden";
	struct stream_key room = {.length = sizeof(room_name) - 1}, stream;
	const uint8_t person[PERSON_ID] = {(uint8_t)('0' + (who & 3))};
	struct log_entry e = {.person = person, .kind = SAID_ACT, .text = line, .time = NOW};
	struct charter c;

	memcpy(room.bytes, room_name, sizeof(room_name) - 1);
	if (who & 4)
		stream_key_nicks(&stream);
	else
		stream_key_acts(who & 8 ? NULL : &room, &stream);
	e.room = &stream;
	check_act(line);
	if (memory_acts_decide(m, &e, (who & 64) != 0) != CODE_NONE)
		return;
	REQUIRE(memory_acts_apply(m, &e) == 0);
	if (who & 4)
		return;
	if (who & 8)
		stream_key_server(&room);
	REQUIRE(memory_acts_charter(m, &room, &c) == 0);
	check_charter(&c);
	charter_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct memory_acts m;
	struct charter c;

	if (size > 8192)
		return 0;
	memory_acts_init(&m, 8);
	for (int i = 0; i < LINES && size > 0; i++) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		if (length > 1)
			act(&m, *text,
				(struct span){.text = text + 1, .length = (uint16_t)(length - 1)});
		text += end ? length + 1 : length;
		size -= end ? length + 1 : length;
	}
	memory_acts_fini(&m);
	/* And whatever a damaged database has for one. */
	if (charter_parse((const char *)data, (size_t)(text - (const char *)data), &c) == 0)
		check_charter(&c);
	charter_fini(&c);
	return 0;
}
