/*
 * Values for any message, made from its row of the table.
 *
 * The least value has every field as small as it may be, the most as large, and
 * the typical one gives each field something of its own, so that two of them
 * cannot change places unnoticed. For one thread; nothing is allocated.
 */
#ifndef LANCHAT_TESTS_SAMPLES_H
#define LANCHAT_TESTS_SAMPLES_H

#include "common/message.h"

enum sample_kind {
	SAMPLE_LEAST,
	SAMPLE_TYPICAL,
	SAMPLE_MOST,
	SAMPLE_KINDS,
};

/* One value and what it borrows from; must not be moved. */
struct sample {
	union message value;
	uint8_t items[FRAME_PAYLOAD_MAX];
};

/* Fill `s` with a value of `spec`. A list of the most has as many items as fit in a frame. */
void sample_make(struct sample *s, const struct message_spec *spec, enum sample_kind kind);

/* Fill one item of a list. Its text is constant. */
void sample_item(void *item, enum item_kind item_kind, enum sample_kind kind);

/* Write the fields as docs/PROTOCOL.md says, whatever the bounds: an encoder that shares no code
 * with the one under test. Returns how many bytes. */
size_t sample_write(uint8_t *out, const struct field_spec *specs, size_t count, const void *value);

/* Compare field by field; false when one differs. */
bool sample_equal(const struct field_spec *specs, size_t count, const void *a, const void *b);

#endif
