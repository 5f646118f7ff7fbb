/*
 * Refusals: one last word, whatever the peer has said by then.
 */
#include "server/refusal.h"

#include "common/net.h"
#include "tests/unit/peer.h"

#include <check.h>

static const enum code codes[] = {CODE_FULL, CODE_RESOURCES, CODE_STOPPING};

START_TEST(one_word_then_the_end)
{
	struct peer peer;
	union message m;
	struct msg_hello hello = {.version_low = 1, .version_high = 1};
	int fd;

	for (int spoke = 0; spoke < 2; spoke++) {
		ck_assert_int_eq(peer_open(&peer, 0, &fd), 0);
		if (spoke)
			ck_assert_int_eq(peer_send(&peer, MESSAGE_HELLO, &hello), 0);
		refusal_send(fd, codes[_i], NULL);
		ck_assert_int_eq(peer_expect(&peer, MESSAGE_ERROR, &m), 0);
		ck_assert_uint_eq(m.error.tag, 0);
		ck_assert_uint_eq(m.error.code, codes[_i]);
		ck_assert_uint_eq(m.error.fatal, 1);
		ck_assert(span_equal(m.error.text, code_text(codes[_i])));
		ck_assert(peer_is_closed(&peer)); /* the sending side has ended, */
		net_close(fd);                    /* and the descriptor was still open */
		peer_close(&peer);
	}
}
END_TEST

START_TEST(nobody_there_any_more)
{
	struct peer peer;
	int fd;

	ck_assert_int_eq(peer_open(&peer, 0, &fd), 0);
	peer_close(&peer);
	refusal_send(fd, CODE_FULL, NULL); /* no signal, no wait */
	net_close(fd);
}
END_TEST

Suite *refusal_suite(void)
{
	Suite *s = suite_create("refusal");
	TCase *c = tcase_create("refusal");

	tcase_add_loop_test(c, one_word_then_the_end, 0, sizeof(codes) / sizeof(codes[0]));
	tcase_add_test(c, nobody_there_any_more);
	suite_add_tcase(s, c);
	return s;
}
