#!/usr/bin/env python3
"""lanchat-lab on a network that is worse than its scenarios are made for."""

import json
import os
import pty
import subprocess

from lib import brief, main
from lib.lab import LAB, Lab


class BadNetwork(Lab):
    """What cannot be told on a network that loses is not shown; it is never said to have failed."""
    longest = 300 if brief() else 900

    QUICK = ["boundaries", "short-buffer", "zero", "half-close", "time-wait", "connected", "broadcast",
             "fragments", "blocking"]

    def setUp(self):
        super().setUp()
        self.run_it("run", "boundaries")  # or it is skipped: there are no hosts

    def play(self, *words):
        """No assertion fails, each that is open says why, and the status goes with them."""
        process = self.start(*words, "--json", "-")
        out, err = process.communicate(timeout=self.longest - 20)
        result = json.loads(out)
        for s in result["scenarios"]:
            self.assertIsNone(s["error"], s)
            for check in s["checks"]:
                self.assertIsNot(check["good"], False, (words, s["name"], check))
                self.assertNotIn("-1 ", check["measured"])
                if check["good"] is None:
                    self.assertRegex(check["measured"], "the network had|never arrived|still trying|"
                                     "no answer came|not watched")
        self.assertEqual(process.returncode, 3 if result["not_shown"] else 0, err)
        return result

    def test_no_false_verdict(self):
        quick = ["zero", "half-close", "connected"] if brief() else self.QUICK
        for seed in (3,) if brief() else range(3, 8):
            self.play("run", *quick, "--loss", "30%", "--seed", str(seed))

    def test_other_harm(self):
        """Nor where it doubles and overtakes."""
        for seed in (3, 4) if brief() else range(3, 8):
            self.play("run", *self.QUICK, "--dup", "40%", "--reorder", "40%", "--seed", str(seed))

    def test_all(self):
        """All of them come to an end on a very bad network."""
        if brief():
            self.skipTest("takes minutes")
        self.play("run", "all", "--loss", "30%")

    def test_nothing_comes_through(self):
        """TCP has lost nothing that it still tries to deliver."""
        if brief():
            self.skipTest("twenty seconds of waiting, as test_stream_is_still_trying has")
        result = self.play("run", "loss", "--loss", "100%", "--count", "20")
        s = result["scenarios"][0]
        self.assertEqual((s["tcp"]["lost"], s["udp"]["lost"], s["udp"]["received"]), (0, 20, 0))
        open_ones = [c for c in s["checks"] if c["good"] is None]
        self.assertEqual([c["side"] for c in open_ones], ["tcp"])
        self.assertIn("TCP is still trying", open_ones[0]["measured"])
        self.assertIn("how long they took: -", json.dumps(s))

    def test_stream_is_still_trying(self):
        """A stream that stands still is told to be that, with what its kernel says of it."""
        result = self.play("run", "loss", "--loss", "60%", "--count", "300", "--seed", "3")
        tcp = result["scenarios"][0]["tcp"]
        self.assertEqual(tcp["lost"], 0)
        self.assertEqual(tcp["sent"], tcp["received"] + tcp["waiting"])
        self.assertLess(tcp["received"], 300)
        self.assertRegex(json.dumps(result), r"the next try is due in [\d.]+ s|its SYN was sent again")

    def test_progress(self):
        """On a terminal a line tells that a scenario still plays, and is erased."""
        terminal, inside = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen([LAB, "run", "dead-peer"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=inside,
                                   env={**os.environ, **self.sanitizer_options()})
        self.addCleanup(self.end, process)
        os.close(inside)
        said = b""
        try:
            while chunk := os.read(terminal, 4096):
                said += chunk
        except OSError:  # that is how a terminal ends
            pass
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertRegex(said, rb"dead-peer: \d+ s so far")
        self.assertTrue(said.endswith(b"\r\x1b[K"), said)


if __name__ == "__main__":
    main()
