#!/usr/bin/env python3
"""What holds for a time does so where the clock was ahead once, so that the log is ahead of it."""

import os

from lib.case import main
from lib.rights import BANNED, MUTED, Person, Rights
from lib.shim import shim
from lib.wait import wait_for

DAY = 86400


class Ahead(Rights):
    def setUp(self):
        super().setUp()
        self.clock = None

    def set_clock(self, seconds):
        """The server's clock goes wrong by so much from now on."""
        with open(self.clock + ".new", "w", encoding="ascii") as f:
            f.write(f"{seconds}\n")
        os.rename(self.clock + ".new", self.clock)

    def set_right(self, history):
        """A server whose log has something of tomorrow, and whose clock is right again."""
        data = os.path.join(self.dir, "data-" + history)
        os.mkdir(data, 0o700)
        self.clock = os.path.join(data, "clock")  # where a server in its sandbox can read it
        self.set_clock(DAY)
        server = self.serve("--history", history, data=data, env=shim("clock", clock=self.clock))
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        for person in (anna, bob):
            person.join()
        anna.says("tomorrow")
        self.set_clock(0)
        return server, anna, bob

    def everywhere(self, check):
        for history in ("on", "off"):
            with self.subTest(history):
                check(*self.set_right(history))

    def test_holds(self):
        """What is decided after it ends it no sooner than its time."""
        def check(_server, anna, bob):
            carol = Person(self, _server, "carol")
            carol.join()
            anna.act("mute", "bob", value=3600)
            bob.says("now?", code="MUTED")
            anna.act("ban", "carol", value=3600)
            anna.act("slow", value=1)
            anna.act("slow", value=0)
            bob.says("and now?", code="MUTED")
            carol.join(code="BANNED")
            self.assertEqual((anna.standings(MUTED), anna.standings(BANNED)), (["bob"], ["carol"]))
        self.everywhere(check)

    def test_taken_back(self):
        """It can be taken back, and given for another time."""
        def check(_server, anna, bob):
            anna.act("mute", "bob", value=3600)
            anna.act("mute", "bob", value=7200)
            anna.act("unmute", "bob")
            bob.says("at last")
            anna.act("unmute", "bob", code="NO_CHANGE")
        self.everywhere(check)

    def test_ends(self):
        """Nor does it hold for a day longer."""
        def check(_server, anna, bob):
            anna.act("mute", "bob", value=1)
            def may():
                counter = bob.peer.say("now?", "den")
                while True:
                    name, got = bob.peer.receive()
                    if name in ("ACK", "REFUSED") and got["counter"] == counter:
                        return name == "ACK"
            wait_for(may, "the end of it")
        self.everywhere(check)


class KeepDays(Rights):
    def test_jump(self):
        """A clock that goes ahead by weeks makes nothing too old before somebody can have seen it."""
        data = os.path.join(self.dir, "data")
        os.mkdir(data, 0o700)
        path = os.path.join(data, "clock")
        server = self.serve("--keep-days", "30", data=data, env=shim("clock", clock=path))
        anna = Person(self, server, "anna")
        anna.join()
        for i in range(3):
            anna.says(f"kept {i}")
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(f"{40 * DAY}\n")
        os.rename(path + ".new", path)
        server.wait_stderr(r"warning the clock has gone ahead by 9(59|60) hours: nothing is too old")
        anna.says("after it")
        tag = anna.peer.request("HISTORY", room="den", limit=200)
        page = anna.peer.expect("HISTORY_PAGE", tag=tag)
        self.assertEqual([entry["text"] for entry in page["entries"] if entry["text"]],
                         ["kept 0", "kept 1", "kept 2", "after it"])
        self.assertEqual(page["pruned"], 0)


if __name__ == "__main__":
    main()
