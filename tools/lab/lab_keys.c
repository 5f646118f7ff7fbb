#include "tools/lab/lab_keys.h"

#include "client/keys.h"
#include "tools/lab/knobs.h"

#include <stdio.h>

/* clang-format off */
static const struct lab_binding table[] = {
	{LAB_UP, 0, LAB_ANYWHERE, {K_UP}, "a line up; in a list k too"},
	{LAB_UP, 0, LAB_IN_MENU | LAB_IN_HELP, {'k'}, NULL},
	{LAB_DOWN, 0, LAB_ANYWHERE, {K_DOWN}, "a line down; in a list j too"},
	{LAB_DOWN, 0, LAB_IN_MENU | LAB_IN_HELP, {'j'}, NULL},
	{LAB_PAGE_UP, 0, LAB_ANYWHERE, {K_PAGE_UP}, "a page up"},
	{LAB_PAGE_DOWN, 0, LAB_ANYWHERE, {K_PAGE_DOWN}, "a page down"},
	{LAB_TOP, 0, LAB_ANYWHERE, {K_HOME, '<'}, "to the first line"},
	{LAB_BOTTOM, 0, LAB_ANYWHERE, {K_END, '>'}, "to the last line, and on with what comes"},

	{LAB_CHOOSE, 0, LAB_IN_MENU, {K_ENTER, '\n'}, "play the scenario that is chosen"},
	{LAB_CHOOSE, 1, LAB_IN_MENU, {' '}, "the same, but it stands still before the first packet"},
	{LAB_DIGIT, 0, LAB_IN_MENU, {'0'}, "to 9: choose a scenario by its number"},
	{LAB_DIGIT, 1, LAB_IN_MENU, {'1'}, NULL},
	{LAB_DIGIT, 2, LAB_IN_MENU, {'2'}, NULL},
	{LAB_DIGIT, 3, LAB_IN_MENU, {'3'}, NULL},
	{LAB_DIGIT, 4, LAB_IN_MENU, {'4'}, NULL},
	{LAB_DIGIT, 5, LAB_IN_MENU, {'5'}, NULL},
	{LAB_DIGIT, 6, LAB_IN_MENU, {'6'}, NULL},
	{LAB_DIGIT, 7, LAB_IN_MENU, {'7'}, NULL},
	{LAB_DIGIT, 8, LAB_IN_MENU, {'8'}, NULL},
	{LAB_DIGIT, 9, LAB_IN_MENU, {'9'}, NULL},
	{LAB_ALL, 0, LAB_IN_MENU, {'a'}, "the results of all, played unseen one by one; Esc ends that"},

	{LAB_NEXT_PANE, 0, LAB_IN_RUN, {K_TAB}, "choose the next pane, which the keys above scroll"},
	{LAB_PREVIOUS_PANE, 0, LAB_IN_RUN, {K_BACK_TAB}, "the pane before"},
	{LAB_ALONE, 0, LAB_IN_RUN, {'z', K_ENTER, '\n'}, "the chosen pane alone, or all of them again"},
	{LAB_PAUSE, 0, LAB_IN_RUN, {' '}, "the wire stands still, also after r and n, or goes on"},
	{LAB_STEP, 0, LAB_IN_RUN, {'.'}, "let the next packet arrive, and stand still again"},
	{LAB_DROP, 0, LAB_IN_RUN, {'d'}, "drop the next packet with data, of the side that is chosen"},
	{LAB_SLOWER, 0, LAB_IN_RUN, {'-'}, "everything takes longer; not the kernels' own clocks"},
	{LAB_FASTER, 0, LAB_IN_RUN, {'+', '='}, "or less long"},
	{LAB_AGAIN, 0, LAB_IN_RUN, {'r'}, "once more, with the same chances"},
	{LAB_NEW_SEED, 0, LAB_IN_RUN, {'n'}, "once more, with others"},
	{LAB_LESS, KNOB_LOSS, LAB_IN_RUN, {'l'}, NULL},
	{LAB_MORE, KNOB_LOSS, LAB_IN_RUN, {'L'}, NULL},
	{LAB_LESS, KNOB_DELAY, LAB_IN_RUN, {'e'}, NULL},
	{LAB_MORE, KNOB_DELAY, LAB_IN_RUN, {'E'}, NULL},
	{LAB_LESS, KNOB_JITTER, LAB_IN_RUN, {'j'}, NULL},
	{LAB_MORE, KNOB_JITTER, LAB_IN_RUN, {'J'}, NULL},
	{LAB_LESS, KNOB_REORDER, LAB_IN_RUN, {'o'}, NULL},
	{LAB_MORE, KNOB_REORDER, LAB_IN_RUN, {'O'}, NULL},
	{LAB_LESS, KNOB_DUPLICATE, LAB_IN_RUN, {'t'}, NULL},
	{LAB_MORE, KNOB_DUPLICATE, LAB_IN_RUN, {'T'}, NULL},
	{LAB_LESS, KNOB_RATE, LAB_IN_RUN, {'b'}, NULL},
	{LAB_MORE, KNOB_RATE, LAB_IN_RUN, {'B'}, NULL},
	{LAB_LESS, KNOB_QUEUE, LAB_IN_RUN, {'u'}, NULL},
	{LAB_MORE, KNOB_QUEUE, LAB_IN_RUN, {'U'}, NULL},
	{LAB_LESS, KNOB_MTU, LAB_IN_RUN, {'m'}, NULL},
	{LAB_MORE, KNOB_MTU, LAB_IN_RUN, {'M'}, NULL},
	{LAB_RESET, 0, LAB_IN_RUN, {'0'}, "the network as the scenario has it"},
	{LAB_TYPE, 0, LAB_IN_RUN, {'i'}, "in the chat: type what somebody says, until Esc"},

	{LAB_HELP, 0, LAB_ANYWHERE, {'?', K_F1}, "what all this is"},
	{LAB_BACK, 0, LAB_IN_RUN | LAB_IN_HELP, {K_ESCAPE, 'q'}, "back"},
	{LAB_BACK, 0, LAB_IN_MENU, {K_ESCAPE}, NULL},
	{LAB_QUIT, 0, LAB_IN_MENU, {'q'}, "quit"},
	{LAB_QUIT, 0, LAB_ANYWHERE, {CTRL('C')}, "quit, from anywhere"},
	{LAB_REDRAW, 0, LAB_ANYWHERE, {CTRL('L')}, "draw the screen anew"},
	{LAB_SUSPEND, 0, LAB_ANYWHERE, {CTRL('Z')}, "back to the shell; fg returns"},
};
/* clang-format on */

const struct lab_binding *lab_keys_table(size_t *count)
{
	*count = sizeof(table) / sizeof(table[0]);
	return table;
}

const struct lab_binding *lab_keys_find(uint32_t key, unsigned where)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && key != 0; i++) {
		if (!(table[i].where & where))
			continue;
		for (size_t k = 0; k < LAB_KEYS_EACH; k++) {
			if (table[i].keys[k] == key)
				return &table[i];
		}
	}
	return NULL;
}

char *lab_keys_print(const struct lab_binding *b, char *out, size_t size)
{
	char names[LAB_KEYS_EACH * (KEYS_NAME_MAX + 2)] = "", name[KEYS_NAME_MAX];
	size_t used = 0;

	for (size_t i = 0; i < LAB_KEYS_EACH && b->keys[i] != 0; i++) {
		if (b->keys[i] == '\n' || b->keys[i] == '=')
			continue;
		int n = snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "",
			keys_name(b->keys[i], name));
		used += n > 0 ? (size_t)n : 0;
	}
	(void)snprintf(out, size, "%-*s%s", LAB_KEYS_HELP_COLUMN, names, b->help ? b->help : "");
	return out;
}
