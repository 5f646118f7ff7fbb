/*
 * A file that appears whole under its name, or not at all. Until it does it has no name, so that nothing is
 * left of it where whoever writes it is killed; on a file system that has no such files (open(2), O_TMPFILE)
 * it has another one in the same folder.
 *
 * It belongs to one thread.
 */
#ifndef LANCHAT_PAGE_FILE_H
#define LANCHAT_PAGE_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct page_file {
	char *path;    /* where it will be: where a link there leads */
	char *written; /* its name until then; NULL: `path` is no regular file, and written as it is */
	bool nameless; /* it has not even that one */
	FILE *out;     /* for its owner to write to */
};

/* Would both be the same file? NULL is none. */
bool page_file_same(const char *a, const char *b);

/* Open it; "-" is stdout, which is written as it is, and stays open. ERR_SYSTEM or ERR_MEMORY, and nothing to close. */
int page_file_open(struct page_file *f, const char *path);

/* All is written: put it on the disk, and then in its place. ERR_SYSTEM, and there is no new file. */
int page_file_publish(struct page_file *f);

/* Free what it has; a file that was not published goes. Again without harm. */
void page_file_close(struct page_file *f);

#endif
