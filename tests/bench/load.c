/*
 * A load for measuring the server: members of one room, some of whom speak.
 *
 *   load PORT MEMBERS SENDERS MESSAGES SIZE RATE STALLED WINDOW
 *
 * MESSAGES are sent in all, RATE a second (0: as fast as WINDOW unacknowledged messages
 * of each sender allow). STALLED of the members stop reading once they have joined, until all the
 * others are done, and then have to get everything too. Every member checks every
 * sender's sequence. Latency counts from the time that a message was to be sent, to
 * each delivery and to the acknowledgement.
 *
 * Prints one line: `delivered=N p50_us=A p99_us=B max_us=C ack_p50_us=D ack_p99_us=E lost=L
 * doubled=D reordered=R`.
 * Exit status 1 when anything was lost, doubled or out of order. All in one thread.
 */
#include "common/bytes.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/message.h"
#include "common/net.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATIENCE   120000
#define READ_BYTES (256 * 1024)

struct member {
	int fd;
	bool joined, stalled;
	uint8_t *kept; /* the part of a frame that has come */
	size_t kept_length;
	uint64_t received;
	uint64_t *seen; /* by sender: the last counter */
	uint64_t sent, acked;
	int64_t *due; /* by counter: when it was to be sent */
};

/* Times that things took, in microseconds. */
struct times {
	uint32_t *us;
	size_t count, size;
};

struct load {
	struct member *members;
	size_t count, senders, stalled;
	uint64_t messages, rate, size, window;
	uint64_t sent, acked, delivered;
	uint64_t lost, doubled, reordered;
	struct times deliveries, acks;
	size_t joined, complete;
	int64_t began;
	int epoll;
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Small frames on sockets that hardly carry anything: what does not go at once is a failure. */
static void send_all(int fd, const uint8_t *bytes, size_t length)
{
	while (length) {
		size_t n = 0;
		int r = net_sendv(fd,
			&(struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = length}, 1,
			&n);
		if (r == ERR_AGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};
			if (poll(&p, 1, PATIENCE) <= 0)
				die("the server does not read");
			continue;
		}
		if (r)
			die("send");
		bytes += n;
		length -= n;
	}
}

static void send_message(int fd, enum message_number number, const void *m)
{
	uint8_t frame[TEXT_MAX + 256];
	size_t used = 0;

	if (message_encode((uint16_t)number, m, frame, sizeof(frame), &used) != 0)
		die("encode");
	send_all(fd, frame, used);
}

static void open_member(struct load *l, size_t i, uint16_t port)
{
	struct member *m = &l->members[i];
	struct net_address a;
	const char *why;
	size_t count;
	char nick[24];

	if (net_resolve("127.0.0.1", port, SOCK_STREAM, false, &a, 1, &count, &why) != 0)
		die(why);
	int r = net_connect(&a, &m->fd);
	struct pollfd p = {.fd = m->fd, .events = POLLOUT};
	if (r == ERR_AGAIN && poll(&p, 1, PATIENCE) > 0)
		r = net_connect_result(m->fd);
	if (r)
		die("connect");
	struct msg_hello hello = {.version_low = 1, .version_high = 1, .agent = span_of("load")};
	send_message(m->fd, MESSAGE_HELLO, &hello);
	snprintf(nick, sizeof(nick), "m%zu", i % 1000000);
	struct msg_login login = {.tag = 1, .nick = span_of(nick)};
	bytes_put_u64(login.person, i + 1);
	bytes_put_u64(login.instance, i + 1);
	send_message(m->fd, MESSAGE_LOGIN, &login);
	struct msg_join join = {.tag = 2, .room = span_of("bench")};
	send_message(m->fd, MESSAGE_JOIN, &join);
	m->seen = calloc(l->senders, sizeof(*m->seen));
	m->kept = malloc(FRAME_MAX);
	if (i < l->senders)
		m->due = malloc((l->messages + 1) * sizeof(*m->due));
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = m};
	if (!m->seen || !m->kept || epoll_ctl(l->epoll, EPOLL_CTL_ADD, m->fd, &e) != 0)
		die("set up");
}

/* ---- receiving ---- */

static void note_time(struct times *t, int64_t due)
{
	int64_t took = clock_us() - due;

	if (t->count < t->size)
		t->us[t->count++] = took < 0 ? 0 : (uint32_t)took;
}

static void on_said(struct load *l, struct member *m, const struct msg_said *s)
{
	uint64_t sender = bytes_u64(s->instance) - 1;

	if (sender >= l->senders)
		die("a message from nobody of ours");
	uint64_t expected = m->seen[sender] + 1;
	if (s->counter > expected)
		l->lost += s->counter - expected;
	else if (s->counter == m->seen[sender])
		l->doubled++;
	else if (s->counter < expected)
		l->reordered++;
	m->seen[sender] = s->counter;
	l->delivered++;
	if (!m->stalled)
		note_time(&l->deliveries, strtoll(s->text.text, NULL, 10));
	if (++m->received == l->messages)
		l->complete++;
}

static void on_frame(struct load *l, struct member *m, const struct frame *f)
{
	union message value;

	if (f->type == MESSAGE_ERROR || f->type == MESSAGE_REFUSED || f->type == MESSAGE_GAP)
		die("refused, or a gap");
	if (f->type == MESSAGE_PING) {
		struct msg_pong pong = {.token = bytes_u64(f->payload)};
		send_message(m->fd, MESSAGE_PONG, &pong);
	}
	if (f->type != MESSAGE_SAID && f->type != MESSAGE_ACK && f->type != MESSAGE_CAUGHT_UP)
		return;
	if (message_decode(f, &value) != 0)
		die("a broken frame");
	if (f->type == MESSAGE_SAID) {
		on_said(l, m, &value.said);
	} else if (f->type == MESSAGE_ACK) {
		m->acked++;
		l->acked++;
		note_time(&l->acks, m->due[value.ack.counter]);
	} else if (value.caught_up.room.length && !m->joined) {
		m->joined = true;
		l->joined++;
	}
}

static void receive(struct load *l, struct member *m)
{
	static uint8_t buffer[READ_BYTES + FRAME_MAX];
	size_t have = m->kept_length, got, at = 0;
	struct frame f;

	memcpy(buffer, m->kept, have);
	int r = net_recv(m->fd, buffer + have, READ_BYTES, &got);
	if (r == ERR_AGAIN)
		return;
	if (r)
		die("the server closed a connection");
	have += got;
	while (frame_decode(buffer + at, have - at, FRAME_PAYLOAD_MAX, &f, NULL) == 0) {
		on_frame(l, m, &f);
		at += FRAME_HEADER + (size_t)f.length;
	}
	m->kept_length = have - at;
	memcpy(m->kept, buffer + at, m->kept_length);
}

static void turn(struct load *l, int timeout)
{
	struct epoll_event events[256];
	int n = epoll_wait(l->epoll, events, 256, timeout);

	for (int i = 0; i < n; i++)
		receive(l, events[i].data.ptr);
}

/* ---- sending ---- */

static void say(struct load *l, size_t sender, int64_t due)
{
	static char text[TEXT_MAX + 1];
	struct member *m = &l->members[sender];

	memset(text, 'x', l->size);
	text[l->size] = '\0';
	int n = snprintf(text, sizeof(text), "%lld ", (long long)due);
	if ((uint64_t)n < l->size)
		text[n] = 'x';
	m->due[m->sent + 1] = due;
	struct msg_say s = {.counter = ++m->sent, .room = span_of("bench"), .text = span_of(text)};
	send_message(m->fd, MESSAGE_SAY, &s);
	l->sent++;
}

/* Send what is due, and return how long nothing more is: milliseconds. */
static int send_due(struct load *l)
{
	if (l->rate == 0) {
		for (size_t i = 0; i < l->senders; i++) {
			struct member *m = &l->members[i];
			while (l->sent < l->messages && m->sent - m->acked < l->window)
				say(l, i, clock_us());
		}
		return 1000;
	}
	int64_t step = 1000000 / (int64_t)l->rate;
	int64_t due = l->began + (int64_t)l->sent * step;
	while (l->sent < l->messages && due <= clock_us()) {
		say(l, (size_t)(l->sent % l->senders), due);
		due += step;
	}
	return l->sent < l->messages ? 1 : 1000;
}

/* ---- the whole ---- */

static void set_stalled(struct load *l, bool stalled)
{
	for (size_t i = l->count - l->stalled; i < l->count; i++) {
		struct epoll_event e = {
			.events = stalled ? 0 : EPOLLIN, .data.ptr = &l->members[i]};
		l->members[i].stalled = true; /* for ever: its latencies say nothing */
		if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->members[i].fd, &e) != 0)
			die("epoll_ctl");
	}
}

static void run(struct load *l)
{
	int64_t deadline = clock_ms() + PATIENCE;

	while (l->joined < l->count && clock_ms() < deadline)
		turn(l, 1000);
	if (l->joined < l->count)
		die("not everybody could join");
	printf("joined\n");
	(void)fflush(stdout);
	if (getchar() == EOF)
		die("nobody said go");
	set_stalled(l, true);
	l->began = clock_us();
	while (l->complete < l->count - l->stalled && clock_ms() < deadline)
		turn(l, send_due(l));
	int64_t took = clock_us() - l->began;
	printf("sent seconds=%.3f\n", (double)took / 1e6);
	(void)fflush(stdout);
	if (l->stalled && getchar() == EOF)
		die("nobody said go on");
	set_stalled(l, false);
	while (l->complete < l->count && clock_ms() < deadline)
		turn(l, 1000);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Of sorted times. */
static uint32_t quantile(const struct times *t, double q)
{
	if (t->count == 0)
		return 0;
	size_t i = (size_t)(q * (double)t->count);
	return t->us[i < t->count ? i : t->count - 1];
}

static int report(struct load *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->members[i].received < l->messages)
			l->lost += l->messages - l->members[i].received;
	}
	qsort(l->deliveries.us, l->deliveries.count, sizeof(l->deliveries.us[0]), compare);
	qsort(l->acks.us, l->acks.count, sizeof(l->acks.us[0]), compare);
	printf("delivered=%llu p50_us=%u p99_us=%u max_us=%u ack_p50_us=%u ack_p99_us=%u "
	       "lost=%llu doubled=%llu reordered=%llu\n",
		(unsigned long long)l->delivered, quantile(&l->deliveries, 0.5),
		quantile(&l->deliveries, 0.99), quantile(&l->deliveries, 1.0),
		quantile(&l->acks, 0.5), quantile(&l->acks, 0.99), (unsigned long long)l->lost,
		(unsigned long long)l->doubled, (unsigned long long)l->reordered);
	return l->lost || l->doubled || l->reordered;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
	if (argc != 9) {
		fprintf(stderr,
			"usage: load PORT MEMBERS SENDERS MESSAGES SIZE RATE STALLED WINDOW\n");
		return 2;
	}
	struct load l = {
		.count = number(argv[2]),
		.senders = number(argv[3]),
		.messages = number(argv[4]),
		.size = number(argv[5]),
		.rate = number(argv[6]),
		.stalled = number(argv[7]),
		.window = number(argv[8]),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
	};
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	assert(l.size <= TEXT_MAX && l.senders + l.stalled <= l.count);
	l.members = calloc(l.count, sizeof(*l.members));
	l.deliveries.size = (size_t)(l.messages * (l.count - l.stalled));
	l.deliveries.us = malloc((l.deliveries.size + 1) * sizeof(uint32_t));
	l.acks.size = (size_t)l.messages;
	l.acks.us = malloc((l.acks.size + 1) * sizeof(uint32_t));
	if (!l.members || !l.deliveries.us || !l.acks.us || l.epoll < 0)
		die("set up");
	for (size_t i = 0; i < l.count; i++)
		open_member(&l, i, (uint16_t)number(argv[1]));
	run(&l);
	return report(&l);
}
