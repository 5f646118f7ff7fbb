#include "tests/unit/heard.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct finder_table *heard_table;
struct finder_row heard_rows[FINDER_ROWS];

void heard_setup(void)
{
	heard_table = finder_table_new(0);
	ck_assert_ptr_nonnull(heard_table);
}

void heard_teardown(void)
{
	finder_table_free(heard_table);
}

struct beacon heard_announcement(uint8_t id, uint32_t sequence)
{
	struct beacon b = {
		.type = BEACON_ANNOUNCEMENT,
		.version_low = 1,
		.version_high = 2,
		.port = (uint16_t)(1000 + id),
		.sequence = sequence,
		.lifetime_ms = BEACON_LIFETIME_MS,
		.people = 3,
		.people_max = 50,
		.server = {id},
		.instance = {id, 1},
	};
	uint8_t secret[BEACON_SECRET] = {id, 2};

	beacon_commit(secret, b.proof);
	(void)snprintf(b.name, sizeof(b.name), "server %u", id);
	return b;
}

struct net_address heard_v4(uint32_t host, uint16_t port)
{
	return (struct net_address){
		.length = sizeof(struct sockaddr_in),
		.u.v4 = {.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(host)},
	};
}

struct net_address heard_v6(uint8_t host, unsigned scope, uint16_t port)
{
	struct net_address a = {
		.length = sizeof(a.u.v6),
		.u.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope},
	};

	a.u.v6.sin6_addr.s6_addr[0] = 0xfe;
	a.u.v6.sin6_addr.s6_addr[1] = 0x80;
	a.u.v6.sin6_addr.s6_addr[15] = host;
	return a;
}

struct finder_origin heard_from(uint8_t host)
{
	return (struct finder_origin){.from = heard_v4(0x0a000000U + host, 7), .rtt_us = -1};
}

bool heard_announce(uint8_t id, uint32_t sequence, uint8_t host, int64_t now)
{
	struct beacon b = heard_announcement(id, sequence);
	struct finder_origin o = heard_from(host);

	return finder_table_hear(heard_table, &b, &o, now);
}

size_t heard_list(void)
{
	memset(heard_rows, 0x55, sizeof(heard_rows));
	return finder_table_list(heard_table, heard_rows, FINDER_ROWS);
}

const char *heard_addresses(const struct finder_row *r)
{
	static char out[FINDER_ADDRESSES * NET_ADDRESS_MAX];
	char text[NET_ADDRESS_MAX];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->address_count; i++)
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s", i ? " " : "",
			net_print(&r->addresses[i], text));
	return out;
}

TCase *heard_case(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, heard_setup, heard_teardown);
	suite_add_tcase(s, t);
	return t;
}
