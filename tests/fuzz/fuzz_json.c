/*
 * What the client writes as JSON: one line that RFC 8259 allows, harmless to a
 * terminal, from which the same values come back.
 *
 * Input: members, one after the other: a byte for the kind, one for the key's
 * length and one for the value's, then both.
 *
 * About: client/json.c
 */
#include "common/json.h"

#include "common/bytes.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"

#include <ctype.h>
#include <string.h>

/* ---- a reader of JSON, for what is to be JSON ---- */

static const char *read_value(const char *p, FILE *texts);

static uint32_t read_hex(const char *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		REQUIRE(isxdigit((unsigned char)p[i]));
		value = value * 16 + (uint32_t)(isdigit((unsigned char)p[i])
							? p[i] - '0'
							: tolower((unsigned char)p[i]) - 'a' + 10);
	}
	return value;
}

/* What stands behind a backslash, which `p` is at. */
static const char *read_escape(const char *p, FILE *texts)
{
	static const char plain[] = "\"\\/", named[] = "bfnrt", meant[] = "\b\f\n\r\t";
	char bytes[4];

	if (strchr(plain, p[1]) && p[1]) {
		fputc(p[1], texts);
		return p + 2;
	}
	const char *name = p[1] ? strchr(named, p[1]) : NULL;
	if (name) {
		fputc(meant[name - named], texts);
		return p + 2;
	}
	REQUIRE(p[1] == 'u');
	uint32_t c = read_hex(p + 2);
	p += 6;
	if (c >= 0xd800 && c < 0xdc00) {
		REQUIRE(p[0] == '\\' && p[1] == 'u');
		uint32_t low = read_hex(p + 2);
		REQUIRE(low >= 0xdc00 && low < 0xe000);
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	fwrite(bytes, 1, utf8_encode(c, bytes), texts);
	return p;
}

static const char *read_string(const char *p, FILE *texts)
{
	REQUIRE(*p++ == '"');
	while (*p != '"') {
		REQUIRE((unsigned char)*p >= 0x20);
		if (*p == '\\')
			p = read_escape(p, texts);
		else
			fputc(*p++, texts);
	}
	fputc('|', texts);
	return p + 1;
}

static const char *read_number(const char *p)
{
	p += *p == '-';
	REQUIRE(isdigit((unsigned char)*p));
	p += *p == '0' ? 1 : strspn(p, "0123456789");
	return p;
}

static const char *read_members(const char *p, char end, FILE *texts)
{
	for (p++; *p != end;) {
		if (end == '}') {
			p = read_string(p, texts);
			REQUIRE(*p++ == ':');
		}
		p = read_value(p, texts);
		REQUIRE(*p == end || (*p == ',' && p[1] != end));
		p += *p == ',';
	}
	return p + 1;
}

static const char *read_value(const char *p, FILE *texts)
{
	static const char *const words[] = {"true", "false", "null"};

	if (*p == '"')
		return read_string(p, texts);
	if (*p == '{' || *p == '[')
		return read_members(p, *p == '{' ? '}' : ']', texts);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	}
	return read_number(p);
}

/* ---- what is written ---- */

/* What a reader should get for a text: U+FFFD for what is not UTF-8. */
static void expect(FILE *expected, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t c;
		size_t n = utf8_decode(text + at, length - at, &c);

		if (n)
			fwrite(text + at, 1, n, expected);
		else
			fputs("\xef\xbf\xbd", expected);
		at += n ? n : 1;
	}
	fputc('|', expected);
}

static void write_text(
	struct json *j, FILE *expected, const char *key, const uint8_t *value, size_t length)
{
	json_text_n(j, key, (const char *)value, length);
	expect(expected, (const char *)value, length);
}

static void write_array(
	struct json *j, FILE *expected, const char *key, const uint8_t *value, size_t length)
{
	char *text = strndup((const char *)value, length);

	REQUIRE(text);
	json_array_begin(j, key);
	json_array_text(j, text);
	json_array_text(j, "");
	json_array_end(j);
	expect(expected, text, strlen(text));
	expect(expected, "", 0);
	free(text);
}

static void write_time(struct json *j, FILE *expected, const char *key, uint64_t number)
{
	char text[JSON_TIME_MAX];

	json_time(j, key, number);
	REQUIRE(strlen(json_print_time(number, text)) == strlen("2026-11-22T19:25:14.000001Z"));
	expect(expected, text, strlen(text));
}

static void write_hex(
	struct json *j, FILE *expected, const char *key, const uint8_t *value, size_t length)
{
	json_hex(j, key, value, length);
	for (size_t i = 0; i < length; i++)
		fprintf(expected, "%02x", value[i]);
	fputc('|', expected);
}

static void write_member(struct json *j, FILE *expected, uint8_t kind, const char *key,
	const uint8_t *value, size_t length)
{
	uint64_t number = 0;

	memcpy(&number, value, length < sizeof(number) ? length : sizeof(number));
	expect(expected, key, strlen(key));
	switch (kind % 8) {
	case 0:
		json_number(j, key, (int64_t)number);
		break;
	case 1:
		json_unsigned(j, key, number);
		break;
	case 2:
		json_bool(j, key, number & 1);
		break;
	case 3:
		json_null(j, key);
		break;
	case 4:
		write_hex(j, expected, key, value, length);
		break;
	case 5:
		write_time(j, expected, key, number);
		break;
	case 6:
		write_array(j, expected, key, value, length);
		break;
	default:
		write_text(j, expected, key, value, length);
		break;
	}
}

static void write_all(FILE *out, FILE *expected, const uint8_t *data, size_t size)
{
	struct json j;

	json_begin(&j, out);
	while (size >= 3) {
		uint8_t kind = data[0];
		size_t key_length = data[1], length = data[2];
		data += 3;
		size -= 3;
		key_length = key_length < size ? key_length : size;
		char *key = strndup((const char *)data, key_length);
		REQUIRE(key);
		data += key_length;
		size -= key_length;
		length = length < size ? length : size;
		write_member(&j, expected, kind, key, data, length);
		data += length;
		size -= length;
		free(key);
	}
	json_end(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = NULL, *expected = NULL, *read = NULL;
	size_t length, expected_length, read_length;
	FILE *out = open_memstream(&line, &length);
	FILE *wanted = open_memstream(&expected, &expected_length);
	FILE *texts = open_memstream(&read, &read_length);

	REQUIRE(out && wanted && texts);
	write_all(out, wanted, data, size);
	REQUIRE(fclose(out) == 0 && fclose(wanted) == 0);
	REQUIRE(length > 0 && line[length - 1] == '\n' && utf8_is_line(line, length - 1));
	const char *end = read_value(line, texts);
	REQUIRE(end == line + length - 1 && fclose(texts) == 0);
	REQUIRE(read_length == expected_length && memcmp(read, expected, read_length) == 0);
	PLANTED(says_bugs(read, strcspn(read, "|")));
	free(line);
	free(expected);
	free(read);
	return 0;
}
