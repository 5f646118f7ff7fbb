#include "server/admission.h"

#include "common/err.h"
#include "common/file.h"
#include "common/fingerprint.h"
#include "common/lock.h"
#include "common/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 512
#define KEYS_MOST  100000
#define HEX_DIGITS ((size_t)2 * PERSON_ID)

/* Who may come in, as the files say. */
struct files {
	bool has_password, has_keys;
	char password[PASSWORD_MAX + 1];
	char (*keys)[FINGERPRINT_SIZE]; /* owned; sorted */
	size_t key_count;
};

struct admission {
	struct lock lock;
	/* guarded by lock */
	struct files files;
};

struct admission *admission_new(void)
{
	struct admission *a = calloc(1, sizeof(*a));

	if (a)
		lock_init(&a->lock, LOCK_LEAF);
	return a;
}

static void forget(struct files *f)
{
	OPENSSL_cleanse(f->password, sizeof(f->password));
	free(f->keys);
	*f = (struct files){0};
}

void admission_free(struct admission *a)
{
	if (!a)
		return;
	forget(&a->files);
	lock_fini(&a->lock);
	free(a);
}

/* ---- the files ---- */

static FILE *open_for(const char *path, const char *what, char *error, size_t size)
{
	FILE *f = file_open(path);

	if (!f)
		(void)snprintf(
			error, size, "cannot read the %s '%s': %s", what, path, strerror(errno));
	return f;
}

static int read_password(struct files *f, const char *path, char *error, size_t size)
{
	char line[LINE_BYTES] = "";
	FILE *file = open_for(path, "password file", error, size);

	if (!file)
		return ERR_SYSTEM;
	/* Not by fgets, which does not say that there is a NUL. */
	size_t length = fread(line, 1, sizeof(line) - 1, file);
	(void)fclose(file);
	const char *end = memchr(line, '\n', length);
	if (end)
		length = (size_t)(end - line);
	if (length > 0 && line[length - 1] == '\r')
		length--;
	line[length] = '\0';
	bool good = length > 0 && length <= PASSWORD_MAX && utf8_is_line(line, length);
	if (good)
		memcpy(f->password, line, length + 1);
	else
		(void)snprintf(error, size,
			"the first line of the password file '%s' must be 1 to %d bytes of UTF-8 "
			"text",
			path, PASSWORD_MAX);
	OPENSSL_cleanse(line, sizeof(line));
	f->has_password = good;
	return good ? 0 : ERR_TEXT;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_fingerprint(const char *word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

	if (strlen(word) != FINGERPRINT_SIZE - 1)
		return false;
	for (size_t i = 0; word[i]; i++) {
		if (i % 5 == 4 ? word[i] != '-' : !strchr(letters, word[i]))
			return false;
	}
	return true;
}

/* Either way of writing a person down, as the fingerprint. */
static bool read_key(const char *word, char out[FINGERPRINT_SIZE])
{
	uint8_t id[PERSON_ID];

	if (is_fingerprint(word)) {
		memcpy(out, word, FINGERPRINT_SIZE);
		return true;
	}
	if (strlen(word) != HEX_DIGITS)
		return false;
	for (size_t i = 0; i < PERSON_ID; i++) {
		int high = digit(word[2 * i]), low = digit(word[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		id[i] = (uint8_t)(high << 4 | low);
	}
	(void)fingerprint(id, out);
	return true;
}

/* The first word of a line in lower case; empty where there is none. */
static void first_word(char *line)
{
	size_t start = strspn(line, " \t"), length = strcspn(line + start, " \t\r\n#");

	memmove(line, line + start, length);
	line[length] = '\0';
	for (size_t i = 0; i < length; i++)
		line[i] = (char)tolower((unsigned char)line[i]);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int add_key(struct files *f, const char *word)
{
	if (f->key_count == KEYS_MOST)
		return ERR_FULL;
	if ((f->key_count & (f->key_count - 1)) == 0) {
		size_t room = f->key_count ? f->key_count * 2 : 1;
		char(*keys)[FINGERPRINT_SIZE] = realloc(f->keys, room * sizeof(*keys));
		if (!keys)
			return ERR_MEMORY;
		f->keys = keys;
	}
	return read_key(word, f->keys[f->key_count]) ? (f->key_count++, 0) : ERR_TEXT;
}

static int read_keys(struct files *f, const char *path, char *error, size_t size)
{
	char line[LINE_BYTES];
	unsigned number = 0;
	int r = 0;
	FILE *file = open_for(path, "list of keys", error, size);

	if (!file)
		return ERR_SYSTEM;
	while (r == 0 && fgets(line, sizeof(line), file)) {
		number++;
		first_word(line);
		if (*line)
			r = add_key(f, line);
	}
	(void)fclose(file);
	if (r == ERR_MEMORY)
		(void)snprintf(error, size, "%s", err_text(r));
	else if (r)
		(void)snprintf(error, size,
			r == ERR_FULL ? "'%s', line %u: that are too many keys"
				      : "'%s', line %u: that is neither a fingerprint nor an id",
			path, number);
	if (f->key_count)
		qsort(f->keys, f->key_count, sizeof(*f->keys), compare_keys);
	f->has_keys = r == 0;
	return r;
}

int admission_load(struct admission *a, const char *password_file, const char *keys_file,
	char *error, size_t size)
{
	struct files files = {0};
	int r = 0;

	if (password_file)
		r = read_password(&files, password_file, error, size);
	if (r == 0 && keys_file)
		r = read_keys(&files, keys_file, error, size);
	if (r == 0) {
		lock_take(&a->lock);
		struct files old = a->files;
		a->files = files;
		lock_drop(&a->lock);
		files = old;
	}
	forget(&files);
	return r;
}

/* ---- asking ---- */

/* Takes as long however much of it is right. */
static bool is_password(const struct files *f, struct span shown)
{
	char padded[PASSWORD_MAX + 1] = "";

	if (shown.length > PASSWORD_MAX)
		return false;
	if (shown.length)
		memcpy(padded, shown.text, shown.length);
	bool same = CRYPTO_memcmp(padded, f->password, sizeof(padded)) == 0;
	OPENSSL_cleanse(padded, sizeof(padded));
	return same;
}

static bool has_key(const struct files *f, const uint8_t *person)
{
	char wanted[FINGERPRINT_SIZE];

	if (!person || f->key_count == 0)
		return false;
	(void)fingerprint(person, wanted);
	return bsearch(wanted, f->keys, f->key_count, sizeof(*f->keys), compare_keys) != NULL;
}

enum code admission_ask(struct admission *a, const uint8_t *person, struct span password)
{
	enum code code = CODE_NONE;

	if (!a)
		return CODE_NONE;
	lock_take(&a->lock);
	if (a->files.has_keys && !has_key(&a->files, person))
		code = CODE_NOT_ALLOWED;
	else if (a->files.has_password && !is_password(&a->files, password))
		code = CODE_PASSWORD;
	lock_drop(&a->lock);
	return code;
}

bool admission_has(struct admission *a, const uint8_t person[PERSON_ID])
{
	lock_take(&a->lock);
	bool has = !a->files.has_keys || has_key(&a->files, person);
	lock_drop(&a->lock);
	return has;
}

bool admission_is_for_nobody(struct admission *a)
{
	lock_take(&a->lock);
	bool nobody = a->files.has_keys && a->files.key_count == 0;
	lock_drop(&a->lock);
	return nobody;
}
