#include "tools/lab/run.h"

#include "common/err.h"
#include "tools/lab/guard.h"
#include "tools/lab/lab_json.h"
#include "tools/lab/lab_report.h"
#include "tools/lab/linger.h"
#include "tools/lab/pcapng.h"
#include "tools/lab/progress.h"
#include "tools/lab/transcript.h"
#include "tools/report/page_file.h"

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
	/* Kept; `out` NULL: not wanted. Opened before, for whether one can write is better known before a
	 * long run. */
	struct page_file json, capture;
	struct lab_report *report; /* NULL: none */
};

static int keep_capture(struct runner *r, struct stage *s)
{
	static const int views[] = {[LAB_VIEW_BOTH] = PCAPNG_ALL_HOSTS,
		[LAB_VIEW_CLIENT] = CLIENT_HOST,
		[LAB_VIEW_SERVER] = SERVER_HOST};
	const struct scenario *x = stage_options(s)->scenario;

	if (!r->capture.out || stage_options(s)->loopback)
		return 0;
	struct pcapng_how how = {.medium = x->medium,
		.hosts = x->hosts,
		.host = views[r->request->settings->pcap_host],
		.delay_ns = stage_options(s)->impaired.delay_ns,
		.command = r->request->command};
	return pcapng_write(r->capture.out, stage_journal(s), &how);
}

/* It is over, or could not be: `s` is NULL then. */
static int keep_report(struct runner *r, const struct outcome *o, struct stage *s)
{
	return r->report ? lab_report_add(r->report, o, s) : 0;
}

static int play(struct runner *r, struct outcome *o)
{
	struct stage *s = NULL;
	int e = stage_open(&o->options, &s, o->reason);

	if (e) {
		o->error = e == ERR_REFUSED ? 0 : e;
		o->shown = e != ERR_REFUSED;
		if (r->text)
			transcript_end(o, NULL, r->text, r->width);
		return keep_report(r, o, NULL);
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
		e = keep_capture(r, s);
	if (e == 0)
		e = keep_report(r, o, s);
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
			e = keep_report(r, o, NULL);
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

static int judge(const struct runner *r)
{
	bool missing = false, failed = r->count < r->request->count;

	for (size_t i = 0; i < r->count; i++) {
		if (outcome_bad(&r->outcomes[i]))
			failed = true;
		else if (!outcome_good(&r->outcomes[i]))
			missing = true;
	}
	return failed ? RUN_FAILED : missing ? RUN_MISSING : RUN_GOOD;
}

static uint64_t seed_of(const struct runner *r)
{
	return r->count ? r->outcomes[0].options.seed : 0;
}

static bool is_stdout(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

static int tell(struct runner *r, int status)
{
	if (r->text && r->count)
		transcript_total(r->outcomes, r->count, seed_of(r), r->text);
	if (r->request->no_hosts)
		(void)complain(status, "played on loopback", r->request->no_hosts);
	if (is_stdout(r->request->settings->json))
		lab_json(r->outcomes, r->count, seed_of(r), status, stdout);
	if (r->json.out)
		lab_json(r->outcomes, r->count, seed_of(r), status, r->json.out);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return complain(RUN_FAILED, "cannot write to standard output", strerror(errno));
}

static int cannot(const char *path, int e)
{
	return complain(RUN_FAILED, path, e == ERR_SYSTEM ? strerror(errno) : err_text(e));
}

/* Open the files that are wanted: who may not write there is told before anything is played. */
static int open_files(struct runner *r)
{
	const struct lab_settings *t = r->request->settings;
	char error[ERROR_LINE];
	int e = t->pcap ? page_file_open(&r->capture, t->pcap) : 0;

	if (e)
		return cannot(t->pcap, e);
	e = t->json && !is_stdout(t->json) ? page_file_open(&r->json, t->json) : 0;
	if (e)
		return cannot(t->json, e);
	if (t->report && lab_report_open(&r->report, t->report, r->request->command, error,
				 sizeof(error)) != 0)
		return complain(RUN_FAILED, error, NULL);
	return RUN_GOOD;
}

/* Put them in their places. */
static int publish_files(struct runner *r, int status)
{
	const struct lab_settings *t = r->request->settings;
	struct lab_report *report = r->report;
	char error[ERROR_LINE];
	int e = r->capture.out ? page_file_publish(&r->capture) : 0;

	if (e)
		return cannot(t->pcap, e);
	e = r->json.out ? page_file_publish(&r->json) : 0;
	if (e)
		return cannot(t->json, e);
	r->report = NULL;
	if (report && lab_report_close(report, r->outcomes, r->count, error, sizeof(error)) != 0)
		return complain(RUN_FAILED, error, NULL);
	return status;
}

static int run_kept(struct runner *r)
{
	int status = open_files(r);

	if (status)
		return status;
	int e = play_all(r);
	if (e)
		return cannot("cannot go on", e);
	return publish_files(r, tell(r, judge(r)));
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

	r.text = is_stdout(q->settings->json) || is_stdout(q->settings->report) ? NULL : stdout;
	r.outcomes = calloc(q->count, sizeof(*r.outcomes));
	if (!r.outcomes)
		return complain(RUN_FAILED, err_text(ERR_MEMORY), NULL);
	if (guard_start(&r.guard) != 0) {
		free(r.outcomes);
		return complain(RUN_FAILED, "cannot start", strerror(errno));
	}
	status = run_kept(&r);
	guard_stop(&r.guard);
	page_file_close(&r.capture);
	page_file_close(&r.json);
	lab_report_discard(r.report);
	for (size_t i = 0; i < r.count; i++)
		outcome_fini(&r.outcomes[i]);
	free(r.outcomes);
	return status;
}
