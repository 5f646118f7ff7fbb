/*
 * A table of servers and what it hears: announcements from made-up addresses, on a made-up clock.
 *
 * For a test's own thread; failures end the test.
 */
#ifndef LANCHAT_TESTS_HEARD_H
#define LANCHAT_TESTS_HEARD_H

#include "client/finder_table.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* The table of the test that runs, between heard_setup and heard_teardown; its rows, by heard_list. */
extern struct finder_table *heard_table;
extern struct finder_row heard_rows[FINDER_ROWS];

void heard_setup(void);
void heard_teardown(void);

/* A case of a suite, of tests that have the table. */
TCase *heard_case(Suite *s, const char *name);

/* Server `id` announces for the `sequence`th time. */
struct beacon heard_announcement(uint8_t id, uint32_t sequence);

/* Addresses; heard_v6: fe80::`host`. */
struct net_address heard_v4(uint32_t host, uint16_t port);
struct net_address heard_v6(uint8_t host, unsigned scope, uint16_t port);

/* From 10.0.0.`host`, beacon port 7. */
struct finder_origin heard_from(uint8_t host);

/* It is announced from there; what finder_table_hear says. */
bool heard_announce(uint8_t id, uint32_t sequence, uint8_t host, int64_t now);

/* List the rows; how many there are. */
size_t heard_list(void);

/* The addresses of a row, by blanks, until the next call. */
const char *heard_addresses(const struct finder_row *r);

#endif
