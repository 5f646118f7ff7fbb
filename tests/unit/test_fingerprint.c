/*
 * Fingerprints against an encoder of another make.
 */
#include "common/fingerprint.h"

#include <check.h>
#include <string.h>

/* python3 -c 'import base64; print(base64.b32encode(bytes(...)))' of the first 20 bytes. */
static const struct {
	uint8_t id[IDENTITY_SIZE];
	const char *text;
} vectors[] = {
	{{0}, "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa"},
	{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
		 255, 255},
		"7777-7777-7777-7777-7777-7777-7777-7777"},
	{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20},
		"aaaq-eaye-auda-ocaj-bifq-ydio-b4ib-ceqt"},
};

START_TEST(test_vectors)
{
	char text[FINGERPRINT_SIZE], tag[TAG_SIZE];

	ck_assert_str_eq(fingerprint(vectors[_i].id, text), vectors[_i].text);
	ck_assert_uint_eq(strlen(fingerprint_tag(vectors[_i].id, tag)), TAG_SIZE - 1);
	ck_assert_int_eq(strncmp(tag, text, TAG_SIZE - 1), 0);
}
END_TEST

Suite *fingerprint_suite(void)
{
	Suite *s = suite_create("fingerprint");
	TCase *t = tcase_create("fingerprint");

	tcase_add_loop_test(t, test_vectors, 0, (int)(sizeof(vectors) / sizeof(vectors[0])));
	suite_add_tcase(s, t);
	return s;
}
