#include "tools/stress/subject_private.h"

#include "common/err.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTENING 0x0a /* TCP_LISTEN in the table's state column */

/* Is it an address of this machine? One that is not cannot be bound to, ip(7). Nothing is sent. */
static bool is_here(const struct net_address *at)
{
	struct net_address any_port = *at;
	int fd;

	if (net_udp(at->u.any.sa_family, &fd) != 0)
		return false;
	net_set_port(&any_port, 0);
	bool here = net_bind(fd, &any_port) == 0;
	net_close(fd);
	return here;
}

/* ---- the socket ---- */

/* An address as proc_net(5) prints it: words of 32 bits in hexadecimal, each in the machine's order. */
struct listed {
	uint32_t words[4];
	unsigned count; /* of words: 1 or 4 */
};

static bool is_any(const struct listed *l)
{
	for (unsigned i = 0; i < l->count; i++) {
		if (l->words[i] != 0)
			return false;
	}
	return true;
}

/* How well a listener's address fits: 0 not at all, 3 best. */
static int fit(const struct listed *l, const struct net_address *at)
{
	uint32_t wanted[4] = {0, 0, htonl(0xffff), 0}; /* as IPv6 has an IPv4 address, RFC 4291 */

	if (at->u.any.sa_family == AF_INET)
		wanted[3] = at->u.v4.sin_addr.s_addr;
	else
		memcpy(wanted, &at->u.v6.sin6_addr, sizeof wanted);
	if (memcmp(l->words, wanted + (4 - l->count), l->count * sizeof wanted[0]) == 0 &&
		(l->count == 4 || at->u.any.sa_family == AF_INET))
		return 3;
	if (!is_any(l))
		return 0;
	/* The wildcard of IPv6 takes IPv4 as well, unless it has IPV6_V6ONLY. */
	if (at->u.any.sa_family == AF_INET)
		return l->count == 1 ? 2 : 1;
	return l->count == 4 ? 2 : 0;
}

/* A line of the table: its listener's address, port and inode; false: it is none. The fields are:
 * number, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode. */
static bool read_listener(char *line, struct listed *l, uint16_t *port, uint64_t *inode)
{
	char *fields[10], *rest = line;
	size_t count = 0;

	while (count < 10 && (fields[count] = strsep(&rest, " \n")) != NULL)
		count += *fields[count] != '\0';
	if (count < 10 || strtoul(fields[3], NULL, 16) != LISTENING)
		return false;
	size_t digits = strcspn(fields[1], ":");
	if ((digits != 8 && digits != 32) || fields[1][digits] != ':')
		return false;
	l->count = (unsigned)(digits / 8);
	for (unsigned i = 0; i < l->count; i++) {
		char word[9];

		memcpy(word, fields[1] + (size_t)8 * i, 8);
		word[8] = '\0';
		l->words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	*port = (uint16_t)strtoul(fields[1] + digits + 1, NULL, 16);
	*inode = strtoull(fields[9], NULL, 10);
	return *inode != 0;
}

/* The inode of the listener that fits better than `*best`. */
static void look_through(
	const char *table, const struct net_address *at, int *best, uint64_t *inode)
{
	char line[512];
	FILE *f = fopen(table, "re");

	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		struct listed l = {.count = 0};
		uint16_t port;
		uint64_t its;

		if (!read_listener(line, &l, &port, &its) || port != net_port(at))
			continue;
		int fits = fit(&l, at);
		if (fits > *best) {
			*best = fits;
			*inode = its;
		}
	}
	(void)fclose(f);
}

/* ---- whose it is ---- */

/* Does one of the process's descriptors lead to `wanted`, "socket:[12345]"? */
static bool has_socket(const char *process, const char *wanted)
{
	char path[600], target[64];
	bool found = false;

	(void)snprintf(path, sizeof path, "/proc/%s/fd", process);
	DIR *d = opendir(path);
	if (!d)
		return false;
	for (struct dirent *e; !found && (e = readdir(d)) != NULL;) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	(void)closedir(d);
	return found;
}

/* -1: nobody's that may be seen. */
static pid_t owner_of(uint64_t inode)
{
	char wanted[48];
	pid_t owner = -1;
	uint64_t newest = 0;
	DIR *d = opendir("/proc");

	if (!d)
		return -1;
	(void)snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(e->d_name, wanted))
			continue;
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		uint64_t when = subject_stat(pid, 22);
		/* Several are started within a tick. */
		if (when > newest || (when == newest && pid > owner)) {
			newest = when;
			owner = pid;
		}
	}
	(void)closedir(d);
	return owner;
}

int subject_find(const struct net_address *at, struct subject **out)
{
	uint64_t inode = 0;
	int best = 0;

	if (!is_here(at))
		return ERR_NOT_FOUND;
	look_through("/proc/net/tcp", at, &best, &inode);
	look_through("/proc/net/tcp6", at, &best, &inode);
	pid_t owner = best > 0 ? owner_of(inode) : -1;
	if (owner < 0)
		return ERR_NOT_FOUND;
	struct subject *s = subject_new();
	if (!s)
		return ERR_MEMORY;
	int r = subject_take(s, owner);
	if (r) {
		subject_free(s);
		return r;
	}
	*out = s;
	return 0;
}
