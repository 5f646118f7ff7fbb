#include "client/paste.h"

#include "common/err.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* Cut newlines and blanks off both ends, in place. */
static void trim(char *text)
{
	size_t length = strlen(text), front = strspn(text, "\n");

	while (length > front && (text[length - 1] == '\n' || text[length - 1] == ' '))
		length--;
	memmove(text, text + front, length - front);
	text[length - front] = '\0';
}

/* A piece that was cut off may end inside a character. */
static size_t whole_characters(const char *bytes, size_t length)
{
	size_t back = 0;

	while (back < 3 && back < length &&
		((unsigned char)bytes[length - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < length && (unsigned char)bytes[length - 1 - back] >= 0xc0)
		return length - 1 - back;
	return length;
}

int paste_init(struct paste *p, const char *bytes, size_t length, size_t total)
{
	struct paste made = {.bytes = total, .cut = length < total};

	if (made.cut)
		length = whole_characters(bytes, length);
	made.text = text_sanitize(bytes ? bytes : "", length, 1);
	if (!made.text)
		return ERR_MEMORY;
	trim(made.text);
	for (const char *line = made.text;;) {
		size_t n = strcspn(line, "\n");
		made.lines++;
		if (n > made.longest)
			made.longest = n;
		if (line[n] == '\0')
			break;
		line += n + 1;
	}
	*p = made;
	return 0;
}

void paste_fini(struct paste *p)
{
	free(p->text);
	*p = (struct paste){0};
}

const char *paste_line(const struct paste *p, size_t index, size_t *length)
{
	const char *line = p->text;

	if (!line || index >= p->lines)
		return NULL;
	for (; index > 0; index--)
		line += strcspn(line, "\n") + 1;
	*length = strcspn(line, "\n");
	return line;
}
