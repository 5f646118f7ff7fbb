/*
 * lanchat-stress: thousands of clients in one process.
 */
#include "common/err.h"
#include "common/net.h"
#include "common/standard_streams.h"
#include "tools/report/page_file.h"
#include "tools/report/plot.h"
#include "tools/stress/live.h"
#include "tools/stress/plan.h"
#include "tools/stress/result.h"
#include "tools/stress/stress_options.h"
#include "tools/stress/subject.h"
#include "tools/stress/swarm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define EXIT_DONE   0
#define EXIT_FAILED 1
#define EXIT_USAGE  2
#define ERROR_LINE  512

static int fail(int status, const char *error)
{
	fprintf(stderr, "lanchat-stress: %s\n", error);
	return status;
}

/* ---- where ---- */

static int find_server(
	const char *name, const struct plan *p, struct net_address *at, char *error, size_t size)
{
	char host[NET_HOST_MAX];
	uint16_t port;
	const char *why;
	size_t count;

	if (net_parse(name, p->protocol->port, host, &port) != 0 || !*host) {
		snprintf(error, size, "\"%s\" is no server: HOST, HOST:PORT, [V6]:PORT", name);
		return ERR_ARGUMENT;
	}
	int r = net_resolve(host, port, SOCK_STREAM, false, at, 1, &count, &why);
	if (r)
		snprintf(error, size, "%s: %s", host, why);
	return r;
}

/* Where and when figures were taken is part of them. */
static void describe_place(struct result *r)
{
	time_t now = time(NULL);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname u;
	struct tm t;

	if (gmtime_r(&now, &t))
		(void)strftime(r->date, sizeof(r->date), "%Y-%m-%dT%H:%M:%SZ", &t);
	if (uname(&u) == 0)
		snprintf(r->machine, sizeof(r->machine), "%.20s %.80s %.20s", u.sysname, u.release,
			u.machine);
	r->cores = cores > 0 ? (uint32_t)cores : 0;
}

static void describe(const struct stress_settings *t, const struct plan *p,
	const struct net_address *at, struct result *r)
{
	char text[NET_ADDRESS_MAX];

	describe_place(r);
	r->scenario = t->scenario;
	r->protocol = p->protocol->name;
	snprintf(r->server, sizeof(r->server), "%s%s", net_print(at, text),
		t->local ? ", a server of its own" : "");
	if (t->local)
		snprintf(r->conditions, sizeof(r->conditions), "%s, history %s%s, limits %s",
			p->tls ? "TLS 1.3" : "plaintext",
			strcmp(stress_history(t, p), "off") != 0 ? "on disk, sync " : "",
			stress_history(t, p), t->limits ? "as usual" : "off");
	else
		snprintf(r->conditions, sizeof(r->conditions), "%s",
			p->tls ? "TLS 1.3" : "plaintext");
	r->seed = p->seed;
	r->clients = p->clients;
	r->rooms = p->rooms;
	r->senders = p->senders;
	r->size = p->size;
	r->rate = p->rate;
	r->window = p->rate > 0 ? 0 : p->window;
	r->duration = (double)p->duration / 1e6;
	r->ramp = (double)p->ramp / 1e6;
	r->churn = p->churn;
	r->slow_percent = p->slow;
	r->quit_percent = p->quit;
}

/* ---- what comes of it ---- */

static int write_one(
	const char *path, int (*write)(const struct result *, const char *), const struct result *r)
{
	char error[ERROR_LINE];
	int e = path ? write(r, path) : 0;

	if (e == 0)
		return 0;
	if (e == ERR_NOT_FOUND)
		snprintf(error, sizeof(error),
			"%s was not written: gnuplot draws its plots (apt install gnuplot-nox)",
			path);
	else
		snprintf(error, sizeof(error), "cannot write %s: %s", path,
			e == ERR_SYSTEM ? strerror(errno) : err_text(e));
	(void)fail(EXIT_FAILED, error);
	return e;
}

/* What is for a program has stdout to itself. */
static FILE *for_people(const struct stress_settings *t)
{
	bool taken = page_file_same(t->json, "-") || page_file_same(t->csv, "-") ||
		     page_file_same(t->report, "-");

	return taken ? stderr : stdout;
}

static int tell(const struct stress_settings *t, const struct result *r)
{
	char verdict[RESULT_VERDICT];
	int e = 0;

	if (!t->quiet)
		result_table(r, for_people(t));
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fail(EXIT_FAILED, "cannot write the result to standard output");
		e = ERR_SYSTEM;
	}
	e |= write_one(t->json, result_json, r);
	e |= write_one(t->csv, result_csv, r);
	e |= write_one(t->report, result_report, r);
	bool good = result_verdict(r, verdict);
	if (t->quiet && !good)
		fprintf(stderr, "lanchat-stress: FAILED: %s\n", verdict);
	return e == 0 && good ? EXIT_DONE : EXIT_FAILED;
}

/* ---- the run ---- */

/* But for what whoever started this wants to be ignored, as nohup(1) does with SIGHUP. */
static void add_signals(sigset_t *set)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (sigaction(ends[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaddset(set, ends[i]);
	}
}

static int stop_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	add_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG is told, as any other failure to write is */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* From now on they end the program, which may be waiting for whoever is to read its results. */
static void free_signals(int fd)
{
	struct signalfd_siginfo info;
	sigset_t set;

	/* Those that have been told of already, or came when it was over. */
	while (read(fd, &info, sizeof(info)) > 0)
		;
	(void)sigemptyset(&set);
	add_signals(&set);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int measure(const struct stress_settings *t, const struct swarm_setting *setting)
{
	char error[ERROR_LINE] = "";
	struct swarm *swarm;
	static struct result result; /* large: histograms */
	int r = swarm_new(setting, &swarm);

	if (r)
		return fail(EXIT_FAILED, r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	describe(t, setting->plan, setting->at, &result);
	if (setting->subject) {
		result.seen = true;
		snprintf(result.command, sizeof(result.command), "%s",
			subject_command(setting->subject));
	}
	r = swarm_run(swarm, &result, error, sizeof(error));
	live_end(setting->live);
	swarm_free(swarm);
	if (*error)
		(void)fail(EXIT_FAILED, error);
	free_signals(setting->stop_fd);
	int status = r == ERR_FULL ? EXIT_USAGE : r ? EXIT_FAILED : tell(t, &result);
	result_free(&result);
	return status;
}

static int start_server(const struct stress_settings *t, const struct plan *p, int stop,
	struct net_address *at, struct subject **out, char *error, size_t size)
{
	struct subject_options o = {
		.tell = t->quiet ? NULL : stderr,
		.stop = stop,
		.program = t->server_program,
		.history = stress_history(t, p),
		.plaintext = !p->tls,
		.limits = t->limits,
		.clients = p->clients,
	};

	return subject_start(&o, at, out, error, size);
}

static int run(const struct stress_settings *t, const struct plan *p, const char *server)
{
	char error[ERROR_LINE] = "", trouble[SUBJECT_TROUBLE] = "";
	struct net_address at;
	struct subject *subject = NULL;
	struct live live;
	/* Looking for a name can be interrupted; what has been started is to be ended. */
	int r = t->local ? 0 : find_server(server, p, &at, error, sizeof(error));
	int stop = stop_signals();

	if (t->local)
		r = start_server(t, p, stop, &at, &subject, error, sizeof(error));

	if (r)
		return fail(r == ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED, error);
	if (!subject && subject_find(&at, &subject) != 0)
		subject = NULL;
	live_init(&live, t->quiet ? NULL : stderr);
	struct swarm_setting setting = {
		.plan = p,
		.at = &at,
		.subject = subject,
		.live = &live,
		.stop_fd = stop,
	};
	subject_listen(subject, trouble);
	int status = measure(t, &setting);
	if (subject_end(subject, error, sizeof(error)) != 0)
		status = fail(EXIT_FAILED, error);
	else if (status == EXIT_FAILED && *trouble)
		fprintf(stderr, "lanchat-stress: the last that its server told of: %s\n", trouble);
	if (stop >= 0)
		(void)close(stop);
	return status;
}

/* Whether results can be written is better known before a long run. */
static int check_file(const char *path, char *error, size_t size)
{
	struct page_file f;
	struct stat st;
	bool good;

	if (!path || strcmp(path, "-") == 0)
		return 0;
	errno = 0;
	/* A pipe that nobody reads yet is not to be opened now. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		good = access(path, W_OK) == 0;
	} else {
		good = *path && page_file_open(&f, path) == 0;
		if (good)
			page_file_close(&f); /* and nothing of it is left */
	}
	if (good)
		return 0;
	snprintf(error, size, "\"%s\" cannot be written%s%s", path, *path ? ": " : "",
		*path ? strerror(errno) : "");
	return ERR_ARGUMENT;
}

static int check_files(const struct stress_settings *t, char *error, size_t size)
{
	int r = check_file(t->json, error, size);

	if (r == 0)
		r = check_file(t->csv, error, size);
	if (r == 0)
		r = check_file(t->report, error, size);
	if (r == 0 && (page_file_same(t->json, t->csv) || page_file_same(t->json, t->report) ||
			      page_file_same(t->csv, t->report))) {
		snprintf(error, size, "--json, --csv and --report: not into the same file");
		r = ERR_ARGUMENT;
	}
	return r == 0 && t->report ? plot_check(error, size) : r;
}

/* What was printed is all there was to do. */
static int told(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	return fail(EXIT_FAILED, "cannot write to stdout");
}

static int decide(const struct stress_settings *t, const char *server)
{
	char error[ERROR_LINE] = "";
	struct plan plan;

	if (t->help) {
		options_help(stress_options(), stdout);
		return told();
	}
	if (t->version) {
		printf("lanchat-stress %s\n", LANCHAT_VERSION);
		return told();
	}
	if (t->local == (server != NULL))
		return fail(EXIT_USAGE, t->local ? "SERVER or --local: not both"
						 : "name a SERVER, or start one with --local");
	if (!t->local && (t->history != STRESS_UNSAID || t->limits || t->server_program))
		return fail(EXIT_USAGE, "--history, --limits and --lanchatd go with --local");
	int r = check_files(t, error, sizeof(error));
	if (r == 0)
		r = stress_plan(t, &plan, error, sizeof(error));
	if (r == 0 && t->local && strcmp(plan.protocol->name, "lanchat") != 0) {
		snprintf(error, sizeof(error), "--local starts lanchatd, which does not speak %s",
			plan.protocol->name);
		r = ERR_ARGUMENT;
	}
	if (r == 0)
		r = plan_make(&plan, error, sizeof(error));
	if (r)
		return fail(EXIT_USAGE, error);
	r = plan_fits(&plan, t->local, error, sizeof(error));
	int status = r ? fail(EXIT_USAGE, error) : run(t, &plan, server);
	plan_fini(&plan);
	return status;
}

int main(int argc, char **argv)
{
	struct stress_settings t = {0};
	char error[ERROR_LINE] = "out of memory";
	int rest = argc;
	int r = stress_settings_init(&t);

	(void)standard_streams_keep();
	if (r == 0)
		r = options_parse(stress_options(), &t, argc, argv, &rest, error, sizeof(error));
	if (r) {
		options_fini(stress_options(), &t);
		return fail(EXIT_USAGE, error);
	}
	int status = argc - rest > 1 ? fail(EXIT_USAGE, "more than one server")
				     : decide(&t, rest < argc ? argv[rest] : NULL);
	options_fini(stress_options(), &t);
	return status;
}
