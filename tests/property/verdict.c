#include "tests/property/verdict.h"

#include "common/lock.h"

#include <stdarg.h>
#include <stdio.h>

void verdict_init(struct verdict *v)
{
	*v = (struct verdict){0};
	PTHREAD_OK(pthread_mutex_init(&v->lock, NULL));
}

void verdict_fini(struct verdict *v)
{
	PTHREAD_OK(pthread_mutex_destroy(&v->lock));
}

void verdict_complain(struct verdict *v, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	PTHREAD_OK(pthread_mutex_lock(&v->lock));
	if (!v->what[0])
		vsnprintf(v->what, sizeof(v->what), format, ap);
	PTHREAD_OK(pthread_mutex_unlock(&v->lock));
	va_end(ap);
}

bool verdict_is_good(struct verdict *v)
{
	PTHREAD_OK(pthread_mutex_lock(&v->lock));
	bool good = !v->what[0];
	PTHREAD_OK(pthread_mutex_unlock(&v->lock));
	return good;
}
