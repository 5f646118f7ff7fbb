/*
 * The chat over a bad network: a scenario that is not in the table, for its lines come from outside. Two
 * clients of lanchat talk by its server, which is what TCP is good for; beside them numbered datagrams take
 * the same way.
 *
 * Of each line: the one who says it writes it to her client; the number of a message is that of the line,
 * and it has arrived when the other one's client prints it.
 */
#ifndef LANCHAT_LAB_CHAT_H
#define LANCHAT_LAB_CHAT_H

#include "tools/lab/scenario.h"

/* Lines are read from stage_options.lines_fd: "a: hello", "b: hello". It ends when these end and all are
 * read by both. */
extern const struct scenario chat_scenario;

#endif
