#!/usr/bin/env python3
"""Peers that stall, break off, lie and talk nonsense: each costs at most its own connection."""

import random
import signal
import time
import unittest

from lib import Pipe, Raw, SLOW, PlainScenario, Server, brief, main, wait_for, wire

HELLO = wire.encode("HELLO", version_low=1, version_high=1, agent="scenario")


class Faults(PlainScenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self, *self.options())
        self.witness = Raw(self, self.server)
        self.witness.login("witness")
        self.witness.join("lobby")

    def options(self):
        return ()

    def still_works(self):
        """The server answers somebody else, at once."""
        began = time.monotonic()
        counter = self.witness.say("still there?")
        self.witness.expect("ACK", counter=counter)
        self.assertLess(time.monotonic() - began, 2 * SLOW)
        self.assertTrue(self.server.running(), self.server.tail())

    def assert_closed(self, raw, code=None, timeout=5):
        """The server ends the connection, and says why where it can."""
        _, got = raw.wait_end(timeout)
        if code is not None:
            codes = [values["code"] for name, values in got if name in ("ERROR", "BYE")]
            self.assertIn(wire.CODES[code], codes, got)


class Nonsense(Faults):
    def test_huge_length(self):
        """Refused by its header alone: not a byte of the payload is waited for."""
        for length in (wire.PAYLOAD_MAX + 1, 0x7fffffff, 0xffffffff):
            raw = Raw(self, self.server)
            raw.send(wire.frame(1, length=length))
            self.assert_closed(raw, "PROTOCOL")
        self.still_works()

    def test_before_login(self):
        """A stranger may not chat, nor send big frames."""
        raw = Raw(self, self.server)
        raw.message("SAY", counter=1, room="lobby", text="hi")
        self.assert_closed(raw, "LOGIN_FIRST")
        raw = Raw(self, self.server)
        raw.send(HELLO + wire.frame(3, length=60000))
        self.assert_closed(raw)
        self.still_works()

    def test_malformed(self):
        good = wire.encode("PING", token=1)
        bad = {
            "empty payload": wire.frame(0x20),
            "truncated": wire.frame(0x20, b"\0" * 11),
            "left over": wire.frame(5, bytes(9)),
            "length within beyond the end": wire.frame(0x10, bytes(4) + b"\xff\xff" + b"lobby"),
            "text above its limit": wire.encode("JOIN", room="r" * 65),
            "message above its limit": wire.encode("SAY", room="lobby", text="x" * 4097),
            "empty name": wire.encode("JOIN", room=""),
            "unknown type": wire.frame(0x7777, b"?"),
            "undefined flag": wire.frame(5, bytes(8), flags=0x8000),
            "a server's message": wire.encode("ACK", counter=1),
            "a second HELLO": HELLO,
        }
        for name, data in bad.items():
            with self.subTest(name):
                raw = Raw(self, self.server)
                raw.login("anna", flags=1)
                raw.send(good + data + good)
                self.assert_closed(raw, "PROTOCOL")
        self.still_works()

    def test_skipped(self):
        """An unknown frame that may be passed over is."""
        raw = Raw(self, self.server)
        raw.send(wire.frame(0x7776, b"first of all", flags=wire.FLAG_SKIP))
        raw.login("anna")
        raw.send(wire.frame(0x7777, b"from the future" * 100, flags=wire.FLAG_SKIP))
        raw.message("PING", token=9)
        raw.expect("PONG", token=9)

    def test_other_protocols(self):
        """A TLS hello, a browser, a telnet: closed at once, without a spin."""
        for data in (bytes.fromhex("1603010200010001fc0303"), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"\r\n\r\n\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"):
            raw = Raw(self, self.server)
            raw.send(data)
            began = time.monotonic()
            self.assert_closed(raw)
            self.assertLess(time.monotonic() - began, 2 * SLOW)
        self.still_works()

    def test_versions(self):
        raw = Raw(self, self.server)
        raw.message("HELLO", version_low=900, version_high=901, agent="from tomorrow")
        self.assert_closed(raw, "VERSION")
        raw = Raw(self, self.server)
        raw.message("HELLO", version_low=1, version_high=901, agent="knows both")
        self.assertEqual(raw.expect("WELCOME")["version"], 1)

    def test_any_cut(self):
        """However the bytes are cut up, they mean the same."""
        raw = Raw(self, self.server)
        data = HELLO + wire.encode("PING", token=3)
        for byte in data:
            raw.send(bytes([byte]))
        raw.expect("WELCOME")
        raw.expect("PONG", token=3)

    def test_random_bytes(self):
        """Noise, and real frames with some bytes changed."""
        chance = random.Random(19830)
        rounds = 100 if brief() else 2000
        for i in range(rounds):
            raw = Raw(self, self.server)
            if i % 2:
                raw.login(f"n{i}", flags=1)
            data = bytearray(b"".join([
                wire.encode("JOIN", tag=1, room="lobby"), wire.encode("NICK", tag=2, nick="x"),
                wire.encode("SAY", counter=1, room="lobby", text="changed"),
                wire.encode("MEMBERS", tag=3, room="lobby", limit=9)]))
            for _ in range(1 + i % 8):
                data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                raw.send(bytes(data) if i % 4 else chance.randbytes(200))
            except OSError:
                pass  # closed before all of it was sent
            raw.socket.close()
        self.still_works()

    def test_no_growth(self):
        """Connections that end before they log in leave nothing behind."""
        def visit(count):
            for i in range(count):
                raw = Raw(self, self.server)
                if i % 3 == 1:
                    raw.send(HELLO[:5])
                elif i % 3 == 2:
                    raw.hello()
                if i % 2:
                    raw.reset()
                else:
                    raw.socket.close()
                if i % 100 == 0:
                    self.witness.receive(0.001)  # it answers pings, or would be idle itself
        def settled():
            return self.server.threads() if self.server.descriptors() <= files else None
        files = self.server.descriptors()
        visit(200)
        wait_for(settled, "the connections to be gone", seen=self.server.descriptors)
        threads, before = self.server.threads(), self.server.rss_kib()
        visit(300 if brief() else 10000)
        wait_for(settled, "the connections to be gone", seen=self.server.descriptors)
        wait_for(lambda: self.server.threads() <= threads and settled(), "their threads to be gone",
                 seen=self.server.threads)
        if SLOW == 1:  # sanitizers keep freed memory aside
            wait_for(lambda: self.server.rss_kib() - before < 1024, f"its memory to be {before} KiB again",
                     seen=self.server.rss_kib)
        self.still_works()


class Stalls(Faults):
    def options(self):
        return ("--login-timeout", "2", "--frame-timeout", "2", "--ping", "1", "--idle", "3")

    def assert_ends_after(self, raw, least, most, feed=None, began=None):
        """The server ends it by its deadline, and not before."""
        began = began or time.monotonic()
        while not raw.ended:
            self.assertLess(time.monotonic() - began, most * SLOW, "it is still connected")
            if feed:
                feed(raw)
            raw.receive(0.2 / SLOW)
            self.witness.receive(0.01 / SLOW)  # it answers pings, or would be idle itself
        self.assertGreater(time.monotonic() - began, least)

    def feed(self, data):
        """Send a byte at each call: a slow trickle."""
        left = list(data)
        def one(raw):
            try:
                raw.send(bytes([left.pop(0)]) if left else b"\0")
            except OSError:
                pass
        return one

    def test_silent(self):
        """Says nothing at all."""
        self.assert_ends_after(Raw(self, self.server), 1, 6)
        self.still_works()

    def test_half_login(self):
        raw = Raw(self, self.server)
        raw.hello()
        self.assert_ends_after(raw, 1, 6)

    def test_login_trickle(self):
        """The deadline is for the whole login: single bytes do not renew it."""
        raw = Raw(self, self.server)
        self.assert_ends_after(raw, 1, 6, self.feed(
            HELLO + wire.encode("LOGIN", tag=1, nick="slow")))

    def test_half_sent_frame(self):
        """Half a frame, then nothing: others go on, and it is closed when its time is up."""
        raw = Raw(self, self.server)
        raw.login("anna")
        data = wire.encode("SAY", counter=1, room="lobby", text="x" * 1000)
        began = time.monotonic()
        raw.send(data[:500])
        self.still_works()
        self.assert_ends_after(raw, 1, 6, began=began)

    def test_frame_trickle(self):
        raw = Raw(self, self.server)
        raw.login("anna")
        self.assert_ends_after(raw, 1, 6, self.feed(
            wire.encode("SAY", counter=1, room="lobby", text="x" * 1000)))

    def test_no_pong(self):
        """Logged in and silent, also to pings: gone after the idle time. One that answers stays."""
        deaf = Raw(self, self.server)
        deaf.login("deaf")
        deadline = time.monotonic() + 10 * SLOW
        while not deaf.ended:
            self.assertLess(time.monotonic(), deadline, "it is still connected")
            deaf.fill(time.monotonic() + 0.2)
            self.witness.receive(0.01)
        self.still_works()

    def test_reset_mid_frame(self):
        for cut in (1, 7, 8, 9, 40):
            raw = Raw(self, self.server)
            raw.login("anna", flags=1)
            raw.join("lobby")
            raw.send(wire.encode("SAY", counter=1, room="lobby", text="x" * 100)[:cut])
            raw.reset()
        self.still_works()

    def test_half_closed(self):
        """Somebody who shuts down sending still gets the answers to what was sent."""
        raw = Raw(self, self.server)
        raw.login("anna")
        raw.join("lobby")
        counter = raw.say("last words")
        raw.socket.shutdown(1)
        raw.expect("ACK", counter=counter)
        self.assert_closed(raw)


class SlowReaders(Faults):
    longest = 120 if brief() else 900

    def options(self):
        # Sanitized and loaded machines stall by themselves; a reader is not to be dropped for it.
        return ("--idle", "600")

    count = 3000 if brief() else 20000

    def flood(self, server=None, size=100):
        """Somebody says `count` lines; returns when all are accepted."""
        lines = [f"{i} " + "x" * size for i in range(self.count)]
        sender = Pipe(self, server or self.server, "sender", "--until", str(self.count),
                      input=lines)
        self.assertEqual(sender.wait(timeout=60 if brief() else 300), 0, sender.tail())
        return lines

    def test_stalled_reader(self):
        """A peer that reads nothing: nobody else waits, and it gets everything once when it reads
        on."""
        stalled = Raw(self, self.server, buffer=4096)
        stalled.login("stalled")
        stalled.join("lobby")
        lines = self.flood()
        self.still_works()
        self.check_complete(stalled, lines)

    def check_complete(self, raw, lines):
        got, last = [], 0
        while len(got) < len(lines):
            said = raw.expect("SAID", timeout=30)
            self.assertGreater(said["seq"], last)
            last = said["seq"]
            if said["nick"] == "sender":
                got.append(said["text"])
        self.assertEqual(got, lines)

    def test_stopped_client(self):
        """The same with the real client under SIGSTOP."""
        frozen = Pipe(self, self.server, "frozen", "--until", str(self.count))
        frozen.wait_joined()
        frozen.close_input()
        frozen.freeze()
        lines = self.flood()
        self.still_works()
        frozen.thaw()
        self.assertEqual(frozen.wait(timeout=60 if brief() else 300), 0, frozen.tail())
        texts = [text for text in frozen.texts() if text != "still there?"]
        self.assertEqual(texts, lines[:len(texts)])
        self.assertGreaterEqual(len(texts), self.count - 1)

    @unittest.skipIf(SLOW > 1, "sanitizers have a memory of their own")
    def test_memory(self):
        """A stopped client costs the server at most 8 MiB more than the messages do anyway."""
        grown = []
        for stopped in (False, True):
            server = Server(self, *self.options())
            if stopped:
                frozen = Pipe(self, server, "frozen", "--until", str(self.count))
                frozen.wait_joined()
                frozen.close_input()
                frozen.freeze()
            before = server.rss_kib()
            self.flood(server, size=1000)
            grown.append(server.rss_kib() - before)
        self.assertLess(grown[1] - grown[0], 8192)
        frozen.thaw()
        self.assertEqual(frozen.wait(timeout=60 if brief() else 300), 0, frozen.tail())
        self.assertEqual([text.split()[0] for text in frozen.texts()],
                         [str(i) for i in range(self.count)])

    def test_killed_while_stalled(self):
        """A reader that stalls and then breaks off."""
        for how in ("reset", "close"):
            raw = Raw(self, self.server, buffer=4096)
            raw.login(f"stalled-{how}")
            raw.join("lobby")
            for i in range(300):
                self.witness.say("y" * 1000)
            self.witness.expect("ACK", counter=self.witness.counter)
            if how == "reset":
                raw.reset()
            else:
                raw.socket.close()
        self.still_works()


class SmallWindow(SlowReaders):
    """The same where frames on their way have little room, so that a slow reader reads the log."""

    def options(self):
        return super().options() + ("--window-bytes", "64K")


class Ends(PlainScenario):
    def test_stop(self):
        """SIGTERM: clients are told, everything is freed, the status is 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            server = Server(self)
            raw = Raw(self, server)
            raw.login("anna")
            silent = Raw(self, server)
            self.assertEqual(server.stop(number=number), 0, server.tail())
            ended, got = raw.wait_end()
            self.assertEqual(ended, "closed")
            self.assertIn(wire.CODES["STOPPING"],
                          [values["code"] for name, values in got if name == "BYE"], got)
            silent.wait_end()

    def test_stop_under_load(self):
        """Stopping in the middle of it all takes a bounded time, whatever the peers do."""
        server = Server(self)
        stalled = Raw(self, server, buffer=4096)
        stalled.login("stalled")
        stalled.join("lobby")
        half = Raw(self, server)
        half.login("half")
        half.send(wire.encode("SAY", counter=1, room="lobby", text="x" * 99)[:50])
        lines = [f"line {i} " + "z" * 200 for i in range(20000)]
        for i in range(6):
            Pipe(self, server, f"p{i}", input=lines)
        wait_for(lambda: server.cpu_seconds() > 0.3, "some load", seen=server.cpu_seconds)
        began = time.monotonic()
        self.assertEqual(server.stop(timeout=15), 0, server.tail())
        self.assertLess(time.monotonic() - began, 10 * SLOW)

    def test_acknowledged_before_stop(self):
        """Whatever was acknowledged while the server stopped had been said to the others."""
        server = Server(self)
        boris, anna = Raw(self, server), Raw(self, server)
        for raw, nick in ((boris, "boris"), (anna, "anna")):
            raw.login(nick)
            raw.join("lobby")
        for i in range(200):
            anna.say(f"{i}")
        server.send_signal(signal.SIGTERM)
        _, got = anna.wait_end()
        acknowledged = {v["counter"] for n, v in got if n == "ACK"}
        _, got = boris.wait_end()
        said = [v["counter"] for n, v in got if n == "SAID"]
        self.assertEqual(said, sorted(set(said)))
        self.assertLessEqual(acknowledged, set(said))
        self.assertEqual(server.wait(), 0, server.tail())

    def test_client_outlives_server(self):
        """A client whose server is killed says so, finds the new one, and goes on."""
        server = Server(self)
        port = server.port
        anna = Pipe(self, server, "anna")
        anna.wait_joined()
        anna.say("first")
        anna.wait_event("ack")
        server.kill()
        again = Server(self, listen=f"127.0.0.1:{port}", data=server.data)
        boris = Pipe(self, again, "boris")
        boris.wait_joined()
        anna.say("second")
        boris.wait_event("message", text="second", timeout=20)
        anna.close_input()
        self.assertEqual(anna.wait(), 0, anna.tail())


if __name__ == "__main__":
    main()
