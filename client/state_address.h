/*
 * Which server answered last at an address that the user typed: so that what is
 * written before the first connection of a run is kept for the right one.
 *
 * A text file, `<folder>/addresses`, a line for each address: the server's id in
 * hex, a blank, the address as it was typed. It is replaced as a whole (rename), so
 * a reader sees the old or the new one; processes that write wait for each other.
 * Nothing depends on it: a file that is lost or damaged is learned anew.
 */
#ifndef LANCHAT_STATE_ADDRESS_H
#define LANCHAT_STATE_ADDRESS_H

#include "common/identity.h"

/* ERR_NOT_FOUND: not known, or the file cannot be read. */
int state_address_find(const char *folder, const char *address, uint8_t server[IDENTITY_SIZE]);

/* Remember. ERR_SYSTEM with errno, ERR_MEMORY, ERR_TOO_BIG, ERR_ARGUMENT (not one line). */
int state_address_put(const char *folder, const char *address, const uint8_t server[IDENTITY_SIZE]);

#endif
