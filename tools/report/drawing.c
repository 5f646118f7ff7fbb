#include "tools/report/drawing.h"

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NUMBER "-0123456789."

struct span {
	const char *at;
	size_t length;
};

struct drawing {
	FILE *out;
	int dots;                 /* the colour of the path of dots that is open; -1: none is */
	struct span dot;          /* the one before, as `x,y` */
	struct span x, y, anchor; /* of the words that come next */
};

static const char class_dots[] = "dots", class_line[] = "line", class_bars[] = "bars";

/* ---- reading ---- */

static bool is(struct span s, const char *word)
{
	return s.length == strlen(word) && memcmp(s.at, word, s.length) == 0;
}

/* The value of an attribute in the inside of a tag; without length where it is not there. gnuplot
 * writes name='value', name="value" and name = 'value'. */
static struct span attribute(struct span tag, const char *name)
{
	const char *p = tag.at, *end = tag.at + tag.length;

	while (p < end) {
		const char *equals = memchr(p, '=', (size_t)(end - p));
		if (!equals)
			break;
		const char *open = equals + 1 + strspn(equals + 1, " ");
		const char *close = open < end && (*open == '"' || *open == '\'')
					    ? memchr(open + 1, *open, (size_t)(end - open - 1))
					    : NULL;
		if (!close)
			break;
		while (p < equals && strchr(" \t\n", *p))
			p++;
		const char *after = equals;
		while (after > p && after[-1] == ' ')
			after--;
		/* The first name in a tag stands behind the element's own. */
		const char *word = after;
		while (word > p && !strchr(" \t\n", word[-1]))
			word--;
		if (is((struct span){word, (size_t)(after - word)}, name))
			return (struct span){open + 1, (size_t)(close - open - 1)};
		p = close + 1;
	}
	return (struct span){"", 0};
}

/* The number of a colour of ours, as gnuplot writes it: rgb(  1,   0,  17); -1 for any other. */
static int colour(struct span value)
{
	int part[3] = {-1, -1, -1};
	size_t at = 4;

	if (value.length < at || memcmp(value.at, "rgb(", at) != 0)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		while (at < value.length && (value.at[at] == ' ' || value.at[at] == ','))
			at++;
		for (; at < value.length && value.at[at] >= '0' && value.at[at] <= '9'; at++)
			part[i] = (part[i] < 0 ? 0 : part[i] * 10) % 1000 + value.at[at] - '0';
	}
	return part[0] == 1 && part[1] == 0 ? part[2] : -1;
}

/* A number at the beginning of `s`, which is moved behind it and what divides. */
static struct span number(struct span *s)
{
	size_t length = 0;

	while (length < s->length && memchr(NUMBER, s->at[length], sizeof(NUMBER) - 1))
		length++;
	struct span n = {s->at, length};
	while (length < s->length && (s->at[length] == ',' || s->at[length] == ' '))
		length++;
	*s = (struct span){s->at + length, s->length - length};
	return n;
}

/* ---- writing ---- */

/* A tenth of a pixel is as exact as can be seen. */
static void put_number(FILE *out, struct span n)
{
	const char *point = memchr(n.at, '.', n.length);
	size_t whole = point ? (size_t)(point - n.at) : n.length;

	fwrite(n.at, 1, whole, out);
	if (point && whole + 1 < n.length && point[1] != '0')
		fwrite(point, 1, 2, out);
}

/* The data of a path or the points of an area, to a tenth of a pixel. Anything that they cannot have
 * is a blank. */
static void put_shape(FILE *out, struct span s)
{
	while (s.length > 0) {
		if (memchr(NUMBER, *s.at, sizeof(NUMBER) - 1)) {
			size_t length = 1;
			while (length < s.length &&
				memchr(NUMBER, s.at[length], sizeof(NUMBER) - 1))
				length++;
			put_number(out, (struct span){s.at, length});
			s = (struct span){s.at + length, s.length - length};
			continue;
		}
		fputc(memchr("MLHVZmlhvz,", *s.at, 11) ? *s.at : ' ', out);
		s = (struct span){s.at + 1, s.length - 1};
	}
}

static void put_class(FILE *out, const char *kind, int number)
{
	if (number >= DRAWING_SERIES)
		fprintf(out, " class=\"%s s%d\"", kind,
			(number - DRAWING_SERIES) % DRAWING_CLASSES + 1);
	else
		fprintf(out, " class=\"%s\"", number == DRAWING_GRID ? "grid" : "axis");
}

static void end_dots(struct drawing *d)
{
	if (d->dots >= 0)
		fputs("\"/>\n", d->out);
	d->dots = -1;
}

static void put_path(struct drawing *d, struct span tag)
{
	int number = colour(attribute(tag, "stroke"));
	struct span data = attribute(tag, "d");

	/* A tick of no length is drawn by moves alone. */
	if (number < 0 || !memchr(data.at, 'L', data.length))
		return;
	fputs("<path", d->out);
	put_class(d->out, class_line, number);
	fputs(" d=\"", d->out);
	put_shape(d->out, data);
	fputs("\"/>\n", d->out);
}

static void put_area(struct drawing *d, struct span tag)
{
	int number = colour(attribute(tag, "fill"));

	if (number < DRAWING_SERIES)
		return;
	fputs("<polygon", d->out);
	put_class(d->out, class_bars, number);
	fputs(" points=\"", d->out);
	put_shape(d->out, attribute(tag, "points"));
	fputs("\"/>\n", d->out);
}

/* The first two numbers of `translate(x,y) ...`. */
static bool translation(struct span tag, struct span *x, struct span *y)
{
	struct span s = attribute(tag, "transform");

	if (s.length < 10 || memcmp(s.at, "translate(", 10) != 0)
		return false;
	s = (struct span){s.at + 10, s.length - 10};
	*x = number(&s);
	*y = number(&s);
	return x->length > 0 && y->length > 0;
}

/* All dots of a series are one path of lines almost without length, whose round or square ends are what
 * is seen: a tenth of the bytes, and nothing that needs an id. Without any length, square ones are not
 * drawn in a PDF. */
static void put_dot(struct drawing *d, struct span tag)
{
	int number = colour(attribute(tag, "color"));
	struct span x, y;

	if (number < DRAWING_SERIES || !translation(tag, &x, &y))
		return;
	struct span dot = {x.at, (size_t)(y.at + y.length - x.at)};
	if (d->dots != number) {
		end_dots(d);
		fputs("<path", d->out);
		put_class(d->out, class_dots, number);
		fputs(" d=\"", d->out);
		d->dots = number;
	} else if (dot.length == d->dot.length && memcmp(dot.at, d->dot.at, dot.length) == 0) {
		return;
	}
	d->dot = dot;
	fputc('M', d->out);
	put_number(d->out, x);
	fputc(',', d->out);
	put_number(d->out, y);
	fputs("h.1", d->out);
}

/* The words are the labels of ticks.c; gnuplot has escaped them. */
static void put_words(struct drawing *d, struct span words)
{
	if (d->x.length == 0)
		return;
	fputs("<text class=\"tick\" x=\"", d->out);
	put_number(d->out, d->x);
	fputs("\" y=\"", d->out);
	put_number(d->out, d->y);
	fprintf(d->out, "\" text-anchor=\"%s\">",
		is(d->anchor, "end") ? "end" : (is(d->anchor, "middle") ? "middle" : "start"));
	fwrite(words.at, 1, words.length, d->out);
	fputs("</text>\n", d->out);
	d->x.length = 0;
}

/* ---- all of it ---- */

/* Where a tag ends: its `>`, outside of quotes; NULL where it does not. */
static const char *tag_end(const char *p)
{
	char quote = '\0';

	for (; *p; p++) {
		if (quote && *p == quote)
			quote = '\0';
		else if (!quote && (*p == '"' || *p == '\''))
			quote = *p;
		else if (!quote && *p == '>')
			return p;
	}
	return NULL;
}

static void handle(struct drawing *d, struct span tag, const char *after)
{
	struct span name = {tag.at, strcspn(tag.at, " \t\n/>")};

	if (is(name, "use")) {
		put_dot(d, tag);
		return;
	}
	/* Between two dots there is nothing that is drawn. */
	end_dots(d);
	if (is(name, "path")) {
		put_path(d, tag);
	} else if (is(name, "polygon")) {
		put_area(d, tag);
	} else if (is(name, "text")) {
		put_words(d, (struct span){after, strcspn(after, "<")});
	} else if (is(name, "g") && translation(tag, &d->x, &d->y)) {
		d->anchor = attribute(tag, "text-anchor");
	}
}

int drawing_write(FILE *out, const char *svg)
{
	struct drawing d = {.out = out, .dots = -1};
	const char *p = strstr(svg, "<svg");

	if (!p)
		return ERR_DAMAGED;
	while ((p = strchr(p, '<'))) {
		const char *end = tag_end(p);
		if (!end)
			break;
		handle(&d, (struct span){p + 1, (size_t)(end - p - 1)}, end + 1);
		p = end + 1;
	}
	end_dots(&d);
	return p || !strstr(svg, "</svg>") ? ERR_DAMAGED : 0;
}
