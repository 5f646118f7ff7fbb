/*
 * A descriptor that one thread makes readable to wake another out of poll.
 *
 * Signals before it is cleared count as one. An eventfd(2): signalling never
 * blocks and never fails. Any thread may call these.
 */
#ifndef LANCHAT_WAKEUP_H
#define LANCHAT_WAKEUP_H

/* The descriptor is the caller's to close. ERR_SYSTEM. */
int wakeup_open(int *fd);

/* Make it readable, or no longer. errno is kept. */
void wakeup_signal(int fd);
void wakeup_clear(int fd);

#endif
