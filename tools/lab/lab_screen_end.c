/*
 * How a run on a scenario's screen ends, and what came of it.
 */
#include "tools/lab/lab_screen_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "tools/lab/linger.h"

void lab_screen_look(struct lab_screen *s)
{
	struct stage *stage = player_stage(s->player);

	if (!s->ended && player_is_over(s->player, &s->result)) {
		s->ended = true;
		s->ended_ms = clock_ms();
		s->ended_ns = journal_now(stage_journal(stage));
		s->played_ms = stage_ms(stage);
		s->played_slow = s->slow;
	}
	if (!s->ended || s->over)
		return;
	int64_t most = linger_most_ms(&s->impaired, s->played_slow);
	s->over = s->stands || linger_over(stage) || clock_ms() >= s->ended_ms + most;
}

void lab_screen_verdict(const struct lab_screen *s, struct lab_verdict *out)
{
	*out = (struct lab_verdict){0};
	if (!s->ended || !s->player)
		return;
	out->known = s->result != ERR_STOPPING;
	out->error = s->result;
	stage_verdict(player_stage(s->player), &out->count);
}

int lab_screen_keep(struct lab_screen *s, struct keep *k, struct outcome *o)
{
	if (!s->player)
		return ERR_NOT_FOUND;
	struct stage *stage = player_stage(s->player);
	int e = outcome_take(o, stage, player_end(s->player));
	if (e)
		return e;
	/* Whoever looks at it after its end does not prolong it. */
	if (s->ended)
		o->milliseconds = s->played_ms;
	return keep_add(k, o, stage);
}
