#!/usr/bin/env python3
"""A server, each of whose calls fails once while two people talk: nothing crashes, leaks or lies."""

import os
import unittest

from lib import SLOW, Server, main
from lib import database
from lib.sweep import Broken, Sweep, Talk
from lib.wait import BUILD


class ServerSweep(Sweep):
    def session(self, server):
        """Two people; returns them, however far they came."""
        talks = []
        try:
            for nick in ("anna", "boris"):
                talks.append(Talk(self, server, nick))
            for talk in talks:
                talk.ask("JOIN", "JOINED", room="lobby")
            anna, boris = talks
            anna.say("SAY", room="lobby", text="good morning, everybody")
            boris.say("SAY", room="lobby", text="hello")
            anna.say("SAY", kind=3, room="lobby", text="a topic")
            anna.say("DIRECT", person=boris.raw.person, nick="boris", text="just for you")
            anna.ask("SEARCH", "FOUND", where=0, room="lobby", limit=10, words="morning")
            anna.ask("HISTORY", "HISTORY_PAGE", room="lobby", limit=10)
            boris.raw.message("READ", room="lobby", seq=1)
            boris.ask("PART", "PARTED", room="lobby")
            anna.say("SAY", room="lobby", text="good bye")
        except (Broken, OSError):
            pass
        return talks

    def once(self, fault):
        """The session on a server whose call fails, then what it acknowledged on a good one."""
        env = self.faulty(fault)
        data = os.path.join(self.dir, f"data.{self.number}")
        server = Server(self, data=data, env=env, wait=False)
        talks = []
        if self.came_up(server):
            talks = self.session(server)
            self.assertTrue(server.running(), f"it ended: {server.tail()}")
            status = server.stop(15)
        else:
            status = server.wait(15)
            self.assertEqual(status, 1, f"it ended before anybody came: {server.tail()}")
        self.ended_well(server, status)
        for talk in talks:
            talk.raw.socket.close()
        self.check(data, talks)

    def check(self, data, talks):
        """A good server on what is left, and the database."""
        server = Server(self, data=data)
        Talk(self, server, "later").ask("JOIN", "JOINED", room="lobby")
        self.assertEqual(server.stop(15), 0, server.tail())
        self.assertIsNone(database.verify(self, data))
        there = database.kept(data)
        for talk in talks:
            for counter, seq in talk.acknowledged.items():
                self.assertEqual(there.get(seq), counter,
                                 f"{talk.nick}'s message {counter} was acknowledged")

    @unittest.skipIf(BUILD.endswith("-tsan"), "its allocator cannot be wrapped")
    def test_server(self):
        self.sweep(self.once, max(8, 40 // SLOW))


if __name__ == "__main__":
    main()
