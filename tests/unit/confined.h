/*
 * A process of its own in which a test enters a sandbox, from which there is no way back, and tries
 * things. The answers are numbers: Check's assertions belong to the process that the test runs in.
 */
#ifndef LANCHAT_TEST_CONFINED_H
#define LANCHAT_TEST_CONFINED_H

#define CONFINED_SKIP 77 /* an answer: this machine lacks what the test is about */

/* Run attempt() there. Its answer (0 to 255), or minus the number of the signal that ended it. */
int confined_run(int (*attempt)(void *context), void *context);

#endif
