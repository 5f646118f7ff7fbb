/*
 * The first three descriptors: what is opened takes the lowest number that is free. Where a program is
 * started with one of them closed, a socket or a database would get what is meant for people.
 */
#ifndef LANCHAT_STANDARD_STREAMS_H
#define LANCHAT_STANDARD_STREAMS_H

#include <stdbool.h>

/* Open /dev/null for each of stdin, stdout and stderr that is closed: first of all in main(), before
 * anything else is opened. A closed stdout can still not be written to, so that a result that goes there
 * fails; what goes to a closed stderr is thrown away. False: stdout cannot be written to. */
bool standard_streams_keep(void);

#endif
