/*
 * Options: one table serves the command line, the config file and --help.
 *
 * A program has a struct for its settings and a table of rows; each row names a
 * field of the struct by its offset. The config file has the same names, one
 * `name value` or `name = value` a line, `#` comments; a flag may stand alone or with
 * yes/no. The command line wins over the file.
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
	const char *initial;        /* the default as text, or NULL */
	const char *argument;       /* its name in --help: "FILE"; NULL for a flag */
	const char *help;           /* one line or more, wrapped when printed */
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
	bool bytes;                 /* OPTION_NUMBER: K, M, G may follow */
	bool file;                  /* may stand in the config file */
	bool reload;                /* takes effect on reload too */
	bool off;                   /* OPTION_NUMBER: "off" is accepted and means -1 */
};

struct option_table {
	const char *program; /* "lanchatd" */
	const char *usage;   /* "[OPTION]... [SERVER]" */
	const char *about;   /* a sentence or two for --help */
	const struct option_spec *rows;
	size_t count;
	const char *footer; /* after the options in --help, or NULL */
};

/* Set every field to its default. The struct must be zeroed. ERR_MEMORY. */
int options_init(const struct option_table *t, void *settings);

/* Free what the fields own and zero them. */
void options_fini(const struct option_table *t, void *settings);

/* Parse a command line. `*rest` is the index of the first operand in argv, which is permuted so that
 * operands come last. ERR_ARGUMENT with one line, without a newline, in `error`: it names the option
 * and, when a known one is near, suggests it. */
int options_parse(const struct option_table *t, void *settings, int argc, char **argv, int *rest,
	char *error, size_t size);

/* Read a config file over `settings`. ERR_SYSTEM with errno, or ERR_ARGUMENT with
 * "FILE:LINE: what" in `error`. */
int options_read(
	const struct option_table *t, void *settings, const char *path, char *error, size_t size);

/* Print --help, wrapped to 80 columns, to `f`. */
void options_help(const struct option_table *t, FILE *f);

#endif
