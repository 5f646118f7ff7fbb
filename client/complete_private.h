/*
 * What the files of completion share: complete.c (commands, rooms, nicks, and taking
 * one candidate after the other), complete_rights.c (what commands about rights take).
 */
#ifndef LANCHAT_COMPLETE_PRIVATE_H
#define LANCHAT_COMPLETE_PRIVATE_H

#include "client/complete.h"

#include "client/command.h"

#include <stdbool.h>

/* Add before + name + after, unless it is there, or there are COMPLETE_MOST. ERR_MEMORY. */
int complete_add(struct completion *c, const char *before, const char *name, const char *after);

/* Add a nick, with a @ where the command wants one. ERR_MEMORY. */
int complete_add_nick(struct completion *c, const char *nick, const char *after);

/* Add nicks that begin with the word: those in this room first, then all others; or those alone whom one
 * talks to directly, or who are in other rooms. ERR_MEMORY. */
int complete_nicks(
	struct completion *c, const struct model *m, const char *word, const char *after);
int complete_elsewhere(
	struct completion *c, const struct model *m, const char *word, const char *after);

/* ---- complete_rights.c ---- */

bool complete_is_about_rights(const struct command_spec *command);

/* Add what `word`, which begins at `at` in the command's `arguments`, may become. ERR_MEMORY. */
int complete_rights(struct completion *c, const struct model *m, const struct command_spec *command,
	const char *arguments, const char *at, const char *word);

#endif
