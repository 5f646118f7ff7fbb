/*
 * The test vectors of tests/vectors/messages.txt, which go with docs/PROTOCOL.md.
 *
 * Each frame must decode to the fields written above it, and encode to itself
 * again; no message may lack a vector. The frames were made by a program that
 * shares nothing with the codec.
 */
#include "common/message.h"

#include "common/frame.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "tests/vectors/messages.txt"

/* ---- the fields as the file has them ---- */

static void print_hex(FILE *out, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		fprintf(out, "%02x", bytes[i]);
	fputc('\n', out);
}

static void print_json(FILE *out, const struct span *s)
{
	fputc('"', out);
	for (size_t i = 0; i < s->length; i++) {
		if (s->text[i] == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (s->text[i] == '"' || s->text[i] == '\\')
			fputc('\\', out);
		fputc(s->text[i], out);
	}
	fputs("\"\n", out);
}

static void print_fields(
	FILE *out, const struct field_spec *specs, size_t count, const void *value);

static void print_list(FILE *out, enum item_kind kind, struct list l)
{
	static const char *const names[] = {
#define ITEM(NAME, name, fields) #NAME,
#include "common/messages.def"
	};
	size_t count;
	const struct field_spec *specs = item_fields(kind, &count);
	union item item;

	fprintf(out, "list %u\n", l.count);
	while (message_list_next(&l, kind, &item)) {
		fprintf(out, "item %s\n", names[kind]);
		print_fields(out, specs, count, &item);
	}
}

static void print_field(FILE *out, const struct field_spec *spec, const void *field)
{
	fprintf(out, "%s ", spec->name);
	switch (spec->kind) {
	case FIELD_U8:
		fprintf(out, "u8 %u\n", *(const uint8_t *)field);
		break;
	case FIELD_U16:
		fprintf(out, "u16 %u\n", *(const uint16_t *)field);
		break;
	case FIELD_U32:
		fprintf(out, "u32 %" PRIu32 "\n", *(const uint32_t *)field);
		break;
	case FIELD_U64:
		fprintf(out, "u64 %" PRIu64 "\n", *(const uint64_t *)field);
		break;
	case FIELD_ID16:
		fputs("id16 ", out);
		print_hex(out, field, 16);
		break;
	case FIELD_ID32:
		fputs("id32 ", out);
		print_hex(out, field, 32);
		break;
	case FIELD_NAME:
		fputs("name ", out);
		print_json(out, field);
		break;
	case FIELD_LINE:
		fputs("line ", out);
		print_json(out, field);
		break;
	case FIELD_BLOCK:
		fputs("block ", out);
		print_json(out, field);
		break;
	case FIELD_LIST:
		print_list(out, spec->item, *(const struct list *)field);
		break;
	}
}

static void print_fields(FILE *out, const struct field_spec *specs, size_t count, const void *value)
{
	for (size_t i = 0; i < count; i++)
		print_field(out, &specs[i], (const uint8_t *)value + specs[i].offset);
}

/* A message as a record without its frame; free it. */
static char *record_of(const struct message_spec *spec, const union message *value)
{
	char *text;
	size_t size, count;
	const struct field_spec *specs = spec->fields(&count);
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	fprintf(out, "message %s 0x%04x\n", spec->name, spec->number);
	print_fields(out, specs, count, value);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* ---- the file ---- */

static uint8_t hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, c);

	ck_assert_msg(c && at, "'%c' is no hex digit", c);
	return (uint8_t)(at - digits);
}

static size_t parse_hex(const char *text, uint8_t *out, size_t size)
{
	size_t used = 0;

	for (; *text; text += 2) {
		ck_assert_uint_lt(used, size);
		out[used++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
	}
	return used;
}

/* One record: what is written, and the frame's hex. Returns the message's number. */
static uint16_t check_vector(const char *record, const char *hex)
{
	static uint8_t bytes[FRAME_MAX], again[FRAME_MAX];
	struct frame f;
	union message value;
	size_t used;
	size_t size = parse_hex(hex, bytes, sizeof(bytes));

	ck_assert_msg(frame_decode_datagram(bytes, size, FRAME_PAYLOAD_MAX, &f) == 0,
		"not one frame:\n%s", record);
	ck_assert_msg(message_decode(&f, &value) == 0, "does not decode:\n%s", record);
	ck_assert_msg(message_check_text(f.type, &value) == 0, "unclean:\n%s", record);
	char *written = record_of(message_spec(f.type), &value);
	ck_assert_str_eq(written, record);
	free(written);
	ck_assert_int_eq(message_encode(f.type, &value, again, sizeof(again), &used), 0);
	ck_assert_uint_eq(used, size);
	ck_assert_mem_eq(again, bytes, size);
	return f.type;
}

START_TEST(every_message_has_a_vector)
{
	FILE *in = fopen(FILE_NAME, "r");
	char record[8192];
	size_t used = 0, size = 0, count;
	char *line = NULL;
	bool seen[UINT16_MAX + 1] = {false};
	ssize_t length;

	ck_assert_msg(in, "cannot open %s; run the tests in the project's folder", FILE_NAME);
	while ((length = getline(&line, &size, in)) > 0) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (strncmp(line, "frame ", 6) == 0) {
			line[length - 1] = '\0';
			record[used] = '\0';
			seen[check_vector(record, line + 6)] = true;
			used = 0;
			continue;
		}
		ck_assert_uint_lt(used + (size_t)length, sizeof(record));
		memcpy(record + used, line, (size_t)length);
		used += (size_t)length;
	}
	ck_assert_msg(used == 0, "the last record has no frame");
	free(line);
	fclose(in);
	const struct message_spec *rows = message_table(&count);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(seen[rows[i].number], "%s has no vector", rows[i].name);
}
END_TEST

Suite *vectors_suite(void)
{
	Suite *s = suite_create("vectors");
	TCase *messages = tcase_create("messages");

	tcase_add_test(messages, every_message_has_a_vector);
	suite_add_tcase(s, messages);
	return s;
}
