#include "common/plain_word.h"

#include "common/frame.h"
#include "common/message.h"
#include "common/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static bool is_refusal(unsigned code)
{
	return code == CODE_FULL || code == CODE_RESOURCES || code == CODE_STOPPING ||
	       code == CODE_TOO_MANY_HERE || code == CODE_PENALTY || code == CODE_TOO_MANY_LOGINS ||
	       code == CODE_TIMEOUT;
}

unsigned plain_word(int fd)
{
	uint8_t bytes[512];
	union message m;
	struct frame f;
	size_t got = 0;

	if (net_recv(fd, bytes, sizeof(bytes), &got) == 0 &&
		frame_decode(bytes, got, FRAME_PAYLOAD_MAX, &f, NULL) == 0 &&
		f.type == MESSAGE_ERROR && message_decode(&f, &m) == 0 && is_refusal(m.error.code))
		return m.error.code;
	return CODE_NONE;
}
