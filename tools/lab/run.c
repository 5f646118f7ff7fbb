#include "tools/lab/run.h"

#include "common/err.h"
#include "tools/lab/guard.h"
#include "tools/lab/keep.h"
#include "tools/lab/linger.h"
#include "tools/lab/progress.h"
#include "tools/lab/transcript.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_WIDTH 120
#define LEAST_WIDTH 80
#define ERROR_LINE  512

#define WATCHED_MS    40000 /* a scenario, at least */
#define MESSAGE_MS    5     /* at which messages follow each other, at most */
#define EXCHANGE_MS   50    /* an acknowledgement is delayed by 40 */
#define HANDSHAKES    20    /* and windows that grow: so many journeys */
#define JOURNEYS      4
#define HEADERS       60               /* of a packet, about */
#define EXPECTED_MOST (20 * 60 * 1000) /* ms */

static int complain(int status, const char *what, const char *why)
{
	fprintf(stderr, "lanchat-lab: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	return status;
}

void run_list(FILE *out)
{
	for (size_t i = 0; i < scenarios_count; i++)
		fprintf(out, "%2d  %-14s%s\n", scenarios[i].number, scenarios[i].name,
			scenarios[i].title);
}

/* ---- one scenario ---- */

struct runner {
	const struct run_request *request;
	struct guard guard;
	struct outcome *outcomes; /* owned */
	size_t count;
	size_t width;
	FILE *text; /* borrowed; NULL: none */
	struct keep keep;
};

static int play(struct runner *r, struct outcome *o)
{
	struct stage *s = NULL;
	int e = stage_open(&o->options, &s, o->reason);

	if (e) {
		o->error = e == ERR_REFUSED ? 0 : e;
		o->shown = e != ERR_REFUSED;
		if (r->text)
			transcript_end(o, NULL, r->text, r->width);
		return keep_add(&r->keep, o, NULL);
	}
	(void)guard_set(&r->guard, s);
	struct progress *progress = o->options.bound_ms ? progress_start(s, stderr) : NULL;
	int played = stage_play(s);
	progress_stop(progress);
	linger(s);
	(void)guard_set(&r->guard, NULL);
	e = outcome_take(o, s, played);
	if (e == 0 && r->text)
		transcript_end(o, stage_journal(s), r->text, r->width);
	if (e == 0)
		e = keep_add(&r->keep, o, s);
	stage_close(s);
	return e;
}

/* For how long it is watched: what it takes on its network, twice, and a while. */
static uint64_t bound_of(const struct stage_options *o)
{
	uint64_t rate = o->impaired.rate_bps, delay = o->impaired.delay_ns / 1000000;

	/* The chat is over when its lines are. */
	if (!scenario_find(o->scenario->name))
		return 0;
	uint64_t each = MESSAGE_MS;

	/* Where messages have no size they are exchanges, each after the answer to the one before: and
	 * that twice. */
	if (!o->size)
		each = 2 * (EXCHANGE_MS + JOURNEYS * delay);
	uint64_t ms = HANDSHAKES * delay + o->count * each;
	if (rate)
		ms += (uint64_t)o->count * (o->size + HEADERS) * 8 * 1000 / rate;
	return WATCHED_MS + 2 * (ms < EXPECTED_MOST ? ms : EXPECTED_MOST);
}

/* What a scenario that takes hosts of its own is answered where there are none. */
static void refuse(const struct runner *r, struct outcome *o)
{
	snprintf(o->reason, sizeof(o->reason), "it takes hosts of its own; %s",
		r->request->no_hosts ? r->request->no_hosts
				     : "a relay on loopback cannot show it (--loopback)");
}

static int play_all(struct runner *r)
{
	const struct run_request *q = r->request;
	char error[256];

	for (size_t i = 0; i < q->count && guard_set(&r->guard, NULL); i++) {
		struct outcome *o = &r->outcomes[r->count];
		int e = lab_options_stage(
			q->settings, q->chosen[i], &o->options, error, sizeof(error));
		if (e)
			return e;
		if (q->no_hosts)
			o->options.loopback = true;
		o->options.bound_ms = bound_of(&o->options);
		r->count++;
		if (i)
			o->options.seed = r->outcomes[0].options.seed;
		if (r->text) {
			transcript_begin(&o->options, r->text, r->width);
			(void)fflush(r->text);
		}
		if (o->options.loopback && !q->chosen[i]->on_loopback) {
			refuse(r, o);
			if (r->text)
				transcript_end(o, NULL, r->text, r->width);
			e = keep_add(&r->keep, o, NULL);
			if (e)
				return e;
			continue;
		}
		e = play(r, o);
		if (e)
			return e;
		if (r->text)
			(void)fflush(r->text);
	}
	return 0;
}

/* ---- what comes of all ---- */

int run_judge(const struct outcome *all, size_t count)
{
	bool missing = false, failed = false;

	for (size_t i = 0; i < count; i++) {
		if (outcome_bad(&all[i]))
			failed = true;
		else if (!outcome_good(&all[i]))
			missing = true;
	}
	return failed ? RUN_FAILED : missing ? RUN_MISSING : RUN_GOOD;
}

static int run_kept(struct runner *r)
{
	const struct run_request *q = r->request;
	char error[ERROR_LINE];

	if (keep_open(&r->keep, q->settings, q->command, error, sizeof(error)) != 0)
		return complain(RUN_FAILED, error, NULL);
	int e = play_all(r);
	if (e)
		return complain(RUN_FAILED, "cannot go on",
			e == ERR_SYSTEM ? strerror(errno) : err_text(e));
	int status = r->count < q->count ? RUN_FAILED : run_judge(r->outcomes, r->count);
	if (r->text && r->count)
		transcript_total(r->outcomes, r->count, r->outcomes[0].options.seed, r->text);
	if (q->no_hosts)
		(void)complain(status, "played on loopback", q->no_hosts);
	return keep_publish(&r->keep, r->outcomes, r->count, status);
}

static size_t line_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return USUAL_WIDTH;
	return w.ws_col < LEAST_WIDTH ? LEAST_WIDTH : w.ws_col;
}

int run_scenarios(const struct run_request *q)
{
	struct runner r = {.request = q, .width = line_width()};
	int status;

	r.text = keep_on_stdout(q->settings) ? NULL : stdout;
	r.outcomes = calloc(q->count, sizeof(*r.outcomes));
	if (!r.outcomes)
		return complain(RUN_FAILED, err_text(ERR_MEMORY), NULL);
	if (guard_start(&r.guard) != 0) {
		free(r.outcomes);
		return complain(RUN_FAILED, "cannot start", strerror(errno));
	}
	status = run_kept(&r);
	guard_stop(&r.guard);
	keep_close(&r.keep);
	for (size_t i = 0; i < r.count; i++)
		outcome_fini(&r.outcomes[i]);
	free(r.outcomes);
	return status;
}
