/*
 * The discovery packet: each field at its place, and silence to anything that is
 * not exactly such a packet.
 */
#include "common/beacon.h"

#include "common/bytes.h"
#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count_up(uint8_t *out, size_t size, uint8_t from)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(from + i);
}

static struct beacon sample(enum beacon_type type)
{
	struct beacon b = {.type = type, .version_low = 0x0102, .version_high = 0x0304};

	count_up(b.nonce, sizeof(b.nonce), 0x10);
	if (type == BEACON_QUERY)
		return b;
	b.flags = 0x81;
	b.port = 0x4d76;
	b.sequence = 0xa1a2a3a4;
	b.lifetime_ms = type == BEACON_GOODBYE ? 0 : BEACON_LIFETIME_MS;
	b.people = 0xb1b2b3b4;
	b.people_max = 0xc1c2c3c4;
	count_up(b.server, sizeof(b.server), 0x20);
	count_up(b.instance, sizeof(b.instance), 0x50);
	count_up(b.proof, sizeof(b.proof), 0x70);
	(void)snprintf(b.name, sizeof(b.name), "%s", "class \xd0\xbf\xd1\x8f\xd1\x82\xd1\x8c");
	return b;
}

/* Decode from a block of exactly `length` bytes, so that reading past the end is noticed. */
static int decode_exact(const uint8_t *bytes, size_t length, struct beacon *out)
{
	uint8_t *copy = malloc(length ? length : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length < BEACON_SIZE ? length : BEACON_SIZE);
	int r = beacon_decode(copy, length, out);
	free(copy);
	return r;
}

START_TEST(fields_lie_where_the_picture_says)
{
	struct beacon b = sample(BEACON_ANNOUNCEMENT);
	uint8_t p[BEACON_SIZE];

	memset(p, 0xee, sizeof(p));
	beacon_encode(&b, p);
	ck_assert_mem_eq(p, "LCB1", 4);
	ck_assert_uint_eq(p[4], 3);
	ck_assert_uint_eq(p[5], 0x81);
	ck_assert_uint_eq(bytes_u16(p + 6), 0x0102);
	ck_assert_uint_eq(bytes_u16(p + 8), 0x0304);
	ck_assert_uint_eq(bytes_u16(p + 10), 0x4d76);
	ck_assert_uint_eq(bytes_u32(p + 12), 0xa1a2a3a4);
	ck_assert_uint_eq(bytes_u32(p + 16), 6500);
	ck_assert_uint_eq(bytes_u32(p + 20), 0xb1b2b3b4);
	ck_assert_uint_eq(bytes_u32(p + 24), 0xc1c2c3c4);
	ck_assert_mem_eq(p + 28, b.nonce, 8);
	ck_assert_mem_eq(p + 36, b.server, 32);
	ck_assert_mem_eq(p + 68, b.instance, 16);
	ck_assert_mem_eq(p + 84, b.proof, 16);
	ck_assert_mem_eq(p + 100, b.name, strlen(b.name));
	for (size_t i = 100 + strlen(b.name); i < BEACON_SIZE; i++)
		ck_assert_msg(p[i] == 0, "byte %zu is %u", i, p[i]);
}
END_TEST

static const enum beacon_type types[] = {
	BEACON_QUERY, BEACON_ANSWER, BEACON_ANNOUNCEMENT, BEACON_GOODBYE};

static void assert_same(const struct beacon *a, const struct beacon *b)
{
	ck_assert_int_eq(a->type, b->type);
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_uint_eq(a->version_low, b->version_low);
	ck_assert_uint_eq(a->version_high, b->version_high);
	ck_assert_uint_eq(a->port, b->port);
	ck_assert_uint_eq(a->sequence, b->sequence);
	ck_assert_uint_eq(a->lifetime_ms, b->lifetime_ms);
	ck_assert_uint_eq(a->people, b->people);
	ck_assert_uint_eq(a->people_max, b->people_max);
	ck_assert_mem_eq(a->nonce, b->nonce, sizeof(a->nonce));
	ck_assert_mem_eq(a->server, b->server, sizeof(a->server));
	ck_assert_mem_eq(a->instance, b->instance, sizeof(a->instance));
	ck_assert_mem_eq(a->proof, b->proof, sizeof(a->proof));
	ck_assert_str_eq(a->name, b->name);
}

START_TEST(every_type_survives)
{
	struct beacon b = sample(types[_i]);
	struct beacon back;
	uint8_t p[BEACON_SIZE];

	beacon_encode(&b, p);
	ck_assert_int_eq(decode_exact(p, sizeof(p), &back), 0);
	assert_same(&b, &back);
}
END_TEST

START_TEST(every_other_length_is_refused)
{
	struct beacon b = sample(types[_i]);
	struct beacon back = {.port = 42};
	uint8_t p[BEACON_SIZE];

	beacon_encode(&b, p);
	for (size_t length = 0; length <= BEACON_SIZE + 8; length++)
		if (length != BEACON_SIZE)
			ck_assert_int_eq(decode_exact(p, length, &back), ERR_PROTOCOL);
	ck_assert_uint_eq(back.port, 42);
}
END_TEST

/* One byte of an announcement replaced. */
static const struct {
	size_t at;
	uint8_t value;
	int result;
} bytes_cases[] = {
	{0, 'l', ERR_PROTOCOL},
	{3, '2', ERR_PROTOCOL},
	{4, 0, ERR_PROTOCOL},
	{4, 5, ERR_PROTOCOL},
	{4, 255, ERR_PROTOCOL},
	{5, 0x7e, 0},            /* flags that nobody has defined yet */
	{6, 0x04, ERR_PROTOCOL}, /* lowest version above the highest */
	{6, 0x03, 0},
	{147, 1, ERR_PROTOCOL}, /* behind the name's end */
	{148, 1, ERR_PROTOCOL},
	{191, 1, ERR_PROTOCOL},
	{100, 0x1b, ERR_PROTOCOL}, /* an escape in the name */
	{100, 0x80, ERR_PROTOCOL}, /* not UTF-8 */
	{100, 0, ERR_PROTOCOL},    /* an empty name with something behind it */
	{101, ' ', 0},
};

START_TEST(one_wrong_byte)
{
	struct beacon b = sample(BEACON_ANNOUNCEMENT);
	struct beacon back;
	uint8_t p[BEACON_SIZE];

	beacon_encode(&b, p);
	p[bytes_cases[_i].at] = bytes_cases[_i].value;
	ck_assert_msg(decode_exact(p, sizeof(p), &back) == bytes_cases[_i].result,
		"byte %zu = 0x%02x", bytes_cases[_i].at, bytes_cases[_i].value);
}
END_TEST

START_TEST(padding_must_be_zero)
{
	struct beacon b = sample(types[_i]);
	struct beacon back;
	uint8_t p[BEACON_SIZE];

	beacon_encode(&b, p);
	for (size_t i = 148; i < BEACON_SIZE; i++) {
		p[i] = 0x80;
		ck_assert_int_eq(decode_exact(p, sizeof(p), &back), ERR_PROTOCOL);
		p[i] = 0;
	}
	ck_assert_int_eq(decode_exact(p, sizeof(p), &back), 0);
}
END_TEST

/* A query that says anything about a server is none. */
START_TEST(query_is_bare)
{
	struct beacon b = sample(BEACON_QUERY);
	struct beacon back;
	uint8_t p[BEACON_SIZE];

	beacon_encode(&b, p);
	for (size_t i = 10; i < BEACON_SIZE; i++) {
		if (i >= 28 && i < 36)
			continue; /* the nonce */
		p[i] = 'x';
		ck_assert_msg(
			decode_exact(p, sizeof(p), &back) == ERR_PROTOCOL, "byte %zu was taken", i);
		p[i] = 0;
	}
}
END_TEST

/* Which fields may not be zero, by type. */
static const struct {
	enum beacon_type type;
	bool no_port, no_lifetime;
	int result;
} zero_cases[] = {
	{BEACON_ANSWER, true, false, ERR_PROTOCOL},
	{BEACON_ANSWER, false, true, ERR_PROTOCOL},
	{BEACON_ANNOUNCEMENT, true, false, ERR_PROTOCOL},
	{BEACON_ANNOUNCEMENT, false, true, ERR_PROTOCOL},
	{BEACON_GOODBYE, true, false, ERR_PROTOCOL},
	{BEACON_GOODBYE, false, true, 0},
};

START_TEST(what_may_not_be_zero)
{
	struct beacon b = sample(zero_cases[_i].type);
	struct beacon back;
	uint8_t p[BEACON_SIZE];

	beacon_encode(&b, p);
	if (zero_cases[_i].no_port)
		bytes_put_u16(p + 10, 0);
	if (zero_cases[_i].no_lifetime)
		bytes_put_u32(p + 16, 0);
	ck_assert_int_eq(decode_exact(p, sizeof(p), &back), zero_cases[_i].result);
}
END_TEST

START_TEST(name_of_every_length)
{
	struct beacon b = sample(BEACON_ANSWER);
	struct beacon back;
	uint8_t p[BEACON_SIZE];

	for (size_t length = 0; length <= SERVER_NAME_MAX; length++) {
		memset(b.name, 0, sizeof(b.name));
		memset(b.name, 'n', length);
		beacon_encode(&b, p);
		ck_assert_int_eq(decode_exact(p, sizeof(p), &back), 0);
		ck_assert_uint_eq(strlen(back.name), length);
	}
}
END_TEST

/* What becomes of a name that may be too long. */
static const struct {
	size_t blanks; /* 'x' before `text` */
	const char *text;
	size_t kept;
} name_cases[] = {
	{0, "", 0},
	{48, "", 48},
	{49, "", 48},
	{300, "", 48},
	{47, "\xc3\xa4", 47}, /* two bytes, of which one would fit */
	{46, "\xc3\xa4", 48},
	{46, "\xe2\x82\xac", 46},
	{45, "\xf0\x9f\x98\x80", 45},
	{44, "\xf0\x9f\x98\x80", 48},
};

START_TEST(names_are_cut_between_characters)
{
	char text[400] = "", name[SERVER_NAME_MAX + 1];

	memset(text, 'x', name_cases[_i].blanks);
	memcpy(text + name_cases[_i].blanks, name_cases[_i].text, strlen(name_cases[_i].text));
	beacon_name(name, text);
	ck_assert_uint_eq(strlen(name), name_cases[_i].kept);
	ck_assert_mem_eq(name, text, name_cases[_i].kept);
}
END_TEST

START_TEST(commitment_opens_with_its_secret_alone)
{
	/* SHA-256 of sixteen zero bytes. */
	static const uint8_t expected[] = {0x37, 0x47, 0x08, 0xff, 0xf7, 0x71, 0x9d, 0xd5, 0x97,
		0x9e, 0xc8, 0x75, 0xd5, 0x6c, 0xd2, 0x28};
	uint8_t secret[BEACON_SECRET] = {0}, commitment[BEACON_SECRET];

	beacon_commit(secret, commitment);
	ck_assert_mem_eq(commitment, expected, sizeof(expected));
	ck_assert(beacon_opens(secret, commitment));
	ck_assert(!beacon_opens(commitment, commitment));
	for (int bit = 0; bit < 8 * BEACON_SECRET; bit++) {
		secret[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert(!beacon_opens(secret, commitment));
		secret[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

Suite *beacon_suite(void)
{
	Suite *s = suite_create("beacon");
	TCase *t = tcase_create("codec");

	tcase_add_test(t, fields_lie_where_the_picture_says);
	tcase_add_loop_test(t, every_type_survives, 0, COUNT(types));
	tcase_add_loop_test(t, every_other_length_is_refused, 0, COUNT(types));
	tcase_add_loop_test(t, one_wrong_byte, 0, COUNT(bytes_cases));
	tcase_add_loop_test(t, padding_must_be_zero, 0, COUNT(types));
	tcase_add_test(t, query_is_bare);
	tcase_add_loop_test(t, what_may_not_be_zero, 0, COUNT(zero_cases));
	tcase_add_test(t, name_of_every_length);
	tcase_add_loop_test(t, names_are_cut_between_characters, 0, COUNT(name_cases));
	tcase_add_test(t, commitment_opens_with_its_secret_alone);
	suite_add_tcase(s, t);
	return s;
}
