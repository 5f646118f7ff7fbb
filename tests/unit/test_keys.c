/*
 * Keys: sequences of several terminals, cut anywhere; pastes; the mouse.
 */
#include "client/keys.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *bytes;
	uint32_t key;
} cases[] = {
	{"a", 'a'},
	{"\r", K_ENTER},
	{"\x01", CTRL('A')},
	{"\x7f", K_BACKSPACE},
	{"\u0436", 0x436},
	{"\u65e5", 0x65e5},
	{"\U0001f600", 0x1f600},
	{"\033[A", K_UP},
	{"\033OA", K_UP},
	{"\033[B", K_DOWN},
	{"\033[D", K_LEFT},
	{"\033[H", K_HOME},
	{"\033OF", K_END},
	{"\033[1~", K_HOME},
	{"\033[7~", K_HOME},
	{"\033[3~", K_DELETE},
	{"\033[5~", K_PAGE_UP},
	{"\033[6~", K_PAGE_DOWN},
	{"\033[6^", K_PAGE_DOWN | K_CONTROL},
	{"\033[Z", K_BACK_TAB},
	{"\033OP", K_F1},
	{"\033[11~", K_F1},
	{"\033[[A", K_F1},
	{"\033[1;2P", K_F1 | K_SHIFT},
	{"\033[24~", K_F12},
	{"\033[1;3D", K_LEFT | K_ALT},
	{"\033\033[D", K_LEFT | K_ALT},
	{"\033[1;5C", K_RIGHT | K_CONTROL},
	{"\033[5;5~", K_PAGE_UP | K_CONTROL},
	{"\033a", 'a' | K_ALT},
	{"\033\r", K_ENTER | K_ALT},
	{"\033\x7f", K_BACKSPACE | K_ALT},
	{"\033\u0436", 0x436 | K_ALT},
	{"\0331", '1' | K_ALT},
};

static size_t feed_all(
	struct keys *k, const char *bytes, size_t length, size_t step, struct input *last)
{
	size_t inputs = 0;
	struct input in;

	for (size_t at = 0; at < length;) {
		size_t piece = length - at < step ? length - at : step;
		at += keys_feed(k, bytes + at, piece, &in);
		if (in.kind != INPUT_NONE) {
			*last = in;
			inputs++;
		}
	}
	return inputs;
}

START_TEST(decoded)
{
	for (size_t step = 1; step <= 8; step++) {
		struct keys k = {0};
		struct input in = {0};
		ck_assert_uint_eq(
			feed_all(&k, cases[_i].bytes, strlen(cases[_i].bytes), step, &in), 1);
		ck_assert_int_eq(in.kind, INPUT_KEY);
		ck_assert_uint_eq(in.key, cases[_i].key);
		ck_assert(!keys_is_waiting(&k));
		keys_fini(&k);
	}
}
END_TEST

#define TEN           "1111111111"
#define LONG_SEQUENCE "\033[" TEN TEN TEN TEN TEN TEN TEN TEN "~"

/* Not known, or not right: nothing comes out, and the next key is as it should be. */
static const char *const dropped[] = {
	"\033[99~",
	"\033[?1;2c",
	"\033[>0;1;0c",
	"\033Oz",
	"\033[[Z",
	"\033[24;80R",
	"\xff\xff\xff\xff",
	"\x80",
	"\xc3",
	"\xed\xa0\x80",
	"\xf4\x90\x80\x80",
	"\xc2\x9b",
	"\033[\x01",
	"\033[I",
	"\033[O",
	LONG_SEQUENCE,
};

START_TEST(nothing_typed)
{
	struct keys k = {0};
	struct input in = {0};

	ck_assert_uint_eq(feed_all(&k, dropped[_i], strlen(dropped[_i]), 1, &in), 0);
	ck_assert_uint_eq(feed_all(&k, "x", 1, 1, &in), 1);
	ck_assert_uint_eq(in.key, 'x');
	keys_fini(&k);
}
END_TEST

START_TEST(escape_by_time)
{
	struct keys k = {0};
	struct input in = {0};

	ck_assert_uint_eq(feed_all(&k, "\033", 1, 1, &in), 0);
	ck_assert(keys_is_waiting(&k));
	keys_timeout(&k, &in);
	ck_assert_uint_eq(in.key, K_ESCAPE);
	ck_assert(!keys_is_waiting(&k));
	keys_timeout(&k, &in);
	ck_assert_int_eq(in.kind, INPUT_NONE);
	ck_assert_uint_eq(feed_all(&k, "\033[", 2, 1, &in), 0);
	keys_timeout(&k, &in);
	ck_assert_uint_eq(in.key, '[' | K_ALT);
	/* A line that is slow does not make a key of the rest of what a terminal sends. */
	ck_assert_uint_eq(feed_all(&k, "\033[20", 4, 1, &in), 0);
	ck_assert(!keys_is_waiting(&k));
	keys_timeout(&k, &in);
	ck_assert_int_eq(in.kind, INPUT_NONE);
	ck_assert_uint_eq(feed_all(&k, "0~one\rtwo\033[201~", 15, 1, &in), 1);
	ck_assert_int_eq(in.kind, INPUT_PASTE);
	ck_assert_uint_eq(in.paste_length, 7);
	ck_assert_uint_eq(feed_all(&k, "\033[[", 3, 1, &in), 0);
	keys_timeout(&k, &in);
	ck_assert_int_eq(in.kind, INPUT_NONE);
	keys_fini(&k);
}
END_TEST

static const struct {
	const char *bytes;
	enum mouse_what what;
	int x, y;
} clicks[] = {
	{"\033[<0;1;1M", MOUSE_CLICK, 0, 0}, {"\033[<0;10;3M", MOUSE_CLICK, 9, 2},
	{"\033[<0;10;3m", MOUSE_OTHER, 9, 2}, {"\033[<64;5;6M", MOUSE_WHEEL_UP, 4, 5},
	{"\033[<65;5;6M", MOUSE_WHEEL_DOWN, 4, 5},
	{"\033[<68;5;6M", MOUSE_WHEEL_UP, 4, 5},                                   /* with Shift */
	{"\033[<2;5;6M", MOUSE_OTHER, 4, 5}, {"\033[<32;5;6M", MOUSE_OTHER, 4, 5}, /* moved */
};

START_TEST(mouse)
{
	struct keys k = {0};
	struct input in = {0};

	ck_assert_uint_eq(feed_all(&k, clicks[_i].bytes, strlen(clicks[_i].bytes), 3, &in), 1);
	ck_assert_int_eq(in.kind, INPUT_MOUSE);
	ck_assert_int_eq(in.mouse, clicks[_i].what);
	ck_assert_int_eq(in.x, clicks[_i].x);
	ck_assert_int_eq(in.y, clicks[_i].y);
	ck_assert_uint_eq(feed_all(&k, "\033[<0;0;1M", 9, 9, &in), 0);
	ck_assert_uint_eq(feed_all(&k, "\033[<0M", 5, 5, &in), 0);
	keys_fini(&k);
}
END_TEST

static const struct {
	const char *bytes, *text;
} pastes[] = {
	{"\033[200~hello\033[201~", "hello"},
	{"\033[200~\033[201~", ""},
	{"\033[200~a\rb\nc\r\nd\033[201~", "a\nb\nc\nd"},
	{"\033[200~a\r\r\nb\033[201~", "a\n\nb"},
	{"\033[200~\033[A\033[201\033\033[20\033[201~", "\033[A\033[201\033\033[20"},
	{"\033[200~\u0436\033[201~", "\u0436"},
};

START_TEST(pasted)
{
	for (size_t step = 1; step <= 9; step++) {
		struct keys k = {0};
		struct input in = {0};
		ck_assert_uint_eq(
			feed_all(&k, pastes[_i].bytes, strlen(pastes[_i].bytes), step, &in), 1);
		ck_assert_int_eq(in.kind, INPUT_PASTE);
		ck_assert_uint_eq(in.paste_length, strlen(pastes[_i].text));
		ck_assert_uint_eq(in.paste_total, in.paste_length);
		if (in.paste_length > 0)
			ck_assert_mem_eq(in.paste, pastes[_i].text, in.paste_length);
		keys_fini(&k);
	}
}
END_TEST

/* A paste whose end was lost ends with ^C, but not with one that was pasted. */
START_TEST(endless_paste)
{
	struct keys k = {0};
	struct input in = {0};

	ck_assert(!keys_break(&k, "\003", 1, KEYS_BREAK_MS, &in));
	ck_assert_uint_eq(feed_all(&k, "\033[200~hello\033[2", 14, 14, &in), 0);
	ck_assert(!keys_break(&k, "x", 1, KEYS_BREAK_MS, &in));
	ck_assert(!keys_break(&k, "\003x", 2, KEYS_BREAK_MS, &in));
	ck_assert(keys_break(&k, "\003", 1, KEYS_BREAK_MS - 1, &in));
	ck_assert_int_eq(in.kind, INPUT_NONE);
	ck_assert(keys_break(&k, "\003", 1, KEYS_BREAK_MS, &in));
	ck_assert_int_eq(in.kind, INPUT_PASTE);
	ck_assert_uint_eq(in.paste_length, 5);
	ck_assert_mem_eq(in.paste, "hello", 5);
	ck_assert_uint_eq(feed_all(&k, "x", 1, 1, &in), 1);
	ck_assert_uint_eq(in.key, 'x');
	/* The next one has nothing of it. */
	ck_assert_uint_eq(feed_all(&k, "\033[200~abc\033[201~", 15, 15, &in), 1);
	ck_assert_uint_eq(in.paste_length, 3);
	keys_fini(&k);
}
END_TEST

START_TEST(huge_paste)
{
	const size_t size = 1024 * 1024;
	char *bytes = malloc(size);
	struct keys k = {0};
	struct input in = {0};

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'x', size);
	ck_assert_uint_eq(feed_all(&k, "\033[200~", 6, 6, &in), 0);
	ck_assert_uint_eq(feed_all(&k, bytes, size, 4096, &in), 0);
	ck_assert_uint_eq(feed_all(&k, "\033[201~", 6, 6, &in), 1);
	ck_assert_int_eq(in.kind, INPUT_PASTE);
	ck_assert_uint_eq(in.paste_length, KEYS_PASTE_MOST);
	ck_assert_uint_eq(in.paste_total, size);
	free(bytes);
	keys_fini(&k);
}
END_TEST

START_TEST(random_bytes)
{
	struct keys k = {0};
	struct input in;
	unsigned seed = (unsigned)_i + 1;

	for (int i = 0; i < 100000; i++) {
		static const char common[] = "\033[[O<;0123M~a\x80\xc3";
		seed = seed * 1103515245 + 12345;
		char c = seed >> 30 ? common[(seed >> 16) % (sizeof common - 1)]
				    : (char)(seed >> 16);
		ck_assert_uint_eq(keys_feed(&k, &c, 1, &in), 1);
		if (in.kind == INPUT_KEY)
			ck_assert_uint_lt(in.key & 0xffffff, K_AFTER_LAST);
		if (in.kind == INPUT_MOUSE)
			ck_assert(in.x >= 0 && in.y >= 0);
	}
	keys_fini(&k);
}
END_TEST

static const struct {
	uint32_t key;
	const char *name;
} names[] = {
	{CTRL('W'), "Ctrl-W"},
	{CTRL('_'), "Ctrl-_"},
	{K_TAB, "Tab"},
	{'a' | K_ALT, "Alt-a"},
	{K_LEFT | K_ALT, "Alt-Left"},
	{K_F1, "F1"},
	{K_F12, "F12"},
	{K_PAGE_UP | K_CONTROL, "Ctrl-PageUp"},
	{0x436, "\u0436"},
};

START_TEST(named)
{
	char out[KEYS_NAME_MAX];

	ck_assert_str_eq(keys_name(names[_i].key, out), names[_i].name);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *keys_suite(void)
{
	Suite *s = suite_create("keys");
	TCase *t = tcase_create("decoder");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, decoded, 0, COUNT(cases));
	tcase_add_loop_test(t, nothing_typed, 0, COUNT(dropped));
	tcase_add_test(t, escape_by_time);
	tcase_add_loop_test(t, mouse, 0, COUNT(clicks));
	tcase_add_loop_test(t, pasted, 0, COUNT(pastes));
	tcase_add_test(t, endless_paste);
	tcase_add_test(t, huge_paste);
	tcase_add_loop_test(t, random_bytes, 0, 4);
	tcase_add_loop_test(t, named, 0, COUNT(names));
	suite_add_tcase(s, t);
	return s;
}
