/*
 * The files that are kept of what was played: --json, --pcap and --report, "-" being standard output.
 *
 * They are opened before anything is played, for whether one can write is better known before a long run,
 * and each appears whole or not at all. One thread.
 */
#ifndef LANCHAT_LAB_KEEP_H
#define LANCHAT_LAB_KEEP_H

#include "tools/lab/lab_options.h"
#include "tools/lab/lab_report.h"
#include "tools/lab/outcome.h"
#include "tools/report/page_file.h"

struct keep {
	const struct lab_settings *settings; /* borrowed, like the next */
	const char *command;                 /* the command line */
	struct page_file json, capture;      /* `out` NULL: not wanted, or on standard output */
	int capture_error;                   /* errno: what kept it from being written; 0 */
	struct lab_report *report;           /* NULL: none */
};

/* Is anything wanted at all? Is one of them standard output? */
bool keep_any(const struct lab_settings *t);
bool keep_on_stdout(const struct lab_settings *t);

/* What can be said against them before they are opened: ERR_ARGUMENT or ERR_SYSTEM, with a line in
 * `error`. */
int keep_check(const struct lab_settings *t, char *error, size_t size);

/* Open what is wanted. ERR_SYSTEM or ERR_MEMORY, with a line in `error`, and nothing to close. */
int keep_open(struct keep *k, const struct lab_settings *t, const char *command, char *error,
	size_t size);

/* Add what came of a scenario; `s` is NULL where it was not played. ERR_MEMORY; a file that cannot be
 * written is told of in the end. */
int keep_add(struct keep *k, const struct outcome *o, struct stage *s);

/* All was played, and `status` came of it: put them in their places. `status`, or 1 where one could not be
 * written: each of these is told on stderr. */
int keep_publish(struct keep *k, const struct outcome *all, size_t count, int status);

/* Free what it has; what was not published is not there. Again without harm. */
void keep_close(struct keep *k);

#endif
