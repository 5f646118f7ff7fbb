#include "server/server.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/log.h"
#include "common/tls.h"
#include "server/activation.h"
#include "server/admission.h"
#include "server/announcer.h"
#include "server/chat.h"
#include "server/clients.h"
#include "server/data_folder.h"
#include "server/invite.h"
#include "server/lanes.h"
#include "server/listeners.h"
#include "server/logins.h"
#include "server/log_file.h"
#include "server/port_file.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/status_path.h"
#include "server/status_socket.h"
#include "server/store.h"
#include "server/thread.h"
#include "server/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS    1000 /* for looking the log over: about a million entries on an idle machine */
#define GOODBYE_MS 5000 /* for clients to take what is theirs before they are cut off */

struct server {
	const struct settings *settings; /* borrowed */
	struct data_folder folder;       /* ours alone while the server runs */
	struct admission *admission;
	struct op_code *op_code;
	struct chat *chat;
	struct tls *tls; /* NULL: plaintext */
	struct clients *clients;
	struct listeners listeners;
	struct lanes *lanes; /* NULL: none */
	struct announcer *announcer;
	struct status_socket *status; /* NULL: nobody can ask */
	struct policy policy;         /* a copy of the chat's, for the name */
	struct sandbox sandbox;
	struct port_file port_file;
};

static int load_identity(struct server *s, struct identity *identity, char *error, size_t size)
{
	const struct data_folder *folder = &s->folder;
	char *path = data_folder_file(folder, "server.pem");
	int r = ERR_MEMORY;

	if (path)
		r = s->settings->plaintext ? identity_load(path, identity)
					   : tls_new(path, TLS_SERVER, identity, &s->tls);

	if (r == ERR_CRYPTO)
		snprintf(error, size,
			"'%s' is not a server's key (Ed25519, in PEM): restore it, or move it away "
			"to have a new one made, which clients will refuse as a changed key",
			path);
	else if (r)
		snprintf(error, size,
			"cannot keep the server's key in '%s': %s; choose a folder with --data",
			folder->path, r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	free(path);
	return r;
}

/* Without TLS nobody can be told from whoever names their id, and ids are in every list of members. */
static void tell_proven(struct server *s)
{
	struct stream_key nicks;
	uint64_t last = 0, after;

	stream_key_nicks(&nicks);
	if (engine_last(chat_engine(s->chat), &nicks, 0, &last, &after) != 0 || last == 0)
		return;
	log_warning(
		"--plaintext: people proved their keys here under TLS, which nobody can now; what "
		"was said in open rooms is handed out to whoever comes, and the direct messages "
		"and private rooms of those people to nobody");
}

/* ---- starting ---- */

static int offer_operator(struct server *s, char *error, size_t size)
{
	int r = chat_offer_operator(s->chat, NULL);

	if (r)
		snprintf(error, size, "cannot keep the operator code in '%s': %s", s->folder.path,
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	return r;
}

/* All that is to be read and looked at before there is any thread. The motd is for free(). */
static int prepare_chat(struct server *s, struct chat_config *config, struct engine_config *log,
	char **motd, char *error, size_t size)
{
	*config = (struct chat_config){.window_bytes = (size_t)s->settings->window_bytes};
	int r = load_identity(s, &config->identity, error, size);

	if (r == 0)
		r = values_policy(s->settings, &config->policy, error, size);
	if (r == 0)
		r = values_motd(s->settings, motd, error, size);
	if (r)
		return r;
	s->policy = config->policy;
	config->motd = *motd;
	config->admission = s->admission;
	config->op_code = s->op_code;
	values_log(s->settings, s->folder.path, log, config);
	return config->log ? log_file_check(&s->folder, clock_ms() + LOOK_MS, error, size) : 0;
}

/* A server without a lane is still a server, unless a port was asked for. */
static int open_lanes(struct server *s, char *error, size_t size)
{
	long port = s->settings->lane;

	if (port < 0)
		return 0;
	int r = lanes_new(s->listeners.addresses, s->listeners.address_count, (uint16_t)port,
		&s->lanes, error, size);
	if (r == 0 || port > 0)
		return r;
	log_warning("%s", error);
	return 0;
}

static void start_lanes(struct server *s)
{
	if (!s->lanes)
		return;
	int r = lanes_start(s->lanes, s->chat);
	if (r == 0) {
		chat_set_lanes(s->chat, s->lanes);
		if (s->settings->plaintext)
			log_info("the datagram lane is insecure, as everything is without TLS "
				 "(--plaintext)");
		return;
	}
	log_warning("no datagram lane: %s", r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	lanes_stop(s->lanes);
	s->lanes = NULL;
}

static int start_chat(struct server *s, const struct chat_config *config, char *error, size_t size)
{
	int r = chat_start(config, &s->chat, error, size);

	if (r == 0 && !s->settings->plaintext)
		r = offer_operator(s, error, size);
	if (r)
		return r;
	if (s->settings->plaintext)
		tell_proven(s);
	start_lanes(s);
	struct clients_limits limits = values_limits(s->settings);
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
		.most = values_most_people(s->settings),
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
		.lanes = s->lanes,
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
		r = open_lanes(s, error, size);
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

static int load_admission(struct server *s, const struct settings *t, char *error, size_t size)
{
	int r = values_check_admission(t, error, size);

	if (r == 0)
		r = admission_load(s->admission, t->password_file, t->allow_keys, error, size);
	if (r == 0 && admission_is_for_nobody(s->admission))
		log_warning("there is no key in '%s' (--allow-keys), so nobody can log in",
			t->allow_keys);
	return r;
}

static bool is_barred(const void *admission, const struct login *l)
{
	return !admission_has((struct admission *)admission, l->peer->person);
}

/* Whoever was taken off the list of keys is there no longer. */
static void end_barred(struct server *s)
{
	static const struct login_end end = {.why = CODE_NOT_ALLOWED};

	logins_end(chat_logins(s->chat), is_barred, s->admission, &end);
}

/* Without a history on disk nothing outlives the server, which those who count on it should know; least
 * of all what an earlier one decided. */
static void tell_history(const struct server *s)
{
	if (s->settings->history != HISTORY_OFF)
		return;
	char *path = data_folder_file(&s->folder, STORE_FILE);
	if (path && access(path, F_OK) == 0)
		log_warning(
			"--history off: what was decided in '%s' does not count: its operators, "
			"bans, private rooms and the owners of nicks are as if they were not",
			path);
	else
		log_info(
			"--history off: operators, bans, private rooms and the owners of nicks are "
			"forgotten when the server ends");
	free(path);
}

int server_start(const struct settings *settings, struct server **out, char *error, size_t size)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	s->settings = settings;
	int r = values_check_keeping(settings, error, size);
	if (r == 0)
		r = values_check_lane(settings, error, size);
	if (r == 0)
		r = become_user(settings, error, size);
	if (r == 0)
		r = data_folder_open(settings->data, &s->folder, error, size);
	if (r) {
		free(s);
		return r;
	}
	r = data_folder_own(&s->folder, error, size);
	if (r) {
		data_folder_close(&s->folder);
		free(s);
		return r;
	}
	log_file_tidy(&s->folder);
	tell_history(s);
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
	lanes_stop(s->lanes);
	chat_stop(s->chat);
	admission_free(s->admission);
	op_code_free(s->op_code);
	tls_free(s->tls);
	port_file_remove(&s->port_file);
	data_folder_close(&s->folder);
	free(s);
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

	int r = values_policy(settings, &policy, error, size);
	if (r == 0) {
		r = values_motd(settings, &motd, error, size);
		explain_sandbox(s, r, error, size);
	}
	if (r)
		return r;
	r = load_admission(s, settings, error, size);
	if (r) {
		free(motd);
		return r;
	}
	end_barred(s);
	r = chat_set_motd(s->chat, motd);
	free(motd);
	if (r) {
		snprintf(error, size, "the motd: %s", err_text(r));
		return r;
	}
	chat_set_policy(s->chat, &policy);
	struct clients_limits limits = values_limits(settings);
	clients_set_limits(s->clients, &limits);
	if (s->announcer)
		announcer_update(s->announcer, policy.name, values_most_people(settings));
	s->policy = policy;
	return 0;
}

int server_fd(const struct server *s)
{
	return clients_fd(s->clients);
}

int64_t server_next(const struct server *s)
{
	return clients_next(s->clients);
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
