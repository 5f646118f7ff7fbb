/*
 * What the two halves of the link share: link.c, which its owner calls, and
 * link_thread.c with link_connect.c, link_secure.c, link_follow.c and link_lane.c, which are the network thread. Nobody else
 * includes this.
 */
#ifndef LANCHAT_LINK_PRIVATE_H
#define LANCHAT_LINK_PRIVATE_H

#include "client/event.h"
#include "client/link.h"
#include "client/link_session.h"
#include "client/route.h"
#include "common/lane.h"
#include "common/lock.h"
#include "common/stream.h"

#include <poll.h>
#include <pthread.h>

enum quit {
	QUIT_NO,
	QUIT_SOON, /* when everything is acknowledged, or at the deadline */
	QUIT_NOW,
};

struct link {
	/* Constant after start. */
	char *host; /* owned; NULL: use the addresses */
	uint16_t port;
	bool follows; /* it is looked for on the network while it is away, there: */
	const struct option_list *interfaces, *not_interfaces; /* borrowed */
	struct tls *tls;                                       /* borrowed; NULL: plaintext */
	bool chosen;       /* the user said which server, by its address or its name */
	char *place;       /* owned: what the server is called where it is remembered */
	char *called;      /* owned: what it is called to the user, who may type that */
	char *data_folder; /* owned; NULL: nobody is remembered */
	bool keep_trying;
	int64_t give_up_ms;
	int wake_fd; /* owned; readable when the owner wants something */
	pthread_t thread;

	bool resume;

	/* The owner's own. */
	uint8_t instance[INSTANCE_ID]; /* as of the last login that it was told of */
	bool done_due;     /* `done` is what link_session_done needs of the event that */
	struct event done; /* the owner has now */
	char done_room[ROOM_NAME_MAX + 1];

	/* Has a lock of its own. */
	struct event_queue events;

	/* Guarded by `lock`. */
	struct link_session *session;
	bool woken; /* wake_fd is readable, or about to be */
	bool retry; /* the owner does not want to wait for the next try */
	enum quit quit;
	int64_t quit_deadline; /* clock_ms */

	struct lock lock;

	/* The network thread's own. */
	struct route route;         /* without a host */
	struct net_address address; /* that was connected to */
	struct finder *finder;      /* owned; NULL: it is not looked for */
	int64_t hurry_at;           /* clock_ms: not before that is what was heard heeded again */
	bool server_known;          /* it must be this one, */
	bool proven; /* and has been: it has shown the key before, to this very link */
	uint8_t server_id[IDENTITY_SIZE];
	bool met; /* this one, which could not be written into the book */
	uint8_t met_id[IDENTITY_SIZE];
	struct stream *stream; /* owned; NULL without a connection */
	uint8_t *input;        /* owned: INPUT_SIZE bytes */
	size_t input_length;
	struct link_bytes output; /* being sent */
	size_t output_sent;
	int lane_fd;          /* owned; -1: there is no lane */
	struct lane lane;     /* while there is one, as are the next two */
	uint8_t *lane_buffer; /* owned: LANE_MAX bytes */
	struct link_bytes lane_output;
	bool output_broken; /* the socket takes no more; what came may still be read */
	unsigned failures;  /* tries since the last login that held */
	int64_t down_since; /* clock_ms: start, or the end of the last login */
	unsigned code;      /* why the last try failed */
	char reason[512];
};

/* Bytes taken from the socket at once. Two of the longest frames must fit. */
#define INPUT_SIZE ((size_t)256 * 1024)

/* The network thread. The functions below are for it alone. */
void *link_thread(void *link);

/* Look the server up if need be and connect to it: `stream` is there then. ERR_STOPPING when the
 * owner leaves; any other failure has its reason noted. */
int link_connect(struct link *l, int64_t deadline);

/* On the new connection: agree on TLS, and see who the server is. Results as those of link_connect;
 * ERR_REFUSED: it is not who it should be. */
int link_secure(struct link *l, int64_t deadline);

/* A server that was found by its beacon and is away is looked for on the network: begin, unless that has
 * begun or is not wanted, and end. What to poll meanwhile (-1: nothing), and whether what came is worth a
 * try now; then `*until` (clock_ms), the time of the next one, is put forward. */
void link_follow(struct link *l);
void link_follow_end(struct link *l);
int link_follow_fd(const struct link *l);
void link_follow_heed(struct link *l, int64_t *until);

/* Open the lane that the server has given, if it has, and send what waits for it; results as
 * link_session_output. Take what has come by it. And close it, if it is open. */
int link_lane_serve(struct link *l);
void link_lane_take(struct link *l);
void link_lane_close(struct link *l);

/* Tell the owner that a server's key is met for the first time; `before`: in place of that one; or NULL. */
void link_post_met(struct link *l, const uint8_t id[IDENTITY_SIZE], const uint8_t *before);

/* Hand the session's events to the owner; the same with one more about the state. */
void link_publish(struct link *l);
void link_post_state(
	struct link *l, enum link_state state, const char *text, uint64_t number, unsigned code);

/* Note why a try failed; returns `result`. */
int link_fail(struct link *l, int result, unsigned code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The owner wants to leave, and nothing keeps us. */
bool link_must_leave(struct link *l);

/* Poll `count` descriptors and the owner's wake-up until `deadline` (clock_ms). `fds` has room for
 * one more. */
void link_wait(struct link *l, struct pollfd *fds, size_t count, int64_t deadline);

#endif
