/*
 * The hosts of the lab: network namespaces of this process, each with a TUN or TAP device that the wire
 * holds the other end of.
 *
 * Needs CAP_SYS_ADMIN and CAP_NET_ADMIN, or, without them, a user namespace in which one has them, and
 * /dev/net/tun. site_enter makes the user namespace and must be called before any thread starts, for
 * unshare(CLONE_NEWUSER) refuses a process with threads.
 *
 * The kernel's own stack is on both sides: its TCP retransmits, its IP cuts into fragments, its ICMP
 * answers. Nothing leaves the machine, for nothing else is in these namespaces.
 *
 * Sources: network_namespaces(7), user_namespaces(7), setns(2), Documentation/networking/tuntap.rst.
 */
#ifndef LANCHAT_LAB_SITE_H
#define LANCHAT_LAB_SITE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SITE_HOSTS 3
#define SITE_SUBNET                                                                                \
	"10.83.19.0" /* /24, host N is .N + 1: 4.2BSD's year, and nobody outside sees it */
#define SITE_MTU       1500
#define SITE_MTU_LEAST 576 /* that every host of the Internet takes whole: RFC 791 */

enum site_medium {
	SITE_POINT_TO_POINT, /* TUN: IP packets, two hosts */
	SITE_BROADCAST,      /* TAP: Ethernet frames, up to SITE_HOSTS, broadcast and multicast */
};

/* What is missing, and how to allow it. */
#define SITE_REASON 512

struct site;

/* Once, at the start of the program. 0: namespaces can be made from now on. ERR_REFUSED: `reason` says
 * what the system does not allow, and what would allow it. */
int site_enter(char reason[SITE_REASON]);

/* Make `hosts` (2 or 3) hosts; ERR_ARGUMENT: more than the medium has. ERR_REFUSED as above; ERR_MEMORY.
 * Free with site_free, which closes the devices; a namespace goes with the last socket in it. Any
 * thread. */
int site_new(enum site_medium medium, size_t hosts, struct site **out, char reason[SITE_REASON]);
void site_free(struct site *s);

size_t site_hosts(const struct site *s);
enum site_medium site_medium(const struct site *s);

/* The network namespace of a host, for setns(2). Borrowed. */
int site_namespace(const struct site *s, size_t host);

/* The device of a host, non-blocking: what is read from it the host has sent. Borrowed. */
int site_device(const struct site *s, size_t host);

/* The same in every site: `s` may be NULL. */
struct in_addr site_address(const struct site *s, size_t host);

/* Its Ethernet address, on SITE_BROADCAST; the same. */
#define SITE_HARDWARE 6
void site_hardware(const struct site *s, size_t host, uint8_t out[SITE_HARDWARE]);

/* ioctl SIOCSIFMTU (netdevice(7)): 0 or ERR_SYSTEM. Any thread. */
int site_set_mtu(struct site *s, size_t host, uint32_t mtu);

/* A socket of that host, closed on exec, whichever thread asks: a descriptor stays in the namespace that
 * it was made in. The descriptor, or -1 with errno. Any thread. */
int site_socket(const struct site *s, size_t host, int family, int type, int protocol);

/* Start a program on that host, its standard input, output and error the descriptors given (-1:
 * /dev/null); it inherits no other that is not closed on exec. It is sent SIGTERM when the thread that
 * started it ends. Its number, which is the caller's to wait for, or ERR_SYSTEM, also where the program
 * could not be executed. Any thread. */
pid_t site_spawn(const struct site *s, size_t host, char *const argv[], const int standard[3]);

#endif
