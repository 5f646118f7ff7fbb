#include "client/keyring.h"

#include <stdio.h>
#include <string.h>

static size_t index_of(const struct keyring *k, const char *place)
{
	size_t i = 0;

	while (i < k->count && strcmp(k->entries[i].place, place) != 0)
		i++;
	return i;
}

static void take_out(struct keyring *k, size_t index)
{
	struct keyring_entry *e = k->entries;

	k->count--;
	memmove(&e[index], &e[index + 1], (k->count - index) * sizeof *e);
	explicit_bzero(&e[k->count], sizeof *e);
}

void keyring_put(struct keyring *k, const char *place, const char *password)
{
	keyring_forget(k, place);
	if (k->count == KEYRING_MOST)
		take_out(k, 0);
	struct keyring_entry *e = &k->entries[k->count++];
	(void)snprintf(e->place, sizeof e->place, "%s", place);
	(void)snprintf(e->password, sizeof e->password, "%s", password);
}

const char *keyring_find(const struct keyring *k, const char *place)
{
	size_t index = index_of(k, place);

	return index < k->count ? k->entries[index].password : NULL;
}

void keyring_forget(struct keyring *k, const char *place)
{
	size_t index = index_of(k, place);

	if (index < k->count)
		take_out(k, index);
}

void keyring_wipe(struct keyring *k)
{
	explicit_bzero(k, sizeof *k);
}
