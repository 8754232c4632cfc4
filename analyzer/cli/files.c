/*
 * files.c - whole files in and out.  Floor: cli.
 */
#include "analyzer/cli/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t read_all(int fd, uint8_t *bytes, size_t n, int *failed)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = read(fd, bytes + done, n - done);

		if (got < 0 && errno == EINTR)
			continue;
		*failed = got < 0;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

/* O_NONBLOCK: do not hang on a FIFO. */
static int open_regular(const char *path, struct stat *st, struct hl_diag *d)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
	if (!fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return hl_fail(d, HL_ERR_IO, "%s: not a regular file", path);
}

int hl_read_file(const char *path, size_t max, uint8_t **bytes, size_t *n, struct hl_diag *d)
{
	struct stat st;
	int fd = open_regular(path, &st, d), failed = 0, err = HL_OK;
	uint8_t *out = NULL;
	size_t got;

	if (fd < 0)
		return fd;
	if ((uintmax_t)st.st_size > max) {
		err = hl_fail(d, HL_ERR_FORMAT, "%s: larger than %zu bytes", path, max);
		goto out;
	}
	out = hl_xmalloc((size_t)st.st_size + 1);
	got = read_all(fd, out, (size_t)st.st_size, &failed);
	if (failed) {
		err = hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
		free(out);
		goto out;
	}
	out[got] = 0;
	*bytes = out;
	*n = got;
out:
	close(fd);
	return err;
}

size_t hl_peek_file(const char *path, uint8_t *bytes, size_t n)
{
	struct hl_diag ignored;
	struct stat st;
	int fd = open_regular(path, &st, &ignored), failed = 0;
	size_t got = fd < 0 ? 0 : read_all(fd, bytes, n, &failed);

	if (fd >= 0)
		close(fd);
	return got;
}

static int write_all(int fd, const uint8_t *bytes, size_t n)
{
	while (n) {
		ssize_t put = write(fd, bytes, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		bytes += put;
		n -= (size_t)put;
	}
	return 0;
}

/* What --force may replace. */
static int check_target(const char *path, struct hl_diag *d)
{
	struct stat st;

	if (lstat(path, &st))
		return HL_OK;
	return S_ISREG(st.st_mode) ? HL_OK
				   : hl_fail(d, HL_ERR_IO, "%s: exists and is not a regular file", path);
}

int hl_write_file(const char *path, const uint8_t *bytes, size_t n, int force, struct hl_diag *d)
{
	char *name = NULL;
	int fd, err = force ? check_target(path, d) : HL_OK;

	if (err)
		return err;
	/* a new file beside the old one: a failure leaves the old one as it was */
	if (asprintf(&name, force ? "%s.%d.new" : "%s", path, (int)getpid()) < 0)
		return hl_fail(d, HL_ERR_NOMEM, "out of memory");
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err = hl_fail(d, HL_ERR_IO, "%s: %s%s", name, strerror(errno),
			      errno == EEXIST && !force ? " (--force replaces it)" : "");
		goto out;
	}
	err = write_all(fd, bytes, n);
	if (close(fd) || err || (force && rename(name, path))) {
		err = hl_fail(d, HL_ERR_IO, "%s: %s", path, strerror(errno));
		unlink(name);
	}
out:
	free(name);
	return err;
}
