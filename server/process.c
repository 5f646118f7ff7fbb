#include "server/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_BYTES 4096 /* it has about 1500 */

void process_open(struct process *p)
{
	p->status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	p->descriptors = opendir("/proc/self/fd");
}

void process_close(struct process *p)
{
	if (p->status >= 0)
		(void)close(p->status);
	if (p->descriptors)
		(void)closedir(p->descriptors);
	*p = (struct process){.status = -1};
}

/* The number in the line that begins with `name`. */
static uint64_t find_number(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : PROCESS_UNKNOWN;
}

static uint64_t count_descriptors(DIR *d)
{
	uint64_t count = 0;

	rewinddir(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		count += e->d_name[0] != '.';
	return count;
}

void process_read(struct process *p, struct process_numbers *out)
{
	char text[STATUS_BYTES];
	ssize_t n = p->status < 0 ? -1 : pread(p->status, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	uint64_t kib = find_number(text, "\nVmRSS:");
	out->resident = kib == PROCESS_UNKNOWN ? kib : kib * 1024;
	out->threads = find_number(text, "\nThreads:");
	out->descriptors = p->descriptors ? count_descriptors(p->descriptors) : PROCESS_UNKNOWN;
}
