#include "tests/unit/engine_cases.h"

#include "common/err.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a log in a folder of its own ---- */

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void remove_folder(void)
{
	if (folder[0])
		nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	folder[0] = '\0';
}

/* Another folder, which goes with the process. */
static void new_folder(void)
{
	if (!folder[0])
		atexit(remove_folder);
	remove_folder();
	snprintf(folder, sizeof(folder), "/tmp/lanchat-engine-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int open_in(const struct engine_config *config, engine_applied *applied, void *context,
	struct engine **out)
{
	char error[512] = "";
	int r = engine_open_sqlite(config, applied, context, out, error, sizeof(error));

	if (r)
		fprintf(stderr, "%s\n", error);
	return r;
}

static int make(size_t keep_bytes, engine_applied *applied, void *context, struct engine **out)
{
	struct engine_config config = {.folder = folder, .sync = SYNC_OFF};

	(void)keep_bytes; /* it keeps more than that */
	new_folder();
	return open_in(&config, applied, context, out);
}

static void use_sqlite(void)
{
	engine_cases_use(make);
}

Suite *engine_sqlite_suite(void)
{
	Suite *s = suite_create("engine_sqlite");

	engine_cases_add(s, use_sqlite);
	return s;
}
