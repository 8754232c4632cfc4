/*
 * sym_paths.c - one file has one name, however the compiler was called.  Floor: model.
 */
#include "analyzer/model/sym_paths.h"
#include <stdio.h>
#include <string.h>

/* Drop the last component of out[0..n), or append ".." when there is none to drop. */
static size_t up(char *out, size_t n, size_t room, int absolute)
{
	size_t last = n;

	while (last > 0 && out[last - 1] != '/')
		last--;
	if (absolute && n <= 1)
		return n;
	if (!absolute && (n == 0 || !strcmp(out + last, ".."))) {
		if (n + 4 > room)
			return n;
		memcpy(out + n, n ? "/.." : "..", n ? 4 : 3);
		return n + (n ? 3 : 2);
	}
	/* not the slash of the root */
	n = last > 0 && !(absolute && last == 1) ? last - 1 : last;
	out[n] = 0;
	return n;
}

char *hl_sym_path_normalise(char *out, size_t room, const char *path)
{
	int absolute = path[0] == '/';
	size_t n = 0;

	if (absolute)
		out[n++] = '/';
	out[n] = 0;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			n = up(out, n, room, absolute);
		} else if (len && !(len == 1 && path[0] == '.')) {
			int slash = n > 0 && out[n - 1] != '/';

			if (n + (size_t)slash + len + 1 > room)
				break;
			if (slash)
				out[n++] = '/';
			memcpy(out + n, path, len);
			n += len;
			out[n] = 0;
		}
		path += len;
		path += *path == '/';
	}
	if (!n)
		strcpy(out, ".");
	return out;
}

const char *hl_sym_path_map(char *out, size_t room, const char *path, const char *const *maps)
{
	for (; maps && *maps; maps++) {
		const char *equals = strchr(*maps, '=');
		size_t n = equals ? (size_t)(equals - *maps) : 0;

		if (!n || strncmp(path, *maps, n))
			continue;
		/* "/src" is not above "/srcs/a.c" */
		if (path[n] && path[n] != '/' && path[n - 1] != '/')
			continue;
		snprintf(out, room, "%s%s", equals + 1, path + n);
		return out;
	}
	return path;
}
