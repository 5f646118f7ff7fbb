#include "tools/lab/pair.h"

#include "common/err.h"
#include "common/lock.h"

#include <errno.h>
#include <stdio.h>

int pair_failure(struct stage *s, enum side side)
{
	int error = errno;

	if (stage_stopped(s))
		return ERR_STOPPING;
	if (side == SIDE_TCP && (error == EINPROGRESS || error == EAGAIN)) {
		stage_unshown(s, side, "a connection comes about",
			"neither refused nor there by the time that it was waited for");
		return ERR_TIMEOUT;
	}
	stage_failed(s, side);
	errno = error;
	return ERR_SYSTEM;
}

const char *pair_bytes(ssize_t n, char out[PAIR_BYTES])
{
	if (n < 0)
		(void)snprintf(out, PAIR_BYTES, "nothing");
	else
		(void)snprintf(out, PAIR_BYTES, "%zd bytes", n);
	return out;
}

static void make_small(struct stage *s, int fd, int bytes)
{
	if (!bytes)
		return;
	(void)stage_option(s, fd, SOL_SOCKET, SO_RCVBUF, bytes,
		"the kernel keeps little for who does not read");
	(void)stage_option(s, fd, SOL_SOCKET, SO_SNDBUF, bytes, NULL);
}

int pair_tcp_small(struct stage *s, uint16_t port, int bytes, struct pair *out)
{
	struct pair p = {.listener = stage_socket(s, SIDE_TCP, SERVER_HOST, SOCK_STREAM, NULL)};

	make_small(s, p.listener, bytes);
	if (stage_bind(s, p.listener, port, NULL) != 0 ||
		stage_listen(s, p.listener, 8, "handshakes are completed from now on") != 0)
		return pair_failure(s, SIDE_TCP);
	p.client = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);
	make_small(s, p.client, bytes);
	if (stage_connect(s, p.client, SERVER_HOST, port,
		    "SYN, SYN-ACK, ACK: returns when the answer is there") != 0)
		return pair_failure(s, SIDE_TCP);
	p.server = stage_accept(s, p.listener, "a new descriptor, for this client alone");
	if (p.server < 0)
		return pair_failure(s, SIDE_TCP);
	*out = p;
	return 0;
}

int pair_tcp(struct stage *s, uint16_t port, struct pair *out)
{
	return pair_tcp_small(s, port, 0, out);
}

int pair_udp(struct stage *s, uint16_t port, bool connected, struct pair *out)
{
	struct pair p = {
		.listener = -1, .server = stage_socket(s, SIDE_UDP, SERVER_HOST, SOCK_DGRAM, NULL)};

	if (stage_bind(s, p.server, port, "that is all that a receiver needs") != 0)
		return pair_failure(s, SIDE_UDP);
	p.client = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	if (p.client < 0)
		return pair_failure(s, SIDE_UDP);
	if (connected && stage_connect(s, p.client, SERVER_HOST, port,
				 "remembers the peer; nothing is sent for it") != 0)
		return pair_failure(s, SIDE_UDP);
	*out = p;
	return 0;
}

struct task {
	struct stage *stage;
	int (*play)(struct stage *s);
	int result;
};

static void *play_task(void *of)
{
	struct task *t = of;

	t->result = t->play(t->stage);
	return NULL;
}

int pair_sides(struct stage *s, int (*tcp)(struct stage *s), int (*udp)(struct stage *s))
{
	struct task t = {.stage = s, .play = tcp};
	pthread_t thread;
	int e = pthread_create(&thread, NULL, play_task, &t);

	if (e) {
		errno = e;
		return ERR_SYSTEM;
	}
	int r = udp(s);
	PTHREAD_OK(pthread_join(thread, NULL));
	return t.result ? t.result : r;
}
