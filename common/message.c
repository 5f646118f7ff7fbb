#include "common/message.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/log.h"
#include "common/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- encoding ---- */

struct writer {
	uint8_t *at;
	size_t left;
};

/* Room for `n` bytes, or NULL. */
static uint8_t *reserve(struct writer *w, size_t n)
{
	if (w->left < n)
		return NULL;
	uint8_t *p = w->at;
	w->at += n;
	w->left -= n;
	return p;
}

static int put_bytes(struct writer *w, const void *bytes, size_t length)
{
	uint8_t *p = reserve(w, length);

	if (!p)
		return ERR_TOO_BIG;
	if (length)
		memcpy(p, bytes, length);
	return 0;
}

static int put_text(struct writer *w, const struct field_spec *spec, const struct span *s)
{
	assert(s->length >= spec->least && s->length <= spec->most);
	uint8_t *p = reserve(w, 2);
	if (!p)
		return ERR_TOO_BIG;
	bytes_put_u16(p, s->length);
	return put_bytes(w, s->text, s->length);
}

static int put_list(struct writer *w, const struct field_spec *spec, const struct list *l)
{
	assert(l->count <= spec->most);
	uint8_t *p = reserve(w, 2);
	if (!p)
		return ERR_TOO_BIG;
	bytes_put_u16(p, l->count);
	return put_bytes(w, l->bytes, l->length);
}

static int put_field(struct writer *w, const struct field_spec *spec, const void *field)
{
	uint8_t *p;

	switch (spec->kind) {
	case FIELD_U8:
		return put_bytes(w, field, 1);
	case FIELD_U16:
		if (!(p = reserve(w, 2)))
			return ERR_TOO_BIG;
		bytes_put_u16(p, *(const uint16_t *)field);
		return 0;
	case FIELD_U32:
		if (!(p = reserve(w, 4)))
			return ERR_TOO_BIG;
		bytes_put_u32(p, *(const uint32_t *)field);
		return 0;
	case FIELD_U64:
		if (!(p = reserve(w, 8)))
			return ERR_TOO_BIG;
		bytes_put_u64(p, *(const uint64_t *)field);
		return 0;
	case FIELD_ID16:
		return put_bytes(w, field, 16);
	case FIELD_ID32:
		return put_bytes(w, field, 32);
	case FIELD_NAME:
	case FIELD_LINE:
	case FIELD_BLOCK:
		return put_text(w, spec, field);
	case FIELD_LIST:
		return put_list(w, spec, field);
	}
	abort();
}

static int put_fields(
	struct writer *w, const struct field_spec *specs, size_t count, const void *value)
{
	for (size_t i = 0; i < count; i++) {
		int r = put_field(w, &specs[i], (const uint8_t *)value + specs[i].offset);
		if (r)
			return r;
	}
	return 0;
}

int message_encode(uint16_t number, const void *value, uint8_t *out, size_t size, size_t *used)
{
	const struct message_spec *spec = message_spec(number);
	size_t count;

	assert(spec);
	const struct field_spec *specs = spec->fields(&count);
	struct writer w = {.at = out, .left = size};
	if (!reserve(&w, FRAME_HEADER))
		return ERR_TOO_BIG;
	int r = put_fields(&w, specs, count, value);
	if (r)
		return r;
	size_t length = (size_t)(w.at - out) - FRAME_HEADER;
	if (length > FRAME_PAYLOAD_MAX)
		return ERR_TOO_BIG;
	frame_encode_header(out, (uint32_t)length, number, 0);
	*used = FRAME_HEADER + length;
	return 0;
}

int message_list_add(
	struct list *l, enum item_kind kind, const void *item, uint8_t *buffer, size_t size)
{
	size_t count;
	const struct field_spec *specs = item_fields(kind, &count);

	assert(l->length <= size && l->count < UINT16_MAX);
	struct writer w = {.at = buffer + l->length, .left = size - l->length};
	int r = put_fields(&w, specs, count, item);
	if (r)
		return r;
	l->bytes = buffer;
	l->length = (uint32_t)(w.at - buffer);
	l->count++;
	return 0;
}

/* ---- decoding ---- */

struct reader {
	const uint8_t *at;
	size_t left;
};

static const uint8_t *take(struct reader *r, size_t n)
{
	if (r->left < n)
		return NULL;
	const uint8_t *p = r->at;
	r->at += n;
	r->left -= n;
	return p;
}

static int get_text(struct reader *r, const struct field_spec *spec, struct span *s)
{
	const uint8_t *p = take(r, 2);

	if (!p)
		return ERR_PROTOCOL;
	uint16_t length = bytes_u16(p);
	if (length < spec->least || length > spec->most)
		return ERR_PROTOCOL;
	p = take(r, length);
	if (!p)
		return ERR_PROTOCOL;
	*s = (struct span){.text = (const char *)p, .length = length};
	return 0;
}

static int get_fields(struct reader *r, const struct field_spec *specs, size_t count, void *value);

static int get_list(struct reader *r, const struct field_spec *spec, struct list *l)
{
	const uint8_t *p = take(r, 2);
	union item scratch;
	size_t count;

	if (!p)
		return ERR_PROTOCOL;
	uint16_t items = bytes_u16(p);
	if (items > spec->most)
		return ERR_PROTOCOL;
	const uint8_t *first = r->at;
	const struct field_spec *specs = item_fields(spec->item, &count);
	for (uint16_t i = 0; i < items; i++) {
		if (get_fields(r, specs, count, &scratch) != 0)
			return ERR_PROTOCOL;
	}
	*l = (struct list){.bytes = first, .length = (uint32_t)(r->at - first), .count = items};
	return 0;
}

static int get_field(struct reader *r, const struct field_spec *spec, void *field)
{
	static const uint8_t sizes[] = {
		[FIELD_U8] = 1,
		[FIELD_U16] = 2,
		[FIELD_U32] = 4,
		[FIELD_U64] = 8,
		[FIELD_ID16] = 16,
		[FIELD_ID32] = 32,
	};
	if (spec->kind == FIELD_LIST)
		return get_list(r, spec, field);
	if (spec->kind >= FIELD_NAME)
		return get_text(r, spec, field);
	const uint8_t *p = take(r, sizes[spec->kind]);
	if (!p)
		return ERR_PROTOCOL;
	switch (spec->kind) {
	case FIELD_U16:
		*(uint16_t *)field = bytes_u16(p);
		break;
	case FIELD_U32:
		*(uint32_t *)field = bytes_u32(p);
		break;
	case FIELD_U64:
		*(uint64_t *)field = bytes_u64(p);
		break;
	case FIELD_U8:
	case FIELD_ID16:
	case FIELD_ID32:
	case FIELD_NAME:
	case FIELD_LINE:
	case FIELD_BLOCK:
	case FIELD_LIST:
		memcpy(field, p, sizes[spec->kind]);
		break;
	}
	return 0;
}

static int get_fields(struct reader *r, const struct field_spec *specs, size_t count, void *value)
{
	for (size_t i = 0; i < count; i++) {
		int e = get_field(r, &specs[i], (uint8_t *)value + specs[i].offset);
		if (e)
			return e;
	}
	return 0;
}

int message_decode(const struct frame *f, union message *value)
{
	const struct message_spec *spec = message_spec(f->type);
	struct reader r = {.at = f->payload, .left = f->length};
	union message scratch;
	size_t count;

	if (!spec)
		return ERR_NOT_FOUND;
	const struct field_spec *specs = spec->fields(&count);
	int e = get_fields(&r, specs, count, &scratch);
	if (e)
		return e;
	if (r.left != 0)
		return ERR_PROTOCOL;
	*value = scratch;
	return 0;
}

bool message_list_next(struct list *l, enum item_kind kind, void *item)
{
	size_t count;
	const struct field_spec *specs = item_fields(kind, &count);
	struct reader r = {.at = l->bytes, .left = l->length};

	if (l->count == 0)
		return false;
	int e = get_fields(&r, specs, count, item);
	assert(e == 0);
	(void)e;
	*l = (struct list){
		.bytes = r.at, .length = (uint32_t)r.left, .count = (uint16_t)(l->count - 1)};
	return true;
}

/* ---- text ---- */

static int check_fields(const struct field_spec *specs, size_t count, const void *value);

static int check_list(enum item_kind kind, struct list l)
{
	union item item = {0};
	size_t count;
	const struct field_spec *specs = item_fields(kind, &count);

	while (message_list_next(&l, kind, &item)) {
		if (check_fields(specs, count, &item) != 0)
			return ERR_TEXT;
	}
	return 0;
}

static int check_fields(const struct field_spec *specs, size_t count, const void *value)
{
	for (size_t i = 0; i < count; i++) {
		const void *field = (const uint8_t *)value + specs[i].offset;
		const struct span *s = field;
		bool clean = true;

		if (specs[i].kind == FIELD_LIST)
			clean = check_list(specs[i].item, *(const struct list *)field) == 0;
		else if (specs[i].kind == FIELD_NAME)
			clean = utf8_is_name(s->text, s->length);
		else if (specs[i].kind == FIELD_LINE)
			clean = utf8_is_line(s->text, s->length);
		else if (specs[i].kind == FIELD_BLOCK)
			clean = utf8_is_block(s->text, s->length);
		if (!clean)
			return ERR_TEXT;
	}
	return 0;
}

int message_check_text(uint16_t number, const void *value)
{
	const struct message_spec *spec = message_spec(number);
	size_t count;

	assert(spec);
	const struct field_spec *specs = spec->fields(&count);
	return check_fields(specs, count, value);
}

/* ---- printing ---- */

struct printer {
	char *at;
	size_t left; /* with the terminator */
};

__attribute__((format(printf, 2, 3))) static void print(struct printer *p, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(p->at, p->left, format, ap);
	va_end(ap);
	size_t wrote = n < 0 ? 0 : (size_t)n;
	if (wrote >= p->left)
		wrote = p->left - 1;
	p->at += wrote;
	p->left -= wrote;
}

static void print_id(struct printer *p, const uint8_t *id, size_t size)
{
	for (size_t i = 0; i < size; i++)
		print(p, "%02x", id[i]);
}

static void print_text(struct printer *p, const struct span *s)
{
	print(p, "\"");
	size_t before = p->left;
	log_escape(s->text, s->length, p->at, before);
	size_t wrote = strlen(p->at);
	p->at += wrote;
	p->left -= wrote;
	print(p, "\"");
}

static void print_field(struct printer *p, const struct field_spec *spec, const void *field)
{
	print(p, " %s=", spec->name);
	switch (spec->kind) {
	case FIELD_U8:
		print(p, "%u", *(const uint8_t *)field);
		break;
	case FIELD_U16:
		print(p, "%u", *(const uint16_t *)field);
		break;
	case FIELD_U32:
		print(p, "%" PRIu32, *(const uint32_t *)field);
		break;
	case FIELD_U64:
		print(p, "%" PRIu64, *(const uint64_t *)field);
		break;
	case FIELD_ID16:
		print_id(p, field, 16);
		break;
	case FIELD_ID32:
		print_id(p, field, 32);
		break;
	case FIELD_NAME:
	case FIELD_LINE:
	case FIELD_BLOCK:
		print_text(p, field);
		break;
	case FIELD_LIST:
		print(p, "[%u]", ((const struct list *)field)->count);
		break;
	}
}

char *message_print(uint16_t number, const void *value, char *out, size_t size)
{
	const struct message_spec *spec = message_spec(number);
	struct printer p = {.at = out, .left = size};
	size_t count;

	assert(spec && size > 0);
	const struct field_spec *specs = spec->fields(&count);
	print(&p, "%s", spec->name);
	for (size_t i = 0; i < count; i++)
		print_field(&p, &specs[i], (const uint8_t *)value + specs[i].offset);
	return out;
}
