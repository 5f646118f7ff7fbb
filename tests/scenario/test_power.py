#!/usr/bin/env python3
"""A power cut at any moment: with --sync full, what was acknowledged is on the disk.

The server's writes, fsyncs and answers are written down in order (tests/faults/record.c); then its
folder is made as a cut at some moment would have left it, opened, verified, and searched for what
had been acknowledged by then.
"""

import os
import random
import shutil
import sqlite3
import unittest

from lib import Raw, SLOW, PlainScenario, Server, brief, main
from lib import database
from lib.crowd import Crowd
from lib.disk import Disk, records
from lib.shim import shim


class Power(PlainScenario):
    longest = 60 if brief() else 3000

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("LANCHAT_SEED") or random.SystemRandom().randrange(1 << 32))
        self.chance = random.Random(self.seed)
        self.data = os.path.join(self.dir, "data")
        self.copy = os.path.join(self.dir, "copy")

    def record(self, sync, seconds, least):
        """Let people talk, and `least` messages be acknowledged in each of the recorded runs: one that is
        killed at rest, one that ends well."""
        paths = []
        for number in range(2):
            paths.append(os.path.join(self.dir, f"record.{number}"))
            server = Server(self, "--sync", sync, data=self.data,
                            env=shim("record", folder=self.data, record=paths[-1]))
            if number == 0:
                crowd = Crowd(self, None, self.seed, count=4, rooms=2, window=3, padding=300)
            crowd.address = ("127.0.0.1", server.port)
            crowd.talking = True
            before = crowd.accepted()
            crowd.run(seconds)
            crowd.until(lambda: crowd.accepted() >= before + least, "people to be heard")
            crowd.finish()
            if number == 0:
                server.kill()
            else:
                self.assertEqual(server.stop(), 0, server.tail())
        return [records(path) for path in paths]

    @unittest.skipIf(SLOW > 1, "it is about the disk")
    def test_first_start(self):
        """A cut while the folder, the key and the database are made: the next start makes them."""
        path = os.path.join(self.dir, "record")
        server = Server(self, data=self.data, env=shim("record", folder=self.data, record=path))
        self.assertEqual(server.stop(), 0, server.tail())
        run, tried = records(path), 0

        def judge(disk, at):
            nonlocal tried
            ways = self.ways()
            for name in [self.chance.choice(list(ways))] if brief() else ways:
                tried += 1
                wrong, _ = self.open_copy(disk, ways[name])
                self.assertIsNone(wrong, f"seed {self.seed}: cut after record {at}, {name} of the "
                                         "unsynced arrived")

        cuts = self.replay([run], 20 if brief() else None, judge, every=True)
        print(f"# Power.test_first_start: seed {self.seed}: {len(run)} records, {cuts} cuts, "
              f"{tried} folders")

    def replay(self, runs, most, judge, every=False):
        """Call judge(disk, cut) after records, at most so many times, and unless `every` only where
        something may have changed; the number of cuts."""
        total = sum(len(run) for run in runs)
        chosen = None if most is None else set(self.chance.sample(range(total), min(most, total)))
        disk, at, seen, due, cuts = Disk(self.data), 0, None, False, 0
        for run in runs:
            disk.new_process()
            for record in run:
                disk.play(*record)
                at += 1
                due = due or chosen is None or at in chosen
                if due and (every or (disk.changes, len(disk.pending)) != seen):
                    seen, due = (disk.changes, len(disk.pending)), False
                    cuts += 1
                    judge(disk, at)
        return cuts

    def open_copy(self, disk, keep):
        """Make the folder as the cut leaves it; (what is wrong with it or None, the numbers that
        were acknowledged and are not in it)."""
        shutil.rmtree(self.copy, ignore_errors=True)
        os.mkdir(self.copy, 0o700)
        disk.write(disk.left(keep), self.copy)
        if not disk.acknowledged:  # it may be half made, if only the next server makes it whole
            self.assertEqual(Server(self, data=self.copy).stop(), 0)
        elif not os.path.exists(os.path.join(self.copy, database.FILE)):
            return None, set(disk.acknowledged)
        wrong = database.verify(self, self.copy)
        try:
            return wrong, set(disk.acknowledged.items()) - set(database.kept(self.copy).items())
        except sqlite3.DatabaseError as error:
            return wrong or str(error), set(disk.acknowledged)

    def ways(self):
        """What of the unsynced arrived: nothing, all, a part of it."""
        return {"nothing": lambda: False, "all": lambda: True,
                "half": lambda: self.chance.random() < 0.5,
                "most": lambda: self.chance.random() < 0.95}

    @unittest.skipIf(SLOW > 1, "it is about the disk")
    def test_full(self):
        """No cut loses anything that was acknowledged, nor harms the database."""
        runs = self.record("full", 0.6 if brief() else 1.5, 30)
        tried = 0

        def judge(disk, at):
            nonlocal tried
            ways = self.ways()
            for name in [self.chance.choice(list(ways))] if brief() else ways:
                tried += 1
                wrong, lost = self.open_copy(disk, ways[name])
                where = f"seed {self.seed}: cut after record {at}, {name} of the unsynced arrived"
                self.assertIsNone(wrong, where)
                self.assertFalse(lost, f"{where}: {len(lost)} of {len(disk.acknowledged)} "
                                       "acknowledged messages are lost")
            self.acknowledged = len(disk.acknowledged)

        cuts = self.replay(runs, 50 if brief() else 500, judge)
        print(f"# Power.test_full: seed {self.seed}: {sum(map(len, runs))} records, {cuts} cuts, "
              f"{tried} folders, {self.acknowledged} acknowledged, 0 lost")
        self.assertGreater(self.acknowledged, 50)
        self.serves()

    def serves(self):
        """A server on the last copy tells what is in it."""
        there = set(database.kept(self.copy).values())
        server = Server(self, data=self.copy)
        raw = Raw(self, server)
        raw.login("reader")
        got = set()
        for room in ("room0", "room1"):
            raw.join(room, replay=100000)
            while (message := raw.receive()) and message[0] != "CAUGHT_UP":
                if message[0] == "SAID":
                    got.add(message[1]["counter"])
        self.assertTrue(got)
        self.assertLessEqual(got, there)
        self.assertEqual(server.stop(), 0, server.tail())

    @unittest.skipIf(SLOW > 1, "it is about the disk")
    def test_os(self):
        """With --sync os the same cuts do lose messages: this test can tell."""
        runs = self.record("os", 0.3, 30)
        losses = []

        def judge(disk, _at):
            if disk.acknowledged and not losses:
                _wrong, lost = self.open_copy(disk, lambda: False)
                losses.extend(lost)

        self.replay(runs, 30, judge)
        self.assertTrue(losses, f"seed {self.seed}: no cut lost anything")


if __name__ == "__main__":
    main()
