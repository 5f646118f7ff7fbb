#include "server/maintenance.h"

#include "common/err.h"
#include "common/folder.h"
#include "server/data_folder.h"
#include "server/log_file.h"
#include "server/op_code.h"
#include "server/store.h"
#include "server/store_copy.h"
#include "server/store_look.h"
#include "server/store_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REASON 512

/* What every job works on. */
struct job {
	struct data_folder folder;
	char *log; /* owned */
	FILE *out; /* borrowed */
};

static const char *reason(int r)
{
	return r == ERR_SYSTEM ? strerror(errno) : err_text(r);
}

/* ---- verifying ---- */

static void tell_report(const struct verify_report *p, const char *path, FILE *out)
{
	fprintf(out, "%s, version %" PRIu64 ":\n", path, p->version);
	fprintf(out, "  %" PRIu64 " messages", p->entries);
	if (p->entries > 0)
		fprintf(out, ", numbers %" PRIu64 " to %" PRIu64, p->first, p->last);
	fprintf(out,
		"\n  %" PRIu64 " places of them in %" PRIu64 " rooms and %" PRIu64 " inboxes\n",
		p->links, p->rooms, p->inboxes);
	fprintf(out, "  %" PRIu64 " people with %" PRIu64 " clients, %" PRIu64 " positions\n",
		p->people, p->instances, p->places);
	fprintf(out, "  %" PRIu64 " messages in the index of words, with %" PRIu64 " words\n",
		p->indexed, p->words);
	for (uint64_t i = 0; i < p->findings && i < VERIFY_SHOWN; i++)
		fprintf(out, "wrong: %s\n", p->shown[i]);
	if (p->findings > VERIFY_SHOWN)
		fprintf(out, "and %" PRIu64 " more\n", p->findings - VERIFY_SHOWN);
	if (p->findings == 0)
		fprintf(out, "sound\n");
}

static int verify(struct job *j, const struct settings *t, char *error, size_t size)
{
	struct verify_report report;
	char why[REASON] = "";
	int r = store_verify(j->log, &report, why, sizeof(why));

	(void)t;
	if (r) {
		log_file_explain(&j->folder, r, why, error, size);
		return r;
	}
	tell_report(&report, j->log, j->out);
	if (report.findings == 0)
		return 0;
	char count[48];
	snprintf(count, sizeof(count), "%" PRIu64 " thing%s wrong in it", report.findings,
		report.findings == 1 ? " is" : "s are");
	log_file_explain(&j->folder, ERR_DAMAGED, count, error, size);
	return ERR_DAMAGED;
}

/* ---- backing up ---- */

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Does a server use, or did it leave, a write-ahead log beside the file? Then it is no copy. */
static bool has_companion(const char *path)
{
	char *beside = NULL;

	if (asprintf(&beside, "%s-wal", path) < 0)
		return true;
	bool there = access(beside, F_OK) == 0;
	free(beside);
	return there;
}

/* May the file be replaced? Only a copy of a log may. */
static int check_target(const struct job *j, const char *path, char *error, size_t size)
{
	char why[REASON];
	sqlite3 *db;

	if (same_file(path, j->log)) {
		snprintf(error, size, "'%s' is the history itself", path);
		return ERR_EXISTS;
	}
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0; /* whatever else is wrong with it shows when it is made */
	if (!has_companion(path) && store_look(path, &db, why, sizeof(why)) == 0) {
		(void)sqlite3_close(db);
		return 0;
	}
	snprintf(error, size,
		"'%s' is there and is no backup: it is left as it is; give another name", path);
	return ERR_EXISTS;
}

/* An empty file beside `path`, for us alone; its name in `*temporary`, for free(). */
static int make_beside(const char *path, char **temporary)
{
	if (asprintf(temporary, "%s.new-XXXXXX", path) < 0) {
		*temporary = NULL;
		return ERR_MEMORY;
	}
	int fd = mkostemp(*temporary, O_CLOEXEC); /* 0600 */
	if (fd < 0) {
		int saved = errno;
		free(*temporary);
		*temporary = NULL;
		errno = saved;
		return ERR_SYSTEM;
	}
	(void)close(fd);
	return 0;
}

/* Remove a copy that is not to be, with what SQLite may have left beside it. */
static void discard(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *beside = NULL;
		if (asprintf(&beside, "%s%s", path, suffixes[i]) < 0)
			return;
		(void)unlink(beside);
		free(beside);
	}
}

static int sync_above(const char *path)
{
	char *folder = folder_of(path);
	int r = folder ? folder_sync(folder) : ERR_MEMORY;

	free(folder);
	return r;
}

/* Is the copy sound? A damaged log can be read far enough to be copied. */
static int check_copy(const char *copy, char *why, size_t size)
{
	struct verify_report report;
	char *path = realpath(copy, NULL);
	int r = path ? store_verify(path, &report, why, size) : ERR_SYSTEM;

	if (!path)
		snprintf(why, size, "%s", reason(r));
	free(path);
	if (r == 0 && report.findings > 0) {
		snprintf(why, size, "it is damaged: %s", report.shown[0]);
		r = ERR_DAMAGED;
	}
	return r;
}

/* Whole and sound, or not at all: the copy gets its name when it is complete and on the disk, and could
 * be restored. */
static int copy_to(const char *from, const char *to, uint64_t *entries, char *why, size_t size)
{
	char *temporary;
	int r = make_beside(to, &temporary);

	if (r) {
		snprintf(why, size, "%s", reason(r));
		return r;
	}
	r = store_copy(from, temporary, entries, why, size);
	if (r == 0)
		r = check_copy(temporary, why, size);
	if (r == 0) {
		r = rename(temporary, to) == 0 ? sync_above(to) : ERR_SYSTEM;
		if (r)
			snprintf(why, size, "%s", reason(r));
	}
	if (r)
		discard(temporary);
	free(temporary);
	return r;
}

/* What the name stands for, for free(): a link's target is written, and the link stays. There need be
 * nothing under it yet, but a link must lead somewhere. */
static int find_target(const char *path, char **out, char *error, size_t size)
{
	struct stat st;

	*out = realpath(path, NULL);
	if (!*out && errno == ENOENT && lstat(path, &st) == 0) {
		snprintf(error, size, "'%s' is a link to nothing", path);
		return ERR_NOT_FOUND;
	}
	if (!*out)
		*out = strdup(path); /* whatever else is wrong with it shows when it is made */
	if (*out)
		return 0;
	snprintf(error, size, "out of memory");
	return ERR_MEMORY;
}

static int back_up_to(struct job *j, const char *to, char *error, size_t size)
{
	char why[REASON] = "";
	uint64_t entries = 0;
	struct stat st = {0};
	int r = check_target(j, to, error, size);

	if (r)
		return r;
	r = copy_to(j->log, to, &entries, why, sizeof(why));
	if (r == ERR_DAMAGED) {
		log_file_explain(&j->folder, r, why, error, size);
		return r;
	}
	if (r) {
		snprintf(error, size, "cannot copy '%s' to '%s': %s", j->log, to, why);
		return r;
	}
	(void)stat(to, &st);
	fprintf(j->out, "%s: %" PRIu64 " messages, %lld bytes\n", to, entries,
		(long long)st.st_size);
	return 0;
}

static int backup(struct job *j, const struct settings *t, char *error, size_t size)
{
	char *to;
	int r = find_target(t->backup, &to, error, size);

	if (r)
		return r;
	r = back_up_to(j, to, error, size);
	free(to);
	return r;
}

/* ---- restoring ---- */

/* Make the sound copy the log. At every moment there is a whole log under the name. */
static int put_in_place(struct job *j, const char *copy, char *error, size_t size)
{
	char *aside = NULL;
	int r = log_file_set_aside(&j->folder, "before", true, &aside);

	if (r && r != ERR_NOT_FOUND) {
		snprintf(error, size, "cannot set '%s' aside: %s", j->log, reason(r));
		return r;
	}
	r = rename(copy, j->log) == 0 ? folder_sync(j->folder.path) : ERR_SYSTEM;
	if (r)
		snprintf(error, size, "cannot rename '%s' to '%s': %s%s%s", copy, j->log, reason(r),
			aside ? "; what was there is in " : "", aside ? aside : "");
	else if (aside)
		fprintf(j->out, "what was there is now %s\n", aside);
	free(aside);
	return r;
}

static int restore(struct job *j, const struct settings *t, char *error, size_t size)
{
	char why[REASON] = "", *copy;
	uint64_t entries = 0;

	log_file_tidy(&j->folder);
	int r = make_beside(j->log, &copy);

	if (r) {
		snprintf(error, size, "cannot write in '%s': %s", j->folder.path, reason(r));
		return r;
	}
	r = store_copy(t->restore, copy, &entries, why, sizeof(why));
	if (r == 0)
		r = store_copy_anew(copy, j->log, why, sizeof(why));
	if (r == 0)
		r = check_copy(copy, why, sizeof(why));
	if (r)
		snprintf(error, size, "cannot restore '%s': %s; nothing has changed", t->restore,
			why);
	else
		r = put_in_place(j, copy, error, size);
	if (r)
		discard(copy);
	else
		fprintf(j->out, "%s: %" PRIu64 " messages from %s\n", j->log, entries, t->restore);
	free(copy);
	return r;
}

/* ---- setting aside ---- */

static int set_aside(struct job *j, const struct settings *t, char *error, size_t size)
{
	char *aside = NULL;
	int r = log_file_set_aside(&j->folder, "aside", false, &aside);

	(void)t;
	if (r) {
		snprintf(error, size, "cannot set '%s' aside: %s", j->log, reason(r));
		return r;
	}
	fprintf(j->out, "%s is now %s\n", j->log, aside);
	free(aside);
	return 0;
}

/* ---- a new operator ---- */

/* For whoever has lost the key of the only one. */
static int new_code(struct job *j, const struct settings *t, char *error, size_t size)
{
	char code[OP_CODE_SIZE];
	struct op_code *o = NULL;
	int r = op_code_new(&j->folder, &o);

	(void)t;
	if (r == 0)
		r = op_code_make(o, code);
	op_code_free(o);
	if (r)
		snprintf(error, size, "cannot write in '%s': %s", j->folder.path, reason(r));
	else
		fprintf(j->out, "the first who types /op %s is an operator\n", code);
	return r;
}

/* ---- which ---- */

static const struct {
	bool alone; /* no server may have the folder */
	bool empty; /* there need be no log */
	bool leaves; /* it leaves a file that the server is to read, as those that are alone leave the lock */
	int (*run)(struct job *j, const struct settings *t, char *error, size_t size);
} jobs[] = {
	{.run = backup},
	{.run = restore, .alone = true, .empty = true},
	{.run = verify},
	{.run = set_aside, .alone = true},
	{.run = new_code, .empty = true, .leaves = true},
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

/* In the order of the table. */
static void asked(const struct settings *t, bool wanted[JOBS])
{
	wanted[0] = t->backup != NULL;
	wanted[1] = t->restore != NULL;
	wanted[2] = t->verify;
	wanted[3] = t->set_aside;
	wanted[4] = t->operator_code;
}

bool maintenance_asked(const struct settings *t)
{
	return t->backup || t->restore || t->verify || t->set_aside || t->operator_code;
}

int maintenance_check(const struct settings *t, char *error, size_t size)
{
	bool wanted[JOBS];
	int count = 0;

	asked(t, wanted);
	for (size_t i = 0; i < JOBS; i++)
		count += wanted[i];
	if (count <= 1)
		return 0;
	snprintf(error, size,
		"--backup, --restore, --verify, --set-aside and --operator-code are done one at a "
		"time");
	return ERR_ARGUMENT;
}

/* What root leaves in somebody else's folder, be it the lock alone, is not for that one to read. A folder that
 * is not there yet is nobody's. */
static int check_owner(const char *data, char *error, size_t size)
{
	struct data_folder f;
	char why[REASON];

	if (data_folder_look(data, &f, why, sizeof(why)) != 0)
		return 0;
	int r = data_folder_own(&f, why, sizeof(why)) == ERR_REFUSED ? ERR_REFUSED : 0;
	if (r)
		snprintf(error, size,
			"the data folder '%s' belongs to another user, who could not read what "
			"this leaves there: do it as that one, with --user",
			f.path);
	data_folder_close(&f);
	return r;
}

static int run(size_t which, const struct settings *t, FILE *out, char *error, size_t size)
{
	struct job j = {.out = out};
	bool leaves = jobs[which].alone || jobs[which].leaves;
	int r = leaves ? check_owner(t->data, error, size) : 0;

	if (r == 0)
		r = jobs[which].alone ? data_folder_open(t->data, &j.folder, error, size)
				      : data_folder_look(t->data, &j.folder, error, size);
	if (r)
		return r;
	j.log = data_folder_file(&j.folder, STORE_FILE);
	if (!j.log) {
		snprintf(error, size, "out of memory");
		r = ERR_MEMORY;
	} else if (!jobs[which].empty && access(j.log, F_OK) != 0 && !store_look_orphan(j.log)) {
		snprintf(error, size, "there is no history in '%s'", j.folder.path);
		r = ERR_NOT_FOUND;
	} else {
		r = jobs[which].run(&j, t, error, size);
	}
	free(j.log);
	data_folder_close(&j.folder);
	return r;
}

int maintenance_run(const struct settings *t, FILE *out, char *error, size_t size)
{
	bool wanted[JOBS];
	int r = maintenance_check(t, error, size);

	asked(t, wanted);
	for (size_t i = 0; i < JOBS && r == 0; i++) {
		if (wanted[i])
			r = run(i, t, out, error, size);
	}
	return r;
}
