#!/usr/bin/env python3
"""Loads on the real server by lanchat-stress, which checks that everybody gets everything: storms, people
who come and go, crowds."""

from lib import Server, brief, main, wait_for
from lib.stress import Stress
from lib.wait import SANITIZED

GROWTH_KIB = 2048


class Load(Stress):
    def test_everything_at_once(self):
        """Slow readers, people who come and go, and people who quit: nobody misses anything."""
        r = self.measure("--local", "--plaintext", "-c", "60", "-r", "3", "-s", "6", "--rate",
                         "300/s", "-d", "3s", "--churn", "20/s", "--slow", "10",
                         "--quit-midway", "10")
        self.sound(r)
        self.assertGreater(r["churned"], 20)
        self.assertEqual(r["quit"], 6)

    def test_memory_comes_back(self):
        """What the log took to write much goes back to the system when nobody writes any more. (SQLite's
        pages stayed as holes in the heap.)"""
        if SANITIZED:
            self.skipTest("a sanitizer keeps what was freed")
        server = Server(self, "--rate", "off", "--sync", "off")
        extra = ["--plaintext"] if self.plaintext else []
        where = [f"127.0.0.1:{server.port}", *extra, "-c", "2", "-s", "1"]
        self.measure(*where, "-d", "100ms")
        before = server.rss_kib()
        r = self.measure(*where, "-w", "512", "--size", "1000", "-d", "2s")
        self.assertGreater(r["server_most"]["rss_bytes"] // 1024 - before, GROWTH_KIB)
        wait_for(lambda: server.rss_kib() - before < GROWTH_KIB, f"{before} KiB again",
                 seen=server.rss_kib)

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
