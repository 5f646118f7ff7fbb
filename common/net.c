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

static const char *why_resolve(int result, const char *node)
{
	if (result != 0)
		return result == EAI_SYSTEM ? strerrordesc_np(errno) : gai_strerror(result);
	if (node)
		return "asks for every address that the name has; connect tries them in turn";
	return "no name: for a listener that means every address of this machine";
}

static void narrate_resolve(const char *node, const char *service, const struct addrinfo *hints,
	int result, const struct addrinfo *list)
{
	const char *quote = node ? "\"" : "";

	trace_callf(result, why_resolve(result, node), "getaddrinfo(%s%s%s, \"%s\", {%s, %s%s})",
		quote, node ? node : "NULL", quote, service, trace_family(hints->ai_family),
		trace_socktype(hints->ai_socktype),
		hints->ai_flags & AI_PASSIVE ? ", AI_PASSIVE" : "");
	if (result == 0)
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
	if (trace_on())
		narrate_resolve(node, service, &hints, r, list);
	if (r != 0) {
		*why = why_resolve(r, node);
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

static const char *why_socket(int type)
{
	if (type == SOCK_STREAM)
		return "makes one end of a TCP connection; it has no address and no peer yet";
	return "makes a UDP socket: no connection, each datagram goes on its own";
}

static int make_socket(int family, int type, int *fd)
{
	int s = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (trace_on())
		trace_callf(s, why_socket(type), "socket(%s, %s|SOCK_NONBLOCK|SOCK_CLOEXEC, 0)",
			trace_family(family), trace_socktype(type));
	if (s < 0)
		return ERR_SYSTEM;
	*fd = s;
	return 0;
}

int net_set_option(int fd, int level, int option, int value, const char *name, const char *why)
{
	int r = setsockopt(fd, level, option, &value, sizeof(value));

	if (trace_on())
		trace_callf(r, why, "setsockopt(%d, %s, %d)", fd, name, value);
	return r < 0 ? ERR_SYSTEM : 0;
}

/* Each of these makes things better, and what cannot do without one fails by itself, later and with a
 * clear error; so failure is none here. */
static void improve(int fd, int level, int option, int value, const char *name, const char *why)
{
	(void)net_set_option(fd, level, option, value, name, why);
}

void net_prepare(int fd, int send_buffer)
{
	improve(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY",
		"sends a short line at once instead of waiting for more (Nagle's algorithm off)");
	improve(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE",
		"lets the kernel find out by itself, in time, that a silent peer is gone");
	if (send_buffer > 0)
		improve(fd, SOL_SOCKET, SO_SNDBUF, send_buffer, "SO_SNDBUF",
			"bounds the kernel's memory for a peer that reads slowly");
}

static const char *why_bind(const struct net_address *a)
{
	if (net_port(a) == 0)
		return "claims the address; port 0 lets the kernel choose a free port";
	return "claims this address and port, so that others know where to send";
}

int net_bind(int fd, const struct net_address *a)
{
	char text[NET_ADDRESS_MAX];
	int r = bind(fd, &a->u.any, a->length);

	if (trace_on())
		trace_callf(r, why_bind(a), "bind(%d, %s, %u bytes)", fd, net_print(a, text),
			(unsigned)a->length);
	return r < 0 ? ERR_SYSTEM : 0;
}

static int begin_listening(int fd, int backlog)
{
	int r = listen(fd, backlog);

	if (trace_on())
		trace_callf(r, "the kernel now completes handshakes and queues them up for accept",
			"listen(%d, %d)", fd, backlog);
	return r < 0 ? ERR_SYSTEM : 0;
}

int net_listen(const struct net_address *a, int backlog, int send_buffer, int *fd)
{
	int s = -1;
	int r = make_socket(a->u.any.sa_family, SOCK_STREAM, &s);

	if (r)
		return r;
	improve(s, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR",
		"a restarted server may bind although old connections are still in TIME_WAIT");
	if (a->u.any.sa_family == AF_INET6)
		improve(s, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY",
			"IPv6 alone, so that an IPv4 socket can listen on the same port");
	net_prepare(s, send_buffer);
	r = net_bind(s, a);
	if (r == 0)
		r = begin_listening(s, backlog);
	if (r) {
		net_close(s);
		return r;
	}
	*fd = s;
	return 0;
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
	/* A socket that was handed over may be of a family with longer ones (getsockname(2)). */
	if (found.length > sizeof(found.u))
		found.length = sizeof(found.u);
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

static const char *why_accept(int fd)
{
	if (fd >= 0)
		return "takes a finished connection off the queue, as a new descriptor";
	if (errno == EAGAIN)
		return "nobody waits in the queue";
	if (died_in_queue(errno))
		return "the one who waited has gone away";
	return "the connection stays in the queue until there is room";
}

static void narrate_accept(int listener, int fd, const struct net_address *peer)
{
	char text[NET_ADDRESS_MAX];

	trace_callf(fd, why_accept(fd), "accept4(%d, %s, SOCK_NONBLOCK|SOCK_CLOEXEC)", listener,
		fd >= 0 ? net_print(peer, text) : "?");
}

int net_accept(int listener, int *fd, struct net_address *peer)
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
	*fd = s;
	*peer = from;
	return 0;
}

/* ---- connecting ---- */

static const char *why_connect(int result)
{
	if (result == 0)
		return "the handshake (SYN, SYN-ACK, ACK) is done: connected";
	if (errno == EINPROGRESS)
		return "the SYN is on its way; poll says when the socket becomes writable";
	return "the handshake could not even begin";
}

/* A socket that connects to a free port of its own machine may be given that very port as its own,
 * and then TCP's simultaneous open connects it to itself. */
static bool is_own_peer(int fd, const struct net_address *peer)
{
	struct net_address own = {.length = sizeof(own.u)};

	return getsockname(fd, &own.u.any, &own.length) == 0 && net_equal(&own, peer);
}

static int bind_source(int fd, const struct net_address *local)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0 &&
			       bind(fd, &local->u.any, local->length) == 0
		       ? 0
		       : ERR_SYSTEM;
}

int net_connect(const struct net_address *a, int *fd)
{
	return net_connect_from(NULL, a, fd);
}

int net_connect_from(const struct net_address *local, const struct net_address *a, int *fd)
{
	char text[NET_ADDRESS_MAX];
	int s = -1;
	int r = make_socket(a->u.any.sa_family, SOCK_STREAM, &s);

	if (r)
		return r;
	net_prepare(s, 0);
	if (local && bind_source(s, local) != 0) {
		net_close(s);
		return ERR_SYSTEM;
	}
	r = connect(s, &a->u.any, a->length);
	if (trace_on())
		trace_callf(r, why_connect(r), "connect(%d, %s, %u bytes)", s, net_print(a, text),
			(unsigned)a->length);
	if (r == 0 && is_own_peer(s, a)) {
		errno = ECONNREFUSED;
		r = -1;
	}
	/* After EINTR the handshake goes on by itself, exactly as after EINPROGRESS. */
	if (r < 0 && errno != EINPROGRESS && errno != EINTR) {
		net_close(s);
		return ERR_SYSTEM;
	}
	*fd = s;
	return r < 0 ? ERR_AGAIN : 0;
}

/* Take the socket's pending error and fail with it as any call would. */
static int take_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);
	int r = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);

	if (trace_on())
		trace_callf(r, "asks how the handshake went; the error of connect arrives here",
			"getsockopt(%d, SO_ERROR, %s)", fd,
			error ? strerrorname_np(error) : "no error");
	if (r == 0 && error != 0) {
		errno = error;
		r = -1;
	}
	return r;
}

int net_connect_result(int fd)
{
	struct net_address peer;

	if (take_error(fd) != 0)
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

static const char *why_recv(ssize_t n)
{
	if (n > 0)
		return "takes bytes that have arrived; a stream has an order, but no messages";
	if (n == 0)
		return "0 bytes mean the end: the peer has closed its direction";
	if (errno == EAGAIN)
		return "nothing has arrived yet; poll says when";
	if (failure(errno) == ERR_CLOSED)
		return "the connection was cut instead of closed";
	return "something is wrong at this end";
}

__attribute__((noinline, cold)) static void narrate_recv(int fd, size_t size, ssize_t n)
{
	narrate_bytes(fd, "recv", size, n, why_recv(n));
}

static const char *why_send(size_t size, ssize_t n)
{
	if (n >= 0 && (size_t)n == size)
		return "hands bytes to the kernel, which sends them and repeats what gets lost";
	if (n >= 0)
		return "the kernel's buffer took only a part; the rest must wait";
	if (errno == EAGAIN)
		return "the send buffer is full: the peer reads too slowly; poll says when";
	if (failure(errno) == ERR_CLOSED)
		return "the peer is gone, so nobody would receive this";
	return "something is wrong at this end";
}

__attribute__((noinline, cold)) static void narrate_send(
	int fd, const struct iovec *pieces, int count, ssize_t n)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += pieces[i].iov_len;
	narrate_bytes(fd, "sendmsg", size, n, why_send(size, n));
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

int net_peek(int fd, uint8_t *first)
{
	ssize_t n;

	do {
		n = recv(fd, first, 1, MSG_PEEK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return failure(errno);
	return n == 0 ? ERR_CLOSED : 0;
}

int net_sendv(int fd, const struct iovec *pieces, int count, size_t *sent)
{
	/* sendmsg only reads the pieces; recvmsg, with which it shares the struct, would not. */
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

static void narrate_shutdown(int fd, int how, int result)
{
	static const struct {
		const char *name, *why;
	} ways[] = {
		[SHUT_RD] = {"SHUT_RD", "no more reading here; whoever waits in poll wakes up"},
		[SHUT_WR] = {"SHUT_WR",
			"no more writing: the peer gets what was sent, then the end"},
		[SHUT_RDWR] = {"SHUT_RDWR",
			"ends both directions; the descriptor stays until close"},
	};

	trace_callf(result, ways[how].why, "shutdown(%d, %s)", fd, ways[how].name);
}

void net_shutdown(int fd, int how)
{
	assert(how == SHUT_RD || how == SHUT_WR || how == SHUT_RDWR);
	int r = shutdown(fd, how);
	if (trace_on())
		narrate_shutdown(fd, how, r);
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
