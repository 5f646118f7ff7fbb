#include "server/port_owner.h"

#include "common/err.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
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

/* An address as the table has it: words of 32 bits, each in the machine's order, in hexadecimal. */
static void print_listed(const struct net_address *a, char out[33])
{
	uint32_t words[4];
	size_t count = a->u.any.sa_family == AF_INET ? 1 : 4;

	if (count == 1)
		words[0] = a->u.v4.sin_addr.s_addr;
	else
		memcpy(words, &a->u.v6.sin6_addr, sizeof(words));
	for (size_t i = 0; i < count; i++)
		snprintf(out + 8 * i, 9, "%08X", (unsigned)words[i]);
}

static bool is_any(const char *listed, size_t digits)
{
	return strspn(listed, "0") >= digits;
}

/* How sure is it that a listener on `local` is in the way of one on `wanted`? 0: it is not; 3: it is. */
static int conflict(const char *local, const char *wanted)
{
	size_t digits = strcspn(local, ":"), length = strlen(wanted);
	bool any = is_any(local, digits) || is_any(wanted, length);

	if (digits == length && strncmp(local, wanted, digits) == 0)
		return 3;
	if (digits == length)
		return any ? 2 : 0;
	/* Every address of IPv6 may be every one of IPv4 as well. */
	return any ? 1 : 0;
}

struct search {
	char wanted[33];
	uint16_t port;
	int best; /* as conflict() has it */
	unsigned long inode;
};

/* Take the listener of a line of the table, if it fits better. The fields are: number, local address, remote
 * address, state, queues, timer, retransmits, uid, timeout, inode. */
static void take_line(struct search *s, const char *line)
{
	const char *local = field(line, 1), *state = field(line, 3), *inode = field(line, 9);
	const char *colon = local ? strchr(local, ':') : NULL;

	if (!colon || !inode || strtoul(colon + 1, NULL, 16) != s->port ||
		strtoul(state, NULL, 16) != LISTENING)
		return;
	int sure = conflict(local, s->wanted);
	if (sure > s->best) {
		s->best = sure;
		s->inode = strtoul(inode, NULL, 10);
	}
}

static void look_through(struct search *s, const char *table)
{
	char line[512];
	FILE *f = fopen(table, "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		take_line(s, line);
	(void)fclose(f);
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

int port_owner(const struct net_address *wanted, char *out, size_t size)
{
	struct search s = {.port = net_port(wanted)};
	char target[48], name[32];
	int r = ERR_NOT_FOUND;

	print_listed(wanted, s.wanted);
	look_through(&s, "/proc/net/tcp");
	look_through(&s, "/proc/net/tcp6");
	DIR *d = s.inode ? opendir("/proc") : NULL;
	if (!d)
		return ERR_NOT_FOUND;
	snprintf(target, sizeof(target), "socket:[%lu]", s.inode);
	for (struct dirent *e; r && (e = readdir(d)) != NULL;) {
		if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(e->d_name, target))
			continue;
		name_of(e->d_name, name, sizeof(name));
		snprintf(out, size, "%s (process %s)", name, e->d_name);
		r = 0;
	}
	(void)closedir(d);
	return r;
}
