/*
 * A person's key on its way to another machine: a file that is encrypted with a passphrase.
 *
 * PKCS #8 in PEM, encrypted with AES-256-CBC under a key that scrypt makes of the passphrase, so that
 * `openssl pkey` reads it too. Sources: RFC 5208, RFC 8018 (PBES2), RFC 7914 (scrypt). One thread.
 */
#ifndef LANCHAT_PASSPORT_H
#define LANCHAT_PASSPORT_H

#include "common/identity.h"

/* Write the key of the file `path` to the new file `to` (0600); there must be one. `*id` is whose it is.
 * ERR_EXISTS: `to` is there; ERR_SYSTEM with errno, ERR_CRYPTO (it is no key), ERR_MEMORY. */
int passport_write(const char *path, const char *to, const char *passphrase, struct identity *id);

/* Make the key of such a file the one of `path`, which is not there yet. ERR_EXISTS: there is another
 * one; the same one is success. ERR_REFUSED: not with this passphrase; ERR_CRYPTO: it is no such file;
 * ERR_TOO_BIG: it asks for more work than some seconds before anybody can know whether the passphrase is
 * the right one; ERR_SYSTEM with errno, ERR_MEMORY. */
int passport_read(const char *from, const char *path, const char *passphrase, struct identity *id);

#endif
