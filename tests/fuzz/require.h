/*
 * What a fuzz target holds to be true whatever the input is.
 */
#ifndef LANCHAT_TESTS_REQUIRE_H
#define LANCHAT_TESTS_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/* Abort, which the fuzzer reports as a crash, unless `condition` holds. */
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
