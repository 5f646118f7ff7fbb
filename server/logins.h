/*
 * Logins: of one client instance, only the newest may append to the log.
 *
 * A client that has given a connection up comes again as the same instance, while what
 * it sent by the old one may still be under way. If that were appended after the new
 * session has answered for it, a message could be refused and be in the log all the
 * same. So a login ends the older ones of the same person and instance, and waits until
 * none of them appends any more; each session asks before it does. Whoever is sent away
 * from the server is found here as well.
 *
 * Any thread. Asking takes no lock: it is done for each append.
 */
#ifndef LANCHAT_SERVER_LOGINS_H
#define LANCHAT_SERVER_LOGINS_H

#include "common/message.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct logins;

/* Why somebody is sent away. A plain value; the words are borrowed, and NULL where the code's own do. */
struct login_end {
	enum code why;
	const char *told; /* to whom it ends */
	const char *seen; /* by others, after the nick: "was banned from the server" */
};

/* One login; a part of its session. Zeroed storage is none. */
struct login {
	struct logins *all; /* NULL: not entered; the session thread's own */
	/* constant while entered, as are the next */
	void (*end)(void *context, const struct login_end *e);
	void *context;
	const struct outlet_peer *peer; /* who it is, for logins_end; NULL: nobody */
	atomic_uint gate;               /* LOGIN_* bits */
	struct same_login *same;        /* guarded by the lock of all, as are the next */
	struct login *older, *newer;    /* of the same instance */
};

/* Nobody is logged in. NULL when memory is out. */
struct logins *logins_new(void);

/* Everybody has left. NULL is allowed. */
void logins_free(struct logins *all);

/* A session logs in. Older logins of the same person and instance are told to end (CODE_ALREADY), each
 * once, by their `end`: it is called under a lock, so it may mark and wake its session and do nothing else. Then
 * wait until none of them appends. 0, also where a newer login has ended this one meanwhile;
 * ERR_TIMEOUT: one still appends at `deadline` (clock_ms); ERR_MEMORY. After an error the login has
 * not been entered, and the older ones have been ended all the same. */
int logins_enter(struct logins *all, struct login *l, const uint8_t person[PERSON_ID],
	const uint8_t instance[INSTANCE_ID], int64_t deadline);

/* From now on `end` is not called any more. Not while appending; nothing for a login that was not
 * entered. */
void logins_leave(struct login *l);

/* Have those end that fit. `fits` is called under the lock, and must not call back. */
void logins_end(struct logins *all, bool (*fits)(const void *context, const struct login *l),
	const void *context, const struct login_end *end);

/* May this login's session append now? If so, login_appended follows. False for good once a newer
 * login has come. */
bool login_may_append(struct login *l);
void login_appended(struct login *l);

#endif
