#include "tools/lab/lab_diagram.h"

#include "common/err.h"
#include "tools/lab/lab_diagram_private.h"

#include <math.h>
#include <stdlib.h>

#define PITCH      19.0 /* from a row to the next */
#define PAUSE      9.0  /* more, for each power of ten of milliseconds between them */
#define PAUSE_MOST 30.0
#define FOOT       24.0

/* ---- which ---- */

static bool is_notable(const struct ladder_row *r)
{
	const struct fate *f = &r->packet->fate;

	/* Duplicate acknowledgements come in rows, each as the last. */
	if (r->packet->note.kind == FLOW_DUPLICATE_ACK && f->kind == FATE_CARRIED)
		return f->reordered || f->copies > 1;
	return ladder_is_trouble(r->packet) || f->reordered || f->copies > 1;
}

/* How many there are, and on how many rows. */
static void count_packets(struct lab_diagram *d, uint64_t most)
{
	size_t all = ladder_count(d->ladder);

	for (d->rows = 0; d->rows < all; d->rows++) {
		bool sent = ladder_at(d->ladder, d->rows)->sent;
		if (sent && most && d->packets == most)
			return;
		d->packets += sent;
	}
}

static void choose(struct lab_diagram *d, const struct lab_diagram_bounds *b)
{
	size_t notable = 0, seen = 0;
	bool all;

	count_packets(d, b->packets);
	all = d->packets <= b->first + b->notable;
	for (size_t i = 0; i < d->rows; i++) {
		const struct ladder_row *r = ladder_at(d->ladder, i);
		if (!r->sent)
			continue;
		bool take = all || seen++ < b->first;
		if (!take && notable < b->notable && is_notable(r)) {
			take = true;
			notable++;
		}
		d->places[i].shown = take;
		d->chosen += take;
	}
}

/* ---- where ---- */

/* How far down so much time goes: longer pauses a little longer, for some last a thousand times as long
 * as others. */
static double pause_height(uint64_t ns)
{
	return fmin(PAUSE_MOST, PAUSE * log10(1 + (double)ns / 1e6));
}

static void place(struct lab_diagram *d)
{
	double y = d->top;
	uint64_t before = 0;
	size_t left_out = 0;

	for (size_t i = 0; i < d->rows; i++) {
		const struct ladder_row *r = ladder_at(d->ladder, i);
		struct diagram_place *p = &d->places[i];
		uint64_t at = r->sent ? r->sent_ns : r->arrived_ns;

		p->shown = d->places[r->send_row].shown;
		if (!p->shown) {
			left_out += r->sent;
			continue;
		}
		y += PITCH + (before && !left_out && at > before ? pause_height(at - before) : 0);
		if (left_out) {
			p->left_out = left_out;
			p->left_out_y = y + PITCH / 2;
			y += PITCH * 2;
			left_out = 0;
		}
		p->sent_y = p->arrived_y = y;
		before = at;
		if (diagram_arrival(d, r, 0) == i || diagram_arrival(d, r, 1) == i) {
			y += PITCH / 3 + pause_height(r->arrived_ns - r->sent_ns);
			p->arrived_y = y;
			before = r->arrived_ns;
		}
	}
	d->left_out_at_end = left_out;
	d->bottom = y + PITCH * (left_out ? 2 : 1);
}

size_t diagram_arrival(const struct lab_diagram *d, const struct ladder_row *r, int second)
{
	return r->arrival_row[second] < d->rows ? r->arrival_row[second] : LADDER_NOWHERE;
}

int lab_diagram_new(struct lab_diagram **out, const struct ladder *l, size_t hosts,
	const struct lab_diagram_bounds *bounds)
{
	size_t rows = ladder_count(l);
	struct lab_diagram *d = calloc(1, sizeof(*d));

	if (!d)
		return ERR_MEMORY;
	d->ladder = l;
	d->frames = bounds->frames;
	d->hosts = hosts;
	d->places = calloc(rows ? rows : 1, sizeof(*d->places));
	if (!d->places) {
		free(d);
		return ERR_MEMORY;
	}
	choose(d, bounds);
	d->top = diagram_legend_height(d);
	place(d);
	*out = d;
	return 0;
}

void lab_diagram_free(struct lab_diagram *d)
{
	if (!d)
		return;
	free(d->places);
	free(d);
}

int lab_diagram_height(const struct lab_diagram *d)
{
	return (int)ceil(d->bottom + FOOT);
}

size_t lab_diagram_packets(const struct lab_diagram *d)
{
	return d->packets;
}

size_t lab_diagram_shown(const struct lab_diagram *d)
{
	return d->chosen;
}
