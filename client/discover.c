#include "client/discover.h"

#include "client/finder.h"
#include "common/json.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A server answers on several interfaces within a millisecond or so; its line waits this long, so
 * that it shows the best address. */
#define SETTLE_MS 20

struct discovery {
	const struct discover_config *config;
	FILE *out;
	struct finder *finder;
	int signals;
	int64_t deadline;
	bool any;         /* a server was found */
	bool interrupted; /* by a signal */

	/* What has been printed, and the list of this moment. */
	struct finder_row known[FINDER_ROWS], now[FINDER_ROWS];
	size_t known_count, now_count;
};

/* ---- printing ---- */

static bool is_compatible(const struct finder_row *r)
{
	return r->version_low <= PROTOCOL_VERSION && PROTOCOL_VERSION <= r->version_high;
}

static void print_json(struct discovery *d, const char *type, const struct finder_row *r)
{
	struct json j;
	char text[NET_ADDRESS_MAX];

	json_begin(&j, d->out);
	json_text(&j, "type", type);
	json_text(&j, "name", r->name);
	json_hex(&j, "id", r->server, sizeof(r->server));
	json_hex(&j, "instance", r->instance, sizeof(r->instance));
	json_array_begin(&j, "addresses");
	for (size_t i = 0; i < r->address_count; i++)
		json_array_text(&j, net_print(&r->addresses[i], text));
	json_array_end(&j);
	json_unsigned(&j, "people", r->people);
	json_unsigned(&j, "people_max", r->people_max);
	json_unsigned(&j, "version_low", r->version_low);
	json_unsigned(&j, "version_high", r->version_high);
	json_bool(&j, "compatible", is_compatible(r));
	if (r->rtt_us >= 0)
		json_number(&j, "rtt_us", r->rtt_us);
	else
		json_null(&j, "rtt_us");
	json_time(&j, "time", clock_wall_us());
	json_end(&j);
}

/* `text` and blanks, to at least `columns` columns. */
static void print_padded(FILE *out, const char *text, size_t columns)
{
	size_t used = text_columns(text, strlen(text));

	fprintf(out, "%s%*s", text, used < columns ? (int)(columns - used) : 0, "");
}

static void print_line(struct discovery *d, const struct finder_row *r)
{
	char address[NET_ADDRESS_MAX] = "";

	if (r->address_count > 0)
		(void)net_print(&r->addresses[0], address);
	print_padded(d->out, finder_row_name(r), 24);
	fputs("  ", d->out);
	print_padded(d->out, address, 24);
	fprintf(d->out, "  %" PRIu32 " of %" PRIu32 " people", r->people, r->people_max);
	if (r->rtt_us >= 0)
		fprintf(d->out, "  %.1f ms", (double)r->rtt_us / 1000);
	if (!is_compatible(r))
		fprintf(d->out, "  (speaks protocol %u to %u, and this program %d)", r->version_low,
			r->version_high, PROTOCOL_VERSION);
	fputc('\n', d->out);
}

/* One event; each is flushed by itself, for whoever reads it through a pipe. */
static void print(struct discovery *d, const char *type, const struct finder_row *r)
{
	if (d->config->json)
		print_json(d, type, r);
	else if (strcmp(type, "found") == 0)
		print_line(d, r);
	else if (strcmp(type, "gone") == 0)
		fprintf(d->out, "gone: %s\n", finder_row_name(r));
	(void)fflush(d->out);
}

/* ---- what changed ---- */

/* `first_seen` tells apart rows that claim to be one server. */
static const struct finder_row *find(
	const struct finder_row *rows, size_t count, const struct finder_row *r)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(rows[i].instance, r->instance, sizeof(r->instance)) == 0 &&
			memcmp(rows[i].server, r->server, sizeof(r->server)) == 0 &&
			rows[i].first_seen == r->first_seen)
			return &rows[i];
	return NULL;
}

/* The round-trip time is another one with each answer, and alone no news but where none was known. */
static bool looks_same(const struct finder_row *a, const struct finder_row *b)
{
	if (strcmp(a->name, b->name) != 0 || a->people != b->people ||
		a->people_max != b->people_max || a->address_count != b->address_count ||
		(a->rtt_us < 0) != (b->rtt_us < 0))
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (!net_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

static bool is_settled(const struct finder_row *r)
{
	return clock_ms() >= r->first_seen + SETTLE_MS;
}

/* Print what is news, and remember what has been printed. */
static void compare(struct discovery *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->known_count; i++)
		if (!find(d->now, d->now_count, &d->known[i]))
			print(d, "gone", &d->known[i]);
	for (size_t i = 0; i < d->now_count; i++) {
		const struct finder_row *before = find(d->known, d->known_count, &d->now[i]);

		if (!before && !is_settled(&d->now[i]))
			continue;
		if (!before)
			print(d, "found", &d->now[i]);
		else if (!looks_same(before, &d->now[i]))
			print(d, "changed", &d->now[i]);
		d->now[kept++] = d->now[i]; /* never ahead of what is read */
		d->any = true;
	}
	memcpy(d->known, d->now, kept * sizeof(d->now[0]));
	d->known_count = kept;
}

/* ---- waiting ---- */

/* The end, or the moment at which a server's line is due. */
static int64_t next_deadline(const struct discovery *d)
{
	int64_t first = d->deadline;

	for (size_t i = 0; i < d->now_count; i++) {
		int64_t due = d->now[i].first_seen + SETTLE_MS;

		if (!find(d->known, d->known_count, &d->now[i]) && due < first)
			first = due;
	}
	return first;
}

static void watch(struct discovery *d)
{
	while (!ferror(d->out) && !d->interrupted && clock_ms() < d->deadline) {
		struct pollfd fds[] = {
			{.fd = finder_fd(d->finder), .events = POLLIN},
			{.fd = d->signals, .events = POLLIN},
		};

		d->now_count = finder_list(d->finder, d->now, FINDER_ROWS);
		int64_t until = next_deadline(d);
		compare(d);
		(void)poll(fds, 2, clock_poll_timeout(until));
		d->interrupted = fds[1].revents != 0;
	}
}

/* ---- signals ---- */

/* SIGPIPE as well: writing then fails, which is noticed. */
static int take_signals(sigset_t *before)
{
	sigset_t mine;

	(void)sigemptyset(&mine);
	(void)sigaddset(&mine, SIGINT);
	(void)sigaddset(&mine, SIGTERM);
	(void)sigaddset(&mine, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &mine, before);
	return signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* None may be left over that would end the program when it is let in. */
static void give_signals_back(int fd, const sigset_t *before)
{
	struct signalfd_siginfo taken;

	while (fd >= 0 && read(fd, &taken, sizeof(taken)) > 0)
		;
	net_close(fd);
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* ---- the whole ---- */

static int conclude(const struct discovery *d)
{
	unsigned port = d->config->port;

	if (ferror(d->out)) {
		fprintf(stderr, "lanchat: cannot write the list of servers\n");
		return 1;
	}
	if (d->any || (d->interrupted && d->config->timeout_ms == 0))
		return 0;
	fprintf(stderr,
		"lanchat: no server was found; it may be on another subnet or behind a firewall "
		"(UDP and TCP port %u must be open), the Wi-Fi may keep its clients apart, or a "
		"VPN "
		"may be in the way\n",
		port != 0 ? port : NET_PORT);
	return 1;
}

static int discover(struct discovery *d)
{
	const struct finder_config config = {
		.interfaces = d->config->interfaces,
		.not_interfaces = d->config->not_interfaces,
		.port = d->config->port,
	};
	int error = finder_start(&config, &d->finder);

	if (error != 0) {
		fprintf(stderr, "lanchat: cannot look for servers: %s\n",
			error == ERR_SYSTEM ? strerrordesc_np(errno) : err_text(error));
		return 1;
	}
	watch(d);
	finder_stop(d->finder);
	return conclude(d);
}

int discover_run(const struct discover_config *config)
{
	struct discovery *d = calloc(1, sizeof(*d));
	sigset_t before;

	if (!d) {
		fprintf(stderr, "lanchat: cannot look for servers: %s\n", err_text(ERR_MEMORY));
		return 1;
	}
	d->config = config;
	d->out = config->out ? config->out : stdout;
	d->deadline = config->timeout_ms > 0 ? clock_ms() + config->timeout_ms : INT64_MAX;
	d->signals = take_signals(&before);
	int status = discover(d);
	give_signals_back(d->signals, &before);
	free(d);
	return status;
}
