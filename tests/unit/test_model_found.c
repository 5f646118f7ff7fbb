/*
 * The model: searches, what they find, and going there.
 */
#include "client/model.h"

#include "common/err.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t me[PERSON_ID] = {1}, anna[PERSON_ID] = {2}, boris[PERSON_ID] = {3};
static struct model m;
static struct buffer *lobby;

static void apply(struct event e)
{
	ck_assert_int_eq(model_apply(&m, &e), 0);
}

static void setup(void)
{
	ck_assert_int_eq(model_init(&m, me, "me"), 0);
	lobby = model_open_room(&m, "lobby");
	lobby->greeted = lobby->joined = true;
}

static void teardown(void)
{
	model_fini(&m);
}

static struct event entry(
	const char *room, const uint8_t person[PERSON_ID], const char *nick, uint64_t seq)
{
	struct event e = {.type = EVENT_MESSAGE,
		.room = (char *)room,
		.direct = room[0] == '\0',
		.nick = (char *)nick,
		.peer_nick = (char *)nick,
		.text = (char *)"wo\x1brd",
		.seq = seq};

	memcpy(e.person, person, PERSON_ID);
	memcpy(e.peer, person, PERSON_ID);
	return e;
}

static void found(uint32_t request, struct event *entries, size_t count, bool more)
{
	apply((struct event){.type = EVENT_FOUND,
		.number = request,
		.entries = entries,
		.count = count,
		.flag = more});
}

START_TEST(found_in_pages)
{
	struct event first[2] = {
		entry("lobby", anna, "anna", 90), entry("lobby", boris, "boris", 80)};
	struct event second[1] = {entry("lobby", anna, "anna", 7)};
	struct found *f = &m.found;

	ck_assert_int_eq(model_search(&m, lobby, false, "word"), 0);
	ck_assert(f->open && f->asking);
	ck_assert_int_eq(f->where, SEARCH_ROOM);
	ck_assert_str_eq(f->room, "lobby");
	model_searched(&m, 4);
	found(3, first, 2, true); /* of another search */
	ck_assert_uint_eq(f->count, 0);
	found(4, first, 2, true);
	ck_assert_uint_eq(f->count, 2);
	ck_assert_uint_eq(f->before, 80);
	ck_assert_ptr_null(strchr(f->lines[0].line.text, '\x1b'));
	ck_assert(!f->asking);
	model_choose(&m, 1);
	ck_assert(f->asking); /* the end is near */
	model_searched(&m, 5);
	model_choose(&m, 0);
	ck_assert(!f->asking); /* once */
	found(5, second, 1, false);
	model_choose(&m, 100);
	ck_assert_uint_eq(f->chosen, 2);
	ck_assert(!f->asking);
	struct buffer *b = model_go_to_found(&m);
	ck_assert_ptr_eq(b, lobby);
	ck_assert_int_eq(b->asking.aim, PAGE_PLACE);
	ck_assert_uint_eq(b->asking.value, 6);
}
END_TEST

START_TEST(everywhere)
{
	struct event entries[3] = {entry("lobby", anna, "anna", 9), entry("dev", anna, "anna", 8),
		entry("", boris, "boris", 7)};

	ck_assert_int_eq(model_search(&m, lobby, true, "word"), 0);
	ck_assert_int_eq(m.found.where, SEARCH_EVERYWHERE);
	model_searched(&m, 1);
	found(1, entries, 3, false);
	ck_assert_uint_eq(m.found.count, 3);
	model_choose(&m, 1);
	ck_assert_str_eq(model_go_to_found(&m)->name, "dev");
	model_choose(&m, 2);
	ck_assert_ptr_eq(model_go_to_found(&m), model_direct(&m, boris, "boris"));
}
END_TEST

/* In a conversation: only what was said there, and no longer than so many pages. */
START_TEST(one_conversation)
{
	struct buffer *b = model_open_direct(&m, anna, "anna");
	struct event others[1] = {entry("", boris, "boris", 70)};
	struct event hers[2] = {entry("", boris, "boris", 60), entry("", anna, "anna", 50)};
	unsigned pages = 0;

	ck_assert_int_eq(model_search(&m, b, false, "word"), 0);
	ck_assert_int_eq(m.found.where, SEARCH_INBOX);
	model_searched(&m, 1);
	found(1, others, 1, true);
	ck_assert(m.found.asking);
	model_searched(&m, 2);
	found(2, hers, 2, true);
	ck_assert_uint_eq(m.found.count, 1);
	ck_assert(!m.found.asking);
	model_choose(&m, 0);
	for (uint32_t request = 3; m.found.asking; request++, pages++) {
		model_searched(&m, request);
		found(request, others, 1, true);
	}
	ck_assert_uint_eq(pages, 10);
}
END_TEST

START_TEST(failures)
{
	ck_assert_int_eq(model_search(&m, m.buffers[0], false, "word"), 0);
	ck_assert_int_eq(m.found.where, SEARCH_EVERYWHERE);
	ck_assert_ptr_null(model_go_to_found(&m));
	model_searched(&m, 6);
	apply((struct event){.type = EVENT_ERROR, .number = 6, .text = (char *)"too\x07slow"});
	ck_assert_ptr_nonnull(strstr(m.found.trouble, "slow"));
	ck_assert_ptr_null(strchr(m.found.trouble, '\x07'));
	ck_assert_int_eq(model_search(&m, lobby, false, "again"), 0);
	ck_assert_ptr_null(m.found.trouble);
	model_search_failed(&m, "there is no connection");
	ck_assert(!m.found.asking);
	ck_assert_int_eq(model_ignore(&m, anna, "anna"), 0);
	ck_assert_int_eq(model_search(&m, lobby, false, "word"), 0);
	struct event ignored[1] = {entry("lobby", anna, "anna", 9)};
	model_searched(&m, 7);
	found(7, ignored, 1, false);
	ck_assert_uint_eq(m.found.count, 0);
	apply((struct event){.type = EVENT_LOG_CHANGED});
	ck_assert_ptr_nonnull(strstr(m.found.trouble, "another one"));
	ck_assert_ptr_null(model_go_to_found(&m));
}
END_TEST

Suite *model_found_suite(void)
{
	Suite *s = suite_create("model_found");
	TCase *t = tcase_create("search");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, found_in_pages);
	tcase_add_test(t, everywhere);
	tcase_add_test(t, one_conversation);
	tcase_add_test(t, failures);
	suite_add_tcase(s, t);
	return s;
}
