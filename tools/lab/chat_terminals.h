/*
 * The chat with clients in terminals of their own: the server runs on its host, the wire is bad, and how to
 * get to the client's host is printed. One thread.
 */
#ifndef LANCHAT_LAB_CHAT_TERMINALS_H
#define LANCHAT_LAB_CHAT_TERMINALS_H

#include "tools/lab/stage.h"

#include <stdio.h>

/* Until SIGINT, SIGTERM or SIGHUP, which must be blocked, or the server ends. `user_namespace`: site_enter
 * made one, and who comes from outside has to go there first. 0 when a signal ended it; else as stage_open,
 * or ERR_SYSTEM, ERR_CLOSED, ERR_TIMEOUT, with a line in `error`. */
int chat_terminals(
	const struct stage_options *o, bool user_namespace, FILE *out, char *error, size_t size);

#endif
