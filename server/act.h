/*
 * Acts: what somebody does about people and rooms, as the log keeps it.
 *
 * An act is an entry of kind SAID_ACT whose text is a line: the verb's word, a value, a
 * person's id in hexadecimal digits or "-", a label (a nick, or a range of addresses) or
 * "*", and whatever was said about it:
 *
 *     ban 1764201600000000 4a6f...9c bob advertising
 *
 * The value of a ban or a mute is when it ends, in microseconds since 1970; 0: never. Acts on
 * a room are in the room's stream of acts, those on the server in the server's, nicks in
 * one of their own (engine.h).
 *
 * Pure functions; any thread.
 */
#ifndef LANCHAT_SERVER_ACT_H
#define LANCHAT_SERVER_ACT_H

#include "common/message.h"
#include "common/rights.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACT_TEXT_MAX 640 /* bytes of the line, with its terminator */

/* A plain value, but for the text, which is borrowed. */
struct act {
	enum act_verb verb;
	bool has_person;
	uint8_t person[PERSON_ID]; /* whom it is about */
	char label[LABEL_MAX + 1]; /* "": none */
	uint64_t value;
	struct span text; /* at most REASON_MAX bytes */
};

/* The line, terminated. Returns its length. */
size_t act_print(const struct act *a, char out[ACT_TEXT_MAX]);

/* The instance of all acts of a person (engine.h): of a form that no client's may have, so that nobody
 * gets hold of another's. Acts in older logs have others. */
void act_instance(const uint8_t person[PERSON_ID], uint8_t out[INSTANCE_ID]);
bool act_instance_is(const uint8_t instance[INSTANCE_ID]);

/* Is it about a nick, rather than a room or the server? */
bool act_is_about_nick(const struct act *a);

/* The act of a line; its text is borrowed from it. ERR_TEXT: it is none. */
int act_parse(struct span line, struct act *out);

#endif
