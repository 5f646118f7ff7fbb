#include "tools/lab/progress.h"

#include "common/lock.h"
#include "common/wakeup.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_MS 2000 /* most scenarios are over by then */
#define EVERY_MS 1000
#define ERASE    "\r\033[K"

struct progress {
	struct stage *stage;
	FILE *out;
	int done; /* eventfd */
	pthread_t thread;
};

char *progress_line(struct stage *s, int64_t ms, char out[PROGRESS_LINE])
{
	static const char *const names[SIDES] = {"TCP", "UDP"};
	int n = snprintf(out, PROGRESS_LINE, "%s: %" PRId64 " s so far",
		stage_options(s)->scenario->name, ms / 1000);

	for (int side = 0; side < SIDES && n > 0 && n < PROGRESS_LINE; side++) {
		struct score x;
		stage_score(s, (enum side)side, &x);
		if (x.sent)
			n += snprintf(out + n, (size_t)(PROGRESS_LINE - n),
				"; %s: %" PRIu64 " of %u received", names[side], x.received,
				stage_options(s)->count);
	}
	return out;
}

static void *tell(void *of)
{
	struct progress *p = of;
	struct pollfd done = {.fd = p->done, .events = POLLIN};
	char line[PROGRESS_LINE];
	int wait = FIRST_MS;

	while (poll(&done, 1, wait) == 0) {
		fprintf(p->out, ERASE "%s", progress_line(p->stage, stage_ms(p->stage), line));
		(void)fflush(p->out);
		wait = EVERY_MS;
	}
	return NULL;
}

struct progress *progress_start(struct stage *s, FILE *out)
{
	struct progress *p = isatty(fileno(out)) ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->stage = s;
	p->out = out;
	if (wakeup_open(&p->done) != 0) {
		free(p);
		return NULL;
	}
	if (pthread_create(&p->thread, NULL, tell, p) == 0)
		return p;
	net_close(p->done);
	free(p);
	return NULL;
}

void progress_stop(struct progress *p)
{
	if (!p)
		return;
	wakeup_signal(p->done);
	PTHREAD_OK(pthread_join(p->thread, NULL));
	fprintf(p->out, ERASE);
	(void)fflush(p->out);
	net_close(p->done);
	free(p);
}
