/*
 * What the parts of the state share; nobody else includes this.
 *
 *     state.c        what is read and written while it is open
 *     state_open.c   opening one database: schema, what it says of itself
 *     state_adopt.c  the folder: which file, and its lock
 */
#ifndef LANCHAT_STATE_PRIVATE_H
#define LANCHAT_STATE_PRIVATE_H

#include "client/state.h"

#include <sqlite3.h>

enum state_statement {
	STATE_ADD,
	STATE_FORGET,
	STATE_FORGET_ONE,
	STATE_MESSAGES,
	STATE_RESERVE_TO,
	STATE_STATEMENTS,
};

struct state {
	sqlite3 *db; /* owned */
	int lock;    /* owned: the descriptor that has the lock; -1 when not open */
	sqlite3_stmt *statements[STATE_STATEMENTS];
	uint8_t server[IDENTITY_SIZE];
	uint8_t instance[INSTANCE_ID];
	uint64_t reserved; /* numbers up to this one may have been used by somebody */
	uint64_t used;     /* state_used */
	bool failed;       /* the changes since state_begin */
	bool warned;
};

/* Open the database `path` of `st`, whose server and instance are given; `make`: it is an empty
 * file that was just made. What fails leaves nothing open, and the lock alone. ERR_DAMAGED: it must
 * not be used, ever; ERR_REFUSED: it is of a newer lanchat; the others as in state_adopt. */
int state_open(struct state *st, const char *path, bool make);

/* Do messages wait in it? ERR_DAMAGED. */
int state_waits(struct state *st, bool *waits);

/* Close the database, and keep the lock. */
void state_shut(struct state *st);

#endif
