/*
 * 14: one send, many receivers.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"

#include <arpa/inet.h>
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
			return pair_failure(s, SIDE_UDP);
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
	stage_expect(s, SIDE_UDP, n == 3 && heard == LISTENERS, "every listener gets a copy",
		"%d of %d, on two hosts", heard, LISTENERS);
}

static bool is_to_group(const struct packet *p)
{
	struct in_addr group;

	(void)inet_pton(AF_INET, "239.83.19.1", &group);
	return memcmp(p->to.address, &group, sizeof(group)) == 0;
}

/* Did the wire carry what was sent to the group to the host that did not join? */
static bool reached_neighbour(struct stage *s)
{
	const struct journal_entry *x;

	for (uint64_t i = 0; (x = journal_at(stage_journal(s), i)) != NULL; i++) {
		const struct journal_packet *p = &x->of.packet;
		if (x->kind == JOURNAL_PACKET && p->host == CLIENT_HOST &&
			p->to_host == NEIGHBOUR_HOST && p->note.kind == FLOW_DATAGRAM &&
			is_to_group(&p->packet) && p->fate.kind == FATE_CARRIED)
			return true;
	}
	return false;
}

/* Joining is told to the network (IGMP), within a second that its kernel chooses by chance. */
static void check_report(struct stage *s)
{
	struct evidence e = {SIDE_UDP, SERVER_HOST, FLOW_OTHER, EVIDENCE_ANY};
	static const char text[] = "joining a group is told to the network (IGMP)";
	const struct journal_entry *x = NULL;

	if (evidence_wait(stage_journal(s), 0, e, 1, PAIR_SOON_MS))
		x = evidence_find(stage_journal(s), 0, e, 1);
	if (x)
		stage_check(s, SIDE_UDP, x->of.packet.packet.protocol == IPPROTO_IGMP, text,
			"the member's kernel sent a report");
	else
		stage_unshown(s, SIDE_UDP, text, "its kernel has sent no report yet");
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
	static const char text[] =
		"a group's message is given to the socket that joined, and to none of another host";
	if (!reached_neighbour(s))
		stage_unshown(s, SIDE_UDP, text, "it never arrived at the other host");
	else
		stage_expect(s, SIDE_UDP, joined == 0 && n == 5 && member && outside == 1, text,
			"the member: %s; the other host, at which it arrived as well: %s",
			member ? "it came" : "it did not come",
			outside == 1 ? "its kernel threw it away"
				     : "it did not read next what was sent after it");
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
	check_report(s);
	stage_say(s, SIDE_UDP,
		"A broadcast wakes every host of the subnet, and goes no further: routers do not "
		"pass it on. lanchat finds servers that way.");
	stage_say(s, SIDE_UDP,
		"Who joins a group says so to the network (IGMP). Routers, and switches that "
		"listen to it, carry the group's packets only to where somebody joined. This wire "
		"does not listen: it carries them to every host, and the kernel of one that did "
		"not join throws them away.");
	return 0;
}
