#include "tests/unit/bench.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void on_blocked(void *context, struct outlet *o)
{
	struct bench *b = context;

	lock_assert_held(&o->lock);
	b->blocked++;
}

static void on_behind(void *context, struct member *m)
{
	struct bench *b = context;

	lock_assert_held(&m->outlet->lock);
	ck_assert_ptr_null(b->queued);
	b->queued = m;
	b->behind++;
}

void bench_open(struct bench *b, int buffer, uint64_t last_seq)
{
	struct stream_key key = entry_room("r");
	struct stream *stream;
	int fd;

	*b = (struct bench){.budget.bound = 1 << 24};
	ck_assert_int_eq(peer_open(&b->peer, buffer, &fd), 0);
	ck_assert_int_eq(stream_new_plain(fd, &stream), 0);
	b->hooks = (struct outlet_hooks){.blocked = on_blocked, .behind = on_behind, .context = b};
	ck_assert_int_eq(outlet_new(stream, &b->hooks, &b->outlet), 0);
	b->feed = feed_new(&key, "r", &b->budget, last_seq);
	ck_assert_ptr_nonnull(b->feed);
}

void bench_close(struct bench *b)
{
	outlet_close(b->outlet);
	outlet_unref(b->outlet);
	feed_unref(b->feed);
	ck_assert_uint_eq(atomic_load(&b->budget.bytes), 0);
	peer_close(&b->peer);
	free(b->bytes);
}

void bench_expect(struct bench *b, const uint8_t *frame, size_t length)
{
	if (b->length + length > b->size) {
		b->size = 2 * (b->length + length);
		b->bytes = realloc(b->bytes, b->size);
		ck_assert_ptr_nonnull(b->bytes);
	}
	memcpy(b->bytes + b->length, frame, length);
	b->length += length;
}

void bench_expect_caught_up(struct bench *b, uint64_t last)
{
	struct msg_caught_up m = {.room = span_of("r"), .last = last};
	uint8_t frame[256];
	size_t used;

	ck_assert_int_eq(message_encode(MESSAGE_CAUGHT_UP, &m, frame, sizeof(frame), &used), 0);
	bench_expect(b, frame, used);
}

void bench_publish_quietly(struct bench *b, uint64_t seq, size_t text)
{
	uint8_t frame[SAID_FRAME_MAX];

	feed_publish(b->feed, frame, entry_frame(seq, seq - 1, text, frame), seq);
}

void bench_publish(struct bench *b, uint64_t seq, size_t text)
{
	uint8_t frame[SAID_FRAME_MAX];

	bench_expect(b, frame, entry_frame(seq, seq - 1, text, frame));
	bench_publish_quietly(b, seq, text);
}

void bench_drain(struct bench *b)
{
	for (;;) {
		peer_drain(&b->peer);
		if (!atomic_load(&b->outlet->blocked))
			return;
		outlet_writable(b->outlet);
	}
}

void bench_check(struct bench *b)
{
	bench_drain(b);
	ck_assert_uint_eq(b->peer.end - b->peer.start, b->length);
	if (b->length)
		ck_assert_mem_eq(b->peer.bytes + b->peer.start, b->bytes, b->length);
	ck_assert_uint_eq(outlet_pending(b->outlet), 0);
}

void bench_leave(struct member *m)
{
	member_leave(m);
	member_unref(m);
}
