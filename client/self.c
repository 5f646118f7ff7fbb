#include "client/self.h"

#include "client/address_book.h"
#include "client/link.h"
#include "client/passphrase.h"
#include "client/passport.h"
#include "client/xdg.h"
#include "common/err.h"
#include "common/file.h"
#include "common/fingerprint.h"
#include "common/tls.h"
#include "common/utf8.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define STATUS_FAILED 1

static int failure(const char *text)
{
	fprintf(stderr, "lanchat: %s\n", text);
	return STATUS_FAILED;
}

static int key_path(char path[PATH_MAX])
{
	if (xdg_path(XDG_DATA, "identity.pem", path, PATH_MAX) == 0)
		return 0;
	return failure("neither HOME nor XDG_DATA_HOME is set, so there is no place for your key; "
		       "set one of them");
}

/* The first line of the file. */
static int read_password(const char *file, char out[PASSWORD_MAX + 1])
{
	char line[PASSWORD_MAX + 3] = "";
	FILE *f = file_open(file);

	if (!f) {
		fprintf(stderr, "lanchat: cannot read the password file %s: %s\n", file,
			strerror(errno));
		return STATUS_FAILED;
	}
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	(void)fclose(f);
	size_t length = strcspn(line, "\r\n");
	bool good = length > 0 && length <= PASSWORD_MAX && utf8_is_line(line, length);
	if (good) {
		memcpy(out, line, length);
		out[length] = '\0';
	}
	OPENSSL_cleanse(line, sizeof(line));
	return good ? 0 : failure("the first line of the password file is no password");
}

int self_load(bool plaintext, const char *password_file, struct self *out)
{
	char path[PATH_MAX];

	out->password[0] = '\0';
	if (password_file && read_password(password_file, out->password) != 0)
		return STATUS_FAILED;
	if (key_path(path) != 0)
		return STATUS_FAILED;
	int r = xdg_path(XDG_DATA, "", out->folder, sizeof(out->folder));
	out->tls = NULL;
	if (r == 0)
		r = plaintext ? identity_load(path, &out->identity)
			      : tls_new(path, TLS_CLIENT, &out->identity, &out->tls);
	if (r == 0)
		return 0;
	fprintf(stderr,
		"lanchat: cannot read or make your key %s: %s; XDG_DATA_HOME can name "
		"another folder\n",
		path,
		r == ERR_SYSTEM   ? strerror(errno)
		: r == ERR_CRYPTO ? "it is no Ed25519 key"
				  : err_text(r));
	return STATUS_FAILED;
}

void self_free(struct self *self)
{
	OPENSSL_cleanse(self->password, sizeof(self->password));
	tls_free(self->tls);
	self->tls = NULL;
}

/* ---- moving ---- */

static const char *passphrase_trouble(int r)
{
	switch (r) {
	case ERR_CLOSED:
		return "no passphrase was given";
	case ERR_ARGUMENT:
		return "a passphrase of at least 8 bytes is needed, the same one twice";
	case ERR_TOO_BIG:
		return "the passphrase is too long";
	default:
		return "the passphrase cannot be read";
	}
}

static int move_failed(const char *file, const char *key, bool in, int r)
{
	if (r == ERR_EXISTS)
		fprintf(stderr, "lanchat: there is a file %s already; %s\n", in ? key : file,
			in ? "move it away first, if you want to be another person"
			   : "choose "
			     "another "
			     "name");
	else if (r == ERR_REFUSED)
		fprintf(stderr, "lanchat: that is not the passphrase of %s\n", file);
	else if (r == ERR_CRYPTO)
		fprintf(stderr, "lanchat: %s is no file of --export-identity\n", in ? file : key);
	else if (r == ERR_TOO_BIG)
		fprintf(stderr,
			"lanchat: %s asks for more work to try a passphrase (rounds of PBKDF2, "
			"cost "
			"of scrypt) than a file of --export-identity ever does\n",
			file);
	else
		fprintf(stderr, "lanchat: your key cannot be moved from %s to %s: %s\n",
			in ? file : key, in ? key : file,
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	return STATUS_FAILED;
}

/* To another machine, or from one. */
int self_move(const char *to, const char *from)
{
	char key[PATH_MAX], words[PASSPHRASE_SIZE], print[FINGERPRINT_SIZE];
	bool in = from != NULL;
	const char *file = in ? from : to;
	struct identity id;

	if (key_path(key) != 0)
		return STATUS_FAILED;
	int r = passphrase_read(words, !in);
	if (r) {
		OPENSSL_cleanse(words, sizeof(words));
		return failure(passphrase_trouble(r));
	}
	r = in ? passport_read(file, key, words, &id) : passport_write(key, file, words, &id);
	OPENSSL_cleanse(words, sizeof(words));
	if (r)
		return move_failed(file, key, in, r);
	printf("%s %s\n", in ? "you are now" : "whoever has the file and the passphrase is",
		fingerprint(id.id, print));
	return fflush(stdout) == 0 ? 0 : failure("cannot write to stdout");
}

int self_print(void)
{
	char print[FINGERPRINT_SIZE];
	struct self self;

	if (self_load(true, NULL, &self) != 0)
		return STATUS_FAILED;
	printf("%s\n", fingerprint(self.identity.id, print));
	self_free(&self);
	return fflush(stdout) == 0 ? 0 : failure("cannot write to stdout");
}

/* ---- forgetting ---- */

/* As the message says that asks for it: an address, a name, or, as versions before this one wrote
 * them, an IPv6 address with a port and no brackets. */
static int forget(const char *folder, const char *server)
{
	char beacon[SERVER_NAME_MAX + 16], host[NET_HOST_MAX], address[BOOK_ADDRESS];
	uint16_t port;
	int r = ERR_NOT_FOUND;

	if (net_parse(server, NET_PORT, host, &port) == 0)
		r = book_remove(folder, LINK_BOOK, book_address(host, port, address));
	if (r == ERR_NOT_FOUND)
		r = book_remove(folder, LINK_BOOK, server);
	if (r == ERR_NOT_FOUND) {
		snprintf(beacon, sizeof(beacon), "%s%s", LINK_BEACON, server);
		r = book_remove(folder, LINK_BOOK, beacon);
	}
	return r;
}

int self_forget(const char *server)
{
	char folder[PATH_MAX];
	int r = xdg_path(XDG_DATA, "", folder, sizeof(folder));

	if (r == 0)
		r = forget(folder, server);
	if (r == ERR_NOT_FOUND)
		return failure("no server is known by that address or name; see the file "
			       "known_servers");
	if (r) {
		fprintf(stderr, "lanchat: cannot change %s/" LINK_BOOK ": %s\n", folder,
			r == ERR_DAMAGED
				? "a line of it is damaged: correct that line, or remove it"
			: r == ERR_SYSTEM ? strerror(errno)
					  : err_text(r));
		return STATUS_FAILED;
	}
	printf("%s is forgotten; whoever answers there next is met anew\n", server);
	return 0;
}
