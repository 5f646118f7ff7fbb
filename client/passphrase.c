#include "client/passphrase.h"

#include "common/err.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One byte at a time: what follows the line belongs to somebody else. */
static int read_line(char out[PASSPHRASE_SIZE])
{
	size_t length = 0;
	char c = '\0';

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_SYSTEM;
		if (n == 0 || c == '\n')
			break;
		if (length + 1 >= PASSPHRASE_SIZE)
			return ERR_TOO_BIG;
		if (c == '\0')
			return ERR_ARGUMENT; /* it would end there */
		out[length++] = c;
	}
	out[length] = '\0';
	return length == 0 && c != '\n' ? ERR_CLOSED : 0;
}

/* Signals wait meanwhile: whoever interrupts it must not be left with a silent terminal. */
static int ask(const char *prompt, char out[PASSPHRASE_SIZE])
{
	struct termios before, silent;
	sigset_t all, old;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return ERR_SYSTEM;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	silent.c_lflag |= ICANON;
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	/* Asked for only when nothing is shown any more. */
	int r = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 ? 0 : ERR_SYSTEM;
	if (r == 0) {
		fputs(prompt, stderr);
		r = read_line(out);
	}
	int error = errno;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
	/* With ISIG off, Ctrl-C is a character: it means what it always does. */
	return r == 0 && strchr(out, '\003') ? ERR_CLOSED : r;
}

int passphrase_read(char out[PASSPHRASE_SIZE], bool fresh)
{
	bool terminal = isatty(STDIN_FILENO) == 1;
	char again[PASSPHRASE_SIZE];
	int r = terminal ? ask(fresh ? "New passphrase: " : "Passphrase: ", out) : read_line(out);

	if (r || !fresh)
		return r;
	if (strlen(out) < PASSPHRASE_LEAST)
		return ERR_ARGUMENT;
	if (!terminal)
		return 0;
	r = ask("The same again: ", again);
	if (r == 0 && strcmp(out, again) != 0)
		r = ERR_ARGUMENT;
	OPENSSL_cleanse(again, sizeof(again));
	return r;
}
