/*
 * A script of the chat, before anybody says a line of it. One thread.
 */
#ifndef LANCHAT_LAB_CHAT_SCRIPT_H
#define LANCHAT_LAB_CHAT_SCRIPT_H

#include <stddef.h>

/* Is every line of it one that can be said, blank, or a comment? Looked at is what a regular file has from
 * where it stands now, and it stands there afterwards; of all else, such as a pipe, nobody knows yet. `name` is
 * for the message. ERR_ARGUMENT: the first that is not is told in `error`, by its number; ERR_SYSTEM,
 * ERR_MEMORY, with a line there too. */
int chat_script_check(int fd, const char *name, char *error, size_t size);

#endif
