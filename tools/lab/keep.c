#include "tools/lab/keep.h"

#include "common/err.h"
#include "tools/lab/lab_json.h"
#include "tools/lab/pcapng.h"
#include "tools/lab/run.h"
#include "tools/report/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ERROR_LINE 512

static bool is_stdout(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

bool keep_any(const struct lab_settings *t)
{
	return t->json || t->pcap || t->report;
}

bool keep_on_stdout(const struct lab_settings *t)
{
	return is_stdout(t->json) || is_stdout(t->pcap) || is_stdout(t->report);
}

static bool is_nameless(const char *path)
{
	return path && !*path;
}

int keep_check(const struct lab_settings *t, char *error, size_t size)
{
	const char *wrong = NULL;

	if (is_nameless(t->json) || is_nameless(t->pcap) || is_nameless(t->report))
		wrong = "--json, --pcap and --report: the name of a file is missing";
	else if (page_file_same(t->json, t->pcap) || page_file_same(t->json, t->report) ||
		 page_file_same(t->pcap, t->report))
		wrong = "--json, --pcap and --report: not into the same file";
	else if (t->pcap_host != LAB_VIEW_BOTH && !t->pcap)
		wrong = "--pcap-host goes with --pcap";
	else if (is_stdout(t->pcap) && isatty(STDOUT_FILENO))
		wrong = "--pcap -: a capture is not for a terminal; send it to a file or a program";
	if (wrong) {
		(void)snprintf(error, size, "%s", wrong);
		return ERR_ARGUMENT;
	}
	return t->report ? plot_check(error, size) : 0;
}

/* ---- opening ---- */

static int cannot(const char *path, int e, char *error, size_t size)
{
	(void)snprintf(
		error, size, "%s: %s", path, e == ERR_SYSTEM ? strerror(errno) : err_text(e));
	return e;
}

int keep_open(
	struct keep *k, const struct lab_settings *t, const char *command, char *error, size_t size)
{
	*k = (struct keep){.settings = t, .command = command};
	int e = !t->pcap ? 0 : page_file_open(&k->capture, t->pcap);

	if (e) {
		(void)cannot(t->pcap, e, error, size);
	} else {
		e = t->json && !is_stdout(t->json) ? page_file_open(&k->json, t->json) : 0;
		if (e)
			(void)cannot(t->json, e, error, size);
	}
	if (e == 0 && t->report)
		e = lab_report_open(&k->report, t->report, command, error, size);
	if (e)
		keep_close(k);
	return e;
}

void keep_close(struct keep *k)
{
	page_file_close(&k->capture);
	page_file_close(&k->json);
	lab_report_discard(k->report);
	k->report = NULL;
}

/* ---- adding ---- */

static int add_capture(struct keep *k, struct stage *s)
{
	static const int views[] = {[LAB_VIEW_BOTH] = PCAPNG_ALL_HOSTS,
		[LAB_VIEW_CLIENT] = CLIENT_HOST,
		[LAB_VIEW_SERVER] = SERVER_HOST};
	const struct scenario *x = stage_options(s)->scenario;

	if (!k->capture.out || k->capture_error || stage_options(s)->loopback)
		return 0;
	struct pcapng_how how = {.medium = x->medium,
		.hosts = x->hosts,
		.host = views[k->settings->pcap_host],
		.delay_ns = stage_options(s)->impaired.delay_ns,
		.command = k->command};
	int e = pcapng_write(k->capture.out, stage_journal(s), &how);
	if (e != ERR_SYSTEM)
		return e;
	k->capture_error = errno ? errno : EIO;
	return 0;
}

int keep_add(struct keep *k, const struct outcome *o, struct stage *s)
{
	int e = s ? add_capture(k, s) : 0;

	return e == 0 && k->report ? lab_report_add(k->report, o, s) : e;
}

/* ---- the end ---- */

static int complain(const char *what, int error)
{
	fprintf(stderr, "lanchat-lab: %s%s%s\n", what, error ? ": " : "",
		error ? strerror(error) : "");
	return RUN_FAILED;
}

static int publish_capture(struct keep *k, int status)
{
	const char *path = is_stdout(k->settings->pcap) ? "standard output" : k->settings->pcap;

	if (!k->capture.out)
		return status;
	if (k->capture_error)
		return complain(path, k->capture_error);
	return page_file_publish(&k->capture) == 0 ? status : complain(path, errno);
}

static int publish_json(struct keep *k, const struct outcome *all, size_t count, int status)
{
	uint64_t seed = count ? all[0].options.seed : 0;

	if (is_stdout(k->settings->json)) {
		lab_json(all, count, seed, status, stdout);
		return status;
	}
	if (!k->json.out)
		return status;
	lab_json(all, count, seed, status, k->json.out);
	return page_file_publish(&k->json) == 0 ? status : complain(k->settings->json, errno);
}

static int publish_report(struct keep *k, const struct outcome *all, size_t count, int status)
{
	struct lab_report *report = k->report;
	char error[ERROR_LINE] = "";

	k->report = NULL;
	if (!report || lab_report_close(report, all, count, error, sizeof(error)) == 0)
		return status;
	return complain(error, 0);
}

int keep_publish(struct keep *k, const struct outcome *all, size_t count, int status)
{
	status = publish_capture(k, status);
	status = publish_report(k, all, count, status);
	/* Last: it has the status. */
	status = publish_json(k, all, count, status);
	if (fflush(stdout) != 0 || ferror(stdout))
		return complain("cannot write to standard output", errno);
	return status;
}
