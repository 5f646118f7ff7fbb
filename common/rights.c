#include "common/rights.h"

#include <stddef.h>
#include <string.h>

const char *act_word(unsigned verb)
{
	switch (verb) {
#define VERB(number, NAME, word)                                                                   \
	case number:                                                                               \
		return word;
		ACT_VERBS(VERB)
#undef VERB
	default:
		return NULL;
	}
}

bool act_may_be_asked(unsigned verb)
{
	return act_word(verb) && verb != ACT_CLAIM && verb != ACT_TAKE && verb != ACT_PROVE;
}

unsigned act_verb(const char *word)
{
#define VERB(number, NAME, word_)                                                                  \
	if (strcmp(word, word_) == 0)                                                              \
		return (number);
	ACT_VERBS(VERB)
#undef VERB
	return 0;
}
