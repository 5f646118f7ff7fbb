/*
 * The capture is built as the draft says, and tells what the wire did.
 */
#include "tools/lab/pcapng.h"

#include "common/err.h"

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ULL

static struct journal *j;
static char *bytes;
static size_t size, at;

static uint32_t u32(size_t offset)
{
	uint32_t v;

	ck_assert_uint_le(offset + 4, size);
	memcpy(&v, bytes + offset, 4);
	return v;
}

static uint16_t u16(size_t offset)
{
	uint16_t v;

	ck_assert_uint_le(offset + 2, size);
	memcpy(&v, bytes + offset, 2);
	return v;
}

/* ---- what is in a block ---- */

struct option {
	uint16_t code, length;
	const char *value;
};

/* The how manieth option of a code, in those from `from` to the end of the block. */
static struct option find(size_t from, size_t to, uint16_t code, unsigned which)
{
	struct option o = {0};

	while (from < to) {
		o = (struct option){u16(from), u16(from + 2), bytes + from + 4};
		ck_assert_uint_le(from + 4 + o.length, to);
		if (o.code == 0)
			break;
		if (o.code == code && which-- == 0)
			return o;
		from += 4 + (o.length + 3U) / 4 * 4;
	}
	return (struct option){0};
}

static void check_text(struct option o, const char *text)
{
	ck_assert_ptr_nonnull(o.value);
	ck_assert_uint_eq(o.length, strlen(text));
	ck_assert_mem_eq(o.value, text, o.length);
}

/* The next block, of that type: where it begins, and after it. */
static size_t block(uint32_t type)
{
	size_t begins = at;

	ck_assert_uint_eq(u32(at), type);
	uint32_t length = u32(at + 4);
	ck_assert_uint_eq(length % 4, 0);
	ck_assert_uint_eq(u32(at + length - 4), length);
	at += length;
	return begins;
}

static void check_interface(const char *name, const char *description)
{
	size_t b = block(1);

	ck_assert_uint_eq(u16(b + 8), 101);
	ck_assert_uint_eq(u32(b + 12), 0);
	check_text(find(b + 16, at - 4, 2, 0), name);
	check_text(find(b + 16, at - 4, 3, 0), description);
	struct option resolution = find(b + 16, at - 4, 9, 0);
	ck_assert_uint_eq(resolution.length, 1);
	ck_assert_int_eq(resolution.value[0], 9);
}

static void check_header(enum site_medium medium, size_t hosts)
{
	size_t b = block(0x0a0d0d0a);

	ck_assert_uint_eq(u32(b + 8), 0x1a2b3c4d);
	ck_assert_uint_eq(u16(b + 12), 1);
	ck_assert_uint_eq(u16(b + 14), 0);
	ck_assert_mem_eq(bytes + b + 16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	check_text(find(b + 24, at - 4, 4, 0), "lanchat-lab run 4");
	ck_assert_uint_gt(find(b + 24, at - 4, 1, 0).length, 0);
	const char *what =
		medium == SITE_BROADCAST ? "Ethernet (its headers are left out)" : "point to point";
	for (size_t host = 1; host <= hosts; host++) {
		char name[16], description[64];
		(void)snprintf(name, sizeof(name), "host%zu", host);
		(void)snprintf(description, sizeof(description), "10.83.19.%zu, %s", host, what);
		check_interface(name, description);
	}
}

/* `options`: where they begin. */
static void check_packet(uint32_t interface, uint64_t time_ns, const char *carries, size_t length,
	uint32_t direction, size_t *options)
{
	size_t b = block(6);
	uint64_t time = (uint64_t)u32(b + 12) << 32 | u32(b + 16);

	ck_assert_uint_eq(u32(b + 8), interface);
	ck_assert_uint_eq(time, (uint64_t)journal_wall_start(j) * 1000 + time_ns);
	ck_assert_uint_eq(u32(b + 20), length);
	ck_assert_uint_eq(u32(b + 24), length);
	ck_assert_mem_eq(bytes + b + 28, carries, length);
	*options = b + 28 + (length + 3) / 4 * 4;
	struct option flags = find(*options, at - 4, 2, 0);
	ck_assert_uint_eq(flags.length, 4);
	ck_assert_mem_eq(flags.value, &direction, 4);
}

static void check_comments(size_t options, const char *const *comments)
{
	unsigned i = 0;

	for (; comments[i]; i++)
		check_text(find(options, at - 4, 1, i), comments[i]);
	ck_assert_ptr_null(find(options, at - 4, 1, i).value);
}

/* ---- writing ---- */

static void make(void)
{
	j = journal_new();
	ck_assert_ptr_nonnull(j);
	bytes = NULL;
	size = at = 0;
}

static void unmake(void)
{
	journal_free(j);
	free(bytes);
}

static void write_view(enum site_medium medium, size_t hosts, int host)
{
	FILE *f = open_memstream(&bytes, &size);
	struct pcapng_how how = {.medium = medium,
		.hosts = hosts,
		.host = host,
		.delay_ns = 20 * MS,
		.command = "lanchat-lab run 4"};

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(pcapng_write(f, j, &how), 0);
	ck_assert_int_eq(fclose(f), 0);
	check_header(medium, hosts);
	ck_assert_ptr_nonnull(memmem(bytes, at, "each way, is 20.000 ms", 22));
}

static void write_all(enum site_medium medium, size_t hosts)
{
	write_view(medium, hosts, PCAPNG_ALL_HOSTS);
}

static void add(uint64_t time_ns, uint8_t host, uint8_t to, bool again, const char *carries,
	struct fate fate)
{
	struct journal_packet p = {.host = host,
		.to_host = to,
		.again = again,
		.fate = fate,
		.bytes = (uint8_t *)carries,
		.length = (uint32_t)strlen(carries)};

	ck_assert_int_ge(journal_packet(j, SIDE_UDP, time_ns, &p), 0);
}

static const struct fate carried = {.copies = 1};

START_TEST(nothing)
{
	write_all(SITE_POINT_TO_POINT, 2);
	ck_assert_uint_eq(at, size);
}
END_TEST

/* Of every length that padding may have; what is no packet is left out. */
START_TEST(sent_and_arrived)
{
	static const char *const lengths[] = {"1234", "12345", "123456", "1234567", "12345678"};
	size_t options;

	for (uint64_t i = 0; i < 5; i++) {
		add(i * MS, i % 2, 1 - i % 2, false, lengths[i], carried);
		ck_assert_int_ge(journal_words(j, SIDE_BOTH, "words"), 0);
		ck_assert_int_ge(journal_arrival(j, SIDE_UDP, i * MS + 5, i * 3, false), 0);
	}
	write_all(SITE_POINT_TO_POINT, 2);
	for (uint32_t i = 0; i < 5; i++) {
		check_packet(i % 2, i * MS, lengths[i], 4 + i, 2, &options);
		check_comments(options, (const char *[]){NULL});
		check_packet(1 - i % 2, i * MS + 5, lengths[i], 4 + i, 1, &options);
		check_comments(options, (const char *[]){NULL});
	}
	ck_assert_uint_eq(at, size);
}
END_TEST

START_TEST(what_the_wire_did)
{
	size_t options;

	add(0, 0, 1, false, "lost", (struct fate){.kind = FATE_LOST});
	add(1, 0, 1, false, "both",
		(struct fate){.copies = 2, .reordered = true, .queued_ns = 1500000});
	ck_assert_int_ge(journal_arrival(j, SIDE_UDP, 2, 1, false), 0);
	ck_assert_int_ge(journal_arrival(j, SIDE_UDP, 3, 1, true), 0);
	write_all(SITE_POINT_TO_POINT, 2);
	check_packet(0, 0, "lost", 4, 2, &options);
	check_comments(options, (const char *[]){"dropped: lost by chance", NULL});
	check_packet(0, 1, "both", 4, 2, &options);
	check_comments(options,
		(const char *[]){"reordered: others may overtake it",
			"duplicated: it arrives twice", "waited 1.500 ms for the line", NULL});
	check_packet(1, 2, "both", 4, 1, &options);
	check_comments(options, (const char *[]){NULL});
	check_packet(1, 3, "both", 4, 1, &options);
	check_comments(options, (const char *[]){"the duplicate", NULL});
	ck_assert_uint_eq(at, size);
}
END_TEST

/* By more than the wire does to all of them; each copy by itself. */
START_TEST(delayed)
{
	size_t options;

	add(0, 0, 1, false, "late", (struct fate){.copies = 1, .late_ns = {1234567}});
	add(1, 0, 1, false, "both", (struct fate){.copies = 2, .late_ns = {0, 2 * MS}});
	write_all(SITE_POINT_TO_POINT, 2);
	check_packet(0, 0, "late", 4, 2, &options);
	check_comments(
		options, (const char *[]){"delayed: 1.235 ms longer than the wire's delay", NULL});
	check_packet(0, 1, "both", 4, 2, &options);
	check_comments(options,
		(const char *[]){"duplicated: it arrives twice",
			"its duplicate is delayed: 2.000 ms longer than the wire's delay", NULL});
	ck_assert_uint_eq(at, size);
}
END_TEST

/* What it has sent, with what became of it, and what has arrived there, with what had become of that. */
START_TEST(view_of_one)
{
	size_t options;

	add(0, 0, 1, false, "lost", (struct fate){.kind = FATE_LOST});
	add(1, 0, 1, false, "late", (struct fate){.copies = 1, .late_ns = {3 * MS}});
	add(2, 1, 0, false, "answer", carried);
	ck_assert_int_ge(journal_arrival(j, SIDE_UDP, 3, 1, false), 0);
	ck_assert_int_ge(journal_arrival(j, SIDE_UDP, 4, 2, false), 0);
	write_view(SITE_POINT_TO_POINT, 2, 0);
	check_packet(0, 0, "lost", 4, 2, &options);
	check_comments(options, (const char *[]){"dropped: lost by chance", NULL});
	check_packet(0, 1, "late", 4, 2, &options);
	check_packet(0, 4, "answer", 6, 1, &options);
	check_comments(options, (const char *[]){NULL});
	ck_assert_uint_eq(at, size);
	free(bytes);
	at = 0;
	write_view(SITE_POINT_TO_POINT, 2, 1);
	check_packet(1, 2, "answer", 6, 2, &options);
	check_packet(1, 3, "late", 4, 1, &options);
	check_comments(
		options, (const char *[]){"delayed: 3.000 ms longer than the wire's delay", NULL});
	ck_assert_uint_eq(at, size);
}
END_TEST

/* It was sent once, whoever it went to. */
START_TEST(to_everybody)
{
	size_t options;

	add(0, 1, 0, false, "all1", (struct fate){.kind = FATE_LOST});
	ck_assert_int_ge(journal_words(j, SIDE_BOTH, "in between"), 0);
	add(0, 1, 2, true, "all1", carried);
	add(1, 1, 0, false, "all2", carried);
	add(1, 1, 2, true, "all2", (struct fate){.kind = FATE_SCRIPTED});
	ck_assert_int_ge(journal_arrival(j, SIDE_UDP, 2, 2, false), 0);
	ck_assert_int_ge(journal_arrival(j, SIDE_UDP, 3, 3, false), 0);
	write_all(SITE_BROADCAST, 3);
	check_packet(1, 0, "all1", 4, 2, &options);
	check_comments(options, (const char *[]){"to host1: dropped: lost by chance", NULL});
	check_packet(1, 1, "all2", 4, 2, &options);
	check_comments(options, (const char *[]){"to host3: dropped: on purpose", NULL});
	check_packet(2, 2, "all1", 4, 1, &options);
	check_packet(0, 3, "all2", 4, 1, &options);
	ck_assert_uint_eq(at, size);
}
END_TEST

START_TEST(the_largest)
{
	static char large[65536];
	struct journal_packet p = {.bytes = (uint8_t *)large, .length = 65535, .to_host = 1};
	size_t options;

	p.fate.kind = FATE_OVERFLOW;
	memset(large, 'x', 65535);
	ck_assert_int_ge(journal_packet(j, SIDE_UDP, 0, &p), 0);
	write_all(SITE_POINT_TO_POINT, 2);
	check_packet(0, 0, large, 65535, 2, &options);
	check_comments(options, (const char *[]){"dropped: the queue was full", NULL});
}
END_TEST

START_TEST(a_full_disk)
{
	FILE *f = fopen("/dev/full", "we");

	ck_assert_ptr_nonnull(f);
	add(0, 0, 1, false, "1234", carried);
	struct pcapng_how how = {
		.hosts = 2, .medium = SITE_POINT_TO_POINT, .host = PCAPNG_ALL_HOSTS, .command = ""};
	ck_assert_int_eq(pcapng_write(f, j, &how), ERR_SYSTEM);
	(void)fclose(f);
}
END_TEST

Suite *pcapng_suite(void)
{
	Suite *suite = suite_create("pcapng");
	TCase *tests = tcase_create("pcapng");

	tcase_add_checked_fixture(tests, make, unmake);
	tcase_add_test(tests, nothing);
	tcase_add_test(tests, sent_and_arrived);
	tcase_add_test(tests, what_the_wire_did);
	tcase_add_test(tests, delayed);
	tcase_add_test(tests, view_of_one);
	tcase_add_test(tests, to_everybody);
	tcase_add_test(tests, the_largest);
	tcase_add_test(tests, a_full_disk);
	suite_add_tcase(suite, tests);
	return suite;
}
