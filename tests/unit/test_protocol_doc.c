/*
 * docs/PROTOCOL.md against the tables that the programs are made from.
 *
 * Every message and item stands there with its number, sender, phase and fields,
 * in the order of the table and with the same kinds and bounds, every code with
 * its number and name, and nothing else. The test vectors that it shows are those
 * of tests/vectors/messages.txt; its beacons mean what it says.
 */
#include "common/beacon.h"
#include "common/message.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT  "docs/PROTOCOL.md"
#define VECTORS   "tests/vectors/messages.txt"
#define DATAGRAMS "tests/vectors/lane.txt"

/* ---- reading ---- */

/* The whole file, terminated; free it. */
static char *read_file(const char *name)
{
	FILE *in = fopen(name, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_msg(in, "cannot open %s; run the tests in the project's folder", name);
	ck_assert_int_gt(getdelim(&text, &size, '\0', in), 0);
	fclose(in);
	return text;
}

/* The next line of a text, cut out of it; NULL at its end. */
static char *next_line(char **text)
{
	char *line = strsep(text, "\n");

	return *text ? line : NULL;
}

/* Split "| a | b |" into cells without the blanks and backquotes around them; returns how many. */
static size_t split_row(char *line, char **cells, size_t most)
{
	size_t count = 0;
	char *cell;

	if (*line++ != '|')
		return 0;
	while (count < most && (cell = strsep(&line, "|")) != NULL && line) {
		cell += strspn(cell, " `");
		size_t length = strlen(cell);
		while (length > 0 && strchr(" `", cell[length - 1]))
			length--;
		cell[length] = '\0';
		cells[count++] = cell;
	}
	return count;
}

static bool is_heading_row(char *const *cells, const char *first)
{
	return strcmp(cells[0], first) == 0 || strncmp(cells[0], "---", 3) == 0;
}

/* ---- what the tables say ---- */

static const char *const item_names[] = {
#define ITEM(NAME, name, fields) #NAME,
#include "common/messages.def"
};

static void print_field(FILE *out, const struct field_spec *f)
{
	static const char *const kinds[] = {
		[FIELD_U8] = "u8",
		[FIELD_U16] = "u16",
		[FIELD_U32] = "u32",
		[FIELD_U64] = "u64",
		[FIELD_ID16] = "id16",
		[FIELD_ID32] = "id32",
		[FIELD_NAME] = "name",
		[FIELD_LINE] = "line",
		[FIELD_BLOCK] = "block",
		[FIELD_LIST] = "list of ",
	};

	fprintf(out, "  %s: %s%s", f->name, kinds[f->kind],
		f->kind == FIELD_LIST ? item_names[f->item] : "");
	if (f->kind >= FIELD_NAME)
		fprintf(out, " %u..%u", f->least, f->most);
	fputc('\n', out);
}

static void print_fields(FILE *out, const struct field_spec *specs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_field(out, &specs[i]);
}

static char *expected_messages(void)
{
	static const char *const senders[] = {
		[SENDER_CLIENT] = "client", [SENDER_SERVER] = "server", [SENDER_BOTH] = "both"};
	static const char *const phases[] = {[PHASE_OPENING] = "opening",
		[PHASE_CHATTING] = "chatting",
		[PHASE_ALWAYS] = "always",
		[PHASE_LANE] = "lane",
		[PHASE_EITHER] = "either"};
	char *text;
	size_t size, count, fields;
	const struct message_spec *rows = message_table(&count);
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s (0x%04x)\n  Sender: %s. Phase: %s.\n", rows[i].name,
			rows[i].number, senders[rows[i].sender], phases[rows[i].phase]);
		const struct field_spec *specs = rows[i].fields(&fields);
		print_fields(out, specs, fields);
	}
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static char *expected_items(void)
{
	char *text;
	size_t size, fields;
	FILE *out = open_memstream(&text, &size);

	for (enum item_kind kind = 0; kind < ITEM_KINDS; kind++) {
		const struct field_spec *specs = item_fields(kind, &fields);
		fprintf(out, "Item %s\n", item_names[kind]);
		print_fields(out, specs, fields);
	}
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* ---- what the document says ---- */

/* Which headings a section of the document is for. */
enum chapter {
	CHAPTER_OTHER,
	CHAPTER_MESSAGE,
	CHAPTER_ITEM,
};

static enum chapter chapter_of(const char *heading)
{
	if (strncmp(heading, "### Item ", 9) == 0)
		return CHAPTER_ITEM;
	return strstr(heading, " (0x") ? CHAPTER_MESSAGE : CHAPTER_OTHER;
}

static void print_row(FILE *out, char *line)
{
	char *cells[4];

	if (split_row(line, cells, 4) != 4)
		ck_abort_msg("a row of fields has four cells: \"%s\"", line);
	if (!is_heading_row(cells, "field"))
		fprintf(out, "  %s: %s%s%s\n", cells[0], cells[1], *cells[2] ? " " : "", cells[2]);
}

/* The chapters of one kind, in the form of expected_messages. */
static char *documented(enum chapter wanted)
{
	char *document = read_file(DOCUMENT), *rest = document, *text, *line;
	enum chapter chapter = CHAPTER_OTHER;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	while ((line = next_line(&rest)) != NULL) {
		if (*line == '#') {
			chapter = chapter_of(line);
			if (chapter == wanted)
				fprintf(out, "%s\n", line + 4);
		} else if (chapter == wanted && *line == '|') {
			print_row(out, line);
		} else if (chapter == wanted && strncmp(line, "Sender: ", 8) == 0) {
			fprintf(out, "  %s\n", line);
		}
	}
	ck_assert_int_eq(fclose(out), 0);
	free(document);
	return text;
}

/* Line by line, so that a failure shows the line that differs and not the whole. */
static void compare(char *wanted, char *found)
{
	char *w = wanted, *f = found, *where = wanted;

	for (;;) {
		char *a = next_line(&w), *b = next_line(&f);
		if (a && *a != ' ')
			where = a;
		ck_assert_msg(a || !b, "%s has more than the table: %s", DOCUMENT, b);
		ck_assert_msg(b || !a, "%s lacks, in %s: %s", DOCUMENT, where, a);
		if (!a)
			break;
		ck_assert_msg(strcmp(a, b) == 0,
			"%s differs from the table in %s:\n  table:    %s\n  document: %s",
			DOCUMENT, where, a, b);
	}
	free(wanted);
	free(found);
}

START_TEST(messages_are_documented)
{
	compare(expected_messages(), documented(CHAPTER_MESSAGE));
}
END_TEST

START_TEST(items_are_documented)
{
	compare(expected_items(), documented(CHAPTER_ITEM));
}
END_TEST

/* ---- codes ---- */

static char *documented_codes(void)
{
	char *document = read_file(DOCUMENT), *text, *line, *cells[3];
	char *rest = strstr(document, "\n## 11. Codes\n");
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_msg(rest, "%s has no section 11", DOCUMENT);
	rest++;
	next_line(&rest);
	while ((line = next_line(&rest)) != NULL && *line != '#') {
		if (split_row(line, cells, 3) == 3 && !is_heading_row(cells, "number"))
			fprintf(out, "%s %s\n", cells[0], cells[1]);
	}
	ck_assert_int_eq(fclose(out), 0);
	free(document);
	return text;
}

START_TEST(codes_are_documented)
{
	static const char codes[] =
#define CODE(number, NAME, text) #number " " #NAME "\n"
#include "common/codes.def"
#undef CODE
		;
	char *wanted = strdup(codes);

	ck_assert_ptr_nonnull(wanted);
	compare(wanted, documented_codes());
}
END_TEST

/* ---- vectors ---- */

/* Add what one line of a vector stands for to `hex`: hex digits in groups, or "N bytes of zeros".
 * False: it is something else. */
static bool add_vector_line(FILE *hex, char *line)
{
	char *word;

	while ((word = strsep(&line, " ")) != NULL) {
		char *end;
		if (strcmp(word, "and") == 0 && line) {
			long zeros = strtol(line, &end, 10);
			if (strcmp(end, " bytes of zeros") != 0)
				return false;
			for (long i = 0; i < zeros; i++)
				fputs("00", hex);
			return true;
		}
		if (word[strspn(word, "0123456789abcdef")] != '\0')
			return false;
		fputs(word, hex);
	}
	return true;
}

/* One vector of section 14: its indented lines, taken off `*rest`; NULL when there is none left. */
static char *next_vector(char **rest)
{
	char *text, *line;
	size_t size;
	FILE *hex = open_memstream(&text, &size);

	while ((line = next_line(rest)) != NULL && strncmp(line, "## ", 3) != 0) {
		bool inside = strncmp(line, "    ", 4) == 0;
		if (inside)
			ck_assert_msg(add_vector_line(hex, line + 4), "not a vector: %s", line);
		else if (ftell(hex) > 0)
			break;
	}
	ck_assert_int_eq(fclose(hex), 0);
	if (*text)
		return text;
	free(text);
	return NULL;
}

/* The answer's proof is the commitment to the secret that the document names: 0, 1, 2 ... */
static void check_answer(const struct beacon *b)
{
	uint8_t secret[BEACON_SECRET];

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	ck_assert(beacon_opens(secret, b->proof));
	ck_assert_uint_eq(b->lifetime_ms, BEACON_LIFETIME_MS);
}

/* A query comes first, then the answer to it. */
static void check_beacon(const char *hex, size_t *beacons)
{
	uint8_t packet[BEACON_SIZE], again[BEACON_SIZE];
	struct beacon b;

	ck_assert_uint_eq(strlen(hex), 2 * sizeof(packet));
	for (size_t i = 0; i < sizeof(packet); i++) {
		char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};
		packet[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	ck_assert_int_eq(beacon_decode(packet, sizeof(packet), &b), 0);
	ck_assert_int_eq(b.type, *beacons == 0 ? BEACON_QUERY : BEACON_ANSWER);
	beacon_encode(&b, again);
	ck_assert_mem_eq(again, packet, sizeof(packet));
	if (b.type == BEACON_ANSWER)
		check_answer(&b);
	(*beacons)++;
}

START_TEST(datagrams_are_those_of_the_file)
{
	char *document = read_file(DOCUMENT), *vectors = read_file(DATAGRAMS), *hex;
	char *rest = strstr(document, "\n### 17.4 Vectors\n");
	size_t count = 0;

	ck_assert_msg(rest, "%s has no section 17.4", DOCUMENT);
	rest++;
	next_line(&rest);
	while ((hex = next_vector(&rest)) != NULL) {
		char line[1024];
		snprintf(line, sizeof(line), "\ndatagram %s\n", hex);
		ck_assert_msg(strstr(vectors, line), "%s lacks %s", DATAGRAMS, hex);
		free(hex);
		count++;
	}
	ck_assert_uint_eq(count, 4);
	free(document);
	free(vectors);
}
END_TEST

START_TEST(vectors_are_those_of_the_file)
{
	char *document = read_file(DOCUMENT), *vectors = read_file(VECTORS), *hex;
	char *rest = strstr(document, "\n## 14. Test vectors\n");
	size_t frames = 0, beacons = 0;

	ck_assert_msg(rest, "%s has no section 14", DOCUMENT);
	rest++;
	next_line(&rest);
	while ((hex = next_vector(&rest)) != NULL) {
		if (strncmp(hex, "4c434231", 8) == 0) {
			check_beacon(hex, &beacons);
		} else {
			char line[1024];
			snprintf(line, sizeof(line), "\nframe %s\n", hex);
			ck_assert_msg(strstr(vectors, line), "%s lacks %s", VECTORS, hex);
			frames++;
		}
		free(hex);
	}
	ck_assert_uint_ge(frames, 6);
	ck_assert_uint_eq(beacons, 2);
	free(document);
	free(vectors);
}
END_TEST

Suite *protocol_doc_suite(void)
{
	Suite *s = suite_create("protocol_doc");
	TCase *tables = tcase_create("tables");

	tcase_add_test(tables, messages_are_documented);
	tcase_add_test(tables, items_are_documented);
	tcase_add_test(tables, codes_are_documented);
	tcase_add_test(tables, datagrams_are_those_of_the_file);
	tcase_add_test(tables, vectors_are_those_of_the_file);
	suite_add_tcase(s, tables);
	return s;
}
