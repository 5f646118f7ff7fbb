/*
 * The limit: what it costs to send a message to many sockets when nothing else is done.
 *
 *   limit MEMBERS MESSAGES SIZE BATCH
 *
 * One process has a connection over loopback to each of MEMBERS sockets, which another process reads and
 * throws away, and sends MESSAGES of SIZE bytes to every one of them, BATCH of them in each send(2).
 * No server that gives each member its own bytes by send(2) can cost less.
 *
 * Prints one line: `cpu_ns=N per_s=M`: CPU time of the sending process for each message and member, and
 * how many of those there were in a second.
 */
#include "common/err.h"
#include "common/net.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES ((size_t)256 * 1024)

static void die(const char *what)
{
	fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t nanoseconds(clockid_t which)
{
	struct timespec t;

	if (clock_gettime(which, &t) != 0)
		die("clock_gettime");
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Connect them all, and read until each has ended. */
static void read_all(const struct net_address *at, int members)
{
	uint8_t *buffer = malloc(READ_BYTES);
	int set = epoll_create1(EPOLL_CLOEXEC), open = 0;

	for (int i = 0; i < members; i++) {
		int fd;
		int r = net_connect(at, &fd);
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
		if ((r != 0 && r != ERR_AGAIN) || poll(&p, 1, 10000) != 1 ||
			epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) != 0)
			die("connect");
		open++;
	}
	while (open && buffer) {
		struct epoll_event events[256];
		int n = epoll_wait(set, events, 256, -1);
		for (int i = 0; i < n; i++) {
			size_t got;
			int r = net_recv(events[i].data.fd, buffer, READ_BYTES, &got);
			if (r == 0 || r == ERR_AGAIN)
				continue;
			net_close(events[i].data.fd);
			open--;
		}
	}
	_exit(0);
}

static void send_whole(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		size_t sent = 0;
		int r = net_sendv(fd, &piece, 1, &sent);
		if (r != 0 && r != ERR_AGAIN)
			die("send");
		bytes += sent;
		size -= sent;
		if (size)
			(void)poll(&p, 1, -1);
	}
}

static void measure(const int *fds, int members, uint64_t messages, size_t size, size_t batch)
{
	uint8_t *bytes = calloc(batch, size);
	uint64_t cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), wall = nanoseconds(CLOCK_MONOTONIC);
	uint64_t rounds = messages / batch;

	if (!bytes)
		die("memory");
	for (uint64_t k = 0; k < rounds; k++) {
		for (int i = 0; i < members; i++)
			send_whole(fds[i], bytes, batch * size);
	}
	double count = (double)(rounds * batch) * members;
	cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = nanoseconds(CLOCK_MONOTONIC) - wall;
	printf("cpu_ns=%.1f per_s=%.0f\n", (double)cpu / count, count / (double)wall * 1e9);
	free(bytes);
}

int main(int argc, char **argv)
{
	struct rlimit limit = {65536, 65536};
	struct net_address at;
	const char *why;
	size_t count;
	int listener;

	if (argc != 5) {
		fprintf(stderr, "usage: limit MEMBERS MESSAGES SIZE BATCH\n");
		return 2;
	}
	int members = (int)strtol(argv[1], NULL, 10);
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (net_resolve("127.0.0.1", 0, SOCK_STREAM, true, &at, 1, &count, &why) != 0 ||
		net_listen(&at, 4096, 0, &listener) != 0 || net_local(listener, &at) != 0)
		die("listen");
	pid_t child = fork();
	if (child == 0)
		read_all(&at, members);
	int *fds = calloc((size_t)members, sizeof(*fds));
	for (int i = 0; fds && i < members; i++) {
		struct pollfd p = {.fd = listener, .events = POLLIN};
		struct net_address peer;
		if (poll(&p, 1, 10000) != 1 || net_accept(listener, &fds[i], &peer) != 0)
			die("accept");
	}
	if (fds)
		measure(fds, members, strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10),
			strtoul(argv[4], NULL, 10));
	for (int i = 0; fds && i < members; i++)
		net_close(fds[i]);
	free(fds);
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}
