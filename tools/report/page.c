#include "tools/report/page.h"

#include "common/err.h"
#include "tools/report/markup.h"
#include "tools/report/page_file.h"
#include "tools/report/style.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX        32
#define SHEET         900 /* of a drawing's height, that A4 and letter have room for below a title */
#define SHEET_OVERLAP 24  /* more than a line of text */

struct page {
	struct page_file file;
	FILE *out;                         /* borrowed from `file` */
	const struct page_column *columns; /* of the table that is begun, borrowed; NULL: none is */
	size_t column_count;
	unsigned figures;
	int failed; /* the first failure; 0: none */
	char error[256];
};

/* ---- failures ---- */

static void fail(struct page *p, int code, const char *text)
{
	if (p->failed)
		return;
	p->failed = code;
	snprintf(p->error, sizeof(p->error), "%s", text);
}

/* May the next part be written? errno is of use only right behind the write that failed. */
static bool good(struct page *p)
{
	if (!p->failed && ferror(p->out))
		fail(p, ERR_SYSTEM, strerror(errno));
	return !p->failed;
}

/* ---- pieces ---- */

static void raw(struct page *p, const char *markup)
{
	if (!good(p))
		return;
	errno = 0;
	fputs(markup, p->out);
	(void)good(p);
}

static void text(struct page *p, const char *words)
{
	if (!good(p))
		return;
	int r = markup_text(p->out, words);
	if (r)
		fail(p, r, err_text(r));
	(void)good(p);
}

/* An element with nothing but text in it; `tag` may have a class behind it. */
static void element(struct page *p, const char *tag, const char *words)
{
	if (!good(p))
		return;
	fprintf(p->out, "<%s>", tag);
	text(p, words);
	if (good(p))
		fprintf(p->out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

static const char *or_dash(const char *value)
{
	return value ? value : "\xe2\x80\x93";
}

/* ---- beginning and end ---- */

static void write_head(struct page *p, const char *title, const char *lead)
{
	raw(p, "<!DOCTYPE html>\n"
	       "<html lang=\"en\">\n"
	       "<head>\n"
	       "<meta charset=\"utf-8\"/>\n"
	       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	       /* Whatever would slip in after all may not fetch or run anything. */
	       "<meta http-equiv=\"Content-Security-Policy\" "
	       "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
	element(p, "title", title);
	raw(p, "<style>\n");
	raw(p, style_css);
	raw(p, "</style>\n</head>\n<body>\n<main>\n<header>\n");
	element(p, "h1", title);
	if (lead)
		element(p, "p class=\"lead\"", lead);
	raw(p, "</header>\n");
}

int page_open(struct page **page, const char *path, const char *title, const char *lead,
	char *error, size_t size)
{
	struct page *p = calloc(1, sizeof(*p));

	if (!p) {
		snprintf(error, size, "%s", err_text(ERR_MEMORY));
		return ERR_MEMORY;
	}
	int r = page_file_open(&p->file, path);
	if (r) {
		snprintf(error, size, "cannot write '%s': %s", path,
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
		free(p);
		return r;
	}
	p->out = p->file.out;
	write_head(p, title, lead);
	*page = p;
	return 0;
}

int page_close(struct page *page, const char *made_by, char *error, size_t size)
{
	if (made_by) {
		raw(page, "<footer>");
		text(page, made_by);
		raw(page, "</footer>\n");
	}
	raw(page, "</main>\n</body>\n</html>\n");
	if (good(page) && page_file_publish(&page->file) != 0)
		fail(page, ERR_SYSTEM, strerror(errno));
	int r = page->failed;
	if (r)
		snprintf(error, size, "cannot write '%s': %s", page->file.path, page->error);
	page_discard(page);
	return r;
}

void page_discard(struct page *page)
{
	if (!page)
		return;
	page_file_close(&page->file);
	free(page);
}

/* ---- words ---- */

void page_heading(struct page *page, const char *words)
{
	element(page, "h2", words);
}

void page_subheading(struct page *page, const char *words)
{
	element(page, "h3", words);
}

void page_paragraph(struct page *page, const char *words)
{
	element(page, "p", words);
}

void page_command(struct page *page, const char *words)
{
	raw(page, "<pre>");
	if (good(page)) {
		int r = markup_block(page->out, words);
		if (r)
			fail(page, r, err_text(r));
	}
	raw(page, "</pre>\n");
}

void page_verdict(struct page *page, enum page_verdict verdict, const char *words)
{
	static const struct {
		const char *class, *sign, *word;
	} kinds[] = {
		[PAGE_PASSED] = {"passed", "M4,13l5,5L20,6", "Passed:"},
		[PAGE_FAILED] = {"failed", "M6,6L18,18M18,6L6,18", "Failed:"},
		[PAGE_NOTED] = {"noted", "M12,11v6M12,7h.1M12,2.5a9.5,9.5 0 1,0 .1,0", "Note:"},
	};

	if (!good(page))
		return;
	fprintf(page->out,
		"<p class=\"verdict %s\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
		"<path d=\"%s\"/></svg><span><strong>%s</strong> ",
		kinds[verdict].class, kinds[verdict].sign, kinds[verdict].word);
	text(page, words);
	raw(page, "</span></p>\n");
}

/* ---- facts and tables ---- */

static void list(struct page *p, const char *class, const struct page_fact *facts, size_t count,
	bool grouped)
{
	if (count == 0 || !good(p))
		return;
	fprintf(p->out, "<dl class=\"%s\">\n", class);
	for (size_t i = 0; i < count; i++) {
		raw(p, grouped ? "<div>" : "");
		element(p, "dt", or_dash(facts[i].name));
		element(p, "dd", or_dash(facts[i].value));
		raw(p, grouped ? "</div>\n" : "");
	}
	raw(p, "</dl>\n");
}

void page_facts(struct page *page, const struct page_fact *facts, size_t count)
{
	list(page, "facts", facts, count, false);
}

void page_highlights(struct page *page, const struct page_fact *facts, size_t count)
{
	list(page, "highlights", facts, count, true);
}

void page_table_begin(
	struct page *page, const char *caption, const struct page_column *columns, size_t count)
{
	page->columns = columns;
	page->column_count = count;
	/* One who has no pointer must be able to move it too. */
	raw(page, "<div class=\"scroll\" tabindex=\"0\"><table>\n");
	if (caption)
		element(page, "caption", caption);
	raw(page, "<thead><tr>\n");
	for (size_t i = 0; i < count; i++)
		element(page,
			columns[i].number ? "th scope=\"col\" class=\"number\""
					  : "th scope=\"col\"",
			columns[i].name);
	raw(page, "</tr></thead>\n<tbody>\n");
}

void page_row(struct page *page, const char *const *cells)
{
	raw(page, "<tr>");
	for (size_t i = 0; i < page->column_count; i++)
		element(page, page->columns[i].number ? "td class=\"number\"" : "td",
			or_dash(cells[i]));
	raw(page, "</tr>\n");
}

void page_table_end(struct page *page)
{
	page->columns = NULL;
	page->column_count = 0;
	raw(page, "</tbody>\n</table></div>\n");
}

/* ---- two lists ---- */

static void begin_side(struct page *p, const char *name)
{
	raw(p, "<section>\n");
	element(p, "h4", name);
	raw(p, "<ol>\n");
}

void page_sides_begin(struct page *page, const char *name)
{
	raw(page, "<div class=\"sides\">\n");
	begin_side(page, name);
}

void page_sides_next(struct page *page, const char *name)
{
	raw(page, "</ol></section>\n");
	begin_side(page, name);
}

void page_sides_end(struct page *page)
{
	raw(page, "</ol></section>\n</div>\n");
}

void page_item(struct page *page, const struct page_item *item)
{
	raw(page, "<li>");
	if (item->when)
		element(page, "span class=\"when\"", item->when);
	raw(page, "<div>");
	if (item->who)
		element(page, "span class=\"who\"", item->who);
	if (item->code)
		element(page, "code", item->code);
	if (item->words)
		element(page, item->code ? "p class=\"why\"" : "p", item->words);
	raw(page, "</div></li>\n");
}

/* ---- figures ---- */

static void begin_figure(struct page *p, const char *title)
{
	p->figures++;
	raw(p, "<figure>\n");
	if (title)
		element(p, "h3", title);
}

static void end_figure(struct page *p, const char *caption)
{
	if (caption)
		element(p, "figcaption", caption);
	raw(p, "</figure>\n");
}

static void write_plot(struct page *p, const struct plot *plot, enum plot_shape shape)
{
	char error[sizeof(p->error)];

	if (!good(p))
		return;
	fprintf(p->out, "<div class=\"%s\">\n", shape == PLOT_WIDE ? "wide" : "narrow");
	int r = plot_svg(p->out, plot, shape, error, sizeof(error));
	if (r)
		fail(p, r, error);
	raw(p, "</div>\n");
}

void page_plot(struct page *page, const struct plot *plot, const char *caption)
{
	begin_figure(page, plot->title);
	if (good(page)) {
		int r = plot_legend(page->out, plot);
		if (r)
			fail(page, r, err_text(r));
	}
	write_plot(page, plot, PLOT_WIDE);
	write_plot(page, plot, PLOT_NARROW);
	end_figure(page, caption);
}

/* For print: a drawing that no sheet can hold, again and cut into what sheets can. What is on a cut is
 * whole on one of the two, as each begins a little before the end of the one before. */
static void add_sheets(struct page *p, const struct page_drawing *drawing, const char *id)
{
	if (drawing->height <= SHEET)
		return;
	raw(p, "<div class=\"sheets\">\n");
	for (int y = 0; good(p) && y + SHEET_OVERLAP < drawing->height;
		y += SHEET - SHEET_OVERLAP) {
		int left = drawing->height - y;

		fprintf(p->out,
			"<svg viewBox=\"0 %d %d %d\" aria-hidden=\"true\">"
			"<use href=\"#%s-all\"/></svg>\n",
			y, drawing->width, left < SHEET ? left : SHEET, id);
	}
	raw(p, "</div>\n");
}

void page_figure(struct page *page, const struct page_drawing *drawing)
{
	char id[ID_MAX];

	begin_figure(page, drawing->title);
	if (!good(page))
		return;
	snprintf(id, sizeof(id), "figure%u", page->figures);
	fprintf(page->out,
		"<div class=\"diagram\" tabindex=\"0\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"",
		drawing->width, drawing->height);
	text(page, drawing->title ? drawing->title : "");
	raw(page, "\">\n");
	if (good(page))
		fprintf(page->out, "<g id=\"%s-all\">\n", id);
	if (good(page)) {
		int r = drawing->draw(page->out, id, drawing->context);
		if (r)
			fail(page, r, err_text(r));
	}
	raw(page, "</g></svg></div>\n");
	add_sheets(page, drawing, id);
	end_figure(page, drawing->caption);
}
