/*
 * Whether this system allows hosts to be made, found out by making one in a process of its own, which
 * takes everything with it when it ends; and if not, what would allow it.
 */
#include "tools/lab/site_private.h"

#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the user namespace ---- */

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t written = write(fd, text, strlen(text));
	int error = errno;
	(void)close(fd);
	errno = error;
	return written == (ssize_t)strlen(text);
}

/* One stays who one is, so that files still are one's own. */
static bool enter_user_namespace(struct site_failure *failed)
{
	unsigned user = geteuid(), group = getegid();
	char map[64];

	failed->step = SITE_STEP_USER;
	if (unshare(CLONE_NEWUSER) != 0)
		goto failed;
	failed->step = SITE_STEP_MAP;
	/* Who could leave groups could get at what these groups are kept from. */
	if (!write_text("/proc/self/setgroups", "deny"))
		goto failed;
	(void)snprintf(map, sizeof(map), "%u %u 1", group, group);
	if (!write_text("/proc/self/gid_map", map))
		goto failed;
	(void)snprintf(map, sizeof(map), "%u %u 1", user, user);
	if (!write_text("/proc/self/uid_map", map))
		goto failed;
	return true;
failed:
	failed->error = errno;
	return false;
}

/* ---- trying ---- */

struct answer {
	bool good;
	struct site_failure failed;
};

static struct answer make_one(bool user_namespace)
{
	struct answer a = {0};
	struct site_host host;

	a.good = (!user_namespace || enter_user_namespace(&a.failed)) &&
		 site_make_host(SITE_POINT_TO_POINT, 0, &host, &a.failed);
	return a;
}

/* In a process of its own. */
static struct answer try(bool user_namespace)
{
	struct answer a = {.failed = {SITE_STEP_THREAD, 0}};
	int ends[2], status;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		a.failed.error = errno;
		return a;
	}
	pid_t child = fork();
	if (child == 0) {
		a = make_one(user_namespace);
		_exit(write(ends[1], &a, sizeof(a)) == (ssize_t)sizeof(a) ? 0 : 1);
	}
	int error = errno;
	(void)close(ends[1]);
	if (child < 0) {
		a.failed.error = error;
	} else {
		struct answer told;
		if (read(ends[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
			a = told;
		else
			a.failed.error = EIO;
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	(void)close(ends[0]);
	return a;
}

/* Who may not make network namespaces, or not set them up, may be allowed to in a user namespace. */
static bool lacks_rights(const struct answer *a)
{
	return a->failed.error == EPERM &&
	       (a->failed.step == SITE_STEP_NAMESPACE || a->failed.step == SITE_STEP_DEVICE);
}

int site_enter(char reason[SITE_REASON])
{
	struct answer a = try(false);
	struct site_facts facts;

	if (a.good)
		return 0;
	if (lacks_rights(&a)) {
		a = try(true);
		if (a.good && enter_user_namespace(&a.failed))
			return 0;
	}
	site_facts(&facts);
	site_explain(&a.failed, &facts, reason);
	return ERR_REFUSED;
}
