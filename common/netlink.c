#include "common/netlink.h"

#include "common/err.h"
#include "common/trace.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

/* The kernel fills messages of up to half of this; one link takes about 1.5 kB. */
#define BUFFER_SIZE 16384

/* How often a dump that changed under the kernel's hands is begun anew. */
#define DUMP_TRIES 4

static int open_socket(unsigned groups, int flags, int *fd)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);

	if (s < 0)
		return ERR_SYSTEM;
	if (bind(s, (struct sockaddr *)&local, sizeof(local)) < 0) {
		net_close(s);
		return ERR_SYSTEM;
	}
	*fd = s;
	return 0;
}

/* ---- reading attributes ---- */

static void take_link_info(struct rtattr *info, struct netif *link)
{
	struct rtattr *a = RTA_DATA(info);
	size_t left = RTA_PAYLOAD(info);

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_INFO_KIND && RTA_PAYLOAD(a) >= sizeof("bridge") &&
			memcmp(RTA_DATA(a), "bridge", sizeof("bridge")) == 0)
			link->bridge = true;
}

static void take_name(struct rtattr *a, struct netif *link)
{
	size_t length = strnlen(RTA_DATA(a), RTA_PAYLOAD(a));

	if (length < sizeof(link->name))
		memcpy(link->name, RTA_DATA(a), length);
}

static void take_link(
	struct nlmsghdr *message, const struct netif_filter *filter, struct netif_table *t)
{
	struct ifinfomsg *head = NLMSG_DATA(message);
	struct rtattr *a = IFLA_RTA(head);
	size_t left = IFLA_PAYLOAD(message);
	struct netif link = {.index = (unsigned)head->ifi_index, .flags = head->ifi_flags};

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		switch (a->rta_type) {
		case IFLA_IFNAME:
			take_name(a, &link);
			break;
		case IFLA_MASTER:
			link.enslaved = true;
			break;
		case IFLA_LINKINFO:
			take_link_info(a, &link);
			break;
		}
	}
	if (netif_suits(&link, filter))
		(void)netif_add(t, &link);
}

static void copy_bytes(struct rtattr *a, struct netif_address *out)
{
	size_t size = out->family == AF_INET ? 4 : sizeof(out->bytes);

	if (RTA_PAYLOAD(a) == size)
		memcpy(out->bytes, RTA_DATA(a), size);
}

static void take_address(struct nlmsghdr *message, struct netif_table *t)
{
	struct ifaddrmsg *head = NLMSG_DATA(message);
	struct rtattr *a = IFA_RTA(head);
	size_t left = IFA_PAYLOAD(message);
	uint32_t flags = head->ifa_flags;
	bool local = false;
	struct netif_address address = {
		.index = head->ifa_index,
		.family = head->ifa_family,
		.prefix = head->ifa_prefixlen,
	};

	if (address.prefix > (address.family == AF_INET ? 32 : 128))
		return;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		switch (a->rta_type) {
		case IFA_LOCAL: /* where the two differ, IFA_ADDRESS is the other end's */
			copy_bytes(a, &address);
			local = true;
			break;
		case IFA_ADDRESS:
			if (!local)
				copy_bytes(a, &address);
			break;
		case IFA_FLAGS: /* ifa_flags has only the lower eight bits */
			if (RTA_PAYLOAD(a) == sizeof(flags))
				memcpy(&flags, RTA_DATA(a), sizeof(flags));
			break;
		}
	}
	address.tentative = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0 &&
			    (flags & IFA_F_OPTIMISTIC) == 0;
	(void)netif_add_address(t, &address);
}

/* ---- dumps ---- */

static int ask(int fd, uint16_t what)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body; /* its first byte is the family for every kind of dump */
	} request = {
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(request.body)),
			.nlmsg_type = what,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.ifi_family = AF_UNSPEC},
	};
	ssize_t sent;

	do
		sent = send(fd, &request, request.head.nlmsg_len, 0);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? ERR_SYSTEM : 0;
}

/* One datagram of the kernel's answer, whole. */
static int receive(int fd, char *buffer, size_t *got)
{
	ssize_t n;

	do
		n = recv(fd, buffer, BUFFER_SIZE, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ERR_SYSTEM;
	if (n > BUFFER_SIZE)
		return ERR_PROTOCOL;
	*got = (size_t)n;
	return 0;
}

/* What one datagram of a dump says. 0: the dump is complete; ERR_AGAIN: there is more to come. */
static int take_messages(char *buffer, size_t length, const struct netif_filter *filter,
	struct netif_table *t, bool *interrupted)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(void *)buffer;

	for (; NLMSG_OK(m, length); m = NLMSG_NEXT(m, length)) {
		if (m->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (m->nlmsg_type == NLMSG_DONE)
			return 0;
		if (m->nlmsg_type == NLMSG_ERROR)
			return ERR_PROTOCOL;
		if (m->nlmsg_type == RTM_NEWLINK &&
			m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)))
			take_link(m, filter, t);
		if (m->nlmsg_type == RTM_NEWADDR &&
			m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifaddrmsg)))
			take_address(m, t);
	}
	return ERR_AGAIN;
}

static int dump(int fd, uint16_t what, const struct netif_filter *filter, struct netif_table *t,
	bool *interrupted)
{
	_Alignas(struct nlmsghdr) char buffer[BUFFER_SIZE];
	size_t got = 0;
	int error = ask(fd, what);

	if (error != 0)
		return error;
	do {
		error = receive(fd, buffer, &got);
		if (error == 0)
			error = take_messages(buffer, got, filter, t, interrupted);
	} while (error == ERR_AGAIN);
	return error;
}

int netlink_read(const struct netif_filter *filter, struct netif_table *out)
{
	struct netif_table found;
	bool interrupted = true;
	int fd = -1;
	int error = open_socket(0, 0, &fd);

	if (error != 0)
		return error;
	/* After the last try a table that mixes two moments is good enough: whatever changed
	 * meanwhile has been announced to the watchers, who will read again. */
	for (int i = 0; i < DUMP_TRIES && interrupted && error == 0; i++) {
		interrupted = false;
		memset(&found, 0, sizeof(found));
		error = dump(fd, RTM_GETLINK, filter, &found, &interrupted);
		if (error == 0)
			error = dump(fd, RTM_GETADDR, filter, &found, &interrupted);
	}
	net_close(fd);
	if (error != 0)
		return error;
	netif_sort(&found);
	*out = found;
	return 0;
}

/* ---- watching ---- */

int netlink_watch(int *fd)
{
	int s = -1;
	int error = open_socket(
		RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, SOCK_NONBLOCK, &s);

	if (trace_on())
		trace_callf(error == 0 ? s : -1,
			"asks the kernel to tell when an interface or an address comes or goes",
			"socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC|SOCK_NONBLOCK, NETLINK_ROUTE)");
	if (error == 0)
		*fd = s;
	return error;
}

bool netlink_drain(int fd)
{
	char buffer[BUFFER_SIZE];
	bool any = false;

	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			any = true;
			continue;
		}
		if (n <= 0)
			return any;
		any = true;
	}
}
