/*
 * 14: one send, many receivers.
 */
#include "tools/lab/pair.h"

#include <errno.h>
#include <string.h>

#define NEIGHBOUR_HOST 2
#define LISTENERS      3

/* Two on one host, one on another; all at one port. The first is a member of the group. */
static int open_listeners(struct stage *s, int fd[LISTENERS])
{
	static const size_t hosts[LISTENERS] = {SERVER_HOST, SERVER_HOST, NEIGHBOUR_HOST};

	for (int i = 0; i < LISTENERS; i++) {
		fd[i] = stage_socket(s, SIDE_UDP, hosts[i], SOCK_DGRAM, NULL);
		(void)stage_option(s, fd[i], SOL_SOCKET, SO_REUSEADDR, 1,
			i ? NULL : "so that two can have the port");
		if (stage_bind(s, fd[i], PAIR_PORT, NULL) != 0)
			return pair_failure(s);
	}
	return 0;
}

/* How many of them read this text next. */
static int count_hearing(struct stage *s, const int fd[LISTENERS], const char *text, int from)
{
	char bytes[32];
	int heard = 0;

	for (int i = from; i < LISTENERS; i++) {
		ssize_t n = stage_receive(s, fd[i], bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
		heard += n == (ssize_t)strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
	}
	return heard;
}

static void broadcast(struct stage *s, int sender, const int fd[LISTENERS])
{
	ssize_t n = stage_send_to(s, sender, "all", 3, STAGE_EVERYBODY, PAIR_PORT,
		"the subnet's last address: everybody");
	stage_check(s, SIDE_UDP, n < 0 && errno == EACCES,
		"without SO_BROADCAST it is refused: EACCES", "%s",
		n < 0 ? strerrorname_np(errno) : "it was sent");
	(void)stage_option(s, sender, SOL_SOCKET, SO_BROADCAST, 1, "I know what I am doing");
	n = stage_send_to(s, sender, "all", 3, STAGE_EVERYBODY, PAIR_PORT, "one packet");
	int heard = count_hearing(s, fd, "all", 0);
	stage_check(s, SIDE_UDP, n == 3 && heard == LISTENERS, "every listener gets a copy",
		"%d of %d, on two hosts", heard, LISTENERS);
}

static void multicast(struct stage *s, int sender, const int fd[LISTENERS])
{
	int joined = stage_join(s, fd[0], "this host wants what is sent to the group");

	(void)stage_group_by(s, sender, "by which device it leaves");
	ssize_t n = stage_send_to(s, sender, "group", 5, STAGE_GROUP, PAIR_PORT, "to the group");
	(void)stage_send_to(s, sender, "after", 5, STAGE_EVERYBODY, PAIR_PORT,
		"and to all, so that one can tell");
	char bytes[32] = "";
	ssize_t first =
		stage_receive(s, fd[0], bytes, sizeof(bytes), NULL, PAIR_SOON_MS, "the member");
	bool member = first == 5 && memcmp(bytes, "group", 5) == 0;
	int outside = count_hearing(s, fd, "after", NEIGHBOUR_HOST);
	stage_check(s, SIDE_UDP, joined == 0 && n == 5 && member && outside == 1,
		"a group's message reaches the host that joined, and no other",
		"the member: %s; the other host: %s", member ? "it came" : "it did not come",
		outside == 1 ? "only what was sent after it" : "it came as well");
}

static void streams(struct stage *s)
{
	static const struct {
		size_t to;
		const char *why;
	} tries[] = {{STAGE_EVERYBODY, "with whom should it shake hands?"},
		{STAGE_GROUP, "nor with a group"}};
	int errors[2];

	for (int i = 0; i < 2; i++) {
		int fd = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);
		int r = stage_connect(s, fd, tries[i].to, PAIR_PORT, tries[i].why);
		errors[i] = r ? errno : 0;
		(void)stage_close_socket(s, fd, NULL);
	}
	stage_check(s, SIDE_TCP, errors[0] == ENETUNREACH && errors[1] == ENETUNREACH,
		"TCP cannot: ENETUNREACH for a broadcast address, and for a group", "%s, %s",
		errors[0] ? strerrorname_np(errors[0]) : "connected",
		errors[1] ? strerrorname_np(errors[1]) : "connected");
	stage_say(s, SIDE_TCP,
		"A connection has two ends. Who has many to tell has many connections.");
}

int scenario_broadcast(struct stage *s)
{
	int listeners[LISTENERS] = {-1, -1, -1};
	int r = open_listeners(s, listeners);

	if (r)
		return r;
	int sender = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	streams(s);
	broadcast(s, sender, listeners);
	multicast(s, sender, listeners);
	stage_say(s, SIDE_UDP,
		"A broadcast wakes every host of the subnet, and goes no further: routers do not "
		"pass "
		"it on. lanchat finds servers that way. Multicast asks first who wants it (IGMP).");
	return 0;
}
