/*
 * Limits: what a peer may take, each by the name of its option.
 *
 * The table is limits.def. Where a limit stands is a setting (settings.h) and, while the
 * server runs, a part of the policy (chat.h) or of clients_limits (clients.h); here is what
 * peers are told who reach one, and what the statistics call it. Constant; any thread.
 */
#ifndef LANCHAT_SERVER_LIMITS_H
#define LANCHAT_SERVER_LIMITS_H

#include "common/message.h"

enum limit {
#define LIMIT(NAME, option, CODE, text) LIMIT_##NAME,
#include "server/limits.def"
#undef LIMIT
	LIMITS,
};

/* Its option, without the dashes. */
const char *limit_name(enum limit limit);

/* What a peer is told who reaches it; CODE_NONE where nothing is refused. */
enum code limit_code(enum limit limit);
const char *limit_text(enum limit limit);

/* The limit that a newcomer was refused for with this code; LIMITS: it was none. */
enum limit limit_of_refusal(enum code code);

#endif
