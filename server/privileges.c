#include "server/privileges.h"

#include "common/err.h"
#include "server/instrumented.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT ((uid_t)0)

bool privileges_are_roots(void)
{
	return geteuid() == ROOT;
}

/* ---- who ---- */

/* A number that is no user's name: somebody without an entry, as in containers. */
static bool read_number(const char *text, struct privileges *p)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	/* The largest means "leave it" to setresuid. */
	if (text[0] < '0' || text[0] > '9' || *end || errno || number >= UINT32_MAX)
		return false;
	p->uid = (uid_t)number;
	p->gid = (gid_t)number;
	return true;
}

static bool look_up(const char *wanted, struct privileges *p)
{
	bool number = read_number(wanted, p);
	const struct passwd *entry = getpwnam(wanted);

	if (!entry && number)
		entry = getpwuid(p->uid);
	if (!entry)
		return number;
	p->uid = entry->pw_uid;
	p->gid = entry->pw_gid;
	if (entry->pw_dir && strlen(entry->pw_dir) < sizeof(p->home))
		snprintf(p->home, sizeof(p->home), "%s", entry->pw_dir);
	return true;
}

int privileges_find(const char *wanted, struct privileges *out, char *error, size_t size)
{
	struct privileges p = {.uid = geteuid(), .gid = getegid()};

	if (wanted) {
		if (strlen(wanted) >= sizeof(p.name) || !look_up(wanted, &p)) {
			snprintf(error, size, "--user: there is no user '%s'", wanted);
			return ERR_ARGUMENT;
		}
		snprintf(p.name, sizeof(p.name), "%s", wanted);
		p.change = privileges_are_roots() && p.uid != ROOT;
		if (!privileges_are_roots() && p.uid != geteuid()) {
			snprintf(error, size,
				"--user: only root can become '%s'; start lanchatd as root, or as "
				"that "
				"user without --user",
				wanted);
			return ERR_ARGUMENT;
		}
	}
	*out = p;
	return 0;
}

/* ---- capabilities ---- */

/* No more than these, of those that there are. Without libcap, whose part of this is one call. */
static int keep_capabilities(uint64_t wanted)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	bool less = false;

	if (syscall(SYS_capget, &head, data) != 0)
		return ERR_SYSTEM;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t kept = data[i].permitted & (uint32_t)(wanted >> (32 * i));
		less = less || data[i].permitted != kept || data[i].effective != kept ||
		       data[i].inheritable != 0;
		data[i] = (struct __user_cap_data_struct){.permitted = kept, .effective = kept};
	}
	/* Where there is nothing to give up, a stricter sandbox around us need not allow the call. */
	return !less || syscall(SYS_capset, &head, data) == 0 ? 0 : ERR_SYSTEM;
}

static uint64_t bit(unsigned capability)
{
	return (uint64_t)1 << capability;
}

/* What a program that is executed could have at most; nothing is executed, so failing is no harm. */
static void empty_bounding_set(void)
{
	for (unsigned long c = 0; c <= CAP_LAST_CAP; c++)
		(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
}

int privileges_drop(void)
{
	uint64_t kept = 0;

	/* Root without these could not use a data folder that it does not own. */
	if (privileges_are_roots())
		kept = bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) | bit(CAP_CHOWN);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return keep_capabilities(kept);
}

/* ---- becoming ---- */

void privileges_take_home(const struct privileges *p)
{
	if (!p->change)
		return;
	(void)unsetenv("XDG_DATA_HOME");
	(void)(p->home[0] ? setenv("HOME", p->home, 1) : unsetenv("HOME"));
}

static int fail(const struct privileges *p, const char *what, char *error, size_t size)
{
	snprintf(error, size, "--user: cannot become '%s': %s: %s", p->name, what, strerror(errno));
	return ERR_SYSTEM;
}

static int set_groups(const struct privileges *p)
{
	/* initgroups wants the name in the data base, not the number that may have been given. */
	const struct passwd *entry = getpwuid(p->uid);

	if (entry)
		return initgroups(entry->pw_name, p->gid);
	return setgroups(0, NULL);
}

/* Was all of it changed, and can none of it be had back? */
static bool is_final(const struct privileges *p)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) != 0 || getresgid(&g[0], &g[1], &g[2]) != 0)
		return false;
	for (int i = 0; i < 3; i++) {
		if (u[i] != p->uid || g[i] != p->gid)
			return false;
	}
	return setuid(ROOT) != 0 && seteuid(ROOT) != 0 && (p->gid == 0 || setgid(0) != 0);
}

int privileges_become(const struct privileges *p, char *error, size_t size)
{
	if (!p->change)
		return 0;
	empty_bounding_set();
	if (set_groups(p) != 0)
		return fail(p, "its groups", error, size);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresgid(p->gid, p->gid, p->gid) != 0)
		return fail(p, "its group", error, size);
	if (setresuid(p->uid, p->uid, p->uid) != 0)
		return fail(p, "its id", error, size);
	if (keep_capabilities(bit(CAP_NET_BIND_SERVICE)) != 0)
		return fail(p, "capabilities", error, size);
	(void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	if (!is_final(p)) {
		errno = EPERM;
		return fail(p, "root could be had back", error, size);
	}
	/* The kernel has just forbidden what the leak checker does. */
	if (INSTRUMENTED)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	privileges_take_home(p);
	return 0;
}
