#include "client/lines.h"

#include "common/err.h"
#include "common/text.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

#define TAB 8

void lines_init(struct lines *l, size_t limit)
{
	*l = (struct lines){.limit = limit};
}

void lines_fini(struct lines *l)
{
	free(l->raw);
	free(l->text);
	*l = (struct lines){0};
}

/* Keep more of the line, up to what could still become a message. */
static int keep(struct lines *l, const char *bytes, size_t length)
{
	if (l->too_long || length == 0)
		return 0;
	/* A carriage return may still go. */
	if (length > l->limit + 1 - l->length) {
		l->too_long = true;
		return 0;
	}
	if (l->room < l->length + length) {
		size_t room = l->limit + 1;
		char *raw = realloc(l->raw, room);

		if (!raw)
			return ERR_MEMORY;
		l->raw = raw;
		l->room = room;
	}
	memcpy(l->raw + l->length, bytes, length);
	l->length += length;
	return 0;
}

/* How long the line is without tabs. */
static size_t expanded_length(const char *raw, size_t length)
{
	size_t tabs = 0;

	for (size_t i = 0; i < length; i++)
		tabs += raw[i] == '\t';
	return length + tabs * (TAB - 1);
}

/* Copy with blanks for tabs; returns the length. */
static size_t expand(const char *raw, size_t length, char *out)
{
	size_t column = 0;
	size_t used = 0;

	while (length > 0) {
		const char *tab = memchr(raw, '\t', length);
		size_t run = tab ? (size_t)(tab - raw) : length;

		memcpy(out + used, raw, run);
		used += run;
		column += text_columns(raw, run);
		raw += run;
		length -= run;
		if (!tab)
			break;
		size_t blanks = TAB - column % TAB;
		memset(out + used, ' ', blanks);
		used += blanks;
		column += blanks;
		raw++;
		length--;
	}
	return used;
}

/* The line is complete: judge it, and begin the next. */
static int finish(struct lines *l, const char **text)
{
	size_t length = l->length;
	bool too_long = l->too_long;

	l->length = 0;
	l->too_long = false;
	l->number++;
	if (too_long)
		return ERR_TOO_BIG;
	if (length > 0 && l->raw[length - 1] == '\r')
		length--;
	free(l->text);
	l->text = malloc(expanded_length(l->raw, length) + 1);
	if (!l->text)
		return ERR_MEMORY;
	length = length ? expand(l->raw, length, l->text) : 0;
	l->text[length] = '\0';
	if (length > l->limit)
		return ERR_TOO_BIG;
	if (!utf8_is_line(l->text, length))
		return ERR_TEXT;
	*text = l->text;
	return 0;
}

int lines_feed(struct lines *l, const char *bytes, size_t length, size_t *used, const char **text)
{
	const char *newline = memchr(bytes, '\n', length);
	size_t run = newline ? (size_t)(newline - bytes) : length;

	if (keep(l, bytes, run) != 0)
		l->too_long = true;
	*used = run + (newline ? 1 : 0);
	return newline ? finish(l, text) : ERR_AGAIN;
}

int lines_end(struct lines *l, const char **text)
{
	return l->length > 0 || l->too_long ? finish(l, text) : ERR_AGAIN;
}
