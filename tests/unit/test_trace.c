/*
 * Tracing: every socket call of a short conversation is told, and nothing when it is off.
 */
#include "common/trace.h"

#include "common/err.h"
#include "common/message.h"
#include "common/net.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *file;

static void setup(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	trace_start(file);
}

static void teardown(void)
{
	trace_start(NULL);
	(void)fclose(file);
}

/* All that was told since the last time; the caller frees it. */
static char *told(void)
{
	off_t size = lseek(fileno(file), 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(fileno(file), text, (size_t)size, 0), size);
	text[size] = '\0';
	ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
	return text;
}

/* Each of `parts` (up to a NULL) is there, in this order. */
static void expect(const char *const *parts)
{
	char *text = told();
	const char *at = text;

	for (; *parts; parts++) {
		const char *found = strstr(at, *parts);
		ck_assert_msg(found, "no \"%s\" in:\n%s", *parts, text);
		at = found + strlen(*parts);
	}
	free(text);
}
#define EXPECT(...) expect((const char *const[]){__VA_ARGS__, NULL})

/* ---- calls ---- */

START_TEST(call)
{
	trace_call("bind(4, [::]:19830)", 0, "claims the port");
	EXPECT("bind(4, [::]:19830) = 0  ", " | claims the port\n");
	errno = ECONNREFUSED;
	trace_callf(-1, "nobody listens", "connect(%d)", 5);
	ck_assert_int_eq(errno, ECONNREFUSED);
	EXPECT("connect(5) = -1 ECONNREFUSED (Connection refused)", " | nobody listens\n");
}
END_TEST

START_TEST(call_text_is_escaped)
{
	trace_callf(0, "why", "getaddrinfo(\"%s\")", "x\nforged\033[2J");
	EXPECT("getaddrinfo(\"x\\nforged\\x1b[2J\") = 0");
}
END_TEST

START_TEST(long_call_is_one_line)
{
	char longer[5000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	trace_call(longer, 0, longer);
	char *text = told();
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
}
END_TEST

START_TEST(nothing_when_off)
{
	struct net_address a;
	size_t count;
	const char *why;
	int fd = -1;

	ck_assert(trace_on());
	trace_start(NULL);
	ck_assert(!trace_on());
	ck_assert_int_eq(net_resolve("::1", 0, SOCK_STREAM, true, &a, 1, &count, &why), 0);
	ck_assert_int_eq(net_listen(&a, 1, 0, &fd), 0);
	net_close(fd);
	char *text = told();
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

/* ---- a conversation ---- */

static void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	ck_assert_int_eq(poll(&p, 1, 10000), 1);
}

START_TEST(conversation)
{
	struct net_address a;
	struct net_address peer;
	struct iovec piece = {(char[]){"hello"}, 5};
	char where[NET_ADDRESS_MAX];
	char from[NET_ADDRESS_MAX];
	char buffer[16];
	size_t n = 0;
	const char *why;
	int listener = -1;
	int client = -1;
	int server = -1;

	ck_assert_int_eq(net_resolve("127.0.0.1", 0, SOCK_STREAM, true, &a, 1, &n, &why), 0);
	EXPECT("getaddrinfo(\"127.0.0.1\", \"0\", {AF_UNSPEC, SOCK_STREAM, AI_PASSIVE}) = 0",
		"addrinfo 1", "ai_flags", "AI_PASSIVE", "ai_family    = AF_INET",
		"ai_socktype  = SOCK_STREAM", "ai_protocol  = 6 (IPPROTO_TCP)",
		"ai_addrlen   = 16 bytes", "ai_addr      = 127.0.0.1:0", "ai_canonname = NULL",
		"ai_next      = NULL");

	ck_assert_int_eq(net_listen(&a, 5, 16384, &listener), 0);
	EXPECT("socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0) = ", " | ",
		"SO_REUSEADDR, 1) = 0", "TCP_NODELAY, 1) = 0", "SO_KEEPALIVE, 1) = 0",
		"SO_SNDBUF, 16384) = 0", "bind(", "127.0.0.1:0, 16 bytes) = 0", " | ", "listen(",
		", 5) = 0", " | ");
	ck_assert_int_eq(net_local(listener, &a), 0);
	net_print(&a, where);
	EXPECT("getsockname(", where);
	ck_assert_int_eq(net_accept(listener, &server, &peer), ERR_AGAIN);
	EXPECT("accept4(", "= -1 EAGAIN", "nobody waits");

	(void)net_connect(&a, &client);
	EXPECT("socket(", "TCP_NODELAY, 1) = 0", "connect(", where);
	wait_for(client, POLLOUT);
	ck_assert_int_eq(net_connect_result(client), 0);
	wait_for(listener, POLLIN);
	ck_assert_int_eq(net_accept(listener, &server, &peer), 0);
	net_print(&peer, from);
	EXPECT("SO_ERROR, no error) = 0", "accept4(", from);

	ck_assert_int_eq(net_sendv(client, &piece, 1, &n), 0);
	EXPECT("sendmsg(", "5 bytes, ", where, " = 5 ", " | ");
	wait_for(server, POLLIN);
	ck_assert_int_eq(net_recv(server, buffer, sizeof(buffer), &n), 0);
	EXPECT("recv(", "16 bytes, ", from, " = 5 ", " | ");
	ck_assert_int_eq(net_recv(server, buffer, sizeof(buffer), &n), ERR_AGAIN);
	EXPECT("recv(", "= -1 EAGAIN", "nothing has arrived");
	net_shutdown(client, SHUT_WR);
	EXPECT("shutdown(", "SHUT_WR) = 0");
	wait_for(server, POLLIN);
	ck_assert_int_eq(net_recv(server, buffer, sizeof(buffer), &n), ERR_CLOSED);
	EXPECT("recv(", " = 0 ", "the end");
	net_close(client);
	net_close(server);
	net_close(listener);
	EXPECT("close(", " = 0", "close(", "close(");
}
END_TEST

START_TEST(resolver_failure)
{
	struct net_address a;
	size_t n;
	const char *why = "";

	ck_assert_int_eq(net_resolve("fe80::1%nosuchif", 1, SOCK_DGRAM, false, &a, 1, &n, &why),
		ERR_RESOLVE);
	EXPECT("getaddrinfo(\"fe80::1%nosuchif\", \"1\", {AF_UNSPEC, SOCK_DGRAM}) = -", why);
}
END_TEST

/* ---- frames ---- */

START_TEST(frame)
{
	uint8_t bytes[FRAME_MAX];
	size_t size = 0;
	struct msg_say say = {
		.counter = 7,
		.room = span_of("lobby"),
		.text = span_of("a\033b"),
	};

	ck_assert_int_eq(message_encode(MESSAGE_SAY, &say, bytes, sizeof(bytes), &size), 0);
	errno = ENOENT;
	trace_frame(4, true, bytes, size);
	ck_assert_int_eq(errno, ENOENT);
	EXPECT("frame out on 4: number 0x0020 (SAY), length 21, flags 0x0000 | SAY counter=7",
		"lobby", "a\\x1bb", "\n");

	/* A number of the future, a payload cut short, and something that is no frame. */
	frame_encode_header(bytes, 1, 0x7fff, FRAME_FLAG_SKIP);
	trace_frame(5, false, bytes, FRAME_HEADER + 1);
	EXPECT("frame in on 5: number 0x7fff (not in the table), length 1, flags 0x0001\n");
	frame_encode_header(bytes, 1, MESSAGE_SAY, 0);
	trace_frame(5, false, bytes, FRAME_HEADER + 1);
	EXPECT("(SAY), length 1", "breaks the table's rules\n");
	trace_frame(5, false, bytes, 3);
	EXPECT("frame in on 5: 3 bytes that are no frame\n");
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(trace_family(AF_INET), "AF_INET");
	ck_assert_str_eq(trace_family(AF_INET6), "AF_INET6");
	ck_assert_str_eq(trace_family(AF_MAX), "AF_?");
	ck_assert_str_eq(trace_socktype(SOCK_STREAM), "SOCK_STREAM");
	ck_assert_str_eq(trace_socktype(SOCK_DGRAM), "SOCK_DGRAM");
	ck_assert_str_eq(trace_socktype(-1), "SOCK_?");
}
END_TEST

/* Narrated is that there is one. */
START_TEST(secrets)
{
	uint8_t bytes[256];
	size_t size;
	struct msg_password password = {.password = span_of("open sesame")};
	struct msg_unlock unlock = {.room = span_of("den"), .key = span_of("open sesame")};

	ck_assert_int_eq(
		message_encode(MESSAGE_PASSWORD, &password, bytes, sizeof bytes, &size), 0);
	trace_frame(4, true, bytes, size);
	EXPECT("(PASSWORD), length 13, flags 0x0000 | a secret\n");
	ck_assert_int_eq(message_encode(MESSAGE_UNLOCK, &unlock, bytes, sizeof bytes, &size), 0);
	trace_frame(4, true, bytes, size);
	EXPECT("(UNLOCK)", "| a secret\n");
}
END_TEST

/* So are the key that locks a room and the code that makes an operator, and no other act. */
START_TEST(secret_acts)
{
	static const enum act_verb verbs[] = {ACT_ENTRY, ACT_OPERATOR, ACT_KICK};
	uint8_t bytes[256];
	size_t size;

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		struct msg_act act = {
			.room = span_of("den"),
			.verb = (uint8_t)verbs[i],
			.label = span_of(""),
			.text = span_of("open sesame"),
		};
		ck_assert_int_eq(message_encode(MESSAGE_ACT, &act, bytes, sizeof bytes, &size), 0);
		trace_frame(4, false, bytes, size);
		if (verbs[i] == ACT_KICK)
			EXPECT("(ACT)", "text=\"open sesame\"\n");
		else
			EXPECT("(ACT)", "flags 0x0000 | a secret\n");
	}
}
END_TEST

Suite *trace_suite(void);

Suite *trace_suite(void)
{
	Suite *s = suite_create("trace");
	TCase *c = tcase_create("trace");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 30);
	tcase_add_test(c, call);
	tcase_add_test(c, call_text_is_escaped);
	tcase_add_test(c, long_call_is_one_line);
	tcase_add_test(c, nothing_when_off);
	tcase_add_test(c, conversation);
	tcase_add_test(c, resolver_failure);
	tcase_add_test(c, frame);
	tcase_add_test(c, secrets);
	tcase_add_test(c, secret_acts);
	tcase_add_test(c, names);
	suite_add_tcase(s, c);
	return s;
}
