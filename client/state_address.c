#include "client/state_address.h"

#include "common/err.h"
#include "common/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HEX       (2 * IDENTITY_SIZE)
#define KEPT_MOST 1000 /* addresses; the oldest go */
#define LINE_SIZE (HEX + 1 + 512)

static int path_of(const char *folder, const char *name, char *out)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX ? 0 : ERR_TOO_BIG;
}

static FILE *open_to_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f && fd >= 0)
		(void)close(fd);
	return f;
}

/* The address of a line, which loses its end; NULL when it is not of this kind. */
static char *address_of(char *line)
{
	char *end = strchr(line, '\n');

	if (!end || strspn(line, "0123456789abcdef") != HEX || line[HEX] != ' ')
		return NULL;
	*end = '\0';
	return line + HEX + 1;
}

int state_address_find(const char *folder, const char *address, uint8_t server[IDENTITY_SIZE])
{
	char path[PATH_MAX];
	char line[LINE_SIZE];
	bool found = false;

	if (path_of(folder, "addresses", path) != 0)
		return ERR_NOT_FOUND;
	FILE *f = open_to_read(path);
	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *known = address_of(line);
		found = known && strcmp(known, address) == 0;
	}
	if (f)
		(void)fclose(f);
	if (!found)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < IDENTITY_SIZE; i++) {
		char pair[3] = {line[2 * i], line[2 * i + 1], '\0'};
		server[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return 0;
}

/* The new file: this address first, then what the old one has of others. */
static bool write_file(FILE *out, const char *old, const char *address, const uint8_t *server)
{
	char line[LINE_SIZE];
	FILE *in = open_to_read(old);
	bool ok = true;

	for (size_t i = 0; i < IDENTITY_SIZE; i++)
		ok = fprintf(out, "%02x", server[i]) > 0 && ok;
	ok = fprintf(out, " %s\n", address) > 0 && ok;
	for (int count = 1; in && count < KEPT_MOST && fgets(line, sizeof(line), in);) {
		const char *known = address_of(line);
		if (!known || strcmp(known, address) == 0)
			continue;
		ok = fprintf(out, "%.*s %s\n", HEX, line, known) > 0 && ok;
		count++;
	}
	if (in)
		(void)fclose(in);
	return ok;
}

static int replace(const char *folder, const char *address, const uint8_t *server)
{
	char path[PATH_MAX];
	char fresh[PATH_MAX];
	int r = path_of(folder, "addresses", path);

	if (r == 0)
		r = path_of(folder, "addresses.new", fresh);
	if (r)
		return r;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		int error = errno;
		if (fd >= 0)
			(void)close(fd);
		errno = error;
		return ERR_SYSTEM;
	}
	bool ok = write_file(f, path, address, server);
	ok = fclose(f) == 0 && ok;
	return ok && rename(fresh, path) == 0 ? 0 : ERR_SYSTEM;
}

int state_address_put(const char *folder, const char *address, const uint8_t server[IDENTITY_SIZE])
{
	char path[PATH_MAX];

	if (!address[0] || strchr(address, '\n'))
		return ERR_ARGUMENT;
	if (HEX + strlen(address) + sizeof(" \n") > LINE_SIZE)
		return ERR_TOO_BIG;
	int r = path_of(folder, "addresses.lock", path);
	if (r == 0)
		r = folder_make(folder);
	if (r)
		return r;
	int lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return ERR_SYSTEM;
	/* Held for the time of one small file. */
	r = flock(lock, LOCK_EX) == 0 ? replace(folder, address, server) : ERR_SYSTEM;
	int error = errno;
	(void)close(lock);
	errno = error;
	return r;
}
