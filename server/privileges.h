/*
 * Privileges: becoming another user, and giving up what root could do.
 *
 * In two steps, because a server that was started as root may have to bind a port below 1024 after it
 * has become somebody else: privileges_become keeps that one right, privileges_drop none. Both before
 * any thread starts, for capabilities are each thread's own. Sources: credentials(7),
 * capabilities(7), setresuid(2), prctl(2).
 */
#ifndef LANCHAT_SERVER_PRIVILEGES_H
#define LANCHAT_SERVER_PRIVILEGES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PRIVILEGES_NAME 64

struct privileges {
	bool change; /* this process is root, and shall be that user */
	uid_t uid;
	gid_t gid;
	char name[PRIVILEGES_NAME]; /* as it was given */
	char home[PATH_MAX];        /* of the user; empty: unknown */
};

/* Look up the user `wanted`, a name or a number; NULL: this process stays who it is. Who is not root
 * can name themselves alone. ERR_ARGUMENT, ERR_SYSTEM; with one line in `error`. */
int privileges_find(const char *wanted, struct privileges *out, char *error, size_t size);

/* Where there is a change to make: HOME is that user's from now on, and what root has in
 * XDG_DATA_HOME does not count. */
void privileges_take_home(const struct privileges *p);

/* Become that user, with their groups and home; nothing where there is no change to make. Keeps the
 * right to bind low ports, and no other; there is no way back, which is checked. ERR_SYSTEM with one
 * line in `error`. */
int privileges_become(const struct privileges *p, char *error, size_t size);

/* Give up every capability, but for those that root needs for files of others in the data folder.
 * ERR_SYSTEM with errno. */
int privileges_drop(void);

/* Is this process root still? */
bool privileges_are_roots(void);

#endif
