/*
 * Between the files of the report: its larger parts.
 */
#ifndef LANCHAT_LAB_REPORT_PRIVATE_H
#define LANCHAT_LAB_REPORT_PRIVATE_H

#include "tools/lab/outcome.h"
#include "tools/report/page.h"

/* What both sides called and what was said about it, side by side. */
void report_calls(struct page *page, const struct journal *j);

/* What was on the wire, a diagram for each side. ERR_MEMORY. */
int report_wire(struct page *page, const struct outcome *o, const struct journal *j);

/* How long numbered messages took; nothing where there were none. ERR_MEMORY. */
int report_latency(struct page *page, const struct outcome *o, struct stage *s);

#endif
