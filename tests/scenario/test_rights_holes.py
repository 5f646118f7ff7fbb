#!/usr/bin/env python3
"""Ways around the rules, guesses, who has shown no key, and who may come in at all."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time

from lib import database
from lib.case import main
from lib.raw import Raw
from lib.rights import INVITED, KEY, OWNER, Person, Rights
from lib.secure import Key, Secure
from lib.shim import shim
from lib.wait import SLOW, wait_for
from lib.wire import CODES, VERBS


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
        server = self.serve("--max-faults", "10", "--login-timeout", "120", "--password-file", path,
                            listen="0.0.0.0:0")
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

    def test_no_password(self):
        """A file of which nobody can say where the password ends is none, rather than a short one."""
        path = os.path.join(self.dir, "password")
        for content in (b"a\0b\n", "sesame\n".encode("utf-16-le"), b"\n", b"x" * 600):
            with self.subTest(content):
                with open(path, "wb") as file:
                    file.write(content)
                server = self.serve("--password-file", path, wait=False)
                self.assertNotEqual(server.wait(), 0)
                self.assertIn("password file", server.stderr())

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

    def test_taken_off(self):
        """Whoever is taken off the list has to leave; the others stay."""
        path = os.path.join(self.dir, "allowed")
        anna, bob = Key(self), Key(self)

        def allow(*keys):
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(key.person.hex() + "\n" for key in keys)

        allow(anna, bob)
        server = self.serve("--allow-keys", path)
        there = Person(self, server, "anna", anna)
        out = Person(self, server, "bob", bob)
        allow(anna)
        server.send_signal(signal.SIGHUP)
        _, got = out.peer.wait_end()
        self.assertEqual((got[-1][1]["code"], got[-1][1]["fatal"]), (CODES["NOT_ALLOWED"], 1))
        there.join()
        there.says("still here")

    def test_taken_off_while_logging_in(self):
        """Whoever is taken off the list between being looked up in it and being in is not let in."""
        path = os.path.join(self.dir, "allowed")
        anna, bob = Key(self), Key(self)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(key.person.hex() + "\n" for key in (anna, bob))
        first = self.serve("--allow-keys", path)
        Person(self, first, "anna", anna)
        self.assertEqual(first.stop(), 0)
        server = self.serve("--allow-keys", path, data=first.data, env=shim("slow", slow=600 * SLOW))
        there = Person(self, server, "anna", anna)
        peer = Secure(self, server, key=bob)
        welcome = peer.hello()
        # The nick is theirs at once, and kept when the disk has it.
        tag = peer.request("LOGIN", person=peer.person, instance=peer.instance, log=welcome["log"],
                           nick="bob")
        wait_for(lambda: self.is_somebodys(there, "bob"), "the login to be under way")
        with open(path, "w", encoding="utf-8") as file:
            file.write(anna.person.hex() + "\n")
        server.send_signal(signal.SIGHUP)
        self.assertEqual(peer.expect("ERROR", tag=tag)["code"], CODES["NOT_ALLOWED"])
        there.join()

    @staticmethod
    def is_somebodys(person, nick):
        tag = person.peer.request("WHOIS", nick=nick)
        while True:
            name, values = person.peer.receive(10)
            if values.get("tag") == tag:
                return name == "PERSON"

    def test_no_key(self):
        """A list that is empty lets nobody in, and the server says so."""
        path = os.path.join(self.dir, "allowed")
        with open(path, "w", encoding="utf-8") as file:
            file.write("# nobody yet\n")
        server = self.serve("--allow-keys", path)
        self.assertRegex(server.tail(), "warning .*no key in .*nobody can log in")
        self.refused(server, "bob", "NOT_ALLOWED")

    def comes_in(self, server, key):
        """One try: after a refusal the connection stays open, so it must not be waited out."""
        peer = Secure(self, server, key=key)
        welcome = peer.hello()
        tag = peer.request("LOGIN", person=peer.person, instance=peer.instance, log=welcome["log"],
                           nick="bob")
        while True:
            name, got = peer.receive()
            if name in ("LOGGED_IN", "ERROR") and got["tag"] == tag:
                peer.socket.close()
                return name == "LOGGED_IN"


if __name__ == "__main__":
    main()
