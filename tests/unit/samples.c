#include "tests/unit/samples.h"

#include <stdlib.h>
#include <string.h>

/* As many letters as the longest text in the table has. */
static const char *letters(void)
{
	static char text[PADDING_MAX];

	memset(text, 'x', sizeof(text));
	return text;
}

static size_t scalar_size(enum field_kind kind)
{
	static const size_t sizes[] = {
		[FIELD_U8] = sizeof(uint8_t),
		[FIELD_U16] = sizeof(uint16_t),
		[FIELD_U32] = sizeof(uint32_t),
		[FIELD_U64] = sizeof(uint64_t),
		[FIELD_ID16] = 16,
		[FIELD_ID32] = 32,
		[FIELD_LIST] = 0,
	};
	return sizes[kind];
}

static void fill_scalar(uint8_t *field, size_t size, size_t seed, enum sample_kind kind)
{
	for (size_t i = 0; i < size; i++) {
		if (kind == SAMPLE_TYPICAL)
			field[i] = (uint8_t)(seed * 37 + i * 11 + 1);
		else
			field[i] = kind == SAMPLE_MOST ? 0xff : 0;
	}
}

static struct span text_for(const struct field_spec *spec, enum sample_kind kind)
{
	if (kind == SAMPLE_LEAST)
		return (struct span){.text = letters(), .length = (uint16_t)spec->least};
	if (kind == SAMPLE_MOST)
		return (struct span){.text = letters(), .length = (uint16_t)spec->most};
	return span_of(spec->name);
}

/* Everything but lists. */
static void fill_field(void *field, const struct field_spec *spec, size_t seed, enum sample_kind k)
{
	switch (spec->kind) {
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_ID16:
	case FIELD_ID32:
		fill_scalar(field, scalar_size(spec->kind), seed, k);
		break;
	case FIELD_NAME:
	case FIELD_LINE:
	case FIELD_BLOCK:
		*(struct span *)field = text_for(spec, k);
		break;
	case FIELD_LIST:
		break;
	}
}

void sample_item(void *item, enum item_kind item_kind, enum sample_kind kind)
{
	size_t count;
	const struct field_spec *specs = item_fields(item_kind, &count);

	for (size_t i = 0; i < count; i++)
		fill_field((uint8_t *)item + specs[i].offset, &specs[i], i, kind);
}

static void fill_list(struct sample *s, const struct field_spec *spec, enum sample_kind kind)
{
	struct list *l = (struct list *)((uint8_t *)&s->value + spec->offset);
	size_t items = kind == SAMPLE_LEAST ? 0 : kind == SAMPLE_TYPICAL ? 2 : spec->most;
	/* The fields before the list are far smaller than this. */
	size_t size = sizeof(s->items) - 1024;
	union item item;

	*l = (struct list){.bytes = s->items};
	for (size_t i = 0; i < items; i++) {
		sample_item(&item, spec->item, kind);
		if (message_list_add(l, spec->item, &item, s->items, size) != 0)
			break;
	}
}

void sample_make(struct sample *s, const struct message_spec *spec, enum sample_kind kind)
{
	size_t count;
	const struct field_spec *specs = spec->fields(&count);

	memset(&s->value, 0, sizeof(s->value));
	for (size_t i = 0; i < count; i++) {
		fill_field((uint8_t *)&s->value + specs[i].offset, &specs[i], i, kind);
		if (specs[i].kind == FIELD_LIST)
			fill_list(s, &specs[i], kind);
	}
}

/* The last `size` bytes of the number, the most significant first. */
static size_t write_number(uint8_t *out, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
	return size;
}

static size_t write_bytes(uint8_t *out, size_t count, const void *bytes, size_t length)
{
	size_t n = write_number(out, count, 2);

	if (length)
		memcpy(out + n, bytes, length);
	return n + length;
}

static size_t write_field(uint8_t *out, enum field_kind kind, const void *field)
{
	const struct span *text = field;
	const struct list *list = field;

	switch (kind) {
	case FIELD_U8:
		return write_number(out, *(const uint8_t *)field, 1);
	case FIELD_U16:
		return write_number(out, *(const uint16_t *)field, 2);
	case FIELD_U32:
		return write_number(out, *(const uint32_t *)field, 4);
	case FIELD_U64:
		return write_number(out, *(const uint64_t *)field, 8);
	case FIELD_ID16:
	case FIELD_ID32:
		memcpy(out, field, scalar_size(kind));
		return scalar_size(kind);
	case FIELD_NAME:
	case FIELD_LINE:
	case FIELD_BLOCK:
		return write_bytes(out, text->length, text->text, text->length);
	case FIELD_LIST:
		return write_bytes(out, list->count, list->bytes, list->length);
	}
	abort();
}

size_t sample_write(uint8_t *out, const struct field_spec *specs, size_t count, const void *value)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		const void *field = (const uint8_t *)value + specs[i].offset;
		size += write_field(out + size, specs[i].kind, field);
	}
	return size;
}

static bool field_equal(enum field_kind kind, const void *a, const void *b)
{
	const struct span *text_a = a, *text_b = b;
	const struct list *list_a = a, *list_b = b;

	switch (kind) {
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_ID16:
	case FIELD_ID32:
		return memcmp(a, b, scalar_size(kind)) == 0;
	case FIELD_NAME:
	case FIELD_LINE:
	case FIELD_BLOCK:
		return text_a->length == text_b->length &&
		       memcmp(text_a->text, text_b->text, text_a->length) == 0;
	case FIELD_LIST:
		return list_a->count == list_b->count && list_a->length == list_b->length &&
		       memcmp(list_a->bytes, list_b->bytes, list_a->length) == 0;
	}
	abort();
}

bool sample_equal(const struct field_spec *specs, size_t count, const void *a, const void *b)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = specs[i].offset;
		if (!field_equal(specs[i].kind, (const uint8_t *)a + at, (const uint8_t *)b + at))
			return false;
	}
	return true;
}
