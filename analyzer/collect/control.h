/*
 * control.h - what `run` and its collector tell each other: messages on a pair of sequenced packet
 * sockets.  Floor: collect.
 *
 * The collector never waits for `run` (which may be stopped with its job): it sends few messages,
 * bounded in number, and drops what does not fit.
 */
#ifndef HL_COLLECT_CONTROL_H
#define HL_COLLECT_CONTROL_H

#include <limits.h>
#include <stdint.h>

enum hl_message_type {
	/* from the collector */
	HL_MSG_READY,  /* it collects; `run` may start the command */
	HL_MSG_FAILED, /* it could not start: text */
	HL_MSG_WARN,   /* text, one line */
	HL_MSG_TRACE,  /* a trace: pid, image, bytes refused, path in text; flags HL_TRACE_* */
	HL_MSG_SUMMARY, /* the last: image = number of traces, refused = bytes of no trace, flags HL_RUN_*, status =
			 * programs that could not be traced, but for those that these traces count */
	/* from run */
	HL_MSG_ENDED,   /* the command: status of wait */
	HL_MSG_STOPPED, /* run is about to stop itself with the command */
	HL_MSG_RESUMED
};

enum { HL_TRACE_MAIN = 1, HL_TRACE_LIVE = 2, HL_TRACE_HELLO = 4 };
/* MAIN: the command itself left a trace.  HELLO: it began as it should.  LIVE: the collector goes on. */
enum { HL_RUN_MAIN = 1, HL_RUN_LIVE = 2, HL_RUN_HELLO = 4 };
#define HL_TRACES_TOLD 10 /* at most so many HL_MSG_TRACE, the main one first, then the live ones */

struct hl_message {
	uint32_t type;
	int32_t status;
	uint32_t pid, image, flags, reserved;
	uint64_t refused;
	char text[PATH_MAX];
};

/* Socket pair, both ends close-on-exec.  -1 with errno. */
int hl_control_pair(int fds[2]);
/* 0, or -1: the other end is gone, or has no room. */
int hl_control_send(int fd, const struct hl_message *m);
/* 1: *m filled in; 0: nothing there (only with wait = 0); -1: the other end is gone. */
int hl_control_receive(int fd, struct hl_message *m, int wait);

#endif
