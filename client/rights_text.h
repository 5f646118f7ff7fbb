/*
 * What the server answers about rights, in plain sentences: a charter, the acts that
 * were done, who somebody is, and what has come of an act.
 *
 * Each function prints lines of text that is not clean yet. `now` is in microseconds
 * since 1970; points in time are shown as local time (tzset). One thread at a time.
 */
#ifndef LANCHAT_RIGHTS_TEXT_H
#define LANCHAT_RIGHTS_TEXT_H

#include "client/link.h"

#include <stdint.h>
#include <stdio.h>

/* EVENT_CHARTER, EVENT_AUDIT and EVENT_PERSON; of others nothing. */
void rights_text_answer(FILE *f, const struct event *e, uint64_t now);

/* That an act was done in a room ("": on the server). Of most that is just "Done.": the room is told. */
void rights_text_done(FILE *f, const char *room, const struct link_act *a, uint64_t now);

#endif
