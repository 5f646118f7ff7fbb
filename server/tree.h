/*
 * A tree: things in the order of their keys, over tsearch(3).
 *
 * A thing begins with its key, so a pointer to either serves for comparing. The tree
 * knows things that others own: whoever removes one frees it. One thing may be in several.
 *
 * Not locked. Looking things up changes nothing, so several threads may do it at once.
 */
#ifndef LANCHAT_SERVER_TREE_H
#define LANCHAT_SERVER_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct tree {
	void *root;                                 /* NULL: empty, so a zeroed tree is */
	int (*compare)(const void *, const void *); /* of keys, or of things; constant */
};

/* The thing with this key; NULL. */
void *tree_find(const struct tree *t, const void *key);

/* The first thing whose key is higher, whether or not there is one with this key; NULL. */
void *tree_after(const struct tree *t, const void *key);

/* Make a thing of `size` cleared bytes that begins with `key`, which must be a new one, of
 * `key_size` bytes; it is for the caller to free once it is removed. NULL when memory is out. */
void *tree_add(struct tree *t, const void *key, size_t key_size, size_t size);

/* Put in a thing that is there already, and whose key is a new one here. False when memory is out. */
bool tree_put(struct tree *t, void *thing);

/* `thing` must be in the tree. */
void tree_remove(struct tree *t, const void *thing);

#endif
