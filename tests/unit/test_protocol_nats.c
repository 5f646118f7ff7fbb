/*
 * NATS: the dialogues are those of nats-server 2.9.10.
 */
#include "tests/unit/dialogue.h"

#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFO                                                                                       \
	"INFO {\"server_id\":\"NDFBYAZV42HHRNIDE3FM6GZ526L3IOIM3BLDNLYNXCAZ22X2K5RHE3I3\","        \
	"\"server_name\":\"NDFBYAZV42HHRNIDE3FM6GZ526L3IOIM3BLDNLYNXCAZ22X2K5RHE3I3\","            \
	"\"version\":\"2.9.10\",\"proto\":1,\"go\":\"go1.19.8\",\"host\":\"127.0.0.1\","           \
	"\"port\":4223,\"headers\":true,\"max_payload\":1048576,\"client_id\":4,"                  \
	"\"client_ip\":\"127.0.0.1\"} \r\n"
#define CONNECT                                                                                    \
	"CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,\"headers\":true,"            \
	"\"name\":\"stress-000abc-7\",\"lang\":\"c\",\"version\":\"1\",\"protocol\":1}\r\n"        \
	"SUB stress.000abc.2 1\r\nPING\r\n"
#define MESSAGE "MSG r0 1 5\r\nhello\r\n"

static const struct dialogue dialogues[] = {
	{.bytes = INFO "PONG\r\n" MESSAGE MESSAGE "PING\r\n" MESSAGE "PONG\r\n",
		.sent = CONNECT "PONG\r\n",
		.told = "agent 2.9.10\nready\nmessage hello\nmessage hello\nmessage hello\n",
		.end = ERR_AGAIN},
	{.bytes = INFO "PONG\r\n" INFO "HMSG r0 1 12 17\r\nNATS/1.0\r\n\r\nhello\r\n"
		       "MSG r0 1 reply 5\r\nhello\r\nMSG r0 1 0\r\n\r\nMSG r0 1 2\r\n\r\n\r\n",
		.sent = CONNECT,
		.told = "agent 2.9.10\nready\nmessage hello\nmessage hello\nmessage \nmessage "
			"\r\n\n",
		.end = ERR_AGAIN},
	{.bytes = INFO "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n",
		.sent = CONNECT "PONG\r\nPONG\r\n",
		.told = "agent 2.9.10\nrefused 'Stale Connection'\n",
		.end = ERR_AGAIN},
	{.bytes = INFO "+OK\r\n-ERR 'Authorization Violation'\r\n",
		.sent = CONNECT,
		.told = "agent 2.9.10\nrefused 'Authorization Violation'\n",
		.end = ERR_AGAIN},
	{.bytes = "INFO {\"port\":4222,\"tls_required\":true,\"client_id\":4} \r\n",
		.sent = "",
		.told = "refused the server wants TLS after its INFO, which is not spoken here\n",
		.end = ERR_AGAIN},
	{.bytes = "PONG\r\n-ERR\r\n", .sent = "", .told = "refused \n", .end = ERR_AGAIN},
	/* Not this protocol. */
	{.bytes = "HTTP/1.1 400 Bad Request\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "\x15\x03\x01", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "PING\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "Ping\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "MSG r0 1\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "MSG 5\r\nhello\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "MSG r0 1 x\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "MSG r0 1 5\r\nhello..", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "HMSG r0 1 18 17\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "HMSG r0 17\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	/* Larger than anything: known by the number. */
	{.bytes = "MSG r0 1 65536\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "MSG r0 1 18446744073709551615\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
};
#define DIALOGUES ((int)(sizeof(dialogues) / sizeof(dialogues[0])))

START_TEST(whole_dialogues)
{
	dialogue_check(&protocol_nats, &dialogues[_i]);
}
END_TEST

START_TEST(garbage)
{
	dialogue_garbage(&protocol_nats, &dialogues[_i]);
}
END_TEST

START_TEST(what_it_writes)
{
	dialogue_writes(&protocol_nats, "", "PUB stress.000abc.2 3\r\nhey\r\n", "UNSUB 1\r\n");
}
END_TEST

/* A thing as large as may be comes through, one byte more does not; nor a line without an end. */
START_TEST(as_large_as_may_be)
{
	static const char head[] = "MSG r0 1 65518\r\n";
	static uint8_t bytes[PROTOCOL_THING_MOST + 1];
	struct protocol_peer p = {0};
	struct outgoing out = {0};
	struct event e;
	size_t used, at = sizeof(head) - 1;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, head, at);
	ck_assert_uint_eq(at + 65518 + 2, PROTOCOL_THING_MOST);
	memcpy(bytes + at + 65518, "\r\n", 2);
	ck_assert_int_eq(
		protocol_nats.next(&p, bytes, PROTOCOL_THING_MOST - 1, &used, &e, &out), ERR_AGAIN);
	ck_assert_int_eq(
		protocol_nats.next(&p, bytes, PROTOCOL_THING_MOST + 1, &used, &e, &out), 0);
	ck_assert_uint_eq(used, PROTOCOL_THING_MOST);
	ck_assert_uint_eq(e.length, 65518);
	ck_assert_uint_gt(e.length, protocol_nats.text_most);
	bytes[at - 3] = '9';
	ck_assert_int_eq(protocol_nats.next(&p, bytes, at, &used, &e, &out), ERR_PROTOCOL);
	memset(bytes, 'I', sizeof(bytes));
	ck_assert_int_eq(
		protocol_nats.next(&p, bytes, PROTOCOL_THING_MOST - 1, &used, &e, &out), ERR_AGAIN);
	ck_assert_int_eq(
		protocol_nats.next(&p, bytes, PROTOCOL_THING_MOST, &used, &e, &out), ERR_PROTOCOL);
}
END_TEST

Suite *protocol_nats_suite(void)
{
	Suite *s = suite_create("protocol_nats");
	TCase *t = tcase_create("nats");

	tcase_add_loop_test(t, whole_dialogues, 0, DIALOGUES);
	tcase_add_loop_test(t, garbage, 0, DIALOGUES);
	tcase_add_test(t, what_it_writes);
	tcase_add_test(t, as_large_as_may_be);
	suite_add_tcase(s, t);
	return s;
}
