#include "tools/lab/outcome.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

static size_t count_checks(const struct journal *j)
{
	const struct journal_entry *x;
	size_t n = 0;

	for (uint64_t i = 0; (x = journal_at(j, i)) != NULL; i++)
		n += x->kind == JOURNAL_CHECK;
	return n;
}

static int copy_checks(struct outcome *o, const struct journal *j)
{
	const struct journal_entry *x;
	size_t room = count_checks(j);

	o->checks = calloc(room ? room : 1, sizeof(*o->checks));
	if (!o->checks)
		return ERR_MEMORY;
	for (uint64_t i = 0; (x = journal_at(j, i)) != NULL && o->checks_count < room; i++) {
		if (x->kind != JOURNAL_CHECK)
			continue;
		struct outcome_check *c = &o->checks[o->checks_count++];
		c->side = x->side;
		c->verdict = x->of.check.verdict;
		o->open += c->verdict == VERDICT_OPEN;
		c->text = strdup(x->of.check.text);
		c->measured = strdup(x->of.check.measured);
		if (!c->text || !c->measured)
			return ERR_MEMORY;
	}
	return 0;
}

int outcome_take(struct outcome *out, struct stage *s, int error)
{
	struct outcome o = {.options = *stage_options(s),
		.shown = true,
		.error = error,
		.milliseconds = stage_ms(s)};

	if (copy_checks(&o, stage_journal(s)) != 0) {
		outcome_fini(&o);
		return ERR_MEMORY;
	}
	struct verdicts v;
	stage_verdict(s, &v);
	o.held = v.held;
	o.failed = v.failed;
	if (error)
		stage_trouble(s, o.trouble);
	for (int side = 0; side < SIDES; side++) {
		stage_score(s, (enum side)side, &o.score[side]);
		stage_counts(s, (enum side)side, &o.wire[side]);
	}
	*out = o;
	return 0;
}

void outcome_fini(struct outcome *o)
{
	for (size_t i = 0; i < o->checks_count; i++) {
		free(o->checks[i].text);
		free(o->checks[i].measured);
	}
	free(o->checks);
	o->checks = NULL;
	o->checks_count = 0;
}

bool outcome_good(const struct outcome *o)
{
	return o->shown && o->error == 0 && o->failed == 0 && o->open == 0 && o->held > 0;
}

bool outcome_bad(const struct outcome *o)
{
	return o->shown && (o->error != 0 || o->failed > 0 || o->held + o->open == 0);
}

const char *outcome_error(const struct outcome *o)
{
	if (o->trouble[0])
		return o->trouble;
	/* Why the stage could not be made. */
	return o->reason[0] ? o->reason : err_text(o->error);
}
