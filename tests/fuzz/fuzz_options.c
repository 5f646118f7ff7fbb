/*
 * A config file, read by the real tables of both programs: what is accepted is
 * within its bounds, and, written down again, is the same; what is not is
 * complained of in one clean line.
 *
 * Input: a byte that chooses the table, then the file.
 *
 * About: common/options.c common/options_file.c server/settings.c client/client_options.c
 */
#include "common/options.h"

#include "client/client_options.h"
#include "common/err.h"
#include "common/utf8.h"
#include "server/settings.h"
#include "tests/fuzz/require.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

union any_settings {
	struct settings server;
	struct client_settings client;
};

static const void *field_of(const union any_settings *s, const struct option_spec *row)
{
	return (const char *)s + row->offset;
}

/* A file that is in memory, under a name by which it can be opened. */
static int make_file(const void *bytes, size_t size, char path[32])
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void check_complaint(const char *error, const char *path)
{
	size_t length = strlen(error);

	REQUIRE(length > strlen(path) && strncmp(error, path, strlen(path)) == 0);
	REQUIRE(utf8_is_line(error, length));
}

static void check_bounds(const struct option_spec *row, const void *field)
{
	long number;
	int index;

	if (row->kind == OPTION_NUMBER) {
		memcpy(&number, field, sizeof(number));
		/* What nobody gave may be a mark of its own. */
		bool given = number != CLIENT_NOT_GIVEN && !(row->off && number == -1);
		REQUIRE(!given || (number >= row->least && number <= row->most));
	} else if (row->kind == OPTION_CHOICE) {
		memcpy(&index, field, sizeof(index));
		for (int i = 0; i <= index; i++)
			REQUIRE(row->choices[i]);
	}
}

/* ---- writing it down again ---- */

static void put_quoted(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s = \"", name);
	for (; *text; text++)
		fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	fputs("\" # as it was\n", out);
}

static void put_number(FILE *out, const struct option_spec *row, long number)
{
	if (row->off && number == -1)
		fprintf(out, "%s off\n", row->name);
	else if (number >= row->least)
		fprintf(out, "%s=%ld\n", row->name, number);
}

static void put_row(FILE *out, const struct option_spec *row, const void *field)
{
	const struct option_list *list = field;
	const char *text;
	long number;
	int index;

	switch (row->kind) {
	case OPTION_FLAG:
		fprintf(out, "%s %s\n", row->name, *(const bool *)field ? "yes" : "no");
		break;
	case OPTION_TEXT:
		memcpy(&text, field, sizeof(text));
		if (text)
			put_quoted(out, row->name, text);
		break;
	case OPTION_NUMBER:
		memcpy(&number, field, sizeof(number));
		put_number(out, row, number);
		break;
	case OPTION_LIST:
		for (size_t i = 0; i < list->count; i++)
			put_quoted(out, row->name, list->items[i]);
		break;
	case OPTION_CHOICE:
		memcpy(&index, field, sizeof(index));
		fprintf(out, "%s %s\n", row->name, row->choices[index]);
		break;
	}
}

static char *put_all(const struct option_table *t, const union any_settings *s, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	REQUIRE(out);
	for (size_t i = 0; i < t->count; i++) {
		if (t->rows[i].file)
			put_row(out, &t->rows[i], field_of(s, &t->rows[i]));
	}
	REQUIRE(fclose(out) == 0);
	return text;
}

static void check_round_trip(const struct option_table *t, const union any_settings *s)
{
	union any_settings again = {0};
	char error[512] = "", path[32];
	size_t length, length_again;
	char *text = put_all(t, s, &length);
	int fd = make_file(text, length, path);

	REQUIRE(options_init(t, &again) == 0);
	REQUIRE(options_read(t, &again, path, error, sizeof(error)) == 0);
	char *text_again = put_all(t, &again, &length_again);
	REQUIRE(length == length_again && memcmp(text, text_again, length) == 0);
	options_fini(t, &again);
	free(text_again);
	free(text);
	close(fd);
}

static void check_file(const struct option_table *t, const char *path)
{
	union any_settings s = {0};
	char error[512] = "";

	REQUIRE(options_init(t, &s) == 0);
	int r = options_read(t, &s, path, error, sizeof(error));
	REQUIRE(r == 0 || r == ERR_ARGUMENT);
	if (r)
		check_complaint(error, path);
	for (size_t i = 0; i < t->count; i++)
		check_bounds(&t->rows[i], field_of(&s, &t->rows[i]));
	if (r == 0)
		check_round_trip(t, &s);
	PLANTED(r == 0 && t == settings_table() && s.server.name &&
		says_bugs(s.server.name, strlen(s.server.name)));
	options_fini(t, &s);
}

/* The client's own reading of it, which also looks whether what is said goes together. */
static void check_client(char *path)
{
	char *argv[] = {(char *)"lanchat", (char *)"--config", path, NULL};
	struct client_settings s;
	char error[512];

	int r = client_options_load(&s, 3, argv, error, sizeof(error));
	REQUIRE(r == 0 || r == ERR_ARGUMENT);
	if (r)
		REQUIRE(error[0] && utf8_is_line(error, strlen(error)));
	else
		client_options_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32];

	if (size < 1)
		return 0;
	bool client = data[0] & 1;
	int fd = make_file(data + 1, size - 1, path);
	check_file(client ? &client_option_table : settings_table(), path);
	if (client)
		check_client(path);
	close(fd);
	return 0;
}
