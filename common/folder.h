/*
 * Folders: making them, and making sure that what was put into them is still there after a power
 * cut. Pure system calls; any thread.
 */
#ifndef LANCHAT_FOLDER_H
#define LANCHAT_FOLDER_H

#include <sys/types.h>

/* Make the folder `path` (0700) and those above it, as far as they are missing. ERR_SYSTEM with
 * errno, ERR_MEMORY. */
int folder_make(const char *path);

/* The same for another user: what is made is given to them. */
int folder_make_for(const char *path, uid_t uid, gid_t gid);

/* Make a folder's entries durable: a file that was made, renamed or removed is not for sure so after
 * a power cut until this is done. ERR_SYSTEM with errno. */
int folder_sync(const char *path);

/* The folder that `path` is in, for free(); NULL when memory is out. */
char *folder_of(const char *path);

#endif
