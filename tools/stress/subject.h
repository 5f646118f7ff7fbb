/*
 * The subject: the server that is measured, as a process of this machine.
 *
 * Either it is started for the run (--local) and ends with it, or it is looked for: whoever listens
 * where the load connects to (proc_pid_fd(5), proc_net(5)), as far as this user may see that. On
 * another machine there is nothing to see.
 *
 * One that is started has a keeper (subject_keeper.h), so it ends, and its folder goes, however this
 * program ends: by SIGKILL too.
 *
 * Sources: pidfd_open(2), clock_getcpuclockid(3), proc(5). One thread.
 */
#ifndef LANCHAT_STRESS_SUBJECT_H
#define LANCHAT_STRESS_SUBJECT_H

#include "common/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct subject;

#define SUBJECT_SPARE   256 /* descriptors of a server of ours, beside those of its clients */
#define SUBJECT_TROUBLE 256

/* What it has used so far. What the system does not tell is 0. */
struct subject_sample {
	uint64_t cpu_ns;   /* of all its threads, in user space and in the kernel */
	uint64_t resident; /* bytes */
	uint32_t threads;
	uint32_t descriptors;
};

/* How a server of our own is to run. */
struct subject_options {
	const char *program; /* lanchatd; NULL: beside this program, else in $PATH */
	const char
		*history; /* "off", or the value of --sync: "os", "full"; NULL: as usual, "full" */
	size_t clients;   /* that it will have: it gets descriptors for them */
	bool plaintext;
	bool limits;  /* with its usual limits; else those that a client can run into are off */
	int patience; /* ms in which it has to be ready; 0: as usual, 10 s */
	FILE *tell; /* borrowed until subject_end: a line says what is waited for for long; NULL: none */
	int stop; /* borrowed: nobody wants to wait for it any more once this can be read; 0: never */
};

/* Start lanchatd with a data folder of its own, which is removed again, and wait until it can be
 * connected to at `*at`. Before other threads are started, for it forks. ERR_SYSTEM, ERR_MEMORY,
 * ERR_TIMEOUT, ERR_CLOSED: `stop` could be read; `error` has a line. */
int subject_start(const struct subject_options *o, struct net_address *at, struct subject **out,
	char *error, size_t size);

/* The process of this machine that listens at `at`. Of several that have the socket: the one that
 * was started last, which is the service, not what activates it. ERR_NOT_FOUND: there is none that
 * may be seen, or `at` is not this machine. ERR_MEMORY. */
int subject_find(const struct net_address *at, struct subject **out);

/* Once subject_end is through with it, `trouble` (SUBJECT_TROUBLE bytes) has the last warning or error
 * that a server of our own has told, clean for a terminal; "": there was none. NULL is allowed. */
void subject_listen(struct subject *s, char *trouble);

pid_t subject_pid(const struct subject *s);

/* Its command line, as one string with blanks, cut where there is no room; "" where it is not known.
 * What a terminal should not be sent is '?'. */
const char *subject_command(const struct subject *s);

/* What it has used until now. It costs this program some microseconds for each thread and each
 * mapping of the subject's. ERR_CLOSED: it has ended. */
int subject_look(const struct subject *s, struct subject_sample *out);

/* End it in good order if it was started, within 30 s, and remove its folder; forget about it. Where
 * somebody stopped it (SIGSTOP), it is let go on for that.
 * `error` (may be NULL) has how it ended and what it said last where it did not end well, with line
 * ends: then ERR_SYSTEM. NULL is allowed. */
int subject_end(struct subject *s, char *error, size_t size);

#endif
