/*
 * Before anything else is said on a connection: TLS, and whether the server is the one that was met
 * before. As long as a link is there, no other one will do, remembered or not. What a user met by address is remembered under that address, what was found by its beacon
 * under the name that it announces, with a mark before it; a server's key that is known from elsewhere
 * is no news, unless the name was another one's.
 */
#include "client/link_private.h"

#include "client/address_book.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/fingerprint.h"
#include "common/log.h"
#include "common/plain_word.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* ---- the handshake ---- */

/* The server sent a frame of ours in place of TLS. It may be a word to whoever it cannot take; else it
 * does not speak TLS at all. What it says is proven by nothing. */
static int refused_plainly(struct link *l)
{
	unsigned code = plain_word(stream_fd(l->stream));

	if (code != CODE_NONE)
		return link_fail(l, ERR_CLOSED, code, "%s", code_text(code));
	return link_fail(l, ERR_REFUSED, CODE_NONE,
		"the server does not speak TLS; if it is meant not to, use --plaintext, with "
		"which anybody on the network can read along");
}

static int handshake_failed(struct link *l, int r)
{
	const char *problem = stream_problem(l->stream);

	if (r == ERR_PROTOCOL && strcmp(problem, STREAM_NOT_TLS) == 0)
		return refused_plainly(l);
	if (r == ERR_CLOSED)
		return link_fail(l, r, 0, "the server closed the connection during the handshake");
	if (r == ERR_SYSTEM)
		return link_fail(l, r, 0, "the handshake failed: %s", strerror(errno));
	return link_fail(l, r, 0, "the handshake failed: %s", *problem ? problem : err_text(r));
}

static int shake_hands(struct link *l, int64_t deadline)
{
	struct pollfd fds[2];
	int r;

	while ((r = stream_handshake(l->stream)) == ERR_AGAIN) {
		if (link_must_leave(l))
			return ERR_STOPPING;
		if (clock_ms() >= deadline)
			return link_fail(l, ERR_TIMEOUT, CODE_TIMEOUT,
				"the server took too long to agree on TLS");
		fds[0] = (struct pollfd){.fd = stream_fd(l->stream), .events = POLLIN};
		link_wait(l, fds, 1, deadline);
	}
	return r ? handshake_failed(l, r) : 0;
}

/* ---- who it is ---- */

static int changed(struct link *l, const uint8_t *before, const uint8_t *now)
{
	char old[FINGERPRINT_SIZE], new[FINGERPRINT_SIZE];

	return link_fail(l, ERR_REFUSED, CODE_NONE,
		"%s has another key than before: it was %s and is %s. Somebody may be in between, "
		"or it is another server now. If you know that it is: lanchat --forget %s",
		l->called, fingerprint(before, old), fingerprint(now, new), l->called);
}

/* Remember a server where none was known, unless another process has met one there meanwhile: then
 * ERR_EXISTS, and `found`. What cannot be written is no reason not to go on, and is remembered as long as
 * the link is there. */
static int enter(struct link *l, const uint8_t *id, uint8_t found[IDENTITY_SIZE])
{
	if (l->met) {
		memcpy(found, l->met_id, IDENTITY_SIZE);
		return ERR_EXISTS;
	}
	int r = book_meet(l->data_folder, LINK_BOOK, l->place, id, found);

	if (r == 0 || r == ERR_EXISTS)
		return r;
	log_warning("the server's key cannot be remembered in %s: %s", l->data_folder,
		r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	l->met = true;
	memcpy(l->met_id, id, sizeof(l->met_id));
	return 0;
}

/* Is it the one that is known by that name, or the first one? */
static int check_book(struct link *l, const uint8_t *id)
{
	uint8_t before[IDENTITY_SIZE];
	bool known = book_has(l->data_folder, LINK_BOOK, id);
	int r = book_find(l->data_folder, LINK_BOOK, l->place, before);

	if (r == ERR_DAMAGED)
		return link_fail(l, ERR_REFUSED, CODE_NONE,
			"a line of %s/" LINK_BOOK " is damaged, so it cannot be told whether this "
			"server has another key than before: correct that line, or remove it",
			l->data_folder);
	if (r && r != ERR_NOT_FOUND)
		return link_fail(l, ERR_REFUSED, CODE_NONE,
			"which servers are known cannot be read from %s/" LINK_BOOK ": %s",
			l->data_folder, r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	if (r == ERR_NOT_FOUND)
		r = enter(l, id, before) == ERR_EXISTS ? 0 : ERR_NOT_FOUND;
	bool another = r == 0 && memcmp(before, id, sizeof(before)) != 0;
	if (r == 0 && !another)
		return 0;
	/* A name that a beacon shows is anybody's to take. Whoever asked for it is not given another
	 * server; whoever chose from a list, or takes any, is told, and the name stays the first one's
	 * until the user says otherwise. That it has been met elsewhere makes it no other one's. */
	if (another && l->chosen)
		return changed(l, before, id);
	if (!known || another)
		link_post_met(l, id, another ? before : NULL);
	return 0;
}

/* It is not the one whose key is known from elsewhere than the book, which no --forget changes. */
static int not_the_same(struct link *l, const uint8_t *id)
{
	char old[FINGERPRINT_SIZE], new[FINGERPRINT_SIZE];

	fingerprint(l->server_id, old);
	fingerprint(id, new);
	if (!l->proven)
		return link_fail(l, ERR_REFUSED, CODE_NONE,
			"this is not the server that was announced: its key is another one (%s "
			"was announced, %s is here)",
			old, new);
	return link_fail(l, ERR_REFUSED, CODE_NONE,
		"%s has another key than before: it was %s and is %s. Somebody may be in between, "
		"or it is another server now. If you know that it is: start lanchat again",
		l->called, old, new);
}

static int check_server(struct link *l)
{
	const uint8_t *id = stream_peer(l->stream);

	if (l->server_known && memcmp(id, l->server_id, IDENTITY_SIZE) != 0)
		return not_the_same(l, id);
	lock_take(&l->lock);
	link_session_prove(l->session, id);
	lock_drop(&l->lock);
	int r = l->data_folder ? check_book(l, id) : 0;
	/* Where the book decides, the user may have it forget a key meanwhile. */
	if (r == 0 && (l->server_known || !l->data_folder)) {
		l->server_known = l->proven = true;
		memcpy(l->server_id, id, sizeof(l->server_id));
	}
	return r;
}

int link_secure(struct link *l, int64_t deadline)
{
	int r = shake_hands(l, deadline);

	if (r == 0 && l->tls)
		r = check_server(l);
	return r;
}
