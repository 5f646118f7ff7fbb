/*
 * A model (client/model.h) that is told what happens, event by event: the one of "me", who is in the
 * rooms "lobby", which is shown, and "dev".
 *
 * For a test's own thread; what the model cannot take fails the test.
 */
#ifndef LANCHAT_TESTS_TELL_H
#define LANCHAT_TESTS_TELL_H

#include "client/model.h"

static const uint8_t me[PERSON_ID] = {1}, anna[PERSON_ID] = {2}, boris[PERSON_ID] = {3};

/* The model of the test that runs, between tell_setup and tell_teardown. */
extern struct model *model;

/* The number of the last message there was. */
extern uint64_t news_seq;

void tell_setup(void);
void tell_teardown(void);

/* Another one in its place, which has been told nothing. */
void tell_anew(void);

void tell(struct event e);

/* A room was joined in which `last` was said last; all of its past has come. */
void tell_joined(const char *room, uint64_t last, bool resumed);
void tell_caught_up(const char *room);

/* Events to tell, which borrow their texts: the next message, in a room or from a person; anna's doings
 * in the lobby. */
struct event news_said(
	const char *room, const uint8_t person[PERSON_ID], const char *nick, const char *text);
struct event news_direct(const uint8_t person[PERSON_ID], const char *nick, const char *text);
struct event news_presence(
	enum change_what what, const char *nick, const char *text, enum person_state state);

const struct line *tell_last_line(const struct buffer *b);

#endif
