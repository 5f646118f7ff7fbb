/*
 * The server's end of a lane: who is answered, and where. What is told is judged without
 * sockets; addresses are numbers of ports here.
 */
#include "server/lane_end.h"

#include "common/err.h"

#include <check.h>
#include <string.h>

#define NOW 1000

static struct lane_end end;
static struct budget budget;
static struct lane client;
static enum lane_verdict verdict;

static struct lane_path at(uint16_t port)
{
	struct lane_path p = {.fd = 5, .from = {.length = sizeof(p.from.u.v4)}};

	p.from.u.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x7f000001)}};
	net_set_port(&p.from, port);
	return p;
}

static void setup(void)
{
	memset(&end, 0, sizeof(end));
	ck_assert_int_eq(lane_init(&end.lane, 7, LANE_SERVER, NULL), 0);
	ck_assert_int_eq(lane_init(&client, 7, LANE_CLIENT, NULL), 0);
	end.budget = &budget;
	budget_init(&budget, 0, 0, NOW);
}

static void teardown(void)
{
	lane_fini(&end.lane);
	lane_fini(&client);
}

/* A datagram from the client, as it is sealed. */
struct posted {
	uint8_t bytes[2048];
	size_t length;
};

static struct posted post(enum message_number number, const void *value)
{
	uint8_t frame[2000];
	struct posted p;
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, value, frame, sizeof(frame), &used), 0);
	ck_assert_int_eq(lane_seal(&client, frame, used, p.bytes, sizeof(p.bytes), &p.length), 0);
	return p;
}

static void arrive_at(struct posted p, uint16_t port, int64_t now)
{
	const struct lane_path path = at(port);
	struct lane_arrival a;
	union message m;

	ck_assert_int_eq(lane_open(&end.lane, p.bytes, p.length, &a), 0);
	ck_assert_int_eq(message_decode(&a.frame, &m), 0);
	verdict = lane_end_judge(&end, &a, &m, p.length, &path, now);
}

static void ping(uint16_t port)
{
	struct msg_ping m = {.token = 1};

	arrive_at(post(MESSAGE_PING, &m), port, NOW);
}

static void pong(uint16_t port, uint64_t token)
{
	struct msg_pong m = {.token = token};

	arrive_at(post(MESSAGE_PONG, &m), port, NOW);
}

static void probe(uint16_t port)
{
	struct msg_probe m = {.padding = span_of("")};

	arrive_at(post(MESSAGE_PROBE, &m), port, NOW);
}

static void toss(uint16_t port, const char *text)
{
	struct msg_toss m = {.room = span_of("a"), .text = span_of(text)};

	arrive_at(post(MESSAGE_TOSS, &m), port, NOW);
}

START_TEST(test_asked_first)
{
	ping(1000);
	ck_assert_int_eq(verdict, LANE_ASK);
	ck_assert(!lane_end_is_live(&end, NOW));
	probe(1000);
	ck_assert_int_eq(verdict, LANE_ASK);
	pong(1000, end.token);
	ck_assert_int_eq(verdict, LANE_IGNORE);
	ck_assert(lane_end_is_live(&end, NOW));
	ping(1000);
	ck_assert_int_eq(verdict, LANE_PONG);
	probe(1000);
	ck_assert_int_eq(verdict, LANE_ACT);
}
END_TEST

/* Whoever knows the token of one address proves nothing about another. */
START_TEST(test_token_is_of_one_address)
{
	ping(1000);
	uint64_t token = end.token;
	pong(2000, token);
	ck_assert(!end.known);
	ping(2000);
	ck_assert_uint_ne(end.token, token);
	pong(2000, token);
	ck_assert(!end.known);
	pong(1000, token);
	ck_assert(!end.known);
	/* Nobody was asked: a token is good for nothing. */
	end.asked = false;
	pong(2000, end.token);
	ck_assert(!end.known);
}
END_TEST

/* What is said needs no answer, so it is taken from anywhere; but nothing longer goes back. */
START_TEST(test_said_from_anywhere)
{
	toss(1000, "a word or two");
	ck_assert_int_eq(verdict, LANE_ACT_AND_ASK);
	pong(1000, end.token);
	toss(1000, "a word or two");
	ck_assert_int_eq(verdict, LANE_ACT);
	/* A TOSS of one letter in the room "a" has 7 bytes, one less than a PING. */
	toss(3000, "x");
	ck_assert_int_eq(verdict, LANE_ACT);
	ck_assert(!end.asked);
}
END_TEST

/* An old datagram, held up or sent again from elsewhere, moves nothing. */
START_TEST(test_only_newer_ones_move)
{
	struct msg_ping m = {.token = 1};
	struct posted old;

	ping(1000);
	pong(1000, end.token);
	old = post(MESSAGE_PING, &m);
	ping(1000);
	arrive_at(old, 2000, NOW);
	ck_assert_int_eq(verdict, LANE_IGNORE);
	ck_assert(!end.asked);
	/* A newer one asks; until the answer, all stays where it was. */
	ping(2000);
	ck_assert_int_eq(verdict, LANE_ASK);
	probe(1000);
	ck_assert_int_eq(verdict, LANE_ACT);
	pong(2000, end.token);
	probe(2000);
	ck_assert_int_eq(verdict, LANE_ACT);
	ck_assert_int_eq(net_port(&end.path.from), 2000);
	probe(1000);
	ck_assert_int_eq(verdict, LANE_ASK);
}
END_TEST

START_TEST(test_silence)
{
	struct msg_ping m = {.token = 1};

	ping(1000);
	pong(1000, end.token);
	ck_assert(lane_end_is_live(&end, NOW + LANE_SILENT_MS - 1));
	ck_assert(!lane_end_is_live(&end, NOW + LANE_SILENT_MS));
	/* It is known still: one sign of life is enough. */
	arrive_at(post(MESSAGE_PING, &m), 1000, NOW + LANE_SILENT_MS + 5);
	ck_assert_int_eq(verdict, LANE_PONG);
	ck_assert(lane_end_is_live(&end, NOW + LANE_SILENT_MS + 5));
	/* From elsewhere it is not from there. */
	arrive_at(post(MESSAGE_PING, &m), 2000, NOW + 2 * LANE_SILENT_MS);
	ck_assert(!lane_end_is_live(&end, NOW + 2 * LANE_SILENT_MS + 5));
}
END_TEST

START_TEST(test_others_do_nothing)
{
	struct msg_say m = {.counter = 1, .room = span_of("a"), .text = span_of("x")};

	ping(1000);
	pong(1000, end.token);
	arrive_at(post(MESSAGE_SAY, &m), 1000, NOW);
	ck_assert_int_eq(verdict, LANE_IGNORE);
}
END_TEST

/* A long one costs as much as the short ones that it could be. */
START_TEST(test_paid)
{
	budget_init(&budget, 1, 10, NOW);
	for (int i = 0; i < 10; i++)
		ck_assert(lane_end_pay(&end, MESSAGE_PROBE, LANE_USUAL, NOW));
	ck_assert(!lane_end_pay(&end, MESSAGE_PROBE, 50, NOW));
	budget_init(&budget, 1, 10, NOW);
	ck_assert(lane_end_pay(&end, MESSAGE_PROBE, 9 * LANE_USUAL + 1, NOW));
	ck_assert(!lane_end_pay(&end, MESSAGE_PROBE, 50, NOW));
	ck_assert(lane_end_pay(&end, MESSAGE_PROBE, 50, NOW + 2000));
}
END_TEST

Suite *lane_end_suite(void);
Suite *lane_end_suite(void)
{
	Suite *s = suite_create("lane_end");
	TCase *t = tcase_create("lane_end");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_asked_first);
	tcase_add_test(t, test_token_is_of_one_address);
	tcase_add_test(t, test_said_from_anywhere);
	tcase_add_test(t, test_only_newer_ones_move);
	tcase_add_test(t, test_silence);
	tcase_add_test(t, test_others_do_nothing);
	tcase_add_test(t, test_paid);
	suite_add_tcase(s, t);
	return s;
}
