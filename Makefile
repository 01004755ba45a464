# ndiv: packet handlers in the network driver's receive path
#
#   make                        build everything into build/
#   make demo                   build, and show it at work in a lab, from nothing to clean again (root)
#   make check                  build with warnings as errors, and run all tests (root)
#   make handler SRC=my.bpf.c   build a handler outside the tree; OUT=my.bpf.o (default: build/my.bpf.o)
#   make install                DESTDIR= PREFIX=/usr/local (BINDIR= LIBDIR= INCDIR= MANDIR= COMPDIR= DOCDIR= EXTCAPDIR=
#                               DATADIR= UNITDIR=)
#   make uninstall              the same ones
#
#   make check-kernels          run the tests on other kernels, in emulated machines; KERNELS="6.1 6.12"
#   make check-nics             run ndiv on emulated network cards; NICS="e1000 virtio-net"
#   make check-browser          run a browser against httpd (Chromium)
#   make check-fresh            run demo and check in fresh minimal systems; DISTS="bookworm trixie noble"
#   make bench                  measure; SUITE=core runs one suite; result in build/bench.json (root)
#   make fuzz                   feed the parsers of the library with nonsense; SECS=10 for each
#   make lint                   format, static analysis, shell scripts, licences, several compilers
#   make format                 lay out the C code as lint wants it
#   make deps                   install what building, demo and tests need; SETS="build demo test bench browser lint fuzz vm fresh"
#   make clean
#
# demo, check, check-*, bench, fuzz and lint first install what is missing (apt-get, as root). V=1 shows the commands;
# ERR=1 makes warnings errors; SAN=1 builds with address and undefined-behaviour sanitizers, into build/san.

VERSION := $(shell sed -n 's/^.define NDIV_VERSION "\(.*\)"/\1/p' include/ndiv/ndiv.h)
SOVERSION := $(shell sed -n 's/^LIBNDIV_\([0-9]*\) .*/\1/p' lib/libndiv.map)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
DOCDIR ?= $(PREFIX)/share/doc/ndiv
HANDLERDIR ?= $(LIBDIR)/ndiv
EXTCAPDIR ?= $(LIBDIR)/wireshark/extcap
DATADIR ?= $(PREFIX)/share/ndiv
UNITDIR ?= $(PREFIX)/lib/systemd/system

CC ?= cc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
INSTALL ?= install

# Nothing of the following may be there yet when this is read: it is asked when it is needed, once.
once = $(eval $(1) := $(2))$($(1))
BPFTOOL = $(call once,BPFTOOL,$(shell scripts/bpftool.sh))
# This directory has <asm/types.h>; it is found without it only where gcc-multilib happens to be installed.
MULTIARCH = $(call once,MULTIARCH,$(or $(shell $(CC) -print-multiarch 2>/dev/null),$(shell uname -m)-linux-gnu))
LIBS = $(call once,LIBS,$(shell $(PKG_CONFIG) --libs libbpf) -lelf -lz -lpcap)
CLI_LIBS = -lzstd -lfuse3

B := build$(if $(SAN),/san)
Q := $(if $(V),,@)
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-7s %s\n' $(1) $(2))
comma := ,

WARN := -Wall -Wextra -Wno-unused-parameter $(if $(ERR),-Werror)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
CFLAGS ?= -O2 -g
C = $(CC) -std=gnu11 $(WARN) -Iinclude -I$(B)/gen $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) -fPIC -MMD -MP
LINK = $(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS)
BPF = $(CLANG) -target bpf -O2 -g -mcpu=v3 -std=gnu11 $(WARN) -fno-stack-protector \
	-Iinclude -idirafter /usr/include/$(MULTIARCH) -MMD -MP

# handlers/NAME/NAME.bpf.c
HANDLERS := $(filter $(patsubst %.bpf.c,%,$(notdir $(wildcard handlers/*/*.bpf.c))),$(notdir $(wildcard handlers/*)))
HANDLER_OBJS := $(HANDLERS:%=$(B)/handlers/%.bpf.o)
BPF_OBJS := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard bpf/*.bpf.c))
T_OBJS := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(wildcard t/handlers/*.bpf.c bench/*.bpf.c))
LIB_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/*.c))
CLI_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard cli/*.c))
T_HARNESS := $(patsubst %.c,$(B)/%.o,$(wildcard t/harness/*.c))
T_BINS := $(patsubst %.c,$(B)/%,$(wildcard t/test_*.c))
BENCH_BINS := $(patsubst %.c,$(B)/%,$(wildcard bench/bench_*.c))
BENCH_OBJS := $(patsubst %.c,$(B)/%.o,$(filter-out bench/bench_%.c bench/load.c bench/flood.c %.bpf.c,$(wildcard bench/*.c)))
MANS := $(wildcard docs/man/*.[1-9])
HEADERS := $(wildcard include/ndiv/*.h)
UNITS := $(wildcard dist/*.service)
DOCS := README.md CHANGELOG.md $(wildcard docs/*.md)

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all tests demo check check-kernels check-nics check-fresh check-browser bench fuzz handler lint format install \
	uninstall deps clean help ready FORCE

all: $(B)/ndiv $(B)/libndiv.a $(B)/libndiv.so $(HANDLER_OBJS) $(BPF_OBJS)

tests: all $(T_BINS) $(T_OBJS) $(B)/bench/load $(B)/bench/flood $(BENCH_BINS) $(B)/examples/capture

help:
	@sed -ne '/^[^#]*$$/q;s/^# \{0,1\}\(.*\)/\1/;p' Makefile

# --- what is compiled, and when again

# Says what is missing, instead of an error of the first compiler.
ready:
	@scripts/deps.sh --check build

# Changes when the options do: other options, another object. What was built with ERR=1 is good without it.
OPTIONS = $(CC) $(CLANG) $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) $(LDFLAGS)
$(B)/.options: FORCE | ready
	@mkdir -p $(@D)
	@echo '$(OPTIONS)$(if $(ERR), strict)' >$@.new
	@if cmp -s $@.new $@ || { [ -z '$(ERR)' ] && [ "$$(cat $@ 2>&1)" = '$(OPTIONS) strict' ]; }; then \
		rm $@.new; else mv $@.new $@; fi

$(B)/.handlerdir: FORCE
	@mkdir -p $(@D)
	@echo '$(HANDLERDIR)' | cmp -s - $@ || echo '$(HANDLERDIR)' >$@

# The files of the library: one that is gone must go from it.
$(B)/.lib: FORCE
	@mkdir -p $(@D)
	@echo '$(LIB_OBJS)' | cmp -s - $@ || echo '$(LIB_OBJS)' >$@

# --- BPF objects

define compile_bpf
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPF) -c $< -o $@
endef

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/.options
	$(compile_bpf)

$(B)/t/%.bpf.o: t/%.bpf.c $(B)/.options
	$(compile_bpf)

$(B)/bench/%.bpf.o: bench/%.bpf.c $(B)/.options
	$(compile_bpf)

define handler_rule
$(B)/handlers/$(1).bpf.o: handlers/$(1)/$(1).bpf.c $(B)/.options
	$$(compile_bpf)
endef
$(foreach h,$(HANDLERS),$(eval $(call handler_rule,$(h))))

OUT ?= $(B)/$(notdir $(SRC:.c=.o))
handler: | ready
	$(if $(SRC),,$(error say which: make handler SRC=path/to/my.bpf.c [OUT=path/to/my.bpf.o]))
	@mkdir -p $(dir $(OUT))
	$(Q)$(BPF) -MF /dev/null -c $(SRC) -o $(OUT)
	@echo '$(OUT)'

SKELS := $(B)/gen/core.skel.h $(B)/gen/tap.skel.h $(B)/gen/note.skel.h
$(SKELS): $(B)/gen/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# --- user space

define compile_c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(C) $(1) -c $< -o $@
endef

$(B)/lib/%.o: lib/%.c $(B)/.options | $(SKELS)
	$(call compile_c,-DNDIV_HANDLERDIR='"$(HANDLERDIR)"')

$(B)/lib/find.o: $(B)/.handlerdir

$(B)/cli/%.o: cli/%.c $(B)/.options
	$(call compile_c)

$(B)/t/harness/%.o: t/harness/%.c $(B)/.options | $(SKELS)
	$(call compile_c,-It/harness)

$(B)/libndiv.a: $(LIB_OBJS) $(B)/.lib
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $(LIB_OBJS)

$(B)/libndiv.so: $(LIB_OBJS) $(B)/.lib lib/libndiv.map
	$(call say,LD,$@)
	$(Q)$(LINK) -shared -Wl,-soname,libndiv.so.$(SOVERSION) -Wl,--version-script=lib/libndiv.map \
		-o $@ $(LIB_OBJS) $(LIBS)

$(B)/ndiv: $(CLI_OBJS) $(B)/libndiv.a
	$(call say,LD,$@)
	$(Q)$(LINK) -o $@ $(CLI_OBJS) $(B)/libndiv.a $(LIBS) $(CLI_LIBS) -lncursesw

$(B)/examples/%: docs/examples/%.c $(B)/.options $(B)/libndiv.a
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(C) $(LDFLAGS) -o $@ $< $(B)/libndiv.a $(LIBS)

$(B)/bench/%.o: bench/%.c $(B)/.options | $(SKELS)
	$(call compile_c,-It/harness -Ibench)

define link_test
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(C) $(LDFLAGS) -It/harness $(1) -o $@ $< $(2) $(T_HARNESS) $(B)/libndiv.a $(LIBS) -lm $(3)
endef

$(B)/t/%: t/%.c $(B)/.options $(T_HARNESS) $(B)/libndiv.a
	$(call link_test,,,-lcmocka)

$(B)/bench/%: bench/%.c $(B)/.options $(BENCH_OBJS) $(T_HARNESS) $(B)/libndiv.a
	$(call link_test,-Ibench,$(BENCH_OBJS))

# --- to run it: each first installs what is missing, then reads this file anew

SETS ?= build demo test
deps:
	@scripts/deps.sh $(SETS)

demo:
	@scripts/deps.sh demo
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh

check:
	@scripts/deps.sh test
	@$(MAKE) --no-print-directory ERR=1 tests
	@$(MAKE) --no-print-directory ERR=1 SAN=1 tests
	@PATH="$$(dirname "$$(scripts/bpftool.sh)"):$$PATH" t/run.sh

check-kernels check-nics:
	@scripts/deps.sh test vm
	@$(MAKE) --no-print-directory ERR=1 tests
	@t/vm/$@.sh

check-browser:
	@scripts/deps.sh browser
	@$(MAKE) --no-print-directory all
	@t/run.sh t/browser/browser.t

check-fresh:
	@scripts/deps.sh fresh
	@t/fresh/check-fresh.sh $(DISTS)

bench:
	@scripts/deps.sh test bench
	@$(MAKE) --no-print-directory tests
	@bench/run.sh $(SUITE)

SECS ?= 10
fuzz:
	@scripts/deps.sh fuzz
	@t/fuzz/run.sh $(SECS)

lint:
	@scripts/deps.sh lint
	@scripts/lint.sh

format:
	@scripts/deps.sh lint
	@scripts/format $$(git ls-files '*.[ch]')

# --- to have it

# Where it goes is where it comes from: used by install and by uninstall.
INSTALL_HANDLERS := $(filter-out %/template.bpf.o,$(HANDLER_OBJS))
INSTALLED = $(BINDIR)/ndiv $(LIBDIR)/libndiv.a $(LIBDIR)/libndiv.so $(LIBDIR)/libndiv.so.$(SOVERSION) \
	$(LIBDIR)/libndiv.so.$(VERSION) $(LIBDIR)/pkgconfig/libndiv.pc $(COMPDIR)/ndiv $(EXTCAPDIR)/ndiv \
	$(addprefix $(INCDIR)/ndiv/,$(notdir $(HEADERS))) \
	$(addprefix $(HANDLERDIR)/,$(notdir $(INSTALL_HANDLERS))) \
	$(foreach m,$(MANS),$(MANDIR)/man$(patsubst .%,%,$(suffix $m))/$(notdir $m)) \
	$(addprefix $(DOCDIR)/,$(notdir $(DOCS))) $(DOCDIR)/examples/template.bpf.c $(DOCDIR)/examples/capture.c \
	$(addprefix $(UNITDIR)/,$(notdir $(UNITS))) $(DATADIR)/shield.policy

# As libndiv.pc says it, which can then be used elsewhere.
in_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

install: all
	$(Q)$(INSTALL) -D -m 755 -t $(DESTDIR)$(BINDIR) $(B)/ndiv
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(LIBDIR) $(B)/libndiv.a
	$(Q)$(INSTALL) -D -m 644 $(B)/libndiv.so $(DESTDIR)$(LIBDIR)/libndiv.so.$(VERSION)
	$(Q)ln -sf libndiv.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libndiv.so.$(SOVERSION)
	$(Q)ln -sf libndiv.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libndiv.so
	$(Q)$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(call in_prefix,$(LIBDIR))|; s|@INCDIR@|$(call in_prefix,$(INCDIR))|' \
		-e 's|@HANDLERDIR@|$(call in_prefix,$(HANDLERDIR))|; s|@VERSION@|$(VERSION)|; s|@MULTIARCH@|$(MULTIARCH)|' lib/libndiv.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libndiv.pc
	$(Q)chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/libndiv.pc
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(INCDIR)/ndiv $(HEADERS)
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(HANDLERDIR) $(INSTALL_HANDLERS)
	$(Q)$(foreach m,$(MANS),$(INSTALL) -D -m 644 -t $(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $m)) $m &&) :
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(COMPDIR) cli/completion/ndiv
	$(Q)$(INSTALL) -d $(DESTDIR)$(EXTCAPDIR)
	$(Q)sed -e 's|@BINDIR@|$(BINDIR)|' cli/extcap/ndiv >$(DESTDIR)$(EXTCAPDIR)/ndiv
	$(Q)chmod 755 $(DESTDIR)$(EXTCAPDIR)/ndiv
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(DOCDIR) $(DOCS)
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(DOCDIR)/examples handlers/template/template.bpf.c docs/examples/capture.c
	$(Q)$(INSTALL) -D -m 644 -t $(DESTDIR)$(DATADIR) dist/shield.policy
	$(Q)$(INSTALL) -d $(DESTDIR)$(UNITDIR)
	$(Q)$(foreach u,$(UNITS),sed -e 's|@BINDIR@|$(BINDIR)|; s|@DATADIR@|$(DATADIR)|; s|@DOCDIR@|$(DOCDIR)|' $u >$(DESTDIR)$(UNITDIR)/$(notdir $u) && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$(notdir $u) &&) :
	$(Q)$(if $(DESTDIR),,ldconfig 2>/dev/null || :)
	@echo 'installed: $(DESTDIR)$(BINDIR)/ndiv, handlers in $(DESTDIR)$(HANDLERDIR)'

uninstall:
	$(Q)rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	$(Q)rmdir --ignore-fail-on-non-empty $(addprefix $(DESTDIR),$(INCDIR)/ndiv $(HANDLERDIR) $(DOCDIR)/examples $(DOCDIR) $(DATADIR)) \
		2>/dev/null || :

clean:
	$(Q)rm -rf build

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)
