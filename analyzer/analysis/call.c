/*
 * call.c - a record of a call, with its names.  Floor: analysis.
 */
#include "analyzer/analysis/call.h"

const char *hl_call_function(unsigned entry, unsigned domain)
{
	static const char *const names[] = {
		[HL_ENTRY_MALLOC] = "malloc",
		[HL_ENTRY_CALLOC] = "calloc",
		[HL_ENTRY_REALLOC] = "realloc",
		[HL_ENTRY_ALIGNED] = "aligned_alloc",
		[HL_ENTRY_NEW] = "operator new",
		[HL_ENTRY_NEW_ARRAY] = "operator new[]",
		[HL_ENTRY_MMAP] = "mmap",
		[HL_ENTRY_POOL] = "heapledger_alloc",
		[HL_ENTRY_FREE] = "free",
		[HL_ENTRY_DELETE] = "operator delete",
		[HL_ENTRY_DELETE_ARRAY] = "operator delete[]",
	};

	if (domain == HL_DOMAIN_POOL && entry == HL_ENTRY_FREE)
		return "heapledger_free";
	return entry < HL_ENTRY_COUNT ? names[entry] : "?";
}

struct hl_call hl_call_make(const struct hl_calls *c, unsigned entry, unsigned domain, uint64_t stamp,
			    uint32_t stack, uint32_t thread)
{
	const struct hl_facts *f = hl_trace_facts(c->trace);
	const struct hl_thread *who = hl_facts_thread(f, thread);
	uint64_t start = f->process.seen ? f->process.start_stamp : hl_trace_header(c->trace)->start_stamp;

	return (struct hl_call){.known = 1,
				.function = hl_call_function(entry, domain),
				.traceback = stack ? hl_stacks_traceback(c->stacks, stack) : 0,
				.seconds = hl_trace_seconds(c->trace, start, stamp),
				.thread = hl_names_intern(c->names, who ? who->name : ""),
				.tid = who ? who->tid : 0};
}
