#include "server/tree.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A key on its way down the tree, and the lowest higher thing that it has met. */
struct descent {
	const struct tree *tree;
	const void *key;
	const void **after;
};

void *tree_find(const struct tree *t, const void *key)
{
	void *found = tfind(key, &t->root, t->compare);

	return found ? *(void **)found : NULL;
}

/* Never equal, so that the descent goes on to the bottom. tfind hands over what it looks for first,
 * as every C library does. */
static int descend(const void *a, const void *b)
{
	const struct descent *d = a;

	if (d->tree->compare(d->key, b) >= 0)
		return 1;
	*d->after = b;
	return -1;
}

void *tree_after(const struct tree *t, const void *key)
{
	const void *after = NULL;
	const struct descent d = {.tree = t, .key = key, .after = &after};

	(void)tfind(&d, &t->root, descend);
	/* What was compared with is the thing itself, which begins with its key. */
	return (void *)(uintptr_t)after;
}

bool tree_put(struct tree *t, void *thing)
{
	return tsearch(thing, &t->root, t->compare) != NULL;
}

void *tree_add(struct tree *t, const void *key, size_t key_size, size_t size)
{
	void *made = calloc(1, size);

	if (!made)
		return NULL;
	memcpy(made, key, key_size);
	if (!tree_put(t, made)) {
		free(made);
		return NULL;
	}
	return made;
}

void tree_remove(struct tree *t, const void *thing)
{
	(void)tdelete(thing, &t->root, t->compare);
}
