/*
 * What a fuzz target holds to be true whatever the input is; and a crash planted on
 * purpose, by which tests/fuzz/planted sees that a target would find a real one.
 */
#ifndef LANCHAT_TESTS_REQUIRE_H
#define LANCHAT_TESTS_REQUIRE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Abort, which the fuzzer reports as a crash, unless `condition` holds. */
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Where PLANT is defined, abort when `condition` holds. It belongs behind all the code that a target is
 * about and looks at what came out of that code, for something that no kept input brings about: whoever
 * finds it got through everything before. */
#ifdef PLANT
#define PLANTED(condition)                                                                         \
	do {                                                                                       \
		if (condition) {                                                                   \
			fprintf(stderr, "planted crash\n");                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)
#else
#define PLANTED(condition) ((void)sizeof(condition))
#endif

/* Is it the word "bugs"? */
static inline bool says_bugs(const void *text, size_t length)
{
	return length == 4 && memcmp(text, "bugs", 4) == 0;
}

#endif
