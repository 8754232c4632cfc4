/*
 * uri.h - paths of files as formats for CI name them.  Floor: report.
 */
#ifndef HL_REPORT_URI_H
#define HL_REPORT_URI_H

/* The path below the directory root (absolute) without "." and "..", malloc'd; NULL: it is not below.  A relative path is taken
 * as relative to root, whether or not there is one (NULL).  Symbolic links are not followed. */
char *hl_path_below(const char *root, const char *path);
/* An URI reference of a relative path, a file: URI of an absolute one: all but what RFC 3986 leaves unreserved
 * and '/' is percent-encoded.  malloc'd. */
char *hl_path_uri(const char *path);
/* The last component. */
const char *hl_path_base(const char *path);

#endif
