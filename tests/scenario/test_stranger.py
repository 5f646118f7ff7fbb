#!/usr/bin/env python3
"""What a stranger's client and the real programs say to each other, as the document has it."""

import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import threading
import time
import unittest

from lib import Pipe, Program, PlainScenario, Server, main, wait_for
from lib.screens import Client as Terminal
from lib.wait import BUILD, SLOW
from stranger import (ACTION, ANNOUNCEMENT, ANSWER, ANY_NICK, AWAY, CODE, EVERYBODY_HERE, FIELDS,
                      GOODBYE, HERE, ITEM_FIELDS, NO_LOG, NOBODY, PORT, QUERY, RESUME, SIZES,
                      SKIP, TOPIC, TYPES, Beacon, Client, Failed, Finder, Malformed, Room, Wire,
                      decode, discover, encode, frame)

FOLDER = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(FOLDER, "../vectors/messages.txt")
DOCUMENT = os.path.join(FOLDER, "../../docs/PROTOCOL.md")


class Vectors(unittest.TestCase):
    """The stranger's codec and tests/vectors/messages.txt."""

    def setUp(self):
        with open(VECTORS, encoding="utf-8") as f:
            text = "".join(line for line in f if not line.startswith("#"))
        self.vectors = [self.parse(record.splitlines())
                        for record in text.strip().split("\n\n")]

    def parse(self, lines):
        """(number, message, frame's bytes) of a record."""
        _, name, number = lines.pop(0).split()
        message = {"message": name}
        target, items = message, []
        for line in lines[:-1]:
            word, _, rest = line.partition(" ")
            if word == "item":
                target = {}
                items.append(target)
                continue
            kind, _, value = rest.partition(" ")
            if kind == "list":
                target[word] = items = []
            elif kind in ("id16", "id32"):
                target[word] = bytes.fromhex(value)
            else:
                target[word] = int(value) if kind in SIZES else json.loads(value)
        return int(number, 16), message, bytes.fromhex(lines[-1].split()[1])

    def test_both_ways(self):
        for number, message, data in self.vectors:
            fields = {name: value for name, value in message.items() if name != "message"}
            self.assertEqual(decode(number, data[8:]), message)
            self.assertEqual(encode(message["message"], **fields).hex(), data.hex())

    def test_every_message_is_there(self):
        self.assertEqual({message["message"] for _, message, _ in self.vectors}, set(FIELDS))
        items = {kind for fields in FIELDS.values() for _, kind, _, _ in fields}
        self.assertEqual(items & set(ITEM_FIELDS), set(ITEM_FIELDS))

    def test_cut_or_longer(self):
        for number, _, data in self.vectors:
            payload = data[8:]
            for cut in range(len(payload)):
                self.assertRaises(Malformed, decode, number, payload[:cut])
            self.assertRaises(Malformed, decode, number, payload + b"\0")


class Examples(unittest.TestCase):
    """The bytes that stand in the document itself."""

    def setUp(self):
        with open(DOCUMENT, encoding="utf-8") as f:
            section = re.search(r"\n## 14\..*?\n## 15\.", f.read(), re.DOTALL).group()
        self.blocks = [self.parse(block) for block in re.findall(r"(?:\n    .+)+", section)]

    @staticmethod
    def parse(block):
        """The bytes of hex digits, and of the words "and N bytes of zeros"."""
        return bytes.fromhex(re.sub(r"and (\d+) bytes of zeros",
                                    lambda zeros: "00" * int(zeros[1]), block))

    def test_frames(self):
        frames = [block for block in self.blocks if not block.startswith(b"LCB1")]
        self.assertGreater(len(frames), 5)
        for data in frames:
            self.assertEqual(int.from_bytes(data[:4], "big"), len(data) - 8)
            fields = decode(int.from_bytes(data[4:6], "big"), data[8:])
            self.assertEqual(encode(fields.pop("message"), **fields), data)

    def test_beacons(self):
        query, answer = [block for block in self.blocks if block.startswith(b"LCB1")]
        nonce = bytes.fromhex("0102030405060708")
        self.assertEqual(Beacon.query(nonce), query)
        beacon = Beacon(answer)
        self.assertEqual((beacon.type, beacon.nonce, beacon.port, beacon.name),
                         (ANSWER, nonce, PORT, "Room 12"))
        goodbye = Beacon(Beacon.pack(type=GOODBYE, port=PORT, server=beacon.server,
                                     instance=beacon.instance, commitment=bytes(range(16))))
        self.assertTrue(beacon.proves(goodbye))


class Stranger(PlainScenario):
    """A scenario with a server, strangers' connections and strangers' clients."""

    options = ()

    def setUp(self):
        super().setUp()
        self.server = Server(self, *self.options)

    def wire(self, server=None):
        wire = Wire((server or self.server).port)
        self.addCleanup(wire.close)
        return wire

    def opened(self, **versions):
        """A connection that said HELLO."""
        wire = self.wire()
        wire.hello(**versions)
        return wire

    def chatting(self, nick="anna", **values):
        """A connection that is logged in."""
        wire = self.opened()
        wire.login(nick, flags=ANY_NICK, **values)
        return wire

    def client(self, nick, *rooms, replay=0, **more):
        client = Client(self.server.port, nick, **more).connect()
        self.addCleanup(lambda: client.wire and client.wire.close())
        for room in rooms:
            client.join(room, replay)
        return client

    def pipe(self, nick, *options):
        pipe = Pipe(self, self.server, nick, *options)
        pipe.wait_joined()
        return pipe

    def assert_fails(self, code, act, *args, **values):
        with self.assertRaises(Failed) as caught:
            act(*args, **values)
        self.assertEqual(caught.exception.code, code)


class Opening(Stranger):
    """Sections 4 and 5."""

    def test_login(self):
        wire = self.wire()
        welcome = wire.hello(1, 65535)
        self.assertEqual((welcome["version"], welcome["features"], welcome["kept"]), (1, 1, 1))
        self.assertNotEqual(welcome["log"], NO_LOG)
        answer = wire.login("anna", log=welcome["log"])
        expected = {"nick": "anna", "accepted": 0, "text_max": 4096, "rooms_max": 100,
                    "ping_seconds": 30, "idle_seconds": 120}
        self.assertEqual(answer, answer | expected)
        self.assertAlmostEqual(answer["time"] / 1e6, time.time(), delta=60)
        self.assertEqual(wire.get(), {"message": "PLACES", "more": 0, "places": []})
        caught_up = wire.get()
        self.assertEqual((caught_up["message"], caught_up["room"], caught_up["version"],
                          caught_up["people"]), ("CAUGHT_UP", "", 0, 0))
        again = self.opened()
        again.login("boris")
        self.assertEqual(self.wire().hello()["server"], welcome["server"])

    def test_message_of_the_day(self):
        path = os.path.join(self.dir, "motd")
        with open(path, "w", encoding="utf-8") as f:
            f.write("Welcome.\nBe kind.\n")
        wire = self.wire(Server(self, "--motd", path))
        wire.hello()
        wire.login("anna")
        notice = wire.get()
        self.assertEqual((notice["message"], notice["kind"]), ("NOTICE", 1))
        self.assertEqual(notice["text"].strip(), "Welcome.\nBe kind.")

    def test_login_without_waiting(self):
        wire = self.wire()
        wire.raw(encode("HELLO", version_low=1, version_high=1, features=0, agent="") +
                 encode("LOGIN", tag=9, person=b"p" * 32, instance=b"i" * 16, log=NO_LOG,
                        inbox_after=0, inbox_replay=0, flags=0, nick="anna"))
        self.assertEqual(wire.wait("LOGGED_IN")["tag"], 9)

    def test_no_version_in_common(self):
        for low, high in ((2, 3), (0, 0), (2, 1)):
            wire = self.wire()
            wire.send("HELLO", version_low=low, version_high=high, features=0, agent="")
            self.assertIn(wire.end(), ("VERSION", "PROTOCOL") if low > high else ("VERSION",))

    def test_features_that_do_not_exist(self):
        wire = self.wire()
        wire.send("HELLO", version_low=1, version_high=1, features=0xffffffff, agent="")
        self.assertEqual(wire.wait("WELCOME")["features"], 7)
        wire = self.wire()
        wire.send("HELLO", version_low=1, version_high=1, features=0xfffffff8, agent="")
        self.assertEqual(wire.wait("WELCOME")["features"], 0)

    def test_refused_logins(self):
        """Each costs only the request; the connection can log in afterwards."""
        self.chatting("Taken")
        wire = self.opened()
        for code, values in (
                ("NICK_TAKEN", {"nick": "Taken"}), ("NICK_TAKEN", {"nick": "tAKEN"}),
                ("NICK_TAKEN", {"nick": "ＴＡＫＥＮ"}), ("BAD_NICK", {"nick": "#anna"}),
                ("BAD_NICK", {"nick": "an@na"}), ("BAD_NICK", {"nick": "bоb"}),
                ("BAD_NICK", {"nick": "-:"}), ("BAD_NICK", {"nick": "\ue000"}),
                ("BAD_NICK", {"nick": "a\u0378"}), ("BAD_NICK", {"nick": "ﷺ" * 16}),
                ("BAD_NICK", {"nick": "♥"}),
                ("BAD_TEXT", {"nick": "an na"}), ("BAD_TEXT", {"nick": "a\u200b"}),
                ("BAD_TEXT", {"nick": "a\u2800"}), ("BAD_TEXT", {"nick": "a\u115f"}),
                ("BAD_TEXT", {"nick": "a\x07"}), ("BAD_TEXT", {"nick": b"\xc0\x80"}),
                ("BAD_VALUE", {"nick": "anna", "person": NOBODY})):
            with self.subTest(values):
                self.assert_fails(code, wire.login, **values)
        self.assertEqual(wire.login("bob-боб")["nick"], "bob-боб")

    def test_next_free_nick(self):
        nicks = [self.opened().login("anna", flags=ANY_NICK | 0xfffe)["nick"] for _ in range(3)]
        self.assertEqual(nicks, ["anna", "anna2", "anna3"])

    def test_sessions_of_a_person_share_a_nick(self):
        for _ in range(2):
            self.assertEqual(self.opened().login("anna", person=b"p" * 32)["nick"], "anna")

    def test_wrong_phase(self):
        """What may not be said yet, or no longer, or not by a client at all."""
        hello = {"version_low": 1, "version_high": 1, "features": 0, "agent": ""}
        login = {"tag": 1, "person": b"p" * 32, "instance": b"i" * 16, "log": NO_LOG,
                 "inbox_after": 0, "inbox_replay": 0, "flags": 0, "nick": "boris"}
        for code, begin, name, values in (
                ("PROTOCOL", self.wire, "LOGIN", login),
                ("PROTOCOL", self.opened, "HELLO", hello),
                ("PROTOCOL", self.chatting, "HELLO", hello),
                ("PROTOCOL", self.chatting, "LOGIN", login),
                ("PROTOCOL", self.chatting, "DONE", {"tag": 1}),
                ("PROTOCOL", self.chatting, "NOTICE", {"kind": 0, "text": "x"}),
                ("PROTOCOL", self.opened, "ACK", {"counter": 1, "seq": 1, "duplicate": 0}),
                ("LOGIN_FIRST", self.wire, "NICK", {"tag": 1, "nick": "x"}),
                ("LOGIN_FIRST", self.opened, "JOIN", {"tag": 1, "room": "lobby", "flags": 0,
                                                      "after": 0, "replay": 0}),
                ("LOGIN_FIRST", self.opened, "SAY", {"counter": 1, "kind": 0, "room": "lobby",
                                                     "text": "x"})):
            with self.subTest(name, code=code):
                wire = begin()
                wire.send(name, **values)
                self.assertEqual(wire.end(), code)

    def test_ping_in_each_phase(self):
        for begin in (self.wire, self.opened, self.chatting):
            wire = begin()
            wire.send("PONG", token=5)
            wire.send("PING", token=2**64 - 1)
            self.assertEqual(wire.wait("PONG")["token"], 2**64 - 1)

    def test_bye_in_each_phase(self):
        """The server closes, and answers nothing."""
        for begin in (self.wire, self.opened, self.chatting):
            wire = begin()
            wire.send("BYE", code=CODE["QUIT"], text="see you")
            self.assertIsNone(wire.end())

    def test_server_stops(self):
        chatting, opening = self.chatting(), self.opened()
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(chatting.end(), "STOPPING")
        self.assertEqual(opening.end(), "STOPPING")
        self.assertEqual(self.server.wait(), 0)

    def test_full(self):
        server = Server(self, "--max-clients", "1")
        self.wire(server).hello()
        second = self.wire(server)
        self.assertEqual(second.get()["message"], "ERROR")
        self.assertEqual(second.end(), "FULL")


class Deadlines(Stranger):
    """Section 10."""

    options = ("--login-timeout", "1", "--frame-timeout", "1", "--ping", "1", "--idle", "2")

    def test_opening(self):
        for begin in (self.wire, self.opened):
            self.assertEqual(begin().end(), "TIMEOUT")

    def test_frame(self):
        wire = self.chatting()
        wire.raw(encode("PONG", token=1)[:-1])
        self.assertEqual(wire.end(), "TIMEOUT")

    def test_silence(self):
        """Who answers PING stays, who does not is given up."""
        alive, dead = self.chatting("anna"), self.chatting("boris")
        until = time.monotonic() + 4
        while time.monotonic() < until:
            alive.get(until - time.monotonic())
        alive.send("PING", token=1)
        self.assertEqual(alive.wait("PONG")["token"], 1)
        # Its PONGs, if it sends them now, come too late.
        self.assertEqual(dead.end(), "TIMEOUT")


class Framing(Stranger):
    """Sections 2, 3 and 13."""

    def alive(self, wire):
        wire.send("PING", token=7)
        self.assertEqual(wire.wait("PONG")["token"], 7)

    def test_pieces(self):
        wire = self.opened()
        wire.ask("LOGIN", person=b"p" * 32, instance=b"i" * 16, log=NO_LOG, inbox_after=0,
                 inbox_replay=0, flags=0, nick="anna")
        wire.wait("LOGGED_IN")
        data = (encode("JOIN", tag=5, room="lobby", flags=0, after=0, replay=0) +
                encode("SAY", counter=1, kind=0, room="lobby", text="a piece at a time"))
        for at in range(len(data)):
            wire.raw(data[at:at + 1])
        self.assertEqual(wire.wait("JOINED")["tag"], 5)
        self.assertEqual(wire.wait("SAID")["text"], "a piece at a time")

    def test_unknown_but_skippable(self):
        for begin in (self.wire, self.opened, self.chatting):
            wire = begin()
            wire.raw(frame(0x7fff, b"x" * 4096, SKIP) + frame(0, b"", SKIP))
            self.alive(wire)
        wire.raw(frame(0x7fff, b"x" * 65536, SKIP))
        self.alive(wire)

    def test_skip_means_nothing_on_a_known_type(self):
        wire = self.wire()
        wire.raw(frame(TYPES["PING"], bytes(8), SKIP))
        self.assertEqual(wire.wait("PONG")["token"], 0)
        wire.raw(frame(TYPES["ACK"], bytes(17), SKIP))
        self.assertEqual(wire.end(), "PROTOCOL")

    def test_fatal_frames(self):
        say = encode("SAY", counter=1, kind=0, room="lobby", text="x")
        for what, begin, data in (
                ("unknown", self.wire, frame(0x7fff)),
                ("unknown, chatting", self.chatting, frame(0x7fff, b"x")),
                ("undefined flag", self.chatting, frame(0x7fff, b"", SKIP | 2)),
                ("undefined flag on a known type", self.opened, frame(5, bytes(8), 0x8000)),
                ("too large before the login", self.wire, (4097).to_bytes(4, "big")),
                ("too large before the login, too", self.opened, (65536).to_bytes(4, "big")),
                ("too large", self.chatting, (65537).to_bytes(4, "big")),
                ("far too large", self.chatting, b"\xff" * 4),
                ("bytes left over", self.chatting, frame(5, bytes(9))),
                ("ends early", self.chatting, frame(5, bytes(7))),
                ("text ends early", self.chatting, frame(0x20, say[8:-1])),
                ("empty room", self.chatting,
                 encode("SAY", counter=1, kind=0, room="", text="x")),
                ("text too long", self.chatting,
                 encode("SAY", counter=1, kind=0, room="lobby", text="x" * 4097)),
                ("nick too long", self.opened,
                 encode("LOGIN", tag=1, person=b"p" * 32, instance=b"i" * 16, log=NO_LOG,
                        inbox_after=0, inbox_replay=0, flags=0, nick="n" * 49))):
            with self.subTest(what):
                wire = begin()
                wire.raw(data)
                self.assertEqual(wire.end(), "PROTOCOL")

    def test_bad_text(self):
        """It costs the request; in HELLO and BYE the connection."""
        wire = self.chatting()
        for name, values in (("JOIN", {"room": "a b", "flags": 0, "after": 0, "replay": 0}),
                             ("PART", {"room": b"\xff"}),
                             ("NICK", {"nick": "a\nb"}),
                             ("ROOMS", {"after": " ", "limit": 0}),
                             ("MEMBERS", {"room": "lobby", "after": "\u202e", "limit": 0}),
                             ("AWAY", {"state": AWAY, "text": "tea\x1b[2J"})):
            with self.subTest(name):
                self.assert_fails("BAD_TEXT", wire.answer, wire.ask(name, **values))
        wire.send("BYE", code=CODE["QUIT"], text="a\0b")
        self.assertEqual(wire.end(), "BAD_TEXT")
        wire = self.wire()
        wire.send("HELLO", version_low=1, version_high=1, features=0, agent=b"\xed\xa0\x80")
        self.assertEqual(wire.end(), "BAD_TEXT")


class Talk(Stranger):
    """Sections 7 and 8."""

    def test_with_the_real_client(self):
        """Two strangers and lanchat: all get the same in one order, each message once."""
        anna, boris = self.client("anna", "lobby"), self.client("boris", "LOBBY")
        pipe = self.pipe("carla")
        for i in range(20):
            anna.say("lobby", f"anna {i}")
            boris.say("lobby", f"boris {i}")
            pipe.say(f"carla {i}")
        for one in (anna, boris):
            room = one.rooms["lobby"]
            one.until(lambda: len(room.messages) == 60, "60 messages")
            one.until(lambda: not one.outbox, "every ACK")
        pipe.wait_event("message", count=60)
        room = anna.rooms["lobby"]
        self.assertEqual(room.messages, boris.rooms["lobby"].messages)
        self.assertEqual(room.texts(), pipe.texts())
        self.assertEqual([m["seq"] for m in room.messages],
                         [e["seq"] for e in pipe.of("message")])
        for name in ("anna", "boris", "carla"):
            self.assertEqual([t for t in room.texts() if t.startswith(name)],
                             [f"{name} {i}" for i in range(20)])
        seqs = [m["seq"] for m in room.messages]
        self.assertEqual([m["prev"] for m in room.messages], [0] + seqs[:-1])
        times = [m["time"] for m in room.messages]
        self.assertEqual(times, sorted(times))

    def test_kinds(self):
        anna, pipe = self.client("anna", "lobby"), self.pipe("boris")
        for kind, text in ((ACTION, "waves"), (2, "beep"), (TOPIC, "lunch")):
            ack = anna.outcome(anna.say("lobby", text, kind))
            said = anna.until(lambda: [m for m in anna.rooms["lobby"].messages
                                       if m["seq"] == ack["seq"]])[0]
            self.assertEqual((said["kind"], said["text"]), (kind, text))
        pipe.wait_event("topic", text="lunch")
        self.assertEqual(anna.rooms["lobby"].topic, "lunch")

    def test_ack(self):
        """It has the number of the SAID; the id is (instance, counter)."""
        anna = self.client("anna", "lobby")
        first, second = anna.say("lobby", "one"), anna.say("lobby", "two")
        acks = [anna.outcome(counter) for counter in (first, second)]
        room = anna.rooms["lobby"]
        anna.until(lambda: len(room.messages) == 2)
        for ack, said in zip(acks, room.messages):
            self.assertEqual((ack["seq"], ack["counter"], ack["duplicate"]),
                             (said["seq"], said["counter"], 0))
            self.assertEqual((said["instance"], said["person"], said["nick"]),
                             (anna.instance, anna.person, "anna"))

    def test_counter_sent_again(self):
        """The server takes an id once, on the same connection and on the next one."""
        boris = self.client("boris", "lobby")
        values = {"person": b"p" * 32, "instance": b"i" * 16}
        say = {"counter": 5, "kind": 0, "room": "lobby", "text": "once"}
        wire = self.chatting(**values)
        wire.answer(wire.ask("JOIN", room="lobby", flags=0, after=0, replay=0))
        wire.send("SAY", **say)
        first = wire.wait("ACK")
        wire.send("SAY", **say)
        self.assertEqual(wire.wait("ACK"), first | {"duplicate": 1})
        wire.send("SAY", **say | {"counter": 4})
        refused = wire.wait("REFUSED")
        self.assertEqual((refused["counter"], refused["code"]), (4, CODE["NOT_KEPT"]))
        wire.close()
        again = self.opened()
        self.assertEqual(again.login("anna", flags=ANY_NICK, **values)["accepted"], 5)
        again.answer(again.ask("JOIN", room="lobby", flags=0, after=0, replay=0))
        again.send("SAY", **say)
        self.assertEqual(again.wait("ACK"), first | {"duplicate": 1})
        again.send("SAY", **say | {"counter": 6, "text": "last"})
        self.assertEqual(again.wait("ACK")["duplicate"], 0)
        room = boris.rooms["lobby"]
        boris.until(lambda: "last" in room.texts())
        self.assertEqual(room.texts(), ["once", "last"])

    def test_refused(self):
        anna = self.client("anna", "lobby")
        for code, values in (
                ("NOT_A_MEMBER", {"room": "elsewhere", "text": "x"}),
                ("BAD_TEXT", {"room": "lobby", "text": "two\nlines"}),
                ("BAD_TEXT", {"room": "lobby", "text": b"\xf4\x90\x80\x80"}),
                ("BAD_TEXT", {"room": "lobby", "text": "\ufdd0"}),
                ("BAD_TEXT", {"room": "lob by", "text": "x"}),
                ("BAD_VALUE", {"room": "lobby", "text": ""}),
                ("BAD_VALUE", {"room": "lobby", "text": "x", "kind": 4}),
                ("BAD_VALUE", {"room": "lobby", "text": "x", "kind": 255}),
                ("TOPIC_TOO_LONG", {"room": "lobby", "text": "t" * 513, "kind": TOPIC})):
            with self.subTest(code):
                refused = anna.outcome(anna.say(**values))
                self.assertEqual(refused.get("code"), CODE[code])
        anna.wire.send("SAY", counter=0, kind=0, room="lobby", text="x")
        refused = anna.wire.wait("REFUSED")
        self.assertEqual((refused["counter"], refused["code"]), (0, CODE["BAD_VALUE"]))
        self.assertEqual(anna.outcome(anna.say("lobby", "good"))["duplicate"], 0)
        self.assertEqual(anna.outcome(anna.say("lobby", "x" * 4096))["duplicate"], 0)
        self.assertEqual(anna.outcome(anna.say("lobby", "t" * 512, TOPIC))["duplicate"], 0)

    def test_instance_of_somebody_else(self):
        boris = self.client("boris", "lobby")
        first = self.client("anna", "lobby")
        first.outcome(first.say("lobby", "mine"))
        boris.instance = first.instance
        boris.drop()
        boris.connect()
        for message in (boris.say("lobby", "x"), boris.direct("x", nick="anna")):
            self.assertEqual(boris.outcome(message).get("code"), CODE["BAD_VALUE"])
        self.assertEqual(first.outcome(first.say("lobby", "mine again"))["duplicate"], 0)

    def test_resume(self):
        """The connection breaks again and again while all talk: nothing lost, nothing twice."""
        anna, pipe = self.client("anna", "lobby"), self.pipe("boris")
        boris = self.client("carla", "lobby")
        for i in range(10):
            anna.say("lobby", f"anna {i}")
            pipe.say(f"boris {i}")
            if i % 2:
                anna.step(0.01)
            anna.drop()
            anna.say("lobby", f"anna {i} offline")
            boris.outcome(boris.say("lobby", f"carla {i}"))
            anna.connect()
        room, other = anna.rooms["lobby"], boris.rooms["lobby"]
        for one, there in ((anna, room), (boris, other)):
            one.until(lambda: len(there.messages) == 40, "40 messages")
        pipe.wait_event("message", count=40)
        anna.until(lambda: not anna.outbox, "every ACK")
        self.assertEqual(room.messages, other.messages)
        self.assertEqual(room.texts(), pipe.texts())
        self.assertEqual([t for t in room.texts() if t.startswith("anna")],
                         [t for i in range(10) for t in (f"anna {i}", f"anna {i} offline")])

    def test_replay_and_caught_up(self):
        anna = self.client("anna", "lobby")
        for i in range(10):
            anna.say("lobby", f"{i}")
        anna.until(lambda: len(anna.rooms["lobby"].messages) == 10)
        for replay in (0, 3, 10, 1000):
            room = self.client("boris", "lobby", replay=replay).rooms["lobby"]
            self.assertEqual(room.texts(), [f"{i}" for i in range(10)][10 - min(replay, 10):])
            self.assertEqual((room.position, room.gaps), (anna.rooms["lobby"].position, []))

    def joined(self, wire, **values):
        values = {"room": "lobby", "flags": 0, "after": 0, "replay": 0} | values
        return wire.answer(wire.ask("JOIN", **values))

    def test_resume_from(self):
        """What RESUME asks for, and when it does not count."""
        anna = self.client("anna", "lobby")
        for i in range(5):
            anna.say("lobby", f"{i}")
        room = anna.rooms["lobby"]
        anna.until(lambda: len(room.messages) == 5)
        seqs = [m["seq"] for m in room.messages]
        for log, after, expected in ((anna.log, seqs[2], ["3", "4"]), (anna.log, 0, room.texts()),
                                     (anna.log, seqs[4], []), (anna.log, 2**64 - 1, []),
                                     (NO_LOG, seqs[0], ["4"])):
            with self.subTest(after=after):
                wire = self.chatting("boris", log=log)
                joined = self.joined(wire, flags=RESUME, after=after, replay=1)
                self.assertEqual(joined["last"], seqs[4])
                texts = []
                while (message := wire.get())["message"] != "CAUGHT_UP" or not message["room"]:
                    texts += [message["text"]] if message["message"] == "SAID" else []
                self.assertEqual(texts, expected)
                self.assertEqual(message["last"], seqs[4])

    def test_another_log(self):
        """A server that starts again has another log in memory; positions are dropped, and what
        was not acknowledged is said in the new one."""
        self.server = Server(self, "--history", "off")
        anna = self.client("anna", "lobby")
        anna.outcome(anna.say("lobby", "before"))
        port, data = self.server.port, self.server.data
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(anna.wire.end(), "STOPPING")
        anna.drop()
        self.server.wait()
        log = anna.log
        anna.say("lobby", "meanwhile")
        self.server = Server(self, "--history", "off", listen=f"127.0.0.1:{port}", data=data)
        anna.connect()
        anna.until(lambda: not anna.outbox)
        self.assertNotEqual(anna.log, log)
        room = self.client("boris", "lobby", replay=9).rooms["lobby"]
        self.assertEqual(room.texts(), ["meanwhile"])

    def test_gap(self):
        """What is no longer kept comes as a GAP where it would have stood."""
        self.server = Server(self, "--history", "off", "--keep-bytes", "1M")
        reader, anna = self.client("reader", "lobby"), self.client("anna", "lobby")
        anna.outcome(anna.say("lobby", "first"))
        reader.until(lambda: reader.rooms["lobby"].messages)
        position = reader.rooms["lobby"].position
        reader.drop()
        whole = anna.rooms["lobby"]
        for i in range(500):
            anna.say("lobby", "x" * 4000)
            # Whoever does not read loses what is no longer kept, too.
            anna.until(lambda: len(whole.messages) == i + 2, "what it said itself")
        reader.connect()
        room = reader.rooms["lobby"]
        self.assertEqual(len(room.gaps), 1)
        gap = room.gaps[0]
        self.assertEqual(gap["after"], position)
        self.assertGreater(gap["next"], position + 1)
        self.assertEqual(room.messages[1:],
                         [m for m in whole.messages if m["seq"] >= gap["next"]])

    def test_slow_reader(self):
        """It is not thrown out, and is told of what went meanwhile; whoever comes new is not."""
        self.server = Server(self, "--history", "off", "--keep-bytes", "1M")
        slow, anna = self.client("slow", "lobby"), self.client("anna", "lobby")
        for _ in range(2000):
            anna.outcome(anna.say("lobby", "x" * 4000))
        last = anna.settled[2000]["seq"]
        room = slow.rooms["lobby"]
        slow.until(lambda: room.position == last, "the end")
        self.assertTrue(room.gaps)
        seqs = {m["seq"] for m in room.messages}
        lost = {seq for gap in room.gaps for seq in range(gap["after"] + 1, gap["next"])}
        self.assertEqual(seqs ^ lost, set(range(1, last + 1)))
        late = self.client("late", "lobby", replay=100000).rooms["lobby"]
        self.assertEqual(late.gaps, [])
        self.assertEqual(late.messages[-1]["seq"], last)

    def test_topic(self):
        anna = self.client("anna", "lobby")
        ack = anna.outcome(anna.say("lobby", "обед?", TOPIC))
        boris = self.chatting("boris")
        joined = self.joined(boris)
        self.assertEqual((joined["topic"], joined["topic_nick"]), ("обед?", "anna"))
        said = anna.until(lambda: anna.rooms["lobby"].messages)[-1]
        self.assertEqual((said["seq"], said["time"]), (ack["seq"], joined["topic_time"]))
        anna.outcome(anna.say("lobby", "", TOPIC))
        joined = self.joined(self.chatting("carla"))
        self.assertEqual((joined["topic"], joined["topic_nick"]), ("", "anna"))


class Direct(Stranger):
    """Direct messages and the inbox."""

    def test_every_session_of_both(self):
        person = os.urandom(32)
        anna = [self.client("anna", person=person) for _ in range(2)]
        boris = [self.client("boris"), self.client("boris")]
        boris[1].leave()
        boris[1] = self.client("other", person=boris[0].person)
        ack = anna[0].outcome(anna[0].direct("just between us", nick="BORIS"))
        for one in anna + boris:
            said = one.until(lambda: one.inbox.messages, "the message")[0]
            self.assertEqual(
                (said["seq"], said["text"], said["nick"], said["to_nick"], said["person"],
                 said["to"], said["instance"], said["counter"]),
                (ack["seq"], "just between us", "anna", "boris", person, boris[0].person,
                 anna[0].instance, ack["counter"]))
        boris[0].outcome(boris[0].direct("hi", person=person, kind=ACTION))
        for one in anna + boris:
            one.until(lambda: one.inbox.texts() == ["just between us", "hi"])
            self.assertEqual([m["prev"] for m in one.inbox.messages], [0, ack["seq"]])

    def test_with_the_real_client(self):
        pipe, anna = self.pipe("boris", "--linger", "0"), self.client("anna")
        anna.outcome(anna.direct("hello", nick="boris"))
        event = pipe.wait_event("message", text="hello")
        self.assertEqual((event["from"], event["room"]), ("anna", "@anna"))

    def test_inbox_waits(self):
        """Whoever is not here finds it at the next login, and resumes by inbox_after."""
        anna, boris = self.client("anna"), self.client("boris")
        anna.outcome(anna.direct("one", person=boris.person))
        boris.until(lambda: boris.inbox.messages)
        boris.leave()
        refused = anna.outcome(anna.direct("x", person=boris.person))
        self.assertEqual(refused["code"], CODE["NO_SUCH_PERSON"])
        anna.outcome(anna.direct("two", person=boris.person, nick="boris"))
        boris.connect()
        boris.until(lambda: boris.inbox.caught_up)
        self.assertEqual(boris.inbox.texts(), ["one", "two"])
        for replay in (0, 1, 9):
            again = self.client("boris", person=boris.person, inbox_replay=replay)
            self.assertEqual(again.inbox.texts(), ["one", "two"][2 - min(replay, 2):])
            self.assertEqual(again.inbox.position, boris.inbox.position)
        wire = self.opened()
        wire.login("boris", person=boris.person, log=boris.log, inbox_after=2**64 - 1)
        self.assertEqual(wire.get()["message"], "PLACES")
        caught_up = wire.get()
        self.assertEqual((caught_up["message"], caught_up["last"]),
                         ("CAUGHT_UP", boris.inbox.position))

    def test_note_to_oneself(self):
        anna = self.client("anna")
        anna.outcome(anna.direct("milk", person=anna.person))
        said = anna.until(lambda: anna.inbox.messages)[0]
        self.assertEqual((said["person"], said["to"]), (anna.person, anna.person))
        anna.step(0)
        self.assertEqual(anna.inbox.texts(), ["milk"])

    def test_refused(self):
        anna = self.client("anna")
        for code, values in (("NO_SUCH_PERSON", {"nick": "nobody"}),
                             ("NO_SUCH_PERSON", {}),
                             ("NO_SUCH_PERSON", {"person": b"p" * 32}),
                             ("BAD_VALUE", {"nick": "anna", "kind": TOPIC}),
                             ("BAD_TEXT", {"nick": "an na"}),
                             ("BAD_TEXT", {"nick": "anna", "text": "\x7f"})):
            with self.subTest(values):
                refused = anna.outcome(anna.direct(**{"text": "x"} | values))
                self.assertEqual(refused.get("code"), CODE[code])
        self.assertEqual(anna.outcome(anna.direct("x", nick="anna"))["duplicate"], 0)


class People(Stranger):
    """Sections 6 and 9."""

    def test_presence(self):
        anna, boris = self.client("anna", "lobby"), self.client("boris", "lobby")
        room = anna.rooms["lobby"]
        anna.until(lambda: room.nicks() == ["anna", "boris"], "boris")
        pipe = self.pipe("carla")
        anna.until(lambda: room.nicks() == ["anna", "boris", "carla"], "carla")
        boris.away("tea ☕")
        anna.until(lambda: room.rows[boris.person, "boris"] == (AWAY, "tea ☕"), "away")
        boris.back()
        anna.until(lambda: room.rows[boris.person, "boris"] == (HERE, ""), "here")
        self.assertEqual(boris.rename("Bob"), "Bob")
        anna.until(lambda: room.nicks() == ["Bob", "anna", "carla"], "the new nick")
        pipe.wait_event("nick")
        boris.leave("home")
        anna.until(lambda: room.nicks() == ["anna", "carla"], "Bob's leaving")
        pipe.close_input()
        anna.until(lambda: room.nicks() == ["anna"], "carla's leaving")
        self.assertEqual((room.people, room.stale), (1, False))

    def test_two_sessions_of_one_person(self):
        """Under one nick they are one row, which is away when both are."""
        watcher = self.client("anna", "lobby")
        room = watcher.rooms["lobby"]
        first = self.client("boris", "lobby")
        second = self.client("boris", "lobby", person=first.person)
        row = (first.person, "boris")
        watcher.until(lambda: row in room.rows)
        self.assertEqual(second.rooms["lobby"].people, 2)
        first.away("lunch")
        second.away("lunch")
        watcher.until(lambda: room.rows[row] == (AWAY, "lunch"), "both away")
        second.back()
        watcher.until(lambda: room.rows[row][0] == HERE, "one is here")
        second.rename("bob")
        watcher.until(lambda: room.nicks() == ["anna", "bob", "boris"], "two rows")
        members, _ = watcher.list_members("lobby")
        self.assertEqual([(m["nick"], m["state"]) for m in members],
                         [("anna", HERE), ("bob", HERE), ("boris", AWAY)])

    def test_gone_right_after_the_list(self):
        """The list was ahead of its version, and what it was ahead by is undone at once: no row
        stays behind, whether the list came in one page or in many."""
        for page in (0, 1):
            with self.subTest(page=page):
                watcher = self.client("anna", f"room{page}")
                room = watcher.rooms[f"room{page}"]
                others = [self.client(nick, room.name) for nick in ("boris", "carla")]
                watcher.list_members(room.name, page)
                for other in others:
                    other.leave()
                watcher.until(lambda: room.people == 1, "the others' leaving")
                self.assertEqual(room.nicks(), [watcher.nick])
                watcher.leave()

    def test_requests(self):
        anna = self.client("anna", "lobby")
        self.client("boris")
        for code, name, values in (
                ("ALREADY", "JOIN", {"room": "LOBBY", "flags": 0, "after": 0, "replay": 0}),
                ("BAD_ROOM", "JOIN", {"room": "#lobby", "flags": 0, "after": 0, "replay": 0}),
                ("NOT_A_MEMBER", "PART", {"room": "elsewhere"}),
                ("NOT_A_MEMBER", "MEMBERS", {"room": "elsewhere", "after": "", "limit": 0}),
                ("NICK_TAKEN", "NICK", {"nick": "Boris"}),
                ("BAD_NICK", "NICK", {"nick": "!"}),
                ("BAD_VALUE", "AWAY", {"state": 2, "text": ""})):
            with self.subTest(name, code=code):
                self.assert_fails(code, anna.request, name, **values)
        parted = anna.part("Lobby")
        self.assertEqual((parted["room"], parted["code"]), ("lobby", 0))
        self.assertNotIn("lobby", anna.rooms)

    def test_rooms_in_pages(self):
        """More than a page of them, each once, in the order of the folded names."""
        people = [self.client(f"p{i}") for i in range(3)]
        names = [f"{'R' if i % 2 else 'r'}oom-{i:03}" for i in range(250)]
        for i, name in enumerate(names):
            people[i // 100].join(name)
        self.assert_fails("TOO_MANY_ROOMS", people[0].request, "JOIN", room="more", flags=0,
                          after=0, replay=0)
        for page, most in ((0, 200), (7, 7), (65535, 200)):
            rooms, pages = people[2].list_rooms(page)
            self.assertEqual([room["name"] for room in rooms], names)
            self.assertGreaterEqual(pages, -(-250 // most))
        self.assertEqual({room["people"] for room in rooms}, {1})
        first = people[2].request("ROOMS", after="ROOM-247", limit=1)
        self.assertEqual((first["rooms"][0]["name"], first["more"], first["total"]),
                         ("room-248", 1, 250))
        for room in people[2].rooms.copy():
            people[2].part(room)
        rooms, _ = people[0].list_rooms()
        self.assertEqual(len(rooms), 200)

    def test_large_room(self):
        """201 people: none are listed unasked, nobody is named, and the list comes in pages."""
        people = [self.chatting(f"p{i:03}") for i in range(200)]
        for wire in people:
            wire.send("JOIN", tag=1, room="lobby", flags=0, after=0, replay=0)
            wire.wait("JOINED")
        last = self.client("q", "lobby")
        room = last.rooms["lobby"]
        self.assertEqual(room.people, 201)
        self.assertIsNone(room.version)
        members, pages = last.list_members("lobby")
        self.assertGreaterEqual(pages, 2)
        self.assertEqual([m["nick"] for m in members], [f"p{i:03}" for i in range(200)] + ["q"])
        # Leaving makes it small again. Whoever missed the names fetches the list.
        for wire in people[1:]:
            wire.send("BYE", code=CODE["QUIT"], text="")
        last.until(lambda: room.people == 2, "the others' leaving")
        if room.stale:
            last.list_members("lobby")
        self.assertEqual(room.nicks(), ["p000", "q"])


class Played:
    """The server's side of a connection, played from the document for one client."""

    def __init__(self, case):
        self.listener = socket.create_server(("127.0.0.1", 0))
        case.addCleanup(self.listener.close)
        self.case = case
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.log = os.urandom(16)
        self.seq = 0

    def accept(self, accepted=0):
        """Take a client through the opening and into the room it asks for; returns its
        connection, LOGIN and JOIN."""
        self.listener.settimeout(10)
        wire = Wire(0, connection=self.listener.accept()[0])
        self.case.addCleanup(wire.close)
        wire.wait("HELLO")
        wire.send("WELCOME", version=1, features=0, server=b"s" * 32, log=self.log, kept=1,
                  name="played", agent="")
        login = wire.wait("LOGIN")
        wire.send("LOGGED_IN", tag=login["tag"], nick=login["nick"], accepted=accepted, time=1,
                  text_max=4096, rooms_max=9, ping_seconds=30, idle_seconds=60)
        wire.send("PLACES", more=0, places=[])
        wire.send("CAUGHT_UP", room="", last=login["inbox_after"], version=0, people=0)
        join = wire.wait("JOIN")
        wire.send("JOINED", tag=join["tag"], room=join["room"], after=join["after"],
                  last=self.seq, read=0, people=1, topic="", topic_nick="", topic_time=0)
        wire.send("MEMBER_LIST", tag=0, room=join["room"], version=1, people=1, more=0,
                  members=[{"person": login["person"], "state": 0, "nick": login["nick"],
                            "away": ""}])
        wire.send("CAUGHT_UP", room=join["room"], last=self.seq, version=1, people=1)
        return wire, login, join

    def say(self, wire, login, say, prev=None):
        """SAID, for a client that has all before it."""
        before, self.seq = self.seq, self.seq + 1
        wire.send("SAID", seq=self.seq, prev=before if prev is None else prev, time=1,
                  instance=login["instance"], counter=say["counter"], person=login["person"],
                  kind=say["kind"], nick=login["nick"], room=say["room"], text=say["text"])

    def take(self, wire, login, text):
        """Expect a SAY, and acknowledge it."""
        say = wire.wait("SAY")
        self.case.assertEqual(say["text"], text)
        self.say(wire, login, say)
        wire.send("ACK", counter=say["counter"], seq=self.seq, duplicate=0)
        return say


class RealClient(PlainScenario):
    """lanchat at a server that is played from the document."""

    def setUp(self):
        super().setUp()
        self.played = Played(self)

    def test_retry(self):
        """The same counter again after a pause, and the later ones after it, in order."""
        pipe = Pipe(self, self.played, "anna", input=["one", "two", "three"])
        wire, login, _ = self.played.accept()
        first = wire.wait("SAY")
        self.assertEqual((first["counter"], first["text"]), (1, "one"))
        for _ in range(2):
            wire.send("REFUSED", counter=1, code=CODE["RETRY"], text="")
            self.skip_to(wire, first)
        for text in ("one", "two", "three"):
            if text != "one":
                self.assertEqual(wire.wait("SAY")["text"], text)
        wire.send("REFUSED", counter=2, code=CODE["NOT_KEPT"], text="no room")
        for counter, text in ((1, "one"), (3, "three")):
            self.played.say(wire, login, {"counter": counter, "kind": 0, "room": "lobby",
                                          "text": text})
            wire.send("ACK", counter=counter, seq=self.played.seq, duplicate=0)
        self.assertEqual(wire.wait("BYE")["code"], CODE["QUIT"])
        wire.close()
        pipe.wait()
        self.assertEqual(pipe.texts(), ["one", "three"])

    def skip_to(self, wire, say):
        """Refuse with RETRY whatever else was under way, until `say` comes again."""
        while (message := wire.wait("SAY")) != say:
            wire.send("REFUSED", counter=message["counter"], code=CODE["RETRY"], text="")

    def test_flood(self):
        """A server that floods the screen does not keep keys from being heard."""
        screen = Terminal(self, self.played)
        wire, _, _ = self.played.accept()
        over = threading.Event()

        def flood():
            notice = encode("NOTICE", kind=0, text="line\n" * 1600)
            with contextlib.suppress(OSError):
                while not over.is_set():
                    wire.socket.sendall(notice * 50)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            screen.wait_text("line")
            began = time.monotonic()
            for length in range(1, 11):
                screen.keys("w")
                screen.wait_text("> " + "w" * length + "( |$)")
            self.assertLess(time.monotonic() - began, 10 * SLOW)
        finally:
            over.set()
            wire.socket.shutdown(socket.SHUT_RDWR)
            thread.join()

    def test_break(self):
        """After a break: the same instance and log, RESUME, and all that was not acknowledged
        again, in order under the old counters, whether it is settled or not."""
        pipe = Pipe(self, self.played, "anna", input=["one", "two", "three"])
        wire, login, join = self.played.accept()
        self.assertEqual((login["log"], join["flags"] & RESUME), (NO_LOG, 0))
        one = wire.wait("SAY")
        self.played.say(wire, login, one)
        wire.send("ACK", counter=1, seq=1, duplicate=0)
        pipe.wait_event("message", text="one")
        wire.close()
        wire, again, join = self.played.accept(accepted=2)
        self.assertEqual((again["person"], again["instance"], again["log"]),
                         (login["person"], login["instance"], self.played.log))
        self.assertEqual((join["flags"], join["after"]), (RESUME, 1))
        two = wire.wait("SAY")
        self.assertEqual((two["counter"], two["text"]), (2, "two"))
        self.played.say(wire, login, two)
        wire.send("ACK", counter=2, seq=self.played.seq, duplicate=1)
        self.assertEqual(self.played.take(wire, login, "three")["counter"], 3)
        wire.wait("BYE")
        wire.close()
        self.assertEqual(pipe.wait(), 0)
        self.assertEqual(pipe.texts(), ["one", "two", "three"])

    def test_twice_and_missing(self):
        """What is known is dropped; at a hole in the chain the client connects again."""
        pipe = Pipe(self, self.played, "anna")
        wire, login, _ = self.played.accept()
        said = {"counter": 1, "kind": 0, "room": "lobby", "text": "one"}
        other = login | {"instance": b"o" * 16, "person": b"o" * 32, "nick": "boris"}
        self.played.say(wire, other, said)
        self.played.seq = 0
        self.played.say(wire, other, said)
        self.played.seq = 2
        self.played.say(wire, other, said | {"counter": 3, "text": "three"})
        wire.end()
        wire.close()
        self.played.seq = 1
        wire, _, join = self.played.accept()
        self.assertEqual((join["flags"], join["after"]), (RESUME, 1))
        self.played.say(wire, other, said | {"counter": 2, "text": "two"})
        self.played.say(wire, other, said | {"counter": 3, "text": "three"})
        pipe.wait_event("message", text="three")
        self.assertEqual(pipe.texts(), ["one", "two", "three"])

    def test_new_things(self):
        """What a program of today must be able to ignore, and what it must not take."""
        pipe = Pipe(self, self.played, "anna")
        wire, login, _ = self.played.accept()
        wire.raw(frame(0x7fff, b"x" * 100, SKIP))
        wire.send("NOTICE", kind=77, text="a new kind\nof notice")
        wire.send("CAUGHT_UP", room="lobby", last=0, version=1, people=1)
        wire.send("PRESENCE", room="lobby", version=2, people=1, changes=[
            {"what": 99, "person": b"x" * 32, "state": 9, "nick": "x", "text": "x"}])
        self.played.say(wire, login, {"counter": 1, "kind": 200, "room": "lobby", "text": "new"})
        pipe.wait_event("message", text="new")
        pipe.wait_event("notice")
        wire.raw(frame(0x7fff, b"x"))
        wire.end()
        wire.close()
        self.played.accept()


class StrangersRetry(PlainScenario):
    """The stranger itself keeps section 8.3 at a played server."""

    def test_retry(self):
        played = Played(self)
        child = os.fork()
        if child == 0:
            self.run_client(played.port)
        wire, login, _ = played.accept()
        first = wire.wait("SAY")
        for _ in range(2):
            wire.send("REFUSED", counter=1, code=CODE["RETRY"], text="")
            while (say := wire.wait("SAY")) != first:
                wire.send("REFUSED", counter=say["counter"], code=CODE["RETRY"], text="")
        played.say(wire, login, first)
        wire.send("ACK", counter=1, seq=1, duplicate=0)
        for text in ("two", "three"):
            played.take(wire, login, text)
        _, status = os.waitpid(child, 0)
        self.assertEqual(status, 0)

    @staticmethod
    def run_client(port):
        status = 1
        try:
            client = Client(port, "anna").connect()
            client.join("lobby")
            for text in ("one", "two", "three"):
                client.say("lobby", text)
            client.until(lambda: not client.outbox, "every ACK")
            status = 0 if client.rooms["lobby"].texts() == ["one", "two", "three"] else 2
        finally:
            os._exit(status)


class Rules(unittest.TestCase):
    """Section 9's rules of a room's list, which no server can be made to need at will."""

    def setUp(self):
        self.room = Room("lobby")
        self.room.listed({"tag": 0, "version": 5, "people": 1, "members": [
            {"person": b"a", "nick": "anna", "state": HERE, "away": ""}]})

    def presence(self, version, *changes, people=1):
        self.room.presence({"version": version, "people": people, "changes": [
            dict(zip(("what", "person", "state", "nick", "text"), change))
            for change in changes]})

    def test_twice_is_as_good_as_once(self):
        self.presence(6, (0, b"a", HERE, "anna", ""), (1, b"x", 0, "nobody", ""),
                      (3, b"b", AWAY, "boris", "tea"), (2, b"c", HERE, "carl", "carla"), people=3)
        self.assertEqual(self.room.nicks(), ["anna", "boris", "carla"])
        self.assertFalse(self.room.stale)

    def test_versions(self):
        self.presence(5, (1, b"a", HERE, "anna", ""))
        self.assertEqual(self.room.nicks(), ["anna"])
        self.presence(6, (0, b"b", HERE, "boris", ""), people=2)
        self.assertEqual((self.room.nicks(), self.room.stale), (["anna", "boris"], False))
        self.presence(8, (1, b"b", HERE, "boris", ""))
        self.assertEqual((self.room.nicks(), self.room.stale), (["anna"], True))

    def test_numbers_alone(self):
        self.presence(6)
        self.assertFalse(self.room.stale)
        self.presence(7, people=500)
        self.assertTrue(self.room.stale)


class Discovery(PlainScenario):
    """Section 12, on the loopback interface."""

    def setUp(self):
        super().setUp()
        self.finder = Finder()
        self.addCleanup(self.finder.close)

    def server(self, *options, **more):
        return Server(self, "--name", "Raum 12", "--max-clients", "77", *options, beacon=True,
                      **more)

    def hear(self, *types):
        while (heard := self.finder.hear()) is not None:
            if heard[0].type in types:
                return heard
        raise AssertionError(f"nothing of the types {types}")

    def test_answer(self):
        """Every field is as the document says, and the address leads to that server."""
        server = self.server()
        wire = Wire(server.port)
        self.addCleanup(wire.close)
        welcome = wire.hello()
        wire.login("anna")
        nonce = self.finder.ask()
        beacon, (host, source), data = self.hear(ANSWER)
        self.assertEqual(len(data), 192)
        self.assertEqual(
            (beacon.nonce, beacon.flags, beacon.version_low, beacon.version_high, beacon.port,
             beacon.lifetime, beacon.people, beacon.people_max, beacon.server, beacon.name),
            (nonce, 2, 1, 1, server.port, 6500, 1, 77, welcome["server"], "Raum 12"))
        self.assertEqual(host, "127.0.0.1")
        # To that very socket one may ask again, and it answers from there.
        nonce = self.finder.ask((host, source))
        while (heard := self.hear(ANSWER))[0].nonce != nonce:
            pass
        self.assertEqual(heard[1], (host, source))
        self.assertGreater(heard[0].sequence, beacon.sequence)
        self.assertEqual((heard[0].instance, heard[0].commitment),
                         (beacon.instance, beacon.commitment))

    def test_discover(self):
        server = self.server()
        host, port, beacon = discover()
        self.assertEqual((host, port), ("127.0.0.1", server.port))
        client = Client(port, "anna").connect()
        self.assertEqual(client.join("lobby").people, 1)
        client.leave()
        self.assertEqual(beacon.name, "Raum 12")

    def test_announcement_and_goodbye(self):
        server = self.server()
        announced, _, _ = self.hear(ANNOUNCEMENT)
        self.assertEqual((announced.lifetime, announced.port), (6500, server.port))
        server.send_signal(signal.SIGTERM)
        for _ in range(3):
            goodbye, _, _ = self.hear(GOODBYE)
            self.assertTrue(announced.proves(goodbye))
            self.assertFalse(goodbye.proves(goodbye))
        server.wait()

    def test_bad_questions(self):
        """They are not answered, the good one after them is."""
        self.server()
        self.hear(ANNOUNCEMENT)
        good = Beacon.query(b"question")
        for data in (good[:-1], good + b"\0", b"X" + good[1:], good[:4] + b"\7" + good[5:],
                     good[:6] + b"\0\2\0\1" + good[10:], good[:-1] + b"\1",
                     good[:100] + b"x" + good[101:]):
            self.finder.nonces.add(b"question")
            self.finder.private.sendto(data, (EVERYBODY_HERE, PORT))
        nonce = self.finder.ask()
        self.assertEqual(self.hear(ANSWER)[0].nonce, nonce)

    def test_too_many_questions(self):
        """One address is answered 64 times in a burst, and 32 times a second."""
        self.server()
        self.hear(ANNOUNCEMENT)
        began = time.monotonic()
        nonces = {self.finder.ask() for _ in range(200)}
        answered = 0
        while (heard := self.finder.hear(0.3)) is not None:
            answered += heard[0].nonce in nonces
        self.assertGreaterEqual(answered, 64)
        self.assertLessEqual(answered, 65 + 32 * (time.monotonic() - began))

    def test_loopback_of_ipv6(self):
        """The flag says that the address is ::1, whatever the packet came from."""
        self.server(listen="[::1]:0")
        self.finder.ask()
        beacon, (host, _), _ = self.hear(ANSWER)
        self.assertEqual((beacon.flags & 1, host), (1, "127.0.0.1"))
        wire = Wire(beacon.port, "::1")
        self.addCleanup(wire.close)
        self.assertEqual(wire.hello()["server"], beacon.server)

    def test_real_client_finds_a_stranger(self):
        """lanchat lists a server that is played from the document: announced, or when asked;
        and not what breaks the document's rules."""
        secret = bytes(range(16))
        fields = {"type": ANNOUNCEMENT, "port": 4711, "sequence": 1, "lifetime": 6500,
                  "people": 3, "people_max": 50, "server": b"s" * 32, "instance": b"i" * 16,
                  "commitment": hashlib.sha256(secret).digest()[:16], "name": b"played"}
        bad = [fields | change | {"instance": os.urandom(16), "name": b"bad"} for change in (
            {"port": 0}, {"lifetime": 0}, {"padding": b"\0x"},
            {"version_low": 2}, {"type": ANSWER, "nonce": b"n" * 8}, {"type": 9},
            {"magic": b"LCB2"})]
        bad += [fields | {"name": name} for name in (b"bad\0x", b"bad\n", b"bad\xff")]
        client = Program(self, [os.path.join(BUILD, "lanchat"), "--discover", "--json",
                                "--timeout", "0"])
        question, address = self.hear_question()
        for packet in bad:
            self.finder.private.sendto(Beacon.pack(**packet), (EVERYBODY_HERE, PORT))
        self.finder.private.sendto(Beacon.pack(**fields | {"type": ANSWER, "nonce": question}),
                                   address)
        client.wait_line("played")
        goodbye = fields | {"type": GOODBYE, "lifetime": 0, "sequence": 2}
        for proof in (os.urandom(16), secret):
            self.finder.private.sendto(Beacon.pack(**goodbye | {"commitment": proof}),
                                       (EVERYBODY_HERE, PORT))
        client.until(lambda: len([line for line in client.read() if "played" in line]) == 2,
                     "the goodbye")
        self.assertEqual([line for line in client.read() if "played" not in line], [])

    def hear_question(self):
        """The nonce of the next QUERY, and who asked it."""
        while True:
            data, address = self.finder.shared.recvfrom(2048)
            if data[4] == QUERY:
                self.assertEqual(Beacon(data).flags, 0)
                return data[28:36], address

    def test_restart_is_another_instance(self):
        server = self.server()
        first, _, _ = self.hear(ANNOUNCEMENT)
        server.send_signal(signal.SIGTERM)
        server.wait()
        self.server(data=server.data)

        def other():
            beacon = self.hear(ANNOUNCEMENT)[0]
            return beacon if beacon.instance != first.instance else None
        second = wait_for(other, "another instance")
        self.assertEqual(second.server, first.server)
        self.assertNotEqual(second.commitment, first.commitment)


if __name__ == "__main__":
    main()
