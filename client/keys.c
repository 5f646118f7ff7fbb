#include "client/keys.h"

#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char paste_end[] = "\033[201~";
#define PASTE_END_LENGTH (sizeof paste_end - 1)

void keys_wipe(struct keys *k)
{
	if (k->paste)
		explicit_bzero(k->paste, k->paste_used);
	k->paste_used = 0;
}

void keys_fini(struct keys *k)
{
	keys_wipe(k);
	free(k->paste);
	*k = (struct keys){0};
}

static void give_key(struct keys *k, uint32_t key, struct input *out)
{
	*out = (struct input){.kind = INPUT_KEY, .key = key | (k->alt ? K_ALT : 0)};
	k->alt = false;
	k->state = KEYS_GROUND;
	k->used = 0;
}

static void drop(struct keys *k)
{
	k->alt = false;
	k->state = KEYS_GROUND;
	k->used = 0;
}

/* ---- sequences ---- */

struct named {
	int code;
	uint32_t key;
};

/* CSI number ~ */
static const struct named by_number[] = {
	{1, K_HOME},
	{2, K_INSERT},
	{3, K_DELETE},
	{4, K_END},
	{5, K_PAGE_UP},
	{6, K_PAGE_DOWN},
	{7, K_HOME},
	{8, K_END},
	{11, K_F1},
	{12, K_F1 + 1},
	{13, K_F1 + 2},
	{14, K_F1 + 3},
	{15, K_F1 + 4},
	{17, K_F1 + 5},
	{18, K_F1 + 6},
	{19, K_F1 + 7},
	{20, K_F1 + 8},
	{21, K_F1 + 9},
	{23, K_F1 + 10},
	{24, K_F12},
};

/* CSI letter, SS3 letter */
static const struct named by_letter[] = {
	{'A', K_UP},
	{'B', K_DOWN},
	{'C', K_RIGHT},
	{'D', K_LEFT},
	{'H', K_HOME},
	{'F', K_END},
	{'M', K_ENTER}, /* the keypad's */
	{'P', K_F1},
	{'Q', K_F1 + 1},
	{'R', K_F1 + 2},
	{'S', K_F1 + 3},
	{'Z', K_BACK_TAB},
};

static uint32_t look_up(const struct named *table, size_t count, int code)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].code == code)
			return table[i].key;
	}
	return 0;
}

/* The modifiers' parameter is 1 and a sum of bits. */
static uint32_t modifiers(int parameter)
{
	unsigned bits = parameter > 1 && parameter <= 16 ? (unsigned)parameter - 1 : 0;

	return (bits & 1 ? K_SHIFT : 0) | (bits & 2 ? K_ALT : 0) | (bits & 4 ? K_CONTROL : 0);
}

/* Up to `most` numbers between semicolons; returns how many. */
static int parameters(const struct keys *k, int *values, int most)
{
	int count = 0, value = 0;

	for (size_t i = 0; i < k->used && count < most; i++) {
		char c = k->sequence[i];
		if (c >= '0' && c <= '9' && value < 100000)
			value = value * 10 + (c - '0');
		if (c == ';' || i + 1 == k->used) {
			values[count++] = value;
			value = 0;
		}
	}
	return count;
}

static void finish_mouse(struct keys *k, char final, struct input *out)
{
	int values[3] = {0}, count = parameters(k, values, 3);
	bool moved = values[0] & 32;

	drop(k);
	if (count < 3 || values[1] < 1 || values[2] < 1)
		return;
	*out = (struct input){.kind = INPUT_MOUSE, .x = values[1] - 1, .y = values[2] - 1};
	/* Shift, Alt and Ctrl (4, 8, 16) make no difference here. */
	switch (values[0] & ~28) {
	case 0:
		out->mouse = final == 'M' && !moved ? MOUSE_CLICK : MOUSE_OTHER;
		break;
	case 64:
		out->mouse = MOUSE_WHEEL_UP;
		break;
	case 65:
		out->mouse = MOUSE_WHEEL_DOWN;
		break;
	default:
		out->mouse = MOUSE_OTHER;
		break;
	}
}

static void begin_paste(struct keys *k)
{
	drop(k);
	k->state = KEYS_PASTING;
	k->paste_used = k->paste_total = k->matched = 0;
	k->after_return = false;
}

static void finish_csi(struct keys *k, char final, struct input *out)
{
	int values[2] = {0};
	uint32_t key = 0;

	if (k->used > sizeof k->sequence) {
		drop(k);
		return;
	}
	if (k->used > 0 && k->sequence[0] == '<' && (final == 'M' || final == 'm')) {
		finish_mouse(k, final, out);
		return;
	}
	parameters(k, values, 2);
	if (final == '~' && values[0] == 200) {
		begin_paste(k);
		return;
	}
	if (final == '~' || final == '^') /* rxvt ends with ^ when Ctrl is down */
		key = look_up(by_number, sizeof by_number / sizeof by_number[0], values[0]);
	else if (final != 'M' && values[0] <= 1) /* CSI 24;80R is no key but a report */
		key = look_up(by_letter, sizeof by_letter / sizeof by_letter[0], final);
	if (key)
		give_key(k, key | modifiers(values[1]) | (final == '^' ? K_CONTROL : 0), out);
	else
		drop(k);
}

static void feed_csi(struct keys *k, char c, struct input *out)
{
	if (c == '[' && k->used == 0) {
		k->state = KEYS_CONSOLE;
	} else if (c >= 0x40 && c <= 0x7e) {
		finish_csi(k, c, out);
	} else if (c >= 0x20 && c <= 0x3f) {
		if (k->used < sizeof k->sequence)
			k->sequence[k->used++] = c;
		else
			k->used = sizeof k->sequence + 1;
	} else {
		drop(k);
	}
}

static void feed_ss3(struct keys *k, char c, struct input *out)
{
	uint32_t key = look_up(by_letter, sizeof by_letter / sizeof by_letter[0], c);

	if (key)
		give_key(k, key, out);
	else
		drop(k);
}

static void feed_console(struct keys *k, char c, struct input *out)
{
	if (c >= 'A' && c <= 'E')
		give_key(k, K_F1 + (uint32_t)(c - 'A'), out);
	else
		drop(k);
}

/* ---- characters ---- */

static size_t expected(unsigned char first)
{
	return first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

static void feed_character(struct keys *k, char c, struct input *out)
{
	uint32_t code;

	/* What should have gone on and did not is dropped; this byte begins anew. */
	if (k->used > 0 && ((unsigned char)c & 0xc0) != 0x80)
		k->used = 0;
	k->sequence[k->used++] = c;
	if (k->used < expected((unsigned char)k->sequence[0]))
		return;
	if (utf8_decode(k->sequence, k->used, &code) == k->used &&
		(code < 0x80 || utf8_is_clean(code)))
		give_key(k, code, out);
	else
		drop(k);
}

static void feed_ground(struct keys *k, char c, struct input *out)
{
	if (c == 0x1b)
		k->state = KEYS_ESCAPED;
	else
		feed_character(k, c, out);
}

static void feed_escaped(struct keys *k, char c, struct input *out)
{
	k->state = KEYS_GROUND;
	k->used = 0;
	if (c == '[') {
		k->state = KEYS_CSI;
	} else if (c == 'O') {
		k->state = KEYS_SS3;
	} else if (c == 0x1b) { /* some send another escape for Alt with a cursor key */
		k->alt = true;
		k->state = KEYS_ESCAPED;
	} else {
		k->alt = true;
		feed_character(k, c, out);
	}
}

/* ---- pastes ---- */

static void keep_pasted(struct keys *k, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];
		bool newline_again = c == '\n' && k->after_return;
		k->after_return = c == '\r';
		if (newline_again)
			continue;
		k->paste_total++;
		if (!k->paste)
			k->paste = malloc(KEYS_PASTE_MOST);
		if (k->paste && k->paste_used < KEYS_PASTE_MOST)
			k->paste[k->paste_used++] = c == '\r' ? '\n' : c;
	}
}

static void end_paste(struct keys *k, struct input *out)
{
	*out = (struct input){.kind = INPUT_PASTE,
		.paste = k->paste,
		.paste_length = k->paste_used,
		.paste_total = k->paste_total};
	k->state = KEYS_GROUND;
}

static void feed_paste(struct keys *k, char c, struct input *out)
{
	if (c == paste_end[k->matched]) {
		if (++k->matched == PASTE_END_LENGTH)
			end_paste(k, out);
		return;
	}
	/* The mark begins with its only escape, so nothing before `c` can begin it again. */
	keep_pasted(k, paste_end, k->matched);
	k->matched = c == paste_end[0] ? 1 : 0;
	if (k->matched == 0)
		keep_pasted(k, &c, 1);
}

bool keys_break(
	struct keys *k, const char *bytes, size_t length, int64_t quiet_ms, struct input *out)
{
	*out = (struct input){.kind = INPUT_NONE};
	if (k->state != KEYS_PASTING || length != 1 || (uint32_t)bytes[0] != CTRL('C'))
		return false;
	if (quiet_ms >= KEYS_BREAK_MS)
		end_paste(k, out);
	return true;
}

/* ---- */

size_t keys_feed(struct keys *k, const char *bytes, size_t length, struct input *out)
{
	size_t taken = 0;

	*out = (struct input){.kind = INPUT_NONE};
	while (taken < length && out->kind == INPUT_NONE) {
		char c = bytes[taken++];
		switch (k->state) {
		case KEYS_GROUND:
			feed_ground(k, c, out);
			break;
		case KEYS_ESCAPED:
			feed_escaped(k, c, out);
			break;
		case KEYS_CSI:
			feed_csi(k, c, out);
			break;
		case KEYS_SS3:
			feed_ss3(k, c, out);
			break;
		case KEYS_CONSOLE:
			feed_console(k, c, out);
			break;
		case KEYS_PASTING:
			feed_paste(k, c, out);
			break;
		}
	}
	return taken;
}

bool keys_is_waiting(const struct keys *k)
{
	/* What has gone on this far comes from a terminal: it is no Alt with a key, however slow. */
	bool arriving = k->state == KEYS_CSI && k->used > 0;

	return k->state != KEYS_GROUND && k->state != KEYS_PASTING && !arriving;
}

void keys_timeout(struct keys *k, struct input *out)
{
	*out = (struct input){.kind = INPUT_NONE};
	switch (k->state) {
	case KEYS_GROUND:
	case KEYS_PASTING:
		break;
	case KEYS_ESCAPED:
		give_key(k, K_ESCAPE, out);
		break;
	case KEYS_CSI: /* Alt with [ or O */
		if (k->used > 0)
			break;
		k->alt = true;
		give_key(k, '[', out);
		break;
	case KEYS_SS3:
		k->alt = true;
		give_key(k, 'O', out);
		break;
	case KEYS_CONSOLE:
		drop(k);
		break;
	}
}

/* ---- names ---- */

static const char *const names[] = {
	[K_UP - K_UP] = "Up",
	[K_DOWN - K_UP] = "Down",
	[K_LEFT - K_UP] = "Left",
	[K_RIGHT - K_UP] = "Right",
	[K_HOME - K_UP] = "Home",
	[K_END - K_UP] = "End",
	[K_PAGE_UP - K_UP] = "PageUp",
	[K_PAGE_DOWN - K_UP] = "PageDown",
	[K_INSERT - K_UP] = "Insert",
	[K_DELETE - K_UP] = "Delete",
	[K_BACK_TAB - K_UP] = "Shift-Tab",
};

char *keys_name(uint32_t key, char out[KEYS_NAME_MAX])
{
	const char *shift = key & K_SHIFT ? "Shift-" : "";
	const char *alt = key & K_ALT ? "Alt-" : "";
	const char *control = key & K_CONTROL ? "Ctrl-" : "";
	uint32_t code = key & ~(K_SHIFT | K_ALT | K_CONTROL);
	char own[16] = "?";

	if (code >= K_F1 && code <= K_F12)
		(void)snprintf(own, sizeof own, "F%u", (unsigned)(code - K_F1) + 1);
	else if (code >= K_UP && code < K_F1)
		(void)snprintf(own, sizeof own, "%s", names[code - K_UP]);
	else if (code == K_ENTER || code == K_TAB || code == K_ESCAPE || code == K_BACKSPACE)
		(void)snprintf(own, sizeof own, "%s",
			code == K_ENTER       ? "Enter"
			: code == K_TAB       ? "Tab"
			: code == K_BACKSPACE ? "Backspace"
					      : "Esc");
	else if (code == ' ')
		(void)snprintf(own, sizeof own, "Space");
	else if (code < 0x20)
		(void)snprintf(own, sizeof own, "Ctrl-%c", (int)code + '@');
	else if (code < 0x110000)
		own[utf8_encode(code, own)] = '\0';
	(void)snprintf(out, KEYS_NAME_MAX, "%s%s%s%s", control, alt, shift, own);
	return out;
}
