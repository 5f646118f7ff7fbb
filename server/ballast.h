/*
 * Ballast: room on the disk that is set aside while there is some.
 *
 * When a disk is full, even the little that a server must still write to tidy up
 * (its own state, a checkpoint of the log, a deletion) finds no room. So a file of
 * some megabytes, really allocated, lies in the data folder; letting it go gives
 * that room back, and taking it again tells when the disk is no longer full.
 *
 * One thread at a time.
 */
#ifndef LANCHAT_SERVER_BALLAST_H
#define LANCHAT_SERVER_BALLAST_H

#include <stdbool.h>
#include <stdint.h>

#define BALLAST_FILE "ballast" /* in the data folder */
#define BALLAST_SIZE ((int64_t)8 << 20)

/* What has to be free besides, before the disk counts as having room again: without it the first
 * entries would fill it anew. */
#define BALLAST_SPARE ((int64_t)1 << 20)

struct ballast;

/* The ballast of a folder that is there. It is taken now if it is not on the disk yet; where that
 * fails, a warning is logged and ballast_held is false. ERR_MEMORY. */
int ballast_open(const char *folder, struct ballast **out);

/* Free it; the file stays. NULL is allowed. */
void ballast_close(struct ballast *b);

/* Give the room back. Does nothing when it is not held. */
void ballast_release(struct ballast *b);

/* Take it again. 0: it is held, and there was BALLAST_SPARE besides; ERR_FULL: the disk has no room
 * for it; ERR_SYSTEM with errno: it cannot be written for another reason. */
int ballast_take(struct ballast *b);

bool ballast_held(const struct ballast *b);

#endif
