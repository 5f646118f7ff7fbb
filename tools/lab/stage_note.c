#include "tools/lab/call_text.h"
#include "tools/lab/stage_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define ARGUMENTS 384

/* In case nothing can go on without it. */
static void keep_failing(struct stage *s, enum side side, const struct journal_call *c)
{
	lock_take(&s->lock);
	(void)snprintf(s->failing[side], STAGE_TROUBLE, "%s(%s): %s%s%s", c->operation,
		c->arguments, call_text_error(c->error), c->why ? ", " : "", c->why ? c->why : "");
	lock_drop(&s->lock);
}

const char *stage_waited(struct stage *s, int64_t began, const char *what, char out[STAGE_WAITED])
{
	(void)snprintf(out, STAGE_WAITED, "%s, after %.1f s of waiting", what,
		(double)(stage_ms(s) - began) / 1000);
	return out;
}

void stage_note(struct stage *s, const struct stage_end *e, const char *operation, long result,
	const char *why, const char *format, ...)
{
	int error = errno;
	char name[32], arguments[ARGUMENTS], reason[512];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(arguments, sizeof(arguments), format, ap);
	va_end(ap);
	snprintf(name, sizeof(name), "%s", operation);
	snprintf(reason, sizeof(reason), "%s", why ? why : "");
	struct journal_call c = {
		.host = e->host,
		.fd = e->fd,
		.result = result,
		.error = result < 0 ? error : 0,
		.operation = name,
		.arguments = n < 0 ? name : arguments,
		.why = why ? reason : NULL,
	};
	(void)journal_call(s->journal, e->side, &c);
	if (result < 0)
		keep_failing(s, e->side, &c);
	errno = error;
}

bool stage_begin(struct stage *s, int fd, struct stage_end *out)
{
	if (stage_stopped(s)) {
		errno = ECANCELED;
		return false;
	}
	return stage_end_of(s, fd, out);
}
