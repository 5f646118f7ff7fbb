#include "tools/lab/alike.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE 160

void alike_end(struct alike *a)
{
	char line[LINE];

	for (size_t i = 0; i < a->count; i++) {
		if (a->kind[i].seen <= ALIKE)
			continue;
		snprintf(line, sizeof(line), "... and %" PRIu64 " more %s(%d, ...)%s",
			a->kind[i].seen - ALIKE, a->kind[i].operation, a->kind[i].fd,
			a->kind[i].good ? "" : " that failed");
		a->tell(a->of, line);
	}
	a->count = 0;
}

static bool has_rest(const struct alike *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->kind[i].seen > ALIKE)
			return true;
	}
	return false;
}

/* What is done again and again. All else is told each time, and is where counting begins anew: a descriptor
 * may be another socket by then. */
static bool may_be_many(const char *operation)
{
	static const char *const names[] = {"send", "sendto", "recvmsg", "setsockopt"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], operation) == 0)
			return true;
	}
	return false;
}

bool alike_is_more(struct alike *a, const struct journal_call *c)
{
	bool many = may_be_many(c->operation);

	if (!many || c->why) {
		if (!many || has_rest(a))
			alike_end(a);
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		if (a->kind[i].fd == c->fd && a->kind[i].good == (c->result >= 0) &&
			strcmp(a->kind[i].operation, c->operation) == 0)
			return ++a->kind[i].seen > ALIKE;
	}
	if (a->count == ALIKE_KINDS || has_rest(a))
		alike_end(a);
	a->kind[a->count].operation = c->operation;
	a->kind[a->count].fd = c->fd;
	a->kind[a->count].good = c->result >= 0;
	a->kind[a->count++].seen = 1;
	return false;
}
