/*
 * Who the user is: the key, TLS with it, and what is known of servers; and the small jobs about these,
 * each of which is all that a run does. One thread, at start-up.
 */
#ifndef LANCHAT_SELF_H
#define LANCHAT_SELF_H

#include "common/identity.h"
#include "common/message.h"

#include <limits.h>
#include <stdbool.h>

struct tls;

struct self {
	struct identity identity;
	struct tls *tls;                 /* owned; NULL: plaintext */
	char folder[PATH_MAX];           /* with known_servers */
	char password[PASSWORD_MAX + 1]; /* the server's; or empty */
};

/* All that return an int: 0, or an exit status, and why on stderr. */
int self_load(bool plaintext, const char *password_file, struct self *out);
void self_free(struct self *self);

/* Write the key to the file `to`, or take it from the file `from`: one of them is NULL. */
int self_move(const char *to, const char *from);

/* Forget the key of a server, by its address or its name. */
int self_forget(const char *server);

/* Print the fingerprint of the key, which is made where there is none. The exit status. */
int self_print(void);

#endif
