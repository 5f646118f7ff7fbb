/*
 * The plots of a result's page. A plot for which there is nothing to show is left out.
 *
 * Failures, memory's among them, are the page's. One thread.
 */
#ifndef LANCHAT_STRESS_RESULT_PLOTS_H
#define LANCHAT_STRESS_RESULT_PLOTS_H

#include "tools/report/page.h"
#include "tools/stress/result.h"

/* Latency by percentile. */
void plots_latency(struct page *page, const struct result *r);

/* Deliveries, latency and CPU, second by second. */
void plots_over_time(struct page *page, const struct result *r);

/* Clients in the order of their mean latency: is anybody worse off than the others? */
void plots_by_client(struct page *page, const struct result *r);

#endif
