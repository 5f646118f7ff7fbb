#!/usr/bin/env python3
"""lanchat-lab chat on a terminal: one types what two say, and sees it on the wire."""

import json
import os
import re

from lib import Scenario, Screen, main, wait_for
from lib.lab import LAB, MISSING
from lib.stress import children


class Chat(Scenario):
    longest = 120

    def start(self, *options, columns=130, rows=44):
        lab = Screen(self, [LAB, "chat", *options], name="lab", columns=columns, rows=rows)
        wait_for(lambda: lab.recorded("status") or "says: " in lab.text(), "the chat", 20, lab.text)
        if lab.recorded("status") == str(MISSING):
            self.skipTest(lab.text().strip())
        return lab

    def both(self, lab, line):
        """Until both clients have printed it, side by side or one above the other."""
        def printed():
            panes = lab.text().partition("What happens")[0]
            return len(re.findall(rf"\[lobby\] {line}", panes)) == 2
        wait_for(printed, f"{line} at both", 60, lab.text)

    def test_talking(self):
        lab = self.start("--loss", "10%", "--seed", "3")
        lab.enter("hello")
        lab.keys("Tab")
        self.both(lab, "a: hello")
        lab.enter("hi there")
        self.both(lab, "b: hi there")
        # What lanchat sends is seen as such; and the keys of the other views are there.
        lab.wait_text(r"\bSAY \d+ bytes")
        lab.keys("Escape")
        lab.wait_text("i: type")
        lab.type("llllllll")
        lab.wait_text("Loss 0%")
        lab.keys("i")
        lab.wait_text("b says:")
        lab.keys("C-d")
        lab.wait_text(r"over: all 5 held", 60)
        lab.keys("q")
        self.assertEqual(lab.wait_end(20), 0)
        self.assertTrue(lab.restored())

    def test_kept(self):
        """What was typed and seen is written when the screen is left."""
        page, results, capture = (os.path.join(self.dir, name) for name in ("p.html", "r", "c"))
        lab = self.start("--loss", "0%", "--report", page, "--json", results, "--pcap", capture)
        lab.enter("kept")
        self.both(lab, "a: kept")
        lab.keys("C-d")
        lab.wait_text(r"over: all 5 held", 60)
        lab.keys("q")
        self.assertEqual(lab.wait_end(20), 0)
        self.assertTrue(lab.restored())
        with open(results, encoding="utf-8") as f:
            result, = json.load(f)["scenarios"]
        self.assertEqual((result["name"], result["tcp"]["received"], result["failed"]),
                         ("chat", 1, 0))
        with open(page, encoding="utf-8") as f:
            self.assertIn("a says: kept", f.read())
        with open(capture, "rb") as f:
            self.assertIn(b"kept", f.read())

    def test_narrow(self):
        """One side at a time, one client above the other; it can be played again, and left."""
        lab = self.start("--loss", "0%", columns=50, rows=40)
        lab.keys("Escape")
        lab.wait_text("i: type")
        lab.keys("Tab")
        lab.wait_text("a: lanchat --pipe")
        lab.keys("i")
        lab.enter("once")
        self.both(lab, "a: once")
        lab.keys("Escape")
        lab.wait_text("i: type")
        lab.keys("r")
        lab.wait_gone(r"\[lobby\] a: once", 20)
        lab.keys("i")
        lab.wait_text("a says:")
        lab.enter("anew")
        self.both(lab, "a: anew")
        programs = children(lab.pid())
        lab.keys("C-c")
        self.assertEqual(lab.wait_end(20), 0)
        for program in programs:
            self.assertFalse(os.path.exists(f"/proc/{program}"))


if __name__ == "__main__":
    main()
