/*
 * Stacks: the guard below them, and what is given back while a thread waits.
 */
#include "server/stack.h"

#include "common/err.h"
#include "server/instrumented.h"
#include "server/thread.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES_MOST 512

static struct stack stack;

static void setup(void)
{
	ck_assert_int_eq(stack_new(thread_stack(), &stack), 0);
}

static void teardown(void)
{
	stack_free(&stack);
	ck_assert_ptr_null(stack.base);
	stack_free(&stack);
}

static size_t resident(void)
{
	unsigned char in[PAGES_MOST];
	size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;

	ck_assert_uint_le(stack.size / page, PAGES_MOST);
	ck_assert_int_eq(mincore(stack.base, stack.size, in), 0);
	for (size_t i = 0; i < stack.size / page; i++)
		count += in[i] & 1;
	return count;
}

/* What the kernel says of reading a byte, so that nobody has to survive it. */
static int readable(const char *at)
{
	int pipes[2];

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	int error = write(pipes[1], at, 1) == 1 ? 0 : errno;
	close(pipes[0]);
	close(pipes[1]);
	return error;
}

START_TEST(guarded)
{
	const char *base = stack.base;

	ck_assert_uint_ge(stack.size, thread_stack());
	ck_assert_int_eq(readable(base - 1), EFAULT);
	ck_assert_int_eq(readable(base), 0);
	ck_assert_int_eq(readable(base + stack.size - 1), 0);
}
END_TEST

START_TEST(no_room)
{
	struct stack none = {0};

	errno = 0;
	ck_assert_int_eq(stack_new((size_t)1 << 62, &none), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(none.base);
}
END_TEST

struct pages {
	size_t deep, rested;
	const char *ran_at;
};

/* Not inlined: it has to have left its frame when the stack rests. */
__attribute__((noinline)) static void go_deep(struct pages *p)
{
	volatile char room[64 * 1024];

	for (size_t i = 0; i < sizeof(room); i += 512)
		room[i] = (char)i;
	p->deep = resident();
}

static void *dive(void *argument)
{
	struct pages *p = argument;
	char here;

	p->ran_at = &here;
	go_deep(p);
	stack_rest(&stack);
	p->rested = resident();
	return argument;
}

START_TEST(gives_back)
{
	pthread_t thread;
	struct pages p = {0};

	ck_assert_int_eq(thread_start_on(&stack, &thread, "diver", dive, &p), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_ge(p.deep, p.rested + 8);
#if !SANITIZED /* the address sanitizer has its locals elsewhere */
	ck_assert(p.ran_at >= (char *)stack.base);
	ck_assert(p.ran_at < (char *)stack.base + stack.size);
#endif
}
END_TEST

START_TEST(of_another_thread)
{
	memset(stack.base, 'x', stack.size);
	stack_rest(&stack);
	for (size_t i = 0; i < stack.size; i++)
		ck_assert_int_eq(((char *)stack.base)[i], 'x');
}
END_TEST

Suite *stack_suite(void)
{
	Suite *s = suite_create("stack");
	TCase *c = tcase_create("stack");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, guarded);
	tcase_add_test(c, no_room);
	tcase_add_test(c, gives_back);
	tcase_add_test(c, of_another_thread);
	suite_add_tcase(s, c);
	return s;
}
