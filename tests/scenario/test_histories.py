#!/usr/bin/env python3
"""Histories that are backed up, restored, set aside and cut short at random, while somebody reads
along with --pipe --resume: whatever a history has, its reader was shown."""

import os
import random
import shutil
import signal
import subprocess

from lib import BUILD, Pipe, Scenario, Server, brief, main
from lib.wait import SANITIZED, SLOW

ROOMS = ("attic", "cellar", "lobby")
NEW = "all that is in it counts as new"


class Histories(Scenario):
    longest = 900

    def setUp(self):
        super().setUp()
        home = os.path.join(self.dir, "home")
        self.env = {"XDG_DATA_HOME": home + "/data", "XDG_STATE_HOME": home + "/state"}

    def begin(self):
        self.server = Server(self, data=os.path.join(self.dir, "server"))
        self.backups = []
        self.said = 0
        self.shown = set()   # what was ever printed
        self.before = set()  # the history as it was at the last look
        self.changes = 0     # of the history since then
        self.steps = []
        self.resume()

    # ---- what can happen ----

    def say(self):
        room = self.chance.choice(ROOMS)
        count = self.chance.choice((1, 3, 20))
        lines = [f"{self.said + i}" for i in range(count)]
        self.said += count
        speaker = Pipe(self, self.server, "boris", rooms=(room,), input=lines)
        self.assertEqual(speaker.wait(30), 0, speaker.tail())

    def history(self):
        """All that is kept, by another way than --pipe."""
        texts = set()
        for room in ROOMS:
            done = self.run_program("lanchat", "--export", room, self.server.address)
            texts |= {line.rsplit(" ", 1)[1] for line in done.stdout.splitlines()}
        return texts

    def resume(self):
        rooms = list(ROOMS)
        self.chance.shuffle(rooms)
        rooms = [room.upper() if self.chance.random() < 0.3 else room for room in rooms]
        reader = Pipe(self, self.server, "anna", "--resume", rooms=rooms, input=[], env=self.env)
        self.assertEqual(reader.wait(60), 0, reader.tail())
        texts = [e["text"] for e in reader.of("message")]
        history = self.history()
        self.assertEqual(len(texts), len(set(texts)), "twice in one run")
        self.assertEqual(history - self.shown - set(texts), set(), "never shown")
        # What the history had lost in between may come again, and all where nothing is known of it.
        # Of two changes since the last look, the second knows where it parts from the first, and so
        # no more of what was before that than the first one had.
        if NEW not in reader.stderr() and self.changes < 2:
            self.assertEqual(set(texts) & self.shown & self.before, set(), "shown again")
        self.shown |= set(texts)
        self.before = history
        self.changes = 0

    def backup(self):
        path = os.path.join(self.dir, f"backup.{len(self.backups)}")
        self.job("--backup", path)
        self.backups.append(path)

    def restore(self):
        if self.backups:
            self.without_server("--restore", self.chance.choice(self.backups))

    def set_aside(self):
        self.without_server("--set-aside")

    def kill(self):
        self.without_server()

    # ---- how ----

    def run_program(self, name, *arguments):
        env = {**os.environ, **self.sanitizer_options(), "HOME": self.dir}
        return subprocess.run([os.path.join(BUILD, name), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False, env=env)

    def job(self, *options):
        done = self.run_program("lanchatd", "--data", self.server.data, *options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def without_server(self, *options):
        """Stopped in good order or not, and begun again."""
        self.server.send_signal(self.chance.choice((signal.SIGTERM, signal.SIGKILL)))
        self.server.wait()
        if options:
            self.changes += 1
            self.job(*options)
        self.server = Server(self, data=self.server.data)

    def test_random(self):
        first = int(os.environ.get("LANCHAT_SEED", random.randrange(1 << 30)))
        steps = [self.say] * 6 + [self.resume] * 5 + [self.backup] * 2 + [self.restore] * 2 + \
            [self.set_aside, self.kill]
        for seed in range(first, first + ((1 if SANITIZED else 3) if brief() else 100 // SLOW)):
            self.chance = random.Random(seed)
            self.begin()
            for _ in range(30):
                step = self.chance.choice(steps)
                self.steps.append(step.__name__)
                try:
                    step()
                except AssertionError as error:
                    raise AssertionError(f"LANCHAT_SEED={seed}: after {self.steps}: {error}") \
                        from error
            self.resume()
            self.job("--verify")
            self.assertEqual(self.server.stop(), 0)
            for folder in ("home", "server"):
                shutil.rmtree(os.path.join(self.dir, folder))


if __name__ == "__main__":
    main()
