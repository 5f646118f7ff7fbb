#include "tools/stress/swarm_private.h"

#include <stdlib.h>
#include <string.h>

static void tell_clients(struct swarm *s, struct result *r)
{
	r->by_client = calloc(s->plan->clients, sizeof(*r->by_client));
	for (uint32_t i = 0; r->by_client && i < s->plan->clients; i++) {
		const struct client *c = &s->clients[i];
		r->by_client[i] = (struct result_client){
			.delivered = c->delivered,
			.mean_us = c->delivered ? (uint32_t)(c->latency_sum / c->delivered) : 0,
			.most_us = c->latency_most,
			.slow = c->role == ROLE_SLOW,
		};
	}
}

void swarm_tell(struct swarm *s, struct result *r)
{
	struct tally *t = &s->tally;

	if (s->cut_short || s->no_end)
		r->outstanding = swarm_take_outstanding(s);
	else
		swarm_take_missing(s);
	r->partly_away = s->left > 0 && !s->protocol->resumes;
	r->no_end = s->no_end;
	r->waited = (double)s->waited / 1e6;
	r->own_pause = (double)s->paused / 1e6;
	r->gaps = s->gaps;
	r->unacknowledged = s->unacknowledged;
	r->stopped = s->cut_short;
	memcpy(r->agent, s->agent, sizeof(r->agent));
	r->unsent = s->unsent + s->held_back;
	r->sent_late = s->held_back;
	r->load_seconds = (double)(s->load_ended - s->load_began) / 1e6;
	r->seconds = (double)(s->last_delivery - s->load_began) / 1e6;
	if (r->seconds < r->load_seconds)
		r->seconds = r->load_seconds;
	r->sent = t->sent;
	r->acknowledged = t->acknowledged;
	r->delivered = t->delivered;
	r->lost = s->ledger.lost;
	r->lost_disconnected = s->lost_disconnected;
	r->senders_out = s->senders_out;
	r->doubled = s->ledger.doubled;
	r->reordered = s->ledger.reordered;
	r->foreign = s->foreign;
	r->disconnected = s->disconnected;
	r->churned = s->churned;
	r->quit = s->quit;
	histogram_view_merge(&t->latency, &t->now);
	r->latency = t->latency;
	r->service = s->plan->rate > 0 ? t->service : t->latency;
	r->acknowledge = t->acknowledge;
	r->most = t->most;
	r->by_second = t->seconds;
	r->seconds_count = t->count;
	t->seconds = NULL;
	t->count = t->size = 0;
	tell_clients(s, r);
}
