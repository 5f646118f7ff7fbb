/*
 * Sockets: resolving names, listening, connecting, and the one home of partial
 * I/O, EINTR and SIGPIPE.
 *
 * Every socket is made close-on-exec and non-blocking. Each function narrates
 * itself when tracing is on (common/trace.h); that costs one test of a flag
 * when it is off. Any thread may call these functions, but net_resolve may block
 * on name look-ups. Sources: getaddrinfo(3), socket(7), ip(7), ipv6(7),
 * RFC 3493, RFC 4007 (scopes).
 */
#ifndef LANCHAT_NET_H
#define LANCHAT_NET_H

#include "common/net_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* All addresses of `host` (empty: the wildcard addresses, for listening) by getaddrinfo, at most
 * `most`, in the order that getaddrinfo gave them, `*count` of them. "fe80::1%eth0" works.
 * ERR_RESOLVE with the resolver's words in `*why` (static) when there is none. */
int net_resolve(const char *host, uint16_t port, int socktype, bool passive,
	struct net_address *out, size_t most, size_t *count, const char **why);

/* What every TCP connection gets, at either end: TCP_NODELAY, SO_KEEPALIVE, and SO_SNDBUF capped at
 * `send_buffer` bytes unless 0. What a listening socket has been given, on Linux each connection has that
 * it takes from then on. */
void net_prepare(int fd, int send_buffer);

/* A listening TCP socket (SO_REUSEADDR; IPV6_V6ONLY on IPv6, so that both families can be listened
 * on by one port), prepared, so that those are who are accepted. ERR_SYSTEM with errno. */
int net_listen(const struct net_address *a, int backlog, int send_buffer, int *fd);

/* Take one waiting connection. ERR_AGAIN: none waits. ERR_SYSTEM: EMFILE and the like. A connection that
 * died while it waited is ERR_AGAIN as well. */
int net_accept(int listener, int *fd, struct net_address *peer);

/* Begin to connect over TCP (TCP_NODELAY on). 0: connected already; ERR_AGAIN: poll for POLLOUT,
 * then ask net_connect_result. `*fd` is open in both cases, and the caller's to close. ERR_SYSTEM. */
int net_connect(const struct net_address *a, int *fd);

/* The same from a local address (NULL: any), whose port is of no matter (IP_BIND_ADDRESS_NO_PORT, ip(7)): each has
 * ports of its own for every destination. ERR_SYSTEM with EADDRNOTAVAIL: all of them are in use. */
int net_connect_from(const struct net_address *local, const struct net_address *a, int *fd);

/* 0: connected. ERR_AGAIN: not yet. ERR_SYSTEM with errno: why it failed (ECONNREFUSED and so on);
 * the descriptor is still the caller's. */
int net_connect_result(int fd);

/* A UDP socket of `family`, bound to nothing yet. ERR_SYSTEM. */
int net_udp(int family, int *fd);
int net_bind(int fd, const struct net_address *a);

/* setsockopt(2) with an int, narrated: `name` is the option's, `why` one sentence of what it is for.
 * ERR_SYSTEM. */
int net_set_option(int fd, int level, int option, int value, const char *name, const char *why);

/* The address of this end, and of the other. ERR_SYSTEM with errno. */
int net_local(int fd, struct net_address *a);
int net_peer(int fd, struct net_address *a);

/* Receive what there is, up to `size` bytes. 0 with `*got` > 0; ERR_AGAIN; ERR_CLOSED at the end of
 * the stream or after a reset; ERR_SYSTEM. */
int net_recv(int fd, void *buffer, size_t size, size_t *got);

/* The first byte of what there is, which stays there. Results as above. */
int net_peek(int fd, uint8_t *first);

/* Send as much of the pieces as the socket takes now. 0 with `*sent` > 0; ERR_AGAIN when it takes
 * nothing; ERR_CLOSED after a reset; ERR_SYSTEM. */
int net_sendv(int fd, const struct iovec *pieces, int count, size_t *sent);

/* Shut one or both directions down (SHUT_RD, SHUT_WR, SHUT_RDWR); errors do not matter. */
void net_shutdown(int fd, int how);

/* Close, unless `fd` is -1; errno is kept. Never retried: on Linux the descriptor is gone even after
 * EINTR. */
void net_close(int fd);

#endif
