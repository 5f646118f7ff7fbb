/*
 * Process: what the kernel says about this process.
 *
 * The files of /proc are opened once, so that they can be read when descriptors have run out, or when
 * the process may not open files any more. Source: proc(5). For one thread.
 */
#ifndef LANCHAT_SERVER_PROCESS_H
#define LANCHAT_SERVER_PROCESS_H

#include <dirent.h>
#include <stdint.h>

#define PROCESS_UNKNOWN UINT64_MAX

struct process {
	int status;       /* owned; -1: there is none, as for the next */
	DIR *descriptors; /* owned; NULL */
};

struct process_numbers {
	uint64_t resident; /* bytes; any of these may be PROCESS_UNKNOWN */
	uint64_t threads;
	uint64_t descriptors;
};

/* Cannot fail: what cannot be opened is not known. */
void process_open(struct process *p);
void process_close(struct process *p);

void process_read(struct process *p, struct process_numbers *out);

#endif
