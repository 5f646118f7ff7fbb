#include "server/port_owner.h"

#include "common/err.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTENING 0x0a /* TCP_LISTEN in the table's state column */

/* The blank-separated field number `n` (0 the first) of a line; NULL when it has fewer. */
static const char *field(const char *line, int n)
{
	line += strspn(line, " ");
	while (n-- > 0) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return *line ? line : NULL;
}

/* The inode of a line of the table that is a listener on the port; else 0. The fields are: number,
 * local address, remote address, state, queues, timer, retransmits, uid, timeout, inode. */
static unsigned long inode_of(const char *line, uint16_t port)
{
	const char *local = field(line, 1), *state = field(line, 3), *inode = field(line, 9);
	const char *colon = local ? strchr(local, ':') : NULL;

	if (!colon || !inode || strtoul(colon + 1, NULL, 16) != port ||
		strtoul(state, NULL, 16) != LISTENING)
		return 0;
	return strtoul(inode, NULL, 10);
}

/* The socket's inode, 0 when no line of the table is a listener on that port. */
static unsigned long find_inode(const char *table, uint16_t port)
{
	char line[512];
	unsigned long found = 0;
	FILE *f = fopen(table, "re");

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f))
		found = inode_of(line, port);
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
