#include "server/values.h"

#include "common/err.h"
#include "common/file.h"
#include "common/net.h"
#include "common/utf8.h"
#include "server/admission.h"
#include "server/privileges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP_BYTES_LEAST 65536

/* "off" is -1 in the settings; in a policy, never is 0. */
static int64_t milliseconds(long seconds)
{
	return seconds < 0 ? 0 : (int64_t)seconds * 1000;
}

static uint32_t or_off(long limit, uint32_t off)
{
	return limit < 0 ? off : (uint32_t)limit;
}

static int choose_name(
	const struct settings *t, char name[SERVER_NAME_MAX + 1], char *error, size_t size)
{
	char host[256] = "";
	const char *wanted = t->name;

	if (!wanted) {
		(void)gethostname(host, sizeof(host) - 1);
		host[strcspn(host, ".")] = '\0';
		wanted = *host ? host : "lanchat";
	}
	size_t length = strlen(wanted);
	if (t->name && (length == 0 || length > SERVER_NAME_MAX || !utf8_is_line(wanted, length))) {
		snprintf(error, size, "--name must be 1 to %d bytes of clean UTF-8 text",
			SERVER_NAME_MAX);
		return ERR_ARGUMENT;
	}
	snprintf(name, SERVER_NAME_MAX + 1, "%.*s", SERVER_NAME_MAX, wanted);
	return 0;
}

int values_policy(const struct settings *t, struct policy *p, char *error, size_t size)
{
	/* Who is silent only because there is nothing to say is to be asked before. */
	if (t->idle_seconds > 0 && t->ping_seconds >= t->idle_seconds) {
		snprintf(error, size,
			"--idle (%ld seconds) must be more than --ping (%ld), or clients are given "
			"up before they are asked for a sign of life",
			t->idle_seconds, t->ping_seconds);
		return ERR_ARGUMENT;
	}
	*p = (struct policy){
		.handshake_ms = milliseconds(t->handshake_seconds),
		.login_ms = milliseconds(t->login_seconds),
		.frame_ms = milliseconds(t->frame_seconds),
		.ping_ms = milliseconds(t->ping_seconds),
		.idle_ms = milliseconds(t->idle_seconds),
		.rate = t->rate_burst < 0 ? 0 : or_off(t->rate, 0),
		.burst = or_off(t->rate_burst, 0),
		.replay_max = or_off(t->replay, UINT32_MAX),
		.rooms_each = or_off(t->rooms_each, UINT32_MAX),
		.owned_max = or_off(t->max_owned, 0),
		.nick_max = or_off(t->max_nick, 0),
		.topic_max = or_off(t->max_topic, 0),
		.text_max = or_off(t->max_text, 0),
		.members_max = or_off(t->max_members, 0),
		.rooms_max = or_off(t->max_rooms, UINT32_MAX),
	};
	return choose_name(t, p->name, error, size);
}

struct clients_limits values_limits(const struct settings *t)
{
	return (struct clients_limits){
		.most = t->max_clients,
		.logging_in = t->max_logging_in,
		.here = {.each = t->max_per_address,
			.points = t->max_faults,
			.rooms = t->rooms_here},
	};
}

uint32_t values_most_people(const struct settings *t)
{
	return or_off(t->max_clients, UINT32_MAX);
}

int values_motd(const struct settings *t, char **motd, char *error, size_t size)
{
	*motd = NULL;
	if (!t->motd)
		return 0;
	FILE *f = file_open(t->motd);
	char *text = f ? calloc(1, NOTICE_MAX + 2) : NULL;
	if (!text) {
		snprintf(error, size, "cannot read the motd '%s': %s", t->motd, strerror(errno));
		if (f)
			(void)fclose(f);
		return ERR_SYSTEM;
	}
	size_t n = fread(text, 1, NOTICE_MAX + 1, f);
	(void)fclose(f);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n > NOTICE_MAX || !utf8_is_block(text, n)) {
		snprintf(error, size,
			"the motd '%s' must be at most %d bytes of UTF-8 text without control "
			"characters",
			t->motd, NOTICE_MAX);
		free(text);
		return ERR_TEXT;
	}
	*motd = text;
	return 0;
}

void values_log(const struct settings *t, const char *folder, struct engine_config *log,
	struct chat_config *config)
{
	*log = (struct engine_config){
		.folder = folder,
		.sync = (enum engine_sync)t->sync,
		.keep_bytes = t->keep_bytes < 0 ? 0 : (uint64_t)t->keep_bytes,
		.keep_messages = t->keep_messages < 0 ? 0 : (uint64_t)t->keep_messages,
		.keep_days = or_off(t->keep_days, 0),
	};
	config->log = t->history == HISTORY_ON ? log : NULL;
	config->keep_bytes = t->keep_bytes > 0 ? (size_t)t->keep_bytes : SETTINGS_MEMORY_BYTES;
}

/* ---- checking ---- */

/* Less would not hold one message of every size. */
int values_check_keeping(const struct settings *t, char *error, size_t size)
{
	if (t->keep_bytes <= 0 || t->keep_bytes >= KEEP_BYTES_LEAST)
		return 0;
	snprintf(error, size, "--keep-bytes must be 0 or at least %d", KEEP_BYTES_LEAST);
	return ERR_ARGUMENT;
}

int values_check_lane(const struct settings *t, char *error, size_t size)
{
	if (t->no_beacon || t->lane != NET_PORT)
		return 0;
	snprintf(error, size,
		"--lane %d is the beacon's UDP port: take another one, or --no-beacon", NET_PORT);
	return ERR_ARGUMENT;
}

int values_check_admission(const struct settings *t, char *error, size_t size)
{
	/* A key that is not proven is worth nothing. */
	if (t->allow_keys && t->plaintext) {
		snprintf(error, size, "--allow-keys needs TLS, so it cannot go with --plaintext");
		return ERR_ARGUMENT;
	}
	struct admission *a = admission_new();
	int r = a ? admission_load(a, t->password_file, t->allow_keys, error, size) : ERR_MEMORY;

	admission_free(a);
	return r;
}

int values_check(const struct settings *t, char *error, size_t size)
{
	struct privileges user;
	struct policy policy;
	char *motd;

	int r = privileges_find(t->user, &user, error, size);
	if (r == 0)
		r = values_policy(t, &policy, error, size);
	if (r == 0)
		r = values_motd(t, &motd, error, size);
	if (r == 0)
		free(motd);
	if (r == 0)
		r = values_check_admission(t, error, size);
	if (r == 0)
		r = values_check_lane(t, error, size);
	return r ? r : values_check_keeping(t, error, size);
}
