/*
 * What was said before: pages, searches, places, read positions; and an engine that
 * cannot read.
 */
#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/session_client.h"

#include <check.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct chat *chat;
static struct client anna;

/* ---- an engine whose reading can be made to fail ---- */

static const struct engine_class *working;
static struct engine_class class;
static atomic_int failure; /* what reading returns; 0: it works */
static atomic_bool hold;   /* a search tells that it has begun, and waits until it may go on */
static sem_t begun, go_on;
static atomic_uint searched;
static _Atomic int64_t had; /* by the one who searched last */

static int may_range(struct engine *e, const struct stream_key *key, uint64_t after, uint64_t upto,
	engine_reader *reader, void *context, uint64_t *pruned)
{
	int r = atomic_load(&failure);

	return r ? r : working->range(e, key, after, upto, reader, context, pruned);
}

static int may_search(
	struct engine *e, const struct search *what, engine_reader *reader, void *context)
{
	int r = atomic_load(&failure);

	atomic_fetch_add(&searched, 1);
	atomic_store(&had, what->had);
	if (atomic_load(&hold)) {
		sem_post(&begun);
		while (sem_wait(&go_on) != 0)
			;
	}
	return r ? r : working->search(e, what, reader, context);
}

static int may_rooms(struct engine *e, const struct stream_key *after, bool all, uint32_t limit,
	engine_room_reader *reader, void *context)
{
	int r = atomic_load(&failure);

	return r ? r : working->rooms(e, after, all, limit, reader, context);
}

static int may_room(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	int r = atomic_load(&failure);

	return r ? r : working->room(e, key, out);
}

static int may_person(
	struct engine *e, const char *folded, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	int r = atomic_load(&failure);

	return r ? r : working->person(e, folded, person, nick);
}

/* Before there are sessions. */
static void wrap_engine(struct engine *e)
{
	working = e->class;
	class = *working;
	class.range = may_range;
	class.search = may_search;
	class.rooms = may_rooms;
	class.room = may_room;
	class.person = may_person;
	e->class = &class;
}

/* ---- what the tests have in common ---- */

static void setup(void)
{
	chat = client_chat();
	wrap_engine(chat_engine(chat));
	client_open(&anna, chat);
	client_log_in(&anna, 1, "anna");
	client_join(&anna, "Lobby");
}

static void teardown(void)
{
	client_close(&anna);
	chat_stop(chat);
}

/* Say so many messages: "word 1", "word 2"... Their numbers are 1, 2... */
static void say_words(uint64_t count)
{
	char text[32];

	for (uint64_t i = 1; i <= count; i++) {
		snprintf(text, sizeof(text), "word %u", (unsigned)i);
		client_say(&anna, i, "lobby", text);
		client_expect_ack(&anna, i, false);
	}
}

/* All that was asked has been acted on. */
static void settle(void)
{
	struct msg_ping ping = {.token = 1};

	client_ask(&anna, MESSAGE_PING, &ping);
	client_await(&anna, MESSAGE_PONG);
}

/* The list has entries with the numbers `first`, `first` + `step`... and no others. */
static void expect_entries(struct list list, uint64_t first, int step, unsigned count)
{
	struct item_entry entry;
	char text[32];

	ck_assert_uint_eq(list.count, count);
	while (message_list_next(&list, ITEM_ENTRY, &entry)) {
		ck_assert_uint_eq(entry.seq, first);
		ck_assert_uint_eq(entry.prev, first - 1);
		ck_assert_uint_eq(entry.counter, first);
		ck_assert(span_equal(entry.room, "Lobby"));
		ck_assert(span_equal(entry.nick, "anna"));
		ck_assert_uint_eq(entry.to_nick.length, 0);
		snprintf(text, sizeof(text), "word %u", (unsigned)first);
		ck_assert(span_equal(entry.text, text));
		first += (uint64_t)step;
	}
}

/* ---- pages ---- */

static const struct {
	enum history_from from;
	uint64_t value;
	uint16_t limit;
	uint64_t first;
	unsigned count;
	bool more;
} pages[] = {
	{HISTORY_BEFORE, 0, 3, 208, 3, true},
	{HISTORY_BEFORE, 0, 0, 11, 200, true},
	{HISTORY_BEFORE, 0, 201, 11, 200, true},
	{HISTORY_BEFORE, 0, UINT16_MAX, 11, 200, true},
	{HISTORY_BEFORE, UINT64_MAX, 1, 210, 1, true},
	{HISTORY_BEFORE, 11, 10, 1, 10, false},
	{HISTORY_BEFORE, 11, 9, 2, 9, true},
	{HISTORY_BEFORE, 11, 11, 1, 10, false},
	{HISTORY_BEFORE, 1, 5, 0, 0, false},
	{HISTORY_AFTER, 0, 3, 1, 3, true},
	{HISTORY_AFTER, 0, UINT16_MAX, 1, 200, true},
	{HISTORY_AFTER, 200, 10, 201, 10, false},
	{HISTORY_AFTER, 200, 9, 201, 9, true},
	{HISTORY_AFTER, 210, 9, 0, 0, false},
	{HISTORY_AFTER, UINT64_MAX, 9, 0, 0, false},
	{HISTORY_SINCE, 0, 2, 1, 2, true},
	{HISTORY_SINCE, UINT64_MAX, 2, 0, 0, false},
};

START_TEST(pages_of_a_room)
{
	say_words(210);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct msg_history m = {.tag = (uint32_t)i + 1,
			.room = span_of("LOBBY"),
			.from = (uint8_t)pages[i].from,
			.value = pages[i].value,
			.limit = pages[i].limit};
		client_ask(&anna, MESSAGE_HISTORY, &m);
		struct msg_history_page page =
			client_await(&anna, MESSAGE_HISTORY_PAGE).history_page;
		ck_assert_uint_eq(page.tag, m.tag);
		ck_assert(span_equal(page.room, "Lobby"));
		ck_assert_uint_eq(page.more, pages[i].more);
		ck_assert_uint_eq(page.pruned, 0);
		expect_entries(page.entries, pages[i].first, 1, pages[i].count);
	}
}
END_TEST

/* Pages of the longest messages are cut at the far end, and nothing is left out between them. */
START_TEST(pages_that_are_cut)
{
	char text[TEXT_MAX + 1];
	struct msg_history m = {.tag = 1, .room = span_of("Lobby")};
	struct item_entry entry;
	uint64_t expected = 40;

	memset(text, 'x', TEXT_MAX);
	text[TEXT_MAX] = '\0';
	for (uint64_t i = 1; i <= 40; i++) {
		client_say(&anna, i, "lobby", text);
		client_expect_ack(&anna, i, false);
	}
	for (bool more = true; more;) {
		client_ask(&anna, MESSAGE_HISTORY, &m);
		struct msg_history_page page =
			client_await(&anna, MESSAGE_HISTORY_PAGE).history_page;
		ck_assert_uint_gt(page.entries.count, 0);
		ck_assert_uint_le(page.entries.length, SESSION_LIST_BYTES);
		uint64_t seq = expected - page.entries.count;
		expected = m.value = seq + 1;
		while (message_list_next(&page.entries, ITEM_ENTRY, &entry))
			ck_assert_uint_eq(entry.seq, ++seq);
		expected--;
		more = page.more;
	}
	ck_assert_uint_eq(expected, 0);
}
END_TEST

START_TEST(pages_of_the_inbox)
{
	struct client boris;
	struct msg_direct direct = {.counter = 1, .nick = span_of("anna"), .text = span_of("psst")};
	struct msg_history m = {.tag = 1};
	struct item_entry entry;

	say_words(1);
	client_open(&boris, chat);
	client_log_in(&boris, 2, "boris");
	client_ask(&boris, MESSAGE_DIRECT, &direct);
	client_expect_ack(&boris, 1, false);
	client_ask(&anna, MESSAGE_HISTORY, &m);
	struct msg_history_page page = client_await(&anna, MESSAGE_HISTORY_PAGE).history_page;
	ck_assert_uint_eq(page.entries.count, 1);
	ck_assert_uint_eq(page.room.length, 0);
	ck_assert(message_list_next(&page.entries, ITEM_ENTRY, &entry));
	ck_assert(span_equal(entry.nick, "boris") && span_equal(entry.to_nick, "anna"));
	ck_assert_uint_eq(entry.to[0], 1);
	ck_assert_uint_eq(entry.room.length, 0);
	ck_assert_uint_eq(entry.seq, 2);
	ck_assert_uint_eq(entry.prev, 0);
	client_close(&boris);
}
END_TEST

/* ---- searching ---- */

static const struct {
	enum search_where where;
	const char *room, *words;
	uint64_t before;
	uint16_t limit;
	uint64_t first;
	unsigned count;
	bool more;
} searches[] = {
	{SEARCH_ROOM, "lobby", "WORD", 0, 3, 30, 3, true},
	{SEARCH_ROOM, "lobby", "wo", 0, 30, 30, 30, false},
	{SEARCH_ROOM, "lobby", "wo ", 0, 30, 0, 0, false},
	{SEARCH_ROOM, "lobby", "word", 0, 29, 30, 29, true},
	{SEARCH_ROOM, "lobby", "word", 4, 0, 3, 3, false},
	{SEARCH_ROOM, "lobby", "word", 1, 0, 0, 0, false},
	{SEARCH_ROOM, "lobby", "word", UINT64_MAX, UINT16_MAX, 30, 30, false},
	{SEARCH_ROOM, "lobby", "\"word 17\"", 0, 0, 17, 1, false},
	{SEARCH_ROOM, "nowhere", "word", 0, 0, 0, 0, false},
	{SEARCH_INBOX, "lobby", "word", 0, 0, 0, 0, false},
	{SEARCH_EVERYWHERE, "", "word", 0, 2, 30, 2, true},
};

START_TEST(searches_for_words)
{
	say_words(30);
	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		struct msg_search m = {.tag = (uint32_t)i + 1,
			.where = (uint8_t)searches[i].where,
			.room = span_of(searches[i].room),
			.before = searches[i].before,
			.limit = searches[i].limit,
			.words = span_of(searches[i].words)};
		client_ask(&anna, MESSAGE_SEARCH, &m);
		struct msg_found found = client_await(&anna, MESSAGE_FOUND).found;
		ck_assert_uint_eq(found.tag, m.tag);
		ck_assert_uint_eq(found.more, searches[i].more);
		expect_entries(found.entries, searches[i].first, -1, searches[i].count);
	}
}
END_TEST

/* What somebody had asked for who is gone by then is not looked for. */
START_TEST(searches_of_one_who_is_gone)
{
	struct client boris;
	struct msg_search m = {.where = SEARCH_EVERYWHERE, .words = span_of("word")};
	uint8_t bytes[4096];
	size_t length = 0;

	ck_assert_int_eq(sem_init(&begun, 0, 0), 0);
	ck_assert_int_eq(sem_init(&go_on, 0, 0), 0);
	client_open(&boris, chat);
	client_log_in(&boris, 2, "boris");
	budget_init(&boris.session->budget, 1, 5000, clock_ms());
	for (int i = 0; i < 20; i++) {
		size_t used;
		ck_assert_int_eq(message_encode(MESSAGE_SEARCH, &m, bytes + length,
					 sizeof(bytes) - length, &used),
			0);
		length += used;
	}
	atomic_store(&searched, 0);
	atomic_store(&hold, true);
	ck_assert_int_eq(peer_send_bytes(&boris.peer, bytes, length), 0);
	while (sem_wait(&begun) != 0)
		;
	ck_assert_int_eq(shutdown(boris.peer.fd, SHUT_RDWR), 0);
	atomic_store(&hold, false);
	sem_post(&go_on);
	peer_close(&boris.peer);
	ck_assert_int_eq(pthread_join(boris.thread, NULL), 0);
	/* The answer of the first tells that nobody takes it; of the others none is even begun, or paid for. */
	ck_assert_uint_eq(atomic_load(&searched), 1);
	ck_assert_int_gt(boris.session->budget.tokens, INT64_C(1000) * (5000 - 3 * 50));
	session_free(boris.session);
}
END_TEST

static atomic_int going_on; /* searches of the address */
static _Atomic int64_t took;

static bool count_search(void *context, enum session_share what, bool in, int64_t *ms)
{
	(void)context;
	if (what != SESSION_SEARCH)
		return true;
	atomic_fetch_add(&going_on, in ? 1 : -1);
	if (in)
		*ms = 1234;
	else
		atomic_store(&took, *ms);
	return true;
}

/* Whoever orders searches is told how long the address searched before; and after it, how long it did. */
START_TEST(how_long_one_searched)
{
	struct msg_search m = {.tag = 7, .where = SEARCH_EVERYWHERE, .words = span_of("word")};
	int64_t before = clock_ms();

	say_words(3);
	session_on_share(anna.session, count_search, NULL);
	atomic_store(&took, -1);
	client_ask(&anna, MESSAGE_SEARCH, &m);
	ck_assert_uint_eq(client_await(&anna, MESSAGE_FOUND).found.tag, 7);
	ck_assert_int_eq(atomic_load(&had), 1234);
	ck_assert_int_eq(atomic_load(&going_on), 0);
	ck_assert_int_ge(atomic_load(&took), 0);
	ck_assert_int_le(atomic_load(&took), clock_ms() - before);
}
END_TEST

/* ---- what cannot be ---- */

START_TEST(questions_that_make_no_sense)
{
	struct msg_history history = {.tag = 1, .room = span_of("#a")};
	struct msg_search search = {.tag = 2, .words = span_of("x")};
	struct msg_read read = {.room = span_of("a b"), .seq = 1};

	client_ask(&anna, MESSAGE_HISTORY, &history);
	client_expect_error(&anna, 1, CODE_BAD_ROOM);
	history.room = span_of("\xff");
	client_ask(&anna, MESSAGE_HISTORY, &history);
	client_expect_error(&anna, 1, CODE_BAD_TEXT);
	history = (struct msg_history){.tag = 1, .from = HISTORY_SINCE + 1};
	client_ask(&anna, MESSAGE_HISTORY, &history);
	client_expect_error(&anna, 1, CODE_BAD_VALUE);
	client_ask(&anna, MESSAGE_SEARCH, &search); /* in a room without a name */
	client_expect_error(&anna, 2, CODE_BAD_ROOM);
	search.where = SEARCH_EVERYWHERE + 1;
	client_ask(&anna, MESSAGE_SEARCH, &search);
	client_expect_error(&anna, 2, CODE_BAD_VALUE);
	search.where = SEARCH_EVERYWHERE;
	static const char *const wordless[] = {"\"...\"", "*", "\"", " ", "\u0301"};
	for (size_t i = 0; i < sizeof(wordless) / sizeof(wordless[0]); i++) {
		search.words = span_of(wordless[i]);
		client_ask(&anna, MESSAGE_SEARCH, &search);
		struct msg_error e = client_await(&anna, MESSAGE_ERROR).error;
		ck_assert_uint_eq(e.tag, 2);
		ck_assert_uint_eq(e.code, CODE_BAD_VALUE);
		ck_assert(span_equal(e.text, "there is no word to look for in that"));
	}
	/* READ has no answer, whatever it says. */
	client_ask(&anna, MESSAGE_READ, &read);
	read.room = span_of("elsewhere");
	client_ask(&anna, MESSAGE_READ, &read);
	settle();
}
END_TEST

/* ---- an engine that cannot read ---- */

static const struct {
	int error;
	enum code searching;
} failures[] = {
	{ERR_SYSTEM, CODE_RESOURCES},
	{ERR_MEMORY, CODE_RESOURCES},
	{ERR_TIMEOUT, CODE_TIMEOUT},
};

/* Each request is refused; the session goes on. */
START_TEST(reading_that_fails)
{
	struct msg_history history = {.tag = 1, .room = span_of("lobby")};
	struct msg_search search = {.tag = 2, .where = SEARCH_EVERYWHERE, .words = span_of("x")};
	struct msg_rooms rooms = {.tag = 3};
	struct msg_join join = {.tag = 4, .room = span_of("another")};
	struct msg_direct direct = {.counter = 1, .nick = span_of("boris"), .text = span_of("hi")};

	atomic_store(&failure, failures[_i].error);
	client_ask(&anna, MESSAGE_HISTORY, &history);
	client_expect_error(&anna, 1, CODE_RESOURCES);
	history.room = span_of("another");
	client_ask(&anna, MESSAGE_HISTORY, &history);
	client_expect_error(&anna, 1, CODE_RESOURCES);
	client_ask(&anna, MESSAGE_SEARCH, &search);
	client_expect_error(&anna, 2, failures[_i].searching);
	client_ask(&anna, MESSAGE_ROOMS, &rooms);
	client_expect_error(&anna, 3, CODE_RESOURCES);
	client_ask(&anna, MESSAGE_JOIN, &join);
	client_expect_error(&anna, 4, CODE_RESOURCES);
	/* Who that is may be known in a moment: later ones wait for this one. */
	client_ask(&anna, MESSAGE_DIRECT, &direct);
	client_expect_refused(&anna, 1, CODE_RETRY);
	client_say(&anna, 2, "lobby", "later");
	client_expect_refused(&anna, 2, CODE_RETRY);
	atomic_store(&failure, 0);
	client_ask(&anna, MESSAGE_DIRECT, &direct);
	client_expect_refused(&anna, 1, CODE_NO_SUCH_PERSON);
	client_say(&anna, 2, "lobby", "later");
	client_expect_ack(&anna, 2, false);
}
END_TEST

/* ---- places ---- */

/* What a new session of person `who` is told, one PLACES after the other; returns how many. */
static unsigned places_of(int who, struct item_place *places, unsigned most)
{
	struct client c;
	struct msg_login login = client_login(who, who == 1 ? "anna" : "boris");
	struct msg_places m;
	unsigned count = 0;
	static char names[1024][ROOM_NAME_MAX + 1];

	login.instance[1] = 1; /* beside the session that there may be */
	client_open(&c, chat);
	client_hello(&c);
	client_ask(&c, MESSAGE_LOGIN, &login);
	client_expect(&c, MESSAGE_LOGGED_IN);
	do {
		struct item_place p;
		m = client_expect(&c, MESSAGE_PLACES).places;
		ck_assert(!m.more || m.places.count == LIST_MAX);
		while (message_list_next(&m.places, ITEM_PLACE, &p) && count < most) {
			snprintf(
				names[count], sizeof(names[0]), "%.*s", p.room.length, p.room.text);
			p.room = span_of(names[count]);
			places[count++] = p;
		}
	} while (m.more);
	client_expect(&c, MESSAGE_CAUGHT_UP);
	client_close(&c);
	return count;
}

START_TEST(where_one_has_been)
{
	struct item_place places[8];
	struct msg_part part = {.tag = 1, .room = span_of("other")};
	struct msg_read read = {.room = span_of("lobby"), .seq = 2};

	say_words(3);
	client_join(&anna, "other");
	client_ask(&anna, MESSAGE_PART, &part);
	client_await(&anna, MESSAGE_PARTED);
	client_ask(&anna, MESSAGE_READ, &read);
	read.seq = 1; /* it never falls */
	client_ask(&anna, MESSAGE_READ, &read);
	settle();
	unsigned count = places_of(1, places, 8);
	ck_assert_uint_ge(count, 1);
	for (unsigned i = 0; i < count; i++) {
		bool lobby = span_equal(places[i].room, "Lobby");
		ck_assert_uint_eq(places[i].member, lobby);
		ck_assert_uint_eq(places[i].read, lobby ? 2 : 0);
	}
	/* A number above the last counts as the last. */
	read.seq = UINT64_MAX;
	client_ask(&anna, MESSAGE_READ, &read);
	settle();
	places_of(1, places, 8);
	for (unsigned i = 0; i < count; i++)
		ck_assert(places[i].read == 3 || !span_equal(places[i].room, "Lobby"));
	ck_assert_uint_eq(places_of(2, places, 8), 0);
}
END_TEST

START_TEST(many_places)
{
	static struct item_place places[512];
	char name[16];
	unsigned seen = 0;

	for (unsigned i = 0; i < 450; i++) {
		struct note note = {.kind = NOTE_JOINED, .person = anna.session->person};
		struct stream_key key;
		snprintf(name, sizeof(name), "room%03u", i);
		ck_assert_int_eq(stream_key_room(name, strlen(name), &key), 0);
		note.stream = &key;
		note.name = span_of(name);
		ck_assert_int_eq(engine_note(chat_engine(chat), &note), 0);
	}
	unsigned count = places_of(1, places, 512);
	for (unsigned i = 0; i < count; i++)
		seen += strncmp(places[i].room.text, "room", 4) == 0 && places[i].member == 1;
	ck_assert_uint_eq(seen, 450);
}
END_TEST

Suite *session_history_suite(void)
{
	Suite *s = suite_create("session_history");
	TCase *c = tcase_create("session_history");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, pages_of_a_room);
	tcase_add_test(c, pages_that_are_cut);
	tcase_add_test(c, pages_of_the_inbox);
	tcase_add_test(c, searches_for_words);
	tcase_add_test(c, searches_of_one_who_is_gone);
	tcase_add_test(c, how_long_one_searched);
	tcase_add_test(c, questions_that_make_no_sense);
	tcase_add_loop_test(c, reading_that_fails, 0, sizeof(failures) / sizeof(failures[0]));
	tcase_add_test(c, where_one_has_been);
	tcase_add_test(c, many_places);
	suite_add_tcase(s, c);
	return s;
}
