#!/usr/bin/env python3
"""Much that was asked for at once, and its end before all of it was done: whoever is sent away, or has
gone, gets no more of it, and the server waits for none of it."""

import os
import signal

from lib import main, wire
from lib.rights import Person, Rights
from lib.secure import Key
from lib.shim import shim
from lib.wire import CODES

LINES = 40  # each with a question after it, so that it has to be kept first
SLOW = 100  # milliseconds of the disk for each


class Queued(Rights):
    def setUp(self):
        super().setUp()
        self.list = os.path.join(self.dir, "allowed")
        self.keys = [Key(self), Key(self)]
        self.allow(*self.keys)
        first = self.serve("--allow-keys", self.list)
        with open(os.path.join(first.data, "operator-code"), encoding="utf-8") as file:
            code = file.read().strip()
        Person(self, first, "anna", self.keys[0]).act("op", room="", text=code)
        Person(self, first, "bob", self.keys[1]).join("lobby")
        self.assertEqual(first.stop(), 0)
        self.data = first.data
        self.server = self.again(env=shim("slow", slow=SLOW))
        self.anna, self.bob = (self.comes(*who) for who in zip(("anna", "bob"), self.keys))

    def again(self, **more):
        return self.serve("--allow-keys", self.list, data=self.data, **more)

    def allow(self, *keys):
        with open(self.list, "w", encoding="utf-8") as file:
            file.writelines(key.person.hex() + "\n" for key in keys)

    def comes(self, nick, key):
        person = Person(self, self.server, nick, key)
        person.join("lobby")
        return person

    def ask_for_much(self):
        """All of it at once; then until the first of it is kept."""
        self.bob.peer.send(b"".join(
            wire.encode("SAY", counter=i + 1, kind=0, room="lobby", text=f"line {i}") +
            wire.encode("PING", token=i) for i in range(LINES)))
        self.anna.peer.expect("SAID", text="line 0")

    def kept(self):
        """How many there are after a restart without a slow disk."""
        self.allow(*self.keys)
        self.server = self.again()
        self.anna = self.comes("anna", self.keys[0])
        tag = self.anna.peer.request("HISTORY", room="lobby", limit=200)
        page = self.anna.peer.expect("HISTORY_PAGE", tag=tag)
        return sum(entry["text"].startswith("line ") for entry in page["entries"])

    def judge(self, code):
        """Bob is told so, and most of what he wanted to say was never said."""
        _, got = self.bob.peer.wait_end()
        self.assertEqual((got[-1][1]["code"], got[-1][1]["fatal"]), (CODES[code], 1))
        self.assertEqual(self.server.stop(), 0)
        self.assertLess(self.kept(), LINES // 2)

    def test_banned(self):
        self.ask_for_much()
        self.anna.act("ban", "bob", room="")
        self.judge("BANNED")

    def test_kicked(self):
        self.ask_for_much()
        self.anna.act("kick", "bob", room="")
        self.judge("KICKED")

    def test_taken_off(self):
        self.ask_for_much()
        self.allow(self.keys[0])
        self.server.send_signal(signal.SIGHUP)
        self.judge("NOT_ALLOWED")

    def test_server_ends(self):
        self.ask_for_much()
        self.assertEqual(self.server.stop(), 0)
        self.assertLess(self.kept(), LINES // 2)


if __name__ == "__main__":
    main()
