/*
 * The lines of commands about rights, as they are typed: what /kick, /ban, /mode and
 * the like are given, checked before anything is sent.
 *
 *     /ban [-s] WHOM [TIME] [WHY]
 *
 * A first word of the reason that begins with a digit or a sign is meant as a time, so
 * it must be one, or a slip would ban for good: a reason that begins so stands behind
 * "--". What is wrong is told in one sentence. Pure; any thread.
 */
#ifndef LANCHAT_ACT_LINE_H
#define LANCHAT_ACT_LINE_H

#include "client/link.h"
#include "common/rights.h"

#include <stdbool.h>
#include <stddef.h>

#define ACT_LINE_ERROR 320 /* bytes that each complaint fits into */

/* Would a label be taken for addresses? A nick that would be is written with a @ before it. */
bool act_line_is_range(const char *label);

/* "-s": it is about the server and not the room. Takes it off the line. */
bool act_line_server(const char **rest);

/* May that be done on the server, too? */
bool act_line_on_server(enum act_verb verb);

/* What is done to somebody, without the -s. `a->label` is put into `label`, `a->text` points into
 * `rest`. ERR_ARGUMENT with a sentence. */
int act_line_person(enum act_verb verb, const char *rest, char label[LABEL_MAX + 1],
	struct link_act *a, char error[ACT_LINE_ERROR]);

/* What /mode takes: words, and what follows them. For completion. */
struct mode_word {
	const char *word;
	const char *values[4]; /* that are offered after it; the last is NULL */
};
const struct mode_word *act_line_modes(size_t *count);

/* What a room is to be like. `a->text` points into `rest`. ERR_ARGUMENT with a sentence. */
int act_line_mode(const char *rest, struct link_act *a, char error[ACT_LINE_ERROR]);

/* Bytes of an operator code as the server prints it: abcd-efgh-ijkl-mnop, and a NUL. */
#define ACT_LINE_CODE 20

/* What /op is given: a code, in capitals or small letters, with dashes, blanks or neither, which is put
 * into `code` as the server writes it; or (0, and `code` is empty) a nick. ERR_ARGUMENT with a sentence:
 * it can be neither, or either. `known`: somebody is called so. */
int act_line_op(const char *rest, bool known, char code[ACT_LINE_CODE], char error[ACT_LINE_ERROR]);

#endif
