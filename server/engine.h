/*
 * The engine: one ordered log of everything that is kept.
 *
 * Every entry has a sequence number; numbers rise over all rooms together, so
 * inside one room they have gaps. An entry belongs to one stream, its room's, or,
 * when it is a direct message, to two: the inboxes of the person who wrote it and
 * of the one it is for. In each of its streams it carries the number of the entry
 * before it, so that a reader can tell a gap that matters from one that does not.
 *
 * What is done about people and rooms (act.h) is in the log too, in streams of its own: one for
 * the acts on each room, one for those on the server, one for nicks. Whether an entry may
 * stand is decided (rules.h) when its turn has come, by the log alone.
 *
 * Engines differ in where the log lives; the rest of the server cannot tell which
 * one it has. Calls may come from any thread. Appends of many threads are put
 * in order here, and each is applied in that order by one thread at a time.
 */
#ifndef LANCHAT_SERVER_ENGINE_H
#define LANCHAT_SERVER_ENGINE_H

#include "common/lookalike.h"
#include "common/message.h"
#include "common/name.h"
#include "server/charter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_LOG_ID 16

/* What a stream is called: 'r' and a room's folded name, 'i' and a person's id, 'm' and the folded name
 * of the room that acts are about, "m*" for acts on the server, "n*" for nicks. "s*" is no stream, but
 * where the server's own charter is. */
#define STREAM_KEY_MAX NAME_FOLDED_MAX
struct stream_key {
	uint8_t length;
	uint8_t bytes[STREAM_KEY_MAX];
};

/* The key of a room (ERR_TEXT, ERR_TOO_BIG for a name that cannot be one), of a person's inbox. */
int stream_key_room(const char *name, size_t length, struct stream_key *key);
void stream_key_inbox(const uint8_t person[PERSON_ID], struct stream_key *key);

/* The key of the acts on a room, by the room's, or on the server (NULL); of nicks; of the server's
 * charter. */
void stream_key_acts(const struct stream_key *room, struct stream_key *key);
void stream_key_nicks(struct stream_key *key);
void stream_key_server(struct stream_key *key);

/* Whose charter the acts in a stream change: a room's key, or the server's. False: it is not a stream
 * of acts that change any. */
bool stream_key_subject(const struct stream_key *acts, struct stream_key *subject);

/* Is it the room in which everybody begins (ROOM_COMMON)? */
bool stream_key_is_common(const struct stream_key *room);

int stream_key_compare(const struct stream_key *a, const struct stream_key *b);

/* One entry. Whoever appends fills the first part; text is borrowed for the length of the call. */
struct log_entry {
	const struct stream_key *room; /* or the stream of an act; NULL for a direct message */
	struct span room_name;         /* how the room is shown; what it is the first time stays */
	const uint8_t *to;             /* of a direct message: the other person's id */
	const uint8_t *person;         /* who says it */
	const uint8_t *instance;       /* the client instance that counts */
	uint64_t counter;              /* 0: of an act, which the engine counts */
	enum said_kind kind;
	bool unproven;       /* nobody has shown that `person` says it */
	uint32_t owned_most; /* of an act: rooms that one person may own; 0: any number */
	struct span nick;
	struct span to_nick; /* of a direct message */
	struct span text;
	/* The engine fills the rest. */
	uint64_t seq;
	uint64_t time;    /* microseconds since 1970, UTC; for people, not for order */
	uint64_t clock;   /* the server's clock then, which what holds for a time goes by: `time` is
			   * ahead of it where the clock was set back. Not kept. */
	uint64_t prev;    /* before it in its room, or in the writer's inbox */
	uint64_t prev_to; /* before it in the other person's inbox */
};

enum append_status {
	APPEND_OK,
	APPEND_REJECTED, /* it is not in the log and will not be: `code` says why */
	APPEND_RETRY,    /* not known to be kept; the same id may be sent again */
	APPEND_TOO_BIG,  /* there is no room for an entry of this size */
};

struct append_result {
	enum append_status status;
	bool duplicate; /* OK: the id had been accepted before, and was not appended again */
	uint64_t seq;   /* OK: its number; 0 for a duplicate whose number is no longer known */
	enum code code; /* REJECTED */
};

/* What is known of a room apart from what was said in it. */
struct room_record {
	char name[ROOM_NAME_MAX + 1];
	char topic[TOPIC_MAX + 1];
	char topic_nick[NICK_MAX + 1]; /* who set it; "": nobody ever did */
	uint64_t topic_time;
	uint64_t last; /* the number of its last entry */
	bool closed;   /* not everybody may come in (charter.h) */
};

/* What a person has to do with a stream. */
struct place {
	const struct stream_key *stream;
	struct span room; /* its name; empty: the inbox */
	bool member;      /* they are in the room, connected or not */
	uint64_t read;    /* they have seen everything up to here; 0: unknown */
};

/* What is kept about people without being part of the log: it has no number, and the last word
 * counts. */
enum note_kind {
	NOTE_JOINED, /* the person is a member of the room `stream` from now on */
	NOTE_PARTED, /* no longer */
	NOTE_READ, /* they have seen `stream` up to `seq`; a lower number than before changes nothing */
	NOTE_NICK, /* they are called `name` */
};
struct note {
	enum note_kind kind;
	const uint8_t *person;
	const struct stream_key *stream; /* NULL for NOTE_NICK */
	struct span name;                /* the room's, as it is shown, or the nick */
	uint64_t seq;
};

/* What to look for: entries of these streams that have all the words. */
struct search {
	const struct stream_key *streams;
	size_t stream_count;
	struct span words; /* as server/words.h reads them */
	uint64_t before;   /* only entries below this number */
	uint32_t limit;    /* at most so many, the newest */
	int64_t deadline;  /* clock_ms: give up with ERR_TIMEOUT */
	int64_t had; /* by whoever asks, of late: those who had least come first where some wait */
};

/* How well the log can be written. */
enum engine_health {
	ENGINE_WELL,
	ENGINE_FULL,    /* no space: appends are rejected until there is some */
	ENGINE_BROKEN,  /* writing failed: appends are RETRY until the log could be opened anew */
	ENGINE_DAMAGED, /* the log is damaged: appends are rejected, for good */
};

/* What the log tells of itself. */
struct engine_stats {
	uint64_t transactions; /* with entries, since it was opened */
	uint64_t entries;      /* appended in these */
	uint64_t bytes;        /* that it takes now, on disk or in memory */
};

/* Called for each entry that was accepted, in the order of the log, by one thread at a time, before
 * engine_append returns to whoever appended it. It may take locks of the fan-out; it must not touch
 * a socket, nor call the engine. The entry is borrowed. */
typedef void engine_applied(void *context, const struct log_entry *e);

/* Called by engine_range and engine_search for each entry; false stops. It may run under the
 * engine's lock: it may copy or encode, nothing else. */
typedef bool engine_reader(void *context, const struct log_entry *e);

/* The same for rooms and for places. What they point to is borrowed. */
typedef bool engine_room_reader(
	void *context, const struct stream_key *key, const struct room_record *room);
typedef bool engine_place_reader(void *context, const struct place *p);

/* A log that this one was a copy of. Its entries up to the number `upto` are those of this one. */
struct engine_ancestor {
	uint8_t log_id[ENGINE_LOG_ID];
	uint64_t upto;
};

struct engine;

/* What an engine is made of: the calls below, by the same names. */
struct engine_class {
	const char *name;
	bool kept; /* does the log outlive the server? */
	void (*close)(struct engine *e);
	int (*append)(struct engine *e, struct log_entry *entries, size_t count, int64_t deadline,
		struct append_result *results);
	int (*settled)(struct engine *e, const uint8_t *instance, const uint8_t *person,
		uint64_t counter, struct append_result *result);
	uint64_t (*accepted)(struct engine *e, const uint8_t *instance, const uint8_t *person);
	int (*range)(struct engine *e, const struct stream_key *key, uint64_t after, uint64_t upto,
		engine_reader *reader, void *context, uint64_t *pruned);
	int (*last)(struct engine *e, const struct stream_key *key, uint32_t count, uint64_t *last,
		uint64_t *after);
	int (*before)(struct engine *e, const struct stream_key *key, uint64_t before,
		uint32_t count, uint64_t *after);
	int (*since)(
		struct engine *e, const struct stream_key *key, uint64_t time, uint64_t *after);
	int (*search)(
		struct engine *e, const struct search *what, engine_reader *reader, void *context);
	int (*room)(struct engine *e, const struct stream_key *key, struct room_record *out);
	int (*rooms)(struct engine *e, const struct stream_key *after, bool all, uint32_t limit,
		engine_room_reader *reader, void *context);
	int (*note)(struct engine *e, const struct note *n);
	int (*places)(struct engine *e, const uint8_t *person, engine_place_reader *reader,
		void *context);
	int (*read_position)(struct engine *e, const uint8_t *person, const struct stream_key *key,
		uint64_t *seq);
	int (*person)(struct engine *e, const char *folded, uint8_t person[PERSON_ID],
		char nick[NICK_MAX + 1]);
	int (*charter)(struct engine *e, const struct stream_key *key, struct charter *out);
	int (*owner)(struct engine *e, const char *look, uint8_t person[PERSON_ID],
		char nick[NICK_MAX + 1]);
	enum engine_health (*health)(struct engine *e);
	void (*stats)(struct engine *e, struct engine_stats *out);
};

/* The part that all engines begin with. */
struct engine {
	const struct engine_class *class;
	uint8_t log_id[ENGINE_LOG_ID];           /* constant: another log has another one */
	const struct engine_ancestor *ancestors; /* constant, with what it points to */
	size_t ancestor_count;
	engine_applied *applied;
	void *context;
};

/* The log in this process's memory, at most about `keep_bytes` of it, oldest dropped first. It is
 * gone when the server ends. ERR_MEMORY. */
int engine_open_memory(
	size_t keep_bytes, engine_applied *applied, void *context, struct engine **out);

/* When an entry that was accepted is safe. */
enum engine_sync {
	SYNC_FULL, /* on the disk: a power cut loses nothing */
	SYNC_OS,   /* with the system: kill -9 loses nothing */
	SYNC_OFF,  /* for measurements */
};

struct engine_config {
	const char *folder; /* is there, and is ours alone */
	enum engine_sync sync;
	/* What may be kept; 0: without limit. */
	uint64_t keep_bytes, keep_messages;
	uint32_t keep_days;
};

/* The log in a database in a folder. ERR_SYSTEM, ERR_MEMORY, ERR_NOT_FOUND...: `error` says in one
 * line what is wrong and what to do about it. */
int engine_open_sqlite(const struct engine_config *config, engine_applied *applied, void *context,
	struct engine **out, char *error, size_t size);

/* Wake every waiter (RETRY), then free. Nobody may call the engine any more. NULL is allowed. */
void engine_close(struct engine *e);

/* Does the engine count this entry? An act is sent once, by whoever is asked for it, so that nobody
 * has to count; its instance is act_instance's. */
bool engine_counts(const struct log_entry *e);

/* May an entry have its instance? Nobody but an act may have that of acts. */
bool engine_may_use(const struct log_entry *e);

/* Is that log this one, or one that this one was a copy of? Up to the number `*upto` (UINT64_MAX: all of
 * them) the numbers of both mean the same entries. Any thread. */
bool engine_shares(const struct engine *e, const uint8_t log_id[ENGINE_LOG_ID], uint64_t *upto);

/* ---- appending ---- */

/* Append `count` entries, all of one client instance, in order. Blocks until they are in the log
 * and applied, or `deadline` (clock_ms) passed. One result each; after a RETRY all that follow are
 * RETRY. No entries at all wait for what is before them. Returns 0, or ERR_MEMORY with every result RETRY. */
int engine_append(struct engine *e, struct log_entry *entries, size_t count, int64_t deadline,
	struct append_result *results);

/* What became of a counter. 0: it is settled, for it is not above the highest accepted of that
 * instance; `*result` is OK with its number (0 if it is no longer kept), or REJECTED with
 * CODE_NOT_KEPT when it is not in the log. ERR_NOT_FOUND: it is not settled. */
int engine_settled(struct engine *e, const uint8_t *instance, const uint8_t *person,
	uint64_t counter, struct append_result *result);

/* The highest counter accepted from a person's client instance; 0 when there is none. */
uint64_t engine_accepted(struct engine *e, const uint8_t *instance, const uint8_t *person);

/* ---- reading ---- */

/* Read a stream's entries with after < seq <= upto, in order. `*pruned` becomes the number of the
 * newest entry of this stream that is no longer kept, 0 if there is none. ERR_SYSTEM. */
int engine_range(struct engine *e, const struct stream_key *key, uint64_t after, uint64_t upto,
	engine_reader *reader, void *context, uint64_t *pruned);

/* A stream's last number (0: none yet), and the number after which its last `count` entries
 * begin. ERR_SYSTEM. */
int engine_last(struct engine *e, const struct stream_key *key, uint32_t count, uint64_t *last,
	uint64_t *after);

/* The number after which the last `count` entries below the number `before` begin; what was pruned
 * does not count. ERR_SYSTEM. */
int engine_before(struct engine *e, const struct stream_key *key, uint64_t before, uint32_t count,
	uint64_t *after);

/* The number after which the entries of `time` and later begin. ERR_SYSTEM. */
int engine_since(struct engine *e, const struct stream_key *key, uint64_t time, uint64_t *after);

/* Find entries, newest first. ERR_ARGUMENT: there is no word in it; ERR_TIMEOUT; ERR_SYSTEM. */
int engine_search(
	struct engine *e, const struct search *what, engine_reader *reader, void *context);

/* A room in which something was said. ERR_NOT_FOUND, ERR_SYSTEM. */
int engine_room(struct engine *e, const struct stream_key *key, struct room_record *out);

/* Such rooms in the order of their keys, after `after` (NULL: from the first), at most `limit`: `all`,
 * or those that are open to everybody. Those that are not meant cost nothing. */
int engine_rooms(struct engine *e, const struct stream_key *after, bool all, uint32_t limit,
	engine_room_reader *reader, void *context);

/* ---- what is kept about people ---- */

/* Take a note. Returns at once; it is kept with the next commit, and notes of the last moment may be
 * lost in a crash. ERR_MEMORY. */
int engine_note(struct engine *e, const struct note *n);

/* After which that somebody left is not waited for any more. */
#define ENGINE_PARTED_MS 10000

/* Take a note, and wait until it and all those before it are kept, so that whoever asks next finds them,
 * or until `deadline` (clock_ms). Where the log cannot be written, as on a full disk, nobody waits, and it
 * is kept later. ERR_MEMORY. */
int engine_note_kept(struct engine *e, const struct note *n, int64_t deadline);

/* A person's rooms and inbox with what is known of them, in the order of their keys. Notes just
 * taken may be missing. ERR_SYSTEM. */
int engine_places(
	struct engine *e, const uint8_t *person, engine_place_reader *reader, void *context);

/* Is a person a member of a room, as far as the log knows? False where it cannot be read. */
bool engine_is_member(
	struct engine *e, const uint8_t person[PERSON_ID], const struct stream_key *room);

/* How far a person has read a stream; 0 when that is not known. ERR_SYSTEM. */
int engine_read_position(
	struct engine *e, const uint8_t *person, const struct stream_key *key, uint64_t *seq);

/* Who had a nick last, by its folded form, and how they wrote it. A nick that its owner has changed
 * for another need not be known any more. ERR_NOT_FOUND, ERR_SYSTEM. */
int engine_person(
	struct engine *e, const char *folded, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1]);

/* ---- who may do what ---- */

/* The charter of a room, or the server's (stream_key_server): a copy for the caller, to end with
 * charter_fini; an empty one where nothing was ever decided, a damaged one (charter.h) where that of
 * a room cannot be read. ERR_SYSTEM, ERR_MEMORY; ERR_DAMAGED, of the server's; then it is empty. */
int engine_charter(struct engine *e, const struct stream_key *key, struct charter *out);

/* Who owns the nicks of this look (lookalike.h), and how they wrote theirs last. ERR_NOT_FOUND,
 * ERR_SYSTEM. */
int engine_owner(
	struct engine *e, const char *look, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1]);

enum engine_health engine_health(struct engine *e);

/* Looks at files at most; waits for nobody. */
void engine_stats(struct engine *e, struct engine_stats *out);

#endif
