/*
 * Where a result goes that programs read: a file that is there whole or not at all, or stdout.
 *
 * One thread.
 */
#ifndef LANCHAT_STRESS_RESULT_FILE_H
#define LANCHAT_STRESS_RESULT_FILE_H

#include "tools/stress/result.h"

/* Have `print` write the result to the file `path`, or, where that is "-", to stdout. Errors as
 * result_json. */
int result_file_write(
	const struct result *r, const char *path, void (*print)(const struct result *r, FILE *out));

#endif
