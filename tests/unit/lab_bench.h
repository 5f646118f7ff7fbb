/*
 * Hosts with a wire between them, for tests that send something over it. One thread; failures end the
 * test.
 */
#ifndef LANCHAT_TESTS_LAB_BENCH_H
#define LANCHAT_TESTS_LAB_BENCH_H

#include "tools/lab/wire.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_PATIENCE_MS 20000
#define LAB_PORT        7000

struct lab_bench {
	struct site *site;
	struct journal *journal;
	struct wire *wire;
};

/* False: this system does not allow it; SKIP was printed, with the reason. */
bool lab_open(struct lab_bench *b, enum site_medium medium, size_t hosts,
	const struct impairment *how, uint64_t seed);
void lab_close(struct lab_bench *b);

struct sockaddr_in lab_address(const struct lab_bench *b, size_t host, uint16_t port);

/* A socket bound to that host's address and port; 0: any port, of any address. */
int lab_udp(const struct lab_bench *b, size_t host, uint16_t port);
void lab_send(const struct lab_bench *b, int fd, size_t host, uint16_t port, const void *bytes,
	size_t length);

/* Send all numbers of a range to host 1's port `LAB_PORT`, each as a datagram; receive one: -1, none comes
 * in that time. */
void lab_send_numbers(const struct lab_bench *b, int fd, uint32_t from, uint32_t to);
int lab_number(int fd, int timeout_ms);

/* Is there something to read before `timeout_ms` are over? */
bool lab_readable(int fd, int timeout_ms);

/* Two ends of a connection from host 0 to host 1. */
void lab_tcp(const struct lab_bench *b, int *client, int *server);

/* Wait until so many entries of the journal are as `is` says, and return the last of them. */
const struct journal_entry *lab_await(
	const struct lab_bench *b, bool (*is)(const struct journal_entry *e), unsigned count);
bool lab_is_packet(const struct journal_entry *e);
bool lab_is_arrival(const struct journal_entry *e);
bool lab_is_lost(const struct journal_entry *e);

/* How many there are now. */
unsigned lab_count(const struct lab_bench *b, bool (*is)(const struct journal_entry *e));

#endif
