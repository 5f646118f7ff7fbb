#include "tools/stress/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define LEAST  INT64_C(1000)

uint64_t tally_own_cpu(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t tally_own_wait(void)
{
	FILE *f = fopen("/proc/self/schedstat", "re");
	char line[96], *end;
	uint64_t wait = 0;

	if (f && fgets(line, sizeof(line), f)) {
		(void)strtoull(line, &end, 10); /* of running */
		wait = strtoull(end, NULL, 10);
	}
	if (f)
		(void)fclose(f);
	return wait;
}

void tally_most(struct tally *t, const struct subject_sample *s)
{
	if (s->resident > t->most.resident)
		t->most.resident = s->resident;
	if (s->threads > t->most.threads)
		t->most.threads = s->threads;
	if (s->descriptors > t->most.descriptors)
		t->most.descriptors = s->descriptors;
	if (s->cpu_ns > t->most.cpu_ns)
		t->most.cpu_ns = s->cpu_ns;
}

static struct subject_sample look(struct tally *t, struct subject *subject)
{
	struct subject_sample s = {0};

	if (subject && subject_look(subject, &s) == 0)
		tally_most(t, &s);
	return s;
}

void tally_begin(struct tally *t, int64_t now, struct subject *subject)
{
	struct subject_sample s = look(t, subject);

	t->began = now;
	t->next = now + SECOND;
	t->own_cpu = tally_own_cpu();
	t->last = (struct result_second){
		.sent = t->sent,
		.delivered = t->delivered,
		.bytes = t->bytes_in,
		.server_cpu_ns = s.cpu_ns,
	};
}

/* Where memory is out, this second is left out. */
static struct result_second *add(struct tally *t)
{
	if (t->count == t->size) {
		size_t size = t->size ? t->size * 2 : 64;
		struct result_second *more = realloc(t->seconds, size * sizeof(*more));
		if (!more)
			return NULL;
		t->seconds = more;
		t->size = size;
	}
	return &t->seconds[t->count++];
}

bool tally_turn(struct tally *t, int64_t now, uint32_t up, struct subject *subject, bool force)
{
	int64_t length = now - (t->next - SECOND);
	if (!t->next || (now < t->next && !force))
		return false;
	/* Of nothing there is nothing to say. */
	if (length < LEAST && t->delivered == t->last.delivered && t->sent == t->last.sent)
		return false;
	struct subject_sample s = look(t, subject);
	struct result_second *second = add(t);
	uint64_t own = tally_own_cpu();

	if (second)
		*second = (struct result_second){
			.at_ms = (uint64_t)(now - t->began) / 1000,
			.up = up,
			.sent = t->sent - t->last.sent,
			.delivered = t->delivered - t->last.delivered,
			.bytes = t->bytes_in - t->last.bytes,
			.p50_us = (uint32_t)histogram_quantile(&t->now, 0.5),
			.p99_us = (uint32_t)histogram_quantile(&t->now, 0.99),
			.most_us = (uint32_t)t->now.most,
			.server_cpu_ns = s.cpu_ns > t->last.server_cpu_ns
						 ? s.cpu_ns - t->last.server_cpu_ns
						 : 0, /* it has ended */
			.server_resident = s.resident,
			.own_cpu_permille =
				length > 0 ? (uint32_t)((own - t->own_cpu) / (uint64_t)length) : 0,
		};
	histogram_view_merge(&t->latency, &t->now);
	memset(&t->now, 0, sizeof(t->now));
	t->last = (struct result_second){
		.sent = t->sent,
		.delivered = t->delivered,
		.bytes = t->bytes_in,
		.server_cpu_ns = s.cpu_ns,
	};
	t->own_cpu = own;
	t->next = now + SECOND;
	return second != NULL;
}

void tally_fini(struct tally *t)
{
	free(t->seconds);
	t->seconds = NULL;
}
