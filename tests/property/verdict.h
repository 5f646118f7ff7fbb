/*
 * What a schedule has shown: nothing wrong so far, or the first thing that was.
 *
 * Later complaints are mostly consequences of the first, so only that one is
 * kept. Any thread may complain, whatever locks it holds; hence a mutex without a
 * rank.
 */
#ifndef LANCHAT_TESTS_VERDICT_H
#define LANCHAT_TESTS_VERDICT_H

#include <pthread.h>
#include <stdbool.h>

struct verdict {
	pthread_mutex_t lock;
	char what[600]; /* guarded by lock; "": nothing wrong */
};

void verdict_init(struct verdict *v);
void verdict_fini(struct verdict *v);

void verdict_complain(struct verdict *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool verdict_is_good(struct verdict *v);

#endif
