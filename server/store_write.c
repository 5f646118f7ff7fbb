#include "server/store_write.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/rules.h"
#include "server/store_acts.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the writer remembers ---- */

/* FNV-1a. The keys of instances are random already; those of streams are names. */
static size_t slot_of(const uint8_t *bytes, size_t length, size_t slots)
{
	uint64_t hash = 14695981039346656037U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 1099511628211U;
	return (size_t)((hash ^ hash >> 32) & (slots - 1));
}

static void empty_slot(struct writer_stream *slot)
{
	if (slot->charter) {
		charter_fini(slot->charter);
		free(slot->charter);
	}
	*slot = (struct writer_stream){0};
}

/* Fill a slot with what is known of the stream in row `id`. */
static int load_stream(struct store_writer *w, const struct stream_key *key, uint64_t id,
	struct writer_stream *slot)
{
	empty_slot(slot);
	slot->key = *key;
	sqlite3_stmt *t = store_statement(w->store, STORE_LAST_OF_STREAM);
	store_bind_int(t, 1, id);
	int r = store_one(t, &slot->last);
	if (r >= 0 && key->bytes[0] == 'r')
		r = store_load_charter(w->store, id, &slot->charter);
	if (r < 0)
		return r;
	slot->id = id;
	return 0;
}

int store_writer_stream(struct store_writer *w, const struct stream_key *key,
	const struct span *name, struct writer_stream **out)
{
	struct writer_stream *slot = &w->streams[slot_of(key->bytes, key->length, WRITER_STREAMS)];
	uint64_t id;

	*out = slot;
	if (slot->id && stream_key_compare(&slot->key, key) == 0)
		return 0;
	int r = name ? store_need_stream(w->store, key, *name, &id)
		     : store_find_stream(w->store, key, &id);
	if (r)
		return r;
	if (id)
		return load_stream(w, key, id, slot);
	empty_slot(slot);
	return 0;
}

/* Look an instance up; `id` 0: nobody has used it yet. */
static int load_instance(struct store *s, const uint8_t *key, struct writer_instance *out)
{
	sqlite3_stmt *t = store_statement(s, STORE_FIND_INSTANCE);

	*out = (struct writer_instance){0};
	memcpy(out->key, key, INSTANCE_ID);
	store_bind_blob(t, 1, key, INSTANCE_ID);
	int r = store_step(t);
	if (r != 1)
		return r;
	bool good = store_blob(t, 1, out->person, PERSON_ID);
	out->id = store_int(t, 0);
	out->accepted = store_int(t, 2);
	out->pruned = store_int(t, 3);
	(void)sqlite3_reset(t);
	return good ? 0 : ERR_DAMAGED;
}

static int get_instance(struct store_writer *w, const uint8_t *key, struct writer_instance **out)
{
	struct writer_instance *slot = &w->instances[slot_of(key, INSTANCE_ID, WRITER_INSTANCES)];

	*out = slot;
	if (slot->id && memcmp(slot->key, key, INSTANCE_ID) == 0)
		return 0;
	return load_instance(w->store, key, slot);
}

static int need_instance(
	struct store_writer *w, struct writer_instance *slot, const uint8_t *person)
{
	uint64_t id;

	if (slot->id)
		return 0;
	int r = store_need_person(w->store, person, &id);
	if (r)
		return r;
	sqlite3_stmt *t = store_statement(w->store, STORE_ADD_INSTANCE);
	store_bind_blob(t, 1, slot->key, INSTANCE_ID);
	store_bind_int(t, 2, id);
	r = store_run(t);
	if (r)
		return r;
	slot->id = (uint64_t)sqlite3_last_insert_rowid(w->store->db);
	memcpy(slot->person, person, PERSON_ID);
	return 0;
}

void store_writer_fini(struct store_writer *w)
{
	for (size_t i = 0; i < WRITER_STREAMS; i++)
		empty_slot(&w->streams[i]);
	charter_fini(&w->server);
	memset(w, 0, sizeof(*w));
}

int store_writer_reset(struct store_writer *w, struct store *s)
{
	store_writer_fini(w);
	w->store = s;
	/* Pruning leaves the newest, so numbers never start again. */
	sqlite3_stmt *t = store_statement(s, STORE_NEWEST);
	int r = store_step(t);
	if (r == 1) {
		w->seq = store_int(t, 0);
		w->time = store_int(t, 1);
		(void)sqlite3_reset(t);
	}
	return r < 0 ? r : 0;
}

/* ---- deciding ---- */

static int find_id(struct store *s, uint64_t instance, uint64_t counter, uint64_t *seq)
{
	sqlite3_stmt *t = store_statement(s, STORE_ENTRY_OF_ID);

	*seq = 0;
	store_bind_int(t, 1, instance);
	store_bind_int(t, 2, counter);
	int r = store_one(t, seq);
	return r < 0 ? r : 0;
}

/* A counter that is not above the highest accepted. */
static int settle(
	struct store *s, const struct writer_instance *a, uint64_t counter, struct append_result *r)
{
	uint64_t seq;
	int error = find_id(s, a->id, counter, &seq);

	if (error)
		return error;
	if (seq || counter <= a->pruned)
		*r = (struct append_result){.status = APPEND_OK, .duplicate = true, .seq = seq};
	else
		*r = (struct append_result){.status = APPEND_REJECTED, .code = CODE_NOT_KEPT};
	return 0;
}

static bool anothers(const struct writer_instance *a, const uint8_t *person)
{
	return a->id && memcmp(a->person, person, PERSON_ID) != 0;
}

/* What the rules say to a message in a room. */
static int decide_said(struct store_writer *w, const struct log_entry *e, enum code *code)
{
	struct rules rules = {0};
	struct writer_stream *room;
	int r = store_writer_stream(w, e->room, NULL, &room);

	*code = CODE_NONE;
	if (r || !room->id || !room->charter)
		return r;
	rules.room = room->charter;
	*code = rules_speak(&rules, e->unproven ? NULL : e->person, e->clock);
	if (*code == CODE_NONE)
		return 0;
	/* An operator may all the same. */
	r = store_server_charter(w, &rules.server);
	if (r == 0)
		*code = rules_speak(&rules, e->unproven ? NULL : e->person, e->clock);
	return r;
}

int store_decide(struct store_writer *w, struct log_entry *e, struct append_result *r)
{
	struct writer_instance *a;
	uint64_t now = clock_wall_us();
	enum code code = CODE_NONE;
	int error = get_instance(w, e->instance, &a);

	e->clock = now;
	e->time = now > w->time ? now : w->time; /* a clock that was set back makes no disorder */
	if (error)
		return error;
	if (anothers(a, e->person) || !engine_may_use(e) || (e->kind == SAID_TOPIC && e->to) ||
		e->counter > INT64_MAX)
		code = CODE_BAD_VALUE;
	else if (a->id && e->counter <= a->accepted && !engine_counts(e))
		return settle(w->store, a, e->counter, r);
	else if (e->kind == SAID_ACT)
		error = store_decide_act(w, e, &code);
	else if (e->room)
		error = decide_said(w, e, &code);
	if (error)
		return error;
	if (code == CODE_NONE)
		return 1;
	*r = (struct append_result){.status = APPEND_REJECTED, .code = code};
	return 0;
}

int store_settled(struct store *s, const uint8_t *instance, const uint8_t *person, uint64_t counter,
	struct append_result *r)
{
	struct writer_instance a;
	int error = load_instance(s, instance, &a);

	if (error)
		return error;
	if (!a.id || anothers(&a, person) || counter > a.accepted)
		return ERR_NOT_FOUND;
	return settle(s, &a, counter, r);
}

int store_accepted(
	struct store *s, const uint8_t *instance, const uint8_t *person, uint64_t *accepted)
{
	struct writer_instance a;

	*accepted = 0;
	int r = load_instance(s, instance, &a);
	if (r == 0 && a.id && !anothers(&a, person))
		*accepted = a.accepted;
	return r;
}

/* ---- appending ---- */

/* The place of the entry in a stream. */
static int chain(struct store_writer *w, struct writer_stream *stream, uint64_t seq)
{
	sqlite3_stmt *t = store_statement(w->store, STORE_ADD_CHAIN);

	store_bind_int(t, 1, stream->id);
	store_bind_int(t, 2, seq);
	store_bind_int(t, 3, stream->last);
	int r = store_run(t);
	if (r == 0)
		stream->last = seq;
	return r;
}

static int add_entry(struct store_writer *w, const struct log_entry *e, uint64_t instance,
	uint64_t stream, uint64_t other, uint64_t recipient)
{
	sqlite3_stmt *t = store_statement(w->store, STORE_ADD_ENTRY);

	store_bind_int(t, 1, e->seq);
	store_bind_int(t, 2, e->time);
	store_bind_int(t, 3, instance);
	store_bind_int(t, 4, e->counter);
	store_bind_int(t, 5, (uint64_t)e->kind);
	store_bind_int(t, 6, stream);
	if (other)
		store_bind_int(t, 7, other);
	if (recipient)
		store_bind_int(t, 8, recipient);
	store_bind_text(t, 9, e->nick);
	store_bind_text(t, 10, e->to_nick);
	store_bind_text(t, 11, e->text);
	return store_run(t);
}

static int set_topic(struct store_writer *w, const struct log_entry *e, uint64_t stream)
{
	sqlite3_stmt *t = store_statement(w->store, STORE_SET_TOPIC);

	store_bind_text(t, 1, e->text);
	store_bind_text(t, 2, e->nick);
	store_bind_int(t, 3, e->time);
	store_bind_int(t, 4, stream);
	return store_run(t);
}

static int append_to_room(struct store_writer *w, struct log_entry *e, struct writer_instance *a)
{
	struct writer_stream *room;
	struct span name = e->room_name;

	if (e->kind == SAID_ACT)
		name.length = 0;
	else if (name.length == 0)
		name = (struct span){.text = (const char *)e->room->bytes + 1,
			.length = (uint16_t)(e->room->length - 1)};
	int r = store_writer_stream(w, e->room, &name, &room);
	if (r)
		return r;
	bool first = room->last == 0 && e->room->bytes[0] == 'r';
	e->prev = e->prev_to = room->last;
	r = add_entry(w, e, a->id, room->id, 0, 0);
	if (r == 0)
		r = chain(w, room, e->seq);
	if (r == 0 && first)
		r = store_list_room(w, room);
	if (r == 0 && e->kind == SAID_TOPIC)
		r = set_topic(w, e, room->id);
	if (r == 0 && e->kind == SAID_ACT)
		r = store_apply_act(w, e);
	return r;
}

static int append_to_inboxes(struct store_writer *w, struct log_entry *e, struct writer_instance *a)
{
	static const struct span unnamed = {.text = "", .length = 0};
	struct writer_stream *mine, *theirs;
	struct writer_stream copy;
	struct stream_key key;
	uint64_t recipient;
	bool to_oneself = memcmp(e->person, e->to, PERSON_ID) == 0;

	stream_key_inbox(e->person, &key);
	int r = store_writer_stream(w, &key, &unnamed, &mine);
	if (r == 0)
		r = store_need_person(w->store, e->to, &recipient);
	if (r)
		return r;
	e->prev = e->prev_to = mine->last;
	r = chain(w, mine, e->seq);
	copy = *mine; /* the other stream may live in the same slot; inboxes have no charter */
	if (r == 0 && !to_oneself) {
		stream_key_inbox(e->to, &key);
		r = store_writer_stream(w, &key, &unnamed, &theirs);
		if (r)
			return r;
		e->prev_to = theirs->last;
		r = chain(w, theirs, e->seq);
		return r ? r : add_entry(w, e, a->id, copy.id, theirs->id, recipient);
	}
	return r ? r : add_entry(w, e, a->id, copy.id, 0, recipient);
}

int store_append(struct store_writer *w, struct log_entry *e)
{
	struct writer_instance *a;

	int r = get_instance(w, e->instance, &a);
	if (r == 0)
		r = need_instance(w, a, e->person);
	if (r)
		return r;
	if (engine_counts(e))
		e->counter = a->accepted + 1;
	e->seq = w->seq + 1;
	r = e->room ? append_to_room(w, e, a) : append_to_inboxes(w, e, a);
	if (r)
		return r;
	w->seq = e->seq;
	w->time = e->time;
	a->accepted = e->counter;
	return 0;
}
