/*
 * What the parts of the positions share; nobody else includes this.
 *
 *     positions.c         the file, and what is read and written while it is open
 *     positions_import.c  what an older lanchat kept elsewhere
 */
#ifndef LANCHAT_POSITIONS_PRIVATE_H
#define LANCHAT_POSITIONS_PRIVATE_H

#include "client/positions.h"

#include <sqlite3.h>
#include <sys/types.h>

enum positions_statement {
	POSITIONS_GET,
	POSITIONS_PUT,
	POSITIONS_LOWER,
	POSITIONS_SET_LOG,
	POSITIONS_STATEMENTS,
};

struct positions {
	sqlite3 *db; /* owned */
	char *path;  /* owned, of the file; which is this one: */
	dev_t device;
	ino_t inode;
	int lock; /* owned: the descriptor that has the lock; -1 when not open */
	sqlite3_stmt *statements[POSITIONS_STATEMENTS];
	uint8_t server[IDENTITY_SIZE];
	bool log_known;
	uint8_t log[INSTANCE_ID];
	bool log_waits; /* the log and what it does to the positions are not on disk yet */
	uint64_t upto;
	bool failed; /* the changes since positions_begin */
	bool warned;
};

/* The file was just made: copy into it what the files of instances in `folder` have. ERR_MEMORY, and
 * errors of writing. */
int positions_import(struct positions *p, const char *folder);

/* It has its name: remove what was copied, or whoever removes the file, to begin anew, would find it
 * again. */
void positions_imported(struct positions *p, const char *folder);

#endif
