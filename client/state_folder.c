#include "client/state_folder.h"

#include "common/err.h"
#include "common/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX(bytes) (2 * (bytes))

static void to_hex(const uint8_t *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * size] = '\0';
}

void state_folder_name(const uint8_t instance[INSTANCE_ID], char out[STATE_NAME])
{
	to_hex(instance, INSTANCE_ID, out);
}

bool state_folder_instance(const char *text, uint8_t out[INSTANCE_ID])
{
	if (strlen(text) != HEX(INSTANCE_ID) ||
		strspn(text, "0123456789abcdef") != HEX(INSTANCE_ID))
		return false;
	for (size_t i = 0; i < INSTANCE_ID; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

int state_folder_path(char *out, const char *folder, const char *name, const char *suffix)
{
	int n = snprintf(out, PATH_MAX, "%s/%s%s", folder, name, suffix);

	return n > 0 && n < PATH_MAX ? 0 : ERR_TOO_BIG;
}

int state_folder(const char *folder, const uint8_t server[IDENTITY_SIZE], char *out)
{
	char name[sizeof("servers/") + HEX(IDENTITY_SIZE)] = "servers/";

	to_hex(server, IDENTITY_SIZE, name + strlen("servers/"));
	int r = state_folder_path(out, folder, name, "");
	return r ? r : folder_make(out);
}

int state_folder_lock(const char *folder, const char *name, int how, int *out)
{
	char path[PATH_MAX];
	int r = state_folder_path(path, folder, name, ".lock");

	if (r)
		return r;
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_SYSTEM;
	if (flock(fd, how) < 0) {
		r = errno == EWOULDBLOCK ? ERR_AGAIN : ERR_SYSTEM;
		int error = errno;
		(void)close(fd);
		errno = error;
		return r;
	}
	*out = fd;
	return 0;
}

/* SQLite gives a new file the mode that the umask leaves; here it is there before. */
int state_folder_make(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ERR_SYSTEM;
	(void)close(fd);
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct state_file *)a)->changed;
	const struct timespec *y = &((const struct state_file *)b)->changed;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

/* Add a file to the list, if it is one of ours. */
static int add_file(
	DIR *dir, const char *name, struct state_file **list, size_t *count, size_t *room)
{
	size_t length = strlen(name);
	struct stat st;

	if (length != HEX(INSTANCE_ID) + strlen(".db") ||
		strcmp(name + HEX(INSTANCE_ID), ".db") != 0 ||
		fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return 0;
	if (*count == *room) {
		size_t more = *room ? *room * 2 : 16;
		struct state_file *longer = realloc(*list, more * sizeof(**list));
		if (!longer)
			return ERR_MEMORY;
		*list = longer;
		*room = more;
	}
	struct state_file *c = &(*list)[(*count)++];
	memcpy(c->name, name, HEX(INSTANCE_ID));
	c->name[HEX(INSTANCE_ID)] = '\0';
	c->changed = st.st_mtim;
	return 0;
}

int state_folder_list(const char *folder, struct state_file **out, size_t *count)
{
	struct state_file *list = NULL;
	const struct dirent *entry;
	size_t room = 0;
	DIR *dir = opendir(folder);
	int r = 0;

	*count = 0;
	if (!dir)
		return ERR_SYSTEM;
	while (r == 0 && (entry = readdir(dir)))
		r = add_file(dir, entry->d_name, &list, count, &room);
	closedir(dir);
	if (r) {
		free(list);
		return r;
	}
	if (list)
		qsort(list, *count, sizeof(*list), newest_first);
	*out = list;
	return 0;
}
