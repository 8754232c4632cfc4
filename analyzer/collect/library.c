/*
 * library.c - finding libheapledger.so.  Floor: collect.
 */
#include "analyzer/collect/target.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hl_library_check(const char *path, struct hl_diag *d)
{
	/* Source: ld.so(8), LD_PRELOAD: items are separated by spaces or colons, nothing escapes them;
	 * a dollar sign begins $LIB and its kin */
	if (strpbrk(path, " \t\n:$"))
		return hl_fail(d, HL_ERR_REFUSED,
			       "the library's path must not hold a space, a colon or a $: %s", path);
	if (access(path, R_OK) < 0)
		return hl_fail(d, HL_ERR_REFUSED, "the library %s: %s", path, strerror(errno));
	return HL_OK;
}

int hl_library_find(char *path, size_t room, struct hl_diag *d)
{
	static const char *const places[] = {"libheapledger.so", "../lib/heapledger/libheapledger.so"};
	const char *given = getenv("HEAPLEDGER_LIBRARY");
	char self[PATH_MAX], tried[2 * PATH_MAX], real[PATH_MAX];
	ssize_t n;
	char *slash;
	int err;

	if (given && *given) {
		if (!realpath(given, real))
			return hl_fail(d, HL_ERR_REFUSED, "the library %s (HEAPLEDGER_LIBRARY): %s", given,
				       strerror(errno));
		err = hl_library_check(real, d);
		if (!err)
			snprintf(path, room, "%s", real);
		return err;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return hl_fail(d, HL_ERR_REFUSED, "cannot find the library: /proc/self/exe: %s",
			       strerror(errno));
	self[n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(tried, sizeof(tried), "%s/%s", self, places[i]);
		if (!realpath(tried, real))
			continue;
		err = hl_library_check(real, d);
		if (!err)
			snprintf(path, room, "%s", real);
		return err;
	}
	return hl_fail(d, HL_ERR_REFUSED, "the library is missing: neither %s/%s nor %s/%s exists", self,
		       places[0], self, places[1]);
}
