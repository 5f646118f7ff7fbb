/*
 * The line in which one types what a and b say.
 */
#include "tools/lab/desk.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

static struct desk d;
static char said[512];

static void setup(void)
{
	desk_init(&d);
	ck_assert_int_eq(desk_open(&d), 0);
}

static void teardown(void)
{
	desk_fini(&d);
}

static bool key(uint32_t k)
{
	return desk_input(&d, &(struct input){.kind = INPUT_KEY, .key = k});
}

static void type(const char *text)
{
	for (; *text; text++)
		ck_assert(key((unsigned char)*text));
}

/* What has come through the pipe. */
static const char *heard(void)
{
	ssize_t n = read(d.listen, said, sizeof(said) - 1);

	said[n > 0 ? n : 0] = '\0';
	return said;
}

START_TEST(lines)
{
	type("hello");
	ck_assert_str_eq(heard(), "");
	ck_assert(key(K_ENTER));
	ck_assert_str_eq(heard(), "a: hello\n");
	ck_assert_str_eq(editor_text(&d.editor), "");
	ck_assert(key(K_TAB));
	type("gx");
	ck_assert(key(K_BACKSPACE));
	ck_assert(key(0xfc)); /* a u with dots */
	ck_assert(key(K_ENTER));
	ck_assert(key(K_TAB));
	type("q");
	ck_assert(key(K_ENTER));
	ck_assert_str_eq(heard(), "b: g\xc3\xbc\na: q\n");
}
END_TEST

/* A paste is one line, whatever is in it. */
START_TEST(paste)
{
	static const char bytes[] = "two\nlines\x1b[2J";

	ck_assert(desk_input(&d,
		&(struct input){
			.kind = INPUT_PASTE, .paste = bytes, .paste_length = sizeof(bytes) - 1}));
	ck_assert(key(K_ENTER));
	const char *line = heard();
	ck_assert_int_eq(strncmp(line, "a: two", 6), 0);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert_ptr_null(strchr(line, 0x1b));
}
END_TEST

/* Nothing is nothing to say. */
START_TEST(empty)
{
	ck_assert(key(K_ENTER));
	ck_assert_str_eq(heard(), "");
}
END_TEST

/* Keys are the desk's only while one types. */
START_TEST(modes)
{
	ck_assert(!key(CTRL('C')));
	ck_assert(!key(K_UP));
	ck_assert(!key(K_PAGE_DOWN));
	ck_assert(key(K_ESCAPE));
	ck_assert(!key('L'));
	ck_assert(!key(K_TAB));
	ck_assert(!key(K_ENTER));
	ck_assert(key('i'));
	type("L");
	ck_assert(key(K_ENTER));
	ck_assert_str_eq(heard(), "a: L\n");
	ck_assert(!desk_input(&d, &(struct input){.kind = INPUT_MOUSE}));
}
END_TEST

/* That was all: the pipe has its end, and keys are others'. */
START_TEST(end)
{
	type("x");
	ck_assert(key(CTRL('D')));
	ck_assert_int_eq(read(d.listen, said, sizeof(said)), 0);
	ck_assert(!key('i'));
	ck_assert_int_eq(desk_open(&d), 0);
	ck_assert(key('i'));
	ck_assert(key(K_ENTER));
	ck_assert_str_eq(heard(), "a: x\n");
}
END_TEST

Suite *desk_suite(void);

Suite *desk_suite(void)
{
	Suite *s = suite_create("desk");
	TCase *t = tcase_create("desk");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, lines);
	tcase_add_test(t, paste);
	tcase_add_test(t, empty);
	tcase_add_test(t, modes);
	tcase_add_test(t, end);
	suite_add_tcase(s, t);
	return s;
}
