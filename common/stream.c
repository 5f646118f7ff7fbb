#include "common/stream.h"

#include "common/err.h"
#include "common/net.h"

#include <assert.h>
#include <stdlib.h>

/* What the kinds of stream do differently; a row for each kind. Closing the descriptor and shutting
 * it down are the same for all. */
struct kind {
	int (*recv)(struct stream *s, void *buffer, size_t size, size_t *got);
	int (*send)(struct stream *s, const struct iovec *pieces, int count, size_t *taken);
	int (*flush)(struct stream *s);
	bool (*pending)(const struct stream *s);
};

struct stream {
	/* Constant after creation. */
	const struct kind *kind;
	int fd; /* owned */
};

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

static bool plain_pending(const struct stream *s)
{
	(void)s;
	return false;
}

static const struct kind plain = {
	.recv = plain_recv,
	.send = plain_send,
	.flush = plain_flush,
	.pending = plain_pending,
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
	free(s);
}

int stream_fd(const struct stream *s)
{
	return s->fd;
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

bool stream_pending(const struct stream *s)
{
	return s->kind->pending(s);
}

void stream_shutdown(struct stream *s, int how)
{
	net_shutdown(s->fd, how);
}
