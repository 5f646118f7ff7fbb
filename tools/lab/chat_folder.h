/*
 * The folder that the chat's programs have for themselves, which goes with them.
 *
 * Whoever is killed cannot remove its own, so each has a file with a lock that is held as long as its owner
 * lives, and the next chat removes those of the same user that nobody holds. A folder without such a file is
 * left alone. One thread.
 */
#ifndef LANCHAT_LAB_CHAT_FOLDER_H
#define LANCHAT_LAB_CHAT_FOLDER_H

#include <limits.h>
#include <stddef.h>

struct chat_folder {
	char path[PATH_MAX]; /* "": there is none */
	int lock;            /* held; not for programs that are started */
};

/* Remove what others have left, and make one, below $TMPDIR or else /tmp, with a path that has room for
 * `more` bytes behind it. ERR_SYSTEM, with errno. */
int chat_folder_make(struct chat_folder *f, size_t more);

/* With all that is in it; again without harm. */
void chat_folder_remove(struct chat_folder *f);

#endif
