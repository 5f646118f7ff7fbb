/*
 * Who somebody is: the SHA-256 of an Ed25519 public key.
 *
 * The key is made when it is first needed and kept in a PEM file of mode 0600,
 * created whole or not at all, so that several programs started at once agree on
 * one. OpenSSL does the cryptography. Sources: RFC 8410 (Ed25519 in SPKI and
 * PKCS #8), openssl EVP_PKEY(7). Called at start-up, by one thread.
 */
#ifndef LANCHAT_IDENTITY_H
#define LANCHAT_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#define IDENTITY_SIZE 32

struct evp_pkey_st;

struct identity {
	uint8_t id[IDENTITY_SIZE]; /* SHA-256 of the DER SubjectPublicKeyInfo */
};

/* Read the key file `path`, or make it (and the folders above it, 0700) when there is none.
 * ERR_SYSTEM with errno: the file or folder; ERR_CRYPTO: not an Ed25519 key; ERR_MEMORY. A file that
 * is there is never changed. Logs a warning when others may read it. */
int identity_load(const char *path, struct identity *out);

/* The same, and the key itself, which is the caller's to free (EVP_PKEY_free). */
int identity_load_key(const char *path, struct identity *out, struct evp_pkey_st **key);

/* Write a key to the new file `path`, whole or not at all, with the folders above it. ERR_EXISTS: there
 * is a file; ERR_SYSTEM with errno, ERR_CRYPTO, ERR_MEMORY. */
int identity_store(const char *path, struct evp_pkey_st *key);

/* The id of an Ed25519 key, whose private part need not be there. ERR_CRYPTO. */
int identity_of_key(const struct evp_pkey_st *key, struct identity *out);

/* The id of a key file's contents, for tests and imports; ERR_CRYPTO. */
int identity_parse(const char *pem, size_t length, struct identity *out);

/* `size` random bytes from the kernel. Aborts if there are none, which getrandom(2) rules out. */
void identity_random(void *out, size_t size);

#endif
