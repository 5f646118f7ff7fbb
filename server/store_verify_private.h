/*
 * What the parts of verifying a log share; for store_verify*.c alone.
 *
 *     store_verify.c           the pages, numbers, ids and places
 *     store_verify_content.c   what entries, streams and people say
 *     store_verify_schema.c    the tables themselves
 *     store_verify_words.c     the index of words
 *
 * Each check reads what it needs and tells findings; an error means that it could
 * not be read, as store_error has it.
 */
#ifndef LANCHAT_SERVER_STORE_VERIFY_PRIVATE_H
#define LANCHAT_SERVER_STORE_VERIFY_PRIVATE_H

#include "server/store_verify.h"

#include <sqlite3.h>

struct verifier {
	sqlite3 *db; /* borrowed */
	struct verify_report *report;
};

/* One thing that is wrong. */
void verify_found(struct verifier *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

typedef void verify_reader(struct verifier *v, sqlite3_stmt *t, void *state);

/* Read all rows of a query. A damaged page ends it, and is a finding like others. */
int verify_each(struct verifier *v, const char *sql, verify_reader *reader, void *state);

/* The first column of a query's last row. */
int verify_number(struct verifier *v, const char *sql, uint64_t *value);

int verify_schema(struct verifier *v);
int verify_content(struct verifier *v);

/* After the numbers of entries were read. */
int verify_words(struct verifier *v);

#endif
