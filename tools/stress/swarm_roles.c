#include "common/err.h"
#include "tools/stress/swarm_private.h"

#define SIP_BYTES  1024             /* of a slow reader, */
#define SIP_EVERY  INT64_C(50000)   /* so often: 20 KiB a second */
#define AWAY_LEAST INT64_C(50000)   /* microseconds, for which who comes and goes is away */
#define AWAY_MORE  UINT64_C(950000) /* and up to so many more */
#define TRIES      64               /* to find one by chance who is here */

void swarm_roles_begin(struct swarm *s, int64_t now)
{
	s->next_sip = now + SIP_EVERY;
	s->quit_at = now + s->plan->duration / 2;
	s->next_churn = s->plan->churn > 0 ? now : INT64_MAX;
}

static void sip(struct swarm *s)
{
	for (uint32_t i = 0; i < s->plan->clients; i++) {
		struct client *c = &s->clients[i];
		if (c->role == ROLE_SLOW && c->state == CLIENT_UP)
			swarm_client_read(s, c, SIP_BYTES);
	}
}

static void quit(struct swarm *s)
{
	for (uint32_t i = 0; i < s->plan->clients; i++) {
		struct client *c = &s->clients[i];
		if (c->role != ROLE_QUITS || c->state != CLIENT_UP)
			continue;
		/* One in good order, the next as if its cable were cut. */
		swarm_client_close(s, c, s->quit++ % 2 == 0);
	}
}

static struct client *any_who_churns(struct swarm *s)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t number = plan_random(&s->chance) % s->plan->clients;
		struct client *c = &s->clients[number];
		if (c->role == ROLE_CHURNS && c->state == CLIENT_UP)
			return c;
	}
	return NULL; /* nearly all of them are away */
}

/* Does somebody leave? */
static bool churn(struct swarm *s, int64_t now)
{
	struct client *c = any_who_churns(s);

	if (!c)
		return false;
	s->left++;
	swarm_client_close(s, c, s->left % 2 == 0);
	swarm_take_away(s, c);
	c->state = CLIENT_AWAY;
	c->back_at = now + AWAY_LEAST + (int64_t)(plan_random(&s->chance) % AWAY_MORE);
	s->away++;
	return true;
}

/* Those whose time has come leave, as far as anybody is there to. */
static void churn_some(struct swarm *s, int64_t now)
{
	int64_t each = s->plan->churn < 1e6 ? (int64_t)(1e6 / s->plan->churn) : 1;

	while (now >= s->next_churn)
		s->next_churn = (churn(s, now) ? s->next_churn : now) + each;
}

static void come_back(struct swarm *s, int64_t now)
{
	for (uint32_t i = 0; i < s->plan->clients && s->away; i++) {
		struct client *c = &s->clients[i];
		if (c->state != CLIENT_AWAY || !c->back_at || c->back_at > now)
			continue;
		s->away--;
		swarm_client_dial(s, c);
	}
}

void swarm_roles_turn(struct swarm *s, int64_t now)
{
	if (now >= s->next_sip) {
		s->next_sip = now + SIP_EVERY;
		if (s->plan->slow)
			sip(s);
		if (s->away)
			come_back(s, now);
	}
	if (s->plan->quit && now >= s->quit_at) {
		s->quit_at = INT64_MAX;
		quit(s);
	}
	if (now >= s->next_churn)
		churn_some(s, now);
}

void swarm_roles_stay(struct swarm *s)
{
	s->next_churn = s->quit_at = INT64_MAX;
}

void swarm_roles_end(struct swarm *s, int64_t now)
{
	for (uint32_t i = 0; i < s->plan->clients; i++) {
		struct client *c = &s->clients[i];
		if (c->state == CLIENT_AWAY && c->back_at)
			c->back_at = now;
		else if (c->role == ROLE_SLOW && c->state == CLIENT_UP)
			swarm_client_hurry(s, c);
	}
	come_back(s, now);
}
