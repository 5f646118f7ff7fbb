#include "server/store_verify_private.h"

#include "common/err.h"
#include "server/store.h"
#include "server/store_schema.h"

#include <stdio.h>
#include <string.h>

/* What SQLite makes for the index of words is said in SQLite's words, which may be others in another
 * version. */
#define SCHEMA                                                                                     \
	"SELECT type, name, tbl_name, CASE WHEN tbl_name LIKE 'words\\_%' ESCAPE '\\' THEN ''"     \
	" ELSE ifnull(sql, '') END FROM sqlite_schema ORDER BY name, type"

enum {
	TYPE,
	NAME,
	TABLE,
	SQL,
	COLUMNS,
};

static const char *text_of(sqlite3_stmt *t, int column)
{
	const unsigned char *text = sqlite3_column_text(t, column);

	return text ? (const char *)text : "";
}

/* As the query orders them; the end comes last. */
static int compare(sqlite3_stmt *a, int a_code, sqlite3_stmt *b, int b_code)
{
	if (a_code != SQLITE_ROW || b_code != SQLITE_ROW)
		return (a_code != SQLITE_ROW) - (b_code != SQLITE_ROW);
	int by_name = strcmp(text_of(a, NAME), text_of(b, NAME));
	return by_name ? by_name : strcmp(text_of(a, TYPE), text_of(b, TYPE));
}

static bool is_same(sqlite3_stmt *a, sqlite3_stmt *b)
{
	for (int i = TABLE; i < COLUMNS; i++) {
		if (strcmp(text_of(a, i), text_of(b, i)) != 0)
			return false;
	}
	return true;
}

/* Go through both in step. Returns SQLite's code of what could not be read. */
static int walk(struct verifier *v, sqlite3_stmt *has, sqlite3_stmt *should)
{
	int a = sqlite3_step(has), b = sqlite3_step(should);

	while (a == SQLITE_ROW || b == SQLITE_ROW) {
		int order = compare(has, a, should, b);
		if (order < 0)
			verify_found(v, "schema: the %s %s does not belong there",
				text_of(has, TYPE), text_of(has, NAME));
		else if (order > 0)
			verify_found(v, "schema: the %s %s is missing", text_of(should, TYPE),
				text_of(should, NAME));
		else if (!is_same(has, should))
			verify_found(v, "schema: the %s %s is not as it was made",
				text_of(has, TYPE), text_of(has, NAME));
		if (order <= 0)
			a = sqlite3_step(has);
		if (order >= 0)
			b = sqlite3_step(should);
	}
	return a != SQLITE_DONE ? a : b;
}

static int compare_with(struct verifier *v, sqlite3 *fresh)
{
	sqlite3_stmt *has = NULL, *should = NULL;
	int code = sqlite3_prepare_v2(v->db, SCHEMA, -1, &has, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(fresh, SCHEMA, -1, &should, NULL);
	if (code == SQLITE_OK)
		code = walk(v, has, should);
	(void)sqlite3_finalize(has);
	(void)sqlite3_finalize(should);
	return store_error(code);
}

/* The tables are those that a new log has. */
int verify_schema(struct verifier *v)
{
	char error[128];
	sqlite3 *fresh = NULL;
	int r = store_error(sqlite3_open(":memory:", &fresh));

	if (r == 0)
		r = store_schema_migrate(fresh, error, sizeof(error));
	if (r == 0)
		r = compare_with(v, fresh);
	(void)sqlite3_close(fresh);
	if (r != ERR_DAMAGED)
		return r;
	verify_found(v, "the schema cannot be read to the end");
	return 0;
}
