#!/usr/bin/env python3
"""Every attack of tests/attack, in small, beside an honest pair of clients. No timing decides:
`make attack` prints those."""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from attack import datagrams, every, lingering  # noqa: E402
from attack.hostile import Key, Target  # noqa: E402
from attack.stage import SERVER, Stage  # noqa: E402
from lib import Scenario, Server, main, wait_for  # noqa: E402
from lib.secure import Secure  # noqa: E402
from lib.wait import SANITIZED  # noqa: E402

GROWTH_KIB = 2048  # of resident memory, from one round of all attacks to the next


def attack_by(act):
    return next(attack for attack in every() if attack.act is act)


class Canary(Scenario):
    longest = 120

    def round(self, stage, shape):
        """Every attack once; after each, nothing of it is left. `shape` is that of before the first: what
        came and left at once may still wait to be accepted when the next one begins."""
        for attack in every():
            figures = stage.play(attack, attack.brief, before=0, after=0)
            self.assertTrue(stage.server.running(), f"{attack.name}: {stage.server.tail()}")
            self.assertNotIn("stopped by", figures.result, attack.name)
            self.assertIsNone(stage.canary.ended, attack.name)
            try:
                stage.settle(shape)
            except AssertionError as error:
                self.fail(f"{attack.name}: {error}")

    def resident(self, stage, shape):
        """Resident KiB without the holes in the heap: a crowd that leaves has them given back, the more
        of them the faster it leaves, so the least of some times counts."""
        least = stage.server.rss_kib()
        for _ in range(5):
            stage.play(attack_by(lingering.silent), (150, 0.1), before=0, after=0)
            stage.settle(shape)
            least = min(least, stage.server.rss_kib())
        return least

    def all_heard(self, stage):
        stage.canary.stop()
        self.assertIsNone(stage.canary.ended)
        self.assertEqual(stage.canary.order, sorted(stage.canary.sent))
        self.assertEqual(stage.canary.acknowledged, len(stage.canary.sent))
        self.assertGreater(len(stage.canary.sent), len(every()))

    def test_attacks(self):
        """The canary is heard, all of it and in order; threads and descriptors are given back."""
        stage = Stage(self)
        self.round(stage, stage.shape())
        self.all_heard(stage)

    def test_memory(self):
        """A second round of everything takes no more memory than the first. (The log is a small one in
        memory: on disk, the database keeps up to 8 MiB of pages for each reader.)"""
        if SANITIZED:
            self.skipTest("a sanitizer keeps what was freed")
        stage = Stage(self, "--history", "off", "--keep-bytes", "1000000")
        shape = stage.shape()
        self.round(stage, shape)
        before = self.resident(stage, shape)
        self.round(stage, shape)
        # How many holes are left is chance, a leak is none.
        wait_for(lambda: self.resident(stage, shape) - before < GROWTH_KIB, f"{before} KiB again", 20,
                 stage.server.rss_kib)
        self.all_heard(stage)

    def crowd(self, shake):
        """400 connections, which begin a TLS handshake or not, come and leave."""
        server = Server(self)
        Secure(self, server).login("anna")
        before = server.rss_kib()
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(400)]
        if shake:
            hello = lingering.hello_of(Target("127.0.0.1", server.port, "127.0.0.1"), Key())
            for connection in held:
                connection.sendall(hello)
        wait_for(lambda: server.threads() > 400, "threads for all")
        for connection in held if shake else ():
            self.assertTrue(connection.recv(1))
        self.assertGreater(server.rss_kib() - before, 2 * GROWTH_KIB)
        for connection in held:
            connection.close()
        wait_for(lambda: server.threads() < 50, "their end")
        wait_for(lambda: server.rss_kib() - before < GROWTH_KIB, f"{before} KiB again",
                 seen=server.rss_kib)

    def test_crowd_leaves(self):
        """The memory that connections took is the system's again when they have left. (It stayed with
        the server, as holes in its heap and as stacks that the C library kept.)"""
        if SANITIZED:
            self.skipTest("a sanitizer keeps what was freed")
        for shake in (False, True):
            self.crowd(shake)

    def test_amplification(self):
        """No datagram brings back more bytes than it has."""
        stage = Stage(self)
        measured = stage.away.ask(datagrams.amplification,
                                  Target(SERVER, stage.server.port, "10.1.1.1"))
        self.assertLessEqual(datagrams.worst(measured), 1.0, measured)
        # It does answer, and all that it should.
        answered = {name: back for name, _, _, back, _ in measured if back}
        self.assertEqual(answered, {"query": datagrams.TIMES})
        stage.canary.stop()


if __name__ == "__main__":
    main()
