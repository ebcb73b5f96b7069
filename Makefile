# Copyright (C) the ngx_lead authors
#
# Everything that is made lies in build/ (and run/, for `make run`).
#
#   CC=clang           another compiler
#   NGINX_SRC=<dir>    another nginx than the installed one: its source tree,
#                      which is only read; the binary is built as well
#   BUILD=<dir>        another place than build/
#   DESTDIR=<dir>      where `make install` puts everything under
#   KILLS=<n>          how often `make crash` kills, 500 times if not given
#   CONNECTIONS=<n>    how many `make load` makes at once, 10000 if not given
#   V=1                every command as it is run

ifeq ($(origin CC),default)
CC         = gcc
endif

NGINX_SRC ?=
DESTDIR   ?=
FUZZ_TIME ?= 60
POWER_STEPS ?= 100
POWER_SEEDS ?= 4
KILLS     ?= 500
CONNECTIONS ?= 10000
PREFIX    ?= /usr
MODULES   ?= $(PREFIX)/lib/nginx/modules

ifeq ($(NGINX_SRC),)
NGINX_DIR  = /usr/share/nginx/src
BUILD     ?= build
else
NGINX_DIR  = $(NGINX_SRC)
BUILD     ?= build/nginx-$(shell sed -n \
                 's/.define NGINX_VERSION  *"\(.*\)"/\1/p' \
                 $(NGINX_SRC)/src/core/nginx.h 2>/dev/null)
NGINX_BIN  = $(BUILD)/nginx/objs/nginx
endif

SANITIZE  ?=

ifeq ($(SANITIZE),)
OPTIMIZE   = -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
else
# what sanitizers add to the code misleads gcc's flow analysis
OPTIMIZE   = -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE)
SANE       = -Wno-maybe-uninitialized -Wno-format-truncation
endif

WARNINGS   = -Wall -Wextra -Wno-unused-parameter -Wmissing-prototypes \
             -Wstrict-prototypes -Wpointer-arith -Wformat-security $(SANE)
CFLAGS    ?=
LDFLAGS   ?=
FLAGS      = $(OPTIMIZE) -fPIC $(WARNINGS) $(CFLAGS)
LINK       = -Wl,-z,relro -Wl,-z,now $(LDFLAGS)

SOURCES   := $(sort $(wildcard ngx_lead_module/*.c lmdb_store/*.c))
HEADERS   := $(sort $(wildcard ngx_lead_module/*.h lmdb_store/*.h))
STORE_SRC := $(filter lmdb_store/%,$(SOURCES))
LEADCTL   := $(filter lmdb_store/leadctl%,$(STORE_SRC))
UNIT      := $(sort $(wildcard t/unit/*_test.c))
UNIT_HELP := $(filter-out $(UNIT),$(sort $(wildcard t/unit/*.c)))
FUZZ_SRC  := $(sort $(wildcard t/fuzz/*_fuzz.c))

ifeq ($(V),)
Q          = @
say        = @echo "  $(1)"
QUIET      = -s
endif

OBJ        = $(BUILD)/obj
MODULE     = $(BUILD)/ngx_lead_module.so
STORE_OBJ  = $(patsubst %.c,$(OBJ)/%.o,$(filter-out $(LEADCTL),$(STORE_SRC)))
COLLIDING  = $(patsubst %,$(BUILD)/unit/store_%_colliding_test,\
                 commit limit idem read)
UNIT_BIN   = $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(UNIT)) $(COLLIDING)
FUZZ_BIN   = $(patsubst t/fuzz/%_fuzz.c,$(BUILD)/bin/%,$(FUZZ_SRC))
NGINX_INC  = $(addprefix -I $(BUILD)/nginx/,src/core src/event \
                 src/event/modules src/os/unix objs src/http \
                 src/http/modules src/http/v2)
ASAN       = $(MAKE) --no-print-directory CC=gcc BUILD=$(BUILD)/asan \
                 SANITIZE=address,undefined
TSAN       = $(MAKE) --no-print-directory CC=gcc BUILD=$(BUILD)/tsan \
                 SANITIZE=thread
FUZZING    = $(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/fuzz \
                 SANITIZE=fuzzer-no-link,address,undefined \
                 SANE=-Wno-conditional-uninitialized
NGINX_ENV  = $(if $(NGINX_BIN),TEST_NGINX_BINARY='$(abspath $(NGINX_BIN))')
HARNESS    = LEADCTL='$(abspath $(BUILD))/leadctl' \
                 TEST_NGINX_LOAD_MODULES='$(abspath $(MODULE))' $(NGINX_ENV)
TEST       = $(NGINX_ENV) tools/test $(BUILD)

CORES     := $(shell nproc 2>/dev/null || echo 1)

export LC_ALL = C

.DELETE_ON_ERROR:
.SUFFIXES:


.PHONY: all
all: $(MODULE) $(BUILD)/leadctl $(NGINX_BIN)  ## the module and leadctl

.PHONY: help
help:                ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile \
	    | while IFS='	' read -r name text; do \
	          printf 'make %-14s %s\n' "$$name" "$$text"; done

.PHONY: deps
deps:                ## install what is missing to build, run and test
	@tools/deps build run test

.PHONY: run
run:                 ## serve examples/nginx.conf in the foreground
	@tools/deps build run
	@$(MAKE) --no-print-directory all
	@tools/run $(BUILD) $(abspath $(NGINX_BIN))

.PHONY: test
test: deps           ## all suites, in all modes; one summary at the end
	@$(MAKE) --no-print-directory -j$(CORES) all unit
	@$(ASAN) -j$(CORES) all unit
	@$(TEST) unit plain hup asan valgrind

.PHONY: test-unit
test-unit: unit      ## C unit tests only
	@$(TEST) unit

.PHONY: test-plain
test-plain: all      ## suites against nginx started for each block
	@$(TEST) plain

.PHONY: test-hup
test-hup: all        ## the same with a reload (HUP) between blocks
	@$(TEST) hup

.PHONY: test-asan
test-asan: asan      ## suites and unit tests under ASAN and UBSAN
	@$(TEST) asan

.PHONY: test-tsan
test-tsan: deps      ## suites and unit tests under ThreadSanitizer
	@$(TSAN) -j$(CORES) all unit $(BUILD)/tsan/notify.so
	@$(TEST) tsan

.PHONY: test-valgrind
test-valgrind: all unit   ## unit tests and a few suites under valgrind
	@$(TEST) valgrind

.PHONY: test-real
test-real: all       ## suites under Test::Nginx itself (TEST_NGINX_LIB=<dir>)
	@tools/deps test real
	@$(TEST) real

.PHONY: power
power: all           ## cut the power at each write to a store, POWER_SEEDS=4 stories of POWER_STEPS=100
	@POWER_STEPS=$(POWER_STEPS) POWER_SEEDS=$(POWER_SEEDS) $(HARNESS) \
	    perl -It/lib t/power.t

.PHONY: crash
crash: all           ## kill nginx under load, KILLS=500 times, and look for each lead
	@$(HARNESS) t/crash/run --kills=$(KILLS)

.PHONY: load
load: all            ## CONNECTIONS=10000 at once, bad company, floods of streams, a full queue
	@$(HARNESS) t/load/run --connections=$(CONNECTIONS)

.PHONY: bench
bench: all           ## benchmarks; each prints a ratio from one run
	@bench/run $(BUILD) $(abspath $(NGINX_BIN))

.PHONY: fuzz
fuzz:                ## libFuzzer on the parsers, then a server: FUZZ_TIME=60 s each
	@tools/deps build run fuzz
	@$(FUZZING) fuzzers
	@$(ASAN) all
	@$(NGINX_ENV) tools/fuzz $(BUILD) $(FUZZ_TIME) $(FUZZ)

.PHONY: check
check:               ## layering, style, symbols, static analysis
	@tools/deps build check
	@tools/check --self-test
	@tools/check

.PHONY: man
man:                 ## read the manual page of leadctl
	@man ./lmdb_store/leadctl.1

.PHONY: install
install: all         ## into $(DESTDIR)$(PREFIX) and nginx's modules
	install -d '$(DESTDIR)$(MODULES)' '$(DESTDIR)$(PREFIX)/sbin' \
	    '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 $(MODULE) '$(DESTDIR)$(MODULES)'
	install -m 755 $(BUILD)/leadctl '$(DESTDIR)$(PREFIX)/sbin'
	install -m 644 lmdb_store/leadctl.1 \
	    '$(DESTDIR)$(PREFIX)/share/man/man1'

.PHONY: dist
dist:                ## a tar archive of the last commit
	@mkdir -p $(BUILD)
	git archive --prefix=ngx_lead_module/ \
	    -o $(BUILD)/ngx_lead_module.tar.gz HEAD

.PHONY: clean
clean:               ## remove build/ (never run/: there are leads in it)
	rm -rf $(BUILD)


.PHONY: unit asan fuzzers FORCE
unit: $(UNIT_BIN)
	@:

fuzzers: $(FUZZ_BIN)
	@:

asan:
	@$(ASAN) all unit


# Files that change only when what is written in them does: whatever
# depends on them is made again after other flags or another list of files.

$(BUILD)/flags: WORDS = $(CC) $(FLAGS) $(LINK)
$(BUILD)/inputs: WORDS = $(abspath $(NGINX_DIR)) $(SOURCES) $(HEADERS) \
    $(shell sed -n '/NGINX_VERSION  /p' $(NGINX_DIR)/src/core/nginx.h \
      2>/dev/null)

$(BUILD)/flags $(BUILD)/inputs: FORCE
	@mkdir -p $(@D); echo '$(WORDS)' | cmp -s - $@ || echo '$(WORDS)' > $@


# the module, as nginx's own Makefile builds it; an nginx that runs keeps the
# file it has loaded

$(BUILD)/nginx/objs/Makefile: config tools/build-module $(BUILD)/flags \
                              $(BUILD)/inputs
	$(call say,configure nginx from $(NGINX_DIR))
	$(Q)tools/build-module '$(NGINX_DIR)' '$(BUILD)/nginx' '$(CC)' \
	    '$(FLAGS)' '$(LINK)'

$(MODULE): $(BUILD)/nginx/objs/Makefile \
           $(filter-out $(LEADCTL),$(SOURCES)) $(HEADERS)
	$(call say,build $@)
	$(Q)$(MAKE) $(QUIET) --no-print-directory -C $(BUILD)/nginx \
	    -f objs/Makefile modules
	$(Q)cp $(BUILD)/nginx/objs/ngx_lead_module.so $@.new
	$(Q)mv $@.new $@

ifneq ($(NGINX_BIN),)
$(NGINX_BIN): $(MODULE)
	$(call say,build $@)
	$(Q)$(MAKE) $(QUIET) --no-print-directory -C $(BUILD)/nginx \
	    -f objs/Makefile binary
endif


# The store and leadctl, without nginx.  Unit tests link the module's own
# objects: a pure file drags in no other, and t/unit/ngx_*.c stands in for
# what it needs of nginx.

$(OBJ)/lmdb_store/%.o: lmdb_store/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc $<)
	$(Q)$(CC) $(FLAGS) -Werror -I lmdb_store -MMD -MP -c -o $@ $<

$(BUILD)/liblead_store.a: $(STORE_OBJ)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/leadctl: $(patsubst %.c,$(OBJ)/%.o,$(LEADCTL)) \
                  $(BUILD)/liblead_store.a
	$(call say,link $@)
	$(Q)$(CC) $(FLAGS) $(LINK) -o $@ $^ -llmdb -lyajl -lcrypto

$(BUILD)/libngx_lead.a: $(MODULE)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(BUILD)/nginx/objs/addon/ngx_lead_module/*.o

$(OBJ)/t/unit/%.o: t/unit/%.c $(BUILD)/flags $(BUILD)/nginx/objs/Makefile
	@mkdir -p $(@D)
	$(call say,cc $<)
	$(Q)$(CC) $(FLAGS) -Werror $(NGINX_INC) -I ngx_lead_module -I lmdb_store \
	    -MMD -MP -c -o $@ $<

$(BUILD)/libunit.a: $(patsubst %.c,$(OBJ)/%.o,$(UNIT_HELP)) $(BUILD)/inputs
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

$(BUILD)/unit/%: $(OBJ)/t/unit/%.o $(BUILD)/libngx_lead.a \
                 $(BUILD)/libunit.a $(BUILD)/liblead_store.a
	@mkdir -p $(@D)
	$(call say,link $@)
	$(Q)$(CC) $(FLAGS) $(LINK) -o $@ $< -Wl,--start-group \
	    $(filter %.a,$^) -Wl,--end-group \
	    -lcmocka -llmdb -lyajl -lidn2 -lcrypto -lpthread

# what is preloaded into nginx beside ThreadSanitizer

$(BUILD)/notify.so: t/tools/notify.c $(BUILD)/flags
	$(call say,cc $<)
	$(Q)$(CC) -O2 -g $(WARNINGS) -Werror -shared -fPIC -o $@ $<

# fuzz targets link the same objects, made by clang with its coverage

$(OBJ)/t/fuzz/%.o: t/fuzz/%.c $(BUILD)/flags $(BUILD)/nginx/objs/Makefile
	@mkdir -p $(@D)
	$(call say,cc $<)
	$(Q)$(CC) $(FLAGS) -Werror $(NGINX_INC) -I ngx_lead_module -I lmdb_store \
	    -I t/unit -MMD -MP -c -o $@ $<

$(BUILD)/bin/%: $(OBJ)/t/fuzz/%_fuzz.o $(BUILD)/libngx_lead.a \
                $(BUILD)/libunit.a $(BUILD)/liblead_store.a
	@mkdir -p $(@D)
	$(call say,link $@)
	$(Q)$(CC) $(FLAGS) -fsanitize=fuzzer $(LINK) -o $@ $< -Wl,--start-group \
	    $(filter %.a,$^) -Wl,--end-group \
	    -llmdb -lyajl -lidn2 -lcrypto -lpthread

# the same tests of the store where the hashes in its keys are all equal

$(COLLIDING): $(BUILD)/unit/store_%_colliding_test: t/unit/store_%_test.c \
              $(filter-out $(LEADCTL),$(STORE_SRC)) $(HEADERS) \
              t/unit/store_util.c t/unit/store_util.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc $@)
	$(Q)$(CC) $(FLAGS) $(LINK) -Werror -DLEAD_RECORD_HASH_LEN=0 \
	    -I lmdb_store -I t/unit -o $@ $(filter %.c,$^) \
	    -lcmocka -llmdb -lcrypto -lpthread

.SECONDARY:

-include $(wildcard $(OBJ)/*/*.d $(OBJ)/*/*/*.d)
