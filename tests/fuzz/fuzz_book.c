/*
 * The file of servers that were met: who is entered is found again, who is taken
 * out is not, and all the others stay as they are and in their order.
 *
 * Input: the address's length, the address, 32 bytes of a server's id, the file.
 *
 * About: client/address_book.c
 */
#include "client/address_book.h"

#include "common/err.h"
#include "tests/fuzz/require.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define BOOK      "known_servers"
#define HEX       (2 * (size_t)IDENTITY_SIZE)
#define ROOM      512 /* bytes of an address that are surely taken */
#define KEPT_MOST 1000

static char folder[256];

/* ---- the surroundings ---- */

/* What is written need not reach a disk: that takes longest of all. The linker puts it in place of
 * fsync. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

static void path_of(char path[300], const char *end)
{
	snprintf(path, 300, "%s/" BOOK "%s", folder, end);
}

static void remove_folder(void)
{
	static const char *const ends[] = {"", ".lock", ".new"};
	char path[300];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		path_of(path, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

static void make_folder(void)
{
	const char *parent = getenv("TMPDIR");

	if (folder[0])
		return;
	snprintf(folder, sizeof(folder), "%.200s/lanchat-book-XXXXXX", parent ? parent : "/tmp");
	REQUIRE(mkdtemp(folder));
	REQUIRE(atexit(remove_folder) == 0);
}

static void write_book(const void *bytes, size_t size)
{
	char path[300];

	path_of(path, "");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static void check_book(const char *expected, size_t length)
{
	char path[300], *bytes = malloc(length + 1);

	path_of(path, "");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && bytes);
	REQUIRE(read(fd, bytes, length + 1) == (ssize_t)length);
	REQUIRE(length == 0 || memcmp(bytes, expected, length) == 0);
	free(bytes);
	(void)close(fd);
}

/* ---- what it ought to be ---- */

struct entry {
	const char *line; /* into the input; not terminated */
	size_t length;    /* without its newline */
};

static bool same_address(const struct entry *e, const char *address)
{
	return e->length - HEX - 1 == strlen(address) &&
	       memcmp(e->line + HEX + 1, address, strlen(address)) == 0;
}

static bool has_control(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return true;
	}
	return false;
}

/* The next whole line that is an entry; false: there is none. */
static bool next_entry(const char **at, const char *end, struct entry *e)
{
	const char *newline;

	for (; *at < end && (newline = memchr(*at, '\n', (size_t)(end - *at))); *at = newline + 1) {
		size_t length = (size_t)(newline - *at);
		size_t hex = 0;
		while (hex < length && (*at)[hex] && strchr("0123456789abcdef", (*at)[hex]))
			hex++;
		if (hex != HEX || length <= HEX + 1 || (*at)[HEX] != ' ' ||
			length > HEX + 1 + 510 || has_control(*at, length))
			continue;
		*e = (struct entry){.line = *at, .length = length};
		*at = newline + 1;
		return true;
	}
	return false;
}

static void put_others(FILE *out, const char *address, const char *file, size_t size, int most)
{
	const char *at = file;
	struct entry e;

	while (most > 0 && next_entry(&at, file + size, &e)) {
		if (same_address(&e, address))
			continue;
		fprintf(out, "%.*s\n", (int)e.length, e.line);
		most--;
	}
}

static void put_own(FILE *out, const char *address, const uint8_t *id)
{
	for (size_t i = 0; i < IDENTITY_SIZE; i++)
		fprintf(out, "%02x", id[i]);
	fprintf(out, " %s\n", address);
}

/* The book is `own` and the others. */
static void check_content(
	const char *address, const uint8_t *own, const char *file, size_t size, int most)
{
	char *expected = NULL;
	size_t length;
	FILE *out = open_memstream(&expected, &length);

	REQUIRE(out);
	if (own)
		put_own(out, address, own);
	put_others(out, address, file, size, most);
	REQUIRE(fclose(out) == 0);
	check_book(expected, length);
	free(expected);
}

static bool is_in(const char *address, const char *file, size_t size)
{
	const char *at = file;
	struct entry e;

	while (next_entry(&at, file + size, &e)) {
		if (same_address(&e, address))
			return true;
	}
	return false;
}

/* ---- the target ---- */

static void check(const char *address, const uint8_t *id, const char *file, size_t size)
{
	uint8_t found[IDENTITY_SIZE];
	bool known = is_in(address, file, size);

	int r = book_find(folder, BOOK, address, found);
	REQUIRE(known ? r == 0 : r == ERR_NOT_FOUND || r == ERR_DAMAGED);
	REQUIRE(book_put(folder, BOOK, address, id) == 0);
	REQUIRE(book_find(folder, BOOK, address, found) == 0);
	REQUIRE(memcmp(found, id, IDENTITY_SIZE) == 0 && book_has(folder, BOOK, id));
	PLANTED(says_bugs(found, 4));
	check_content(address, id, file, size, KEPT_MOST - 1);
	REQUIRE(book_remove(folder, BOOK, address) == 0);
	REQUIRE(book_remove(folder, BOOK, address) == ERR_NOT_FOUND);
	check_content(address, NULL, file, size, KEPT_MOST - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size - 1 < data[0] + (size_t)IDENTITY_SIZE)
		return 0;
	size_t length = data[0], rest = size - 1 - length - IDENTITY_SIZE;
	const uint8_t *id = data + 1 + length;
	char *address = strndup((const char *)data + 1, length);

	REQUIRE(address && length < ROOM);
	make_folder();
	write_book(id + IDENTITY_SIZE, rest);
	if (!address[0] || has_control(address, strlen(address)))
		REQUIRE(book_put(folder, BOOK, address, id) == ERR_ARGUMENT);
	else
		check(address, id, (const char *)id + IDENTITY_SIZE, rest);
	free(address);
	return 0;
}
