/*
 * lanchat's own frames in what TCP carries: which packet has the beginning of which message in it.
 *
 * A stream is followed in the order in which its bytes enter the wire first; so what is lost is known, and
 * known again when it is sent again. A stream that does not look like lanchat's is left alone, for ever:
 * one that is encrypted, for instance.
 *
 * The journal is borrowed and must outlive it. One thread.
 */
#ifndef LANCHAT_LAB_FRAMES_H
#define LANCHAT_LAB_FRAMES_H

#include "tools/lab/journal.h"

#define FRAMES_LABEL 96

struct frames;

/* NULL where memory is short. */
struct frames *frames_new(const struct journal *j);
void frames_free(struct frames *f);

/* Take what the journal has got since. Where memory is short it goes on from there the next time. */
void frames_read(struct frames *f);

/* What begins in that packet: "SAY 12 bytes", "SAY 12 bytes, SAID 90 bytes", "SAY 12 bytes and 3 more";
 * "rest of SAID 9000 bytes" where nothing begins; "" where it has none of it. The bytes are those of the
 * message, without the header before it. Returns `out`. */
char *frames_label(const struct frames *f, const struct journal_packet *p, char out[FRAMES_LABEL]);

#endif
