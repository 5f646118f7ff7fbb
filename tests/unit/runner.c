/*
 * Runs the unit tests: all suites, or those that the command line names; --list names them.
 *
 * suites.inc is made by the Makefile from the names of the files beside this one:
 * a line SUITE(frame) for test_frame.c, which has the function frame_suite. Each
 * test runs in a process of its own, so a crash or a hang is one failed test;
 * CK_FORK=no switches that off for a debugger, CK_TIMEOUT_MULTIPLIER gives slow
 * (sanitized) programs more time.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(module) Suite *module##_suite(void);
#include "suites.inc"
#undef SUITE

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define SUITE(module) {#module, module##_suite},
#include "suites.inc"
#undef SUITE
};
#define SUITES (sizeof suites / sizeof suites[0])

static bool add_named(SRunner *runner, const char *name)
{
	for (size_t i = 0; i < SUITES; i++) {
		if (strcmp(suites[i].name, name) == 0) {
			srunner_add_suite(runner, suites[i].make());
			return true;
		}
	}
	fprintf(stderr, "unit: there is no suite \"%s\"; --list names them\n", name);
	return false;
}

static int list(void)
{
	for (size_t i = 0; i < SUITES; i++)
		puts(suites[i].name);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();

	SRunner *runner = srunner_create(NULL);
	int status = EXIT_SUCCESS;

	if (argc < 2)
		for (size_t i = 0; i < SUITES; i++)
			srunner_add_suite(runner, suites[i].make());
	for (int i = 1; i < argc; i++)
		if (!add_named(runner, argv[i]))
			status = 2;
	if (status == EXIT_SUCCESS) {
		srunner_run_all(runner, CK_ENV);
		status = srunner_ntests_failed(runner) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	srunner_free(runner);
	return status;
}
