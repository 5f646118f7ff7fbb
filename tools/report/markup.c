#include "tools/report/markup.h"

#include "common/err.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

static const char *reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static int print(FILE *out, const char *text, int newlines)
{
	char *clean = text_sanitize(text, strlen(text), newlines);

	if (!clean)
		return ERR_MEMORY;
	for (const char *c = clean; *c; c++) {
		const char *escaped = reference(*c);

		if (escaped)
			fputs(escaped, out);
		else
			fputc(*c, out);
	}
	free(clean);
	return 0;
}

int markup_text(FILE *out, const char *text)
{
	return print(out, text, 0);
}

int markup_block(FILE *out, const char *text)
{
	return print(out, text, 1);
}
