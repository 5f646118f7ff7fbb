#include "client/prober.h"

#include "common/beacon_socket.h"
#include "common/err.h"

/* Longer than any link takes; by then the address is nearly forgotten anyway. */
#define PATIENCE_MS 2000

void prober_init(struct prober *p)
{
	for (size_t i = 0; i < PROBER_MAX; i++)
		p->questions[i] = (struct prober_question){.fd = -1};
}

static void drop(struct prober_question *q)
{
	net_close(q->fd);
	q->fd = -1;
}

void prober_fini(struct prober *p)
{
	for (size_t i = 0; i < PROBER_MAX; i++)
		drop(&p->questions[i]);
}

void prober_ask(struct prober *p, const struct net_address *peer, const uint8_t packet[BEACON_SIZE],
	int64_t now_ms)
{
	for (size_t i = 0; i < PROBER_MAX; i++) {
		struct prober_question *q = &p->questions[i];

		if (q->fd >= 0)
			continue;
		if (beacon_socket_connect(peer, packet, &q->fd) == 0) {
			q->peer = *peer;
			q->asked_ms = now_ms;
		}
		return;
	}
}

void prober_poll(const struct prober *p, struct pollfd fds[PROBER_MAX])
{
	for (size_t i = 0; i < PROBER_MAX; i++)
		fds[i] = (struct pollfd){.fd = p->questions[i].fd, .events = POLLIN};
}

int64_t prober_deadline(const struct prober *p)
{
	int64_t deadline = INT64_MAX;

	for (size_t i = 0; i < PROBER_MAX; i++) {
		const struct prober_question *q = &p->questions[i];

		if (q->fd >= 0 && q->asked_ms + PATIENCE_MS < deadline)
			deadline = q->asked_ms + PATIENCE_MS;
	}
	return deadline;
}

int prober_next(
	struct prober *p, int64_t now_ms, struct prober_question *q, uint8_t packet[BEACON_SIZE])
{
	for (size_t i = 0; i < PROBER_MAX; i++) {
		struct prober_question *asked = &p->questions[i];

		if (asked->fd < 0)
			continue;
		int result = beacon_socket_result(asked->fd, packet);
		if (result == ERR_AGAIN && now_ms < asked->asked_ms + PATIENCE_MS)
			continue;
		drop(asked);
		if (result != 0 && result != ERR_REFUSED)
			continue;
		*q = *asked;
		return result;
	}
	return ERR_AGAIN;
}
