"""The test case that scenarios derive from, and the program around a file of them."""

import argparse
import glob
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import unittest

from . import isolate
from .wait import BUILD, SANITIZED, SLOW


def brief():
    """False in a long run, with full counts."""
    return os.environ.get("LANCHAT_LONG") != "1"


class Scenario(unittest.TestCase):
    """Has a folder for what its programs leave, ends them all, and fails on any sanitizer's
    report. `longest` bounds a test in seconds."""

    longest = 60
    plaintext = False  # servers and clients are told to speak without TLS

    def setUp(self):
        self.programs = []
        self.tmuxes = []
        self.dir = tempfile.mkdtemp(prefix="lanchat-")
        self.reports = os.path.join(self.dir, "sanitizer")
        os.mkdir(self.reports)
        # A program may run as another user.
        os.chmod(self.dir, 0o755)
        os.chmod(self.reports, 0o1777)
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.addCleanup(self.check_reports)
        self.addCleanup(self.discard)

    def discard(self):
        for left in reversed(self.tmuxes + self.programs):
            left.discard()

    def sanitizer_options(self):
        """Environment: reports go to files, and an ordinary end is checked for leaks."""
        log = f"log_path={self.reports}/report"
        return {"ASAN_OPTIONS": f"{log}:detect_leaks=1:detect_stack_use_after_return=1",
                "UBSAN_OPTIONS": f"{log}:print_stacktrace=1",
                "TSAN_OPTIONS": f"{log}:second_deadlock_stack=1"} if SANITIZED else {}

    def check_reports(self):
        found = []
        for path in sorted(glob.glob(self.reports + "/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                found.append(f.read(20000))
        if found:
            self.fail("a sanitizer reported:\n" + "\n".join(found))

    def diagnosis(self, details):
        """What the programs said, for a failure, where `details` do not tell it yet."""
        shown = []
        for left in getattr(self, "programs", [])[:8] + getattr(self, "tmuxes", []):
            try:
                shown.append(left.tail())
            except Exception as error:  # a diagnosis must not hide the failure
                shown.append(f"{left.name}: {error}")
        return "\n".join(text for text in shown if text not in details)


class PlainScenario(Scenario):
    """For peers that the test itself makes of bytes."""

    plaintext = True


class Overdue(AssertionError):
    """A test took too long."""


class Tap(unittest.TestResult):
    """Prints each test's result as a line "ok NAME" or "not ok NAME" as it comes, with details
    in lines that begin with "#"."""

    def __init__(self):
        super().__init__()
        self.bad = set()
        self.began = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        signal.signal(signal.SIGALRM, overdue)
        signal.alarm(int(getattr(test, "longest", 60) * SLOW))

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)

    def line(self, verdict, test, remark="", details=""):
        name = test.id().removeprefix("__main__.")
        took = time.monotonic() - self.began
        print(f"{verdict} {name} ({took:.1f} s){remark}")
        for text in details.splitlines():
            print(f"#   {text}")
        sys.stdout.flush()

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        self.line("ok", test, f" # SKIP {reason}")

    def failed(self, test, error):
        if error[0] is Overdue:
            signal.alarm(0)
        details = "".join(frame for frame in traceback.format_exception(*error)
                          if "/unittest/" not in frame.splitlines()[0])
        if test in self.bad:  # a second failure of it, in cleaning up
            for text in details.splitlines():
                print(f"#   {text}")
            return
        self.bad.add(test)
        if isinstance(test, Scenario):
            details += test.diagnosis(details)
        self.line("not ok", test, details=details)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failed(test, err)


def overdue(_number, _frame):
    raise Overdue("the test took too long")


def main():
    """Isolate this program, run the tests of the file (all, or those named), end with status 1
    where one failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tests", nargs="*", help="Class or Class.test_name")
    chosen = parser.parse_args().tests
    reason = isolate.enter()
    if reason is not None:
        print(f"ok {os.path.basename(sys.argv[0])} # SKIP no namespaces here: {reason}")
        return
    if not os.access(os.path.join(BUILD, "lanchatd"), os.X_OK):
        sys.exit(f"{sys.argv[0]}: no lanchatd in {BUILD}; `make` first, or set LANCHAT_BUILD")
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    suite = loader.loadTestsFromNames(chosen, module) if chosen else \
        loader.loadTestsFromModule(module)
    result = Tap()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
