/*
 * Where the client's files are: the XDG base directories.
 *
 * $XDG_CONFIG_HOME, $XDG_DATA_HOME and $XDG_STATE_HOME name them; what is not set
 * or not an absolute path is ~/.config, ~/.local/share and ~/.local/state. Nothing
 * is made here. Any thread, as long as none changes the environment.
 *
 * Source: XDG Base Directory Specification 0.8.
 */
#ifndef LANCHAT_XDG_H
#define LANCHAT_XDG_H

#include <stddef.h>

enum xdg {
	XDG_CONFIG,
	XDG_DATA,
	XDG_STATE,
};

/* The path of `name` in lanchat's folder there; an empty name: the folder itself. ERR_NOT_FOUND: the
 * environment names no place. ERR_TOO_BIG. */
int xdg_path(enum xdg which, const char *name, char *out, size_t size);

#endif
