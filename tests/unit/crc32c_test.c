/*
 * crc32c_test.c - the checksum against published values and against its table.
 */
#include "analyzer/base/crc32c.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
START_TEST(the_checksum_has_the_published_values)
{
	uint8_t p[32];

	ck_assert_uint_eq(hl_crc32c(0, "123456789", 9), 0xe3069283u);
	memset(p, 0, sizeof(p));
	ck_assert_uint_eq(hl_crc32c(0, p, sizeof(p)), 0x8a9136aau);
	memset(p, 0xff, sizeof(p));
	ck_assert_uint_eq(hl_crc32c(0, p, sizeof(p)), 0x62a8ab43u);
	for (int i = 0; i < 32; i++)
		p[i] = (uint8_t)i;
	ck_assert_uint_eq(hl_crc32c(0, p, sizeof(p)), 0x46dd794eu);
	ck_assert_uint_eq(hl_crc32c(0, p, 0), 0);
}
END_TEST

START_TEST(instruction_and_table_agree_at_every_length_and_alignment)
{
	uint8_t p[128];

	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(i * 167 + 13);
	for (size_t from = 0; from < 16; from++)
		for (size_t n = 0; from + n <= sizeof(p); n++)
			ck_assert_uint_eq(hl_crc32c(5, p + from, n), hl_crc32c_table(5, p + from, n));
}
END_TEST

START_TEST(parts_chain_to_the_checksum_of_the_whole)
{
	const char text[] = "one after the other";
	size_t n = sizeof(text);

	for (size_t cut = 0; cut <= n; cut++)
		ck_assert_uint_eq(hl_crc32c(hl_crc32c(0, text, cut), text + cut, n - cut),
				  hl_crc32c(0, text, n));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crc32c");
	TCase *t = tcase_create("crc32c");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, the_checksum_has_the_published_values);
	tcase_add_test(t, instruction_and_table_agree_at_every_length_and_alignment);
	tcase_add_test(t, parts_chain_to_the_checksum_of_the_whole);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
