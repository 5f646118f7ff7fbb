#include "client/keymap.h"

#include "client/editor.h"
#include "client/keys.h"

#include <stdio.h>
#include <string.h>

#define ALT(key)     (K_ALT | (uint32_t)(key))
#define CONTROL(key) (K_CONTROL | (uint32_t)(key))
#define SHIFT(key)   (K_SHIFT | (uint32_t)(key))

/* clang-format off */
static const struct binding table[] = {
	{ACTION_SEND, 0, {K_ENTER, '\n'}, "send the line, or run the command"},
	{ACTION_NEW_LINE, 0, {ALT(K_ENTER)}, "begin another line, to send several at once"},
	{ACTION_COMPLETE, 0, {K_TAB}, "complete a nick, a room or a command; again: the next one"},
	{ACTION_COMPLETE_BACK, 0, {K_BACK_TAB}, "the completion before that"},
	{ACTION_OLDER, 0, {K_UP, CTRL('P')}, "the line sent before"},
	{ACTION_NEWER, 0, {K_DOWN, CTRL('N')}, "the line sent after, and what was being written"},

	{ACTION_BUFFER_UNREAD, 0, {ALT('a')}, "to the next room with something unread"},
	{ACTION_BUFFER_NEXT, 0, {ALT(K_RIGHT), CONTROL(K_PAGE_DOWN)}, "to the next room"},
	{ACTION_BUFFER_PREVIOUS, 0, {ALT(K_LEFT), CONTROL(K_PAGE_UP)}, "to the previous room"},
	{ACTION_BUFFER_NUMBER, 1, {ALT('1')}, "to the first room; Alt-2 to Alt-9: to the others"},
	{ACTION_BUFFER_NUMBER, 2, {ALT('2')}, NULL},
	{ACTION_BUFFER_NUMBER, 3, {ALT('3')}, NULL},
	{ACTION_BUFFER_NUMBER, 4, {ALT('4')}, NULL},
	{ACTION_BUFFER_NUMBER, 5, {ALT('5')}, NULL},
	{ACTION_BUFFER_NUMBER, 6, {ALT('6')}, NULL},
	{ACTION_BUFFER_NUMBER, 7, {ALT('7')}, NULL},
	{ACTION_BUFFER_NUMBER, 8, {ALT('8')}, NULL},
	{ACTION_BUFFER_NUMBER, 9, {ALT('9')}, NULL},
	{ACTION_BUFFER_LAST, 0, {ALT('/')}, "back to the room before this one"},

	{ACTION_PAGE_UP, 0, {K_PAGE_UP, ALT('v')}, "a page back"},
	{ACTION_PAGE_DOWN, 0, {K_PAGE_DOWN, CTRL('V')}, "a page on"},
	{ACTION_LINE_UP, 0, {SHIFT(K_UP), CONTROL(K_UP)}, "a line back"},
	{ACTION_LINE_DOWN, 0, {SHIFT(K_DOWN), CONTROL(K_DOWN)}, "a line on"},
	{ACTION_TOP, 0, {ALT('<'), ALT(K_HOME), CONTROL(K_HOME)}, "to the oldest line"},
	{ACTION_BOTTOM, 0, {ALT('>'), ALT(K_END), CONTROL(K_END)}, "to the newest line"},
	{ACTION_MARKER, 0, {ALT('u')}, "to the first line that was unread, or where you left off"},

	{ACTION_EDIT, EDIT_START, {CTRL('A'), K_HOME}, "to the start of the line"},
	{ACTION_EDIT, EDIT_END, {CTRL('E'), K_END}, "to its end"},
	{ACTION_EDIT, EDIT_BACK, {CTRL('B'), K_LEFT}, "a character back"},
	{ACTION_EDIT, EDIT_FORWARD, {CTRL('F'), K_RIGHT}, "a character on"},
	{ACTION_EDIT, EDIT_WORD_BACK, {ALT('b'), CONTROL(K_LEFT)}, "a word back"},
	{ACTION_EDIT, EDIT_WORD_FORWARD, {ALT('f'), CONTROL(K_RIGHT)}, "a word on"},
	{ACTION_EDIT, EDIT_DELETE_BACK, {K_BACKSPACE, CTRL('H')}, "delete the character before"},
	{ACTION_EDIT, EDIT_DELETE, {K_DELETE}, "delete the character under the cursor"},
	{ACTION_EDIT, EDIT_KILL_TO_END, {CTRL('K')}, "cut to the end of the line"},
	{ACTION_EDIT, EDIT_KILL_TO_START, {CTRL('U')}, "cut to its start"},
	{ACTION_EDIT, EDIT_KILL_WORD_BACK, {CTRL('W')}, "cut back to a blank"},
	{ACTION_EDIT, EDIT_KILL_NAME_BACK, {ALT(K_BACKSPACE), ALT(CTRL('H'))}, "cut the word before"},
	{ACTION_EDIT, EDIT_KILL_WORD_FORWARD, {ALT('d'), CONTROL(K_DELETE)}, "cut the word after"},
	{ACTION_EDIT, EDIT_YANK, {CTRL('Y')}, "paste what was cut"},
	{ACTION_EDIT, EDIT_YANK_POP, {ALT('y')}, "then: what was cut before that"},
	{ACTION_EDIT, EDIT_TRANSPOSE, {CTRL('T')}, "swap two characters"},
	{ACTION_EDIT, EDIT_UPPER, {ALT('U')}, "the word in capitals"},
	{ACTION_EDIT, EDIT_LOWER, {ALT('l')}, "the word in small letters"},
	{ACTION_EDIT, EDIT_CAPITAL, {ALT('c')}, "the word with a capital"},
	{ACTION_EDIT, EDIT_UNDO, {CTRL('_')}, "undo"},

	{ACTION_HELP, 0, {K_F1}, "this help; /help lists the commands"},
	{ACTION_TOGGLE_ROOMS, 0, {K_F1 + 1}, "show or hide the rooms"},
	{ACTION_TOGGLE_MEMBERS, 0, {K_F1 + 2}, "show or hide the members"},
	{ACTION_REDRAW, 0, {CTRL('L')}, "draw the screen anew"},
	{ACTION_CANCEL, 0, {K_ESCAPE, CTRL('G')}, "close what is open; to the newest line"},
	{ACTION_SUSPEND, 0, {CTRL('Z')}, "back to the shell; fg returns"},
	{ACTION_INTERRUPT, 0, {CTRL('C'), CTRL('Q')}, "empty the line; twice on an empty one: quit"},
	{ACTION_END_OF_FILE, 0, {CTRL('D')}, "delete; twice on an empty line: quit"},
};
/* clang-format on */

const struct binding *keymap_table(size_t *count)
{
	*count = sizeof table / sizeof table[0];
	return table;
}

const struct binding *keymap_find(uint32_t key)
{
	if (key == 0)
		return NULL;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		for (size_t j = 0; j < KEYMAP_KEYS; j++) {
			if (table[i].keys[j] == key)
				return &table[i];
		}
	}
	return NULL;
}

char *keymap_print(const struct binding *b, char *out, size_t size)
{
	char names[KEYMAP_KEYS * (KEYS_NAME_MAX + 2)] = "", name[KEYS_NAME_MAX];
	size_t used = 0;

	for (size_t i = 0; i < KEYMAP_KEYS && b->keys[i] != 0; i++) {
		if (b->keys[i] == '\n')
			continue;
		int n = snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
			keys_name(b->keys[i], name));
		used += n > 0 ? (size_t)n : 0;
	}
	(void)snprintf(out, size, "%-*s%s", KEYMAP_HELP_COLUMN, names, b->help ? b->help : "");
	return out;
}
