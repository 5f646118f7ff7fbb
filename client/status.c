#include "client/status.h"

#include <stdio.h>

char *status_time(int64_t microseconds, char *out, size_t size)
{
	double ms = (double)microseconds / 1000;

	if (ms >= 1000)
		(void)snprintf(out, size, "%.1f s", ms / 1000);
	else
		(void)snprintf(out, size, "%.*f ms", ms < 10 ? 1 : 0, ms);
	return out;
}

char *status_connection(const struct model *m, int64_t now, char *out, size_t size)
{
	char rtt[32];
	int64_t left = m->retry_at - now;

	switch (m->state) {
	case LINK_CONNECTING:
		(void)snprintf(out, size, "connecting to %s", m->state_text);
		break;
	case LINK_LOGGING_IN:
		(void)snprintf(out, size, "logging in");
		break;
	case LINK_ONLINE:
		if (m->rtt_us >= 0)
			(void)snprintf(
				out, size, "online, %s", status_time(m->rtt_us, rtt, sizeof rtt));
		else
			(void)snprintf(out, size, "online");
		break;
	case LINK_WAITING:
		(void)snprintf(out, size, "offline, next try in %lld s (Enter: now): %s",
			left > 0 ? (long long)(left + 999) / 1000 : 0LL, m->state_text);
		break;
	case LINK_FAILED:
		(void)snprintf(out, size, "not connected: %s", m->state_text);
		break;
	case LINK_CLOSED:
		(void)snprintf(out, size, "closed");
		break;
	}
	return out;
}

char *status_name(const struct buffer *b, char *out, size_t size)
{
	(void)snprintf(out, size, "%s%s", b->kind == BUFFER_ROOM ? "#" : "", b->name);
	return out;
}

char *status_activity(const struct model *m, char *out, size_t size)
{
	char name[ROOM_NAME_MAX * 3 + 2];
	size_t used = 0;

	if (size > 0)
		out[0] = '\0';
	for (size_t i = 0; i < m->count && used < size; i++) {
		const struct buffer *b = m->buffers[i];
		if (b->unread == 0)
			continue;
		int n = snprintf(out + used, size - used, "%s%zu:%s(%u%s)", used ? " " : "", i + 1,
			status_name(b, name, sizeof name), b->unread, b->mentions ? "!" : "");
		used += n > 0 ? (size_t)n : 0;
	}
	return out;
}

char *status_scrolled(const struct buffer *b, char *out, size_t size)
{
	struct rows_view v = {.lines = &b->lines, .shape = rows_shape(80), .marker = b->marker};
	unsigned long long below = rows_below(&v, &b->place);

	if (!buffer_is_back(b))
		(void)snprintf(out, size, "%s", "");
	else if (b->past && b->missed > 0)
		(void)snprintf(out, size, "far back, %u new (Esc)", b->missed);
	else if (b->past)
		(void)snprintf(out, size, "far back (Esc)");
	else if (b->missed > 0)
		(void)snprintf(
			out, size, "scrolled back, %llu below, %u new (Esc)", below, b->missed);
	else if (below > 0)
		(void)snprintf(out, size, "scrolled back, %llu below (Esc)", below);
	else /* a part of the newest line */
		(void)snprintf(out, size, "scrolled back (Esc)");
	return out;
}

char *status_top(const struct buffer *b, char *out, size_t size)
{
	const struct scrollback *s = buffer_lines(b);
	char name[ROOM_NAME_MAX * 3 + 2];

	if (b->kind == BUFFER_SERVER)
		(void)snprintf(out, size, "%s", "");
	else if (b->asking.aim == PAGE_OLDER || b->asking.aim == PAGE_DETACH)
		(void)snprintf(out, size, "loading what was said before");
	else if (s->begun && s->pruned)
		(void)snprintf(out, size, "what was said before is no longer kept");
	else if (s->begun && b->kind == BUFFER_ROOM)
		(void)snprintf(out, size, "the beginning of %s", status_name(b, name, sizeof name));
	else if (s->begun)
		(void)snprintf(out, size, "the beginning with %s", b->name);
	else if (!b->past && b->left_at > 0 && b->left_at + 1 < s->from)
		(void)snprintf(out, size, "unread from further up: Alt-u goes there");
	else
		(void)snprintf(out, size, "%s", "");
	return out;
}

int64_t status_deadline(const struct model *m, int64_t now)
{
	int64_t left = m->retry_at - now;

	if (m->state != LINK_WAITING || left <= 0)
		return INT64_MAX;
	/* Just after the number of seconds that is shown becomes another one. */
	return now + (left - 1) % 1000 + 1;
}
