/*
 * sizes_test.c - sizes read as tracemalloc's.  The expected strings are what CPython 3.11 prints.
 */
#include "analyzer/report/sizes.h"
#include "tests/unit/heap_model.h"
#include <check.h>

static const struct {
	double size;
	const char *text, *signed_text;
} table[] = {
	{0, "0 B", "+0 B"},
	{1, "1 B", "+1 B"},
	{99, "99 B", "+99 B"},
	{100, "100 B", "+100 B"},
	{10239, "10239 B", "+10239 B"},
	{10240, "10.0 KiB", "+10.0 KiB"},
	{102399, "100.0 KiB", "+100.0 KiB"},
	{102400, "100 KiB", "+100 KiB"},
	{10485759, "10240 KiB", "+10240 KiB"},
	{10485760, "10.0 MiB", "+10.0 MiB"},
	{1099511627776.0, "1024 GiB", "+1024 GiB"},
	{10995116277760.0, "10.0 TiB", "+10.0 TiB"},
	{1152921504606846976.0, "1048576 TiB", "+1048576 TiB"},
	{-66, "-66 B", "-66 B"},
	{-10240, "-10.0 KiB", "-10.0 KiB"},
	{10.5, "10 B", "+10 B"}, /* half to even */
	{11.5, "12 B", "+12 B"},
	{2501, "2501 B", "+2501 B"},
};

START_TEST(sizes_are_written_as_tracemalloc_writes_them)
{
	char text[HL_SIZE_TEXT];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ck_assert_str_eq(hl_size_text(text, table[i].size), table[i].text);
		ck_assert_str_eq(hl_size_diff_text(text, table[i].size), table[i].signed_text);
	}
}
END_TEST

START_TEST(differences_of_unsigned_numbers_keep_their_sign)
{
	char text[HL_SIZE_TEXT];

	ck_assert(hl_size_diff(5, 7) == -2);
	ck_assert(hl_size_diff(UINT64_MAX, 0) > 1.8e19);
	ck_assert_str_eq(hl_count_diff_text(text, 5, 7), "-2");
	ck_assert_str_eq(hl_count_diff_text(text, 7, 7), "+0");
	ck_assert_str_eq(hl_count_diff_text(text, UINT64_MAX, 0), "+18446744073709551615");
	ck_assert_str_eq(hl_count_diff_text(text, 0, UINT64_MAX), "-18446744073709551615");
}
END_TEST

MODEL_MAIN("sizes", sizes_are_written_as_tracemalloc_writes_them,
	   differences_of_unsigned_numbers_keep_their_sign)
