/*
 * sandbox.c - what is known of programs that install a seccomp filter.  Floor: collect.
 *
 * Others that use libseccomp (file, where its distributor builds it so) are known by what they import.  Every
 * row names where the fact comes from.
 */
#include "analyzer/collect/sandbox.h"
#include <stddef.h>
#include <string.h>

static const struct hl_sandbox known[] = {
	/* OpenSSH sandbox-seccomp-filter.c: SECCOMP_RET_KILL for what is not listed, EACCES for openat; strace shows
	 * the filter.  A login works, and that child is recorded without loss. */
	{"sshd", "its child before authentication", "OpenSSH 9.2"},
	/* OpenSSH 9.8 and 9.9 release notes: the same filter in programs of their own. */
	{"sshd-session", "its child before authentication", NULL},
	{"sshd-auth", "itself", NULL},
	/* man-db lib/sandbox.c; strace shows filters that fail calls (ENOSYS) and kill for nothing but a foreign
	 * architecture.  The page is shown, every process is recorded without loss. */
	{"man", "what formats a page", "man-db 2.11"},
	/* tor src/lib/sandbox/sandbox.c ("Sandbox 1"): starts, runs and ends as without us. */
	{"tor", "itself", "tor 0.4.9"},
	/* vsftpd seccompsandbox.c ("seccomp_sandbox=YES"): an anonymous login works. */
	{"vsftpd", "the process of a session", "vsftpd 3.0.3"},
	/* Chromium sandbox/linux/seccomp-bpf-helpers/baseline_policy.cc: what is not listed crashes the process. */
	{"chromium", "its renderers and helpers", NULL},
	{"chromium-browser", "its renderers and helpers", NULL},
	{"chrome", "its renderers and helpers", NULL},
	/* Mozilla security/sandbox/linux/SandboxFilter.cpp. */
	{"firefox", "its content processes", NULL},
	{"firefox-esr", "its content processes", NULL},
};

const struct hl_sandbox *hl_sandbox_known(const char *program)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].program, program))
			return &known[i];
	return NULL;
}
