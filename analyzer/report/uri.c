/*
 * uri.c - paths below a root, paths as URIs.  Floor: report.
 */
#include "analyzer/report/uri.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

/* Without empty components, "." and ".."; keeps whether it is absolute.  NULL: a relative one that leaves where it is. */
static char *normal(const char *path)
{
	int absolute = *path == '/';
	char *out = hl_xmalloc(strlen(path) + 2), *end = out;

	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (!n)
			break;
		if (n == 2 && !memcmp(path, "..", 2)) {
			if (end == out && !absolute) {
				free(out);
				return NULL;
			}
			while (end > out && *--end != '/')
				;
		} else if (n != 1 || *path != '.') {
			if (absolute || end > out)
				*end++ = '/';
			memcpy(end, path, n);
			end += n;
		}
		path += n;
	}
	*end = '\0';
	return out;
}

char *hl_path_below(const char *root, const char *path)
{
	char *p = normal(path), *r, *below = NULL;
	size_t n;

	if (!p || *path != '/') {
		if (p && *p)
			return p;
		free(p);
		return NULL;
	}
	if (!root || *root != '/') {
		free(p);
		return NULL;
	}
	r = normal(root);
	n = strlen(r);
	if (!strncmp(p, r, n) && p[n] == '/' && p[n + 1])
		below = hl_xstrdup(p + n + 1);
	free(r);
	free(p);
	return below;
}

static int is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("/-._~", c));
}

char *hl_path_uri(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = hl_xmalloc(strlen(path) * 3 + sizeof("file://")), *o = out;

	if (*path == '/')
		o = stpcpy(o, "file://");
	for (; *path; path++) {
		if (is_plain(*path)) {
			*o++ = *path;
			continue;
		}
		*o++ = '%';
		*o++ = hex[(unsigned char)*path >> 4];
		*o++ = hex[*path & 15];
	}
	*o = '\0';
	return out;
}

const char *hl_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
