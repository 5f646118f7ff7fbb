/*
 * Redis: the dialogues are those of redis-server 7.0.15.
 */
#include "tests/unit/dialogue.h"

#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO                                                                                      \
	"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n"    \
	":3\r\n$2\r\nid\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$"               \
	"6\r\nmaster\r\n"                                                                          \
	"$7\r\nmodules\r\n*0\r\n"
#define SUBSCRIBED ">3\r\n$9\r\nsubscribe\r\n$2\r\nr0\r\n:1\r\n"
#define MESSAGE    ">3\r\n$7\r\nmessage\r\n$2\r\nr0\r\n$5\r\nhello\r\n"
#define NOAUTH                                                                                     \
	"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "  \
	"AUTH <user> <pass> option can be used to authenticate the client and select the RESP "    \
	"protocol version at the same time"

static const struct dialogue dialogues[] = {
	{.bytes = HELLO SUBSCRIBED MESSAGE ":1\r\n" MESSAGE MESSAGE ":2\r\n:2\r\n",
		.says = 3,
		.told = "ready\nmessage hello\nack 1\nmessage hello\nmessage hello\nack 2\nack 3\n",
		.end = ERR_AGAIN},
	{.bytes = HELLO SUBSCRIBED ">3\r\n$11\r\nunsubscribe\r\n$2\r\nr0\r\n:0\r\n+OK\r\n",
		.told = "ready\n",
		.end = ERR_AGAIN},
	{.bytes = "-" NOAUTH "\r\n-NOAUTH Authentication required.\r\n",
		.told = "refused " NOAUTH "\nrefused NOAUTH Authentication required.\n",
		.end = ERR_AGAIN},
	{.bytes = "-ERR max number of clients reached\r\n",
		.told = "refused ERR max number of clients reached\n",
		.end = ERR_AGAIN},
	{.bytes = HELLO "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
		.told = "refused ERR unknown command 'NOSUCH', with args beginning with: \n",
		.end = ERR_AGAIN},
	/* What the protocol has, and Redis does not say here. */
	{.bytes = "_\r\n#t\r\n,1.5\r\n(12345678901234567890\r\n=7\r\ntxt:abc\r\n~2\r\n+a\r\n*1\r\n:"
		  "1\r\n"
		  "$-1\r\n*-1\r\n|1\r\n+ttl\r\n:1\r\n$3\r\nabc\r\n>2\r\n+x\r\n+y\r\n" SUBSCRIBED,
		.told = "ready\n",
		.end = ERR_AGAIN},
	{.bytes = ">3\r\n$7\r\nmessage\r\n$0\r\n\r\n$2\r\n\r\n\r\n",
		.told = "message \r\n\n",
		.end = ERR_AGAIN},
	/* An answer that nothing was asked for. */
	{.bytes = ":1\r\n:1\r\n", .says = 1, .told = "ack 1\n", .end = ERR_PROTOCOL},
	/* Not this protocol. */
	{.bytes = "HTTP/1.1 400 Bad Request\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "\x15\x03\x01", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "+OK\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "*\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "*-2\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "%-1\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "$?\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "*1\r\n\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "*1\r\nx\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "$3\r\nabcdef", .told = "", .end = ERR_PROTOCOL},
	{.bytes = ">3\r\n$7\r\nmessage\r\n:1\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = ">3\r\n$7\r\nmessage\r\n$2\r\nr0\r\n$3\r\nabcd\r",
		.told = "",
		.end = ERR_PROTOCOL},
	/* Larger than anything: known by the number. */
	{.bytes = "$65535\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "$99999999999999999999\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "*22000\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "%18446744073709551615\r\n", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "|65536\r\n", .told = "", .end = ERR_PROTOCOL},
};
#define DIALOGUES ((int)(sizeof(dialogues) / sizeof(dialogues[0])))

START_TEST(whole_dialogues)
{
	struct dialogue d = dialogues[_i];

	d.sent = "";
	dialogue_check(&protocol_redis, &d);
}
END_TEST

START_TEST(garbage)
{
	dialogue_garbage(&protocol_redis, &dialogues[_i]);
}
END_TEST

START_TEST(what_it_writes)
{
	dialogue_writes(&protocol_redis,
		"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"
		"*2\r\n$9\r\nSUBSCRIBE\r\n$15\r\nstress.000abc.2\r\n",
		"*3\r\n$7\r\nPUBLISH\r\n$15\r\nstress.000abc.2\r\n$3\r\nhey\r\n",
		"*1\r\n$4\r\nQUIT\r\n");
}
END_TEST

/* A thing as large as may be comes through, one byte more does not; nor a line without an end. */
START_TEST(as_large_as_may_be)
{
	static const char head[] = ">3\r\n$7\r\nmessage\r\n$1\r\nr\r\n$65502\r\n";
	static uint8_t bytes[PROTOCOL_THING_MOST + 1];
	struct protocol_peer p = {0};
	struct outgoing out = {0};
	struct event e;
	size_t used, at = sizeof(head) - 1;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, head, at);
	ck_assert_uint_eq(at + 65502 + 2, PROTOCOL_THING_MOST);
	memcpy(bytes + at + 65502, "\r\n", 2);
	ck_assert_int_eq(protocol_redis.next(&p, bytes, PROTOCOL_THING_MOST - 1, &used, &e, &out),
		ERR_AGAIN);
	ck_assert_int_eq(
		protocol_redis.next(&p, bytes, PROTOCOL_THING_MOST + 1, &used, &e, &out), 0);
	ck_assert_uint_eq(used, PROTOCOL_THING_MOST);
	ck_assert_uint_eq(e.length, 65502);
	ck_assert_uint_gt(e.length, protocol_redis.text_most);
	bytes[at - 3] = '3';
	ck_assert_int_eq(
		protocol_redis.next(&p, bytes, sizeof(bytes), &used, &e, &out), ERR_PROTOCOL);
	memset(bytes, '+', sizeof(bytes));
	ck_assert_int_eq(protocol_redis.next(&p, bytes, PROTOCOL_THING_MOST - 1, &used, &e, &out),
		ERR_AGAIN);
	ck_assert_int_eq(
		protocol_redis.next(&p, bytes, PROTOCOL_THING_MOST, &used, &e, &out), ERR_PROTOCOL);
}
END_TEST

Suite *protocol_redis_suite(void)
{
	Suite *s = suite_create("protocol_redis");
	TCase *t = tcase_create("redis");

	tcase_add_loop_test(t, whole_dialogues, 0, DIALOGUES);
	tcase_add_loop_test(t, garbage, 0, DIALOGUES);
	tcase_add_test(t, what_it_writes);
	tcase_add_test(t, as_large_as_may_be);
	suite_add_tcase(s, t);
	return s;
}
