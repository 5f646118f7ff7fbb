#include "server/act.h"

#include "common/err.h"
#include "common/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NO_LABEL  "*"                 /* neither a nick nor a range begins so */
#define FIELD_MAX (2 * PERSON_ID + 1) /* the longest field but the last */

static void print_id(const uint8_t *id, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < PERSON_ID; i++) {
		out[2 * i] = digits[id[i] >> 4];
		out[2 * i + 1] = digits[id[i] & 0xf];
	}
	out[2 * (size_t)PERSON_ID] = '\0';
}

size_t act_print(const struct act *a, char out[ACT_TEXT_MAX])
{
	char id[2 * PERSON_ID + 1] = "-";

	if (a->has_person)
		print_id(a->person, id);
	int n = snprintf(out, ACT_TEXT_MAX, "%s %" PRIu64 " %s %s%s%.*s", act_word(a->verb),
		a->value, id, *a->label ? a->label : NO_LABEL, a->text.length ? " " : "",
		(int)a->text.length, a->text.length ? a->text.text : "");
	assert(n > 0 && n < ACT_TEXT_MAX);
	return (size_t)n;
}

/* ---- instances ---- */

/* Six bytes say what it is, which a client draws by chance once in 2^48 times. The others are of the
 * person's id: a hash, of which nobody finds a second with the same ten bytes. */
static const char instance_mark[] = "lc-act";
#define MARK_BYTES (sizeof(instance_mark) - 1)

void act_instance(const uint8_t person[PERSON_ID], uint8_t out[INSTANCE_ID])
{
	memcpy(out, instance_mark, MARK_BYTES);
	memcpy(out + MARK_BYTES, person, INSTANCE_ID - MARK_BYTES);
}

bool act_instance_is(const uint8_t instance[INSTANCE_ID])
{
	return memcmp(instance, instance_mark, MARK_BYTES) == 0;
}

/* ---- reading ---- */

/* Cut the next field off, terminated; false where there is none, or it is too long. */
static bool take_field(struct span *rest, char out[FIELD_MAX])
{
	const char *blank = rest->length ? memchr(rest->text, ' ', rest->length) : NULL;
	size_t length = blank ? (size_t)(blank - rest->text) : rest->length;
	size_t used = length + (blank != NULL);

	if (length == 0 || length >= FIELD_MAX)
		return false;
	memcpy(out, rest->text, length);
	out[length] = '\0';
	rest->text += used;
	rest->length = (uint16_t)(rest->length - used);
	return true;
}

static bool take_verb(struct span *rest, enum act_verb *out)
{
	char word[FIELD_MAX];

	if (!take_field(rest, word))
		return false;
	unsigned verb = act_verb(word);
	*out = (enum act_verb)verb;
	return verb != 0;
}

static bool take_value(struct span *rest, uint64_t *out)
{
	char digits[FIELD_MAX];
	uint64_t value = 0;

	if (!take_field(rest, digits))
		return false;
	for (const char *c = digits; *c; c++) {
		if (*c < '0' || *c > '9' || value > INT64_MAX / 10 - 1)
			return false;
		value = value * 10 + (uint64_t)(*c - '0');
	}
	*out = value;
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_person(struct span *rest, struct act *a)
{
	char id[FIELD_MAX];

	if (!take_field(rest, id))
		return false;
	if (strcmp(id, "-") == 0)
		return true;
	if (strlen(id) != (size_t)2 * PERSON_ID)
		return false;
	for (size_t i = 0; i < PERSON_ID; i++) {
		int high = digit(id[2 * i]), low = digit(id[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		a->person[i] = (uint8_t)(high << 4 | low);
	}
	a->has_person = true;
	return true;
}

static bool take_label(struct span *rest, struct act *a)
{
	char label[FIELD_MAX];

	if (!take_field(rest, label) || strlen(label) > LABEL_MAX)
		return false;
	if (strcmp(label, NO_LABEL) != 0)
		memcpy(a->label, label, strlen(label) + 1);
	return true;
}

int act_parse(struct span line, struct act *out)
{
	struct act a = {0};

	/* A log that somebody has changed may have anything. */
	if (line.length == 0 || !utf8_is_line(line.text, line.length) ||
		!take_verb(&line, &a.verb) || !take_value(&line, &a.value) ||
		!take_person(&line, &a) || !take_label(&line, &a) || line.length > REASON_MAX)
		return ERR_TEXT;
	a.text = line;
	*out = a;
	return 0;
}

bool act_is_about_nick(const struct act *a)
{
	return a->verb == ACT_CLAIM || a->verb == ACT_RELEASE;
}
