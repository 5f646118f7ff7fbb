#include "client/pager.h"

#include "common/err.h"

void pager_init(struct pager *p, uint64_t since)
{
	*p = (struct pager){.since = since};
}

bool pager_next(const struct pager *p, struct pager_question *out)
{
	switch (p->stage) {
	case PAGER_READING:
		*out = p->last == 0 && p->since > 0
			       ? (struct pager_question){HISTORY_SINCE, p->since, LIST_MAX}
			       : (struct pager_question){HISTORY_AFTER, p->last, LIST_MAX};
		return true;
	case PAGER_LOOKING_BACK:
		*out = (struct pager_question){HISTORY_BEFORE, p->first, 1};
		return true;
	case PAGER_DONE:
		break;
	}
	return false;
}

/* The answer to looking back. */
static void look_back(struct pager *p, const struct event *page, struct pager_gap *gap)
{
	if (page->count > 0)
		p->any = true;
	else if (page->seq > p->pruned)
		p->pruned = page->seq;
	/* What was pruned may or may not have been of that time. */
	if (page->count == 0)
		gap->last = p->pruned;
	p->stage = PAGER_DONE;
}

/* Is there a reason to look back, now that everything else was read? */
static bool must_look_back(const struct pager *p)
{
	return p->since > 0 && (p->count == 0 || p->pruned > 0);
}

/* Something was pruned that had not been read. From a time on, what is missing before the first
 * entry is found out about by looking back. */
static void find_gap(struct pager *p, uint64_t pruned, struct pager_gap *gap)
{
	if (p->last == 0 && p->since > 0)
		p->pruned = pruned;
	else if (pruned > p->last)
		*gap = (struct pager_gap){.after = p->last, .last = pruned};
}

int pager_take(struct pager *p, const struct event *page, struct pager_gap *gap, size_t *take)
{
	*gap = (struct pager_gap){0};
	*take = 0;
	if (p->stage == PAGER_LOOKING_BACK) {
		look_back(p, page, gap);
		return 0;
	}
	if (page->count == 0 && page->flag)
		return ERR_PROTOCOL;
	find_gap(p, page->seq, gap);
	if (page->count > 0) {
		if (p->first == 0)
			p->first = page->entries[0].seq;
		p->last = page->entries[page->count - 1].seq;
		p->count += page->count;
		p->any = true;
	}
	*take = page->count;
	if (!page->flag)
		p->stage = must_look_back(p) ? PAGER_LOOKING_BACK : PAGER_DONE;
	return 0;
}
