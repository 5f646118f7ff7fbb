/*
 * Options: one table serves the command line, the config file and --help.
 *
 * A program has a struct for its settings and a table of rows; each row names a
 * field of the struct by its offset. The config file has the same names, one
 * `name value` or `name = value` a line, `#` comments; a value may stand in "..."
 * (with \" and \\ inside); a flag may stand alone or with yes/no, and on the command
 * line with =yes or =no. The command line wins over the file, the file over the
 * defaults. A list is replaced by the first value of a source that names it and
 * extended by the ones after.
 *
 * main calls options_load at start and again, into another struct, on reload. For
 * one thread: getopt_long(3) beneath has state of its own.
 */
#ifndef LANCHAT_OPTIONS_H
#define LANCHAT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* char *, owned, NULL when not given and no default */
	OPTION_NUMBER, /* long, within least..most; suffixes K M G (1024) where `bytes` is set */
	OPTION_LIST,   /* struct option_list: repeatable text */
	OPTION_CHOICE, /* int: the index in `choices` */
};

/* Repeated values, owned. */
struct option_list {
	char **items;
	size_t count;
};

struct option_spec {
	const char *name; /* without the dashes */
	char letter;      /* a short form, or 0 */
	enum option_kind kind;
	size_t offset;
	long least, most;
	const char *initial;            /* the default as text, or NULL */
	const char *argument;           /* its name in --help: "FILE"; NULL for a flag */
	const char *help;               /* wrapped when printed; the default is added to it */
	const char *const *choices;     /* OPTION_CHOICE: NULL-terminated */
	bool bytes;                     /* OPTION_NUMBER: K, M, G may follow */
	bool file;                      /* may stand in the config file */
	bool reload;                    /* takes effect on reload too */
	bool off;                       /* OPTION_NUMBER: "off" is accepted and means -1 */
	bool (*good)(const char *text); /* OPTION_LIST: is it one? NULL: anything is */
	const char *form;               /* what `good` wants, for the complaint */
};

/* At most 64 rows. */
struct option_table {
	const char *program; /* "lanchatd" */
	const char *usage;   /* "[OPTION]... [SERVER]" */
	const char *about;   /* a sentence or two for --help */
	const struct option_spec *rows;
	size_t count;
	const char *footer; /* after the options in --help, as it stands, or NULL */
};

/* Set every field to its default. The struct must be zeroed. ERR_MEMORY. */
int options_init(const struct option_table *t, void *settings);

/* Free what the fields own and zero them. */
void options_fini(const struct option_table *t, void *settings);

/* Defaults, then the config file that the text option called `config` names on the command line (none,
 * if it is not given), then the command line. `settings` must be zeroed; on failure it is so again.
 * Errors as below, with `error` filled in every case. */
int options_load(const struct option_table *t, void *settings, const char *config, int argc,
	char **argv, int *rest, char *error, size_t size);

/* Parse a command line. `*rest` is the index of the first operand in argv, which is permuted so that
 * operands come last. ERR_ARGUMENT with one line, without a newline, in `error`: it names the option
 * and, when a known one is near, suggests it. ERR_MEMORY. After a failure `settings` may be half
 * changed; options_fini frees it. */
int options_parse(const struct option_table *t, void *settings, int argc, char **argv, int *rest,
	char *error, size_t size);

/* Read a config file over `settings`. ERR_SYSTEM with errno and "cannot read ..." in `error`;
 * ERR_ARGUMENT with "FILE:LINE: what"; ERR_MEMORY. */
int options_read(
	const struct option_table *t, void *settings, const char *path, char *error, size_t size);

/* Print --help, wrapped to 80 columns, to `f`. */
void options_help(const struct option_table *t, FILE *f);

#endif
