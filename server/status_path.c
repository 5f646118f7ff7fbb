#include "server/status_path.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

void status_path(const char *folder, int folder_fd, struct sockaddr_un *address, socklen_t *length)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	int n = snprintf(
		address->sun_path, sizeof(address->sun_path), "%s/" STATUS_SOCKET_FILE, folder);
	if (n < 0 || (size_t)n >= sizeof(address->sun_path))
		n = snprintf(address->sun_path, sizeof(address->sun_path),
			"/proc/self/fd/%d/" STATUS_SOCKET_FILE, folder_fd);
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
}
