# lanchat: see README.md. `make help` lists the targets.

CC      ?= gcc
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
BUILD   ?= build
VERSION := 0.1.0

# What the code needs, whatever the user's CFLAGS are.
REQUIRED := -std=c17 -D_GNU_SOURCE -DLANCHAT_VERSION='"$(VERSION)"' -I. -pthread \
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -MMD -MP
LIBS := -lutf8proc -lcrypto -pthread

common_o := $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*.c))
server_o := $(patsubst %.c,$(BUILD)/%.o,$(filter-out server/main.c,$(wildcard server/*.c)))
client_o := $(patsubst %.c,$(BUILD)/%.o,$(filter-out client/main.c,$(wildcard client/*.c)))
unit_c   := $(wildcard tests/unit/test_*.c)
unit_o   := $(patsubst %.c,$(BUILD)/%.o,$(unit_c) tests/unit/runner.c)

all: $(BUILD)/lanchatd $(BUILD)/lanchat

$(BUILD)/lanchatd: $(BUILD)/server/main.o $(server_o) $(common_o)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/lanchat: $(BUILD)/client/main.o $(client_o) $(common_o)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lncursesw -ltinfo $(LIBS)
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(REQUIRED) $(CFLAGS) -c -o $@ $<

clean:
	rm -rf build build-*

.PHONY: all clean
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
