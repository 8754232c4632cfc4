/*
 * verb_run.c - heapledger run: trace a command.  Floor: cli.
 *
 * Three processes: the command; its collector (collect/serve.h); and this one, which waits, passes
 * signals on and ends as the command ended.
 */
#include "analyzer/cli/run_report.h"
#include "analyzer/cli/verbs.h"
#include "analyzer/collect/names.h"
#include "analyzer/collect/process.h"
#include "analyzer/collect/serve.h"
#include "analyzer/collect/supervise.h"
#include "analyzer/collect/target.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH_DEFAULT  64
#define DEPTH_MAX      65535
#define BUFFER_DEFAULT (256ull << 20)
#define SAMPLE_MAX     (1ull << 30)
#define REFUSED        125
#define REAP_MS        200

enum {
	OPT_FORCE = 256,
	OPT_DEPTH,
	OPT_FOLLOW,
	OPT_MMAP,
	OPT_FREE_STACKS,
	OPT_EVERY,
	OPT_GROWTH,
	OPT_BUFFER,
	OPT_ON_FULL,
	OPT_SAMPLE,
	OPT_NO_IMAGE,
	OPT_IMAGE
};

static const struct hl_option options[] = {
	{'o', "output", "FILE",
	 "where the trace goes; %p pid, %n program, %h host (default " HL_OUTPUT_DEFAULT ")"},
	{OPT_FORCE, "force", NULL, "overwrite existing traces"},
	{OPT_DEPTH, "depth", "N", "frames kept of a stack, 1-65535 (default 64)"},
	{OPT_FOLLOW, "follow", "all|none|GLOB", "which started programs to trace, by name (default all)"},
	{OPT_MMAP, "mmap", NULL, "count anonymous mmaps as allocations"},
	{OPT_FREE_STACKS, "free-stacks", NULL, "record where blocks are freed, too (heapledger misuse)"},
	{OPT_NO_IMAGE, "no-image", NULL, "record no pointers: leaks cannot be searched for"},
	{OPT_IMAGE, "image", "all|gentle",
	 "stop all threads for one (default), or none that waits in the kernel"},
	{OPT_SAMPLE, "sample", "BYTES",
	 "record one in so many bytes (512K): less cost, estimates with errors"},
	{OPT_EVERY, "snapshot-every", "SECONDS", "take a snapshot every so often (30s, 5m)"},
	{OPT_GROWTH, "snapshot-growth", "SIZE", "take a snapshot whenever live memory grew by so much (64M)"},
	{OPT_BUFFER, "buffer", "SIZE", "memory between the program and the collector (default 256M)"},
	{OPT_ON_FULL, "on-full", "wait|drop",
	 "when that is full: wait up to 1 s, or lose events (default wait)"},
	{'q', "quiet", NULL, "no summary at the end"},
	{0, NULL, NULL, NULL}};

struct run {
	const char *output, *follow, *on_full;
	int force, mmap, free_stacks, quiet;
	const char *image; /* the library's option, "" as it is */
	unsigned long depth;
	unsigned long long buffer, growth, sample;
	double every;
	char **argv;

	char path[PATH_MAX]; /* of the trace */
	char library_options[512];
	struct hl_signals signals;
	struct hl_target target;
	struct hl_share share;
	struct hl_launch launch;
	pid_t collector;
	int control;
	struct hl_run_report report;
};

static int parse_follow(struct run *r, const char *arg, struct hl_diag *d)
{
	if (!*arg || strchr(arg, ',') || strlen(arg) > 200)
		return hl_fail(d, HL_ERR_USAGE,
			       "--follow: not all, none or a pattern (without a comma): \"%.200s\"", arg);
	r->follow = arg;
	return HL_OK;
}

static int parse_one(struct run *r, int id, const char *arg, struct hl_diag *d)
{
	switch (id) {
	case 'o':
		r->output = arg;
		return HL_OK;
	case OPT_FORCE:
		r->force = 1;
		return HL_OK;
	case OPT_DEPTH:
		return hl_parse_uint(arg, "depth", 1, DEPTH_MAX, &r->depth, d);
	case OPT_FOLLOW:
		return parse_follow(r, arg, d);
	case OPT_MMAP:
		r->mmap = 1;
		return HL_OK;
	case OPT_FREE_STACKS:
		r->free_stacks = 1;
		return HL_OK;
	case OPT_NO_IMAGE:
		r->image = ",image=0";
		return HL_OK;
	case OPT_IMAGE:
		if (strcmp(arg, "all") && strcmp(arg, "gentle"))
			return hl_fail(d, HL_ERR_USAGE, "--image: all or gentle, not '%.100s'", arg);
		r->image = strcmp(arg, "all") ? ",image=gentle" : ",image=1";
		return HL_OK;
	case OPT_EVERY:
		if (hl_parse_seconds(arg, "snapshot-every", &r->every, d) < 0)
			return HL_ERR_USAGE;
		return r->every >= 0.001 && r->every < 1e9
			       ? HL_OK
			       : hl_fail(d, HL_ERR_USAGE, "--snapshot-every: at least 1 ms");
	case OPT_GROWTH:
		if (hl_parse_size(arg, "snapshot-growth", &r->growth, d) < 0)
			return HL_ERR_USAGE;
		return r->growth && r->growth <= INT64_MAX
			       ? HL_OK
			       : hl_fail(d, HL_ERR_USAGE, "--snapshot-growth: more than 0 bytes");
	case OPT_SAMPLE:
		if (hl_parse_size(arg, "sample", &r->sample, d) < 0)
			return HL_ERR_USAGE;
		return r->sample && r->sample <= SAMPLE_MAX
			       ? HL_OK
			       : hl_fail(d, HL_ERR_USAGE, "--sample: between 1 byte and 1G, not '%.100s'",
					 arg);
	case OPT_BUFFER:
		if (hl_parse_size(arg, "buffer", &r->buffer, d) < 0)
			return HL_ERR_USAGE;
		return r->buffer >= HL_SHARE_MIN_BYTES ? HL_OK
						       : hl_fail(d, HL_ERR_USAGE, "--buffer: at least 2M");
	case OPT_ON_FULL:
		r->on_full = arg;
		return !strcmp(arg, "wait") || !strcmp(arg, "drop")
			       ? HL_OK
			       : hl_fail(d, HL_ERR_USAGE, "--on-full: wait or drop, not \"%.100s\"", arg);
	case 'q':
		r->quiet = 1;
		return HL_OK;
	}
	return HL_OK;
}

static int parse(struct run *r, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_options o;
	const char *arg;
	int id, err = HL_OK;

	r->output = HL_OUTPUT_DEFAULT;
	r->depth = DEPTH_DEFAULT;
	r->buffer = BUFFER_DEFAULT;
	r->on_full = "wait";
	r->follow = "all";
	r->image = "";
	hl_options_start(&o, verb, argc, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0)
		if (!err)
			err = parse_one(r, id, arg, d);
	if (err || id)
		return err ? err : id;
	if (o.next >= argc)
		return hl_fail(d, HL_ERR_USAGE, "run: no command; see heapledger run --help");
	r->argv = argv + o.next;
	snprintf(r->library_options, sizeof(r->library_options), "depth=%lu,mmap=%d,on-full=%s,follow=%s%s%s",
		 r->depth, r->mmap, r->on_full, r->follow, r->image, r->free_stacks ? ",free-stacks=1" : "");
	if (r->sample) {
		size_t n = strlen(r->library_options);

		snprintf(r->library_options + n, sizeof(r->library_options) - n, ",sample=%llu", r->sample);
	}
	return HL_OK;
}

/* What does not forbid tracing, and is likely to surprise. */
static void print_warnings(const struct run *r)
{
	for (unsigned i = 0; i < r->target.nchecks; i++) {
		const struct hl_check *c = &r->target.checks[i];

		if (c->verdict == HL_CHECK_WARN &&
		    (!strcmp(c->name, "allocator") || !strcmp(c->name, "readable")))
			hl_error(c->text);
	}
}

static void nudge(void *ctx)
{
	struct run *r = ctx;

	hl_share_nudge(r->share.region);
}

static void take_message(void *ctx, const struct hl_message *m)
{
	struct run *r = ctx;

	hl_run_report_take(&r->report, m);
}

/* The program must not wait for a collector that is no more. */
static void collector_lost(void *ctx)
{
	struct run *r = ctx;

	atomic_store_explicit(&r->share.region->closed, 1, memory_order_seq_cst);
	hl_share_wake(&r->share.region->free_futex, INT_MAX);
	hl_error("the collector is gone: nothing is recorded any more; what was written so far can be read");
}

/* Fork the collector and wait until it collects. */
static int start_collector(struct run *r, struct hl_diag *d)
{
	struct hl_collector_options o = {
		.path = r->path,
		.force = r->force,
		.command = r->launch.pid,
		.every_s = r->every,
		.growth_bytes = r->growth,
	};
	struct hl_message m;
	int ends[2];
	pid_t self = getpid();

	if (hl_control_pair(ends) < 0)
		return hl_fail(d, HL_ERR_REFUSED, "cannot start the collector: %s", strerror(errno));
	r->collector = fork();
	if (r->collector == 0)
		hl_serve(&r->share, &o, ends[1], self);
	close(ends[1]);
	r->control = ends[0];
	if (r->collector < 0)
		return hl_fail(d, HL_ERR_REFUSED, "cannot start the collector: %s", strerror(errno));
	if (hl_control_receive(r->control, &m, 1) <= 0)
		return hl_fail(d, HL_ERR_REFUSED, "the collector did not start");
	if (m.type != HL_MSG_READY)
		return hl_fail(d, HL_ERR_REFUSED, "the collector did not start: %.300s", m.text);
	return HL_OK;
}

static void stop_collector(struct run *r)
{
	if (r->collector <= 0)
		return;
	kill(r->collector, SIGKILL);
	while (waitpid(r->collector, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Everything up to the command's first instruction.  HL_OK: it runs. */
static int start(struct run *r, struct hl_diag *d)
{
	int err, cause;

	err = hl_share_make(&r->share, r->buffer, d);
	if (err)
		return err;
	r->launch = (struct hl_launch){
		.path = r->target.path,
		.by_shell = r->target.by_shell,
		.argv = r->argv,
		.library = r->target.library,
		.options = r->library_options,
		.region_fd = r->share.fd,
		.signals = &r->signals,
	};
	err = hl_launch_fork(&r->launch, d);
	if (err)
		return err;
	err = hl_output_expand(r->path, sizeof(r->path), r->output, r->argv[0], r->launch.pid, d);
	if (!err)
		err = hl_output_reserve(r->path, r->force, d);
	if (err) {
		hl_launch_cancel(&r->launch);
		return err;
	}
	err = start_collector(r, d);
	if (err) {
		hl_launch_cancel(&r->launch);
		goto fail;
	}
	cause = hl_launch_go(&r->launch, r->collector);
	if (!cause)
		return HL_OK;
	r->target.status = cause == ENOENT ? 127 : 126;
	err = hl_fail(d, HL_ERR_REFUSED, "%s: %s", r->argv[0], strerror(cause));
fail:
	stop_collector(r);
	hl_output_unreserve(r->path, 0);
	return err;
}

/* The command ran: what came of it.  Returns the status of wait that this process ends with. */
static int conclude(struct run *r, int status)
{
	if (!r->report.complete)
		return status;
	if (!(r->report.flags & HL_RUN_MAIN))
		hl_output_unreserve(r->path, 1);
	if (!r->quiet)
		hl_run_report_print(&r->report);
	if (r->report.total == 0 || ((r->report.flags & HL_RUN_MAIN) && !(r->report.flags & HL_RUN_HELLO))) {
		hl_error("nothing was recorded: the library did not start in the command (see heapledger "
			 "doctor)");
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return REFUSED << 8; /* as wait has it */
	} else if (!(r->report.flags & HL_RUN_MAIN)) {
		hl_error("the command itself was not traced: the library did not start in it, only in "
			 "programs that "
			 "it started");
	}
	return status;
}

static int run_main(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct run r = {.collector = -1, .control = -1};
	struct hl_supervisor s;
	const struct hl_check *refusal;
	int err = parse(&r, verb, argc, argv, d), status = 0;

	(void)cli;
	if (err)
		return err;
	hl_launch_guard(&r.signals);
	hl_target_check(&r.target, r.argv[0], 0);
	refusal = hl_target_refusal(&r.target);
	if (refusal) {
		hl_error(refusal->text);
		return r.target.status;
	}
	if (!r.quiet)
		print_warnings(&r);
	err = start(&r, d);
	if (err) {
		if (!r.target.status)
			return err;
		hl_error(d->text);
		return r.target.status;
	}
	s = (struct hl_supervisor){.command = r.launch.pid,
				   .control = r.control,
				   .nudge = nudge,
				   .message = take_message,
				   .lost = collector_lost,
				   .ctx = &r};
	hl_supervise(&s, &status);
	/* the collector goes on as long as somebody has the region; that we have let go of it, it hears
	 * by the closed socket */
	hl_share_release(&r.share);
	if (s.control >= 0)
		close(s.control);
	status = conclude(&r, status);
	/* it has nothing left to do, and a container's first process may not reap it; but a copy of the
	 * command that has not recorded anything yet may keep it */
	if (r.report.complete && !(r.report.flags & HL_RUN_LIVE))
		hl_process_reap(r.collector, REAP_MS);
	hl_run_report_release(&r.report);
	hl_end_as(status);
}

const struct hl_verb hl_verb_run = {
	.name = "run",
	.summary = "run a command and trace its allocations",
	.operands = "[--] COMMAND [ARG...]",
	.options = options,
	.stop_at_operand = 1,
	.main = run_main,
};
