#include "tools/lab/impair.h"

#define SECOND 1000000000ULL

/* What a packet draws, in this order. */
struct draws {
	double loss, duplicate, reorder, jitter[2]; /* 0 to 1, without 1 */
};

/* SplitMix64, with which the authors of xoshiro256** fill its state: https://prng.di.unimi.it */
static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t rotated(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t next_random(uint64_t s[4])
{
	uint64_t result = rotated(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotated(s[3], 45);
	return result;
}

static double draw(struct impairer *p)
{
	return (double)(next_random(p->random) >> 11) * 0x1.0p-53;
}

static struct draws draw_all(struct impairer *p)
{
	struct draws d;

	d.loss = draw(p);
	d.duplicate = draw(p);
	d.reorder = draw(p);
	d.jitter[0] = draw(p);
	d.jitter[1] = draw(p);
	return d;
}

void impairer_init(struct impairer *p, const struct impairment *how, uint64_t seed)
{
	*p = (struct impairer){.now = *how};
	for (size_t i = 0; i < 4; i++)
		p->random[i] = split_mix(&seed);
}

void impairer_set(struct impairer *p, const struct impairment *how)
{
	p->now = *how;
}

/* An IP packet has less than 2^16 bytes. */
static uint64_t line_ns(size_t bytes, uint64_t rate_bps)
{
	return bytes * 8 * SECOND / rate_bps;
}

/* How many bytes that time on the line is. The product does not fit into 64 bits. */
static uint64_t line_bytes(uint64_t ns, uint64_t rate_bps)
{
	return (uint64_t)((double)ns * (double)rate_bps / (8.0 * SECOND));
}

/* Put it on the line. False: the queue is full. *left is when its last bit will have left. */
static bool queue(struct impairer *p, uint64_t now, size_t length, uint64_t *left)
{
	const struct impairment *how = &p->now;

	*left = now;
	if (how->rate_bps == 0)
		return true;
	if (p->line_free_ns > now) {
		uint64_t waiting = line_bytes(p->line_free_ns - now, how->rate_bps);
		if (how->queue_bytes && waiting + length > how->queue_bytes)
			return false;
		*left = p->line_free_ns;
	}
	*left += line_ns(length, how->rate_bps);
	p->line_free_ns = *left;
	return true;
}

static uint64_t travel_ns(const struct impairment *how, double jitter)
{
	uint64_t most = how->delay_ns + (uint64_t)(jitter * 2 * (double)how->jitter_ns);

	return most > how->jitter_ns ? most - how->jitter_ns : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct fate impairer_decide(struct impairer *p, uint64_t now_ns, size_t length)
{
	const struct impairment *how = &p->now;
	struct draws d = draw_all(p);
	uint64_t left;

	if (how->mtu && length > how->mtu)
		return (struct fate){.kind = FATE_TOO_LONG};
	if (d.loss < how->loss)
		return (struct fate){.kind = FATE_LOST};
	if (!queue(p, now_ns, length, &left))
		return (struct fate){.kind = FATE_OVERFLOW};

	struct fate f = {.kind = FATE_CARRIED, .copies = 1, .reordered = d.reorder < how->reorder};
	if (how->rate_bps)
		f.queued_ns = left - now_ns - line_ns(length, how->rate_bps);
	f.due_ns[0] = later(left + travel_ns(how, d.jitter[0]), p->last_due_ns);
	if (f.reordered)
		f.due_ns[0] += later(how->delay_ns, IMPAIR_OVERTAKE_NS);
	else
		p->last_due_ns = f.due_ns[0];
	if (d.duplicate < how->duplicate) {
		f.copies = 2;
		f.due_ns[1] = later(left + travel_ns(how, d.jitter[1]), p->last_due_ns);
	}
	uint64_t usual = left - f.queued_ns + how->delay_ns;
	for (uint8_t i = 0; i < f.copies; i++)
		f.late_ns[i] = later(f.due_ns[i], usual) - usual;
	return f;
}

struct fate impairer_drop(struct impairer *p, enum fate_kind why)
{
	(void)draw_all(p);
	return (struct fate){.kind = why};
}

const char *fate_words(enum fate_kind kind)
{
	switch (kind) {
	case FATE_CARRIED:
		return "carried";
	case FATE_LOST:
		return "lost by chance";
	case FATE_SCRIPTED:
		return "on purpose";
	case FATE_OVERFLOW:
		return "the queue was full";
	case FATE_UNPLUGGED:
		return "the wire was unplugged";
	case FATE_TOO_LONG:
		return "longer than the MTU";
	}
	return "";
}
