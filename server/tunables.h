/*
 * What the C library is told of how to use memory: some of it has to be told before it starts.
 *
 * Most threads of a server wait for an idle connection, and glibc keeps for each of them what the thread
 * has freed (its tcache: 1 KiB, with TLS 7), and room for the thread-local variables of libraries that
 * might be loaded later, below which the frames of a waiting session begin on a page of their own.
 * Both are settings that are read from GLIBC_TUNABLES before main (ld.so(8); the manual of glibc,
 * "Tunables"), so the program starts itself once more. It is a third of what an idle connection takes.
 */
#ifndef LANCHAT_SERVER_TUNABLES_H
#define LANCHAT_SERVER_TUNABLES_H

/* Start this program once more with the same arguments, unless GLIBC_TUNABLES is set, or something is
 * preloaded: whoever did that wants to look on. Where it cannot be started, it goes on as it is. Before
 * there is a descriptor, a thread or a signal that must not get lost. */
void tunables_apply(char **argv);

/* The rest, mallopt(3). Before there are threads. */
void tunables_set(void);

#endif
