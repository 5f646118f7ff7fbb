/*
 * What the parts of options share: setting one row from its text, and saying
 * what is wrong with it. For options.c, options_file.c and options_help.c alone.
 */
#ifndef LANCHAT_OPTIONS_INTERNAL_H
#define LANCHAT_OPTIONS_INTERNAL_H

#include "common/options.h"

#include <stddef.h>
#include <stdint.h>

/* Where values come from at the moment: the command line or a file. */
struct option_source {
	const char *dashes; /* before an option's name in a complaint: "--", or "" in a file */
	const char *file;   /* NULL for the command line */
	size_t line;        /* in `file` */
	uint64_t seen; /* bit i: row i has been set from here; for OPTION_LIST, which is replaced
	                       by each source and extended within one */
	char *error;   /* gets the complaint, of `size` bytes */
	size_t size;
};

#define OPTIONS_MAX 64 /* rows of a table: bits of `seen` */

/* Format the complaint, FILE:LINE before it, cleaned of control characters. Returns ERR_ARGUMENT. */
int options_complain(struct option_source *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Complain that there is no option with the name that the `length` bytes at `name` are, and suggest
 * the nearest. Returns ERR_ARGUMENT. */
int options_unknown(
	const struct option_table *t, struct option_source *s, const char *name, size_t length);

/* Set the field of row `index` from `text`; NULL: the flag stands alone. ERR_ARGUMENT with a
 * complaint, ERR_MEMORY. */
int options_set(const struct option_table *t, size_t index, void *settings, const char *text,
	struct option_source *s);

#endif
