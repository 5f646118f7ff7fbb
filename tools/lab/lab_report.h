/*
 * A run as a page: of each scenario its question, its network, what both sides called, what was on the
 * wire, how long messages took, what was counted and what was asserted.
 *
 * All of it is from the journal, the scores and the outcome. One thread.
 */
#ifndef LANCHAT_LAB_REPORT_H
#define LANCHAT_LAB_REPORT_H

#include "tools/lab/outcome.h"

#include <stddef.h>

struct lab_report;

/* Begin the page that will be the file `path`; "-" is standard output. `command` is the command line.
 * As page_open. */
int lab_report_open(
	struct lab_report **out, const char *path, const char *command, char *error, size_t size);

/* Add a scenario. `s` is the stage that it was played on; NULL: it was not. ERR_MEMORY; other failures
 * are kept, and lab_report_close tells of them. */
int lab_report_add(struct lab_report *r, const struct outcome *o, struct stage *s);

/* End it with a table of `all`, and put it in its place. As page_close. Frees `r` in any case. */
int lab_report_close(
	struct lab_report *r, const struct outcome *all, size_t count, char *error, size_t size);

/* Give it up: there is no file. NULL is ignored. */
void lab_report_discard(struct lab_report *r);

#endif
