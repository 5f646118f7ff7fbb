/*
 * TLS as lanchat uses it: version 1.3 alone, both sides with a self-signed Ed25519
 * certificate, and nobody trusted but by key.
 *
 * A certificate says nothing here except which key its owner has: it is made anew, in
 * memory, at each start, and any that is well formed is accepted. What a peer has proven
 * when the handshake is over is that it has the key of a certain id (identity.h); whether
 * that is who was expected is for the caller to see. The handshake's own check of the
 * signature is OpenSSL's and is never replaced.
 *
 * No sessions are resumed, no data is sent early, and a certificate may have 4 KiB.
 * Sources: RFC 8446 (TLS 1.3), RFC 8410 (Ed25519 in certificates), openssl
 * SSL_CTX_new(3), SSL_CTX_set_cert_verify_callback(3), SSL_export_keying_material(3).
 */
#ifndef LANCHAT_TLS_H
#define LANCHAT_TLS_H

#include "common/identity.h"

struct evp_pkey_st;
struct ssl_st;
struct stream_export;
struct tls;

enum tls_side {
	TLS_CLIENT,
	TLS_SERVER,
};

/* With the key of the file `path` (identity_load, which makes it if there is none), whose id is
 * `*identity` then. ERR_SYSTEM with errno, ERR_CRYPTO, ERR_MEMORY. */
int tls_new(const char *path, enum tls_side side, struct identity *identity, struct tls **out);

/* With a key that the caller has, and keeps. ERR_CRYPTO, ERR_MEMORY. */
int tls_new_with(struct evp_pkey_st *key, enum tls_side side, struct tls **out);

/* Streams that were made of it must be gone. NULL is allowed. */
void tls_free(struct tls *t);

/* A connection's state, which the caller frees (SSL_free). Any thread. NULL: no memory. */
struct ssl_st *tls_connection(struct tls *t);

/* The same for somebody else, with a key of their own: many people in one program. */
struct ssl_st *tls_connection_as(struct tls *t, struct evp_pkey_st *key);

/* The id of the key that the peer has proven to have. After the handshake. ERR_CRYPTO. */
int tls_peer(const struct ssl_st *ssl, struct identity *out);

/* Keys of the connection's for another purpose (stream.h). After the handshake. ERR_CRYPTO. */
int tls_export(struct ssl_st *ssl, const struct stream_export *what, uint8_t *out, size_t size);

#endif
