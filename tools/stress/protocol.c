#include "tools/stress/protocol.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct protocol *const protocols[] = {
	&protocol_lanchat,
	&protocol_irc,
	&protocol_redis,
	&protocol_nats,
	NULL,
};

const struct protocol *protocol_find(const char *name)
{
	for (size_t i = 0; protocols[i]; i++)
		if (strcmp(protocols[i]->name, name) == 0)
			return protocols[i];
	return NULL;
}

void outgoing_put(struct outgoing *o, const void *bytes, size_t length)
{
	if (o->full || length > o->size - o->used) {
		o->full = true;
		return;
	}
	if (length > 0)
		memcpy(o->bytes + o->used, bytes, length);
	o->used += length;
}

/* It is printed elsewhere first: vsnprintf(3) wants room for a terminator. */
void outgoing_print(struct outgoing *o, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(line))
		o->full = true;
	else
		outgoing_put(o, line, (size_t)length);
}
