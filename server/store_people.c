#include "server/store_people.h"

#include "common/clock.h"
#include "common/err.h"

#include <string.h>

/* ---- notes ---- */

static int note_place(struct store *s, const struct note *n, uint64_t person)
{
	uint64_t stream;
	int r = store_need_stream(s, n->stream, n->name, &stream);

	if (r)
		return r;
	sqlite3_stmt *t =
		store_statement(s, n->kind == NOTE_READ ? STORE_SET_READ : STORE_SET_MEMBER);
	store_bind_int(t, 1, person);
	store_bind_int(t, 2, stream);
	store_bind_int(t, 3, n->kind == NOTE_READ ? n->seq : n->kind == NOTE_JOINED);
	return store_run(t);
}

/* Who took a nick later had it last, also when the clock was set back between. */
static int note_nick(struct store *s, const struct note *n, uint64_t person)
{
	char folded[NAME_FOLDED_MAX];
	uint64_t now = clock_wall_us(), newest = 0;

	if (name_fold(n->name.text, n->name.length, folded) != 0)
		return 0;
	sqlite3_stmt *t = store_statement(s, STORE_NEWEST_NAME);
	store_bind_text(t, 1, span_of(folded));
	int r = store_one(t, &newest);
	if (r < 0)
		return r;
	t = store_statement(s, STORE_SET_NICK);
	store_bind_text(t, 1, n->name);
	store_bind_text(t, 2, span_of(folded));
	store_bind_int(t, 3, now > newest ? now : newest + 1);
	store_bind_int(t, 4, person);
	return store_run(t);
}

int store_note(struct store *s, const struct note *n)
{
	uint64_t person;
	int r = store_need_person(s, n->person, &person);

	if (r)
		return r;
	return n->kind == NOTE_NICK ? note_nick(s, n, person) : note_place(s, n, person);
}

/* ---- reading them ---- */

int store_places(struct store *s, const uint8_t *person, engine_place_reader *reader, void *context)
{
	sqlite3_stmt *t = store_statement(s, STORE_PLACES);
	struct stream_key key;
	int r;

	store_bind_blob(t, 1, person, PERSON_ID);
	while ((r = store_step(t)) == 1) {
		const void *bytes = sqlite3_column_blob(t, 0);
		int length = sqlite3_column_bytes(t, 0);
		if (!bytes || length < 2 || (size_t)length > sizeof(key.bytes)) {
			(void)sqlite3_reset(t);
			return ERR_DAMAGED;
		}
		key.length = (uint8_t)length;
		memcpy(key.bytes, bytes, (size_t)length);
		struct place p = {
			.stream = &key,
			.room = store_room_name(t, 1, &key),
			.member = store_int(t, 2) != 0,
			.read = store_int(t, 3),
		};
		if (!reader(context, &p)) {
			(void)sqlite3_reset(t);
			return 0;
		}
	}
	return r;
}

int store_read_position(
	struct store *s, const uint8_t *person, const struct stream_key *key, uint64_t *seq)
{
	sqlite3_stmt *t = store_statement(s, STORE_READ_POSITION);

	*seq = 0;
	store_bind_blob(t, 1, person, PERSON_ID);
	store_bind_blob(t, 2, key->bytes, key->length);
	int r = store_one(t, seq);
	return r < 0 ? r : 0;
}

int store_person(
	struct store *s, const char *folded, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	sqlite3_stmt *t = store_statement(s, STORE_WHO);

	store_bind_text(t, 1, span_of(folded));
	int r = store_step(t);
	if (r != 1)
		return r ? r : ERR_NOT_FOUND;
	struct span shown = store_text(t, 1);
	bool good = store_blob(t, 0, person, PERSON_ID) && shown.length <= NICK_MAX;
	if (good) {
		memcpy(nick, shown.text, shown.length);
		nick[shown.length] = '\0';
	}
	(void)sqlite3_reset(t);
	return good ? 0 : ERR_DAMAGED;
}
