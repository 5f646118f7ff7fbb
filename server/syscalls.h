/*
 * System calls: those that a running server needs, and no others (seccomp).
 *
 * What is not on the list is answered in one of two ways.
 *
 * - ENOSYS, "this kernel has no such call", for almost everything. A newer C library, SQLite or
 *   OpenSSL tries new calls first and goes back to the old ones on exactly this answer (EPERM would
 *   be taken for the result), so an update of the system does not end the server, and nothing is
 *   silently wrong: whoever makes a call that matters looks at its result, and an error is told.
 * - The end of the process, by SIGSYS, for what no library of ours ever does and an intruder's code
 *   would do first: executing a program, a new process, tracing and other processes' memory, mounts,
 *   namespaces, kernel modules. Being killed loses nothing that was acknowledged.
 *
 * Arguments are looked at where that is possible without reading memory: sockets are of four families,
 * no memory is made executable that is or was writable, signals go to this process alone. What is in
 * memory cannot be seen, so clone3 "does not exist" and the C library takes clone. Files are
 * Landlock's matter (landlock.h). Source: seccomp(2), libseccomp(3).
 */
#ifndef LANCHAT_SERVER_SYSCALLS_H
#define LANCHAT_SERVER_SYSCALLS_H

/* Confine the whole process, all its threads. It can gain no privileges any more
 * (PR_SET_NO_NEW_PRIVS). There is no way back. ERR_SYSTEM with errno, and it is not confined. */
int syscalls_restrict(void);

#endif
