#include "tools/lab/guide.h"

#include "tools/lab/knobs.h"
#include "tools/lab/lab_keys.h"
#include "tools/lab/score_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define INDENT 2

struct term {
	const char *name, *meaning;
};

static const struct term panes[] = {
	{"TCP, UDP", "the socket calls of each side with what they were given and what they "
		     "returned, the newest marked; a sentence below one says what it is for; "
		     "and at the end those that wait, and for how long"},
	{"wire", "each packet that the two kernels exchanged, as it happened: the client at the "
		 "left, the server at the right, time running downwards in milliseconds"},
	{"story", "what happened, and why; and at the end what was asserted of it, whether it "
		  "held, and what was measured"},
};

static const struct term arrows[] = {
	{"|--- SYN --->|", "sent at the time at its beginning, arrived at the time at its end"},
	{"|- data - - -", "sent; it arrives on a line further down"},
	{" - - - data ->|", "that is where it arrives"},
	{"|- data --x", "dropped, and why"},
	{"data 65..128", "these bytes of the stream, counted from its beginning"},
	{"ACK 129", "all bytes before that one have come"},
	{"dup ACK 65", "more has come, but not byte 65: it is missing"},
	{"resent 65..128", "a retransmission: TCP sends it again, because duplicate ACKs say that "
			   "it is missing, or because no ACK came for so long"},
	{"window 0", "the receiver has no room: send nothing"},
	{"dgram 5, 64 B", "the fifth datagram of this socket, of 64 bytes"},
	{"fragment at 1480", "a part of a datagram that is larger than a packet may be"},
	{"ICMP ...", "what a kernel says of a packet that it could not deliver"},
	{"..., twice", "the wire made two of one, and this is the second"},
	{"..., late", "the wire let others overtake it"},
};

static const char *const about[] = {
	"Each scenario plays on real sockets, between hosts that are made for it and",
	"whose packets the lab carries. Nothing of it reaches this machine's network.",
};

static const char *const clocks[] = {
	"Times are those that passed: what plays 5 times as slow takes 5 times as",
	"long. The kernels' own clocks cannot be slowed down nor stopped: while the",
	"wire stands still, TCP waits for an ACK, and sends again when it has waited",
	"long enough. That is no fault of the picture; TCP does so on a slow line.",
};

static void add(struct guide *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct guide *g, const char *format, ...)
{
	char **lines = realloc(g->lines, (g->count + 1) * sizeof(*lines));
	va_list ap;
	char *line;

	if (!lines)
		return;
	g->lines = lines;
	va_start(ap, format);
	int length = vasprintf(&line, format, ap);
	va_end(ap);
	if (length >= 0)
		lines[g->count++] = line;
}

/* In lines that are short enough for most terminals, for what is wrapped is set in. */
static void add_text(struct guide *g, const char *const *lines, size_t count)
{
	add(g, "%s", "");
	for (size_t i = 0; i < count; i++)
		add(g, "%s", lines[i]);
}

static void add_term(struct guide *g, const char *name, const char *meaning)
{
	add(g, "%*s%-*s%s", INDENT, "", GUIDE_HANG - INDENT, name, meaning);
}

static void add_terms(struct guide *g, const char *title, const struct term *terms, size_t count)
{
	add(g, "%s", "");
	add(g, "%s", title);
	for (size_t i = 0; i < count; i++)
		add_term(g, terms[i].name, terms[i].meaning);
}

static void add_keys(struct guide *g, unsigned where)
{
	size_t count;
	const struct lab_binding *table = lab_keys_table(&count);
	char line[256];

	add(g, "Keys");
	for (size_t i = 0; i < count; i++) {
		if (table[i].help && (table[i].where & where))
			add(g, "%*s%s", INDENT, "", lab_keys_print(&table[i], line, sizeof(line)));
	}
}

/* The two keys of a knob are the letter that is a capital in its name. */
static void add_knobs(struct guide *g)
{
	size_t count;
	const struct lab_binding *table = lab_keys_table(&count);
	char keys[64];

	add(g, "%s", "");
	add(g, "The network: a small letter is less, a capital one more");
	for (size_t i = 0; i + 1 < count; i++) {
		if (table[i].action != LAB_LESS)
			continue;
		enum knob k = (enum knob)table[i].argument;
		snprintf(keys, sizeof(keys), "%c, %c  %s", (int)table[i].keys[0],
			(int)table[i + 1].keys[0], knob_name(k));
		add_term(g, keys, knob_about(k));
	}
}

static void add_counters(struct guide *g)
{
	size_t count;
	const struct score_term *terms = score_line_terms(&count);

	add(g, "%s", "");
	add(g, "The counters");
	for (size_t i = 0; i < count; i++)
		add_term(g, terms[i].name, terms[i].meaning);
}

void guide_init(struct guide *g, unsigned where)
{
	*g = (struct guide){0};
	add_keys(g, where);
	if (where == LAB_IN_MENU) {
		add_text(g, about, sizeof(about) / sizeof(about[0]));
		return;
	}
	add_knobs(g);
	add_terms(g, "The panes", panes, sizeof(panes) / sizeof(panes[0]));
	add_terms(g, "The wire", arrows, sizeof(arrows) / sizeof(arrows[0]));
	add_counters(g);
	add_text(g, clocks, sizeof(clocks) / sizeof(clocks[0]));
}

void guide_fini(struct guide *g)
{
	for (size_t i = 0; i < g->count; i++)
		free(g->lines[i]);
	free(g->lines);
	*g = (struct guide){0};
}
