#include "server/intake.h"

#include "common/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* More than malloc keeps for a thread alone (its tcache), so that what is freed is there for others. */
#define SIZE_FIRST 2048
#define SIZE_MOST  ((size_t)64 * 1024 + FRAME_HEADER)

_Static_assert(SIZE_MOST >= FRAME_MAX, "one frame of any size fits");

void intake_init(struct intake *in, uint32_t limit)
{
	*in = (struct intake){.limit = limit};
}

void intake_fini(struct intake *in)
{
	free(in->bytes);
	*in = (struct intake){0};
}

void intake_rest(struct intake *in)
{
	if (in->start == in->end) {
		free(in->bytes);
		*in = (struct intake){.limit = in->limit};
	}
}

static int resize(struct intake *in, size_t size)
{
	uint8_t *bytes = realloc(in->bytes, size);

	if (!bytes)
		return ERR_MEMORY;
	in->bytes = bytes;
	in->size = size;
	return 0;
}

/* Room for more: what is left moves to the front, and a buffer that is full, or too small for the
 * frame that has begun, doubles. */
static int make_room(struct intake *in)
{
	if (in->start) {
		memmove(in->bytes, in->bytes + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->end == 0 && in->size > SIZE_FIRST * 4)
		intake_rest(in);
	if (in->end < in->size)
		return 0;
	size_t size = in->size ? in->size * 2 : SIZE_FIRST;
	return resize(in, size > SIZE_MOST ? SIZE_MOST : size);
}

int intake_fill(struct intake *in, struct stream *s)
{
	bool filled = false;

	/* A buffer that gets full at once is too small for this peer's pace. */
	for (;;) {
		size_t got;
		int r = make_room(in);
		if (r)
			return r;
		assert(in->end < in->size); /* whoever calls has taken every whole frame */
		r = stream_recv(s, in->bytes + in->end, in->size - in->end, &got);
		if (r)
			return filled ? 0 : r; /* an end is found again */
		in->end += got;
		filled = true;
		if (in->end < in->size || in->size == SIZE_MOST)
			return 0;
	}
}

int intake_next(struct intake *in, struct frame *f)
{
	if (in->start == in->end)
		return ERR_AGAIN;
	int r = frame_decode(in->bytes + in->start, in->end - in->start, in->limit, f, NULL);

	if (r == 0)
		in->start += FRAME_HEADER + (size_t)f->length;
	return r;
}

size_t intake_waiting(const struct intake *in)
{
	return in->end - in->start;
}

int intake_first(const struct intake *in)
{
	return in->start < in->end ? in->bytes[in->start] : -1;
}

void intake_settle(struct intake *in)
{
	if (in->size == SIZE_FIRST)
		intake_rest(in);
}

bool intake_partial(const struct intake *in)
{
	return in->start < in->end;
}
