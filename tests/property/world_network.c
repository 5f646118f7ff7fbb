#include "tests/property/world_private.h"

#include "common/err.h"

#include <assert.h>
#include <inttypes.h>

/* What came of one step has come to all. */
static void settle(struct world *w)
{
	for (size_t i = 0; i < w->config.clients; i++) {
		struct path *p = w->client[i].path;
		if (p && !path_await(p))
			verdict_complain(&w->verdict, "client %zu waits in vain", i);
	}
	for (struct path *p = w->ghosts; p; p = p->next) {
		path_collect(p);
		p->down.start = p->down.end;
		p->scanned = 0;
	}
}

void world_up(struct world *w, int client, size_t bytes)
{
	struct client *c = &w->client[client];

	if (!c->path)
		return;
	world_take_output(w, client);
	size_t all = c->path->up.end - c->path->up.start;
	if (all == 0)
		return;
	world_tell(w, "of %zu bytes from client %d, %zu arrive", all, client,
		bytes < all ? bytes : all);
	path_deliver(c->path, bytes);
	settle(w);
}

/* A client gives its connection up only when the server goes, or when its login on one that it has given
 * up arrives after its newest. */
static void judge_end(struct world *w, int client, int result)
{
	unsigned code;
	const char *why = link_session_reason(w->client[client].session, &code);

	if (result != ERR_CLOSED || (code != CODE_STOPPING && code != CODE_ALREADY))
		verdict_complain(&w->verdict, "client %d gives its connection up: %s (%s)", client,
			why, err_text(result));
}

/* Give the client what has arrived. */
static void feed(struct world *w, int client)
{
	struct client *c = &w->client[client];
	struct path *p = c->path;
	size_t used = 0;

	int r = link_session_input(
		c->session, p->down.bytes + p->down.start, p->visible, w->now, &used);
	world_take_events(w, client);
	path_shown(p, used);
	if (r != 0) {
		judge_end(w, client, r);
		world_tell(w, "client %d hangs up", client);
		world_hang_up(w, client);
	} else if (p->ended && !path_has_news(p)) {
		/* What is left, if anything, is a part of a frame. */
		world_tell(w, "client %d finds its server gone", client);
		world_hang_up(w, client);
	}
}

void world_down(struct world *w, int client, size_t frames, size_t bytes)
{
	struct path *p = w->client[client].path;

	if (!p)
		return;
	path_collect(p);
	if (!p->ended && p->down.start == p->down.end)
		return;
	path_show(p, frames, bytes);
	world_tell(w, "of %zu bytes for client %d, %zu have arrived", p->down.end - p->down.start,
		client, p->visible);
	if (p->down.bytes)
		feed(w, client);
	else
		world_hang_up(w, client);
}

void world_break(struct world *w, int client, bool haunting)
{
	struct client *c = &w->client[client];

	if (!c->path)
		return;
	haunting = haunting && w->ghost_count < GHOSTS_MOST && c->path->session;
	world_tell(w, "client %d is cut off%s", client,
		haunting ? ", which the server does not notice" : "");
	if (!haunting) {
		world_hang_up(w, client);
		return;
	}
	world_take_output(w, client);
	struct path *ghost = c->path;
	c->path = NULL;
	link_session_end(c->session);
	world_take_events(w, client);
	ghost->stalled = false;
	ghost->next = w->ghosts;
	w->ghosts = ghost;
	w->ghost_count++;
	settle(w);
}

static struct path **ghost_at(struct world *w, size_t i)
{
	struct path **at = &w->ghosts;

	for (i %= w->ghost_count; i > 0; i--)
		at = &(*at)->next;
	return at;
}

void world_haunt(struct world *w, size_t ghost, size_t bytes)
{
	if (w->ghost_count == 0)
		return;
	struct path *p = *ghost_at(w, ghost);
	size_t all = p->up.end - p->up.start;
	world_tell(w, "of %zu bytes on a connection that person %d gave up, %zu arrive", all,
		p->inbox - (int)w->oracle.rooms, bytes < all ? bytes : all);
	path_deliver(p, bytes);
	settle(w);
}

void world_lay(struct world *w, size_t ghost)
{
	if (w->ghost_count == 0)
		return;
	world_tell(w, "a connection given up long ago ends");
	world_end_ghost(w, ghost_at(w, ghost));
	settle(w);
}

void world_stall(struct world *w, int client, bool stalled)
{
	struct path *p = w->client[client].path;

	if (!p || p->stalled == stalled || p->ended ||
		(stalled && !link_session_logged_in(w->client[client].session)))
		return;
	world_tell(w, "client %d %s", client, stalled ? "stops reading" : "reads on");
	p->stalled = stalled;
	settle(w);
}

void world_repeat(struct world *w, int client, uint64_t counter)
{
	const struct author *a = &w->oracle.author[client];
	struct path *p = w->client[client].path;
	uint8_t frame[8192];
	size_t used = 0;
	int r;

	if (!p || !link_session_logged_in(w->client[client].session) ||
		!truth_find(p->truth, (unsigned)client + 1, counter))
		return;
	const struct said *said = &a->messages[counter - 1];
	world_tell(w, "message %" PRIu64 " of client %d is sent once more", counter, client);
	world_take_output(w, client);
	if (said->room >= 0) {
		struct msg_say m = {.counter = counter,
			.room = span_of(world_rooms[said->room]),
			.text = span_of(said->text)};
		r = message_encode(MESSAGE_SAY, &m, frame, sizeof(frame), &used);
	} else {
		struct msg_direct m = {.counter = counter, .text = span_of(said->text)};
		oracle_person(said->person, m.person);
		m.nick = span_of("somebody");
		r = message_encode(MESSAGE_DIRECT, &m, frame, sizeof(frame), &used);
	}
	assert(r == 0);
	(void)r;
	path_send(p, frame, used);
}
