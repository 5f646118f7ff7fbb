#include "tests/unit/confined.h"

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

int confined_run(int (*attempt)(void *context), void *context)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(attempt(context));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
