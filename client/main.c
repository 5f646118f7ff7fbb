/* lanchat: options, the surroundings, and which of the four programs it is to be. */

#include "client/app.h"
#include "client/client_options.h"
#include "client/discover.h"
#include "client/export.h"
#include "client/pipe.h"
#include "client/self.h"
#include "client/when.h"
#include "client/xdg.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/message.h"
#include "common/name.h"
#include "common/standard_streams.h"
#include "common/trace.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_FAILED 1
#define STATUS_USAGE  2

#define DEFAULT_ROOM    "lobby"
#define DEFAULT_HISTORY 200 /* for the full-screen client */
#define PIPE_TIMEOUT    10  /* seconds to connect, without a screen */

static int usage_error(const char *text)
{
	fprintf(stderr, "lanchat: %s (lanchat --help lists the options)\n", text);
	return STATUS_USAGE;
}

static int failure(const char *text)
{
	fprintf(stderr, "lanchat: %s\n", text);
	return STATUS_FAILED;
}

/* ---- the surroundings ---- */

/* Text is UTF-8 whatever the locale says; a UTF-8 one is needed for the screen. */
static bool set_utf8_locale(void)
{
	if (setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return true;
	return setlocale(LC_CTYPE, "C.UTF-8") != NULL;
}

/* NULL, or why the full-screen client cannot run here. */
static const char *screen_problem(const struct client_settings *s)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return "stdin and stdout must be a terminal; for scripts there is "
		       "`lanchat --pipe`";
	if (!term || !term[0])
		return "TERM is not set, so the terminal is unknown; set it, or use "
		       "`lanchat --pipe`";
	if (strcmp(term, "dumb") == 0)
		return "this terminal (TERM=dumb) cannot show a full screen; use "
		       "`lanchat --pipe`";
	if (s->trace && isatty(STDERR_FILENO))
		return "--trace writes to stderr, which is the screen here; add "
		       "`2>trace.txt`, or use `--pipe`";
	return NULL;
}

/* ---- who we are ---- */

static const char *passwd_name(void)
{
	const struct passwd *entry = getpwuid(getuid());

	return entry ? entry->pw_name : NULL;
}

static bool is_nick(const char *name)
{
	return name && name_check(name, strlen(name), NICK_MAX) == 0;
}

static const char *default_nick(void)
{
	const char *user = getenv("USER");

	if (is_nick(user))
		return user;
	user = passwd_name();
	return is_nick(user) ? user : "guest";
}

/* The server program, for hosting one here: beside this one, else wherever PATH has it. */
static void find_server_program(char *out, size_t size)
{
	static const char name[] = "lanchatd";
	ssize_t n = readlink("/proc/self/exe", out, size);
	char *slash = NULL;

	if (n > 0 && (size_t)n < size) {
		out[n] = '\0';
		slash = strrchr(out, '/');
	}
	if (slash && (size_t)(slash + 1 - out) + sizeof(name) <= size) {
		memcpy(slash + 1, name, sizeof(name));
		if (access(out, X_OK) == 0)
			return;
	}
	snprintf(out, size, "%s", name);
}

/* ---- the four programs ---- */

static int run_discover(const struct client_settings *s)
{
	struct discover_config config = {
		.json = s->json,
		.timeout_ms = 1000 * (int64_t)(s->timeout == CLIENT_NOT_GIVEN ? DISCOVER_SECONDS
									      : s->timeout),
		.interfaces = &s->interfaces,
		.not_interfaces = &s->not_interfaces,
	};

	return discover_run(&config);
}

/* What the user named, or the lobby. */
static const struct option_list *rooms_of(const struct client_settings *s)
{
	static char lobby[] = DEFAULT_ROOM;
	static char *items[] = {lobby};
	static const struct option_list list = {.items = items, .count = 1};

	return s->rooms.count > 0 ? &s->rooms : &list;
}

/* The seconds that the options have for connecting. */
static int64_t connect_ms(const struct client_settings *s)
{
	return 1000 * (int64_t)(s->timeout > 0 ? s->timeout : PIPE_TIMEOUT);
}

/* The folder for what outlives the process; NULL where there is to be none, or no place for it. */
static const char *state_folder(const struct client_settings *s, char path[PATH_MAX])
{
	return !s->no_state && xdg_path(XDG_STATE, "", path, PATH_MAX) == 0 ? path : NULL;
}

static int run_pipe(const struct client_settings *s)
{
	char state[PATH_MAX];
	struct pipe_config config = {
		.nick = s->nick ? s->nick : default_nick(),
		.server = s->server,
		.rooms = rooms_of(s),
		.interfaces = &s->interfaces,
		.not_interfaces = &s->not_interfaces,
		.replay = s->history > 0 ? (uint32_t)s->history : 0,
		.state_folder = state_folder(s, state),
		.resume = s->resume,
		.json = s->json,
		.until = s->until > 0 ? (uint64_t)s->until : 0,
		.linger_ms = s->linger > 0 ? 1000 * (int64_t)s->linger : 0,
		.timeout_ms = connect_ms(s),
	};
	if (s->resume && !config.state_folder)
		return failure("neither HOME nor XDG_STATE_HOME is set, so there is nothing to "
			       "resume from; set one of them");
	struct self self;
	int status = self_load(s->plaintext, s->password_file, &self);
	if (status)
		return status;
	config.identity = self.identity;
	config.password = self.password;
	config.tls = self.tls;
	config.data_folder = self.folder;
	status = pipe_run(&config);
	self_free(&self);
	return status;
}

static int run_export(const struct client_settings *s)
{
	bool direct = strcmp(s->export_room, CLIENT_DIRECT) == 0;
	struct export_config config = {
		.nick = s->nick ? s->nick : default_nick(),
		.server = s->server,
		.room = direct ? "" : s->export_room,
		.interfaces = &s->interfaces,
		.not_interfaces = &s->not_interfaces,
		.json = s->json,
		.timeout_ms = connect_ms(s),
	};
	int64_t since = 0;
	struct self self;

	if (s->since && when_parse(s->since, (int64_t)(clock_wall_us() / 1000000), &since) != 0)
		return usage_error("--since is no time");
	int status = self_load(s->plaintext, s->password_file, &self);
	if (status)
		return status;
	config.since = 1000000 * (uint64_t)since;
	config.identity = self.identity;
	config.password = self.password;
	config.tls = self.tls;
	config.data_folder = self.folder;
	status = export_run(&config);
	self_free(&self);
	return status;
}

static int run_app(const struct client_settings *s, bool utf8)
{
	const char *no_colour = getenv("NO_COLOR");
	char server_program[PATH_MAX], state[PATH_MAX];
	struct app_config config = {
		.nick = s->nick ? s->nick : default_nick(),
		.server = s->server,
		.rooms = rooms_of(s),
		.replay = s->history >= 0 ? (uint32_t)s->history : DEFAULT_HISTORY,
		.state_folder = state_folder(s, state),
		.interfaces = &s->interfaces,
		.not_interfaces = &s->not_interfaces,
		.host = s->host,
		.stay = s->stay,
		.colour = !(no_colour && no_colour[0]),
		.server_program = server_program,
	};
	const char *problem = screen_problem(s);

	if (problem)
		return failure(problem);
	if (!utf8)
		return failure("there is no UTF-8 locale here, not even C.UTF-8; install one, or "
			       "use `lanchat --pipe`");
	struct self self;
	int status = self_load(s->plaintext, s->password_file, &self);
	if (status)
		return status;
	config.identity = self.identity;
	config.password = self.password;
	config.tls = self.tls;
	config.data_folder = self.folder;
	find_server_program(server_program, sizeof(server_program));
	/* A line on stderr would spoil the screen. */
	if (isatty(STDERR_FILENO))
		log_set_file(NULL);
	status = app_run(&config);
	self_free(&self);
	return status;
}

static int run(const struct client_settings *s)
{
	bool utf8 = set_utf8_locale();

	if (s->help || s->version) {
		if (s->help)
			options_help(&client_option_table, stdout);
		else
			printf("lanchat %s\n", LANCHAT_VERSION);
		return fflush(stdout) == 0 ? 0 : failure("cannot write to stdout");
	}
	log_set_level((enum log_level)s->log_level);
	if (s->trace)
		trace_start(stderr);
	if (s->export_identity || s->import_identity)
		return self_move(s->export_identity, s->import_identity);
	if (s->fingerprint)
		return self_print();
	if (s->forget)
		return self_forget(s->forget);
	if (s->discover)
		return run_discover(s);
	if (s->export_room)
		return run_export(s);
	return s->pipe ? run_pipe(s) : run_app(s, utf8);
}

int main(int argc, char **argv)
{
	struct client_settings settings;
	char error[512];

	bool can_write = standard_streams_keep();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* too large a file is an error like a full disk */
	int r = client_options_load(&settings, argc, argv, error, sizeof(error));
	if (r)
		return r == ERR_ARGUMENT ? usage_error(error) : failure(error);
	int status = can_write ? run(&settings) : failure("cannot write to stdout");
	client_options_fini(&settings);
	return status;
}
