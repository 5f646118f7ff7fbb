#include "client/locate.h"

#include "client/link_resolve.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/name.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ANY_MS  2000 /* how long to look for any server */
#define NAME_MS 1500 /* and for one of a certain name */

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

/* The first row of that name (NULL: of any) in the list. */
static bool pick(struct finder *f, const char *name, struct location *out)
{
	struct finder_row rows[FINDER_ROWS];
	size_t count = finder_list(f, rows, FINDER_ROWS);

	for (size_t i = 0; i < count; i++) {
		if (rows[i].address_count == 0)
			continue;
		if (name && strcasecmp(rows[i].name, name) != 0 && !name_same(rows[i].name, name))
			continue;
		take_row(out, &rows[i]);
		out->others = count - 1;
		return true;
	}
	return false;
}

/* Look for a server on the network until `deadline`. ERR_NOT_FOUND: none has shown itself. */
static int discover(const char *name, const struct finder_config *config, int64_t deadline,
	struct location *out)
{
	struct finder *f;
	int r = finder_start(config, &f);

	if (r)
		return r;
	r = ERR_NOT_FOUND;
	while (r == ERR_NOT_FOUND && clock_ms() < deadline) {
		struct pollfd fd = {.fd = finder_fd(f), .events = POLLIN};

		if (poll(&fd, 1, clock_poll_timeout(deadline)) > 0 && pick(f, name, out))
			r = 0;
	}
	finder_stop(f);
	return r;
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
static int locate_text(const char *text, const struct finder_config *config, struct location *out,
	char *error, size_t size)
{
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
	int found = is_name ? discover(text, config, clock_ms() + NAME_MS, out) : ERR_NOT_FOUND;
	if (resolve && found != 0)
		resolved = resolved_so_far(resolve, &why);
	resolve_drop(resolve);
	if (found == 0) {
		out->chosen = true;
		return 0;
	}
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

int locate_server(const char *text, const struct option_list *interfaces,
	const struct option_list *not_interfaces, struct location *out, char *error, size_t size)
{
	struct finder_config config = {.interfaces = interfaces, .not_interfaces = not_interfaces};

	if (text)
		return locate_text(text, &config, out, error, size);
	int r = discover(NULL, &config, clock_ms() + ANY_MS, out);
	if (r == ERR_NOT_FOUND)
		snprintf(error, size,
			"no server found on this network within %d s; "
			"start one with `lanchatd`, or name one: lanchat HOST:PORT",
			ANY_MS / 1000);
	else if (r)
		snprintf(error, size, "cannot look for servers: %s", err_text(r));
	return r;
}
