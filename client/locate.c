#include "client/locate.h"

#include "client/address_book.h"
#include "client/link.h"
#include "client/link_resolve.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/name.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define ANY_MS  2000 /* how long to look for any server */
#define NAME_MS 1500 /* and for one of a certain name */
#define ALIKE_MS                                                                                   \
	300 /* in which others of that name show themselves, where none of it was met before */

bool locate_is_name(const char *text)
{
	return strpbrk(text, ".:[]%") == NULL && strcmp(text, "localhost") != 0;
}

static void take_host(struct location *out, const char *host, uint16_t port)
{
	*out = (struct location){.port = port};
	snprintf(out->host, sizeof(out->host), "%s", host);
}

static void take_row(struct location *out, const struct finder_row *row)
{
	*out = (struct location){.found = true, .address_count = row->address_count};
	snprintf(out->name, sizeof(out->name), "%s", row->name);
	memcpy(out->server_id, row->server, sizeof(out->server_id));
	memcpy(out->addresses, row->addresses, sizeof(out->addresses));
}

/* What is looked for. */
struct search {
	const char *name;        /* NULL: any server */
	const char *data_folder; /* with the book of servers; NULL: none is known */
	struct finder_config finder;
};

/* What is known of a server that has the name. */
enum standing {
	STANDING_MET,  /* it is the one that was met by that name */
	STANDING_NEW,  /* none was */
	STANDING_OTHER /* another one was */
};

static enum standing standing_of(const struct search *s, const struct finder_row *row)
{
	char place[BOOK_ADDRESS];
	uint8_t met[IDENTITY_SIZE];
	int r = ERR_NOT_FOUND;

	snprintf(place, sizeof(place), "%s%s", LINK_BEACON, s->name);
	if (s->data_folder)
		r = book_find(s->data_folder, LINK_BOOK, place, met);
	if (r == ERR_NOT_FOUND)
		return STANDING_NEW;
	/* Whoever connects says what is wrong with a book that cannot be read. */
	return r == 0 && memcmp(met, row->server, sizeof(met)) == 0 ? STANDING_MET : STANDING_OTHER;
}

/* Those that have the name, or all; how many, at most FINDER_ROWS. */
static size_t list_named(struct finder *f, const char *name, struct finder_row *rows)
{
	size_t count = finder_list(f, rows, FINDER_ROWS), kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].address_count == 0)
			continue;
		if (name && !name_same_text(rows[i].name, name))
			continue;
		if (kept != i)
			rows[kept] = rows[i];
		kept++;
	}
	return kept;
}

/* A name is anybody's to announce: whoever gives one means the server that they met by it. Where none was,
 * others have a moment to show themselves from when the first did; where the one that was met does not,
 * `*until` (clock_ms) is waited for. Returns the row to take, or NULL to wait, at `now`. */
static const struct finder_row *choose(const struct search *s, const struct finder_row *rows,
	size_t count, int64_t now, int64_t *until)
{
	const struct finder_row *unmet = NULL;

	if (!s->name)
		return count > 0 ? &rows[0] : NULL;
	for (size_t i = 0; i < count; i++) {
		enum standing standing = standing_of(s, &rows[i]);
		if (standing == STANDING_MET)
			return &rows[i];
		if (standing == STANDING_NEW && !unmet)
			unmet = &rows[i];
	}
	if (unmet && *until > unmet->first_seen + ALIKE_MS)
		*until = unmet->first_seen + ALIKE_MS;
	if (now < *until || count == 0)
		return NULL;
	return unmet ? unmet : &rows[0];
}

/* The addresses of servers, as a text. */
static void list_addresses(const struct finder_row *rows, size_t count, char *out, size_t size)
{
	char one[NET_ADDRESS_MAX];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++) {
		int n = snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
			net_print(&rows[i].addresses[0], one));
		used += n > 0 ? (size_t)n : 0;
	}
}

/* Look for a server on the network until `deadline`. ERR_NOT_FOUND: none has shown itself; ERR_EXISTS:
 * several new ones have the name, `error` says where they are. */
static int discover(
	const struct search *s, int64_t deadline, struct location *out, char *error, size_t size)
{
	struct finder_row rows[FINDER_ROWS];
	const struct finder_row *row = NULL;
	int64_t now, until = deadline;
	struct finder *f;
	size_t count = 0;

	int r = finder_start(&s->finder, &f);
	if (r)
		return r;
	for (;;) {
		now = clock_ms();
		count = list_named(f, s->name, rows);
		row = choose(s, rows, count, now, &until);
		if (row || now >= until)
			break;
		struct pollfd fd = {.fd = finder_fd(f), .events = POLLIN};
		(void)poll(&fd, 1, clock_poll_timeout(until));
	}
	finder_stop(f);
	if (!row)
		return ERR_NOT_FOUND;
	if (s->name && count > 1 && standing_of(s, row) == STANDING_NEW) {
		char where[512];
		list_addresses(rows, count, where, sizeof(where));
		snprintf(error, size,
			"%zu servers on this network are called \"%s\": give the address of the "
			"one that is meant (%s)",
			count, s->name, where);
		return ERR_EXISTS;
	}
	take_row(out, row);
	/* As the user knows it, so that no other spelling is a way around the key that is known by it. */
	if (s->name && standing_of(s, row) == STANDING_OTHER)
		snprintf(out->name, sizeof(out->name), "%s", s->name);
	out->others = s->name ? 0 : count - 1;
	return 0;
}

/* What has come of the look-up; one that takes longer may still succeed when connecting. */
static int resolved_so_far(struct resolve *r, const char **why)
{
	struct net_address found[1];
	size_t count;
	int result = resolve_result(r, found, 1, &count, why);

	return result == ERR_AGAIN ? 0 : result;
}

/* Both ways at once for a name. What looks like an address is one, whatever a beacon calls itself, and is
 * looked up when connecting. */
static int locate_text(const struct search *s, struct location *out, char *error, size_t size)
{
	const char *text = s->name;
	bool is_name = locate_is_name(text);
	struct resolve *resolve = NULL;
	char host[NET_HOST_MAX];
	const char *why = "";
	uint16_t port = 0;
	int resolved = ERR_RESOLVE;

	if (net_parse(text, NET_PORT, host, &port) == 0 && host[0]) {
		if (!is_name) {
			take_host(out, host, port);
			return 0;
		}
		int r = resolve_start(host, port, &resolve);
		if (r) {
			snprintf(error, size, "cannot look up %s: %s", host, err_text(r));
			return r;
		}
	}
	int found = is_name ? discover(s, clock_ms() + NAME_MS, out, error, size) : ERR_NOT_FOUND;
	if (resolve && found != 0)
		resolved = resolved_so_far(resolve, &why);
	resolve_drop(resolve);
	if (found == 0)
		out->chosen = true;
	if (found == 0 || found == ERR_EXISTS)
		return found;
	if (resolved == 0) {
		take_host(out, host, port);
		return 0;
	}
	snprintf(error, size,
		"no server called \"%s\" on this network, and no such host%s%s; "
		"`lanchat --discover` lists the servers",
		text, why[0] ? ": " : "", why);
	return ERR_NOT_FOUND;
}

int locate_server(const char *text, const char *data_folder, const struct option_list *interfaces,
	const struct option_list *not_interfaces, struct location *out, char *error, size_t size)
{
	const struct search s = {
		.name = text,
		.data_folder = data_folder,
		.finder = {.interfaces = interfaces, .not_interfaces = not_interfaces},
	};

	if (text)
		return locate_text(&s, out, error, size);
	int r = discover(&s, clock_ms() + ANY_MS, out, error, size);
	if (r == ERR_NOT_FOUND)
		snprintf(error, size,
			"no server found on this network within %d s; "
			"start one with `lanchatd`, or name one: lanchat HOST:PORT",
			ANY_MS / 1000);
	else if (r)
		snprintf(error, size, "cannot look for servers: %s", err_text(r));
	return r;
}
