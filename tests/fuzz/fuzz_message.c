/*
 * Every message decoder: what decodes must encode to the same bytes, and its
 * text, lists and printed form must behave whatever is in them.
 *
 * Input: the message's number in network order, then the payload.
 *
 * About: common/message.c common/message_table.c
 */
#include "common/message.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"

#include <string.h>

static bool is_text(const struct field_spec *spec)
{
	return spec->kind == FIELD_NAME || spec->kind == FIELD_LINE || spec->kind == FIELD_BLOCK;
}

/* Are all texts among the fields clean, and within their bounds? */
static bool fields_clean(const struct field_spec *specs, size_t count, const void *value)
{
	bool clean = true;

	for (size_t i = 0; i < count; i++) {
		const struct span *s = (const void *)((const uint8_t *)value + specs[i].offset);
		if (!is_text(&specs[i]))
			continue;
		REQUIRE(s->length >= specs[i].least && s->length <= specs[i].most);
		if (specs[i].kind == FIELD_NAME)
			clean = clean && utf8_is_name(s->text, s->length);
		else if (specs[i].kind == FIELD_LINE)
			clean = clean && utf8_is_line(s->text, s->length);
		else
			clean = clean && utf8_is_block(s->text, s->length);
	}
	return clean;
}

/* Walk a list and build it again: the same bytes. Returns whether its text is clean. */
static bool check_list(const struct field_spec *spec, struct list l)
{
	size_t count, items = 0;
	const struct field_spec *specs = item_fields(spec->item, &count);
	struct list whole = l, again = {0};
	uint8_t *buffer = malloc(l.length + 1);
	union item item;
	bool clean = true;

	REQUIRE(buffer && l.count <= spec->most);
	while (message_list_next(&l, spec->item, &item)) {
		clean = fields_clean(specs, count, &item) && clean;
		REQUIRE(message_list_add(&again, spec->item, &item, buffer, whole.length) == 0);
		items++;
	}
	REQUIRE(items == whole.count && again.count == whole.count);
	REQUIRE(l.length == 0 && again.length == whole.length);
	if (whole.length)
		REQUIRE(memcmp(buffer, whole.bytes, whole.length) == 0);
	free(buffer);
	return clean;
}

static void check_text(const struct message_spec *spec, const union message *value)
{
	size_t count;
	const struct field_spec *specs = spec->fields(&count);
	bool clean = fields_clean(specs, count, value);

	for (size_t i = 0; i < count; i++) {
		const void *field = (const uint8_t *)value + specs[i].offset;
		if (specs[i].kind == FIELD_LIST)
			clean = check_list(&specs[i], *(const struct list *)field) && clean;
	}
	REQUIRE(message_check_text(spec->number, value) == (clean ? 0 : ERR_TEXT));
}

/* However small the buffer is, what is printed stays in it, ends, and cannot reach a terminal. */
static void check_print(const struct message_spec *spec, const union message *value)
{
	static const size_t sizes[] = {1, 2, 17, 80, 1024};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *out = malloc(sizes[i]);
		REQUIRE(out);
		REQUIRE(message_print(spec->number, value, out, sizes[i]) == out);
		REQUIRE(memchr(out, '\0', sizes[i]));
		REQUIRE(utf8_is_line(out, strlen(out)));
		free(out);
	}
}

static void check_encoding(const struct frame *f, const union message *value)
{
	size_t used, size = FRAME_HEADER + (size_t)f->length;
	uint8_t *out = malloc(size);

	REQUIRE(out);
	REQUIRE(message_encode(f->type, value, out, size, &used) == 0 && used == size);
	REQUIRE(frame_size(out) == size && bytes_u16(out + 4) == f->type);
	REQUIRE(memcmp(out + FRAME_HEADER, f->payload, f->length) == 0);
	REQUIRE(message_encode(f->type, value, out, size - 1, &used) == ERR_TOO_BIG);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union message value;

	if (size < 2 || size - 2 > FRAME_PAYLOAD_MAX)
		return 0;
	struct frame f = {
		.type = bytes_u16(data), .length = (uint32_t)(size - 2), .payload = data + 2};
	const struct message_spec *spec = message_spec(f.type);
	int r = message_decode(&f, &value);
	REQUIRE(spec ? r == 0 || r == ERR_PROTOCOL : r == ERR_NOT_FOUND);
	if (r != 0)
		return 0;
	check_encoding(&f, &value);
	check_text(spec, &value);
	check_print(spec, &value);
	PLANTED(f.type == MESSAGE_SAY && says_bugs(value.say.text.text, value.say.text.length));
	return 0;
}
