/*
 * Asking for a passphrase: at the terminal, without showing it, or from stdin where that is none. One
 * thread, before there is a screen.
 */
#ifndef LANCHAT_PASSPHRASE_H
#define LANCHAT_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#define PASSPHRASE_LEAST 8    /* bytes of a new one */
#define PASSPHRASE_SIZE  1024 /* with the NUL */

/* A line without its end. `fresh`: a new one, which must be long enough, and at a terminal is asked for
 * twice. ERR_CLOSED: there was none; ERR_TOO_BIG; ERR_ARGUMENT: too short, or not the same twice;
 * ERR_SYSTEM with errno. The caller wipes `out` (OPENSSL_cleanse). */
int passphrase_read(char out[PASSPHRASE_SIZE], bool fresh);

#endif
