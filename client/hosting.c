#include "client/hosting.h"

#include "client/xdg.h"
#include "common/err.h"
#include "common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_FILE "addresses"

struct hosting {
	char folder[64];    /* temporary, ours */
	char ports[96];     /* the file in it that the server writes */
	char log[PATH_MAX]; /* where the server's stderr goes */
	char program[PATH_MAX];
	int watch; /* inotify of the folder */
	int child; /* pidfd; -1: none */
	pid_t pid;
};

static int fail(char *error, size_t size, const char *what)
{
	(void)snprintf(error, size, "Cannot start a server here: %s: %s", what, strerror(errno));
	return ERR_SYSTEM;
}

/* ---- where its words go ---- */

/* Make each folder of the path. */
static int make_folders(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		int made = mkdir(path, 0700);
		*slash = '/';
		if (made < 0 && errno != EEXIST)
			return ERR_SYSTEM;
	}
	return 0;
}

/* The log in the state folder; /dev/null where there is none. */
static void choose_log(struct hosting *h)
{
	if (xdg_path(XDG_STATE, "lanchatd.log", h->log, sizeof h->log) != 0 ||
		make_folders(h->log) < 0)
		(void)snprintf(h->log, sizeof h->log, "/dev/null");
}

/* The last line that the server wrote: why it ended. */
static void read_reason(const struct hosting *h, char *out, size_t size)
{
	char text[512] = "";
	FILE *f = fopen(h->log, "re");

	(void)snprintf(out, size, "it ended at once; see %s", h->log);
	if (!f)
		return;
	if (fseek(f, -(long)(sizeof text - 1), SEEK_END) < 0)
		rewind(f);
	size_t got = fread(text, 1, sizeof text - 1, f);
	(void)fclose(f);
	while (got > 0 && text[got - 1] == '\n')
		got--;
	text[got] = '\0';
	const char *line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (line[0])
		(void)snprintf(out, size, "%s", line);
}

/* ---- starting it ---- */

/* Its own session, all signals as usual, stdin and stdout nowhere, stderr into the log. */
static int prepare(
	posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes, const char *log)
{
	sigset_t none, every;
	int err = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

	sigemptyset(&none);
	sigfillset(&every);
	if (!err)
		err = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_addopen(
			files, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (!err)
		err = posix_spawnattr_setsigmask(attributes, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attributes, &every);
	if (!err)
		err = posix_spawnattr_setflags(attributes,
			POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return err;
}

static int spawn(
	struct hosting *h, bool stay, bool any_port, bool plaintext, char *error, size_t size)
{
	char *arguments[8] = {h->program, (char[]){"--port-file"}, h->ports};
	size_t count = 3;
	char clients[] = "--while-clients", listen[] = "--listen", any[] = ":0";
	char without_tls[] = "--plaintext";
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;

	if (plaintext)
		arguments[count++] = without_tls;
	if (!stay)
		arguments[count++] = clients;
	if (any_port) {
		arguments[count++] = listen;
		arguments[count++] = any;
	}
	errno = posix_spawn_file_actions_init(&files);
	if (errno)
		return fail(error, size, h->program);
	errno = posix_spawnattr_init(&attributes);
	if (errno) {
		int saved = errno;
		posix_spawn_file_actions_destroy(&files);
		errno = saved;
		return fail(error, size, h->program);
	}
	int err = prepare(&files, &attributes, h->log);
	if (!err)
		err = posix_spawnp(&h->pid, h->program, &files, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	errno = err;
	if (err)
		return fail(error, size, h->program);
	h->child = pidfd_open(h->pid, 0);
	return h->child < 0 ? fail(error, size, "pidfd_open") : 0;
}

/* A folder of our own, watched. */
static int prepare_folder(struct hosting *h, char *error, size_t size)
{
	(void)snprintf(h->folder, sizeof h->folder, "/tmp/lanchat-XXXXXX");
	if (!mkdtemp(h->folder)) {
		h->folder[0] = '\0';
		return fail(error, size, "/tmp");
	}
	(void)snprintf(h->ports, sizeof h->ports, "%s/" PORT_FILE, h->folder);
	h->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (h->watch < 0 ||
		inotify_add_watch(h->watch, h->folder, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
		return fail(error, size, "inotify");
	return 0;
}

int hosting_start(const char *program, bool stay, bool any_port, bool plaintext,
	struct hosting **out, char *error, size_t size)
{
	struct hosting *h = calloc(1, sizeof *h);

	if (!h) {
		(void)snprintf(error, size, "Out of memory.");
		return ERR_MEMORY;
	}
	h->watch = h->child = -1;
	(void)snprintf(h->program, sizeof h->program, "%s", program);
	choose_log(h);
	int err = prepare_folder(h, error, size);
	if (err == 0)
		err = spawn(h, stay, any_port, plaintext, error, size);
	if (err < 0) {
		hosting_free(h);
		return err;
	}
	*out = h;
	return 0;
}

void hosting_free(struct hosting *h)
{
	if (!h)
		return;
	net_close(h->watch);
	net_close(h->child);
	if (h->folder[0]) {
		(void)unlink(h->ports);
		(void)rmdir(h->folder);
	}
	free(h);
}

void hosting_poll(const struct hosting *h, struct pollfd fds[HOSTING_FDS])
{
	fds[0] = (struct pollfd){.fd = h->watch, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = h->child, .events = POLLIN};
}

/* ---- how it is doing ---- */

/* The port of the first address in the file; false while there is none. */
static bool read_port(const struct hosting *h, uint16_t *port)
{
	char line[128] = "", host[NET_HOST_MAX];
	FILE *f = fopen(h->ports, "re");

	if (!f)
		return false;
	bool got = fgets(line, sizeof line, f) != NULL;
	(void)fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return got && net_parse(line, 0, host, port) == 0 && *port != 0;
}

static void drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof events) > 0)
		;
}

/* Has it ended? Then it is reaped. */
static bool has_ended(struct hosting *h)
{
	if (waitpid(h->pid, NULL, WNOHANG) != h->pid)
		return false;
	net_close(h->child);
	h->child = -1;
	return true;
}

int hosting_check(struct hosting *h, uint16_t *port, char *error, size_t size)
{
	char reason[512 + PATH_MAX];

	drain(h->watch);
	if (read_port(h, port))
		return 0;
	if (!has_ended(h))
		return ERR_AGAIN;
	read_reason(h, reason, sizeof reason);
	(void)snprintf(error, size, "The server could not start: %s", reason);
	return strstr(reason, "in use") ? ERR_EXISTS : ERR_REFUSED;
}
