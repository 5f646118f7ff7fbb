/*
 * A log that SQLite keeps in a folder of its own, for the tests of that engine: opened, opened again, and
 * changed behind the engine's back.
 *
 * For a test's own thread; failures end the test.
 */
#ifndef LANCHAT_TESTS_KEPT_LOG_H
#define LANCHAT_TESTS_KEPT_LOG_H

#include "tests/unit/engine_cases.h"

/* The folder of the test that runs, and to open the log in it without any limit. */
extern char kept_folder[64];
extern const struct engine_config kept_plain;

/* Another folder, which goes with the process. */
void kept_new_folder(void);

/* As engine_open_sqlite; what it complains of is printed. */
int kept_open(const struct engine_config *config, engine_applied *applied, void *context,
	struct engine **out);

/* From now on log_open makes logs in folders of their own: the unchecked fixture of a case. */
void kept_use(void);

/* Close the log and open it again. */
void kept_reopen_with(struct log *l, const struct engine_config *config);
void kept_reopen(struct log *l);

/* Somebody says as many words, which get these numbers. */
void kept_say_many(struct log *l, const struct stream_key *key, uint64_t from, uint64_t to);

/* Change the database, also while the engine has it open; do something in a shell, where %s is the folder. */
void kept_sql(const char *text);
void kept_shell(const char *how);

#endif
