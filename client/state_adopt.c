#include "client/state_folder.h"
#include "client/state_private.h"

#include "common/err.h"
#include "common/folder.h"
#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- one file ---- */

static struct state *new_state(const uint8_t *server, const uint8_t *instance)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->lock = -1;
	memcpy(st->server, server, sizeof(st->server));
	memcpy(st->instance, instance, sizeof(st->instance));
	return st;
}

/* Nobody must use the file any more, but somebody may want to look at it: `suffix` is added to its
 * name. Whatever happens to it happens under its lock. */
static void set_aside(const char *folder, const char *name, const char *suffix)
{
	static const char *const parts[] = {".db", ".db-wal"};
	char from[PATH_MAX];
	char to[PATH_MAX + sizeof(".damaged")];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (state_folder_path(from, folder, name, parts[i]) != 0)
			continue;
		snprintf(to, sizeof(to), "%s%s", from, suffix);
		int r = rename(from, to);
		if (i == 0 && r == 0)
			log_warning("%s was set aside as %s", from, to);
		else if (i == 0)
			log_warning("%s cannot be set aside: %s", from, strerror(errno));
	}
	if (state_folder_path(from, folder, name, ".lock") == 0)
		(void)unlink(from);
}

static void set_damaged_aside(const char *folder, const char *name)
{
	log_warning(
		"%s/%s.db is damaged; messages that waited in it will not be sent", folder, name);
	set_aside(folder, name, ".damaged");
}

/* Take a file that is there. ERR_AGAIN: it is in use, gone, or cannot be used. */
static int take(const char *folder, const uint8_t *server, const char *name, struct state **out)
{
	uint8_t instance[INSTANCE_ID];
	char path[PATH_MAX];

	if (!state_folder_instance(name, instance))
		return ERR_AGAIN;
	struct state *st = new_state(server, instance);
	if (!st)
		return ERR_MEMORY;
	int r = state_folder_path(path, folder, name, ".db");
	if (r == 0)
		r = state_folder_lock(folder, name, LOCK_EX | LOCK_NB, &st->lock);
	/* Whoever had the lock before may have set the file aside. */
	if (r == 0 && access(path, F_OK) != 0)
		r = ERR_AGAIN;
	if (r == 0)
		r = state_open(st, path, false);
	if (r == ERR_DAMAGED)
		set_damaged_aside(folder, name);
	if (r) {
		state_close(st);
		return r == ERR_MEMORY ? r : ERR_AGAIN;
	}
	*out = st;
	return 0;
}

static int check_message(
	void *context, const struct outgoing *m, const char *text, uint64_t typed_at)
{
	(void)context;
	(void)m;
	(void)text;
	(void)typed_at;
	return 0;
}

/* Whoever uses the file relies on what it says of messages. */
static int check_messages(struct state *st, const char *folder)
{
	char name[STATE_NAME];
	int r = state_messages(st, check_message, NULL);

	if (r == ERR_DAMAGED) {
		state_folder_name(st->instance, name);
		state_shut(st);
		set_damaged_aside(folder, name);
	}
	return r;
}

/* ---- the folder ---- */

/* The first free file with messages that wait, else the first free one. NULL: there is none. */
static int choose(const char *folder, const uint8_t *server, struct state **out)
{
	struct state_file *list;
	struct state *best = NULL;
	bool waits = false;
	size_t count;

	int r = state_folder_list(folder, &list, &count);
	if (r)
		return r;
	for (size_t i = 0; i < count && !waits && r != ERR_MEMORY; i++) {
		struct state *st = NULL;

		r = take(folder, server, list[i].name, &st);
		if (r == 0 && (r = state_waits(st, &waits)) == 0 && (waits || !best)) {
			state_close(best);
			best = st;
			continue;
		}
		state_close(st);
	}
	free(list);
	if (r == ERR_MEMORY) {
		state_close(best);
		return r;
	}
	*out = best;
	return 0;
}

static int create_in(const char *folder, const uint8_t *server, const uint8_t *instance,
	uint64_t used, struct state **out)
{
	char name[STATE_NAME];
	char path[PATH_MAX];

	struct state *st = new_state(server, instance);
	if (!st)
		return ERR_MEMORY;
	state_folder_name(instance, name);
	st->reserved = used;
	int r = state_folder_path(path, folder, name, ".db");
	if (r == 0)
		r = state_folder_lock(folder, name, LOCK_EX | LOCK_NB, &st->lock);
	if (r == 0)
		r = state_folder_make(path);
	if (r == 0) {
		r = state_open(st, path, true);
		if (r == 0)
			r = state_reserve(st, used);
		if (r == 0)
			r = folder_sync(folder);
		if (r) {
			int error = errno;
			state_shut(st);
			(void)unlink(path);
			errno = error;
		}
	}
	if (r) {
		int error = errno;
		state_close(st);
		errno = error;
		return r;
	}
	*out = st;
	return 0;
}

static int adopt_in(const char *folder, const uint8_t *server, struct state **out)
{
	uint8_t instance[INSTANCE_ID];
	struct state *st = NULL;
	int r = choose(folder, server, &st);

	if (r)
		return r;
	if (st) {
		r = state_reserve(st, 0);
		if (r == 0)
			r = check_messages(st, folder);
		if (r == 0) {
			*out = st;
			return 0;
		}
		state_close(st);
		if (r != ERR_DAMAGED)
			return r;
	}
	identity_random(instance, sizeof(instance));
	return create_in(folder, server, instance, 0, out);
}

int state_create(const char *folder, const uint8_t server[IDENTITY_SIZE],
	const uint8_t instance[INSTANCE_ID], uint64_t used, struct state **out)
{
	char path[PATH_MAX];
	int r = state_folder(folder, server, path);

	return r ? r : create_in(path, server, instance, used, out);
}

int state_replace(const char *folder, struct state *old, const uint8_t instance[INSTANCE_ID],
	uint64_t used, struct state **out)
{
	char name[STATE_NAME];
	char path[PATH_MAX];
	int r = state_folder(folder, old->server, path);

	if (r == 0)
		r = create_in(path, old->server, instance, used, out);
	int error = errno;
	state_folder_name(old->instance, name);
	state_shut(old);
	set_aside(path, name, ".copied");
	state_close(old);
	errno = error;
	return r;
}

int state_adopt(const char *folder, const uint8_t server[IDENTITY_SIZE], struct state **out)
{
	char path[PATH_MAX];
	int gate = -1;
	int r = state_folder(folder, server, path);

	/* One process looks at a time, for some milliseconds: or each would find the files locked that
	 * the others are looking at, and make more and more of them. */
	if (r == 0)
		r = state_folder_lock(path, "adopt", LOCK_EX, &gate);
	if (r)
		return r;
	r = adopt_in(path, server, out);
	int error = errno;
	(void)close(gate);
	errno = error;
	return r;
}
