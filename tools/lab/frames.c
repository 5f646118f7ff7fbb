#include "tools/lab/frames.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/frame.h"
#include "common/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct begun {
	uint32_t seq; /* where its header begins */
	uint16_t type;
	uint32_t length; /* of its payload */
};

/* One direction of a flow. */
struct stream {
	uint32_t flow;
	bool first;    /* from the end that spoke first */
	bool lost;     /* not lanchat's, or cut */
	uint32_t next; /* byte to be followed */
	uint8_t header[FRAME_HEADER];
	size_t header_length;
	uint32_t skip;       /* bytes of a payload still to come */
	struct begun *begun; /* owned; by seq */
	size_t count, room;
};

struct frames {
	const struct journal *journal; /* borrowed */
	uint64_t read;                 /* entry to read */
	struct stream *streams;        /* owned */
	size_t count, room;
};

struct frames *frames_new(const struct journal *j)
{
	struct frames *f = calloc(1, sizeof(*f));

	if (f)
		f->journal = j;
	return f;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		free(f->streams[i].begun);
	free(f->streams);
	free(f);
}

/* ---- following ---- */

static struct stream *find(const struct frames *f, const struct flow_note *n)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->streams[i].flow == n->flow && f->streams[i].first == n->first)
			return &f->streams[i];
	}
	return NULL;
}

static struct stream *find_or_make(struct frames *f, const struct flow_note *n)
{
	struct stream *s = find(f, n);

	if (s)
		return s;
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 8;
		struct stream *more = realloc(f->streams, room * sizeof(*more));
		if (!more)
			return NULL;
		f->streams = more;
		f->room = room;
	}
	/* 0 is the SYN. */
	f->streams[f->count] = (struct stream){.flow = n->flow, .first = n->first, .next = 1};
	return &f->streams[f->count++];
}

/* Its header is whole. False where it is none, or memory is short. */
static bool begin(struct stream *s)
{
	struct frame frame;
	int r = frame_decode(s->header, FRAME_HEADER, FRAME_PAYLOAD_MAX, &frame, NULL);
	uint32_t length = bytes_u32(s->header);
	uint16_t type = bytes_u16(s->header + 4);

	/* What begins with a message that there is none of is somebody else's. */
	if (r == ERR_PROTOCOL || (s->count == 0 && !message_spec(type)))
		return false;
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 32;
		struct begun *more = realloc(s->begun, room * sizeof(*more));
		if (!more)
			return false;
		s->begun = more;
		s->room = room;
	}
	s->begun[s->count++] = (struct begun){s->next - FRAME_HEADER, type, length};
	s->skip = length;
	s->header_length = 0;
	return true;
}

static void follow(struct stream *s, const uint8_t *bytes, uint32_t length)
{
	while (length && !s->lost) {
		if (s->skip) {
			uint32_t n = s->skip < length ? s->skip : length;
			s->skip -= n;
			s->next += n;
			bytes += n;
			length -= n;
			continue;
		}
		s->header[s->header_length++] = *bytes++;
		s->next++;
		length--;
		if (s->header_length == FRAME_HEADER)
			s->lost = !begin(s);
	}
}

static bool take(struct frames *f, const struct journal_packet *p)
{
	uint32_t seq = p->note.relative_seq, length = p->packet.payload_length;

	if ((p->note.kind != FLOW_DATA && p->note.kind != FLOW_RETRANSMISSION) || length == 0)
		return true;
	struct stream *s = find_or_make(f, &p->note);
	if (!s)
		return false;
	uint32_t known = s->next - seq; /* bytes of it, modulo 2^32 as numbers of TCP are */
	if ((int32_t)known < 0)
		s->lost = true; /* there is a hole before it: the journal was full */
	if (!s->lost && known < length)
		follow(s, p->packet.payload + known, length - known);
	return true;
}

void frames_read(struct frames *f)
{
	const struct journal_entry *e;

	for (; (e = journal_at(f->journal, f->read)) != NULL; f->read++) {
		if (e->kind == JOURNAL_PACKET && e->side == SIDE_TCP && !take(f, &e->of.packet))
			return;
	}
}

/* ---- words ---- */

static const char *name_of(uint16_t type, char out[16])
{
	const struct message_spec *m = message_spec(type);

	if (m)
		return m->name;
	(void)snprintf(out, 16, "0x%04x", type);
	return out;
}

/* The first that begins at `seq` or behind it. */
static size_t first_from(const struct stream *s, uint32_t seq)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if ((int32_t)(s->begun[middle].seq - seq) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

char *frames_label(const struct frames *f, const struct journal_packet *p, char out[FRAMES_LABEL])
{
	uint32_t seq = p->note.relative_seq, length = p->packet.payload_length;
	const struct stream *s = find(f, &p->note);
	char name[16], second[16];

	*out = '\0';
	if (!s || s->count == 0 || length == 0 ||
		(p->note.kind != FLOW_DATA && p->note.kind != FLOW_RETRANSMISSION))
		return out;
	size_t from = first_from(s, seq), to = first_from(s, seq + length);
	const struct begun *b = &s->begun[from];
	if (from == to) {
		if (from > 0 && (int32_t)(b[-1].seq + FRAME_HEADER + b[-1].length - seq) > 0)
			(void)snprintf(out, FRAMES_LABEL, "rest of %s %" PRIu32 " bytes",
				name_of(b[-1].type, name), b[-1].length);
		return out;
	}
	int n = snprintf(
		out, FRAMES_LABEL, "%s %" PRIu32 " bytes", name_of(b->type, name), b->length);
	if (to - from == 2)
		(void)snprintf(out + n, FRAMES_LABEL - (size_t)n, ", %s %" PRIu32 " bytes",
			name_of(b[1].type, second), b[1].length);
	else if (to - from > 2)
		(void)snprintf(out + n, FRAMES_LABEL - (size_t)n, " and %zu more", to - from - 1);
	return out;
}
