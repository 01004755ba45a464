# ndiv: packet handlers in the network driver's receive path
#
#   make              build everything into build/
#   make demo         install what is missing, build, show it at work in a lab, clean up (root)
#   make check        install what is missing, build with warnings as errors, run all tests (root)
#   make bench        measure; SUITE=core runs one suite; result in build/bench.json (root)
#   make handler SRC=my.bpf.c   build a handler outside the tree: build/my.bpf.o
#   make lint         format, static analysis, shell scripts, BPF objects by several compilers
#   make install      PREFIX=/usr/local, DESTDIR=
#   make uninstall
#   make deps         install the packages that building and testing need (apt)
#   make clean
#
# V=1 shows the commands; ERR=1 makes warnings errors; SAN=1 builds with address and undefined-behaviour sanitizers.

VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
HANDLERDIR ?= $(LIBDIR)/ndiv

CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config

B := build$(if $(SAN),-san)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

WARN := -Wall -Wextra $(if $(ERR),-Werror)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer)
comma := ,
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(WARN) -Wno-unused-parameter -Iinclude -I$(B)/gen $(CFLAGS) $(SANFLAGS) -fPIC -MMD -MP
LIBS = $(shell $(PKG_CONFIG) --libs libbpf) -lelf -lz

# The multiarch directory has <asm/types.h>; it is found without it only where gcc-multilib happens to be installed.
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS = -target bpf -O2 -g -mcpu=v3 -std=gnu11 $(WARN) -Wno-unused-parameter -fno-stack-protector \
	-Iinclude $(if $(MULTIARCH),-idirafter /usr/include/$(MULTIARCH)) -MMD -MP

HANDLERS := $(patsubst handlers/%/,%,$(sort $(wildcard handlers/*/)))
HANDLER_OBJS := $(foreach h,$(HANDLERS),$(B)/handlers/$(h).bpf.o)
BPF_OBJS := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
T_OBJS := $(patsubst t/handlers/%.bpf.c,$(B)/t/handlers/%.bpf.o,$(wildcard t/handlers/*.bpf.c))
LIB_OBJS := $(patsubst lib/%.c,$(B)/lib/%.o,$(wildcard lib/*.c))
CLI_OBJS := $(patsubst cli/%.c,$(B)/cli/%.o,$(wildcard cli/*.c))
T_BINS := $(patsubst t/%.c,$(B)/t/%,$(wildcard t/test_*.c))
BENCH_BINS := $(patsubst bench/bench_%.c,$(B)/bench/bench_%,$(wildcard bench/bench_*.c))
T_HARNESS := $(patsubst t/harness/%.c,$(B)/t/harness/%.o,$(wildcard t/harness/*.c))
MANS := $(wildcard docs/man/*.[1-9])

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo check bench handler lint install uninstall deps clean help tests

all: $(B)/ndiv $(B)/libndiv.a $(B)/libndiv.so $(HANDLER_OBJS) $(BPF_OBJS)

help:
	@sed -ne '/^[^#]*$$/q;s/^# \{0,1\}\(.*\)/\1/;p' Makefile

# --- BPF objects

$(B)/bpf/%.bpf.o: bpf/%.bpf.c | toolcheck
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

define handler_rule
$(B)/handlers/$(1).bpf.o: handlers/$(1)/$(1).bpf.c | toolcheck
	$$(call say,BPF,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CLANG) $$(BPF_CFLAGS) -c $$< -o $$@
endef
$(foreach h,$(HANDLERS),$(eval $(call handler_rule,$(h))))

$(B)/t/handlers/%.bpf.o: t/handlers/%.bpf.c | toolcheck
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

handler: | toolcheck
	$(if $(SRC),,$(error say which: make handler SRC=path/to/my.bpf.c [OUT=path/to/my.bpf.o]))
	@mkdir -p $(or $(patsubst %/,%,$(dir $(OUT))),$(B))
	$(Q)$(CLANG) $(BPF_CFLAGS) -I$(dir $(SRC)) -c $(SRC) -o $(or $(OUT),$(B)/$(notdir $(SRC:.c=.o)))
	@echo "$(or $(OUT),$(B)/$(notdir $(SRC:.c=.o)))"

$(B)/gen/core.skel.h: $(B)/bpf/core.bpf.o
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name core_bpf > $@

# --- user space

$(B)/lib/%.o: lib/%.c $(B)/gen/core.skel.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DNDIV_HANDLERDIR='"$(HANDLERDIR)"' -c $< -o $@

$(B)/cli/%.o: cli/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/t/harness/%.o: t/harness/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -It/harness -c $< -o $@

$(B)/libndiv.a: $(LIB_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/libndiv.so: $(LIB_OBJS) lib/libndiv.map
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) -shared -Wl,-soname,libndiv.so.0 -Wl,--version-script=lib/libndiv.map \
		-o $@ $(LIB_OBJS) $(LIBS)

$(B)/ndiv: $(CLI_OBJS) $(B)/libndiv.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) -o $@ $^ $(LIBS) -lncursesw

$(B)/t/%: t/%.c $(T_HARNESS) $(B)/libndiv.a
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -It/harness -o $@ $< $(T_HARNESS) $(B)/libndiv.a $(LIBS) -lcmocka -lpcap

$(B)/bench/%: bench/%.c $(T_HARNESS) $(B)/libndiv.a
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -It/harness -o $@ $< $(T_HARNESS) $(B)/libndiv.a $(LIBS) -lpcap

.PHONY: toolcheck
toolcheck:
	@command -v $(CLANG) >/dev/null || { echo "clang (>= 14) is missing: make deps" >&2; exit 1; }
	@command -v $(BPFTOOL) >/dev/null || { echo "bpftool is missing: make deps" >&2; exit 1; }
	@$(PKG_CONFIG) --atleast-version=1.1 libbpf || { echo "libbpf >= 1.1 is missing: make deps" >&2; exit 1; }

tests: all $(T_BINS) $(T_OBJS)

clean:
	$(Q)rm -rf build build-san

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)
