#include "client/link_resolve.h"

#include "common/err.h"
#include "common/lock.h"
#include "common/wakeup.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRESSES_MOST 16

struct resolve {
	/* Constant. */
	char host[NET_HOST_MAX];
	uint16_t port;
	int fd; /* closed by whoever frees */

	/* Guarded by `lock`. */
	int references; /* the asker and the thread */
	bool done;
	int result;
	const char *why;
	struct net_address addresses[ADDRESSES_MOST];
	size_t count;

	struct lock lock;
};

static void unref(struct resolve *r)
{
	lock_take(&r->lock);
	bool last = --r->references == 0;
	lock_drop(&r->lock);
	if (!last)
		return;
	lock_fini(&r->lock);
	close(r->fd);
	free(r);
}

static void *look_up(void *argument)
{
	struct resolve *r = argument;
	struct net_address found[ADDRESSES_MOST];
	size_t count = 0;
	const char *why = "";

	int result = net_resolve(
		r->host, r->port, SOCK_STREAM, false, found, ADDRESSES_MOST, &count, &why);
	lock_take(&r->lock);
	r->done = true;
	r->result = result;
	r->why = why;
	r->count = count;
	memcpy(r->addresses, found, count * sizeof(found[0]));
	lock_drop(&r->lock);
	wakeup_signal(r->fd);
	unref(r);
	return NULL;
}

int resolve_start(const char *host, uint16_t port, struct resolve **out)
{
	struct resolve *r = calloc(1, sizeof(*r));
	pthread_attr_t attributes;
	pthread_t thread;

	if (!r)
		return ERR_MEMORY;
	snprintf(r->host, sizeof(r->host), "%s", host);
	r->port = port;
	r->references = 2;
	if (wakeup_open(&r->fd) != 0) {
		free(r);
		return ERR_SYSTEM;
	}
	lock_init(&r->lock, LOCK_LEAF);
	PTHREAD_OK(pthread_attr_init(&attributes));
	PTHREAD_OK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED));
	int error = pthread_create(&thread, &attributes, look_up, r);
	PTHREAD_OK(pthread_attr_destroy(&attributes));
	if (error) {
		r->references = 1;
		unref(r);
		return ERR_SYSTEM;
	}
	*out = r;
	return 0;
}

int resolve_fd(const struct resolve *r)
{
	return r->fd;
}

int resolve_result(
	struct resolve *r, struct net_address *out, size_t most, size_t *count, const char **why)
{
	int result = ERR_AGAIN;

	lock_take(&r->lock);
	if (r->done) {
		result = r->result;
		*why = r->why;
		*count = r->count < most ? r->count : most;
		memcpy(out, r->addresses, *count * sizeof(out[0]));
	}
	lock_drop(&r->lock);
	return result;
}

void resolve_drop(struct resolve *r)
{
	if (r)
		unref(r);
}
