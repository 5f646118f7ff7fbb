#include "common/options.h"

#include "common/err.h"
#include "common/log.h"
#include "common/options_internal.h"
#include "common/suggest.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COMPLAINT_SIZE 1024
#define LONG_OPTION    256 /* what getopt_long returns for row 0; above any letter */

static void *field_of(void *settings, const struct option_spec *row)
{
	return (char *)settings + row->offset;
}

/* ---- complaints ---- */

int options_complain(struct option_source *s, const char *format, ...)
{
	char text[COMPLAINT_SIZE];
	size_t used = 0;
	va_list ap;

	if (s->size == 0)
		return ERR_ARGUMENT;
	if (s->file) {
		int n = snprintf(text, sizeof(text), "%s:%zu: ", s->file, s->line);
		used = n > 0 && (size_t)n < sizeof(text) ? (size_t)n : 0;
	}
	va_start(ap, format);
	int n = vsnprintf(text + used, sizeof(text) - used, format, ap);
	va_end(ap);
	if (n < 0)
		text[used] = '\0';
	log_escape(text, strlen(text), s->error, s->size);
	return ERR_ARGUMENT;
}

int options_unknown(
	const struct option_table *t, struct option_source *s, const char *name, size_t length)
{
	struct suggestion near;

	suggest_begin(&near, name, length);
	for (size_t i = 0; i < t->count; i++) {
		if (!s->file || t->rows[i].file)
			suggest_offer(&near, t->rows[i].name);
	}
	if (!near.nearest)
		return options_complain(s, "unknown option '%s%.*s'", s->dashes, (int)length, name);
	return options_complain(s, "unknown option '%s%.*s'; did you mean '%s%s'?", s->dashes,
		(int)length, name, s->dashes, near.nearest);
}

/* ---- values ---- */

static int set_flag(
	const struct option_spec *row, bool *field, const char *text, struct option_source *s)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"yes", true},
		{"no", false},
		{"true", true},
		{"false", false},
		{"on", true},
		{"off", false},
	};

	if (!text) {
		*field = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*field = words[i].value;
			return 0;
		}
	}
	return options_complain(
		s, "option '%s%s' is yes or no, not '%s'", s->dashes, row->name, text);
}

static int set_text(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return ERR_MEMORY;
	free(*field);
	*field = copy;
	return 0;
}

/* "65536" as "64K" where bytes are counted and nothing is lost by it. */
static void print_number(const struct option_spec *row, long value, char *out, size_t size)
{
	static const char suffixes[] = {'K', 'M', 'G'};
	size_t power = 0;

	while (row->bytes && value != 0 && value % 1024 == 0 && power < sizeof(suffixes)) {
		value /= 1024;
		power++;
	}
	if (power == 0)
		(void)snprintf(out, size, "%ld", value);
	else
		(void)snprintf(out, size, "%ld%c", value, suffixes[power - 1]);
}

/* How far a suffix shifts; 0 for none, -1 for one that may not be there. */
static int suffix_shift(const struct option_spec *row, const char *suffix)
{
	if (suffix[0] == '\0')
		return 0;
	if (!row->bytes || suffix[1] != '\0')
		return -1;
	switch (suffix[0]) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	default:
		return -1;
	}
}

/* A decimal number in the row's range, without blanks or a plus sign. */
static bool parse_number(const struct option_spec *row, const char *text, long *value)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *end;
	long n;

	if (row->off && strcmp(text, "off") == 0) {
		*value = -1;
		return true;
	}
	if (digits[0] < '0' || digits[0] > '9')
		return false;
	errno = 0;
	n = strtol(text, &end, 10);
	int shift = suffix_shift(row, end);
	if (errno != 0 || shift < 0 || __builtin_mul_overflow(n, 1L << shift, &n))
		return false;
	if (n < row->least || n > row->most)
		return false;
	*value = n;
	return true;
}

static int set_number(
	const struct option_spec *row, long *field, const char *text, struct option_source *s)
{
	char least[32];
	char most[32];

	if (parse_number(row, text, field))
		return 0;
	print_number(row, row->least, least, sizeof(least));
	print_number(row, row->most, most, sizeof(most));
	return options_complain(s, "option '%s%s' is a number from %s to %s%s, not '%s'", s->dashes,
		row->name, least, most, row->off ? ", or off" : "", text);
}

static int set_choice(
	const struct option_spec *row, int *field, const char *text, struct option_source *s)
{
	char known[256] = "";
	size_t used = 0;

	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(text, row->choices[i]) == 0) {
			*field = i;
			return 0;
		}
		int n = snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "",
			row->choices[i]);
		if (n > 0 && (size_t)n < sizeof(known) - used)
			used += (size_t)n;
	}
	return options_complain(
		s, "option '%s%s' is one of %s, not '%s'", s->dashes, row->name, known, text);
}

static void free_list(struct option_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct option_list){0};
}

static int add_to_list(struct option_list *l, const char *text)
{
	char *copy = strdup(text);
	char **items = copy ? reallocarray(l->items, l->count + 1, sizeof(*items)) : NULL;

	if (!items) {
		free(copy);
		return ERR_MEMORY;
	}
	items[l->count] = copy;
	l->items = items;
	l->count++;
	return 0;
}

int options_set(const struct option_table *t, size_t index, void *settings, const char *text,
	struct option_source *s)
{
	const struct option_spec *row = &t->rows[index];
	void *field = field_of(settings, row);
	bool first = (s->seen >> index & 1) == 0;

	s->seen |= UINT64_C(1) << index;
	if (!text && row->kind != OPTION_FLAG)
		return options_complain(
			s, "option '%s%s' needs %s", s->dashes, row->name, row->argument);
	switch (row->kind) {
	case OPTION_FLAG:
		return set_flag(row, field, text, s);
	case OPTION_TEXT:
		return set_text(field, text);
	case OPTION_NUMBER:
		return set_number(row, field, text, s);
	case OPTION_CHOICE:
		return set_choice(row, field, text, s);
	case OPTION_LIST:
		if (row->good && !row->good(text))
			return options_complain(s, "option '%s%s' is %s, not '%s'", s->dashes,
				row->name, row->form, text);
		if (first)
			free_list(field);
		return add_to_list(field, text);
	}
	abort();
}

int options_init(const struct option_table *t, void *settings)
{
	char error[COMPLAINT_SIZE];
	struct option_source s = {.dashes = "", .error = error, .size = sizeof(error)};

	assert(t->count <= OPTIONS_MAX);
	for (size_t i = 0; i < t->count; i++) {
		if (!t->rows[i].initial)
			continue;
		int r = options_set(t, i, settings, t->rows[i].initial, &s);
		assert(r != ERR_ARGUMENT);
		if (r) {
			options_fini(t, settings);
			return r;
		}
	}
	return 0;
}

void options_fini(const struct option_table *t, void *settings)
{
	for (size_t i = 0; i < t->count; i++) {
		void *field = field_of(settings, &t->rows[i]);

		switch (t->rows[i].kind) {
		case OPTION_FLAG:
			*(bool *)field = false;
			break;
		case OPTION_TEXT:
			free(*(char **)field);
			*(char **)field = NULL;
			break;
		case OPTION_NUMBER:
			*(long *)field = 0;
			break;
		case OPTION_LIST:
			free_list(field);
			break;
		case OPTION_CHOICE:
			*(int *)field = 0;
			break;
		}
	}
}

/* ---- the command line ---- */

struct getopt_tables {
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 +
		     2 * OPTIONS_MAX]; /* ":", then a letter, and a colon where it takes a value */
};

static void fill_tables(const struct option_table *t, struct getopt_tables *g)
{
	size_t n = 0;

	*g = (struct getopt_tables){0};
	g->letters[n++] = ':'; /* tell a missing value from an unknown option, and print nothing */
	for (size_t i = 0; i < t->count; i++) {
		const struct option_spec *row = &t->rows[i];
		bool flag = row->kind == OPTION_FLAG;

		g->longs[i] = (struct option){
			.name = row->name,
			.has_arg = flag ? optional_argument : required_argument,
			.val = LONG_OPTION + (int)i,
		};
		if (row->letter)
			g->letters[n++] = row->letter;
		if (row->letter && !flag)
			g->letters[n++] = ':';
	}
}

/* The row of what getopt_long returned or left in optopt; t->count if it is none. */
static size_t find_row(const struct option_table *t, int value)
{
	if (value >= LONG_OPTION)
		return (size_t)(value - LONG_OPTION);
	for (size_t i = 0; i < t->count; i++) {
		if (value != 0 && t->rows[i].letter == value)
			return i;
	}
	return t->count;
}

/* getopt_long knew no single option for `word`, "--name" or "--name=value". */
static int complain_about(const struct option_table *t, struct option_source *s, const char *word)
{
	const char *name = strncmp(word, "--", 2) == 0 ? word + 2 : word;
	size_t length = strcspn(name, "=");
	const char *before = NULL;

	for (size_t i = 0; i < t->count; i++) {
		const char *known = t->rows[i].name;
		if (length == 0 || strncmp(known, name, length) != 0)
			continue;
		if (before)
			return options_complain(s, "option '--%.*s' can be '--%s' or '--%s'",
				(int)length, name, before, known);
		before = known;
	}
	return options_unknown(t, s, name, length);
}

static int parse_all(const struct option_table *t, void *settings, int argc, char **argv,
	struct option_source *s)
{
	struct getopt_tables g;

	fill_tables(t, &g);
	optind = 0; /* glibc: begin anew, whatever was parsed before */
	opterr = 0;
	for (;;) {
		int value = getopt_long(argc, argv, g.letters, g.longs, NULL);
		if (value == -1)
			return 0;
		size_t row = find_row(t, value == '?' || value == ':' ? optopt : value);
		if (value == '?' && optopt != 0)
			return options_complain(s, "unknown option '-%c'", optopt);
		if (value == '?')
			return complain_about(t, s, argv[optind - 1]);
		int r = options_set(t, row, settings, value == ':' ? NULL : optarg, s);
		if (r)
			return r;
	}
}

int options_parse(const struct option_table *t, void *settings, int argc, char **argv, int *rest,
	char *error, size_t size)
{
	struct option_source s = {.dashes = "--", .error = error, .size = size};
	int r = parse_all(t, settings, argc, argv, &s);

	if (r == ERR_MEMORY)
		(void)options_complain(&s, "%s", err_text(r));
	if (r == 0)
		*rest = optind;
	return r;
}

/* ---- the whole flow ---- */

/* The value of the text row called `name`: where the config file is. */
static const char *find_text(const struct option_table *t, void *settings, const char *name)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->rows[i].name, name) == 0 && t->rows[i].kind == OPTION_TEXT)
			return *(char **)field_of(settings, &t->rows[i]);
	}
	return NULL;
}

static int load(const struct option_table *t, void *settings, const char *config, int argc,
	char **argv, int *rest, char *error, size_t size)
{
	int r = options_parse(t, settings, argc, argv, rest, error, size);
	const char *named = r == 0 ? find_text(t, settings, config) : NULL;

	if (!named)
		return r;
	char *path = strdup(named); /* a copy: the parsing below replaces the field */
	if (!path)
		return ERR_MEMORY;
	r = options_read(t, settings, path, error, size);
	if (r == 0)
		r = options_parse(t, settings, argc, argv, rest, error, size);
	free(path);
	return r;
}

int options_load(const struct option_table *t, void *settings, const char *config, int argc,
	char **argv, int *rest, char *error, size_t size)
{
	int r = options_init(t, settings);

	if (size > 0)
		error[0] = '\0';
	if (r == 0)
		r = load(t, settings, config, argc, argv, rest, error, size);
	if (r == 0)
		return 0;
	if (size > 0 && error[0] == '\0')
		(void)snprintf(error, size, "%s", err_text(r));
	int keep = errno;
	options_fini(t, settings);
	errno = keep;
	return r;
}
