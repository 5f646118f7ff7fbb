#!/usr/bin/env python3
"""The client in a real terminal: what is said as a datagram, and races of TCP against UDP, over the sealed
lane and over the insecure one."""

import json
import os
import re
import signal
import socket
import threading

from lib import Client, Lan, Pipe, Program, Scenario, Server, main, wait_for
from lib.proxy import Proxy
from lib.wait import BUILD
from stranger import COMPARE, LANES, Failed, Wire

LANCHATD = os.path.join(BUILD, "lanchatd")
OVER = "The race is over"


class Races(Scenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self, "--name", "alpha", *self.options)

    options = ()

    def env(self, nick):
        home = os.path.join(self.dir, nick)  # a key of their own
        return {f"XDG_{kind}_HOME": f"{home}/{kind}" for kind in ("DATA", "STATE", "CONFIG")}

    def client(self, nick, *options, columns=160, **more):
        client = Client(self, self.server, nick, *options, env=self.env(nick), columns=columns, **more)
        client.wait_room()
        return client

    def numbers(self):
        program = Program(self, [LANCHATD, "--status", "--json", "--data", self.server.data])
        self.assertEqual(program.wait(20), 0, program.tail())
        with open(program.out_path, encoding="utf-8") as f:
            status = json.loads(f.read())
        return {name: status[name] for name in status if name.startswith("lane")}

    def counts(self, client):
        """What the panes show: [(TCP, UDP)] by label."""
        rows = {}
        for line in client.screen():
            found = re.match(r"\s*(sent|arrived|lost|late|twice) +(\d+) *│ *\1 +(\d+)", line)
            if found:
                rows[found[1]] = (int(found[2]), int(found[3]))
        return rows


class Sealed(Races):
    def test_server(self):
        """To the server and back: all of it by both ways, and the score stays."""
        anna = self.client("anna", columns=80)
        anna.enter("/race 50")
        anna.wait_text(OVER, 20)
        self.assertEqual(self.counts(anna), {"sent": (50, 50), "arrived": (50, 50), "lost": (0, 0),
                                             "late": (0, 0), "twice": (0, 0)})
        anna.same("race")
        anna.resize(160, 24)
        anna.keys("Escape")
        anna.wait_text(r"Race with the server, datagrams of 200 bytes\. TCP: 50 of 50 arrived")
        anna.wait_text(r"UDP:")
        self.assertNotIn("insecure", anna.text())
        numbers = self.numbers()
        self.assertEqual((numbers["lanes"], numbers["lane_strange"], numbers["lane_forged"],
                          numbers["lane_dropped"]), (1, 0, 0, 0))

    def test_person(self):
        """The other one is told, and their program sends back."""
        anna, bob = self.client("anna"), self.client("bob")
        anna.enter("/query bob")
        anna.wait_text("@bob|bob")
        anna.enter("/race 40 1000")
        bob.wait_text("anna races TCP against UDP with you: 40 messages each way, of 1000 bytes")
        anna.wait_text(OVER, 20)
        self.assertEqual(self.counts(anna), {"sent": (40, 40), "arrived": (40, 40), "lost": (0, 0),
                                             "late": (0, 0), "twice": (0, 0)})
        anna.keys("Escape")
        anna.wait_text("Race with bob, datagrams of 1000 bytes")
        anna.wait_gone("Esc: close")

    def test_long_ones(self):
        """Datagrams that the network sends in pieces."""
        anna = self.client("anna")
        anna.enter("/race 5 65507")
        anna.wait_text(OVER, 20)
        # A socket has room for two of them: where a machine stands still for a moment, one may be lost.
        counts = self.counts(anna)
        self.assertEqual(counts["sent"], (5, 5))
        self.assertEqual(counts["arrived"][0], 5)
        self.assertGreater(counts["arrived"][1], 0)
        self.assertEqual(counts["arrived"][1] + counts["lost"][1], 5, counts)

    def test_ignored(self):
        """Who is ignored gets no answer."""
        anna, bob = self.client("anna"), self.client("bob")
        anna.wait_text("│2 people")
        bob.wait_text("anna")
        bob.enter("/ignore anna")
        bob.wait_text("on is hidden")
        anna.enter("/race bob 5")
        anna.wait_text("their program does not answer", 20)
        anna.keys("Escape")
        anna.wait_text("No race with bob: their program does not answer")
        self.assertNotIn("races TCP", bob.text())

    def test_nobody(self):
        anna = self.client("anna")
        anna.enter("/race nobody")
        anna.wait_text("No race: nobody of that name is here")
        anna.keys("C-c")
        for line in ("/race 0", "/race 5 99999", "/race 10001", "/race bob bob", "/race 1 2 3"):
            anna.enter(line)
            anna.wait_text(r"Use it so: /race \[NICK\] \[N\] \[SIZE\]")
            anna.keys("C-u")
            anna.enter("/clear")
            anna.wait_gone("Use it so")

    def test_oneself(self):
        anna = self.client("anna")
        anna.enter("/race anna")
        anna.wait_text("No race: nobody can race themselves; race the server instead")

    def test_keys(self):
        """Only Escape and ^C close it: what else is typed meanwhile does nothing, anywhere."""
        anna = self.client("anna")
        anna.enter("/race 5")
        anna.wait_text(OVER, 20)
        anna.keys("q", "Enter", "C-g", "x", "Escape")
        anna.wait_text("Race with the server, datagrams of")
        anna.enter("said")
        anna.wait_text(r"✓ *anna │ said\b")

    def test_small_windows(self):
        """Where there is no room for both panes, each way has a line or two; nothing is missing."""
        anna = self.client("anna", columns=80)
        anna.enter("/race 50")
        anna.wait_text(OVER, 20)
        times = r"p50 \d+\.\d ms, p99 \d+\.\d ms"
        score = "50/50, 0 lost, 0 late, 0 twice"
        whole = r"(?s)\A" + "".join(f"(?=.*{wanted})" for wanted in (
            f"TCP {score}", f"UDP {score}", f"{times}.*{times}", OVER, "Esc: close"))
        for columns, lines in ((60, 15), (40, 10), (80, 12)):
            anna.resize(columns, lines)
            anna.wait_text(whole)  # on one screen: it may be drawn more than once
            if lines == 12:
                anna.same("race-small")

    def test_udp(self):
        """Said as a datagram, and marked as one on all screens; not in the history."""
        anna, bob = self.client("anna"), self.client("bob")
        pipe = Pipe(self, self.server, "carl", env=self.env("carl"))
        pipe.wait_joined()
        plain = Pipe(self, self.server, "dora", json=False, env=self.env("dora"))
        anna.wait_text("│4 people")
        bob.wait_text("│4 people")
        bob.enter("/udp here I come")  # which opens a lane
        anna.wait_text(r"≈ *bob │ \(udp\) here I come")
        bob.wait_text(r"≈ *bob │ \(udp\) here I come")
        anna.enter("/udp catch")
        bob.wait_text(r"≈ *anna │ \(udp\) catch")
        plain.wait_line(r"^\[lobby\] anna: \(udp\) catch$")
        line = pipe.wait_event("message", text="catch")
        wanted = {"room": "lobby", "from": "anna", "seq": None, "id": None, "kind": "text", "own": False,
                  "datagram": True}
        self.assertEqual({name: line[name] for name in wanted}, wanted)
        anna.enter("kept")
        bob.wait_text("anna │ kept")
        late = self.client("late")
        late.wait_text("kept")
        self.assertNotIn("catch", late.text())
        anna.enter("/join den")
        anna.wait_text("You are in #den")
        anna.enter("/query bob")
        anna.enter("/udp psst")
        anna.wait_text("Only in a room")

    def test_rights(self):
        """Who may not speak cannot do so in datagrams either."""
        anna, bob = self.client("anna"), self.client("bob")
        for one in (anna, bob):
            one.enter("/join den")
            one.wait_text("You are in #den")
        bob.enter("/udp one")
        anna.wait_text(r"\(udp\) one")
        anna.enter("/mute bob")
        bob.wait_text("anna muted bob")
        bob.wait_text("-bob")  # he knows
        bob.enter("/udp two")
        bob.wait_text("You are muted here")
        self.assertNotIn("(udp) two", bob.text())
        bob.keys("C-u")
        anna.enter("/unmute bob")
        bob.wait_text("speak again")
        bob.enter("/udp three")
        anna.wait_text(r"\(udp\) three")
        self.assertNotIn(r"(udp) two", anna.text())
        anna.enter("/ignore bob")
        anna.wait_text("on is hidden")
        bob.enter("/udp four")
        bob.enter("five")
        bob.wait_text("✓ *bob │ five")
        self.assertNotIn("four", anna.text())


class Guests(Races):
    """Who is raced."""

    def test_second(self):
        """A second race is refused, and the first one goes on."""
        anna, bob, carl = (self.client(nick) for nick in ("anna", "bob", "carl"))
        anna.wait_text("│3 people")
        anna.enter("/race bob 500")
        bob.wait_text("anna races TCP against UDP with you: 500 messages each way, of 200 bytes")
        anna.wait_text("Sending")
        carl.enter("/race bob 5")
        carl.wait_text("No race: they are in a race already")
        anna.wait_text(OVER, 30)
        self.assertEqual([self.counts(anna)[row][0] for row in ("sent", "arrived", "lost")], [500, 500, 0])
        self.assertNotIn("carl races", bob.text())
        # It is over for bob, too.
        carl.keys("Escape")
        carl.wait_gone("Esc: close")
        carl.enter("/race bob 5")
        carl.wait_text(OVER, 20)

    def test_too_much(self):
        """What they would not send back is refused here, before anything is sent."""
        anna, bob = self.client("anna"), self.client("bob")
        anna.wait_text("│2 people")
        for line, limit in (("/race bob 1100 100", "1000 messages of 100 bytes"),
                            ("/race bob 300 65507", "256 messages of 65507 bytes")):
            anna.enter(line)
            anna.wait_text("a race has at most " + limit)
            anna.keys("C-u")
        self.assertNotIn("races TCP", bob.text())

    def test_killed(self):
        """Whoever is raced is gone: it ends, and TCP has lost nothing."""
        anna, bob = self.client("anna"), self.client("bob")
        anna.wait_text("│2 people")
        anna.enter("/race bob 1000")
        anna.wait_text("Sending")
        os.kill(bob.pid(), signal.SIGKILL)
        anna.wait_text("The race ended early: bob has left, or their connection broke", 20)
        anna.keys("Escape")
        anna.wait_text(r"Race with bob \(not to its end\).*TCP: \d+ of \d+ arrived, 0 lost")
        anna.wait_text(r"\(bob\b")


class Doubler:
    """Between a client at 127.0.0.1 and the lane at 127.0.0.2, on the same port: what comes from the
    server goes on twice."""

    def __init__(self, case, port):
        self.here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.here.bind(("127.0.0.1", port))
        self.lane = ("127.0.0.2", port)
        self.client = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        case.addCleanup(self.close)

    def run(self):
        while True:
            data, sender = self.here.recvfrom(65536)
            if not data:
                return
            if sender != self.lane:
                self.client = sender
                self.here.sendto(data, self.lane)
            elif self.client:
                for _ in range(2):
                    self.here.sendto(data, self.client)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.here.getsockname())
        self.thread.join()
        self.here.close()


class Doubled(Races):
    """A network that doubles datagrams, those of a sealed lane."""

    def setUp(self):
        Scenario.setUp(self)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.server = Server(self, "--name", "alpha", "--lane", str(port), *self.options,
                             listen="127.0.0.2:0")
        self.proxy = Proxy(self, ("127.0.0.2", self.server.port), 1)
        self.proxy.cutting = False
        Doubler(self, port)

    def test_twice(self):
        anna = Client(self, f"127.0.0.1:{self.proxy.address[1]}", "anna", env=self.env("anna"), columns=160)
        anna.wait_room()
        anna.enter("/race 20")
        anna.wait_text(OVER, 20)
        self.assertEqual(self.counts(anna), {"sent": (20, 20), "arrived": (20, 20), "lost": (0, 0),
                                             "late": (0, 0), "twice": (0, 20)})


class DoubledInsecure(Doubled):
    plaintext = True


class Firewall(Scenario):
    """Two machines, and what is between them lets no datagrams through."""

    def setUp(self):
        super().setUp()
        lan = Lan(self)
        self.here, self.there = lan.host("here"), lan.host("there")
        switch = lan.switch("office")
        lan.connect(self.here, switch, address="10.7.0.1/24")
        lan.connect(self.there, switch, address="10.7.0.2/24")
        # What is to vanish is looked at before the machine's own addresses.
        self.here.run("ip", "rule", "add", "pref", "10", "lookup", "local")
        self.here.run("ip", "rule", "del", "pref", "0")
        self.server = Server(self, "--name", "alpha", host=self.here, listen="10.7.0.1:0")
        self.anna = Client(self, f"10.7.0.1:{self.server.port}", "anna", host=self.there, columns=160)
        self.anna.wait_room()

    def firewall(self, on):
        """Datagrams that come to the server's machine vanish."""
        self.here.run("ip", "rule", "add" if on else "del", "pref", "5", "iif", "eth0", "ipproto",
                      "udp", "blackhole")

    def told(self, pattern):
        """Until that is among what was said. It may go on in the next row, wherever the figures before it
        make it do so."""
        def found():
            rows = [line.split("│") for line in self.anna.screen()]
            return re.search(pattern, " ".join(row[2].strip() for row in rows if len(row) == 4))
        wait_for(found, f"{pattern!r} in the room", seen=self.anna.text)

    def race(self):
        """The result's line."""
        self.anna.enter("/race 20")
        self.anna.wait_text(OVER, 30)
        self.anna.keys("Escape")
        self.anna.wait_gone("Esc: close")

    def datagrams(self):
        """How many the client's machine has sent."""
        names, values = [line.split()[1:] for line in
                         self.there.run("cat", "/proc/net/snmp").splitlines() if line.startswith("Udp:")]
        return int(values[names.index("OutDatagrams")])

    def test_from_the_start(self):
        self.firewall(True)
        before = self.datagrams()
        self.race()
        # Twenty of the race. The way was tried five times before, within two seconds: while nothing else
        # happens, the client wakes for that.
        self.assertGreaterEqual(self.datagrams() - before, 25)
        self.told("TCP: 20 of 20 arrived, 0 lost.*UDP: 0 of 20 arrived, 20 lost.*a firewall may be in the way")
        self.anna.enter("/udp into the void")
        self.told("What was said with /udp may not have arrived: nothing comes back by UDP")
        self.anna.enter("the chat goes on")
        self.anna.wait_text("✓ *anna │ the chat goes on")

    def test_on_the_way(self):
        """The lane dies, and later works again; nobody but those who use it notices."""
        self.race()
        self.told("UDP: 20 of 20 arrived")
        self.firewall(True)
        self.race()
        self.told(r"UDP: 0 of 20 arrived, 20 lost, 0 late, 0 twice\. \(nothing came back by UDP;")
        self.anna.enter("the chat goes on")
        self.anna.wait_text("✓ *anna │ the chat goes on")
        self.anna.enter("/clear")
        self.anna.wait_gone("UDP:")
        self.firewall(False)
        self.race()
        self.told("UDP: 20 of 20 arrived")
        self.assertNotIn("Connected again", self.anna.text())


class Off(Races):
    options = ("--lane", "off")

    def test_no_lane(self):
        anna = self.client("anna")
        anna.enter("/race")
        anna.wait_text("There is no datagram lane to this server")
        anna.keys("C-u")
        anna.enter("/udp hi")
        anna.wait_gone("/race")
        anna.wait_text("There is no datagram lane to this server")


class Insecure(Races):
    plaintext = True

    def test_says_so(self):
        anna = self.client("anna")
        anna.enter("/race 5")
        anna.wait_text(OVER, 20)
        anna.wait_text(r"UDP, insecure: each datagram for itself")
        self.assertEqual(self.counts(anna)["arrived"], (5, 5))
        anna.keys("Escape")
        anna.wait_text(r"datagrams of 200 bytes \(insecure\)")

    def test_true_size(self):
        """What is shown is what is sent: never less than the headers, nor more than a line of padding."""
        anna = self.client("anna")
        for line, shown in (("/race 1 1", "1 message of 44 bytes each way"),
                            ("/race 2 65507", "2 messages of 65491 bytes each way")):
            anna.enter(line)
            anna.wait_text(OVER, 20)
            self.assertIn(shown, anna.text())
            anna.keys("Escape")
            anna.wait_gone("Esc: close")

    def test_flood(self):
        """Whoever asks by many connections is told once on the screen, and nothing is refused there; a
        race of more than is sent back is refused without a word."""
        bob = self.client("bob")
        wires = []
        for nick in ("one", "two", "three", "four", "five"):
            wires.append(Wire(self.server.port))
            self.addCleanup(wires[-1].close)
            wires[-1].hello(features=LANES | COMPARE)
            wires[-1].login(nick)
        with self.assertRaises(Failed) as caught:
            wires[0].answer(wires[0].ask("RACE", nick="bob", count=1100, size=100))
        self.assertEqual(caught.exception.code, "RACE_TOO_MUCH")
        tags = [wire.ask("RACE", nick="bob", count=5, size=100) for wire in wires[1:]]
        codes = []
        for wire, tag in zip(wires[1:], tags):
            try:
                wire.answer(tag)
            except Failed as failed:
                codes.append(failed.code)
        self.assertEqual(len(codes), 3)
        self.assertLessEqual(set(codes), {"RACE_TOO_SOON", "RACING"})
        bob.enter("/rooms")
        bob.wait_text("1 room:")  # and so all that the server sent before
        self.assertEqual(len(re.findall("races TCP", bob.text())), 1)
        self.assertNotIn("1100", bob.text())
        self.assertNotIn("Refused", bob.text())


if __name__ == "__main__":
    main()
