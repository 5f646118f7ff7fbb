/*
 * The data folder: what a server keeps, and that only one server at a time does.
 *
 *     server.pem   the server's key
 *     log.db       the history (store.h), with log.db-wal and log.db-shm while it is open
 *     operator-code  what makes its finder an operator (op_code.h)
 *     ballast      room for when the disk is full (ballast.h)
 *     lock         locked by the server that uses the folder; its process id is in it
 *
 * The lock is on the open file, and on the folder itself in case somebody removes the file, so it
 * ends with the process, however that ends. Called at start-up, by one thread.
 */
#ifndef LANCHAT_SERVER_DATA_FOLDER_H
#define LANCHAT_SERVER_DATA_FOLDER_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

struct data_folder {
	char path[PATH_MAX]; /* absolute, without symbolic links */
	int lock;            /* owned; -1: it is looked at, not held */
	int itself;          /* the folder, locked as well; owned; -1: it cannot be, or is not */
};

/* For root, who will be the user `uid` when the folder is opened: make it if need be, with those above
 * it, and give what was made to that user. One that is there must be theirs already: ERR_REFUSED.
 * `user` is for the message. Otherwise as data_folder_open. */
int data_folder_give(
	const char *wanted, uid_t uid, gid_t gid, const char *user, char *error, size_t size);

/* Find the folder: `wanted` or, when that is NULL, the first of $STATE_DIRECTORY,
 * $XDG_DATA_HOME/lanchatd, ~/.local/share/lanchatd. It is made if need be, with those above it, and
 * locked. One into which others may look is made private (0700); into which they may write is refused:
 * ERR_REFUSED. ERR_EXISTS: another server has it; ERR_ARGUMENT: there is no such folder to find;
 * ERR_SYSTEM, ERR_MEMORY; each with one line in `error`. Pair with data_folder_close. */
int data_folder_open(const char *wanted, struct data_folder *out, char *error, size_t size);

/* For whoever trusts in what is in it: ERR_REFUSED, with one line in `error`, where it is another user's, who
 * may put there what they like. */
int data_folder_own(const struct data_folder *f, char *error, size_t size);

/* The same as data_folder_open for a folder that must be there, and is not locked: a server may use it meanwhile. */
int data_folder_look(const char *wanted, struct data_folder *out, char *error, size_t size);

void data_folder_close(struct data_folder *f);

/* The path of a file in it, for free(); NULL when memory is out. */
char *data_folder_file(const struct data_folder *f, const char *name);

#endif
