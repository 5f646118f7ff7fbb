#include "common/beacon_socket.h"

#include "common/err.h"
#include "common/trace.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* Packets carry this, and no router lets it pass unchanged. */
#define HOPS 255

struct setting {
	int level, option, value;
	const char *name, *why;
};

static const struct setting settings_ipv4[] = {
	{SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST",
		"without it the kernel refuses to send to a broadcast address"},
	{IPPROTO_IP, IP_TTL, HOPS, "IP_TTL",
		"the largest value: a receiver that sees less knows that a router was in between"},
	{IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO",
		"each datagram then comes with the interface it arrived on"},
	{IPPROTO_IP, IP_RECVTTL, 1, "IP_RECVTTL", "each datagram then comes with its TTL"},
};

static const struct setting settings_ipv6[] = {
	{IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY",
		"IPv6 alone, so that an IPv4 socket can have the same port"},
	{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOPS, "IPV6_MULTICAST_HOPS",
		"the largest hop limit: less tells a receiver that a router was in between"},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS, "IPV6_UNICAST_HOPS",
		"the same for what is sent to one host"},
	{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO",
		"each datagram then comes with the interface it arrived on"},
	{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT",
		"each datagram then comes with its hop limit"},
};

static const struct setting share = {SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR",
	"several programs on this host hear what is sent to everybody on this port"};

/* ---- opening ---- */

static int set(int fd, const struct setting *s)
{
	return net_set_option(fd, s->level, s->option, s->value, s->name, s->why);
}

static int set_all(int fd, int family)
{
	bool v4 = family == AF_INET;
	const struct setting *s = v4 ? settings_ipv4 : settings_ipv6;
	size_t count = v4 ? sizeof(settings_ipv4) / sizeof(settings_ipv4[0])
			  : sizeof(settings_ipv6) / sizeof(settings_ipv6[0]);
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = set(fd, &s[i]);
	return error;
}

static struct net_address wildcard(int family, uint16_t port)
{
	struct net_address a = {.u.any = {.sa_family = (sa_family_t)family}};

	a.length = family == AF_INET ? sizeof(a.u.v4) : sizeof(a.u.v6);
	net_set_port(&a, port);
	return a;
}

int beacon_socket_open(int family, uint16_t port, int *fd)
{
	struct net_address local = wildcard(family, port);
	int s = -1;
	int error = net_udp(family, &s);

	if (error != 0)
		return error;
	if (port != 0)
		error = set(s, &share);
	if (error == 0)
		error = set_all(s, family);
	if (error == 0)
		error = net_bind(s, &local);
	if (error != 0) {
		net_close(s);
		return error;
	}
	*fd = s;
	return 0;
}

static int change_membership(int fd, int option, const char *name, unsigned index, const char *why)
{
	struct beacon_path everywhere = {.local = {.index = index, .family = AF_INET6}};
	struct net_address group = beacon_path_everybody(&everywhere, 0);
	struct ipv6_mreq request = {
		.ipv6mr_multiaddr = group.u.v6.sin6_addr,
		.ipv6mr_interface = index,
	};
	int r = setsockopt(fd, IPPROTO_IPV6, option, &request, sizeof(request));

	if (trace_on())
		trace_callf(r, why, "setsockopt(%d, %s, {%s, interface %u})", fd, name,
			BEACON_GROUP, index);
	return r < 0 ? ERR_SYSTEM : 0;
}

int beacon_socket_join(int fd, unsigned index)
{
	const char *why = "asks to receive what is sent to the group on this interface";
	int error = change_membership(fd, IPV6_JOIN_GROUP, "IPV6_JOIN_GROUP", index, why);

	if (error == 0 || errno != EADDRINUSE)
		return error;
	/* A membership outlives IPv6 being switched off and on again on the interface, but what
	 * comes there is no longer let in. */
	(void)change_membership(fd, IPV6_LEAVE_GROUP, "IPV6_LEAVE_GROUP", index,
		"is in the group already; out and in again, because the interface changed");
	return change_membership(fd, IPV6_JOIN_GROUP, "IPV6_JOIN_GROUP", index, why);
}

/* ---- control messages ---- */

/* Room for the two that are asked for, in either family, aligned as CMSG_FIRSTHDR expects. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
		   CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

static void put_control(struct msghdr *m, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *c = m->msg_control;

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	m->msg_controllen = CMSG_SPACE(size);
}

static void put_route(
	struct msghdr *m, int family, unsigned index, const struct net_address *source)
{
	if (family == AF_INET) {
		struct in_pktinfo info = {.ipi_ifindex = (int)index};

		if (source)
			info.ipi_spec_dst = source->u.v4.sin_addr;
		put_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = index};

		if (source)
			info.ipi6_addr = source->u.v6.sin6_addr;
		put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

static void take_ipv4(const struct cmsghdr *c, struct beacon_arrival *a, int *hops)
{
	struct in_pktinfo info;

	if (c->cmsg_type == IP_TTL && c->cmsg_len >= CMSG_LEN(sizeof(*hops)))
		memcpy(hops, CMSG_DATA(c), sizeof(*hops));
	if (c->cmsg_type != IP_PKTINFO || c->cmsg_len < CMSG_LEN(sizeof(info)))
		return;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	a->index = (unsigned)info.ipi_ifindex;
	a->to = wildcard(AF_INET, 0);
	a->to.u.v4.sin_addr = info.ipi_addr;
	/* ipi_spec_dst is the address of ours that took it: another one only where the
	 * destination was not an address of ours, but everybody's. */
	a->everybody = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
}

static void take_ipv6(const struct cmsghdr *c, struct beacon_arrival *a, int *hops)
{
	struct in6_pktinfo info;

	if (c->cmsg_type == IPV6_HOPLIMIT && c->cmsg_len >= CMSG_LEN(sizeof(*hops)))
		memcpy(hops, CMSG_DATA(c), sizeof(*hops));
	if (c->cmsg_type != IPV6_PKTINFO || c->cmsg_len < CMSG_LEN(sizeof(info)))
		return;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	a->index = info.ipi6_ifindex;
	a->to = wildcard(AF_INET6, 0);
	a->to.u.v6.sin6_addr = info.ipi6_addr;
	a->everybody = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
}

/* False when something that was asked for is missing, or the packet is not from this link. */
static bool take_control(struct msghdr *m, struct beacon_arrival *a)
{
	int hops = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP)
			take_ipv4(c, a, &hops);
		else if (c->cmsg_level == IPPROTO_IPV6)
			take_ipv6(c, a, &hops);
	}
	return hops == HOPS && a->index != 0;
}

/* ---- sending and receiving ---- */

static const char *why_send(ssize_t sent)
{
	if (sent >= 0)
		return "one datagram, out of the named interface and with the named source address";
	return "this interface cannot send now; the others are tried all the same";
}

int beacon_socket_send(int fd, unsigned index, const struct net_address *source,
	const struct net_address *to, const uint8_t packet[BEACON_SIZE])
{
	union control control = {.bytes = {0}};
	struct net_address target = *to;
	struct iovec piece = {.iov_base = (void *)(uintptr_t)packet, .iov_len = BEACON_SIZE};
	struct msghdr m = {
		.msg_name = &target.u,
		.msg_namelen = target.length,
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	char text[NET_ADDRESS_MAX];
	ssize_t sent;

	put_route(&m, to->u.any.sa_family, index, source);
	do
		sent = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (trace_on())
		trace_callf(sent, why_send(sent), "sendmsg(%d, %s, %d bytes, PKTINFO interface %u)",
			fd, net_print(to, text), BEACON_SIZE, index);
	if (sent < 0)
		return errno == EAGAIN || errno == ENOBUFS ? ERR_AGAIN : ERR_SYSTEM;
	return 0;
}

static void narrate_receive(int fd, ssize_t got, const struct beacon_arrival *a)
{
	char text[NET_ADDRESS_MAX];

	trace_callf(got,
		a->everybody ? "one datagram that was sent to everybody"
			     : "one datagram that was sent to this address",
		"recvmsg(%d, from %s, PKTINFO interface %u)", fd, net_print(&a->from, text),
		a->index);
}

int beacon_socket_receive(int fd, struct beacon_arrival *a)
{
	struct beacon_arrival came = {.index = 0};
	union control control;
	struct iovec piece = {.iov_base = came.packet, .iov_len = BEACON_SIZE};
	struct msghdr m = {
		.msg_name = &came.from.u,
		.msg_namelen = sizeof(came.from.u),
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	do
		got = recvmsg(fd, &m, MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? ERR_AGAIN : ERR_SYSTEM;
	came.from.length = m.msg_namelen;
	bool near = take_control(&m, &came);
	if (trace_on())
		narrate_receive(fd, got, &came);
	if (!near || got != BEACON_SIZE)
		return ERR_PROTOCOL;
	*a = came;
	return 0;
}

/* ---- one peer alone ---- */

int beacon_socket_connect(
	const struct net_address *peer, const uint8_t packet[BEACON_SIZE], int *fd)
{
	char text[NET_ADDRESS_MAX];
	int s = -1;
	int error = beacon_socket_open(peer->u.any.sa_family, 0, &s);

	if (error != 0)
		return error;
	int r = connect(s, &peer->u.any, peer->length);
	if (trace_on())
		trace_callf(r, "a connected UDP socket is told when nobody listens at the peer",
			"connect(%d, %s)", s, net_print(peer, text));
	if (r == 0) {
		ssize_t sent = send(s, packet, BEACON_SIZE, MSG_NOSIGNAL);

		if (trace_on())
			trace_callf(sent,
				"asks a server that fell silent whether it is still there",
				"send(%d, %d bytes)", s, BEACON_SIZE);
		r = sent < 0 ? -1 : 0;
	}
	if (r < 0) {
		net_close(s);
		return ERR_SYSTEM;
	}
	*fd = s;
	return 0;
}

static const char *why_result(ssize_t got)
{
	if (got >= 0)
		return "the server is still there";
	if (errno == ECONNREFUSED)
		return "its host says that nobody has that port any more: the server is gone";
	return "no answer yet";
}

int beacon_socket_result(int fd, uint8_t packet[BEACON_SIZE])
{
	uint8_t bytes[BEACON_SIZE];
	ssize_t got;

	do
		got = recv(fd, bytes, sizeof(bytes), MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	if (trace_on())
		trace_callf(got, why_result(got), "recv(%d, %d bytes)", fd, BEACON_SIZE);
	if (got < 0 && errno == ECONNREFUSED)
		return ERR_REFUSED;
	if (got < 0)
		return errno == EAGAIN ? ERR_AGAIN : ERR_SYSTEM;
	if (got != BEACON_SIZE)
		return ERR_PROTOCOL;
	memcpy(packet, bytes, BEACON_SIZE);
	return 0;
}
