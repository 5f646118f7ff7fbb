/*
 * The folder `<folder>/servers/<server id>` (the id in hex; folders 0700, files 0600): its files,
 * and the locks beside them. Whoever holds a lock holds it until its descriptor is closed, or the
 * process ends, however it ends (flock).
 */
#ifndef LANCHAT_STATE_FOLDER_H
#define LANCHAT_STATE_FOLDER_H

#include "common/identity.h"
#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* An instance as a name, with the NUL. */
#define STATE_NAME (2 * INSTANCE_ID + 1)

/* The file of an instance. */
struct state_file {
	char name[STATE_NAME]; /* without the ".db" */
	struct timespec changed;
};

/* The server's folder in `out`, of PATH_MAX bytes; it is there afterwards. ERR_TOO_BIG, ERR_SYSTEM
 * with errno, ERR_MEMORY. */
int state_folder(const char *folder, const uint8_t server[IDENTITY_SIZE], char *out);

/* `folder`/`name``suffix` in `out`, of PATH_MAX bytes. ERR_TOO_BIG. */
int state_folder_path(char *out, const char *folder, const char *name, const char *suffix);

/* Lock `name`.lock: `how` as in flock(2). ERR_AGAIN: another process has it; ERR_SYSTEM with errno,
 * ERR_TOO_BIG. */
int state_folder_lock(const char *folder, const char *name, int how, int *out);

/* Make an empty file. ERR_SYSTEM with errno, EEXIST among them. */
int state_folder_make(const char *path);

/* All files of instances, the one written last first; the list is the caller's to free. ERR_SYSTEM,
 * ERR_MEMORY. */
int state_folder_list(const char *folder, struct state_file **out, size_t *count);

/* The name of an instance, and back: false if it is no such name. */
void state_folder_name(const uint8_t instance[INSTANCE_ID], char out[STATE_NAME]);
bool state_folder_instance(const char *name, uint8_t out[INSTANCE_ID]);

#endif
