"""An honest pair of clients: one says something twenty times a second, the other hears it."""

import select
import threading
import time

from lib.secure import Secure
from lib.raw import Raw
from lib.wait import wait_for

ROOM = "canary"
EACH = 0.05  # seconds


def percentile(values, part):
    """The value that so many hundredths are not above, of a list that is not empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)]


class Canary:
    """Talks in a thread of its own from start() to stop(). `times` has (when it was said, seconds
    until it was heard), `order` the numbers as they were heard."""

    def __init__(self, case, server, host, place):
        kind = Raw if case.plaintext else Secure
        with host.inside():
            self.speaker = kind(case, place)
            self.listener = kind(case, place)
        self.speaker.login("speaker")
        self.listener.login("listener")
        for peer in (self.speaker, self.listener):
            peer.join(ROOM)
        self.sent, self.order, self.times = {}, [], []
        self.acknowledged = 0
        self.ended = None
        self.quiet = threading.Event()
        self.give_up = None
        case.addCleanup(self.abandon)
        self.thread = threading.Thread(target=self.talk, daemon=True)
        self.thread.start()

    def talk(self):
        try:
            due = time.monotonic()
            while not self.quiet.is_set() or len(self.order) < len(self.sent):
                now = time.monotonic()
                if now >= due and not self.quiet.is_set():
                    due = max(due + EACH, now)
                    self.sent[self.speaker.say(str(len(self.sent)), ROOM)] = now
                self.listen(max(0, min(due - time.monotonic(), EACH)))
                if self.quiet.is_set() and now > self.give_up:
                    return
        except (AssertionError, OSError) as error:
            self.ended = str(error)

    def listen(self, seconds):
        # The listener first: it is the one whose time is taken.
        peers = (self.listener, self.speaker)
        ready = select.select([peer.socket for peer in peers], [], [], seconds)[0]
        for peer in peers:
            if peer.socket not in ready:
                continue
            while (got := peer.receive(0.0002)) is not None:
                if peer is self.listener and got[0] == "SAID" and \
                        got[1]["person"] == self.speaker.person:
                    now = time.monotonic()
                    said = self.sent[got[1]["counter"]]
                    self.order.append(got[1]["counter"])
                    self.times.append((said, now - said))
                self.acknowledged += got[0] == "ACK"
            if peer.ended:
                raise AssertionError(f"{peer.ended}")

    def between(self, since, until):
        """p50 and p99, in milliseconds, of what was said then; and how many."""
        taken = [took * 1000 for said, took in list(self.times) if since <= said < until]
        if not taken:
            return None
        return percentile(taken, 50), percentile(taken, 99)

    def stop(self, seconds=20):
        """Say no more, and hear all that is under way."""
        self.give_up = time.monotonic() + seconds
        self.quiet.set()
        wait_for(lambda: not self.thread.is_alive(), "the canary to hear all", seconds + 5)

    def abandon(self):
        """At the end of a test, however it ended: before the connections are closed."""
        self.give_up = 0
        self.quiet.set()
        self.thread.join()

    def in_order(self):
        return self.order == sorted(self.sent)[:len(self.order)]
