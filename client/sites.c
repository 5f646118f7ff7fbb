#include "client/sites.h"

#include "common/message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void sites_init(struct sites *s, int64_t now, bool host)
{
	*s = (struct sites){.started = now, .host = host};
}

static bool same_server(const struct finder_row *a, const struct finder_row *b)
{
	return memcmp(a->server, b->server, sizeof a->server) == 0 &&
	       memcmp(a->instance, b->instance, sizeof a->instance) == 0;
}

static void print_address(const struct finder_row *row, char out[NET_ADDRESS_MAX])
{
	out[0] = '\0';
	if (row->address_count > 0)
		net_print(&row->addresses[0], out);
}

/* Names first, without regard to case; numbers in addresses count as numbers. Never 0 for different
 * servers, so that rows do not change places by themselves. */
static int compare_rows(const void *left, const void *right)
{
	const struct finder_row *a = left, *b = right;
	char a_address[NET_ADDRESS_MAX], b_address[NET_ADDRESS_MAX];
	int order = strcasecmp(a->name, b->name);

	if (order == 0) {
		print_address(a, a_address);
		print_address(b, b_address);
		order = strverscmp(a_address, b_address);
	}
	if (order == 0)
		order = memcmp(a->server, b->server, sizeof a->server);
	return order ? order : memcmp(a->instance, b->instance, sizeof a->instance);
}

void sites_update(struct sites *s, const struct finder_row *rows, size_t count, int64_t now)
{
	struct finder_row was = {0};
	bool had = s->count > 0, was_alone = s->count == 1;

	if (had)
		was = s->rows[s->chosen];
	if (count > FINDER_ROWS)
		count = FINDER_ROWS;
	if (count > 0)
		memcpy(s->rows, rows, count * sizeof *rows);
	qsort(s->rows, count, sizeof *s->rows, compare_rows);
	s->count = count;
	s->several |= count > 1;
	if (s->chosen >= count)
		s->chosen = count > 0 ? count - 1 : 0;
	for (size_t i = 0; had && i < count; i++) {
		if (same_server(&was, &s->rows[i]))
			s->chosen = i;
	}
	if (count == 1 && !(was_alone && same_server(&was, &rows[0])))
		s->alone = now;
}

void sites_move(struct sites *s, long by)
{
	long place = (long)s->chosen + by;

	if (place >= (long)s->count)
		place = (long)s->count - 1;
	s->chosen = place > 0 ? (size_t)place : 0;
}

void sites_show(const struct sites *s, struct sites_shown *shown, size_t lines)
{
	if (s->chosen < shown->top)
		shown->top = s->chosen;
	if (s->chosen >= shown->top + lines)
		shown->top = s->chosen - lines + 1;
	if (shown->top + lines > s->count)
		shown->top = s->count > lines ? s->count - lines : 0;
	shown->count = s->count - shown->top < lines ? s->count - shown->top : lines;
}

bool sites_is_compatible(const struct finder_row *row)
{
	return row->version_low <= PROTOCOL_VERSION && row->version_high >= PROTOCOL_VERSION;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool sites_will_join(const struct sites *s)
{
	return !s->touched && !s->several && s->count == 1 && sites_is_compatible(&s->rows[0]);
}

static int64_t join_at(const struct sites *s)
{
	return later(s->started + SITES_SETTLE_MS, s->alone + SITES_NOTICE_MS);
}

enum sites_advice sites_decide(const struct sites *s, int64_t now)
{
	if (sites_will_join(s) && now >= join_at(s))
		return SITES_JOIN;
	if (s->host && !s->touched && s->count == 0 && now >= s->started + SITES_SETTLE_MS)
		return SITES_HOST;
	return SITES_LOOK;
}

bool sites_is_nothing(const struct sites *s, int64_t now)
{
	return s->count == 0 && now >= s->started + SITES_NOTHING_MS;
}

int64_t sites_deadline(const struct sites *s, int64_t now)
{
	if (sites_will_join(s))
		return join_at(s);
	if (s->count > 0 || sites_is_nothing(s, now))
		return INT64_MAX;
	return s->started + (s->host && !s->touched ? SITES_SETTLE_MS : SITES_NOTHING_MS);
}
