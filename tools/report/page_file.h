/*
 * A file that appears whole under its name, or not at all.
 *
 * It belongs to one thread.
 */
#ifndef LANCHAT_PAGE_FILE_H
#define LANCHAT_PAGE_FILE_H

#include <stdio.h>

struct page_file {
	char *path;    /* where it will be: where a link there leads */
	char *written; /* where it is until then; NULL: at `path`, which is no regular file */
	FILE *out;     /* for its owner to write to */
};

/* Open it. ERR_SYSTEM or ERR_MEMORY, and nothing to close. */
int page_file_open(struct page_file *f, const char *path);

/* All is written: put it on the disk, and then in its place. ERR_SYSTEM, and there is no new file. */
int page_file_publish(struct page_file *f);

/* Free what it has; a file that was not published goes. Again without harm. */
void page_file_close(struct page_file *f);

#endif
