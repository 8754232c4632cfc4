/*
 * serve.c - the collector's process: set-up, its loop, what it tells `run`.  Floor: collect.
 */
#include "analyzer/collect/serve.h"
#include "analyzer/collect/control.h"
#include "analyzer/collect/process.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Children of the command that are on their way out at its end are waited for so long. */
#define GRACE_ROUNDS 5
#define GRACE_NS     10000000u
#define LONE_ROUNDS  50
/* `run` has heard the report and lets go of the region within moments, unless it is stopped. */
#define LET_GO_MS 50

static void close_range_of(int first, int last)
{
	if (first <= last)
		syscall(SYS_close_range, first, last, 0);
}

/* No signal but SIGKILL ends it, no standard stream of the user is held open by it. */
static void settle(const struct hl_share *share, int control)
{
	struct rlimit l;
	sigset_t all;
	int null, low = share->fd < control ? share->fd : control,
		  high = share->fd < control ? control : share->fd;

	setsid();
	prctl(PR_SET_NAME, "hl-collector");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
	/* what run inherited belongs to the command: a pipe must see its last writer go */
	close_range_of(3, low - 1);
	close_range_of(low + 1, high - 1);
	close_range_of(high + 1, INT_MAX);
}

static void tell_trace(struct hl_collector *c, int control, const struct hl_out *out, unsigned flags)
{
	struct hl_message m = {
		.type = HL_MSG_TRACE, .flags = flags, .pid = (uint32_t)out->pid, .image = out->id};

	if (out == c->outs.main_out)
		m.flags |= HL_TRACE_MAIN;
	if (out->hello)
		m.flags |= HL_TRACE_HELLO;
	m.refused = out->refused_bytes;
	snprintf(m.text, sizeof(m.text), "%s", out->path);
	hl_control_send(control, &m);
}

static int is_live(const struct hl_out *out)
{
	return !out->done;
}

static void tell_summary(struct hl_collector *c, int control)
{
	struct hl_message m = {.type = HL_MSG_SUMMARY, .refused = c->outs.orphan_bytes};
	const struct hl_out *main_out = c->outs.main_out;
	unsigned told = 0;
	uint32_t known =
		c->untraced_in == main_out ? c->untraced_told : 0; /* by the traces that are told of */

	if (main_out && main_out->path) {
		m.flags |= HL_RUN_MAIN | (main_out->hello ? HL_RUN_HELLO : 0);
		tell_trace(c, control, main_out, is_live(main_out) ? HL_TRACE_LIVE : 0);
		told++;
	}
	for (int live = 1; live >= 0; live--)
		for (uint32_t i = 0; i < c->outs.n; i++) {
			const struct hl_out *out = c->outs.all[i];

			if (!out->path || is_live(out) != live)
				continue;
			m.image++;
			if (out != main_out && told < HL_TRACES_TOLD) {
				tell_trace(c, control, out, live ? HL_TRACE_LIVE : 0);
				told++;
				known += out == c->untraced_in ? c->untraced_told : 0;
			}
		}
	if (hl_collector_live(c))
		m.flags |= HL_RUN_LIVE;
	if (hl_collector_untraced(c) > known)
		m.status = (int32_t)(hl_collector_untraced(c) - known);
	hl_control_send(control, &m);
}

static void tell_warning(struct hl_collector *c, int control)
{
	struct hl_message m = {.type = HL_MSG_WARN};

	if (!c->outs.warning.err || c->outs.warned)
		return;
	c->outs.warned = 1;
	snprintf(m.text, sizeof(m.text), "%s; the program goes on, its trace is incomplete",
		 c->outs.warning.text);
	hl_control_send(control, &m);
}

/* The command ended: what is done now, and what goes on. */
static void conclude(struct hl_collector *c, int control, const struct hl_message *m)
{
	struct timespec pause = {0, GRACE_NS};

	hl_collector_command_ended(c, m ? m->status : 0, m != NULL);
	for (int i = 0; m && i < GRACE_ROUNDS && hl_collector_live(c); i++) {
		nanosleep(&pause, NULL);
		hl_collector_round(c, 1);
	}
	tell_warning(c, control);
	tell_summary(c, control);
	if (m) {
		struct pollfd p = {.fd = control, .events = POLLRDHUP};

		poll(&p, 1, LET_GO_MS);
	}
}

/* run stopped itself with the command; when somebody continues the command alone, run must follow.
 * Again and again until it says so: it may stop only after the first time. */
static void rouse(const struct hl_collector_options *o, pid_t run)
{
	char state = hl_process_state(o->command);

	if (state != 'T' && state != 't')
		kill(run, SIGCONT);
}

static int is_running(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&p, 1, 0) == 0;
}

void hl_serve(struct hl_share *share, const struct hl_collector_options *o, int control, pid_t run)
{
	struct hl_message m = {.type = HL_MSG_READY};
	struct hl_collector *c;
	struct hl_diag d;
	int stopped = 0, alone = 0, lone_rounds = 0, command;

	settle(share, control);
	command = hl_process_open(o->command);
	if (hl_collector_new(&c, share, o, &d) < 0) {
		m.type = HL_MSG_FAILED;
		snprintf(m.text, sizeof(m.text), "%s", d.text);
		hl_control_send(control, &m);
		_exit(1);
	}
	hl_control_send(control, &m);
	for (;;) {
		int got = 0;

		hl_collector_round(c, 0);
		if (control >= 0) {
			tell_warning(c, control);
			got = hl_control_receive(control, &m, 0);
		}
		if (got > 0 && m.type == HL_MSG_STOPPED)
			stopped = 1;
		else if (got > 0 && m.type == HL_MSG_RESUMED)
			stopped = 0;
		else if (got < 0 || (got > 0 && m.type == HL_MSG_ENDED)) {
			alone = got < 0;
			conclude(c, control, got > 0 ? &m : NULL);
			close(control);
			control = -1;
			stopped = 0;
		}
		if (stopped)
			rouse(o, run);
		/* without run, the command may not have begun to record yet; and a copy that has not
		 * recorded anything yet shows by its mapping only */
		if (c->ended && !hl_collector_live(c) && !(alone && is_running(command)) &&
		    hl_share_alone(share))
			break;
		/* run itself lets go of the region within moments */
		if (c->ended && !hl_collector_live(c) && lone_rounds++ < LONE_ROUNDS)
			nanosleep(&(struct timespec){0, GRACE_NS}, NULL);
		else
			hl_collector_sleep(c);
	}
	hl_collector_close(c);
	_exit(0);
}
