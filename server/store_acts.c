#include "server/store_acts.h"

#include "common/err.h"
#include "server/rules.h"

#include <stdlib.h>
#include <string.h>

/* ---- charters ---- */

/* ERR_TEXT: what is there is none. */
static int read_charter(struct store *s, uint64_t stream, struct charter *out)
{
	sqlite3_stmt *t = store_statement(s, STORE_CHARTER);

	*out = (struct charter){0};
	store_bind_int(t, 1, stream);
	int r = store_step(t);
	if (r != 1)
		return r;
	bool is_text = sqlite3_column_type(t, 0) == SQLITE_TEXT;
	const char *text = (const char *)sqlite3_column_text(t, 0);
	size_t length = (size_t)sqlite3_column_bytes(t, 0);
	r = !is_text ? ERR_TEXT : text ? charter_parse(text, length, out) : ERR_MEMORY;
	(void)sqlite3_reset(t);
	return r;
}

/* A room's that cannot be read is that room's trouble alone. */
static int read_room_charter(struct store *s, uint64_t stream, struct charter *out)
{
	int r = read_charter(s, stream, out);

	if (r == ERR_TEXT)
		charter_damage(out);
	return r == ERR_TEXT ? 0 : r;
}

int store_charter(struct store *s, const struct stream_key *key, struct charter *out)
{
	uint64_t id;
	int r = store_find_stream(s, key, &id);

	*out = (struct charter){0};
	if (r || !id)
		return r;
	if (key->bytes[0] == 'r')
		return read_room_charter(s, id, out);
	/* Without the server's nobody knows who is banned from everywhere. */
	r = read_charter(s, id, out);
	return r == ERR_TEXT ? ERR_DAMAGED : r;
}

int store_load_charter(struct store *s, uint64_t stream, struct charter **out)
{
	struct charter c;
	int r = read_room_charter(s, stream, &c);

	*out = NULL;
	if (r == 0 && !charter_is_empty(&c)) {
		*out = malloc(sizeof(**out));
		if (*out)
			**out = c;
		else
			r = ERR_MEMORY;
	}
	if (!*out)
		charter_fini(&c);
	return r;
}

int store_server_charter(struct store_writer *w, const struct charter **out)
{
	struct stream_key key;

	*out = &w->server;
	if (w->server_known)
		return 0;
	stream_key_server(&key);
	int r = store_charter(w->store, &key, &w->server);
	w->server_known = r == 0;
	return r;
}

/* `owner` is a person's row; 0: nobody. */
static int write_charter(struct store_writer *w, uint64_t stream, const struct charter *c,
	uint64_t owner, enum store_listed listed)
{
	char *text = charter_print(c);

	if (!text)
		return ERR_MEMORY;
	sqlite3_stmt *t = store_statement(w->store, STORE_SET_CHARTER);
	store_bind_text(t, 1, span_of(text));
	if (owner)
		store_bind_int(t, 2, owner);
	store_bind_int(t, 3, (uint64_t)listed);
	store_bind_int(t, 4, stream);
	int r = store_run(t);
	free(text);
	return r;
}

/* In whose list the room belongs, as of now. */
static enum store_listed listed(const struct writer_stream *room)
{
	if (room->last == 0)
		return STORE_LISTED_NOWHERE;
	return room->charter && room->charter->entry != ENTRY_OPEN ? STORE_LISTED_CLOSED
								   : STORE_LISTED_OPEN;
}

int store_list_room(struct store_writer *w, const struct writer_stream *room)
{
	sqlite3_stmt *t = store_statement(w->store, STORE_SET_LISTED);

	store_bind_int(t, 1, (uint64_t)listed(room));
	store_bind_int(t, 2, room->id);
	return store_run(t);
}

static int write_room(struct store_writer *w, const struct writer_stream *room)
{
	const uint8_t *person = charter_owner(room->charter);
	uint64_t owner = 0;
	int r = person ? store_need_person(w->store, person, &owner) : 0;

	return r ? r : write_charter(w, room->id, room->charter, owner, listed(room));
}

static int change_server(struct store_writer *w, const struct act *a, uint64_t time)
{
	const struct charter *known;
	struct stream_key key;
	uint64_t id = 0;

	stream_key_server(&key);
	int r = store_server_charter(w, &known);
	if (r == 0)
		r = store_need_stream(w->store, &key, span_of(""), &id);
	if (r == 0)
		r = charter_apply(&w->server, a, time);
	return r ? r : write_charter(w, id, &w->server, 0, STORE_LISTED_NOWHERE);
}

/* With the act, so that whoever was sent out is a member no longer from the same moment on. */
static int end_membership(struct store_writer *w, const uint8_t *person, uint64_t stream)
{
	uint64_t id;
	int r = store_find_person(w->store, person, &id);

	if (r || !id)
		return r;
	sqlite3_stmt *t = store_statement(w->store, STORE_SET_MEMBER);
	store_bind_int(t, 1, id);
	store_bind_int(t, 2, stream);
	store_bind_int(t, 3, 0);
	return store_run(t);
}

/* The room's row may be new: a room has a charter before anything is said in it. */
static int change_room(struct store_writer *w, const struct stream_key *key,
	const struct log_entry *e, const struct act *a)
{
	struct span name = e->room_name;
	struct writer_stream *room;

	if (name.length == 0)
		name = (struct span){.text = (const char *)key->bytes + 1,
			.length = (uint16_t)(key->length - 1)};
	int r = store_writer_stream(w, key, &name, &room);
	if (r)
		return r;
	if (!room->charter)
		room->charter = calloc(1, sizeof(*room->charter));
	r = room->charter ? charter_apply(room->charter, a, e->clock) : ERR_MEMORY;
	if (r == 0)
		r = write_room(w, room);
	if (r == 0 && a->has_person && (a->verb == ACT_KICK || a->verb == ACT_BAN))
		r = end_membership(w, a->person, room->id);
	return r;
}

/* ---- nicks ---- */

/* Who owns one look; `*row` their row, 0: nobody does. `person`, `nick`: NULL where they are not
 * wanted. */
static int find_owner(struct store *s, const char *look, uint64_t *row, uint8_t *person, char *nick)
{
	sqlite3_stmt *t = store_statement(s, STORE_OWNER_OF);

	*row = 0;
	store_bind_text(t, 1, span_of(look));
	int r = store_step(t);
	if (r != 1)
		return r;
	struct span shown = store_text(t, 1);
	bool good = store_blob(t, 0, person, PERSON_ID) && shown.length <= NICK_MAX;
	if (good) {
		memcpy(nick, shown.text, shown.length);
		nick[shown.length] = '\0';
		*row = store_int(t, 2);
	}
	(void)sqlite3_reset(t);
	return good ? 0 : ERR_DAMAGED;
}

int store_owner(
	struct store *s, const char *look, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	uint64_t row;
	int r = find_owner(s, look, &row, person, nick);

	return r ? r : row ? 0 : ERR_NOT_FOUND;
}

static int decide_name(struct store_writer *w, const struct log_entry *e, const struct act *a,
	const struct looks *looks, enum code *code)
{
	struct name_owners owners = {0};
	const struct charter *server;
	char nick[NICK_MAX + 1];
	uint64_t row, me, mine = 0;

	int r = store_server_charter(w, &server);
	for (size_t i = 0; i < looks->count && r == 0; i++) {
		r = find_owner(w->store, looks->at[i], &row, owners.owner[i], nick);
		owners.owned[i] = r == 0 && row;
	}
	if (r == 0)
		r = store_find_person(w->store, e->person, &me);
	if (r == 0) {
		sqlite3_stmt *t = store_statement(w->store, STORE_NICKS_OF);
		store_bind_int(t, 1, me);
		r = store_one(t, &mine);
	}
	if (r < 0)
		return r;
	owners.mine = (unsigned)mine;
	*code = rules_name(server, &owners, e->person, a);
	return 0;
}

/* The nick itself, with the looks of all its spellings: another one may look like a spelling of it. */
static int release(struct store_writer *w, const struct looks *looks)
{
	uint8_t person[PERSON_ID];
	char nick[NICK_MAX + 1];
	uint64_t row;
	int r = find_owner(w->store, looks->at[0], &row, person, nick);

	if (r || !row)
		return r;
	sqlite3_stmt *t = store_statement(w->store, STORE_DROP_NICK);
	store_bind_int(t, 1, row);
	store_bind_text(t, 2, span_of(nick));
	return store_run(t);
}

/* What they have of these looks is called like this from now on: one nick, if it was several. */
static int rename_nicks(struct store_writer *w, const struct looks *looks, const char *nick)
{
	uint8_t person[PERSON_ID];
	char before[NICK_MAX + 1];
	uint64_t row;
	int r = 0;

	for (size_t i = 0; i < looks->count && r == 0; i++) {
		r = find_owner(w->store, looks->at[i], &row, person, before);
		if (r || !row)
			continue;
		sqlite3_stmt *t = store_statement(w->store, STORE_RENAME_NICK);
		store_bind_int(t, 1, row);
		store_bind_text(t, 2, span_of(before));
		store_bind_text(t, 3, span_of(nick));
		r = store_run(t);
	}
	return r;
}

/* Let go of looks that are too many, not of those of the spelling of today. */
static int trim(
	struct store_writer *w, uint64_t person, const struct looks *looks, const char *nick)
{
	sqlite3_stmt *t = store_statement(w->store, STORE_TRIM_NICK);

	store_bind_int(t, 1, person);
	store_bind_text(t, 2, span_of(nick));
	store_bind_text(t, 3, span_of(looks->at[0]));
	store_bind_text(t, 4, span_of(looks->at[looks->count - 1]));
	store_bind_int(t, 5, NICK_LOOKS);
	return store_run(t);
}

/* They may have it already, written otherwise: then others who look like that are kept out as before. */
static int claim(struct store_writer *w, const struct log_entry *e, const struct act *a,
	const struct looks *looks)
{
	uint64_t person = 0;
	int r = rename_nicks(w, looks, a->label);

	if (r == 0)
		r = store_need_person(w->store, e->person, &person);
	for (size_t i = 0; i < looks->count && r == 0; i++) {
		sqlite3_stmt *t = store_statement(w->store, STORE_ADD_NICK);
		store_bind_text(t, 1, span_of(looks->at[i]));
		store_bind_int(t, 2, person);
		store_bind_text(t, 3, span_of(a->label));
		r = store_run(t);
	}
	return r ? r : trim(w, person, looks, a->label);
}

/* ---- acts ---- */

/* How many rooms whom the act makes an owner owns already: no more are counted than it takes to know. */
static int count_owned(
	struct store_writer *w, const struct log_entry *e, const struct act *a, uint32_t *owned)
{
	const uint8_t *person = rules_new_owner(a);
	uint64_t id = 0, count = 0;

	*owned = 0;
	if (!person || !e->owned_most)
		return 0;
	int r = store_find_person(w->store, person, &id);
	if (r || !id)
		return r;
	sqlite3_stmt *t = store_statement(w->store, STORE_ROOMS_OF);
	store_bind_int(t, 1, id);
	store_bind_int(t, 2, e->owned_most);
	r = store_one(t, &count);
	*owned = (uint32_t)count;
	return r < 0 ? r : 0;
}

int store_decide_act(struct store_writer *w, const struct log_entry *e, enum code *code)
{
	struct stream_key subject;
	struct writer_stream *room;
	struct looks looks;
	struct rules rules = {0};
	struct act a;

	*code = CODE_BAD_VALUE;
	if (!e->room || act_parse(e->text, &a) != 0)
		return 0;
	bool about_nicks = e->room->bytes[0] == 'n';
	if (about_nicks != act_is_about_nick(&a))
		return 0;
	if (about_nicks) {
		if (looks_of(a.label, strlen(a.label), &looks) != 0)
			return 0;
		return decide_name(w, e, &a, &looks, code);
	}
	if (!stream_key_subject(e->room, &subject))
		return 0;
	bool on_server = subject.bytes[0] == 's';
	int r = store_server_charter(w, &rules.server);
	if (r == 0 && !on_server) {
		rules.common = stream_key_is_common(&subject);
		r = store_writer_stream(w, &subject, NULL, &room);
		if (r == 0 && room->id) {
			rules.room = room->charter;
			rules.said = room->last > 0;
			rules.known = true;
		}
		rules.owned_most = e->owned_most;
		if (r == 0)
			r = count_owned(w, e, &a, &rules.owned);
	}
	if (r == 0)
		*code = rules_act(&rules, on_server, e->person, &a, e->clock);
	return r;
}

int store_apply_act(struct store_writer *w, const struct log_entry *e)
{
	struct stream_key subject;
	struct looks looks;
	struct act a;

	if (act_parse(e->text, &a) != 0)
		return ERR_DAMAGED;
	if (act_is_about_nick(&a)) {
		int r = looks_of(a.label, strlen(a.label), &looks);
		if (r)
			return ERR_DAMAGED;
		return a.verb == ACT_CLAIM ? claim(w, e, &a, &looks) : release(w, &looks);
	}
	if (!stream_key_subject(e->room, &subject))
		return ERR_DAMAGED;
	if (subject.bytes[0] == 's')
		return change_server(w, &a, e->clock);
	return change_room(w, &subject, e, &a);
}
