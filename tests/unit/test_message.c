/*
 * Messages, generically: what is said here is said of every row of the table.
 */
#include "common/message.h"

#include "common/err.h"
#include "tests/unit/samples.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wider than any message may be, for what is one past a bound. */
#define WIDE (2 * FRAME_MAX)

/* The loop variable of a test over all rows. */
static const struct message_spec *row(int i)
{
	size_t count;

	return message_table(&count) + i;
}

static int rows(void)
{
	size_t count;

	message_table(&count);
	return (int)count;
}

/* Decode a payload that lies in a block of just its size, so that reading past it is noticed. The
 * copy is handed back for the value to borrow from; free it. */
static int decode_exact(uint16_t number, const uint8_t *payload, size_t length,
	union message *value, uint8_t **copy)
{
	*copy = malloc(length ? length : 1);
	ck_assert_ptr_nonnull(*copy);
	memcpy(*copy, payload, length);
	struct frame f = {.type = number, .length = (uint32_t)length, .payload = *copy};
	return message_decode(&f, value);
}

/* The result alone; on failure the value must not have been touched. */
static int decode_result(uint16_t number, const uint8_t *payload, size_t length)
{
	union message value, before;
	uint8_t *copy;

	memset(&value, 0x5a, sizeof(value));
	before = value;
	int r = decode_exact(number, payload, length, &value, &copy);
	if (r != 0)
		ck_assert_mem_eq(&value, &before, sizeof(value));
	free(copy);
	return r;
}

static bool is_text(const struct field_spec *spec)
{
	return spec->kind == FIELD_NAME || spec->kind == FIELD_LINE || spec->kind == FIELD_BLOCK;
}

/* ---- the tables ---- */

START_TEST(table_is_in_order)
{
	const struct message_spec *spec = row(_i);
	size_t count;

	ck_assert_uint_gt(spec->number, _i == 0 ? 0 : row(_i - 1)->number);
	ck_assert_ptr_eq(message_spec(spec->number), spec);
	ck_assert(spec->sender >= SENDER_CLIENT && spec->sender <= SENDER_BOTH);
	ck_assert(spec->phase >= PHASE_OPENING && spec->phase <= PHASE_EITHER);
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(row(i)->name, spec->name);
	spec->fields(&count);
	ck_assert_uint_gt(count, 0);
}
END_TEST

START_TEST(no_other_numbers)
{
	int known = 0;

	for (unsigned number = 0; number <= UINT16_MAX; number++)
		known += message_spec((uint16_t)number) != NULL;
	ck_assert_int_eq(known, rows());
	ck_assert_int_eq(decode_result(0, (const uint8_t *)"", 0), ERR_NOT_FOUND);
	ck_assert_int_eq(decode_result(UINT16_MAX, (const uint8_t *)"", 0), ERR_NOT_FOUND);
}
END_TEST

static void check_specs(const struct field_spec *specs, size_t count, bool in_item)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(specs[i].name, specs[j].name);
		ck_assert_uint_le(specs[i].least, specs[i].most);
		if (is_text(&specs[i]))
			ck_assert_uint_le(specs[i].most, PADDING_MAX);
		else if (specs[i].kind == FIELD_LIST)
			ck_assert(!in_item && specs[i].most == LIST_MAX);
		else
			ck_assert_uint_eq(specs[i].most, 0);
		ck_assert((specs[i].kind == FIELD_LIST) == (specs[i].item < ITEM_KINDS));
	}
}

START_TEST(fields_make_sense)
{
	size_t count;
	const struct field_spec *specs = row(_i)->fields(&count);

	check_specs(specs, count, false);
	for (size_t i = 0; i < count; i++) {
		if (specs[i].kind == FIELD_LIST) {
			size_t parts;
			const struct field_spec *item = item_fields(specs[i].item, &parts);
			check_specs(item, parts, true);
		}
	}
}
END_TEST

static const struct {
	unsigned number;
	const char *name, *text;
} codes[] = {
#define CODE(number_, NAME_, text_) {number_, #NAME_, text_},
#include "common/codes.def"
#undef CODE
};
#define CODES (sizeof(codes) / sizeof(codes[0]))

START_TEST(codes_are_in_order)
{
	for (size_t i = 0; i < CODES; i++) {
		ck_assert_uint_gt(codes[i].number, i == 0 ? 0 : codes[i - 1].number);
		ck_assert_uint_le(codes[i].number, UINT16_MAX);
		ck_assert_str_eq(code_text(codes[i].number), codes[i].text);
		/* A sentence goes into the text of an ERROR. */
		ck_assert_uint_gt(strlen(codes[i].text), 0);
		ck_assert_uint_le(strlen(codes[i].text), REASON_MAX);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(codes[i].name, codes[j].name);
	}
	ck_assert_ptr_null(code_text(CODE_NONE));
	ck_assert_ptr_null(code_text(codes[CODES - 1].number + 1));
}
END_TEST

/* ---- encoding and decoding ---- */

START_TEST(round_trip)
{
	const struct message_spec *spec = row(_i);
	static struct sample sample;
	static uint8_t expected[WIDE], frame[FRAME_MAX];
	size_t count, used;
	const struct field_spec *specs = spec->fields(&count);

	for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
		union message value;
		uint8_t *copy;
		sample_make(&sample, spec, (enum sample_kind)kind);
		size_t size = sample_write(expected, specs, count, &sample.value);
		ck_assert_int_eq(
			message_encode(spec->number, &sample.value, frame, sizeof(frame), &used),
			0);
		ck_assert_uint_eq(used, FRAME_HEADER + size);
		ck_assert_mem_eq(frame + FRAME_HEADER, expected, size);
		struct frame f;
		ck_assert_int_eq(frame_decode(frame, used, FRAME_PAYLOAD_MAX, &f, NULL), 0);
		ck_assert_uint_eq(f.type, spec->number);
		ck_assert_uint_eq(f.flags, 0);
		ck_assert_int_eq(decode_exact(f.type, f.payload, f.length, &value, &copy), 0);
		ck_assert(sample_equal(specs, count, &value, &sample.value));
		ck_assert_int_eq(message_check_text(spec->number, &value), 0);
		free(copy);
	}
}
END_TEST

/* Whatever is cut off or added, in the least message and in a typical one. */
START_TEST(truncated_or_too_long)
{
	const struct message_spec *spec = row(_i);
	static struct sample sample;
	static uint8_t payload[FRAME_MAX];
	size_t count;
	const struct field_spec *specs = spec->fields(&count);

	for (int kind = SAMPLE_LEAST; kind <= SAMPLE_TYPICAL; kind++) {
		sample_make(&sample, spec, (enum sample_kind)kind);
		size_t size = sample_write(payload, specs, count, &sample.value);
		for (size_t cut = 0; cut < size; cut++)
			ck_assert_int_eq(decode_result(spec->number, payload, cut), ERR_PROTOCOL);
		ck_assert_int_eq(decode_result(spec->number, payload, size), 0);
		payload[size] = 0;
		ck_assert_int_eq(decode_result(spec->number, payload, size + 1), ERR_PROTOCOL);
	}
}
END_TEST

START_TEST(encoding_into_too_little_room)
{
	const struct message_spec *spec = row(_i);
	static struct sample sample;
	size_t size;
	uint8_t frame[1024];

	sample_make(&sample, spec, SAMPLE_TYPICAL);
	ck_assert_int_eq(
		message_encode(spec->number, &sample.value, frame, sizeof(frame), &size), 0);
	for (size_t room = 0; room < size; room++) {
		size_t used = 77;
		uint8_t *exact = malloc(room ? room : 1);
		ck_assert_ptr_nonnull(exact);
		ck_assert_int_eq(message_encode(spec->number, &sample.value, exact, room, &used),
			ERR_TOO_BIG);
		ck_assert_uint_eq(used, 77);
		free(exact);
	}
}
END_TEST

/* ---- bounds of text, also of text in the items of lists ---- */

/* What to do with one text of a message: `text` is a field of `spec` in `sample`, and lies in an item
 * of a list when `list` is not NULL. */
struct target {
	const struct message_spec *message;
	const struct field_spec *spec;
	const struct field_spec *list;
};

/* The payload of a typical message in which the target's text is another one. */
static size_t write_with_text(uint8_t *out, const struct target *t, struct span text)
{
	static struct sample sample;
	static uint8_t items[WIDE];
	union item item;
	size_t count, parts;
	const struct field_spec *specs = t->message->fields(&count);

	sample_make(&sample, t->message, SAMPLE_TYPICAL);
	if (!t->list) {
		*(struct span *)((uint8_t *)&sample.value + t->spec->offset) = text;
	} else {
		const struct field_spec *item_specs = item_fields(t->list->item, &parts);
		sample_item(&item, t->list->item, SAMPLE_TYPICAL);
		*(struct span *)((uint8_t *)&item + t->spec->offset) = text;
		size_t length = sample_write(items, item_specs, parts, &item);
		*(struct list *)((uint8_t *)&sample.value + t->list->offset) =
			(struct list){.bytes = items, .length = (uint32_t)length, .count = 1};
	}
	return sample_write(out, specs, count, &sample.value);
}

/* Call `visit` for every text that a message has. */
static void each_text(const struct message_spec *message, void (*visit)(const struct target *))
{
	size_t count, parts;
	const struct field_spec *specs = message->fields(&count);

	for (size_t i = 0; i < count; i++) {
		if (is_text(&specs[i]))
			visit(&(struct target){.message = message, .spec = &specs[i]});
		if (specs[i].kind != FIELD_LIST)
			continue;
		const struct field_spec *item = item_fields(specs[i].item, &parts);
		for (size_t j = 0; j < parts; j++) {
			if (is_text(&item[j]))
				visit(&(struct target){
					.message = message, .spec = &item[j], .list = &specs[i]});
		}
	}
}

static void check_text_bounds(const struct target *t)
{
	static uint8_t payload[WIDE];
	static char letters[NOTICE_MAX + 1];
	const struct {
		size_t length;
		int result;
	} cases[] = {
		{t->spec->least, 0},
		{t->spec->least - 1U, ERR_PROTOCOL},
		{t->spec->most, 0},
		{t->spec->most + 1U, ERR_PROTOCOL},
	};

	memset(letters, 'x', sizeof(letters));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].length > sizeof(letters)) /* nothing is less than none */
			continue;
		struct span text = {.text = letters, .length = (uint16_t)cases[i].length};
		size_t size = write_with_text(payload, t, text);
		ck_assert_msg(decode_result(t->message->number, payload, size) == cases[i].result,
			"%s %s of %zu bytes", t->message->name, t->spec->name, cases[i].length);
	}
}

START_TEST(text_bounds)
{
	each_text(row(_i), check_text_bounds);
}
END_TEST

/* Which of these may stand in a name, a line, a block? */
static const struct {
	const char *text;
	bool name, line, block;
} texts[] = {
	{"anna", true, true, true},
	{"\xd0\xb0\xd0\xbd\xd0\xbd\xd0\xb0", true, true, true},
	{"two words", false, true, true},
	{"two\nlines", false, false, true},
	{"a\ttab", false, false, false},
	{"\x1b[31m", false, false, false},
	{"\x7f", false, false, false},
	{"\xc2\x9b", false, false, false},
	{"\xff", false, false, false},
	{"\xc0\x80", false, false, false},
	{"cut \xd0", false, false, false},
	{"\xe2\x80\xae", false, false, false},
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static void check_cleanliness(const struct target *t)
{
	static uint8_t payload[WIDE];

	for (size_t i = 0; i < TEXTS; i++) {
		union message value;
		uint8_t *copy;
		bool clean = t->spec->kind == FIELD_NAME   ? texts[i].name
			     : t->spec->kind == FIELD_LINE ? texts[i].line
							   : texts[i].block;
		size_t size = write_with_text(payload, t, span_of(texts[i].text));
		uint16_t number = t->message->number;
		ck_assert_int_eq(decode_exact(number, payload, size, &value, &copy), 0);
		ck_assert_msg(message_check_text(number, &value) == (clean ? 0 : ERR_TEXT),
			"%s %s, text %zu", t->message->name, t->spec->name, i);
		free(copy);
	}
}

START_TEST(text_cleanliness)
{
	each_text(row(_i), check_cleanliness);
}
END_TEST

/* ---- lists ---- */

/* A message's payload whose list has `items` of the least size and says that it has `says`. */
static size_t write_with_list(uint8_t *out, const struct message_spec *message,
	const struct field_spec *list, size_t items, size_t says)
{
	static struct sample sample;
	static uint8_t bytes[WIDE];
	union item item;
	size_t count, parts, length = 0;
	const struct field_spec *specs = message->fields(&count);
	const struct field_spec *item_specs = item_fields(list->item, &parts);

	sample_make(&sample, message, SAMPLE_LEAST);
	sample_item(&item, list->item, SAMPLE_LEAST);
	for (size_t i = 0; i < items; i++)
		length += sample_write(bytes + length, item_specs, parts, &item);
	*(struct list *)((uint8_t *)&sample.value + list->offset) =
		(struct list){.bytes = bytes, .length = (uint32_t)length, .count = (uint16_t)says};
	return sample_write(out, specs, count, &sample.value);
}

START_TEST(list_bounds)
{
	static uint8_t payload[WIDE];
	static const struct {
		size_t items, says;
		int result;
	} cases[] = {
		{0, 0, 0},
		{1, 1, 0},
		{LIST_MAX, LIST_MAX, 0},
		{LIST_MAX + 1, LIST_MAX + 1, ERR_PROTOCOL},
		{0, 1, ERR_PROTOCOL},
		{2, 1, ERR_PROTOCOL},
		{1, 2, ERR_PROTOCOL},
		{1, UINT16_MAX, ERR_PROTOCOL},
	};
	const struct message_spec *spec = row(_i);
	size_t count;
	const struct field_spec *specs = spec->fields(&count);

	for (size_t i = 0; i < count; i++) {
		if (specs[i].kind != FIELD_LIST)
			continue;
		for (size_t j = 0; j < sizeof(cases) / sizeof(cases[0]); j++) {
			size_t size = write_with_list(
				payload, spec, &specs[i], cases[j].items, cases[j].says);
			ck_assert_msg(decode_result(spec->number, payload, size) == cases[j].result,
				"%s: %zu items, says %zu", spec->name, cases[j].items,
				cases[j].says);
		}
	}
}
END_TEST

START_TEST(list_gives_back_what_was_added)
{
	uint8_t buffer[1024];
	struct list l = {0};
	char names[3][2] = {"a", "b", "c"};

	for (uint32_t i = 0; i < 3; i++) {
		struct item_room room = {
			.name = span_of(names[i]), .people = i, .topic = span_of("topic")};
		ck_assert_int_eq(message_list_add(&l, ITEM_ROOM, &room, buffer, sizeof(buffer)), 0);
		ck_assert_uint_eq(l.count, i + 1);
	}
	struct item_room room;
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert(message_list_next(&l, ITEM_ROOM, &room));
		ck_assert(span_equal(room.name, names[i]));
		ck_assert_uint_eq(room.people, i);
		ck_assert(span_equal(room.topic, "topic"));
	}
	ck_assert(!message_list_next(&l, ITEM_ROOM, &room));
	ck_assert_uint_eq(l.length, 0);
}
END_TEST

START_TEST(list_without_room_stays_as_it_was)
{
	static const size_t item_size = 2 + 1 + 4 + 2;
	struct item_room room = {.name = span_of("a"), .topic = span_of("")};
	uint8_t buffer[64];

	for (size_t size = 0; size < 3 * item_size; size++) {
		struct list l = {0};
		uint8_t *exact = malloc(size ? size : 1);
		ck_assert_ptr_nonnull(exact);
		for (size_t i = 0; i < size / item_size; i++)
			ck_assert_int_eq(message_list_add(&l, ITEM_ROOM, &room, exact, size), 0);
		struct list before = l;
		ck_assert_int_eq(message_list_add(&l, ITEM_ROOM, &room, exact, size), ERR_TOO_BIG);
		ck_assert_mem_eq(&l, &before, sizeof(l));
		free(exact);
	}
	struct list empty = {0};
	ck_assert(!message_list_next(&empty, ITEM_ROOM, buffer));
}
END_TEST

/* 200 rooms with the longest topics are more than a frame holds, and that is found. */
START_TEST(more_than_a_frame)
{
	static uint8_t items[WIDE], frame[WIDE];
	struct msg_room_list value = {0};
	struct item_room room;
	size_t used = 77;

	sample_item(&room, ITEM_ROOM, SAMPLE_MOST);
	while (value.rooms.count < LIST_MAX)
		ck_assert_int_eq(
			message_list_add(&value.rooms, ITEM_ROOM, &room, items, sizeof(items)), 0);
	ck_assert_int_eq(message_encode(MESSAGE_ROOM_LIST, &value, frame, sizeof(frame), &used),
		ERR_TOO_BIG);
	ck_assert_uint_eq(used, 77);
}
END_TEST

/* ---- printing ---- */

START_TEST(printing_shows_every_field)
{
	const struct message_spec *spec = row(_i);
	static struct sample sample;
	char line[4096];
	size_t count;
	const struct field_spec *specs = spec->fields(&count);

	sample_make(&sample, spec, SAMPLE_TYPICAL);
	ck_assert_ptr_eq(message_print(spec->number, &sample.value, line, sizeof(line)), line);
	ck_assert(strncmp(line, spec->name, strlen(spec->name)) == 0);
	const char *at = line;
	for (size_t i = 0; i < count; i++) {
		char name[64];
		snprintf(name, sizeof(name), " %s=", specs[i].name);
		at = strstr(at, name);
		ck_assert_msg(at, "%s lacks %s", line, name);
	}
}
END_TEST

START_TEST(printing_stays_in_its_buffer)
{
	const struct message_spec *spec = row(_i);
	static struct sample sample;

	for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
		sample_make(&sample, spec, (enum sample_kind)kind);
		for (size_t size = 1; size <= 600; size++) {
			char *exact = malloc(size);
			ck_assert_ptr_nonnull(exact);
			memset(exact, 'x', size);
			message_print(spec->number, &sample.value, exact, size);
			ck_assert_ptr_nonnull(memchr(exact, '\0', size));
			free(exact);
		}
	}
}
END_TEST

START_TEST(printing_escapes_text)
{
	struct msg_say say = {.counter = 1,
		.room = span_of("lobby"),
		.text = span_of("a\n\x1b[31m \xff \xd0\x96")};
	char line[256];

	message_print(MESSAGE_SAY, &say, line, sizeof(line));
	ck_assert_str_eq(line, "SAY counter=1 kind=0 room=\"lobby\" "
			       "text=\"a\\n\\x1b[31m \\xff \xd0\x96\"");
}
END_TEST

START_TEST(spans)
{
	struct span nothing = {0};

	ck_assert(span_equal(nothing, ""));
	ck_assert(!span_equal(nothing, "a"));
	ck_assert(span_equal(span_of("anna"), "anna"));
	ck_assert(!span_equal(span_of("anna"), "anne"));
	ck_assert(!span_equal(span_of("anna"), "ann"));
	ck_assert(!span_equal(span_of("anna"), "annas"));
}
END_TEST

Suite *message_suite(void)
{
	Suite *s = suite_create("message");
	TCase *tables = tcase_create("tables");
	TCase *codec = tcase_create("codec");
	TCase *lists = tcase_create("lists");
	TCase *printing = tcase_create("printing");

	tcase_add_loop_test(tables, table_is_in_order, 0, rows());
	tcase_add_loop_test(tables, fields_make_sense, 0, rows());
	tcase_add_test(tables, no_other_numbers);
	tcase_add_test(tables, codes_are_in_order);
	suite_add_tcase(s, tables);
	tcase_add_loop_test(codec, round_trip, 0, rows());
	tcase_add_loop_test(codec, truncated_or_too_long, 0, rows());
	tcase_add_loop_test(codec, encoding_into_too_little_room, 0, rows());
	tcase_add_loop_test(codec, text_bounds, 0, rows());
	tcase_add_loop_test(codec, text_cleanliness, 0, rows());
	tcase_add_test(codec, spans);
	suite_add_tcase(s, codec);
	tcase_add_loop_test(lists, list_bounds, 0, rows());
	tcase_add_test(lists, list_gives_back_what_was_added);
	tcase_add_test(lists, list_without_room_stays_as_it_was);
	tcase_add_test(lists, more_than_a_frame);
	suite_add_tcase(s, lists);
	tcase_add_loop_test(printing, printing_shows_every_field, 0, rows());
	tcase_add_loop_test(printing, printing_stays_in_its_buffer, 0, rows());
	tcase_add_test(printing, printing_escapes_text);
	suite_add_tcase(s, printing);
	return s;
}
