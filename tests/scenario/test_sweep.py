#!/usr/bin/env python3
"""Acts, and the client, while each of their calls fails once: nothing crashes, leaks or lies."""

import os
import unittest

from lib import Pipe, SLOW, Server, main, wire
from lib import database
from lib.secure import Key
from lib.sweep import Broken, Sweep, Talk
from lib.wait import BUILD


class ActsSweep(Sweep):
    """What is done about people is done as a whole, or not at all: what the log has of it, what it
    adds up to and who is in the room agree, whichever allocation fails. Once a log in memory had the
    effect of an act without the act, and whoever was sent out while memory was out stayed."""

    plaintext = False
    faults = [("alloc", "ENOMEM")]
    gives = {wire.VERBS[name]: kind for name, kind in (
        ("mod", 1), ("voice", 2), ("ban", 4), ("mute", 5))}
    takes = {wire.VERBS[name]: kind for name, kind in (
        ("unmod", 1), ("unvoice", 2), ("unban", 4), ("unmute", 5))}

    def setUp(self):
        super().setUp()
        self.keys = {nick: Key(self) for nick in ("anna", "boris")}

    def act(self, talk, verb, label, room="den", value=0):
        talk.ask("ACT", "DONE", room=room, verb=wire.VERBS[verb], label=label, value=value)
        self.done.append((wire.VERBS[verb], label))

    def put_out(self, talk, code):
        """They are told so, or their connection ends; or they could not stay to begin with."""
        got = (talk.parted or talk.answer("PARTED"))["code"]
        talk.parted = None
        self.assertIn(got, (code, wire.CODES["RESOURCES"]))
        if got != code:
            raise Broken("the server is out of memory")

    def session(self, server):
        self.done, self.talks = [], {}
        try:
            for nick, key in self.keys.items():
                self.talks[nick] = Talk(self, server, nick, key)
                self.talks[nick].ask("JOIN", "JOINED", room="den")
            anna, boris = self.talks.values()
            for verb in ("mute", "unmute", "voice", "mod", "kick"):
                self.act(anna, verb, "boris")
            self.put_out(boris, wire.CODES["KICKED"])
            boris.ask("JOIN", "JOINED", room="den")
            boris.ask("NICK", "RENAMED", nick="Boris")
            boris.ask("NICK", "RENAMED", nick="bob")
            self.act(boris, "release", "boris", room="")
            self.act(anna, "unmod", "bob")
            self.act(anna, "ban", "127.0.0.0/8")
            self.put_out(boris, wire.CODES["BANNED"])
            self.act(anna, "unban", "127.0.0.0/8")
            boris.ask("JOIN", "JOINED", room="den")
            self.act(anna, "ban", "bob")
            self.put_out(boris, wire.CODES["BANNED"])
        except (Broken, OSError):
            pass

    def whom(self, item):
        return item["person"] if any(item["person"]) else item["label"]

    def look(self, server):
        """The acts on the room, its standings, and who is there."""
        anna = Talk(self, server, "anna", self.keys["anna"])
        anna.ask("JOIN", "JOINED", room="den")
        charter = anna.ask("CHARTER", "CHARTER_IS", room="den")
        there = {m["person"] for m in anna.ask("MEMBERS", "MEMBER_LIST", room="den")["members"]}
        standings = {(s["kind"], self.whom(s)) for s in charter["standings"]}
        # Where she could not take it, it is another's.
        hers = (0, self.keys["anna"].person) in standings
        acts = anna.ask("AUDIT", "AUDIT_PAGE", room="den")["acts"] if hers else None
        anna.raw.socket.close()
        return acts, standings, there

    def agree(self, server, here):
        """Whoever was sent out (`here`: by this server) is out."""
        try:
            acts, standings, there = self.look(server)
        except Broken:  # the call that fails was one of these
            acts, standings, there = self.look(server)
        if acts is None:
            self.assertEqual(self.done, [])
            return
        known = [(a["verb"], a["label"]) for a in acts]
        boris = self.keys["boris"].person
        expected = {(0, self.keys["anna"].person)}
        for act in acts:
            if act["verb"] in self.gives:
                expected.add((self.gives[act["verb"]], self.whom(act)))
            if act["verb"] in self.takes:
                expected.discard((self.takes[act["verb"]], self.whom(act)))
            if (act["verb"], act["label"]) == (wire.VERBS["ban"], "bob"):
                expected -= {(1, boris), (2, boris)}
        self.assertEqual(standings, expected, known)
        for done in self.done:
            if done[0] != wire.VERBS["release"]:
                self.assertIn(done, known)
        if here and (wire.VERBS["ban"], "bob") in known:
            self.assertNotIn(boris, there, "banned, and still there")
            try:
                talk = self.talks["boris"]
                talk.raw.message("SAY", counter=77, kind=0, room="den", text="still here")
                refused = talk.answer("ACK", "REFUSED", counter=77)
                self.assertEqual(refused["name"], "REFUSED", "banned, and still a member")
            except (Broken, OSError):
                pass

    def once(self, fault):
        env = self.faulty(fault)
        data = os.path.join(self.dir, f"data.{self.number}")
        server = Server(self, "--history", self.history, data=data, env=env, wait=False)
        if self.came_up(server):
            self.session(server)
            self.agree(server, True)
            self.assertTrue(server.running(), f"it ended: {server.tail()}")
            status = server.stop(15)
        else:
            status = server.wait(15)
        self.ended_well(server, status)
        if status == 0 and self.history == "on":
            again = Server(self, data=data)
            self.agree(again, False)
            self.assertEqual(again.stop(15), 0, again.tail())
            self.assertIsNone(database.verify(self, data))

    @unittest.skipIf(BUILD.endswith("-tsan"), "its allocator cannot be wrapped")
    def test_server(self):
        self.history = "on"
        self.sweep(self.once, max(8, 40 // SLOW))

    @unittest.skipIf(BUILD.endswith("-tsan"), "its allocator cannot be wrapped")
    def test_in_memory(self):
        self.history = "off"
        self.sweep(self.once, max(8, 60 // SLOW))


class ClientSweep(Sweep):
    """lanchat --pipe, on one good server for all runs."""

    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.dir, "data")
        self.server = Server(self, data=self.data)

    def once(self, fault):
        """It says some lines and ends; what it printed as kept is."""
        client = Pipe(self, self.server, "anna", "--timeout", "5",
                      "--history", "5", env=self.faulty(fault),
                      input=["one", "two", "three"], rooms=(f"room{self.number}",))
        status = client.wait(20)
        self.ended_well(client, status)
        acknowledged = {e["seq"] for e in client.of("ack")}
        if status == 0:
            self.assertEqual(len(acknowledged), 3, client.tail())
        self.assertLessEqual(acknowledged, set(database.kept(self.data)), client.tail())

    @unittest.skipIf(BUILD.endswith("-tsan"), "its allocator cannot be wrapped")
    def test_pipe(self):
        self.sweep(self.once, max(8, 24 // SLOW))
        self.assertEqual(self.server.stop(), 0, self.server.tail())
        self.assertIsNone(database.verify(self, self.data))


if __name__ == "__main__":
    main()
