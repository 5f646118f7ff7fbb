"""Where an attack is played: a server on a host, the canary on another, the attacker on a third."""

import collections
import multiprocessing
import resource
import threading
import time

from lib import Lan, Server
from lib.lan import enter
from lib.wait import wait_for

from . import every
from .canary import Canary
from .hostile import Target

SERVER, CANARY, ATTACKER = "10.1.0.1", "10.1.0.2", "10.1.1.{}"
FORK = multiprocessing.get_context("fork")

# What one attack came to. Latencies are pairs (p50, p99) in milliseconds or None, memory in KiB.
Figures = collections.namedtuple(
    "Figures", "name result before during rss_before rss_worst rss_after threads descriptors")


class Attacker:
    """A process on a host (None: where this one is), which plays the attacks that it is told to."""

    def __init__(self, case, host):
        self.pipe, there = FORK.Pipe()
        self.process = FORK.Process(target=self.work, args=(host, there), daemon=True)
        self.process.start()
        there.close()
        case.addCleanup(self.end)

    @staticmethod
    def work(host, pipe):
        if host:
            with open(host.namespace, "rb") as there:
                enter(there)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        acts = {attack.name: attack.act for attack in every()}
        while True:
            try:
                act, *rest = pipe.recv()
            except EOFError:
                return
            try:
                pipe.send((act if callable(act) else acts[act])(*rest))
            except Exception as error:  # the attacker fails, the table says so
                pipe.send(f"stopped by {type(error).__name__}: {error}")

    def begin(self, attack, target, amount):
        self.pipe.send((attack.name, target, amount))

    def result(self):
        """What came of it, once it has; None before."""
        return self.pipe.recv() if self.pipe.poll() else None

    def ask(self, act, *rest):
        """What a function of these modules gives there."""
        self.pipe.send((act, *rest))
        return self.pipe.recv()

    def end(self):
        self.pipe.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Stage:
    """A server with default limits, and the canary logged in and talking. `case` is a Scenario."""

    def __init__(self, case, *options):
        lan = Lan(case)
        switch = lan.switch("lan")
        hosts = [lan.host(name) for name in ("server", "canary", "attacker")]
        for host, address in zip(hosts, (SERVER, CANARY, ATTACKER.format(1))):
            lan.connect(host, switch, address=address + "/16")
        self.home, self.away = Attacker(case, hosts[0]), Attacker(case, hosts[2])
        self.attacker = hosts[2]
        self.plaintext = case.plaintext
        self.server = Server(case, *options, listen="0.0.0.0:0", beacon=True, host=hosts[0])
        self.canary = Canary(case, self.server, hosts[1], (SERVER, self.server.port))
        self.sources = 1

    def target(self, attack):
        """For one attack. Each comes from an address of its own, for none to pay for another."""
        if attack.here:
            return Target("127.0.0.1", self.server.port, "127.0.0.1", self.plaintext)
        self.sources += 1
        source = ATTACKER.format(self.sources)
        self.attacker.run("ip", "addr", "add", source + "/16", "dev", "eth0")
        return Target(SERVER, self.server.port, source, self.plaintext)

    def shape(self):
        """What must be as it was when nobody attacks any more."""
        return self.server.shape()

    @staticmethod
    def wait(seconds):
        """Time in which the canary is measured; there is no event to wait for."""
        threading.Event().wait(seconds)

    def play(self, attack, amount, before=2, after=5):
        """The attack, with so many seconds of the canary around it."""
        target = self.target(attack)
        start = time.monotonic()
        self.wait(before)
        threads, descriptors = self.server.threads(), self.server.descriptors()
        rss = self.server.rss_kib()
        worst = rss
        attacker = self.home if attack.here else self.away
        begin = time.monotonic()
        attacker.begin(attack, target, amount)
        while (result := attacker.result()) is None and self.server.running():
            worst = max(worst, self.server.rss_kib())
            self.wait(0.02)
        end = time.monotonic()
        self.wait(after)
        return Figures(attack.name, result, self.canary.between(start, begin),
                       self.canary.between(begin, end), rss, worst, self.server.rss_kib(),
                       (threads, self.server.threads()),
                       (descriptors, self.server.descriptors()))

    def settle(self, shape, seconds=20):
        """Until threads and descriptors are what they were."""
        wait_for(lambda: self.shape() == shape, f"{shape} threads and descriptors", seconds,
                 lambda: self.shape())
