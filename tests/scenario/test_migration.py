#!/usr/bin/env python3
"""A log of an earlier version becomes one of today, however large it is, and whenever that is broken off."""

import os
import sqlite3
import unittest

from lib import SLOW, PlainScenario, Server, main
from lib import database

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "vectors")


def make_log(folder, version):
    """A data folder with the log that was kept of that version; a connection to it."""
    os.mkdir(folder, 0o700)
    db = sqlite3.connect(os.path.join(folder, database.FILE))
    with open(os.path.join(VECTORS, f"log-version-{version}.sql"), encoding="utf-8") as file:
        db.executescript(file.read())
    return db


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


if __name__ == "__main__":
    main()
