/*
 * A descriptor that becomes readable when the machine wakes from sleep, after
 * which nothing that was known about the network need hold.
 *
 * It is a timer far in the future that the kernel cancels when the wall clock is
 * set (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)), which waking does. So does an
 * administrator who sets the clock; looking at the network anew then does no harm.
 * For one thread.
 */
#ifndef LANCHAT_RESUME_H
#define LANCHAT_RESUME_H

#include <stdbool.h>

/* The descriptor is the caller's to close. ERR_SYSTEM. */
int resume_watch(int *fd);

/* True when the machine woke since the last call; waits for the next time then. */
bool resume_happened(int fd);

#endif
