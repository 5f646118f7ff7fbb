/*
 * What the kinds of stream share; nobody else includes this.
 *
 *     stream.c      what all have in common, and the plain one
 *     stream_tls.c  TLS
 */
#ifndef LANCHAT_STREAM_PRIVATE_H
#define LANCHAT_STREAM_PRIVATE_H

#include "common/stream.h"

/* What a kind does differently. Closing the descriptor is the same for all. */
struct stream_kind {
	int (*handshake)(struct stream *s);
	int (*recv)(struct stream *s, void *buffer, size_t size, size_t *got);
	bool (*buffered)(struct stream *s);
	int (*send)(struct stream *s, const struct iovec *pieces, int count, size_t *taken);
	int (*flush)(struct stream *s);
	bool (*pending)(struct stream *s);
	/* Before SHUT_WR: tell the peer that this was all. */
	void (*goodbye)(struct stream *s);
	void (*rest)(struct stream *s);
	const uint8_t *(*peer)(const struct stream *s);
	const char *(*problem)(const struct stream *s);
	int (*export)(
		struct stream *s, const struct stream_export *what, uint8_t *out, size_t size);
	void (*free)(struct stream *s); /* all but the descriptor */
};

struct stream {
	/* Constant after creation. */
	const struct stream_kind *kind;
	int fd; /* owned */
};

#endif
