#include "server/limits.h"

#include <stddef.h>

static const struct {
	const char *name;
	enum code code;
	const char *text; /* NULL: the code's own */
} limits[LIMITS] = {
#define LIMIT(NAME, option, CODE, text) {option, CODE_##CODE, text},
#include "server/limits.def"
#undef LIMIT
};

const char *limit_name(enum limit limit)
{
	return limits[limit].name;
}

enum code limit_code(enum limit limit)
{
	return limits[limit].code;
}

const char *limit_text(enum limit limit)
{
	return limits[limit].text ? limits[limit].text : code_text(limits[limit].code);
}

enum limit limit_of_refusal(enum code code)
{
	for (unsigned i = LIMIT_MAX_CLIENTS; i <= LIMIT_MAX_FAULTS; i++) {
		if (limits[i].code == code)
			return (enum limit)i;
	}
	return LIMITS;
}
