#include "server/notify.h"

#include "common/err.h"
#include "common/log.h"
#include "common/net.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define VARIABLE     "NOTIFY_SOCKET"
#define MESSAGE_MAX  1024
#define SEND_SECONDS 5

int notify_address(const char *text, struct sockaddr_un *address, socklen_t *length)
{
	size_t size = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || size < 2 || size >= sizeof(address->sun_path))
		return ERR_ARGUMENT;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, text, size);
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	if (text[0] == '@')
		address->sun_path[0] =
			'\0'; /* and the name is all the rest: it has no end of its own */
	else
		(*length)++;
	return 0;
}

/* Connected once: what Landlock says of abstract sockets does not touch one that is. */
static int open_socket(const struct sockaddr_un *address, socklen_t length)
{
	const struct timeval patience = {.tv_sec = SEND_SECONDS};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)address, length) == 0)
		return fd;
	net_close(fd);
	return -1;
}

void notify_open(struct notify *n)
{
	const char *text = getenv(VARIABLE);
	struct sockaddr_un address;
	socklen_t length;

	n->fd = -1;
	if (!text || !*text)
		return;
	if (notify_address(text, &address, &length) != 0) {
		log_warning(
			"%s='%s' is neither a path nor @name: nobody is notified", VARIABLE, text);
	} else {
		n->fd = open_socket(&address, length);
		if (n->fd < 0)
			log_warning(
				"%s='%s': %s: nobody is notified", VARIABLE, text, strerror(errno));
	}
	(void)unsetenv(VARIABLE);
}

void notify_send(const struct notify *n, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	if (n->fd < 0)
		return;
	va_start(ap, format);
	int length = vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(message))
		length = (int)sizeof(message) - 1;
	while (send(n->fd, message, (size_t)length, MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

void notify_close(struct notify *n)
{
	net_close(n->fd);
	n->fd = -1;
}
