/*
 * What outlives the process: adoption, its locks, damage, numbers that are never
 * used twice, positions, addresses.
 */
#include "client/state.h"

#include "client/address_book.h"
#include "common/err.h"
#include "common/log.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t server_a[IDENTITY_SIZE] = {0xaa};
static const uint8_t server_b[IDENTITY_SIZE] = {0xbb};
static char folder[64];
static char files[256]; /* of server_a */

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-state-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(files, sizeof(files), "%s/servers/aa%062d", folder, 0);
	log_set_level(LOG_LEVEL_ERROR);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct state *adopt(const uint8_t *server)
{
	struct state *st = NULL;

	ck_assert_int_eq(state_adopt(folder, server, &st), 0);
	ck_assert_ptr_nonnull(st);
	return st;
}

/* How many files of the server's folder end so. */
static int count_files(const char *suffix)
{
	DIR *dir = opendir(files);
	const struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);
		count += length > strlen(suffix) &&
			 strcmp(entry->d_name + length - strlen(suffix), suffix) == 0;
	}
	closedir(dir);
	return count;
}

/* The path of the only database. */
static void only_file(char *out, size_t size)
{
	DIR *dir = opendir(files);
	const struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	out[0] = '\0';
	while ((entry = readdir(dir))) {
		if (strlen(entry->d_name) == 35 && strcmp(entry->d_name + 32, ".db") == 0)
			snprintf(out, size, "%s/%s", files, entry->d_name);
	}
	closedir(dir);
	ck_assert_str_ne(out, "");
}

static void add(struct state *st, uint64_t counter, const char *text)
{
	struct outbox box = {.last_counter = counter - 1};
	struct outgoing m = {.kind = SAID_TEXT, .to = "lobby"};

	state_add(st, outbox_add(&box, &m, text));
	outbox_fini(&box);
}

struct seen {
	uint64_t counters[16];
	size_t count;
};

static int note(void *context, const struct outgoing *m, const char *text, uint64_t time)
{
	struct seen *seen = context;

	ck_assert_str_eq(m->to, "lobby");
	ck_assert_str_eq(text, "words");
	ck_assert_uint_gt(time, 1600000000000000);
	seen->counters[seen->count++] = m->counter;
	return 0;
}

static struct seen messages(struct state *st)
{
	struct seen seen = {0};

	ck_assert_int_eq(state_messages(st, note, &seen), 0);
	return seen;
}

START_TEST(test_new_then_adopted)
{
	struct state *st = adopt(server_a);
	uint8_t instance[INSTANCE_ID];
	char path[512];
	struct stat info;

	ck_assert_uint_eq(state_used(st), 0);
	ck_assert_mem_eq(state_server(st), server_a, sizeof(server_a));
	memcpy(instance, state_instance(st), sizeof(instance));
	for (uint64_t c = 1; c <= 4; c++)
		add(st, c, "words");
	state_begin(st);
	state_forget_below(st, 3);
	ck_assert(state_end(st));
	state_close(st);

	only_file(path, sizeof(path));
	ck_assert_int_eq(stat(path, &info), 0);
	ck_assert_uint_eq(info.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(files, &info), 0);
	ck_assert_uint_eq(info.st_mode & 0777, 0700);

	/* The same instance, its messages, and numbers that nobody has used. */
	for (uint64_t round = 1; round <= 3; round++) {
		st = adopt(server_a);
		ck_assert_mem_eq(state_instance(st), instance, sizeof(instance));
		ck_assert_uint_eq(state_used(st), round * STATE_RESERVE);
		struct seen seen = messages(st);
		ck_assert_uint_eq(seen.count, 2);
		ck_assert_uint_eq(seen.counters[0], 3);
		ck_assert_uint_eq(seen.counters[1], 4);
		state_close(st);
	}
	ck_assert_int_eq(count_files(".db"), 1);

	/* Another server knows nothing of it. */
	st = adopt(server_b);
	ck_assert_mem_ne(state_instance(st), instance, sizeof(instance));
	ck_assert_uint_eq(messages(st).count, 0);
	state_close(st);
}
END_TEST

START_TEST(test_one_process_each)
{
	struct state *first = adopt(server_a);
	struct state *second = adopt(server_a);
	uint8_t instance[INSTANCE_ID];

	ck_assert_mem_ne(state_instance(first), state_instance(second), INSTANCE_ID);
	memcpy(instance, state_instance(first), sizeof(instance));
	add(first, 1, "words");
	state_close(first);
	state_close(second);

	/* The one with a message is taken first, though the other one was written last. */
	first = adopt(server_a);
	ck_assert_mem_eq(state_instance(first), instance, sizeof(instance));
	second = adopt(server_a);
	struct state *third = adopt(server_a);
	ck_assert_int_eq(count_files(".db"), 3);
	state_close(third);
	state_close(second);
	state_close(first);
}
END_TEST

/* A child takes a file, writes and is killed where it stands. */
START_TEST(test_killed)
{
	int ready[2];
	char byte;
	int status;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct state *st;
		if (state_adopt(folder, server_a, &st) != 0)
			_exit(1);
		for (uint64_t c = 1; c <= 3; c++)
			add(st, c, "words");
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	struct state *st = adopt(server_a); /* it lives: another file */
	ck_assert_uint_eq(messages(st).count, 0);
	state_close(st);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	st = adopt(server_a);
	struct seen seen = messages(st);
	ck_assert_uint_eq(seen.count, 3);
	ck_assert_uint_eq(seen.counters[2], 3);
	ck_assert_uint_eq(state_used(st), STATE_RESERVE);
	state_close(st);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

/* Twenty processes at once have twenty files, and the next twenty the same. */
START_TEST(test_many_processes)
{
	enum {
		PROCESSES = 20
	};

	for (int round = 0; round < 2; round++) {
		int hold[2];
		int ready[2];
		char bytes[PROCESSES];
		ck_assert_int_eq(pipe(hold), 0);
		ck_assert_int_eq(pipe(ready), 0);
		for (int i = 0; i < PROCESSES; i++) {
			pid_t child = fork();
			ck_assert_int_ge(child, 0);
			if (child > 0)
				continue;
			struct state *st;
			close(hold[1]);
			if (state_adopt(folder, server_a, &st) != 0 || write(ready[1], "x", 1) != 1)
				_exit(1);
			_exit(read(hold[0], bytes, 1) != 0); /* the parent closes it */
		}
		for (int i = 0; i < PROCESSES; i++)
			ck_assert_int_eq(read(ready[0], bytes, 1), 1);
		close(hold[1]);
		for (int i = 0; i < PROCESSES; i++) {
			int status;
			ck_assert_int_gt(wait(&status), 0);
			ck_assert_int_eq(status, 0);
		}
		close(hold[0]);
		close(ready[0]);
		close(ready[1]);
		ck_assert_int_eq(count_files(".db"), PROCESSES);
	}
}
END_TEST

/* ---- damage ---- */

static void overwrite(const char *path)
{
	FILE *f = fopen(path, "r+");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 400; i++)
		ck_assert_int_ge(fputs("this is no database", f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void empty(const char *path)
{
	ck_assert_int_eq(truncate(path, 0), 0);
}

static void execute(const char *path, const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void of_another_program(const char *path)
{
	execute(path, "PRAGMA application_id = 5");
}

static void of_another_instance(const char *path)
{
	execute(path, "UPDATE meta SET instance = x'00112233445566778899aabbccddeeff'");
}

static void without_numbers(const char *path)
{
	execute(path, "DELETE FROM meta");
}

static void with_bad_number(const char *path)
{
	execute(path, "UPDATE meta SET reserved = -5");
}

static void with_bad_text(const char *path)
{
	execute(path, "UPDATE message SET text = 'a' || char(27) || 'b'");
}

static void with_bad_room(const char *path)
{
	execute(path, "UPDATE message SET target = 'no room'");
}

static void with_bad_kind(const char *path)
{
	execute(path, "UPDATE message SET kind = 77");
}

static void with_number_from_the_future(const char *path)
{
	execute(path, "UPDATE message SET counter = 99999999999");
}

static void without_table(const char *path)
{
	execute(path, "DROP TABLE message");
}

static void (*const damages[])(const char *path) = {
	overwrite,
	empty,
	of_another_program,
	of_another_instance,
	without_numbers,
	with_bad_number,
	with_bad_text,
	with_bad_room,
	with_bad_kind,
	with_number_from_the_future,
	without_table,
};

START_TEST(test_damaged)
{
	struct state *st = adopt(server_a);
	uint8_t instance[INSTANCE_ID];
	char path[512];

	memcpy(instance, state_instance(st), sizeof(instance));
	add(st, 1, "words");
	state_close(st);
	only_file(path, sizeof(path));
	damages[_i](path);

	st = adopt(server_a);
	ck_assert_mem_ne(state_instance(st), instance, sizeof(instance));
	ck_assert_uint_eq(state_used(st), 0);
	ck_assert_uint_eq(messages(st).count, 0);
	ck_assert_int_eq(count_files(".damaged"), 1);
	ck_assert_int_eq(count_files(".db"), 1);
	state_close(st);
}
END_TEST

START_TEST(test_of_a_newer_program)
{
	struct state *st = adopt(server_a);
	char path[512];

	state_close(st);
	only_file(path, sizeof(path));
	execute(path, "PRAGMA user_version = 99");
	st = adopt(server_a);
	state_close(st);
	ck_assert_int_eq(count_files(".damaged"), 0);
	ck_assert_int_eq(count_files(".db"), 2);
}
END_TEST

START_TEST(test_cannot_be_written)
{
	char path[128];
	struct state *st = NULL;
	FILE *f;

	/* A file is in the way: root as well cannot make a folder there. */
	snprintf(path, sizeof(path), "%s/servers", folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(state_adopt(folder, server_a, &st), ERR_SYSTEM);
	ck_assert_ptr_null(st);
}
END_TEST

/* ---- numbers ---- */

START_TEST(test_reserve)
{
	struct state *st = adopt(server_a);

	ck_assert_int_eq(state_reserve(st, 7 * STATE_RESERVE + 5), 0);
	ck_assert_uint_eq(state_used(st), 7 * STATE_RESERVE + 5);
	ck_assert_int_eq(state_reserve(st, UINT64_MAX), ERR_FULL);
	ck_assert_int_eq(state_reserve(st, INT64_MAX), ERR_FULL);
	state_close(st);
	st = adopt(server_a);
	ck_assert_uint_eq(state_used(st), 8 * STATE_RESERVE + 5);
	state_close(st);
}
END_TEST

START_TEST(test_created)
{
	static const uint8_t instance[INSTANCE_ID] = {9};
	struct state *st = NULL;

	ck_assert_int_eq(state_create(folder, server_a, instance, 12, &st), 0);
	ck_assert_uint_eq(state_used(st), 12);
	add(st, 13, "words");
	state_close(st);
	ck_assert_int_eq(state_create(folder, server_a, instance, 12, &st), ERR_SYSTEM);
	st = adopt(server_a);
	ck_assert_mem_eq(state_instance(st), instance, sizeof(instance));
	ck_assert_uint_eq(state_used(st), 12 + STATE_RESERVE);
	ck_assert_uint_eq(messages(st).counters[0], 13);
	state_close(st);
}
END_TEST

START_TEST(test_addresses)
{
	uint8_t server[IDENTITY_SIZE];
	char path[128];
	char address[2048];
	FILE *f;

	ck_assert_int_eq(book_find(folder, "addresses", "host:1", server), ERR_NOT_FOUND);
	ck_assert_int_eq(book_put(folder, "addresses", "host:1", server_a), 0);
	ck_assert_int_eq(book_put(folder, "addresses", "host:2", server_a), 0);
	ck_assert_int_eq(book_put(folder, "addresses", "host:1", server_b), 0);
	ck_assert_int_eq(book_find(folder, "addresses", "host:1", server), 0);
	ck_assert_mem_eq(server, server_b, sizeof(server));
	ck_assert_int_eq(book_find(folder, "addresses", "host:2", server), 0);
	ck_assert_mem_eq(server, server_a, sizeof(server));
	ck_assert_int_eq(book_find(folder, "addresses", "host:", server), ERR_NOT_FOUND);
	ck_assert_int_eq(book_put(folder, "addresses", "", server_b), ERR_ARGUMENT);
	ck_assert_int_eq(book_put(folder, "addresses", "a\nb", server_b), ERR_ARGUMENT);
	memset(address, 'x', sizeof(address));
	address[sizeof(address) - 1] = '\0';
	ck_assert_int_eq(book_put(folder, "addresses", address, server_b), ERR_TOO_BIG);

	/* What is no line of this kind is skipped, and goes. */
	snprintf(path, sizeof(path), "%s/addresses", folder);
	f = fopen(path, "a");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "junk\n%s\n%064d", address, 0);
	fclose(f);
	ck_assert_int_eq(book_put(folder, "addresses", "host:3", server_b), 0);
	ck_assert_int_eq(book_find(folder, "addresses", "host:2", server), 0);
	ck_assert_int_eq(book_find(folder, "addresses", "host:3", server), 0);
}
END_TEST

Suite *state_suite(void)
{
	Suite *s = suite_create("state");
	TCase *t = tcase_create("state");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, test_new_then_adopted);
	tcase_add_test(t, test_one_process_each);
	tcase_add_test(t, test_killed);
	tcase_add_test(t, test_many_processes);
	tcase_add_loop_test(t, test_damaged, 0, (int)(sizeof(damages) / sizeof(damages[0])));
	tcase_add_test(t, test_of_a_newer_program);
	tcase_add_test(t, test_cannot_be_written);
	tcase_add_test(t, test_reserve);
	tcase_add_test(t, test_created);
	tcase_add_test(t, test_addresses);
	suite_add_tcase(s, t);
	return s;
}
