#include "tools/stress/result.h"

#include "tools/stress/figure.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_PART 64 /* bytes of a part of the verdict */
#define OWN_CPU_MUCH                                                                               \
	0.75 /* of a core, on average over the load: its peaks may have been all of it, */
#define OWN_CPU_MOST  0.9  /* and were */
#define LOAD_LEAST    0.1  /* seconds, of which such a part says something */
#define UNSENT_MUCH   0.01 /* of what was due: less of it was just on its way */
#define CHURN_LEAST   0.9  /* of what was wanted */
#define IN_VAIN_MUCH  0.01 /* of the time of all senders */
#define OWN_WAIT_MOST 0.25
#define OVERRUN       1.1  /* of the load's time, and a second: what comes then is far behind; */
#define BEHIND_MUCH   0.01 /* of what came: less of it is a few that were late, and not the rate */

void result_free(struct result *r)
{
	free(r->by_second);
	free(r->by_client);
	r->by_second = NULL;
	r->by_client = NULL;
	r->seconds_count = 0;
}

bool result_is_sound(const struct result *r)
{
	return r->lost == 0 && r->doubled == 0 && r->reordered == 0 && r->foreign == 0;
}

/* ---- derived figures ---- */

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

double result_sent_per_s(const struct result *r)
{
	return ratio((double)(r->sent - r->sent_late), r->load_seconds);
}

double result_delivered_per_s(const struct result *r)
{
	return ratio((double)(r->delivered - r->late), r->seconds);
}

double result_connects_per_s(const struct result *r)
{
	return ratio((double)r->connected, r->connect_seconds);
}

double result_cpu_ns_per_delivery(const struct result *r)
{
	return r->seen ? ratio((double)r->server_cpu_ns, (double)(r->delivered - r->late)) : 0;
}

double result_server_cpu(const struct result *r)
{
	return r->seen ? ratio((double)r->server_load_cpu_ns / 1e9, r->load_seconds) : 0;
}

double result_rss_per_client(const struct result *r)
{
	if (!r->seen || r->before.resident == 0 || r->joined.resident < r->before.resident)
		return 0;
	return ratio((double)(r->joined.resident - r->before.resident), (double)r->connected);
}

uint32_t result_second_ms(const struct result *r, size_t i)
{
	return (uint32_t)(r->by_second[i].at_ms - (i ? r->by_second[i - 1].at_ms : 0));
}

/* ---- the verdict ---- */

__attribute__((format(printf, 2, 3))) static void add(
	char out[RESULT_VERDICT], const char *format, ...)
{
	size_t used = strlen(out);
	va_list arguments;

	if (used > 0 && used + 2 < RESULT_VERDICT) {
		memcpy(out + used, ", ", 3);
		used += 2;
	}
	va_start(arguments, format);
	(void)vsnprintf(out + used, RESULT_VERDICT - used, format, arguments);
	va_end(arguments);
}

static void add_count(char out[RESULT_VERDICT], uint64_t count, const char *what)
{
	char figure[FIGURE_MAX];

	if (count > 0)
		add(out, "%s %s", figure_count(count, figure), what);
}

/* "1 delivery was still to come" */
static void print_outstanding(char out[RESULT_PART], const struct result *r)
{
	char figure[FIGURE_MAX];

	snprintf(out, RESULT_PART, "%s %s still to come", figure_count(r->outstanding, figure),
		r->outstanding == 1 ? "delivery was" : "deliveries were");
}

/* Where all is as it should be. */
static void add_good(char out[RESULT_VERDICT], const struct result *r)
{
	char rest[RESULT_PART];

	print_outstanding(rest, r);
	if (r->stopped)
		add(out, "stopped early; what came until then came once and in order%s%s",
			r->outstanding ? ", and " : "", r->outstanding ? rest : "");
	else if (r->partly_away)
		add(out, "every message came once and in order to everybody who was there");
	else
		add(out, "every message came to everybody once and in order");
}

static void add_lost(char out[RESULT_VERDICT], const struct result *r)
{
	char lost[FIGURE_MAX], some[FIGURE_MAX];

	if (r->lost_disconnected == 0)
		add_count(out, r->lost, "lost");
	else
		add(out, "%s lost (%s to or of who was disconnected)", figure_count(r->lost, lost),
			figure_count(r->lost_disconnected, some));
}

bool result_verdict(const struct result *r, char out[RESULT_VERDICT])
{
	char rest[RESULT_PART];

	print_outstanding(rest, r);
	out[0] = '\0';
	add_lost(out, r);
	add_count(out, r->doubled, "doubled");
	add_count(out, r->reordered, "out of order");
	add_count(out, r->foreign, "foreign");
	add_count(out, r->disconnected, "disconnected");
	add_count(out, r->clients > r->connected ? r->clients - r->connected : 0, "did not get in");
	add_count(out, r->stopped || r->no_end ? 0 : r->unacknowledged, "not acknowledged");
	add_count(out, r->gaps,
		r->gaps == 1 ? "time the server no longer had what a client was to get"
			     : "times the server no longer had what a client was to get");
	if (r->waited > 0 && out[0] && !r->stopped)
		add(out, "nothing more had come for %.0f s (--patience)", r->waited);
	if (r->no_end)
		add(out, "messages still came when waiting for them ended, and %s", rest);
	if (r->delivered == 0)
		add(out, r->stopped ? "stopped before anything was delivered"
				    : "nothing was delivered");
	if (out[0])
		return false;
	add_good(out, r);
	return true;
}

/* ---- what else there is to say ---- */

static bool is_own_limit(const struct result *r, char out[RESULT_VERDICT])
{
	if (r->load_seconds < LOAD_LEAST)
		return false;
	if (r->own_cpu > OWN_CPU_MUCH && r->own_cpu <= OWN_CPU_MOST)
		add(out,
			"this program had %.0f %% of a core, so it may have been the bottleneck "
			"now and "
			"then, and the highest latencies its own",
			r->own_cpu * 100);
	if (r->own_cpu > OWN_CPU_MOST)
		add(out, "this program had no CPU to spare, so it was the bottleneck: the server "
			 "can do "
			 "more, and latencies are partly its own");
	return out[0];
}

static bool is_starved(const struct result *r, char out[RESULT_VERDICT])
{
	if (r->own_cpu <= OWN_CPU_MOST && r->own_wait > OWN_WAIT_MOST &&
		r->own_cpu + r->own_wait > OWN_CPU_MOST)
		add(out,
			"this program had to wait for a processor %.0f %% of the time: others had "
			"them, and latencies are partly its own",
			r->own_wait * 100);
	return out[0];
}

static bool was_paused(const struct result *r, char out[RESULT_VERDICT])
{
	if (r->own_pause > 0)
		add(out,
			"this program was not let run for %.1f s of the load and its end, as by ^Z "
			"or a busy machine: latencies are partly its own",
			r->own_pause);
	return out[0];
}

static bool was_paused_before(const struct result *r, char out[RESULT_VERDICT])
{
	if (r->connect_pause > 0)
		add(out,
			"this program was not let run for %.1f s while clients connected, which "
			"so took longer",
			r->connect_pause);
	return out[0];
}

/* As far as it can be told: whoever was not let run cannot keep up either. */
static const char *why_unsent(const struct result *r)
{
	if (r->senders_out > 0)
		return ": senders had been thrown out";
	if (r->own_pause > 0 || (double)r->unsent <= UNSENT_MUCH * (double)r->sent)
		return "";
	return ": the rate is more than can be kept up";
}

static bool has_unsent(const struct result *r, char out[RESULT_VERDICT])
{
	char figure[FIGURE_MAX];

	if (r->unsent > 0)
		add(out, "%s message%s due had not been sent when the load ended%s",
			figure_count(r->unsent, figure),
			r->unsent == 1 ? " that was" : "s that were", why_unsent(r));
	return out[0];
}

static bool waited_in_vain(const struct result *r, char out[RESULT_VERDICT])
{
	if (r->waited_in_vain > IN_VAIN_MUCH)
		add(out,
			"senders waited %.0f %% of their time for messages that did not come "
			"within "
			"--patience, so there was less load than there could be",
			r->waited_in_vain * 100);
	return out[0];
}

static bool churned_less(const struct result *r, char out[RESULT_VERDICT])
{
	char wanted[FIGURE_MAX], had[FIGURE_MAX];
	double meant = r->churn * r->load_seconds;

	if (r->churn > 0 && (double)r->churned + 1 < meant * CHURN_LEAST)
		add(out, "%s client%s left and returned of the %s that were to (--churn)%s",
			figure_count(r->churned, had), r->churned == 1 ? "" : "s",
			figure_count((uint64_t)(meant + 0.5), wanted),
			r->disconnected || r->stopped
				? ""
				: ": a fifth of all do so, each of whom is away for half a second");
	return out[0];
}

/* Deliveries in seconds that ended later than that. */
static uint64_t delivered_after(const struct result *r, double seconds)
{
	uint64_t count = 0;

	for (size_t i = 0; i < r->seconds_count; i++)
		count += (double)r->by_second[i].at_ms > seconds * 1e3 ? r->by_second[i].delivered
								       : 0;
	return count;
}

static bool is_behind(const struct result *r, char out[RESULT_VERDICT])
{
	double most = r->load_seconds * OVERRUN + 1 + r->own_pause;

	if (r->rate > 0 && r->seconds > most && !r->stopped &&
		(double)delivered_after(r, most) > BEHIND_MUCH * (double)r->delivered)
		add(out,
			"what was due within %.1f s took %.1f s to come: the rate is more than can "
			"be "
			"kept up",
			r->load_seconds, r->seconds);
	return out[0];
}

bool result_warning(const struct result *r, unsigned i, char out[RESULT_VERDICT])
{
	static bool (*const warnings[])(const struct result *r, char out[RESULT_VERDICT]) = {
		is_own_limit, is_starved, was_paused_before, was_paused, has_unsent, is_behind,
		churned_less, waited_in_vain};

	for (size_t k = 0; k < sizeof(warnings) / sizeof(warnings[0]); k++) {
		out[0] = '\0';
		if (warnings[k](r, out) && i-- == 0)
			return true;
	}
	out[0] = '\0';
	return false;
}
