/*
 * The sandbox: what the server gives up once it has all that needs rights.
 *
 * Its parts are Landlock (landlock.h), a list of system calls (syscalls.h), no capabilities
 * (privileges.h), no new privileges, and no core files, which would have keys and what people say in
 * them. Entered after the data folder is locked, the key is read and the ports are bound, and before
 * the first thread starts. In an instrumented build (instrumented.h) the first two are off, and core
 * files are not.
 */
#ifndef LANCHAT_SERVER_SANDBOX_H
#define LANCHAT_SERVER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_mode {
	SANDBOX_AUTO,    /* what there is */
	SANDBOX_OFF,     /* nothing of it */
	SANDBOX_REQUIRE, /* all of it, or the server does not start */
};

#define SANDBOX_FILES 4 /* that are read again */

struct sandbox_config {
	enum sandbox_mode mode;
	const char *data; /* the folder; files in it may be made, written and removed */
	/* A file that the server has written and will rename in its folder and remove; or NULL. */
	const char *port_file;
	/* Files that are read again while the server runs. All of their folders may be read, because an
	 * editor puts a new file in a file's place. NULLs are passed over. */
	const char *files[SANDBOX_FILES];
};

/* What came of it. */
struct sandbox {
	bool entered;       /* it is not off */
	bool instrumented;  /* why both of these are off */
	bool syscalls;      /* the list is in force */
	int syscalls_error; /* errno: why not */
	int landlock_abi;   /* 0: off */
	int landlock_error; /* errno: why */
};

/* Enter it. ERR_SYSTEM with one line in `error`: a part is missing that is required, or privileges
 * could not be dropped; the process may be confined in part, so it should end. */
int sandbox_enter(
	const struct sandbox_config *config, struct sandbox *out, char *error, size_t size);

/* Which parts are on, as one line of text, for the log. */
void sandbox_describe(const struct sandbox *s, char *text, size_t size);

#endif
