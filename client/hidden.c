#include "client/hidden.h"

#include "common/err.h"
#include "common/text.h"
#include "common/utf8.h"

#include <string.h>

#define BULLET "\u2022"

int hidden_add(struct hidden *h, const char *bytes, size_t length)
{
	if (!utf8_is_line(bytes, length))
		return ERR_TEXT;
	if (length > PASSWORD_MAX - h->length)
		return ERR_TOO_BIG;
	memcpy(h->text + h->length, bytes, length);
	h->length += length;
	h->text[h->length] = '\0';
	return 0;
}

bool hidden_back(struct hidden *h)
{
	size_t left = text_cluster_before(h->text, h->length);

	if (h->length == 0)
		return false;
	explicit_bzero(h->text + left, h->length - left);
	h->length = left;
	return true;
}

void hidden_wipe(struct hidden *h)
{
	explicit_bzero(h, sizeof *h);
}

char *hidden_print(const struct hidden *h, char out[HIDDEN_SHOWN])
{
	size_t used = 0;

	/* A character has a byte at least, so as many bullets fit. */
	for (size_t at = 0; at < h->length;) {
		at += text_cluster(h->text + at, h->length - at, NULL);
		memcpy(out + used, BULLET, strlen(BULLET));
		used += strlen(BULLET);
	}
	out[used] = '\0';
	return out;
}
