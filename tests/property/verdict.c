#include "tests/property/verdict.h"

#include <stdarg.h>
#include <stdio.h>

void verdict_init(struct verdict *v)
{
	*v = (struct verdict){0};
	lock_init(&v->lock, LOCK_LEAF);
}

void verdict_fini(struct verdict *v)
{
	lock_fini(&v->lock);
}

void verdict_complain(struct verdict *v, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	lock_take(&v->lock);
	if (!v->what[0])
		vsnprintf(v->what, sizeof(v->what), format, ap);
	lock_drop(&v->lock);
	va_end(ap);
}

bool verdict_is_good(struct verdict *v)
{
	lock_take(&v->lock);
	bool good = !v->what[0];
	lock_drop(&v->lock);
	return good;
}
