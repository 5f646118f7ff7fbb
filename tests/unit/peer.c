#include "tests/unit/peer.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/net.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int peer_open(struct peer *p, int buffer, int *other)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
		return ERR_SYSTEM;
	if (buffer > 0 && setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) != 0) {
		net_close(fds[0]);
		net_close(fds[1]);
		return ERR_SYSTEM;
	}
	*p = (struct peer){.fd = fds[0]};
	*other = fds[1];
	return 0;
}

void peer_close(struct peer *p)
{
	net_close(p->fd);
	free(p->bytes);
	*p = (struct peer){.fd = -1};
}

/* ---- receiving ---- */

/* Up to `chunk` bytes more. */
static int receive(struct peer *p, size_t chunk)
{
	size_t got;

	if (p->start) {
		memmove(p->bytes, p->bytes + p->start, p->end - p->start);
		p->end -= p->start;
		p->start = 0;
	}
	if (p->size - p->end < chunk) {
		size_t size = 2 * (p->end + chunk);
		uint8_t *grown = realloc(p->bytes, size);
		if (!grown)
			return ERR_MEMORY;
		p->bytes = grown;
		p->size = size;
	}
	int r = net_recv(p->fd, p->bytes + p->end, chunk, &got);
	if (r == 0)
		p->end += got;
	return r;
}

int peer_take(struct peer *p, size_t chunk, int64_t deadline, struct frame *f, union message *m)
{
	struct pollfd poller = {.fd = p->fd, .events = POLLIN};

	for (;;) {
		int r = ERR_AGAIN;
		if (p->start < p->end)
			r = frame_decode(
				p->bytes + p->start, p->end - p->start, FRAME_PAYLOAD_MAX, f, NULL);
		if (r == 0) {
			p->start += FRAME_HEADER + (size_t)f->length;
			return m ? message_decode(f, m) : 0;
		}
		if (r != ERR_AGAIN)
			return r;
		r = receive(p, chunk);
		if (r != 0 && r != ERR_AGAIN)
			return r;
		if (r == ERR_AGAIN && poll(&poller, 1, clock_poll_timeout(deadline)) == 0)
			return ERR_TIMEOUT;
	}
}

int peer_expect(struct peer *p, enum message_number number, union message *m)
{
	struct frame f;
	int r = peer_take(p, 4096, clock_ms() + PEER_PATIENCE, &f, m);

	if (r)
		return r;
	return f.type == number ? 0 : ERR_PROTOCOL;
}

int peer_await(struct peer *p, enum message_number number, union message *m)
{
	int64_t deadline = clock_ms() + PEER_PATIENCE;
	struct frame f;
	int r;

	do
		r = peer_take(p, 4096, deadline, &f, m);
	while (r == 0 && f.type != number);
	return r;
}

size_t peer_drain(struct peer *p)
{
	while (receive(p, 65536) == 0)
		;
	return p->end - p->start;
}

bool peer_is_closed(struct peer *p)
{
	struct frame f;

	return peer_take(p, 4096, clock_ms() + PEER_PATIENCE, &f, NULL) == ERR_CLOSED;
}

/* ---- sending ---- */

int peer_send_bytes(struct peer *p, const void *bytes, size_t length)
{
	struct pollfd poller = {.fd = p->fd, .events = POLLOUT};
	const uint8_t *at = bytes;

	while (length) {
		struct iovec piece = {.iov_base = (void *)(uintptr_t)at, .iov_len = length};
		size_t sent = 0;
		int r = net_sendv(p->fd, &piece, 1, &sent);
		if (r == ERR_AGAIN && poll(&poller, 1, PEER_PATIENCE) == 0)
			return ERR_TIMEOUT;
		if (r != 0 && r != ERR_AGAIN)
			return r;
		at += sent;
		length -= sent;
	}
	return 0;
}

int peer_send(struct peer *p, enum message_number number, const void *value)
{
	uint8_t *frame = malloc(FRAME_MAX);
	size_t used = 0;

	if (!frame)
		return ERR_MEMORY;
	int r = message_encode((uint16_t)number, value, frame, FRAME_MAX, &used);
	if (r == 0)
		r = peer_send_bytes(p, frame, used);
	free(frame);
	return r;
}
