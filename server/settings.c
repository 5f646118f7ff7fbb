#include "server/settings.h"

#include <stddef.h>
#include <string.h>

static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const histories[] = {"on", "off", NULL};     /* enum history */
static const char *const syncs[] = {"full", "os", "off", NULL}; /* enum engine_sync */

static const char *const sandboxes[] = {"auto", "off", "require", NULL}; /* enum sandbox_mode */

#define AT(field) .offset = offsetof(struct settings, field)

static const struct option_spec rows[] = {
	{.name = "listen",
		.kind = OPTION_LIST,
		AT(listen),
		.argument = "HOST:PORT",
		.help = "Listen here; may be given several times. Without a host, on every "
			"address; port 0 takes a free one. Default: every address, port 19830.",
		.file = true},
	{.name = "port-file",
		.kind = OPTION_TEXT,
		AT(port_file),
		.argument = "FILE",
		.help = "Write the addresses that are listened on to FILE, a line each, once "
			"clients can connect.",
		.file = true},
	{.name = "name",
		.kind = OPTION_TEXT,
		AT(name),
		.argument = "NAME",
		.help = "What the server is called in lists. Default: this machine's name.",
		.file = true,
		.reload = true},
	{.name = "motd",
		.kind = OPTION_TEXT,
		AT(motd),
		.argument = "FILE",
		.help = "Greet whoever logs in with the text in FILE.",
		.file = true,
		.reload = true},
	{.name = "password-file",
		.kind = OPTION_TEXT,
		AT(password_file),
		.argument = "FILE",
		.help = "Let only those in who know the password, the first line of FILE.",
		.file = true,
		.reload = true},
	{.name = "allow-keys",
		.kind = OPTION_TEXT,
		AT(allow_keys),
		.argument = "FILE",
		.help = "Let only those in whose fingerprints (lanchat --fingerprint) are in FILE, "
			"a line each.",
		.file = true,
		.reload = true},
	{.name = "max-clients",
		.kind = OPTION_NUMBER,
		AT(max_clients),
		.least = 1,
		.most = 1000000,
		.initial = "10000",
		.argument = "N",
		.help = "Connections at once, at most; or off.",
		.file = true,
		.reload = true,
		.off = true},
	{.name = "max-per-address",
		.kind = OPTION_NUMBER,
		AT(max_per_address),
		.least = 1,
		.most = 1000000,
		.initial = "256",
		.argument = "N",
		.help = "Connections from one address, this machine's own excepted; or off.",
		.file = true,
		.reload = true,
		.off = true},
	{.name = "max-logging-in",
		.kind = OPTION_NUMBER,
		AT(max_logging_in),
		.least = 1,
		.most = 1000000,
		.initial = "1000",
		.argument = "N",
		.help = "Connections that are not logged in yet; or off.",
		.file = true,
		.reload = true,
		.off = true},
	{.name = "max-faults",
		.kind = OPTION_NUMBER,
		AT(max_faults),
		.least = 1,
		.most = 1000000,
		.initial = "100",
		.argument = "N",
		.help = "Refuse an address, this machine's own excepted, whose peers broke the "
			"protocol or did not log in in time so often; one is forgiven every "
			"three seconds. Or off.",
		.file = true,
		.reload = true,
		.off = true},
	{.name = "rate",
		.kind = OPTION_NUMBER,
		AT(rate),
		.least = 1,
		.most = 1000000,
		.initial = "1000",
		.argument = "N",
		.help = "Messages a second from one connection; whoever sends more is slowed, "
			"and nothing is lost. Requests count for several. Or off.",
		.file = true,
		.reload = true,
		.off = true},
	{.name = "rate-burst",
		.kind = OPTION_NUMBER,
		AT(rate_burst),
		.least = 1,
		.most = 1000000,
		.initial = "10000",
		.argument = "N",
		.help = "Messages that one connection may send at once.",
		.file = true,
		.reload = true},
	{.name = "max-rooms",
		.kind = OPTION_NUMBER,
		AT(max_rooms),
		.least = 1,
		.most = 1000000,
		.initial = "10000",
		.argument = "N",
		.help = "Rooms at most.",
		.file = true,
		.reload = true},
	{.name = "rooms-each",
		.kind = OPTION_NUMBER,
		AT(rooms_each),
		.least = 1,
		.most = 10000,
		.initial = "100",
		.argument = "N",
		.help = "Rooms that one connection may be in.",
		.file = true,
		.reload = true},
	{.name = "replay",
		.kind = OPTION_NUMBER,
		AT(replay),
		.least = 0,
		.most = 1000000,
		.initial = "100000",
		.argument = "N",
		.help = "Earlier messages that a client may ask for when it joins a room.",
		.file = true,
		.reload = true},
	{.name = "history",
		.kind = OPTION_CHOICE,
		AT(history),
		.initial = "on",
		.argument = "WHERE",
		.choices = histories,
		.help = "Where messages are kept: on disk (on), or in memory as long as the "
			"server runs (off).",
		.file = true},
	{.name = "sync",
		.kind = OPTION_CHOICE,
		AT(sync),
		.initial = "full",
		.argument = "HOW",
		.choices = syncs,
		.help = "When a message counts as kept: once it is on the disk (full), so that "
			"a power cut loses nothing; with the system (os), so that a crash of "
			"the server loses nothing; off is for measurements.",
		.file = true},
	{.name = "keep-days",
		.kind = OPTION_NUMBER,
		AT(keep_days),
		.least = 0,
		.most = 36500,
		.initial = "0",
		.argument = "N",
		.help = "Drop messages on disk that are older; 0: never.",
		.file = true},
	{.name = "keep-messages",
		.kind = OPTION_NUMBER,
		AT(keep_messages),
		.least = 0,
		.most = 1L << 40,
		.initial = "0",
		.argument = "N",
		.help = "Messages kept on disk, the newest; 0: without limit.",
		.file = true},
	{.name = "keep-bytes",
		.kind = OPTION_NUMBER,
		AT(keep_bytes),
		.least = 0,
		.most = 1L << 40,
		.initial = "0",
		.argument = "BYTES",
		.help = "How large the history may grow, on disk or in memory; the oldest "
			"messages make room. 0: without limit on disk, 64M in memory.",
		.bytes = true,
		.file = true},
	{.name = "window-bytes",
		.kind = OPTION_NUMBER,
		AT(window_bytes),
		.least = 65536,
		.most = 1L << 40,
		.initial = "64M",
		.argument = "BYTES",
		.help = "Memory for frames on their way, all rooms together. Whoever is too "
			"slow for it reads what is kept.",
		.bytes = true,
		.file = true},
	{.name = "login-timeout",
		.kind = OPTION_NUMBER,
		AT(login_seconds),
		.least = 1,
		.most = 3600,
		.initial = "10",
		.argument = "SECONDS",
		.help = "Time for a client to log in.",
		.file = true,
		.reload = true},
	{.name = "frame-timeout",
		.kind = OPTION_NUMBER,
		AT(frame_seconds),
		.least = 1,
		.most = 3600,
		.initial = "30",
		.argument = "SECONDS",
		.help = "Time for a frame to arrive whole once it has begun.",
		.file = true,
		.reload = true},
	{.name = "ping",
		.kind = OPTION_NUMBER,
		AT(ping_seconds),
		.least = 1,
		.most = 3600,
		.initial = "30",
		.argument = "SECONDS",
		.help = "Ask a silent client for a sign of life after this time.",
		.file = true,
		.reload = true},
	{.name = "idle",
		.kind = OPTION_NUMBER,
		AT(idle_seconds),
		.least = 1,
		.most = 36000,
		.initial = "120",
		.argument = "SECONDS",
		.help = "Give a client up that has been silent for this time.",
		.file = true,
		.reload = true},
	{.name = "plaintext",
		.kind = OPTION_FLAG,
		AT(plaintext),
		.help = "Speak without TLS: anybody on the network can read along, and nobody "
			"can prove who they are. Clients must ask for it too.",
		.file = true},
	{.name = "no-beacon",
		.kind = OPTION_FLAG,
		AT(no_beacon),
		.help = "Do not announce the server on the network.",
		.file = true},
	{.name = "interface",
		.kind = OPTION_LIST,
		AT(interfaces),
		.argument = "GLOB",
		.help = "Announce on interfaces of these names alone; may be given several times.",
		.file = true},
	{.name = "not-interface",
		.kind = OPTION_LIST,
		AT(not_interfaces),
		.argument = "GLOB",
		.help = "Do not announce on interfaces of these names.",
		.file = true},
	{.name = "data",
		.kind = OPTION_TEXT,
		AT(data),
		.argument = "DIR",
		.help = "Where the server keeps its key and the history. Default: "
			"$STATE_DIRECTORY, else "
			"$XDG_DATA_HOME/lanchatd, else ~/.local/share/lanchatd.",
		.file = true},
	{.name = "user",
		.kind = OPTION_TEXT,
		AT(user),
		.argument = "USER",
		.help = "Started as root, become USER, a name or a number, once it is known who "
			"may use what. The data folder must be that user's.",
		.file = true},
	{.name = "sandbox",
		.kind = OPTION_CHOICE,
		AT(sandbox),
		.initial = "auto",
		.argument = "MODE",
		.choices = sandboxes,
		.help = "Have the kernel refuse what the server never needs, such as files "
			"outside of its data folder: as far as it can (auto), or not (off). "
			"require: do not start where it cannot.",
		.file = true},
	{.name = "while-clients",
		.kind = OPTION_FLAG,
		AT(while_clients),
		.help = "End when the last client has left.",
		.file = true},
	{.name = "log-level",
		.kind = OPTION_CHOICE,
		AT(log_level),
		.initial = "info",
		.argument = "LEVEL",
		.choices = levels,
		.help = "What to log: error, warning, info or debug.",
		.file = true,
		.reload = true},
	{.name = "trace",
		.kind = OPTION_FLAG,
		AT(trace),
		.help = "Tell every socket call as it happens, and why.",
		.file = true},
	{.name = "config",
		.letter = 'c',
		.kind = OPTION_TEXT,
		AT(config),
		.argument = "FILE",
		.help = "Read options from FILE: the same names without the dashes, one a line. "
			"SIGHUP reads it again."},
	{.name = "check-config",
		.kind = OPTION_FLAG,
		AT(check_config),
		.help = "Say whether the options and the config file are right, and end."},
	{.name = "backup",
		.kind = OPTION_TEXT,
		AT(backup),
		.argument = "FILE",
		.help = "Copy the history to FILE, also while a server runs, and end."},
	{.name = "restore",
		.kind = OPTION_TEXT,
		AT(restore),
		.argument = "FILE",
		.help = "Put the copy FILE in the history's place, which is set aside, and end."},
	{.name = "verify",
		.kind = OPTION_FLAG,
		AT(verify),
		.help = "Check the history, also while a server runs, and end: status 1 if "
			"anything is wrong."},
	{.name = "set-aside",
		.kind = OPTION_FLAG,
		AT(set_aside),
		.help = "Rename the history, so that the next start begins anew, and end."},
	{.name = "operator-code",
		.kind = OPTION_FLAG,
		AT(operator_code),
		.help = "Make a new code with which somebody becomes an operator (/op CODE), also "
			"while a server runs, print it, and end."},
	{.name = "help", .letter = 'h', .kind = OPTION_FLAG, AT(help), .help = "Print this."},
	{.name = "version",
		.letter = 'V',
		.kind = OPTION_FLAG,
		AT(version),
		.help = "Print the version."},
};

static const struct option_table table = {
	.program = "lanchatd",
	.usage = "[OPTION]...",
	.about = "The lanchat server: relays what people say in rooms, and lets the network know "
		 "that it is there.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.footer = "Signals: TERM and INT end the server in good order, HUP reads the config\n"
		  "file again.\nExit status: 0 done, 1 failed, 2 wrong usage.\n",
};

const struct option_table *settings_table(void)
{
	return &table;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_list(const struct option_list *a, const struct option_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static bool same(const struct option_spec *row, const void *a, const void *b)
{
	const void *x = (const char *)a + row->offset, *y = (const char *)b + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		return *(const bool *)x == *(const bool *)y;
	case OPTION_TEXT:
		return same_text(*(char *const *)x, *(char *const *)y);
	case OPTION_NUMBER:
		return *(const long *)x == *(const long *)y;
	case OPTION_CHOICE:
		return *(const int *)x == *(const int *)y;
	case OPTION_LIST:
		return same_list(x, y);
	}
	return true;
}

const char *settings_fixed_difference(const struct settings *a, const struct settings *b)
{
	for (size_t i = 0; i < table.count; i++) {
		if (!rows[i].reload && !same(&rows[i], a, b))
			return rows[i].name;
	}
	return NULL;
}
