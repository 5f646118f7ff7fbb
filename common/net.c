#include "common/net.h"

#include "common/err.h"
#include "common/trace.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- names to addresses ---- */

static void narrate_resolve(const char *node, const char *service, const struct addrinfo *hints,
	int result, const struct addrinfo *list, const char *why)
{
	const char *reason = result ? why
			     : node ? "asks the resolver for every address that the name has; "
				      "connect tries them in turn"
				    : "no name: for a listener that means every address of this "
				      "machine, per family";

	trace_callf(result, reason, "getaddrinfo(%s, \"%s\", {%s, %s%s})", node ? node : "NULL",
		service, trace_family(hints->ai_family), trace_socktype(hints->ai_socktype),
		hints->ai_flags & AI_PASSIVE ? ", AI_PASSIVE" : "");
	trace_addrinfo(list);
}

int net_resolve(const char *host, uint16_t port, int socktype, bool passive,
	struct net_address *out, size_t most, size_t *count, const char **why)
{
	/* No AI_ADDRCONFIG: it ignores loopback, so on a machine that is offline it would hide ::1. */
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = socktype,
		.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0),
	};
	const char *node = host[0] ? host : NULL;
	struct addrinfo *list = NULL;
	char service[8];
	size_t n = 0;

	(void)snprintf(service, sizeof(service), "%u", port);
	int r = getaddrinfo(node, service, &hints, &list);
	const char *words = r == EAI_SYSTEM ? strerrordesc_np(errno) : gai_strerror(r);
	if (trace_on())
		narrate_resolve(node, service, &hints, r, r ? NULL : list, words);
	if (r != 0) {
		*why = words;
		return ERR_RESOLVE;
	}
	for (const struct addrinfo *ai = list; ai && n < most; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(out[n].u))
			continue;
		out[n] = (struct net_address){.length = ai->ai_addrlen};
		memcpy(&out[n].u, ai->ai_addr, ai->ai_addrlen);
		n++;
	}
	freeaddrinfo(list);
	*count = n;
	return 0;
}

/* ---- making and preparing sockets ---- */

static int make_socket(int family, int type, int *fd)
{
	int s = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (trace_on())
		trace_callf(s,
			type == SOCK_STREAM ? "makes one end of a TCP connection; it has no "
					      "address and no peer yet"
					    : "makes a UDP socket: no connection, each datagram "
					      "goes on its own",
			"socket(%s, %s|SOCK_NONBLOCK|SOCK_CLOEXEC, 0)", trace_family(family),
			trace_socktype(type));
	if (s < 0)
		return ERR_SYSTEM;
	*fd = s;
	return 0;
}

/* Each option here makes things better, none is needed for them to work; failure is not an error. */
static void set_option(int fd, int level, int option, int value, const char *name, const char *why)
{
	int r = setsockopt(fd, level, option, &value, sizeof(value));

	if (trace_on())
		trace_callf(r, why, "setsockopt(%d, %s, %d)", fd, name, value);
}

/* What every TCP connection gets, at either end. */
static void prepare_connection(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY",
		"chat lines are short and must not wait to be put together (Nagle's algorithm "
		"off)");
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE",
		"lets the kernel find out by itself, in time, that a silent peer is gone");
}

int net_bind(int fd, const struct net_address *a)
{
	char text[NET_ADDRESS_MAX];
	int r = bind(fd, &a->u.any, a->length);

	if (trace_on())
		trace_callf(r,
			net_port(a)
				? "claims this address and port, so that others know where to send"
				: "claims the address; port 0 lets the kernel choose a free port",
			"bind(%d, %s, %u bytes)", fd, net_print(a, text), (unsigned)a->length);
	return r < 0 ? ERR_SYSTEM : 0;
}

int net_listen(const struct net_address *a, int backlog, int *fd)
{
	int s = -1;
	int r = make_socket(a->u.any.sa_family, SOCK_STREAM, &s);

	if (r)
		return r;
	set_option(s, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR",
		"a restarted server may bind although old connections are still in TIME_WAIT");
	if (a->u.any.sa_family == AF_INET6)
		set_option(s, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY",
			"IPv6 alone, so that an IPv4 socket can listen on the same port");
	r = net_bind(s, a);
	if (r)
		goto fail;
	r = listen(s, backlog) < 0 ? ERR_SYSTEM : 0;
	if (trace_on())
		trace_callf(r ? -1 : 0,
			"from now on the kernel completes handshakes and queues them up for accept",
			"listen(%d, %d)", s, backlog);
	if (r)
		goto fail;
	*fd = s;
	return 0;
fail:
	net_close(s);
	return r;
}

int net_udp(int family, int *fd)
{
	return make_socket(family, SOCK_DGRAM, fd);
}

int net_local(int fd, struct net_address *a)
{
	struct net_address found = {.length = sizeof(found.u)};
	char text[NET_ADDRESS_MAX];
	int r = getsockname(fd, &found.u.any, &found.length);

	if (trace_on())
		trace_callf(r, "asks which address and port this end really has",
			"getsockname(%d, %s)", fd, r < 0 ? "?" : net_print(&found, text));
	if (r < 0)
		return ERR_SYSTEM;
	*a = found;
	return 0;
}

int net_peer(int fd, struct net_address *a)
{
	struct net_address found = {.length = sizeof(found.u)};

	if (getpeername(fd, &found.u.any, &found.length) < 0)
		return ERR_SYSTEM;
	*a = found;
	return 0;
}

/* ---- accepting ---- */

/* Errors that concern the connection that was waiting, not the listener: accept(2), "Error
 * handling". EPERM is a firewall's refusal. */
static bool died_in_queue(int error)
{
	switch (error) {
	case ECONNABORTED:
	case EPERM:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

static void narrate_accept(int listener, int fd, const struct net_address *peer)
{
	char text[NET_ADDRESS_MAX];

	trace_callf(fd,
		fd >= 0           ? "takes a finished connection off the queue, as a new descriptor"
		: errno == EAGAIN ? "nobody waits in the queue"
		: died_in_queue(errno) ? "the one who waited has gone away"
				       : "the connection stays in the queue until there is room",
		"accept4(%d, %s, SOCK_NONBLOCK|SOCK_CLOEXEC)", listener,
		fd >= 0 ? net_print(peer, text) : "?");
}

int net_accept(int listener, int send_buffer, int *fd, struct net_address *peer)
{
	struct net_address from;
	int s;

	do {
		from = (struct net_address){.length = sizeof(from.u)};
		s = accept4(listener, &from.u.any, &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (trace_on())
			narrate_accept(listener, s, &from);
	} while (s < 0 && errno == EINTR);
	if (s < 0)
		return errno == EAGAIN || died_in_queue(errno) ? ERR_AGAIN : ERR_SYSTEM;
	prepare_connection(s);
	if (send_buffer > 0)
		set_option(s, SOL_SOCKET, SO_SNDBUF, send_buffer, "SO_SNDBUF",
			"bounds the kernel's memory for a peer that reads slowly");
	*fd = s;
	*peer = from;
	return 0;
}

/* ---- connecting ---- */

int net_connect(const struct net_address *a, int *fd)
{
	char text[NET_ADDRESS_MAX];
	int s = -1;
	int r = make_socket(a->u.any.sa_family, SOCK_STREAM, &s);

	if (r)
		return r;
	prepare_connection(s);
	r = connect(s, &a->u.any, a->length);
	if (trace_on())
		trace_callf(r,
			r == 0 ? "the handshake (SYN, SYN-ACK, ACK) is done: connected"
			: errno == EINPROGRESS ? "the SYN is on its way; poll says when the socket "
						 "becomes writable"
					       : "the handshake could not even begin",
			"connect(%d, %s, %u bytes)", s, net_print(a, text), (unsigned)a->length);
	/* After EINTR the handshake goes on by itself, exactly as after EINPROGRESS. */
	if (r < 0 && errno != EINPROGRESS && errno != EINTR) {
		net_close(s);
		return ERR_SYSTEM;
	}
	*fd = s;
	return r < 0 ? ERR_AGAIN : 0;
}

/* A socket that connects to a free port of its own machine may be given that very port as its own,
 * and then TCP's simultaneous open connects it to itself. */
static bool is_own_peer(int fd, const struct net_address *peer)
{
	struct net_address own = {.length = sizeof(own.u)};

	return getsockname(fd, &own.u.any, &own.length) == 0 && net_equal(&own, peer);
}

int net_connect_result(int fd)
{
	struct net_address peer;
	int error = 0;
	socklen_t size = sizeof(error);
	int r = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);

	if (r == 0 && error != 0) {
		errno = error;
		r = -1;
	}
	if (trace_on())
		trace_callf(r,
			r ? "asks how the handshake ended: it failed"
			  : "no error so far in the handshake",
			"getsockopt(%d, SO_ERROR)", fd);
	if (r != 0)
		return ERR_SYSTEM;
	if (net_peer(fd, &peer) != 0)
		return errno == ENOTCONN ? ERR_AGAIN : ERR_SYSTEM;
	if (is_own_peer(fd, &peer)) {
		errno = ECONNREFUSED;
		return ERR_SYSTEM;
	}
	return 0;
}

/* ---- bytes ---- */

/* What a connection that ended otherwise than by an orderly close leaves behind. */
static int failure(int error)
{
	switch (error) {
	case EAGAIN:
		return ERR_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ECONNABORTED:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return ERR_CLOSED;
	default:
		return ERR_SYSTEM;
	}
}

static void narrate_bytes(int fd, const char *call, size_t size, ssize_t n, const char *why)
{
	int error = errno;
	struct net_address peer;
	char text[NET_ADDRESS_MAX] = "a peer that is gone";

	if (net_peer(fd, &peer) == 0)
		(void)net_print(&peer, text);
	errno = error;
	trace_callf(n, why, "%s(%d, %zu bytes, %s)", call, fd, size, text);
}

__attribute__((noinline, cold)) static void narrate_recv(int fd, size_t size, ssize_t n)
{
	const char *why =
		n > 0    ? "takes bytes that have arrived; a stream has an order, but no messages"
		: n == 0 ? "0 bytes mean the end: the peer has closed its direction"
		: errno == EAGAIN              ? "nothing has arrived yet; poll says when"
		: failure(errno) == ERR_CLOSED ? "the connection was cut instead of closed"
					       : "something is wrong at this end";
	narrate_bytes(fd, "recv", size, n, why);
}

__attribute__((noinline, cold)) static void narrate_send(
	int fd, const struct iovec *pieces, int count, ssize_t n)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += pieces[i].iov_len;
	const char *why =
		n >= 0 && (size_t)n == size
			? "hands bytes to the kernel, which sends them and repeats what gets lost"
		: n >= 0 ? "the kernel's buffer took only a part; the rest must wait"
		: errno == EAGAIN
			? "the send buffer is full: the peer reads too slowly; poll says when"
		: failure(errno) == ERR_CLOSED ? "the peer is gone, so nobody would receive this"
					       : "something is wrong at this end";
	narrate_bytes(fd, "sendmsg", size, n, why);
}

int net_recv(int fd, void *buffer, size_t size, size_t *got)
{
	ssize_t n;

	assert(size > 0);
	do {
		n = recv(fd, buffer, size, 0);
		if (trace_on())
			narrate_recv(fd, size, n);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return failure(errno);
	if (n == 0)
		return ERR_CLOSED;
	*got = (size_t)n;
	return 0;
}

int net_sendv(int fd, const struct iovec *pieces, int count, size_t *sent)
{
	/* sendmsg only reads the pieces; its struct is shared with recvmsg, which does not. */
	struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)pieces,
		.msg_iovlen = (size_t)count,
	};
	ssize_t n;

	assert(count > 0);
	do {
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (trace_on())
			narrate_send(fd, pieces, count, n);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return failure(errno);
	*sent = (size_t)n;
	return 0;
}

/* ---- ending ---- */

void net_shutdown(int fd, int how)
{
	int r = shutdown(fd, how);

	if (trace_on())
		trace_callf(r,
			how == SHUT_RD ? "no more reading here; whoever waits in poll wakes up"
			: how == SHUT_WR
				? "no more writing: the peer gets what is sent, then the end"
				: "ends both directions; the descriptor stays until close",
			"shutdown(%d, %s)", fd,
			how == SHUT_RD   ? "SHUT_RD"
			: how == SHUT_WR ? "SHUT_WR"
					 : "SHUT_RDWR");
}

void net_close(int fd)
{
	int error = errno;

	if (fd < 0)
		return;
	int r = close(fd);
	if (trace_on())
		trace_callf(r, "gives the descriptor back; the kernel still delivers what was sent",
			"close(%d)", fd);
	errno = error;
}
