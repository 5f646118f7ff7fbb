"""A proxy that cuts each connection after a random number of bytes in either direction."""

import random
import selectors
import socket
import struct
import threading

from . import isolate

CHUNK = 1 << 16


class Leg:
    """One direction of a connection: bytes that may still pass, bytes on their way."""

    def __init__(self, source, sink, budget):
        self.source, self.sink, self.budget = source, sink, budget
        self.held = b""
        self.ended = False


class Proxy:
    """Listens on `address` and passes on to `target`, from a thread of its own. A connection's
    budgets, `mean` bytes or so, are drawn anew each time; the part `early` of them ends within the
    login. While `cutting` is false, new connections last."""

    def __init__(self, case, target, seed, mean=20000, early=0.2):
        isolate.required()
        self.target = target
        self.chance = random.Random(seed)
        self.mean = mean
        self.early = early
        self.cutting = True
        self.cuts = 0
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = self.listener.getsockname()
        self.listener.setblocking(False)
        self.waker, self.woken = socket.socketpair()  # closed: the end; a byte: cut all
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.selector.register(self.woken, selectors.EVENT_READ, self.wake)
        self.pairs = set()
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        case.addCleanup(self.close)

    def close(self):
        self.waker.close()
        self.thread.join()

    def cut_all(self):
        self.waker.send(b"!")

    def wake(self, _events):
        self.running = self.woken.recv(1) != b""
        for pair in list(self.pairs):
            self.cuts += 1
            pair.cut()

    def run(self):
        while self.running:
            for key, events in self.selector.select():
                key.data(events)
        self.shut_down()

    def shut_down(self):
        self.selector.close()
        self.listener.close()
        self.woken.close()

    def budget(self):
        if not self.cutting:
            return float("inf")
        if self.chance.random() < self.early:
            return self.chance.randrange(1, 200)
        return int(self.chance.expovariate(1 / self.mean)) + 1

    def accept(self, _events):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(self.target, timeout=5)
        except OSError:
            client.close()
            return
        self.pairs.add(Pair(self, client, server))


class Pair:
    def __init__(self, proxy, client, server):
        self.proxy = proxy
        self.ends = (client, server)
        self.legs = (Leg(client, server, proxy.budget()), Leg(server, client, proxy.budget()))
        for end in self.ends:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.listen(end, selectors.EVENT_READ)

    def listen(self, end, wanted):
        """What to wait for at one end; nothing, while the other end takes no more."""
        known = self.proxy.selector.get_map().get(end)
        if known and known.events == wanted:
            return
        if known:
            self.proxy.selector.unregister(end)
        if wanted:
            self.proxy.selector.register(end, wanted, self.pump)

    def pump(self, _events):
        if self not in self.proxy.pairs:
            return
        for leg in self.legs:
            if not self.move(leg):
                self.cut()
                return
        for end in self.ends:
            wanted = 0
            for leg in self.legs:
                if leg.source is end and not leg.held and not leg.ended:
                    wanted |= selectors.EVENT_READ
                if leg.sink is end and leg.held:
                    wanted |= selectors.EVENT_WRITE
            self.listen(end, wanted)

    def move(self, leg):
        """False where the connection is over, or is to be cut now."""
        try:
            if not leg.held and not leg.ended:
                leg.held = leg.source.recv(CHUNK)
                leg.ended = not leg.held
                if leg.budget < len(leg.held):
                    leg.held = leg.held[:leg.budget]
            if leg.held:
                sent = leg.sink.send(leg.held)
                leg.held = leg.held[sent:]
                leg.budget -= sent
        except BlockingIOError:
            return True
        except OSError:
            return False
        if leg.budget <= 0:
            self.proxy.cuts += 1
            return False
        return not leg.ended

    def cut(self):
        """Both ends at once; half of them hard, which also takes what is still in the kernel."""
        self.proxy.pairs.discard(self)
        hard = self.proxy.chance.random() < 0.5
        for end in self.ends:
            self.listen(end, 0)
            if hard:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
