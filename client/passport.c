#include "client/passport.h"

#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 16384 /* bytes; such a file has about 400 */

/* scrypt's cost: 16 MiB and a tenth of a second for each guess (RFC 7914 section 2). */
#define SCRYPT_N  (UINT64_C(1) << 14)
#define SCRYPT_R  8
#define SCRYPT_P  1
#define SALT_SIZE 16

/* The work that a file may ask for to try one passphrase, which is ours to do before we know whether it
 * is worth it: some seconds of it. Who asks for most are OWASP and 1Password with 600,000 and 650,000
 * rounds; scrypt's N * r * p is 2^17 in a file of ours, and as much as OpenSSL's memory limit lets it be
 * with p = 1 is 2^18. */
#define ROUNDS_MOST UINT64_C(10000000)
#define SCRYPT_MOST (UINT64_C(1) << 22)

/* ---- writing ---- */

static X509_SIG *encrypt(const EVP_PKEY *key, const char *passphrase)
{
	unsigned char salt[SALT_SIZE];

	identity_random(salt, sizeof(salt));
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	X509_ALGOR *how = PKCS5_pbe2_set_scrypt(
		EVP_aes_256_cbc(), salt, sizeof(salt), NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	X509_SIG *hidden = plain && how
				   ? PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), plain, how)
				   : NULL;

	/* On success `how` is part of the result. */
	if (!hidden)
		X509_ALGOR_free(how);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return hidden;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_SYSTEM;
		bytes += n;
		size -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : ERR_SYSTEM;
}

/* Whole or not at all, and never over another file. */
static int write_file(const char *to, const char *bytes, size_t size)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return errno == EEXIST ? ERR_EXISTS : ERR_SYSTEM;
	int r = write_all(fd, bytes, size);
	int error = errno;
	if (close(fd) != 0 && r == 0) {
		r = ERR_SYSTEM;
		error = errno;
	}
	if (r)
		(void)unlink(to);
	errno = error;
	return r;
}

/* The key, if the file is there: none is made. */
static int load(const char *path, struct identity *id, EVP_PKEY **key)
{
	return access(path, F_OK) == 0 ? identity_load_key(path, id, key) : ERR_SYSTEM;
}

int passport_write(const char *path, const char *to, const char *passphrase, struct identity *id)
{
	EVP_PKEY *key = NULL;
	char *text = NULL;
	int r = load(path, id, &key);

	if (r)
		return r;
	X509_SIG *hidden = encrypt(key, passphrase);
	BIO *bio = BIO_new(BIO_s_mem());
	r = ERR_CRYPTO;
	if (hidden && bio && PEM_write_bio_PKCS8(bio, hidden)) {
		long length = BIO_get_mem_data(bio, &text);
		r = write_file(to, text, (size_t)length);
	}
	int error = errno;
	BIO_free(bio);
	X509_SIG_free(hidden);
	EVP_PKEY_free(key);
	ERR_clear_error();
	errno = error;
	return r;
}

/* ---- reading ---- */

static X509_SIG *parse(const char *path, int *r)
{
	char bytes[FILE_MAX];
	FILE *f = fopen(path, "re");

	*r = ERR_SYSTEM;
	if (!f)
		return NULL;
	size_t length = fread(bytes, 1, sizeof(bytes), f);
	bool bad = ferror(f);
	int error = errno;
	(void)fclose(f);
	errno = error;
	if (bad)
		return NULL;
	BIO *bio = BIO_new_mem_buf(bytes, (int)length);
	X509_SIG *hidden = bio ? PEM_read_bio_PKCS8(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	*r = hidden ? 0 : ERR_CRYPTO;
	return hidden;
}

/* A number that is above 0 and not above `most`; 0: it is not. */
static uint64_t bounded(const ASN1_INTEGER *number, uint64_t most)
{
	uint64_t value = 0;

	if (!number || !ASN1_INTEGER_get_uint64(&value, number))
		return 0;
	return value <= most ? value : 0;
}

static bool scrypt_is_bearable(const X509_ALGOR *how)
{
	SCRYPT_PARAMS *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), how->parameter);
	bool bearable = false;

	if (p) {
		uint64_t n = bounded(p->costParameter, SCRYPT_MOST);
		uint64_t nr = n * bounded(p->blockSize, SCRYPT_MOST);
		uint64_t times = bounded(p->parallelizationParameter, SCRYPT_MOST);
		bearable = nr > 0 && times > 0 && nr <= SCRYPT_MOST / times;
	}
	SCRYPT_PARAMS_free(p);
	return bearable;
}

static bool pbkdf2_is_bearable(const X509_ALGOR *how)
{
	PBKDF2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), how->parameter);
	bool bearable = p && bounded(p->iter, ROUNDS_MOST) > 0;

	PBKDF2PARAM_free(p);
	return bearable;
}

/* Can the key for it be made of a passphrase in some seconds? PBES2 alone is read (RFC 8018 6.2), which is
 * what everything has written since 2000, and what OpenSSL has without its legacy provider. */
static int check_work(const X509_SIG *hidden)
{
	const X509_ALGOR *how = NULL;
	int r = ERR_CRYPTO;

	X509_SIG_get0(hidden, &how, NULL);
	if (OBJ_obj2nid(how->algorithm) != NID_pbes2)
		return r;
	PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how->parameter);
	int function = p ? OBJ_obj2nid(p->keyfunc->algorithm) : NID_undef;
	if (function == NID_id_pbkdf2)
		r = pbkdf2_is_bearable(p->keyfunc) ? 0 : ERR_TOO_BIG;
	else if (function == NID_id_scrypt)
		r = scrypt_is_bearable(p->keyfunc) ? 0 : ERR_TOO_BIG;
	PBE2PARAM_free(p);
	return r;
}

static int decrypt(const X509_SIG *hidden, const char *passphrase, EVP_PKEY **key)
{
	PKCS8_PRIV_KEY_INFO *plain = PKCS8_decrypt(hidden, passphrase, (int)strlen(passphrase));

	if (!plain)
		return ERR_REFUSED;
	*key = EVP_PKCS82PKEY(plain);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return *key ? 0 : ERR_CRYPTO;
}

/* Is the key that is there already the same one? */
static int compare(const char *path, const struct identity *id)
{
	struct identity there;
	EVP_PKEY *key = NULL;
	int r = load(path, &there, &key);

	EVP_PKEY_free(key);
	return r == 0 && memcmp(there.id, id->id, sizeof(there.id)) == 0 ? 0 : ERR_EXISTS;
}

int passport_read(const char *from, const char *path, const char *passphrase, struct identity *id)
{
	EVP_PKEY *key = NULL;
	int r;
	X509_SIG *hidden = parse(from, &r);

	if (r == 0)
		r = check_work(hidden);
	if (r == 0)
		r = decrypt(hidden, passphrase, &key);
	X509_SIG_free(hidden);
	ERR_clear_error();
	if (r == 0)
		r = identity_of_key(key, id);
	if (r == 0)
		r = identity_store(path, key);
	int error = errno;
	EVP_PKEY_free(key);
	if (r == ERR_EXISTS)
		r = compare(path, id);
	errno = error;
	return r;
}
