#include "server/port_file.h"

#include "common/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct port_file *f, char *error, size_t size)
{
	snprintf(error, size, "cannot write the port file '%s': %s", f->path, strerror(errno));
	return ERR_SYSTEM;
}

static bool print_all(FILE *out, const struct net_address *addresses, size_t count)
{
	char address[NET_ADDRESS_MAX];
	bool good = true;

	for (size_t i = 0; i < count; i++)
		good = good && fprintf(out, "%s\n", net_print(&addresses[i], address)) > 0;
	return fclose(out) == 0 && good;
}

int port_file_write(struct port_file *f, const char *path, const struct net_address *addresses,
	size_t count, char *error, size_t size)
{
	*f = (struct port_file){.path = path};
	if (!path)
		return 0;
	if (asprintf(&f->written, "%s.new", path) < 0) {
		f->written = NULL;
		snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	FILE *out = fopen(f->written, "we");
	return out && print_all(out, addresses, count) ? 0 : fail(f, error, size);
}

int port_file_publish(struct port_file *f, char *error, size_t size)
{
	if (!f->written)
		return 0;
	if (rename(f->written, f->path) != 0)
		return fail(f, error, size);
	f->published = true;
	return 0;
}

void port_file_remove(struct port_file *f)
{
	if (f->written)
		(void)unlink(f->published ? f->path : f->written);
	free(f->written);
	*f = (struct port_file){0};
}
