#include "client/plain.h"

#include "common/text.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Nothing from the network reaches a terminal as it came. */
static void put_clean(FILE *out, const char *text)
{
	size_t length = strlen(text);

	if (utf8_is_line(text, length)) {
		fwrite(text, 1, length, out);
		return;
	}
	char *clean = text_sanitize(text, length, 0);
	fputs(clean ? clean : "?", out);
	free(clean);
}

static void put_around(FILE *out, const char *before, const char *text, const char *after)
{
	fputs(before, out);
	put_clean(out, text);
	fputs(after, out);
}

void plain_message(FILE *out, const struct event *e)
{
	bool action = e->kind == SAID_ACTION;

	put_around(out, e->direct ? "[@" : "[", e->direct ? e->peer_nick : e->room, "] ");
	put_around(out, action ? "* " : "", e->nick, action ? " " : ": ");
	put_around(out, "", e->text, "\n");
}

void plain_tossed(FILE *out, const struct event *e)
{
	put_around(out, "[", e->room, "] ");
	put_around(out, "", e->nick, ": (udp) ");
	put_around(out, "", e->text, "\n");
}

static void put_time(FILE *out, uint64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm parts;
	char text[64];

	/* A server may claim a time that no calendar has. */
	if (!localtime_r(&seconds, &parts) ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S ", &parts) == 0)
		(void)snprintf(text, sizeof(text), "0000-00-00 00:00:00 ");
	fputs(text, out);
}

static void put_topic(FILE *out, const struct event *e)
{
	put_around(out, "* ", e->nick, e->text[0] ? " set the topic: " : " cleared the topic");
	put_around(out, "", e->text, "\n");
}

void plain_dated(FILE *out, const struct event *e)
{
	put_time(out, e->time);
	if (e->direct)
		put_around(out, "[@", e->peer_nick, "] ");
	switch ((enum said_kind)e->kind) {
	case SAID_TOPIC:
		put_topic(out, e);
		return;
	case SAID_ACTION:
		put_around(out, "* ", e->nick, " ");
		break;
	case SAID_NOTICE:
		put_around(out, "-", e->nick, "- ");
		break;
	case SAID_ACT: /* never said */
	case SAID_TEXT:
		put_around(out, "<", e->nick, "> ");
		break;
	}
	put_around(out, "", e->text, "\n");
}

void plain_gap(FILE *out, const struct event *e)
{
	put_around(
		out, "[", e->room[0] ? e->room : "@", "] (what was said next is no longer kept)\n");
}
