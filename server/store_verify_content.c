#include "server/store_verify_private.h"

#include "common/err.h"
#include "common/message.h"
#include "common/name.h"
#include "common/utf8.h"
#include "server/charter.h"
#include "server/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LATEST 253402300800000000ULL /* microseconds from 1970 to the year 10000 */

/* Text that may be sent as it is. */
static bool is_text(sqlite3_stmt *t, int column, size_t least, size_t most,
	bool (*clean)(const char *text, size_t length))
{
	if (sqlite3_column_type(t, column) != SQLITE_TEXT)
		return false;
	/* The text first: asking for its length may change where it lies. */
	const char *text = (const char *)sqlite3_column_text(t, column);
	size_t length = (size_t)sqlite3_column_bytes(t, column);
	return text && length >= least && length <= most && clean(text, length);
}

/* Columns: seq, time, kind, nick, to_nick, text, is it a direct message? */
static void take_entry(struct verifier *v, sqlite3_stmt *t, void *state)
{
	uint64_t seq = store_int(t, 0), time = store_int(t, 1);
	bool topic = sqlite3_column_int(t, 2) == SAID_TOPIC, direct = store_int(t, 6);
	size_t most = topic ? TOPIC_MAX : TEXT_MAX;
	struct act act;

	(void)state;
	if (time == 0 || time >= LATEST)
		verify_found(v, "entry %" PRIu64 ": no such time may be", seq);
	if (topic && direct)
		verify_found(v, "entry %" PRIu64 ": a topic outside a room", seq);
	if (!is_text(t, 3, 1, NICK_MAX, utf8_is_name))
		verify_found(v, "entry %" PRIu64 ": its nick is none", seq);
	if (!is_text(t, 4, direct, direct ? NICK_MAX : 0, utf8_is_name))
		verify_found(v, "entry %" PRIu64 ": the nick of whom it is for is none", seq);
	if (!is_text(t, 5, topic ? 0 : 1, most, utf8_is_line))
		verify_found(v, "entry %" PRIu64 ": its text cannot be", seq);
	else if (sqlite3_column_int(t, 2) == SAID_ACT && act_parse(store_text(t, 5), &act) != 0)
		verify_found(v, "entry %" PRIu64 ": it is no act", seq);
}

/* The name of a room, and the key that it makes. */
static bool is_room(sqlite3_stmt *t)
{
	char folded[NAME_FOLDED_MAX];

	if (sqlite3_column_type(t, 2) != SQLITE_TEXT)
		return false;
	const char *name = (const char *)sqlite3_column_text(t, 2);
	size_t length = (size_t)sqlite3_column_bytes(t, 2);
	const char *key = sqlite3_column_blob(t, 1);
	size_t key_length = (size_t)sqlite3_column_bytes(t, 1);
	return name && name_check(name, length, ROOM_NAME_MAX) == 0 &&
	       name_fold(name, length, folded) == 0 && key && key_length == strlen(folded) + 1 &&
	       memcmp(key + 1, folded, key_length - 1) == 0;
}

/* A room's, or, as that of no stream, the server's. For the caller to end where it is one. */
static bool read_charter(sqlite3_stmt *t, int column, bool may_have, struct charter *out)
{
	struct span text = store_text(t, column);

	if (sqlite3_column_type(t, column) != SQLITE_TEXT || (text.length > 0 && !may_have) ||
		sqlite3_column_bytes(t, column) != text.length)
		return false;
	/* An act or a charter that memory was out for is none as well, and --verify can be done again. */
	return charter_parse(text.text, text.length, out) == 0;
}

/* Do the columns say what the charter says? The owner's key is in column 7, and 8 tells whether the row
 * has one; `listed` is in 9, and in 10 whether anything was said in it. */
static void compare(struct verifier *v, sqlite3_stmt *t, bool room, const struct charter *c)
{
	uint64_t id = store_int(t, 0), listed = STORE_LISTED_NOWHERE;
	const uint8_t *owner = room ? charter_owner(c) : NULL;
	uint8_t kept[PERSON_ID];

	if (room && store_int(t, 10))
		listed = c->entry == ENTRY_OPEN ? STORE_LISTED_OPEN : STORE_LISTED_CLOSED;
	if (owner ? !store_blob(t, 7, kept, PERSON_ID) || memcmp(kept, owner, PERSON_ID) != 0
		  : store_int(t, 8) != 0)
		verify_found(v, "stream %" PRIu64 ": its owner is not its charter's", id);
	if (store_int(t, 9) != listed)
		verify_found(v, "stream %" PRIu64 ": it is in the wrong list of rooms", id);
}

/* Columns: id, key, name, topic, topic_nick, topic_time, charter, and compare's. Keys' kinds are looked at
 * elsewhere. */
static void take_stream(struct verifier *v, sqlite3_stmt *t, void *state)
{
	uint64_t id = store_int(t, 0);
	const char *key = sqlite3_column_blob(t, 1);
	bool room = key && sqlite3_column_bytes(t, 1) > 0 && key[0] == 'r';

	(void)state;
	if (room ? !is_room(t) : !is_text(t, 2, 0, 0, utf8_is_name))
		verify_found(v, "stream %" PRIu64 ": its name does not belong to its key", id);
	if (!is_text(t, 3, 0, room ? TOPIC_MAX : 0, utf8_is_line) ||
		!is_text(t, 4, 0, room ? NICK_MAX : 0, utf8_is_name) || store_int(t, 5) >= LATEST)
		verify_found(v, "stream %" PRIu64 ": its topic cannot be", id);
	struct charter c;
	if (read_charter(t, 6, room || (key && key[0] == 's'), &c)) {
		compare(v, t, room, &c);
		charter_fini(&c);
	} else {
		verify_found(v, "stream %" PRIu64 ": its charter cannot be", id);
	}
}

/* Columns: id, nick, folded. */
static void take_person(struct verifier *v, sqlite3_stmt *t, void *state)
{
	char folded[NAME_FOLDED_MAX] = "";
	bool good = is_text(t, 1, 0, NICK_MAX, utf8_is_name);
	const char *nick = (const char *)sqlite3_column_text(t, 1);
	const char *kept = (const char *)sqlite3_column_text(t, 2);

	(void)state;
	if (good && *nick)
		good = name_fold(nick, strlen(nick), folded) == 0;
	if (!good || !kept || strcmp(kept, folded) != 0)
		verify_found(v, "person %" PRIu64 ": their nick is none", store_int(t, 0));
}

int verify_content(struct verifier *v)
{
	int r = verify_each(v,
		"SELECT seq, time, kind, nick, to_nick, text, recipient IS NOT NULL FROM entry"
		" ORDER BY seq",
		take_entry, NULL);

	if (r == 0)
		r = verify_each(v,
			"SELECT s.id, s.key, s.name, s.topic, s.topic_nick, s.topic_time, "
			"s.charter,"
			" p.key, s.owner IS NOT NULL, s.listed,"
			" s.pruned > 0 OR EXISTS (SELECT 1 FROM chain WHERE stream = s.id)"
			" FROM stream AS s LEFT JOIN person AS p ON p.id = s.owner",
			take_stream, NULL);
	if (r == 0)
		r = verify_each(v, "SELECT id, nick, folded FROM person", take_person, NULL);
	return r;
}
