/*
 * sizes.c - sizes as tracemalloc prints them.  Floor: report.
 */
#include "analyzer/report/sizes.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static char *format(char *text, double size, const char *sign)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	unsigned u = 0;

	/* a unit is left only at 10 * 1024 of it, so what is below 100 has one digit more to show */
	while (u < 4 && !((fabs(size) < 100 && u) || fabs(size) < 10 * 1024)) {
		size /= 1024;
		u++;
	}
	if (fabs(size) < 100 && u)
		snprintf(text, HL_SIZE_TEXT, *sign ? "%+.1f %s" : "%.1f %s", size, units[u]);
	else
		snprintf(text, HL_SIZE_TEXT, *sign ? "%+.0f %s" : "%.0f %s", size, units[u]);
	return text;
}

char *hl_size_text(char *text, double size)
{
	return format(text, size, "");
}

char *hl_size_diff_text(char *text, double size)
{
	return format(text, size, "+");
}

double hl_size_diff(uint64_t now, uint64_t old)
{
	return now >= old ? (double)(now - old) : -(double)(old - now);
}

char *hl_count_diff_text(char *text, uint64_t now, uint64_t old)
{
	snprintf(text, HL_SIZE_TEXT, "%c%" PRIu64, now >= old ? '+' : '-',
		 now >= old ? now - old : old - now);
	return text;
}

char *hl_error_text(char *text, double error, uint64_t of)
{
	double percent = of ? 100 * error / (double)of : 0;

	*text = '\0';
	if (of)
		snprintf(text, HL_SIZE_TEXT,
			 percent < 9.95  ? "+-%.1f%%"
			 : percent < 1e6 ? "+-%.0f%%"
					 : "+-%.0e%%",
			 percent);
	return text;
}

uint64_t hl_error_bytes(double error)
{
	return error < 0x1p63 ? (uint64_t)(error + 0.5) : 1ull << 63;
}

double hl_error_blocks(double error)
{
	return fmin(error, 1e18);
}
