#include "tools/lab/pair.h"

#include "common/err.h"
#include "common/lock.h"

#include <errno.h>

int pair_failure(const struct stage *s)
{
	return stage_stopped(s) ? ERR_STOPPING : ERR_SYSTEM;
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
		return pair_failure(s);
	p.client = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);
	make_small(s, p.client, bytes);
	if (stage_connect(s, p.client, SERVER_HOST, port,
		    "SYN, SYN-ACK, ACK: returns when the answer is there") != 0)
		return pair_failure(s);
	p.server = stage_accept(s, p.listener, "a new descriptor, for this client alone");
	if (p.server < 0)
		return pair_failure(s);
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
		return pair_failure(s);
	p.client = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);
	if (p.client < 0)
		return pair_failure(s);
	if (connected && stage_connect(s, p.client, SERVER_HOST, port,
				 "remembers the peer; nothing is sent for it") != 0)
		return pair_failure(s);
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
