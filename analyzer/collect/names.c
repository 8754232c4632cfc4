/*
 * names.c - names of traces and their reservation.  Floor: collect.
 */
#include "analyzer/collect/names.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *hl_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int hl_output_expand(char *out, size_t room, const char *pattern, const char *program, pid_t pid,
		     struct hl_diag *d)
{
	char host[HOST_NAME_MAX + 1] = "localhost", number[16], made[PATH_MAX];
	size_t n = 0;

	gethostname(host, sizeof(host) - 1);
	host[sizeof(host) - 1] = 0;
	snprintf(number, sizeof(number), "%ld", (long)pid);
	for (const char *p = pattern; *p; p++) {
		char one[2] = {*p, 0};
		const char *s = one;

		if (*p == '%') {
			p++;
			s = *p == 'p'   ? number
			    : *p == 'n' ? hl_base_name(program)
			    : *p == 'h' ? host
			    : *p == '%' ? "%"
					: NULL;
			if (!s)
				return hl_fail(d, HL_ERR_USAGE, "-o: %%%s is not %%p, %%n, %%h or %%%%",
					       *p ? (char[]){*p, 0} : "");
		}
		if (n + strlen(s) >= sizeof(made))
			return hl_fail(d, HL_ERR_USAGE, "-o: the name is too long");
		memcpy(made + n, s, strlen(s));
		n += strlen(s);
	}
	made[n] = 0;
	/* 20 more: ".PID.N" of further processes */
	if (n == 0 || n >= room || strlen(hl_base_name(made)) > NAME_MAX - 20 || !*hl_base_name(made))
		return hl_fail(d, HL_ERR_USAGE, "-o: not a usable file name: \"%.200s\"", made);
	memcpy(out, made, n + 1);
	return HL_OK;
}

static int check_directory(const char *path, struct hl_diag *d)
{
	char dir[PATH_MAX];
	size_t n = (size_t)(hl_base_name(path) - path);
	struct stat st;

	snprintf(dir, sizeof(dir), "%.*s", n ? (int)n : 1, n ? path : ".");
	if (stat(dir, &st) < 0)
		return hl_fail(d, HL_ERR_REFUSED, "cannot write %s: %s: %s", path, dir, strerror(errno));
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		return hl_fail(d, HL_ERR_REFUSED,
			       "cannot write %s: others can write the directory %s and it has no sticky bit",
			       path, dir);
	if (access(dir, W_OK | X_OK) < 0)
		return hl_fail(d, HL_ERR_REFUSED, "cannot write %s: %s", path, strerror(errno));
	return HL_OK;
}

int hl_output_reserve(const char *path, int force, struct hl_diag *d)
{
	struct stat st;
	int fd, err = check_directory(path, d);

	if (err)
		return err;
	if (lstat(path, &st) == 0) {
		if (S_ISLNK(st.st_mode))
			return hl_fail(d, HL_ERR_REFUSED, "%s is a symbolic link: not followed", path);
		if (!S_ISREG(st.st_mode))
			return hl_fail(d, HL_ERR_REFUSED, "%s exists and is not a regular file", path);
		if (!force)
			return hl_fail(d, HL_ERR_REFUSED, "%s exists (--force overwrites it)", path);
		if (st.st_uid != geteuid())
			return hl_fail(d, HL_ERR_REFUSED, "%s belongs to another user", path);
		return HL_OK;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return hl_fail(d, HL_ERR_REFUSED, "cannot write %s: %s", path, strerror(errno));
	close(fd);
	return HL_OK;
}

void hl_output_unreserve(const char *path, int stale)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    (stale || st.st_size == 0))
		unlink(path);
}
