#include "server/log_file.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/folder.h"
#include "common/log.h"
#include "server/store.h"
#include "server/store_look.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 2000
#define NAMES   100 /* tried, where several logs are set aside within a second */

/* ---- is it fit? ---- */

void log_file_explain(const struct data_folder *f, int r, const char *why, char *error, size_t size)
{
	const char *path = f->path;

	if (r == ERR_DAMAGED)
		snprintf(error, size,
			"the log %s/" STORE_FILE " cannot be used: %s; restore a backup "
			"(lanchatd --data %s --restore FILE) or set it aside and begin anew "
			"(lanchatd --data %s --set-aside)",
			path, why, path, path);
	else
		snprintf(error, size, "cannot open the log %s/" STORE_FILE ": %s", path,
			*why ? why : err_text(r));
}

int log_file_check(const struct data_folder *f, int64_t deadline, char *error, size_t size)
{
	char why[512] = "";
	char *path = data_folder_file(f, STORE_FILE);
	struct stat st;
	int r = path ? store_look_over(path, deadline, why, sizeof(why)) : ERR_MEMORY;

	/* Nothing in it can be lost any more, but somebody may know of more than this. */
	if (r == 0 && stat(path, &st) == 0 && st.st_size == 0)
		log_warning("%s is empty: its making was interrupted, or what it had is gone; the "
			    "history begins anew",
			path);
	free(path);
	if (r == ERR_NOT_FOUND)
		return 0;
	if (r)
		log_file_explain(f, r, why, error, size);
	return r;
}

/* ---- tidying ---- */

/* The name of such a copy, or of what SQLite has beside it? mkstemp gives it six letters and digits. */
static bool is_leftover(const char *name)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	static const char prefix[] = STORE_FILE ".new-",
			  letters[] =
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return false;
	name += sizeof(prefix) - 1;
	if (strspn(name, letters) != 6)
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcmp(name + 6, suffixes[i]) == 0)
			return true;
	}
	return false;
}

void log_file_tidy(const struct data_folder *f)
{
	DIR *d = opendir(f->path);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		if (is_leftover(e->d_name))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	(void)closedir(d);
}

/* ---- setting aside ---- */

/* A path that nothing has: log.db.WORD-20261122T193000Z, with a number if need be. */
static int free_name(const char *log, const char *word, char **out)
{
	time_t now = time(NULL);
	struct tm utc;
	char when[32], number[16] = "";

	if (!gmtime_r(&now, &utc) || strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc) == 0)
		return ERR_SYSTEM;
	for (int i = 2; i < NAMES; i++) {
		char *path = NULL;
		if (asprintf(&path, "%s.%s-%s%s", log, word, when, number) < 0)
			return ERR_MEMORY;
		if (access(path, F_OK) != 0 && errno == ENOENT && !store_look_orphan(path)) {
			*out = path;
			return 0;
		}
		free(path);
		snprintf(number, sizeof(number), "-%d", i);
	}
	errno = EEXIST;
	return ERR_SYSTEM;
}

/* Rename what belongs to the database; it need not be there. */
static int move_beside(const char *from, const char *to, const char *suffix)
{
	char *a = NULL, *b = NULL;
	int r = ERR_MEMORY;

	if (asprintf(&a, "%s%s", from, suffix) < 0)
		a = NULL;
	if (a && asprintf(&b, "%s%s", to, suffix) < 0)
		b = NULL;
	if (a && b)
		r = rename(a, b) == 0 || errno == ENOENT ? 0 : ERR_SYSTEM;
	int saved = errno;
	free(a);
	free(b);
	errno = saved;
	return r;
}

/* Where it is sound, bring what is in its write-ahead log into the database, so that it is one
 * file. Closing does so. */
static void settle(const char *log)
{
	char why[512];
	struct store *s = NULL;

	if (store_look_over(log, clock_ms() + LOOK_MS, why, sizeof(why)) == 0 &&
		store_open(log, true, &s, why, sizeof(why)) == 0)
		store_close(s);
}

/* The database last: without it the others are only kept, with it they would be used. */
static int move(const char *from, const char *to, bool keep)
{
	int r = move_beside(from, to, "-wal");

	if (r == 0)
		r = move_beside(from, to, "-shm");
	if (r)
		return r;
	/* Not every file system has hard links. */
	if (keep && link(from, to) == 0)
		return 0;
	return move_beside(from, to, "");
}

int log_file_set_aside(const struct data_folder *f, const char *word, bool keep, char **path)
{
	char *log = data_folder_file(f, STORE_FILE), *to = NULL;
	int r = log ? 0 : ERR_MEMORY;

	if (r == 0 && access(log, F_OK) != 0 && !store_look_orphan(log))
		r = errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	if (r == 0)
		r = free_name(log, word, &to);
	if (r == 0) {
		if (keep)
			settle(log);
		r = move(log, to, keep);
	}
	if (r == 0)
		r = folder_sync(f->path);
	int saved = errno;
	free(log);
	errno = saved;
	if (r)
		free(to);
	else
		*path = to;
	return r;
}
