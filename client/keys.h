/*
 * Keys: what a terminal sends, told apart.
 *
 * A decoder of the bytes that come from a terminal in raw mode: characters in
 * UTF-8, control characters, the sequences of cursor and function keys as xterm,
 * its descendants, rxvt and the Linux console send them (with modifiers), mouse
 * reports (SGR), and bracketed pastes. It is incremental: bytes may be cut
 * anywhere. A sequence that is not known is dropped as a whole, never typed.
 *
 * An escape character begins a sequence or is the Esc key itself; only time tells
 * which. So after bytes were fed, and none came for KEYS_ESCAPE_MS, call
 * keys_timeout.
 *
 * A paste takes all bytes until its end mark. Where that was lost on the way, nothing that is typed
 * would ever be a key again: offer to keys_break what was read, first.
 *
 * Sources: xterm's ctlseqs, ECMA-48 5.4. The caller owns the storage; one thread.
 */
#ifndef LANCHAT_KEYS_H
#define LANCHAT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_ESCAPE_MS  40
#define KEYS_PASTE_MOST 65536 /* bytes of a paste that are kept */
#define KEYS_BREAK_MS   1000  /* without a byte of a paste: ^C ends it */
#define KEYS_NAME_MAX   32

/* A key is a code point (control characters are those of Ctrl), or one of these, with modifiers. */
enum key {
	K_ENTER = '\r',
	K_TAB = '\t',
	K_ESCAPE = 0x1b,
	K_BACKSPACE = 0x7f,
	K_UP = 0x110000,
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_HOME,
	K_END,
	K_PAGE_UP,
	K_PAGE_DOWN,
	K_INSERT,
	K_DELETE,
	K_BACK_TAB,
	K_F1, /* K_F1 + 1 is F2, and so on to F12 */
	K_F12 = K_F1 + 11,
	K_AFTER_LAST,
};
#define K_SHIFT   0x01000000U
#define K_ALT     0x02000000U
#define K_CONTROL 0x04000000U /* with the named keys; Ctrl with a letter is CTRL */
#define CTRL(c)   ((uint32_t)(c)&0x1fU)

enum input_kind {
	INPUT_NONE,
	INPUT_KEY,
	INPUT_PASTE,
	INPUT_MOUSE,
};

enum mouse_what {
	MOUSE_CLICK, /* the left button went down */
	MOUSE_WHEEL_UP,
	MOUSE_WHEEL_DOWN,
	MOUSE_OTHER,
};

struct input {
	enum input_kind kind;
	uint32_t key;
	enum mouse_what mouse;
	int y, x; /* where the mouse was, from 0 */
	/* A paste: raw bytes with \n at the ends of lines, borrowed until the next call, and how many
	 * bytes it had in all. */
	const char *paste;
	size_t paste_length, paste_total;
};

enum keys_state {
	KEYS_GROUND,
	KEYS_ESCAPED,
	KEYS_CSI,
	KEYS_SS3,
	KEYS_CONSOLE, /* the Linux console's ESC [ [ */
	KEYS_PASTING,
};

struct keys {
	enum keys_state state;
	bool alt; /* an escape came before this */
	char sequence[64];
	size_t used; /* of `sequence`; more than its size: too long, to be dropped */
	char *paste; /* owned */
	size_t paste_used, paste_total;
	size_t matched; /* bytes of the paste's end mark seen */
	bool after_return;
};

/* A zeroed decoder is ready. */
void keys_fini(struct keys *k);

/* Take bytes until something is complete, which `*out` tells, or all are taken (INPUT_NONE). Returns
 * how many it took; at least 1. */
size_t keys_feed(struct keys *k, const char *bytes, size_t length, struct input *out);

/* Is an escape waiting for what follows? */
bool keys_is_waiting(const struct keys *k);

/* Nothing followed: the escape was the Esc key. */
void keys_timeout(struct keys *k, struct input *out);

/* Is what was read a ^C alone, within a paste? Then it is no part of it: not to be fed, nor to count as
 * the last byte. If none has come for `quiet_ms`, long enough, `*out` is the paste, which is over. */
bool keys_break(
	struct keys *k, const char *bytes, size_t length, int64_t quiet_ms, struct input *out);

/* Wipe what was pasted, which has been dealt with. */
void keys_wipe(struct keys *k);

/* The key's name for people: "Ctrl-W", "Alt-Left", "F1". Returns `out`. */
char *keys_name(uint32_t key, char out[KEYS_NAME_MAX]);

#endif
