/*
 * Identities: a known key has a known id; programs that start at once agree.
 */
#include "common/identity.h"

#include "common/err.h"
#include "common/log.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The key of RFC 8410 section 10.3, and the SHA-256 of the public key that goes with it. */
static const char known_key[] = "-----BEGIN PRIVATE KEY-----\n"
				"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
				"-----END PRIVATE KEY-----\n";
static const char known_id[] = "a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f";

static const char p256_key[] = "-----BEGIN PRIVATE KEY-----\n"
			       "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfWoH1rgkjXLOS7/U\n"
			       "XaT+e/WHg1xvNWMEJKnYmHcv/zihRANCAAQD0eYT92bfqeIoJSYy5APstuaVKDip\n"
			       "qO98k4th40H3ZMdKZ5cYayXyoyFGKWCNHXLZlg1QqyuiiRGMtPmqMAy5\n"
			       "-----END PRIVATE KEY-----\n";

static const char encrypted_key[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhY2RUVuNyjUwIBATAM\n"
	"BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQUPJJ6ixdpoz80ReoyGkFTwRAvPB+\n"
	"SxhLf0NduCUF6A4QJYZ3bROD+ph3Br4BFXAcBmx7lQVJayIR36+B0GYHtjZhe5fa\n"
	"BjrMhz4951031zf/FQ==\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";

#define PATH_SIZE 256

static char folder[64];
static char path[PATH_SIZE];

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/lanchat-test-identity-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/a/b/key.pem", folder);
	log_set_file(NULL);
}

/* Remove what the test left; returns how many names were in the folder itself. */
static size_t remove_all(const char *where)
{
	DIR *d = opendir(where);
	size_t count = 0;

	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));) {
		char name[PATH_SIZE * 2];
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		count++;
		(void)snprintf(name, sizeof(name), "%s/%s", where, e->d_name);
		if (unlink(name) != 0)
			(void)remove_all(name);
	}
	(void)closedir(d);
	(void)rmdir(where);
	return count;
}

static void teardown(void)
{
	(void)remove_all(folder);
}

static void write_file(const char *name, const char *text, size_t length, mode_t mode)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, length, f), length);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(name, mode), 0);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(name, &st), 0);
	return st.st_mode & 07777;
}

/* ---- parsing ---- */

START_TEST(known)
{
	struct identity who;
	char hex[2 * IDENTITY_SIZE + 1];

	ck_assert_int_eq(identity_parse(known_key, strlen(known_key), &who), 0);
	for (size_t i = 0; i < IDENTITY_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", who.id[i]);
	ck_assert_str_eq(hex, known_id);
}
END_TEST

static void expect_no_key(const char *text, size_t length)
{
	struct identity who;
	struct identity before;

	memset(&who, 0x55, sizeof(who));
	before = who;
	ck_assert_int_eq(identity_parse(text, length, &who), ERR_CRYPTO);
	ck_assert_mem_eq(&who, &before, sizeof(who));
}

START_TEST(not_a_key)
{
	expect_no_key("", 0);
	expect_no_key("rubbish", 7);
	expect_no_key("\0\1\2", 3);
	expect_no_key(p256_key, strlen(p256_key));
	/* Nor does it ask anybody for the password. */
	expect_no_key(encrypted_key, strlen(encrypted_key));
}
END_TEST

START_TEST(truncated)
{
	struct identity who;
	size_t length = strlen(known_key);

	/* The newline at the end, alone, may be missing. */
	for (size_t cut = 0; cut < length - 1; cut++)
		expect_no_key(known_key, cut);
	ck_assert_int_eq(identity_parse(known_key, length - 1, &who), 0);
}
END_TEST

/* ---- the file ---- */

START_TEST(made_once)
{
	struct identity first;
	struct identity second;
	char above[PATH_SIZE];

	ck_assert_int_eq(identity_load(path, &first), 0);
	ck_assert_int_eq(identity_load(path, &second), 0);
	ck_assert_mem_eq(&first, &second, sizeof(first));
	ck_assert_uint_eq(mode_of(path), 0600);
	(void)snprintf(above, sizeof(above), "%s/a/b", folder);
	ck_assert_uint_eq(mode_of(above), 0700);
	/* Nothing but the key is left in the folder. */
	ck_assert_uint_eq(remove_all(above), 1);
	(void)snprintf(above, sizeof(above), "%s/a", folder);
	ck_assert_uint_eq(mode_of(above), 0700);

	/* Another key is another person. */
	ck_assert_int_eq(identity_load(path, &second), 0);
	ck_assert_mem_ne(&first, &second, sizeof(first));
}
END_TEST

START_TEST(relative_path)
{
	struct identity who;
	int before = open(".", O_RDONLY | O_DIRECTORY);

	ck_assert_int_ge(before, 0);
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(identity_load("key.pem", &who), 0);
	ck_assert_int_eq(identity_load("x//y/key.pem", &who), 0);
	ck_assert_uint_eq(mode_of("x"), 0700);
	ck_assert_int_eq(fchdir(before), 0);
	ck_assert_int_eq(close(before), 0);
}
END_TEST

START_TEST(damaged_file_is_kept)
{
	static const char damaged[] = "-----BEGIN PRIVATE KEY-----\nMC4C\n";
	struct identity who;
	char back[64] = "";

	(void)snprintf(path, sizeof(path), "%s/key.pem", folder);
	write_file(path, damaged, sizeof(damaged) - 1, 0600);
	ck_assert_int_eq(identity_load(path, &who), ERR_CRYPTO);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(back, 1, sizeof(back), f), sizeof(damaged) - 1);
	(void)fclose(f);
	ck_assert_str_eq(back, damaged);

	write_file(path, "", 0, 0600);
	ck_assert_int_eq(identity_load(path, &who), ERR_CRYPTO);
}
END_TEST

START_TEST(enormous_file)
{
	struct identity who;
	size_t size = 16384;
	char *text = malloc(size + 1);

	/* A key may have text behind it, up to the limit. */
	ck_assert_ptr_nonnull(text);
	memset(text, '\n', size + 1);
	memcpy(text, known_key, strlen(known_key));
	(void)snprintf(path, sizeof(path), "%s/key.pem", folder);
	write_file(path, text, size, 0600);
	ck_assert_int_eq(identity_load(path, &who), 0);
	write_file(path, text, size + 1, 0600);
	ck_assert_int_eq(identity_load(path, &who), ERR_CRYPTO);
	free(text);
}
END_TEST

START_TEST(open_to_others)
{
	struct identity who;
	FILE *log = tmpfile();
	char text[512] = "";

	ck_assert_ptr_nonnull(log);
	(void)snprintf(path, sizeof(path), "%s/key.pem", folder);
	log_set_file(log);
	write_file(path, known_key, strlen(known_key), 0600);
	ck_assert_int_eq(identity_load(path, &who), 0);
	ck_assert_int_eq(lseek(fileno(log), 0, SEEK_END), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(identity_load(path, &who), 0);
	log_set_file(NULL);
	ck_assert_int_gt(pread(fileno(log), text, sizeof(text) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "warning"));
	ck_assert_ptr_nonnull(strstr(text, path));
	(void)fclose(log);
}
END_TEST

START_TEST(places_that_will_not_do)
{
	struct identity who;
	char name[PATH_SIZE * 2];

	/* A file where a folder must be. */
	(void)snprintf(name, sizeof(name), "%s/file", folder);
	write_file(name, "", 0, 0600);
	(void)snprintf(name, sizeof(name), "%s/file/key.pem", folder);
	ck_assert_int_eq(identity_load(name, &who), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOTDIR);
	/* A folder where the file must be. */
	ck_assert_int_eq(identity_load(folder, &who), ERR_SYSTEM);
	ck_assert_int_eq(errno, EISDIR);
	/* A link that leads nowhere. */
	(void)snprintf(name, sizeof(name), "%s/nowhere", folder);
	ck_assert_int_eq(symlink("/no/such/folder", name), 0);
	(void)snprintf(name, sizeof(name), "%s/nowhere/x/key.pem", folder);
	ck_assert_int_eq(identity_load(name, &who), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	/* /proc takes no folders, not even root's. */
	ck_assert_int_eq(identity_load("/proc/nope/key.pem", &who), ERR_SYSTEM);
}
END_TEST

/* ---- several at once ---- */

#define PROCESSES 8
#define ROUNDS    10

/* Wait for the byte that starts all, load, tell what came of it. */
static _Noreturn void load_and_tell(int start, int results)
{
	struct identity who = {{0}};
	char byte;

	if (read(start, &byte, 1) != 0)
		_exit(2);
	int r = identity_load(path, &who);
	if (r != 0 || write(results, &who, sizeof(who)) != (ssize_t)sizeof(who))
		_exit(1);
	_exit(0);
}

static void race(void)
{
	int start[2];
	int results[2];
	struct identity first;
	struct identity other;

	ck_assert_int_eq(pipe(start), 0);
	ck_assert_int_eq(pipe(results), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t child = fork();
		ck_assert_int_ge(child, 0);
		if (child == 0) {
			(void)close(start[1]);
			load_and_tell(start[0], results[1]);
		}
	}
	(void)close(start[0]);
	(void)close(start[1]); /* all of them read the end of the pipe at once */
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(read(results[0], &first, sizeof(first)), sizeof(first));
	for (int i = 1; i < PROCESSES; i++) {
		ck_assert_int_eq(read(results[0], &other, sizeof(other)), sizeof(other));
		ck_assert_mem_eq(&first, &other, sizeof(first));
	}
	ck_assert_int_eq(identity_load(path, &other), 0);
	ck_assert_mem_eq(&first, &other, sizeof(first));
	(void)close(results[0]);
	(void)close(results[1]);
}

START_TEST(racing_processes_agree)
{
	for (int i = 0; i < ROUNDS; i++) {
		char above[PATH_SIZE];
		race();
		(void)snprintf(above, sizeof(above), "%s/a/b", folder);
		ck_assert_uint_eq(remove_all(above), 1);
	}
}
END_TEST

/* ---- random bytes ---- */

START_TEST(random_bytes)
{
	uint8_t a[1000] = {0};
	uint8_t b[1000] = {0};
	size_t ones = 0;

	identity_random(a, sizeof(a) - 1);
	identity_random(b, sizeof(b));
	ck_assert_uint_eq(a[sizeof(a) - 1], 0);
	ck_assert_mem_ne(a, b, sizeof(a) - 1);
	for (size_t i = 0; i < sizeof(b); i++)
		ones += (size_t)__builtin_popcount(b[i]);
	/* 4000 expected; this is ten standard deviations away. */
	ck_assert_uint_gt(ones, 3550);
	ck_assert_uint_lt(ones, 4450);
	identity_random(a, 0);
}
END_TEST

Suite *identity_suite(void);

Suite *identity_suite(void)
{
	Suite *s = suite_create("identity");
	TCase *c = tcase_create("identity");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, known);
	tcase_add_test(c, not_a_key);
	tcase_add_test(c, truncated);
	tcase_add_test(c, made_once);
	tcase_add_test(c, relative_path);
	tcase_add_test(c, damaged_file_is_kept);
	tcase_add_test(c, enormous_file);
	tcase_add_test(c, open_to_others);
	tcase_add_test(c, places_that_will_not_do);
	tcase_add_test(c, racing_processes_agree);
	tcase_add_test(c, random_bytes);
	suite_add_tcase(s, c);
	return s;
}
