#!/usr/bin/env python3
"""Loads on the real server by lanchat-stress, which checks that everybody gets everything: storms, people
who come and go, crowds."""

from lib import brief, main
from lib.stress import Stress
from lib.wait import SANITIZED


class Load(Stress):
    def test_everything_at_once(self):
        """Slow readers, people who come and go, and people who quit: nobody misses anything."""
        r = self.measure("--local", "--plaintext", "-c", "60", "-r", "3", "-s", "6", "--rate",
                         "300/s", "-d", "3s", "--churn", "20/s", "--slow", "10",
                         "--quit-midway", "10")
        self.sound(r)
        self.assertGreater(r["churned"], 20)
        self.assertEqual(r["quit"], 6)

    def test_storm(self):
        """Everybody speaks as fast as can be, with history and without."""
        count = 30 if brief() else 200
        for history in ("off", "os"):
            r = self.measure("--local", "--history", history, "-c", str(count), "-s", str(count),
                             "-w", "4", "-d", "1s")
            self.sound(r)
            self.assertEqual(r["delivered"], r["sent"] * count)

    def test_burst(self):
        """As many as come at once are let in, none is refused."""
        if SANITIZED:
            self.skipTest("sanitizers do not do thousands of threads")
        count = 1000 if brief() else 5000
        r = self.measure("--local", "--plaintext", "-c", str(count), "-r", "20", "-s", "20", "-d",
                         "1s")
        self.sound(r)
        self.assertEqual((r["connected"], r["refused"]), (count, 0))


if __name__ == "__main__":
    main()
