"""The server's database, looked at while no server runs."""

import os
import sqlite3
import subprocess

from .wait import BUILD, SLOW

FILE = "log.db"


def verify(case, folder):
    """What `lanchatd --verify` has against the database in a data folder; None: it is well."""
    done = subprocess.run([os.path.join(BUILD, "lanchatd"), "--data", folder, "--verify"],
                          env={**os.environ, **case.sanitizer_options()}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120 * SLOW)
    return None if done.returncode == 0 else f"--verify: {done.stdout}{done.stderr}".rstrip()


def kept(folder):
    """{seq: counter} of all that is in the log. sqlite3.DatabaseError where it does not open."""
    db = sqlite3.connect(os.path.join(folder, FILE))
    try:
        return dict(db.execute("SELECT seq, counter FROM entry"))
    finally:
        db.close()
