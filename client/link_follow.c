/*
 * A server that was found by its beacon, and is away: while the link waits for its next try, the network
 * is asked where the server is. So one that comes back is joined at once, also at another address or port.
 */
#include "client/link_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/log.h"

#include <stdlib.h>

/* All of its clients hear a server that comes back at the same time, and should not all arrive then. */
#define SPREAD_MS 1000
/* Beacons are anybody's to send: not more often than that is a try put forward for them. */
#define HURRY_MS 5000

void link_follow(struct link *l)
{
	const struct finder_config config = {
		.interfaces = l->interfaces, .not_interfaces = l->not_interfaces};

	if (!l->follows || l->finder)
		return;
	int r = finder_start(&config, &l->finder);
	if (r) {
		l->finder = NULL;
		log_warning("the server cannot be looked for: %s", err_text(r));
	}
}

void link_follow_end(struct link *l)
{
	finder_stop(l->finder);
	l->finder = NULL;
}

int link_follow_fd(const struct link *l)
{
	return l->finder ? finder_fd(l->finder) : -1;
}

void link_follow_heed(struct link *l, int64_t *until)
{
	static const size_t rows_size = FINDER_ROWS * sizeof(struct finder_row);
	struct finder_row *rows = malloc(rows_size);
	uint32_t random;

	if (!rows)
		return;
	size_t count = finder_list(l->finder, rows, FINDER_ROWS);
	int64_t now = clock_ms();
	if (route_hear(&l->route, rows, count, l->server_id)) {
		int64_t at = now > l->hurry_at ? now : l->hurry_at;
		identity_random(&random, sizeof(random));
		*until = clock_earlier(*until, at + (int64_t)(random % SPREAD_MS));
		l->hurry_at = at + HURRY_MS;
	}
	free(rows);
}
