/*
 * Messages as lines of text for people.
 *
 * As they come, what `lanchat --pipe` writes:
 *
 *     [lobby] anna: hello
 *     [lobby] * anna waves
 *     [@anna] anna: a direct message, from or to her
 *
 * With their time, what `lanchat --export` writes, in local time:
 *
 *     2026-11-22 14:03:05 <anna> hello
 *     2026-11-22 14:03:09 * anna waves
 *     2026-11-22 14:03:12 -anna- a notice
 *     2026-11-22 14:03:20 * anna set the topic: exams
 *     2026-11-22 14:03:31 [@ben] <anna> a direct message, from or to him
 *
 * Whatever a terminal should not be sent is replaced. Nothing is flushed. One thread.
 */
#ifndef LANCHAT_PLAIN_H
#define LANCHAT_PLAIN_H

#include "client/link.h"

#include <stdio.h>

/* One line for an EVENT_MESSAGE that is no topic. */
void plain_message(FILE *out, const struct event *e);

/* "[lobby] anna: (udp) hello": an EVENT_TOSSED. */
void plain_tossed(FILE *out, const struct event *e);

/* One line for any message, with date and time. */
void plain_dated(FILE *out, const struct event *e);

/* One line for an EVENT_GAP. */
void plain_gap(FILE *out, const struct event *e);

#endif
