#include "tools/stress/live.h"

#include "common/clock.h"
#include "tools/stress/figure.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_MS   100
#define TELL_MS   10000
#define BAR       10
#define COLUMNS   80 /* of a terminal that does not say */
#define ERASE_END "\033[K"

void live_init(struct live *l, FILE *out)
{
	const char *kind = getenv("TERM");

	*l = (struct live){.out = out,
		.terminal =
			out && isatty(fileno(out)) && kind && kind[0] && strcmp(kind, "dumb") != 0};
}

/* ---- the line ---- */

__attribute__((format(printf, 2, 3))) static void add(char line[LIVE_LINE], const char *format, ...)
{
	size_t used = strlen(line);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line + used, LIVE_LINE - used, format, arguments);
	va_end(arguments);
}

/* What is done without, the least important first: each with all before it. */
enum omission {
	OMIT_NOTHING,
	OMIT_HALF_BAR,
	OMIT_SENT,
	OMIT_BAR,
	OMIT_DELIVERED,
	OMIT_UP,
	OMIT_SECONDS,
	OMISSIONS,
};

static void add_bar(char line[LIVE_LINE], double done, int length)
{
	char bar[BAR + 1];
	int full = done >= 1 ? length : done > 0 ? (int)(done * length) : 0;

	for (int i = 0; i < length; i++)
		bar[i] = i < full ? '#' : '.';
	bar[length] = '\0';
	add(line, "  [%s]", bar);
}

/* "  12,345 sent/s"; nothing for what is not told. */
static void add_rate(char line[LIVE_LINE], double rate, const char *what)
{
	char figure[FIGURE_MAX];

	if (rate > 0)
		add(line, "  %s%s/s", figure_about(rate, figure), what);
}

static void add_time(char line[LIVE_LINE], const char *name, uint32_t us)
{
	char figure[FIGURE_MAX];

	if (us > 0)
		add(line, "  %s %s", name, figure_time(us, figure));
}

/* Tenths, with a point whatever the locale has. */
static void add_seconds(char line[LIVE_LINE], double seconds, double of_seconds)
{
	unsigned long now = seconds > 0 ? (unsigned long)(seconds * 10 + 0.5) : 0;
	unsigned long whole = (unsigned long)(of_seconds * 10 + 0.5);

	add(line, "  %lu.%lu of %lu.%lu s", now / 10, now % 10, whole / 10, whole % 10);
}

static void add_up(char line[LIVE_LINE], const struct live_state *s)
{
	char some[FIGURE_MAX], all[FIGURE_MAX];

	if (s->up < s->clients)
		add(line, "  %s of %s clients", figure_count(s->up, some),
			figure_count(s->clients, all));
	else
		add(line, "  %s up", figure_count(s->up, some));
}

static void fill(const struct live_state *s, enum omission without, char out[LIVE_LINE])
{
	char some[FIGURE_MAX];

	out[0] = '\0';
	add(out, "%-*s", without < OMIT_BAR ? 10 : 0, s->phase);
	if (without < OMIT_BAR)
		add_bar(out, s->done, without < OMIT_HALF_BAR ? BAR : BAR / 2);
	if (s->of_seconds > 0 && without < OMIT_SECONDS)
		add_seconds(out, s->seconds, s->of_seconds);
	if (without < OMIT_UP)
		add_up(out, s);
	add_rate(out, s->connects_per_s, "");
	/* Before what may be cut off. */
	if (s->faults > 0)
		add(out, "  %s WRONG", figure_count(s->faults, some));
	if (without < OMIT_SENT)
		add_rate(out, s->sent_per_s, " sent");
	if (without < OMIT_DELIVERED)
		add_rate(out, s->delivered_per_s, " delivered");
	add_time(out, "p50", s->p50_us);
	add_time(out, "p99", s->p99_us);
}

/* One more, where it has room. */
static void fit(char line[LIVE_LINE], size_t columns, const char *figure, const char *what)
{
	if (strlen(line) + 1 + strlen(figure) + strlen(what) <= columns)
		add(line, " %s%s", figure, what);
}

/* The first word of the phase, and as much as there is room for of what matters most. */
static void fill_narrow(const struct live_state *s, size_t columns, char out[LIVE_LINE])
{
	double rate = s->connects_per_s > 0 ? s->connects_per_s : s->delivered_per_s;
	char some[FIGURE_MAX];

	out[0] = '\0';
	add(out, "%.*s", (int)strcspn(s->phase, " "), s->phase);
	if (s->faults > 0)
		fit(out, columns, figure_count(s->faults, some), " WRONG");
	fit(out, columns, figure_count(s->up, some), " up");
	if (rate > 0)
		fit(out, columns, figure_about(rate, some), "/s");
	if (s->p50_us > 0)
		fit(out, columns, figure_time(s->p50_us, some), "");
}

char *live_line(const struct live_state *s, size_t columns, char out[LIVE_LINE])
{
	for (int without = OMIT_NOTHING; without < OMISSIONS; without++) {
		fill(s, (enum omission)without, out);
		if (strlen(out) <= columns && (without < OMIT_UP || s->p99_us > 0))
			return out;
	}
	fill_narrow(s, columns, out);
	return out;
}

/* ---- showing it ---- */

/* One less than there are: a cursor behind the last one is on the next line in some terminals. */
static int room_on(FILE *out)
{
	struct winsize w;

	if (ioctl(fileno(out), TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return COLUMNS - 1;
	return w.ws_col - 1;
}

static bool is_due(const struct live *l, const struct live_state *s, int64_t now)
{
	if (!l->phase)
		return true;
	if (l->terminal)
		return now - l->shown_at >= DRAW_MS;
	return now - l->shown_at >= TELL_MS || strcmp(l->phase, s->phase) != 0;
}

void live_show(struct live *l, const struct live_state *s)
{
	char line[LIVE_LINE];
	int64_t now = clock_ms();

	if (!l->out || !is_due(l, s, now))
		return;
	l->shown_at = now;
	l->phase = s->phase;
	int room = l->terminal ? room_on(l->out) : LIVE_LINE;
	(void)live_line(s, (size_t)room, line);
	if (l->terminal)
		fprintf(l->out, "\r%.*s" ERASE_END, room, line);
	else
		fprintf(l->out, "%s\n", line);
	l->drawn = l->terminal;
	(void)fflush(l->out);
}

void live_end(struct live *l)
{
	if (!l->drawn)
		return;
	(void)fputc('\n', l->out);
	(void)fflush(l->out);
	l->drawn = false;
}
