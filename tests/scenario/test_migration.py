#!/usr/bin/env python3
"""A log of an earlier version becomes one of today, however large it is, and whenever that is broken off."""

import os
import random
import shutil
import sqlite3
import unittest

from lib import SLOW, PlainScenario, Server, brief, main
from lib import database
from lib.disk import Disk, records
from lib.shim import shim

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "vectors")


def make_log(folder, version):
    """A data folder with the log that was kept of that version; a connection to it."""
    os.mkdir(folder, 0o700)
    db = sqlite3.connect(os.path.join(folder, database.FILE))
    with open(os.path.join(VECTORS, f"log-version-{version}.sql"), encoding="utf-8") as file:
        db.executescript(file.read())
    return db


def add_rooms(db, count):
    """Rooms of Anna's in a log of version 4, every other one private, in which something was said once."""
    anna, = db.execute("SELECT lower(hex(key)) FROM person WHERE nick = 'Anna'").fetchone()
    owned = f"own 0 {anna} Anna\n"
    db.executemany("INSERT INTO stream (key, name, pruned, charter) VALUES (?, ?, 1, ?)",
                   ((f"rmore{i}".encode(), f"more{i}", ("entry 2 - *\n" if i % 2 else "") + owned)
                    for i in range(count)))


def rooms_of(db, nick):
    return db.execute("SELECT count(*) FROM stream AS s JOIN person AS p ON p.id = s.owner"
                      " WHERE p.nick = ?", (nick,)).fetchone()[0]


class Large(PlainScenario):
    """What does not fit into SQLite's cache once went to a temporary file, for which the sandbox has no
    place: "cannot open the log"."""

    def migrate(self, db, data):
        db.commit()
        db.close()
        server = Server(self, data=data)
        self.assertEqual(server.stop(), 0, server.tail())

    @unittest.skipIf(SLOW > 1, "it is about what SQLite does with much")
    def test_people(self):
        data = os.path.join(self.dir, "data")
        db = make_log(data, 3)
        nick = "n" * 1000  # nobody's any more, and 20 MB to put in order
        db.executemany("INSERT INTO person (key, nick, folded, named) VALUES (?, ?, ?, ?)",
                       ((i.to_bytes(32, "big"), nick, nick, i) for i in range(10, 20000)))
        self.migrate(db, data)

    @unittest.skipIf(SLOW > 1, "it is about what SQLite does with much")
    def test_rooms(self):
        data = os.path.join(self.dir, "data")
        db = make_log(data, 4)
        add_rooms(db, 50000)
        self.migrate(db, data)
        with sqlite3.connect(os.path.join(data, database.FILE)) as after:
            self.assertEqual(rooms_of(after, "Anna"), 5 + 50000)
            self.assertEqual(after.execute("SELECT count(*) FROM stream WHERE listed = 1 AND"
                                           " name LIKE 'more%'").fetchone()[0], 25000)
        after.close()


class BrokenOff(PlainScenario):
    """Whatever a kill or a power cut has left of the step to today's version, nothing of the log is lost,
    and the next start takes it."""

    # What a log of version 4 has that no step changes, in some order.
    KEPT = ("SELECT id, key, name, pruned, topic, topic_nick, topic_time, charter FROM stream",
            "SELECT * FROM entry", "SELECT * FROM chain", "SELECT * FROM place",
            "SELECT * FROM nick", "SELECT * FROM instance", "SELECT * FROM person",
            "SELECT * FROM ancestor", "SELECT value FROM meta WHERE name = 'log'")

    longest = 60 if brief() else 3000

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("LANCHAT_SEED") or random.SystemRandom().randrange(1 << 32))
        self.chance = random.Random(self.seed)
        self.data = os.path.join(self.dir, "data")
        self.copy = os.path.join(self.dir, "copy")

    def content(self, folder):
        """(version, what is kept, what the last step filled in or None)"""
        db = sqlite3.connect(os.path.join(folder, database.FILE))
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            kept = [sorted(db.execute(query), key=repr) for query in self.KEPT]
            filled = version > 4 and sorted(db.execute("SELECT id, owner, listed FROM stream"),
                                            key=repr)
            return version, kept, filled or None
        finally:
            db.close()

    def make_copy(self, disk, keep):
        shutil.rmtree(self.copy, ignore_errors=True)
        os.mkdir(self.copy, 0o700)
        disk.write(disk.left(keep), self.copy)

    @unittest.skipIf(SLOW > 1, "it is about the disk")
    def test_cuts(self):
        db = make_log(self.data, 4)
        add_rooms(db, 300)
        db.commit()
        db.close()
        version, kept, _ = self.content(self.data)
        self.assertEqual(version, 4)
        disk, path = Disk(self.data), os.path.join(self.dir, "record")
        disk.adopt()
        server = Server(self, data=self.data, env=shim("record", folder=self.data, record=path))
        self.assertEqual(server.stop(), 0, server.tail())
        version, after, filled = self.content(self.data)
        self.assertEqual((version, after), (6, kept))
        versions = self.cut_everywhere(disk, records(path), kept, filled)
        print(f"# BrokenOff.test_cuts: seed {self.seed}: found of versions {versions}")
        self.assertGreater(versions[4], 0)
        self.assertGreater(versions[6], 0)

    def cut_everywhere(self, disk, run, kept, filled):
        """How many of the folders that cuts leave are of each version."""
        chosen = set(range(len(run)))
        if brief():
            chosen = set(self.chance.sample(range(len(run)), min(12, len(run))))
        ways = {"nothing": lambda: False, "all": lambda: True,
                "half": lambda: self.chance.random() < 0.5}
        versions = {4: 0, 5: 0, 6: 0}
        for at, record in enumerate(run):
            disk.play(*record)
            for name in ways if at in chosen else ():
                where = f"seed {self.seed}: cut after record {at}, {name} of the unsynced arrived"
                self.make_copy(disk, ways[name])
                version, found, _ = self.content(self.copy)
                versions[version] += 1
                self.assertEqual(found, kept, where)
                self.assertEqual(Server(self, data=self.copy).stop(), 0, where)
                self.assertEqual(self.content(self.copy), (6, kept, filled), where)
                self.assertIsNone(database.verify(self, self.copy), where)
        return versions


if __name__ == "__main__":
    main()
