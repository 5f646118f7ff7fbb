/*
 * 6: nobody is there: at the port, at the address, at the other end of the cable.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"

#include <errno.h>
#include <string.h>

#define NOBODY      7009 /* a port where nobody is */
#define QUIET_MS    300
#define GIVE_UP_MS  1500
#define SYN_RETRIES 1

static const char *errno_name(ssize_t r)
{
	return r < 0 ? strerrorname_np(errno) : "no error";
}

/* ---- the port ---- */

static void refused_stream(struct stage *s)
{
	int fd = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);
	int r = stage_connect(
		s, fd, SERVER_HOST, NOBODY, "nobody listens there: the kernel answers RST");

	stage_expect(s, SIDE_TCP, r != 0 && errno == ECONNREFUSED, "connect fails: ECONNREFUSED",
		"%s", errno_name(r));
	if (stage_wire(s)) {
		uint64_t resets = evidence_count(stage_journal(s), 0,
			(struct evidence){SIDE_TCP, SERVER_HOST, FLOW_RST, EVIDENCE_ANY});
		stage_expect(s, SIDE_TCP, resets > 0, "the answer to the SYN was a RST", "%lu",
			(unsigned long)resets);
	}
	(void)stage_close_socket(s, fd, NULL);
}

/* How many "port unreachable" the wire has carried to the client; on loopback both are certain. */
static uint64_t answers_came(struct stage *s)
{
	struct evidence e = {SIDE_UDP, SERVER_HOST, FLOW_ICMP, FATE_CARRIED};

	return stage_wire(s) ? evidence_count(stage_journal(s), 0, e) : 2;
}

static void refused_datagram(struct stage *s)
{
	char bytes[16];
	int loose = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	ssize_t n = stage_send_to(
		s, loose, "hello", 5, SERVER_HOST, NOBODY, "gone on its way: that is all it says");
	stage_check(s, SIDE_UDP, n == 5, "the send succeeds", "%zd bytes", n);
	int fd = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	(void)stage_connect(s, fd, SERVER_HOST, NOBODY, "now the socket has a peer");
	n = stage_send(s, fd, "hello", 5, 0, "succeeds as well");
	stage_check(s, SIDE_UDP, n == 5, "so does that of a connected socket", "%zd bytes", n);
	n = stage_receive(s, fd, bytes, sizeof(bytes), NULL, PAIR_SOON_MS,
		"ICMP \"port unreachable\" came back: the next call is told");
	stage_expect(s, SIDE_UDP, n < 0 && errno == ECONNREFUSED,
		"a connected socket hears of it later: ECONNREFUSED", "%s", errno_name(n));
	n = stage_receive(s, loose, bytes, sizeof(bytes), NULL, 0,
		"the same answer came to this one, and nobody is told");
	static const char deaf[] = "one that is not connected never hears of it";
	const char *said = errno_name(n);
	if (answers_came(s) < 2)
		stage_unshown(s, SIDE_UDP, deaf, "no answer came that it could have heard of");
	else
		stage_check(s, SIDE_UDP, n < 0 && strcmp(said, "EAGAIN") == 0, deaf, "%s", said);
	(void)stage_close_socket(s, fd, NULL);
	(void)stage_close_socket(s, loose, NULL);
}

/* ---- the address ---- */

static void unreachable(struct stage *s)
{
	int stream = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);
	int r = stage_connect(s, stream, STAGE_NOWHERE, NOBODY, "no route: nothing is sent at all");
	stage_check(s, SIDE_TCP, r != 0 && errno == ENETUNREACH, "no route: ENETUNREACH at once",
		"%s", errno_name(r));
	int loose = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	ssize_t n = stage_send_to(s, loose, "hello", 5, STAGE_NOWHERE, NOBODY, "the same");
	stage_check(
		s, SIDE_UDP, n < 0 && errno == ENETUNREACH, "and the same", "%s", errno_name(n));
	(void)stage_close_socket(s, stream, NULL);
	(void)stage_close_socket(s, loose, NULL);
}

/* ---- a firewall that swallows ICMP ---- */

static void silence(struct stage *s)
{
	char bytes[16];
	struct wire_rule rule = {
		.side = SIDE_UDP, .from_host = SERVER_HOST, .kind = FLOW_ICMP, .nth = 0};
	struct evidence dropped = {SIDE_UDP, SERVER_HOST, FLOW_ICMP, FATE_SCRIPTED};

	if (wire_script(stage_wire(s), &rule) != 0)
		return;
	stage_say(s, SIDE_UDP, "From now on the wire drops ICMP, as some firewalls do.");
	int fd = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	(void)stage_connect(s, fd, SERVER_HOST, NOBODY, NULL);
	(void)stage_send(s, fd, "hello", 5, 0, NULL);
	bool answered = evidence_wait(stage_journal(s), 0, dropped, 1, PAIR_SOON_MS);
	ssize_t n = stage_receive(s, fd, bytes, sizeof(bytes), NULL, QUIET_MS, "silence");
	stage_expect(s, SIDE_UDP, answered && n < 0 && errno == EAGAIN,
		"where ICMP is dropped there is silence", "%s; %s",
		answered ? "the answer was sent, and dropped" : "no answer was sent",
		errno_name(n));
	(void)stage_close_socket(s, fd, NULL);
}

/* ---- the cable ---- */

static void unplugged(struct stage *s)
{
	char bytes[16];
	uint64_t before = journal_count(stage_journal(s));

	wire_unplug(stage_wire(s), true);
	stage_say(s, SIDE_BOTH, "The cable is pulled out.");
	int loose = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	(void)stage_connect(s, loose, SERVER_HOST, NOBODY, NULL);
	ssize_t sent = stage_send(s, loose, "hello", 5, 0, "succeeds");
	int fd = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);
	(void)stage_option(s, fd, IPPROTO_TCP, TCP_SYNCNT, SYN_RETRIES, "not so patient as usual");
	(void)stage_option(s, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, GIVE_UP_MS,
		"the usual patience is about two minutes");
	int r = stage_connect(s, fd, SERVER_HOST, NOBODY, "SYN, and again, and then it gives up");
	int error = errno;
	uint64_t again = evidence_count(stage_journal(s), before,
		(struct evidence){SIDE_TCP, CLIENT_HOST, FLOW_RETRANSMISSION, FATE_UNPLUGGED});
	stage_expect(s, SIDE_TCP, r != 0 && error == ETIMEDOUT && again > 0,
		"TCP tries again, and then says ETIMEDOUT", "%s after %lu more SYN",
		r ? strerrorname_np(error) : "no error", (unsigned long)again);
	ssize_t n = stage_receive(s, loose, bytes, sizeof(bytes), NULL, 0, "and still nothing");
	stage_expect(s, SIDE_UDP, sent == 5 && n < 0 && errno == EAGAIN, "UDP never finds out",
		"the send succeeded, and then: %s", errno_name(n));
	wire_unplug(stage_wire(s), false);
}

int scenario_refused(struct stage *s)
{
	refused_stream(s);
	refused_datagram(s);
	if (stage_wire(s)) {
		unreachable(s);
		silence(s);
		unplugged(s);
	} else {
		stage_say(s, SIDE_BOTH,
			"No route, dropped ICMP and a cable that is pulled out take hosts of their "
			"own, "
			"and are not shown on loopback.");
	}
	stage_say(s, SIDE_BOTH,
		"Connecting asks the other end, so TCP knows. UDP asks nobody: a send says that "
		"the "
		"kernel took the message, and whatever is heard later is luck.");
	return 0;
}
