#include "server/sandbox.h"

#include "common/err.h"
#include "common/folder.h"
#include "server/instrumented.h"
#include "server/landlock.h"
#include "server/privileges.h"
#include "server/syscalls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* What libraries read, whenever they like: random numbers (SQLite; OpenSSL where there is no
 * getrandom), the reserve of an acceptor, the time zone (strftime), what malloc wants to know of the
 * machine, and code that the C library loads late, as to end a thread. */
static const struct landlock_place of_libraries[] = {
	{"/dev/null", LANDLOCK_DEVICE},
	{"/dev/urandom", LANDLOCK_READ},
	{"/dev/random", LANDLOCK_READ},
	{"/etc/localtime", LANDLOCK_READ},
	{"/usr/share/zoneinfo", LANDLOCK_READ},
	{"/proc/sys/vm/overcommit_memory", LANDLOCK_READ},
	{"/sys/devices/system/cpu", LANDLOCK_READ},
	{"/proc/self/status", LANDLOCK_READ}, /* for --status */
	{"/proc/self/fd", LANDLOCK_READ},
	{"/etc/ld.so.cache", LANDLOCK_READ},
	{"/lib", LANDLOCK_READ},
	{"/lib64", LANDLOCK_READ},
	{"/usr/lib", LANDLOCK_READ},
};
#define OF_LIBRARIES (sizeof(of_libraries) / sizeof(of_libraries[0]))

#define PART 80 /* of the line for the log */

/* Every file has two folders: that of its path, and that of where links lead. */
#define PLACES_MAX (OF_LIBRARIES + 2 + 2 * SANDBOX_FILES)

struct places {
	struct landlock_place list[PLACES_MAX];
	size_t count;
	char *owned[1 + 2 * SANDBOX_FILES]; /* paths to free */
	size_t owned_count;
};

static void add(struct places *p, const char *path, enum landlock_use use)
{
	p->list[p->count++] = (struct landlock_place){.path = path, .use = use};
}

static int add_folder_of(struct places *p, const char *file, enum landlock_use use)
{
	char *folder = folder_of(file);

	if (!folder)
		return ERR_MEMORY;
	p->owned[p->owned_count++] = folder;
	add(p, folder, use);
	return 0;
}

static int add_file(struct places *p, const char *file)
{
	char *real = realpath(file, NULL);
	int r = add_folder_of(p, file, LANDLOCK_READ);

	if (r == 0 && real)
		r = add_folder_of(p, real, LANDLOCK_READ);
	free(real);
	return r;
}

static int collect(const struct sandbox_config *config, struct places *p)
{
	int r = 0;

	for (size_t i = 0; i < OF_LIBRARIES; i++)
		p->list[p->count++] = of_libraries[i];
	add(p, config->data, LANDLOCK_OWN);
	if (config->port_file)
		r = add_folder_of(p, config->port_file, LANDLOCK_NAMES);
	for (size_t i = 0; i < SANDBOX_FILES && r == 0; i++) {
		if (config->files[i])
			r = add_file(p, config->files[i]);
	}
	return r;
}

static int enter_landlock(int abi, const struct sandbox_config *config)
{
	struct places p = {.count = 0};
	int r = collect(config, &p);

	if (r == ERR_MEMORY)
		errno = ENOMEM;
	else
		r = landlock_enter(abi, p.list, p.count);
	int saved = errno;
	while (p.owned_count > 0)
		free(p.owned[--p.owned_count]);
	errno = saved;
	return r;
}

static int fail(const char *what, char *error, size_t size)
{
	snprintf(error, size, "the sandbox: %s: %s", what, strerror(errno));
	return ERR_SYSTEM;
}

/* A part that is not to be had: an error where it is required. */
static int without(
	enum sandbox_mode mode, const char *what, const char *why, char *error, size_t size)
{
	if (mode != SANDBOX_REQUIRE)
		return 0;
	snprintf(error, size, "--sandbox require: there is no %s: %s; --sandbox auto does without",
		what, why);
	return ERR_SYSTEM;
}

static int enter_parts(
	const struct sandbox_config *config, struct sandbox *s, char *error, size_t size)
{
	int abi = landlock_abi();
	int r = 0;

	if (enter_landlock(abi, config) == 0)
		s->landlock_abi = abi;
	else {
		s->landlock_error = errno;
		r = without(config->mode, "Landlock", strerror(errno), error, size);
	}
	if (r)
		return r;
	/* Last: the list has nothing of what is done above. */
	s->syscalls = syscalls_restrict() == 0;
	if (s->syscalls)
		return 0;
	s->syscalls_error = errno;
	return without(config->mode, "seccomp", strerror(errno), error, size);
}

int sandbox_enter(
	const struct sandbox_config *config, struct sandbox *out, char *error, size_t size)
{
	struct sandbox s = {.entered = config->mode != SANDBOX_OFF, .instrumented = INSTRUMENTED};
	int r = 0;

	/* What came with --user goes in any case. */
	if (s.entered || !privileges_are_roots())
		r = privileges_drop();
	if (r)
		return fail("capabilities", error, size);
	if (s.entered) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
			return fail("no new privileges", error, size);
		if (!s.instrumented && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
			return fail("no core files", error, size);
	}
	if (s.entered && s.instrumented)
		r = without(config->mode, "Landlock and no seccomp", "this build is instrumented",
			error, size);
	else if (s.entered)
		r = enter_parts(config, &s, error, size);
	if (r == 0)
		*out = s;
	return r;
}

/* "landlock (abi 3)", "no landlock (Operation not supported)" */
static void describe_part(char text[PART], bool on, const char *name, const char *detail)
{
	const char *no = on ? "" : "no ";

	if (detail)
		snprintf(text, PART, "%s%s (%s)", no, name, detail);
	else
		snprintf(text, PART, "%s%s", no, name);
}

void sandbox_describe(const struct sandbox *s, char *text, size_t size)
{
	const char *who =
		privileges_are_roots() ? "root: choose another user with --user" : "not root";
	char landlock[PART], syscalls[PART], abi[16];

	if (!s->entered) {
		snprintf(text, size, "sandbox: off; %s", who);
		return;
	}
	snprintf(abi, sizeof(abi), "abi %d", s->landlock_abi);
	describe_part(landlock, s->landlock_abi > 0, "landlock",
		s->landlock_abi > 0 ? abi
		: s->landlock_error ? strerror(s->landlock_error)
				    : NULL);
	describe_part(syscalls, s->syscalls, "seccomp",
		s->instrumented     ? "this build is instrumented"
		: s->syscalls_error ? strerror(s->syscalls_error)
				    : NULL);
	snprintf(text, size, "sandbox: %s, %s, no new privileges; %s", landlock, syscalls, who);
}
