#!/usr/bin/env python3
"""Servers are found with nothing typed, on every network that they listen on and on no other,
and leave the list when they leave.

The LAN has two switches, east and west, and three hosts: one on each, and `both`, which is on
both. No host has a default route.
"""

import json
import os
import signal
import statistics
import subprocess
import time

from lib import SLOW, Lan, Program, Scenario, Server, main, wait_for
from lib import beacon
from lib.process import FIXED_ADDRESSES
from lib.wait import BUILD

LANCHAT = os.path.join(BUILD, "lanchat")
RUNS = 40 if SLOW == 1 else 12
ANYWHERE = ("0.0.0.0:0", "[::]:0")


class Watcher(Program):
    """lanchat --discover on a host, looking until it is ended."""

    def __init__(self, case, host, *options):
        super().__init__(case, [LANCHAT, "--discover", "--json", "--timeout", "0", *options],
                         name="watcher", host=host, stdin=subprocess.DEVNULL)

    def events(self, kind=None, name=None):
        events = [json.loads(line) for line in self.read()]
        return [e for e in events
                if kind in (None, e["type"]) and name in (None, e["name"])]

    def wait_for(self, kind, name=None, count=1, timeout=10):
        """The event that is the `count`th of its kind."""
        wait_for(lambda: len(self.events(kind, name)) >= count, f"{count} times {kind} {name}",
                 timeout, self.tail)
        return self.events(kind, name)[count - 1]

    def addresses(self, name):
        """Of a server that is listed, by the newest event about it."""
        events = self.events(name=name)
        return events[-1]["addresses"] if events and events[-1]["type"] != "gone" else []

    def wait_addresses(self, name, *beginnings, timeout=10):
        """Until the server has an address that begins so, for each of these."""
        wait_for(lambda: all(any(a.startswith(b) for a in self.addresses(name))
                             for b in beginnings),
                 f"{name} at {beginnings}", timeout, self.tail)
        return self.addresses(name)


class Discovery(Scenario):
    def setUp(self):
        super().setUp()
        self.lan = Lan(self)
        self.east = self.lan.switch("east")
        self.west = self.lan.switch("west")
        self.left = self.lan.host("left")
        self.right = self.lan.host("right")
        self.both = self.lan.host("both")
        self.left_port = self.lan.connect(self.left, self.west, address="10.1.0.1/24")
        self.lan.connect(self.right, self.east, address="10.2.0.1/24")
        self.lan.connect(self.both, self.west, "eth0", "10.1.0.3/24")
        self.lan.connect(self.both, self.east, "eth1", "10.2.0.3/24")
        for host, interface in ((self.left, "eth0"), (self.right, "eth0"), (self.both, "eth0"),
                                (self.both, "eth1")):
            host.link_local(interface)

    def server(self, host, name, *options, listen=ANYWHERE, beacon=True):
        return Server(self, "--name", name, *options, listen=listen, beacon=beacon, host=host)

    def assert_not_found(self, host, *options):
        """Looking in vain says so, with the port that a firewall would have to open."""
        program = Program(self, [LANCHAT, "--discover", "--timeout", "2", *options], host=host,
                          stdin=subprocess.DEVNULL)
        self.assertEqual(program.wait(), 1, program.tail())
        self.assertEqual(program.read(), [])
        self.assertEqual(len(program.stderr().splitlines()), 1)
        self.assertIn(str(beacon.PORT), program.stderr())


class Finding(Discovery):
    def test_both_families(self):
        server = self.server(self.left, "anna")
        ports = [line.rsplit(":", 1)[1] for line in server.bound]
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "anna")
        addresses = watcher.wait_addresses("anna", "10.1.0.1:", "[fe80:")
        link_local = self.left.link_local("eth0")
        self.assertEqual(addresses, [f"10.1.0.1:{ports[0]}", f"[{link_local}%eth0]:{ports[1]}"])
        # In the first event, or where it was announced before the answer came, in a later one.
        wait_for(lambda: any(e["rtt_us"] for e in watcher.events("found") + watcher.events("changed")),
                 "the time of its answer", seen=watcher.tail)
        self.assertEqual(len(watcher.events("found")), 1)

    def test_one_family_each(self):
        """By IPv6 alone and by IPv4 alone; a host without IPv4 addresses finds the former. Of the latter it may
        hear an announcement, which is for everybody on the network, but gets no answer."""
        self.server(self.left, "six", listen="[::]:0")
        self.server(self.left, "four", listen="0.0.0.0:0")
        watcher = Watcher(self, self.both)
        self.assertTrue(all(a.startswith("[fe80:") for a in
                            watcher.wait_for("found", "six")["addresses"]))
        self.assertTrue(all(a.startswith("10.1.0.1:") for a in
                            watcher.wait_for("found", "four")["addresses"]))
        bare = self.lan.host("bare")
        self.lan.connect(bare, self.west)
        bare.link_local("eth0")
        watcher = Watcher(self, bare)
        watcher.wait_for("found", "six")
        self.assertEqual([e for e in watcher.events("found", "four") if e["rtt_us"] is not None], [])

    def test_one_row_per_server(self):
        """Seen over two networks and two families, and on its own host besides, it is one."""
        self.server(self.both, "anna")
        here = Watcher(self, self.both)
        addresses = here.wait_addresses("anna", "127.0.0.1:", "10.1.0.3:", "10.2.0.3:", "[fe80:")
        self.assertTrue(addresses[0].startswith("127.0.0.1:"), addresses)
        other = self.lan.host("other")
        self.lan.connect(other, self.west, "eth0", "10.1.0.4/24")
        self.lan.connect(other, self.east, "eth1", "10.2.0.4/24")
        there = Watcher(self, other)
        there.wait_addresses("anna", "10.1.0.3:", "10.2.0.3:", "[fe80:")
        for watcher in (here, there):
            self.assertEqual(len(watcher.events("found")), 1, watcher.tail())

    def test_several_on_one_host(self):
        """Two servers and three clients share the port, here and elsewhere."""
        first = self.server(self.both, "first")
        self.server(self.both, "second")
        watchers = [Watcher(self, host)
                    for host in (self.both, self.both, self.left, self.right)]
        for watcher in watchers:
            watcher.wait_for("found", "first")
            watcher.wait_for("found", "second")
        first.stop()
        for watcher in watchers:
            watcher.wait_for("gone", "first")
            self.assertEqual(watcher.events("gone", "second"), [])
            self.assertEqual(len(watcher.events("found")), 2, watcher.tail())

    def test_plain_lines(self):
        self.server(self.left, "класс 5")
        program = Program(self, [LANCHAT, "--discover", "--timeout", str(2 * SLOW)], host=self.both,
                          stdin=subprocess.DEVNULL)
        self.assertEqual(program.wait(20), 0)
        self.assertEqual(len(program.read()), 1, program.tail())
        self.assertRegex(program.read()[0],
                         r"^класс 5 +10\.1\.0\.1:\d+ +0 of \d+ people( +\d+\.\d ms)?$")
        self.assertEqual(program.stderr(), "")

    def test_nothing_there(self):
        self.assert_not_found(self.left)


class Coming(Discovery):
    def test_a_server_that_starts_later(self):
        """Heard at once: it announces itself."""
        watcher = Watcher(self, self.both)
        wait_for(lambda: watcher.threads() > 1, "the watcher to look", 10, watcher.tail)
        server = self.server(self.left, "late")
        began = time.monotonic()
        watcher.wait_for("found", "late")
        self.assertLess(time.monotonic() - began, 1 * SLOW)
        server.stop()
        watcher.wait_for("gone", "late")
        self.server(self.left, "late")
        watcher.wait_for("found", "late", count=2)

    def test_interface_down_and_up(self):
        self.server(self.left, "anna")
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "anna")
        self.left.down("eth0")
        self.left.run("ip", "addr", "flush", "dev", "eth0")
        watcher.wait_for("gone", "anna", timeout=9)
        self.left.run("ip", "addr", "add", "10.1.0.9/24", "dev", "eth0")
        self.left.up("eth0")
        began = time.monotonic()
        watcher.wait_for("found", "anna", count=2)
        self.assertLess(time.monotonic() - began, 4 * SLOW)
        watcher.wait_addresses("anna", "10.1.0.9:", "[fe80:")

    def test_own_interface_down_and_up(self):
        """The same, of the client's own."""
        self.server(self.left, "anna")
        watcher = Watcher(self, self.right)
        self.lan.connect(self.right, self.west, "eth1", "10.1.0.7/24")
        watcher.wait_for("found", "anna")
        self.right.down("eth1")
        watcher.wait_for("gone", "anna", timeout=9)
        self.right.up("eth1")
        watcher.wait_for("found", "anna", count=2)

    def test_cable_pulled(self):
        self.server(self.left, "anna")
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "anna")
        self.lan.unplug(self.left_port)
        watcher.wait_for("gone", "anna", timeout=9)
        self.lan.plug(self.left_port)
        watcher.wait_for("found", "anna", count=2)

    def test_new_interface(self):
        """Of the server's; its IPv6 address takes a while to be usable."""
        self.server(self.left, "anna")
        watcher = Watcher(self, self.right)
        self.lan.connect(self.left, self.east, "eth1", "10.2.0.7/24", quick=False)
        watcher.wait_for("found", "anna")
        watcher.wait_addresses("anna", "10.2.0.7:", "[fe80:")

    def test_renamed(self):
        """A new name in the config file is announced when the server is told to read it."""
        config = os.path.join(self.dir, "config")
        write(config, "name = before\n")
        server = Server(self, "--config", config, listen=ANYWHERE, beacon=True, host=self.left)
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "before")
        write(config, "name = after\n")
        server.send_signal(signal.SIGHUP)
        watcher.wait_for("changed", "after")
        self.assertEqual(len(watcher.events("found")), 1)


class Going(Discovery):
    def setUp(self):
        super().setUp()
        self.anna = self.server(self.left, "anna")
        self.watcher = Watcher(self, self.both)
        self.watcher.wait_for("found", "anna")

    def wait_gone(self, longest):
        began = time.monotonic()
        self.watcher.wait_for("gone", "anna")
        took = time.monotonic() - began
        self.assertLess(took, longest * SLOW)
        print(f"# gone after {took * 1000:.0f} ms")

    def test_goodbye(self):
        self.anna.send_signal(signal.SIGTERM)
        self.wait_gone(1)
        self.assertEqual(self.anna.wait(), 0)

    def test_killed(self):
        self.anna.kill()
        self.wait_gone(7)

    def test_silent_host(self):
        """Not even its kernel answers any more."""
        self.lan.unplug(self.left_port)
        self.anna.kill()
        self.wait_gone(7)


class Where(Discovery):
    def test_no_beacon(self):
        self.server(self.left, "anna", beacon=False)
        self.assert_not_found(self.both)
        self.assert_not_found(self.left)

    def test_servers_interfaces(self):
        """`lo` was not among those that were asked for."""
        self.server(self.both, "anna", "--interface", "eth1")
        Watcher(self, self.right).wait_for("found", "anna")
        self.assert_not_found(self.left)
        self.assert_not_found(self.both, "--interface", "lo")

    def test_servers_other_interfaces(self):
        self.server(self.both, "anna", "--not-interface", "eth[1-9]", "--not-interface", "lo")
        Watcher(self, self.left).wait_for("found", "anna")
        self.assert_not_found(self.right)

    def test_clients_interfaces(self):
        self.server(self.left, "left")
        self.server(self.right, "right")
        west = Watcher(self, self.both, "--interface", "eth0")
        east = Watcher(self, self.both, "--not-interface", "eth0")
        west.wait_for("found", "left")
        east.wait_for("found", "right")
        self.assertEqual(len(west.events("found")), 1)
        self.assertEqual(len(east.events("found")), 1)

    def test_loopback_alone(self):
        """Found on its own host, by either family, and never mentioned to the LAN."""
        neighbour = beacon.Station(self, self.both)
        four = self.server(self.left, "four", listen="127.0.0.1:0")
        six = self.server(self.left, "six", listen="[::1]:0")
        watcher = Watcher(self, self.left)
        self.assertEqual(watcher.wait_for("found", "four")["addresses"], four.bound)
        self.assertEqual(watcher.wait_for("found", "six")["addresses"], six.bound)
        self.assert_not_found(self.both)
        named = neighbour.hear(0, lambda packet: beacon.kind(packet) != beacon.QUERY)
        self.assertEqual(named, [])

    def test_one_address(self):
        """A server on one address is advertised with that one, where it is."""
        self.server(self.both, "anna", listen="10.2.0.3:0")
        found = Watcher(self, self.right).wait_for("found", "anna")
        self.assertRegex(found["addresses"][0], r"^10\.2\.0\.3:")
        self.assertEqual(len(found["addresses"]), 1)
        self.assert_not_found(self.left)


class Strangers(Discovery):
    """What others on the network may send."""

    def setUp(self):
        super().setUp()
        self.anna = self.server(self.left, "anna")
        self.station = beacon.Station(self, self.both)

    def ask(self, packet, station=None):
        (station or self.station).broadcast(packet, "10.1.0.255")

    def answers(self, seconds, most=None, station=None):
        return (station or self.station).hear(
            seconds, lambda packet: beacon.kind(packet) == beacon.ANSWER, most)

    def test_answer_is_as_long_as_the_question(self):
        self.ask(beacon.encode(beacon.QUERY, nonce=b"12345678"))
        (packet, source), = self.answers(5, most=1)
        answer = beacon.decode(packet)
        self.assertEqual(source[0], "10.1.0.1")
        self.assertEqual(answer["nonce"], b"12345678")
        self.assertEqual(answer["name"], "anna")
        self.assertEqual(answer["port"], self.anna.port)
        self.assertEqual(answer["padding"], bytes(44))
        self.assertLessEqual(answer["lifetime"], 6500)
        # Also when asked by itself, and then from the very port that was asked.
        self.station.private.sendto(beacon.encode(beacon.QUERY, nonce=b"87654321"), source)
        (packet, again), = self.answers(5, most=1)
        self.assertEqual(again, source)
        self.assertEqual(beacon.decode(packet)["nonce"], b"87654321")

    def test_silence_to_nonsense(self):
        good = beacon.encode(beacon.QUERY, nonce=b"12345678")
        far = beacon.Station(self, self.both, hops=64)
        for packet in (b"", good[:-1], good + b"\0", b"LCB2" + good[4:], good[:-1] + b"\1",
                       good[:4] + b"\0" + good[5:], good[:4] + b"\5" + good[5:],
                       good[:10] + b"\1\1" + good[12:], good[:6] + b"\2\2" + good[8:],
                       bytes(192), beacon.announcement("x"), b"x" * 1400):
            self.ask(packet)
        self.ask(good, far)
        # The answer to a good one comes after all that was to be ignored, and alone.
        self.ask(beacon.encode(beacon.QUERY, nonce=b"the good"))
        heard = self.answers(5, most=1) + self.answers(0.3)
        self.assertEqual([beacon.decode(p)["nonce"] for p, _ in heard], [b"the good"])
        self.assertEqual(self.answers(0, station=far), [])

    def test_rate_limit(self):
        """Nobody is answered without end; others are answered all the same."""
        began = time.monotonic()
        for _ in range(1000):
            self.ask(beacon.encode(beacon.QUERY, nonce=os.urandom(8)))
        heard = len(self.answers(0.5))
        took = time.monotonic() - began
        self.assertGreater(heard, 10)
        self.assertLess(heard, 64 + 32 * (took + 1))
        other = self.lan.host("other")
        self.lan.connect(other, self.west, address="10.1.0.8/24")
        Watcher(self, other).wait_for("found", "anna")

    def test_false_goodbye(self):
        """Whoever heard all that a server said cannot say goodbye for it."""
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "anna")
        self.ask(beacon.encode(beacon.QUERY, nonce=b"12345678"))
        (packet, _), = self.answers(5, most=1)
        for proof in (packet[84:100], bytes(16), os.urandom(16)):
            false = bytearray(packet)
            false[4] = beacon.GOODBYE
            false[84:100] = proof
            self.ask(bytes(false))
        # What is sent after them is heard after them.
        self.ask(beacon.announcement("last"))
        watcher.wait_for("found", "last")
        self.assertEqual(watcher.events("gone"), [])

    def test_true_goodbye_of_another(self):
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "anna")
        secret, server, instance = os.urandom(16), os.urandom(32), os.urandom(16)
        self.ask(beacon.announcement("x", secret=secret, server=server, instance=instance))
        watcher.wait_for("found", "x")
        self.ask(beacon.encode(beacon.GOODBYE, port=1, sequence=2, server=server,
                               instance=instance, proof=secret, name=b"x"))
        watcher.wait_for("gone", "x", timeout=4)

    def test_flood_of_fakes(self):
        """The list is bounded; who was on it stays."""
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "anna")
        for i in range(2000):
            self.ask(beacon.announcement(f"fake {i}"))
        watcher.wait_for("found", count=17)
        began = time.monotonic()
        late = self.server(self.right, "late")
        watcher.wait_for("found", "late")
        self.assertLess(time.monotonic() - began, 5 * SLOW)
        self.assertLessEqual(len(watcher.events("found")), 1 + 16 + 1)
        self.assertEqual(watcher.events("gone", "anna"), [])
        late.stop()
        watcher.wait_for("gone", "late")

    def test_hostile_names(self):
        """A name that a terminal should not be sent makes the packet worthless."""
        watcher = Watcher(self, self.both)
        watcher.wait_for("found", "anna")
        for name in ("\x1b]0;x\x07", "a\nb", "\u202eevil", "\x7f"):
            self.ask(beacon.announcement(name))
        self.ask(beacon.announcement("good"))
        watcher.wait_for("found", "good")
        self.assertEqual({e["name"] for e in watcher.events("found")} - {"anna"}, {"good"})

    def test_no_name(self):
        """A server that calls itself nothing still has a line that can be seen and chosen."""
        program = Program(self, [LANCHAT, "--discover", "--timeout", "60"], host=self.both,
                          stdin=subprocess.DEVNULL)
        wait_for(lambda: len(program.read()) >= 1, "the first line", seen=program.tail)
        self.ask(beacon.announcement("", lifetime=1000))
        wait_for(lambda: "gone: (no name)" in program.read(), "its end", seen=program.tail)
        self.assertTrue(any(line.startswith("(no name)") for line in program.read()), program.tail())


class Speed(Discovery):
    longest = 120

    def test_time_to_discover(self):
        """From starting the program to its first line; median and worst of forty."""
        self.server(self.left, "anna")
        Watcher(self, self.both).wait_for("found", "anna")
        times = sorted(self.one_run() for _ in range(RUNS))
        median = statistics.median(times) * 1000
        print(f"# discovered in {median:.1f} ms (median of {RUNS}), {times[-1] * 1000:.1f} ms at "
              f"worst")
        self.assertLess(median, 100 * SLOW)

    def one_run(self):
        argv = FIXED_ADDRESSES + [LANCHAT, "--discover", "--json"]
        with self.both.inside():
            began = time.monotonic()
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       env=self.programs[0].environment(None))
        try:
            line = process.stdout.readline()
            took = time.monotonic() - began
        finally:
            process.terminate()
            process.stdout.close()
            process.wait()
        self.assertEqual(json.loads(line)["name"], "anna")
        return took


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
