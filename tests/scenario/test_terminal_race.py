#!/usr/bin/env python3
"""The client in a real terminal: what is said as a datagram, and races of TCP against UDP, over the sealed
lane and over the insecure one."""

import json
import os
import re

from lib import Client, Lan, Pipe, Program, Scenario, Server, main, wait_for
from lib.wait import BUILD

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
        self.assertEqual(self.counts(anna)["arrived"], (5, 5))

    def test_ignored(self):
        """Who is ignored gets no answer."""
        anna, bob = self.client("anna"), self.client("bob")
        anna.wait_text("│2 people")
        bob.wait_text("anna")
        bob.enter("/ignore anna")
        bob.wait_text("is hidden now")
        anna.enter("/race bob 5")
        anna.wait_text("their program does not answer", 20)
        anna.keys("Escape")
        anna.wait_text("No race with bob: their program does not answer")
        self.assertNotIn("races TCP", bob.text())

    def test_nobody(self):
        anna = self.client("anna")
        anna.enter("/race nobody")
        anna.wait_text("No race: nobody of that name is here")
        anna.keys("q")
        for line in ("/race 0", "/race 5 99999", "/race 10001", "/race bob bob", "/race 1 2 3"):
            anna.enter(line)
            anna.wait_text(r"Use it so: /race \[NICK\] \[N\] \[SIZE\]")
            anna.keys("C-u")
            anna.enter("/clear")
            anna.wait_gone("Use it so")

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
        before = self.numbers()["lane_dropped"]
        bob.enter("/udp two")
        wait_for(lambda: self.numbers()["lane_dropped"] == before + 1, "it to be dropped")
        anna.enter("/unmute bob")
        bob.wait_text("speak again")
        bob.enter("/udp three")
        anna.wait_text(r"\(udp\) three")
        self.assertNotIn(r"(udp) two", anna.text())
        anna.enter("/ignore bob")
        anna.wait_text("is hidden now")
        bob.enter("/udp four")
        bob.enter("five")
        bob.wait_text("✓ *bob │ five")
        self.assertNotIn("four", anna.text())


class Firewall(Scenario):
    """Two machines, and what is between them lets no datagrams through."""

    def setUp(self):
        super().setUp()
        lan = Lan(self)
        self.here, there = lan.host("here"), lan.host("there")
        switch = lan.switch("office")
        lan.connect(self.here, switch, address="10.7.0.1/24")
        lan.connect(there, switch, address="10.7.0.2/24")
        # What is to vanish is looked at before the machine's own addresses.
        self.here.run("ip", "rule", "add", "pref", "10", "lookup", "local")
        self.here.run("ip", "rule", "del", "pref", "0")
        self.server = Server(self, "--name", "alpha", host=self.here, listen="10.7.0.1:0")
        self.anna = Client(self, f"10.7.0.1:{self.server.port}", "anna", host=there, columns=160)
        self.anna.wait_room()

    def firewall(self, on):
        """Datagrams that come to the server's machine vanish."""
        self.here.run("ip", "rule", "add" if on else "del", "pref", "5", "iif", "eth0", "ipproto",
                      "udp", "blackhole")

    def race(self):
        """The result's line."""
        self.anna.enter("/race 20")
        self.anna.wait_text(OVER, 30)
        self.anna.keys("Escape")
        self.anna.wait_gone("Esc: close")

    def test_from_the_start(self):
        self.firewall(True)
        self.race()
        self.anna.wait_text(r"TCP: 20 of 20 arrived, 0 lost")
        self.anna.wait_text(r"UDP: 0 of 20 arrived, 20 lost")
        self.anna.wait_text("a firewall may be in the way")
        self.anna.enter("/udp into the void")
        self.anna.wait_text("What was said with /udp may not have arrived: nothing comes back by UDP")
        self.anna.enter("the chat goes on")
        self.anna.wait_text("✓ *anna │ the chat goes on")

    def test_on_the_way(self):
        """The lane dies, and later works again; nobody but those who use it notices."""
        self.race()
        self.anna.wait_text(r"UDP: 20 of 20 arrived")
        self.firewall(True)
        self.race()
        self.anna.wait_text(r"UDP: 0 of 20 arrived, 20 lost")
        self.anna.enter("the chat goes on")
        self.anna.wait_text("✓ *anna │ the chat goes on")
        self.anna.enter("/clear")
        self.anna.wait_gone("UDP:")
        self.firewall(False)
        self.race()
        self.anna.wait_text(r"UDP: 20 of 20 arrived")
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


if __name__ == "__main__":
    main()
