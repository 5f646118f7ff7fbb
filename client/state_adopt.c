#include "client/state_private.h"

#include "common/err.h"
#include "common/folder.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX(bytes) (2 * (bytes))

/* One file of the folder. */
struct candidate {
	char name[HEX(INSTANCE_ID) + 1]; /* without the ".db" */
	struct timespec changed;
};

static void to_hex(const uint8_t *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * size] = '\0';
}

/* The instance that a name of 32 lower case digits stands for. */
static bool from_hex(const char *text, uint8_t out[INSTANCE_ID])
{
	if (strlen(text) != HEX(INSTANCE_ID) ||
		strspn(text, "0123456789abcdef") != HEX(INSTANCE_ID))
		return false;
	for (size_t i = 0; i < INSTANCE_ID; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

/* `folder`/`name``suffix` in `out`, of PATH_MAX bytes. */
static int join(char *out, const char *folder, const char *name, const char *suffix)
{
	int n = snprintf(out, PATH_MAX, "%s/%s%s", folder, name, suffix);

	return n > 0 && n < PATH_MAX ? 0 : ERR_TOO_BIG;
}

/* The server's folder, which is there afterwards. */
static int server_folder(const char *folder, const uint8_t *server, char *out)
{
	char name[sizeof("servers/") + HEX(IDENTITY_SIZE)] = "servers/";

	to_hex(server, IDENTITY_SIZE, name + strlen("servers/"));
	int r = join(out, folder, name, "");
	return r ? r : folder_make(out);
}

/* ---- one file ---- */

/* ERR_AGAIN: another process has it. */
static int take_lock(const char *folder, const char *name, int how, int *out)
{
	char path[PATH_MAX];
	int r = join(path, folder, name, ".lock");

	if (r)
		return r;
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_SYSTEM;
	if (flock(fd, how) < 0) {
		r = errno == EWOULDBLOCK ? ERR_AGAIN : ERR_SYSTEM;
		int error = errno;
		(void)close(fd);
		errno = error;
		return r;
	}
	*out = fd;
	return 0;
}

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
		if (join(from, folder, name, parts[i]) != 0)
			continue;
		snprintf(to, sizeof(to), "%s%s", from, suffix);
		int r = rename(from, to);
		if (i == 0 && r == 0)
			log_warning("%s was set aside as %s", from, to);
		else if (i == 0)
			log_warning("%s cannot be set aside: %s", from, strerror(errno));
	}
	if (join(from, folder, name, ".lock") == 0)
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

	if (!from_hex(name, instance))
		return ERR_AGAIN;
	struct state *st = new_state(server, instance);
	if (!st)
		return ERR_MEMORY;
	int r = join(path, folder, name, ".db");
	if (r == 0)
		r = take_lock(folder, name, LOCK_EX | LOCK_NB, &st->lock);
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
	char name[HEX(INSTANCE_ID) + 1];
	int r = state_messages(st, check_message, NULL);

	if (r == ERR_DAMAGED) {
		to_hex(st->instance, INSTANCE_ID, name);
		state_shut(st);
		set_damaged_aside(folder, name);
	}
	return r;
}

/* ---- the folder ---- */

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct candidate *)a)->changed;
	const struct timespec *y = &((const struct candidate *)b)->changed;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

/* Add a file to the list, if it is one of ours. */
static int add_candidate(
	DIR *dir, const char *name, struct candidate **list, size_t *count, size_t *room)
{
	size_t length = strlen(name);
	struct stat st;

	if (length != HEX(INSTANCE_ID) + 3 || strcmp(name + HEX(INSTANCE_ID), ".db") != 0 ||
		fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return 0;
	if (*count == *room) {
		size_t more = *room ? *room * 2 : 16;
		struct candidate *longer = realloc(*list, more * sizeof(**list));
		if (!longer)
			return ERR_MEMORY;
		*list = longer;
		*room = more;
	}
	struct candidate *c = &(*list)[(*count)++];
	memcpy(c->name, name, HEX(INSTANCE_ID));
	c->name[HEX(INSTANCE_ID)] = '\0';
	c->changed = st.st_mtim;
	return 0;
}

/* All files of the folder, the one written last first; the list is the caller's to free. */
static int list_files(const char *folder, struct candidate **out, size_t *count)
{
	struct candidate *list = NULL;
	const struct dirent *entry;
	size_t room = 0;
	DIR *dir = opendir(folder);
	int r = 0;

	*count = 0;
	if (!dir)
		return ERR_SYSTEM;
	while (r == 0 && (entry = readdir(dir)))
		r = add_candidate(dir, entry->d_name, &list, count, &room);
	closedir(dir);
	if (r) {
		free(list);
		return r;
	}
	if (list)
		qsort(list, *count, sizeof(*list), newest_first);
	*out = list;
	return 0;
}

/* The first free file with messages that wait, else the first free one. NULL: there is none. */
static int choose(const char *folder, const uint8_t *server, struct state **out)
{
	struct candidate *list;
	struct state *best = NULL;
	bool waits = false;
	size_t count;

	int r = list_files(folder, &list, &count);
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

/* SQLite gives a new file the mode that the umask leaves; here it is there before. */
static int make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ERR_SYSTEM;
	(void)close(fd);
	return 0;
}

static int create_in(const char *folder, const uint8_t *server, const uint8_t *instance,
	uint64_t used, struct state **out)
{
	char name[HEX(INSTANCE_ID) + 1];
	char path[PATH_MAX];

	struct state *st = new_state(server, instance);
	if (!st)
		return ERR_MEMORY;
	to_hex(instance, INSTANCE_ID, name);
	st->reserved = used;
	int r = join(path, folder, name, ".db");
	if (r == 0)
		r = take_lock(folder, name, LOCK_EX | LOCK_NB, &st->lock);
	if (r == 0)
		r = make_file(path);
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
	int r = server_folder(folder, server, path);

	return r ? r : create_in(path, server, instance, used, out);
}

/* The positions of one file to another one. What cannot be read is as a room that was never read. */
static void copy_positions(struct state *from, struct state *to)
{
	sqlite3_stmt *t;

	if (!from->log_known)
		return;
	state_set_log(to, from->log);
	if (sqlite3_prepare_v2(from->db, "SELECT room, seq FROM position", -1, &t, NULL) !=
		SQLITE_OK)
		return;
	state_begin(to);
	while (sqlite3_step(t) == SQLITE_ROW) {
		const char *room = (const char *)sqlite3_column_text(t, 0);
		sqlite3_int64 seq = sqlite3_column_int64(t, 1);
		if (room && seq >= 0)
			state_put_position(to, room, (uint64_t)seq);
	}
	(void)state_end(to);
	sqlite3_finalize(t);
}

int state_replace(const char *folder, struct state *old, const uint8_t instance[INSTANCE_ID],
	uint64_t used, struct state **out)
{
	char name[HEX(INSTANCE_ID) + 1];
	char path[PATH_MAX];
	int r = server_folder(folder, old->server, path);

	if (r == 0)
		r = create_in(path, old->server, instance, used, out);
	int error = errno;
	if (r == 0)
		copy_positions(old, *out);
	to_hex(old->instance, INSTANCE_ID, name);
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
	int r = server_folder(folder, server, path);

	/* One process looks at a time, for some milliseconds: or each would find the files locked that
	 * the others are looking at, and make more and more of them. */
	if (r == 0)
		r = take_lock(path, "adopt", LOCK_EX, &gate);
	if (r)
		return r;
	r = adopt_in(path, server, out);
	int error = errno;
	(void)close(gate);
	errno = error;
	return r;
}
