#include "client/when.h"

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define AGO_MOST INT64_C(1000000) /* of whichever unit: longer ago than anything that was said */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* So many digits, neither more nor fewer, as a number from `least` to `most`. */
static bool take_number(const char **at, int digits, int least, int most, int *out)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		if (!is_digit(**at))
			return false;
		value = 10 * value + (*(*at)++ - '0');
	}
	*out = value;
	return value >= least && value <= most;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static int days_of(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **at, struct tm *out)
{
	int year, month, day;

	if (!take_number(at, 4, 1970, 9999, &year) || !take(at, '-') ||
		!take_number(at, 2, 1, 12, &month) || !take(at, '-') ||
		!take_number(at, 2, 1, days_of(year, month), &day))
		return false;
	*out = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	return true;
}

static bool take_time(const char **at, struct tm *out)
{
	return take_number(at, 2, 0, 23, &out->tm_hour) && take(at, ':') &&
	       take_number(at, 2, 0, 59, &out->tm_min) &&
	       (!take(at, ':') || take_number(at, 2, 0, 59, &out->tm_sec));
}

/* Local time to seconds: the first of two, and some time nearby for an hour that was left out. */
static bool to_seconds(const struct tm *local, int64_t *out)
{
	struct tm first = *local, any = *local, back;

	any.tm_isdst = -1;
	first.tm_isdst = 1;
	time_t seconds = mktime(&any), summer = mktime(&first);
	if (seconds == (time_t)-1)
		return false;
	if (summer != (time_t)-1 && summer < seconds && localtime_r(&summer, &back) &&
		back.tm_hour == local->tm_hour && back.tm_min == local->tm_min)
		seconds = summer;
	*out = seconds;
	return true;
}

/* The last time at or before `now` that the clock showed that. */
static bool last_time(const struct tm *clock, int64_t now, int64_t *out)
{
	time_t seconds = (time_t)now;
	struct tm local;

	if (!localtime_r(&seconds, &local))
		return false;
	local.tm_hour = clock->tm_hour;
	local.tm_min = clock->tm_min;
	local.tm_sec = clock->tm_sec;
	if (!to_seconds(&local, out))
		return false;
	if (*out <= now)
		return true;
	local.tm_mday--;
	return to_seconds(&local, out);
}

static bool is_point(const char *text, int64_t now, int64_t *out)
{
	struct tm local = {0};
	const char *at = text;

	if (take_time(&at, &local) && *at == '\0')
		return last_time(&local, now, out);
	at = text;
	if (!take_date(&at, &local))
		return false;
	if ((take(&at, 'T') || take(&at, ' ')) && !take_time(&at, &local))
		return false;
	return *at == '\0' && to_seconds(&local, out);
}

static bool is_ago(const char *text, int64_t now, int64_t *out)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	const char *at = text;
	int64_t count = 0;

	while (is_digit(*at) && count < AGO_MOST)
		count = 10 * count + (*at++ - '0');
	if (at == text || *at == '\0' || at[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].letter == *at) {
			*out = now - count * units[i].seconds;
			return true;
		}
	}
	return false;
}

int when_parse(const char *text, int64_t now_s, int64_t *seconds_since_1970)
{
	int64_t seconds;

	if (!is_point(text, now_s, &seconds) && !is_ago(text, now_s, &seconds))
		return ERR_ARGUMENT;
	*seconds_since_1970 = seconds > 0 ? seconds : 0;
	return 0;
}
