/*
 * A program on a host of the lab, with pipes to talk to it line by line. One thread.
 */
#ifndef LANCHAT_LAB_CHAT_PROGRAM_H
#define LANCHAT_LAB_CHAT_PROGRAM_H

#include "tools/lab/site.h"

#include <limits.h>

/* What it prints, cut into lines. */
struct chat_reader {
	int fd;      /* ours, or borrowed; -1: it is over */
	char *bytes; /* owned */
	size_t used, room;
};

/* Read what there is, and give each whole line, and what is left at the end, to `got`. ERR_MEMORY; ERR_CLOSED:
 * it is over, and fd is still the caller's to close. */
int chat_reader_take(struct chat_reader *r, void (*got)(void *of, const char *line), void *of);
void chat_reader_fini(struct chat_reader *r);

struct chat_program {
	pid_t pid;  /* 0: not started, or waited for */
	int ended;  /* pidfd: readable when it has; -1 */
	int status; /* of waitpid, once it has been waited for */
	int input;  /* -1: closed */
	struct chat_reader out, error;
	char *unwritten; /* owned */
	size_t unwritten_length;
};

/* `name` beside this program, else wherever PATH has it: then it is `name` itself. */
void chat_program_find(const char *name, char out[PATH_MAX]);

/* Start it. ERR_SYSTEM, with errno. */
int chat_program_start(
	struct chat_program *p, const struct site *site, size_t host, char *const argv[]);

/* Write a line; what its pipe does not take is kept for chat_program_flush. ERR_MEMORY; ERR_CLOSED: it
 * does not listen any more. */
int chat_program_write(struct chat_program *p, const char *line);
int chat_program_flush(struct chat_program *p);
void chat_program_end_input(struct chat_program *p);

/* Has it ended? Then it has been waited for. */
bool chat_program_over(struct chat_program *p);

/* Wait for it at most so long. */
bool chat_program_await(struct chat_program *p, int timeout_ms);

/* It is asked to end, and made to in the end. Free with chat_program_fini. */
void chat_program_end(struct chat_program *p, int patience_ms);
void chat_program_fini(struct chat_program *p);

/* "ended with status 1", "was ended by signal 9". Returns `out`. */
#define CHAT_STATUS 64
char *chat_program_status(const struct chat_program *p, char out[CHAT_STATUS]);

#endif
