/*
 * 12: the cable is pulled out while nobody talks.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"

#include <errno.h>
#include <string.h>

#define IDLE_S     1
#define INTERVAL_S 1
#define PROBES     3

static int connect_both(struct stage *s, struct pair *tcp, struct pair *udp)
{
	char bytes[8], one[PAIR_BYTES], other[PAIR_BYTES];
	int r = pair_tcp(s, PAIR_PORT, tcp);

	if (r == 0)
		r = pair_udp(s, PAIR_PORT, true, udp);
	if (r)
		return r;
	(void)stage_option(s, tcp->client, SOL_SOCKET, SO_KEEPALIVE, 1, "ask now and then");
	(void)stage_option(s, tcp->client, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S,
		"after a second of silence; the default is two hours");
	(void)stage_option(s, tcp->client, IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL_S, "every second");
	(void)stage_option(s, tcp->client, IPPROTO_TCP, TCP_KEEPCNT, PROBES, "three times");
	(void)stage_send(s, tcp->client, "hello", 5, 0, NULL);
	(void)stage_send(s, udp->client, "hello", 5, 0, NULL);
	ssize_t a = stage_receive(
		s, tcp->server, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS, "both are well");
	ssize_t b = stage_receive(s, udp->server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
	stage_expect(s, SIDE_BOTH, a == 5 && b == 5, "both talk before", "%s and %s",
		pair_bytes(a, one), pair_bytes(b, other));
	/* Until its answer is acknowledged, too, the connection is not silent. */
	uint64_t from = journal_count(stage_journal(s));
	(void)stage_send(s, tcp->server, "hello", 5, 0, NULL);
	(void)stage_receive(s, tcp->client, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS, NULL);
	(void)evidence_wait(stage_journal(s), from,
		(struct evidence){SIDE_TCP, CLIENT_HOST, FLOW_ACK, FATE_CARRIED}, 1, PAIR_SOON_MS);
	return 0;
}

int scenario_dead_peer(struct stage *s)
{
	struct pair tcp, udp;
	char bytes[8];
	int r = connect_both(s, &tcp, &udp);

	if (r)
		return r;
	uint64_t before = journal_count(stage_journal(s));
	wire_unplug(stage_wire(s), true);
	stage_say(s, SIDE_BOTH,
		"The cable is pulled out. No FIN, no RST: a peer whose machine lost power looks "
		"the "
		"same.");
	ssize_t sent = stage_send(s, udp.client, "still there?", 12, 0, "succeeds");
	int64_t began = stage_ms(s);
	ssize_t n = stage_receive(s, tcp.client, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS,
		"probes were sent, and none was answered");
	int error = errno;
	uint64_t probes = evidence_count(stage_journal(s), before,
		(struct evidence){SIDE_TCP, CLIENT_HOST, FLOW_KEEPALIVE, FATE_UNPLUGGED});
	stage_expect(s, SIDE_TCP, n < 0 && error == ETIMEDOUT && probes == PROBES,
		"keepalive finds out: three probes, and then ETIMEDOUT",
		"%s after %lu probes and %ld ms", n < 0 ? strerrorname_np(error) : "no error",
		(unsigned long)probes, (long)(stage_ms(s) - began));
	ssize_t more = stage_send(s, udp.client, "hello?", 6, 0, "succeeds still");
	n = stage_receive(
		s, udp.client, bytes, sizeof(bytes), NULL, 0, "nothing, not even an error");
	stage_expect(s, SIDE_UDP, sent == 12 && more == 6 && n < 0 && errno == EAGAIN,
		"UDP never notices", "two sends succeeded after it; receive: %s",
		n < 0 ? strerrorname_np(errno) : "something");
	stage_say(s, SIDE_BOTH,
		"A silent connection and a dead one look alike. Without keepalive TCP would wait "
		"for "
		"ever; programs that want to know sooner ask by messages of their own.");
	wire_unplug(stage_wire(s), false);
	return 0;
}
