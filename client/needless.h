/*
 * Needless acts: those that would change nothing, as far as is surely known.
 *
 * What a room's charter says is known while no act was heard of since the server
 * told it; in a room so large that the server tells less, and of what only moderators
 * are told, nothing is. Pure; any thread.
 */
#ifndef LANCHAT_NEEDLESS_H
#define LANCHAT_NEEDLESS_H

#include "client/model.h"

#include <stdbool.h>
#include <stddef.h>

#define NEEDLESS_SIZE 256 /* bytes that each sentence fits into */

/* Would the act change nothing in the room at this time (microseconds since 1970)? Then `out` is a
 * sentence that says so. False: it would, or that is not known. */
bool needless_act(const struct model *m, const struct buffer *room, const struct link_act *a,
	uint64_t now, char out[NEEDLESS_SIZE]);

#endif
