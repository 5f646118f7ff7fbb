"""lanchat-lab in a test."""

import os
import subprocess

from .case import Scenario
from .wait import BUILD, SLOW

LAB = os.path.join(BUILD, "lanchat-lab")
MISSING = 3  # the exit status where the system does not allow what it takes


class Lab(Scenario):
    longest = 100

    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.dir, "files")
        os.mkdir(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def command(*options):
        return [LAB, *options]

    def start(self, *options, stdin=subprocess.DEVNULL, **environment):
        process = subprocess.Popen([LAB, *options], stdin=stdin, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, cwd=self.folder,
                                   env={**os.environ, "TMPDIR": self.folder,
                                        **self.sanitizer_options(), **environment})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def run_it(self, *options, status=0, said=None, **environment):
        """Its output and errors; `said` is what it is told on standard input. A status of None is any
        of a run: what is asserted of timing may fail on a busy machine."""
        process = self.start(*options, stdin=subprocess.PIPE if said is not None
                             else subprocess.DEVNULL, **environment)
        out, err = process.communicate(said, timeout=90 * SLOW)
        if process.returncode == MISSING and status != MISSING:
            self.skipTest(err.strip().splitlines()[-1])
        if status is None:
            self.assertIn(process.returncode, (0, 1), out + err)
        else:
            self.assertEqual(process.returncode, status, out + err)
        return out, err
