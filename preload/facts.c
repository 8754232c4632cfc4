/*
 * facts.c - payloads of process and thread facts, see format.h.
 */
#include "preload/facts.h"
#include "heapledger/stamp.h"
#include "preload/arena.h"
#include "preload/modmap.h"
#include "preload/modrec.h"
#include "preload/record.h"
#include "preload/vdso.h"
#include <time.h>

static uint64_t now(void)
{
	return hl_stamp(hl_guest.clock, hl_guest.shift);
}

void hl_facts_hello(struct hl_thread *t)
{
	/* Too long for a signal handler's stack, and needed once. */
	uint8_t *buf = hl_arena_alloc(16384), *p = buf;
	char *cmdline = hl_arena_alloc(8192);
	long n;

	if (!buf || !cmdline)
		return;
	n = hl_sys_read_file("/proc/self/cmdline", cmdline, 8192);
	if (n < 0)
		n = 0;
	if (n > 0 && cmdline[n - 1] == 0)
		n--;
	p = hl_put_uv(p, hl_guest.image_id);
	p = hl_put_uv(p, hl_guest.pid);
	p = hl_put_uv(p, hl_sys_getppid());
	p = hl_put_uv(p, hl_vdso_clock(CLOCK_REALTIME));
	p = hl_put_uv(p, now());
	p = hl_put_uv(p, hl_guest.config.depth);
	p = hl_put_string(p, hl_guest.exe, hl_strlen(hl_guest.exe));
	p = hl_put_string(p, cmdline, (size_t)n);
	p = hl_put_string(p, hl_guest.config.options, hl_strlen(hl_guest.config.options));
	p = hl_put_uv(p, 0);
	hl_record_fact(t, HL_FACT_HELLO, buf, (size_t)(p - buf));
	if (hl_guest.config.sample) {
		p = hl_put_uv(buf, hl_guest.config.sample);
		hl_record_fact(t, (enum hl_fact)(HL_FACT_SAMPLE | HL_TAG_MUST >> 2), buf, (size_t)(p - buf));
	}
}

uint32_t hl_facts_cursors(struct hl_cursor *out, uint32_t room)
{
	uint32_t n = 0;

	for (struct hl_thread *t = hl_thread_all(); t; t = t->next_all)
		for (uint32_t l = 0; l < HL_LEVELS; l++) {
			const struct hl_stream *s = t->streams[l];

			if (!s || s->stream == 0)
				continue;
			if (n < room)
				out[n] = (struct hl_cursor){s->stream, s->claim, s->slot ? s->at : 0};
			n++;
		}
	return n;
}

/* As many records as it takes: a stream that none of them lists would be inherited whole. */
void hl_facts_fork(struct hl_thread *t, const struct hl_cursor *c, uint32_t n, uint32_t next_serial)
{
	const uint32_t most = (HL_FACT_BYTES_MAX - 64) / 15;
	uint8_t *buf = hl_arena_alloc(HL_FACT_BYTES_MAX);

	if (!buf)
		return;
	do {
		uint32_t part = n < most ? n : most;
		uint8_t *p = hl_put_uv(buf, hl_guest.parent_image);

		p = hl_put_uv(p, hl_guest.parent_pid);
		p = hl_put_uv(p, next_serial);
		p = hl_put_uv(p, part);
		for (uint32_t i = 0; i < part; i++, c++) {
			p = hl_put_uv(p, c->stream);
			p = hl_put_uv(p, c->claim);
			p = hl_put_uv(p, c->used);
		}
		hl_record_fact(t, HL_FACT_FORK, buf, (size_t)(p - buf));
		n -= part;
	} while (n);
}

void hl_facts_parent(struct hl_thread *t, const char *trace, const uint8_t uuid[16], uint32_t image_id)
{
	const char *name = hl_basename(trace);
	uint8_t head[8], tail[40], *p, *q;
	size_t n = hl_strlen(name);

	p = hl_put_uv(head, n);
	q = hl_put_string(tail, (const char *)uuid, 16);
	q = hl_put_uv(q, image_id);
	hl_record_fact3(t, HL_FACT_PARENT, head, (size_t)(p - head), name, n, tail, (size_t)(q - tail));
}

void hl_facts_thread(struct hl_thread *t)
{
	uint8_t buf[64], *p = hl_put_uv(buf, t->serial);
	char name[16];

	p = hl_put_uv(p, t->tid);
	p = hl_put_uv(p, 0);
	p = hl_put_uv(p, hl_cpu_thread_pointer());
	p = hl_put_uv(p, now());
	hl_record_fact(t, HL_FACT_THREAD, buf, (size_t)(p - buf));
	hl_sys_thread_name(name);
	hl_record_name(t, name);
}

void hl_facts_thread_end(struct hl_thread *t)
{
	uint8_t buf[32], *p = hl_put_uv(buf, t->serial);

	p = hl_put_uv(p, now());
	hl_record_fact(t, HL_FACT_THREAD_END, buf, (size_t)(p - buf));
}

void hl_facts_exec(struct hl_thread *t, const char *path)
{
	uint8_t head[24], *p = hl_put_uv(head, now());
	size_t n = hl_strlen(path);

	if (n > HL_PATH_MAX)
		n = HL_PATH_MAX;
	p = hl_put_uv(p, n);
	hl_record_fact3(t, HL_FACT_EXEC, head, (size_t)(p - head), path, n, head, 0);
}

void hl_facts_end(struct hl_thread *t, enum hl_end end, uint32_t status)
{
	uint8_t buf[32], *p = hl_put_uv(buf, end);

	p = hl_put_uv(p, status);
	p = hl_put_uv(p, now());
	hl_record_fact(t, HL_FACT_END, buf, (size_t)(p - buf));
}

uint64_t hl_facts_now(void)
{
	return hl_stamp_fenced(hl_guest.clock, hl_guest.shift);
}

void hl_facts_range(struct hl_thread *t, uint64_t start, uint64_t end, uint32_t flags, uint64_t caller,
		    uint64_t stamp)
{
	uint8_t buf[64], *p = hl_put_uv(buf, start);
	uint32_t id;

	if (end <= start)
		return;
	/* whatever became of the module's record: without it the range has a caller without a name */
	hl_modrec_note(t, caller);
	id = hl_modmap_id(caller);
	p = hl_put_uv(p, end);
	p = hl_put_uv(p, id ? id + 1ull : 0);
	p = hl_put_uv(p, flags);
	p = hl_put_uv(p, stamp);
	hl_record_fact(t, HL_FACT_RANGE, buf, (size_t)(p - buf));
}

void hl_facts_unseen(struct hl_thread *t, enum hl_unseen why, const char *path, const char *from)
{
	uint8_t head[24], tail[216], *p = hl_put_uv(head, why), *q;
	size_t n = hl_strlen(path), nfrom = hl_strlen(from);

	if (n > HL_PATH_MAX)
		n = HL_PATH_MAX;
	p = hl_put_uv(p, n);
	q = hl_put_string(tail, from, nfrom < 200 ? nfrom : 200);
	hl_record_fact3(t, HL_FACT_UNSEEN, head, (size_t)(p - head), path, n, tail, (size_t)(q - tail));
}

/* Later events lie above its stamp: a block that has the address next is another one. */
void hl_facts_leak_note(struct hl_thread *t, enum hl_leak_note what, uint64_t address, uint64_t bytes)
{
	uint8_t buf[48], *p = hl_put_uv(buf, what);
	uint64_t stamp;

	atomic_fetch_add_explicit(&hl_guest.region->clock_seq, 1, memory_order_seq_cst);
	stamp = hl_facts_now();
	while (now() <= stamp)
		;
	p = hl_put_uv(p, address);
	p = hl_put_uv(p, bytes);
	p = hl_put_uv(p, stamp);
	hl_record_fact(t, HL_FACT_LEAK_NOTE, buf, (size_t)(p - buf));
}

void hl_facts_suppressions(struct hl_thread *t, const char *text)
{
	static const size_t most = HL_FACT_BYTES_MAX - 16;

	for (size_t left = hl_strlen(text), n; left; left -= n, text += n) {
		uint8_t head[16];

		n = left < most ? left : most;
		hl_record_fact3(t, HL_FACT_SUPPRESSIONS, head, (size_t)(hl_put_uv(head, n) - head), text, n,
				head, 0);
	}
}
