#!/usr/bin/env python3
"""A disk without room: senders are told, nothing is acknowledged that is not kept, and all goes on
by itself when there is room again."""

import errno
import os
import random
import subprocess

from lib import Raw, SLOW, PlainScenario, Server, brief, main, wire
from lib import database
from lib.crowd import Crowd

SIZE = 64 << 20


class Disk(PlainScenario):
    """The data folder is on a small file system of its own."""

    longest = 90 if brief() else 900

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("LANCHAT_SEED") or random.SystemRandom().randrange(1 << 32))
        self.chance = random.Random(self.seed)
        self.disk = os.path.join(self.dir, "disk")
        os.mkdir(self.disk)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "none",
                               self.disk], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            self.skipTest(f"no tmpfs here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=False, timeout=30)
        self.data = os.path.join(self.disk, "data")
        self.filler = os.path.join(self.disk, "filler")

    def fill(self):
        """Somebody else writes until there is no room at all; the bytes."""
        size = 0
        with open(self.filler, "ab", buffering=0) as f:
            for chunk in (1 << 16, 1 << 12, 1):
                while True:
                    try:
                        size += f.write(bytes(chunk))
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        break
        return size

    def free(self):
        os.remove(self.filler)

    def start(self, port=0, **more):
        return Server(self, data=self.data, listen=f"127.0.0.1:{port}", **more)

    def talk(self, crowd, most):
        """Until some messages more are kept. Their number is bounded, not the time: on a quick machine
        the log alone would outgrow the disk, and could not be well again."""
        wanted = self.accepted(crowd) + self.chance.randint(50, most)
        crowd.until(lambda: self.accepted(crowd) >= wanted, "people to talk")

    def refused(self, crowd):
        """How many messages were refused, each of them for the reason that is true."""
        codes = [code for m in crowd.members for code in m.refused.values()]
        self.assertLessEqual(set(codes), {wire.CODES["DISK_FULL"]}, f"seed {self.seed}")
        return len(codes)

    @staticmethod
    def accepted(crowd):
        return sum(len(m.accepted) for m in crowd.members)

    def reads(self, server):
        """Somebody who comes while the disk is full gets what was said before."""
        raw = Raw(self, server)
        raw.login("reader")
        raw.join("room0", replay=20)
        raw.expect("SAID")
        raw.expect("CAUGHT_UP", room="room0")
        tag = raw.request("HISTORY", room="room1", limit=10)
        self.assertTrue(raw.expect("HISTORY_PAGE", tag=tag)["entries"])
        raw.socket.close()

    def conclude(self, crowd, server, what):
        crowd.finish()
        counts = crowd.judge()
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        print(f"# {self.id().removeprefix('__main__.')}: seed {self.seed}: {what}; {told}")
        self.assertEqual(server.stop(), 0, server.tail())
        self.assertIsNone(database.verify(self, self.data), f"seed {self.seed}")

    def test_while_talking(self):
        """It fills up, and whatever the server lets go is taken as well; then there is room."""
        server = self.start()
        crowd = Crowd(self, ("127.0.0.1", server.port), self.seed, count=6, window=4, padding=400)
        times = 2 if brief() else 20
        for _ in range(times):
            before = self.refused(crowd)
            self.talk(crowd, 1500)
            self.fill()
            crowd.until(lambda: self.refused(crowd) > before + 20, "people to be refused")
            taken = self.fill()
            crowd.run(0.3 * SLOW)
            kept = self.accepted(crowd)
            crowd.run(0.3 * SLOW)
            self.assertTrue(server.running(), server.tail())
            self.assertLessEqual(self.accepted(crowd) - kept, 50, "hardly anything can be kept")
            self.reads(server)
            self.free()
            kept = self.accepted(crowd)
            crowd.until(lambda: self.accepted(crowd) > kept + 50, "people to be heard again", 6)
        self.assertGreater(taken, 0, "the server gave no room back to write its own state in")
        self.assertEqual(len(crowd.members), sum(m.connections for m in crowd.members),
                         "nobody lost the connection over it")
        self.conclude(crowd, server, f"{times} x full")

    def test_from_the_start(self):
        """No room for anything: it says so in a line, or runs and refuses. Later it works."""
        os.mkdir(self.data, 0o700)
        self.fill()
        server = self.start(wait=False)
        self.comes_up_or_says_why(server)
        if server.running():
            raw = Raw(self, server)
            raw.login("early")
            raw.join("lobby")
            counter = raw.say("is there room?")
            self.assertEqual(raw.expect("REFUSED", counter=counter)["code"],
                             wire.CODES["DISK_FULL"])
            self.assertEqual(server.stop(), 0, server.tail())
        self.free()
        self.works(self.start())

    def comes_up_or_says_why(self, server):
        try:
            server.wait_ready(15)
        except AssertionError:
            self.assertEqual(server.wait(15), 1, server.tail())
            self.assertRegex(server.stderr(), r"(?i)space|full", server.tail())

    def works(self, server):
        raw = Raw(self, server)
        raw.login("later")
        raw.join("lobby")
        raw.expect("ACK", counter=raw.say("there is"))
        self.assertEqual(server.stop(), 0, server.tail())
        self.assertIsNone(database.verify(self, self.data))

    def test_over_a_restart(self):
        """Killed, then filled: the next server has its ballast, comes up and tells what was said.
        Killed once more while it is full, with the ballast gone too: it comes up or says why."""
        server = self.start()
        port = server.port
        crowd = Crowd(self, ("127.0.0.1", port), self.seed, count=6, window=4, padding=400)
        self.talk(crowd, 1500)
        server.kill()
        self.fill()
        server = self.start(port)
        crowd.until(lambda: self.refused(crowd) > 20, "people to be refused")
        self.reads(server)
        server.kill()
        self.fill()
        server = self.start(port, wait=False)
        self.comes_up_or_says_why(server)
        if server.running():
            crowd.run(0.5 * SLOW)
            server.kill()
        self.free()
        server = self.start(port)
        kept = self.accepted(crowd)
        crowd.until(lambda: self.accepted(crowd) > kept + 50, "people to be heard again", 6)
        self.refused(crowd)
        self.conclude(crowd, server, "full over restarts")


if __name__ == "__main__":
    main()
