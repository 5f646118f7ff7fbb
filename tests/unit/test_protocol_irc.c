/*
 * IRC: the dialogues are those of ngIRCd 26.1 and InspIRCd 3.15.
 */
#include "tests/unit/dialogue.h"

#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NICK_1 "a05am91y4"
#define NICK_2 "a05am91y5"
#define NICK_3 "a05am91y6"
#define NICK_4 "a05am91y7"

#define NGIRCD_WELCOME                                                                             \
	":irc.bench 001 n00000a :Welcome to the Internet Relay Network "                           \
	"n00000a!~stress@127.0.0.1\r\n"                                                            \
	":irc.bench 002 n00000a :Your host is irc.bench, running version ngircd-26.1 "             \
	"(x86_64/pc/linux-gnu)\r\n"                                                                \
	":irc.bench 003 n00000a :This server has been started Thu Nov 26 2026 at 20:20:47 "        \
	"(UTC)\r\n"                                                                                \
	":irc.bench 004 n00000a irc.bench ngircd-26.1 abBcCFiIoqrRswx abehiIklmMnoOPqQrRstvVz\r\n" \
	":irc.bench 005 n00000a CHANNELLEN=50 NICKLEN=9 TOPICLEN=490 AWAYLEN=127 KICKLEN=400 "     \
	"MODES=5 MAXLIST=beI:50 EXCEPTS=e INVEX=I PENALTY FNC :are supported on this server\r\n"   \
	":irc.bench 251 n00000a :There are 1 users and 0 services on 1 servers\r\n"                \
	":irc.bench 254 n00000a 1 :channels formed\r\n"                                            \
	":irc.bench 250 n00000a :Highest connection count: 1 (1 connections received)\r\n"         \
	":irc.bench 375 n00000a :- irc.bench message of the day\r\n"                               \
	":irc.bench 372 n00000a :- hello\r\n"                                                      \
	":irc.bench 376 n00000a :End of MOTD command\r\n"
#define NGIRCD_JOIN                                                                                \
	":n00000a!~stress@127.0.0.1 JOIN :#r0\r\n"                                                 \
	":irc.bench 353 n00000a = #r0 :@n00000a\r\n"                                               \
	":irc.bench 366 n00000a #r0 :End of NAMES list\r\n"
#define INSPIRCD_WELCOME                                                                           \
	":irc.bench 001 n00000a :Welcome to the bench IRC Network n00000a!stress@127.0.0.1\r\n"    \
	":irc.bench 002 n00000a :Your host is irc.bench, running version InspIRCd-3\r\n"           \
	":irc.bench 004 n00000a irc.bench InspIRCd-3 iosw biklmnopstv :bklov\r\n"                  \
	":irc.bench 265 n00000a :Current local users: 0  Max: 0\r\n"                               \
	":irc.bench 422 n00000a :Message of the day file is missing.\r\n"
#define INSPIRCD_JOIN                                                                              \
	":n00000a!stress@127.0.0.1 JOIN :#r0\r\n"                                                  \
	":irc.bench 353 n00000a = #r0 :@n00000a\r\n"                                               \
	":irc.bench 366 n00000a #r0 :End of /NAMES list.\r\n"
#define HELLO ":n00000b!~stress@127.0.0.1 PRIVMSG #r0 :hello there\r\n"
#define TAKEN ":irc.bench 433 * n00000a :Nickname already in use\r\n"
#define OUTSIDE                                                                                    \
	"You cannot send external messages to this channel whilst the +n (noextmsg) mode is set."
#define JOIN    "JOIN #s000abc-2\r\n"
#define NICK(n) "NICK " n "\r\n"
#define KICK(n) ":op!op@127.0.0.1 KICK #r0 " n " :out\r\n"

static const struct dialogue dialogues[] = {
	{.bytes = NGIRCD_WELCOME NGIRCD_JOIN
		":n00000b!~stress@127.0.0.1 JOIN :#r0\r\n" HELLO HELLO
		":n00000b!~stress@127.0.0.1 QUIT :Request too long\r\n",
		.sent = JOIN,
		.told = "agent ngircd-26.1\nready\nmessage hello there\nmessage hello there\n",
		.end = ERR_AGAIN},
	{.bytes = INSPIRCD_WELCOME INSPIRCD_JOIN
		"PING :irc.bench\r\n" HELLO
		"ERROR :Closing link: (stress@127.0.0.1) [Ping timeout: 8 seconds]\r\n",
		.sent = JOIN "PONG :irc.bench\r\n",
		.told = "agent InspIRCd-3\nready\nmessage hello there\n"
			"refused ERROR :Closing link: (stress@127.0.0.1) [Ping timeout: 8 "
			"seconds]\n",
		.end = ERR_AGAIN},
	{.bytes = ":irc.bench NOTICE n00000b :Connection statistics: client 0.7 kb, server 1.4 "
		  "kb.\r\n"
		  "ERROR :Request too long\r\n",
		.sent = "",
		.told = "refused ERROR :Request too long\n",
		.end = ERR_AGAIN},
	/* Nicks that others have: another one, and an end of that. */
	{.bytes = TAKEN NGIRCD_WELCOME NGIRCD_JOIN,
		.sent = NICK(NICK_2) JOIN,
		.told = "agent ngircd-26.1\nready\n",
		.end = ERR_AGAIN},
	{.bytes = TAKEN TAKEN TAKEN TAKEN,
		.sent = NICK(NICK_2) NICK(NICK_3) NICK(NICK_4),
		.told = "refused 433 * n00000a :Nickname already in use\n",
		.end = ERR_AGAIN},
	/* A cookie before the welcome, and what other networks greet with. */
	{.bytes = "PING :4F1A00E3\r\n:irc.bench 439 * :Please wait while we process your "
		  "connection.\r\n" NGIRCD_WELCOME,
		.sent = "PONG :4F1A00E3\r\n" JOIN,
		.told = "agent ngircd-26.1\n",
		.end = ERR_AGAIN},
	/* Refusals. */
	{.bytes = NGIRCD_WELCOME ":irc.bench 471 n00000a #r0 :Cannot join channel (+l)\r\n",
		.sent = JOIN,
		.told = "agent ngircd-26.1\nrefused 471 n00000a #r0 :Cannot join channel (+l)\n",
		.end = ERR_AGAIN},
	{.bytes = INSPIRCD_WELCOME ":irc.bench 404 n00000b #r0 :" OUTSIDE "\r\n",
		.sent = JOIN,
		.told = "agent InspIRCd-3\nrefused 404 n00000b #r0 :" OUTSIDE "\n",
		.end = ERR_AGAIN},
	{.bytes = INSPIRCD_WELCOME ":irc.bench 476 n00000b r0 :Invalid channel name\r\n",
		.sent = JOIN,
		.told = "agent InspIRCd-3\nrefused 476 n00000b r0 :Invalid channel name\n",
		.end = ERR_AGAIN},
	{.bytes = KICK("somebody") KICK(NICK_2) KICK(NICK_1),
		.sent = "",
		.told = "refused KICK #r0 " NICK_1 " :out\n",
		.end = ERR_AGAIN},
	/* Shapes that the grammar allows. */
	{.bytes = "@time=2026-11-26T20:20:47.000Z;x=y :a!b@c PRIVMSG #r0 :tagged\r\n"
		  ":a!b@c   PRIVMSG   #r0   word\r\n\r\n:a PRIVMSG #r0 ::two :colons\r\n"
		  ":a PRIVMSG #r0 :\r\n:a PRIVMSG #r0\r\nPRIVMSG\r\n:a PRIVMSG :#r0\r\n"
		  ":a PRIVMSG n00000a :to a nick\r\n:a PRIVMSG #r0 :bare end\n"
		  ":a PRIVMSG &r0 one two\r\n",
		.sent = "",
		.told = "message tagged\nmessage word\nmessage :two :colons\nmessage \nmessage \n"
			"message \nmessage bare end\nmessage one\n",
		.end = ERR_AGAIN},
	{.bytes = ":irc.bench 366 n00000a #r0 :End of NAMES list\r\nPING\r\nKICK\r\n433\r\n:x "
		  "001\r\n:x 001\r\n",
		.sent = "PONG \r\n" NICK(NICK_2) JOIN,
		.told = "",
		.end = ERR_AGAIN},
	/* Not this protocol. */
	{.bytes = "HTTP/1.1 400 Bad Request\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "\x15\x03\x01", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "\xff", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = ":only-a-prefix\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = "@only=tags\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = ":x 0001 a\r\n", .sent = "", .told = "", .end = ERR_PROTOCOL},
	{.bytes = ":x \0 a\r\n", .length = 8, .sent = "", .told = "", .end = ERR_PROTOCOL},
};
#define DIALOGUES ((int)(sizeof(dialogues) / sizeof(dialogues[0])))

START_TEST(whole_dialogues)
{
	dialogue_check(&protocol_irc, &dialogues[_i]);
}
END_TEST

START_TEST(garbage)
{
	dialogue_garbage(&protocol_irc, &dialogues[_i]);
}
END_TEST

START_TEST(what_it_writes)
{
	dialogue_writes(&protocol_irc, NICK(NICK_1) "USER stress 0 * :stress\r\n",
		"PRIVMSG #s000abc-2 :hey\r\n", "QUIT :done\r\n");
}
END_TEST

/* A line with all the tags that there may be comes through, one byte more does not. */
START_TEST(as_long_as_may_be)
{
	static uint8_t bytes[8191 + 512 + 1];
	struct protocol_peer p = {0};
	struct outgoing out = {0};
	struct event e;
	size_t used, most = sizeof(bytes) - 1;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, ":a PRIVMSG #r0 :", 16);
	ck_assert_int_eq(protocol_irc.next(&p, bytes, most - 1, &used, &e, &out), ERR_AGAIN);
	ck_assert_int_eq(protocol_irc.next(&p, bytes, most, &used, &e, &out), ERR_PROTOCOL);
	bytes[most] = '\n';
	ck_assert_int_eq(protocol_irc.next(&p, bytes, most + 1, &used, &e, &out), ERR_PROTOCOL);
	memcpy(bytes + most - 2, "\r\n", 2);
	ck_assert_int_eq(protocol_irc.next(&p, bytes, most + 1, &used, &e, &out), 0);
	ck_assert_uint_eq(used, most);
	ck_assert_uint_eq(e.length, most - 18);
}
END_TEST

/* The longest message that is allowed, from the longest name and host, in the longest room, fits the 512
 * bytes of a line. */
START_TEST(the_longest_message_fits)
{
	static uint8_t bytes[1024];
	struct outgoing out = {.bytes = bytes, .size = sizeof(bytes)};
	struct protocol_peer p = {.run = 0xffffff, .number = 0xfffff, .room = UINT32_MAX};
	char text[1024];

	memset(text, 'x', sizeof(text));
	protocol_irc.say(&p, 1, text, protocol_irc.text_most, &out);
	ck_assert(!out.full);
	ck_assert_uint_le(1 + 9 + 1 + 10 + 1 + 63 + 1 + out.used, 512);
	/* And its nick is one. */
	out.used = 0;
	p.expects = 3;
	protocol_irc.greet(&p, &out);
	ck_assert_mem_eq(bytes, "NICK ", 5);
	ck_assert(bytes[5] >= 'a' && bytes[5] <= 'z');
	ck_assert_mem_eq(bytes + 14, "\r\n", 2);
}
END_TEST

/* By name, each; and no two have one name. */
START_TEST(table)
{
	for (size_t i = 0; protocols[i]; i++) {
		ck_assert_ptr_eq(protocol_find(protocols[i]->name), protocols[i]);
		ck_assert(protocols[i]->greet && protocols[i]->say);
		ck_assert(protocols[i]->leave && protocols[i]->next);
	}
	ck_assert_ptr_eq(protocol_find("irc"), &protocol_irc);
	ck_assert_ptr_null(protocol_find("ir"));
	ck_assert_ptr_null(protocol_find(""));
}
END_TEST

Suite *protocol_irc_suite(void)
{
	Suite *s = suite_create("protocol_irc");
	TCase *t = tcase_create("irc");

	tcase_add_loop_test(t, whole_dialogues, 0, DIALOGUES);
	tcase_add_loop_test(t, garbage, 0, DIALOGUES);
	tcase_add_test(t, what_it_writes);
	tcase_add_test(t, as_long_as_may_be);
	tcase_add_test(t, the_longest_message_fits);
	tcase_add_test(t, table);
	suite_add_tcase(s, t);
	return s;
}
