#include "tools/stress/result_file.h"

#include "common/err.h"
#include "tools/report/page_file.h"

#include <errno.h>
#include <string.h>

/* stdout stays open: it is not ours. */
static int write_stdout(const struct result *r, void (*print)(const struct result *r, FILE *out))
{
	errno = 0;
	print(r, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (!errno)
		errno = EIO;
	return ERR_SYSTEM;
}

int result_file_write(
	const struct result *r, const char *path, void (*print)(const struct result *r, FILE *out))
{
	struct page_file f;

	if (strcmp(path, "-") == 0)
		return write_stdout(r, print);
	int e = page_file_open(&f, path);
	if (e)
		return e;
	errno = 0;
	print(r, f.out);
	e = page_file_publish(&f);
	int saved = errno;
	page_file_close(&f);
	errno = saved;
	return e;
}
