/*
 * Each set is a function from the number to the name, NULL where there is none. A switch has the
 * compiler tell which one was forgotten.
 */
#include "tools/wireshark/values.h"

#include "common/beacon.h"
#include "common/frame.h"
#include "common/message.h"
#include "common/rights.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *said_name(unsigned value)
{
	switch ((enum said_kind)value) {
	case SAID_TEXT:
		return "TEXT";
	case SAID_ACTION:
		return "ACTION";
	case SAID_NOTICE:
		return "NOTICE";
	case SAID_TOPIC:
		return "TOPIC";
	case SAID_ACT: /* never on the wire */
		break;
	}
	return NULL;
}

static const char *notice_name(unsigned value)
{
	switch ((enum notice_kind)value) {
	case NOTICE_SERVER:
		return "SERVER";
	case NOTICE_MOTD:
		return "MOTD";
	case NOTICE_WARNING:
		return "WARNING";
	}
	return NULL;
}

static const char *state_name(unsigned value)
{
	switch ((enum person_state)value) {
	case PERSON_HERE:
		return "HERE";
	case PERSON_AWAY:
		return "AWAY";
	case PERSON_GONE:
		return "GONE";
	}
	return NULL;
}

static const char *change_name(unsigned value)
{
	switch ((enum change_what)value) {
	case CHANGE_JOINED:
		return "JOINED";
	case CHANGE_PARTED:
		return "PARTED";
	case CHANGE_RENAMED:
		return "RENAMED";
	case CHANGE_STATE:
		return "STATE";
	case CHANGE_ACT:
		return "ACT";
	}
	return NULL;
}

static const char *from_name(unsigned value)
{
	switch ((enum history_from)value) {
	case HISTORY_BEFORE:
		return "BEFORE";
	case HISTORY_AFTER:
		return "AFTER";
	case HISTORY_SINCE:
		return "SINCE";
	}
	return NULL;
}

static const char *where_name(unsigned value)
{
	switch ((enum search_where)value) {
	case SEARCH_ROOM:
		return "ROOM";
	case SEARCH_INBOX:
		return "INBOX";
	case SEARCH_EVERYWHERE:
		return "EVERYWHERE";
	}
	return NULL;
}

static const char *entry_name(unsigned value)
{
	switch ((enum room_entry)value) {
	case ENTRY_OPEN:
		return "OPEN";
	case ENTRY_KEY:
		return "KEY";
	case ENTRY_INVITED:
		return "INVITED";
	}
	return NULL;
}

static const char *rank_name(unsigned value)
{
	switch ((enum rank)value) {
	case RANK_NONE:
		return "NONE";
	case RANK_MODERATOR:
		return "MODERATOR";
	case RANK_OWNER:
		return "OWNER";
	case RANK_OPERATOR:
		return "OPERATOR";
	}
	return NULL;
}

static const char *standing_name(unsigned value)
{
	switch ((enum standing_kind)value) {
	case STANDING_OWNER:
		return "OWNER";
	case STANDING_MODERATOR:
		return "MODERATOR";
	case STANDING_VOICE:
		return "VOICE";
	case STANDING_INVITED:
		return "INVITED";
	case STANDING_BANNED:
		return "BANNED";
	case STANDING_MUTED:
		return "MUTED";
	}
	return NULL;
}

static const char *verb_name(unsigned value)
{
	switch (value) {
#define VERB(number, NAME, word)                                                                   \
	case number:                                                                               \
		return #NAME;
		ACT_VERBS(VERB)
#undef VERB
	default:
		return NULL;
	}
}

static const char *code_name(unsigned value)
{
	switch (value) {
#define CODE(number, NAME, text)                                                                   \
	case number:                                                                               \
		return #NAME;
#include "common/codes.def"
#undef CODE
	default:
		return NULL;
	}
}

static const char *beacon_kind_name(unsigned value)
{
	switch ((enum beacon_type)value) {
	case BEACON_QUERY:
		return "QUERY";
	case BEACON_ANSWER:
		return "ANSWER";
	case BEACON_ANNOUNCEMENT:
		return "ANNOUNCEMENT";
	case BEACON_GOODBYE:
		return "GOODBYE";
	}
	return NULL;
}

static const struct {
	const char *set;
	const char *(*name)(unsigned value);
} sets[] = {
	{"said", said_name},
	{"notice", notice_name},
	{"state", state_name},
	{"change", change_name},
	{"from", from_name},
	{"where", where_name},
	{"entry", entry_name},
	{"rank", rank_name},
	{"standing", standing_name},
	{"verb", verb_name},
	{"code", code_name},
	{"beacon", beacon_kind_name},
};

#define VALUES_END 256 /* above every number that has a name */
#define CODE(number, NAME, text)                                                                   \
	_Static_assert((number) < VALUES_END, "a code that nobody would print");
#include "common/codes.def"
#undef CODE

static void print_sets(void)
{
	puts("local VALUES = {");
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		printf("\t%s = {", sets[i].set);
		for (unsigned value = 0; value < VALUES_END; value++) {
			const char *name = sets[i].name(value);
			if (name)
				printf(" [%u] = \"%s\",", value, name);
		}
		puts(" },");
	}
	puts("}");
}

static void print_sentences(void)
{
	puts("local SENTENCES = {");
	for (unsigned code = 0; code < VALUES_END; code++)
		if (code_text(code))
			printf("\t[%u] = \"%s\",\n", code, code_text(code));
	puts("}");
}

/* Rows of one set stand together. */
static const struct {
	const char *set;
	unsigned bit;
	const char *name;
} bits[] = {
	{"header", FRAME_FLAG_SKIP, "SKIP"},
	{"login", LOGIN_ANY_NICK, "ANY_NICK"},
	{"join", JOIN_RESUME, "RESUME"},
	{"features", FEATURE_COMPARE, "COMPARE"},
	{"features", FEATURE_RIGHTS, "RIGHTS"},
	{"features", FEATURE_LANE, "LANE"},
	{"beacon", BEACON_FLAG_LOOPBACK6, "LOOPBACK6"},
	{"beacon", BEACON_FLAG_PLAINTEXT, "PLAINTEXT"},
};

static void print_bits(void)
{
	const char *open = NULL;

	puts("local BITS = {");
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (!open || strcmp(open, bits[i].set) != 0)
			printf("%s\t%s = {", open ? " },\n" : "", bits[i].set);
		open = bits[i].set;
		printf(" [%u] = \"%s\",", bits[i].bit, bits[i].name);
	}
	puts(" },\n}");
}

void values_print(void)
{
	print_sets();
	print_bits();
	print_sentences();
}
