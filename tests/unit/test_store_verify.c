/*
 * Verifying a log: a sound one is sound, also after pruning and while it is written;
 * each defect that is planted is found.
 */
#include "server/store_verify.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "tests/unit/entries.h"
#include "tests/unit/faulty_vfs.h"
#include "tests/unit/log_folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct log_folder folder;

static void setup(void)
{
	log_set_file(NULL);
	log_folder_new(&folder);
}

static void teardown(void)
{
	log_folder_remove(&folder);
}

static void verify(struct verify_report *p)
{
	char error[512] = "";
	int r = store_verify(folder.log, p, error, sizeof(error));

	ck_assert_msg(r == 0, "%s", error);
}

static void verify_sound(struct verify_report *p)
{
	verify(p);
	ck_assert_msg(p->findings == 0, "%s", p->shown[0]);
}

/* ---- sound ones ---- */

START_TEST(a_sound_log)
{
	struct verify_report p;

	log_folder_make(&folder);
	verify_sound(&p);
	ck_assert_uint_eq(p.entries, LOG_FOLDER_ENTRIES);
	ck_assert_uint_eq(p.first, 1);
	ck_assert_uint_eq(p.last, LOG_FOLDER_ENTRIES);
	ck_assert_uint_eq(p.rooms, 2);
	ck_assert_uint_eq(p.inboxes, 4);
	ck_assert_uint_eq(p.people, 4);
	ck_assert_uint_eq(p.instances, 3);
	ck_assert_uint_eq(p.places, 1);
	ck_assert_uint_eq(p.links, LOG_FOLDER_ENTRIES + LOG_FOLDER_ENTRIES / 8);
	ck_assert_uint_eq(p.indexed, LOG_FOLDER_ENTRIES);
	ck_assert_uint_gt(p.words, LOG_FOLDER_ENTRIES);
}
END_TEST

START_TEST(an_empty_log)
{
	struct verify_report p;
	struct log l;

	log_folder_open(&folder, 0, &l);
	log_close(&l);
	verify_sound(&p);
	ck_assert_uint_eq(p.entries, 0);
}
END_TEST

START_TEST(a_log_with_ancestors)
{
	struct verify_report p;

	log_folder_make(&folder);
	log_folder_sql(
		folder.log, "INSERT INTO ancestor VALUES (zeroblob(16), 0), (randomblob(16), 40)");
	verify_sound(&p);
	ck_assert_uint_eq(p.version, 6);
}
END_TEST

/* Dropping takes turns with other things: wait until it has been done. */
static void wait_for_count(uint64_t count)
{
	unsigned seen = faulty_vfs_commits();

	while (log_folder_count(folder.log) > count)
		seen = faulty_vfs_await(seen);
}

START_TEST(a_log_with_a_floor)
{
	struct verify_report p;
	struct log l;

	faulty_vfs_install();
	log_folder_make(&folder);
	log_folder_open(&folder, 13, &l);
	wait_for_count(13);
	log_close(&l);
	verify_sound(&p);
	ck_assert_uint_eq(p.entries, 13);
	ck_assert_uint_eq(p.first, LOG_FOLDER_ENTRIES - 12);
	ck_assert_uint_eq(p.indexed, 13);
}
END_TEST

START_TEST(no_log)
{
	struct verify_report p;
	char error[512] = "";

	ck_assert_int_lt(store_verify(folder.log, &p, error, sizeof(error)), 0);
	ck_assert_str_ne(error, "");
	ck_assert_int_ne(access(folder.log, F_OK), 0);
}
END_TEST

/* ---- while it is written ---- */

struct writer {
	struct log log;
	atomic_bool stop;
	unsigned failures; /* the writer's, until it is joined */
};

static void *write_on(void *context)
{
	struct writer *w = context;
	struct stream_key a = entry_room("a");
	char text[32];

	for (uint64_t i = 1; !atomic_load(&w->stop); i++) {
		struct append_result r;
		snprintf(text, sizeof(text), "number %u", (unsigned)i);
		struct log_entry e = i % 4 ? log_said(&a, 1, i, text) : log_direct(1, 2, i, text);
		int error = engine_append(w->log.engine, &e, 1, clock_ms() + 10000, &r);
		w->failures += error != 0 || r.status != APPEND_OK;
	}
	return NULL;
}

START_TEST(while_it_is_written)
{
	struct writer w = {.failures = 0};
	struct verify_report p = {0};
	pthread_t thread;

	/* What is not needed any more is dropped meanwhile. */
	log_folder_open(&folder, 300, &w.log);
	atomic_init(&w.stop, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_on, &w), 0);
	int64_t deadline = clock_ms() + 30000;
	for (int i = 0; i < 15 || p.last < 600; i++) {
		verify_sound(&p);
		ck_assert_int_lt(clock_ms(), deadline);
	}
	atomic_store(&w.stop, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	log_close(&w.log);
	ck_assert_uint_eq(w.failures, 0);
	verify_sound(&p);
}
END_TEST

/* ---- what is found ---- */

static const struct {
	const char *planted, *found;
} defects[] = {
	{"DELETE FROM entry WHERE seq = 7", "entry 7 is missing"},
	{"DELETE FROM entry WHERE seq BETWEEN 7 AND 9", "entries 7 to 9 are missing"},
	{"DELETE FROM entry WHERE seq = 7", "its entry 7 is missing"},
	{"UPDATE entry SET seq = -1 WHERE seq = 1", "no such number may be"},
	{"UPDATE entry SET time = 1 WHERE seq = 7", "entry 7 is older than the one before it"},
	{"UPDATE entry SET kind = 4 WHERE seq = 7", "kind 4 is unknown"},
	{"UPDATE entry SET instance = 77 WHERE seq = 7", "entry 7: its instance 77 is unknown"},
	{"UPDATE instance SET pruned = 3 WHERE id = 1", "is not above those that were dropped (3)"},
	{"DROP INDEX entry_id;"
	 "UPDATE entry SET counter = 1 WHERE seq = 7;"
	 "CREATE INDEX entry_id ON entry (instance, counter)",
		"entries 1 and 7 have the same id"},
	{"UPDATE entry SET counter = 1000 WHERE seq = 7", "of one instance are in disorder"},
	{"INSERT INTO chain VALUES (99, 7, 0)", "stream 99 has entry 7 and is unknown"},
	{"INSERT INTO chain SELECT id, 999, 39 FROM stream WHERE name = 'a'",
		"its entry 999 is missing"},
	{"INSERT INTO chain SELECT id, 7, 0 FROM stream WHERE name = 'a'",
		"has entry 7, which belongs to others"},
	{"UPDATE chain SET prev = 1 WHERE seq = 9", "before entry 9 comes 8, and not 1"},
	{"UPDATE chain SET prev = 5 WHERE seq = 1", "before entry 1 comes 0, and not 5"},
	{"UPDATE stream SET pruned = 3 WHERE name = 'a'", "below its floor, 3"},
	{"UPDATE stream SET pruned = 1 WHERE name = 'b'", "its floor is above the oldest entry"},
	{"DELETE FROM chain WHERE seq = 8", "entry 8: it is missing in its stream"},
	{"DELETE FROM chain WHERE seq = 4 AND stream = (SELECT other FROM entry WHERE seq = 4)",
		"entry 4: it is missing in its other stream"},
	{"UPDATE entry SET stream = 88 WHERE seq = 8", "entry 8: its stream is unknown"},
	{"UPDATE entry SET other = 88 WHERE seq = 4", "entry 4: its other stream is unknown"},
	{"UPDATE entry SET recipient = 88 WHERE seq = 4", "entry 4: whom it is for is unknown"},
	{"UPDATE entry SET recipient = NULL WHERE seq = 4",
		"entry 4: it is for everybody, and not in a room"},
	{"UPDATE entry SET recipient = 1 WHERE seq = 8",
		"entry 8: it is not in its writer's inbox"},
	{"UPDATE entry SET recipient = (SELECT i.person FROM instance AS i WHERE i.id = instance)"
	 " WHERE seq = 4",
		"entry 4: it is not in the inbox of whom it is for"},
	{"UPDATE stream SET key = x'72' WHERE name = 'a'", "its key is none"},
	{"INSERT INTO stream (key, name) VALUES (x'7061', 'pa')", "its key is none"},
	{"INSERT INTO stream (key, name) VALUES (x'6961', '')", "its key is none"},
	{"UPDATE person SET key = x'00' WHERE id = 1", "person 1: its key is none"},
	{"UPDATE instance SET key = 'text' WHERE id = 1", "instance 1: its key is none"},
	{"UPDATE instance SET person = 66 WHERE id = 1", "instance 1: its person is unknown"},
	{"INSERT INTO place VALUES (66, 1, 1, 0)", "a place of person 66: there is no such person"},
	{"INSERT INTO place VALUES (1, 66, 1, 0)", "a place in stream 66: there is no such stream"},
	{"DELETE FROM words_docsize WHERE id = 7", "entry 7: the index of words has not got it"},
	{"INSERT INTO words_docsize VALUES (777, x'0101')",
		"the index of words has entry 777: it is not in the log"},
	{"UPDATE words_docsize SET sz = x'0178' WHERE id = 7", "words of entries that have"},
	{"DELETE FROM words_data WHERE id > 10", "it cannot be read to the end"},
	{"DELETE FROM meta WHERE name = 'log'", "the log has no id"},
	{"UPDATE meta SET value = x'00' WHERE name = 'log'", "the log has no id"},
	{"UPDATE meta SET value = 'sixteen letters.' WHERE name = 'log'", "the log has no id"},
	{"INSERT INTO ancestor VALUES (x'00', 7)",
		"the ancestor up to entry 7: its id is none, or the log's own"},
	{"INSERT INTO ancestor VALUES ('sixteen letters.', 7)",
		"the ancestor up to entry 7: its id is none, or the log's own"},
	{"INSERT INTO ancestor SELECT value, 7 FROM meta WHERE name = 'log'",
		"the ancestor up to entry 7: its id is none, or the log's own"},
	{"INSERT INTO ancestor VALUES (zeroblob(16), 41)",
		"the ancestor up to entry 41: there is none yet"},
	{"INSERT INTO ancestor VALUES (zeroblob(16), -1)",
		"the ancestor up to entry 0: there is none yet"},
	{"INSERT INTO ancestor VALUES (zeroblob(16), 'text')",
		"the ancestor up to entry 0: there is none yet"},
	/* What entries say. */
	{"UPDATE entry SET time = 0 WHERE seq = 1", "entry 1: no such time may be"},
	{"UPDATE entry SET time = -1 WHERE seq = 1", "entry 1: no such time may be"},
	{"UPDATE entry SET time = 253402300800000000 WHERE seq = 40",
		"entry 40: no such time may be"},
	{"UPDATE entry SET time = 'now' WHERE seq = 40", "entry 40: a number in it is none"},
	{"UPDATE entry SET counter = 0 WHERE seq = 1", "entry 1: a number in it is none"},
	{"UPDATE entry SET kind = 0.5 WHERE seq = 1", "entry 1: a number in it is none"},
	{"UPDATE entry SET kind = 3 WHERE seq = 4", "entry 4: a topic outside a room"},
	{"UPDATE entry SET nick = '' WHERE seq = 7", "entry 7: its nick is none"},
	{"UPDATE entry SET nick = 'a b' WHERE seq = 7", "entry 7: its nick is none"},
	{"UPDATE entry SET nick = x'61' WHERE seq = 7", "entry 7: its nick is none"},
	{"UPDATE entry SET nick = printf('%049d', 0) WHERE seq = 7", "entry 7: its nick is none"},
	{"UPDATE entry SET to_nick = 'b' WHERE seq = 7",
		"entry 7: the nick of whom it is for is none"},
	{"UPDATE entry SET to_nick = '' WHERE seq = 4",
		"entry 4: the nick of whom it is for is none"},
	{"UPDATE entry SET text = '' WHERE seq = 7", "entry 7: its text cannot be"},
	{"UPDATE entry SET text = cast(x'61ff' AS TEXT) WHERE seq = 7",
		"entry 7: its text cannot be"},
	{"UPDATE entry SET text = cast(x'610062' AS TEXT) WHERE seq = 7",
		"entry 7: its text cannot be"},
	{"UPDATE entry SET text = x'61' WHERE seq = 7", "entry 7: its text cannot be"},
	{"UPDATE entry SET text = 'a' || char(10) WHERE seq = 7", "entry 7: its text cannot be"},
	{"UPDATE entry SET text = printf('%04097d', 0) WHERE seq = 7",
		"entry 7: its text cannot be"},
	{"UPDATE entry SET text = printf('%0513d', 0) WHERE seq = 10",
		"entry 10: its text cannot be"},
	/* Streams, people, positions. */
	{"UPDATE stream SET name = 'c' WHERE name = 'a'", "its name does not belong to its key"},
	{"UPDATE stream SET name = '' WHERE name = 'a'", "its name does not belong to its key"},
	{"UPDATE stream SET name = '#a', key = x'722361' WHERE name = 'a'",
		"its name does not belong to its key"},
	{"UPDATE stream SET key = x'7241', name = 'A' WHERE name = 'a'",
		"its name does not belong to its key"},
	{"UPDATE stream SET name = printf('%065d', 0),"
	 " key = cast('r' || printf('%065d', 0) AS BLOB) WHERE name = 'a'",
		"its name does not belong to its key"},
	{"UPDATE stream SET name = 'x' WHERE name = ''", "its name does not belong to its key"},
	{"UPDATE stream SET owner = 1 WHERE name = 'a'", "its owner is not its charter's"},
	{"UPDATE stream SET owner = 99 WHERE name = 'a'", "its owner is not its charter's"},
	{"UPDATE stream SET owner = 1 WHERE name = ''", "its owner is not its charter's"},
	{"UPDATE stream SET charter = 'own 0 ' || (SELECT lower(hex(key)) FROM person LIMIT 1)"
	 " || ' a' || char(10) WHERE name = 'a'",
		"its owner is not its charter's"},
	{"UPDATE stream SET listed = 0 WHERE name = 'a'", "it is in the wrong list of rooms"},
	{"UPDATE stream SET listed = 1 WHERE name = 'a'", "it is in the wrong list of rooms"},
	{"UPDATE stream SET listed = 2 WHERE name = ''", "it is in the wrong list of rooms"},
	{"UPDATE stream SET charter = 'entry 2 - *' || char(10) WHERE name = 'a'",
		"it is in the wrong list of rooms"},
	{"UPDATE stream SET topic = char(10) WHERE name = 'b'", "its topic cannot be"},
	{"UPDATE stream SET topic_nick = 'a b' WHERE name = 'b'", "its topic cannot be"},
	{"UPDATE stream SET topic_time = -1 WHERE name = 'b'", "the time of its topic is none"},
	{"UPDATE stream SET topic_time = 253402300800000000 WHERE name = 'b'",
		"its topic cannot be"},
	{"UPDATE stream SET topic = 'x' WHERE name = ''", "its topic cannot be"},
	{"UPDATE stream SET topic = 'x' WHERE name = 'a'",
		"its topic is not the last one that was set"},
	{"UPDATE stream SET topic_nick = 'x' WHERE name = 'a'",
		"its topic is not the last one that was set"},
	{"UPDATE stream SET topic_time = 1 WHERE name = 'a'",
		"its topic is not the last one that was set"},
	{"UPDATE stream SET pruned = -1 WHERE name = 'a'", "its floor is none"},
	{"UPDATE instance SET pruned = -1 WHERE id = 1",
		"instance 1: the counter that it has dropped is none"},
	{"UPDATE person SET nick = 'Anna', folded = 'Anna' WHERE id = 1",
		"person 1: their nick is none"},
	{"UPDATE person SET folded = 'a' WHERE id = 1", "person 1: their nick is none"},
	{"UPDATE place SET read = -1", "no such number may be read"},
	{"UPDATE place SET read = 41", "no such number may be read"},
	{"UPDATE place SET member = 2", "they are neither a member nor none"},
	{"UPDATE place SET stream = (SELECT min(id) FROM stream WHERE name = ''"
	 " AND substr(key, 2) <> (SELECT key FROM person WHERE id = place.person))",
		"it is in the inbox of another"},
	{"INSERT INTO place SELECT p.id, s.id, 1, 0 FROM person AS p, stream AS s"
	 " WHERE substr(s.key, 2) = p.key",
		"it is in the inbox of another, or as its member"},
	{"UPDATE meta SET value = 41 WHERE name = 'indexed'",
		"the index of words goes to entry 41: there is none yet"},
	{"UPDATE meta SET value = -1 WHERE name = 'indexed'", "the index of words goes to entry"},
	/* Words. */
	{"UPDATE entry SET text = 'tampered words in a' WHERE seq = 7",
		"entry 7: the index of words has others than it"},
	{"UPDATE entry SET text = 'words some in a' WHERE seq = 7",
		"entry 7: the index of words has others than it"},
	{"INSERT INTO words (words, rowid, streams, text) VALUES ('delete', 7, 's1', 'some');"
	 "INSERT INTO words (rowid, streams, text) VALUES (7, 's1', 'none')",
		"entry 7: the index of words has others than it"},
	/* The schema. */
	{"CREATE TABLE more (x)", "schema: the table more does not belong there"},
	{"CREATE INDEX entry_time ON entry (time)",
		"schema: the index entry_time does not belong there"},
	{"CREATE VIEW v AS SELECT 1", "schema: the view v does not belong there"},
	{"CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM chain; END",
		"schema: the trigger t does not belong there"},
	{"DROP TABLE ancestor; CREATE TABLE ancestor (log BLOB PRIMARY KEY, upto INTEGER NOT NULL)",
		"schema: the table ancestor is not as it was made"},
	{"DROP INDEX person_folded", "schema: the index person_folded is missing"},
	{"DROP INDEX entry_id; CREATE INDEX entry_id ON entry (instance, counter)",
		"schema: the index entry_id is not as it was made"},
	{"ALTER TABLE place ADD COLUMN more", "schema: the table place is not as it was made"},
	/* Behind the index's back: SQLite's own check. */
	{"PRAGMA writable_schema = ON;"
	 "UPDATE sqlite_schema SET sql = replace(sql, '(instance, counter)', '(counter, instance)')"
	 " WHERE name = 'entry_id'",
		"database: "},
};

static bool is_shown(const struct verify_report *p, const char *text)
{
	for (uint64_t i = 0; i < p->findings && i < VERIFY_SHOWN; i++) {
		if (strstr(p->shown[i], text))
			return true;
	}
	return false;
}

START_TEST(each_defect_is_found)
{
	struct verify_report p;

	log_folder_make(&folder);
	log_folder_sql(folder.log, defects[_i].planted);
	verify(&p);
	ck_assert_uint_gt(p.findings, 0);
	ck_assert_msg(is_shown(&p, defects[_i].found), "%s: %s", defects[_i].planted, p.shown[0]);
}
END_TEST

/* A long index has many pages, and a table of which word is on which. */
START_TEST(words_that_are_not_found)
{
	struct stream_key room = entry_room("a");
	struct verify_report p;
	struct log l;
	char text[400];

	log_folder_open(&folder, 0, &l);
	for (uint64_t i = 1; i <= 500; i++) {
		size_t length = 0;
		for (uint64_t j = 0; j < 30; j++)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "w%u ",
				(unsigned)(i * 30 + j));
		log_accept(&l, log_said(&room, 1, i, text), i);
	}
	log_folder_index(&l, &room);
	log_close(&l);
	verify_sound(&p);
	log_folder_sql(folder.log, "DELETE FROM words_idx");
	verify(&p);
	ck_assert_msg(is_shown(&p, "the index of words does not find it"), "%s", p.shown[0]);
}
END_TEST

START_TEST(more_than_are_shown)
{
	struct verify_report p;

	log_folder_make(&folder);
	log_folder_sql(folder.log, "UPDATE entry SET kind = 9");
	verify(&p);
	ck_assert_uint_eq(p.findings, LOG_FOLDER_ENTRIES);
	ck_assert_ptr_nonnull(strstr(p.shown[VERIFY_SHOWN - 1], "entry 10: kind 9"));
}
END_TEST

/* Noise over one page after the other: it is found or stated, and nothing worse happens. */
START_TEST(noise_over_any_page)
{
	struct verify_report p;
	char error[512];
	size_t size, pages;

	log_folder_make(&folder);
	uint8_t *bytes = log_folder_bytes(folder.log, &size);
	pages = size / 4096;
	ck_assert_uint_gt(pages, 10);
	for (size_t i = 0; i < pages; i++) {
		FILE *out = fopen(folder.log, "w");
		ck_assert_ptr_nonnull(out);
		ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
		ck_assert_int_eq(fseek(out, (long)(i * 4096), SEEK_SET), 0);
		for (int j = 0; j < 4096; j++)
			(void)fputc((j * 37 + (int)i) % 251, out);
		ck_assert_int_eq(fclose(out), 0);
		p.findings = 0;
		int r = store_verify(folder.log, &p, error, sizeof(error));
		ck_assert_msg(r < 0 || p.findings > 0, "page %zu of %zu", i + 1, pages);
	}
	free(bytes);
}
END_TEST

Suite *store_verify_suite(void)
{
	Suite *s = suite_create("store_verify");
	TCase *c = tcase_create("store_verify");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_sound_log);
	tcase_add_test(c, an_empty_log);
	tcase_add_test(c, a_log_with_ancestors);
	tcase_add_test(c, a_log_with_a_floor);
	tcase_add_test(c, no_log);
	tcase_add_test(c, while_it_is_written);
	tcase_add_loop_test(c, each_defect_is_found, 0, sizeof(defects) / sizeof(defects[0]));
	tcase_add_test(c, words_that_are_not_found);
	tcase_add_test(c, more_than_are_shown);
	tcase_add_test(c, noise_over_any_page);
	suite_add_tcase(s, c);
	return s;
}
