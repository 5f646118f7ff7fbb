#include "common/trace.h"

#include "common/err.h"
#include "common/frame.h"
#include "common/log.h"
#include "common/message.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#define CALL_SIZE  512
#define LINE_SIZE  2048
#define WHY_COLUMN 72 /* where the sentences begin, when the call is not longer */

atomic_bool trace_flag;
static FILE *sink; /* set before trace_flag is */

void trace_start(FILE *f)
{
	sink = f;
	atomic_store(&trace_flag, f != NULL);
}

const char *trace_family(int family)
{
	switch (family) {
	case AF_UNSPEC:
		return "AF_UNSPEC";
	case AF_INET:
		return "AF_INET";
	case AF_INET6:
		return "AF_INET6";
	case AF_NETLINK:
		return "AF_NETLINK";
	case AF_UNIX:
		return "AF_UNIX";
	default:
		return "AF_?";
	}
}

const char *trace_socktype(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return "SOCK_STREAM";
	case SOCK_DGRAM:
		return "SOCK_DGRAM";
	case SOCK_RAW:
		return "SOCK_RAW";
	default:
		return "SOCK_?";
	}
}

/* ---- a line built up piece by piece, always terminated, cut at its size ---- */

struct line {
	char text[LINE_SIZE];
	size_t used;
};

__attribute__((format(printf, 2, 0))) static void add_list(
	struct line *l, const char *format, va_list ap)
{
	size_t left = sizeof(l->text) - l->used;
	int n = vsnprintf(l->text + l->used, left, format, ap);

	if (n > 0)
		l->used += (size_t)n < left ? (size_t)n : left - 1;
}

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_list(l, format, ap);
	va_end(ap);
}

static void finish(struct line *l)
{
	log_trace(sink, l->text, l->used);
}

/* ---- calls ---- */

void trace_call(const char *call, long result, const char *why)
{
	int error = errno;
	struct line l = {.used = 0};
	char clean[CALL_SIZE];

	/* A host name comes from whoever typed it, so the call's text is not trusted. */
	add(&l, "%s = %ld", log_escape(call, strlen(call), clean, sizeof(clean)), result);
	if (result == -1) {
		const char *name = strerrorname_np(error);
		const char *text = strerrordesc_np(error);
		add(&l, " %s (%s)", name ? name : "?", text ? text : "unknown error");
	}
	if (l.used < WHY_COLUMN)
		add(&l, "%*s", (int)(WHY_COLUMN - l.used), "");
	add(&l, " | %s", why);
	finish(&l);
	errno = error;
}

void trace_callf(long result, const char *why, const char *format, ...)
{
	int error = errno;
	char call[CALL_SIZE];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(call, sizeof(call), format, ap);
	va_end(ap);
	errno = error;
	trace_call(n < 0 ? "?" : call, result, why);
}

/* ---- getaddrinfo's list ---- */

static void add_flags(struct line *l, int flags)
{
	static const struct {
		int bit;
		const char *name;
	} bits[] = {
		{AI_PASSIVE, "AI_PASSIVE"},
		{AI_CANONNAME, "AI_CANONNAME"},
		{AI_NUMERICHOST, "AI_NUMERICHOST"},
		{AI_NUMERICSERV, "AI_NUMERICSERV"},
		{AI_V4MAPPED, "AI_V4MAPPED"},
		{AI_ADDRCONFIG, "AI_ADDRCONFIG"},
	};
	const char *separator = "";

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if ((flags & bits[i].bit) == 0)
			continue;
		add(l, "%s%s", separator, bits[i].name);
		separator = "|";
	}
	if (*separator == '\0')
		add(l, "0");
}

static const char *protocol_name(int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "IPPROTO_TCP";
	case IPPROTO_UDP:
		return "IPPROTO_UDP";
	default:
		return "another";
	}
}

static void add_address(struct line *l, const struct addrinfo *ai)
{
	struct net_address a = {.length = ai->ai_addrlen};
	char text[NET_ADDRESS_MAX];

	if (!ai->ai_addr || ai->ai_addrlen > sizeof(a.u)) {
		add(l, "?");
		return;
	}
	memcpy(&a.u, ai->ai_addr, ai->ai_addrlen);
	add(l, "%s", net_print(&a, text));
}

static void add_entry(struct line *l, const struct addrinfo *ai, unsigned number)
{
	char name[NET_HOST_MAX];
	const char *canon = ai->ai_canonname;

	add(l, "    addrinfo %u\n        ai_flags     = ", number);
	add_flags(l, ai->ai_flags);
	add(l,
		"\n        ai_family    = %s\n        ai_socktype  = %s\n"
		"        ai_protocol  = %d (%s)\n        ai_addrlen   = %u bytes\n        ai_addr  "
		"    = ",
		trace_family(ai->ai_family), trace_socktype(ai->ai_socktype), ai->ai_protocol,
		protocol_name(ai->ai_protocol), (unsigned)ai->ai_addrlen);
	add_address(l, ai);
	add(l, "\n        ai_canonname = %s\n        ai_next      = %s",
		canon ? log_escape(canon, strlen(canon), name, sizeof(name)) : "NULL",
		ai->ai_next ? "the entry below" : "NULL, the end of the list");
}

void trace_addrinfo(const struct addrinfo *list)
{
	int error = errno;
	unsigned number = 1;

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next, number++) {
		struct line l = {.used = 0};
		add_entry(&l, ai, number);
		finish(&l);
	}
	errno = error;
}

/* ---- frames ---- */

/* Has it what is for the server's eyes alone: a password, a room's key, the operator code? */
static bool is_secret(const struct frame *f)
{
	union message m;

	if (f->type == MESSAGE_ACT && message_decode(f, &m) == 0)
		return m.act.verb == ACT_ENTRY || m.act.verb == ACT_OPERATOR;
	return f->type == MESSAGE_PASSWORD || f->type == MESSAGE_UNLOCK;
}

void trace_frame(int fd, bool out, const uint8_t *bytes, size_t length)
{
	int error = errno;
	struct line l = {.used = 0};
	char text[LINE_SIZE / 2];
	struct frame f;
	union message m;

	add(&l, "frame %s %d: ", out ? "out on" : "in on", fd);
	if (frame_decode_datagram(bytes, length, FRAME_PAYLOAD_MAX, &f) != 0) {
		add(&l, "%zu bytes that are no frame", length);
		finish(&l);
		errno = error;
		return;
	}
	const struct message_spec *spec = message_spec(f.type);
	add(&l, "number 0x%04x (%s), length %" PRIu32 ", flags 0x%04x", f.type,
		spec ? spec->name : "not in the table", f.length, f.flags);
	if (is_secret(&f))
		add(&l, " | a secret");
	else if (spec && message_decode(&f, &m) == 0)
		add(&l, " | %s", message_print(f.type, &m, text, sizeof(text)));
	else if (spec)
		add(&l, " | its payload breaks the table's rules");
	finish(&l);
	errno = error;
}
