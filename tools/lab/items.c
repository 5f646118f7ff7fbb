#include "tools/lab/items.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GAP 2

void items_add(struct items *i, const char *format, ...)
{
	va_list ap;

	if (i->count == ITEMS_MOST)
		return;
	va_start(ap, format);
	if (vsnprintf(i->text[i->count], ITEM_SIZE, format, ap) > 0)
		i->count++;
	va_end(ap);
}

/* The item behind the last one of the row that begins at `from`. */
static size_t row_end(const struct items *i, size_t from, size_t columns)
{
	size_t used = strlen(i->text[from]), at = from + 1;

	for (; at < i->count; at++) {
		used += GAP + strlen(i->text[at]);
		if (used > columns)
			break;
	}
	return at;
}

size_t items_rows(const struct items *i, size_t columns)
{
	size_t rows = 0;

	for (size_t at = 0; at < i->count; at = row_end(i, at, columns))
		rows++;
	return rows;
}

char *items_row(const struct items *i, size_t columns, size_t row, char out[ITEMS_LINE])
{
	size_t at = 0, used = 0;

	*out = '\0';
	while (row-- > 0 && at < i->count)
		at = row_end(i, at, columns);
	if (at == i->count)
		return out;
	for (size_t end = row_end(i, at, columns); at < end; at++) {
		int n = snprintf(out + used, ITEMS_LINE - used, "%s%*s", i->text[at],
			at + 1 < end ? GAP : 0, "");
		used += n > 0 ? (size_t)n : 0;
	}
	return out;
}
