/*
 * The rows that messages.def and codes.def make, and how to find one.
 */
#include "common/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Each struct's rows live in a function of their own, because only a scope can give the name STRUCT
 * another meaning for every expansion of the field macros. */
#define ROW(field, kind_, least_, most_, item_)                                                    \
	{.name = #field,                                                                           \
		.kind = (kind_),                                                                   \
		.offset = offsetof(STRUCT, field),                                                 \
		.least = (least_),                                                                 \
		.most = (most_),                                                                   \
		.item = (item_)},
#define U8(field)                 ROW(field, FIELD_U8, 0, 0, ITEM_KINDS)
#define U16(field)                ROW(field, FIELD_U16, 0, 0, ITEM_KINDS)
#define U32(field)                ROW(field, FIELD_U32, 0, 0, ITEM_KINDS)
#define U64(field)                ROW(field, FIELD_U64, 0, 0, ITEM_KINDS)
#define ID16(field)               ROW(field, FIELD_ID16, 0, 0, ITEM_KINDS)
#define ID32(field)               ROW(field, FIELD_ID32, 0, 0, ITEM_KINDS)
#define NAME(field, least, most)  ROW(field, FIELD_NAME, least, most, ITEM_KINDS)
#define LINE(field, least, most)  ROW(field, FIELD_LINE, least, most, ITEM_KINDS)
#define BLOCK(field, least, most) ROW(field, FIELD_BLOCK, least, most, ITEM_KINDS)
#define LIST(field, item, most)   ROW(field, FIELD_LIST, 0, most, ITEM_##item)

/* The rows arrive with commas in them, hence the dots. */
#define ROWS(prefix, name, ...)                                                                    \
	static const struct field_spec *prefix##name##_fields(size_t *count)                       \
	{                                                                                          \
		typedef struct prefix##name STRUCT;                                                \
		static const struct field_spec rows[] = {__VA_ARGS__};                             \
		*count = sizeof(rows) / sizeof(rows[0]);                                           \
		return rows;                                                                       \
	}
#define MESSAGE(number, NAME_, name, sender, phase, fields) ROWS(msg_, name, fields)
#define ITEM(NAME_, name, fields)                           ROWS(item_, name, fields)
#include "common/messages.def"

static const struct message_spec table[] = {
#define MESSAGE(number_, NAME_, name_, sender_, phase_, fields_)                                   \
	{.number = (number_),                                                                      \
		.name = #NAME_,                                                                    \
		.sender = SENDER_##sender_,                                                        \
		.phase = PHASE_##phase_,                                                           \
		.fields = msg_##name_##_fields},
#include "common/messages.def"
};

const struct message_spec *message_table(size_t *count)
{
	*count = sizeof(table) / sizeof(table[0]);
	return table;
}

/* The place of each message in the table, to make the index below without searching. */
enum {
#define MESSAGE(number_, NAME_, name_, sender_, phase_, fields_) PLACE_##NAME_,
#include "common/messages.def"
};

#define NUMBER_END 0x49

const struct message_spec *message_spec(uint16_t number)
{
	/* One more than the place, so that 0 says "none". */
	static const uint8_t places[NUMBER_END] = {
#define MESSAGE(number_, NAME_, name_, sender_, phase_, fields_) [number_] = PLACE_##NAME_ + 1,
#include "common/messages.def"
	};
	return number < NUMBER_END && places[number] ? &table[places[number] - 1] : NULL;
}

const struct field_spec *item_fields(enum item_kind kind, size_t *count)
{
	switch (kind) {
#define ITEM(NAME_, name_, fields_)                                                                \
	case ITEM_##NAME_:                                                                         \
		return item_##name_##_fields(count);
#include "common/messages.def"
	case ITEM_KINDS:
		break;
	}
	abort();
}

const char *code_text(unsigned code)
{
	switch (code) {
#define CODE(number, NAME_, text)                                                                  \
	case number:                                                                               \
		return text;
#include "common/codes.def"
#undef CODE
	default:
		return NULL;
	}
}

struct span span_of(const char *text)
{
	size_t length = strlen(text);

	assert(length <= UINT16_MAX);
	return (struct span){.text = text, .length = (uint16_t)length};
}

bool span_equal(struct span s, const char *text)
{
	/* An empty span may have no text at all, which memcmp must not be shown. */
	return strlen(text) == s.length && (s.length == 0 || memcmp(s.text, text, s.length) == 0);
}
