#include "tools/lab/columns.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

#define GAP " | "

void columns_init(struct columns *c, FILE *out, size_t width)
{
	*c = (struct columns){.out = out, .width = width < COLUMNS_LEAST ? COLUMNS_LEAST : width};
}

void columns_fini(struct columns *c)
{
	for (int i = 0; i < 2; i++) {
		for (size_t n = 0; n < c->side[i].count; n++)
			free(c->side[i].lines[n]);
		free(c->side[i].lines);
		c->side[i].lines = NULL;
		c->side[i].count = c->side[i].room = 0;
	}
}

/* How many bytes of a text fit into `width` columns, cut between words where there are any; at least
 * a cluster. */
static size_t fitting(const char *text, size_t width)
{
	size_t length = strlen(text), used, most = text_fit(text, length, width, &used), at = most;

	if (most == length)
		return length;
	while (at > 0 && text[at] != ' ')
		at--;
	return at ? at : most ? most : text_cluster(text, length, NULL);
}

/* A line, and blanks to the end of its column. */
static void put_padded(FILE *out, const char *line, size_t width)
{
	size_t used = text_columns(line, strlen(line));

	fprintf(out, "%s%*s", line, (int)(width > used ? width - used : 0), "");
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " ");
}

static void keep(struct columns *c, int side, char *line)
{
	if (c->side[side].count == c->side[side].room) {
		size_t room = c->side[side].room ? 2 * c->side[side].room : 64;
		char **more = realloc(c->side[side].lines, room * sizeof(*more));
		if (!more) {
			free(line);
			return;
		}
		c->side[side].lines = more;
		c->side[side].room = room;
	}
	c->side[side].lines[c->side[side].count++] = line;
}

void columns_add(struct columns *c, int side, size_t hang, const char *text)
{
	size_t width = (c->width - strlen(GAP)) / 2, indent = 0;

	if (hang > width / 2)
		hang = width / 2;
	do {
		size_t n = fitting(text, width - indent);
		char *line = NULL;
		if (asprintf(&line, "%*s%.*s", (int)indent, "", (int)n, text) < 0)
			return;
		keep(c, side, line);
		/* Blanks in front of the first line are meant, those at a break are not. */
		text = skip_blanks(text + n);
		indent = hang;
	} while (*text);
}

void columns_flush(struct columns *c)
{
	size_t width = (c->width - strlen(GAP)) / 2;
	size_t left = c->side[0].count, right = c->side[1].count;

	for (size_t i = 0; i < left || i < right; i++) {
		put_padded(c->out, i < left ? c->side[0].lines[i] : "", width);
		if (i < right)
			fprintf(c->out, GAP "%s\n", c->side[1].lines[i]);
		else
			fprintf(c->out, " |\n");
	}
	columns_fini(c);
}

void columns_wide(struct columns *c, const char *before, const char *text)
{
	size_t indent = strlen(before);
	size_t width =
		c->width > indent + COLUMNS_LEAST / 2 ? c->width - indent : COLUMNS_LEAST / 2;

	columns_flush(c);
	fputs(before, c->out);
	for (;;) {
		size_t n = fitting(text, width);
		fprintf(c->out, "%.*s\n", (int)n, text);
		text = skip_blanks(text + n);
		if (!*text)
			return;
		fprintf(c->out, "%*s", (int)indent, "");
	}
}
