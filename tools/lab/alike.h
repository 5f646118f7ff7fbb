/*
 * Calls that are alike, of which a reader needs to see a few: of one operation, descriptor and kind of
 * outcome. Those behind the first ALIKE are counted, and told in a line when something new comes.
 *
 * Calls are borrowed until they are told. Zeroed storage is an empty one. One thread.
 */
#ifndef LANCHAT_LAB_ALIKE_H
#define LANCHAT_LAB_ALIKE_H

#include "tools/lab/journal.h"

#define ALIKE       3 /* in a row that are shown */
#define ALIKE_KINDS 16

struct alike {
	struct {
		const char *operation;
		int fd;
		bool good;
		uint64_t seen;
	} kind[ALIKE_KINDS];
	size_t count;
	/* Where lines go: "... and 12 more send(4, ...)". */
	void (*tell)(void *of, const char *line);
	void *of;
};

/* Is it one of too many? Never where there is a reason with it, nor of what is not done again and again.
 * Before it says no to what is new, it tells what was left out until now. */
bool alike_is_more(struct alike *a, const struct journal_call *c);

/* Tell what was left out, and begin anew. */
void alike_end(struct alike *a);

#endif
