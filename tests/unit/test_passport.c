/*
 * A key on its way to another machine, and files that only look like one: above all
 * such that would keep whoever tries them busy for years.
 */
#include "client/passport.h"

#include "common/err.h"

#include <check.h>
#include <ftw.h>
#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS "correct horse"

static char folder[64];
static char ours[128], theirs[128], file[128];
static struct identity id;

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-passport-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(ours, sizeof(ours), "%s/ours.pem", folder);
	snprintf(theirs, sizeof(theirs), "%s/theirs.pem", folder);
	snprintf(file, sizeof(file), "%s/passport", folder);
	ck_assert_int_eq(identity_load(ours, &id), 0);
}

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(name);
}

static void teardown(void)
{
	(void)nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

START_TEST(test_there_and_back)
{
	struct identity out, in;

	ck_assert_int_eq(passport_write(ours, file, WORDS, &out), 0);
	ck_assert_mem_eq(out.id, id.id, IDENTITY_SIZE);
	ck_assert_int_eq(passport_read(file, theirs, "something else", &in), ERR_REFUSED);
	ck_assert_int_ne(access(theirs, F_OK), 0);
	ck_assert_int_eq(passport_read(file, theirs, WORDS, &in), 0);
	ck_assert_mem_eq(in.id, id.id, IDENTITY_SIZE);
	ck_assert_int_eq(identity_load(theirs, &in), 0);
	ck_assert_mem_eq(in.id, id.id, IDENTITY_SIZE);
}
END_TEST

/* ---- files of others ---- */

static void write_passport(X509_SIG *hidden)
{
	FILE *f = fopen(file, "we");

	ck_assert(f && hidden && PEM_write_PKCS8(f, hidden) && fclose(f) == 0);
	X509_SIG_free(hidden);
}

static X509_SIG *encrypt(X509_ALGOR *how)
{
	EVP_PKEY *key;
	struct identity same;

	ck_assert_int_eq(identity_load_key(ours, &same, &key), 0);
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	X509_SIG *hidden = PKCS8_set0_pbe(WORDS, (int)strlen(WORDS), plain, how);
	PKCS8_PRIV_KEY_INFO_free(plain);
	EVP_PKEY_free(key);
	return hidden;
}

/* Say in a file that another number of rounds was made than was. */
static void claim(X509_SIG *hidden, const char *rounds)
{
	X509_ALGOR *how;
	BIGNUM *number = NULL;

	X509_SIG_getm(hidden, &how, NULL);
	PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how->parameter);
	PBKDF2PARAM *k =
		ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), p->keyfunc->parameter);
	ck_assert(BN_dec2bn(&number, rounds) && BN_to_ASN1_INTEGER(number, k->iter));
	ck_assert_ptr_nonnull(
		ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), k, &p->keyfunc->parameter));
	ck_assert_ptr_nonnull(
		ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(PBE2PARAM), p, &how->parameter));
	BN_free(number);
	PBKDF2PARAM_free(k);
	PBE2PARAM_free(p);
}

static const struct {
	const char *rounds;
	int expected;
} claims[] = {
	{"1000000", ERR_REFUSED}, /* as it is not true, the key is another one */
	{"10000001", ERR_TOO_BIG},
	{"2147483647", ERR_TOO_BIG},
	{"18446744073709551616", ERR_TOO_BIG},
	{"0", ERR_TOO_BIG},
	{"-1", ERR_TOO_BIG},
};

START_TEST(test_rounds)
{
	struct identity in;
	X509_SIG *hidden = encrypt(PKCS5_pbe2_set(EVP_aes_256_cbc(), 2048, NULL, 16));

	claim(hidden, claims[_i].rounds);
	write_passport(hidden);
	ck_assert_int_eq(passport_read(file, theirs, WORDS, &in), claims[_i].expected);
	ck_assert_int_ne(access(theirs, F_OK), 0);
}
END_TEST

START_TEST(test_rounds_of_openssl)
{
	struct identity in;

	write_passport(encrypt(PKCS5_pbe2_set(EVP_aes_256_cbc(), 600000, NULL, 16)));
	ck_assert_int_eq(passport_read(file, theirs, WORDS, &in), 0);
	ck_assert_mem_eq(in.id, id.id, IDENTITY_SIZE);
}
END_TEST

/* Of another kind, older than PBES2: it is none of ours. */
START_TEST(test_older)
{
	struct identity in;

	write_passport(
		encrypt(PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 2048, NULL, 8)));
	ck_assert_int_eq(passport_read(file, theirs, WORDS, &in), ERR_CRYPTO);
}
END_TEST

static const struct {
	uint64_t n, r, p;
	int expected;
} costs[] = {
	{1 << 15, 8, 1, ERR_NONE},
	{1 << 10, 8, 16, ERR_NONE},
	{1 << 10, 8, 4096, ERR_TOO_BIG}, /* little memory, and all the more time */
	{1 << 16, 1, 1 << 17, ERR_TOO_BIG},
	{1 << 22, 1 << 22, 1 << 22, ERR_TOO_BIG},
};

/* What OpenSSL would not do itself is claimed: the file is made with a cost of 2. */
START_TEST(test_scrypt)
{
	unsigned char salt[16] = {1};
	struct identity in;
	X509_ALGOR *how =
		PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL, 2, 1, 1);
	X509_SIG *hidden = encrypt(how);

	X509_SIG_getm(hidden, &how, NULL);
	PBE2PARAM *p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how->parameter);
	SCRYPT_PARAMS *s =
		ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), p->keyfunc->parameter);
	ck_assert(ASN1_INTEGER_set_uint64(s->costParameter, costs[_i].n));
	ck_assert(ASN1_INTEGER_set_uint64(s->blockSize, costs[_i].r));
	ck_assert(ASN1_INTEGER_set_uint64(s->parallelizationParameter, costs[_i].p));
	ck_assert_ptr_nonnull(
		ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), s, &p->keyfunc->parameter));
	ck_assert_ptr_nonnull(
		ASN1_TYPE_pack_sequence(ASN1_ITEM_rptr(PBE2PARAM), p, &how->parameter));
	SCRYPT_PARAMS_free(s);
	PBE2PARAM_free(p);
	write_passport(hidden);
	/* Another cost makes another key, so a bearable one is only a wrong passphrase. */
	ck_assert_int_eq(passport_read(file, theirs, WORDS, &in),
		costs[_i].expected ? costs[_i].expected : ERR_REFUSED);
}
END_TEST

Suite *passport_suite(void)
{
	Suite *s = suite_create("passport");
	TCase *t = tcase_create("passport");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_there_and_back);
	tcase_add_loop_test(t, test_rounds, 0, sizeof(claims) / sizeof(claims[0]));
	tcase_add_test(t, test_rounds_of_openssl);
	tcase_add_test(t, test_older);
	tcase_add_loop_test(t, test_scrypt, 0, sizeof(costs) / sizeof(costs[0]));
	suite_add_tcase(s, t);
	return s;
}
