#include "common/log.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/json.h"
#include "common/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A record before and after escaping. Small, because connection threads have small stacks. */
#define TEXT_SIZE 1024
#define LINE_SIZE 2048

static const char *const names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
#define LEVELS (sizeof(names) / sizeof(names[0]))

/* The sink. `chosen` says whether log_set_file was called, for stderr is no constant expression. */
static _Atomic(FILE *) sink;
static atomic_bool chosen;
static atomic_int threshold = LOG_LEVEL_INFO;
static atomic_int shape = LOG_TEXT; /* enum log_format */

void log_set_file(FILE *f)
{
	atomic_store(&sink, f);
	atomic_store(&chosen, true);
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

void log_set_format(enum log_format format)
{
	atomic_store_explicit(&shape, (int)format, memory_order_relaxed);
}

static bool is_json(void)
{
	return atomic_load_explicit(&shape, memory_order_relaxed) == LOG_JSON;
}

int log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return ERR_ARGUMENT;
}

/* ---- escaping ---- */

/* The escape for one byte, of at most four characters; returns its length. */
static size_t escape_byte(unsigned char c, char out[4])
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[][2] = {{'\n', 'n'}, {'\t', 't'}, {'\r', 'r'}, {'\\', '\\'}};

	out[0] = '\\';
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (c == (unsigned char)letters[i][0]) {
			out[1] = letters[i][1];
			return 2;
		}
	}
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

char *log_escape(const char *text, size_t length, char *out, size_t size)
{
	size_t used = 0;

	if (size == 0)
		return out;
	for (size_t i = 0; i < length;) {
		char escape[4];
		const char *piece = text + i;
		uint32_t c;
		size_t taken = utf8_decode(text + i, length - i, &c);
		size_t n = taken;

		if (taken == 0 || !utf8_is_clean(c) || c == '\\') {
			/* Byte by byte: what follows an unclean byte is judged anew. */
			taken = 1;
			n = escape_byte((unsigned char)text[i], escape);
			piece = escape;
		}
		if (n >= size - used)
			break;
		memcpy(out + used, piece, n);
		used += n;
		i += taken;
	}
	out[used] = '\0';
	return out;
}

/* ---- writing ---- */

static void write_line(FILE *f, const char *line, size_t length)
{
	int error = errno;
	int fd = fileno(f);

	/* A short write means a full disk or pipe: the rest is lost rather than waited for. */
	while (fd >= 0 && write(fd, line, length) < 0 && errno == EINTR)
		continue;
	errno = error;
}

/* "2026-11-22T19:30:00.123Z info    " at the start of `line`; returns its length. */
static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	uint64_t now = clock_wall_us();
	time_t seconds = (time_t)(now / 1000000);
	struct tm utc = {0};
	char date[32];

	(void)gmtime_r(&seconds, &utc);
	if (strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		date[0] = '\0';
	int n = snprintf(
		line, size, "%s.%03uZ %-7s ", date, (unsigned)(now / 1000 % 1000), names[level]);
	return n < 0 ? 0 : (size_t)n;
}

/* A line that is put together: there is always room for its end. */
struct line {
	char text[LINE_SIZE];
	size_t used;
};

static void put(struct line *l, const char *text)
{
	size_t length = strlen(text);

	if (length <= sizeof(l->text) - l->used) {
		memcpy(l->text + l->used, text, length);
		l->used += length;
	}
}

/* A member; a text that is too long is cut. */
static void put_member(struct line *l, const char *key, const char *text, size_t length)
{
	static const char end[] = "\"}\n"; /* of the string and of all */

	put(l, l->used ? ",\"" : "{\"");
	put(l, key);
	put(l, "\":\"");
	json_escape(text, length, l->text + l->used, sizeof(l->text) - l->used - sizeof(end));
	l->used += strlen(l->text + l->used);
	put(l, "\"");
}

static void put_record(struct line *l, const char *level, const struct log_about *about,
	const char *text, size_t length)
{
	char time[JSON_TIME_MAX];

	json_print_time(clock_wall_us(), time);
	put_member(l, "time", time, strlen(time));
	put_member(l, "level", level, strlen(level));
	/* These are short. */
	if (about && about->peer)
		put_member(l, "peer", about->peer, strlen(about->peer));
	if (about && about->nick && *about->nick)
		put_member(l, "nick", about->nick, strlen(about->nick));
	put_member(l, "message", text, length);
	put(l, "}\n");
}

__attribute__((format(printf, 3, 0))) static void record(
	enum log_level level, const struct log_about *about, const char *format, va_list ap)
{
	int error = errno;
	char text[TEXT_SIZE];
	struct line line = {.used = 0};

	if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return;
	FILE *f = atomic_load(&chosen) ? atomic_load(&sink) : stderr;
	if (!f)
		return;
	int n = vsnprintf(text, sizeof(text), format, ap);
	size_t length = n < 0 ? 0 : (size_t)n;
	if (length >= sizeof(text))
		length = sizeof(text) - 1;
	if (is_json()) {
		put_record(&line, names[level], about, text, length);
	} else {
		line.used = put_prefix(line.text, sizeof(line.text), level);
		log_escape(text, length, line.text + line.used, sizeof(line.text) - line.used - 1);
		line.used += strlen(line.text + line.used);
		put(&line, "\n");
	}
	write_line(f, line.text, line.used);
	errno = error;
}

void log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	record(LOG_LEVEL_ERROR, NULL, format, ap);
	va_end(ap);
}

void log_warning(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	record(LOG_LEVEL_WARNING, NULL, format, ap);
	va_end(ap);
}

void log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	record(LOG_LEVEL_INFO, NULL, format, ap);
	va_end(ap);
}

void log_debug(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	record(LOG_LEVEL_DEBUG, NULL, format, ap);
	va_end(ap);
}

void log_about(enum log_level level, const struct log_about *about, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	record(level, about, format, ap);
	va_end(ap);
}

void log_trace(FILE *f, const char *text, size_t length)
{
	int error = errno;
	struct line line = {.used = 0};

	if (is_json()) {
		put_record(&line, "trace", NULL, text, length);
	} else {
		line.used = length < sizeof(line.text) ? length : sizeof(line.text) - 1;
		memcpy(line.text, text, line.used);
		put(&line, "\n");
	}
	write_line(f, line.text, line.used);
	errno = error;
}
