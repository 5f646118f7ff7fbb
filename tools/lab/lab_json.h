/*
 * The results of a run as one JSON object; the man page has its names.
 */
#ifndef LANCHAT_LAB_JSON_H
#define LANCHAT_LAB_JSON_H

#include "tools/lab/outcome.h"

#include <stdio.h>

/* Write errors show in ferror. `status` is the program's exit status. */
void lab_json(const struct outcome *all, size_t count, uint64_t seed, int status, FILE *out);

#endif
