/*
 * What a connection may ask for in a while: a token bucket. Each message costs something, by how
 * much work it makes for the server and for others; whoever has nothing left is not read from until
 * there is some again. Nothing is refused and nothing is lost: TCP slows the sender.
 *
 * A message is paid after it was acted on, so that one that costs more than there ever is can be had
 * as well. Pure; a plain value for one thread. Times are clock_ms.
 */
#ifndef LANCHAT_SERVER_BUDGET_H
#define LANCHAT_SERVER_BUDGET_H

#include <stdint.h>

struct budget {
	uint32_t rate;  /* tokens a second; 0: everything is free */
	uint32_t burst; /* tokens there are at most */
	int64_t tokens; /* in thousandths; below 0: owed */
	int64_t at;     /* as of then */
};

/* A full one. */
void budget_init(struct budget *b, uint32_t rate, uint32_t burst, int64_t now);

/* Pay for a message of that number. */
void budget_pay(struct budget *b, uint16_t number);

/* Pay for what a request has of its own: so many entries that are looked for from the newest back. */
void budget_pay_entries(struct budget *b, uint32_t entries);

/* When the next message may be acted on: `now` if at once. */
int64_t budget_ready(struct budget *b, int64_t now);

/* What a message costs. */
uint32_t budget_cost(uint16_t number);

#endif
