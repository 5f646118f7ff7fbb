#include "tools/lab/call_text.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SHOWN 24 /* bytes of a text */

struct name {
	int value;
	const char *text;
};

static const struct {
	int level;
	const char *text;
	struct name names[16];
} levels[] = {
	{SOL_SOCKET, "SOL_SOCKET",
		{{SO_REUSEADDR, "SO_REUSEADDR"}, {SO_BROADCAST, "SO_BROADCAST"},
			{SO_KEEPALIVE, "SO_KEEPALIVE"}, {SO_RCVBUF, "SO_RCVBUF"},
			{SO_SNDBUF, "SO_SNDBUF"}, {SO_RCVLOWAT, "SO_RCVLOWAT"},
			{SO_ERROR, "SO_ERROR"}}},
	{IPPROTO_TCP, "IPPROTO_TCP",
		{{TCP_NODELAY, "TCP_NODELAY"}, {TCP_KEEPIDLE, "TCP_KEEPIDLE"},
			{TCP_KEEPINTVL, "TCP_KEEPINTVL"}, {TCP_KEEPCNT, "TCP_KEEPCNT"},
			{TCP_SYNCNT, "TCP_SYNCNT"}, {TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT"},
			{TCP_QUICKACK, "TCP_QUICKACK"}, {TCP_CONGESTION, "TCP_CONGESTION"},
			{TCP_INFO, "TCP_INFO"}}},
	{IPPROTO_IP, "IPPROTO_IP",
		{{IP_MTU_DISCOVER, "IP_MTU_DISCOVER"}, {IP_ADD_MEMBERSHIP, "IP_ADD_MEMBERSHIP"},
			{IP_MULTICAST_IF, "IP_MULTICAST_IF"}, {IP_RECVERR, "IP_RECVERR"}}},
};

char *call_text_option(int level, int name, char out[CALL_TEXT])
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (levels[i].level != level)
			continue;
		for (const struct name *n = levels[i].names; n->text; n++) {
			if (n->value == name) {
				snprintf(out, CALL_TEXT, "%s, %s", levels[i].text, n->text);
				return out;
			}
		}
	}
	snprintf(out, CALL_TEXT, "%d, %d", level, name);
	return out;
}

char *call_text_flags(int flags, char out[CALL_TEXT])
{
	static const struct name bits[] = {
		{MSG_PEEK, "MSG_PEEK"},
		{MSG_TRUNC, "MSG_TRUNC"},
		{MSG_DONTWAIT, "MSG_DONTWAIT"},
		{MSG_NOSIGNAL, "MSG_NOSIGNAL"},
		{MSG_ERRQUEUE, "MSG_ERRQUEUE"},
	};
	size_t used = 0;

	snprintf(out, CALL_TEXT, "0");
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (!(flags & bits[i].value))
			continue;
		int n = snprintf(
			out + used, CALL_TEXT - used, "%s%s", used ? "|" : "", bits[i].text);
		used += n > 0 ? (size_t)n : 0;
	}
	return out;
}

static bool printable(const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < ' ' || bytes[i] > '~')
			return false;
	}
	return true;
}

char *call_text_bytes(const void *bytes, size_t length, char out[CALL_TEXT])
{
	size_t shown = length > SHOWN ? SHOWN : length;

	if (!printable(bytes, length))
		snprintf(out, CALL_TEXT, "%zu bytes", length);
	else
		snprintf(out, CALL_TEXT, "\"%.*s\"%s, %zu byte%s", (int)shown, (const char *)bytes,
			shown < length ? "..." : "", length, length == 1 ? "" : "s");
	return out;
}

const char *call_text_shutdown(int how)
{
	static const struct name names[] = {
		{SHUT_RD, "SHUT_RD"}, {SHUT_WR, "SHUT_WR"}, {SHUT_RDWR, "SHUT_RDWR"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].value == how)
			return names[i].text;
	}
	return "?";
}

const char *call_text_error(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "?";
}
