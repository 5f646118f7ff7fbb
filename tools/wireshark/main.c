/*
 * Prints what the Wireshark dissector knows of the protocol: the message table, the codes and the
 * names of values, as Lua. The Makefile puts lanchat.lua behind it, and the two are one plugin; so
 * the dissector has every message of messages.def, and nothing else.
 */
#include "common/beacon.h"
#include "common/frame.h"
#include "common/message.h"
#include "common/net_address.h"
#include "tools/wireshark/values.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *why, const char *place, const char *field)
{
	fprintf(stderr, "the field %s of %s: %s\n", field, place ? place : "any message", why);
	exit(EXIT_FAILURE);
}

/* What the table does not say of a field. `place` is the message or item that has it; NULL: all that
 * have one of that name. A row with a place has a filter of its own, lanchat.PLACE.FIELD, all others
 * share lanchat.FIELD. The sets are those of values.c, and "time": microseconds since 1970. */
static const struct meaning {
	const char *place, *field, *set;
} meanings[] = {
	{"NOTICE", "kind", "notice"},
	{"STANDING", "kind", "standing"},
	{"LOGIN", "flags", "login"},
	{"JOIN", "flags", "join"},
	{"ROOMS", "after", NULL}, /* a name; elsewhere a number */
	{"MEMBERS", "after", NULL},
	{NULL, "kind", "said"},
	{NULL, "code", "code"},
	{NULL, "state", "state"},
	{NULL, "what", "change"},
	{NULL, "verb", "verb"},
	{NULL, "rank", "rank"},
	{NULL, "from", "from"},
	{NULL, "where", "where"},
	{NULL, "entry", "entry"},
	{NULL, "features", "features"},
	{NULL, "time", "time"},
	{NULL, "topic_time", "time"},
	{NULL, "until", "time"},
};
#define MEANINGS    (sizeof(meanings) / sizeof(meanings[0]))
#define FILTERS_MAX 256

/* What was printed so far. One filter is one kind of value: a text here and a number there, or names of
 * values that contradict each other, would make it useless. */
struct printed {
	bool meanings[MEANINGS];
	struct filter {
		char name[64];
		char sort;
		const char *set;
	} filters[FILTERS_MAX];
	size_t filter_count;
};

static const struct meaning *meaning_of(struct printed *p, const char *place, const char *field)
{
	for (size_t i = 0; i < MEANINGS; i++) {
		const struct meaning *m = &meanings[i];
		if ((!m->place || strcmp(m->place, place) == 0) && strcmp(m->field, field) == 0) {
			p->meanings[i] = true;
			return m;
		}
	}
	return NULL;
}

static void check_meanings(const struct printed *p)
{
	for (size_t i = 0; i < MEANINGS; i++)
		if (!p->meanings[i])
			fail("it is not in the table", meanings[i].place, meanings[i].field);
}

static char sort_of(enum field_kind kind)
{
	switch (kind) {
	case FIELD_ID16:
	case FIELD_ID32:
		return 'b';
	case FIELD_NAME:
	case FIELD_LINE:
	case FIELD_BLOCK:
		return 't';
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_LIST:
		return 'n';
	}
	abort();
}

/* The filter of a field, behind "lanchat.". */
static const char *filter_of(
	struct printed *p, const char *place, const struct field_spec *f, const struct meaning *m)
{
	struct filter new = {.sort = sort_of(f->kind), .set = m ? m->set : NULL};
	int length = snprintf(new.name, sizeof(new.name), "%s%s%s", m && m->place ? place : "",
		m && m->place ? "." : "", f->name);

	if (length < 0 || (size_t)length >= sizeof(new.name))
		fail("its name is too long", place, f->name);
	for (char *c = new.name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; i < p->filter_count; i++) {
		const struct filter *old = &p->filters[i];
		if (strcmp(old->name, new.name) != 0)
			continue;
		if (old->sort != new.sort || old->set != new.set)
			fail("elsewhere it is another thing; it needs a row of its own in meanings",
				place, f->name);
		return old->name;
	}
	if (p->filter_count == FILTERS_MAX)
		fail("too many filters", place, f->name);
	p->filters[p->filter_count] = new;
	return p->filters[p->filter_count++].name;
}

static const char *kind_name(enum field_kind kind)
{
	switch (kind) {
	case FIELD_U8:
		return "u8";
	case FIELD_U16:
		return "u16";
	case FIELD_U32:
		return "u32";
	case FIELD_U64:
		return "u64";
	case FIELD_ID16:
		return "id16";
	case FIELD_ID32:
		return "id32";
	case FIELD_NAME:
		return "name";
	case FIELD_LINE:
		return "line";
	case FIELD_BLOCK:
		return "block";
	case FIELD_LIST:
		return "list";
	}
	abort();
}

static const char *item_name(enum item_kind kind)
{
	static const char *const names[] = {
#define ITEM(NAME, name, fields) #NAME,
#include "common/messages.def"
	};
	return names[kind];
}

static void print_field(struct printed *p, const char *place, const struct field_spec *f)
{
	const struct meaning *m = meaning_of(p, place, f->name);

	if (m && m->set && strcmp(m->set, "time") == 0 && f->kind != FIELD_U64)
		fail("a time has 64 bits", place, f->name);
	printf("\t\t{ name = \"%s\", kind = \"%s\", filter = \"lanchat.%s\"", f->name,
		kind_name(f->kind), filter_of(p, place, f, m));
	if (f->most > 0)
		printf(", least = %" PRIu32 ", most = %" PRIu32, f->least, f->most);
	if (f->kind == FIELD_LIST)
		printf(", item = \"%s\"", item_name(f->item));
	if (m && m->set)
		printf(", values = \"%s\"", m->set);
	puts(" },");
}

static void print_items(struct printed *p)
{
	puts("local ITEMS = {");
	for (enum item_kind kind = 0; kind < ITEM_KINDS; kind++) {
		size_t count;
		const struct field_spec *fields = item_fields(kind, &count);

		printf("\t%s = {\n", item_name(kind));
		for (size_t i = 0; i < count; i++)
			print_field(p, item_name(kind), &fields[i]);
		puts("\t},");
	}
	puts("}");
}

static void print_messages(struct printed *p)
{
	size_t count;
	const struct message_spec *table = message_table(&count);

	puts("local MESSAGES = {");
	for (size_t i = 0; i < count; i++) {
		size_t fields_count;
		const struct field_spec *fields = table[i].fields(&fields_count);

		printf("\t[0x%04x] = { name = \"%s\",\n", table[i].number, table[i].name);
		for (size_t j = 0; j < fields_count; j++)
			print_field(p, table[i].name, &fields[j]);
		puts("\t},");
	}
	puts("}");
}

int main(void)
{
	struct printed printed = {0};

	puts("-- lanchat for Wireshark. Made from common/messages.def and "
	     "tools/wireshark/lanchat.lua.\n");
	printf("local PORT = %d\n", NET_PORT);
	printf("local PAYLOAD_MAX = %d\n", FRAME_PAYLOAD_MAX);
	printf("local BEACON_SIZE = %d\n", BEACON_SIZE);
	values_print();
	print_items(&printed);
	print_messages(&printed);
	puts("");
	check_meanings(&printed);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
