/*
 * What the kernel says about the network, over rtnetlink: the interfaces and
 * addresses of this moment, and a descriptor that tells when they change.
 *
 * Sources: netlink(7), rtnetlink(7), linux/if_link.h. Reading /sys would be
 * shorter, but it shows another network namespace than the one the program is in.
 * The descriptor belongs to one thread; netlink_read may be called by any.
 */
#ifndef LANCHAT_NETLINK_H
#define LANCHAT_NETLINK_H

#include "common/netif.h"

#include <stdbool.h>

/* Read the interfaces that suit, with their addresses, sorted. What does not fit the table is left
 * out. ERR_SYSTEM with errno; ERR_PROTOCOL when the kernel's answer makes no sense. */
int netlink_read(const struct netif_filter *filter, struct netif_table *out);

/* A descriptor, the caller's to close, that becomes readable (poll) when a link or an address
 * changes. ERR_SYSTEM. */
int netlink_watch(int *fd);

/* Take what the descriptor has to say; true when there was something, also when some of it was lost
 * for want of space, for the reader has to look anew in either case. */
bool netlink_drain(int fd);

#endif
