/*
 * lanchat-lab: TCP beside UDP, on real sockets, over a network that misbehaves.
 */
#include "common/err.h"
#include "common/net.h"
#include "common/suggest.h"
#include "tools/lab/chat.h"
#include "tools/lab/chat_terminals.h"
#include "tools/lab/lab_app.h"
#include "tools/lab/run.h"
#include "tools/report/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERROR_LINE   512
#define COMMAND_LINE 512

static int fail(const char *error)
{
	fprintf(stderr, "lanchat-lab: %s\n", error);
	return RUN_USAGE;
}

/* ---- which ---- */

static int unknown(const char *name)
{
	struct suggestion s;
	char error[ERROR_LINE];

	suggest_begin(&s, name, strlen(name));
	for (size_t i = 0; i < scenarios_count; i++)
		suggest_offer(&s, scenarios[i].name);
	snprintf(error, sizeof(error), "there is no scenario \"%s\"%s%s%s", name,
		s.nearest ? "; did you mean \"" : " (lanchat-lab list)", s.nearest ? s.nearest : "",
		s.nearest ? "\"?" : "");
	return fail(error);
}

/* "all", or names and numbers in any order. */
static int choose(
	char *const *names, size_t count, const struct scenario **chosen, size_t *chosen_count)
{
	if (count == 1 && strcmp(names[0], "all") == 0) {
		for (size_t i = 0; i < scenarios_count; i++)
			chosen[i] = &scenarios[i];
		*chosen_count = scenarios_count;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		chosen[i] = scenario_find(names[i]);
		if (!chosen[i])
			return unknown(names[i]);
	}
	*chosen_count = count;
	return 0;
}

/* ---- what ---- */

/* The full screen. Options are looked at before the terminal is taken over. */
static int watch(const struct lab_settings *t)
{
	char reason[SITE_REASON] = "", error[ERROR_LINE];
	struct stage_options o;

	if (t->json || t->pcap || t->report)
		return fail("--json, --pcap and --report belong to run");
	if (lab_options_stage(t, &scenarios[0], &o, error, sizeof(error)) != 0)
		return fail(error);
	/* Before any thread starts: site.h says why. */
	bool hosts = t->loopback || site_enter(reason) == 0;
	return lab_app_run(t, hosts ? NULL : reason);
}

static int list(bool how)
{
	run_list(stdout);
	if (how)
		printf("\nlanchat-lab run NAME plays one, lanchat-lab run all plays all of them; "
		       "in a "
		       "terminal,\nlanchat-lab alone lets you choose and watch.\n");
	return RUN_GOOD;
}

static void block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static bool same_file(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* What would be found out only when all was played. */
static int check_files(const struct lab_settings *t, char *error, size_t size)
{
	if (same_file(t->json, t->pcap) || same_file(t->json, t->report) ||
		same_file(t->pcap, t->report)) {
		snprintf(error, size, "--json, --pcap and --report: not into the same file");
		return ERR_ARGUMENT;
	}
	return t->report ? plot_check(error, size) : 0;
}

static int play(const struct lab_settings *t, const struct scenario *const *chosen, size_t count,
	const char *command)
{
	char reason[SITE_REASON] = "";
	char error[ERROR_LINE];
	struct stage_options o;

	for (size_t i = 0; i < count; i++) {
		if (lab_options_stage(t, chosen[i], &o, error, sizeof(error)) != 0)
			return fail(error);
		if ((t->count || t->size) && scenario_fits(chosen[i], &o.impaired, o.count, o.size,
						     error, sizeof(error)) != 0)
			return fail(error);
	}
	if (check_files(t, error, sizeof(error)) != 0)
		return fail(error);
	/* Before any thread starts: site.h says why. */
	bool hosts = !t->loopback && site_enter(reason) == 0;
	struct run_request q = {
		.settings = t,
		.chosen = chosen,
		.count = count,
		.command = command,
		.no_hosts = hosts || t->loopback ? NULL : reason,
	};
	block_signals();
	return run_scenarios(&q);
}

static int run(const struct lab_settings *t, char *const *names, size_t count, const char *command)
{
	size_t room = count > scenarios_count ? count : scenarios_count, chosen_count = 0;

	if (count == 0)
		return fail("run what? A scenario by name or number, or all (lanchat-lab list)");
	const struct scenario **chosen = calloc(room, sizeof(*chosen));
	if (!chosen)
		return fail(err_text(ERR_MEMORY));
	int status = choose(names, count, chosen, &chosen_count);
	if (status == 0)
		status = play(t, chosen, chosen_count, command);
	free(chosen);
	return status;
}

/* ---- the chat ---- */

static int open_script(struct lab_settings *t)
{
	char error[ERROR_LINE];

	if (!t->script)
		return 0;
	t->lines_fd = open(t->script, O_RDONLY | O_CLOEXEC);
	if (t->lines_fd >= 0)
		return 0;
	snprintf(error, sizeof(error), "%s: %s", t->script, strerror(errno));
	return fail(error);
}

/* Which user namespace it is in; 0: nobody knows. */
static ino_t user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 ? st.st_ino : 0;
}

static int wait_for_terminals(const struct lab_settings *t)
{
	char reason[SITE_REASON] = "", error[ERROR_LINE] = "";
	struct stage_options o;
	ino_t before = user_namespace();

	if (t->json || t->pcap || t->report || t->script)
		return fail("--terminals goes without --json, --pcap, --report and --script");
	if (lab_options_stage(t, &chat_scenario, &o, error, sizeof(error)) != 0)
		return fail(error);
	if (t->loopback || site_enter(reason) != 0) {
		fprintf(stderr, "lanchat-lab: it takes hosts of its own; %s\n",
			t->loopback ? "a relay on loopback cannot show it (--loopback)" : reason);
		return RUN_MISSING;
	}
	block_signals();
	int e = chat_terminals(&o, user_namespace() != before, stdout, error, sizeof(error));
	if (e == 0)
		return RUN_GOOD;
	(void)fail(error);
	return e == ERR_REFUSED ? RUN_MISSING : RUN_FAILED;
}

static int watch_chat(const struct lab_settings *t)
{
	char reason[SITE_REASON] = "", error[ERROR_LINE];
	struct stage_options o;

	if (lab_options_stage(t, &chat_scenario, &o, error, sizeof(error)) != 0)
		return fail(error);
	if (!t->loopback && site_enter(reason) == 0)
		return lab_app_chat(t);
	fprintf(stderr, "lanchat-lab: it takes hosts of its own; %s\n",
		t->loopback ? "a relay on loopback cannot show it (--loopback)" : reason);
	return RUN_MISSING;
}

static int chat(struct lab_settings *t, size_t words, const char *command)
{
	const struct scenario *chosen = &chat_scenario;

	if (words)
		return fail("chat takes options alone");
	if (t->terminals)
		return wait_for_terminals(t);
	if (!t->script && !t->json && !t->pcap && !t->report && isatty(STDIN_FILENO) &&
		isatty(STDOUT_FILENO))
		return watch_chat(t);
	int status = open_script(t);
	if (status)
		return status;
	status = play(t, &chosen, 1, command);
	if (t->script)
		net_close(t->lines_fd);
	return status;
}

static int decide(struct lab_settings *t, char *const *words, size_t count, const char *command)
{
	char error[ERROR_LINE];

	if (t->help) {
		options_help(lab_options(), stdout);
		return RUN_GOOD;
	}
	if (t->version) {
		printf("lanchat-lab %s\n", LANCHAT_VERSION);
		return RUN_GOOD;
	}
	bool is_chat = count > 0 && strcmp(words[0], "chat") == 0;
	if (!is_chat && (t->script || t->terminals))
		return fail("--script and --terminals go with chat");
	if (count == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return watch(t);
	if (count == 0 || (count == 1 && strcmp(words[0], "list") == 0))
		return list(count == 0);
	if (is_chat)
		return chat(t, count - 1, command);
	if (strcmp(words[0], "run") == 0)
		return run(t, words + 1, count - 1, command);
	snprintf(error, sizeof(error), "\"%s\" is not list, run or chat", words[0]);
	return fail(error);
}

static void join(char *const *words, int count, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (int i = 0; i < count && used < size; i++) {
		int n = snprintf(out + used, size - used, "%s%s", i ? " " : "", words[i]);
		used += n > 0 ? (size_t)n : 0;
	}
}

int main(int argc, char **argv)
{
	struct lab_settings t = {0};
	char error[ERROR_LINE] = "out of memory", command[COMMAND_LINE];
	int rest = argc;

	join(argv, argc, command, sizeof(command));
	int r = options_init(lab_options(), &t);
	if (r == 0)
		r = options_parse(lab_options(), &t, argc, argv, &rest, error, sizeof(error));
	int status = r ? fail(error) : decide(&t, argv + rest, (size_t)(argc - rest), command);
	options_fini(lab_options(), &t);
	return status;
}
