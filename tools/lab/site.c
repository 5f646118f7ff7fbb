#include "tools/lab/site_private.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- in a host's namespace ---- */

/* A thread that goes to another namespace is made for it and ends there: nobody has to come back, which
 * an ordinary user could not, for the first namespace is not his. */
static int in_thread(void *(*work)(void *), void *argument)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, work, argument);

	return error ? error : pthread_join(thread, NULL);
}

struct making {
	enum site_medium medium;
	size_t number;
	struct site_host *host;
	struct site_failure failed;
	bool good;
};

static void *make_host(void *argument)
{
	struct making *m = argument;

	m->good = site_make_host(m->medium, m->number, m->host, &m->failed);
	return NULL;
}

struct asking {
	int netns;
	int family, type, protocol;
	int fd, error;
};

static void *make_socket(void *argument)
{
	struct asking *a = argument;

	a->fd = -1;
	if (setns(a->netns, CLONE_NEWNET) == 0)
		a->fd = socket(a->family, a->type | SOCK_CLOEXEC, a->protocol);
	a->error = errno;
	return NULL;
}

/* ---- the site ---- */

int site_new(enum site_medium medium, size_t hosts, struct site **out, char reason[SITE_REASON])
{
	struct site_facts facts;

	if (hosts < 2 || hosts > (medium == SITE_BROADCAST ? SITE_HOSTS : 2))
		return ERR_ARGUMENT;
	struct site *s = calloc(1, sizeof(*s));
	if (!s)
		return ERR_MEMORY;
	s->medium = medium;
	s->hosts = hosts;
	for (size_t i = 0; i < SITE_HOSTS; i++)
		s->host[i] = (struct site_host){-1, -1};
	for (size_t i = 0; i < hosts; i++) {
		struct making m = {.medium = medium, .number = i, .host = &s->host[i]};
		int error = in_thread(make_host, &m);
		if (error)
			m.failed = (struct site_failure){SITE_STEP_THREAD, error};
		if (m.good)
			continue;
		site_facts(&facts);
		site_explain(&m.failed, &facts, reason);
		site_free(s);
		return ERR_REFUSED;
	}
	*out = s;
	return 0;
}

void site_free(struct site *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SITE_HOSTS; i++) {
		if (s->host[i].device >= 0)
			(void)close(s->host[i].device);
		if (s->host[i].netns >= 0)
			(void)close(s->host[i].netns);
	}
	free(s);
}

size_t site_hosts(const struct site *s)
{
	return s->hosts;
}

enum site_medium site_medium(const struct site *s)
{
	return s->medium;
}

int site_namespace(const struct site *s, size_t host)
{
	return s->host[host].netns;
}

int site_device(const struct site *s, size_t host)
{
	return s->host[host].device;
}

struct in_addr site_address(const struct site *s, size_t host)
{
	struct in_addr subnet;

	(void)s;
	(void)inet_pton(AF_INET, SITE_SUBNET, &subnet);
	return (struct in_addr){htonl(ntohl(subnet.s_addr) + (uint32_t)host + 1)};
}

void site_hardware(const struct site *s, size_t host, uint8_t out[SITE_HARDWARE])
{
	uint32_t address = ntohl(site_address(s, host).s_addr);

	/* Of nobody's making: the second bit says so. */
	out[0] = 0x02;
	out[1] = 0;
	for (int i = 0; i < 4; i++)
		out[2 + i] = (uint8_t)(address >> (24 - 8 * i));
}

int site_socket(const struct site *s, size_t host, int family, int type, int protocol)
{
	struct asking a = {s->host[host].netns, family, type, protocol, -1, 0};
	int error = in_thread(make_socket, &a);

	errno = error ? error : a.error;
	return error ? -1 : a.fd;
}

/* An interface is found by the namespace of the socket that asks. */
int site_set_mtu(struct site *s, size_t host, uint32_t mtu)
{
	struct ifreq r;
	int fd = site_socket(s, host, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return ERR_SYSTEM;
	memset(&r, 0, sizeof(r));
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", SITE_DEVICE);
	r.ifr_mtu = (int)mtu;
	int done = ioctl(fd, SIOCSIFMTU, &r), error = errno;
	(void)close(fd);
	errno = error;
	return done == 0 ? 0 : ERR_SYSTEM;
}

/* ---- programs ---- */

/* Between fork and exec, where a process with threads may call little. errno says why it returned. */
static void become(int netns, char *const argv[], const int standard[3], pid_t parent)
{
	int fd[3];
	sigset_t none;

	if (setns(netns, CLONE_NEWNET) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		return;
	if (getppid() != parent)
		_exit(127); /* it ended before it could be asked for */
	/* Out of the way first: one of them may be where another goes to. */
	for (int i = 0; i < 3; i++) {
		int from = standard[i] >= 0 ? standard[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
		fd[i] = from >= 0 ? fcntl(from, F_DUPFD_CLOEXEC, 3) : -1;
		if (fd[i] < 0)
			return;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			return;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execvp(argv[0], argv);
}

pid_t site_spawn(const struct site *s, size_t host, char *const argv[], const int standard[3])
{
	int ends[2], error = 0;
	pid_t parent = getpid();

	/* What closes on exec without a word: it was executed. */
	if (pipe2(ends, O_CLOEXEC) != 0)
		return ERR_SYSTEM;
	pid_t child = fork();
	if (child == 0) {
		become(s->host[host].netns, argv, standard, parent);
		error = errno;
		(void)!write(ends[1], &error, sizeof(error));
		_exit(127);
	}
	if (child < 0)
		error = errno;
	(void)close(ends[1]);
	if (child > 0 && read(ends[0], &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = 0;
	(void)close(ends[0]);
	if (error == 0)
		return child;
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	errno = error;
	return ERR_SYSTEM;
}
