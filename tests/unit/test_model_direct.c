/*
 * The model: conversations with one person.
 */
#include "tests/unit/tell.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void members(const struct event_person *people, size_t count)
{
	tell((struct event){.type = EVENT_MEMBERS,
		.room = (char *)"lobby",
		.people = (struct event_person *)people,
		.count = count,
		.number = count,
		.flag = true});
}

/* What was said is from when the other one had another nick: the conversation has the one they have. */
START_TEST(direct_renamed)
{
	struct event_person people[2] = {{{2}, PERSON_HERE, (char *)"anna", NULL},
		{{3}, PERSON_HERE, (char *)"bobby", NULL}};

	tell(news_direct(boris, "bob", "from long ago"));
	struct buffer *b = model_direct(model, boris, "bob");
	ck_assert_str_eq(b->name, "bob");
	members(people, 2); /* the list comes after it */
	ck_assert_str_eq(b->name, "bobby");
	tell(news_direct(boris, "bob", "from before, too")); /* or before it */
	ck_assert_str_eq(b->name, "bobby");
	tell((struct event){.type = EVENT_PRESENCE,
		.room = (char *)"lobby",
		.change = CHANGE_JOINED,
		.person = {3},
		.nick = (char *)"bob",
		.text = (char *)"",
		.number = 3});
	ck_assert_str_eq(b->name, "bobby"); /* both are here */
	people[1].nick = (char *)"bert";
	people[1].person[0] = 4;
	members(people, 2);
	ck_assert_str_eq(b->name, "bobby"); /* nobody knows better */
	tell(news_direct(boris, "robert", "hi"));
	ck_assert_str_eq(b->name, "robert");
	ck_assert_ptr_eq(model_direct(model, boris, "robert"), b);
	/* One's own words have the other's nick as it was, too. */
	struct event own = news_direct(boris, "me", "hello");
	memcpy(own.person, me, PERSON_ID);
	own.peer_nick = (char *)"bob";
	own.own = true;
	tell(own);
	ck_assert_str_eq(b->name, "robert");
}
END_TEST

START_TEST(direct_conversations)
{
	tell(news_direct(anna, "anna", "psst"));
	struct buffer *b = model_direct(model, anna, "anna");
	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(b->kind, BUFFER_DIRECT);
	ck_assert_uint_eq(b->unread, 1);
	ck_assert_uint_eq(b->mentions, 1);
	ck_assert(model->bell);
	/* Opened by nick first: the same conversation once the person is known. */
	struct buffer *c = model_open_direct(model, NULL, "Boris");
	tell(news_direct(boris, "boris", "hi"));
	ck_assert_ptr_eq(model_direct(model, boris, "other"), c);
	ck_assert_uint_eq(model->count, 5);
	/* Somebody else with that nick is somebody else. */
	tell(news_direct((const uint8_t[PERSON_ID]){9}, "boris", "hi"));
	ck_assert_uint_eq(model->count, 6);
	/* Rooms stay before people. */
	tell_joined("new", 0, false);
	ck_assert_int_eq(model->buffers[3]->kind, BUFFER_ROOM);
	ck_assert_str_eq(model_current(model)->name, "lobby");
}
END_TEST

/* Whoever has many keys begins as many conversations. */
START_TEST(direct_conversations_without_end)
{
	uint8_t person[PERSON_ID] = {9};
	char nick[16];

	tell(news_direct(anna, "anna", "psst"));
	struct buffer *b = model_direct(model, anna, "anna");
	ck_assert_int_eq(model_sent(model, b, SAID_TEXT, "what is it?", 1), 0);
	struct event own = news_direct(anna, "me", "what is it?");
	own.own = true;
	own.counter = 1;
	memcpy(own.person, me, PERSON_ID);
	own.peer_nick = (char *)"anna";
	tell(own);
	ck_assert_uint_eq(b->lines.waiting, 0);
	/* What is shown, what waits and what is being written stay as well. */
	tell(news_direct(boris, "boris", "hi"));
	model_show(model, model_index(model, model_direct(model, boris, "boris")));
	for (unsigned i = 0; i < 2000; i++) {
		person[1] = (uint8_t)i;
		person[2] = (uint8_t)(i >> 8);
		(void)snprintf(nick, sizeof(nick), "n%u", i);
		tell(news_direct(person, nick, "buy!"));
		if (i == 0)
			model_direct(model, person, nick)->draft = strdup("no, ");
		if (i == 1)
			ck_assert_int_eq(model_sent(model, model_direct(model, person, nick),
						 SAID_TEXT, "no", 2),
				0);
	}
	ck_assert_uint_eq(model->count, 3 + 500);
	ck_assert_ptr_eq(model_direct(model, anna, "anna"), b);
	ck_assert_str_eq(model_current(model)->name, "boris");
	ck_assert_ptr_nonnull(model_direct(model, NULL, "n0"));
	ck_assert_ptr_nonnull(model_direct(model, NULL, "n1"));
	ck_assert_ptr_null(model_direct(model, NULL, "n2"));
	ck_assert_ptr_nonnull(model_direct(model, NULL, "n1999"));
}
END_TEST

/* Two programs of one person, under different nicks, talk to each other. */
START_TEST(direct_to_oneself)
{
	struct event e = news_direct(me, "other", "psst");

	e.peer_nick = (char *)"me";
	tell(e);
	ck_assert_ptr_nonnull(model_direct(model, me, "other"));
	ck_assert_ptr_null(model_direct(model, me, "me"));
	ck_assert_uint_eq(model_direct(model, me, "other")->unread, 1);
}
END_TEST

START_TEST(inbox_from_before)
{
	tell_anew();
	tell(news_direct(anna, "anna", "while you were away"));
	ck_assert_uint_eq(model->count, 2);
	ck_assert_uint_eq(model->buffers[1]->unread, 0);
	ck_assert(!model->bell);
}
END_TEST

/* A log that was restored is told from its beginning, as at the first login: nothing of it is news. */
START_TEST(inbox_of_another_log)
{
	tell(news_direct(anna, "anna", "hello"));
	struct buffer *b = model_direct(model, anna, "anna");
	b->unread = b->mentions = 0;
	model->bell = false;
	tell((struct event){.type = EVENT_LOG_CHANGED});
	tell(news_direct(anna, "anna", "hello"));
	ck_assert_uint_eq(b->unread, 0);
	ck_assert(!model->bell);
	tell_caught_up("");
	tell(news_direct(anna, "anna", "and now?"));
	ck_assert_uint_eq(b->unread, 1);
	ck_assert(model->bell);
}
END_TEST

Suite *model_direct_suite(void)
{
	Suite *s = suite_create("model_direct");
	TCase *t = tcase_create("direct");

	tcase_add_checked_fixture(t, tell_setup, tell_teardown);
	tcase_add_test(t, direct_renamed);
	tcase_add_test(t, direct_conversations);
	tcase_add_test(t, direct_conversations_without_end);
	tcase_add_test(t, direct_to_oneself);
	tcase_add_test(t, inbox_from_before);
	tcase_add_test(t, inbox_of_another_log);
	suite_add_tcase(s, t);
	return s;
}
