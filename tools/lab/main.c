/*
 * lanchat-lab: TCP beside UDP, on real sockets, over a network that misbehaves.
 */
#include "common/err.h"
#include "common/net.h"
#include "common/standard_streams.h"
#include "common/suggest.h"
#include "tools/lab/chat.h"
#include "tools/lab/chat_script.h"
#include "tools/lab/chat_terminals.h"
#include "tools/lab/keep.h"
#include "tools/lab/lab_app.h"
#include "tools/lab/run.h"

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

/* There is none of that name, which stands between two parts of a sentence. */
static int unknown(const char *before, const char *name, const char *behind)
{
	static const char *const commands[] = {"list", "run", "chat"};
	struct suggestion s;
	char error[ERROR_LINE];

	suggest_begin(&s, name, strlen(name));
	for (size_t i = 0; i < scenarios_count; i++)
		suggest_offer(&s, scenarios[i].name);
	for (size_t i = 0; !*before && i < sizeof(commands) / sizeof(commands[0]); i++)
		suggest_offer(&s, commands[i]);
	snprintf(error, sizeof(error), "%s\"%s\"%s%s%s%s", before, name, behind,
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
		if (strcmp(names[i], "all") == 0)
			return fail("all is every scenario: it goes without other names");
		chosen[i] = scenario_find(names[i]);
		if (!chosen[i])
			return unknown("there is no scenario ", names[i], "");
	}
	*chosen_count = count;
	return 0;
}

/* ---- what ---- */

static bool is_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int no_hosts(const struct lab_settings *t, const char *reason)
{
	fprintf(stderr, "lanchat-lab: it takes hosts of its own; %s\n",
		t->loopback ? "a relay on loopback cannot show it (--loopback)" : reason);
	return RUN_MISSING;
}

/* The full screen. Options are looked at before the terminal is taken over. */
static int watch(const struct lab_settings *t)
{
	char reason[SITE_REASON] = "", error[ERROR_LINE];
	struct stage_options o;

	if (keep_any(t))
		return fail("--json, --pcap and --report go with one scenario (lanchat-lab NAME), "
			    "with run and with chat");
	if (lab_options_stage(t, &scenarios[0], &o, error, sizeof(error)) != 0)
		return fail(error);
	/* Before any thread starts: site.h says why. */
	bool hosts = t->loopback || site_enter(reason) == 0;
	return lab_app_run(t, hosts ? NULL : reason);
}

/* What was printed is all there was to do. */
static int told(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return RUN_GOOD;
	fprintf(stderr, "lanchat-lab: cannot write to standard output: %s\n", strerror(errno));
	return RUN_FAILED;
}

static int list(bool how)
{
	run_list(stdout);
	if (how)
		printf("\nlanchat-lab run NAME plays one, lanchat-lab run all plays all of them; "
		       "in a "
		       "terminal,\nlanchat-lab NAME shows one while it plays, and lanchat-lab "
		       "alone lets you choose.\n");
	return told();
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
	if (keep_check(t, error, sizeof(error)) != 0)
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

/* One scenario on the full screen, and no menu. */
static int watch_one(const struct lab_settings *t, const struct scenario *x, const char *command)
{
	char reason[SITE_REASON] = "", error[ERROR_LINE];
	struct stage_options o;
	struct keep k;

	if (lab_options_stage(t, x, &o, error, sizeof(error)) != 0 ||
		((t->count || t->size) && scenario_fits(x, &o.impaired, o.count, o.size, error,
						  sizeof(error)) != 0) ||
		keep_check(t, error, sizeof(error)) != 0)
		return fail(error);
	bool hosts = !t->loopback && site_enter(reason) == 0;
	if (!hosts && !x->on_loopback)
		return no_hosts(t, reason);
	if (keep_open(&k, t, command, error, sizeof(error)) != 0) {
		(void)fail(error);
		return RUN_FAILED;
	}
	int status = lab_app_one(t, x, hosts || t->loopback ? NULL : reason, &k);
	keep_close(&k);
	return status;
}

/* A scenario's name in place of a command: in a terminal it is watched. */
static int by_name(
	const struct lab_settings *t, char *const *words, size_t count, const char *command)
{
	const struct scenario *x = scenario_find(words[0]);

	if (!x)
		return unknown("", words[0], " is not list, run or chat, nor a scenario");
	if (!is_terminal() || keep_on_stdout(t))
		return run(t, words, count, command);
	if (count > 1)
		return fail("one scenario is watched at a time; lanchat-lab run plays several");
	return watch_one(t, x, command);
}

/* ---- the chat ---- */

static int open_script(struct lab_settings *t)
{
	const char *name = t->script ? t->script : "standard input";
	char error[ERROR_LINE];

	if (t->script) {
		t->lines_fd = open(t->script, O_RDONLY | O_CLOEXEC);
		if (t->lines_fd < 0) {
			snprintf(error, sizeof(error), "--script %s: %s", name, strerror(errno));
			return fail(error);
		}
	}
	int e = chat_script_check(t->lines_fd, name, error, sizeof(error));
	if (e == 0)
		return 0;
	if (t->script)
		net_close(t->lines_fd);
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
	if (t->loopback || site_enter(reason) != 0)
		return no_hosts(t, reason);
	block_signals();
	int e = chat_terminals(&o, user_namespace() != before, stdout, error, sizeof(error));
	if (e == 0)
		return RUN_GOOD;
	(void)fail(error);
	return e == ERR_REFUSED ? RUN_MISSING : RUN_FAILED;
}

static int chat(struct lab_settings *t, size_t words, const char *command)
{
	const struct scenario *chosen = &chat_scenario;

	if (words)
		return fail("chat takes options alone");
	if (t->terminals)
		return wait_for_terminals(t);
	if (!t->script && !keep_on_stdout(t) && is_terminal())
		return watch_one(t, chosen, command);
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
	if (t->help) {
		options_help(lab_options(), stdout);
		return told();
	}
	if (t->version) {
		printf("lanchat-lab %s\n", LANCHAT_VERSION);
		return told();
	}
	bool is_chat = count > 0 && strcmp(words[0], "chat") == 0;
	if (!is_chat && (t->script || t->terminals))
		return fail("--script and --terminals go with chat");
	if (count == 0)
		return is_terminal() ? watch(t) : list(true);
	if (strcmp(words[0], "list") == 0)
		return count == 1 ? list(false) : fail("list goes without other words");
	if (is_chat)
		return chat(t, count - 1, command);
	if (strcmp(words[0], "run") == 0)
		return run(t, words + 1, count - 1, command);
	return by_name(t, words, count, command);
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

	(void)standard_streams_keep();
	join(argv, argc, command, sizeof(command));
	int r = options_init(lab_options(), &t);
	if (r == 0)
		r = options_parse(lab_options(), &t, argc, argv, &rest, error, sizeof(error));
	int status = r ? fail(error) : decide(&t, argv + rest, (size_t)(argc - rest), command);
	options_fini(lab_options(), &t);
	return status;
}
