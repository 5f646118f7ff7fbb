/*
 * Messages: what a frame's payload means.
 *
 * The table is messages.def. Each message has a struct here, struct msg_<name>,
 * and a row, struct message_spec. One encoder, one decoder and one printer walk
 * the rows, so a message is defined in one place and cannot be encoded one way
 * and decoded another. The codec is pure: bytes in, value out. Strings and lists
 * in a decoded message are borrowed from the payload.
 *
 * A decoded message obeys every bound of the table, and nothing was left over in
 * the payload. Whether its text is clean is a question of its own
 * (message_check_text): a request with bad text deserves an answer, not the end
 * of the connection.
 *
 * Any thread may call these functions.
 */
#ifndef LANCHAT_MESSAGE_H
#define LANCHAT_MESSAGE_H

#include "common/frame.h"
#include "common/rights.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_VERSION 1

/* Bits of `features` in HELLO and WELCOME. */
#define FEATURE_COMPARE UINT32_C(1) /* COMPARE and COMPARED */
#define FEATURE_RIGHTS  UINT32_C(2) /* PASSWORD, and all of 0x0030 */
#define FEATURE_LANE    UINT32_C(4) /* all of 0x0040 */

/* Bounds, in bytes. */
#define NICK_MAX        48
#define ROOM_NAME_MAX   64
#define SERVER_NAME_MAX 48
#define TOPIC_MAX       512
#define AWAY_MAX        256
#define AGENT_MAX       64
#define REASON_MAX      256
#define NOTICE_MAX      8192
#define TEXT_MAX        4096
#define WORDS_MAX       256   /* of a search */
#define PASSWORD_MAX    256   /* of the server */
#define LIST_MAX        200   /* items in one list */
#define PADDING_MAX     65447 /* of a PROBE: it fills the longest datagram (lane.h) */
#define PERSON_ID       32
#define INSTANCE_ID     16

/* login.flags */
#define LOGIN_ANY_NICK 0x0001 /* where the nick is taken, give me the next free one */
/* join.flags */
#define JOIN_RESUME 0x0001 /* send what came after `after`, not the last `replay` */

/* said.kind, direct_said.kind, say.kind */
enum said_kind {
	SAID_TEXT = 0,
	SAID_ACTION = 1, /* /me */
	SAID_NOTICE = 2, /* nobody's program may answer it by itself */
	SAID_TOPIC = 3,  /* in rooms alone: the text is the room's topic from now on */
	SAID_ACT = 16,   /* in the log alone: an act (server/act.h) */
};
#define SAID_KINDS 4

/* member.state, change.state, away.state */
enum person_state {
	PERSON_HERE = 0,
	PERSON_AWAY = 1,
	PERSON_GONE = 2, /* every session is disconnected */
};

/* change.what */
enum change_what {
	CHANGE_JOINED = 0,
	CHANGE_PARTED = 1,  /* text: why, if they said */
	CHANGE_RENAMED = 2, /* nick: the old one, text: the new one */
	CHANGE_STATE = 3,   /* text: the away message */
	CHANGE_ACT = 4,     /* text: what they did about the room, in words */
};

/* history.from: which page. */
enum history_from {
	HISTORY_BEFORE = 0, /* the last ones below the number `value`; 0: the newest */
	HISTORY_AFTER = 1,  /* the first ones above the number `value` */
	HISTORY_SINCE = 2,  /* the first ones of the time `value` (us since 1970) or later */
};

/* search.where */
enum search_where {
	SEARCH_ROOM = 0,
	SEARCH_INBOX = 1,
	SEARCH_EVERYWHERE = 2, /* the rooms that the session is in, and the inbox */
};

/* notice.kind */
enum notice_kind {
	NOTICE_SERVER = 0,
	NOTICE_MOTD = 1,
	NOTICE_WARNING = 2,
};

/* error.code, refused.code, bye.code, parted.code */
enum code {
	CODE_NONE = 0,
#define CODE(number, NAME, text) CODE_##NAME = (number),
#include "common/codes.def"
#undef CODE
};

/* A code's sentence; NULL for a number that the table does not have. */
const char *code_text(unsigned code);

/* Text that is borrowed, not terminated. */
struct span {
	const char *text;
	uint16_t length;
};

/* A span of a terminated string, which must be shorter than 64 KiB. */
struct span span_of(const char *text);

/* True when the span's bytes are those of `text`. */
bool span_equal(struct span s, const char *text);

/* The items of a list in their wire form, borrowed. Built by message_list_add, read by
 * message_list_next. */
struct list {
	const uint8_t *bytes;
	uint32_t length;
	uint16_t count;
};

enum message_number {
#define MESSAGE(number, NAME, name, sender, phase, fields) MESSAGE_##NAME = (number),
#include "common/messages.def"
};

enum item_kind {
#define ITEM(NAME, name, fields) ITEM_##NAME,
#include "common/messages.def"
	ITEM_KINDS,
};

#define U8(field)                 uint8_t field;
#define U16(field)                uint16_t field;
#define U32(field)                uint32_t field;
#define U64(field)                uint64_t field;
#define ID16(field)               uint8_t field[16];
#define ID32(field)               uint8_t field[32];
#define NAME(field, least, most)  struct span field;
#define LINE(field, least, most)  struct span field;
#define BLOCK(field, least, most) struct span field;
#define LIST(field, item, most)   struct list field;
#define MESSAGE(number, NAME_, name, sender, phase, fields)                                        \
	struct msg_##name {                                                                        \
		fields                                                                             \
	};
#define ITEM(NAME_, name, fields)                                                                  \
	struct item_##name {                                                                       \
		fields                                                                             \
	};
#include "common/messages.def"
#undef U8
#undef U16
#undef U32
#undef U64
#undef ID16
#undef ID32
#undef NAME
#undef LINE
#undef BLOCK
#undef LIST

/* Any one message. */
union message {
#define MESSAGE(number, NAME, name, sender, phase, fields) struct msg_##name name;
#include "common/messages.def"
};

/* Any one item of a list. */
union item {
#define ITEM(NAME, name, fields) struct item_##name name;
#include "common/messages.def"
};

enum message_sender {
	SENDER_CLIENT = 1,
	SENDER_SERVER = 2,
	SENDER_BOTH = 3
};
enum message_phase {
	PHASE_OPENING = 1,
	PHASE_CHATTING = 2,
	PHASE_ALWAYS = 3,
	PHASE_LANE = 4,   /* in a datagram alone (lane.h) */
	PHASE_EITHER = 6, /* when chatting, or in a datagram */
};

enum field_kind {
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_ID16,
	FIELD_ID32,
	FIELD_NAME,
	FIELD_LINE,
	FIELD_BLOCK,
	FIELD_LIST,
};

struct field_spec {
	const char *name;
	enum field_kind kind;
	size_t offset;       /* in the message's struct */
	uint32_t least;      /* bytes of text */
	uint32_t most;       /* bytes of text, or items */
	enum item_kind item; /* of a list */
};

struct message_spec {
	uint16_t number;
	const char *name; /* as in docs/PROTOCOL.md: "HELLO" */
	enum message_sender sender;
	enum message_phase phase;
	const struct field_spec *(*fields)(size_t *count);
};

/* The row of a number; NULL for one that the table does not have. */
const struct message_spec *message_spec(uint16_t number);

/* All rows in rising order, and how many. */
const struct message_spec *message_table(size_t *count);

/* The fields of one kind of list item. */
const struct field_spec *item_fields(enum item_kind kind, size_t *count);

/* Encode a whole frame, header included. `value` points to the struct msg_... of `number`. `*used`
 * becomes its size. ERR_TOO_BIG: it does not fit in `size` bytes. A value outside the table's
 * bounds is the caller's bug and aborts. */
int message_encode(uint16_t number, const void *value, uint8_t *out, size_t size, size_t *used);

/* Decode a frame's payload into `*value`, which borrows from it. ERR_NOT_FOUND: the table has no
 * such number (FRAME_FLAG_SKIP says whether that is an error); ERR_PROTOCOL: truncated, something
 * left over, or a bound broken. */
int message_decode(const struct frame *f, union message *value);

/* 0, or ERR_TEXT when a name, line or block of a decoded message is not clean: valid UTF-8, no
 * control characters (a block may have \n), nothing blank in a name. */
int message_check_text(uint16_t number, const void *value);

/* Append an item, a struct item_... of `kind`, to a list being built in `buffer`; `*l` starts
 * zeroed. ERR_TOO_BIG: it does not fit in `size` bytes; the list is as before. */
int message_list_add(
	struct list *l, enum item_kind kind, const void *item, uint8_t *buffer, size_t size);

/* Take the first item off `*l` into `*item`; false when it is empty. The list must come from
 * message_decode, which has checked it. */
bool message_list_next(struct list *l, enum item_kind kind, void *item);

/* Print a decoded message for a trace: `SAY counter=1 kind=0 room="lobby" text="hi"`, text escaped,
 * cut to `size`. Returns `out`. */
char *message_print(uint16_t number, const void *value, char *out, size_t size);

#endif
