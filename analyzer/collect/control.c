/*
 * control.c - messages between `run` and its collector.  Floor: collect.
 */
#include "analyzer/collect/control.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

int hl_control_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
}

int hl_control_send(int fd, const struct hl_message *m)
{
	size_t n = offsetof(struct hl_message, text) + strnlen(m->text, sizeof(m->text) - 1);

	return send(fd, m, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n ? 0 : -1;
}

int hl_control_receive(int fd, struct hl_message *m, int wait)
{
	ssize_t n;

	do
		n = recv(fd, m, sizeof(*m) - 1, wait ? 0 : MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < (ssize_t)offsetof(struct hl_message, text))
		return -1;
	((char *)m)[n] = 0;
	return 1;
}
