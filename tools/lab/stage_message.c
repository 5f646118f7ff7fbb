/*
 * Sending, receiving, and asking where to: the calls that carry something.
 */
#include "tools/lab/stage_private.h"

#include "common/err.h"
#include "common/trace.h"
#include "tools/lab/call_text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define HOPEFUL_MS 1000 /* who waits for so long expects something */

static ssize_t send_noted(struct stage *s, const struct stage_end *e, const void *bytes,
	size_t length, const struct net_address *to, const char *why)
{
	char what[CALL_TEXT], where[NET_ADDRESS_MAX];
	ssize_t n = sendto(
		e->fd, bytes, length, MSG_NOSIGNAL, to ? &to->u.any : NULL, to ? to->length : 0);

	stage_note(s, e, to ? "sendto" : "send", (long)n, why, "%d, %s%s%s", e->fd,
		call_text_bytes(bytes, length, what), to ? ", to " : "",
		to ? net_print(to, where) : "");
	return n;
}

ssize_t stage_send(
	struct stage *s, int fd, const void *bytes, size_t length, int flags, const char *why)
{
	struct stage_end e;
	char what[CALL_TEXT], how[CALL_TEXT];

	if (!stage_begin(s, fd, &e))
		return -1;
	if (!flags)
		return send_noted(s, &e, bytes, length, NULL, why);
	ssize_t n = send(fd, bytes, length, flags | MSG_NOSIGNAL);
	stage_note(s, &e, "send", (long)n, why, "%d, %s, %s", fd,
		call_text_bytes(bytes, length, what), call_text_flags(flags, how));
	return n;
}

ssize_t stage_send_to(struct stage *s, int fd, const void *bytes, size_t length, size_t host,
	uint16_t port, const char *why)
{
	struct stage_end e;
	struct net_address to;

	if (!stage_begin(s, fd, &e))
		return -1;
	stage_reach(s, host, port, e.type, &to);
	return send_noted(s, &e, bytes, length, &to, why);
}

ssize_t stage_answer(struct stage *s, int fd, const void *bytes, size_t length, const char *why)
{
	struct stage_end e;

	if (!stage_begin(s, fd, &e))
		return -1;
	if (!e.from.length) {
		errno = EDESTADDRREQ;
		return -1;
	}
	return send_noted(s, &e, bytes, length, &e.from, why);
}

static void note_receive(struct stage *s, const struct stage_end *e, const struct msghdr *m,
	size_t size, int flags, ssize_t n, const char *why)
{
	struct net_address from = {.length = m->msg_namelen};
	char what[CALL_TEXT] = "", how[CALL_TEXT], where[NET_ADDRESS_MAX];
	const struct iovec *v = m->msg_iov;

	if (n >= 0)
		call_text_bytes(v->iov_base, (size_t)n < size ? (size_t)n : size, what);
	if (n >= 0 && e->type == SOCK_DGRAM && m->msg_namelen) {
		memcpy(&from.u, m->msg_name, m->msg_namelen);
		stage_end_heard(s, e->fd, &from);
	} else {
		from.length = 0;
	}
	int told = flags | (n >= 0 ? m->msg_flags & MSG_TRUNC : 0);
	stage_note(s, e, "recvmsg", (long)n, why, "%d, room for %zu%s%s%s%s%s%s", e->fd, size,
		told ? ", " : "", told ? call_text_flags(told, how) : "", n >= 0 ? ": " : "", what,
		from.length ? ", from " : "", from.length ? net_print(&from, where) : "");
}

ssize_t stage_receive(struct stage *s, int fd, void *bytes, size_t size, int *flags, int timeout_ms,
	const char *why)
{
	struct stage_end e;
	struct sockaddr_storage from;
	struct iovec v = {.iov_base = bytes, .iov_len = size};
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1};
	int asked = flags ? *flags : 0;
	int64_t began = stage_ms(s);
	char waited[STAGE_WAITED];

	if (!stage_begin(s, fd, &e))
		return -1;
	int came = stage_await(s, fd, POLLIN, timeout_ms, "recvmsg");
	if (came < 0)
		return -1;
	/* A short wait is for what should not come. */
	if (came == 0 && timeout_ms >= HOPEFUL_MS)
		why = stage_waited(s, began, "nothing came", waited);
	ssize_t n = recvmsg(fd, &m, asked | MSG_DONTWAIT);
	if (n < 0)
		m.msg_namelen = 0;
	note_receive(s, &e, &m, size, asked, n, why);
	if (flags)
		*flags = n < 0 ? 0 : m.msg_flags;
	return n;
}

/* ---- where to ---- */

static void note_entry(struct stage *s, unsigned number, const struct addrinfo *a)
{
	struct net_address at = {.length = a->ai_addrlen};
	char text[NET_ADDRESS_MAX];

	memcpy(&at.u, a->ai_addr, a->ai_addrlen);
	stage_say(s, SIDE_BOTH, "  entry %u: %s, %s, protocol %d, %s", number,
		trace_family(a->ai_family), trace_socktype(a->ai_socktype), a->ai_protocol,
		net_print(&at, text));
}

int stage_resolve(struct stage *s, uint16_t port, const char *why)
{
	struct net_address at;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *list = NULL;
	char text[NET_ADDRESS_MAX], service[8];
	unsigned count = 0;

	if (stage_stopped(s))
		return -1;
	stage_reach(s, SERVER_HOST, port, SOCK_STREAM, &at);
	snprintf(service, sizeof(service), "%u", port);
	net_print(&at, text);
	*strchr(text, ':') = '\0';
	int r = getaddrinfo(text, service, &hints, &list);
	struct stage_end e = {.fd = -1, .side = SIDE_BOTH, .host = CLIENT_HOST};
	stage_note(
		s, &e, "getaddrinfo", r, why, "\"%s\", \"%s\", hints of any type", text, service);
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		note_entry(s, count++, a);
	freeaddrinfo(list);
	return r ? -1 : (int)count;
}
