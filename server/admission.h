/*
 * Admission: who may log in at all.
 *
 * A server is open unless it has a password, or a list of the keys that may come in, or both.
 * Both are files of the administrator's, read at the start and again on SIGHUP. The password
 * is the first line of its file. The list has a person a line, as lanchat --identity prints
 * them: the fingerprint, or all 64 hexadecimal digits; what follows a blank or # is for people.
 *
 * Any thread; guarded by a lock inside.
 */
#ifndef LANCHAT_SERVER_ADMISSION_H
#define LANCHAT_SERVER_ADMISSION_H

#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admission;

/* Everybody may come in. NULL when memory is out. */
struct admission *admission_new(void);
void admission_free(struct admission *a); /* NULL is allowed */

/* Read the files (NULL: there is none of this kind); on an error everything is as before. ERR_SYSTEM,
 * ERR_TEXT, ERR_MEMORY with one line in `error`. */
int admission_load(struct admission *a, const char *password_file, const char *keys_file,
	char *error, size_t size);

/* NULL, where there is none, lets everybody in. May this person (NULL: who has not proven their key) come in, who has shown this password (empty:
 * none)? CODE_NONE, CODE_PASSWORD, CODE_NOT_ALLOWED. */
enum code admission_ask(struct admission *a, const uint8_t *person, struct span password);

/* Is the person on the list of keys, if there is one? Any thread. */
bool admission_has(struct admission *a, const uint8_t person[PERSON_ID]);

/* Is there a list of keys, and none on it? Any thread. */
bool admission_is_for_nobody(struct admission *a);

#endif
