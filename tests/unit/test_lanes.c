/*
 * The lanes of a server, with sockets and with keys: what only the owner of a connection can
 * say, and what everybody else cannot. (The insecure lane is a stranger's: test_lane.py.)
 */
#include "server/lanes.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lane.h"
#include "tests/unit/peer.h"
#include "tests/unit/session_client.h"

#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct chat *chat;
static struct lanes *lanes;
static struct peer peer;
static struct outlet *outlet;
static struct net_address place;
static struct lane lane; /* the client's end */
static int fd;
static uint8_t keys[LANE_KEYS];
static uint8_t last[LANE_MAX]; /* what was sent last */
static size_t last_length;

static int socket_of_a_client(void)
{
	struct net_address any = place;
	int s;

	net_set_port(&any, 0);
	ck_assert_int_eq(net_udp(AF_INET, &s), 0);
	ck_assert_int_eq(net_bind(s, &any), 0);
	return s;
}

static void open_lane(uint64_t id, const uint8_t *with)
{
	const struct lane_owner owner = {.outlet = outlet,
		.keys = with,
		.nick = "anna",
		.proven = true,
		.text_max = TEXT_MAX};

	ck_assert_int_eq(lanes_open(lanes, id, &owner), 0);
}

static void setup(void)
{
	struct stream *s;
	char error[256];
	int other;

	place = (struct net_address){.length = sizeof(place.u.v4),
		.u.v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
	chat = client_chat();
	ck_assert_int_eq(lanes_new(&place, 1, 0, &lanes, error, sizeof(error)), 0);
	ck_assert_int_eq(lanes_start(lanes, chat), 0);
	ck_assert_int_eq(peer_open(&peer, 0, &other), 0);
	ck_assert_int_eq(stream_new_plain(other, &s), 0);
	ck_assert_int_eq(outlet_new(s, chat_hooks(chat), &outlet), 0);
	net_set_port(&place, lanes_port(lanes, &place));
	ck_assert_uint_ne(net_port(&place), 0);
	for (size_t i = 0; i < sizeof(keys); i++)
		keys[i] = (uint8_t)(i * 7);
	ck_assert_int_eq(lane_init(&lane, 77, LANE_CLIENT, keys), 0);
	open_lane(77, keys);
	fd = socket_of_a_client();
}

static void teardown(void)
{
	close(fd);
	lane_fini(&lane);
	lanes_close(lanes, outlet);
	outlet_unref(outlet);
	lanes_stop(lanes);
	chat_stop(chat);
	peer_close(&peer);
}

static void send_raw(const uint8_t *bytes, size_t length)
{
	ck_assert_int_eq(sendto(fd, bytes, length, 0, &place.u.any, place.length), (ssize_t)length);
}

static void say(enum message_number number, const void *value)
{
	static uint8_t frame[FRAME_MAX];
	size_t used;

	ck_assert_int_eq(message_encode((uint16_t)number, value, frame, sizeof(frame), &used), 0);
	ck_assert_int_eq(lane_seal(&lane, frame, used, last, sizeof(last), &last_length), 0);
	send_raw(last, last_length);
}

static void ping(uint64_t token)
{
	struct msg_ping m = {.token = token};

	say(MESSAGE_PING, &m);
}

static void pong(uint64_t token)
{
	struct msg_pong m = {.token = token};

	say(MESSAGE_PONG, &m);
}

/* The next datagram for us, which must be this; what it borrows holds until the next call. */
static union message expect(enum message_number number)
{
	static uint8_t in[LANE_MAX];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct lane_arrival a;
	union message m;

	ck_assert_int_eq(poll(&p, 1, PEER_PATIENCE), 1);
	ssize_t got = recv(fd, in, sizeof(in), 0);
	ck_assert_int_gt(got, 0);
	ck_assert_int_eq(lane_open(&lane, in, (size_t)got, &a), 0);
	ck_assert_uint_eq(a.frame.type, number);
	ck_assert_int_eq(message_decode(&a.frame, &m), 0);
	return m;
}

static void get_known(void)
{
	ping(1);
	pong(expect(MESSAGE_PING).ping.token);
	ping(2);
	ck_assert_uint_eq(expect(MESSAGE_PONG).pong.token, 2);
}

/* Nothing of what was sent before has had an answer, as this one is the next that comes. */
static void expect_silence(void)
{
	ping(42);
	ck_assert_uint_eq(expect(MESSAGE_PONG).pong.token, 42);
}

static struct lanes_numbers numbers(void)
{
	struct lanes_numbers n;

	lanes_numbers(lanes, &n);
	return n;
}

START_TEST(test_sealed)
{
	char padding[9000];
	struct msg_probe m = {.number = 3, .sent = 5};

	get_known();
	memset(padding, '.', sizeof(padding));
	m.padding = (struct span){.text = padding, .length = sizeof(padding)};
	say(MESSAGE_PROBE, &m);
	union message got = expect(MESSAGE_PROBE);
	ck_assert_uint_eq(got.probe.number, 3);
	ck_assert_uint_eq(got.probe.sent, 5);
	ck_assert_uint_eq(got.probe.back, 1);
	ck_assert_uint_eq(got.probe.padding.length, sizeof(padding));
}
END_TEST

/* Each bit of a datagram, changed on the way; and the datagram itself still counts after that. */
START_TEST(test_tampered)
{
	get_known();
	struct lanes_numbers before = numbers();
	struct msg_ping m = {.token = 9};
	uint8_t frame[64], datagram[128];
	size_t used, length;

	ck_assert_int_eq(message_encode(MESSAGE_PING, &m, frame, sizeof(frame), &used), 0);
	ck_assert_int_eq(lane_seal(&lane, frame, used, datagram, sizeof(datagram), &length), 0);
	for (size_t i = 0; i < length; i++) {
		datagram[i] ^= 0x10;
		send_raw(datagram, length);
		datagram[i] ^= 0x10;
	}
	send_raw(datagram, length);
	ck_assert_uint_eq(expect(MESSAGE_PONG).pong.token, 9);
	struct lanes_numbers after = numbers();
	ck_assert_uint_eq(after.sent - before.sent, 1);
	ck_assert_uint_eq((after.strange - before.strange) + (after.forged - before.forged) +
				  (after.replayed - before.replayed),
		length);
	ck_assert_uint_ge(after.forged - before.forged, length - LANE_HEADER);
}
END_TEST

/* Who has the datagrams of somebody, but not the keys. */
START_TEST(test_recorded)
{
	get_known();
	struct lanes_numbers before = numbers();
	ping(3);
	ck_assert_uint_eq(expect(MESSAGE_PONG).pong.token, 3);
	int own = fd;
	fd = socket_of_a_client();
	for (int i = 0; i < 10; i++)
		send_raw(last, last_length);
	close(fd);
	fd = own;
	expect_silence();
	struct lanes_numbers after = numbers();
	ck_assert_uint_eq(after.replayed - before.replayed, 10);
	ck_assert_uint_eq(after.sent - before.sent, 2);
}
END_TEST

/* A lane of a connection with keys takes nothing in the clear, whoever knows its id. */
START_TEST(test_in_the_clear)
{
	struct lane clear;
	struct msg_ping m = {.token = 9};
	uint8_t frame[64], datagram[128];
	size_t used, length;

	get_known();
	struct lanes_numbers before = numbers();
	ck_assert_int_eq(lane_init(&clear, 77, LANE_CLIENT, NULL), 0);
	clear.counter = 1000;
	ck_assert_int_eq(message_encode(MESSAGE_PING, &m, frame, sizeof(frame), &used), 0);
	ck_assert_int_eq(lane_seal(&clear, frame, used, datagram, sizeof(datagram), &length), 0);
	send_raw(datagram, length);
	expect_silence();
	ck_assert_uint_eq(numbers().sent - before.sent, 1);
	ck_assert_uint_eq(numbers().strange + numbers().forged - before.strange - before.forged, 1);
}
END_TEST

START_TEST(test_another_key)
{
	get_known();
	struct lanes_numbers before = numbers();
	struct lane own = lane;
	keys[0] ^= 1;
	ck_assert_int_eq(lane_init(&lane, 77, LANE_CLIENT, keys), 0);
	lane.counter = 1000;
	ping(5);
	lane_fini(&lane);
	lane = own;
	expect_silence();
	ck_assert_uint_eq(numbers().forged - before.forged, 1);
}
END_TEST

START_TEST(test_ids)
{
	const struct lane_owner owner = {.outlet = outlet, .keys = keys, .nick = "anna"};
	struct outlet *other;

	ck_assert_uint_eq(numbers().lanes, 1);
	ck_assert_int_eq(outlet_new(NULL, chat_hooks(chat), &other), 0);
	struct lane_owner another = owner;
	another.outlet = other;
	ck_assert_int_eq(lanes_open(lanes, 77, &another), ERR_EXISTS);
	ck_assert_int_eq(lanes_open(lanes, 78, &another), 0);
	ck_assert_uint_eq(numbers().lanes, 2);
	ck_assert_int_eq(lanes_open(lanes, 79, &another), 0);
	ck_assert_uint_eq(numbers().lanes, 2);
	lanes_close(lanes, other);
	ck_assert_uint_eq(numbers().lanes, 1);
	ck_assert_uint_eq(atomic_load(&other->refs), 1);
	outlet_unref(other);
	/* The first one's is as it was. */
	get_known();
}
END_TEST

START_TEST(test_ports)
{
	struct net_address a = place;
	struct net_address elsewhere = {
		.length = sizeof(a.u.v6), .u.v6 = {.sin6_family = AF_INET6}};

	net_set_port(&a, 1);
	ck_assert_uint_eq(lanes_port(lanes, &a), net_port(&place));
	ck_assert_uint_eq(lanes_port(lanes, &elsewhere), 0);
	/* As a socket of both families tells it. */
	elsewhere.u.v6.sin6_addr.s6_addr[10] = elsewhere.u.v6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(elsewhere.u.v6.sin6_addr.s6_addr + 12, &a.u.v4.sin_addr, 4);
	ck_assert_uint_eq(lanes_port(lanes, &elsewhere), net_port(&place));
	a.u.v4.sin_addr.s_addr = htonl(0x7f000002);
	ck_assert_uint_eq(lanes_port(lanes, &a), 0);
}
END_TEST

Suite *lanes_suite(void);
Suite *lanes_suite(void)
{
	Suite *s = suite_create("lanes");
	TCase *t = tcase_create("lanes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_sealed);
	tcase_add_test(t, test_tampered);
	tcase_add_test(t, test_recorded);
	tcase_add_test(t, test_in_the_clear);
	tcase_add_test(t, test_another_key);
	tcase_add_test(t, test_ids);
	tcase_add_test(t, test_ports);
	suite_add_tcase(s, t);
	return s;
}
