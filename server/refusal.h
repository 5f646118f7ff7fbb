/*
 * Refusals: the first and last word to a connection that cannot be had.
 */
#ifndef LANCHAT_SERVER_REFUSAL_H
#define LANCHAT_SERVER_REFUSAL_H

#include "common/message.h"

/* Tell a new connection why it is not taken (ERROR, fatal; `text` NULL: the code's own) and end the
 * sending side. Never waits: a
 * new socket's buffer is empty. The descriptor stays open, and the caller's. Any thread. */
void refusal_send(int fd, enum code code, const char *text);

#endif
