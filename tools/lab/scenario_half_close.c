/*
 * 8: how a conversation begins, and the two ways in which it ends.
 */
#include "tools/lab/evidence.h"
#include "tools/lab/pair.h"

#include <errno.h>
#include <string.h>

static const char question[] = "how many?";
static const char reply[] = "forty-two";

static ssize_t hear(struct stage *s, int fd, char *bytes, size_t size, const char *why)
{
	return stage_receive(s, fd, bytes, size, NULL, STAGE_PATIENCE_MS, why);
}

/* The first packet from `from` on that a host sent with these flags; where `carried`, one that the wire did
 * not lose. A SYN that is sent again, for the first was lost, is one. NULL. */
static const struct journal_entry *find_flags(
	struct stage *s, uint64_t from, uint8_t host, uint8_t flags, bool carried, bool data)
{
	const struct journal *j = stage_journal(s);
	const struct journal_entry *x;

	for (uint64_t i = from; (x = journal_at(j, i)) != NULL; i++) {
		const struct journal_packet *p = &x->of.packet;
		if (x->kind != JOURNAL_PACKET || x->side != SIDE_TCP || p->host != host)
			continue;
		if ((p->packet.flags & (PACKET_SYN | PACKET_ACK)) == flags &&
			(!carried || p->fate.kind == FATE_CARRIED) &&
			(p->packet.payload_length > 0) == data)
			return x;
	}
	return NULL;
}

static void check_handshake(struct stage *s)
{
	if (!stage_wire(s))
		return;
	const struct journal_entry *syn = find_flags(s, 0, CLIENT_HOST, PACKET_SYN, true, false);
	const struct journal_entry *answer =
		syn ? find_flags(s, syn->number, SERVER_HOST, PACKET_SYN | PACKET_ACK, true, false)
		    : NULL;
	const struct journal_entry *ack =
		answer ? find_flags(s, answer->number, CLIENT_HOST, PACKET_ACK, false, false)
		       : NULL;
	const struct journal_entry *data = find_flags(s, 0, CLIENT_HOST, PACKET_ACK, false, true);
	bool before = ack && data && ack->number < data->number;

	stage_check(s, SIDE_TCP, before, "SYN, SYN-ACK and ACK come before the first byte", "%s",
		before    ? "the first byte was sent after all three"
		: !syn    ? "no SYN arrived"
		: !answer ? "no SYN-ACK arrived"
		: !ack    ? "no ACK was sent"
			  : "the first byte was sent before the ACK");
}

static int half_close(struct stage *s)
{
	struct pair p;
	char bytes[32], came[PAIR_BYTES], last[PAIR_BYTES];
	int r = pair_tcp(s, PAIR_PORT, &p);

	if (r)
		return r;
	(void)stage_send(s, p.client, question, strlen(question), 0, NULL);
	(void)stage_shutdown(s, p.client, SHUT_WR, "FIN: I have asked all that I wanted to");
	ssize_t n = hear(s, p.server, bytes, sizeof(bytes), NULL);
	ssize_t end = hear(s, p.server, bytes, sizeof(bytes), "0: the question is complete");
	stage_expect(s, SIDE_TCP, n == (ssize_t)strlen(question) && end == 0,
		"the server reads the question, and its end", "%s, and then %s",
		pair_bytes(n, came), pair_bytes(end, last));
	check_handshake(s);
	(void)stage_send(s, p.server, reply, strlen(reply), 0, "the other direction is still open");
	(void)stage_close_socket(s, p.server, "FIN from this side, too");
	n = hear(s, p.client, bytes, sizeof(bytes), "after its own FIN");
	end = hear(s, p.client, bytes, sizeof(bytes), NULL);
	stage_expect(s, SIDE_TCP, n == (ssize_t)strlen(reply) && end == 0,
		"the answer still comes after SHUT_WR", "%s, and then %s", pair_bytes(n, came),
		pair_bytes(end, last));
	(void)stage_close_socket(s, p.client, NULL);
	(void)stage_close_socket(s, p.listener, NULL);
	return 0;
}

static int reset(struct stage *s)
{
	struct pair p;
	char bytes[32];
	uint64_t before = journal_count(stage_journal(s));
	int r = pair_tcp(s, PAIR_PORT + 1, &p);

	if (r)
		return r;
	(void)stage_send(s, p.client, question, strlen(question), 0, NULL);
	int flags = MSG_PEEK;
	(void)stage_receive(s, p.server, bytes, sizeof(bytes), &flags, STAGE_PATIENCE_MS,
		"looked at, and not taken");
	(void)stage_close_socket(
		s, p.server, "with bytes unread: they are lost, and the peer must know");
	ssize_t n = hear(s, p.client, bytes, sizeof(bytes), "RST came");
	stage_expect(s, SIDE_TCP, n < 0 && errno == ECONNRESET,
		"closing with unread bytes resets: ECONNRESET", "%s",
		n < 0 ? strerrorname_np(errno) : "no error");
	n = stage_send(s, p.client, "hello?", 6, 0, "on a connection that is no more");
	stage_expect(s, SIDE_TCP, n < 0 && errno == EPIPE, "and whoever sends then gets EPIPE",
		"%s", n < 0 ? strerrorname_np(errno) : "no error");
	if (stage_wire(s)) {
		uint64_t resets = evidence_count(stage_journal(s), before,
			(struct evidence){SIDE_TCP, SERVER_HOST, FLOW_RST, EVIDENCE_ANY});
		stage_expect(s, SIDE_TCP, resets > 0, "it was a RST that told so", "%lu",
			(unsigned long)resets);
	}
	return 0;
}

static int streams(struct stage *s)
{
	int r = half_close(s);

	if (r == 0)
		r = reset(s);
	stage_say(s, SIDE_TCP,
		"Each direction ends by itself, with a FIN that is acknowledged like a byte. A "
		"reset "
		"ends both at once, and what was on its way is lost.");
	return r;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	char bytes[32], came[PAIR_BYTES];
	int r = pair_udp(s, PAIR_PORT, true, &p);

	if (r)
		return r;
	(void)stage_send(
		s, p.client, question, strlen(question), 0, "the first packet is the question");
	ssize_t n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
	stage_expect(s, SIDE_UDP, n == (ssize_t)strlen(question),
		"no handshake: the first packet carries data", "%s", pair_bytes(n, came));
	(void)stage_shutdown(s, p.client, SHUT_WR, "only this end knows of it");
	ssize_t after =
		stage_send(s, p.client, question, strlen(question), 0, "refused by its own kernel");
	stage_check(s, SIDE_UDP, after < 0 && errno == EPIPE, "after SHUT_WR it sends no more",
		"%s", after < 0 ? strerrorname_np(errno) : "it did");
	n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, 100, "no FIN, no 0: nothing");
	stage_expect(s, SIDE_UDP, n < 0 && errno == EAGAIN, "the other end is told nothing", "%s",
		n < 0 ? strerrorname_np(errno) : "it was");
	(void)stage_answer(s, p.server, reply, strlen(reply), "it can still answer");
	n = stage_receive(s, p.client, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
	stage_expect(s, SIDE_UDP, n == (ssize_t)strlen(reply), "and its answer comes", "%s",
		pair_bytes(n, came));
	stage_say(s, SIDE_UDP, "There is no conversation that could begin or end.");
	return 0;
}

int scenario_half_close(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
