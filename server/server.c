#include "server/server.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/file.h"
#include "common/identity.h"
#include "common/log.h"
#include "common/tls.h"
#include "common/utf8.h"
#include "server/activation.h"
#include "server/announcer.h"
#include "server/chat.h"
#include "server/clients.h"
#include "server/data_folder.h"
#include "server/invite.h"
#include "server/listeners.h"
#include "server/log_file.h"
#include "server/port_file.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/status_path.h"
#include "server/status_socket.h"
#include "server/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP_BYTES_LEAST 65536
#define LOOK_MS          1000 /* for looking the log over: about a million entries on an idle machine */
#define GOODBYE_MS       5000 /* for clients to take what is theirs before they are cut off */

struct server {
	const struct settings *settings; /* borrowed */
	struct data_folder folder;       /* ours alone while the server runs */
	struct admission *admission;
	struct op_code *op_code;
	struct chat *chat;
	struct tls *tls; /* NULL: plaintext */
	struct clients *clients;
	struct listeners listeners;
	struct announcer *announcer;
	struct status_socket *status; /* NULL: nobody can ask */
	struct policy policy;         /* a copy of the chat's, for the name */
	struct sandbox sandbox;
	struct port_file port_file;
};

/* ---- from settings to values ---- */

/* "off" is -1 in the settings; in a policy, never is 0. */
static int64_t milliseconds(long seconds)
{
	return seconds < 0 ? 0 : (int64_t)seconds * 1000;
}

static uint32_t or_off(long limit, uint32_t off)
{
	return limit < 0 ? off : (uint32_t)limit;
}

static int choose_name(
	const struct settings *t, char name[SERVER_NAME_MAX + 1], char *error, size_t size)
{
	char host[256] = "";
	const char *wanted = t->name;

	if (!wanted) {
		(void)gethostname(host, sizeof(host) - 1);
		host[strcspn(host, ".")] = '\0';
		wanted = *host ? host : "lanchat";
	}
	size_t length = strlen(wanted);
	if (t->name && (length == 0 || length > SERVER_NAME_MAX || !utf8_is_line(wanted, length))) {
		snprintf(error, size, "--name must be 1 to %d bytes of clean UTF-8 text",
			SERVER_NAME_MAX);
		return ERR_ARGUMENT;
	}
	snprintf(name, SERVER_NAME_MAX + 1, "%.*s", SERVER_NAME_MAX, wanted);
	return 0;
}

static int make_policy(const struct settings *t, struct policy *p, char *error, size_t size)
{
	*p = (struct policy){
		.handshake_ms = milliseconds(t->handshake_seconds),
		.login_ms = milliseconds(t->login_seconds),
		.frame_ms = milliseconds(t->frame_seconds),
		.ping_ms = milliseconds(t->ping_seconds),
		.idle_ms = milliseconds(t->idle_seconds),
		.rate = t->rate_burst < 0 ? 0 : or_off(t->rate, 0),
		.burst = or_off(t->rate_burst, 0),
		.replay_max = or_off(t->replay, UINT32_MAX),
		.rooms_each = or_off(t->rooms_each, UINT32_MAX),
		.nick_max = or_off(t->max_nick, 0),
		.topic_max = or_off(t->max_topic, 0),
		.text_max = or_off(t->max_text, 0),
		.members_max = or_off(t->max_members, 0),
		.rooms_max = or_off(t->max_rooms, UINT32_MAX),
	};
	return choose_name(t, p->name, error, size);
}

static struct clients_limits make_limits(const struct settings *t)
{
	return (struct clients_limits){
		.most = t->max_clients,
		.logging_in = t->max_logging_in,
		.here = {.each = t->max_per_address, .points = t->max_faults},
	};
}

/* A beacon has a number for it. */
static uint32_t most_people(const struct settings *t)
{
	return or_off(t->max_clients, UINT32_MAX);
}

/* The text of the motd file, allocated; NULL in `*motd` when none is set. */
static int read_motd(const struct settings *t, char **motd, char *error, size_t size)
{
	*motd = NULL;
	if (!t->motd)
		return 0;
	FILE *f = file_open(t->motd);
	char *text = f ? calloc(1, NOTICE_MAX + 2) : NULL;
	if (!text) {
		snprintf(error, size, "cannot read the motd '%s': %s", t->motd, strerror(errno));
		if (f)
			(void)fclose(f);
		return ERR_SYSTEM;
	}
	size_t n = fread(text, 1, NOTICE_MAX + 1, f);
	(void)fclose(f);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n > NOTICE_MAX || !utf8_is_block(text, n)) {
		snprintf(error, size,
			"the motd '%s' must be at most %d bytes of UTF-8 text without control "
			"characters",
			t->motd, NOTICE_MAX);
		free(text);
		return ERR_TEXT;
	}
	*motd = text;
	return 0;
}

static int load_identity(struct server *s, struct identity *identity, char *error, size_t size)
{
	const struct data_folder *folder = &s->folder;
	char *path = data_folder_file(folder, "server.pem");
	int r = ERR_MEMORY;

	if (path)
		r = s->settings->plaintext ? identity_load(path, identity)
					   : tls_new(path, TLS_SERVER, identity, &s->tls);

	if (r)
		snprintf(error, size,
			"cannot keep the server's key in '%s': %s; choose a folder with --data",
			folder->path, r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	free(path);
	return r;
}

/* Less would not hold one message of every size. */
static int check_limits(const struct settings *t, char *error, size_t size)
{
	if (t->keep_bytes <= 0 || t->keep_bytes >= KEEP_BYTES_LEAST)
		return 0;
	snprintf(error, size, "--keep-bytes must be 0 or at least %d", KEEP_BYTES_LEAST);
	return ERR_ARGUMENT;
}

/* ---- starting ---- */

/* A server without an operator says how to become one. */
static int offer_operator(struct server *s, char *error, size_t size)
{
	char code[OP_CODE_SIZE];
	struct charter charter;

	int r = chat_charter(s->chat, &charter);
	bool has = r == 0 && charter_has_any(&charter, STANDING_MODERATOR);
	charter_fini(&charter);
	if (r == 0 && !has && op_code_read(s->op_code, code) != 0)
		r = op_code_make(s->op_code, code);
	if (r)
		snprintf(error, size, "cannot keep the operator code in '%s': %s", s->folder.path,
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	else if (!has)
		log_info("this server has no operator; the first who types /op %s is one", code);
	return r;
}

/* Where the log is, and what may be in it. */
static void choose_log(
	const struct server *s, struct engine_config *log, struct chat_config *config)
{
	const struct settings *t = s->settings;

	*log = (struct engine_config){
		.folder = s->folder.path,
		.sync = (enum engine_sync)t->sync,
		.keep_bytes = t->keep_bytes < 0 ? 0 : (uint64_t)t->keep_bytes,
		.keep_messages = t->keep_messages < 0 ? 0 : (uint64_t)t->keep_messages,
		.keep_days = or_off(t->keep_days, 0),
	};
	config->log = t->history == HISTORY_ON ? log : NULL;
	config->keep_bytes = t->keep_bytes > 0 ? (size_t)t->keep_bytes : SETTINGS_MEMORY_BYTES;
}

/* All that is to be read and looked at before there is any thread. The motd is for free(). */
static int prepare_chat(struct server *s, struct chat_config *config, struct engine_config *log,
	char **motd, char *error, size_t size)
{
	*config = (struct chat_config){.window_bytes = (size_t)s->settings->window_bytes};
	int r = load_identity(s, &config->identity, error, size);

	if (r == 0)
		r = make_policy(s->settings, &config->policy, error, size);
	if (r == 0)
		r = read_motd(s->settings, motd, error, size);
	if (r)
		return r;
	s->policy = config->policy;
	config->motd = *motd;
	config->admission = s->admission;
	config->op_code = s->op_code;
	choose_log(s, log, config);
	return config->log ? log_file_check(&s->folder, clock_ms() + LOOK_MS, error, size) : 0;
}

static int start_chat(struct server *s, const struct chat_config *config, char *error, size_t size)
{
	int r = chat_start(config, &s->chat, error, size);

	if (r == 0 && !s->settings->plaintext)
		r = offer_operator(s, error, size);
	if (r)
		return r;
	struct clients_limits limits = make_limits(s->settings);
	r = clients_new(s->chat, s->tls, &limits, thread_stack(), &s->clients);
	if (r)
		snprintf(error, size, "cannot start: %s",
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	return r;
}

/* Sockets that were handed over go before those that were asked for. */
static int open_listeners(struct server *s, char *error, size_t size)
{
	const struct option_list *wanted = &s->settings->listen;
	size_t count;
	int r = activation_take(LISTENERS_MAX, &count, error, size);

	if (r)
		return r;
	if (count == 0)
		return listeners_open(&s->listeners, wanted, error, size);
	if (wanted->count > 0)
		log_warning("--listen does not count: %zu sockets were handed over (LISTEN_FDS)",
			count);
	return listeners_adopt(&s->listeners, ACTIVATION_FIRST, count, error, size);
}

static uint32_t count_people(void *context)
{
	return people_count(chat_people(((struct server *)context)->chat));
}

/* A server that nobody finds by itself is still a server. */
static void start_announcer(struct server *s)
{
	struct announcer_config config = {
		.name = s->policy.name,
		.most = most_people(s->settings),
		.listening = s->listeners.addresses,
		.listening_count = s->listeners.address_count,
		.plaintext = s->settings->plaintext,
		.interfaces = &s->settings->interfaces,
		.not_interfaces = &s->settings->not_interfaces,
		.people = count_people,
		.context = s,
	};

	if (s->settings->no_beacon)
		return;
	memcpy(config.server, chat_identity(s->chat)->id, sizeof(config.server));
	int r = announcer_start(&config, &s->announcer);
	if (r)
		log_warning("no beacon, so clients must be told the address: %s",
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
}

/* A server that nobody can ask is still a server. */
static void start_status(struct server *s)
{
	struct status_sources sources = {
		.chat = s->chat,
		.clients = s->clients,
		.listeners = &s->listeners,
		.announcer = s->announcer,
	};
	int r = status_socket_start(&s->folder, &sources, &s->status);

	if (r)
		log_warning("nobody can ask for --status: '%s/%s': %s", s->folder.path,
			STATUS_SOCKET_FILE, r == ERR_SYSTEM ? strerror(errno) : err_text(r));
}

static int enter_sandbox(struct server *s, char *error, size_t size)
{
	const struct settings *t = s->settings;
	const struct sandbox_config config = {
		.mode = (enum sandbox_mode)t->sandbox,
		.data = s->folder.path,
		.port_file = t->port_file,
		.files = {t->config, t->motd, t->password_file, t->allow_keys},
	};

	/* What SQLite cannot hold in memory it puts into files that have no name. Nowhere else could it
	 * make them, and nobody else should be able to read them. */
	if (setenv("SQLITE_TMPDIR", s->folder.path, 1) != 0) {
		snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	return sandbox_enter(&config, &s->sandbox, error, size);
}

/* What needs rights, or is to be confined from its first moment on: no thread runs yet. Then the
 * sandbox is entered, and the threads start. */
static int start_parts(struct server *s, char *error, size_t size)
{
	struct chat_config config;
	struct engine_config log;
	char *motd = NULL;

	int r = prepare_chat(s, &config, &log, &motd, error, size);
	if (r == 0)
		r = open_listeners(s, error, size);
	if (r == 0)
		r = port_file_write(&s->port_file, s->settings->port_file, s->listeners.addresses,
			s->listeners.address_count, error, size);
	if (r == 0)
		r = enter_sandbox(s, error, size);
	if (r == 0)
		r = start_chat(s, &config, error, size);
	free(motd);
	if (r == 0)
		r = listeners_start(
			&s->listeners, thread_stack(), clients_take, s->clients, error, size);
	if (r)
		return r;
	start_announcer(s);
	start_status(s);
	return port_file_publish(&s->port_file, error, size);
}

static void tell_sandbox(const struct server *s)
{
	char text[256];

	sandbox_describe(&s->sandbox, text, sizeof(text));
	if (privileges_are_roots())
		log_warning("%s", text);
	else
		log_info("%s", text);
	/* It was read as root. */
	if (s->settings->user && s->settings->config && access(s->settings->config, R_OK) != 0)
		log_warning("SIGHUP will change nothing: '%s' cannot read '%s'", s->settings->user,
			s->settings->config);
}

/* The user that the settings name, before anything is made that would be root's. */
static int become_user(const struct settings *t, char *error, size_t size)
{
	struct privileges p;
	int r = privileges_find(t->user, &p, error, size);

	if (r || !p.change)
		return r;
	privileges_take_home(&p);
	r = data_folder_give(t->data, p.uid, p.gid, p.name, error, size);
	return r ? r : privileges_become(&p, error, size);
}

/* Are the files fine? */
static int check_admission(const struct settings *t, char *error, size_t size)
{
	/* A key that is not proven is worth nothing. */
	if (t->allow_keys && t->plaintext) {
		snprintf(error, size, "--allow-keys needs TLS, so it cannot go with --plaintext");
		return ERR_ARGUMENT;
	}
	struct admission *a = admission_new();
	int r = a ? admission_load(a, t->password_file, t->allow_keys, error, size) : ERR_MEMORY;

	admission_free(a);
	return r;
}

static int load_admission(
	struct server *s, const struct settings *t, char *error, size_t size)
{
	int r = check_admission(t, error, size);

	return r ? r : admission_load(s->admission, t->password_file, t->allow_keys, error, size);
}

int server_start(const struct settings *settings, struct server **out, char *error, size_t size)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	s->settings = settings;
	int r = check_limits(settings, error, size);
	if (r == 0)
		r = become_user(settings, error, size);
	if (r == 0)
		r = data_folder_open(settings->data, &s->folder, error, size);
	if (r) {
		free(s);
		return r;
	}
	log_file_tidy(&s->folder);
	r = op_code_new(&s->folder, &s->op_code);
	if (r == 0 && !(s->admission = admission_new()))
		r = ERR_MEMORY;
	if (r)
		snprintf(error, size, "%s", err_text(r));
	else
		r = load_admission(s, settings, error, size);
	if (r == 0)
		r = start_parts(s, error, size);
	if (r) {
		server_stop(s);
		return r;
	}
	tell_sandbox(s);
	*out = s;
	return 0;
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	status_socket_stop(s->status); /* it asks all the others */
	listeners_stop(&s->listeners);
	announcer_stop(s->announcer);
	if (s->clients)
		clients_stop(s->clients, clock_ms() + GOODBYE_MS);
	clients_free(s->clients);
	chat_stop(s->chat);
	admission_free(s->admission);
	op_code_free(s->op_code);
	tls_free(s->tls);
	port_file_remove(&s->port_file);
	data_folder_close(&s->folder);
	free(s);
}

int server_check(const struct settings *settings, char *error, size_t size)
{
	char host[NET_HOST_MAX];
	struct privileges user;
	struct policy policy;
	uint16_t port;
	char *motd;

	for (size_t i = 0; i < settings->listen.count; i++) {
		if (net_parse(settings->listen.items[i], NET_PORT, host, &port) != 0) {
			snprintf(error, size, "'%s' is not an address to listen on",
				settings->listen.items[i]);
			return ERR_ARGUMENT;
		}
	}
	int r = privileges_find(settings->user, &user, error, size);
	if (r == 0)
		r = make_policy(settings, &policy, error, size);
	if (r == 0)
		r = read_motd(settings, &motd, error, size);
	if (r == 0)
		free(motd);
	if (r == 0)
		r = check_admission(settings, error, size);
	return r ? r : check_limits(settings, error, size);
}

/* ---- while it runs ---- */

/* What cannot be read now could perhaps be read at the start, and will be at the next. */
static void explain_sandbox(const struct server *s, int r, char *error, size_t size)
{
	size_t used = strlen(error);

	if (r == ERR_SYSTEM && errno == EACCES && s->sandbox.landlock_abi > 0)
		snprintf(error + used, size - used,
			" (the sandbox allows the folders that --config and --motd named at the "
			"start)");
}

int server_reload(struct server *s, const struct settings *settings, char *error, size_t size)
{
	struct policy policy;
	char *motd;

	int r = make_policy(settings, &policy, error, size);
	if (r == 0) {
		r = read_motd(settings, &motd, error, size);
		explain_sandbox(s, r, error, size);
	}
	if (r)
		return r;
	r = load_admission(s, settings, error, size);
	if (r) {
		free(motd);
		return r;
	}
	r = chat_set_motd(s->chat, motd);
	free(motd);
	if (r) {
		snprintf(error, size, "the motd: %s", err_text(r));
		return r;
	}
	chat_set_policy(s->chat, &policy);
	struct clients_limits limits = make_limits(settings);
	clients_set_limits(s->clients, &limits);
	if (s->announcer)
		announcer_update(s->announcer, policy.name, most_people(settings));
	s->policy = policy;
	return 0;
}

int server_fd(const struct server *s)
{
	return clients_fd(s->clients);
}

void server_reap(struct server *s)
{
	clients_reap(s->clients);
}

size_t server_clients(struct server *s)
{
	return clients_count(s->clients);
}

void server_nudge(struct server *s)
{
	for (size_t i = 0; i < s->listeners.count; i++)
		acceptor_nudge(s->listeners.acceptors[i]);
	chat_nudge(s->chat);
	(void)clients_count(s->clients);
	(void)people_count(chat_people(s->chat));
}

size_t server_turns(const struct server *s, unsigned *turns, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < s->listeners.count && n < most; i++)
		turns[n++] = acceptor_turns(s->listeners.acceptors[i]);
	if (n < most)
		turns[n++] = chat_turns(s->chat);
	return n;
}

const char *server_name(const struct server *s)
{
	return s->policy.name;
}

const uint8_t *server_id(const struct server *s)
{
	return chat_identity(s->chat)->id;
}

size_t server_invite(const struct server *s, struct net_address *out, size_t most)
{
	return invite_addresses(s->listeners.addresses, s->listeners.address_count, out, most);
}
