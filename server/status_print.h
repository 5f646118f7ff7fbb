/*
 * A status in words, as JSON, and as OpenMetrics. Pure: a value goes in, text comes out.
 *
 * JSON (RFC 8259): one object on one line. OpenMetrics 1.0: text for Prometheus and the like, ended by
 * `# EOF`; source: the OpenMetrics specification, version 1.0. A number that is
 * not known is null in JSON and left out in OpenMetrics.
 */
#ifndef LANCHAT_SERVER_STATUS_PRINT_H
#define LANCHAT_SERVER_STATUS_PRINT_H

#include "server/status.h"

#include <stddef.h>
#include <stdio.h>

enum status_format {
	STATUS_TEXT,
	STATUS_JSON,
	STATUS_OPENMETRICS,
};
#define STATUS_FORMATS 3

/* "text", "json", "openmetrics". */
extern const char *const status_format_names[STATUS_FORMATS];

/* Write errors show in ferror. */
void status_print(const struct status *s, enum status_format format, FILE *out);

/* ---- status_openmetrics.c ---- */

void status_print_openmetrics(const struct status *s, FILE *out);

/* ---- for both files: the rows of status.def ---- */

struct status_row {
	const char *name, *unit, *help;
	size_t offset; /* of a uint64_t in struct status */
	unsigned decimals;
	bool counter;
};
#define STATUS_ROWS 38
extern const struct status_row status_rows[STATUS_ROWS];

uint64_t status_value(const struct status *s, const struct status_row *row);

#endif
