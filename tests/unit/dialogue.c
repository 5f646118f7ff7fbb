#include "tests/unit/dialogue.h"

#include "common/err.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM (2 * PROTOCOL_THING_MOST)

struct listener {
	const struct protocol *protocol;
	struct protocol_peer peer;
	uint8_t sent[4096];
	struct outgoing out;
	char told[8192];
	size_t told_length;
	uint8_t *kept; /* `block` */
	size_t used;
	int end;
};

static uint8_t block[ROOM]; /* one for all: there are thousands of beginnings */

static void begin(struct listener *l, const struct protocol *protocol, unsigned says)
{
	memset(l, 0, sizeof(*l));
	l->protocol = protocol;
	l->peer = (struct protocol_peer){.run = 0xabc, .number = 7, .room = 2};
	l->out = (struct outgoing){.bytes = l->sent, .size = sizeof(l->sent)};
	l->end = ERR_AGAIN;
	l->kept = block;
	protocol->greet(&l->peer, &l->out);
	for (unsigned i = 1; i <= says; i++)
		protocol->say(&l->peer, i, "hey", 3, &l->out);
	ck_assert(!l->out.full);
	l->out.used = 0;
}

static void tell(struct listener *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct listener *l, const char *format, ...)
{
	va_list args;
	size_t room = sizeof(l->told) - l->told_length;

	va_start(args, format);
	int length = vsnprintf(l->told + l->told_length, room, format, args);
	va_end(args);
	ck_assert(length >= 0 && (size_t)length < room);
	l->told_length += (size_t)length;
}

static void tell_event(struct listener *l, const struct event *e)
{
	int length = (int)e->length;

	switch (e->kind) {
	case EVENT_NONE:
		return;
	case EVENT_READY:
		tell(l, "ready\n");
		return;
	case EVENT_MESSAGE:
		tell(l, "message %.*s\n", length, e->text);
		return;
	case EVENT_ACK:
		tell(l, "ack %llu\n", (unsigned long long)e->number);
		return;
	case EVENT_AGENT:
		tell(l, "agent %.*s\n", length, e->text);
		return;
	case EVENT_GAP:
		tell(l, "gap\n");
		return;
	case EVENT_REFUSED:
		tell(l, "refused %.*s\n", length, e->text);
		return;
	}
	ck_abort_msg("an event of kind %d", (int)e->kind);
}

/* One thing off the front of what is kept. */
static int take(struct listener *l, bool telling)
{
	uint8_t *exact = malloc(l->used > 0 ? l->used : 1);
	struct protocol_peer before = l->peer;
	size_t used = 0, out = l->out.used;
	struct event e = {.kind = EVENT_GAP, .number = 77};

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, l->kept, l->used);
	int r = l->protocol->next(&l->peer, exact, l->used, &used, &e, &l->out);
	if (r == 0) {
		ck_assert_uint_ge(used, 1);
		ck_assert_uint_le(used, l->used);
		ck_assert_uint_le(used, PROTOCOL_THING_MOST);
		if (telling)
			tell_event(l, &e);
		l->used -= used;
		memmove(l->kept, l->kept + used, l->used);
	} else {
		ck_assert(r == ERR_AGAIN || r == ERR_PROTOCOL);
		ck_assert(used == 0 && e.kind == EVENT_GAP && e.number == 77);
		ck_assert_mem_eq(&before, &l->peer, sizeof(before));
		ck_assert_uint_eq(l->out.used, out);
	}
	free(exact);
	return r;
}

static void hear(struct listener *l, const char *bytes, size_t length, bool telling)
{
	if (l->end != ERR_AGAIN)
		return;
	ck_assert_uint_le(length, ROOM - l->used);
	memcpy(l->kept + l->used, bytes, length);
	l->used += length;
	do
		l->end = take(l, telling);
	while (l->end == 0);
}

static void end(struct listener *l, const struct dialogue *d)
{
	ck_assert_int_eq(l->end, d->end);
	ck_assert_str_eq(l->told, d->told);
	ck_assert(!l->out.full && l->out.used < sizeof(l->sent));
	l->sent[l->out.used] = '\0';
	ck_assert_str_eq((const char *)l->sent, d->sent);
}

static size_t size_of(const struct dialogue *d)
{
	return d->length > 0 ? d->length : strlen(d->bytes);
}

void dialogue_check(const struct protocol *protocol, const struct dialogue *d)
{
	size_t length = size_of(d);
	struct listener l;

	for (size_t cut = 0; cut <= length; cut++) {
		begin(&l, protocol, d->says);
		hear(&l, d->bytes, cut, true);
		hear(&l, d->bytes + cut, length - cut, true);
		end(&l, d);
	}
	begin(&l, protocol, d->says);
	for (size_t at = 0; at < length; at++)
		hear(&l, d->bytes + at, 1, true);
	end(&l, d);
}

static void assert_written(struct listener *l, const char *expected)
{
	ck_assert_uint_eq(l->out.used, strlen(expected));
	ck_assert_mem_eq(l->sent, expected, l->out.used);
}

void dialogue_writes(
	const struct protocol *protocol, const char *greeting, const char *says, const char *leaves)
{
	struct listener l;
	size_t length = strlen(says);

	begin(&l, protocol, 0);
	protocol->greet(&l.peer, &l.out);
	assert_written(&l, greeting);
	l.out.used = 0;
	protocol->say(&l.peer, 1, "hey", 3, &l.out);
	assert_written(&l, says);
	l.out.used = 0;
	protocol->leave(&l.peer, &l.out);
	assert_written(&l, leaves);
	/* Without room for all of it, that is said, and nothing is written beyond. */
	for (size_t size = 0; size < length; size++) {
		l.out = (struct outgoing){.bytes = l.sent, .size = size};
		l.sent[size] = 0xee;
		protocol->say(&l.peer, 2, "hey", 3, &l.out);
		ck_assert(l.out.full && l.out.used <= size);
		ck_assert_uint_eq(l.sent[size], 0xee);
	}
	l.out = (struct outgoing){.bytes = l.sent, .size = length};
	protocol->say(&l.peer, 2, "hey", 3, &l.out);
	ck_assert(!l.out.full && l.out.used == length);
}

void dialogue_garbage(const struct protocol *protocol, const struct dialogue *d)
{
	static const char likely[] = "\r\n:$>* -0129MP@ \xff";
	size_t length = size_of(d);
	unsigned seed = 1;
	struct listener l;
	char *bytes = malloc(length);

	ck_assert_ptr_nonnull(bytes);
	for (int round = 0; round < 3000; round++) {
		memcpy(bytes, d->bytes, length);
		for (int i = rand_r(&seed) % 8; i >= 0; i--) {
			size_t at = (size_t)rand_r(&seed) % length;
			bytes[at] = likely[(size_t)rand_r(&seed) % sizeof(likely)];
		}
		for (size_t i = 0; round % 10 == 0 && i < length; i++)
			bytes[i] = (char)(rand_r(&seed) >> 7);
		begin(&l, protocol, d->says);
		hear(&l, bytes, length, false);
	}
	free(bytes);
}
