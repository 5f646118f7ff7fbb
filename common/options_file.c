#include "common/options.h"

#include "common/err.h"
#include "common/file.h"
#include "common/options_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char *skip_blanks(char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* Only a comment, or nothing at all? */
static bool is_end(const char *p)
{
	return *p == '\0' || *p == '#';
}

/* Take the quotes off the value at `p`, in place: \" and \\ stand for themselves. NULL unless it is
 * closed and followed by nothing. */
static char *unquote(char *p)
{
	char *value = p;
	char *out = p;

	for (p++; *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (*p == '\0')
			return NULL;
		*out++ = *p;
	}
	if (!is_end(skip_blanks(p + 1)))
		return NULL;
	*out = '\0';
	return value;
}

/* End an unquoted value before the blanks at its end, or before a comment, which begins with a blank
 * and a #: a # inside a word belongs to the word. */
static char *trim(char *value)
{
	char *end = value;

	for (char *p = value; *p != '\0'; p++) {
		if (*p == '#' && is_blank(p[-1]))
			break;
		if (!is_blank(*p))
			end = p + 1;
	}
	*end = '\0';
	return value;
}

static int bad_line(struct option_source *s, const char *what)
{
	(void)options_complain(s, "%s", what);
	return ERR_ARGUMENT;
}

/* Cut a line that has something in it into name and value, in place; `*value` is NULL when the name
 * stands alone. */
static int split(char *line, struct option_source *s, char **name, char **value)
{
	char *start = skip_blanks(line);
	char *end = start + strcspn(start, " \t\r\n=#\"");
	char *p = skip_blanks(end);
	bool assigned = *p == '=';

	if (end == start)
		return bad_line(s, "expected the name of an option");
	if (*end == '#' || *end == '"')
		return bad_line(s, "expected a blank or '=' after the option's name");
	if (assigned)
		p = skip_blanks(p + 1);
	if (is_end(p) && assigned)
		return bad_line(s, "nothing follows the '='; an empty value is \"\"");
	char *found = NULL;
	bool quoted = *p == '"';
	if (quoted)
		found = unquote(p);
	else if (!is_end(p))
		found = trim(p);
	if (quoted && !found)
		return bad_line(s, "a quoted value must end with '\"' and nothing behind it");
	*end = '\0';
	*name = start;
	*value = found;
	return 0;
}

static int read_line(
	const struct option_table *t, void *settings, char *line, struct option_source *s)
{
	char *name = NULL;
	char *value = NULL;

	if (is_end(skip_blanks(line)))
		return 0;
	int r = split(line, s, &name, &value);
	if (r)
		return r;
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->rows[i].name, name) != 0)
			continue;
		if (!t->rows[i].file)
			return options_complain(s, "option '%s' belongs on the command line", name);
		return options_set(t, i, settings, value, s);
	}
	return options_unknown(t, s, name, strlen(name));
}

static int read_lines(
	const struct option_table *t, void *settings, FILE *f, struct option_source *s)
{
	char *line = NULL;
	size_t room = 0;
	int r = 0;

	while (r == 0) {
		errno = 0;
		ssize_t length = getline(&line, &room, f);
		if (length < 0) {
			r = feof(f) ? 0 : errno == ENOMEM ? ERR_MEMORY : ERR_SYSTEM;
			break;
		}
		s->line++;
		if (strlen(line) != (size_t)length)
			r = options_complain(s, "a NUL byte; is this a text file?");
		else
			r = read_line(t, settings, line, s);
	}
	int error = errno;
	free(line);
	errno = error;
	return r;
}

int options_read(
	const struct option_table *t, void *settings, const char *path, char *error, size_t size)
{
	struct option_source s = {.dashes = "", .file = path, .error = error, .size = size};
	FILE *f = file_open(path);
	int r = f ? read_lines(t, settings, f, &s) : ERR_SYSTEM;
	int problem = errno;

	if (f)
		(void)fclose(f);
	s.file = NULL; /* from here on it is about the file, not about a line in it */
	if (r == ERR_SYSTEM)
		(void)options_complain(&s, "cannot read '%s': %s", path, strerrordesc_np(problem));
	else if (r == ERR_MEMORY)
		(void)options_complain(&s, "%s", err_text(r));
	errno = problem;
	return r;
}
