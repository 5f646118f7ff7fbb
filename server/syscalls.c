#include "server/syscalls.h"

#include "common/err.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
	int call;
	uint32_t action;
} calls[] = {
#define ALLOWED(name) {SCMP_SYS(name), SCMP_ACT_ALLOW},
#define DEADLY(name)  {SCMP_SYS(name), SCMP_ACT_KILL_PROCESS},
#include "server/syscalls.def"
#undef DEADLY
#undef ALLOWED
};

/* Where clone has its flags: clone(2), "C library/kernel differences". */
#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/* Allowed where one argument, masked, has one of these values. AF_UNIX is also what if_indextoname
 * asks the kernel through. */
static const struct {
	int call;
	unsigned argument;
	scmp_datum_t mask, value;
} conditional[] = {
	{SCMP_SYS(socket), 0, UINT32_MAX, AF_INET},
	{SCMP_SYS(socket), 0, UINT32_MAX, AF_INET6},
	{SCMP_SYS(socket), 0, UINT32_MAX, AF_NETLINK},
	{SCMP_SYS(socket), 0, UINT32_MAX, AF_UNIX},
	{SCMP_SYS(socketpair), 0, UINT32_MAX, AF_UNIX},
	{SCMP_SYS(clone), CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD},
	/* Executable, as for a library that is loaded late, or writable, but never both... */
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0},
	{SCMP_SYS(mmap), 2, PROT_EXEC | PROT_WRITE, PROT_EXEC},
	{SCMP_SYS(mmap2), 2, PROT_EXEC, 0},
	{SCMP_SYS(mmap2), 2, PROT_EXEC | PROT_WRITE, PROT_EXEC},
	/* ... one after the other neither. */
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
	{SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NAME},
	{SCMP_SYS(prctl), 0, UINT32_MAX, PR_GET_NAME},
	{SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_VMA}, /* names of memory, in newer C libraries */
	/* Reading a limit; setting one has a pointer here. */
	{SCMP_SYS(prlimit64), 2, UINT64_MAX, 0},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, TCGETS},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, FIONBIO},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFNAME},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFINDEX},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFFLAGS},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFADDR},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, SIOCGIFMTU},
};

/* One that this architecture does not have needs no rule. */
static int judge(int result)
{
	return result == -EDOM ? 0 : result;
}

static int add_conditional(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(conditional) / sizeof(conditional[0]) && r == 0; i++) {
		const struct scmp_arg_cmp test = {.arg = conditional[i].argument,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = conditional[i].mask,
			.datum_b = conditional[i].value};
		r = judge(seccomp_rule_add_array(
			filter, SCMP_ACT_ALLOW, conditional[i].call, 1, &test));
	}
	return r;
}

/* Signals to this process alone: abort, and what the C library tells its own threads. */
static int add_own_signals(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp self = {.arg = 0,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = UINT32_MAX,
		.datum_b = (scmp_datum_t)getpid()};
	int r = judge(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self));

	if (r == 0)
		r = judge(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, &self));
	return r;
}

/* Not a thread, so a new process. */
static int add_no_process(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp process = {.arg = CLONE_FLAGS,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = CLONE_THREAD,
		.datum_b = 0};

	return judge(seccomp_rule_add_array(
		filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, &process));
}

static int compose(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && r == 0; i++)
		r = judge(seccomp_rule_add_array(filter, calls[i].action, calls[i].call, 0, NULL));
	if (r == 0)
		r = add_conditional(filter);
	if (r == 0)
		r = add_own_signals(filter);
	return r ? r : add_no_process(filter);
}

int syscalls_restrict(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!filter) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	/* A tree instead of a list: most calls are then decided in a few steps. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	int r = compose(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r == 0)
		return 0;
	errno = -r;
	return ERR_SYSTEM;
}
