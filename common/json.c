#include "common/json.h"

#include "common/utf8.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define TIME_LAST UINT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */

/* The longest escape: a surrogate pair. */
#define ESCAPE_MAX 13

/* One code point as an escape; beyond the first plane as a surrogate pair. */
static void escape(uint32_t c, char out[ESCAPE_MAX])
{
	if (c < 0x10000) {
		snprintf(out, ESCAPE_MAX, "\\u%04" PRIx32, c);
		return;
	}
	c -= 0x10000;
	snprintf(out, ESCAPE_MAX, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 | (c >> 10 & 0x3ff),
		0xdc00 | (c & 0x3ff));
}

/* The bytes from `text` on that may be written as they are. */
static size_t plain_run(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		uint32_t c;
		size_t took = utf8_decode(text + at, length - at, &c);

		if (took == 0 || c == '"' || c == '\\' || !utf8_is_clean(c))
			break;
		at += took;
	}
	return at;
}

/* What plain_run stopped at, as it is to be written; returns its bytes. */
static size_t escape_special(const char *text, size_t length, char out[ESCAPE_MAX])
{
	uint32_t c;
	size_t took = utf8_decode(text, length, &c);

	if (took == 0) {
		snprintf(out, ESCAPE_MAX, "\xef\xbf\xbd"); /* U+FFFD */
		return 1;
	}
	if (c == '"' || c == '\\')
		snprintf(out, ESCAPE_MAX, "\\%c", (char)c);
	else if (c == '\n')
		snprintf(out, ESCAPE_MAX, "\\n");
	else if (c == '\t')
		snprintf(out, ESCAPE_MAX, "\\t");
	else
		escape(c, out);
	return took;
}

char *json_escape(const char *text, size_t length, char *out, size_t size)
{
	size_t at = 0, used = 0;

	if (size == 0)
		return out;
	while (at < length) {
		char special[ESCAPE_MAX];
		const char *piece = text + at;
		uint32_t c;
		size_t took = utf8_decode(piece, length - at, &c);
		size_t n = took;

		if (plain_run(piece, took) == 0) {
			took = escape_special(piece, length - at, special);
			piece = special;
			n = strlen(special);
		}
		if (n >= size - used)
			break;
		memcpy(out + used, piece, n);
		used += n;
		at += took;
	}
	out[used] = '\0';
	return out;
}

static void put_string(FILE *out, const char *text, size_t length)
{
	size_t at = 0;

	putc('"', out);
	while (at < length) {
		char special[ESCAPE_MAX];
		size_t run = plain_run(text + at, length - at);

		fwrite(text + at, 1, run, out);
		at += run;
		if (at < length) {
			at += escape_special(text + at, length - at, special);
			fputs(special, out);
		}
	}
	putc('"', out);
}

static void put_key(struct json *j, const char *key)
{
	if (j->more)
		putc(',', j->out);
	j->more = true;
	if (!key)
		return;
	put_string(j->out, key, strlen(key));
	putc(':', j->out);
}

void json_begin(struct json *j, FILE *out)
{
	*j = (struct json){.out = out};
	putc('{', out);
}

void json_end(struct json *j)
{
	fputs("}\n", j->out);
}

void json_text(struct json *j, const char *key, const char *text)
{
	if (text)
		json_text_n(j, key, text, strlen(text));
	else
		json_null(j, key);
}

void json_text_n(struct json *j, const char *key, const char *text, size_t length)
{
	put_key(j, key);
	put_string(j->out, text, length);
}

void json_number(struct json *j, const char *key, int64_t number)
{
	put_key(j, key);
	fprintf(j->out, "%" PRId64, number);
}

void json_unsigned(struct json *j, const char *key, uint64_t number)
{
	put_key(j, key);
	fprintf(j->out, "%" PRIu64, number);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	put_key(j, key);
	fputs("null", j->out);
}

void json_hex(struct json *j, const char *key, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	put_key(j, key);
	putc('"', j->out);
	for (size_t i = 0; i < length; i++) {
		putc(digits[bytes[i] >> 4], j->out);
		putc(digits[bytes[i] & 15], j->out);
	}
	putc('"', j->out);
}

void json_time(struct json *j, const char *key, uint64_t wall_us)
{
	char text[JSON_TIME_MAX];

	json_text(j, key, json_print_time(wall_us, text));
}

void json_fixed(struct json *j, const char *key, uint64_t number, unsigned decimals)
{
	uint64_t one = 1;

	for (unsigned i = 0; i < decimals; i++)
		one *= 10;
	put_key(j, key);
	fprintf(j->out, "%" PRIu64, number / one);
	if (decimals > 0)
		fprintf(j->out, ".%0*" PRIu64, (int)decimals, number % one);
}

void json_object_begin(struct json *j, const char *key)
{
	put_key(j, key);
	putc('{', j->out);
	j->more = false;
}

void json_object_end(struct json *j)
{
	putc('}', j->out);
	j->more = true;
}

void json_array_begin(struct json *j, const char *key)
{
	put_key(j, key);
	putc('[', j->out);
	j->more = false;
}

void json_array_text(struct json *j, const char *text)
{
	if (j->more)
		putc(',', j->out);
	j->more = true;
	put_string(j->out, text, strlen(text));
}

void json_array_end(struct json *j)
{
	putc(']', j->out);
	j->more = true;
}

char *json_print_time(uint64_t wall_us, char out[JSON_TIME_MAX])
{
	uint64_t us = wall_us < TIME_LAST ? wall_us : TIME_LAST;
	time_t seconds = (time_t)(us / 1000000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	size_t used = strftime(out, JSON_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out + used, JSON_TIME_MAX - used, ".%06uZ", (unsigned)(us % 1000000));
	return out;
}
