/*
 * The tables of the log's database, and how older ones become today's.
 *
 * A database carries its version (PRAGMA user_version). Each step brings it one
 * version further, in a transaction of its own; a version that this program does
 * not know is refused.
 */
#ifndef LANCHAT_SERVER_STORE_SCHEMA_H
#define LANCHAT_SERVER_STORE_SCHEMA_H

#include "server/store.h"

/* "lanc": PRAGMA application_id. */
#define STORE_APPLICATION 0x6c616e63

/* What is said of a file without anything in it, where a log is wanted. */
#define STORE_EMPTY                                                                                \
	"it is empty: no history is in it, and a server that is started on it begins anew"

/* The version that this program makes and uses. */
int store_schema_version(void);

/* Bring an open, writable database up to date; an empty one gets everything, and a new log id.
 * ERR_DAMAGED: it is no log of ours, or of a newer program. */
int store_schema_migrate(sqlite3 *db, char *error, size_t size);

/* Is it ours, and of this version? ERR_DAMAGED: it is not, or there is nothing in it. */
int store_schema_check(sqlite3 *db, char *error, size_t size);

#endif
