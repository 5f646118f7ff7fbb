/*
 * Is this build instrumented: by a sanitizer, or to see what is covered?
 *
 * Sanitizers need larger stacks, read /proc/self/maps, trace their own process to look for leaks and
 * write reports wherever they are told to; coverage is written beside the objects when the program
 * ends. gcc has no macro for the latter, so the Makefile defines LANCHAT_COVERAGE.
 */
#ifndef LANCHAT_SERVER_INSTRUMENTED_H
#define LANCHAT_SERVER_INSTRUMENTED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if !defined(SANITIZED) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define SANITIZED 1
#endif
#if !defined(SANITIZED)
#define SANITIZED 0
#endif

#if defined(LANCHAT_COVERAGE)
#define INSTRUMENTED 1
#else
#define INSTRUMENTED SANITIZED
#endif

#endif
