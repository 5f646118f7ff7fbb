#!/usr/bin/env python3
"""Who may do what: nicks that have owners, operators, rooms that are looked after, who may come in."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

from lib import database, wire
from lib.case import Scenario, main
from lib.process import Program
from lib.raw import Raw
from lib.secure import Key, Secure
from lib.server import Server
from lib.shim import lenient, shim
from lib.wait import BUILD, wait_for
from lib.wire import CODES, VERBS

OPEN, KEY, INVITED = range(3)
OWNER, MODERATOR, VOICE, GUEST, BANNED, MUTED = range(6)


class Person:
    """Somebody with a key, on as many connections as they like."""

    def __init__(self, case, server, nick, key=None, **others):
        self.case, self.server, self.nick, self.others = case, server, nick, others
        self.key = key or Key(case)
        self.peer = Secure(case, server, key=self.key, **others)
        self.welcome = self.peer.login(nick)

    def again(self, server=None):
        """Another connection of the same key."""
        return Person(self.case, server or self.server, self.nick, self.key, **self.others)

    def act(self, verb, label="", room="den", value=0, text="", code=None):
        """Do something; with `code`, the error that has to come."""
        tag = self.peer.request("ACT", room=room, verb=VERBS[verb], label=label, value=value,
                                text=text)
        return self.outcome("DONE", tag, code)

    def outcome(self, name, tag, code):
        if code is None:
            return self.peer.expect(name, tag=tag)
        error = self.peer.expect("ERROR", tag=tag)
        self.case.assertEqual(error["code"], CODES[code], error)
        return error

    def join(self, room="den", code=None, replay=0):
        return self.outcome("JOINED", self.peer.request("JOIN", room=room, replay=replay), code)

    def unlock(self, key, room="den", code=None):
        return self.outcome("DONE", self.peer.request("UNLOCK", room=room, key=key), code)

    def says(self, text, room="den", code=None):
        """Say something; it is kept, or refused."""
        counter = self.peer.say(text, room)
        if code is None:
            return self.peer.expect("ACK", counter=counter)
        refused = self.peer.expect("REFUSED", counter=counter)
        self.case.assertEqual(refused["code"], CODES[code], refused)
        return refused

    def whois(self, nick):
        return self.peer.expect("PERSON", tag=self.peer.request("WHOIS", nick=nick))

    def charter(self, room="den"):
        return self.peer.expect("CHARTER_IS", tag=self.peer.request("CHARTER", room=room))

    def standings(self, kind, room="den"):
        return sorted(s["label"] for s in self.charter(room)["standings"] if s["kind"] == kind)

    def audit(self, room="den", code=None):
        got = self.outcome("AUDIT_PAGE", self.peer.request("AUDIT", room=room), code)
        return [(a["nick"], a["verb"], a["label"]) for a in got.get("acts", [])]

    def rooms(self):
        tag = self.peer.request("ROOMS")
        return sorted(r["name"] for r in self.peer.expect("ROOM_LIST", tag=tag)["rooms"])


class Rights(Scenario):
    def serve(self, *options, **more):
        return Server(self, *options, **more)

    def operator(self, server, nick="root"):
        """Somebody who shows the server's code."""
        with open(os.path.join(server.data, "operator-code"), encoding="utf-8") as file:
            code = file.read().strip()
        person = Person(self, server, nick)
        person.act("op", room="", text=code)
        return person

    def refused(self, server, nick, code, key=None, flags=0, **others):
        """A login that is refused."""
        peer = Secure(self, server, key=key, **others)
        welcome = peer.hello()
        tag = peer.request("LOGIN", person=peer.person, instance=peer.instance,
                           log=welcome["log"], flags=flags, nick=nick)
        peer.error = peer.expect("ERROR", tag=tag)
        self.assertEqual(peer.error["code"], CODES[code], peer.error)
        return peer


class Nicks(Rights):
    """A nick belongs to the first key that used it."""

    # What looks like "Paulo1": case, width, scripts, digits for letters.
    ALIKE = ("paulo1", "PAULO1", "\uff30\uff41\uff55\uff4c\uff4f\uff11", "Paulol", "PauIo1",
             "Pau\u217co1")

    def test_owned(self):
        server = self.serve()
        paulo = Person(self, server, "Paulo1")
        other = Key(self)
        for nick in self.ALIKE:
            with self.subTest(nick):
                self.refused(server, nick, "NICK_TAKEN", key=other)
        # Also when its owner is gone, and after a restart.
        paulo.peer.message("BYE")
        paulo.peer.wait_end()
        self.refused(server, "paulo1", "NICK_TAKEN", key=other)
        server.stop()
        again = self.serve(data=server.data)
        self.refused(again, "paulol", "NICK_TAKEN", key=other)
        back = paulo.again(again)
        self.assertEqual(back.welcome["nick"], "Paulo1")
        # Whole words in another script: "оса" is not Latin, and looks it.
        Person(self, again, "oca")
        self.refused(again, "\u043e\u0441\u0430", "NICK_TAKEN", key=other)
        # Not everything is taken.
        self.assertEqual(Person(self, again, "paula").welcome["nick"], "paula")

    def test_next_free_one(self):
        server = self.serve()
        Person(self, server, "anna").peer.reset()
        peer = Secure(self, server)
        self.assertEqual(peer.login("Anna", flags=1)["nick"], "Anna2")
        self.assertEqual(peer.expect("PLACES")["more"], 0)

    def test_several_machines(self):
        """One key may be here twice, as one person."""
        server = self.serve()
        anna = Person(self, server, "anna")
        second = anna.again()
        third = Person(self, server, "anna-phone", anna.key)
        self.assertEqual(second.welcome["nick"], "anna")
        for one in (anna, second, third):
            self.assertEqual(one.whois("anna")["person"], anna.key.person)
            self.assertEqual(one.whois("anna-phone")["person"], anna.key.person)

    def test_whois(self):
        server = self.serve()
        anna, bob = Person(self, server, "Anna"), Person(self, server, "bob")
        found = bob.whois("anna")
        self.assertEqual((found["nick"], found["person"], found["state"], found["owned"],
                          found["proven"], found["rank"]),
                         ("Anna", anna.key.person, 0, 1, 1, 0))
        anna.peer.message("BYE")
        anna.peer.wait_end()
        wait_for(lambda: bob.whois("anna")["state"] == 2, "that she is gone")
        tag = bob.peer.request("WHOIS", nick="nobody")
        self.assertEqual(bob.peer.expect("ERROR", tag=tag)["code"], CODES["NO_SUCH_PERSON"])

    def test_renaming(self):
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        tag = bob.peer.request("NICK", nick="ANNA")
        self.assertEqual(bob.peer.expect("ERROR", tag=tag)["code"], CODES["NICK_TAKEN"])
        tag = bob.peer.request("NICK", nick="robert")
        self.assertEqual(bob.peer.expect("RENAMED", tag=tag)["nick"], "robert")
        tag = anna.peer.request("NICK", nick="bob")  # he has it still
        self.assertEqual(anna.peer.expect("ERROR", tag=tag)["code"], CODES["NICK_TAKEN"])
        self.assertEqual(anna.whois("bob")["person"], bob.key.person)

    def test_released(self):
        server = self.serve()
        root = self.operator(server)
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        bob.act("release", "anna", room="", code="NO_RIGHT")
        bob.act("release", "nobody", room="", code="NO_SUCH_NICK")
        anna.act("release", "ANNA", room="den", code="BAD_VALUE")
        anna.act("release", "ANNA", room="")
        anna.peer.message("BYE")
        anna.peer.wait_end()
        new = wait_for(lambda: self.try_login(server, "anna"), "her nick")
        root.act("release", "anna", room="")
        self.assertEqual(new.whois("anna")["owned"], 0)

    def try_login(self, server, nick):
        try:
            return Person(self, server, nick)
        except AssertionError:
            return None

    def test_longer_than_a_nick(self):
        """What cannot be a nick is not taken for the one that it begins with."""
        anna = Person(self, Server(self), "n" * 48)
        anna.act("release", "n" * 49, room="", code="NO_SUCH_NICK")
        self.assertEqual(anna.whois("n" * 48)["owned"], 1)

    def test_messages_to_an_owner(self):
        """They wait for the owner, whoever had the nick last."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.peer.message("BYE")
        anna.peer.wait_end()
        bob.peer.counter += 1
        bob.peer.message("DIRECT", counter=bob.peer.counter, nick="Anna", text="for you")
        bob.peer.expect("ACK", counter=bob.peer.counter)
        back = Secure(self, server, key=anna.key)
        welcome = back.hello()
        back.request("LOGIN", person=back.person, instance=back.instance, log=welcome["log"],
                     nick="anna", inbox_after=0)
        self.assertEqual(back.expect("DIRECT_SAID")["text"], "for you")


class Operators(Rights):
    def test_code(self):
        server = self.serve()
        path = os.path.join(server.data, "operator-code")
        with open(path, encoding="utf-8") as file:
            code = file.read().strip()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertIn(f"/op {code}", server.tail())
        stranger = Person(self, server, "stranger")
        tag = stranger.peer.request("ACT", verb=VERBS["op"], text="abcd-efgh-ijkl-mnop")
        _, got = stranger.peer.wait_end()
        self.assertEqual(got[-1][1]["code"], CODES["WRONG_CODE"], (tag, got))
        first = Person(self, server, "first")
        first.act("op", room="", text=code.replace("-", "").upper())  # as somebody may type it
        self.assertFalse(os.path.exists(path))
        self.assertEqual(first.whois("first")["rank"], 3)
        # It works once.
        late = Person(self, server, "late")
        late.peer.request("ACT", verb=VERBS["op"], text=code)
        self.assertEqual(late.peer.wait_end()[1][-1][1]["code"], CODES["WRONG_CODE"])
        # Operators make operators, and are operators after a restart.
        second = Person(self, server, "second")
        second.act("op", "second", room="", code="NO_RIGHT")
        first.act("op", "second", room="")
        second.act("deop", "first", room="")
        server.stop()
        again = self.serve(data=server.data)
        self.assertNotIn("/op", again.tail())
        self.assertEqual(second.again(again).standings(MODERATOR, ""), ["second"])

    def test_new_code(self):
        """For whoever has lost the key of the only one."""
        server = self.serve()
        self.operator(server)
        made = self.run_server("--operator-code", "--data", server.data)
        code = made.split("/op ")[1].split()[0]
        new = Person(self, server, "new")
        new.act("op", room="", text=code)
        self.assertEqual(new.standings(MODERATOR, ""), ["new", "root"])

    def test_last_operator(self):
        """Who gives it up leaves a code behind, without a restart."""
        server = self.serve()
        root = self.operator(server)
        root.act("deop", "root", room="")
        self.assertIn("no operator now", root.peer.expect("NOTICE", kind=2)["text"])
        self.operator(server, "next")
        self.assertEqual(root.standings(MODERATOR, ""), ["next"])

    def run_server(self, *options):
        program = Program(self, [os.path.join(BUILD, "lanchatd"), *options])
        self.assertEqual(program.wait(), 0, program.tail())
        return program.tail()

    def test_kick_and_ban_from_the_server(self):
        server = self.serve()
        root = self.operator(server)
        bob, eve = Person(self, server, "bob"), Person(self, server, "eve")
        for one in (eve, bob):
            one.join("lobby")
        root.act("kick", "bob", room="", text="enough")
        _, got = bob.peer.wait_end()
        self.assertEqual((got[-1][1]["code"], got[-1][1]["fatal"]), (CODES["KICKED"], 1))
        self.assertEqual(got[-1][1]["text"], "root sent you off the server: enough")
        self.assertEqual(self.left(eve, "bob"), "was sent off the server: enough")
        bob = bob.again()
        bob.join("lobby")
        root.act("ban", "bob", room="", value=7200, text="again")
        _, got = bob.peer.wait_end()
        self.assertEqual(got[-1][1]["code"], CODES["BANNED"])
        self.assertEqual(got[-1][1]["text"], "root banned you from the server for 2 h: again")
        self.assertEqual(self.left(eve, "bob"), "was banned from the server: again")
        peer = self.refused(server, "bob", "BANNED", key=bob.key)
        self.assertEqual(peer.error["text"], "you are banned here for 2 h")
        root.act("unban", "bob", room="")
        bob = bob.again()
        # By address, too; operators are above it.
        root.act("ban", "127.0.0.0/8", room="")
        bob.peer.wait_end()
        self.refused(server, "bob", "BANNED", key=bob.key)
        self.assertEqual(root.standings(BANNED, ""), ["127.0.0.0/8"])
        root.act("ban", "root", room="", code="NO_RIGHT")
        self.assertIn(("root", VERBS["ban"], "127.0.0.0/8"), root.audit(""))


    def left(self, person, nick):
        """What somebody is told of why another left the lobby."""
        while True:
            for c in person.peer.expect("PRESENCE", room="lobby")["changes"]:
                if c["what"] == 1 and c["nick"] == nick:
                    return c["text"]

    def test_wrong_code_is_not_for_others(self):
        """They do not read what was said to the one who guessed."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.join("lobby")
        bob.join("lobby")
        bob.peer.request("ACT", verb=VERBS["op"], text="abcd-efgh-ijkl-mnop")
        bob.peer.wait_end()
        self.assertEqual(self.left(anna, "bob"), "the server ended the connection")


class Rooms(Rights):
    def sanitizer_options(self):
        return lenient(super().sanitizer_options())

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
        self.anna.act("ban", "bob", value=1)
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
        self.assertRegex(refused["text"], r"again in 3\d\d\d s$")
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


class Owned(Rights):
    """How many rooms one person may own: whoever joins a new one owns it."""

    LIMIT = ("--max-owned-rooms", "3")

    def make(self, person, *rooms):
        for room in rooms:
            person.join(room)
            self.assertEqual(person.standings(OWNER, room), [person.nick])

    def refused_room(self, person, room):
        """A new room that they cannot have: they are told why, and it is not there."""
        error = person.join(room, code="TOO_MANY_OWNED")
        self.assertIn("(max-owned-rooms)", error["text"])
        self.assertEqual(error["fatal"], 0)
        person.says("a word", room, code="NOT_A_MEMBER")
        self.assertNotIn(room, person.rooms())

    def check_limit(self, server):
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        self.make(anna, "one", "two", "three")
        self.refused_room(anna, "four")
        # Rooms that are there are open to her, and everything else is as before.
        self.make(bob, "bobs")
        anna.join("bobs")
        anna.join("lobby")
        anna.says("a word", "lobby")
        anna.says("a word", "one")
        # The room that she could not have is new to somebody else.
        self.make(bob, "four")
        anna.join("four")
        return anna, bob

    def test_limit(self):
        for history in ("on", "off"):
            with self.subTest(history):
                server = self.serve(*self.LIMIT, "--history", history)
                anna, _bob = self.check_limit(server)
                # On another connection she is the same.
                self.refused_room(anna.again(), "five")

    def test_restart(self):
        """It is the log that counts."""
        server = self.serve(*self.LIMIT)
        anna, _bob = self.check_limit(server)
        server.stop()
        server = self.serve(*self.LIMIT, data=server.data)
        anna = anna.again(server)
        self.refused_room(anna, "five")
        anna.join("one")
        self.assertEqual(anna.standings(OWNER, "one"), ["anna"])

    def test_given(self):
        """Nobody is given one too many, and whoever gives one away may have another."""
        for history in ("on", "off"):
            with self.subTest(history):
                server = self.serve(*self.LIMIT, "--history", history)
                anna, bob = self.check_limit(server)
                bob.join("one")
                bob.join("two")
                error = bob.act("own", "anna", room="bobs", code="TOO_MANY_OWNED")
                self.assertIn("(max-owned-rooms)", error["text"])
                self.assertEqual(bob.standings(OWNER, "bobs"), ["bob"])
                anna.act("own", "bob", room="one")
                bob.act("own", "anna", room="bobs")
                self.refused_room(anna, "five")
                anna.act("own", "bob", room="two")  # who has three now
                self.make(anna, "five")
                self.refused_room(bob, "six")

    def test_given_to_who_is_there(self):
        """Nobody finds that they own what they never wanted: it would be instead of rooms of theirs."""
        server = self.serve(*self.LIMIT)
        root = self.operator(server)
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        self.make(anna, "one", "two")
        anna.act("own", "bob", room="one", code="NOT_THERE")
        self.assertEqual(anna.standings(OWNER, "one"), ["anna"])
        # Who has no right to hears of nothing else.
        bob.act("own", "anna", room="two", code="NO_RIGHT")
        bob.act("own", "root", room="two", code="NO_RIGHT")
        bob.join("one")
        anna.act("own", "bob", room="one")
        root.act("own", "bob", room="two")  # who looks after all of them may

    def test_operator(self):
        """An operator is no exception."""
        server = self.serve(*self.LIMIT)
        root, anna = self.operator(server), Person(self, server, "anna")
        self.make(root, "one", "two", "three")
        self.refused_room(root, "four")
        self.make(anna, "annas")
        root.act("own", "root", room="annas", code="TOO_MANY_OWNED")
        root.act("entry", room="annas", value=INVITED)  # all else they may do there

    def test_off(self):
        server = self.serve("--max-owned-rooms", "off", "--rooms-each", "off")
        anna = Person(self, server, "anna")
        for i in range(120):  # more than the default
            anna.join(f"room{i}")

    def test_changed_while_it_runs(self):
        config = os.path.join(self.dir, "config")

        def write(value):
            with open(config, "w", encoding="ascii") as file:
                file.write(f"max-owned-rooms {value}\n")

        write(1)
        server = self.serve("--config", config)
        anna = Person(self, server, "anna")
        self.make(anna, "one")
        self.refused_room(anna, "two")
        write(2)
        server.send_signal(signal.SIGHUP)

        def comes_in():
            tag = anna.peer.request("JOIN", room="two")
            while True:
                name, got = anna.peer.receive()
                if name in ("JOINED", "ERROR") and got["tag"] == tag:
                    return name == "JOINED"

        wait_for(comes_in, "the limit to be read again")
        self.refused_room(anna, "three")

    def test_counted(self):
        """--status tells how often it was reached."""
        server = self.serve("--max-owned-rooms", "1")
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        self.make(anna, "one")
        self.make(bob, "bobs")
        self.refused_room(anna, "two")
        anna.join("bobs")
        bob.act("own", "anna", room="bobs", code="TOO_MANY_OWNED")
        done = subprocess.run([os.path.join(BUILD, "lanchatd"), "--data", server.data, "--status",
                               "--json"], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["limits"]["max_owned_rooms"], 2)


class Listed(Rights):
    """Who finds a private room in the list."""

    def names(self, person):
        """Their list, page by page, and how many rooms it says that there are."""
        names, after, more = [], "", True
        while more:
            tag = person.peer.request("ROOMS", after=after, limit=2)
            page = person.peer.expect("ROOM_LIST", tag=tag)
            names += [room["name"] for room in page["rooms"]]
            after, more = names[-1] if names else "", page["more"]
        return names, page["total"]

    def fill(self, server):
        """Open and private rooms, in turn; two of the private ones are bob's too."""
        root, anna, bob = (self.operator(server), Person(self, server, "anna"),
                           Person(self, server, "bob"))
        for i in range(8):
            room = f"room{i}"
            anna.join(room)
            anna.says("a word", room)
            if i % 2:
                anna.act("entry", room=room, value=INVITED)
        for room in ("room1", "room5"):
            anna.act("invite", "bob", room=room)
            bob.join(room)
        return root, anna, bob

    def expect(self, person, rooms):
        self.assertEqual(self.names(person), ([f"room{i}" for i in rooms], len(rooms)))

    def test_list(self):
        for history in ("on", "off"):
            with self.subTest(history):
                server = self.serve("--history", history)
                root, anna, bob = self.fill(server)
                eve = Person(self, server, "eve")
                self.expect(eve, [0, 2, 4, 6])
                self.expect(bob, [0, 1, 2, 4, 5, 6])
                self.expect(anna, range(8))
                self.expect(root, range(8))
                anna.act("entry", room="room3", value=OPEN)
                anna.act("entry", room="room0", value=INVITED)
                self.expect(eve, [2, 3, 4, 6])
                self.expect(bob, [1, 2, 3, 4, 5, 6])
                self.expect(root, range(8))

    def test_of_the_log_alone(self):
        """After a restart nobody is in them, and the table of rooms is empty."""
        server = self.serve()
        root, _anna, bob = self.fill(server)
        server.stop()
        server = self.serve(data=server.data)
        self.expect(Person(self, server, "eve"), [0, 2, 4, 6])
        self.expect(root.again(server), range(8))
        bob = bob.again(server)
        bob.join("room5")
        self.expect(bob, [0, 2, 4, 5, 6])


class Holes(Rights):
    """Ways around the rules that there were, each found by reading."""

    def test_internal_verbs(self):
        """Nobody becomes an operator, or takes a room, by saying so."""
        server = self.serve()
        mallory = Person(self, server, "mallory")
        for verb, more in (("op", {"value": 1}), ("prove", {}), ("take", {"room": "lobby"}),
                           ("take", {"room": "new"}), ("claim", {})):
            for whom in ({"label": "mallory"}, {"person": mallory.key.person}):
                with self.subTest(verb, **more):
                    tag = mallory.peer.request("ACT", **{**more, **whom}, verb=VERBS[verb])
                    self.assertIn(mallory.peer.expect("ERROR", tag=tag)["code"],
                                  (CODES["BAD_VALUE"], CODES["NO_RIGHT"]))
        for number in (0, 22, 255):
            tag = mallory.peer.request("ACT", verb=number, label="mallory")
            self.assertEqual(mallory.peer.expect("ERROR", tag=tag)["code"], CODES["BAD_VALUE"])
        self.assertEqual(mallory.whois("mallory")["rank"], 0)

    def test_room_without_owner(self):
        """A room whose owner was banned is nobody's to take."""
        server = self.serve()
        root = self.operator(server)
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.join()
        anna.act("entry", value=INVITED)
        root.act("ban", "anna")
        for one in (anna, bob):
            tag = one.peer.request("ACT", room="den", verb=VERBS["own"], label=one.nick)
            self.assertEqual(one.peer.expect("ERROR", tag=tag)["code"], CODES["NO_RIGHT"])
        anna.join(code="BANNED")
        bob.join(code="NOT_INVITED")
        root.act("own", "bob")
        bob.join()

    def test_key_shown_before(self):
        """A key that opened a room that was open opens nothing later, nor does one that was changed."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.join()
        bob.unlock("whatever")
        anna.act("entry", value=KEY, text="first")
        bob.join(code="KEY_WANTED")
        bob.unlock("first")
        anna.act("entry", value=KEY, text="second")
        bob.join(code="KEY_WANTED")

    def test_called_like_addresses(self):
        """Or a ban by name would be one of addresses."""
        server = self.serve()
        for nick in ("0.0.0.0/0", "127.0.0.1", "10.0.0.0/8"):
            self.refused(server, nick, "BAD_NICK")

    def test_slow_all_the_same(self):
        """Neither another nick nor coming again is a new turn."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.join()
        bob.join()
        anna.act("slow", value=3600)
        bob.says("one")
        tag = bob.peer.request("NICK", nick="robert")
        bob.peer.expect("RENAMED", tag=tag)
        bob.says("two", code="SLOW")
        tag = bob.peer.request("PART", room="den")
        bob.peer.expect("PARTED", tag=tag)
        bob.join()
        bob.says("three", code="SLOW")

    def test_kicked_is_no_member(self):
        """From the moment on in which it is done, whatever the disk is doing."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.join()
        anna.act("entry", value=INVITED)
        for _ in range(20):
            anna.act("invite", "bob")
            bob.join()
            anna.act("uninvite", "bob")
            anna.act("kick", "bob")
            bob.peer.expect("PARTED")
            bob.join(code="NOT_INVITED")

    def test_unknown_nick(self):
        server = self.serve()
        anna = Person(self, server, "anna")
        anna.join()
        for verb in ("kick", "ban", "mute", "own", "invite", "unban"):
            anna.act(verb, "nobody-of-that-name", code="NO_SUCH_PERSON")

    def test_changes_nothing(self):
        """Whoever has no right in a room does not write into it, or learn that it is there."""
        server = self.serve()
        root = self.operator(server)
        anna, bob, eve = (Person(self, server, nick) for nick in ("anna", "bob", "eve"))
        anna.join()
        bob.join()
        anna.act("ban", "bob")
        anna.act("entry", value=INVITED)
        before = anna.audit()
        for one in (bob, eve):
            for room in ("den", "nowhere"):
                error = one.act("unmod", one.nick, room, text="read this", code="NO_RIGHT")
                self.assertEqual(error["text"], one.act("kick", "anna", room, code="NO_RIGHT")["text"])
        for verb, label in (("own", "anna"), ("unban", "eve"), ("kick", "eve"), ("unmod", "eve")):
            with self.subTest(verb):
                anna.act(verb, label, code="NO_CHANGE")
        self.assertEqual(anna.audit(), before)
        root.act("mod", "eve", "nowhere", code="NO_SUCH_ROOM")
        root.act("kick", "eve", "nowhere", code="NO_SUCH_ROOM")
        eve.join("nowhere")
        self.assertEqual(eve.standings(OWNER, "nowhere"), ["eve"])  # nobody made it before
        anna.act("moderated", value=1)
        changes = []
        while not any("moderated" in c["text"] for c in changes):
            changes += anna.peer.expect("PRESENCE", room="den")["changes"]
        self.assertEqual([c for c in changes if c["nick"] == "eve" or "read" in c["text"]], [])
        # Somebody who is not connected, but is a member, may be sent out; on the server, nobody.
        anna.act("invite", "eve")
        eve.join()
        eve.peer.message("BYE")
        eve.peer.wait_end()
        wait_for(lambda: self.is_kept_member(eve), "that it is kept that she is a member")
        wait_for(lambda: anna.whois("eve")["state"] == 2, "that she is gone")
        root.act("kick", "eve", "", code="NO_CHANGE")
        anna.act("kick", "eve")
        anna.act("kick", "eve", code="NO_CHANGE")

    @staticmethod
    def is_kept_member(person):
        again = person.again()
        places = again.peer.expect("PLACES")["places"]
        again.peer.message("BYE")
        again.peer.wait_end()
        return any(p["room"] == "den" and p["member"] for p in places)

    def test_history_off(self):
        """What was decided counts no more, and the log says so."""
        server = self.serve()
        server.stop()
        again = self.serve("--history", "off", data=server.data)
        self.assertRegex(again.tail(), "warning .*log.db' does not count: its operators, bans")
        new = self.serve("--history", "off")
        self.assertRegex(new.tail(), "info .*forgotten when the server ends")

    def test_one_person_counts_once(self):
        """Against --max-members, under whatever nicks."""
        server = self.serve("--max-members", "2")
        anna, bob, eve = (Person(self, server, nick) for nick in ("anna", "bob", "eve"))
        anna.join()
        Person(self, server, "anna-phone", anna.key).join()
        bob.join()
        Person(self, server, "bobs", bob.key).join()
        eve.join(code="ROOM_FULL")

    def test_number_of_rooms(self):
        """Private ones are not counted for others."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.join()
        anna.act("entry", value=INVITED)
        anna.says("a word")
        tag = bob.peer.request("ROOMS")
        self.assertEqual(bob.peer.expect("ROOM_LIST", tag=tag)["total"], 0)

    def test_refused_again_and_again(self):
        """A connection that tries nicks has ten tries."""
        server = self.serve()
        Person(self, server, "anna")
        peer = Secure(self, server)
        welcome = peer.hello()
        for _ in range(10):
            peer.request("LOGIN", person=peer.person, instance=peer.instance, log=welcome["log"],
                         nick="anna")
        _, got = peer.wait_end()
        self.assertEqual([m[1]["fatal"] for m in got if m[0] == "ERROR"], [0] * 9 + [1])

    def test_full_again_and_again(self):
        """The same where each would be one nick too many for the person."""
        server = self.serve()
        rich = Person(self, server, "n0")
        for i in range(1, 100):
            rich.peer.expect("RENAMED", tag=rich.peer.request("NICK", nick=f"n{i}"))
        peer = Secure(self, server, key=rich.key)
        welcome = peer.hello()
        for _ in range(10):
            peer.request("LOGIN", person=peer.person, instance=peer.instance, log=welcome["log"],
                         nick="another", flags=1)
        _, got = peer.wait_end()
        errors = [(m[1]["code"], m[1]["fatal"]) for m in got if m[0] == "ERROR"]
        self.assertEqual(errors, [(CODES["NICKS_FULL"], int(i == 9)) for i in range(10)])


class Guesses(Rights):
    """At a room's key: few on a connection, and each counts against the address."""

    HERE = "10.9.0.2"

    def setUp(self):
        super().setUp()
        for address in ("10.9.0.1", self.HERE):
            done = subprocess.run(["ip", "addr", "replace", address + "/32", "dev", "lo"],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                self.skipTest(f"no addresses to be had here: {done.stderr.strip()}")
        self.server = self.serve("--max-faults", "10", listen="0.0.0.0:0")
        self.anna = Person(self, self.server, "anna")
        self.anna.join()
        self.anna.act("entry", value=KEY, text="4711")

    def enter(self, nick, key=None):
        return Person(self, ("10.9.0.1", self.server.port), nick, key, source=self.HERE)

    def test_again_and_again(self):
        keys = [Key(self) for _ in range(2)]
        for i, key in enumerate(keys):
            eve = self.enter(f"eve{'ab'[i]}", key)
            for n in range(4):
                eve.unlock(f"{i}{n}", code="KEY_WANTED")
            eve.peer.request("UNLOCK", room="den", key="1234")
            _, got = eve.peer.wait_end()
            self.assertEqual((got[-1][1]["code"], got[-1][1]["fatal"]), (CODES["KEY_WANTED"], 1))
        self.assertEqual(self.server.tail().count("showed a wrong key of a room"), len(keys))
        wait_for(self.is_refused, "the refusal")

    def is_refused(self):
        try:
            self.enter("evec").peer.reset()
            return False
        except (AssertionError, OSError):
            return True

    def count_answers(self, guess, connections, code):
        """How many guesses, in turn over connections that are all there before, are answered with
        `code`; the others are refused, whatever they are."""
        began = time.monotonic()
        answered = [guess(i, c)["code"] for i, c in enumerate(connections)]
        forgiven = int((time.monotonic() - began) / 3) + 1
        self.assertEqual(set(answered), {CODES[code], CODES["PENALTY"]})
        self.assertLessEqual(answered.count(CODES[code]), 10 + forgiven)

    @staticmethod
    def try_key(number, person):
        tag = person.peer.request("UNLOCK", room="den", key=f"no {number}")
        return person.peer.expect("ERROR", tag=tag)

    def test_many_connections(self):
        """Connections that were there before have no guesses of their own."""
        people = [self.enter(f"eve{c}") for c in "abcdef"]
        self.count_answers(self.try_key, 4 * people, "KEY_WANTED")

    @staticmethod
    def try_code(_number, person):
        person.peer.request("ACT", verb=VERBS["op"], text="abcd-efgh-ijkl-mnop")
        return person.peer.expect("ERROR", fatal=1)

    def test_many_codes(self):
        """Beyond that even the operator code is told nothing; it still is one."""
        path = os.path.join(self.server.data, "operator-code")
        with open(path, encoding="utf-8") as file:
            code = file.read().strip()
        people = [self.enter(f"eve{i}") for i in range(24)]
        last = people.pop()
        self.count_answers(self.try_code, people, "WRONG_CODE")
        last.peer.request("ACT", verb=VERBS["op"], text=code)
        self.assertEqual(last.peer.expect("ERROR", fatal=1)["code"], CODES["PENALTY"])
        self.assertEqual(self.operator(self.server).whois("root")["rank"], 3)

    @staticmethod
    def try_password(number, peer):
        peer.message("PASSWORD", password=f"no {number}")
        peer.request("LOGIN", person=peer.person, instance=peer.instance, nick="eve")
        return peer.expect("ERROR", fatal=1)

    def test_many_passwords(self):
        path = os.path.join(self.dir, "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write("open sesame\n")
        server = self.serve("--max-faults", "10", "--password-file", path, listen="0.0.0.0:0")
        key = Key(self)
        peers = [Secure(self, ("10.9.0.1", server.port), key, source=self.HERE)
                 for _ in range(24)]
        for peer in peers:
            peer.hello()
        self.count_answers(self.try_password, peers, "PASSWORD")

    def test_no_guess(self):
        """A room that has no key is no guess, nor is the right one."""
        eve = self.enter("eve")
        self.anna.join("hall")
        self.anna.act("entry", room="hall", value=INVITED)
        for _ in range(12):
            eve.unlock("x", "hall", code="NOT_INVITED")
            eve.unlock("x", "nowhere")
            eve.unlock("4711")
        eve.join()


class Unproven(Rights):
    plaintext = True

    def test_owns_nothing(self):
        server = self.serve()
        peer = Raw(self, server)
        peer.login("anna")
        peer.join("den")
        tag = peer.request("ACT", room="den", verb=VERBS["moderated"], value=1)
        self.assertEqual(peer.expect("ERROR", tag=tag)["code"], CODES["NOT_PROVEN"])
        tag = peer.request("CHARTER", room="den")
        got = peer.expect("CHARTER_IS", tag=tag)
        self.assertEqual((got["rank"], got["standings"]), (0, []))
        self.assertFalse(os.path.exists(os.path.join(server.data, "operator-code")))

    def test_marked(self):
        """Where somebody owns the nick, whoever cannot prove to be them is shown so."""
        self.plaintext = False
        server = self.serve()
        anna = Person(self, server, "anna")
        server.stop()
        self.plaintext = True
        again = self.serve(data=server.data)
        peer = Raw(self, again)
        peer.person = anna.key.person
        self.assertEqual(peer.login("anna")["nick"], "~anna")
        other = Raw(self, again)
        self.assertEqual(other.login("ANNA", flags=1)["nick"], "ANNA2")  # which is nobody's
        peer.join()
        peer.say("it is me")
        self.assertEqual(peer.expect("SAID")["nick"], "~anna")


    def test_gets_nothing_of_the_proven(self):
        """Whoever names the id of somebody who has proven it gets nothing that is kept for them."""
        self.plaintext = False
        server = self.serve()
        anna, bob = (Person(self, server, nick) for nick in ("anna", "bob"))
        anna.join()
        anna.act("entry", value=INVITED)
        bob.peer.message("DIRECT", counter=1, nick="anna", text="between us")
        seq = anna.peer.expect("DIRECT_SAID")["seq"]
        self.assertNotIn("--plaintext", server.stderr())
        server.stop()
        self.plaintext = True
        again = self.serve(data=server.data)
        self.assertIn("people proved their keys here", again.stderr())
        for after in (0, seq):
            self.check_nothing(again, anna, after, seq)
        # What is said to them now comes.
        peer = Raw(self, again)
        peer.person = anna.key.person
        peer.login("anna")
        peer.join("hall")
        other = Raw(self, again)
        other.login("carl")
        other.message("DIRECT", counter=1, nick="~anna", text="now")
        self.assertEqual(peer.expect("DIRECT_SAID")["text"], "now")
        again.stop()
        # And nothing of what is theirs was changed.
        self.plaintext = False
        back = anna.again(self.serve(data=server.data))
        self.assertEqual([p["room"] for p in back.peer.expect("PLACES")["places"] if p["member"]],
                         ["den"])
        back.join()

    def test_gets_nothing_where_it_cannot_be_read(self):
        """Nor does who names one of whom cannot be read whether it was ever proven."""
        self.plaintext = False
        server = self.serve()
        anna, bob = (Person(self, server, nick) for nick in ("anna", "bob"))
        bob.peer.message("DIRECT", counter=1, nick="anna", text="between us")
        anna.peer.expect("DIRECT_SAID")
        server.stop()
        with contextlib.closing(sqlite3.connect(os.path.join(server.data, database.FILE))) as db, db:
            nobody = db.execute("INSERT INTO person (key) VALUES (x'00')").lastrowid
            db.execute("UPDATE instance SET person = ? WHERE person ="
                       " (SELECT id FROM person WHERE key = ?)", (nobody, anna.key.person))
        self.plaintext = True
        peer = Raw(self, self.serve(data=server.data))
        welcome = peer.hello()
        peer.request("LOGIN", person=anna.key.person, instance=peer.instance, log=welcome["log"],
                     inbox_after=0, nick="anna")
        peer.expect("CAUGHT_UP", room="")
        self.assertNotIn("DIRECT_SAID", peer.seen)
        tag = peer.request("HISTORY")
        self.assertEqual(peer.expect("ERROR", tag=tag)["code"], CODES["NOT_PROVEN"])

    def check_nothing(self, server, anna, after, last):
        peer = Raw(self, server)
        peer.person = anna.key.person
        welcome = peer.hello()
        peer.request("LOGIN", person=peer.person, instance=peer.instance, log=welcome["log"],
                     inbox_after=after, nick="anna")
        self.assertEqual(peer.expect("PLACES")["places"], [])
        if after < last:
            self.assertEqual(peer.expect("GAP")["next"], last + 1)
        self.assertEqual(peer.expect("CAUGHT_UP", room="")["last"], last)
        for name, values in (("HISTORY", {}), ("SEARCH", {"where": 1, "words": "between"})):
            tag = peer.request(name, **values)
            self.assertEqual(peer.expect("ERROR", tag=tag)["code"], CODES["NOT_PROVEN"])
        tag = peer.request("SEARCH", where=2, words="between")
        self.assertEqual(peer.expect("FOUND", tag=tag)["entries"], [])
        tag = peer.request("JOIN", room="den")
        self.assertEqual(peer.expect("ERROR", tag=tag)["code"], CODES["NOT_INVITED"])
        self.assertNotIn("DIRECT_SAID", peer.seen)
        peer.reset()


class Admission(Rights):
    def test_password(self):
        path = os.path.join(self.dir, "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write("open sesame\nnot this\n")
        server = self.serve("--password-file", path)
        peer = self.refused(server, "anna", "PASSWORD")
        peer.message("PASSWORD", password="open sesame")
        tag = peer.request("LOGIN", person=peer.person, instance=peer.instance, nick="anna")
        peer.expect("LOGGED_IN", tag=tag)
        wrong = Secure(self, server)
        wrong.hello()
        wrong.message("PASSWORD", password="open")
        wrong.request("LOGIN", person=wrong.person, instance=wrong.instance, nick="bob")
        _, got = wrong.wait_end()
        self.assertEqual((got[-1][1]["code"], got[-1][1]["fatal"]), (CODES["PASSWORD"], 1))

    def test_keys(self):
        path = os.path.join(self.dir, "allowed")
        anna, bob = Key(self), Key(self)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"# who may come in\n{anna.person.hex()} # anna\n\n")
        server = self.serve("--allow-keys", path)
        Person(self, server, "anna", anna)
        self.refused(server, "bob", "NOT_ALLOWED", key=bob)
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{bob.person.hex().upper()} bob\n")
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: self.comes_in(server, bob), "the list to be read again")

    def test_no_key(self):
        """A list that is empty lets nobody in, and the server says so."""
        path = os.path.join(self.dir, "allowed")
        with open(path, "w", encoding="utf-8") as file:
            file.write("# nobody yet\n")
        server = self.serve("--allow-keys", path)
        self.assertRegex(server.tail(), "warning .*no key in .*nobody can log in")
        self.refused(server, "bob", "NOT_ALLOWED")

    def comes_in(self, server, key):
        try:
            return Person(self, server, "bob", key)
        except AssertionError:
            return None


if __name__ == "__main__":
    main()
