# heapledger: builds build/heapledger and build/libheapledger.so.  `make help` lists the targets.
version := 0.1.0
prefix  ?= /usr/local
PREFIX  ?= $(prefix)
bindir   = $(PREFIX)/bin
libdir   = $(PREFIX)/lib/heapledger
incdir   = $(PREFIX)/include
mandir   = $(PREFIX)/share/man
pcdir    = $(PREFIX)/share/pkgconfig
INSTALL ?= install
O       ?= build
CFLAGS  ?= -O2 -g
Q       ?= @

base := -std=gnu17 -D_GNU_SOURCE -I. -Iinclude -Wall -Wextra -Wstrict-prototypes \
        -Wmissing-prototypes -Wshadow -Wvla -MMD -MP -DHL_VERSION='"$(version)"'
san  := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
obj   = $(patsubst %.c,$(O)/%.o,$(1))

so_src  := $(wildcard preload/*.c)
an_src  := $(wildcard analyzer/*/*.c)
an_libs := -ldw -lelf -lzstd -lyajl -ljansson -liberty -lpthread -lm
# every module of the analyzer but main, for the unit tests
an_mod  := $(filter-out analyzer/cli/main.c,$(an_src))
# unit tests link the modules, never the hooks, so a test keeps its own malloc
unit    := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/*_test.c))
guests  := $(filter-out tests/guest/lib_%,$(wildcard tests/guest/*.c tests/guest/*.cc))
edges   := $(filter-out tests/unwind/lib_%,$(wildcard tests/unwind/*.c tests/unwind/*.cc))
scripts := tests/check_floors.sh tests/check_style.sh $(wildcard tests/e2e/*.sh tests/fault/*.sh tests/unwind/*.sh tests/aarch64/*.sh)
# every test script is told where the binaries are
env      = HL_ROOT=$(CURDIR) HL_BUILD=$(abspath $(O))

all: $(O)/libheapledger.so $(O)/heapledger $(O)/heapledger-memcheck	## build the command and the library

# What is missing is named, or installed when make runs as root, before the first file is compiled.
$(O)/deps-%: .ci/deps
	@mkdir -p $(@D)
	$(Q)sh .ci/deps $* && touch $@

# a loop that gcc turns into memset would call libc; clang has no such flag and needs none
noloops := $(shell $(CC) -fno-tree-loop-distribute-patterns -E -x c /dev/null >/dev/null 2>&1 && \
	echo -fno-tree-loop-distribute-patterns)
# an atomic is an instruction or two, not a call of a helper that asks what the processor can do
atomics := $(if $(filter aarch64%,$(shell $(CC) -dumpmachine)),-mno-outline-atomics)
# one hook runs through six files: inlining across them is worth 6 % of a traced python
lto     := $(if $(shell $(CC) --version | grep -i clang),,-flto=auto --param large-function-growth=1000 --param large-stack-frame-growth=4000)
$(O)/preload/%.o: extra := -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	-fno-builtin $(noloops) $(atomics) -foptimize-sibling-calls -fno-tree-slp-vectorize -fno-stack-protector $(lto)
$(O)/analyzer/%.o $(O)/tests/%.o: extra := $(san)
$(O)/%.o: %.c Makefile | $(O)/deps-build
	@mkdir -p $(@D)
	$(Q)$(CC) $(base) $(extra) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(O)/libheapledger.so: $(call obj,$(so_src)) preload/exports.map
	$(Q)$(CC) -shared $(lto) $(CFLAGS) -fPIC -ftls-model=initial-exec -Wl,-z,defs -Wl,-z,now -Wl,--version-script=preload/exports.map \
		-Wl,-soname,libheapledger.so $(LDFLAGS) -o $@ $(filter %.o,$^)

# The library a second time, every load and store a call into tests/sharing/watch.c: which lines do two threads write?
watched := $(patsubst %.c,$(O)/sharing/%.o,$(so_src) tests/sharing/watch.c)
$(O)/sharing/preload/%.o: watch := -fsanitize=thread $(if $(lto),-Wno-tsan)
$(O)/sharing/%.o: %.c Makefile | $(O)/deps-build
	@mkdir -p $(@D)
	$(Q)$(CC) $(base) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-builtin $(noloops) $(atomics) \
		-fno-tree-slp-vectorize -fno-stack-protector $(watch) $(CPPFLAGS) -O2 -g -c -o $@ $<
$(O)/sharing/libheapledger.so: $(watched) preload/exports.map
	$(Q)$(CC) -shared -fPIC -Wl,-z,defs -Wl,-z,now -Wl,--version-script=preload/exports.map $(LDFLAGS) -o $@ $(watched)
# A third time, for tests/fault/system_calls.py: each of its system calls can be made to fail.
faulty := $(patsubst %.c,$(O)/faulty/%.o,$(so_src) tests/fault/gateway.c)
$(O)/faulty/preload/%.o: gateway := -include tests/fault/gateway.h
$(O)/faulty/%.o: %.c Makefile | $(O)/deps-build
	@mkdir -p $(@D)
	$(Q)$(CC) $(base) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-builtin $(noloops) $(atomics) \
		-fno-tree-slp-vectorize -fno-stack-protector $(gateway) $(CPPFLAGS) -O2 -g -c -o $@ $<
$(O)/faulty/libheapledger.so: $(faulty) preload/exports.map
	$(Q)$(CC) -shared -fPIC -Wl,-z,defs -Wl,-z,now -Wl,--version-script=preload/exports.map $(LDFLAGS) -o $@ $(faulty)
# the library alone: traces are read on any processor
CROSS ?= aarch64-linux-gnu-
aarch64: $(if $(filter aarch64-linux-gnu-,$(CROSS)),$(O)/deps-cross)	## build-aarch64/libheapledger.so with a cross compiler: CROSS=aarch64-linux-gnu-
	$(Q)$(MAKE) --no-print-directory O=build-aarch64 CC="$(CROSS)gcc" build-aarch64/libheapledger.so
$(O)/heapledger: $(call obj,$(an_src))
	$(Q)$(CC) $(san) $(LDFLAGS) -o $@ $^ $(an_libs)
$(call obj,$(wildcard tests/unit/*.c)): | $(O)/deps-check
$(O)/tests/unit/%: $(O)/tests/unit/%.o $(call obj,$(an_mod))
	$(Q)$(CC) $(san) $(LDFLAGS) -o $@ $^ -lcheck -lsubunit -lm -lrt $(an_libs)
# the library's own tables: the test brings what they need of the rest of it
tables := $(addprefix preload/,arena.c idtab.c modmap.c object.c rulecache.c sample.c sys.c vdso.c)
$(O)/tests/unit/tables_test: $(O)/tests/unit/tables_test.o $(call obj,$(tables))
	$(Q)$(CC) $(lto) $(san) $(LDFLAGS) -o $@ $^ -lcheck -lsubunit -lm -lrt -lpthread

# how fast the analyzer's parts are; CPU time, so that a busy machine does not matter much
rates := $(patsubst tests/bench/%.c,$(O)/tests/bench/%,$(wildcard tests/bench/*_bench.c))
$(O)/tests/bench/%: $(O)/tests/bench/%.o $(call obj,$(an_mod))
	$(Q)$(CC) $(san) $(LDFLAGS) -o $@ $^ $(an_libs)
bench-analyzer: $(rates)	## how fast traces are read and heaps judged
	$(Q)for b in $(rates); do $$b || exit 1; done

unit: $(unit)	## build the unit tests
check: $(O)/deps-check all unit $(O)/sharing/libheapledger.so $(O)/faulty/libheapledger.so	## run all tests; ends with "N passed, N failed"
	$(Q)$(env) sh tests/run_all.sh $(T) $(if $(T),,$(unit) $(scripts) $(guests) $(edges))
# the traced programs and the library in them are as ever; tables_test is the library's
sanitized := $(patsubst $(O)/%,build-sanitized/%,$(filter-out %/tables_test,$(unit))) \
	$(patsubst %,tests/e2e/%.sh,golden reports snapshots process_tree run options samples sampled liveset sigkill collector_death) tests/fault/refusals.sh
check-sanitized: $(O)/deps-check	## unit tests, reports and faults with an analyzer built with -fsanitize=address,undefined
	$(Q)ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:verify_asan_link_order=0 UBSAN_OPTIONS=print_stacktrace=1 \
		$(MAKE) --no-print-directory O=build-sanitized SAN=address,undefined T="$(sanitized)" check
lint: $(O)/deps-check all	## floors and style only
	$(Q)$(env) sh tests/run_all.sh tests/check_floors.sh tests/check_style.sh tests/e2e/library.sh
format:	## clang-format everything that lint checks
	clang-format -i $$(find preload analyzer include tests samples -name '*.[ch]' -o -name '*.cc' | grep -v -e golden -e bench)
check-real: $(O)/deps-real all	## trace real programs, compare with valgrind; judge the leak tests of valgrind and LeakSanitizer
	$(Q)$(env) VERBOSE=1 sh tests/run_all.sh $(or $(T),tests/real/run.sh tests/real/leak_suites.sh)
soak: $(O)/deps-check all $(O)/faulty/libheapledger.so	## servers under load for an hour, SOAK_SECONDS=3600; the random tests for longer, ROUNDS=10000
	$(Q)$(env) SIGKILL_ROUNDS=$(or $(ROUNDS),10000) SYSTEM_CALLS=all LIVESET_CASES="$(foreach s,11 12 13 14 15 16 17 18 19 20,$s:$s:400000)" \
		SOAK_SECONDS=$(or $(SOAK_SECONDS),3600) SOAK_RATE=$(or $(SOAK_RATE),40) \
		sh tests/run_all.sh tests/real/soak.sh tests/e2e/sigkill.sh tests/e2e/liveset.sh tests/fault/system_calls.sh
bench: $(O)/deps-bench all	## what tracing costs beside plain, heaptrack, valgrind, and each target: met or missed
	$(Q)$(env) python3 tests/bench/run.py $(BENCH)
demo: $(O)/deps-demo all	## a report on an installed program and one on a sample
	$(Q)$(env) sh samples/demo.sh
deps:	## install (as root) or name the packages that build and check need
	$(Q)sh .ci/deps check

# libFuzzer's own copy of what reads a trace, one minute each: FUZZ_SECONDS=N
fuzz_src := $(filter analyzer/base/% analyzer/input/%,$(an_src)) \
	$(addprefix analyzer/model/,replay.c book.c sample.c ranges.c repair.c)
$(O)/fuzz/%_fuzz: tests/fuzz/%_fuzz.c $(fuzz_src)
	@mkdir -p $(@D)
	$(Q)clang $(filter-out -MMD -MP,$(base)) -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $@ $^ -lzstd -lm
suppress_src := $(filter analyzer/base/%,$(an_src)) analyzer/analysis/suppress.c $(wildcard analyzer/analysis/suppress_*.c) \
	$(addprefix analyzer/analysis/,baseline.c leaks.c names.c idset.c) analyzer/model/demangle.c
$(O)/fuzz/suppress_fuzz: tests/fuzz/suppress_fuzz.c $(suppress_src)
	@mkdir -p $(@D)
	$(Q)clang $(filter-out -MMD -MP,$(base)) -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $@ $^ -liberty -lzstd -lm
$(O)/fuzz/make_corpus: tests/fuzz/make_corpus.c analyzer/collect/writer.c $(filter analyzer/base/%,$(an_src))
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(base)) -o $@ $^ -lzstd
fuzz: $(O)/deps-check $(O)/fuzz/trace_fuzz $(O)/fuzz/columns_fuzz $(O)/fuzz/suppress_fuzz $(O)/fuzz/make_corpus	## feed damaged traces and files to their readers
	@mkdir -p $(O)/fuzz/corpus $(O)/fuzz/columns $(O)/fuzz/suppress
	$(Q)$(O)/fuzz/make_corpus $(O)/fuzz/corpus $(O)/fuzz/columns
	$(Q)$(O)/fuzz/trace_fuzz -max_total_time=$(or $(FUZZ_SECONDS),60) -timeout=10 -rss_limit_mb=2048 $(O)/fuzz/corpus
	$(Q)$(O)/fuzz/columns_fuzz -max_total_time=$(or $(FUZZ_SECONDS),60) -timeout=10 -rss_limit_mb=2048 $(O)/fuzz/columns
	$(Q)printf '\0leak:^a*$$\n' >$(O)/fuzz/suppress/lsan
	$(Q)printf '\0# heapledger: max=1K, 2 blocks\n{\nx\nMemcheck:Leak\nmatch-leak-kinds: definite\nfun:malloc\n...\nfun:_ZNSt6vectorI*\nobj:*.so\nsrc:a.c:7\n}\n' >$(O)/fuzz/suppress/valgrind
	$(Q)printf '\1heapledger baseline 1\n00000000000000ff definite 1 2 f < main\n' >$(O)/fuzz/suppress/baseline
	$(Q)printf '\2Fvoid A<int>::f(int*)|/lib/libx.so\0M/p\0' >$(O)/fuzz/suppress/names
	$(Q)$(O)/fuzz/suppress_fuzz -max_total_time=$(or $(FUZZ_SECONDS),60) -timeout=10 -rss_limit_mb=2048 $(O)/fuzz/suppress

$(O)/heapledger-memcheck: analyzer/cli/heapledger-memcheck.sh
	@mkdir -p $(@D)
	$(Q)$(INSTALL) -m755 $< $@
$(O)/heapledger.pc: heapledger.pc.in Makefile
	@mkdir -p $(@D)
	$(Q)sed 's|@prefix@|$(PREFIX)|;s|@version@|$(version)|' $< >$@
pages := $(wildcard man/*.1 man/*.3 man/*.7)
install: all $(O)/heapledger.pc	## PREFIX=/usr/local, DESTDIR for packages
	$(INSTALL) -Dm755 $(O)/heapledger "$(DESTDIR)$(bindir)/heapledger"
	$(INSTALL) -Dm755 $(O)/heapledger-memcheck "$(DESTDIR)$(bindir)/heapledger-memcheck"
	$(INSTALL) -Dm755 $(O)/libheapledger.so "$(DESTDIR)$(libdir)/libheapledger.so"
	$(INSTALL) -Dm644 include/heapledger.h "$(DESTDIR)$(incdir)/heapledger.h"
	$(INSTALL) -Dm644 $(O)/heapledger.pc "$(DESTDIR)$(pcdir)/heapledger.pc"
	$(Q)for p in $(pages); do \
		$(INSTALL) -Dm644 $$p "$(DESTDIR)$(mandir)/man$${p##*.}/$${p##*/}" || exit 1; done
uninstall:	## remove what install put there
	rm -f "$(DESTDIR)$(bindir)/heapledger" "$(DESTDIR)$(bindir)/heapledger-memcheck" "$(DESTDIR)$(libdir)/libheapledger.so" \
		"$(DESTDIR)$(incdir)/heapledger.h" "$(DESTDIR)$(pcdir)/heapledger.pc"
	$(Q)for p in $(pages); do rm -f "$(DESTDIR)$(mandir)/man$${p##*.}/$${p##*/}"; done
	-rmdir "$(DESTDIR)$(libdir)"
help:	## this list
	@sed -n 's/^\([a-z0-9-]*\):.*##/\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14
clean:	## remove build/
	rm -rf $(O)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all aarch64 unit check check-sanitized lint format check-real soak bench bench-analyzer demo deps fuzz install uninstall help clean
