#include "tests/unit/tell.h"

#include <check.h>
#include <string.h>

static struct model the_model;
struct model *model = &the_model;
uint64_t news_seq;

void tell(struct event e)
{
	ck_assert_int_eq(model_apply(model, &e), 0);
}

void tell_joined(const char *room, uint64_t last, bool resumed)
{
	tell((struct event){.type = EVENT_JOINED,
		.room = (char *)room,
		.text = (char *)"",
		.nick = (char *)"",
		.seq = last,
		.count = 1,
		.flag = resumed});
}

void tell_caught_up(const char *room)
{
	tell((struct event){.type = EVENT_CAUGHT_UP, .room = (char *)room, .number = 1});
}

void tell_setup(void)
{
	news_seq = 0;
	ck_assert_int_eq(model_init(model, me, "me"), 0);
	tell((struct event){.type = EVENT_LOGGED_IN,
		.nick = (char *)"me",
		.text = (char *)"house",
		.flag = true,
		.number = 4096});
	tell((struct event){.type = EVENT_STATE, .state = LINK_ONLINE, .text = (char *)""});
	tell_caught_up("");
	ck_assert_int_eq(model_set(&model->wanted, "lobby"), 0);
	tell_joined("lobby", 0, false);
	tell_caught_up("lobby");
	tell_joined("dev", 0, false);
	tell_caught_up("dev");
}

void tell_teardown(void)
{
	model_fini(model);
}

void tell_anew(void)
{
	model_fini(model);
	ck_assert_int_eq(model_init(model, me, "me"), 0);
}

struct event news_said(
	const char *room, const uint8_t person[PERSON_ID], const char *nick, const char *text)
{
	struct event e = {.type = EVENT_MESSAGE,
		.room = (char *)room,
		.nick = (char *)nick,
		.text = (char *)text,
		.peer_nick = (char *)"",
		.seq = ++news_seq};

	memcpy(e.person, person, PERSON_ID);
	return e;
}

struct event news_direct(const uint8_t person[PERSON_ID], const char *nick, const char *text)
{
	struct event e = news_said("", person, nick, text);

	e.direct = true;
	memcpy(e.peer, person, PERSON_ID);
	e.peer_nick = e.nick;
	return e;
}

const struct line *tell_last_line(const struct buffer *b)
{
	return scrollback_line(&b->lines, scrollback_end(&b->lines) - 1);
}

struct event news_presence(
	enum change_what what, const char *nick, const char *text, enum person_state state)
{
	struct event e = {.type = EVENT_PRESENCE,
		.room = (char *)"lobby",
		.change = what,
		.nick = (char *)nick,
		.text = (char *)text,
		.person_state = state,
		.number = 5};

	memcpy(e.person, anna, PERSON_ID);
	return e;
}
