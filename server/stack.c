#include "server/stack.h"

#include "common/err.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below the frame that asks: its own, what it calls, and the red zone of the ABI. */
#define IN_USE 256

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int stack_new(size_t size, struct stack *out)
{
	size_t guard = page();

	size = (size + guard - 1) / guard * guard;
	/* Without access at first: the guard then costs no second mapping that has to be split off. */
	char *all = mmap(NULL, guard + size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (all == MAP_FAILED)
		return ERR_SYSTEM;
	if (mprotect(all + guard, size, PROT_READ | PROT_WRITE) != 0) {
		int error = errno;
		(void)munmap(all, guard + size);
		errno = error;
		return ERR_SYSTEM;
	}
	*out = (struct stack){.base = all + guard, .size = size};
	return 0;
}

void stack_free(struct stack *s)
{
	size_t guard = page();

	if (s->base)
		(void)munmap((char *)s->base - guard, guard + s->size);
	*s = (struct stack){0};
}

void stack_rest(const struct stack *s)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low = (uintptr_t)s->base;
	uintptr_t high = (here - IN_USE) & ~(uintptr_t)(page() - 1);

	/* Whoever runs on another one has nothing to give here. */
	if (here <= low || here > low + s->size || high <= low)
		return;
	(void)madvise(s->base, high - low, MADV_DONTNEED);
}
