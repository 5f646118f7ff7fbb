/*
 * Short texts side by side, in as many rows as a width makes of them; none is cut in two. ASCII. Pure;
 * any thread.
 */
#ifndef LANCHAT_LAB_ITEMS_H
#define LANCHAT_LAB_ITEMS_H

#include <stddef.h>

#define ITEMS_MOST 16
#define ITEM_SIZE  32
#define ITEMS_LINE (ITEMS_MOST * (ITEM_SIZE + 2))

/* Zeroed it is empty. */
struct items {
	char text[ITEMS_MOST][ITEM_SIZE];
	size_t count;
};

/* One more; what there is no room for is left out, and what is too long is cut. */
void items_add(struct items *i, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many rows of `columns` they take. */
size_t items_rows(const struct items *i, size_t columns);

/* What stands on that row, from 0; "" where there is none. Returns `out`. */
char *items_row(const struct items *i, size_t columns, size_t row, char out[ITEMS_LINE]);

#endif
