/*
 * The stage: what a scenario plays on. Two hosts and the wire between them, or, where the system allows
 * no namespaces, loopback with a relay; sockets whose calls are written down as they are made; scores
 * kept for each side; and an audience, which may stop, pause or slow it down.
 *
 * Every call here that could wait has a deadline, and returns at once when the run is stopped. A call
 * that fails does as the kernel's does: -1, with errno. When its deadline passes, errno is what the
 * kernel says of a call that would have to wait, EAGAIN, or EINPROGRESS of connect; so ETIMEDOUT is
 * always the kernel's. When the run is stopped it is ECANCELED, and nothing is written down any more.
 * A descriptor of -1 is refused with EBADF, also without writing it down: a scenario can go on after a
 * call that failed, and let its checks find it.
 *
 * Deadlines and pauses go by the stage's own clock, which the audience may slow down or stop; the
 * kernels' clocks go on. Any thread of the scenario may call these.
 *
 * On loopback each host is an address of 127.83.19.0/24, and ports are the kernel's choice, so that
 * two runs do not meet; a scenario names the port it would have used.
 */
#ifndef LANCHAT_LAB_STAGE_H
#define LANCHAT_LAB_STAGE_H

#include "common/histogram.h"
#include "common/net.h"
#include "tools/lab/journal.h"
#include "tools/lab/scenario.h"
#include "tools/lab/wire.h"

#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAGE_PATIENCE_MS 20000 /* no single wait of a scenario is longer */
#define STAGE_TROUBLE     512   /* what kept a scenario from its end, in words */
#define STAGE_TRYING      256   /* what TCP still tries, in words */

struct stage_options {
	const struct scenario *scenario;
	struct impairment impaired;
	uint32_t count, size;
	uint64_t seed;
	bool loopback; /* no namespaces: the relay */
	bool watched;  /* chat: at a pace that can be followed */
	/* From then on, on the stage's clock, nothing is waited for any more; 0: no bound. */
	uint64_t bound_ms;
	int lines_fd; /* chat: where lines come from, borrowed; unused by others */
};

struct stage;

/* Make hosts, wire (or relay) and journal. ERR_REFUSED: `reason` says what is missing. */
int stage_open(const struct stage_options *o, struct stage **out, char reason[SITE_REASON]);

/* Run the scenario to its end in this thread; then every check is in the journal. As scenario.run. */
int stage_play(struct stage *s);

/* Any thread, while it plays: it ends soon. */
void stage_stop(struct stage *s);
bool stage_stopped(const struct stage *s);

/* The audience; any thread. Other impairments, from the next packet on; time stands still (packets that
 * enter the wire wait); everything takes `factor` times as long, 1 as it began. */
void stage_impair(struct stage *s, const struct impairment *how);
void stage_hold(struct stage *s, bool held);
void stage_slow(struct stage *s, unsigned factor);

/* Closes what is open, frees all. After stage_play. */
void stage_close(struct stage *s);

struct journal *stage_journal(struct stage *s);
struct wire *stage_wire(struct stage *s); /* NULL on loopback */
struct site *stage_site(struct stage *s); /* the same */
const struct stage_options *stage_options(const struct stage *s);

/* Is it past its bound? Any thread. */
bool stage_overdue(struct stage *s);

/* How many checks held, how many did not, and how many showed nothing. */
struct verdicts {
	size_t held, failed, open;
};
void stage_verdict(const struct stage *s, struct verdicts *out);

/* ---- sockets: each call is made, and written down with `why` (one sentence, or NULL) ---- */

#define CLIENT_HOST 0
#define SERVER_HOST 1
/* In place of a host, where one is spoken to: not on loopback. */
#define STAGE_EVERYBODY 100 /* the subnet's broadcast address */
#define STAGE_GROUP     101 /* a multicast group, 239.83.19.1 */
#define STAGE_NOWHERE   102 /* 192.0.2.1, to which there is no route */

/* The end that `host` (or one of the above) and `port` are, as text: "10.83.19.2:7000". */
char *stage_print_end(
	struct stage *s, size_t host, uint16_t port, int type, char out[NET_ADDRESS_MAX]);

/* A stream's congestion control is set to cubic (reno where there is none), whatever the system's is. */
int stage_socket(struct stage *s, enum side side, size_t host, int type, const char *why);
int stage_bind(
	struct stage *s, int fd, uint16_t port, const char *why); /* any address; 0: any port */
int stage_listen(struct stage *s, int fd, int backlog, const char *why);
/* Waits until there is somebody. */
int stage_accept(struct stage *s, int fd, const char *why);
/* To that port of that host: the relay's on loopback. Waits until it is decided. */
int stage_connect(struct stage *s, int fd, size_t host, uint16_t port, const char *why);
int stage_option(struct stage *s, int fd, int level, int name, int value, const char *why);
/* Join STAGE_GROUP (IP_ADD_MEMBERSHIP), or send to it by this host's device (IP_MULTICAST_IF). */
int stage_join(struct stage *s, int fd, const char *why);
int stage_group_by(struct stage *s, int fd, const char *why);
/* One send(2), without waiting; of text where all of it can be printed. */
ssize_t stage_send(
	struct stage *s, int fd, const void *bytes, size_t length, int flags, const char *why);
ssize_t stage_send_to(struct stage *s, int fd, const void *bytes, size_t length, size_t host,
	uint16_t port, const char *why);
/* To whoever sent the last datagram that was read from this socket. */
ssize_t stage_answer(struct stage *s, int fd, const void *bytes, size_t length, const char *why);
/* One recvmsg(2), once there is something, at most `timeout_ms`; *flags: in MSG_PEEK and the like, out
 * MSG_TRUNC. `flags` may be NULL. */
ssize_t stage_receive(struct stage *s, int fd, void *bytes, size_t size, int *flags, int timeout_ms,
	const char *why);
int stage_shutdown(struct stage *s, int fd, int how, const char *why);
int stage_close_socket(struct stage *s, int fd, const char *why);

/* The port that it is bound to, as others of the scenario name it. */
uint16_t stage_port(struct stage *s, int fd);
/* Its own address, and the peer's; false where there is none. */
bool stage_ends(struct stage *s, int fd, struct net_address *own, struct net_address *peer);
/* getaddrinfo for the server's address and `port`, with each entry of the list written down. */
int stage_resolve(struct stage *s, uint16_t port, const char *why);
/* The error that waits on it (SO_ERROR), which is cleared. */
int stage_error(struct stage *s, int fd, const char *why);
/* getsockopt TCP_INFO; its count of retransmissions goes into the score. So does, without being written
 * down, that of each stream that is closed, or open at the end. */
int stage_tcp_info(struct stage *s, int fd, struct tcp_info *out);
/* Does a stream of the scenario wait for an acknowledgement that did not come in time? Then in words
 * what its kernel says of that. Quietly; by the thread that TCP is played in. */
bool stage_trying(struct stage *s, char out[STAGE_TRYING]);
/* Datagrams that the kernel threw away at this socket because its buffer was full (SO_MEMINFO); -1. */
int64_t stage_drops(struct stage *s, int fd);

/* Without writing down: poll(2) for `events`, at most `timeout_ms`. What came, 0 when it was too long,
 * -1 and ECANCELED when stopped. */
int stage_wait(struct stage *s, int fd, short events, int timeout_ms);
/* A call that has waited until now, with nothing to show for it. */
struct stage_waiter {
	uint8_t host;
	int fd;
	const char *operation; /* "accept"; a constant */
	uint64_t for_ms;       /* since a wait here was not in vain; by the journal's clock */
};
#define STAGE_WAITERS 4
/* The calls of that side that have waited for a tenth of a second, the longest first; how many. */
size_t stage_waiters(struct stage *s, enum side side, struct stage_waiter out[STAGE_WAITERS]);
/* Let that much time pass, as slow as the audience wants it. ERR_STOPPING. */
int stage_pause_ms(struct stage *s, unsigned ms);
/* The stage's clock, in milliseconds since it was opened. */
int64_t stage_ms(struct stage *s);
/* Wait until the wire has taken `sent` packets of that side in all (or datagrams, on loopback) and has
 * delivered or lost every one of them. 0; ERR_TIMEOUT; ERR_STOPPING. */
int stage_settle(struct stage *s, enum side side, uint64_t sent);
/* Wait until it has taken that many, whatever has become of them. */
int stage_taken(struct stage *s, enum side side, uint64_t sent);
/* What the wire, or the relay, did. */
void stage_counts(struct stage *s, enum side side, struct wire_counts *out);

/* ---- telling ---- */

void stage_say(struct stage *s, enum side side, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same of what a program printed: journal_voice. */
void stage_voice(struct stage *s, uint8_t voice, const char *before, const char *line);
/* Assert. `measured` says what was found, whichever way it went. Returns `good`. */
bool stage_check(struct stage *s, enum side side, bool good, const char *text, const char *measured,
	...) __attribute__((format(printf, 5, 6)));

/* Assert what holds unless the network takes, doubles or delays a packet: where it does not hold, and the
 * network did so to that side, or TCP still tries, nothing is shown by it, and why is told. */
bool stage_expect(struct stage *s, enum side side, bool good, const char *text,
	const char *measured, ...) __attribute__((format(printf, 5, 6)));
/* It can neither be said to hold nor not to. `measured` says why, and what the network did is added. */
void stage_unshown(struct stage *s, enum side side, const char *text, const char *measured, ...)
	__attribute__((format(printf, 4, 5)));

/* That side's last call that failed keeps the scenario from its end. */
void stage_failed(struct stage *s, enum side side);
/* Of the first of these, name, arguments and error; "" if there was none. */
void stage_trouble(struct stage *s, char out[STAGE_TROUBLE]);

/* ---- scores: numbered messages, from 0; where people see them, from 1 ---- */

struct score {
	/* Lost: given up, and not received; of datagrams also those that the wire has lost by now. */
	uint64_t sent, received, lost, twice, late;
	uint64_t retransmitted; /* by TCP, as TCP_INFO of all sockets that were asked says */
	bool retransmitted_known;
	uint64_t in_flight; /* sent, and neither received nor given up */
	struct histogram_view latency_us;
};

/* Message `number` is handed to the kernel now; once more where it was not taken before. */
void stage_sent(struct stage *s, enum side side, uint32_t number);
/* It came. True: for the first time. */
bool stage_arrived(struct stage *s, enum side side, uint32_t number);
/* What has not come by now is lost. */
void stage_give_up(struct stage *s, enum side side);
void stage_score(struct stage *s, enum side side, struct score *out);
/* When it came first, in microseconds after it was sent; -1: not yet. */
int64_t stage_latency_us(struct stage *s, enum side side, uint32_t number);

#endif
