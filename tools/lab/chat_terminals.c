#include "tools/lab/chat_terminals.h"

#include "common/err.h"
#include "tools/lab/chat_cast.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int open_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The namespace of a host is a descriptor of this process, which /proc has for those who may see it:
 * nsenter(1) opens it there. */
static void tell(const struct chat_cast *c, struct stage *s, bool user_namespace, FILE *out)
{
	char address[NET_ADDRESS_MAX], lanchat[PATH_MAX];
	long pid = (long)getpid();

	chat_program_find("lanchat", lanchat);
	(void)fprintf(out,
		"lanchatd is process %ld, on a host of its own. In other terminals, for each who "
		"chats:\n\n",
		(long)c->server.pid);
	for (int i = 0; i < CHAT_PEOPLE; i++) {
		(void)fprintf(out, "    %snsenter ", user_namespace ? "" : "sudo ");
		if (user_namespace)
			(void)fprintf(out, "--preserve-credentials --user=/proc/%ld/ns/user ", pid);
		(void)fprintf(out, "--net=/proc/%ld/fd/%d %s --plaintext --nick %s %s\n", pid,
			site_namespace(stage_site(s), CLIENT_HOST), lanchat, chat_name(i),
			chat_cast_address(address));
	}
	(void)fprintf(out, "\nCtrl-C ends it.\n");
	(void)fflush(out);
}

static void ignore(void *of, const char *line)
{
	(void)of;
	(void)line;
}

static int wait_for_end(struct chat_cast *c, int signals, char *error, size_t size)
{
	struct chat_program *p = &c->server;
	char status[CHAT_STATUS];

	for (;;) {
		struct pollfd fds[] = {{signals, POLLIN, 0}, {p->ended, POLLIN, 0},
			{p->out.fd, POLLIN, 0}, {p->error.fd, POLLIN, 0}};
		(void)poll(fds, 4, -1);
		if (fds[0].revents)
			return 0;
		/* What it says is of no use here, but it must not be held up by a full pipe. */
		if (chat_reader_take(&p->out, ignore, NULL) == ERR_CLOSED ||
			chat_reader_take(&p->error, ignore, NULL) == ERR_CLOSED || fds[1].revents) {
			(void)chat_program_await(p, 1000);
			(void)snprintf(
				error, size, "the server %s", chat_program_status(p, status));
			return ERR_CLOSED;
		}
	}
}

int chat_terminals(
	const struct stage_options *o, bool user_namespace, FILE *out, char *error, size_t size)
{
	struct stage *s = NULL;
	struct chat_cast c;
	char reason[SITE_REASON];
	int signals = open_signals(), e = signals < 0 ? ERR_SYSTEM : 0;

	if (e) {
		(void)snprintf(error, size, "%s", strerror(errno));
		return e;
	}
	e = stage_open(o, &s, reason);
	if (e)
		(void)snprintf(error, size, "%s", e == ERR_REFUSED ? reason : err_text(e));
	if (e == 0) {
		e = chat_cast_open(&c, s, error, size);
		if (e == 0) {
			tell(&c, s, user_namespace, out);
			e = wait_for_end(&c, signals, error, size);
		}
		chat_cast_close(&c);
		stage_close(s);
	}
	(void)close(signals);
	return e;
}
