#include "client/act_line.h"

#include "common/duration.h"
#include "common/err.h"
#include "common/name.h"
#include "common/net_range.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

__attribute__((format(printf, 2, 3))) static int refuse(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, ACT_LINE_ERROR, format, arguments);
	va_end(arguments);
	return ERR_ARGUMENT;
}

/* ---- words ---- */

/* The next word's length. */
static size_t word_length(const char *text)
{
	return strcspn(text, " ");
}

static const char *after_word(const char *text)
{
	text += word_length(text);
	return text + strspn(text, " ");
}

/* Copy the next word; false where there is none, or it is too long. */
static bool copy_word(const char *text, char *out, size_t size)
{
	size_t length = word_length(text);

	if (length == 0 || length >= size)
		return false;
	memcpy(out, text, length);
	out[length] = '\0';
	return true;
}

static bool is_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	return word_length(text) == length && strncmp(text, word, length) == 0;
}

bool act_line_server(const char **rest)
{
	if (!is_word(*rest, "-s"))
		return false;
	*rest = after_word(*rest);
	return true;
}

bool act_line_on_server(enum act_verb verb)
{
	return verb == ACT_KICK || verb == ACT_BAN || verb == ACT_UNBAN;
}

/* ---- whom ---- */

/* A nick has no colon in it. */
bool act_line_is_range(const char *label)
{
	bool digits = strspn(label, DIGITS "./") == strlen(label);

	return strchr(label, ':') || (digits && strpbrk(label, "./"));
}

static int check_range(enum act_verb verb, const char *label, char *error)
{
	struct net_range range;

	if (verb != ACT_BAN && verb != ACT_UNBAN)
		return refuse(error,
			"/%s wants a nick; addresses can be banned alone. (A nick that looks so: "
			"@%.64s)",
			act_word(verb), label);
	if (net_range_parse(label, &range) == 0)
		return 0;
	return refuse(error,
		"\"%.64s\" is no range of addresses. Write one as 192.0.2.7, 10.0.0.0/8 (four "
		"numbers, /0 to /32), fe80::1 or fe80::/10 (/0 to /128).",
		label);
}

static int take_label(enum act_verb verb, const char *rest, char *label, char *error)
{
	char word[LABEL_MAX + 2];

	if (*rest == '\0')
		return refuse(error, "Whom? /help %s tells how it is used.", act_word(verb));
	bool fits = copy_word(rest, word, sizeof(word));
	bool nick = fits && word[0] == '@';
	const char *name = nick ? word + 1 : word;
	if (!fits || strlen(name) > LABEL_MAX)
		return refuse(error, "That is too long for a nick: at most %d bytes.", NICK_MAX);
	memcpy(label, name, strlen(name) + 1);
	if (!nick && act_line_is_range(label))
		return check_range(verb, label, error);
	if (name_check(label, strlen(label), LABEL_MAX) != 0)
		return refuse(error,
			"\"%.64s\" cannot be a nick: no blanks and none of # @ ~ , : ! \" in it.",
			label);
	return 0;
}

/* ---- how long ---- */

static int refuse_time(const struct link_act *a, const char *word, char *error)
{
	return refuse(error,
		"\"%.40s\" is no time: write " DURATION_FORM ". (A reason that begins so goes "
		"behind --: "
		"/%s %.64s -- %.40s)",
		word, act_word(a->verb), a->label, word);
}

static int parse_time(const char *word, struct link_act *a, char *error)
{
	switch (duration_parse(word, BAN_MAX, &a->value)) {
	case 0:
		return 0;
	case ERR_TOO_BIG:
		return refuse(error,
			"The longest is ten years: 3650d, or %" PRIu64
			" s. Without a time it is for good.",
			BAN_MAX);
	default:
		return refuse_time(a, word, error);
	}
}

/* "1h 30m" is one time, too. */
static void take_more_time(const char **rest, const char *word, struct link_act *a)
{
	char more[32], whole[64];

	if (copy_word(*rest, more, sizeof(more)) && strchr(DIGITS, *more)) {
		(void)snprintf(whole, sizeof(whole), "%.31s%s", word, more);
		if (duration_parse(whole, BAN_MAX, &a->value) == 0)
			*rest = after_word(*rest);
	}
}

/* A time, if one is meant. */
static int take_time(const char **rest, struct link_act *a, char *error)
{
	char word[64];

	if (!is_word(*rest, "--") && **rest && strchr(DIGITS "+-", **rest)) {
		(void)snprintf(word, sizeof(word), "%.*s", (int)word_length(*rest), *rest);
		int r = parse_time(word, a, error);
		if (r < 0)
			return r;
		*rest = after_word(*rest);
		take_more_time(rest, word, a);
	}
	if (is_word(*rest, "--"))
		*rest = after_word(*rest);
	return 0;
}

int act_line_person(enum act_verb verb, const char *rest, char label[LABEL_MAX + 1],
	struct link_act *a, char error[ACT_LINE_ERROR])
{
	int r = take_label(verb, rest, label, error);

	*a = (struct link_act){.verb = verb, .label = label};
	rest = after_word(rest);
	if (r == 0 && (verb == ACT_BAN || verb == ACT_MUTE))
		r = take_time(&rest, a, error);
	a->text = rest;
	if (r == 0 && strlen(rest) > REASON_MAX)
		r = refuse(error, "The reason is too long: %zu bytes, and at most %d are allowed.",
			strlen(rest), REASON_MAX);
	return r;
}

/* ---- what a room is like ---- */

static const struct mode_word modes[] = {
	{"open", {NULL}},
	{"key", {NULL}},
	{"invited", {NULL}},
	{"moderated", {"on", "off", NULL}},
	{"free", {NULL}},
	{"slow", {"10s", "1m", "off", NULL}},
};

const struct mode_word *act_line_modes(size_t *count)
{
	*count = sizeof(modes) / sizeof(modes[0]);
	return modes;
}

static int set_entry(
	enum room_entry entry, const char *after, struct link_act *a, char error[ACT_LINE_ERROR])
{
	size_t length = strlen(after);

	a->verb = ACT_ENTRY;
	a->value = entry;
	a->text = after;
	if (entry == ENTRY_KEY && length == 0)
		return refuse(error, "Which key? Write /mode key KEY.");
	if (entry == ENTRY_KEY && length > ROOM_KEY_MAX)
		return refuse(error, "That key is too long: %zu bytes, and at most %d are allowed.",
			length, ROOM_KEY_MAX);
	return 0;
}

static int set_moderated(const char *after, struct link_act *a, char *error)
{
	a->verb = ACT_MODERATED;
	a->value = is_word(after, "off") ? 0 : 1;
	if (*after == '\0' || is_word(after, "on") || is_word(after, "off"))
		return 0;
	return refuse(
		error, "Write /mode moderated on, or /mode moderated off (the same as free).");
}

/* A number is seconds. */
static int set_slow(const char *after, struct link_act *a, char *error)
{
	char word[24];
	uint64_t seconds = 0;
	int r = ERR_ARGUMENT;

	a->verb = ACT_SLOW;
	if (is_word(after, "off") || (*after == '0' && strspn(after, "0") == word_length(after)))
		r = 0;
	else if (*after && strspn(after, DIGITS) == word_length(after)) {
		(void)snprintf(word, sizeof(word), "%.*ss", (int)word_length(after), after);
		r = word_length(after) > 10 ? ERR_TOO_BIG
					    : duration_parse(word, SLOW_MAX, &seconds);
	} else if (copy_word(after, word, sizeof(word)))
		r = duration_parse(word, SLOW_MAX, &seconds);
	a->value = seconds;
	if (r == 0 && *after_word(after) == '\0')
		return 0;
	return refuse(error,
		"/mode slow takes the seconds between two messages of one person: 1 to %d (also as "
		"30s, 10m, 1h), or off.",
		SLOW_MAX);
}

int act_line_mode(const char *rest, struct link_act *a, char error[ACT_LINE_ERROR])
{
	const char *after = after_word(rest);

	*a = (struct link_act){.label = "", .text = ""};
	if (is_word(rest, "key"))
		return set_entry(ENTRY_KEY, after, a, error);
	if (is_word(rest, "moderated"))
		return set_moderated(after, a, error);
	if (is_word(rest, "slow"))
		return set_slow(after, a, error);
	bool open = is_word(rest, "open"), invited = is_word(rest, "invited");
	if (!open && !invited && !is_word(rest, "free"))
		return refuse(error, "/mode takes open, key KEY, invited, moderated, free or slow "
				     "SECONDS; alone it "
				     "shows what this room is like.");
	if (*after)
		return refuse(error, "Nothing follows /mode %.*s.", (int)word_length(rest), rest);
	if (open || invited)
		return set_entry(open ? ENTRY_OPEN : ENTRY_INVITED, "", a, error);
	return set_moderated("off", a, error);
}

/* ---- the operator code ---- */

#define CODE_LETTERS 16
#define CODE_ENOUGH  12 /* so many in one word are meant as a code, unless somebody is called so */

/* What a code looks like before it is taken apart. */
struct shape {
	char letters[CODE_LETTERS + 1]; /* small, without blanks and dashes; cut */
	size_t count, gaps;
	bool digits;
	char strange; /* that is in no code; or 0 */
};

static struct shape shape_of(const char *text)
{
	struct shape s = {0};

	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
		if (c == ' ' || c == '-') {
			s.gaps++;
			continue;
		}
		bool digit = c >= '2' && c <= '7';
		if (!digit && (c < 'a' || c > 'z') && !s.strange)
			s.strange = c;
		s.digits |= digit;
		if (s.count < CODE_LETTERS)
			s.letters[s.count] = c;
		s.count++;
	}
	return s;
}

static void print_code(const struct shape *s, char code[ACT_LINE_CODE])
{
	(void)snprintf(code, ACT_LINE_CODE, "%.4s-%.4s-%.4s-%.4s", s->letters, s->letters + 4,
		s->letters + 8, s->letters + 12);
}

int act_line_op(const char *rest, bool known, char code[ACT_LINE_CODE], char error[ACT_LINE_ERROR])
{
	struct shape s = shape_of(rest);
	bool blanks = strchr(rest, ' ') != NULL;

	code[0] = '\0';
	if (rest[0] == '@' || known || (!blanks && s.gaps < 2 && s.count < CODE_ENOUGH))
		return 0;
	if (s.count != CODE_LETTERS)
		return refuse(error,
			"That cannot be the code: it has %zu letters and digits, and a code has "
			"%d, as "
			"abcd-efgh-2345-ijkl. (A nick that looks like one: /op @NICK)",
			s.count, CODE_LETTERS);
	if (s.strange > ' ' && s.strange <= '~')
		return refuse(error,
			"That cannot be the code: there is \"%c\" in it, and a code has the "
			"letters a "
			"to z and the digits 2 to 7. (A nick that looks like one: /op @NICK)",
			s.strange);
	if (s.strange)
		return refuse(error, "That cannot be the code: a code has the letters a to z and "
				     "the digits 2 to 7. "
				     "(A nick that looks like one: /op @NICK)");
	/* A wrong code costs the connection. */
	if (!s.digits && s.gaps == 0)
		return refuse(error, "Is that the code, or a nick? Write the code with its dashes, "
				     "a nick with a @ "
				     "before it.");
	print_code(&s, code);
	return 0;
}
