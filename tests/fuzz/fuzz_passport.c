/*
 * A person's key in a file: what was written is read back as the same key, and
 * what somebody else made up costs little and leaves nothing.
 *
 * Input: a byte that says what is done; a passphrase's length and the passphrase;
 * then, as that byte says, a file, its DER without the wrapping of PEM, or changes
 * to a file that was written: a place and a byte for each.
 *
 * About: client/passport.c
 */
#include "client/passport.h"

#include "common/err.h"
#include "tests/fuzz/require.h"

#include <fcntl.h>
#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MOST 64
#define FILE_MOST  20000

static char folder[256];
static char own[300], passport[300],
	taken[300]; /* files: our key; it on its way; where it comes in */
static struct identity me;

/* ---- what takes long on purpose, made short ---- */

#define ROUNDS_REAL 5000
#define ROUNDS_MOST 10000000
#define COST_REAL   1024
#define COST_MOST   (1 << 22)

X509_ALGOR *__real_PKCS5_pbe2_set_scrypt(const EVP_CIPHER *cipher, const unsigned char *salt,
	int salt_length, unsigned char *iv, uint64_t n, uint64_t r, uint64_t p);
X509_ALGOR *__wrap_PKCS5_pbe2_set_scrypt(const EVP_CIPHER *cipher, const unsigned char *salt,
	int salt_length, unsigned char *iv, uint64_t n, uint64_t r, uint64_t p);
X509_ALGOR *__wrap_PKCS5_pbe2_set_scrypt(const EVP_CIPHER *cipher, const unsigned char *salt,
	int salt_length, unsigned char *iv, uint64_t n, uint64_t r, uint64_t p)
{
	REQUIRE(n * r * p >= 1 << 17);
	return __real_PKCS5_pbe2_set_scrypt(cipher, salt, salt_length, iv, 16, 1, 1);
}

/* How much work a file asks for, compared with what is bearable; that it be more is a mistake. */
static bool is_cheap(const X509_SIG *hidden)
{
	const X509_ALGOR *how;
	bool cheap = false;

	X509_SIG_get0(hidden, &how, NULL);
	PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how->parameter);
	REQUIRE(p);
	const ASN1_TYPE *parameter = p->keyfunc->parameter;
	if (OBJ_obj2nid(p->keyfunc->algorithm) == NID_id_pbkdf2) {
		PBKDF2PARAM *k = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), parameter);
		REQUIRE(k && ASN1_INTEGER_get(k->iter) <= ROUNDS_MOST);
		cheap = ASN1_INTEGER_get(k->iter) <= ROUNDS_REAL;
		PBKDF2PARAM_free(k);
	} else {
		SCRYPT_PARAMS *s =
			ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), parameter);
		REQUIRE(s);
		double cost = (double)ASN1_INTEGER_get(s->costParameter) *
			      (double)ASN1_INTEGER_get(s->blockSize) *
			      (double)ASN1_INTEGER_get(s->parallelizationParameter);
		REQUIRE(cost <= COST_MOST);
		cheap = cost <= COST_REAL;
		SCRYPT_PARAMS_free(s);
	}
	PBE2PARAM_free(p);
	return cheap;
}

PKCS8_PRIV_KEY_INFO *__real_PKCS8_decrypt(const X509_SIG *hidden, const char *words, int length);
PKCS8_PRIV_KEY_INFO *__wrap_PKCS8_decrypt(const X509_SIG *hidden, const char *words, int length);
PKCS8_PRIV_KEY_INFO *__wrap_PKCS8_decrypt(const X509_SIG *hidden, const char *words, int length)
{
	return is_cheap(hidden) ? __real_PKCS8_decrypt(hidden, words, length) : NULL;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

/* ---- the surroundings ---- */

static void remove_folder(void)
{
	(void)unlink(own);
	(void)unlink(passport);
	(void)unlink(taken);
	(void)rmdir(folder);
}

static void make_folder(void)
{
	const char *parent = getenv("TMPDIR");

	if (folder[0])
		return;
	snprintf(folder, sizeof(folder), "%.200s/lanchat-keys-XXXXXX", parent ? parent : "/tmp");
	REQUIRE(mkdtemp(folder) && atexit(remove_folder) == 0);
	snprintf(own, sizeof(own), "%s/own", folder);
	snprintf(passport, sizeof(passport), "%s/passport", folder);
	snprintf(taken, sizeof(taken), "%s/taken", folder);
	REQUIRE(identity_load(own, &me) == 0);
}

static void write_file(const void *bytes, size_t size)
{
	int fd = open(passport, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static void write_pem(const uint8_t *der, size_t size)
{
	FILE *f = fopen(passport, "we");

	REQUIRE(f);
	REQUIRE(PEM_write(f, PEM_STRING_PKCS8, "", der, (long)size) > 0);
	REQUIRE(fclose(f) == 0);
}

/* ---- the target ---- */

static void check_import(const char *words)
{
	struct identity id, again;

	int r = passport_read(passport, taken, words, &id);
	REQUIRE(r == 0 || r == ERR_REFUSED || r == ERR_CRYPTO || r == ERR_TOO_BIG);
	if (r) {
		REQUIRE(access(taken, F_OK) != 0);
		return;
	}
	REQUIRE(identity_load(taken, &again) == 0);
	REQUIRE(memcmp(id.id, again.id, IDENTITY_SIZE) == 0);
	REQUIRE(passport_read(passport, taken, words, &again) == 0);
	REQUIRE(memcmp(id.id, again.id, IDENTITY_SIZE) == 0);
	PLANTED(memcmp(id.id, me.id, IDENTITY_SIZE) == 0 && says_bugs(words, strlen(words)));
	REQUIRE(unlink(taken) == 0);
}

static void export(const char *words)
{
	struct identity id;

	(void)unlink(passport);
	REQUIRE(passport_write(own, passport, words, &id) == 0);
	REQUIRE(memcmp(id.id, me.id, IDENTITY_SIZE) == 0);
	REQUIRE(passport_write(own, passport, words, &id) == ERR_EXISTS);
}

static void check_export(const char *words)
{
	struct identity id;

	export(words);
	REQUIRE(passport_read(passport, taken, words, &id) == 0);
	REQUIRE(memcmp(id.id, me.id, IDENTITY_SIZE) == 0);
	check_import(words);
	(void)unlink(taken);
}

static void check_changed(const char *words, const uint8_t *changes, size_t size)
{
	char bytes[1024];

	export(words);
	int fd = open(passport, O_RDWR | O_CLOEXEC);
	ssize_t length = read(fd, bytes, sizeof(bytes));
	REQUIRE(length > 0 && (size_t)length < sizeof(bytes));
	for (; size >= 3; changes += 3, size -= 3) {
		size_t at = (changes[0] * (size_t)256 + changes[1]) % (size_t)length;
		REQUIRE(pwrite(fd, &changes[2], 1, (off_t)at) == 1);
	}
	(void)close(fd);
	check_import(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char words[WORDS_MOST + 1];

	if (size < 2 || size > FILE_MOST)
		return 0;
	size_t length = data[1] % (WORDS_MOST + 1);
	if (length > size - 2)
		return 0;
	memcpy(words, data + 2, length);
	words[length] = '\0';
	make_folder();
	const uint8_t *rest = data + 2 + length;
	size -= 2 + length;
	switch (data[0] % 4) {
	case 0:
		write_file(rest, size);
		check_import(words);
		break;
	case 1:
		if (size == 0)
			break;
		write_pem(rest, size);
		check_import(words);
		break;
	case 2:
		check_export(words);
		break;
	default:
		check_changed(words, rest, size);
		break;
	}
	return 0;
}
