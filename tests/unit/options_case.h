/*
 * A program's options with one of each kind, for tests of the command line, the file and the help.
 *
 * For a test's own thread; failures end the test.
 */
#ifndef LANCHAT_TESTS_OPTIONS_CASE_H
#define LANCHAT_TESTS_OPTIONS_CASE_H

#include "common/options.h"

#include <stdbool.h>
#include <stddef.h>

struct settings {
	bool help;
	bool beacon_off;
	char *name;
	char *config;
	long clients;
	long buffer;
	struct option_list listen;
	int level;
};

#define OPTIONS_ERROR 256
#define OPTIONS_ARGS  12

extern const struct option_table options_case;

/* Those of the test that runs, as the table says at first; the last complaint; an empty file's path. */
extern struct settings settings;
extern char options_error[OPTIONS_ERROR];
extern char options_file[];

/* options_case_teardown: nothing is left of the settings. */
void options_case_setup(void);
void options_case_teardown(void);

/* Give the file these bytes. */
void options_case_write(const char *text, size_t length);

/* Split a command line at its blanks, for getopt to permute. */
struct options_args {
	char text[512];
	char *v[OPTIONS_ARGS + 1];
	int c;
};

void options_case_split(struct options_args *a, const char *line);

/* The list has these; NULL: no second one. */
void options_case_listens(const char *first, const char *second);

#endif
