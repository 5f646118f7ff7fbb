/*
 * Rights: what may be done about people and rooms, as both ends number it.
 *
 * Fields of ACT, CHARTER_IS and AUDIT_PAGE (messages.def); docs/PROTOCOL.md section 9.
 */
#ifndef LANCHAT_RIGHTS_H
#define LANCHAT_RIGHTS_H

#include <stdbool.h>

/* The room in which everybody begins. It is nobody's, but operators'. */
#define ROOM_COMMON "lobby"

#define ROOM_KEY_MAX 64 /* bytes of the key to a room */
#define LABEL_MAX    64 /* bytes of a nick or a range of addresses */

/* act.verb, item_act.verb: (number, NAME, how the log writes it). Numbers rise and are never used
 * again for something else. */
/* clang-format off */
#define ACT_VERBS(VERB) \
	VERB(1, CLAIM, "claim")       /* a nick, by the server alone */ \
	VERB(2, RELEASE, "release")   /* a nick is nobody's again */ \
	VERB(3, OPERATOR, "op")       /* of the server */ \
	VERB(4, NO_OPERATOR, "deop") \
	VERB(5, OWNER, "own")         /* the room is theirs from now on */ \
	VERB(6, MODERATOR, "mod") \
	VERB(7, NO_MODERATOR, "unmod") \
	VERB(8, VOICE, "voice")       /* may speak in a moderated room */ \
	VERB(9, NO_VOICE, "unvoice") \
	VERB(10, KICK, "kick") \
	VERB(11, BAN, "ban")          /* a person, or a range of addresses; `value`: seconds, 0: for good */ \
	VERB(12, UNBAN, "unban") \
	VERB(13, MUTE, "mute")        /* `value` as of a ban */ \
	VERB(14, UNMUTE, "unmute") \
	VERB(15, INVITE, "invite") \
	VERB(16, UNINVITE, "uninvite") \
	VERB(17, ENTRY, "entry")      /* `value`: enum room_entry; `text`: the key */ \
	VERB(18, MODERATED, "moderated") /* `value`: 0 or 1 */ \
	VERB(19, SLOW, "slow")        /* `value`: seconds between two messages of one person */ \
	VERB(20, TAKE, "take")        /* a room that is new, by the server alone */ \
	VERB(21, PROVE, "prove")      /* the operator code, by the server alone */
/* clang-format on */

enum act_verb {
#define VERB(number, NAME, word) ACT_##NAME = (number),
	ACT_VERBS(VERB)
#undef VERB
};

#define SLOW_MAX 3600                             /* seconds */
#define BAN_MAX  (UINT64_C(10) * 365 * 24 * 3600) /* seconds of a ban that ends */

/* charter_is.entry: who may come in. */
enum room_entry {
	ENTRY_OPEN = 0,
	ENTRY_KEY = 1,
	ENTRY_INVITED = 2,
};

/* charter_is.rank: what somebody is here. */
enum rank {
	RANK_NONE = 0,
	RANK_MODERATOR = 1,
	RANK_OWNER = 2,
	RANK_OPERATOR = 3,
};

/* item_standing.kind */
enum standing_kind {
	STANDING_OWNER = 0,
	STANDING_MODERATOR = 1, /* in the server's charter: operator */
	STANDING_VOICE = 2,
	STANDING_INVITED = 3,
	STANDING_BANNED = 4,
	STANDING_MUTED = 5,
};

/* May a client ask for it? The others are done by the server, when it has seen the reason. */
bool act_may_be_asked(unsigned verb);

/* The word of a verb; NULL: there is none of that number. And the verb of a word; 0. */
const char *act_word(unsigned verb);
unsigned act_verb(const char *word);

#endif
