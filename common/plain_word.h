/*
 * What a server says in the clear to whoever expects TLS of it: that it cannot take them now. The
 * server has no time for a handshake then. What it says is proven by nothing.
 */
#ifndef LANCHAT_PLAIN_WORD_H
#define LANCHAT_PLAIN_WORD_H

/* Read it from a connection whose handshake has failed with STREAM_NOT_TLS: the code of what a server says
 * to a newcomer that it cannot take; CODE_NONE: it is nothing of the kind, and the other side does not speak
 * TLS. One thread. */
unsigned plain_word(int fd);

#endif
