#include "server/status_ask.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/net.h"
#include "server/data_folder.h"
#include "server/maintenance.h"
#include "server/status_path.h"
#include "server/status_print.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int status_ask_check(const struct settings *t, char *error, size_t size)
{
	const char *what = NULL;

	if (!t->status && (t->json || t->openmetrics))
		what = "--json and --openmetrics say how --status looks: give it too";
	else if (t->json && t->openmetrics)
		what = "--json and --openmetrics are two ways to show --status: choose one";
	else if (t->status && maintenance_asked(t))
		what = "--status does not go together with --backup, --restore, --verify or "
		       "--set-aside";
	if (!what)
		return 0;
	snprintf(error, size, "%s", what);
	return ERR_ARGUMENT;
}

static enum status_format format_of(const struct settings *t)
{
	return t->json ? STATUS_JSON : t->openmetrics ? STATUS_OPENMETRICS : STATUS_TEXT;
}

/* What connect(2) says. */
static int explain_connect(const char *folder, char *error, size_t size)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED: /* one that was killed left its socket */
		snprintf(error, size, "no server runs on '%s'", folder);
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
		snprintf(error, size, "the server on '%s' answers its own user and root alone",
			folder);
		return ERR_REFUSED;
	case EAGAIN: /* nobody took the connection in time */
		snprintf(error, size, "the server on '%s' is too busy to answer", folder);
		return ERR_TIMEOUT;
	default:
		snprintf(error, size, "cannot ask the server on '%s': %s", folder, strerror(errno));
		return ERR_SYSTEM;
	}
}

static int connect_to(const char *folder, int *out, char *error, size_t size)
{
	struct timeval patience = {.tv_sec = STATUS_ASK_MS / 1000};
	struct sockaddr_un address;
	socklen_t length;
	int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = folder_fd < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	/* Where many ask, a connection waits to be taken; this bounds that, and sending (socket(7)). */
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		status_path(folder, folder_fd, &address, &length);
	}
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, length) != 0) {
		r = explain_connect(folder, error, size);
		net_close(fd);
	} else {
		*out = fd;
	}
	net_close(folder_fd);
	return r;
}

static int send_line(int fd, enum status_format format)
{
	char line[STATUS_LINE_MAX];
	int n = snprintf(line, sizeof(line), "%s\n", status_format_names[format]);

	/* Shorter than any socket's buffer, so all of it goes. */
	return send(fd, line, (size_t)n, MSG_NOSIGNAL) == n ? 0 : ERR_CLOSED;
}

/* All that comes, at most `size` bytes, until the end. */
static int receive_all(int fd, char *buffer, size_t size, size_t *length)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t deadline = clock_ms() + STATUS_ASK_MS;

	*length = 0;
	while (*length < size) {
		if (poll(&p, 1, clock_poll_timeout(deadline)) == 0)
			return ERR_TIMEOUT;
		ssize_t n = recv(fd, buffer + *length, size - *length, MSG_DONTWAIT);
		if (n == 0)
			return 0;
		if (n > 0)
			*length += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return ERR_CLOSED;
	}
	return ERR_TOO_BIG;
}

/* What follows the header, which says how much it is. */
static int find_body(char *answer, size_t length, char **body, size_t *size)
{
	char *end = memchr(answer, '\n', length);

	if (!end)
		return ERR_PROTOCOL;
	*body = end + 1;
	*size = length - (size_t)(*body - answer);
	char header[STATUS_HEADER_MAX];
	int n = snprintf(header, sizeof(header), STATUS_HEADER, *size);
	bool whole = n == *body - answer && memcmp(header, answer, (size_t)n) == 0;
	return whole ? 0 : ERR_PROTOCOL;
}

static int print(const char *body, size_t length, FILE *out, char *error, size_t size)
{
	if (fwrite(body, 1, length, out) == length && fflush(out) == 0)
		return 0;
	snprintf(error, size, "cannot write the status: %s", strerror(errno));
	return ERR_SYSTEM;
}

static int ask(const char *folder, enum status_format format, FILE *out, char *error, size_t size)
{
	size_t length, body_length;
	char *answer, *body;
	int fd;
	int r = connect_to(folder, &fd, error, size);

	if (r)
		return r;
	answer = malloc(STATUS_ASK_MOST);
	r = answer ? send_line(fd, format) : ERR_MEMORY;
	if (r == 0)
		r = receive_all(fd, answer, STATUS_ASK_MOST, &length);
	if (r == 0)
		r = find_body(answer, length, &body, &body_length);
	if (r)
		snprintf(error, size, "the server on '%s' gave no whole answer: %s", folder,
			err_text(r));
	else
		r = print(body, body_length, out, error, size);
	free(answer);
	net_close(fd);
	return r;
}

int status_ask(const struct settings *t, FILE *out, char *error, size_t size)
{
	struct data_folder folder;
	char why[PATH_MAX + 256];
	int r = data_folder_look(t->data, &folder, why, sizeof(why));

	if (r == ERR_SYSTEM && errno == ENOENT)
		r = ERR_NOT_FOUND;
	if (r) {
		snprintf(error, size, "%s%s", r == ERR_NOT_FOUND ? "no server runs there: " : "",
			why);
		return r;
	}
	r = ask(folder.path, format_of(t), out, error, size);
	data_folder_close(&folder);
	return r;
}
