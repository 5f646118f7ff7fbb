#include "tools/stress/subject_keeper.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* All that the keeper has; it is on its stack. */
struct keeper {
	int channel;
	int words; /* what the server writes to stderr */
	int ended; /* pidfd of the server */
	pid_t server;
	int64_t deadline; /* clock_ms: for its end; INT64_MAX: not told to */
	int64_t patience;
	size_t used; /* of report.said */
	char line[KEEPER_LINE];
	size_t line_used;
	struct keeper_report report;
};

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

void keeper_remove(const char *folder)
{
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* ---- the server's process, until it is the server ---- */

static void nothing_at(int fd, int flags)
{
	/* Not close-on-exec: where nothing is open there, it is already the one. */
	int null = open("/dev/null", flags);

	if (null >= 0 && null != fd) {
		(void)dup2(null, fd);
		(void)close(null);
	}
}

/* As many descriptors as it needs: only root may have more than the hard limit. */
static void raise_descriptors(size_t needed)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_max >= needed)
		return;
	rlim_t most = l.rlim_max;
	l.rlim_cur = l.rlim_max = needed;
	if (setrlimit(RLIMIT_NOFILE, &l) == 0)
		return;
	dprintf(STDERR_FILENO, "%zu descriptors are needed, and %ju may be had: see ulimit -Hn\n",
		needed, (uintmax_t)most);
	_exit(1);
}

/* What signals do is inherited, and so is what holds them up. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void be_server(const struct keeper_order *order, pid_t keeper, int words)
{
	/* Of the process, as it has one thread. It may have gone before this. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != keeper)
		_exit(1);
	(void)dup2(words, STDERR_FILENO);
	reset_signals();
	raise_descriptors(order->descriptors);
	/* It is no service, even where this program is started by one. */
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("LISTEN_PID");
	(void)execvp(order->arguments[0], order->arguments);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", order->arguments[0], strerror(errno));
	_exit(127);
}

/* ---- the keeper ---- */

/* Keep the last lines. */
static void add_words(struct keeper *k, const char *bytes, size_t count)
{
	char *said = k->report.said;
	size_t room = sizeof k->report.said - 1;

	if (count > room) {
		bytes += count - room;
		count = room;
	}
	if (k->used + count > room) {
		size_t gone = k->used + count - room;

		memmove(said, said + gone, k->used - gone);
		k->used -= gone;
	}
	memcpy(said + k->used, bytes, count);
	k->used += count;
	said[k->used] = '\0';
}

/* A line of its log: a time, how bad it is, and what. Of what the sandbox is, it warns each time that it
 * is root who runs it. */
static void end_line(struct keeper *k)
{
	k->line[k->line_used] = '\0';
	k->line_used = 0;
	const char *level = strchr(k->line, ' ');
	if (!level || strncmp(level, " warning sandbox:", 17) == 0)
		return;
	if (strncmp(level, " warning ", 9) == 0 || strncmp(level, " error ", 7) == 0)
		(void)snprintf(k->report.trouble, sizeof k->report.trouble, "%s", level + 1);
}

/* The last words may be of clients that leave, and the reason long gone from them. */
static void note_trouble(struct keeper *k, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			end_line(k);
		else if (k->line_used < sizeof k->line - 1)
			k->line[k->line_used++] = bytes[i];
	}
}

/* Read what there is. Its end is not the server's: that one is told by the pidfd. */
static void hear(struct keeper *k)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(k->words, bytes, sizeof bytes)) > 0) {
		add_words(k, bytes, (size_t)got);
		note_trouble(k, bytes, (size_t)got);
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		net_close(k->words);
		k->words = -1;
	}
}

/* A first line that has lost its beginning goes. */
static void cut_words(struct keeper *k)
{
	const char *next = strchr(k->report.said, '\n');

	if (k->used == sizeof k->report.said - 1 && next && next[1])
		memmove(k->report.said, next + 1, strlen(next + 1) + 1);
}

/* The channel is at its end: end the server. */
static void begin_end(struct keeper *k)
{
	if (k->report.asked)
		return;
	k->report.asked = true;
	k->deadline = clock_ms() + k->patience;
	(void)kill(k->server, SIGTERM);
	/* Who is stopped would not take it. */
	(void)kill(k->server, SIGCONT);
}

static void be_late(struct keeper *k)
{
	k->report.killed = true;
	k->deadline = INT64_MAX;
	(void)kill(k->server, SIGKILL);
}

/* Until the server has ended. */
static void watch(struct keeper *k)
{
	struct pollfd fds[3];

	for (;;) {
		fds[0] = (struct pollfd){.fd = k->ended, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = k->words, .events = POLLIN};
		/* Once it is at its end, there is no more to learn from it. */
		fds[2] = (struct pollfd){.fd = k->report.asked ? -1 : k->channel, .events = POLLIN};
		if (poll(fds, 3, clock_poll_timeout(k->deadline)) < 0 && errno != EINTR)
			be_late(k);
		if (fds[1].revents)
			hear(k);
		if (fds[0].revents)
			return;
		if (fds[2].revents)
			begin_end(k);
		if (clock_ms() >= k->deadline)
			be_late(k);
	}
}

static void report(struct keeper *k)
{
	siginfo_t info = {.si_code = 0};

	if (k->words >= 0)
		hear(k);
	cut_words(k);
	/* WNOWAIT: it stays as a zombie, with its number and its times. */
	(void)waitid(P_PID, (id_t)k->server, &info, WEXITED | WNOWAIT);
	k->report.status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
						      : W_EXITCODE(0, info.si_status);
	(void)send(k->channel, &k->report, sizeof k->report, MSG_NOSIGNAL);
}

/* Away from what the program has open, and from its terminal. */
static int settle(int channel)
{
	char name[] = "stress-keeper";
	sigset_t asks;

	(void)setsid();
	(void)prctl(PR_SET_NAME, name);
	/* Held up, not ignored: what the server's process is told before it is the server waits there. */
	sigemptyset(&asks);
	sigaddset(&asks, SIGINT);
	sigaddset(&asks, SIGTERM);
	sigaddset(&asks, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &asks, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
	channel = fcntl(channel, F_DUPFD, 3);
	if (channel < 0)
		return -1;
	if (channel > 3)
		(void)close_range(3, (unsigned)channel - 1, 0);
	(void)close_range((unsigned)channel + 1, ~0U, 0);
	nothing_at(STDIN_FILENO, O_RDONLY);
	nothing_at(STDOUT_FILENO, O_WRONLY);
	nothing_at(STDERR_FILENO, O_WRONLY);
	return fcntl(channel, F_SETFD, FD_CLOEXEC) < 0 ? -1 : channel;
}

static bool start_server(struct keeper *k, const struct keeper_order *order)
{
	pid_t self = getpid();
	int words[2];

	if (pipe2(words, O_CLOEXEC) != 0)
		return false;
	k->words = words[0];
	(void)fcntl(words[0], F_SETFL, O_NONBLOCK);
	k->server = fork();
	if (k->server == 0)
		be_server(order, self, words[1]);
	int why = errno;
	net_close(words[1]);
	errno = why;
	k->ended = k->server > 0 ? pidfd_open(k->server, 0) : -1;
	if (k->server > 0 && k->ended < 0) {
		why = errno;
		(void)kill(k->server, SIGKILL);
		errno = why;
	}
	return k->ended >= 0;
}

_Noreturn static void be_keeper(const struct keeper_order *order, int channel)
{
	struct keeper k = {
		.words = -1, .ended = -1, .deadline = INT64_MAX, .patience = order->patience};
	struct pollfd end = {.events = POLLIN};

	k.channel = settle(channel);
	if (k.channel >= 0 && !start_server(&k, order)) {
		pid_t none = -errno;
		(void)send(k.channel, &none, sizeof none, MSG_NOSIGNAL);
	} else if (k.channel >= 0) {
		(void)send(k.channel, &k.server, sizeof k.server, MSG_NOSIGNAL);
		watch(&k);
		report(&k);
		end.fd = k.channel;
		while (!k.report.asked && poll(&end, 1, -1) < 0 && errno == EINTR)
			;
		(void)waitpid(k.server, NULL, 0);
	}
	keeper_remove(order->folder);
	_exit(0);
}

int keeper_start(const struct keeper_order *order, pid_t *keeper, int *channel)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_SYSTEM;
	pid_t pid = fork();
	if (pid == 0) {
		net_close(ends[0]);
		be_keeper(order, ends[1]);
	}
	int saved = errno;
	net_close(ends[1]);
	if (pid < 0) {
		net_close(ends[0]);
		errno = saved;
		return ERR_SYSTEM;
	}
	*keeper = pid;
	*channel = ends[0];
	return 0;
}
