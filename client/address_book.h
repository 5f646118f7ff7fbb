/*
 * Books of which server was met at which address: small text files, each line a
 * server's id in hex, a blank, and the address as the user or a beacon calls it: the
 * name of the latter with a mark before it. Names that differ in case, width or form are
 * one name (name_same_text); where a book of an earlier lanchat has several of them, the
 * one that is written the same counts.
 *
 * A file is replaced as a whole (rename), so a reader sees the old or the new one;
 * processes that write wait for each other (flock on FILE.lock). Any thread.
 */
#ifndef LANCHAT_ADDRESS_BOOK_H
#define LANCHAT_ADDRESS_BOOK_H

#include "common/identity.h"
#include "common/net_address.h"

#include <stdbool.h>

#define BOOK_NAME '~' /* what a name begins with; no address does */

/* Bytes of an address in a book, with the end. */
#define BOOK_ADDRESS (NET_HOST_MAX + 8)

/* How a book has a host and a port; no brackets around the host, if it is an IPv6 address. Returns `out`. */
char *book_address(const char *host, uint16_t port, char out[BOOK_ADDRESS]);

/* The server at an address. ERR_NOT_FOUND: there is none; ERR_DAMAGED: nor is there a whole one, but a line
 * that cannot be read, which may have been of it; ERR_SYSTEM with errno: the file cannot be read;
 * ERR_TOO_BIG: its path is too long. */
int book_find(
	const char *folder, const char *file, const char *address, uint8_t server[IDENTITY_SIZE]);

/* Is the server in it, at any address? */
bool book_has(const char *folder, const char *file, const uint8_t server[IDENTITY_SIZE]);

/* Enter a server, in place of another one at that address. The oldest of a thousand addresses goes, and
 * what cannot be read of the file.
 * ERR_SYSTEM with errno, ERR_MEMORY, ERR_TOO_BIG, ERR_ARGUMENT (empty, or with control characters). */
int book_put(const char *folder, const char *file, const char *address,
	const uint8_t server[IDENTITY_SIZE]);

/* Enter a server at an address that has none. ERR_EXISTS: it has one by now, `found`; ERR_DAMAGED, as of
 * book_find; others as above. */
int book_meet(const char *folder, const char *file, const char *address,
	const uint8_t server[IDENTITY_SIZE], uint8_t found[IDENTITY_SIZE]);

/* Take an address out. ERR_NOT_FOUND, ERR_DAMAGED (of any line: it would go as well), and as above. */
int book_remove(const char *folder, const char *file, const char *address);

#endif
