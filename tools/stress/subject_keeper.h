/*
 * The keeper: a process between this program and the server that it started.
 *
 * It is the server's parent, reads its stderr, ends it when it is told to, or when this program is no
 * more, whatever ended that, and then removes the folder. It is in a session of its own, so ^C at the
 * terminal does not end the server in the middle of a run that is still to be told of. Should the
 * keeper itself be killed, the kernel tells the server to end (PR_SET_PDEATHSIG).
 *
 * The channel is a socket of packets. The keeper sends the server's process number, or
 * minus errno where there is none to start, and struct
 * keeper_report once it has ended. It is told to end it by the end of what comes (shutdown(2), or a
 * close by the kernel). Until then it does not reap the server, so its number stays its own.
 */
#ifndef LANCHAT_STRESS_SUBJECT_KEEPER_H
#define LANCHAT_STRESS_SUBJECT_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KEEPER_SAID 2048
#define KEEPER_LINE 256

struct keeper_report {
	int status;  /* as from waitpid(2) */
	bool asked;  /* it was told to end before it did */
	bool killed; /* it took too long, and was ended by SIGKILL */
	char trouble
		[KEEPER_LINE]; /* the last warning or error of lanchatd's log; "": there was none */
	char said[KEEPER_SAID]; /* the last lines on its stderr, whole ones, terminated */
};

struct keeper_order {
	char *const *arguments; /* of the server; the first one is the program */
	const char *folder;     /* to be removed with all that is in it */
	size_t descriptors;     /* that it needs */
	int64_t patience;       /* ms from SIGTERM to SIGKILL */
};

/* Start a keeper, and by it a server. `*keeper` is for waitpid(2), `*channel` for the caller to close.
 * Forks, so before other threads are started. ERR_SYSTEM with errno. */
int keeper_start(const struct keeper_order *order, pid_t *keeper, int *channel);

/* Remove a folder and what is in it, on its file system; errors do not matter. */
void keeper_remove(const char *folder);

#endif
