#include "common/tls.h"

#include "common/err.h"
#include "common/stream.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_MAX 4096 /* bytes that a peer may send; ours has about 300 */

/* Valid at all times: clocks on a LAN are wrong, and the key is what counts (RFC 5280 4.1.2.5). */
#define NOT_BEFORE "19700101000000Z"
#define NOT_AFTER  "99991231235959Z"

struct tls {
	SSL_CTX *context; /* owned; constant after creation */
	enum tls_side side;
};

/* ---- the certificate ---- */

static int name_it(X509 *cert)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		       (const unsigned char *)"lanchat", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, name) == 1;
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	bool good = cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
		    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
		    ASN1_TIME_set_string(X509_getm_notBefore(cert), NOT_BEFORE) == 1 &&
		    ASN1_TIME_set_string(X509_getm_notAfter(cert), NOT_AFTER) == 1 &&
		    X509_set_pubkey(cert, key) == 1 && name_it(cert) &&
		    X509_sign(cert, key, NULL) > 0;

	if (good)
		return cert;
	X509_free(cert);
	return NULL;
}

/* ---- the context ---- */

/* Whose key it is, is seen to after the handshake; but it has to be one of ours. No chain is looked at,
 * so a peer can make us do no more than check one signature. */
static int accept_certificate(X509_STORE_CTX *store, void *unused)
{
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

	(void)unused;
	if (key && EVP_PKEY_is_a(key, "ED25519"))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM);
	return 0;
}

static bool configure(SSL_CTX *c)
{
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A call deals with one message, so that whoever sends many cannot keep us inside it. */
	SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(c, CERTIFICATE_MAX);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c, accept_certificate, NULL);
	return SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(c, 0) == 1 && SSL_CTX_set1_sigalgs_list(c, "ed25519") == 1 &&
	       SSL_CTX_set1_client_sigalgs_list(c, "ed25519") == 1 &&
	       SSL_CTX_set1_groups_list(c, "X25519") == 1 &&
	       SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") ==
		       1;
}

static int fill(struct tls *t, EVP_PKEY *key)
{
	X509 *cert = make_certificate(key);

	t->context = SSL_CTX_new(t->side == TLS_SERVER ? TLS_server_method() : TLS_client_method());
	int good = cert && t->context && configure(t->context) &&
		   SSL_CTX_use_certificate(t->context, cert) == 1 &&
		   SSL_CTX_use_PrivateKey(t->context, key) == 1;
	X509_free(cert);
	ERR_clear_error();
	return good ? 0 : ERR_CRYPTO;
}

int tls_new(const char *path, enum tls_side side, struct identity *identity, struct tls **out)
{
	struct identity found;
	EVP_PKEY *key = NULL;
	int r = identity_load_key(path, &found, &key);

	if (r)
		return r;
	r = tls_new_with(key, side, out);
	EVP_PKEY_free(key);
	if (r == 0)
		*identity = found;
	return r;
}

int tls_new_with(EVP_PKEY *key, enum tls_side side, struct tls **out)
{
	struct tls *t = calloc(1, sizeof(*t));
	int r = ERR_MEMORY;

	if (t) {
		t->side = side;
		r = fill(t, key);
	}
	if (r) {
		tls_free(t);
		return r;
	}
	*out = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->context);
	free(t);
}

/* ---- connections ---- */

SSL *tls_connection(struct tls *t)
{
	SSL *ssl = SSL_new(t->context);

	if (ssl && t->side == TLS_SERVER)
		SSL_set_accept_state(ssl);
	else if (ssl)
		SSL_set_connect_state(ssl);
	else
		ERR_clear_error();
	return ssl;
}

SSL *tls_connection_as(struct tls *t, EVP_PKEY *key)
{
	SSL *ssl = tls_connection(t);
	X509 *cert = ssl ? make_certificate(key) : NULL;

	if (cert && SSL_use_certificate(ssl, cert) == 1 && SSL_use_PrivateKey(ssl, key) == 1) {
		X509_free(cert);
		return ssl;
	}
	X509_free(cert);
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}

int tls_peer(const SSL *ssl, struct identity *out)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

	return key ? identity_of_key(key, out) : ERR_CRYPTO;
}

int tls_export(SSL *ssl, const struct stream_export *what, uint8_t *out, size_t size)
{
	if (SSL_export_keying_material(ssl, out, size, what->label, strlen(what->label),
		    what->context, what->context_size, 1) == 1)
		return 0;
	ERR_clear_error();
	return ERR_CRYPTO;
}
