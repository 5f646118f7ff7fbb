/*
 * The passwords that the user has typed, for as long as the program runs.
 *
 * Each belongs to one place, a server as the user named or chose it, and is told to
 * no other. They are never on disk, and their memory is wiped when they are
 * forgotten. Zeroed storage is empty. Plain value, one thread.
 */
#ifndef LANCHAT_KEYRING_H
#define LANCHAT_KEYRING_H

#include "common/message.h"
#include "common/net.h"

#include <stddef.h>

#define KEYRING_MOST      8 /* beyond, the one that was typed first is forgotten */
#define KEYRING_PLACE_MAX (NET_HOST_MAX + 16)

struct keyring_entry {
	char place[KEYRING_PLACE_MAX];
	char password[PASSWORD_MAX + 1];
};

struct keyring {
	struct keyring_entry entries[KEYRING_MOST]; /* as they were typed */
	size_t count;
};

/* Remember a password for a place, instead of the one that was known. Either is cut where it is too
 * long: the password of a server never is (hidden.h). */
void keyring_put(struct keyring *k, const char *place, const char *password);

/* NULL: none is known. Valid until the next change. */
const char *keyring_find(const struct keyring *k, const char *place);

/* It is not the right one; or none of them is wanted any more. */
void keyring_forget(struct keyring *k, const char *place);
void keyring_wipe(struct keyring *k);

#endif
