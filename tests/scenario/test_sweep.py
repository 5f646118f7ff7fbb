#!/usr/bin/env python3
"""Each call that can fail is made to fail once, in a whole conversation: nothing crashes, leaks or
lies.

tests/faults/fail.c lets the n-th call of a kind fail, for n = 1, 2, 3 ... until there is no n-th
call any more; a brief run draws some of them. LANCHAT_FAULT="lock EAGAIN 186" tries just that.
"""

import errno
import glob
import os
import random
import select
import time
import unittest

from lib import Pipe, Raw, SLOW, PlainScenario, Server, brief, main, wait_for, wire
from lib import database
from lib.secure import Key, Secure
from lib.shim import shim
from lib.wait import BUILD

# Not among them: the memory of libseccomp (kind "seccomp"). Its version 2.5.4 crashes where that is out
# while it makes a filter, which is at the start, before anybody has come.
FAULTS = [("alloc", "ENOMEM"), ("crypto", "ENOMEM"), ("sqlite", "ENOMEM"),
          ("write", "ENOSPC"), ("write", "EIO"), ("sync", "EIO"), ("lock", "EAGAIN"),
          ("lock", "EACCES"), ("open", "EMFILE"),
          ("socket", "ECONNRESET"), ("socket", "EINTR"), ("thread", "EAGAIN"), ("event", "EMFILE"),
          ("map", "ENOMEM")]
SAMPLED = {"crypto": 200, "sqlite": 4000}  # at most so many, also in a long run


class Broken(Exception):
    """The connection is over, or the server says that it cannot."""


class Talk:
    """One client of the scripted session: each request gets an answer, if only a refusal, or the
    connection ends."""

    def __init__(self, case, server, nick, key=None):
        self.nick = nick
        self.acknowledged = {}  # counter: seq
        self.parted = None  # the last PARTED that came while another answer was awaited
        try:
            self.raw = Secure(case, server, key=key) if key else Raw(case, server)
            case.sockets.append(self.raw.socket)
            self.raw.message("HELLO", version_low=1, version_high=1, agent="sweep")
            log = self.answer("WELCOME")["log"]
            self.ask("LOGIN", "LOGGED_IN", person=self.raw.person, instance=self.raw.instance,
                     log=log, nick=nick, flags=1)
        except OSError as error:
            raise Broken from error

    def answer(self, *names, tag=None, counter=None):
        """The answer to what was asked. A Broken where it is a refusal."""
        deadline = time.monotonic() + 8 * SLOW
        while (got := self.raw.receive(1)) is not None or not self.raw.ended:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.nick}: no {names} within {8 * SLOW} s")
            if got is None:
                continue
            name, values = got
            if name == "BYE" or (name == "ERROR" and (values["fatal"] or values["tag"] == tag)):
                raise Broken(f"{values['code']} {values['text']}")
            if name in names and (tag is None or values["tag"] == tag) and \
                    (counter is None or values["counter"] == counter):
                return {"name": name, **values}
            if name == "PARTED":
                self.parted = values
        raise Broken("the connection ended")

    def ask(self, name, answer, **values):
        try:
            return self.answer(answer, tag=self.raw.request(name, **values))
        except OSError as error:
            raise Broken from error

    def say(self, name, **values):
        """Until it is accepted or finally refused; where the server asks for it, again."""
        self.raw.counter += 1
        counter = self.raw.counter
        deadline = time.monotonic() + 8 * SLOW
        while time.monotonic() < deadline:
            try:
                self.raw.message(name, counter=counter, **values)
            except OSError as error:
                raise Broken from error
            got = self.answer("ACK", "REFUSED", counter=counter)
            if got["name"] == "ACK":
                self.acknowledged[counter] = got["seq"]
                return
            if got["code"] != wire.CODES["RETRY"]:
                return
            # The pause of PROTOCOL.md, 8.3; something to read, if only the end, cuts it short.
            select.select([self.raw.socket], [], [], 0.1)
        raise AssertionError(f"{self.nick}: only RETRY for {8 * SLOW} s")


class Sweep(PlainScenario):
    """One run of the session for each call that fails."""

    longest = 240 if brief() else 3500
    faults = FAULTS

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("LANCHAT_SEED") or random.SystemRandom().randrange(1 << 32))
        self.chance = random.Random(self.seed)
        self.number = 0
        self.runs = 0
        self.findings = []
        self.sockets = []

    def faulty(self, fault):
        """Environment in which that call fails; (kind, error name, number)."""
        kind, error, number = fault
        self.number += 1
        self.failed = os.path.join(self.dir, f"failed.{self.number}")
        self.counts = os.path.join(self.dir, f"counts.{self.number}")
        env = shim("fail", fail=f"{kind} {getattr(errno, error)} {number}", failed=self.failed,
                   counts=self.counts)
        if kind == "crypto":
            # Where its own memory is out, libcrypto leaks some of what it had. The leak checker cannot
            # see who called it, so with these faults nothing of libcrypto's counts.
            known = os.path.join(self.dir, "known-leaks")
            with open(known, "w", encoding="ascii") as f:
                f.write("leak:libcrypto.so\n")
            env["LSAN_OPTIONS"] = f"suppressions={known}:print_suppressions=0"
        return env

    def has_failed(self):
        """Has the call come that was to fail?"""
        return os.path.getsize(self.failed) > 0

    def place(self):
        """What failed, and from where."""
        with open(self.failed, encoding="utf-8", errors="replace") as f:
            return " < ".join(line.strip().rsplit("/", 1)[-1] for line in f)

    def sweep(self, once, count):
        """Let once(fault) run for every fault; a brief run takes `count` of them."""
        everything = self.calls(once)
        if "LANCHAT_FAULT" in os.environ:
            kind, error, number = os.environ["LANCHAT_FAULT"].split()
            self.one(once, (kind, error, int(number)))
        elif brief():
            chosen = []
            for kind, error in self.faults:  # each kind, then whatever chance says
                if everything[kind]:
                    chosen.append((kind, error, self.chance.randint(1, everything[kind])))
            while len(chosen) < count:
                kind, error = self.chance.choice(self.faults)
                if everything[kind]:
                    chosen.append((kind, error, self.chance.randint(1, everything[kind])))
            for fault in chosen[:count]:
                self.one(once, fault)
        else:
            for kind, error in self.faults:
                most = everything[kind]
                if kind in SAMPLED:
                    for number in self.chance.sample(range(most), min(most, SAMPLED[kind])):
                        self.one(once, (kind, error, number + 1))
                    continue
                number = 1
                while self.one(once, (kind, error, number)):
                    number += 1
        print(f"# {self.id().removeprefix('__main__.')}: seed {self.seed}: {self.runs} runs, "
              f"calls {everything}")
        if self.findings:
            self.fail(f"{len(self.findings)} findings:\n" + "\n".join(self.findings))

    def calls(self, once):
        """How many calls of each kind there are where nothing fails."""
        once(("alloc", "ENOMEM", 0))
        with open(self.counts, encoding="ascii") as f:
            return {kind: int(count) for kind, count in (line.split() for line in f)}

    def one(self, once, fault):
        """False when there is no such call any more. What is wrong is kept, and the sweep goes
        on."""
        before = len(self.programs)
        try:
            self.runs += 1
            once(fault)
        except (AssertionError, OSError, ValueError) as error:
            where = self.place() if self.has_failed() else "it did not happen"
            self.findings.append(f"{' '.join(map(str, fault))} ({where}): {error}")
            for report in glob.glob(self.reports + "/*"):  # it is not the next one's
                os.remove(report)
            if len(self.findings) >= 20:
                self.fail("20 findings:\n" + "\n".join(self.findings))
        happened = self.has_failed()
        for left in self.programs[before:]:
            left.discard()
        while self.sockets:
            self.sockets.pop().close()
        return happened

    def ended_well(self, program, status):
        """It ended by itself, and where it failed it said why in a line or two."""
        self.check_reports()  # a sanitizer ends it with status 1 as well
        self.assertIn(status, (0, 1), f"it ended with {status}: {program.tail()}")
        if status == 1:
            # A log line has its time; what it ends with has its name.
            said = [line for line in program.stderr().splitlines() if ": " in line]
            self.assertTrue(said, f"it failed without a word: {program.tail()}")
        self.check_reports()


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

    def came_up(self, server):
        def ready():
            return not server.running() or os.path.exists(server.port_file)
        wait_for(ready, "the server to come up or end", 15, server.tail)
        if server.running():
            server.wait_ready()
            return True
        return False

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


class ActsSweep(ServerSweep):
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
