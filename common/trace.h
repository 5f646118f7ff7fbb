/*
 * --trace: the socket calls, told as they happen, for a class to read.
 *
 * One line a call: the operation, its arguments, the result and the descriptor,
 * then a plain sentence of why. Lines go to stderr, or to the file given, each in
 * one write; any thread. When tracing is off, a call site costs one test of a
 * flag: write `if (trace_on()) trace_call(...)`. errno is kept by all of these.
 */
#ifndef LANCHAT_TRACE_H
#define LANCHAT_TRACE_H

#include "common/net.h"

#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Begin, to `f` (borrowed, a file with a descriptor), or stop, with NULL. Before the threads start. */
void trace_start(FILE *f);

/* Is tracing on? For trace_on alone, which is inline because it stands in the hottest calls. */
extern atomic_bool trace_flag;

static inline bool trace_on(void)
{
	return __builtin_expect(atomic_load_explicit(&trace_flag, memory_order_relaxed), 0);
}

/* `bind(4, [::]:19830) = 0   | claims the port ...`: `call` is the call with its arguments as text,
 * `result` its return value (errno is read when it is -1), `why` one sentence. */
void trace_call(const char *call, long result, const char *why);
void trace_callf(long result, const char *why, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The list that getaddrinfo returned, field by field. */
void trace_addrinfo(const struct addrinfo *list);

/* A lanchat frame that went (`out`) or came: its header and, where the table knows it, its fields.
 * `bytes` is the whole frame, `fd` the connection's descriptor. */
void trace_frame(int fd, bool out, const uint8_t *bytes, size_t length);

/* "AF_INET6", "SOCK_STREAM": constant names; "AF_?", "SOCK_?" for what lanchat does not use. */
const char *trace_family(int family);
const char *trace_socktype(int type);

#endif
