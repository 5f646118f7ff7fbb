/*
 * Everything that happened in one run, in the order in which it happened: packets, socket calls, words,
 * verdicts. Scenarios and the wire write; the screen, the report, JSON and pcapng read. Whoever reads
 * keeps the number of the next entry to read, and never holds up who writes.
 *
 * Entries are only ever added, and a packet's fate is known when it is added. A packet to everybody has
 * an entry for each host that it goes to, one behind the other, for each copy has its own fate.
 *
 * It grows with the run, to JOURNAL_ENTRIES and JOURNAL_BYTES at most: then packets and calls are no
 * longer written down, but words and verdicts still are. Any thread.
 */
#ifndef LANCHAT_LAB_JOURNAL_H
#define LANCHAT_LAB_JOURNAL_H

#include "tools/lab/flow.h"
#include "tools/lab/impair.h"
#include "tools/lab/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_ENTRIES       1000000
#define JOURNAL_RESERVE       10000 /* of these, for words and verdicts */
#define JOURNAL_BYTES         (256UL << 20)
#define JOURNAL_BYTES_RESERVE (4UL << 20) /* besides, for the same */

/* Which pane something belongs to. */
enum side {
	SIDE_TCP,
	SIDE_UDP,
	SIDE_BOTH,
};
#define SIDES 2

enum journal_kind {
	JOURNAL_PACKET,  /* one entered the wire */
	JOURNAL_ARRIVAL, /* a copy of it left the wire at the other end */
	JOURNAL_CALL,    /* a socket call returned */
	JOURNAL_WORDS,   /* what just happened, and why */
	JOURNAL_CHECK,   /* an assertion, and whether it held */
};

/* What came of an assertion. A bool is one of the first two. */
enum verdict {
	VERDICT_FAILED,
	VERDICT_HELD,
	VERDICT_OPEN, /* not shown: what happened says neither */
};

/* A socket call, as --trace tells it. */
struct journal_call {
	uint8_t host;
	int fd;
	long result;
	int error;       /* errno where the result is -1 */
	char *operation; /* "sendto" */
	char *arguments; /* "4, \"hello\" 5 bytes, 10.83.19.2:7000" */
	char *why;       /* one sentence, or NULL */
};

struct journal_packet {
	uint8_t host; /* that sent it */
	uint8_t to_host;
	bool again;           /* another copy of the one to everybody before it */
	struct packet packet; /* its payload points into `bytes` */
	struct flow_note note;
	struct fate fate;
	uint8_t *bytes;
	uint32_t length;
};

struct journal_entry {
	uint64_t number;  /* from 0, without gaps */
	uint64_t time_ns; /* CLOCK_MONOTONIC since the journal was made */
	enum journal_kind kind;
	enum side side;
	union {
		struct journal_packet packet;
		struct {
			uint64_t of; /* the number of the packet */
			bool second; /* its duplicate */
		} arrival;
		struct journal_call call;
		struct {
			char *text;
			uint8_t voice;  /* 0: whoever tells of it; else which program printed it */
			uint16_t quote; /* then, where in the text what it printed begins */
		} words;
		struct {
			enum verdict verdict;
			char *text;     /* what is asserted: "all 1000 arrive in order" */
			char *measured; /* "1000 of 1000"; where it is open, why */
		} check;
	} of;
};

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *j);
uint64_t journal_now(const struct journal *j);       /* nanoseconds since it was made */
int64_t journal_wall_start(const struct journal *j); /* microseconds since 1970, when it was made */

/* These return the number of the entry, or ERR_FULL or ERR_MEMORY. Texts and bytes are copied. A call,
 * words and verdicts have the time at which they are added. */
int64_t journal_packet(
	struct journal *j, enum side side, uint64_t time_ns, const struct journal_packet *p);
int64_t journal_arrival(
	struct journal *j, enum side side, uint64_t time_ns, uint64_t of, bool second);
int64_t journal_call(struct journal *j, enum side side, const struct journal_call *c);
int64_t journal_words(struct journal *j, enum side side, const char *text);
/* Words that are `before` and what a program printed; `voice` from 1. */
int64_t journal_voice(
	struct journal *j, enum side side, uint8_t voice, const char *before, const char *line);
int64_t journal_check(struct journal *j, enum side side, enum verdict verdict, const char *text,
	const char *measured);

/* How many there are now. */
uint64_t journal_count(const struct journal *j);

/* Was something left out because there was no room? */
bool journal_full(const struct journal *j);

/* Borrowed until journal_free: an entry is never moved nor changed. NULL: there is none yet. */
const struct journal_entry *journal_at(const struct journal *j, uint64_t number);

/* Wait until there are more than `count`, at most `timeout_ms`. How many there are. */
uint64_t journal_wait(struct journal *j, uint64_t count, int timeout_ms);

#endif
