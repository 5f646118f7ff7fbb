#include "tools/stress/result_file.h"

#include <inttypes.h>

/* A field; empty where it is not known. */
static void field(FILE *out, uint64_t number, bool known)
{
	(void)fputc(',', out);
	if (known)
		fprintf(out, "%" PRIu64, number);
}

static void print(const struct result *r, FILE *out)
{
	(void)fputs("at_ms,length_ms,up,sent,delivered,bytes,p50_us,p99_us,max_us,server_cpu_ns,"
		    "server_rss_bytes,own_cpu_permille\n",
		out);
	for (size_t i = 0; i < r->seconds_count; i++) {
		const struct result_second *s = &r->by_second[i];

		fprintf(out, "%" PRIu64, s->at_ms);
		field(out, result_second_ms(r, i), true);
		field(out, s->up, true);
		field(out, s->sent, true);
		field(out, s->delivered, true);
		field(out, s->bytes, true);
		/* Where nothing came, nothing took any time. */
		field(out, s->p50_us, s->delivered > 0);
		field(out, s->p99_us, s->delivered > 0);
		field(out, s->most_us, s->delivered > 0);
		bool seen = r->seen && s->server_resident > 0; /* it has not ended */
		field(out, s->server_cpu_ns, seen);
		field(out, s->server_resident, seen);
		field(out, s->own_cpu_permille, true);
		(void)fputc('\n', out);
	}
}

int result_csv(const struct result *r, const char *path)
{
	return result_file_write(r, path, print);
}
