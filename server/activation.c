#include "server/activation.h"

#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char pid_variable[] = "LISTEN_PID", fds_variable[] = "LISTEN_FDS",
		  names_variable[] = "LISTEN_FDNAMES";

static bool read_number(const char *text, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && errno == 0;
}

int activation_read(
	const char *listen_pid, const char *listen_fds, pid_t self, size_t most, size_t *count)
{
	unsigned long pid, fds;

	if (!listen_pid || !listen_fds) {
		*count = 0;
		return 0;
	}
	if (!read_number(listen_pid, &pid) || !read_number(listen_fds, &fds))
		return ERR_ARGUMENT;
	/* Inherited from somebody who should have removed them. */
	if (pid != (unsigned long)self) {
		*count = 0;
		return 0;
	}
	if (fds > most)
		return ERR_ARGUMENT;
	*count = fds;
	return 0;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

static bool is_listening_tcp(int fd)
{
	int family = option(fd, SO_DOMAIN);

	return (family == AF_INET || family == AF_INET6) && option(fd, SO_TYPE) == SOCK_STREAM &&
	       option(fd, SO_PROTOCOL) == IPPROTO_TCP && option(fd, SO_ACCEPTCONN) == 1;
}

static bool prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

int activation_take(size_t most, size_t *count, char *error, size_t size)
{
	const char *pid = getenv(pid_variable), *fds = getenv(fds_variable);
	size_t found = 0;
	int r = activation_read(pid, fds, getpid(), most, &found);

	if (r)
		snprintf(error, size,
			"LISTEN_PID=%s LISTEN_FDS=%s do not hand over 0 to %zu sockets", pid, fds,
			most);
	(void)unsetenv(pid_variable);
	(void)unsetenv(fds_variable);
	(void)unsetenv(names_variable);
	for (size_t i = 0; i < found && r == 0; i++) {
		int fd = ACTIVATION_FIRST + (int)i;
		if (is_listening_tcp(fd) && prepare(fd))
			continue;
		snprintf(error, size,
			"descriptor %d, which was handed over (LISTEN_FDS), is no listening TCP "
			"socket",
			fd);
		r = ERR_ARGUMENT;
	}
	if (r == 0)
		*count = found;
	return r;
}
