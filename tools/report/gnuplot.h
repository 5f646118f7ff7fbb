/*
 * Running gnuplot: a script in, what it prints out.
 *
 * The script and the answer are files in memory, so neither side can wait for
 * the other one to read, and nothing is left in a folder by a crash. gnuplot is
 * started without a shell, in an environment of its own, and reads nobody's
 * ~/.gnuplot. It may take half a minute. Any thread.
 */
#ifndef LANCHAT_GNUPLOT_H
#define LANCHAT_GNUPLOT_H

#include <stddef.h>

/* Run `script` (`length` bytes). `*answer` gets what it printed, terminated, for the caller to free.
 * Failures, with their text in `error`: ERR_NOT_FOUND, it is not installed (the text names the
 * package); ERR_REFUSED, it did not like the script; ERR_TIMEOUT; ERR_TOO_BIG; ERR_MEMORY;
 * ERR_SYSTEM. */
int gnuplot_run(const char *script, size_t length, char **answer, char *error, size_t size);

#endif
