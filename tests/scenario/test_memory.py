#!/usr/bin/env python3
"""What the server keeps in memory: of those who came and left nothing, of those who wait little."""

import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from attack import lingering, storms, visits  # noqa: E402
from attack.hostile import Key, Peer, Target  # noqa: E402
from lib import Scenario, Server, brief, main, wait_for, wire  # noqa: E402
from lib.wait import SANITIZED, SLOW  # noqa: E402

GROWTH_KIB = 2048  # that may be left of a crowd
AFTER = 15         # seconds, within which the rest is given back
LIMITS_OFF = ("--rate", "off", "--max-clients", "off", "--max-logging-in", "off")

# Who comes, and how much of it: briefly and at length. `count` is connections, or what one sends.
KINDS = [
    ("connects and leaves", visits.bare, (300, 30), (10000, 60)),
    ("leaves amid the handshake", visits.half, (300, 30), (10000, 60)),
    ("leaves after the handshake", visits.shaken, (150, 30), (10000, 120)),
    ("logs in, each with a key of their own", visits.logged_in, (150, 30), (10000, 180)),
    ("logs in, all with one key", lambda target, amount: visits.logged_in(target, amount, Key()),
     (150, 30), (10000, 180)),
    ("is silent", lingering.silent, (300, 0.5), (1200, 14)),
    ("is silent amid the handshake", lingering.half_handshakes, (300, 0.5), (400, 14)),
    ("sends a byte at a time", lingering.trickle_inside, (60, 1.2), (200, 35)),
    ("does not read what one floods them with", lingering.never_reads, (20, 9000, 10),
     (20, 20000, 30)),
    ("opens a room after the other", storms.new_rooms, (1500, 20), (8000, 90)),
    ("speaks without end", storms.said, (6000, 20), (20000, 60)),
]


class Talker:
    """Somebody who says a word five times a second, as there is on every server; so it is never quite
    calm."""

    def __init__(self, case, target):
        self.peer = Peer(target).enter("talker", "talk")
        self.ended = threading.Event()
        self.said = 0
        self.thread = threading.Thread(target=self.talk)
        self.thread.start()
        case.addCleanup(self.stop)

    def talk(self):
        while not self.ended.wait(0.2):
            self.said += 1
            self.peer.send(wire.encode("SAY", counter=self.said, room="talk", text="a word"))
            while self.peer.counts["ACK"] < self.said:
                self.peer.step()
                self.peer.messages()

    def stop(self):
        self.ended.set()
        self.thread.join()
        self.peer.close()


class Memory(Scenario):
    longest = 200 if brief() else 1200

    def setUp(self):
        super().setUp()
        if SANITIZED:
            self.skipTest("a sanitizer keeps what was freed")

    def start(self, *options):
        server = Server(self, *LIMITS_OFF, *options)
        return server, Target("127.0.0.1", server.port, "127.0.0.1", "--plaintext" in options)

    def settle(self, server, shape):
        wait_for(lambda: server.shape() == shape, f"{shape} threads and descriptors", AFTER,
                 server.shape)

    def play(self, server, target, shape, act, amount):
        """One kind: afterwards all is as it was before."""
        before = server.rss_kib()
        words = act(target, amount)
        self.assertTrue(server.running(), server.tail())
        self.settle(server, shape)
        wait_for(lambda: server.rss_kib() - before < GROWTH_KIB, f"{before} KiB again ({words})",
                 AFTER, server.rss_kib)

    def test_nothing_is_left(self):
        """Whoever came, once or ten thousand times: threads and descriptors are what they were, and
        memory is the system's again, also where somebody goes on talking. (Pages of the log stayed, as
        did rooms that nobody was in.)"""
        server, target = self.start()
        talker = Talker(self, target)
        # Ready is said before the last file of the start is closed.
        wait_for(lambda: talker.said > 10, "somebody who talks", AFTER)
        shape = server.shape()
        # What is made once, the first time that it is needed.
        for _, act, *_ in KINDS:
            act(target, (2, 4, 0.2) if act is lingering.never_reads else (2, 0.2))
        self.settle(server, shape)
        for name, act, *amounts in KINDS:
            with self.subTest(name):
                self.play(server, target, shape, act, amounts[not brief()])
        talker.stop()
        self.assertGreater(talker.said, 10)

    def idle(self, most, count, *options):
        """So many come, and are silent: each of them takes less than so many bytes in the end."""
        server, target = self.start("--history", "off", *options)
        def enter(some, room):
            return [Peer(target).enter(f"{room}.{i}", room) for i in range(some)]
        peers = enter(8, "first")
        before = server.rss_kib()
        for i in range(count // 100):
            peers += enter(100, f"room{i}")
        def each():
            return (server.rss_kib() - before) * 1024 / count
        self.assertGreaterEqual(server.threads(), len(peers))
        self.assertGreater(each(), 4096)  # the stack that is in use
        wait_for(lambda: each() < most, f"less than {most} bytes for each", 20, each)
        self.assertGreaterEqual(server.threads(), len(peers))
        for peer in peers:
            peer.close()
        self.assertEqual(server.stop(), 0, server.tail())

    def test_idle(self):
        """Somebody who is in a room and silent takes less than 12,000 bytes, with the stack of their
        thread, and less than 40,000 with TLS."""
        if SLOW > 1:
            self.skipTest("an instrumented build is larger")
        count = 400 if brief() else 4000
        for most, options in ((12000, ["--plaintext"]), (40000, [])):
            with self.subTest(most):
                self.idle(most, count, *options)

    def test_told_before_it_starts(self):
        """What the C library is told makes it the same process: its number, name and arguments. Whoever
        has told it something else is left alone."""
        if SLOW > 1:
            self.skipTest("an instrumented build tells it nothing")
        def read(server, name):
            with open(f"/proc/{server.pid}/{name}", "rb") as f:
                return f.read().rstrip(b"\0\n").split(b"\0")
        def told(server):
            return [pair for pair in read(server, "environ") if pair.startswith(b"GLIBC_TUNABLES=")]
        server = Server(self)
        self.assertIn(b"glibc.malloc.", told(server)[0])
        self.assertEqual(read(server, "comm"), [b"lanchatd"])
        self.assertEqual(read(server, "cmdline"), [word.encode() for word in server.process.args])
        own = "glibc.malloc.tcache_count=3"
        other = Server(self, env={"GLIBC_TUNABLES": own})
        self.assertEqual(told(other), [f"GLIBC_TUNABLES={own}".encode()])


if __name__ == "__main__":
    main()
