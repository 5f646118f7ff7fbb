/*
 * Verifying a log: is everything there that has to be, and does it fit together?
 *
 * The log is looked at as it is at one moment, and read alone, so a server may be
 * writing to it. A million entries take half a minute, most of it for their words, and
 * eight megabytes. One thread.
 */
#ifndef LANCHAT_SERVER_STORE_VERIFY_H
#define LANCHAT_SERVER_STORE_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#define VERIFY_SHOWN 10  /* findings that are told in words */
#define VERIFY_TEXT  192 /* bytes of one, with its end */

struct verify_report {
	/* What was read. */
	uint64_t version; /* of the schema */
	uint64_t entries, first, last;
	uint64_t links; /* places of entries in streams */
	uint64_t rooms, inboxes, people, instances, places;
	uint64_t indexed; /* entries in the index of words */
	uint64_t words;   /* in it, counted as often as they occur */
	/* What is wrong. */
	uint64_t findings;
	char shown[VERIFY_SHOWN][VERIFY_TEXT]; /* the first of them */
};

/* Verify the log at `path`, an absolute path without symbolic links. 0: it was read, and the report
 * says what was found. Otherwise it could not be, with one line in `error` that does not name the
 * file; errors as store_open. */
int store_verify(const char *path, struct verify_report *report, char *error, size_t size);

#endif
