/*
 * A report: one HTML file that needs nothing else, neither network nor scripts.
 *
 * Between page_open and page_close its parts are written from above to below.
 * Failures are kept, as a stream keeps its own: after the first one nothing is
 * written any more, and page_close tells what it was. The file appears under its
 * name when it is whole; until then it has another one in the same folder, and
 * what is there already stays as it is. What is no regular file (/dev/stdout, a
 * pipe) is written as it comes.
 *
 * All text may come from anywhere: it is made clean and escaped (markup.h). It is
 * well-formed as XML too, so programs can read it. Looks: style.css. A page belongs
 * to one thread.
 */
#ifndef LANCHAT_PAGE_H
#define LANCHAT_PAGE_H

#include "tools/report/plot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct page;

/* Begin a page that will be the file `path`, with its title and, unless NULL, a line below it.
 * ERR_SYSTEM or ERR_MEMORY, with the text in `error`. */
int page_open(struct page **page, const char *path, const char *title, const char *lead,
	char *error, size_t size);

/* End it with a line that says what made it, unless NULL, and put it in its place. The first failure
 * of all that was written, with its text in `error`: ERR_SYSTEM (a full disk) or ERR_MEMORY, or
 * those of plot_svg; then there is no new file. Frees `page` in any case. */
int page_close(struct page *page, const char *made_by, char *error, size_t size);

/* Give it up, as if it had never been begun. NULL is ignored. */
void page_discard(struct page *page);

/* A heading of a part of the page, and of a part of such a part. */
void page_heading(struct page *page, const char *words);
void page_subheading(struct page *page, const char *words);

void page_paragraph(struct page *page, const char *words);

/* What was typed or printed, line by line. */
void page_command(struct page *page, const char *words);

/* What the work has come to: a badge with a sign and the words "Passed", "Failed" or "Note". */
enum page_verdict {
	PAGE_PASSED,
	PAGE_FAILED,
	PAGE_NOTED
};
void page_verdict(struct page *page, enum page_verdict verdict, const char *words);

struct page_fact {
	const char *name, *value; /* NULL: a dash, for what is not known */
};

/* A list of names and values. */
void page_facts(struct page *page, const struct page_fact *facts, size_t count);

/* The few that matter most, large; `value` is short, with its unit. */
void page_highlights(struct page *page, const struct page_fact *facts, size_t count);

/* A table: begin, rows with a cell for each column (NULL: a dash), end. Cells of numbers stand at the
 * right, so the points of those with as many decimals are one below the other. */
struct page_column {
	const char *name;
	bool number;
};

void page_table_begin(
	struct page *page, const char *caption, const struct page_column *columns, size_t count);
void page_row(struct page *page, const char *const *cells);
void page_table_end(struct page *page);

/* Two lists side by side, one below the other where the page is narrow: begin with the first one's
 * name, its items, next with the second one's, its items, end. */
void page_sides_begin(struct page *page, const char *name);
void page_sides_next(struct page *page, const char *name);
void page_sides_end(struct page *page);

struct page_item {
	const char *when; /* a short number; NULL: none, as for each below */
	const char *who;
	const char *code;  /* what was typed, called or printed */
	const char *words; /* what is to be said about it */
};
void page_item(struct page *page, const struct page_item *item);

/* A plot with its title, its legend and, unless NULL, a caption. */
void page_plot(struct page *page, const struct plot *plot, const char *caption);

/*
 * A drawing of the caller's own. `draw` writes the inside of an <svg> of `width` by `height` units,
 * well-formed, all text by markup_text; `id` is a prefix for ids, which no other figure has. Returns
 * 0 or a code. Classes for it: line, axis, grid, dots, bars, area; with a colour s1 to s6; for text
 * tick, label, or none. One that is higher than a sheet of paper is printed in parts.
 */
struct page_drawing {
	const char *title; /* also for those who cannot see it */
	const char *caption;
	int width, height; /* 760 wide is as wide as the page */
	int (*draw)(FILE *out, const char *id, void *context);
	void *context;
};

void page_figure(struct page *page, const struct page_drawing *drawing);

#endif
