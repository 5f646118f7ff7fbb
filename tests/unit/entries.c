#include "tests/unit/entries.h"

#include <check.h>
#include <string.h>

static const uint8_t somebody[PERSON_ID] = {1};
static const uint8_t instance[INSTANCE_ID] = {2};

static char letter(uint64_t key, size_t i)
{
	return (char)('a' + (key * 7 + i * (key % 5 + 1)) % 26);
}

struct span entry_text(uint64_t key, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++)
		out[i] = letter(key, i);
	return (struct span){.text = out, .length = (uint16_t)length};
}

bool entry_text_is(uint64_t key, struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.text[i] != letter(key, i))
			return false;
	}
	return true;
}

size_t entry_frame(uint64_t seq, uint64_t prev, size_t text, uint8_t out[SAID_FRAME_MAX])
{
	struct stream_key key = entry_room("r");
	char bytes[TEXT_MAX];
	struct log_entry e = {
		.room = &key,
		.person = somebody,
		.instance = instance,
		.counter = seq,
		.nick = span_of("n"),
		.text = entry_text(seq, text, bytes),
		.seq = seq,
		.prev = prev,
	};

	return said_encode(&e, "r", NULL, out);
}

size_t entry_passing(uint64_t version, uint8_t out[SAID_FRAME_MAX])
{
	struct msg_presence m = {.room = span_of("r"), .version = version, .people = 1};
	size_t used = 0;

	ck_assert_int_eq(message_encode(MESSAGE_PRESENCE, &m, out, SAID_FRAME_MAX, &used), 0);
	return used;
}

struct stream_key entry_room(const char *name)
{
	struct stream_key key = {0};

	ck_assert_int_eq(stream_key_room(name, strlen(name), &key), 0);
	return key;
}
