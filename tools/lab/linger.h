/*
 * The end of a run: what is still on its way when a scenario has ended, the last ACKs mostly, is let
 * arrive, so that the wire is shown, counted and kept whole.
 *
 * Any thread.
 */
#ifndef LANCHAT_LAB_LINGER_H
#define LANCHAT_LAB_LINGER_H

#include "tools/lab/stage.h"

/* Is nothing on the wire any more? A relay on loopback has none. */
bool linger_over(struct stage *s);

/* How long that is worth waiting for, in milliseconds: what has just been sent, and an answer to it, on a
 * network like that which is `slow` times as slow. */
int64_t linger_most_ms(const struct impairment *how, unsigned slow);

/* Wait for it, unless the stage is stopped. For whoever has played it. */
void linger(struct stage *s);

#endif
