/*
 * One host: a network namespace with lo and a TUN or TAP device. All of it happens in the calling
 * thread's namespace, so that thread is one made for it.
 *
 * Sources: netdevice(7), rtnetlink(7), Documentation/networking/tuntap.rst, Documentation/networking/ip-sysctl.rst.
 */
#include "tools/lab/site_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Packets that wait for the wire's thread to read them. Longer than any burst of the lab, for what the
 * device drops nobody would see. */
#define DEVICE_QUEUE 10000

static void close_kept(int fd)
{
	int kept = errno;

	(void)close(fd);
	errno = kept;
}

/* Router solicitations and the like would be among what is shown. Where the setting may not be written
 * the wire does not carry them. */
static void switch_off_ipv6(void)
{
	static const char *const settings[] = {"/proc/sys/net/ipv6/conf/all/disable_ipv6",
		"/proc/sys/net/ipv6/conf/default/disable_ipv6"};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int fd = open(settings[i], O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)!write(fd, "1", 1);
		(void)close(fd);
	}
}

static void put_address(struct sockaddr *out, in_addr_t address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = address};

	memset(out, 0, sizeof(*out));
	memcpy(out, &in, sizeof(in) < sizeof(*out) ? sizeof(in) : sizeof(*out));
}

static struct ifreq request(const char *name)
{
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return r;
}

static bool switch_on(int fd, const char *name)
{
	struct ifreq r = request(name);

	if (ioctl(fd, SIOCGIFFLAGS, &r) != 0)
		return false;
	r.ifr_flags = (short)(r.ifr_flags | IFF_UP | IFF_RUNNING);
	return ioctl(fd, SIOCSIFFLAGS, &r) == 0;
}

/* Groups are reached through the only device that there is. */
static bool route_multicast(int fd)
{
	static char device[] = SITE_DEVICE;
	struct rtentry route;

	memset(&route, 0, sizeof(route));
	put_address(&route.rt_dst, htonl(0xe0000000));
	put_address(&route.rt_genmask, htonl(0xf0000000));
	route.rt_flags = RTF_UP;
	route.rt_dev = device;
	return ioctl(fd, SIOCADDRT, &route) == 0;
}

static bool set_hardware(int fd, size_t host)
{
	struct ifreq r = request(SITE_DEVICE);
	uint8_t address[SITE_HARDWARE];

	site_hardware(NULL, host, address);
	r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r.ifr_hwaddr.sa_data, address, sizeof(address));
	return ioctl(fd, SIOCSIFHWADDR, &r) == 0;
}

static bool set_address(int fd, size_t host)
{
	struct ifreq r = request(SITE_DEVICE);

	put_address(&r.ifr_addr, site_address(NULL, host).s_addr);
	if (ioctl(fd, SIOCSIFADDR, &r) != 0)
		return false;
	put_address(&r.ifr_netmask, htonl(0xffffff00));
	return ioctl(fd, SIOCSIFNETMASK, &r) == 0;
}

/* Over rtnetlink, for SIOCSIFTXQLEN asks for rights that a user namespace does not give. */
static bool set_queue(int fd)
{
	struct ifreq r = request(SITE_DEVICE);
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
		struct rtattr attribute;
		uint32_t length;
	} m = {
		.head = {.nlmsg_len = sizeof(m),
			.nlmsg_type = RTM_SETLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.attribute = {.rta_len = RTA_LENGTH(sizeof(m.length)), .rta_type = IFLA_TXQLEN},
		.length = DEVICE_QUEUE,
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		uint8_t more[256]; /* the request, and words about it */
	} answer;

	if (ioctl(fd, SIOCGIFINDEX, &r) != 0)
		return false;
	m.link.ifi_index = r.ifr_ifindex;
	int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (route < 0)
		return false;
	bool good = send(route, &m, sizeof(m), 0) == (ssize_t)sizeof(m) &&
		    recv(route, &answer, sizeof(answer), 0) >=
			    (ssize_t)NLMSG_LENGTH(sizeof(answer.error));
	close_kept(route);
	if (good)
		errno = -answer.error.error;
	return good && answer.error.error == 0;
}

static bool set_up(enum site_medium medium, size_t host)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	bool good = switch_on(fd, "lo") &&
		    (medium == SITE_POINT_TO_POINT || set_hardware(fd, host)) && set_queue(fd) &&
		    set_address(fd, host) && switch_on(fd, SITE_DEVICE) && route_multicast(fd);
	close_kept(fd);
	return good;
}

/* Without IFF_VNET_HDR the kernel completes checksums and cuts segments itself. */
static int open_device(enum site_medium medium, enum site_step *step)
{
	struct ifreq r = request(SITE_DEVICE);
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	*step = SITE_STEP_OPEN;
	if (fd < 0)
		return -1;
	*step = SITE_STEP_DEVICE;
	r.ifr_flags = (medium == SITE_BROADCAST ? IFF_TAP : IFF_TUN) | IFF_NO_PI;
	if (ioctl(fd, TUNSETIFF, &r) == 0)
		return fd;
	close_kept(fd);
	return -1;
}

bool site_make_host(
	enum site_medium medium, size_t host, struct site_host *out, struct site_failure *failed)
{
	struct site_host made = {-1, -1};

	failed->step = SITE_STEP_NAMESPACE;
	if (unshare(CLONE_NEWNET) != 0)
		goto failed;
	failed->step = SITE_STEP_DESCRIPTOR;
	made.netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (made.netns < 0)
		goto failed;
	switch_off_ipv6();
	made.device = open_device(medium, &failed->step);
	if (made.device < 0)
		goto failed;
	failed->step = SITE_STEP_INTERFACE;
	if (!set_up(medium, host))
		goto failed;
	*out = made;
	return true;
failed:
	failed->error = errno;
	if (made.device >= 0)
		(void)close(made.device);
	if (made.netns >= 0)
		(void)close(made.netns);
	return false;
}
