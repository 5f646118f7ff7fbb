#include "server/refusal.h"

#include "common/net.h"

#include <sys/socket.h>

void refusal_send(int fd, enum code code, const char *text)
{
	struct msg_error m = {
		.code = (uint16_t)code,
		.fatal = 1,
		.text = span_of(text ? text : code_text(code)),
	};
	uint8_t frame[FRAME_HEADER + 16 + REASON_MAX];
	uint8_t scrap[512];
	size_t used = 0, n;

	if (message_encode(MESSAGE_ERROR, &m, frame, sizeof(frame), &used) == 0)
		net_sendv(fd, &(struct iovec){.iov_base = frame, .iov_len = used}, 1, &n);
	net_shutdown(fd, SHUT_WR);
	/* What has come already and is not read would turn the close into a reset, and a reset can
	 * overtake the word. */
	(void)net_recv(fd, scrap, sizeof(scrap), &n);
}
