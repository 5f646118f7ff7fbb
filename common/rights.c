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

unsigned act_verb(const char *word)
{
#define VERB(number, NAME, word_)                                                                  \
	if (strcmp(word, word_) == 0)                                                              \
		return (number);
	ACT_VERBS(VERB)
#undef VERB
	return 0;
}
