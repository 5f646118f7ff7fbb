#include "common/identity.h"

#include "common/err.h"
#include "common/folder.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 16384 /* bytes; an Ed25519 key takes 119 */

/* ---- keys ---- */

/* OpenSSL would ask at the terminal for the password of an encrypted key. */
static int no_password(char *buffer, int size, int writing, void *unused)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)unused;
	return -1;
}

int identity_of_key(const EVP_PKEY *key, struct identity *out)
{
	unsigned char *der = NULL;
	struct identity found;
	size_t size = 0;

	if (!EVP_PKEY_is_a(key, "ED25519"))
		return ERR_CRYPTO;
	int length = i2d_PUBKEY(key, &der);
	int ok = length > 0 &&
		 EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)length, found.id, &size) == 1 &&
		 size == sizeof(found.id);
	OPENSSL_free(der);
	/* What is left in this thread's queue would be taken for the next call's error. */
	ERR_clear_error();
	if (!ok)
		return ERR_CRYPTO;
	*out = found;
	return 0;
}

/* `*key` is the caller's to free. */
static int parse(const char *pem, size_t length, struct identity *out, EVP_PKEY **key)
{
	BIO *bio = length <= INT_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
	EVP_PKEY *found = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	int r = found ? identity_of_key(found, out) : ERR_CRYPTO;
	if (r)
		EVP_PKEY_free(found);
	else
		*key = found;
	return r;
}

int identity_parse(const char *pem, size_t length, struct identity *out)
{
	EVP_PKEY *key = NULL;
	int r = parse(pem, length, out, &key);

	EVP_PKEY_free(key);
	return r;
}

/* Write a key to `fd`, as PKCS #8 in PEM, and see that it is on the disk. */
static int write_key(int fd, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
	char *text = NULL;
	int r = ERR_CRYPTO;

	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		goto done;
	long length = BIO_get_mem_data(bio, &text);
	r = ERR_SYSTEM;
	ssize_t n = write(fd, text, (size_t)length);
	if (n >= 0 && n != length)
		errno = ENOSPC; /* a file takes less than it was given only when it is full */
	if (n == length && fsync(fd) == 0)
		r = 0;
done:
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

/* ---- files ---- */

/* Give the finished file its name. ERR_EXISTS: another file has it. */
static int publish(const char *temporary, const char *path)
{
	if (link(temporary, path) == 0)
		return 0;
	/* No hard links on this file system. Where the next call is not known either, better an error
	 * than two programs with different keys. */
	if (errno != EEXIST &&
		renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? ERR_EXISTS : ERR_SYSTEM;
}

static int store_in(const char *folder, const char *path, EVP_PKEY *key)
{
	char *temporary = NULL;
	int r = folder_make(folder);

	if (r)
		return r;
	if (asprintf(&temporary, "%s/.key-XXXXXX", folder) < 0)
		return ERR_MEMORY;
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		free(temporary);
		return ERR_SYSTEM;
	}
	r = write_key(fd, key);
	if (r == 0)
		r = publish(temporary, path);
	int error = errno;
	(void)close(fd);
	(void)unlink(temporary);
	free(temporary);
	errno = error;
	return r ? r : folder_sync(folder);
}

int identity_store(const char *path, EVP_PKEY *key)
{
	char *folder = folder_of(path);

	if (!folder)
		return ERR_MEMORY;
	int r = store_in(folder, path, key);
	int error = errno;
	free(folder);
	errno = error;
	return r;
}

/* A new key, unless another program was faster: both are success. */
static int create(const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (!key) {
		ERR_clear_error();
		return ERR_CRYPTO;
	}
	int r = identity_store(path, key);
	int error = errno;
	EVP_PKEY_free(key);
	errno = error;
	return r == ERR_EXISTS ? 0 : r;
}

/* All of `fd` into `buffer`. ERR_TOO_BIG when there is more than `size` bytes. */
static int read_all(int fd, char *buffer, size_t size, size_t *length)
{
	size_t used = 0;

	for (;;) {
		char beyond;
		bool full = used == size;
		ssize_t n = read(fd, full ? &beyond : buffer + used, full ? 1 : size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_SYSTEM;
		if (n > 0 && full)
			return ERR_TOO_BIG;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	*length = used;
	return 0;
}

static int read_key(const char *path, struct identity *out, EVP_PKEY **key)
{
	char pem[KEY_FILE_MAX];
	struct stat st;
	size_t length = 0;
	int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not stop the program */

	if (fd < 0)
		return ERR_SYSTEM;
	int r = fstat(fd, &st) == 0 ? read_all(fd, pem, sizeof(pem), &length) : ERR_SYSTEM;
	int error = errno;
	(void)close(fd);
	if (r == 0)
		r = parse(pem, length, out, key);
	OPENSSL_cleanse(pem, sizeof(pem));
	if (r == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		log_warning(
			"the key %s is open to other people; make it private with chmod 600", path);
	errno = error;
	return r == ERR_TOO_BIG ? ERR_CRYPTO : r;
}

int identity_load_key(const char *path, struct identity *out, EVP_PKEY **key)
{
	/* Where libcrypto could not set itself up, for want of memory, its calls would crash. */
	if (!OSSL_LIB_CTX_get0_global_default())
		return ERR_CRYPTO;
	int r = read_key(path, out, key);
	if (r != ERR_SYSTEM || errno != ENOENT)
		return r;
	r = create(path);
	/* Read back what has the name now: the key may be another program's. */
	return r ? r : read_key(path, out, key);
}

int identity_load(const char *path, struct identity *out)
{
	EVP_PKEY *key = NULL;
	int r = identity_load_key(path, out, &key);
	int error = errno;

	EVP_PKEY_free(key);
	errno = error;
	return r;
}

/* ---- random bytes ---- */

void identity_random(void *out, size_t size)
{
	unsigned char *at = out;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			perror("getrandom");
			abort();
		}
		at += n;
		size -= (size_t)n;
	}
}
