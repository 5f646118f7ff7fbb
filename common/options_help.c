#include "common/options.h"

#include <string.h>

#define WIDTH  80 /* columns of a line of --help */
#define INDENT 30 /* where the explanations begin */

/* Text is put out word by word; `column` is where the line stands. */
struct wrap {
	FILE *f;
	size_t indent; /* of continued lines */
	size_t column;
};

static void new_line(struct wrap *w)
{
	fprintf(w->f, "\n%*s", (int)w->indent, "");
	w->column = w->indent;
}

/* One word, on this line if it fits there. */
static void put_word(struct wrap *w, const char *word, size_t length)
{
	bool starts = w->column == w->indent;

	if (!starts && w->column + 1 + length > WIDTH) {
		new_line(w);
		starts = true;
	}
	fprintf(w->f, "%s%.*s", starts ? "" : " ", (int)length, word);
	w->column += length + (starts ? 0 : 1);
}

static void put_text(struct wrap *w, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, " \n");
		if (length > 0)
			put_word(w, text, length);
		text += length;
		if (*text == '\0')
			return;
		if (*text == '\n')
			new_line(w);
		text++;
	}
}

/* What can be read off the row: "(error, warning; default: error)". */
static void put_notes(struct wrap *w, const struct option_spec *row)
{
	char notes[512] = "";
	FILE *f = fmemopen(notes, sizeof(notes), "w");
	const char *separator = "";

	if (!f)
		return;
	for (size_t i = 0; row->kind == OPTION_CHOICE && row->choices[i]; i++) {
		fprintf(f, "%s%s", separator, row->choices[i]);
		separator = ", ";
	}
	if (row->kind == OPTION_CHOICE)
		separator = "; ";
	if (row->kind == OPTION_LIST) {
		fprintf(f, "may be repeated");
		separator = "; ";
	}
	if (row->initial && row->kind != OPTION_FLAG)
		fprintf(f, "%sdefault: %s", separator, row->initial);
	(void)fclose(f);
	notes[sizeof(notes) - 1] = '\0';
	if (notes[0] == '\0')
		return;
	char text[sizeof(notes) + 2];
	(void)snprintf(text, sizeof(text), "(%s)", notes);
	put_text(w, text);
}

static void put_row(FILE *f, const struct option_spec *row)
{
	char letter[8] = "    ";
	char name[128];
	struct wrap w = {.f = f, .indent = INDENT};

	if (row->letter)
		(void)snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	int n = snprintf(name, sizeof(name), "  %s--%s%s%s", letter, row->name,
		row->argument ? "=" : "", row->argument ? row->argument : "");
	fprintf(f, "%-*s", INDENT, name);
	w.column = INDENT;
	/* Two blanks at least between the option and what it does. */
	if (n > INDENT - 2)
		new_line(&w);
	put_text(&w, row->help);
	put_notes(&w, row);
	fprintf(f, "\n");
}

void options_help(const struct option_table *t, FILE *f)
{
	struct wrap w = {.f = f};

	fprintf(f, "Usage: %s %s\n", t->program, t->usage);
	put_text(&w, t->about);
	fprintf(f, "\n\nOptions:\n");
	for (size_t i = 0; i < t->count; i++)
		put_row(f, &t->rows[i]);
	if (t->footer)
		fprintf(f, "\n%s\n", t->footer);
}
