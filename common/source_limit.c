#include "common/source_limit.h"

#include <netinet/in.h>
#include <string.h>

#define TOKEN 1000U /* one, in the unit that buckets count in */

void source_limit_init(struct source_limit *l, struct source_rate each, struct source_rate together,
	int64_t now_ms)
{
	memset(l, 0, sizeof(*l));
	l->each = each;
	l->together = together;
	l->all.tokens = (uint64_t)together.burst * TOKEN;
	l->all.at_ms = now_ms;
}

static void make_key(const struct net_address *from, uint8_t key[16])
{
	memset(key, 0, 16);
	if (from->u.any.sa_family == AF_INET6) {
		memcpy(key, &from->u.v6.sin6_addr, 16);
		return;
	}
	key[10] = key[11] = 0xff;
	memcpy(key + 12, &from->u.v4.sin_addr, 4);
}

/* FNV-1a. Whoever arranges for collisions only gets fresh buckets, which making up sources gives as
 * well. */
static size_t which_set(const uint8_t key[16])
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < 16; i++)
		hash = (hash ^ key[i]) * 16777619U;
	return (hash ^ hash >> 16) % SOURCE_LIMIT_SETS;
}

static struct source_bucket *find(struct source_limit *l, const uint8_t key[16], int64_t now_ms)
{
	struct source_bucket *set = l->sets[which_set(key)];
	struct source_bucket *oldest = &set[0];

	for (size_t i = 0; i < SOURCE_LIMIT_WAYS; i++) {
		if (memcmp(set[i].key, key, 16) == 0)
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	memcpy(oldest->key, key, 16);
	oldest->tokens = (uint64_t)l->each.burst * TOKEN;
	oldest->at_ms = now_ms;
	return oldest;
}

static void refill(struct source_bucket *b, const struct source_rate *rate, int64_t now_ms)
{
	uint64_t full = (uint64_t)rate->burst * TOKEN;

	if (now_ms <= b->at_ms)
		return;
	/* A thousandth of a token per millisecond is one a second. */
	b->tokens += (uint64_t)(now_ms - b->at_ms) * rate->per_second;
	b->at_ms = now_ms;
	if (b->tokens > full)
		b->tokens = full;
}

bool source_limit_allows(struct source_limit *l, const struct net_address *from, int64_t now_ms)
{
	uint8_t key[16];

	make_key(from, key);
	struct source_bucket *b = find(l, key, now_ms);
	b->used = ++l->turn;
	refill(b, &l->each, now_ms);
	refill(&l->all, &l->together, now_ms);
	if (b->tokens < TOKEN || l->all.tokens < TOKEN)
		return false;
	b->tokens -= TOKEN;
	l->all.tokens -= TOKEN;
	return true;
}
