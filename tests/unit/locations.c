/*
 * Check tells its runner of every assertion that holds, so that it can say of a crash which was the last:
 * one write(2) each, millions of them in tests that go through every cut of some bytes, which then take
 * most of their time. The linker puts this in between (--wrap): an assertion is told of when it was not
 * one of the last few, so a loop's are told of once.
 */
#include <stdatomic.h>
#include <stdint.h>

#define PLACES 1024

void __real__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line);

void __wrap__mark_point(const char *file, int line)
{
	static _Atomic uintptr_t told[PLACES];
	uintptr_t location = (uintptr_t)file * 65537 + (unsigned)line;
	_Atomic uintptr_t *place = &told[(unsigned)line % PLACES];

	if (atomic_load_explicit(place, memory_order_relaxed) == location)
		return;
	atomic_store_explicit(place, location, memory_order_relaxed);
	__real__mark_point(file, line);
}
