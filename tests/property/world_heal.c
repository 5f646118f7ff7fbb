#include "tests/property/world_private.h"

#include <poll.h>
#include <stdlib.h>

#define PATIENCE_ROUNDS 500
#define MOMENT          20 /* milliseconds */
#define SOON            INT64_C(3000000)

static bool is_done(struct world *w, int client)
{
	struct client *c = &w->client[client];

	return c->path && link_session_logged_in(c->session) &&
	       link_session_unacknowledged(c->session) == 0 &&
	       !oracle_lacks(&w->oracle, client, world_truth(w));
}

/* One round for one client; was there anything to do? */
static bool advance(struct world *w, int client)
{
	struct client *c = &w->client[client];

	if (!c->path) {
		world_connect(w, client, 0);
		return true;
	}
	world_take_output(w, client);
	path_collect(c->path);
	bool any = c->path->up.start < c->path->up.end || path_has_news(c->path) ||
		   (c->path->ended && c->path->session == NULL);
	world_up(w, client, SIZE_MAX);
	world_down(w, client, SIZE_MAX, SIZE_MAX);
	return any;
}

/* Nothing moves: either something is due soon on the clients' clock, or the server's threads are at
 * it. */
static void wait_a_moment(struct world *w)
{
	struct pollfd fds[CLIENTS_MOST];
	int64_t next = INT64_MAX;
	nfds_t count = 0;

	for (size_t i = 0; i < w->config.clients; i++) {
		struct client *c = &w->client[i];
		int64_t due = link_session_deadline(c->session);
		next = due < next ? due : next;
		if (c->path && !c->path->ended)
			fds[count++] = (struct pollfd){.fd = c->path->fd, .events = POLLIN};
	}
	if (next < w->now + SOON)
		world_pass(w, next > w->now ? next - w->now : 0);
	else
		(void)poll(fds, count, MOMENT);
}

static void complain_of_delay(struct world *w)
{
	for (size_t i = 0; i < w->config.clients; i++) {
		if (is_done(w, (int)i))
			continue;
		verdict_complain(&w->verdict,
			"client %zu does not come to an end: %s, %zu messages unacknowledged%s", i,
			link_session_logged_in(w->client[i].session) ? "logged in"
								     : "not logged in",
			link_session_unacknowledged(w->client[i].session),
			oracle_lacks(&w->oracle, (int)i, world_truth(w))
				? ", something was not shown"
				: "");
	}
}

static void finish(struct world *w)
{
	for (int round = 0; round < PATIENCE_ROUNDS && verdict_is_good(&w->verdict); round++) {
		bool any = false, done = true;
		for (size_t i = 0; i < w->config.clients; i++) {
			any = advance(w, (int)i) || any;
			done = done && is_done(w, (int)i);
		}
		if (done && !any)
			return;
		if (!any)
			wait_a_moment(w);
	}
	complain_of_delay(w);
}

/* After its PONG everything has come that was on its way, so what comes too often is seen as well. */
static void expect_silence(struct world *w)
{
	struct msg_ping ping = {.token = UINT64_MAX};
	uint8_t frame[64];
	size_t used = 0;

	(void)message_encode(MESSAGE_PING, &ping, frame, sizeof(frame), &used);
	for (size_t i = 0; i < w->config.clients && verdict_is_good(&w->verdict); i++) {
		path_send(w->client[i].path, frame, used);
		for (int round = 0; round < PATIENCE_ROUNDS; round++) {
			world_up(w, (int)i, SIZE_MAX);
			world_down(w, (int)i, SIZE_MAX, SIZE_MAX);
			if (!w->client[i].path || w->client[i].path->answered == ping.token)
				break;
			wait_a_moment(w);
		}
	}
}

void world_heal(struct world *w)
{
	world_tell(w, "all comes right");
	truth_set_fault(world_truth(w), FAULT_NONE, 0, 0);
	for (size_t i = 0; i < w->config.clients; i++)
		world_stall(w, (int)i, false);
	while (w->ghosts)
		world_end_ghost(w, &w->ghosts);
	finish(w);
	expect_silence(w);
	if (!verdict_is_good(&w->verdict))
		return;
	for (size_t i = 0; i < w->config.clients; i++) {
		if (!is_done(w, (int)i))
			verdict_complain(&w->verdict, "client %zu is not done after all", i);
	}
	oracle_judge(&w->oracle, world_truth(w));
}
