/*
 * Ids for people: the first 20 of an id's 32 bytes in base32 (RFC 4648, lower case), in groups of
 * four that two people can read to each other. 160 bits are beyond finding another key for them.
 * Pure; any thread.
 */
#ifndef LANCHAT_FINGERPRINT_H
#define LANCHAT_FINGERPRINT_H

#include "common/identity.h"

#define FINGERPRINT_SIZE 40 /* with the NUL: eight groups of four, and dashes */
#define TAG_SIZE         10 /* the first two groups, where only a few are to be told apart */

/* Both return `out`. */
char *fingerprint(const uint8_t id[IDENTITY_SIZE], char out[FINGERPRINT_SIZE]);
char *fingerprint_tag(const uint8_t id[IDENTITY_SIZE], char out[TAG_SIZE]);

#endif
