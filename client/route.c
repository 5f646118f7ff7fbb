#include "client/route.h"

#include <string.h>

static bool is_among(
	const struct net_address *list, size_t count, const struct net_address *address)
{
	for (size_t i = 0; i < count; i++) {
		if (net_equal(&list[i], address))
			return true;
	}
	return false;
}

void route_init(struct route *r, const struct net_address *addresses, size_t count)
{
	*r = (struct route){.own_count = count < ROUTE_EACH ? count : ROUTE_EACH};
	for (size_t i = 0; i < r->own_count; i++)
		r->own[i] = addresses[i];
}

size_t route_take(struct route *r, struct net_address out[ROUTE_MOST])
{
	size_t count = 0;

	for (size_t i = 0; i < r->heard_count && !r->own_alone; i++)
		out[count++] = r->heard[i];
	for (size_t i = 0; i < r->own_count; i++) {
		if (!is_among(out, count, &r->own[i]))
			out[count++] = r->own[i];
	}
	r->own_alone = false;
	return count;
}

/* Add those of a row that are not there yet, and where nobody else was. */
static size_t add_row(const struct route *r, const struct finder_row *row,
	struct net_address out[ROUTE_EACH], size_t count)
{
	for (size_t i = 0; i < row->address_count && count < ROUTE_EACH; i++) {
		const struct net_address *a = &row->addresses[i];
		if (!is_among(out, count, a) && !is_among(r->refused, r->refused_count, a))
			out[count++] = *a;
	}
	return count;
}

bool route_hear(
	struct route *r, const struct finder_row *rows, size_t count, const uint8_t server[32])
{
	struct net_address heard[ROUTE_EACH];
	size_t heard_count = 0;
	bool news = false;

	/* Several rows may claim to be the server. */
	for (size_t i = 0; i < count; i++) {
		const struct finder_row *row = &rows[i];
		size_t before = heard_count;
		if (memcmp(row->server, server, sizeof(row->server)) != 0)
			continue;
		heard_count = add_row(r, row, heard, heard_count);
		if (heard_count == before)
			continue;
		news = news || !r->instance_known ||
		       memcmp(r->instance, row->instance, sizeof(r->instance)) != 0;
		memcpy(r->instance, row->instance, sizeof(r->instance));
		r->instance_known = true;
	}
	for (size_t i = 0; i < heard_count; i++)
		news = news || !(is_among(r->own, r->own_count, &heard[i]) ||
				       is_among(r->heard, r->heard_count, &heard[i]));
	memcpy(r->heard, heard, heard_count * sizeof(heard[0]));
	r->heard_count = heard_count;
	return news;
}

bool route_refuse(struct route *r, const struct net_address *address)
{
	if (is_among(r->own, r->own_count, address))
		return false;
	if (r->refused_count == ROUTE_EACH)
		memmove(r->refused, r->refused + 1, --r->refused_count * sizeof(r->refused[0]));
	r->refused[r->refused_count++] = *address;
	for (size_t i = r->heard_count; i-- > 0;) {
		if (net_equal(&r->heard[i], address))
			r->heard[i] = r->heard[--r->heard_count];
	}
	r->own_alone = true;
	return true;
}

void route_prove(struct route *r, const struct net_address *address)
{
	if (!is_among(r->own, r->own_count, address)) {
		r->own[0] = *address;
		r->own_count = 1;
	}
	r->heard_count = 0;
	r->refused_count = 0;
}
