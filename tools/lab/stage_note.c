#include "tools/lab/stage_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define ARGUMENTS 384

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
