/*
 * Landlock: which files this process may still reach, whoever it runs as.
 *
 * After landlock_enter everything that was not named is out of reach, as are TCP connections to
 * elsewhere and new TCP listeners; descriptors that are open stay as they are. The kernel's interface
 * grew over the years: what a kernel does not know is left out, and where it has none of it, or it
 * is switched off, landlock_abi says 0. Before any thread starts, for it binds the calling thread and
 * those that it starts. There is no way back. Source: landlock(7),
 * https://docs.kernel.org/userspace-api/landlock.html.
 */
#ifndef LANCHAT_SERVER_LANDLOCK_H
#define LANCHAT_SERVER_LANDLOCK_H

#include <stddef.h>

enum landlock_use {
	LANDLOCK_READ,  /* files there may be read, and folders listed */
	LANDLOCK_NAMES, /* a folder: files may be renamed and removed, but not read or written */
	LANDLOCK_OWN,   /* a folder: files and sockets may be made, read, written, removed */
	LANDLOCK_DEVICE /* a file that may be read and written, never made */
};

struct landlock_place {
	const char *path;
	enum landlock_use use;
};

/* The version of the kernel's interface; 0: there is none. */
int landlock_abi(void);

/* Confine this thread to the places, by what version `abi` of the interface knows, at most
 * landlock_abi(); those that do not exist are passed over. The process can gain no privileges any
 * more (PR_SET_NO_NEW_PRIVS). ERR_SYSTEM with errno, and it is not confined; EOPNOTSUPP where `abi`
 * is 0. */
int landlock_enter(int abi, const struct landlock_place *places, size_t count);

#endif
