#include "client/xdg.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *variable;
	const char *fallback; /* below the home folder */
} places[] = {
	[XDG_CONFIG] = {"XDG_CONFIG_HOME", "/.config"},
	[XDG_DATA] = {"XDG_DATA_HOME", "/.local/share"},
	[XDG_STATE] = {"XDG_STATE_HOME", "/.local/state"},
};

int xdg_path(enum xdg which, const char *name, char *out, size_t size)
{
	const char *base = getenv(places[which].variable), *below = "";

	if (!base || base[0] != '/') {
		base = getenv("HOME");
		below = places[which].fallback;
	}
	if (!base || base[0] != '/')
		return ERR_NOT_FOUND;
	int n = snprintf(NULL, 0, "%s%s/lanchat%s%s", base, below, name[0] ? "/" : "", name);
	if (n < 0 || (size_t)n >= size)
		return ERR_TOO_BIG;
	(void)snprintf(out, size, "%s%s/lanchat%s%s", base, below, name[0] ? "/" : "", name);
	return 0;
}
