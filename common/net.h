/*
 * Sockets: names to addresses, listening, connecting, and the one home of
 * partial I/O, EINTR and SIGPIPE.
 *
 * Every socket is made close-on-exec and non-blocking. Each function narrates
 * itself when tracing is on (common/trace.h); that costs one test of a flag
 * when it is off. Any thread may call these functions, but net_resolve may block
 * on name look-ups. Sources: getaddrinfo(3), socket(7), ip(7), ipv6(7),
 * RFC 3493, RFC 4007 (scopes).
 */
#ifndef LANCHAT_NET_H
#define LANCHAT_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define NET_PORT        19830 /* TCP for chat, UDP for discovery */
#define NET_HOST_MAX    256
#define NET_ADDRESS_MAX 80 /* a printed address: "[fe80::1%eth0]:19830" with room to spare */

/* A socket address of either family. A plain value. */
struct net_address {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} u;
};

/* "host", "host:port", "[v6]:port", "v6", ":port"; ":port" and "*:port" mean every address.
 * `host` (NET_HOST_MAX bytes) gets the host, empty for every address. ERR_ARGUMENT when it is none
 * of these. */
int net_parse(const char *text, uint16_t default_port, char *host, uint16_t *port);

/* All addresses of `host` (empty: the wildcard addresses, for listening) by getaddrinfo, at most
 * `most`, in the order that getaddrinfo gave them, `*count` of them. "fe80::1%eth0" works.
 * ERR_RESOLVE with the resolver's words in `*why` (static) when there is none. */
int net_resolve(const char *host, uint16_t port, int socktype, bool passive,
	struct net_address *out, size_t most, size_t *count, const char **why);

/* "192.0.2.1:19830", "[2001:db8::1]:19830", "[fe80::1%eth0]:19830". Returns `out`. */
char *net_print(const struct net_address *a, char out[NET_ADDRESS_MAX]);
uint16_t net_port(const struct net_address *a);
void net_set_port(struct net_address *a, uint16_t port);
bool net_is_loopback(const struct net_address *a);
bool net_equal(const struct net_address *a, const struct net_address *b); /* address and port */

/* A listening TCP socket (SO_REUSEADDR; IPV6_V6ONLY on IPv6, so that both families can be listened
 * on by one port). ERR_SYSTEM with errno. */
int net_listen(const struct net_address *a, int backlog, int *fd);

/* Take one waiting connection (TCP_NODELAY on, SO_SNDBUF capped at `send_buffer` bytes unless 0).
 * ERR_AGAIN: none waits. ERR_SYSTEM: EMFILE and the like. A connection that died while it waited is
 * ERR_AGAIN as well. */
int net_accept(int listener, int send_buffer, int *fd, struct net_address *peer);

/* Begin to connect over TCP (TCP_NODELAY on). 0: connected already; ERR_AGAIN: poll for POLLOUT,
 * then ask net_connect_result. `*fd` is open in both cases, and the caller's to close. ERR_SYSTEM. */
int net_connect(const struct net_address *a, int *fd);
int net_connect_result(int fd);

/* A UDP socket of `family`, bound to nothing yet. ERR_SYSTEM. */
int net_udp(int family, int *fd);
int net_bind(int fd, const struct net_address *a);
int net_local(int fd, struct net_address *a);
int net_peer(int fd, struct net_address *a);

/* Receive what there is, up to `size` bytes. 0 with `*got` > 0; ERR_AGAIN; ERR_CLOSED at the end of
 * the stream or after a reset; ERR_SYSTEM. */
int net_recv(int fd, void *buffer, size_t size, size_t *got);

/* Send as much of the pieces as the socket takes now. 0 with `*sent` > 0; ERR_AGAIN when it takes
 * nothing; ERR_CLOSED after a reset; ERR_SYSTEM. */
int net_sendv(int fd, const struct iovec *pieces, int count, size_t *sent);

/* Shut one or both directions down (SHUT_RD, SHUT_WR, SHUT_RDWR); errors do not matter. */
void net_shutdown(int fd, int how);

/* Close, unless `fd` is -1. Never retried: on Linux the descriptor is gone even after EINTR. */
void net_close(int fd);

#endif
