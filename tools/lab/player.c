#include "tools/lab/player.h"

#include "common/err.h"
#include "common/lock.h"
#include "common/wakeup.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

struct player {
	struct stage *stage; /* owned */
	pthread_t thread;
	int over_fd;
	bool joined;
	int result; /* the thread's own until `over` */
	atomic_bool over;
};

static void *play(void *of)
{
	struct player *p = of;

	(void)prctl(PR_SET_NAME, "player");
	p->result = stage_play(p->stage);
	atomic_store(&p->over, true);
	wakeup_signal(p->over_fd);
	return NULL;
}

static int start_thread(struct player *p)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	PTHREAD_OK(pthread_sigmask(SIG_SETMASK, &all, &before));
	int e = pthread_create(&p->thread, NULL, play, p);
	PTHREAD_OK(pthread_sigmask(SIG_SETMASK, &before, NULL));
	errno = e;
	return e ? ERR_SYSTEM : 0;
}

int player_start(const struct stage_options *o, unsigned slow, bool stands, struct player **out,
	char reason[SITE_REASON])
{
	struct player *p = calloc(1, sizeof(*p));

	*reason = '\0';
	if (!p)
		return ERR_MEMORY;
	p->over_fd = -1;
	int r = stage_open(o, &p->stage, reason);
	if (r == 0) {
		stage_slow(p->stage, slow);
		if (stands)
			stage_hold(p->stage, true);
		r = wakeup_open(&p->over_fd);
	}
	if (r == 0)
		r = start_thread(p);
	if (r == 0) {
		*out = p;
		return 0;
	}
	if (!*reason)
		snprintf(
			reason, SITE_REASON, "%s", r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	stage_close(p->stage);
	net_close(p->over_fd);
	free(p);
	return r;
}

int player_end(struct player *p)
{
	if (!p->joined) {
		stage_stop(p->stage);
		PTHREAD_OK(pthread_join(p->thread, NULL));
		p->joined = true;
	}
	return p->result;
}

void player_stop(struct player *p)
{
	if (!p)
		return;
	(void)player_end(p);
	stage_close(p->stage);
	net_close(p->over_fd);
	free(p);
}

struct stage *player_stage(struct player *p)
{
	return p->stage;
}

int player_fd(const struct player *p)
{
	return p->over_fd;
}

bool player_is_over(const struct player *p, int *result)
{
	if (!atomic_load(&p->over))
		return false;
	*result = p->result;
	return true;
}
