#include "tools/lab/chat_script.h"

#include "common/err.h"
#include "tools/lab/chat_lines.h"
#include "tools/lab/chat_program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct looked_at {
	size_t lines, wrong; /* `wrong` 0: none */
};

static void look(void *of, const char *line)
{
	struct looked_at *l = of;
	const char *text;
	int who;

	l->lines++;
	if (!l->wrong && !chat_lines_is_nothing(line) && chat_lines_read(line, &who, &text) != 0)
		l->wrong = l->lines;
}

int chat_script_check(int fd, const char *name, char *error, size_t size)
{
	struct chat_reader r = {.fd = fd};
	struct looked_at l = {0};
	struct stat st;
	int e = 0;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	off_t from = lseek(fd, 0, SEEK_CUR);
	while (e == 0)
		e = chat_reader_take(&r, look, &l);
	chat_reader_fini(&r);
	if (e == ERR_MEMORY || from < 0 || lseek(fd, from, SEEK_SET) < 0) {
		e = e == ERR_MEMORY ? e : ERR_SYSTEM;
		(void)snprintf(error, size, "%s: %s", name,
			e == ERR_MEMORY ? err_text(e) : strerror(errno));
		return e;
	}
	if (l.wrong == 0)
		return 0;
	(void)snprintf(error, size,
		"%s: line %zu is not of the form \"a: hello\" or \"b: hello\", nor blank, nor a "
		"comment (#)",
		name, l.wrong);
	return ERR_ARGUMENT;
}
