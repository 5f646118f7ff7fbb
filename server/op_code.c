#include "server/op_code.h"

#include "common/err.h"
#include "common/folder.h"
#include "common/identity.h"
#include "common/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LETTERS (OP_CODE_SIZE - 4) /* without the dashes and the NUL: 80 bits */

struct op_code {
	/* Held while a code is used, that is during an append, so it is no lock with a rank: nothing else
	 * is held when it is taken. */
	pthread_mutex_t lock;
	char *path, *folder; /* owned, constant */
};

int op_code_new(const struct data_folder *folder, struct op_code **out)
{
	struct op_code *o = calloc(1, sizeof(*o));

	if (!o)
		return ERR_MEMORY;
	PTHREAD_OK(pthread_mutex_init(&o->lock, NULL));
	o->path = data_folder_file(folder, OP_CODE_FILE);
	o->folder = strdup(folder->path);
	if (!o->path || !o->folder) {
		op_code_free(o);
		return ERR_MEMORY;
	}
	*out = o;
	return 0;
}

void op_code_free(struct op_code *o)
{
	if (!o)
		return;
	PTHREAD_OK(pthread_mutex_destroy(&o->lock));
	free(o->path);
	free(o->folder);
	free(o);
}

/* ---- the file ---- */

static int read_file(const struct op_code *o, char out[OP_CODE_SIZE])
{
	char bytes[OP_CODE_SIZE + 1] = "";
	/* A pipe there is not waited for: it brings nothing. */
	int fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	ssize_t n = read(fd, bytes, OP_CODE_SIZE);
	(void)close(fd);
	if (n < 0)
		return ERR_SYSTEM;
	bytes[strcspn(bytes, "\n")] = '\0';
	if (strlen(bytes) != OP_CODE_SIZE - 1)
		return ERR_TEXT;
	memcpy(out, bytes, OP_CODE_SIZE);
	return 0;
}

static void invent(char out[OP_CODE_SIZE])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[LETTERS];
	size_t used = 0;

	identity_random(random, sizeof(random));
	for (size_t i = 0; i < LETTERS; i++) {
		if (i > 0 && i % 4 == 0)
			out[used++] = '-';
		out[used++] = letters[random[i] % (sizeof(letters) - 1)];
	}
	out[used] = '\0';
}

static int write_file(const struct op_code *o, const char *code)
{
	char line[OP_CODE_SIZE + 1];

	memcpy(line, code, OP_CODE_SIZE - 1);
	line[OP_CODE_SIZE - 1] = '\n';
	if (unlink(o->path) != 0 && errno != ENOENT)
		return ERR_SYSTEM;
	int fd = open(o->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_SYSTEM;
	bool good = write(fd, line, OP_CODE_SIZE) == OP_CODE_SIZE && fsync(fd) == 0;
	good = close(fd) == 0 && good;
	return good ? folder_sync(o->folder) : ERR_SYSTEM;
}

/* ---- using it ---- */

/* As codes are written, of what somebody typed: in capitals, without the dashes or with blanks. false: it
 * is none, however it is read. */
static bool read_shown(struct span shown, char out[OP_CODE_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; i < shown.length; i++) {
		char c = shown.text[i];
		if (c == '-' || c == ' ')
			continue;
		if (used == OP_CODE_SIZE - 1)
			return false;
		out[used++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		if (used % 5 == 4 && used < OP_CODE_SIZE - 1)
			out[used++] = '-';
	}
	out[used] = '\0';
	return used == OP_CODE_SIZE - 1;
}

int op_code_make(struct op_code *o, char out[OP_CODE_SIZE])
{
	char code[OP_CODE_SIZE];

	invent(code);
	PTHREAD_OK(pthread_mutex_lock(&o->lock));
	int r = write_file(o, code);
	PTHREAD_OK(pthread_mutex_unlock(&o->lock));
	if (r == 0)
		memcpy(out, code, sizeof(code));
	return r;
}

int op_code_read(struct op_code *o, char out[OP_CODE_SIZE])
{
	PTHREAD_OK(pthread_mutex_lock(&o->lock));
	int r = read_file(o, out);
	PTHREAD_OK(pthread_mutex_unlock(&o->lock));
	return r;
}

bool op_code_use(struct op_code *o, struct span shown, enum code (*then)(void *context),
	void *context, enum code *result)
{
	char code[OP_CODE_SIZE], typed[OP_CODE_SIZE];

	PTHREAD_OK(pthread_mutex_lock(&o->lock));
	bool is_it = read_shown(shown, typed) && read_file(o, code) == 0 &&
		     CRYPTO_memcmp(typed, code, OP_CODE_SIZE - 1) == 0;
	/* Gone for sure before it is of use, so that it cannot be used again, and back if it was not. */
	if (is_it && (unlink(o->path) != 0 || folder_sync(o->folder) != 0))
		*result = CODE_RESOURCES;
	else if (is_it)
		*result = then(context);
	if (is_it && *result != CODE_NONE)
		(void)write_file(o, code);
	PTHREAD_OK(pthread_mutex_unlock(&o->lock));
	return is_it;
}
