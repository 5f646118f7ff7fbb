#!/usr/bin/env python3
"""Nothing is lost and nothing comes twice, whatever is killed, stopped, cut or turned back."""

import fcntl
import glob
import os
import random
import struct
import termios
import time
import unittest

from lib import Lan, Pipe, SLOW, PlainScenario, Server, brief, main, wait_for
from lib import database
from lib.crowd import Crowd
from lib.proxy import Proxy
from lib.shim import shim


def seed():
    """Another one in each run, unless LANCHAT_SEED says which."""
    return int(os.environ.get("LANCHAT_SEED") or random.SystemRandom().randrange(1 << 32))


class Crash(PlainScenario):
    longest = 120 if brief() else 1800

    def setUp(self):
        super().setUp()
        self.seed = seed()
        self.chance = random.Random(self.seed)
        self.data = os.path.join(self.dir, "data")

    def start(self, port=0, at=None, host="127.0.0.1", **more):
        """A server on the one data folder, at a host of a Lan or here."""
        return Server(self, *self.options(), data=self.data, listen=f"{host}:{port}", host=at,
                      **more)

    def options(self):
        return ()

    def told(self, what, counts):
        """Print what was counted, for whoever reads the test's output."""
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        print(f"# {self.id().removeprefix('__main__.')}: seed {self.seed}: {what}; {told}")

    def verify(self):
        """The database as `lanchatd --verify` sees it; the server is not running."""
        self.assertIsNone(database.verify(self, self.data), f"seed {self.seed}")

    def conclude(self, crowd, server, what, others=0):
        """All has been said: judge it, then the database."""
        crowd.finish(timeout=120)
        counts = crowd.judge(others)
        self.told(what, counts)
        self.assertEqual(server.stop(), 0, server.tail())
        self.verify()
        return counts


class ServerKilled(Crash):
    rounds = max(2, 8 // SLOW) if brief() else 110

    def test_rounds(self):
        """kill -9 at random moments, now and then while it starts."""
        server = self.start()
        port = server.port
        crowd = Crowd(self, ("127.0.0.1", port), self.seed)
        kills = 0
        for number in range(self.rounds):
            crowd.run(self.chance.uniform(0.05, 0.6) * SLOW)
            server.kill()
            kills += 1
            if number % 4 == 3:
                server = self.start(port, wait=False)
                crowd.run(self.chance.uniform(0.0, 0.05) * SLOW)
                server.kill()
                kills += 1
            server = self.start(port)
        crowd.run(0.2)
        self.conclude(crowd, server, f"{kills} kills")

    def test_first_start(self):
        """Killed while it makes its folder, its key and its database: the next one makes them."""
        kills = 12 if brief() else 300
        took = []
        for number in range(kills):
            self.data = os.path.join(self.dir, f"first.{number}")
            server = self.start(wait=False)
            time.sleep(self.chance.uniform(0, max(took, default=0.05)))
            server.kill()
            began = time.monotonic()
            server = self.start()
            took = took or [time.monotonic() - began]
            self.assertEqual(server.stop(), 0, server.tail())
            self.verify()


class ConnectionsCut(Crash):
    seconds = 4 if brief() else 120

    def test_proxy(self):
        """Every connection ends after a random number of bytes, also inside frames."""
        server = self.start()
        proxy = Proxy(self, ("127.0.0.1", server.port), self.seed)
        crowd = Crowd(self, proxy.address, self.seed)
        crowd.run(self.seconds)
        proxy.cutting = False
        self.conclude(crowd, server, f"{proxy.cuts} cuts")
        self.assertGreater(proxy.cuts, self.seconds)

    def test_clients(self):
        """The same with the real client: what it is fed is in the room once and in order, and it
        prints everything once."""
        count = 300 if brief() else 5000
        server = self.start()
        proxy = Proxy(self, ("127.0.0.1", server.port), self.seed,
                      mean=250000 if brief() else 100000, early=0)
        proxy.cutting = False
        lines = {nick: [f"{nick} {i} " + "z" * self.chance.randrange(100) for i in range(count)]
                 for nick in ("anna", "boris", "clara")}
        clients = [Pipe(self, f"127.0.0.1:{proxy.address[1]}", nick, "--until",
                        str(count * len(lines)), "--timeout", "60") for nick in lines]
        for client in clients:
            client.wait_joined()
        proxy.cutting = True
        proxy.cut_all()
        for at in range(0, count, 50):
            for client in clients:
                client.say(*lines[client.nick][at:at + 50])
        for client in clients:
            client.close_input()
        for client in clients:
            self.assertEqual(client.wait(self.longest), 0, client.tail())
        seen = [client.texts() for client in clients]
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])
        for nick, said in lines.items():
            self.assertEqual([text for text in seen[0] if text.startswith(nick)], said)
        self.told(f"{proxy.cuts} cuts", {"messages": len(seen[0])})
        self.assertEqual(server.stop(), 0, server.tail())
        self.verify()

    def test_cable(self):
        """Cables are pulled for a moment or for longer than anybody waits."""
        lan = Lan(self)
        switch = lan.switch("lan")
        there, here = lan.host("there"), lan.host("here")
        cables = [lan.connect(there, switch, address="10.0.0.1/24"),
                  lan.connect(here, switch, address="10.0.0.2/24")]
        server = self.start(host="10.0.0.1", at=there)
        crowd = Crowd(self, ("10.0.0.1", server.port), self.seed, silence=1.5 * SLOW, host=here)
        cuts = 0
        for _ in range(2 if brief() else 60):
            crowd.run(self.chance.uniform(0.3, 0.8) * SLOW)
            cable = self.chance.choice(cables)
            lan.unplug(cable)
            crowd.run(self.chance.choice((0.2, 0.5, 2.5)) * SLOW)
            lan.plug(cable)
            cuts += 1
        self.conclude(crowd, server, f"{cuts} cuts")


@unittest.skipIf(SLOW > 1 and brief(), "waits more than it runs; the long run has it")
class ServerStopped(Crash):
    def test_stopped(self):
        """SIGSTOP: some clients wait, some come again and again; then it goes on."""
        seconds = 3 if brief() else 30
        server = self.start()
        patient = Pipe(self, server, "patient", "--timeout", "60", rooms=("room0",))
        patient.wait_joined("room0")
        crowd = Crowd(self, ("127.0.0.1", server.port), self.seed, silence=seconds / 4)
        times = 1 if brief() else 3
        for i in range(times):
            crowd.run(0.5 * SLOW)
            server.freeze()
            patient.say(f"said while it stood still: {i}")
            crowd.run(seconds)
            server.thaw()
        crowd.silence = 10 * SLOW
        crowd.run(0.5 * SLOW)
        patient.wait_event("ack", count=times, timeout=60)
        patient.close_input()
        self.assertEqual(patient.wait(20), 0, patient.tail())
        self.conclude(crowd, server, f"{times} x stopped for {seconds} s", others=times)


def idle(client):
    """Has it read all its input, and do its threads wait for something to happen?"""
    if struct.unpack("i", fcntl.ioctl(client.process.stdin, termios.FIONREAD, bytes(4)))[0]:
        return False

    def look():
        """Each thread's state, and how often it has given way."""
        seen = {}
        for path in glob.glob(f"/proc/{client.pid}/task/*/status"):
            with open(path, encoding="ascii", errors="replace") as f:
                seen[path] = [line.split()[1] for line in f
                              if line.startswith("State:") or "ctxt_switches" in line]
        return seen
    # Twice: they are not looked at in one moment.
    seen = look()
    return {state for state, *_ in seen.values()} == {"S"} and look() == seen


class ClientKilled(Crash):
    rounds = 4 if brief() else 100

    def options(self):
        return ("--idle", "10", "--ping", "2")

    def client(self, nick, **more):
        """One that finds again what the one before it left."""
        home = os.path.join(self.dir, "home-" + nick)
        env = {f"XDG_{kind}_HOME": f"{home}/{kind.lower()}" for kind in ("STATE", "DATA", "CONFIG")}
        return Pipe(self, self.server, nick, "--timeout", "30", env=env, **more)

    def said_by(self, nick):
        """What the room has of somebody."""
        return [s.text for s in self.witness.places["lobby"].seen if s.text.startswith(nick + " ")]

    def test_killed(self):
        """kill -9 while lines are fed; the next one on the same state brings what was left to its
        end. The room has what was taken in, without a hole and once."""
        self.server = self.start()
        crowd = Crowd(self, ("127.0.0.1", self.server.port), self.seed, count=0)
        self.witness = crowd.add("witness", ["lobby"])
        crowd.talking = False
        nicks = ["anna", "boris"]
        fed = dict.fromkeys(nicks, 0)
        acknowledged = 0
        for _ in range(self.rounds):
            killed = []
            for nick in nicks:
                killed.append(self.client(nick))
                killed[-1].wait_joined()
            settled = self.chance.random() < 0.5
            if settled:
                self.server.freeze()  # nothing can be acknowledged meanwhile
            self.feed(crowd, killed, fed)
            if settled:
                for client in killed:
                    wait_for(lambda: idle(client), f"{client.name} to take in what it was fed")
            for client in killed:
                client.kill()
            if settled:
                self.server.thaw()
            for client in killed:
                if self.chance.random() < 0.3:  # also while it sends what was left
                    again = self.client(client.nick, input=[])
                    crowd.run(self.chance.uniform(0.0, 0.1) * SLOW)
                    again.kill()
                    acknowledged += self.check_kept(crowd, again)
                again = self.client(client.nick, input=[])
                self.assertEqual(again.wait(30), 0, again.tail())
                acknowledged += self.check_kept(crowd, client) + self.check_kept(crowd, again)
                self.check_room(crowd, client, fed, settled)
        self.told(f"{self.rounds * len(nicks)} kills",
                  {"messages": sum(len(self.said_by(nick)) for nick in nicks),
                   "acknowledged": acknowledged, "lost": 0, "doubled": 0})
        self.assertGreater(acknowledged, 0)
        self.assertEqual(self.server.stop(), 0, self.server.tail())
        self.verify()

    def feed(self, crowd, clients, fed):
        """Lines to each, for a moment."""
        until = time.monotonic() + self.chance.uniform(0.01, 0.4) * SLOW
        limits = {client.nick: fed[client.nick] + 200 for client in clients}
        while time.monotonic() < until:
            for client in clients:
                if fed[client.nick] < limits[client.nick]:
                    client.say(f"{client.nick} {fed[client.nick]}")
                    fed[client.nick] += 1
            crowd.step(0.001)

    def check_kept(self, crowd, client):
        """What the client was told is kept is there once, under the number it was told."""
        acks = client.of("ack")
        highest = max((e["seq"] for e in acks), default=0)
        crowd.until(lambda: self.witness.places["lobby"].position >= highest,
                    "the witness to see what was acknowledged")
        there = {s.seq for s in self.witness.places["lobby"].seen}
        self.assertLessEqual({e["seq"] for e in acks}, there, f"seed {self.seed}")
        return len(acks)

    def check_room(self, crowd, client, fed, settled):
        """No hole, nothing twice, nothing missing of what had been taken in; what was not is fed
        again later."""
        newest = crowd.newcomer()
        said = [s.text for s in newest.places["lobby"].seen if s.text.startswith(client.nick + " ")]
        self.assertEqual(said, [f"{client.nick} {i}" for i in range(len(said))],
                         f"seed {self.seed}")
        self.assertLessEqual(len(said), fed[client.nick])
        if settled:
            self.assertEqual(len(said), fed[client.nick], f"seed {self.seed}")
        fed[client.nick] = len(said)


@unittest.skipIf(SLOW > 1 and brief(), "waits more than it runs; the long run has it")
class Clock(Crash):
    def start(self, port=0, **more):
        self.clock = os.path.join(self.data, "clock")  # where a server in its sandbox can read it
        return super().start(port, env=shim("clock", clock=self.clock), **more)

    def set_clock(self, seconds):
        """The server's clock goes wrong by so much from now on."""
        with open(self.clock + ".new", "w", encoding="ascii") as f:
            f.write(f"{seconds}\n")
        os.rename(self.clock + ".new", self.clock)

    def test_turned_back(self):
        """An hour back while people talk, a day ahead, and back over a restart: the order holds,
        and no message is older than the one before it."""
        server = self.start()
        port = server.port
        crowd = Crowd(self, ("127.0.0.1", port), self.seed)
        for offset in (0, -3600, 86400, 0):
            self.set_clock(offset)
            self.heard(crowd)
        server.kill()
        self.set_clock(-3600)
        server = self.start(port)
        self.heard(crowd)
        span = self.span(crowd)
        self.conclude(crowd, server, "the clock turned back and forth")
        self.assertGreater(span, 80000, "the server did not see another clock")

    @staticmethod
    def heard(crowd):
        """Some time passes, and something that is said in it is kept."""
        before = crowd.accepted()
        crowd.run(0.4 * SLOW)
        crowd.until(lambda: crowd.accepted() > before, "somebody to be heard")

    @staticmethod
    def span(crowd):
        """Seconds between the oldest message and the newest."""
        times = [seen.time for m in crowd.members for p in m.places.values() for seen in p.seen]
        return (max(times) - min(times)) / 1e6


if __name__ == "__main__":
    main()
