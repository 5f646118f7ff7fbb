#include "common/stream_private.h"

#include "common/err.h"
#include "common/net.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- plain: the socket itself ---- */

static int plain_recv(struct stream *s, void *buffer, size_t size, size_t *got)
{
	return net_recv(s->fd, buffer, size, got);
}

static int plain_send(struct stream *s, const struct iovec *pieces, int count, size_t *taken)
{
	return net_sendv(s->fd, pieces, count, taken);
}

/* What the socket did not take was not taken at all, so nothing ever waits inside. */
static int plain_flush(struct stream *s)
{
	(void)s;
	return 0;
}

static bool plain_nothing(struct stream *s)
{
	(void)s;
	return false;
}

static void plain_goodbye(struct stream *s)
{
	(void)s; /* the end of the stream says it */
}

static void plain_rest(struct stream *s)
{
	(void)s; /* the socket keeps nothing here */
}

static const uint8_t *plain_peer(const struct stream *s)
{
	(void)s;
	return NULL;
}

static const char *plain_problem(const struct stream *s)
{
	(void)s;
	return "";
}

static int plain_export(
	struct stream *s, const struct stream_export *what, uint8_t *out, size_t size)
{
	(void)s;
	(void)what;
	(void)out;
	(void)size;
	return ERR_NOT_FOUND;
}

static void plain_free(struct stream *s)
{
	free(s);
}

static const struct stream_kind plain = {
	.handshake = plain_flush, /* there is none */
	.recv = plain_recv,
	.buffered = plain_nothing,
	.send = plain_send,
	.flush = plain_flush,
	.pending = plain_nothing,
	.goodbye = plain_goodbye,
	.rest = plain_rest,
	.peer = plain_peer,
	.problem = plain_problem,
	.export = plain_export,
	.free = plain_free,
};

int stream_new_plain(int fd, struct stream **out)
{
	assert(fd >= 0);
	struct stream *s = malloc(sizeof(*s));
	if (!s)
		return ERR_MEMORY;
	*s = (struct stream){.kind = &plain, .fd = fd};
	*out = s;
	return 0;
}

/* ---- any stream ---- */

void stream_free(struct stream *s)
{
	if (!s)
		return;
	net_close(s->fd);
	s->kind->free(s);
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

int stream_handshake(struct stream *s)
{
	return s->kind->handshake(s);
}

const uint8_t *stream_peer(const struct stream *s)
{
	return s->kind->peer(s);
}

int stream_export(struct stream *s, const struct stream_export *what, uint8_t *out, size_t size)
{
	return s->kind->export(s, what, out, size);
}

const char *stream_problem(const struct stream *s)
{
	return s->kind->problem(s);
}

bool stream_buffered(struct stream *s)
{
	return s->kind->buffered(s);
}

int stream_recv(struct stream *s, void *buffer, size_t size, size_t *got)
{
	return s->kind->recv(s, buffer, size, got);
}

int stream_send(struct stream *s, const struct iovec *pieces, int count, size_t *taken)
{
	return s->kind->send(s, pieces, count, taken);
}

int stream_flush(struct stream *s)
{
	return s->kind->flush(s);
}

bool stream_pending(struct stream *s)
{
	return s->kind->pending(s);
}

void stream_rest(struct stream *s)
{
	s->kind->rest(s);
}

void stream_shutdown(struct stream *s, int how)
{
	if (how == SHUT_WR)
		s->kind->goodbye(s);
	net_shutdown(s->fd, how);
}
