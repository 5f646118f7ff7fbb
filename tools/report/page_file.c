#include "tools/report/page_file.h"

#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Is there something that a renamed file may not take the place of? */
static bool is_special(const char *path)
{
	struct stat s;

	return stat(path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode);
}

/* Its names. */
static int name(struct page_file *f, const char *path)
{
	struct stat s;

	/* A name that a link stands for is kept: the new file goes where it leads. */
	f->path = realpath(path, NULL);
	if (!f->path)
		f->path = strdup(path);
	if (!f->path)
		return ERR_MEMORY;
	if (is_special(path))
		return 0;
	/* rename(2) would tell only in the end. */
	if (stat(path, &s) == 0 && S_ISDIR(s.st_mode)) {
		errno = EISDIR;
		return ERR_SYSTEM;
	}
	if (asprintf(&f->written, "%s.%ld.new", f->path, (long)getpid()) < 0) {
		f->written = NULL;
		return ERR_MEMORY;
	}
	return 0;
}

int page_file_open(struct page_file *f, const char *path)
{
	*f = (struct page_file){0};
	int r = name(f, path);
	if (r == 0) {
		/* /dev/stdout leads to a pipe that has no path of its own. */
		int fd = open(f->written ? f->written : path,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | (f->written ? O_NOFOLLOW : 0),
			0666);

		f->out = fd < 0 ? NULL : fdopen(fd, "w");
		if (!f->out)
			r = ERR_SYSTEM;
		if (!f->out && fd >= 0)
			(void)close(fd);
	}
	if (r) {
		int saved = errno;
		page_file_close(f);
		errno = saved;
	}
	return r;
}

int page_file_publish(struct page_file *f)
{
	bool whole = fflush(f->out) == 0 && !ferror(f->out);

	if (whole && f->written)
		whole = fsync(fileno(f->out)) == 0;
	int saved = errno;
	if (fclose(f->out) != 0 && whole) {
		whole = false;
		saved = errno;
	}
	f->out = NULL;
	errno = saved;
	if (!whole)
		return ERR_SYSTEM;
	if (!f->written)
		return 0;
	if (rename(f->written, f->path) != 0)
		return ERR_SYSTEM;
	free(f->written);
	f->written = NULL;
	return 0;
}

void page_file_close(struct page_file *f)
{
	if (f->out)
		(void)fclose(f->out);
	if (f->written)
		(void)unlink(f->written);
	free(f->written);
	free(f->path);
	*f = (struct page_file){0};
}
