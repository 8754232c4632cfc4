"""suite_lsan.py - LeakSanitizer's own tests (compiler-rt/test/lsan/TestCases), and what each expects.

The tests switch kinds of roots off (use_stacks=0, use_registers=0, use_tls=0, use_globals=0) to make something leak, or to
keep stale words from hiding it.  That has no counterpart here: expected is what the test expects with all roots on, and
where it loses something without any of them, that it is found with all on.
"""
from suite_cases import Case

OPTION = "its options are of LeakSanitizer's runtime"
SUPPRESSED = (("known.supp", "leak:*LSanTestLeakingFunc*\n"),)
MODULE = (("known.supp", "leak:{program}\n"),)
WITH_FILE = ("--suppressions", "known.supp")


def case(source, want=None, *arguments, **more):
    return Case("lsan", source, want, arguments, **more)


CASES = [
    case("default_options.cpp", "none", silent=True, note="allocates nothing: no verdict"),
    case("disabler.c", "L1/1337", api=True),
    case("disabler.cpp", "L1/1337", api=True),
    case("do_leak_check_override.cpp", "L2/2003", label="strict"),
    case("do_leak_check_override.cpp", "L1/666", "foo", api=True, status=23, label="normal"),
    case("high_allocator_contention.cpp", "none", "5", "1000000", label=""),
    case("ignore_object.c", "L1/1337", api=True),
    case("ignore_object_errors.cpp", "none"),
    case("large_allocation_leak.cpp", "L1/33554432"),
    case("leak_check_at_exit.cpp", "L1/1337"),
    case("leak_check_at_exit.cpp", "L1/1337", "foo", api=True, status=23),
    case("leak_check_before_thread_started.cpp", "none"),
    case("link_turned_off.cpp", "L1/4", "foo"),
    case("link_turned_off.cpp", "none", api=True, note="__lsan_is_turned_off says so"),
    case("malloc_zero.c", "L1/0", note="LeakSanitizer makes one byte of none"),
    case("many_threads_detach.cpp", "none"),
    case("many_tls_keys_pthread.cpp", "none"),
    case("many_tls_keys_thread.cpp", "none"),
    case("new_array_with_dtor_0.cpp", "none", note="the count before an array of none"),
    case("pointer_to_self.cpp", "L1/1337"),
    case("print_suppressions.cpp", "none"),
    case("print_suppressions.cpp", "none", "foo", api=True),
    case("realloc_too_big.c", skip="max_allocation_size_mb is an allocator's option"),
    case("realloc_zero.c", "none"),
    case("recoverable_leak_check.cpp", "L2/1360", "foo", api=True, status=0),
    case("register_root_region.cpp", "none"),
    case("register_root_region.cpp", skip="memory that a program mapped is a root without being registered", label="foo"),
    case("sanity_check_pure_c.c", "none", silent=True, note="allocates nothing: no verdict"),
    case("stale_stack_leak.cpp", "L1/1337", flags=("-O1",)),
    case("strace_test.cpp", "none", note="without strace, under which LeakSanitizer refuses to run"),
    case("suppressions_default.cpp", "L1/1337", api=True),
    case("suppressions_file.cpp", "L3/2780", label="no file"),
    case("suppressions_file.cpp", "L1/1337", label="function", files=SUPPRESSED, options=WITH_FILE),
    case("suppressions_file.cpp", "none", label="module", files=MODULE, options=WITH_FILE),
    case("swapcontext.cpp", "L1/2664", label="heap",
         note="lost; its test expects none, as LeakSanitizer cannot unwind that stack"),
    case("swapcontext.cpp", "L1/2664", "foo", label="stack"),
    case("use_after_return.cpp", "none", flags=("-O2",)),
    case("use_globals_initialized.cpp", "none"),
    case("use_globals_uninitialized.cpp", "none"),
    case("use_globals_unused.cpp", "none", part=("-DTEST_LIB", "-c"), note="at -O0: gcc -O2 leaves the pointer out"),
    case("use_poisoned_asan.cpp", skip="poisons memory, which AddressSanitizer only knows"),
    case("use_registers.cpp", "none"),
    case("use_registers_extra.cpp", "none"),
    case("use_stacks.cpp", "none"),
    case("use_stacks_threaded.cpp", "none"),
    case("use_unaligned.cpp", "L1/1337", note="only words at multiples of 8 are pointers"),
    case("Linux/cleanup_in_tsd_destructor.c", None, api=True, status=0,
         note="judged while the thread ends; lost afterwards"),
    case("Linux/disabler_in_tsd_destructor.c", "none", api=True),
    case("Linux/fork.cpp", "none"),
    case("Linux/fork_and_leak.cpp", "L10/13370"),
    case("Linux/fork_threaded.cpp", "none"),
    case("Linux/guard-page.c", "none"),
    case("Linux/libdl_deadlock.cpp", "none"),
    case("Linux/log-path_test.cpp", "none", note="on main's stack; its test switches stacks off"),
    case("Linux/use_tls_dynamic.cpp", "none", part=("-DBUILD_DSO", "-fPIC", "-shared")),
    case("Linux/use_tls_pthread_specific_dynamic.cpp", "none"),
    case("Linux/use_tls_pthread_specific_static.cpp", "none"),
    case("Linux/use_tls_static.cpp", "none"),
    case("Darwin/dispatch.mm", skip="of another system"),
]
