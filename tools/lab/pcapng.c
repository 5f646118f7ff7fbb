#include "tools/lab/pcapng.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_HEADER        0x0a0d0d0a
#define INTERFACE_DESCRIPTION 1
#define ENHANCED_PACKET       6

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define LINKTYPE_RAW     101 /* begins with an IP header */

#define OPTION_END     0
#define OPTION_COMMENT 1
#define SHB_USERAPPL   4
#define IF_NAME        2
#define IF_DESCRIPTION 3
#define IF_TSRESOL     9
#define EPB_FLAGS      2

#define NANOSECONDS 9 /* of IF_TSRESOL: a power of ten */
#define INBOUND     1
#define OUTBOUND    2

#define TEXT_MOST  2048
#define BLOCK_MOST (65536 + 4 * TEXT_MOST)

/* A block as it is put together. All numbers are in this machine's order, which the reader sees by the
 * magic number. */
struct block {
	size_t length;
	uint8_t bytes[BLOCK_MOST];
};

/* ---- blocks ---- */

static void put(struct block *b, const void *bytes, size_t length)
{
	static const uint8_t padding[4];
	size_t padded = (4 - length % 4) % 4;

	if (length)
		memcpy(b->bytes + b->length, bytes, length);
	b->length += length;
	memcpy(b->bytes + b->length, padding, padded);
	b->length += padded;
}

static void put_u32(struct block *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

/* Two, for they stand in pairs. */
static void put_u16s(struct block *b, uint16_t first, uint16_t second)
{
	uint16_t both[2] = {first, second};

	put(b, both, sizeof(both));
}

static void put_option(struct block *b, uint16_t code, const void *value, size_t length)
{
	put_u16s(b, code, (uint16_t)length);
	put(b, value, length);
}

static void put_text(struct block *b, uint16_t code, const char *text)
{
	put_option(b, code, text, strnlen(text, TEXT_MOST));
}

static void begin(struct block *b, uint32_t type)
{
	b->length = 0;
	put_u32(b, type);
	put_u32(b, 0); /* its length, when it is known */
}

static bool end(struct block *b, FILE *f)
{
	put_u16s(b, OPTION_END, 0);
	uint32_t length = (uint32_t)b->length + 4;
	memcpy(b->bytes + 4, &length, sizeof(length));
	put_u32(b, length);
	return fwrite(b->bytes, 1, b->length, f) == b->length;
}

/* ---- what stands at the beginning ---- */

static void tell_section(struct block *b, const struct pcapng_how *how)
{
	char text[TEXT_MOST];
	int n = how->host == PCAPNG_ALL_HOSTS
			? snprintf(text, sizeof(text),
				  "Each packet stands here as it was sent and again as it arrived, "
				  "which Wireshark takes for retransmissions. One end alone: "
				  "lanchat-lab --pcap-host client (or server), or tshark -r FILE "
				  "-Y "
				  "'frame.interface_id == 0' -w ONE. ")
			: snprintf(text, sizeof(text),
				  "What host%d has sent, and what has arrived there. ",
				  how->host + 1);

	(void)snprintf(text + n, sizeof(text) - (size_t)n,
		"What the wire did to a packet: frame.comment. The wire's delay, each way, is %.3f "
		"ms to begin with; packets that took longer say so",
		(double)how->delay_ns / 1e6);
	put_text(b, OPTION_COMMENT, text);
}

static bool write_section(FILE *f, struct block *b, const struct pcapng_how *how)
{
	uint64_t unknown = UINT64_MAX; /* the length of the section */

	begin(b, SECTION_HEADER);
	put_u32(b, BYTE_ORDER_MAGIC);
	put_u16s(b, 1, 0); /* version */
	put(b, &unknown, sizeof(unknown));
	tell_section(b, how);
	put_text(b, SHB_USERAPPL, how->command);
	return end(b, f);
}

static bool write_interface(FILE *f, struct block *b, enum site_medium medium, size_t host)
{
	uint8_t resolution = NANOSECONDS;
	char text[64], address[INET_ADDRSTRLEN];
	struct in_addr in = site_address(NULL, host);

	begin(b, INTERFACE_DESCRIPTION);
	put_u16s(b, LINKTYPE_RAW, 0);
	put_u32(b, 0); /* bytes that are kept of each packet: all */
	(void)snprintf(text, sizeof(text), "host%zu", host + 1);
	put_text(b, IF_NAME, text);
	(void)snprintf(text, sizeof(text), "%s, %s",
		inet_ntop(AF_INET, &in, address, sizeof(address)),
		medium == SITE_BROADCAST ? "Ethernet (its headers are left out)"
					 : "point to point");
	put_text(b, IF_DESCRIPTION, text);
	put_option(b, IF_TSRESOL, &resolution, 1);
	return end(b, f);
}

/* ---- packets ---- */

static void begin_packet(struct block *b, const struct journal *j, const struct journal_entry *at,
	const struct journal_packet *p, size_t interface, uint32_t direction)
{
	uint64_t time = (uint64_t)journal_wall_start(j) * 1000 + at->time_ns;

	begin(b, ENHANCED_PACKET);
	put_u32(b, (uint32_t)interface);
	put_u32(b, (uint32_t)(time >> 32));
	put_u32(b, (uint32_t)time);
	put_u32(b, p->length);
	put_u32(b, p->length);
	put(b, p->bytes, p->length);
	put_option(b, EPB_FLAGS, &direction, sizeof(direction));
}

static void comment(struct block *b, const char *to, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void comment(struct block *b, const char *to, const char *format, ...)
{
	char text[256];
	va_list arguments;
	int length = snprintf(text, sizeof(text), "%s", to);

	va_start(arguments, format);
	(void)vsnprintf(text + length, sizeof(text) - (size_t)length, format, arguments);
	va_end(arguments);
	put_text(b, OPTION_COMMENT, text);
}

/* What became of it. `to` says whose copy it is about. */
static void tell_fate(struct block *b, const struct journal_packet *p, const char *to)
{
	const struct fate *f = &p->fate;

	if (f->kind != FATE_CARRIED)
		comment(b, to, "dropped: %s", fate_words(f->kind));
	if (f->reordered)
		comment(b, to, "reordered: others may overtake it");
	if (f->copies == 2)
		comment(b, to, "duplicated: it arrives twice");
	if (f->queued_ns)
		comment(b, to, "waited %.3f ms for the line", (double)f->queued_ns / 1e6);
	if (f->late_ns[0])
		comment(b, to, "delayed: %.3f ms longer than the wire's delay",
			(double)f->late_ns[0] / 1e6);
	if (f->late_ns[1])
		comment(b, to, "its duplicate is delayed: %.3f ms longer than the wire's delay",
			(double)f->late_ns[1] / 1e6);
}

/* The next packet, if it is another copy of the same; one thread writes packets and arrivals. */
static const struct journal_entry *next_copy(
	const struct journal *j, const struct journal_entry *of, uint64_t count)
{
	for (uint64_t i = of->number + 1; i < count; i++) {
		const struct journal_entry *e = journal_at(j, i);
		if (e->kind == JOURNAL_ARRIVAL)
			return NULL;
		if (e->kind == JOURNAL_PACKET)
			return e->of.packet.again ? e : NULL;
	}
	return NULL;
}

static bool write_sent(FILE *f, struct block *b, const struct journal *j,
	const struct journal_entry *e, uint64_t count)
{
	const struct journal_packet *p = &e->of.packet;
	const struct journal_entry *copy = next_copy(j, e, count);
	char to[32] = "";

	begin_packet(b, j, e, p, p->host, OUTBOUND);
	if (!copy) {
		tell_fate(b, p, to);
		return end(b, f);
	}
	for (copy = e; copy; copy = next_copy(j, copy, count)) {
		(void)snprintf(to, sizeof(to), "to host%u: ", copy->of.packet.to_host + 1U);
		tell_fate(b, &copy->of.packet, to);
	}
	return end(b, f);
}

/* Where what was sent is not in the file, what became of it stands at what arrives. */
static bool write_arrived(FILE *f, struct block *b, const struct journal *j,
	const struct journal_entry *e, bool alone)
{
	const struct journal_packet *p = &journal_at(j, e->of.arrival.of)->of.packet;

	begin_packet(b, j, e, p, p->to_host, INBOUND);
	if (e->of.arrival.second)
		comment(b, "", "the duplicate");
	if (alone)
		tell_fate(b, p, "");
	return end(b, f);
}

static bool is_seen(const struct pcapng_how *how, uint8_t host)
{
	return how->host == PCAPNG_ALL_HOSTS || how->host == host;
}

static bool write_entry(FILE *f, struct block *b, const struct journal *j,
	const struct journal_entry *e, uint64_t count, const struct pcapng_how *how)
{
	switch (e->kind) {
	case JOURNAL_PACKET:
		return e->of.packet.again || !is_seen(how, e->of.packet.host) ||
		       write_sent(f, b, j, e, count);
	case JOURNAL_ARRIVAL:
		return !is_seen(how, journal_at(j, e->of.arrival.of)->of.packet.to_host) ||
		       write_arrived(f, b, j, e, how->host != PCAPNG_ALL_HOSTS);
	default:
		return true;
	}
}

int pcapng_write(FILE *f, const struct journal *j, const struct pcapng_how *how)
{
	uint64_t count = journal_count(j);
	struct block *b = malloc(sizeof(*b));

	if (!b)
		return ERR_MEMORY;
	bool good = write_section(f, b, how);
	for (size_t host = 0; good && host < how->hosts; host++)
		good = write_interface(f, b, how->medium, host);
	for (uint64_t i = 0; good && i < count; i++)
		good = write_entry(f, b, j, journal_at(j, i), count, how);
	good = good && fflush(f) == 0;
	free(b);
	return good ? 0 : ERR_SYSTEM;
}
