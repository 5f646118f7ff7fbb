#include "server/port_owner.h"

#include "common/err.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTENING 0x0a /* TCP_LISTEN in the table's state column */

/* The socket's inode, 0 when no line of the table is a listener on that port. */
static unsigned long find_inode(const char *table, uint16_t port)
{
	char line[512];
	unsigned long found = 0;
	FILE *f = fopen(table, "re");

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f)) {
		unsigned local, state;
		unsigned long inode;
		if (sscanf(line,
			    " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
			    &local, &state, &inode) == 3 &&
			local == port && state == LISTENING)
			found = inode;
	}
	(void)fclose(f);
	return found;
}

/* Does one of the process's descriptors lead to `wanted`, "socket:[12345]"? */
static int has_socket(const char *process, const char *wanted)
{
	char folder[300], path[600], target[64];
	int found = 0;

	snprintf(folder, sizeof(folder), "/proc/%s/fd", process);
	DIR *d = opendir(folder);
	if (!d)
		return 0;
	for (struct dirent *e; !found && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	(void)closedir(d);
	return found;
}

static void name_of(const char *process, char *name, size_t size)
{
	char path[300];

	snprintf(name, size, "a program");
	snprintf(path, sizeof(path), "/proc/%s/comm", process);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(name, (int)size, f))
		name[strcspn(name, "\n")] = '\0';
	(void)fclose(f);
}

int port_owner(uint16_t port, char *out, size_t size)
{
	unsigned long inode = find_inode("/proc/net/tcp", port);
	char wanted[48], name[32];
	int r = ERR_NOT_FOUND;

	if (!inode)
		inode = find_inode("/proc/net/tcp6", port);
	DIR *d = inode ? opendir("/proc") : NULL;
	if (!d)
		return ERR_NOT_FOUND;
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	for (struct dirent *e; r && (e = readdir(d)) != NULL;) {
		if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(e->d_name, wanted))
			continue;
		name_of(e->d_name, name, sizeof(name));
		snprintf(out, size, "%s (process %s)", name, e->d_name);
		r = 0;
	}
	(void)closedir(d);
	return r;
}
