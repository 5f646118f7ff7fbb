/*
 * Which function acts on which message. The rest of what the protocol says of a
 * message, its fields, bounds and when it is legal, is in common/messages.def.
 */
#include "server/session.h"

static const struct session_row rows[] = {
	{MESSAGE_HELLO, session_on_hello},
	{MESSAGE_COMPARE, session_on_compare},
	{MESSAGE_LOGIN, session_on_login},
	{MESSAGE_PING, session_on_ping},
	{MESSAGE_PONG, session_on_pong},
	{MESSAGE_BYE, session_on_bye},
	{MESSAGE_JOIN, session_on_join},
	{MESSAGE_PART, session_on_part},
	{MESSAGE_ROOMS, session_on_rooms},
	{MESSAGE_MEMBERS, session_on_members},
	{MESSAGE_NICK, session_on_nick},
	{MESSAGE_AWAY, session_on_away},
	{MESSAGE_SAY, session_on_say},
	{MESSAGE_DIRECT, session_on_direct},
	{MESSAGE_HISTORY, session_on_history},
	{MESSAGE_SEARCH, session_on_search},
	{MESSAGE_READ, session_on_read},
	{MESSAGE_PASSWORD, session_on_password},
	{MESSAGE_ACT, session_on_act},
	{MESSAGE_CHARTER, session_on_charter},
	{MESSAGE_AUDIT, session_on_audit},
	{MESSAGE_UNLOCK, session_on_unlock},
	{MESSAGE_WHOIS, session_on_whois},
	{MESSAGE_LANE_OPEN, session_on_lane_open},
	{MESSAGE_RACE, session_on_race},
	{MESSAGE_RACE_ACCEPT, session_on_race_accept},
	{MESSAGE_PROBE, session_on_probe},
	{MESSAGE_RACE_OVER, session_on_race_over},
};

session_handler *session_handler_of(uint16_t number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].number == number)
			return rows[i].handler;
	}
	return NULL;
}
