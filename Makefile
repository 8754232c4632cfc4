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
san  := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
obj   = $(patsubst %.c,$(O)/%.o,$(1))

so_src  := $(wildcard preload/*.c)
an_src  := $(wildcard analyzer/*/*.c)
an_libs := -ldw -lelf -lzstd -lyajl -ljansson -liberty -lpthread
# every module of the analyzer but main, for the unit tests
an_mod  := $(filter-out analyzer/cli/main.c,$(an_src))
# unit tests link the modules, never the hooks, so a test keeps its own malloc
unit    := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/*_test.c))

all: $(O)/libheapledger.so $(O)/heapledger

$(O)/preload/%.o: extra := -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	-fno-builtin -fno-tree-loop-distribute-patterns -fno-stack-protector
$(O)/analyzer/%.o $(O)/tests/%.o: extra := $(san)
$(O)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(base) $(extra) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(O)/libheapledger.so: $(call obj,$(so_src)) preload/exports.map
	$(Q)$(CC) -shared -Wl,-z,defs -Wl,-z,now -Wl,--version-script=preload/exports.map \
		-Wl,-soname,libheapledger.so $(LDFLAGS) -o $@ $(filter %.o,$^)
$(O)/heapledger: $(call obj,$(an_src))
	$(Q)$(CC) $(san) $(LDFLAGS) -o $@ $^ $(an_libs)
$(O)/tests/unit/%: $(O)/tests/unit/%.o $(call obj,$(an_mod))
	$(Q)$(CC) $(san) $(LDFLAGS) -o $@ $^ -lcheck -lsubunit -lm -lrt $(an_libs)

unit: $(unit)

clean:
	rm -rf $(O)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all unit clean
