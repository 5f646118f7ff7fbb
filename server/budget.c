#include "server/budget.h"

#include "common/message.h"

#define THOUSAND        INT64_C(1000)
#define ENTRIES_A_TOKEN 100

uint32_t budget_cost(uint16_t number)
{
	switch (number) {
	case MESSAGE_JOIN: /* everybody in the room hears of these */
	case MESSAGE_PART:
	case MESSAGE_AWAY:
	case MESSAGE_WHOIS:
		return 5;
	case MESSAGE_ROOMS: /* pages */
	case MESSAGE_MEMBERS:
	case MESSAGE_HISTORY:
	case MESSAGE_CHARTER:
	case MESSAGE_AUDIT:
	case MESSAGE_LANE_OPEN: /* keys */
		return 10;
	case MESSAGE_RACE: /* somebody else is asked */
	case MESSAGE_NICK: /* a look into the log, and perhaps an act */
		return 20;
	case MESSAGE_ACT:    /* a transaction each */
	case MESSAGE_UNLOCK: /* a guess */
	case MESSAGE_SEARCH:
		return 50;
	default:
		return 1;
	}
}

void budget_init(struct budget *b, uint32_t rate, uint32_t burst, int64_t now)
{
	*b = (struct budget){.rate = rate, .burst = burst, .tokens = burst * THOUSAND, .at = now};
}

void budget_pay(struct budget *b, uint16_t number)
{
	if (b->rate > 0)
		b->tokens -= budget_cost(number) * THOUSAND;
}

void budget_pay_entries(struct budget *b, uint32_t entries)
{
	if (b->rate > 0)
		b->tokens -= entries / ENTRIES_A_TOKEN * THOUSAND;
}

/* `rate` tokens a second are as many thousandths a millisecond. */
static void refill(struct budget *b, int64_t now)
{
	int64_t most = b->burst * THOUSAND;

	if (now <= b->at)
		return;
	/* A clock that has gone on for months must not overflow it. */
	int64_t full_in = (most - b->tokens) / b->rate + 1;
	b->tokens = now - b->at >= full_in ? most : b->tokens + (now - b->at) * b->rate;
	b->at = now;
}

int64_t budget_ready(struct budget *b, int64_t now)
{
	if (b->rate == 0 || b->tokens > 0)
		return now;
	refill(b, now);
	return b->tokens > 0 ? now : now + -b->tokens / b->rate + 1;
}
