#include "tools/stress/stress_options.h"

#include "common/clock.h"
#include "common/err.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct stress_settings, name)
#define SIZE        64
#define DAY_S       86400.0
#define RATE_LEAST  1e-6 /* a second: one in 11 days */
#define RATE_MOST   1e8

struct scenario {
	const char *name;
	uint32_t clients, rooms, senders;
	double rate;
	uint32_t window, in_flight;
	double duration, ramp, churn;
	unsigned slow, quit;
	const char *about;
};

static const struct scenario scenarios[] = {
#define SCENARIO(name, clients, rooms, senders, rate, window, in_flight, duration, ramp, churn,    \
	slow, quit, about)                                                                         \
	{name, clients, rooms, senders, rate, window, in_flight, duration, ramp, churn, slow,      \
		quit, about},
#include "tools/stress/scenarios.def"
#undef SCENARIO
};

/* Without one by name. */
static const struct scenario usual = {
	.clients = 100,
	.rooms = 1,
	.senders = 10,
	.window = 64,
	.in_flight = 640,
	.duration = 10,
};

static const char *const histories[] = {"off", "os", "full", NULL};

static const struct option_spec rows[] = {
	{.name = "scenario",
		.kind = OPTION_TEXT,
		.offset = FIELD(scenario),
		.argument = "NAME",
		.help = "A load by name (below); options change single parts of it."},
	{.name = "clients",
		.letter = 'c',
		.kind = OPTION_NUMBER,
		.offset = FIELD(clients),
		.least = 1,
		.most = 1 << 20,
		.argument = "N",
		.help = "How many there are (default: 100)."},
	{.name = "rooms",
		.letter = 'r',
		.kind = OPTION_NUMBER,
		.offset = FIELD(rooms),
		.least = 1,
		.most = 1 << 20,
		.argument = "R",
		.help = "Rooms, among which they are spread evenly (default: 1)."},
	{.name = "senders",
		.letter = 's',
		.kind = OPTION_NUMBER,
		.offset = FIELD(senders),
		.least = 1,
		.most = 1 << 20,
		.argument = "S",
		.help = "How many of them speak (default: 10)."},
	{.name = "rate",
		.kind = OPTION_TEXT,
		.offset = FIELD(rate),
		.argument = "M/s",
		.help = "Messages a second, of all senders together, whether the server keeps up "
			"or "
			"not. Latency counts from when each was due."},
	{.name = "window",
		.letter = 'w',
		.kind = OPTION_NUMBER,
		.offset = FIELD(window),
		.least = 1,
		.most = 65536,
		.argument = "W",
		.help = "In place of a rate: as fast as can be with W messages of each sender on "
			"their way. A message is on its way until every member has it (default: "
			"64)."},
	{.name = "in-flight",
		.kind = OPTION_NUMBER,
		.offset = FIELD(in_flight),
		.least = 1,
		.most = 1 << 24,
		.argument = "N",
		.help = "At most so many of all senders together (default: 640)."},
	{.name = "size",
		.kind = OPTION_NUMBER,
		.offset = FIELD(size),
		.least = 1,
		.most = 65535,
		.argument = "BYTES",
		.help = "Of the text of each message, at least 30 (default: 64)."},
	{.name = "duration",
		.letter = 'd',
		.kind = OPTION_TEXT,
		.offset = FIELD(duration),
		.argument = "T",
		.help = "How long they speak: 10s, 5m, 1h30m (default: 10s)."},
	{.name = "ramp",
		.kind = OPTION_TEXT,
		.offset = FIELD(ramp),
		.argument = "T",
		.help = "Spread the connecting over T (default: as fast as they are let in)."},
	{.name = "connecting",
		.kind = OPTION_NUMBER,
		.offset = FIELD(connecting),
		.least = 1,
		.most = 1 << 20,
		.initial = "500",
		.argument = "N",
		.help = "So many come at once. Servers let a number of connections wait to be "
			"accepted; one above it waits for a second and more."},
	{.name = "patience",
		.kind = OPTION_TEXT,
		.offset = FIELD(patience),
		.initial = "10s",
		.argument = "T",
		.help = "When nobody is let in for T, the run ends; and when it is over and "
			"nothing comes for T, what is missing then is lost."},
	{.name = "churn",
		.kind = OPTION_TEXT,
		.offset = FIELD(churn),
		.argument = "N/s",
		.help = "So many a second leave, every other one as if its cable were cut, and "
			"come "
			"back within a second. A fifth of the clients does that."},
	{.name = "slow",
		.kind = OPTION_NUMBER,
		.offset = FIELD(slow),
		.most = 100,
		.argument = "PERCENT",
		.help = "So many of the clients read 20 KiB a second at most, and less of "
			"long texts, until the load is over."},
	{.name = "quit-midway",
		.kind = OPTION_NUMBER,
		.offset = FIELD(quit),
		.most = 100,
		.argument = "PERCENT",
		.help = "So many leave for good after half of the time."},
	{.name = "seed",
		.kind = OPTION_NUMBER,
		.offset = FIELD(seed),
		.most = LONG_MAX,
		.argument = "N",
		.help = "The same people and the same draw again (default: by chance; it is "
			"told)."},
	{.name = "protocol",
		.letter = 'p',
		.kind = OPTION_TEXT,
		.offset = FIELD(protocol),
		.initial = "lanchat",
		.argument = "NAME",
		.help = "What the server speaks: lanchat, irc, redis or nats."},
	{.name = "plaintext",
		.kind = OPTION_FLAG,
		.offset = FIELD(plaintext),
		.help = "Without TLS, which the server must want, too."},
	{.name = "local",
		.letter = 'l',
		.kind = OPTION_FLAG,
		.offset = FIELD(local),
		.help = "Start a lanchatd of its own on this machine for the run, in place of "
			"SERVER."},
	{.name = "history",
		.kind = OPTION_CHOICE,
		.offset = FIELD(history),
		.choices = histories,
		.initial = "off",
		.argument = "HOW",
		.help = "With --local: how it keeps what is said: off, or as --sync os or --sync "
			"full. With --slow it is os unless it is said here."},
	{.name = "limits",
		.kind = OPTION_FLAG,
		.offset = FIELD(limits),
		.help = "With --local: with its usual limits, which are off otherwise."},
	{.name = "lanchatd",
		.kind = OPTION_TEXT,
		.offset = FIELD(server_program),
		.argument = "FILE",
		.help = "With --local: the program (default: the one beside this, else in $PATH)."},
	{.name = "json",
		.letter = 'j',
		.kind = OPTION_TEXT,
		.offset = FIELD(json),
		.argument = "FILE",
		.help = "Write the result as JSON; - is standard output, as below."},
	{.name = "csv",
		.kind = OPTION_TEXT,
		.offset = FIELD(csv),
		.argument = "FILE",
		.help = "Write a line for each second."},
	{.name = "report",
		.kind = OPTION_TEXT,
		.offset = FIELD(report),
		.argument = "FILE.html",
		.help = "Write a page with plots (which gnuplot draws)."},
	{.name = "quiet",
		.letter = 'q',
		.kind = OPTION_FLAG,
		.offset = FIELD(quiet),
		.help = "No progress, no table: only files, and what went wrong."},
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

#define SCENARIO(name, clients, rooms, senders, rate, window, in_flight, duration, ramp, churn,    \
	slow, quit, about)                                                                         \
	"  " name "\n        " about "\n"
static const struct option_table table = {
	.program = "lanchat-stress",
	.usage = "[OPTION]... SERVER | --local",
	.about = "Thousands of chat clients in one process: load, latency, and whether anything is "
		 "lost. SERVER is a host, with :PORT where it is not the usual one.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.footer = "Scenarios:\n"
#include "tools/stress/scenarios.def"
		  "\nThe exit status is 0 when everybody got everything once and in order, 1 when "
		  "not or\nwhen something failed, 2 when the options are wrong or the machine "
		  "cannot do it.\n",
};
#undef SCENARIO

const struct option_table *stress_options(void)
{
	return &table;
}

int stress_settings_init(struct stress_settings *t)
{
	int r = options_init(&table, t);

	t->history = STRESS_UNSAID;
	t->slow = t->quit = t->seed = STRESS_UNSAID;
	return r;
}

const char *stress_history(const struct stress_settings *t, const struct plan *p)
{
	enum {
		OFF,
		ON_DISK
	};

	if (t->history == STRESS_UNSAID)
		return histories[p->slow > 0 ? ON_DISK : OFF];
	return histories[t->history];
}

/* ---- values ---- */

int stress_duration(const char *text, int64_t *out)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", DAY_S}};
	double total = 0;
	const char *at = text;

	while (*at) {
		char *end;
		errno = 0;
		double number = strtod(at, &end);
		if (end == at || errno || !isfinite(number) || number < 0)
			return ERR_ARGUMENT;
		double factor = *end || at != text ? 0 : 1;
		size_t length = strspn(end, "mshd");
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strlen(units[i].unit) == length &&
				memcmp(units[i].unit, end, length) == 0)
				factor = units[i].seconds;
		}
		if (factor <= 0)
			return ERR_ARGUMENT;
		total += number * factor;
		at = end + length;
	}
	if (at == text || total > 366 * DAY_S)
		return ERR_ARGUMENT;
	*out = (int64_t)(total * 1e6);
	return 0;
}

int stress_rate(const char *text, double *out)
{
	char *end;

	errno = 0;
	double number = strtod(text, &end);
	if (end == text || errno || !isfinite(number) || number <= 0)
		return ERR_ARGUMENT;
	if (*end == 'k' || *end == 'M')
		number *= *end++ == 'k' ? 1e3 : 1e6;
	if (strcmp(end, "/s") == 0)
		end += 2;
	if (*end || number > RATE_MOST || number < RATE_LEAST)
		return ERR_ARGUMENT;
	*out = number;
	return 0;
}

static int wrong_value(char *error, size_t size, const char *option, const char *text)
{
	snprintf(error, size, "--%s: \"%s\" is not one%s", option, text,
		strcmp(option, "rate") == 0 || strcmp(option, "churn") == 0
			? "; such as 200/s or 5k/s, from 0.000001/s to 100M/s"
			: "; such as 500ms, 10s, 5m or 1h30m, at most 366d");
	return ERR_ARGUMENT;
}

static int find_scenario(const char *name, const struct scenario **out, char *error, size_t size)
{
	*out = &usual;
	if (!name)
		return 0;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(scenarios[i].name, name) == 0) {
			*out = &scenarios[i];
			return 0;
		}
	}
	int n = snprintf(error, size, "there is no scenario \"%s\"; there are", name);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (n > 0 && (size_t)n < size)
			n += snprintf(error + n, size - (size_t)n, "%s %s", i ? "," : "",
				scenarios[i].name);
	}
	return ERR_ARGUMENT;
}

/* ---- the plan ---- */

static uint32_t number(long given, uint32_t otherwise)
{
	return given > 0 ? (uint32_t)given : otherwise;
}

/* "0", "0/s" */
static bool is_none(const char *text)
{
	return text[0] == '0' && (text[1] == '\0' || strcmp(text + 1, "/s") == 0);
}

static int read_texts(const struct stress_settings *t, struct plan *p, char *error, size_t size)
{
	if (t->duration && (stress_duration(t->duration, &p->duration) != 0 || p->duration == 0))
		return wrong_value(error, size, "duration", t->duration);
	if (t->ramp && stress_duration(t->ramp, &p->ramp) != 0)
		return wrong_value(error, size, "ramp", t->ramp);
	if (stress_duration(t->patience, &p->patience) != 0 || p->patience == 0)
		return wrong_value(error, size, "patience", t->patience);
	if (t->rate && stress_rate(t->rate, &p->rate) != 0)
		return wrong_value(error, size, "rate", t->rate);
	if (t->churn && is_none(t->churn))
		p->churn = 0; /* where a scenario has some */
	else if (t->churn && stress_rate(t->churn, &p->churn) != 0)
		return wrong_value(error, size, "churn", t->churn);
	return 0;
}

/* Where only one of the two is given, more senders or rooms than clients are not meant. */
static void fit(const struct stress_settings *t, struct plan *p)
{
	if (!t->rooms && p->rooms > p->clients)
		p->rooms = p->clients;
	if (!t->senders && p->senders > p->clients)
		p->senders = p->clients;
	if (!t->senders && p->senders < p->rooms)
		p->senders = p->rooms;
	/* What all may have on their way is shared by all. */
	if (p->in_flight && p->window > p->in_flight / p->senders)
		p->window = p->in_flight / p->senders ? p->in_flight / p->senders : 1;
}

int stress_plan(const struct stress_settings *t, struct plan *out, char *error, size_t size)
{
	const struct scenario *x = &usual;
	int r = find_scenario(t->scenario, &x, error, size);

	if (r)
		return r;
	if (t->rate && (t->window || t->in_flight)) {
		snprintf(error, size, "--rate, or --window and --in-flight: not both");
		return ERR_ARGUMENT;
	}
	bool by_window = t->window || t->in_flight;
	*out = (struct plan){
		.protocol = protocol_find(t->protocol),
		.clients = number(t->clients, x->clients),
		.rooms = number(t->rooms, x->rooms),
		.senders = number(t->senders, x->senders),
		.size = number(t->size, SIZE),
		.rate = by_window ? 0 : x->rate,
		.window = number(t->window, x->window ? x->window : usual.window),
		.in_flight = number(t->in_flight, t->window ? 0 : x->in_flight),
		.duration = (int64_t)(x->duration * 1e6),
		.ramp = (int64_t)(x->ramp * 1e6),
		.connecting = (uint32_t)t->connecting,
		.churn = x->churn,
		.slow = t->slow != STRESS_UNSAID ? (unsigned)t->slow : x->slow,
		.quit = t->quit != STRESS_UNSAID ? (unsigned)t->quit : x->quit,
		.seed = t->seed != STRESS_UNSAID ? (uint64_t)t->seed : (uint64_t)clock_wall_us(),
	};
	if (!out->protocol) {
		snprintf(error, size,
			"there is no protocol \"%s\"; there are lanchat, irc, redis, nats",
			t->protocol);
		return ERR_ARGUMENT;
	}
	out->tls = out->protocol->tls && !t->plaintext;
	r = read_texts(t, out, error, size);
	if (r == 0)
		fit(t, out);
	if (r == 0 && t->in_flight && out->in_flight < out->senders) {
		snprintf(error, size, "--in-flight %u is less than one for each of %u senders",
			out->in_flight, out->senders);
		r = ERR_ARGUMENT;
	}
	return r;
}
