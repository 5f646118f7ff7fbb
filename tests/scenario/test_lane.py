#!/usr/bin/env python3
"""The datagram lane of a server, as a stranger has it: without TLS, so insecure. What comes from
others than the client, comes again, or is malformed is never answered; and no answer is longer than
what it answers. (The sealed lane: tests/unit/test_lanes.c, and the real clients, test_terminal_race.)"""

import itertools
import json
import os
import socket
import struct

from lib import Program, PlainScenario, Server, main, wait_for
from lib.wait import BUILD
from stranger import CODE, COMPARE, LANES, Failed, Lane, Wire, encode

LANCHATD = os.path.join(BUILD, "lanchatd")


class Lanes(PlainScenario):
    """Strangers' lanes of a server."""

    options = ()

    def setUp(self):
        super().setUp()
        self.server = Server(self, *self.options)

    def wire(self, nick, features=LANES | COMPARE, rooms=("lobby",)):
        wire = Wire(self.server.port)
        self.addCleanup(wire.close)
        self.features = wire.hello(features=features)["features"]
        wire.login(nick)
        for room in rooms:
            wire.answer(wire.ask("JOIN", room=room, flags=0, after=0, replay=0))
            wire.wait("CAUGHT_UP", room=room)
        return wire

    def lane(self, wire, opened=True):
        lane = Lane(wire)
        self.addCleanup(lane.close)
        self.addCleanup(lambda: lane.socket.close())
        return lane.open() if opened else lane

    def status(self):
        program = Program(self, [LANCHATD, "--status", "--json", "--data", self.server.data])
        self.assertEqual(program.wait(20), 0, program.tail())
        with open(program.out_path, encoding="utf-8") as f:
            return json.loads(f.read())

    def numbers(self):
        """The server's counters of lanes."""
        status = self.status()
        return {name: status[name] for name in status if name.startswith("lane")}

    def count(self, before, **grown):
        """Wait until these counters have grown by so much; they have grown by no more."""
        def reached():
            now = self.numbers()
            return all(now[name] - before[name] >= n for name, n in grown.items())
        wait_for(reached, f"{grown} more than {before}")
        now = self.numbers()
        self.assertEqual({name: now[name] - before[name] for name in grown}, grown)


class Opening(Lanes):
    """Section 17.2."""

    def test_feature(self):
        """Who does not know of lanes is told of none; and what belongs to them goes over no connection
        but those of its kind."""
        self.wire("anna", features=COMPARE)
        self.assertEqual(self.features, COMPARE)
        self.wire("ben")
        self.assertEqual(self.features, COMPARE | LANES)

    def test_without_the_feature(self):
        """Who did not say that they know of lanes gets none, and races nobody."""
        old = self.wire("old", features=COMPARE)
        self.wire("ben")
        for name, values in (("LANE_OPEN", {}), ("RACE", {"nick": "ben", "count": 1, "size": 0}),
                             ("RACE_ACCEPT", {"race": 1})):
            with self.assertRaises(Failed) as caught:
                old.answer(old.ask(name, **values))
            self.assertEqual(caught.exception.code, "NO_LANE", name)
        old.send("RACE_OVER", race=1, code=0)
        self.assertEqual(old.end(), "PROTOCOL")

    def test_toss_over_tcp(self):
        wire = self.wire("anna")
        wire.send("TOSS", kind=0, room="lobby", text="hi")
        self.assertEqual(wire.end(), "PROTOCOL")

    def test_say_over_the_lane(self):
        """A message that belongs on the connection does nothing in a datagram."""
        wire = self.wire("anna")
        lane = self.lane(wire)
        before = self.numbers()
        lane.send("SAY", counter=1, kind=0, room="lobby", text="hi")
        lane.send("HELLO", version_low=1, version_high=1, features=0, agent="")
        lane.send("LANE_OPEN", tag=1)
        lane.send("RACE_OVER", race=1, code=0)
        lane.send("TOSSED", time=1, person=bytes(32), kind=0, nick="a", room="lobby", text="b")
        lane.send("PING", token=7)
        self.assertEqual(lane.get(), {"message": "PONG", "token": 7})
        self.count(before, lane_received=6, lane_sent=1, lane_strange=5)
        wire.send("SAY", counter=1, kind=0, room="lobby", text="hi")
        self.assertEqual(wire.wait("ACK")["duplicate"], 0)

    def test_insecure(self):
        lane = self.lane(self.wire("anna"))
        self.assertEqual(lane.sealed, 0)
        self.assertNotEqual(lane.id, 0)

    def test_again(self):
        """Another lane takes the place of the one before."""
        wire = self.wire("anna")
        old = self.lane(wire)
        before = self.numbers()
        new = self.lane(wire)
        self.assertNotEqual(old.id, new.id)
        old.send("PING", token=1)
        self.count(before, lanes=0, lane_strange=1)

    def test_ends_with_the_connection(self):
        wire = self.wire("anna")
        lane = self.lane(wire)
        wire.close()
        wait_for(lambda: self.numbers()["lanes"] == 0, "the lane to be gone")
        before = self.numbers()
        lane.send("PING", token=1)
        self.count(before, lane_strange=1, lane_sent=0)
        self.assertIsNone(lane.get(0))


class Off(Lanes):
    options = ("--lane", "off")

    def test_refused(self):
        wire = self.wire("anna")
        self.assertEqual(self.features, COMPARE)
        with self.assertRaises(Failed) as caught:
            Lane(wire)
        self.assertEqual(caught.exception.code, "NO_LANE")


class Port(PlainScenario):
    """A port of one's own, for the firewall."""

    def test_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = Server(self, "--lane", str(port))
        wire = Wire(server.port)
        self.addCleanup(wire.close)
        wire.hello(features=LANES)
        wire.login("anna")
        lane = Lane(wire)
        self.addCleanup(lane.close)
        self.assertEqual(lane.port, port)
        lane.open()

    def test_taken(self):
        """A port that was asked for and cannot be had is an error, not a server without it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            program = Program(self, [LANCHATD, "--plaintext", "--listen", "127.0.0.1:0", "--data", self.dir,
                                     "--no-beacon", "--lane", str(taken.getsockname()[1])])
            self.assertEqual(program.wait(20), 1)
            self.assertIn("no datagram lane at UDP 127.0.0.1:", program.stderr())


class FreePort(PlainScenario):
    """Where any free port will do, it is not the beacon's, by which the server is found."""

    RANGE = "/proc/sys/net/ipv4/ip_local_port_range"

    def ports(self, text):
        with open(self.RANGE, "w", encoding="ascii") as f:
            f.write(text)

    def setUp(self):
        super().setUp()
        with open(self.RANGE, encoding="ascii") as f:
            self.addCleanup(self.ports, f.read())

    def test_not_the_beacons(self):
        for free, lane in (("19830 19830", False), ("19830 19831", True)):
            self.ports(free)
            server = Server(self, beacon=True)
            self.assertNotIn("no beacon", server.stderr())
            self.assertEqual("no datagram lane" not in server.stderr(), lane)
            self.assertEqual(server.stop(), 0)


class Strangers(Lanes):
    """Whatever is not the client's is counted, and nothing comes back."""

    def setUp(self):
        super().setUp()
        self.anna = self.wire("anna")
        self.own = self.lane(self.anna)
        self.before = self.numbers()

    def nothing_came(self, **grown):
        """The server has looked at all of it and sent nothing; and the lane still works."""
        self.count(self.before, lane_sent=0, **grown)
        self.assertIsNone(self.own.get(0))
        self.own.send("PING", token=99)
        self.assertEqual(self.own.get(), {"message": "PONG", "token": 99})

    def test_strange(self):
        """No id of a lane, no version, no header, no frame, too much, too little, another protocol."""
        ping = encode("PING", token=1)
        datagrams = [b"", b"\1", b"x" * 1400, bytes(65507), b"LCB1" + bytes(188),
                     self.own.datagram(ping, counter=1000, lane=self.own.id ^ 1),
                     self.own.datagram(ping, counter=1000, version=2),
                     self.own.datagram(b"", counter=1000)]
        for at in range(25):
            datagrams.append(self.own.datagram(ping, counter=1000)[:at])
        for data in datagrams:
            self.own.raw(data)
        self.nothing_came(lane_received=len(datagrams), lane_strange=len(datagrams))

    def test_content(self):
        """One whole frame, or nothing; a frame that may be there; text that is clean."""
        ping = encode("PING", token=1)
        datagrams = [self.own.datagram(data) for data in (
            ping[:-1], ping + b"x", ping + ping, struct.pack(">IHH", 8, 0x9999, 0) + bytes(8),
            struct.pack(">IHH", 1 << 31, 5, 0) + bytes(8),
            encode("TOSS", kind=0, room="lobby", text=b"\xff"),
            encode("TOSS", kind=0, room="lobby", text="\x1b[2J"))]
        for data in datagrams:
            self.own.raw(data)
        self.nothing_came(lane_strange=len(datagrams))

    def test_replayed(self):
        ben = self.wire("ben")
        kept = self.own.datagram(encode("TOSS", kind=0, room="lobby", text="once"))
        for _ in range(5):
            self.own.raw(kept)
        elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(elsewhere.close)
        self.own.raw(kept, through=elsewhere)
        self.nothing_came(lane_replayed=5)
        ben.wait("TOSSED", text="once")
        self.own.send("TOSS", kind=0, room="lobby", text="twice")
        self.assertEqual(ben.wait("TOSSED")["text"], "twice")

    def test_older_than_the_window(self):
        old = self.own.datagram(encode("PING", token=1))
        self.own.counter += 2000
        self.own.send("PING", token=2)
        self.assertEqual(self.own.get()["token"], 2)
        self.before = self.numbers()
        self.own.raw(old)
        self.nothing_came(lane_replayed=1)

    def test_two_thousand_strangers(self):
        """A flood of them costs nobody anything but a look each."""
        for i in range(2000):
            self.own.raw(struct.pack(">BQQ", 1, i, 1) + encode("PING", token=i))
        # A datagram may be lost among so many, as the kernel keeps only some; the next one is not.
        def answered():
            self.own.send("PING", token=5)
            return self.own.get(1) == {"message": "PONG", "token": 5}
        wait_for(answered, "an answer")
        self.anna.send("SAY", counter=1, kind=0, room="lobby", text="hi")
        self.anna.wait("ACK", counter=1)


class Addresses(Lanes):
    """Where the client is: who sends from there hears there."""

    def test_not_before_it_answered(self):
        """An address that did not answer is told nothing but the question, and never more than came
        from there."""
        lane = self.lane(self.wire("anna"), opened=False)
        lane.silent = True
        lane.send("PROBE", race=0, number=1, sent=5, back=0, padding="x" * 500)
        self.assertEqual(lane.get()["message"], "PING")
        for _ in range(10):
            lane.send("PING", token=1)
        tokens = {lane.get()["token"] for _ in range(10)}
        self.assertEqual(len(tokens), 1)
        self.assertIsNone(lane.get(0))
        self.assertLess(lane.got, lane.sent)
        # An answer that is wrong, or comes from elsewhere, does not count.
        lane.send("PONG", token=tokens.pop() ^ 1)
        lane.send("PING", token=1)
        token = lane.get()
        self.assertEqual(token["message"], "PING")
        old = lane.move()
        self.addCleanup(old.close)
        lane.send("PONG", token=token["token"])
        lane.send("PING", token=1)
        self.assertEqual(lane.get()["message"], "PING")

    def test_nothing_is_amplified(self):
        """Of all that a client may have sent to an address that is not its own, and did not answer."""
        lane = self.lane(self.wire("anna"), opened=False)
        lane.silent = True
        sent = 0
        for name, values in (("PING", {"token": 1}), ("PONG", {"token": 1}),
                             ("PROBE", {"race": 0, "number": 0, "sent": 0, "back": 0, "padding": ""}),
                             ("PROBE", {"race": 0, "number": 0, "sent": 0, "back": 0, "padding": "x" * 9000}),
                             ("TOSS", {"kind": 0, "room": "a", "text": "b"}),
                             ("TOSS", {"kind": 0, "room": "lobby", "text": "hi" * 99})):
            lane.got = 0
            before = self.numbers()
            data = lane.datagram(encode(name, **values))
            lane.raw(data)
            self.count(before, lane_received=1)
            while lane.get(0):
                pass
            self.assertLessEqual(lane.got, len(data), name)
            sent += lane.got
        self.assertGreater(sent, 0)

    def test_moves(self):
        """A newer datagram from a new address, and its answer: from then on the client is there."""
        lane = self.lane(self.wire("anna"))
        old = lane.move()
        self.addCleanup(old.close)
        lane.open()
        lane.send("PROBE", race=0, number=1, sent=5, back=0, padding="")
        self.assertEqual(lane.get()["back"], 1)
        # One that was held up on the way from the old one changes nothing.
        held = lane.datagram(encode("PING", token=3))
        lane.send("PING", token=4)
        self.assertEqual(lane.get()["token"], 4)
        before = self.numbers()
        lane.raw(held, through=old)
        self.count(before, lane_received=1, lane_sent=0)
        lane.send("PING", token=5)
        self.assertEqual(lane.get(), {"message": "PONG", "token": 5})


class Races(Lanes):
    """Section 17.3."""

    def probe(self, number, race=0, back=0, size=10):
        return {"race": race, "number": number, "sent": 1 << 40 | number, "back": back,
                "padding": "." * size}

    def test_server(self):
        """Each comes back once by the way that it went, unchanged but for the flag."""
        wire = self.wire("anna")
        lane = self.lane(wire)
        for number, size in enumerate((0, 1, 1000, 1400, 9000, 60000, 65447)):
            probe = self.probe(number, size=size)
            answer = {"message": "PROBE", **probe, "back": 1}
            wire.send("PROBE", **probe)
            self.assertEqual(wire.wait("PROBE"), answer)
            lane.send("PROBE", **probe)
            self.assertEqual(lane.get(), answer)
        self.assertIsNone(lane.get(0))

    def agreed(self, count=100):
        """Two who race, and the race's number."""
        anna, ben = self.wire("anna"), self.wire("ben")
        lanes = self.lane(anna), self.lane(ben)
        tag = anna.ask("RACE", nick="ben", count=count, size=200)
        raced = ben.wait("RACED")
        self.assertEqual((raced["tag"], raced["nick"], raced["count"], raced["size"]), (0, "anna", count, 200))
        ben.answer(ben.ask("RACE_ACCEPT", race=raced["race"]))
        answer = anna.answer(tag)
        self.assertEqual((answer["nick"], answer["race"]), ("ben", raced["race"]))
        return anna, ben, *lanes, raced["race"]

    def test_person(self):
        anna, ben, hers, his, race = self.agreed()
        for here, there in ((anna, ben), (hers, his)):
            there = there.wait if isinstance(there, Wire) else lambda _, lane=there: lane.get()
            probe = self.probe(3, race)
            here.send("PROBE", **probe)
            self.assertEqual(there("PROBE"), {"message": "PROBE", **probe})
        for here, there in ((ben, anna), (his, hers)):
            there = there.wait if isinstance(there, Wire) else lambda _, lane=there: lane.get()
            probe = self.probe(3, race, back=1)
            here.send("PROBE", **probe)
            self.assertEqual(there("PROBE"), {"message": "PROBE", **probe})

    def test_only_as_agreed(self):
        """Nobody else's, not before it is accepted, not beyond the count, not after the end."""
        anna, ben, hers, his, race = self.agreed(count=5)
        zoe = self.wire("zoe")
        third = self.lane(zoe)
        before = self.numbers()
        third.send("PROBE", **self.probe(1, race))
        third.send("PROBE", **self.probe(1, race, back=1))
        hers.send("PROBE", **self.probe(5, race))
        hers.send("PROBE", **self.probe(1, race, back=1))
        his.send("PROBE", **self.probe(1, race))
        his.send("PROBE", **self.probe(1, race + 1, back=1))
        zoe.send("PROBE", **self.probe(1, race))
        self.count(before, lane_dropped=7, lane_sent=0)
        anna.send("RACE_OVER", race=race, code=0)
        self.assertEqual(ben.wait("RACE_OVER"), {"message": "RACE_OVER", "race": race, "code": 0})
        hers.send("PROBE", **self.probe(1, race))
        self.count(before, lane_dropped=8, lane_sent=0)
        with self.assertRaises(Failed):
            ben.answer(ben.ask("RACE_ACCEPT", race=race))

    def refused(self, wire, **values):
        """The code of the refusal of a RACE."""
        with self.assertRaises(Failed) as caught:
            wire.answer(wire.ask("RACE", **{"count": 9, "size": 0, **values}))
        return caught.exception.code

    def test_one_at_a_time(self):
        """Whoever is being raced is not raced by another one; the first race goes on."""
        anna, ben, _, _, race = self.agreed()
        carl = self.wire("carl")
        self.assertEqual(self.refused(carl, nick="ben"), "RACING")
        anna.send("PROBE", **self.probe(3, race))
        self.assertEqual(ben.wait("PROBE")["race"], race)
        anna.send("RACE_OVER", race=race, code=0)
        ben.wait("RACE_OVER")
        carl.ask("RACE", nick="ben", count=9, size=0)
        self.assertEqual(ben.wait("RACED")["nick"], "carl")

    def test_refusing(self):
        """Whoever is asked may say why not; words for that there are few."""
        ben = self.wire("ben")
        for nick, code, told in (("anna", "RACE_TOO_MUCH", "RACE_TOO_MUCH"), ("carl", "RACING", "RACING"),
                                 ("dora", "PROTOCOL", "NO_RIGHT")):
            wire = self.wire(nick)
            tag = wire.ask("RACE", nick="ben", count=9, size=0)
            race = ben.wait("RACED")["race"]
            ben.send("RACE_OVER", race=race, code=CODE[code])
            with self.assertRaises(Failed) as caught:
                wire.answer(tag)
            self.assertEqual(caught.exception.code, told)
            wire.send("PING", token=1)
            self.assertEqual(wire.wait("PONG")["token"], 1)

    def test_leaving(self):
        """Either's end is told to the other at once, before and after it was agreed on."""
        anna, ben, _, _, race = self.agreed()
        ben.close()
        self.assertEqual(anna.wait("RACE_OVER"), {"message": "RACE_OVER", "race": race, "code": CODE["QUIT"]})
        carl, dora = self.wire("carl"), self.wire("dora")
        tag = carl.ask("RACE", nick="dora", count=9, size=0)
        dora.wait("RACED")
        dora.close()
        with self.assertRaises(Failed) as caught:
            carl.answer(tag)
        self.assertEqual(caught.exception.code, "QUIT")

    def test_too_often(self):
        """However often somebody asks, few of it come."""
        anna, ben = self.wire("anna"), self.wire("ben")
        anna.ask("RACE", nick="ben", count=9, size=0)
        tags = [anna.ask("RACE", nick="ben", count=9, size=0) for _ in range(20)]
        for tag in tags:
            with self.assertRaises(Failed) as caught:
                anna.answer(tag)
            self.assertEqual(caught.exception.code, "RACE_TOO_SOON")
        ben.wait("RACED")
        ben.send("PING", token=1)
        while (message := ben.get())["message"] != "PONG":
            self.assertNotEqual(message["message"], "RACED")

    def test_refused(self):
        anna = self.wire("anna")
        self.wire("old", features=COMPARE)
        for code, values in (("NO_SUCH_PERSON", {"nick": "nobody"}), ("NO_LANE", {"nick": "old"}),
                             ("BAD_VALUE", {"nick": "anna"}), ("BAD_VALUE", {"count": 0}),
                             ("BAD_VALUE", {"count": 10001}), ("BAD_VALUE", {"size": 65508})):
            with self.assertRaises(Failed) as caught:
                anna.answer(anna.ask("RACE", **{"nick": "old", "count": 1, "size": 0, **values}))
            self.assertEqual(caught.exception.code, code)

    def test_one_who_does_not_read(self):
        """What cannot be relayed is lost, and nobody waits."""
        anna, _, _, _, race = self.agreed()
        for number in range(90):
            anna.send("PROBE", **self.probe(number, race, size=60000))
        anna.send("SAY", counter=1, kind=0, room="lobby", text="hi")
        anna.wait("ACK", counter=1)


    def fill(self, wire, race):
        """Send so much to whoever does not read that nothing fits any more, not even what is short."""
        number = itertools.count()
        for size in (60000, 0):
            before = self.numbers()["lane_dropped"]
            while self.numbers()["lane_dropped"] == before:
                for _ in range(100):
                    wire.send("PROBE", **self.probe(next(number), race, size=size))
                wire.send("PING", token=1)
                wire.wait("PONG")

    def test_one_who_cannot_be_asked(self):
        """A race that nobody heard of is none: it is refused, and has no end later."""
        anna, ben, _, _, race = self.agreed(count=10000)
        self.fill(anna, race)
        anna.send("RACE_OVER", race=race, code=0)
        anna.send("PING", token=1)
        anna.wait("PONG")
        zoe = self.wire("zoe")
        self.assertEqual(self.refused(zoe, nick="ben"), "RACE_FULL")
        ben.close()
        wait_for(lambda: self.status()["connections"] == 2, "ben to be gone")
        zoe.send("PING", token=1)
        while (message := zoe.get())["message"] != "PONG":
            self.assertNotEqual(message["message"], "ERROR", message)


class Rate(Lanes):
    options = ("--rate", "1", "--rate-burst", "20")

    def test_beyond_it(self):
        """What is too much is dropped, and the connection does not notice."""
        wire = self.wire("anna", rooms=())
        lane = self.lane(wire)
        before = self.numbers()
        for number in range(100):
            lane.send("PROBE", race=0, number=number, sent=0, back=0, padding="")
        wait_for(lambda: self.numbers()["lane_received"] - before["lane_received"] == 100, "all of them")
        now = self.numbers()
        self.assertGreater(now["lane_dropped"] - before["lane_dropped"], 70)
        wire.send("PING", token=1)
        wire.wait("PONG")

    def test_another_lane(self):
        """What was used up stays so, whatever lane takes the place of the one before."""
        wire = self.wire("anna", rooms=())
        before = self.numbers()
        asked = []
        for lanes in (1, 2):
            lane = self.lane(wire, opened=False)
            for _ in range(50):
                lane.send("TOSS", kind=0, room="lobby", text="hi")
            self.count(before, lane_received=50 * lanes, lane_strange=0)
            # Each that was looked at got a PING back, as nobody has answered from there yet.
            asked.append(self.numbers()["lane_sent"])
        self.assertGreaterEqual(asked[0], 20)
        self.assertLess(asked[1] - asked[0], 10)


class Toss(Lanes):
    """What is said as a datagram."""

    def test_room(self):
        """To those with a lane by it, to the others over TCP, to those who know of none not at all."""
        anna, ben, carl = self.wire("anna"), self.wire("ben"), self.wire("carl")
        old = self.wire("old", features=COMPARE)
        hers, his = self.lane(anna), self.lane(ben)
        hers.send("TOSS", kind=1, room="Lobby", text="catch")
        got = his.get()
        self.assertEqual((got["message"], got["nick"], got["room"], got["text"], got["kind"]),
                         ("TOSSED", "anna", "lobby", "catch", 1))
        self.assertEqual(carl.wait("TOSSED"), got)
        anna.send("SAY", counter=1, kind=0, room="lobby", text="end")
        for wire in (anna, ben, carl, old):
            while (message := wire.get())["message"] != "SAID":
                self.assertNotEqual(message["message"], "TOSSED")
        self.assertIsNone(hers.get(0))

    def test_no_history(self):
        anna = self.wire("anna")
        self.lane(anna).send("TOSS", kind=0, room="lobby", text="gone")
        anna.send("SAY", counter=1, kind=0, room="lobby", text="kept")
        anna.wait("ACK")
        page = anna.answer(anna.ask("HISTORY", room="lobby", **{"from": 0}, value=0, limit=10))
        self.assertEqual([entry["text"] for entry in page["entries"]], ["kept"])

    def test_not_allowed(self):
        """Not in a room, a topic, too long, under another nick; a new nick counts at once."""
        anna, ben = self.wire("anna", rooms=("dev",)), self.wire("ben", rooms=("lobby", "dev"))
        lane = self.lane(anna)
        before = self.numbers()
        lane.send("TOSS", kind=0, room="lobby", text="not in it")
        lane.send("TOSS", kind=0, room="nowhere", text="no such room")
        lane.send("TOSS", kind=3, room="dev", text="a topic")
        self.count(before, lane_dropped=3)
        anna.answer(anna.ask("NICK", nick="bea"))
        lane.send("TOSS", kind=0, room="dev", text="hi")
        self.assertEqual(ben.wait("TOSSED")["nick"], "bea")
        anna.answer(anna.ask("PART", room="dev"))
        lane.send("TOSS", kind=0, room="dev", text="out of it")
        self.count(before, lane_dropped=4)


if __name__ == "__main__":
    main()
