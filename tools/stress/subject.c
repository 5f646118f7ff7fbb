#include "tools/stress/subject_private.h"

#include "common/err.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAT_LINE 1024

struct subject *subject_new(void)
{
	struct subject *s = calloc(1, sizeof *s);

	if (s) {
		s->pid = s->keeper = -1;
		s->ended = s->channel = -1;
	}
	return s;
}

void subject_free(struct subject *s)
{
	if (!s)
		return;
	net_close(s->ended);
	net_close(s->channel);
	free(s);
}

void subject_listen(struct subject *s, char *trouble)
{
	if (s)
		s->trouble = trouble;
}

pid_t subject_pid(const struct subject *s)
{
	return s->pid;
}

const char *subject_command(const struct subject *s)
{
	return s->command;
}

static FILE *open_of(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* proc_pid_cmdline(5): a zero byte behind each argument. */
static void read_command(struct subject *s)
{
	FILE *f = open_of(s->pid, "cmdline");
	size_t got = f ? fread(s->command, 1, sizeof s->command - 1, f) : 0;

	if (f)
		(void)fclose(f);
	while (got > 0 && !s->command[got - 1])
		got--;
	s->command[got] = '\0';
	for (size_t i = 0; i < got; i++) {
		if (!s->command[i])
			s->command[i] = ' ';
		else if (s->command[i] < ' ' || s->command[i] > '~')
			s->command[i] = '?';
	}
}

static bool has_ended(const struct subject *s)
{
	struct pollfd p = {.fd = s->ended, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}

int subject_take(struct subject *s, pid_t pid)
{
	s->pid = pid;
	s->ended = pidfd_open(pid, 0);
	if (s->ended < 0 || has_ended(s))
		return ERR_NOT_FOUND;
	s->has_clock = clock_getcpuclockid(pid, &s->clock) == 0;
	read_command(s);
	return 0;
}

/* ---- what it has used ---- */

/* The number behind "NAME:" in a file of lines of that kind; 0: there is none. */
static uint64_t number_of(pid_t pid, const char *file, const char *name)
{
	char line[256];
	size_t length = strlen(name);
	uint64_t number = 0;
	FILE *f = open_of(pid, file);

	if (!f)
		return 0;
	while (number == 0 && fgets(line, sizeof line, f)) {
		if (strncmp(line, name, length) == 0)
			number = strtoull(line + length, NULL, 10);
	}
	(void)fclose(f);
	return number;
}

/* The blank before a field from 3 on; NULL: it is gone. The second field, the name, may have anything in
 * it. */
static const char *find_field(pid_t pid, int field, char line[STAT_LINE])
{
	FILE *f = open_of(pid, "stat");

	if (!f)
		return NULL;
	size_t got = fread(line, 1, STAT_LINE - 1, f);
	(void)fclose(f);
	line[got] = '\0';
	const char *at = strrchr(line, ')');
	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at;
}

uint64_t subject_stat(pid_t pid, int field)
{
	char line[STAT_LINE];
	const char *at = find_field(pid, field, line);

	return at ? strtoull(at, NULL, 10) : 0;
}

char subject_state(pid_t pid)
{
	char line[STAT_LINE];
	const char *at = find_field(pid, 3, line);

	return at ? at[1] : '\0';
}

static uint64_t cpu_of(const struct subject *s)
{
	struct timespec t;

	if (s->has_clock && clock_gettime(s->clock, &t) == 0)
		return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
	return (subject_stat(s->pid, 14) + subject_stat(s->pid, 15)) *
	       (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* VmRSS leaves out, before Linux 6.2, up to 64 pages of each thread that were not added up yet, which
 * is all that a thread of lanchatd has. smaps_rollup counts the pages themselves. */
static uint64_t resident_of(pid_t pid)
{
	uint64_t kib = number_of(pid, "smaps_rollup", "Rss:");

	return 1024 * (kib > 0 ? kib : number_of(pid, "status", "VmRSS:"));
}

static uint32_t descriptors_of(pid_t pid)
{
	char path[64];
	struct stat st;
	uint32_t count = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	/* Since Linux 6.2 it is the folder's size. */
	if (stat(path, &st) == 0 && st.st_size > 0)
		return (uint32_t)st.st_size;
	DIR *d = opendir(path);
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		count += e->d_name[0] != '.';
	(void)closedir(d);
	return count;
}

int subject_look(const struct subject *s, struct subject_sample *out)
{
	struct subject_sample now = {
		.cpu_ns = cpu_of(s),
		.resident = resident_of(s->pid),
		.threads = (uint32_t)number_of(s->pid, "status", "Threads:"),
		.descriptors = descriptors_of(s->pid),
	};

	/* Afterwards: as long as it has not ended, its number is nobody else's. */
	if (has_ended(s))
		return ERR_CLOSED;
	*out = now;
	return 0;
}
