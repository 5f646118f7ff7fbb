#include "tools/lab/chat_program.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ 4096

/* ---- lines ---- */

static void cut(struct chat_reader *r, void (*got)(void *of, const char *line), void *of)
{
	char *begin = r->bytes, *end = r->bytes + r->used, *newline;

	while (begin < end && (newline = memchr(begin, '\n', (size_t)(end - begin))) != NULL) {
		*newline = '\0';
		got(of, begin);
		begin = newline + 1;
	}
	r->used = (size_t)(end - begin);
	memmove(r->bytes, begin, r->used);
}

int chat_reader_take(struct chat_reader *r, void (*got)(void *of, const char *line), void *of)
{
	/* One more, for the end of a last line without its own. */
	if (r->room - r->used < READ + 1) {
		size_t room = r->room * 2 + READ + 1;
		char *more = realloc(r->bytes, room);
		if (!more)
			return ERR_MEMORY;
		r->bytes = more;
		r->room = room;
	}
	ssize_t n = read(r->fd, r->bytes + r->used, READ);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : ERR_CLOSED;
	if (n == 0) {
		if (r->used) {
			r->bytes[r->used++] = '\n';
			cut(r, got, of);
		}
		return ERR_CLOSED;
	}
	r->used += (size_t)n;
	cut(r, got, of);
	return 0;
}

void chat_reader_fini(struct chat_reader *r)
{
	free(r->bytes);
	*r = (struct chat_reader){.fd = -1};
}

/* ---- starting ---- */

void chat_program_find(const char *name, char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	out[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(out, '/');
	size_t folder = slash ? (size_t)(slash + 1 - out) : 0;
	if (slash && folder + strlen(name) < PATH_MAX) {
		(void)snprintf(out + folder, PATH_MAX - folder, "%s", name);
		if (access(out, X_OK) == 0)
			return;
	}
	(void)snprintf(out, PATH_MAX, "%s", name);
}

/* Ours never waits; the program's does, as it expects. */
static bool make_pipe(int ends[2], int ours)
{
	return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[ours], F_SETFL, O_NONBLOCK) == 0;
}

int chat_program_start(
	struct chat_program *p, const struct site *site, size_t host, char *const argv[])
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, error[2] = {-1, -1};
	bool good = make_pipe(in, 1) && make_pipe(out, 0) && make_pipe(error, 0);

	*p = (struct chat_program){
		.ended = -1, .input = in[1], .out.fd = out[0], .error.fd = error[0]};
	p->pid = good ? site_spawn(site, host, argv, (int[3]){in[0], out[1], error[1]}) : -1;
	int saved = errno;
	net_close(in[0]);
	net_close(out[1]);
	net_close(error[1]);
	if (p->pid > 0) {
		p->ended = pidfd_open(p->pid, 0);
		saved = errno;
		if (p->ended >= 0)
			return 0;
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, &p->status, 0);
	}
	p->pid = 0;
	chat_program_fini(p);
	errno = saved;
	return ERR_SYSTEM;
}

void chat_program_fini(struct chat_program *p)
{
	net_close(p->ended);
	net_close(p->input);
	net_close(p->out.fd);
	net_close(p->error.fd);
	chat_reader_fini(&p->out);
	chat_reader_fini(&p->error);
	free(p->unwritten);
	p->ended = p->input = -1;
	p->unwritten = NULL;
	p->unwritten_length = 0;
}

/* ---- writing ---- */

int chat_program_flush(struct chat_program *p)
{
	while (p->unwritten_length && p->input >= 0) {
		ssize_t n = write(p->input, p->unwritten, p->unwritten_length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : ERR_CLOSED;
		p->unwritten_length -= (size_t)n;
		memmove(p->unwritten, p->unwritten + n, p->unwritten_length);
	}
	return p->input < 0 ? ERR_CLOSED : 0;
}

int chat_program_write(struct chat_program *p, const char *line)
{
	size_t length = strlen(line);
	char *more = realloc(p->unwritten, p->unwritten_length + length + 1);

	if (!more)
		return ERR_MEMORY;
	p->unwritten = more;
	memcpy(more + p->unwritten_length, line, length);
	more[p->unwritten_length + length] = '\n';
	p->unwritten_length += length + 1;
	return chat_program_flush(p);
}

void chat_program_end_input(struct chat_program *p)
{
	net_close(p->input);
	p->input = -1;
}

/* ---- ending ---- */

bool chat_program_over(struct chat_program *p)
{
	return chat_program_await(p, 0);
}

bool chat_program_await(struct chat_program *p, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;
	struct pollfd fd = {.fd = p->ended, .events = POLLIN};
	int n;

	if (p->pid <= 0)
		return true;
	do
		n = poll(&fd, 1, clock_poll_timeout(end));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	return true;
}

void chat_program_end(struct chat_program *p, int patience_ms)
{
	if (p->pid <= 0)
		return;
	(void)kill(p->pid, SIGTERM);
	if (chat_program_await(p, patience_ms))
		return;
	(void)kill(p->pid, SIGKILL);
	(void)chat_program_await(p, INT_MAX);
}

char *chat_program_status(const struct chat_program *p, char out[CHAT_STATUS])
{
	if (p->pid > 0)
		(void)snprintf(out, CHAT_STATUS, "is running");
	else if (WIFSIGNALED(p->status))
		(void)snprintf(out, CHAT_STATUS, "was ended by signal %d", WTERMSIG(p->status));
	else
		(void)snprintf(out, CHAT_STATUS, "ended with status %d", WEXITSTATUS(p->status));
	return out;
}
