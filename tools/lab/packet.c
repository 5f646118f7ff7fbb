#include "tools/lab/packet.h"

#include "common/bytes.h"
#include "common/err.h"

#include <netinet/in.h>
#include <string.h>

#define IPV4_HEADER     20
#define IPV6_HEADER     40
#define FRAGMENT_HEADER 8
#define TCP_HEADER      20
#define UDP_HEADER      8
#define ICMP_HEADER     8

#define TCP_OPTION_END  0
#define TCP_OPTION_NOP  1
#define TCP_OPTION_MSS  2
#define TCP_OPTION_SACK 5

/* What is left to read. */
struct rest {
	const uint8_t *at;
	size_t length;
};

static void skip(struct rest *r, size_t length)
{
	r->at += length;
	r->length -= length;
}

/* ---- IP ---- */

/* The header alone: the packet that an error is about is cut short behind it. *total is how long the
 * packet says it is. */
static int read_ipv4(struct rest *r, struct packet *p, size_t *total)
{
	const uint8_t *b = r->at;

	if (r->length < IPV4_HEADER)
		return ERR_PROTOCOL;
	size_t header = (size_t)(b[0] & 0x0f) * 4;
	*total = bytes_u16(b + 2);
	if (header < IPV4_HEADER || header > r->length || header > *total)
		return ERR_PROTOCOL;
	uint16_t fragment = bytes_u16(b + 6);
	p->version = 4;
	p->id = bytes_u16(b + 4);
	p->dont_fragment = fragment & 0x4000;
	p->more_fragments = fragment & 0x2000;
	p->fragment_offset = (uint16_t)((fragment & 0x1fff) * 8);
	p->ttl = b[8];
	p->protocol = b[9];
	memcpy(p->from.address, b + 12, 4);
	memcpy(p->to.address, b + 16, 4);
	skip(r, header);
	return 0;
}

/* How long a header of extension is; 0: `type` is none, or one behind which nothing can be read. */
static size_t extension_length(uint8_t type, const uint8_t *at)
{
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return ((size_t)at[1] + 1) * 8;
	case IPPROTO_AH:
		return ((size_t)at[1] + 2) * 4;
	case IPPROTO_FRAGMENT:
		return FRAGMENT_HEADER;
	default:
		return 0;
	}
}

static int read_ipv6(struct rest *r, struct packet *p, size_t *total)
{
	const uint8_t *b = r->at;

	if (r->length < IPV6_HEADER)
		return ERR_PROTOCOL;
	p->version = 6;
	p->dont_fragment = true; /* by others than who sent it */
	*total = IPV6_HEADER + (size_t)bytes_u16(b + 4);
	p->protocol = b[6];
	p->ttl = b[7];
	memcpy(p->from.address, b + 8, 16);
	memcpy(p->to.address, b + 24, 16);
	skip(r, IPV6_HEADER);
	if (r->length > *total - IPV6_HEADER)
		r->length = *total - IPV6_HEADER;

	/* Behind a later fragment's header there is the middle of something. */
	while (p->fragment_offset == 0 && extension_length(p->protocol, (uint8_t[2]){0})) {
		if (r->length < 8)
			return ERR_PROTOCOL;
		size_t length = extension_length(p->protocol, r->at);
		if (length > r->length)
			return ERR_PROTOCOL;
		if (p->protocol == IPPROTO_FRAGMENT) {
			p->fragment_offset = bytes_u16(r->at + 2) & 0xfff8;
			p->more_fragments = r->at[3] & 1;
			p->id = bytes_u32(r->at + 4);
		}
		p->protocol = r->at[0];
		skip(r, length);
	}
	return 0;
}

static int read_ip(struct rest *r, struct packet *p, size_t *total)
{
	if (r->length == 0)
		return ERR_PROTOCOL;
	switch (r->at[0] >> 4) {
	case 4:
		return read_ipv4(r, p, total);
	case 6:
		return read_ipv6(r, p, total);
	default:
		return ERR_PROTOCOL;
	}
}

/* ---- what IP carries ---- */

/* A wrong option ends the list: what stands behind it cannot be told. */
static void read_tcp_options(const uint8_t *at, size_t length, struct packet *p)
{
	while (length >= 2 && *at != TCP_OPTION_END) {
		if (*at == TCP_OPTION_NOP) {
			at++;
			length--;
			continue;
		}
		size_t size = at[1];
		if (size < 2 || size > length)
			return;
		if (*at == TCP_OPTION_SACK && size >= 10)
			p->has_sack = true;
		if (*at == TCP_OPTION_MSS && size == 4 && (p->flags & PACKET_SYN))
			p->mss = bytes_u16(at + 2);
		at += size;
		length -= size;
	}
}

static int read_tcp(struct rest r, struct packet *p)
{
	if (r.length < TCP_HEADER)
		return ERR_PROTOCOL;
	size_t header = (size_t)(r.at[12] >> 4) * 4;
	if (header < TCP_HEADER || header > r.length)
		return ERR_PROTOCOL;
	p->from.port = bytes_u16(r.at);
	p->to.port = bytes_u16(r.at + 2);
	p->seq = bytes_u32(r.at + 4);
	p->ack = bytes_u32(r.at + 8);
	p->flags = r.at[13];
	p->window = bytes_u16(r.at + 14);
	read_tcp_options(r.at + TCP_HEADER, header - TCP_HEADER, p);
	p->payload = r.at + header;
	p->payload_length = (uint32_t)(r.length - header);
	return 0;
}

static int read_udp(struct rest r, struct packet *p)
{
	if (r.length < UDP_HEADER)
		return ERR_PROTOCOL;
	size_t length = bytes_u16(r.at + 4);
	if (length < UDP_HEADER || (length > r.length && !packet_is_fragment(p)))
		return ERR_PROTOCOL;
	p->from.port = bytes_u16(r.at);
	p->to.port = bytes_u16(r.at + 2);
	p->payload = r.at + UDP_HEADER;
	p->payload_length = (uint32_t)((length < r.length ? length : r.length) - UDP_HEADER);
	return 0;
}

static bool is_error(const struct packet *p)
{
	if (p->protocol == IPPROTO_ICMPV6)
		return p->icmp_type >= 1 && p->icmp_type <= 4;
	switch (p->icmp_type) {
	case 3:  /* destination unreachable */
	case 4:  /* source quench */
	case 5:  /* redirect */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
		return true;
	default:
		return false;
	}
}

static bool says_mtu(const struct packet *p)
{
	return p->protocol == IPPROTO_ICMPV6 ? p->icmp_type == 2
					     : p->icmp_type == 3 && p->icmp_code == 4;
}

/* The beginning of the packet that an error is about. What cannot be read of it is left out. */
static void read_about(struct rest r, struct packet *p)
{
	struct packet about = {0};
	size_t total;

	if (read_ip(&r, &about, &total) != 0)
		return;
	if (about.fragment_offset == 0 && r.length >= 4 &&
		(about.protocol == IPPROTO_TCP || about.protocol == IPPROTO_UDP)) {
		about.from.port = bytes_u16(r.at);
		about.to.port = bytes_u16(r.at + 2);
	}
	p->about_protocol = about.protocol;
	p->about_from = about.from;
	p->about_to = about.to;
}

static int read_icmp(struct rest r, struct packet *p)
{
	if (r.length < ICMP_HEADER)
		return ERR_PROTOCOL;
	p->icmp_type = r.at[0];
	p->icmp_code = r.at[1];
	if (says_mtu(p))
		p->icmp_mtu = p->version == 6 ? bytes_u32(r.at + 4) : bytes_u16(r.at + 6);
	skip(&r, ICMP_HEADER);
	if (is_error(p))
		read_about(r, p);
	p->payload = r.at;
	p->payload_length = (uint32_t)r.length;
	return 0;
}

static int read_carried(struct rest r, struct packet *p)
{
	switch (p->protocol) {
	case IPPROTO_TCP:
		return read_tcp(r, p);
	case IPPROTO_UDP:
		return read_udp(r, p);
	case IPPROTO_ICMP:
		return p->version == 4 ? read_icmp(r, p) : 0;
	case IPPROTO_ICMPV6:
		return p->version == 6 ? read_icmp(r, p) : 0;
	default:
		return 0;
	}
}

int packet_read(const uint8_t *bytes, size_t length, struct packet *out)
{
	struct packet p = {0};
	struct rest r = {.at = bytes, .length = length};
	size_t total;
	int error = read_ip(&r, &p, &total);

	if (error != 0)
		return error;
	if (total > length)
		return ERR_PROTOCOL;
	r.length = total - (size_t)(r.at - bytes);
	p.length = (uint32_t)total;
	p.payload = r.at;
	p.payload_length = (uint32_t)r.length;
	if (p.fragment_offset == 0) {
		error = read_carried(r, &p);
		if (error != 0)
			return error;
	}
	if (packet_is_fragment(&p)) {
		p.payload = r.at;
		p.payload_length = (uint32_t)r.length;
	}
	*out = p;
	return 0;
}

bool packet_same_end(const struct packet_end *a, const struct packet_end *b)
{
	return a->port == b->port && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

bool packet_same_flow(const struct packet *a, const struct packet *b)
{
	if (a->version != b->version || a->protocol != b->protocol)
		return false;
	return (packet_same_end(&a->from, &b->from) && packet_same_end(&a->to, &b->to)) ||
	       (packet_same_end(&a->from, &b->to) && packet_same_end(&a->to, &b->from));
}

bool packet_is_fragment(const struct packet *p)
{
	return p->more_fragments || p->fragment_offset > 0;
}
