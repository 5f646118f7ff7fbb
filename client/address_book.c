#include "client/address_book.h"

#include "common/err.h"
#include "common/folder.h"
#include "common/name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX       (2 * IDENTITY_SIZE)
#define KEPT_MOST 1000 /* addresses; the oldest go */
#define LINE_SIZE (HEX + 1 + 512)

char *book_address(const char *host, uint16_t port, char out[BOOK_ADDRESS])
{
	(void)snprintf(out, BOOK_ADDRESS, "%s:%u", host, port);
	return out;
}

static int path_of(const char *folder, const char *name, char *out)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX ? 0 : ERR_TOO_BIG;
}

static FILE *open_to_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st = {0};
	FILE *f = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
	else if (fd >= 0)
		f = fdopen(fd, "r");
	int error = errno;
	if (!f && fd >= 0)
		(void)close(fd);
	errno = error;
	return f;
}

/* A book has none: an editor, or a disk that was full, may have put some there. */
static bool is_control(int c)
{
	return c < ' ' || c == 0x7f;
}

/* What a line is taken for of which nothing can be read. */
static const char DAMAGED[] = "?";

/* The next line without its end; false after the last one, or on an error. One that is too long, that has
 * a control character in it or that nothing ends is DAMAGED. */
static bool next_line(FILE *f, char line[LINE_SIZE])
{
	size_t length = 0;
	bool good = true, any = false;
	int c;

	while ((c = getc(f)) != EOF && c != '\n') {
		any = true;
		good = good && !is_control(c) && length < LINE_SIZE - 1;
		if (good)
			line[length++] = (char)c;
	}
	line[length] = '\0';
	if (!good || (c == EOF && any))
		memcpy(line, DAMAGED, sizeof(DAMAGED));
	return c != EOF || (any && !ferror(f));
}

/* The address of a line; NULL when it is not of this kind. */
static const char *address_of(const char *line)
{
	if (strspn(line, "0123456789abcdef") != HEX || line[HEX] != ' ' || !line[HEX + 1])
		return NULL;
	return line + HEX + 1;
}

static void read_id(const char *line, uint8_t server[IDENTITY_SIZE])
{
	for (size_t i = 0; i < IDENTITY_SIZE; i++) {
		char pair[3] = {line[2 * i], line[2 * i + 1], '\0'};
		server[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0 ||
	       (*a == BOOK_NAME && *b == BOOK_NAME && name_same_text(a + 1, b + 1));
}

/* The first line with that address, or with that server; NULL is any. ERR_DAMAGED: none, but one that
 * cannot be read. Of an empty one nothing is missing. */
static int find(const char *folder, const char *file, const char *address, const uint8_t *server,
	uint8_t found[IDENTITY_SIZE])
{
	char path[PATH_MAX];
	char line[LINE_SIZE] = "";
	uint8_t id[IDENTITY_SIZE];
	bool damaged = false, exact = false;
	int r = path_of(folder, file, path);

	if (r)
		return r;
	FILE *f = open_to_read(path);
	if (!f)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	r = ERR_NOT_FOUND;
	while (!exact && next_line(f, line)) {
		const char *known = address_of(line);
		damaged = damaged || (!known && line[0]);
		if (!known || (address && !is_same(known, address)))
			continue;
		read_id(line, id);
		if (server && memcmp(id, server, IDENTITY_SIZE) != 0)
			continue;
		exact = !address || strcmp(known, address) == 0;
		if (r || exact)
			memcpy(found, id, sizeof(id));
		r = 0;
	}
	if (r && damaged)
		r = ERR_DAMAGED;
	if (r && ferror(f))
		r = ERR_SYSTEM;
	int error = errno;
	(void)fclose(f);
	errno = error;
	return r;
}

int book_find(
	const char *folder, const char *file, const char *address, uint8_t server[IDENTITY_SIZE])
{
	uint8_t found[IDENTITY_SIZE];
	int r = find(folder, file, address, NULL, found);

	if (r == 0)
		memcpy(server, found, sizeof(found));
	return r;
}

bool book_has(const char *folder, const char *file, const uint8_t server[IDENTITY_SIZE])
{
	uint8_t found[IDENTITY_SIZE];

	return find(folder, file, NULL, server, found) == 0;
}

/* The new file: this address first, unless it is to go, then what the old one has of others. */
static bool write_file(FILE *out, const char *old, const char *address, const uint8_t *server)
{
	char line[LINE_SIZE] = "";
	FILE *in = open_to_read(old);
	bool ok = in || errno == ENOENT; /* what cannot be read must not be lost */

	for (size_t i = 0; server && i < IDENTITY_SIZE; i++)
		ok = fprintf(out, "%02x", server[i]) > 0 && ok;
	if (server)
		ok = fprintf(out, " %s\n", address) > 0 && ok;
	for (int count = 1; in && count < KEPT_MOST && next_line(in, line);) {
		const char *known = address_of(line);
		if (!known || is_same(known, address))
			continue;
		ok = fprintf(out, "%.*s %s\n", HEX, line, known) > 0 && ok;
		count++;
	}
	if (in) {
		ok = !ferror(in) && ok;
		(void)fclose(in);
	}
	return ok;
}

static int replace(const char *folder, const char *file, const char *address, const uint8_t *server)
{
	char path[PATH_MAX];
	char fresh[PATH_MAX];
	char fresh_file[NAME_MAX];
	int r = path_of(folder, file, path);

	snprintf(fresh_file, sizeof(fresh_file), "%s.new", file);
	if (r == 0)
		r = path_of(folder, fresh_file, fresh);
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
	ok = ok && fflush(f) == 0 && fsync(fileno(f)) == 0;
	ok = fclose(f) == 0 && ok;
	return ok && rename(fresh, path) == 0 ? folder_sync(folder) : ERR_SYSTEM;
}

/* What is to be done under the lock. */
struct entry {
	const char *address;
	const uint8_t *server; /* NULL: remove */
	uint8_t *found;        /* NULL, or: only where there is none; else who it is */
};

static int change_alone(const char *folder, const char *file, const struct entry *e)
{
	uint8_t found[IDENTITY_SIZE];

	if (!e->found)
		return replace(folder, file, e->address, e->server);
	int r = find(folder, file, e->address, NULL, found);
	if (r == ERR_NOT_FOUND)
		return replace(folder, file, e->address, e->server);
	if (r)
		return r;
	memcpy(e->found, found, sizeof(found));
	return ERR_EXISTS;
}

static int change(const char *folder, const char *file, const struct entry *e)
{
	const char *address = e->address;
	char path[PATH_MAX], name[NAME_MAX];

	for (const char *c = address; *c; c++) {
		if (is_control((unsigned char)*c))
			return ERR_ARGUMENT;
	}
	if (!address[0])
		return ERR_ARGUMENT;
	if (HEX + strlen(address) + sizeof(" \n") > LINE_SIZE)
		return ERR_TOO_BIG;
	snprintf(name, sizeof(name), "%s.lock", file);
	int r = path_of(folder, name, path);
	if (r == 0)
		r = folder_make(folder);
	if (r)
		return r;
	int lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return ERR_SYSTEM;
	/* Held for the time of one small file. */
	r = flock(lock, LOCK_EX) == 0 ? change_alone(folder, file, e) : ERR_SYSTEM;
	int error = errno;
	(void)close(lock);
	errno = error;
	return r;
}

int book_put(const char *folder, const char *file, const char *address,
	const uint8_t server[IDENTITY_SIZE])
{
	const struct entry e = {.address = address, .server = server};

	return change(folder, file, &e);
}

int book_meet(const char *folder, const char *file, const char *address,
	const uint8_t server[IDENTITY_SIZE], uint8_t found[IDENTITY_SIZE])
{
	const struct entry e = {.address = address, .server = server, .found = found};

	return change(folder, file, &e);
}

int book_remove(const char *folder, const char *file, const char *address)
{
	const struct entry e = {.address = address};
	uint8_t found[IDENTITY_SIZE];
	int r = book_find(folder, file, address, found);

	/* Whatever is not whole would be gone with it; no entry has an empty address. */
	if (r == 0 && find(folder, file, "", NULL, found) == ERR_DAMAGED)
		return ERR_DAMAGED;
	return r ? r : change(folder, file, &e);
}
