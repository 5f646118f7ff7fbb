#include "tools/lab/site_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTAINER                                                                                  \
	"in a container it takes --cap-add NET_ADMIN --cap-add SYS_ADMIN --device /dev/net/tun "   \
	"--security-opt seccomp=unconfined"

/* ---- what the system says ---- */

static bool read_text(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t length = read(fd, out, size - 1);
	(void)close(fd);
	if (length < 0)
		return false;
	out[length] = '\0';
	return true;
}

static int number_at(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	return end == text || number < 0 || number > INT32_MAX ? -1 : (int)number;
}

static int setting(const char *path)
{
	char text[32];

	return read_text(path, text, sizeof(text)) ? number_at(text) : -1;
}

static int seccomp_mode(void)
{
	char text[8192];
	const char *line = read_text("/proc/self/status", text, sizeof(text))
				   ? strstr(text, "\nSeccomp:")
				   : NULL;

	return line ? number_at(line + strlen("\nSeccomp:")) : -1;
}

void site_facts(struct site_facts *out)
{
	*out = (struct site_facts){
		.userns_clone = setting("/proc/sys/kernel/unprivileged_userns_clone"),
		.apparmor = setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
		.user_namespaces = setting("/proc/sys/user/max_user_namespaces"),
		.net_namespaces = setting("/proc/sys/user/max_net_namespaces"),
		.seccomp = seccomp_mode(),
		.root = geteuid() == 0,
	};
}

/* ---- in words ---- */

static const char *call_words(enum site_step step)
{
	switch (step) {
	case SITE_STEP_THREAD:
		return "a process to try it in cannot be started";
	case SITE_STEP_USER:
		return "unshare(CLONE_NEWUSER)";
	case SITE_STEP_MAP:
		return "writing the map of the user namespace";
	case SITE_STEP_NAMESPACE:
		return "unshare(CLONE_NEWNET)";
	case SITE_STEP_DESCRIPTOR:
		return "open /proc/thread-self/ns/net";
	case SITE_STEP_OPEN:
		return "open /dev/net/tun";
	case SITE_STEP_DEVICE:
		return "ioctl(TUNSETIFF)";
	case SITE_STEP_INTERFACE:
		return "setting up the interface";
	}
	return "";
}

/* Namespaces were not allowed: by whom? */
static const char *namespace_remedy(const struct site_failure *f, const struct site_facts *facts)
{
	if (f->error == ENOSPC || (f->step == SITE_STEP_USER && facts->user_namespaces == 0) ||
		(f->step == SITE_STEP_NAMESPACE && facts->net_namespaces == 0))
		return f->step == SITE_STEP_NAMESPACE
			       ? "no more network namespaces may be made: "
				 "sudo sysctl user.max_net_namespaces=10000"
			       : "no more user namespaces may be made: "
				 "sudo sysctl user.max_user_namespaces=10000";
	if (f->error == EINVAL)
		return f->step == SITE_STEP_NAMESPACE
			       ? "this kernel has no network namespaces (CONFIG_NET_NS)"
			       : "this kernel has no user namespaces (CONFIG_USER_NS), or the "
				 "process has "
				 "threads already";
	if (f->step == SITE_STEP_USER && facts->userns_clone == 0)
		return "user namespaces are for root alone here: "
		       "sudo sysctl kernel.unprivileged_userns_clone=1, or run it with sudo";
	if (facts->apparmor == 1 && !facts->root)
		return "AppArmor keeps ordinary users from it: sudo sysctl "
		       "kernel.apparmor_restrict_unprivileged_userns=0, or run it with sudo";
	if (facts->seccomp == 2)
		return "a seccomp filter keeps this process from it; " CONTAINER;
	return facts->root ? "root has not all its rights here; " CONTAINER : "run it with sudo";
}

static const char *tun_remedy(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return "the driver is not loaded: sudo modprobe tun; "
		       "in a container it takes --device /dev/net/tun";
	case EACCES:
		return "it is for root alone here: sudo chmod 0666 /dev/net/tun, or run it with "
		       "sudo";
	default:
		return CONTAINER;
	}
}

static const char *remedy(const struct site_failure *f, const struct site_facts *facts)
{
	switch (f->step) {
	case SITE_STEP_USER:
	case SITE_STEP_MAP:
	case SITE_STEP_NAMESPACE:
		return namespace_remedy(f, facts);
	case SITE_STEP_DESCRIPTOR:
		return "is /proc there? sudo mount -t proc proc /proc";
	case SITE_STEP_OPEN:
		return tun_remedy(f->error);
	case SITE_STEP_DEVICE:
	case SITE_STEP_INTERFACE:
		return f->error == EPERM ? CONTAINER : "";
	case SITE_STEP_THREAD:
		break;
	}
	return "";
}

void site_explain(
	const struct site_failure *failed, const struct site_facts *facts, char reason[SITE_REASON])
{
	const char *allows = remedy(failed, facts);

	(void)snprintf(reason, SITE_REASON, "%s: %s%s%s", call_words(failed->step),
		strerror(failed->error), *allows ? "; " : "", allows);
}
