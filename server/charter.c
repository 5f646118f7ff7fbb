#include "server/charter.h"

#include "common/err.h"
#include "common/name.h"
#include "common/identity.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SALT_BYTES 8
#define HASH_BYTES 32

/* What a verb does to a standing. */
struct effect {
	enum act_verb verb;
	enum standing_kind kind;
	bool given; /* or taken away */
};

static const struct effect effects[] = {
	{ACT_OPERATOR, STANDING_MODERATOR, true},
	{ACT_NO_OPERATOR, STANDING_MODERATOR, false},
	{ACT_TAKE, STANDING_OWNER, true},
	{ACT_PROVE, STANDING_MODERATOR, true},
	{ACT_OWNER, STANDING_OWNER, true},
	{ACT_MODERATOR, STANDING_MODERATOR, true},
	{ACT_NO_MODERATOR, STANDING_MODERATOR, false},
	{ACT_VOICE, STANDING_VOICE, true},
	{ACT_NO_VOICE, STANDING_VOICE, false},
	{ACT_BAN, STANDING_BANNED, true},
	{ACT_UNBAN, STANDING_BANNED, false},
	{ACT_MUTE, STANDING_MUTED, true},
	{ACT_UNMUTE, STANDING_MUTED, false},
	{ACT_INVITE, STANDING_INVITED, true},
	{ACT_UNINVITE, STANDING_INVITED, false},
};

static const struct effect *effect_of(enum act_verb verb)
{
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (effects[i].verb == verb)
			return &effects[i];
	}
	return NULL;
}

/* ---- standings ---- */

static bool holds(const struct standing *s, uint64_t time)
{
	return s->until == 0 || s->until > time;
}

/* Is the standing about the one whom the act is about? */
static bool is_about(const struct standing *s, const struct act *a)
{
	if (a->has_person)
		return !s->is_range && memcmp(s->person, a->person, PERSON_ID) == 0;
	return s->is_range && strcmp(s->label, a->label) == 0;
}

static void remove_at(struct charter *c, size_t i)
{
	c->standings[i] = c->standings[--c->count];
}

/* Those that are over. */
static void forget_past(struct charter *c, uint64_t time)
{
	for (size_t i = c->count; i-- > 0;) {
		if (!holds(&c->standings[i], time))
			remove_at(c, i);
	}
}

static void take_away(struct charter *c, enum standing_kind kind, const struct act *a)
{
	for (size_t i = c->count; i-- > 0;) {
		if (c->standings[i].kind == kind && is_about(&c->standings[i], a))
			remove_at(c, i);
	}
}

/* A room has one owner. */
static void take_from_all(struct charter *c, enum standing_kind kind)
{
	for (size_t i = c->count; i-- > 0;) {
		if (c->standings[i].kind == kind)
			remove_at(c, i);
	}
}

/* Whoever is banned is nothing else there any more. */
static void take_all(struct charter *c, const struct act *a)
{
	static const enum standing_kind kinds[] = {
		STANDING_OWNER, STANDING_MODERATOR, STANDING_VOICE, STANDING_INVITED};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		take_away(c, kinds[i], a);
}

static int give(struct charter *c, enum standing_kind kind, const struct act *a)
{
	struct standing s = {.kind = kind, .is_range = !a->has_person};

	if (kind == STANDING_BANNED || kind == STANDING_MUTED)
		s.until = a->value;
	if (s.is_range && net_range_parse(a->label, &s.range) != 0)
		return 0;
	memcpy(s.person, a->person, PERSON_ID);
	memcpy(s.label, a->label, sizeof(s.label));
	/* The place for one more first, so that a failure changes nothing. */
	struct standing *grown = realloc(c->standings, (c->count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_MEMORY;
	c->standings = grown;
	if (kind == STANDING_OWNER)
		take_from_all(c, kind);
	take_away(c, kind, a);
	c->standings[c->count++] = s;
	return 0;
}

bool charter_has_room(const struct charter *c, const struct act *a, uint64_t time)
{
	const struct effect *e = effect_of(a->verb);
	size_t used = 0;

	if (!e || !e->given || e->kind == STANDING_OWNER)
		return true;
	for (size_t i = 0; i < c->count; i++) {
		const struct standing *s = &c->standings[i];
		if (s->kind == e->kind && is_about(s, a))
			return true;
		used += holds(s, time);
	}
	/* One is kept for the owner. */
	return used < CHARTER_MOST - 1;
}

bool charter_adds(const struct charter *c, const struct act *a)
{
	const struct effect *e = effect_of(a->verb);

	if (!e || !e->given)
		return false;
	for (size_t i = 0; i < c->count; i++) {
		if (c->standings[i].kind == e->kind && is_about(&c->standings[i], a))
			return false;
	}
	return true;
}

/* The standing that an act is about, if it holds. */
static const struct standing *find_same(
	const struct charter *c, enum standing_kind kind, const struct act *a, uint64_t time)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct standing *s = &c->standings[i];
		if (s->kind == kind && is_about(s, a) && holds(s, time))
			return s;
	}
	return NULL;
}

bool charter_changes(const struct charter *c, const struct act *a, uint64_t time)
{
	const struct effect *e = effect_of(a->verb);
	const struct standing *s = e ? find_same(c, e->kind, a, time) : NULL;
	bool ends = e && (e->kind == STANDING_BANNED || e->kind == STANDING_MUTED);

	if (e && !e->given)
		return s != NULL;
	if (e)
		return !s || (ends && s->until != a->value);
	switch (a->verb) {
	case ACT_ENTRY: /* another key is not told from the same one, which is salted anew */
		return c->damaged || c->entry != a->value || a->value == ENTRY_KEY;
	case ACT_MODERATED:
		return c->moderated != (a->value != 0);
	case ACT_SLOW:
		return c->slow != a->value;
	default:
		return true;
	}
}

/* What else becomes of who is given something: whoever is banned is nothing else any more, and whoever
 * is made something that looks after the room is not banned. */
static void settle(struct charter *c, enum standing_kind kind, const struct act *a)
{
	if (!a->has_person)
		return;
	if (kind == STANDING_BANNED)
		take_all(c, a);
	else if (kind == STANDING_OWNER || kind == STANDING_MODERATOR)
		take_away(c, STANDING_BANNED, a);
}

static void set(struct charter *c, const struct act *a)
{
	switch (a->verb) {
	case ACT_ENTRY:
		c->entry = (enum room_entry)a->value;
		(void)snprintf(c->key, sizeof(c->key), "%.*s",
			c->entry == ENTRY_KEY ? (int)a->text.length : 0, a->text.text);
		break;
	case ACT_MODERATED:
		c->moderated = a->value != 0;
		break;
	case ACT_SLOW:
		c->slow = (uint32_t)a->value;
		break;
	default:
		break;
	}
}

int charter_apply(struct charter *c, const struct act *a, uint64_t time)
{
	const struct effect *e = effect_of(a->verb);

	if (c->damaged && a->verb == ACT_ENTRY)
		charter_fini(c);
	forget_past(c, time);
	if (e && e->given) {
		int r = give(c, e->kind, a);
		if (r == 0)
			settle(c, e->kind, a);
		return r;
	}
	if (e)
		take_away(c, e->kind, a);
	else
		set(c, a);
	return 0;
}

const struct standing *charter_find(const struct charter *c, enum standing_kind kind,
	const uint8_t person[PERSON_ID], uint64_t time)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct standing *s = &c->standings[i];
		if (s->kind == kind && !s->is_range && holds(s, time) &&
			memcmp(s->person, person, PERSON_ID) == 0)
			return s;
	}
	return NULL;
}

bool charter_ends(enum act_verb verb)
{
	const struct effect *e = effect_of(verb);

	return e && !e->given;
}

const struct standing *charter_holder(const struct charter *c, const struct act *a)
{
	const struct effect *e = effect_of(a->verb);
	const struct standing *found = NULL;

	for (size_t i = 0; e && !e->given && i < c->count; i++) {
		const struct standing *s = &c->standings[i];
		if (s->kind != e->kind)
			continue;
		if (is_about(s, a))
			return NULL;
		if (!s->is_range && name_same(s->label, a->label))
			found = s;
	}
	return found;
}

const uint8_t *charter_owner(const struct charter *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->standings[i].kind == STANDING_OWNER)
			return c->standings[i].person;
	}
	return NULL;
}

const struct standing *charter_find_address(
	const struct charter *c, const struct net_address *address, uint64_t time)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct standing *s = &c->standings[i];
		if (s->kind == STANDING_BANNED && s->is_range && holds(s, time) &&
			net_range_has(&s->range, address))
			return s;
	}
	return NULL;
}

bool charter_is_empty(const struct charter *c)
{
	return c->count == 0 && c->entry == ENTRY_OPEN && !c->moderated && c->slow == 0;
}

bool charter_has_any(const struct charter *c, enum standing_kind kind)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->standings[i].kind == kind)
			return true;
	}
	return false;
}

/* ---- copies and text ---- */

void charter_fini(struct charter *c)
{
	free(c->standings);
	*c = (struct charter){0};
}

int charter_copy(const struct charter *c, struct charter *out)
{
	struct charter copy = *c;

	*out = (struct charter){0};
	copy.standings = NULL;
	if (c->count) {
		copy.standings = malloc(c->count * sizeof(*copy.standings));
		if (!copy.standings)
			return ERR_MEMORY;
		memcpy(copy.standings, c->standings, c->count * sizeof(*copy.standings));
	}
	*out = copy;
	return 0;
}

static char *put(char *to, const struct act *a)
{
	to += act_print(a, to);
	*to++ = '\n';
	return to;
}

static struct act act_giving(const struct standing *s)
{
	struct act a = {.has_person = !s->is_range, .value = s->until};

	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		/* An operator is written as a moderator: which it is, the place tells. */
		if (effects[i].kind == s->kind && effects[i].given)
			a.verb = effects[i].verb;
	}
	memcpy(a.person, s->person, PERSON_ID);
	memcpy(a.label, s->label, sizeof(a.label));
	return a;
}

char *charter_print(const struct charter *c)
{
	const struct act settings[] = {
		{.verb = ACT_ENTRY, .value = c->entry, .text = span_of(c->key)},
		{.verb = ACT_MODERATED, .value = c->moderated},
		{.verb = ACT_SLOW, .value = c->slow},
	};
	size_t rows = sizeof(settings) / sizeof(settings[0]) + c->count;
	char *text = malloc(rows * ACT_TEXT_MAX + 1);
	char *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (settings[i].value)
			to = put(to, &settings[i]);
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct act a = act_giving(&c->standings[i]);
		to = put(to, &a);
	}
	*to = '\0';
	return text;
}

bool charter_text_is_closed(struct span text)
{
	struct act first;
	const char *end = text.length ? memchr(text.text, '\n', text.length) : NULL;

	if (text.length == 0)
		return false;
	/* Who may come in is written first, where it is not everybody. */
	if (!end)
		return true;
	text.length = (uint16_t)(end - text.text);
	return act_parse(text, &first) != 0 ||
	       (first.verb == ACT_ENTRY && first.value != ENTRY_OPEN);
}

/* What stands there stands, in whatever order. */
static int take_line(struct charter *c, const struct act *a)
{
	static const uint64_t most[] = {
		[ACT_ENTRY] = ENTRY_INVITED, [ACT_MODERATED] = 1, [ACT_SLOW] = SLOW_MAX};
	const struct effect *e = effect_of(a->verb);
	struct net_range range;

	if (e && e->given && !a->has_person &&
		(e->kind != STANDING_BANNED || net_range_parse(a->label, &range) != 0))
		return ERR_TEXT;
	if (e && e->given)
		return give(c, e->kind, a);
	if (e || a->verb > ACT_SLOW || most[a->verb] == 0 || a->value > most[a->verb])
		return ERR_TEXT;
	set(c, a);
	return 0;
}

int charter_parse(const char *text, size_t length, struct charter *out)
{
	struct charter c = {0};
	int r = 0;

	while (length > 0 && r == 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end ? (size_t)(end - text) : 0;
		struct act a;
		if (!end || line > ACT_TEXT_MAX || c.count > CHARTER_MOST ||
			act_parse((struct span){.text = text, .length = (uint16_t)line}, &a) != 0)
			r = ERR_TEXT;
		else
			r = take_line(&c, &a);
		text += line + 1;
		length -= end ? line + 1 : length;
	}
	if (r)
		charter_fini(&c);
	*out = c;
	return r;
}

void charter_damage(struct charter *out)
{
	*out = (struct charter){.entry = ENTRY_INVITED, .damaged = true};
}

/* ---- keys ---- */

static void hex(const uint8_t *bytes, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* "salt:hash", of a salt in hexadecimal digits and a key. */
static void lock_with(const char *salt, struct span key, char out[CHARTER_KEY_MAX])
{
	uint8_t salted[2 * SALT_BYTES + ROOM_KEY_MAX];
	uint8_t hash[HASH_BYTES] = {0};
	size_t length = key.length < ROOM_KEY_MAX ? key.length : ROOM_KEY_MAX;

	memcpy(salted, salt, (size_t)2 * SALT_BYTES);
	if (length)
		memcpy(salted + (size_t)2 * SALT_BYTES, key.text, length);
	if (EVP_Digest(salted, 2 * SALT_BYTES + length, hash, NULL, EVP_sha256(), NULL) != 1)
		identity_random(hash, sizeof(hash)); /* then nothing unlocks it */
	memcpy(out, salt, (size_t)2 * SALT_BYTES);
	out[2 * SALT_BYTES] = ':';
	hex(hash, sizeof(hash), out + 2 * SALT_BYTES + 1);
}

void charter_lock(struct span key, char out[CHARTER_KEY_MAX])
{
	uint8_t salt[SALT_BYTES];
	char text[2 * SALT_BYTES + 1];

	identity_random(salt, sizeof(salt));
	hex(salt, sizeof(salt), text);
	lock_with(text, key, out);
}

bool charter_unlocks(const struct charter *c, struct span key)
{
	char tried[CHARTER_KEY_MAX];
	size_t length = strlen(c->key);

	if (length <= (size_t)2 * SALT_BYTES)
		return false;
	lock_with(c->key, key, tried);
	return length == strlen(tried) && CRYPTO_memcmp(tried, c->key, length) == 0;
}
