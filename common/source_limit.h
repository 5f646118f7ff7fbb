/*
 * How much one source may ask for: a token bucket for each address, and one for
 * all of them together.
 *
 * The table has a fixed size. A source that is not in it starts with a full
 * bucket in the place of the one not heard for longest among a few; whoever makes
 * up many sources therefore gains nothing against one victim, and against all of
 * them the common bucket stands. Ports do not matter. A plain value for one
 * thread; time is passed in.
 */
#ifndef LANCHAT_SOURCE_LIMIT_H
#define LANCHAT_SOURCE_LIMIT_H

#include "common/net.h"

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_LIMIT_SETS 64
#define SOURCE_LIMIT_WAYS 4

/* `burst` at once, and `per_second` in the long run. */
struct source_rate {
	uint32_t per_second;
	uint32_t burst;
};

/* Tokens are counted in thousandths. */
struct source_bucket {
	uint8_t key[16]; /* the address, IPv4 as IPv4-mapped; all zero when unused */
	uint64_t tokens;
	int64_t at_ms; /* when they were counted */
	uint64_t used; /* the turn that it was last used in */
};

struct source_limit {
	struct source_rate each, together;
	struct source_bucket all;
	uint64_t turn;
	struct source_bucket sets[SOURCE_LIMIT_SETS][SOURCE_LIMIT_WAYS];
};

/* Nobody has asked yet. */
void source_limit_init(struct source_limit *l, struct source_rate each, struct source_rate together,
	int64_t now_ms);

/* May `from` have one more now? It is counted when so. */
bool source_limit_allows(struct source_limit *l, const struct net_address *from, int64_t now_ms);

#endif
