#include "tests/unit/lab_bench.h"

#include "common/clock.h"
#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool lab_open(struct lab_bench *b, enum site_medium medium, size_t hosts,
	const struct impairment *how, uint64_t seed)
{
	char reason[SITE_REASON];
	int r = site_enter(reason);

	*b = (struct lab_bench){0};
	if (r == 0)
		r = site_new(medium, hosts, &b->site, reason);
	if (r == ERR_REFUSED) {
		printf("wire: SKIP, %s\n", reason);
		return false;
	}
	ck_assert_int_eq(r, 0);
	b->journal = journal_new();
	ck_assert_ptr_nonnull(b->journal);
	ck_assert_int_eq(wire_start(&b->wire, b->site, b->journal, how, seed), 0);
	return true;
}

void lab_close(struct lab_bench *b)
{
	wire_stop(b->wire);
	journal_free(b->journal);
	site_free(b->site);
}

struct sockaddr_in lab_address(const struct lab_bench *b, size_t host, uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = site_address(b->site, host)};
}

int lab_udp(const struct lab_bench *b, size_t host, uint16_t port)
{
	struct sockaddr_in a = lab_address(b, host, port);
	int fd = site_socket(b->site, host, AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	if (port == 0)
		a.sin_addr.s_addr = INADDR_ANY;
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void lab_send(const struct lab_bench *b, int fd, size_t host, uint16_t port, const void *bytes,
	size_t length)
{
	struct sockaddr_in to = lab_address(b, host, port);

	ck_assert_int_eq(
		sendto(fd, bytes, length, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)length);
}

void lab_send_numbers(const struct lab_bench *b, int fd, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n <= to; n++)
		lab_send(b, fd, 1, LAB_PORT, &n, sizeof(n));
}

int lab_number(int fd, int timeout_ms)
{
	uint32_t n;

	if (!lab_readable(fd, timeout_ms))
		return -1;
	ck_assert_int_eq(recv(fd, &n, sizeof(n), 0), sizeof(n));
	return (int)n;
}

bool lab_readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

void lab_tcp(const struct lab_bench *b, int *client, int *server)
{
	struct sockaddr_in a = lab_address(b, 1, LAB_PORT);
	int listening = site_socket(b->site, 1, AF_INET, SOCK_STREAM, 0);

	*client = site_socket(b->site, 0, AF_INET, SOCK_STREAM, 0);
	ck_assert_int_ge(listening, 0);
	ck_assert_int_ge(*client, 0);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(connect(*client, (struct sockaddr *)&a, sizeof(a)), 0);
	*server = accept(listening, NULL, NULL);
	ck_assert_int_ge(*server, 0);
	(void)close(listening);
}

const struct journal_entry *lab_await(
	const struct lab_bench *b, bool (*is)(const struct journal_entry *e), unsigned count)
{
	int64_t deadline = clock_ms() + LAB_PATIENCE_MS;
	uint64_t read = 0;
	unsigned found = 0;

	for (;;) {
		uint64_t there = journal_wait(b->journal, read, clock_poll_timeout(deadline));
		ck_assert_msg(there > read, "%u of %u", found, count);
		for (; read < there; read++) {
			const struct journal_entry *e = journal_at(b->journal, read);
			if (is(e) && ++found == count)
				return e;
		}
	}
}

bool lab_is_packet(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET;
}

bool lab_is_arrival(const struct journal_entry *e)
{
	return e->kind == JOURNAL_ARRIVAL;
}

bool lab_is_lost(const struct journal_entry *e)
{
	return e->kind == JOURNAL_PACKET && e->of.packet.fate.kind != FATE_CARRIED;
}

unsigned lab_count(const struct lab_bench *b, bool (*is)(const struct journal_entry *e))
{
	uint64_t count = journal_count(b->journal);
	unsigned found = 0;

	for (uint64_t i = 0; i < count; i++)
		found += is(journal_at(b->journal, i));
	return found;
}
