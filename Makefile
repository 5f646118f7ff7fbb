# lanchat. `make help` lists the targets; README.md says more.
#
# Variables for the command line:
#   CC, CFLAGS, LDFLAGS   the usual ones; what the code needs itself is added to them
#   CXX, CXXFLAGS         the same for the examples in C++
#   PREFIX, DESTDIR       where `make install` puts things
#   BUILD                 the folder to build in
#   ARGS                  what `make run` hands to the program
#   CI=true               warnings are errors

CFLAGS  ?= -O2 -g
CXXFLAGS ?= -O2 -g
PREFIX  ?= /usr/local
UNITS    = $(PREFIX)/lib/systemd/system
BUILD   ?= build
VERSION := 0.1.0

# A variant has its own compiler flags and, so that objects never mix, its own folder:
# `make VARIANT=asan all` builds in build-asan.
VARIANT ?=
OUT     := $(BUILD)$(VARIANT:%=-%)

# What the code needs, whatever the user's CFLAGS are.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(filter true,$(CI)),-Werror)
REQUIRED := -std=c17 -D_GNU_SOURCE -DLANCHAT_VERSION='"$(VERSION)"' -I. -pthread $(WARNINGS)

# Cheap insurance against our own mistakes. _FORTIFY_SOURCE means something with optimisation alone.
HARDENING      ?= -fstack-protector-strong -fstack-clash-protection -fPIE -Wformat-security \
	$(if $(filter -O1 -O2 -O3 -Os -Og,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDENING_LINK ?= -pie -Wl,-z,relro,-z,now

# The variants. Instrumented programs do without the hardening, which gets in the sanitizers' way.
# What the fuzz targets link is what the address sanitizer is for as well: one build is both, and needs
# clang, whose warnings it shows on the way. Not optimised, it is built in three quarters of the time and
# runs as fast: what takes long in it are the sanitizer, the kernel and libraries. At a fixed address its
# programs start a quarter sooner, as their many tables need no relocation; reports need lines alone.
FLAGS_asan     := -O0 -g1 -fno-pie -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined -Wthread-safety
# A shim that stands before malloc can do so only where the sanitizer's own is in a library as well.
LINK_asan       = -no-pie -shared-libasan -Wl,-rpath,$(dir $(shell $(CC) -print-file-name=libclang_rt.asan-x86_64.so))
FLAGS_tsan     := -O1 -g1 -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzzcov  := -O1 -g -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
FLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic -DLANCHAT_COVERAGE
FLAGS_clang    := -O2 -g -Wthread-safety -Werror
FLAGS_gcc      := -O2 -g -Werror
ifneq ($(filter asan fuzzcov,$(VARIANT)),)
ifeq ($(origin CC),default)
CC  := clang
CXX := clang++
endif
endif
ifeq ($(VARIANT),)
MODE      := $(HARDENING)
MODE_LINK := $(HARDENING_LINK)
else ifeq ($(FLAGS_$(VARIANT)),)
$(error there is no variant "$(VARIANT)": asan, tsan, fuzzcov, coverage, clang, gcc)
else
MODE      := $(FLAGS_$(VARIANT))
MODE_LINK  = $(FLAGS_$(VARIANT)) $(LINK_$(VARIANT))
endif

COMPILE  = $(CC) $(REQUIRED) $(CPPFLAGS) $(CFLAGS) $(MODE) $(LIGHT) -MMD -MP
LINK     = $(CC) $(CFLAGS) $(MODE_LINK) $(LDFLAGS)
LIBS    := -lutf8proc -lssl -lcrypto -lsqlite3 -pthread
SANDBOX := -lseccomp
SCREEN  := -lncursesw -ltinfo
CHECK   := -lcheck -lsubunit -lrt -lm

# Debian's packages: to build, and moreover to test.
BUILD_PACKAGES := gcc libc6-dev make libncurses-dev libssl-dev libutf8proc-dev libsqlite3-dev \
	libseccomp-dev
TEST_PACKAGES  := g++ check python3 iproute2 util-linux tmux openssl clang libclang-rt-14-dev llvm-14 \
	clang-format clang-tidy cppcheck shellcheck gcovr gnuplot-nox tshark
# The servers that the load tool may be put to besides ours, and what counts instructions.
BENCH_PACKAGES := ngircd inspircd redis-server nats-server valgrind

# Every .c file of a folder belongs to the folder's program, so a new module is a new file and
# nothing else: no list to keep, and no line that two branches both change. main.c stands apart,
# because tests link everything but it.
objects  = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(1)/main.c,$(sort $(wildcard $(1)/*.c))))
common_o := $(call objects,common)
server_o := $(call objects,server)
client_o := $(call objects,client)
report_o := $(call objects,tools/report)
stress_o := $(call objects,tools/stress)
lab_o    := $(call objects,tools/lab)
# What the lab has of the client: a terminal, and what draws and reads there.
screen_o := $(patsubst %,$(OUT)/client/%.o,canvas colour editor keys layout terminal view_box wrap)
# A program of some suites of unit tests alone: SUITES="frame room".
SUITES   ?= $(patsubst tests/unit/test_%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
unit_o   := $(filter-out $(OUT)/tests/unit/test_%,$(call objects,tests/unit)) \
	$(SUITES:%=$(OUT)/tests/unit/test_%.o)
property_o := $(call objects,tests/property)
fuzz_c   := $(sort $(wildcard tests/fuzz/fuzz_*.c))
fuzzers  := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(fuzz_c))
planted  := $(patsubst tests/fuzz/%.c,$(OUT)/planted/%,$(fuzz_c))
examples := $(patsubst docs/examples/%.c,$(OUT)/examples/c/%,$(wildcard docs/examples/*.c)) \
	$(patsubst docs/examples/%.cpp,$(OUT)/examples/c++/%,$(wildcard docs/examples/*.cpp))
shims    := $(patsubst %.c,$(OUT)/%.so,$(sort $(wildcard tests/faults/*.c)))

RUN_TESTS = tests/run --build $(BUILD) --make $(MAKE)

PROGRAMS := lanchatd lanchat lanchat-stress lanchat-lab

all: $(PROGRAMS:%=$(OUT)/%) $(OUT)/lanchat.lua ## build the programs, and the dissector for Wireshark

run: deps ## install what is missing, build, and chat (without a terminal: run the server)
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	@if [ -t 0 ]; then exec $(OUT)/lanchat --host $(ARGS); else exec $(OUT)/lanchatd $(ARGS); fi

test: deps-test ## install what is missing, then run every kind of test briefly
	@$(MAKE) --no-print-directory check
check: ## the same without installing anything
	@$(RUN_TESTS)
test-long: deps-test ## the tests with full counts
	@$(RUN_TESTS) --long

unit: $(OUT)/unit ## the unit tests; SUITE=frame runs one module's
	$(OUT)/unit $(SUITE)
scenario: all faults ## the scenarios with the real programs; SCENARIO=chat runs one file's
	LANCHAT_BUILD=$(OUT) tests/scenario/run $(SCENARIO)
property: $(OUT)/property ## random schedules of breaks and restarts; ARGS="--seed 7 --verbose"
	$(OUT)/property $(ARGS)
asan: ## units, schedules and scenarios under the address and undefined behaviour sanitizers
	@$(RUN_TESTS) asan
tsan: ## units, schedules and scenarios under the thread sanitizer
	@$(RUN_TESTS) tsan
fuzz: ## fuzz the decoders for some seconds each, from the kept corpus
	@$(RUN_TESTS) fuzz
lint: ## both compilers with -Werror, clang-tidy, cppcheck, the formatter, shellcheck
	@$(RUN_TESTS) lint
coverage: ## how much of each file the tests run, by lines and branches
	@$(RUN_TESTS) coverage
bench: all $(OUT)/tests/bench/limit ## ours beside other servers and the limit, twenty minutes: docs/BENCHMARKS.md
	LANCHAT_BUILD=$(OUT) tests/bench/compare --document docs/BENCHMARKS.md $(ARGS)
bench-quick: all $(OUT)/tests/bench/limit ## the same with one round of a few loads, two minutes
	LANCHAT_BUILD=$(OUT) tests/bench/compare --quick $(ARGS)
bench-server: all $(OUT)/tests/bench/load $(OUT)/tests/bench/fill ## figures of the server: memory, CPU, keeping; ARGS="3 stopped"
	LANCHAT_BUILD=$(OUT) tests/bench/run $(ARGS)
bench-instructions: all ## what the server executes for a message and a login, beside the kept figures
	LANCHAT_BUILD=$(OUT) tests/bench/instructions $(ARGS)
attack: all ## attacks on a server beside honest clients; ARGS="--brief" or "--cost"
	LANCHAT_BUILD=$(OUT) tests/attack/run $(ARGS)
examples: $(examples) ## the small programs of docs/SOCKETS.md, from C and from C++
format: ## lay out the C code as .clang-format says
	clang-format -i $(wildcard common/*.[ch] server/*.[ch] client/*.[ch] tools/*/*.[ch] tests/*/*.[ch] docs/examples/*)

deps: ## install the packages that building needs (Debian, Ubuntu)
	@scripts/deps $(BUILD_PACKAGES)
deps-test: ## install the packages that building and testing need
	@scripts/deps $(BUILD_PACKAGES) $(TEST_PACKAGES)

bench-deps: ## install the other servers that lanchat-stress speaks to, and valgrind; none is left running
	@scripts/deps --no-services $(BENCH_PACKAGES)

# Quoted for the shell, so that there may be blanks in them; it would leave a ~ as it is.
override PREFIX := $(patsubst ~/%,$(HOME)/%,$(PREFIX))
override DESTDIR := $(patsubst ~/%,$(HOME)/%,$(DESTDIR))
BELOW := "$(DESTDIR)$(PREFIX)"
UNITS_BELOW := "$(DESTDIR)$(UNITS)"
install: all ## install below PREFIX (/usr/local); DESTDIR is honoured
	install -d $(BELOW)/bin
	install -m 755 $(PROGRAMS:%=$(OUT)/%) $(BELOW)/bin
	@for page in $(notdir $(wildcard docs/*.1 docs/*.8)); do \
		folder=$(BELOW)/share/man/man$${page##*.}; \
		echo "install -m 644 docs/$$page $$folder"; \
		install -d "$$folder" && install -m 644 "docs/$$page" "$$folder" || exit 1; done
	install -d $(BELOW)/share/lanchat
	install -m 644 $(OUT)/lanchat.lua $(BELOW)/share/lanchat
	install -d $(UNITS_BELOW)
	prefix=$$(printf '%s' "$(PREFIX)" | sed 's/[&|\\]/\\&/g; s/%/%%/g') && \
		sed "s|/usr/local/|$$prefix/|" docs/lanchatd.service > $(UNITS_BELOW)/lanchatd.service
	install -m 644 docs/lanchatd.socket $(UNITS_BELOW)
	chmod 644 $(UNITS_BELOW)/lanchatd.service
uninstall: ## remove what install put there
	rm -f $(UNITS_BELOW)/lanchatd.service $(UNITS_BELOW)/lanchatd.socket
	rm -f $(foreach p,$(PROGRAMS),$(BELOW)/bin/$(p))
	rm -f $(BELOW)/share/lanchat/lanchat.lua
	rmdir $(BELOW)/share/lanchat 2> /dev/null || true
	rm -f $(foreach p,$(notdir $(wildcard docs/*.1 docs/*.8)),\
		$(BELOW)/share/man/man$(subst .,,$(suffix $(p)))/$(p))

clean: ## remove the build folders
	rm -rf build build-*

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---- how things are made ----

$(OUT)/lanchatd: $(OUT)/server/main.o $(server_o) $(common_o)
	$(LINK) -o $@ $^ $(SANDBOX) $(LIBS)
$(OUT)/lanchat: $(OUT)/client/main.o $(client_o) $(common_o)
	$(LINK) -o $@ $^ $(SCREEN) $(LIBS)
# Some tests start the server that stands beside it.
$(OUT)/unit: | $(OUT)/lanchatd
$(OUT)/lanchat-stress: $(OUT)/tools/stress/main.o $(stress_o) $(report_o) $(common_o)
	$(LINK) -o $@ $^ $(LIBS) -lm
$(OUT)/lanchat-lab: $(OUT)/tools/lab/main.o $(lab_o) $(screen_o) $(report_o) $(common_o)
	$(LINK) -o $@ $^ $(SCREEN) $(LIBS) -lm
# The dissector for Wireshark is one file: the tables, then the code that goes by them. What prints the
# tables runs while building, so it is plain in every variant.
$(OUT)/tools/wireshark/tables: tools/wireshark/main.c tools/wireshark/values.c common/message_table.c \
		$(wildcard tools/wireshark/*.h common/*.h common/*.def)
	@mkdir -p $(@D)
	$(CC) $(REQUIRED) $(filter -W%,$(MODE)) -O2 -g -o $@ $(filter %.c,$^)
$(OUT)/lanchat.lua: $(OUT)/tools/wireshark/tables tools/wireshark/lanchat.lua
	$< > $@.new
	cat tools/wireshark/lanchat.lua >> $@.new
	mv $@.new $@
# A server with faults that lanchat-stress has to find.
$(OUT)/faulty/lanchatd: $(OUT)/tests/stress/faulty_feed.o $(OUT)/server/main.o $(server_o) $(common_o)
	@mkdir -p $(@D)
	$(LINK) -Wl,--wrap=feed_publish,--wrap=said_frame_seq -o $@ $^ $(SANDBOX) $(LIBS)
$(OUT)/unit: $(unit_o) $(lab_o) $(stress_o) $(report_o) $(client_o) $(server_o) $(common_o)
	$(LINK) -Wl,--wrap=_mark_point -o $@ $^ $(CHECK) $(SCREEN) $(SANDBOX) $(LIBS)
# Wrappers tell when a session waits for its client, and stand before the log.
PROPERTY_WRAPS := -Wl,--wrap=poll,--wrap=engine_open_memory,--wrap=engine_open_sqlite
$(OUT)/property: $(property_o) $(client_o) $(server_o) $(common_o)
	$(LINK) $(PROPERTY_WRAPS) -o $@ $^ $(SCREEN) $(SANDBOX) $(LIBS)
$(OUT)/tests/bench/fill: $(OUT)/tests/bench/fill.o $(server_o) $(common_o)
	$(LINK) -o $@ $^ $(SANDBOX) $(LIBS)
$(OUT)/tests/bench/load $(OUT)/tests/bench/limit: %: %.o $(common_o)
	$(LINK) -o $@ $^ $(LIBS)
# What some fuzz targets have the linker put others in place of: tests/fuzz/stage.h, and what takes long.
wraps = $(patsubst %,-Wl$(,)--wrap=%,$(1))
, := ,
STAGE_WRAPS := clock_gettime poll lock_wait thread_start pthread_create pthread_join epoll_ctl \
	epoll_wait net_shutdown net_close identity_random
WRAPS_fuzz_server   := $(STAGE_WRAPS)
WRAPS_fuzz_link     := $(STAGE_WRAPS) link_connect
WRAPS_fuzz_book     := fsync
WRAPS_fuzz_passport := fsync PKCS8_decrypt PKCS5_pbe2_set_scrypt
$(OUT)/fuzz/% $(OUT)/planted/%: LINK_asan = -no-pie
LINK_FUZZER = $(LINK) -fsanitize=fuzzer $(call wraps,$(WRAPS_$*)) -o $@ $^ $(SCREEN) $(SANDBOX) $(LIBS) -lm
$(foreach f,fuzz planted,$(OUT)/$(f)/fuzz_server $(OUT)/$(f)/fuzz_link): $(OUT)/tests/fuzz/stage.o
# The lab has a stage as well.
$(foreach f,fuzz planted,$(OUT)/$(f)/fuzz_packet): $(lab_o)
$(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(stress_o) $(report_o) $(client_o) $(server_o) $(common_o)
	@mkdir -p $(@D)
	$(LINK_FUZZER)
# The same targets with a crash that has to be found: tests/fuzz/planted.
$(OUT)/planted/%: $(OUT)/planted/%.o $(stress_o) $(report_o) $(client_o) $(server_o) $(common_o)
	$(LINK_FUZZER)
$(OUT)/planted/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(COMPILE) -DPLANT -c -o $@ $<

# What tests/run builds for lint: everything but the fuzz targets, which are built by themselves.
tests-built: all faults $(OUT)/unit $(OUT)/property $(OUT)/tests/bench/load $(OUT)/tests/bench/fill \
	$(OUT)/tests/bench/limit $(OUT)/faulty/lanchatd examples
scenario-built: all faults $(OUT)/faulty/lanchatd
fuzzers: $(fuzzers)
planted: $(planted)
faults: $(shims)
# For tools that must see the code as the compiler does.
print-flags:
	@: $(info $(filter-out -Werror,$(REQUIRED)))

# Shims are loaded into programs of every variant, and are none of theirs.
$(OUT)/tests/faults/%.so: tests/faults/%.c
	@mkdir -p $(@D)
	$(CC) $(REQUIRED) -O2 -g -fPIC -shared -o $@ $< -ldl

# Each example stands alone: none of our code, and none of the flags that it needs.
$(OUT)/examples/c/%: docs/examples/%.c
	@mkdir -p $(@D)
	$(CC) -std=c17 $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(MODE) $(MODE_LINK) $(LDFLAGS) -o $@ $<
$(OUT)/examples/c++/%: docs/examples/%.cpp $(wildcard docs/examples/*.hpp)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(WARNINGS) $(CPPFLAGS) $(CXXFLAGS) $(MODE) $(MODE_LINK) $(LDFLAGS) -o $@ $<

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# The compiler does not tell of what the assembler takes in.
$(OUT)/tools/report/style.o: tools/report/style.css

# Unit tests are half of all code and run once: what they cost is to compile them.
$(OUT)/tests/unit/%.o: LIGHT := $(if $(VARIANT),$(if $(filter tsan,$(VARIANT)),-O0),-O1)

# The runner's list of suites is made from the file names, and touched when it changes only.
$(OUT)/tests/unit/runner.o: MODE += -I$(OUT)/tests/unit
$(OUT)/tests/unit/runner.o: $(OUT)/tests/unit/suites.inc
$(OUT)/tests/unit/suites.inc: always
	@mkdir -p $(@D)
	@printf 'SUITE(%s)\n' $(SUITES) | cmp -s - $@ || printf 'SUITE(%s)\n' $(SUITES) > $@

.PHONY: all run test check test-long unit property scenario asan tsan fuzz lint coverage bench \
	bench-quick bench-server bench-instructions attack examples format deps deps-test bench-deps install \
	uninstall clean help \
	tests-built scenario-built faults \
	fuzzers planted print-flags always
-include $(wildcard $(OUT)/*/*.d $(OUT)/*/*/*.d)
