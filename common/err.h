/*
 * The one list of failures.
 *
 * Every function that can fail returns 0 for success and one of these negative
 * values otherwise, and leaves its out-parameters untouched on failure. The
 * four outcomes of reading input have names of their own and are never blurred:
 * complete (0), need more (ERR_AGAIN), the peer broke the protocol
 * (ERR_PROTOCOL), the peer went away (ERR_CLOSED). ERR_SYSTEM means that errno
 * tells the rest.
 */
#ifndef LANCHAT_ERR_H
#define LANCHAT_ERR_H

enum err {
	ERR_NONE = 0,
	ERR_AGAIN = -1,      /* nothing wrong: more input, or a writable socket, is needed */
	ERR_CLOSED = -2,     /* the peer closed or reset the connection */
	ERR_PROTOCOL = -3,   /* the peer sent what the protocol does not allow */
	ERR_SYSTEM = -4,     /* a system call failed; errno is set */
	ERR_MEMORY = -5,     /* an allocation failed */
	ERR_TOO_BIG = -6,    /* longer than the limit that applies */
	ERR_TEXT = -7,       /* not clean UTF-8 text */
	ERR_ARGUMENT = -8,   /* a value that the caller may not pass */
	ERR_TIMEOUT = -9,    /* a deadline passed */
	ERR_RESOLVE = -10,   /* a host name has no address */
	ERR_REFUSED = -11,   /* the other side said no */
	ERR_NOT_FOUND = -12, /* there is no such thing */
	ERR_EXISTS = -13,    /* there is one already */
	ERR_FULL = -14,      /* a bound was reached */
	ERR_STOPPING = -15,  /* the thing asked is being shut down */
	ERR_CRYPTO = -16,    /* the crypto library failed */
	ERR_DAMAGED = -17,   /* what is stored is damaged, or not ours */
};

/* A short constant text for a code, for messages to people; never NULL. Any thread. */
const char *err_text(int code);

#endif
