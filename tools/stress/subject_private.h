/*
 * What the parts of the subject have in common: subject.c looks at a process, subject_local.c has one
 * of its own, subject_find.c looks for one.
 */
#ifndef LANCHAT_STRESS_SUBJECT_PRIVATE_H
#define LANCHAT_STRESS_SUBJECT_PRIVATE_H

#include "tools/stress/subject.h"

#include <time.h>

#define SUBJECT_COMMAND 512
#define SUBJECT_FOLDER  256

struct subject {
	pid_t pid;
	int ended; /* pidfd: readable when it has */
	clockid_t clock;
	bool has_clock;
	char command[SUBJECT_COMMAND];

	/* Of one that was started; the others have -1 and "". */
	pid_t keeper;
	int channel; /* to the keeper */
	char folder[SUBJECT_FOLDER];
	char *trouble; /* borrowed; NULL: nobody asked */
	FILE *tell;    /* as in subject_options */
};

/* NULL when memory is out. */
struct subject *subject_new(void);

/* Look at this process from now on. ERR_NOT_FOUND: it has ended already. */
int subject_take(struct subject *s, pid_t pid);

/* A numeric field from 3 on of proc_pid_stat(5), counted from 1; 0: it is gone. */
uint64_t subject_stat(pid_t pid, int field);

/* What proc_pid_stat(5) has as its state: 'T' is stopped; '\0': it is gone. */
char subject_state(pid_t pid);

/* Close what it has. NULL is allowed. */
void subject_free(struct subject *s);

#endif
