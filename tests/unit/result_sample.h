/*
 * A result with something in each of its parts, for tests of what is told of it.
 *
 * For a test's own thread; failures end the test.
 */
#ifndef LANCHAT_TESTS_RESULT_SAMPLE_H
#define LANCHAT_TESTS_RESULT_SAMPLE_H

#include "tools/stress/result.h"

/* A sound one. Free it with result_sample_free. */
struct result *result_sample_new(void);
void result_sample_free(struct result *r);

#endif
