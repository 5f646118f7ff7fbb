/*
 * The server wants a password that it was not given, or has refused the one that it was: a box asks for
 * it. What is typed is in t->password alone, goes to the link and into the keyring, and is wiped; no
 * line of the box, of the model or of what is recalled ever has it.
 */
#include "client/talk_private.h"

#include "client/keys.h"
#include "common/err.h"
#include "common/utf8.h"

#include <string.h>

#define CURSOR "_"

void talk_password_event(struct talk *t, const struct event *e)
{
	if (e->type != EVENT_STATE || e->state != LINK_FAILED || e->code != CODE_PASSWORD)
		return;
	keyring_forget(t->passwords, t->place);
	t->password_wanted = true;
}

/* ---- the box ---- */

static void open_box(struct talk *t)
{
	char bullets[HIDDEN_SHOWN];

	talk_close_box(t);
	talk_add_line(t, "%s",
		t->password_shown ? "That is not the password of this server."
				  : "This server wants a password.");
	if (t->model.plaintext)
		talk_add_line(t, "The connection is not encrypted: others on the network can read "
				 "what you send.");
	talk_add_line(t, "%s", "");
	talk_add_line(t, "> %s%s", hidden_print(&t->password, bullets), CURSOR);
	t->overlay = OVERLAY_PASSWORD;
}

void talk_ask_password(struct talk *t)
{
	if (!t->password_wanted || t->overlay != OVERLAY_NONE)
		return;
	t->password_wanted = false;
	open_box(t);
}

static void close_box(struct talk *t)
{
	hidden_wipe(&t->password);
	talk_close_box(t);
}

/* ---- answers ---- */

static void give(struct talk *t)
{
	if (t->password.length == 0) {
		talk_hint(t, "Type the password, or press Esc to give up.");
		return;
	}
	int err = link_password(t->link, t->password.text);
	if (err < 0) {
		talk_hint(t, err_text(err));
		return;
	}
	keyring_put(t->passwords, t->place, t->password.text);
	t->password_shown = true;
	close_box(t);
}

static void give_up(struct talk *t)
{
	close_box(t);
	t->password_shown = false;
	talk_say(t, LINE_ERROR,
		"Without its password, this server lets nobody in. /connect asks for it again; "
		"/discover lists the servers on this network.");
	if (model_set(&t->model.state_text,
		    "this server wants a password, and was given none; choosing it again asks "
		    "again") < 0)
		talk_hint(t, err_text(ERR_MEMORY));
	talk_despair(t);
}

static void add(struct talk *t, const char *bytes, size_t length)
{
	int err = hidden_add(&t->password, bytes, length);

	if (err == ERR_TOO_BIG)
		talk_hint(t, "No password is so long.");
	else if (err < 0)
		talk_hint(t, "That cannot be in a password.");
}

static void type(struct talk *t, uint32_t key)
{
	char bytes[4];

	if (key >= 0x20 && key < 0x110000 && utf8_is_clean(key))
		add(t, bytes, utf8_encode(key, bytes));
	explicit_bzero(bytes, sizeof bytes);
}

void talk_password_key(struct talk *t, uint32_t key)
{
	switch (key) {
	case K_ENTER:
		give(t);
		return;
	case K_ESCAPE:
	case CTRL('C'):
	case CTRL('G'):
		give_up(t);
		return;
	case K_BACKSPACE:
	case CTRL('H'):
		(void)hidden_back(&t->password);
		break;
	case CTRL('U'):
	case CTRL('W'):
		hidden_wipe(&t->password);
		break;
	default:
		type(t, key);
		break;
	}
	open_box(t);
}

void talk_password_paste(struct talk *t, const struct input *in)
{
	size_t length = in->paste_length;

	/* A line is often copied with its end. */
	if (length > 0 && in->paste[length - 1] == '\n')
		length--;
	add(t, in->paste, length);
	open_box(t);
}
