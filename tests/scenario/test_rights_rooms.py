#!/usr/bin/env python3
"""Rooms that somebody looks after: who is sent out, muted, invited, and what moderators see of it."""

import contextlib
import os
import sqlite3
import threading
import time

from lib import database, wire
from lib.case import main
from lib.rights import BANNED, INVITED, KEY, MODERATOR, MUTED, OPEN, OWNER, Person, Rights
from lib.secure import Key, Secure
from lib.shim import shim
from lib.wait import wait_for
from lib.wire import CODES, VERBS


class Rooms(Rights):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.anna = Person(self, self.server, "anna")
        self.anna.join()
        self.bob = Person(self, self.server, "bob")
        self.bob.join()

    def test_owner(self):
        """The first who comes to a new room; but nobody in the lobby, nor where something was said."""
        self.assertEqual(self.anna.standings(OWNER), ["anna"])
        self.anna.join("lobby")
        self.assertEqual(self.anna.standings(OWNER, "lobby"), [])
        self.bob.act("mod", "bob", code="NO_RIGHT")
        self.anna.act("mod", "bob")
        self.assertEqual(self.bob.charter()["rank"], 1)
        self.bob.act("kick", "anna", code="NO_RIGHT")
        self.bob.act("mod", "bob", code="NO_RIGHT")
        self.bob.act("unmod", "bob")  # what one is oneself one may give up
        self.anna.act("own", "bob")
        self.assertEqual((self.bob.standings(OWNER), self.anna.charter()["rank"]), (["bob"], 0))
        self.server.stop()
        again = self.serve(data=self.server.data)
        self.assertEqual(self.bob.again(again).standings(OWNER), ["bob"])

    def test_damaged(self):
        """What a room is like was damaged: that room is closed until an operator opens it."""
        self.anna.says("before")
        self.anna.join("hall")
        root = self.operator(self.server).key
        self.server.stop()
        with contextlib.closing(sqlite3.connect(os.path.join(self.server.data, "log.db"))) as db:
            db.execute("UPDATE stream SET charter = 'nonsense' WHERE name = 'den'")
            db.commit()
        self.assertIn("its charter cannot be", database.verify(self, self.server.data))
        again = self.serve(data=self.server.data)
        anna, bob = self.anna.again(again), self.bob.again(again)
        for person in (anna, bob, anna):
            person.join(code="ROOM_DAMAGED")
        anna.act("mod", "bob", code="ROOM_DAMAGED")
        anna.act("entry", code="ROOM_DAMAGED")
        self.assertEqual(anna.rooms(), [])
        anna.join("hall")  # and everything else goes on
        bob.join("hall")
        anna.act("mute", "bob", room="hall")
        bob.says("not heard", room="hall", code="MUTED")
        operator = Person(self, again, "root", root)
        operator.join()
        operator.says("where is everybody?")
        operator.act("mod", "bob", code="ROOM_DAMAGED")
        operator.act("entry")
        bob.join()
        bob.says("here")
        operator.act("own", "anna")
        anna.join()
        anna.act("mod", "bob")
        again.stop()
        told = [line for line in again.stderr().splitlines() if "#den" in line and "damaged" in line]
        self.assertEqual(len(told), 1, told)
        self.assertIsNone(database.verify(self, again.data))

    def test_kick(self):
        self.anna.act("kick", "BOB", text="for a walk")
        parted = self.bob.peer.expect("PARTED", room="den")
        self.assertEqual((parted["code"], parted["text"]),
                         (CODES["KICKED"], "anna sent bob out: for a walk"))
        self.bob.says("still here?", code="NOT_A_MEMBER")
        told = []
        while (1, "bob", "anna sent bob out: for a walk") not in told:
            changes = self.anna.peer.expect("PRESENCE")["changes"]
            told += [(c["what"], c["nick"], c["text"]) for c in changes]
        self.assertIn((4, "anna", "sent bob out: for a walk"), told)
        self.anna.says("nobody hears")
        self.bob.join()
        self.bob.says("back")
        self.anna.peer.expect("SAID", text="back")

    def test_ban(self):
        self.anna.act("ban", "bob", value=3600)
        self.assertEqual(self.bob.peer.expect("PARTED")["code"], CODES["BANNED"])
        self.bob.join(code="BANNED")
        tag = self.bob.peer.request("HISTORY", room="den", limit=5)
        self.assertEqual(self.bob.peer.expect("ERROR", tag=tag)["code"], CODES["BANNED"])
        self.assertEqual(self.anna.standings(BANNED), ["bob"])
        self.bob.charter("lobby")
        self.anna.act("unban", "bob")
        self.bob.join()

    def test_ban_ends(self):
        self.anna.act("ban", "bob", value=4)
        self.bob.peer.expect("PARTED")
        def may():
            self.bob.peer.request("JOIN", room="den")
            while True:
                name, _ = self.bob.peer.receive()
                if name in ("JOINED", "ERROR"):
                    return name == "JOINED"
        self.assertFalse(may())
        wait_for(may, "the end of the ban")

    def test_addresses(self):
        self.anna.act("ban", "127.0.0.2")
        carol = Person(self, self.server, "carol", source="127.0.0.2")
        carol.join(code="BANNED")
        self.anna.act("unban", "127.0.0.2")
        carol.join()
        self.anna.act("ban", "127.0.0.2/31")
        self.assertEqual(carol.peer.expect("PARTED")["code"], CODES["BANNED"])
        self.assertIn("127.0.0.2/31", self.anna.standings(BANNED))
        self.anna.says("I am from 127.0.0.1, and it is my room")

    def test_address_of_one_session(self):
        """Whoever is sent out by an address has no other session there that nobody sees."""
        carol = Person(self, self.server, "carol", source="127.0.0.2")
        carol.join()
        other = Person(self, self.server, "carol", carol.key)
        other.join()
        self.anna.act("ban", "127.0.0.2")
        for one in (carol, other):
            self.assertEqual(one.peer.expect("PARTED")["code"], CODES["BANNED"])
        other.says("am I here?", code="NOT_A_MEMBER")
        carol.join(code="BANNED")
        other.join()
        other.says("here I am")
        tag = self.anna.peer.request("MEMBERS", room="den")
        got = self.anna.peer.expect("MEMBER_LIST", tag=tag)
        self.assertEqual([m["nick"] for m in got["members"]], ["anna", "bob", "carol"])

    def test_mute(self):
        self.bob.says("one")
        self.anna.act("mute", "bob", value=60)
        self.bob.says("two", code="MUTED")
        self.anna.act("unmute", "bob")
        self.bob.says("three")

    def test_muted_knows(self):
        """Who is muted is told so, and nobody else who is nothing there."""
        carl = Person(self, self.server, "carl")
        carl.join()
        for one in ("bob", "carl"):
            self.anna.act("mute", one)
        self.assertEqual(self.bob.standings(MUTED), ["bob"])
        self.assertEqual(carl.standings(MUTED), ["carl"])
        self.assertEqual(self.anna.standings(MUTED), ["bob", "carl"])

    def test_called_as_they_are_now(self):
        """Who is something in a room is called by the nick that they have, not by one that somebody
        else may have by now."""
        self.anna.act("mod", "bob")
        tag = self.bob.peer.request("NICK", nick="robert")
        self.bob.peer.expect("RENAMED", tag=tag)
        self.bob.act("release", "bob", room="")
        carl = Person(self, self.server, "bob")
        carl.join()
        self.assertEqual(carl.standings(MODERATOR), ["robert"])
        self.assertEqual(self.anna.standings(MODERATOR), ["robert"])

    def test_ends_what_the_list_names(self):
        """Who was banned has given up the nick, and somebody else has it: the ban is still ended by it."""
        self.anna.act("ban", "bob")
        self.bob.act("release", "bob", room="")
        self.bob.peer.message("BYE")
        self.bob.peer.wait_end()
        other = wait_for(lambda: self.try_login("bob"), "the nick")
        other.join()
        self.assertEqual(self.anna.standings(BANNED), ["bob"])
        self.anna.act("unban", "bob")
        self.assertEqual(self.anna.standings(BANNED), [])
        self.anna.act("unban", "bob", code="NO_CHANGE")

    def try_login(self, nick):
        try:
            return Person(self, self.server, nick)
        except AssertionError:
            return None

    def test_muted_moderator(self):
        """Who looks after a room is muted by its owner as others are, and not by equals; nor do they,
        or equals, take it back. What they still do about the room, they do in silence."""
        carol, dora = (Person(self, self.server, nick) for nick in ("carol", "dora"))
        for person in (carol, dora):
            person.join()
        for nick in ("bob", "carol"):
            self.anna.act("mod", nick)
        self.bob.says("one")
        carol.act("mute", "bob", code="NO_RIGHT")
        self.anna.act("mute", "bob", value=60)
        self.bob.says("two", code="MUTED")
        for one in (self.bob, carol):
            one.act("unmute", "bob", code="NO_RIGHT")
        self.bob.act("kick", "dora", text="read this", code="MUTED")
        self.bob.act("unmod", "bob", text="and this", code="MUTED")
        self.bob.act("kick", "dora")
        self.assertEqual(dora.peer.expect("PARTED")["text"], "bob sent dora out")
        self.anna.act("unmute", "bob")
        self.bob.says("three")
        # Muted first, and made a moderator then: still muted. An owner is not.
        self.anna.act("mute", "dora")
        self.anna.act("mod", "dora")
        dora.join()
        dora.says("four", code="MUTED")
        self.anna.act("own", "dora")
        dora.says("five")

    def told(self, what, nick):
        """The text of the next such change in the room."""
        while True:
            for c in self.anna.peer.expect("PRESENCE", room="den")["changes"]:
                if (c["what"], c["nick"]) == (what, nick):
                    return c["text"]

    def away(self, person, text):
        person.outcome("DONE", person.peer.request("AWAY", state=1, text=text), None)

    def test_muted_by_other_means(self):
        """Who may not speak says nothing by being away, or with the last words."""
        joined, parted, state = 0, 1, 3
        second = self.bob.again()
        carol = Person(self, self.server, "carol")
        self.away(self.bob, "for lunch")
        self.assertEqual(self.told(state, "bob"), "for lunch")
        self.anna.act("mute", "bob", value=60)
        self.away(self.bob, "listen to me")
        self.assertEqual(self.told(state, "bob"), "")
        tag = self.anna.peer.request("MEMBERS", room="den")
        got = self.anna.peer.expect("MEMBER_LIST", tag=tag)
        self.assertEqual([(m["nick"], m["away"]) for m in got["members"]],
                         [("anna", ""), ("bob", "")])
        self.bob.peer.message("BYE", code=CODES["QUIT"], text="you will hear of me")
        self.assertEqual(self.told(parted, "bob"), "")
        self.away(second, "still here")
        second.join()
        self.assertEqual(self.told(joined, "bob"), "")
        # In a moderated room who has a voice, or looks after it, has words.
        self.anna.act("moderated", value=1)
        self.away(carol, "nobody asked")
        carol.join()
        self.assertEqual(self.told(joined, "carol"), "")
        self.anna.act("voice", "carol")
        self.away(carol, "back at two")
        self.assertEqual(self.told(state, "carol"), "back at two")
        carol.peer.message("BYE", code=CODES["QUIT"], text="good night")
        self.assertEqual(self.told(parted, "carol"), "good night")

    def test_moderated(self):
        self.anna.act("moderated", value=1)
        self.bob.says("may I?", code="MODERATED")
        self.anna.says("listen")
        self.anna.act("voice", "bob")
        self.bob.says("I may")
        self.anna.act("unvoice", "bob")
        self.bob.says("not any more", code="MODERATED")
        self.anna.act("moderated", value=0)
        self.bob.says("again")

    def test_slow(self):
        self.anna.act("slow", value=3600)
        self.bob.says("one")
        refused = self.bob.says("two", code="SLOW")
        self.assertRegex(refused["text"], r"again in (1 h|59 min \d+ s)$")
        for text in ("I", "look", "after", "it"):
            self.anna.says(text)
        self.anna.act("slow", value=0)
        self.bob.says("three")

    def test_slow_counts_what_is_kept(self):
        """What is refused takes no turn."""
        self.anna.act("slow", value=3600)
        self.anna.act("moderated", value=1)
        self.bob.says("may I?", code="MODERATED")
        self.anna.act("moderated", value=0)
        self.anna.act("mute", "bob")
        self.bob.says("may I?", code="MUTED")
        self.anna.act("unmute", "bob")
        self.bob.says("one")
        self.bob.says("two", code="SLOW")

    def test_key(self):
        self.anna.act("entry", value=KEY, text="open sesame")
        carol = Person(self, self.server, "carol")
        carol.join(code="KEY_WANTED")
        carol.unlock("open", code="KEY_WANTED")
        carol.unlock("open sesame")
        carol.join()
        # A member comes in again without it, also after a restart.
        self.server.stop()
        again = self.serve(data=self.server.data)
        back = carol.again(again)
        back.join()
        self.leave(back)
        back.join(code="KEY_WANTED")
        self.assertNotIn(b"sesame", self.log_bytes(again))

    @staticmethod
    def leave(person, room="den"):
        person.peer.expect("PARTED", tag=person.peer.request("PART", room=room))

    def check_left(self, options, mode, code):
        """Whoever has left a room is no member from the moment that they are told so."""
        server = self.serve(*options)
        anna, carol = (Person(self, server, nick) for nick in ("anna", "carol"))
        for i in range(8):
            room = f"room{i}"
            anna.join(room)
            anna.says("first", room)
            carol.join(room)
            anna.act("entry", room=room, value=mode, text="sesame" if mode == KEY else "")
            self.leave(carol, room)
            carol.join(room, code=code)
        # In one go.
        anna.act("entry", room=room, value=OPEN)
        carol.join(room)
        anna.act("entry", room=room, value=mode, text="sesame" if mode == KEY else "")
        carol.peer.send(wire.encode("PART", tag=900, room=room) +
                        wire.encode("JOIN", tag=901, room=room))
        self.assertEqual(carol.peer.expect("ERROR", tag=901)["code"], CODES[code])
        return server, anna, carol, room

    def test_left(self):
        for options in ((), ("--history", "off")):
            for mode, code in ((INVITED, "NOT_INVITED"), (KEY, "KEY_WANTED")):
                with self.subTest(options=options, mode=mode):
                    self.check_left(options, mode, code)

    def test_logged(self):
        """The log says what was set."""
        self.anna.act("entry", value=INVITED)
        self.anna.act("entry", value=KEY, text="sesame")
        self.anna.act("entry", value=OPEN)
        self.anna.act("moderated", value=1)
        self.anna.act("slow", value=30)
        self.anna.act("kick", "bob")
        log = self.server.stderr()
        for what in ("entry invited", "entry key", "entry open", "moderated on", "slow 30",
                     "kick bob"):
            self.assertIn(f"anna: {what} in #den\n", log)
        self.assertNotIn("sesame", log)

    def test_kicked(self):
        """Nor is whoever was sent out, though another connection of theirs came in just before, and that
        they are a member is written with the kick, and behind it."""
        server = self.serve(env=shim("slow", slow=100))
        anna, carol = (Person(self, server, nick) for nick in ("anna", "carol"))
        anna.join()
        anna.says("first")
        carol.join()
        anna.act("entry", value=INVITED)
        counter = carol.peer.say("the disk has to do", "den")
        carol.again().join()
        tag = anna.peer.request("ACT", room="den", verb=VERBS["kick"], label="carol")
        carol.peer.expect("ACK", counter=counter)
        carol.peer.expect("PARTED", room="den", code=CODES["KICKED"])
        carol.join(code="NOT_INVITED")
        anna.peer.expect("DONE", tag=tag)

    def members(self, person, room="den"):
        """The nicks in it."""
        nicks, after = [], ""
        while True:
            page = person.peer.expect("MEMBER_LIST", tag=person.peer.request(
                "MEMBERS", room=room, after=after))
            nicks += [member["nick"] for member in page["members"]]
            if not page["more"]:
                return nicks
            after = nicks[-1]

    def stall(self, person, watcher, filler):
        """On another connection of theirs they come in, and do not read the answer: much is before it, and
        with luck so much that it does not fit."""
        peer = Secure(self, self.server, key=person.key, buffer=4096)
        peer.message("HELLO", version_low=1, version_high=1, features=4, agent="scenario")
        log = peer.expect("WELCOME")["log"]
        peer.expect("LOGGED_IN", tag=peer.request("LOGIN", person=peer.person, log=log,
                                                  instance=peer.instance, nick=person.nick))
        data = b"".join(wire.encode("PROBE", padding="." * size) for size in [60000] * 30 + [filler])
        sender = threading.Thread(target=peer.send, daemon=True, args=(
            data + wire.encode("JOIN", tag=900, room="den"),))
        sender.start()
        while person.nick not in self.members(watcher):
            self.assertTrue(peer.fill(time.monotonic() + 10))
        sender.join()
        return peer

    def test_kicked_while_coming_in(self):
        """Whoever stands in the door when they are sent out is not in the room after that."""
        keys = [Key(self) for _ in range(4)]
        crowd = [Person(self, self.server, f"crowd{i}{'x' * 30}", keys[i % 4]) for i in range(160)]
        for person in crowd:
            person.peer.expect("DONE", tag=person.peer.request("AWAY", state=1, text="x" * 250))
            person.join()
        carol = Person(self, self.server, "carol")
        self.anna.act("entry", value=INVITED)
        code = None
        for i in range(40):
            self.anna.act("invite", "carol")
            carol.join()
            self.anna.act("uninvite", "carol")
            carol.peer.reset()
            wait_for(lambda: "carol" not in self.members(self.anna), "carol to be gone")
            peer = self.stall(carol, self.anna, i * 7919 % 60000)
            self.anna.act("kick", "carol")
            self.assertNotIn("carol", self.members(self.anna))
            peer.expect("JOINED", tag=900)
            code = peer.expect("PARTED", room="den")["code"]
            self.assertNotIn("carol", self.members(self.anna))
            peer.reset()
            carol = carol.again()
            carol.join(code="NOT_INVITED")
            if code == CODES["NOT_INVITED"]:
                return
            self.assertEqual(code, CODES["KICKED"])  # she was inside already
        self.skipTest("she never stood in the door")

    def test_left_before_a_crash(self):
        server, anna, carol, room = self.check_left((), INVITED, "NOT_INVITED")
        anna.act("invite", "carol", room)
        carol.join(room)
        anna.act("uninvite", "carol", room)
        self.leave(carol, room)
        server.kill()
        carol.again(self.serve(data=server.data)).join(room, code="NOT_INVITED")

    @staticmethod
    def log_bytes(server):
        got = b""
        for name in ("log.db", "log.db-wal"):
            with open(os.path.join(server.data, name), "rb") as file:
                got += file.read()
        return got

    def test_invited(self):
        self.anna.act("entry", value=INVITED)
        carol = Person(self, self.server, "carol")
        carol.join(code="NOT_INVITED")
        self.bob.act("invite", "carol", code="NO_RIGHT")
        self.anna.act("invite", "carol")
        self.assertIn("#den", carol.peer.expect("NOTICE", kind=0)["text"])
        carol.join()
        carol.says("thanks")

    def test_private(self):
        """What is not open is in no list, and tells nobody its topic, people or history."""
        self.anna.peer.counter += 1
        self.anna.peer.message("SAY", counter=self.anna.peer.counter, kind=3, room="den",
                               text="a secret topic")
        self.anna.says("a secret")
        carol = Person(self, self.server, "carol")
        self.assertEqual(carol.rooms(), ["den"])
        self.anna.act("entry", value=INVITED)
        self.assertEqual(carol.rooms(), [])
        self.assertEqual(self.bob.rooms(), ["den"])
        for name, values in (("HISTORY", {"room": "den"}), ("MEMBERS", {"room": "den"}),
                             ("CHARTER", {"room": "den"}), ("AUDIT", {"room": "den"}),
                             ("SEARCH", {"room": "den", "words": "secret"})):
            with self.subTest(name):
                tag = carol.peer.request(name, **values)
                self.assertIn(carol.peer.expect("ERROR", tag=tag)["code"],
                              (CODES["NOT_INVITED"], CODES["NOT_A_MEMBER"], CODES["NO_RIGHT"]))
        tag = carol.peer.request("SEARCH", where=2, words="secret")
        self.assertEqual(carol.peer.expect("FOUND", tag=tag)["entries"], [])
        # Also when nobody is in it, after a restart.
        self.server.stop()
        again = self.serve(data=self.server.data)
        self.assertEqual(carol.again(again).rooms(), [])
        root = self.operator(again)
        self.assertEqual(root.rooms(), ["den"])
        self.assertEqual(self.anna.again(again).join()["topic"], "a secret topic")

    def test_audit(self):
        self.anna.act("mod", "bob")
        self.bob.act("mute", "bob", code="NO_RIGHT")
        carol = Person(self, self.server, "carol")
        carol.join()
        self.bob.act("mute", "carol", text="singing")
        self.anna.act("entry", value=KEY, text="a key")
        self.assertEqual(self.bob.audit(), [
            ("anna", VERBS["take"], "anna"), ("anna", VERBS["mod"], "bob"),
            ("bob", VERBS["mute"], "carol"), ("anna", VERBS["entry"], "")])
        carol.audit(code="NO_RIGHT")
        self.bob.audit("", code="NO_RIGHT")
        made = self.server.data
        self.server.stop()
        again = self.serve(data=made)
        self.assertEqual(len(self.bob.again(again).audit()), 4)

    def test_audit_is_not_washed_away(self):
        """However much is said."""
        for options in (("--keep-messages", "20"), ("--history", "off", "--keep-bytes", "65536")):
            with self.subTest(options):
                server = self.serve(*options)
                anna = Person(self, server, "anna")
                anna.join()
                bob = Person(self, server, "bob")
                bob.join()
                anna.act("mute", "bob", text="singing")
                before = anna.audit()
                for i in range(300):
                    anna.says(f"{i} " + "la " * 100)
                wait_for(lambda: self.gone(anna), "that what was said is dropped", 30)
                self.assertEqual(anna.audit(), before)

    @staticmethod
    def gone(person):
        tag = person.peer.request("HISTORY", room="den", value=1, limit=1)
        return person.peer.expect("HISTORY_PAGE", tag=tag)["pruned"] > 0

    def test_several_sessions(self):
        """All that one person has in the room go at once."""
        second = self.bob.again()
        second.join()
        self.anna.act("kick", "bob")
        for one in (self.bob, second):
            self.assertEqual(one.peer.expect("PARTED")["code"], CODES["KICKED"])
        tag = self.anna.peer.request("MEMBERS", room="den")
        got = self.anna.peer.expect("MEMBER_LIST", tag=tag)
        self.assertEqual([m["nick"] for m in got["members"]], ["anna"])

    def test_makes_no_sense(self):
        for verb, more in (("claim", {"label": "x", "room": ""}), ("own", {"room": "lobby", "label": "bob"}),
                           ("kick", {}), ("entry", {"value": 3}), ("entry", {"value": KEY}),
                           ("moderated", {"value": 2}), ("slow", {"value": 100000}),
                           ("mute", {"label": "10.0.0.0/8"}), ("op", {"label": "bob"})):
            with self.subTest(verb, **more):
                tag = self.anna.peer.request("ACT", **{"room": "den", **more}, verb=VERBS[verb])
                self.assertIn(self.anna.peer.expect("ERROR", tag=tag)["code"],
                              (CODES["BAD_VALUE"], CODES["NO_RIGHT"], CODES["NO_SUCH_PERSON"]))


if __name__ == "__main__":
    main()
