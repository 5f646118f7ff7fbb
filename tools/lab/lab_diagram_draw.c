/*
 * The diagram as SVG.
 */
#include "tools/lab/lab_diagram_private.h"

#include "tools/lab/ladder_text.h"
#include "tools/report/markup.h"

#include <inttypes.h>
#include <math.h>

#define EDGE        92.0 /* from the outer hosts' lines to the sides: room for times */
#define HEAD        26.0 /* the hosts' names */
#define LEGEND_LINE 20.0
#define LEGEND_EACH 190.0
#define LEGEND_ROW  4
#define LOST_AT     0.55 /* of the way: where a dropped one ends */
#define LOST_FALL   9.0
#define TIP         8.0
#define LABEL_MOST  40
#define TEXT        160

/* ---- looks ---- */

enum look {
	LOOK_DATA,
	LOOK_AGAIN,
	LOOK_ENDS,
	LOOK_OTHER,
	LOOK_LATE,
	LOOK_ACK,
	LOOK_LOST, /* from here on: not colours alone */
	LOOK_COPY,
	LOOKS
};

static const struct {
	const char *class; /* the stylesheet's */
	const char *words;
} looks[] = {
	[LOOK_DATA] = {"s1", "data, for the first time"},
	[LOOK_AGAIN] = {"s2", "sent again"},
	[LOOK_ENDS] = {"s3", "begins or ends it"},
	[LOOK_OTHER] = {"s4", "reset, ICMP, other"},
	[LOOK_LATE] = {"s5", "overtaken by others"},
	[LOOK_ACK] = {"s6", "acknowledgement"},
	[LOOK_LOST] = {"lost", "lost"},
	[LOOK_COPY] = {"s1 copy", "its second copy"},
};

static enum look look_of(const struct journal_packet *p)
{
	if (p->fate.kind == FATE_CARRIED && p->fate.reordered)
		return LOOK_LATE;
	switch (p->note.kind) {
	case FLOW_DATA:
	case FLOW_DATAGRAM:
	case FLOW_FRAGMENT:
		return LOOK_DATA;
	case FLOW_RETRANSMISSION:
		return LOOK_AGAIN;
	case FLOW_SYN:
	case FLOW_SYN_ACK:
	case FLOW_FIN:
		return LOOK_ENDS;
	case FLOW_ACK:
	case FLOW_DUPLICATE_ACK:
	case FLOW_WINDOW_UPDATE:
	case FLOW_WINDOW_PROBE:
	case FLOW_KEEPALIVE:
		return LOOK_ACK;
	case FLOW_RST:
	case FLOW_ICMP:
	case FLOW_OTHER:
		break;
	}
	return LOOK_OTHER;
}

/* Which of them occur, and so stand in the legend. */
static size_t find_looks(const struct lab_diagram *d, bool there[LOOKS])
{
	size_t count = 0;

	for (size_t i = 0; i < LOOKS; i++)
		there[i] = false;
	for (size_t i = 0; i < d->rows; i++) {
		const struct ladder_row *r = ladder_at(d->ladder, i);
		if (!r->sent || !d->places[i].shown)
			continue;
		there[look_of(r->packet)] = true;
		there[LOOK_LOST] |= r->packet->fate.kind != FATE_CARRIED;
		there[LOOK_COPY] |= r->packet->fate.copies > 1;
	}
	for (size_t i = 0; i < LOOKS; i++)
		count += there[i];
	return count;
}

double diagram_legend_height(const struct lab_diagram *d)
{
	bool there[LOOKS];
	size_t lines = (find_looks(d, there) + LEGEND_ROW - 1) / LEGEND_ROW;

	return (double)lines * LEGEND_LINE + HEAD;
}

/* ---- strokes ---- */

struct point {
	double x, y;
};

static double host_x(const struct lab_diagram *d, size_t host)
{
	double between = (LAB_DIAGRAM_WIDTH - 2 * EDGE) / (double)(d->hosts > 1 ? d->hosts - 1 : 1);

	return EDGE + between * (double)(host < d->hosts ? host : d->hosts - 1);
}

static void put_arrow(FILE *out, const char *class, struct point from, struct point to, bool head)
{
	double length = hypot(to.x - from.x, to.y - from.y);
	double x = length > 0 ? (to.x - from.x) / length : 1;
	double y = length > 0 ? (to.y - from.y) / length : 0;

	fprintf(out, "<path class=\"arrow %s\" d=\"M%.1f,%.1fL%.1f,%.1f\"/>", class, from.x, from.y,
		to.x - (head ? TIP / 2 * x : 0), to.y - (head ? TIP / 2 * y : 0));
	if (head)
		fprintf(out, "<path class=\"area %s\" d=\"M%.1f,%.1fL%.1f,%.1fL%.1f,%.1fZ\"/>",
			class, to.x, to.y, to.x - TIP * x - TIP / 2.4 * y,
			to.y - TIP * y + TIP / 2.4 * x, to.x - TIP * x + TIP / 2.4 * y,
			to.y - TIP * y - TIP / 2.4 * x);
}

static void put_cross(FILE *out, struct point at)
{
	fprintf(out, "<path class=\"cross\" d=\"M%.1f,%.1fl9,9m-9,0l9,-9\"/>", at.x - 4.5,
		at.y - 4.5);
}

static int put_text(
	FILE *out, const char *class, const char *anchor, struct point at, const char *words)
{
	fprintf(out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, anchor,
		at.x, at.y);
	int r = markup_text(out, words);
	fputs("</text>", out);
	return r;
}

/* ---- legend and hosts ---- */

static int put_sample(FILE *out, enum look k, struct point at)
{
	put_arrow(out, looks[k].class, at, (struct point){at.x + 24, at.y}, k != LOOK_LOST);
	if (k == LOOK_LOST)
		put_cross(out, (struct point){at.x + 24, at.y});
	return put_text(out, "label", "start", (struct point){at.x + 34, at.y + 4}, looks[k].words);
}

static int put_legend(FILE *out, const struct lab_diagram *d)
{
	bool there[LOOKS];
	size_t count = 0;
	int r = 0;

	(void)find_looks(d, there);
	for (int k = 0; k < LOOKS && r == 0; k++) {
		if (!there[k])
			continue;
		size_t line = count / LEGEND_ROW, column = count % LEGEND_ROW;
		struct point at = {
			2 + LEGEND_EACH * (double)column, LEGEND_LINE * ((double)line + 0.5)};
		r = put_sample(out, (enum look)k, at);
		fputc('\n', out);
		count++;
	}
	return r;
}

static int put_hosts(FILE *out, const struct lab_diagram *d)
{
	int r = 0;

	for (size_t i = 0; i < d->hosts && r == 0; i++) {
		double x = host_x(d, i);
		fprintf(out, "<path class=\"axis\" d=\"M%.1f,%.1fV%.1f\"/>", x, d->top, d->bottom);
		r = put_text(out, "name", "middle", (struct point){x, d->top - 7}, ladder_host(i));
		fputc('\n', out);
	}
	if (r == 0)
		r = put_text(out, "tick", "end", (struct point){EDGE - 30, d->top - 7}, "ms");
	return r;
}

/* ---- packets ---- */

/* A time at its host's line, on the side where no arrow is. */
static int put_time(FILE *out, const struct lab_diagram *d, size_t host, double y, uint64_t ns)
{
	char text[TEXT];
	bool left = host == 0;

	snprintf(text, sizeof(text), "%.1f", (double)ns / 1e6);
	return put_text(out, "tick", left ? "end" : "start",
		(struct point){host_x(d, host) + (left ? -8 : 8), y + 4}, text);
}

/* For who points at it, and for who cannot see it. */
static int put_title(FILE *out, const struct ladder_row *r)
{
	const struct journal_packet *p = r->packet;
	char label[LADDER_LABEL], text[TEXT * 2];
	bool carried = p->fate.kind == FATE_CARRIED;

	snprintf(text, sizeof(text), "%s:%u to %s:%u: %s, %" PRIu32 " bytes, at %.3f ms%s%s%s%s",
		ladder_host(p->host), p->packet.from.port, ladder_host(p->to_host),
		p->packet.to.port, ladder_label(p, LADDER_LABEL - 1, label), p->packet.length,
		(double)r->sent_ns / 1e6,
		carried ? "" : ", dropped: ", carried ? "" : fate_words(p->fate.kind),
		p->fate.reordered ? ", overtaken" : "", p->fate.copies > 1 ? ", doubled" : "");
	fputs("<title>", out);
	int e = markup_text(out, text);
	fputs("</title>", out);
	return e;
}

static int put_label(FILE *out, const struct lab_diagram *d, const struct ladder_row *r, double y)
{
	const struct journal_packet *p = r->packet;
	char label[LADDER_LABEL], frame[FRAMES_LABEL] = "", text[TEXT + FRAMES_LABEL];
	bool right = host_x(d, p->host) < host_x(d, p->to_host);
	bool lost = p->fate.kind != FATE_CARRIED;

	if (d->frames)
		(void)frames_label(d->frames, p, frame);
	snprintf(text, sizeof(text), "%s%s%s%s%s", ladder_label(p, LABEL_MOST, label),
		*frame ? ": " : "", frame, p->fate.reordered ? ", overtaken" : "",
		p->fate.copies > 1 ? ", doubled" : "");
	return put_text(out, lost ? "struck" : "name", right ? "start" : "end",
		(struct point){host_x(d, p->host) + (right ? 9 : -9), y - 4}, text);
}

static bool arrives(const struct lab_diagram *d, const struct ladder_row *r)
{
	return diagram_arrival(d, r, 0) != LADDER_NOWHERE ||
	       diagram_arrival(d, r, 1) != LADDER_NOWHERE;
}

/* Where one ends that does not arrive: dropped, or still on its way at the end. */
static struct point stub_end(const struct lab_diagram *d, const struct ladder_row *r, double y)
{
	double from = host_x(d, r->packet->host), to = host_x(d, r->packet->to_host);

	return (struct point){from + (to - from) * LOST_AT, y + LOST_FALL};
}

static int put_arrows(FILE *out, const struct lab_diagram *d, const struct ladder_row *r, double y)
{
	const struct journal_packet *p = r->packet;
	struct point from = {host_x(d, p->host), y}, end = stub_end(d, r, y);
	bool lost = p->fate.kind != FATE_CARRIED;
	char class[16];

	fputs("<g class=\"packet\">", out);
	int e = put_title(out, r);
	for (int i = 0; i < 2; i++) {
		size_t row = diagram_arrival(d, r, i);
		if (row == LADDER_NOWHERE)
			continue;
		struct point to = {host_x(d, p->to_host), d->places[row].arrived_y};
		snprintf(class, sizeof(class), "%s%s", looks[look_of(p)].class, i ? " copy" : "");
		put_arrow(out, class, from, to, true);
	}
	if (!arrives(d, r))
		put_arrow(out, lost ? "lost" : looks[look_of(p)].class, from, end, !lost);
	if (lost)
		put_cross(out, end);
	fputs("</g>\n", out);
	return e;
}

static int put_arrival_times(FILE *out, const struct lab_diagram *d, const struct ladder_row *r)
{
	int e = 0;

	for (int i = 0; i < 2 && e == 0; i++) {
		size_t row = diagram_arrival(d, r, i);
		if (row != LADDER_NOWHERE)
			e = put_time(out, d, r->packet->to_host, d->places[row].arrived_y,
				ladder_at(d->ladder, row)->arrived_ns);
	}
	return e;
}

static int put_words(FILE *out, const struct lab_diagram *d, const struct ladder_row *r, double y)
{
	const struct journal_packet *p = r->packet;
	struct point end = stub_end(d, r, y);
	bool lost = p->fate.kind != FATE_CARRIED, right = host_x(d, p->host) < end.x;
	char why[TEXT];
	int e = put_label(out, d, r, y);

	(void)snprintf(why, sizeof(why), "dropped: %s", fate_words(p->fate.kind));
	if (e == 0 && !arrives(d, r))
		e = put_text(out, lost ? "reason" : "label", right ? "start" : "end",
			(struct point){end.x + (right ? 11 : -11), end.y + 4},
			lost ? why : "on its way at the end");
	if (e == 0)
		e = put_time(out, d, p->host, y, r->sent_ns);
	if (e == 0)
		e = put_arrival_times(out, d, r);
	fputc('\n', out);
	return e;
}

/* ---- all ---- */

static int put_left_out(FILE *out, size_t packets, double y)
{
	char text[TEXT];

	snprintf(text, sizeof(text), "%zu packet%s left out", packets, packets == 1 ? "" : "s");
	fprintf(out, "<path class=\"left-out\" d=\"M%.1f,%.1fH%.1f\"/>", EDGE, y + 4,
		LAB_DIAGRAM_WIDTH - EDGE);
	int r = put_text(out, "label", "middle", (struct point){LAB_DIAGRAM_WIDTH / 2.0, y}, text);
	fputc('\n', out);
	return r;
}

/* Words over all arrows: one that is crossed out by another's arrow would look lost. */
static int put_packets(FILE *out, const struct lab_diagram *d,
	int (*put)(FILE *out, const struct lab_diagram *d, const struct ladder_row *r, double y))
{
	int e = 0;

	for (size_t i = 0; i < d->rows && e == 0; i++) {
		const struct ladder_row *r = ladder_at(d->ladder, i);
		if (d->places[i].shown && r->sent)
			e = put(out, d, r, d->places[i].sent_y);
	}
	return e;
}

static int put_gaps(FILE *out, const struct lab_diagram *d)
{
	int e = 0;

	for (size_t i = 0; i < d->rows && e == 0; i++) {
		const struct diagram_place *p = &d->places[i];
		if (p->left_out)
			e = put_left_out(out, p->left_out, p->left_out_y);
	}
	if (e == 0 && d->left_out_at_end)
		e = put_left_out(out, d->left_out_at_end, d->bottom);
	return e;
}

int lab_diagram_draw(FILE *out, const char *id, void *diagram)
{
	const struct lab_diagram *d = diagram;
	int e = put_legend(out, d);

	(void)id; /* nothing in it has one */
	if (e == 0)
		e = put_hosts(out, d);
	if (e == 0)
		e = put_packets(out, d, put_arrows);
	if (e == 0)
		e = put_packets(out, d, put_words);
	return e == 0 ? put_gaps(out, d) : e;
}
