#!/usr/bin/env python3
"""What a server runs out of costs one newcomer a clear refusal, and nothing else."""

import os
import shutil
import subprocess
import time

from lib import Pipe, Raw, SLOW, PlainScenario, Server, main, wait_for, wire
from lib.wait import BUILD, SANITIZED

NOBODY = 54321  # a user id that nothing else runs under


class Limits(PlainScenario):
    def refused(self, server, code):
        """Connect; true when the server says no with this code, false when it says welcome."""
        raw = Raw(self, server)
        try:
            raw.message("HELLO", version_low=1, version_high=1, agent="scenario")
        except OSError:
            pass  # refused before it could say anything
        got = raw.receive(5)
        raw.socket.close()
        if got and got[0] == "WELCOME":
            return False
        self.assertIsNotNone(got, f"no word, just {raw.ended}")
        self.assertIn(got[0], ("ERROR", "BYE"))
        self.assertEqual(got[1]["code"], wire.CODES[code], got)
        return True

    def chats(self, one, other):
        """Two who were there before talk as if nothing were the matter."""
        counter = one.say("can you hear me")
        one.expect("ACK", counter=counter)
        other.expect("SAID", counter=counter)

    def pair(self, server):
        both = Raw(self, server), Raw(self, server)
        for raw, nick in zip(both, ("anna", "boris")):
            raw.login(nick)
            raw.join("lobby")
        return both

    def test_max_clients(self):
        server = Server(self, "--max-clients", "2")
        anna, boris = self.pair(server)
        for _ in range(5):
            self.assertTrue(self.refused(server, "FULL"))
        self.chats(anna, boris)
        boris.reset()
        wait_for(lambda: not self.refused(server, "FULL"), "a free place")

    def test_client_is_told(self):
        """The client says why in one line, with status 1."""
        server = Server(self, "--max-clients", "2")
        self.pair(server)
        vera = Pipe(self, server, "vera", input=["hello"])
        self.assertEqual(vera.wait(20), 1, vera.tail())
        self.assertEqual(len(vera.stderr().splitlines()), 1, vera.tail())

    def test_descriptors(self):
        """RLIMIT_NOFILE reached: newcomers are told, nobody spins, and it recovers."""
        server = Server(self, prefix=["prlimit", "--nofile=48:48", "--"])
        anna, boris = self.pair(server)
        taken = []
        for _ in range(60):
            raw = Raw(self, server)
            taken.append(raw)
        wait_for(lambda: server.descriptors() >= 40, "most descriptors to be used",
                 seen=server.descriptors)
        self.chats(anna, boris)
        before, began = server.cpu_seconds(), time.monotonic()
        ended = 0
        for raw in taken:
            try:
                raw.message("HELLO", version_low=1, version_high=1)
            except OSError:
                pass
            got = raw.receive(1)
            if got is None or got[0] != "WELCOME":
                ended += 1
                self.assertTrue(got is None or
                                got[1].get("code") == wire.CODES["RESOURCES"], got)
        self.assertGreater(ended, 0)
        self.chats(anna, boris)
        self.assertLess(server.cpu_seconds() - before, 0.5 * (time.monotonic() - began) + 0.5,
                        "it spins")
        for raw in taken:
            raw.socket.close()
        wait_for(lambda: not self.refused(server, "RESOURCES"), "a free descriptor")
        self.assertEqual(server.stop(), 0, server.tail())

    def test_threads(self):
        """RLIMIT_NPROC reached: newcomers are told; it recovers. Root is above the limit, so the
        server runs as somebody else."""
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        # A copy, for the folder that it was built in may be closed to others.
        program = shutil.copy(os.path.join(BUILD, "lanchatd"), self.dir)
        if subprocess.run(as_nobody + ["test", "-x", program], capture_output=True).returncode:
            self.skipTest("cannot run the server as another user")
        if SANITIZED:
            self.skipTest("sanitizers need threads of their own")
        home = os.path.join(self.dir, "nobody")
        os.mkdir(home)
        os.chown(home, NOBODY, NOBODY)
        server = Server(self, prefix=as_nobody, data=os.path.join(home, "data"), wait=False,
                        port_file=os.path.join(home, "port"), program=program)
        server.wait_ready()
        anna, boris = self.pair(server)
        most = server.threads() + 5
        subprocess.run(as_nobody + ["prlimit", f"--nproc={most}:{most}", "--pid",
                                    str(server.pid)], check=True)
        waiting = []
        def full():
            raw = Raw(self, server)
            waiting.append(raw)
            raw.message("HELLO", version_low=1, version_high=1)
            got = raw.receive(5)
            self.assertIsNotNone(got)
            return got[0] == "ERROR" and got[1]["code"] == wire.CODES["RESOURCES"]
        for _ in range(12):
            if full():
                break
        else:
            self.fail("twelve newcomers and no refusal")
        for _ in range(5):
            self.assertTrue(self.refused(server, "RESOURCES"))
        self.chats(anna, boris)
        for raw in waiting:
            raw.socket.close()
        wait_for(lambda: not self.refused(server, "RESOURCES"), "a free thread")
        self.assertEqual(server.stop(), 0, server.tail())

    def test_many(self):
        """A few hundred connections at once, then none: memory and threads go back."""
        server = Server(self)
        anna, boris = self.pair(server)
        threads = server.threads()
        crowd = []
        for i in range(300):
            raw = Raw(self, server)
            raw.login(f"p{i}")
            crowd.append(raw)
        self.assertGreaterEqual(server.threads(), threads + 300)
        if SLOW == 1:
            self.assertLess(server.rss_kib(), 32768)
        self.chats(anna, boris)
        for raw in crowd:
            raw.reset()
        wait_for(lambda: server.threads() <= threads, "their threads to end", seen=server.threads)
        self.chats(anna, boris)


if __name__ == "__main__":
    main()
