#include "tools/lab/lab_options.h"

#include "common/clock.h"
#include "common/err.h"
#include "tools/lab/traffic.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name)  offsetof(struct lab_settings, name)
#define DELAY_MOST   (2 * UINT64_C(1000000000)) /* or a handshake takes longer than anybody waits */
#define HEADERS      52 /* of IPv4 and TCP, with timestamps; UDP's are shorter */
#define COUNT_MOST   100000
#define SECOND_IN_NS 1e9

static const char *const views[] = {"both", "client", "server", NULL}; /* enum lab_view_of */

static const struct option_spec rows[] = {
	{.name = "loss",
		.kind = OPTION_TEXT,
		.offset = FIELD(loss),
		.argument = "PERCENT",
		.help = "So many packets are lost, by chance: 5%."},
	{.name = "dup",
		.kind = OPTION_TEXT,
		.offset = FIELD(duplicate),
		.argument = "PERCENT",
		.help = "So many arrive twice."},
	{.name = "reorder",
		.kind = OPTION_TEXT,
		.offset = FIELD(reorder),
		.argument = "PERCENT",
		.help = "So many are overtaken by those behind them."},
	{.name = "delay",
		.kind = OPTION_TEXT,
		.offset = FIELD(delay),
		.argument = "T",
		.help = "Each way: 20ms, 500us, 1s."},
	{.name = "jitter",
		.kind = OPTION_TEXT,
		.offset = FIELD(jitter),
		.argument = "T",
		.help = "The delay is spread evenly by so much to both sides."},
	{.name = "rate",
		.kind = OPTION_TEXT,
		.offset = FIELD(rate),
		.argument = "R",
		.help = "How fast the line is: 1mbit, 500kbit, off."},
	{.name = "queue",
		.kind = OPTION_TEXT,
		.offset = FIELD(queue),
		.argument = "BYTES",
		.help = "How much waits for the line at most: 64k, off."},
	{.name = "mtu",
		.kind = OPTION_NUMBER,
		.offset = FIELD(mtu),
		.least = SITE_MTU_LEAST,
		.most = SITE_MTU,
		.argument = "BYTES",
		.help = "The largest packet (default: 1500)."},
	{.name = "seed",
		.kind = OPTION_NUMBER,
		.offset = FIELD(seed),
		.least = 1,
		.most = LONG_MAX,
		.argument = "N",
		.help = "The same chances again (default: by chance; it is told)."},
	{.name = "count",
		.kind = OPTION_NUMBER,
		.offset = FIELD(count),
		.least = 1,
		.most = COUNT_MOST,
		.argument = "N",
		.help = "Messages, in scenarios that send many."},
	{.name = "size",
		.kind = OPTION_NUMBER,
		.offset = FIELD(size),
		.least = TRAFFIC_LEAST,
		.most = TRAFFIC_MOST,
		.argument = "BYTES",
		.help = "Of each of these messages, which must fit into a packet; in fragments of "
			"the "
			"one that does not."},
	{.name = "loopback",
		.kind = OPTION_FLAG,
		.offset = FIELD(loopback),
		.help = "Use a relay on loopback also where there could be hosts. It cannot show "
			"everything."},
	{.name = "json",
		.letter = 'j',
		.kind = OPTION_TEXT,
		.offset = FIELD(json),
		.argument = "FILE",
		.help = "Write the results as JSON; - is standard output, in place of the text."},
	{.name = "pcap",
		.kind = OPTION_TEXT,
		.offset = FIELD(pcap),
		.argument = "FILE",
		.help = "Write what was on the wire for Wireshark, as pcapng, with what became of "
			"each packet; - is standard output, in place of the text."},
	{.name = "pcap-host",
		.kind = OPTION_CHOICE,
		.offset = FIELD(pcap_host),
		.initial = "both",
		.argument = "WHO",
		.choices = views,
		.help = "Of that only what WHO has sent and received: client or server; both "
			"ends confuse Wireshark's analysis of TCP."},
	{.name = "report",
		.kind = OPTION_TEXT,
		.offset = FIELD(report),
		.argument = "FILE.html",
		.help = "Write a page with the calls, what was on the wire, and plots (which "
			"gnuplot draws)."},
	{.name = "script",
		.kind = OPTION_TEXT,
		.offset = FIELD(script),
		.argument = "FILE",
		.help = "With chat: what is said, a line each, \"a: hello\" or \"b: hello\"; blank "
			"lines and # comments are skipped (default: standard input)."},
	{.name = "terminals",
		.kind = OPTION_FLAG,
		.offset = FIELD(terminals),
		.help = "With chat: start the server alone, print how to start clients in "
			"terminals of their own, and wait."},
	{.name = "help",
		.letter = 'h',
		.kind = OPTION_FLAG,
		.offset = FIELD(help),
		.help = "Show this and end."},
	{.name = "version",
		.letter = 'V',
		.kind = OPTION_FLAG,
		.offset = FIELD(version),
		.help = "Show the version and end."},
};

#define SCENARIO(number, symbol, name, medium, hosts, on_loopback, loss, duplicate, reorder,       \
	delay, jitter, rate, queue, count, size, title, about)                                     \
	"  " name "\n        " title "\n"
static const struct option_table table = {
	.program = "lanchat-lab",
	.usage = "[NAME | list | run NAME... | run all | chat]",
	.about = "TCP beside UDP on real sockets, over a network that misbehaves. Each scenario "
		 "shows one difference, says why, and checks it.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.footer = "Scenarios:\n"
#include "tools/lab/scenarios.def"
		  "\nThe exit status is 0 when everything held that was asserted, 1 when not, or "
		  "when\nsomething failed, 2 when the options are wrong, 3 when something was not "
		  "shown:\nthe system does not allow what it takes, or the network was too bad for "
		  "it.\n",
};
#undef SCENARIO

const struct option_table *lab_options(void)
{
	return &table;
}

/* ---- values ---- */

struct unit {
	const char *name;
	double factor;
};

/* A number, at least 0, and one of the units. */
static int read_number(const char *text, const struct unit *units, double *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return ERR_ARGUMENT;
	errno = 0;
	double number = strtod(text, &end);
	if (errno || !isfinite(number))
		return ERR_ARGUMENT;
	for (; units->name; units++) {
		if (strcmp(units->name, end) == 0) {
			*out = number * units->factor;
			return 0;
		}
	}
	return ERR_ARGUMENT;
}

int lab_chance(const char *text, double *out)
{
	static const struct unit units[] = {{"%", 0.01}, {"", 0.01}, {NULL, 0}};
	double x;

	if (read_number(text, units, &x) != 0 || x > 1)
		return ERR_ARGUMENT;
	*out = x;
	return 0;
}

int lab_time(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{"ms", 1e6}, {"", 1e6}, {"us", 1e3}, {"s", SECOND_IN_NS}, {NULL, 0}};
	double x;

	if (read_number(text, units, &x) != 0 || x > (double)DELAY_MOST)
		return ERR_ARGUMENT;
	*ns = (uint64_t)(x + 0.5);
	return 0;
}

int lab_rate(const char *text, uint64_t *bps)
{
	static const struct unit units[] = {
		{"bit", 1}, {"", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {NULL, 0}};
	double x = 0;

	if (strcmp(text, "off") != 0 && (read_number(text, units, &x) != 0 || x < 1 || x > 1e12))
		return ERR_ARGUMENT;
	*bps = (uint64_t)(x + 0.5);
	return 0;
}

int lab_bytes(const char *text, uint32_t *bytes)
{
	static const struct unit units[] = {
		{"", 1}, {"k", 1024}, {"K", 1024}, {"m", 1048576}, {"M", 1048576}, {NULL, 0}};
	double x = 0;

	if (strcmp(text, "off") != 0 && (read_number(text, units, &x) != 0 || x < 1 || x > 1e9))
		return ERR_ARGUMENT;
	*bytes = (uint32_t)x;
	return 0;
}

/* ---- for a stage ---- */

static int wrong(char *error, size_t size, const char *option, const char *text, const char *like)
{
	snprintf(error, size, "--%s: \"%s\" is not one; such as %s", option, text, like);
	return ERR_ARGUMENT;
}

static int read_impairment(
	const struct lab_settings *t, struct impairment *out, char *error, size_t size)
{
	if (t->loss && lab_chance(t->loss, &out->loss) != 0)
		return wrong(error, size, "loss", t->loss, "5%, at most 100%");
	if (t->duplicate && lab_chance(t->duplicate, &out->duplicate) != 0)
		return wrong(error, size, "dup", t->duplicate, "5%, at most 100%");
	if (t->reorder && lab_chance(t->reorder, &out->reorder) != 0)
		return wrong(error, size, "reorder", t->reorder, "5%, at most 100%");
	if (t->delay && lab_time(t->delay, &out->delay_ns) != 0)
		return wrong(error, size, "delay", t->delay, "20ms, at most 2s");
	if (t->jitter && lab_time(t->jitter, &out->jitter_ns) != 0)
		return wrong(error, size, "jitter", t->jitter, "5ms, at most 2s");
	if (t->rate && lab_rate(t->rate, &out->rate_bps) != 0)
		return wrong(error, size, "rate", t->rate,
			"1mbit, 500kbit or off, from 1bit to 1000gbit");
	if (t->queue && lab_bytes(t->queue, &out->queue_bytes) != 0)
		return wrong(
			error, size, "queue", t->queue, "64k or off, from 1 to 1000000000 bytes");
	if (t->mtu)
		out->mtu = (uint32_t)t->mtu;
	return 0;
}

/* Messages that are counted have a packet each: else what becomes of packets says nothing of them. */
static int fit_packets(
	const struct lab_settings *t, struct stage_options *o, char *error, size_t size)
{
	uint32_t most = o->impaired.mtu - HEADERS;

	if (!o->count || o->size <= most)
		return 0;
	if (t->size) {
		snprintf(error, size,
			"--size: a message must fit into a packet, and above %u bytes it does not",
			most);
		return ERR_ARGUMENT;
	}
	o->size = most;
	return 0;
}

int lab_options_stage(const struct lab_settings *t, const struct scenario *x,
	struct stage_options *out, char *error, size_t size)
{
	struct stage_options o = {
		.scenario = x,
		.impaired = x->impaired,
		.count = x->count,
		.size = x->size,
		.seed = t->seed ? (uint64_t)t->seed : clock_wall_us(),
		.loopback = t->loopback,
		.lines_fd = t->lines_fd,
	};
	int r = read_impairment(t, &o.impaired, error, size);

	if (r)
		return r;
	/* Scenarios that have no use for it keep their 0. */
	if (t->count && x->count)
		o.count = (uint32_t)t->count;
	if (t->size && x->size)
		o.size = (uint32_t)t->size;
	r = fit_packets(t, &o, error, size);
	if (r == 0)
		*out = o;
	return r;
}
