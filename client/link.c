#include "client/link.h"

#include "client/address_book.h"
#include "client/link_private.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/wakeup.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIVE_UP_MS   10000 /* when the config does not say */
#define QUIT_SOON_MS 5000  /* how long link_quit lets messages go out */

/* ---- start and stop ---- */

static void free_link(struct link *l)
{
	link_session_free(l->session);
	stream_free(l->stream);
	link_bytes_wipe(&l->output);
	free(l->output.bytes);
	free(l->input);
	free(l->host);
	free(l->place);
	free(l->called);
	free(l->data_folder);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	free(l);
}

static int copy_config(struct link *l, const struct link_config *config)
{
	struct link_session_config session = {
		.identity = config->identity,
		.nick = config->nick,
		.password = config->password,
		.ranks = config->ranks,
		.any_nick = config->any_nick,
		.replay = config->replay,
		.server_id = config->server_id,
		.state_folder = config->state_folder,
		.resume = config->resume,
		.follow_log = config->follow_log,
	};
	char address[BOOK_ADDRESS], shown[BOOK_ADDRESS];

	l->port = config->port;
	l->keep_trying = config->keep_trying;
	l->give_up_ms = config->give_up_ms > 0 ? config->give_up_ms : GIVE_UP_MS;
	identity_random(session.instance, sizeof(session.instance));
	l->input = malloc(INPUT_SIZE);
	if (!l->input)
		return ERR_MEMORY;
	route_init(&l->route, config->addresses, config->host ? 0 : config->address_count);
	if (config->host && !(l->host = strdup(config->host)))
		return ERR_MEMORY;
	if (config->host) {
		session.address = book_address(config->host, config->port, address);
	}
	l->tls = config->tls;
	l->resume = config->resume;
	l->server_known = config->server_id != NULL;
	l->follows = l->server_known && l->tls && !config->host;
	l->interfaces = config->interfaces;
	l->not_interfaces = config->not_interfaces;
	if (config->server_id)
		memcpy(l->server_id, config->server_id, sizeof(l->server_id));
	/* No beacon may be called as an address is written. */
	if (!config->host)
		snprintf(address, sizeof(address), "%s%s", LINK_BEACON,
			config->name ? config->name : "");
	l->chosen = config->host || config->chosen;
	l->place = strdup(address);
	l->called = strdup(
		config->host ? net_print_host(config->host, config->port, shown, sizeof(shown))
			     : address + strlen(LINK_BEACON));
	l->data_folder = config->data_folder ? strdup(config->data_folder) : NULL;
	if (!l->place || !l->called || (config->data_folder && !l->data_folder))
		return ERR_MEMORY;
	int r = link_session_new(&session, &l->session);
	if (r == 0)
		memcpy(l->instance, link_session_instance(l->session), sizeof(l->instance));
	return r;
}

int link_start(const struct link_config *config, struct link **out)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return ERR_MEMORY;
	l->wake_fd = -1;
	l->lane_fd = -1;
	int r = wakeup_open(&l->wake_fd);
	if (r == 0)
		r = copy_config(l, config);
	if (r == 0)
		r = event_queue_init(&l->events);
	if (r) {
		free_link(l);
		return r;
	}
	lock_init(&l->lock, LOCK_CLIENT);
	if (pthread_create(&l->thread, NULL, link_thread, l) != 0) {
		lock_fini(&l->lock);
		event_queue_fini(&l->events);
		free_link(l);
		return ERR_SYSTEM;
	}
	*out = l;
	return 0;
}

/* End what was begun under the lock, and let the thread see to it. */
static void drop_and_wake(struct link *l) LOCK_RELEASES(l->lock)
{
	bool woken = l->woken;

	l->woken = true;
	lock_drop(&l->lock);
	if (!woken)
		wakeup_signal(l->wake_fd);
}

static void quit(struct link *l, enum quit how)
{
	lock_take(&l->lock);
	if (l->quit < how)
		l->quit = how;
	l->quit_deadline = clock_ms() + QUIT_SOON_MS;
	drop_and_wake(l);
}

bool link_stop(struct link *l)
{
	if (!l)
		return true;
	quit(l, QUIT_NOW);
	PTHREAD_OK(pthread_join(l->thread, NULL));
	lock_fini(&l->lock);
	event_queue_fini(&l->events);
	bool saved = link_session_save(l->session);
	free_link(l);
	return saved;
}

void link_quit(struct link *l)
{
	quit(l, QUIT_SOON);
}

void link_retry(struct link *l)
{
	lock_take(&l->lock);
	l->retry = true;
	drop_and_wake(l);
}

int link_password(struct link *l, const char *password)
{
	lock_take(&l->lock);
	int r = link_session_password(l->session, password);
	if (r == 0)
		l->retry = true;
	drop_and_wake(l);
	return r;
}

/* ---- events ---- */

int link_fd(const struct link *l)
{
	return l->events.fd;
}

/* The owner comes back, so it has dealt with the event before. What is needed of that one was copied:
 * it is the owner's, and freed by now. */
static void note_done(struct link *l)
{
	if (!l->resume || !l->done_due)
		return;
	l->done_due = false;
	lock_take(&l->lock);
	if (link_session_done(l->session, &l->done))
		drop_and_wake(l);
	else
		lock_drop(&l->lock);
}

static void note_due(struct link *l, const struct event *e)
{
	if (!l->resume || !e)
		return;
	l->done_due = true;
	l->done = (struct event){
		.type = e->type,
		.seq = e->seq,
		.number = e->number,
		.flag = e->flag,
		.own = e->own,
		.room = l->done_room,
	};
	memcpy(l->done.instance, e->instance, sizeof(l->done.instance));
	snprintf(l->done_room, sizeof(l->done_room), "%s", e->room ? e->room : "");
}

struct event *link_next(struct link *l)
{
	bool drained;

	note_done(l);
	struct event *e = event_queue_take(&l->events, &drained);
	note_due(l, e);

	if (drained) {
		/* The thread has stopped reading and can go on. */
		lock_take(&l->lock);
		drop_and_wake(l);
	}
	if (e && e->type == EVENT_LOGGED_IN)
		memcpy(l->instance, e->instance, sizeof(l->instance));
	return e;
}

/* ---- requests: the session has them ready when the thread wakes ---- */

int link_join(struct link *l, const char *room)
{
	lock_take(&l->lock);
	int r = link_session_join(l->session, room);
	drop_and_wake(l);
	return r;
}

int link_part(struct link *l, const char *room)
{
	lock_take(&l->lock);
	int r = link_session_part(l->session, room);
	drop_and_wake(l);
	return r;
}

int link_say(
	struct link *l, const char *room, enum said_kind kind, const char *text, uint64_t *counter)
{
	lock_take(&l->lock);
	int r = link_session_say(l->session, room, kind, text, counter);
	drop_and_wake(l);
	return r;
}

int link_direct(struct link *l, const char *nick, const uint8_t *person, enum said_kind kind,
	const char *text, uint64_t *counter)
{
	lock_take(&l->lock);
	int r = link_session_direct(l->session, nick, person, kind, text, counter);
	drop_and_wake(l);
	return r;
}

int link_nick(struct link *l, const char *nick)
{
	lock_take(&l->lock);
	int r = link_session_nick(l->session, nick);
	drop_and_wake(l);
	return r;
}

int link_away(struct link *l, enum person_state state, const char *text)
{
	lock_take(&l->lock);
	int r = link_session_away(l->session, state, text);
	drop_and_wake(l);
	return r;
}

int link_list_rooms(struct link *l)
{
	lock_take(&l->lock);
	int r = link_session_list_rooms(l->session);
	drop_and_wake(l);
	return r;
}

int link_list_members(struct link *l, const char *room)
{
	lock_take(&l->lock);
	int r = link_session_list_members(l->session, room);
	drop_and_wake(l);
	return r;
}

int link_history(struct link *l, const char *room, enum history_from from, uint64_t value,
	uint16_t limit, uint32_t *request)
{
	lock_take(&l->lock);
	int r = link_session_history(l->session, room, from, value, limit, request);
	drop_and_wake(l);
	return r;
}

int link_search(struct link *l, enum search_where where, const char *room, const char *words,
	uint64_t before, uint16_t limit, uint32_t *request)
{
	lock_take(&l->lock);
	int r = link_session_search(l->session, where, room, words, before, limit, request);
	drop_and_wake(l);
	return r;
}

int link_act(struct link *l, const char *room, const struct link_act *a, uint32_t *request)
{
	lock_take(&l->lock);
	int r = link_session_act(l->session, room, a, request);
	drop_and_wake(l);
	return r;
}

int link_charter(struct link *l, const char *room, uint32_t *request)
{
	lock_take(&l->lock);
	int r = link_session_charter(l->session, room, request);
	drop_and_wake(l);
	return r;
}

int link_audit(struct link *l, const char *room, uint64_t before, uint16_t limit, uint32_t *request)
{
	lock_take(&l->lock);
	int r = link_session_audit(l->session, room, before, limit, request);
	drop_and_wake(l);
	return r;
}

int link_whois(struct link *l, const char *nick, uint32_t *request)
{
	lock_take(&l->lock);
	int r = link_session_whois(l->session, nick, request);
	drop_and_wake(l);
	return r;
}

int link_key(struct link *l, const char *room, const char *key)
{
	lock_take(&l->lock);
	int r = link_session_key(l->session, room, key);
	lock_drop(&l->lock);
	return r;
}

int link_toss(struct link *l, const char *room, const char *text)
{
	lock_take(&l->lock);
	int r = link_session_toss(l->session, room, text, clock_us());
	drop_and_wake(l);
	return r;
}

int link_race(struct link *l, const char *nick, const struct link_race_plan *plan)
{
	lock_take(&l->lock);
	int r = link_session_race(l->session, nick, plan, clock_us());
	drop_and_wake(l);
	return r;
}

void link_race_stop(struct link *l)
{
	lock_take(&l->lock);
	link_session_race_stop(l->session);
	drop_and_wake(l);
}

bool link_race_look(struct link *l, struct link_race *out)
{
	lock_take(&l->lock);
	bool any = link_session_race_look(l->session, clock_us(), out);
	lock_drop(&l->lock);
	return any;
}

int link_race_accept(struct link *l, uint32_t race, uint32_t count)
{
	lock_take(&l->lock);
	int r = link_session_race_accept(l->session, race, count, clock_us());
	drop_and_wake(l);
	return r;
}

int link_race_refuse(struct link *l, uint32_t race, unsigned code)
{
	lock_take(&l->lock);
	int r = link_session_race_refuse(l->session, race, code);
	drop_and_wake(l);
	return r;
}

int link_read(struct link *l, const char *room, uint64_t seq)
{
	lock_take(&l->lock);
	int r = link_session_read(l->session, room, seq);
	drop_and_wake(l);
	return r;
}

size_t link_unacknowledged(const struct link *l)
{
	/* Taking a lock does not change what the owner sees of the link. */
	struct lock *lock = (struct lock *)&l->lock;

	lock_take(lock);
	size_t count = link_session_unacknowledged(l->session);
	lock_drop(lock);
	return count;
}

const uint8_t *link_instance(const struct link *l)
{
	return l->instance;
}
