"""What TLS costs the server against --plaintext: logins, memory of an idle connection, CPU time of
a delivered message. Both take turns, and what counts is their ratio."""

import os
import statistics
import time

from lib import Server, wire

from . import table
from .hostile import Key, Peer, Target
from .stage import Attacker

LOGINS, IDLE, LISTENERS, MESSAGES = 500, 1000, 20, 1024


def cpu_ns(pid):
    """How many nanoseconds the threads that there are have had of a processor."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def logins(target, count):
    """Connections with a login, each after the one before has left: how many a second."""
    key = Key()
    began = time.monotonic()
    for _ in range(count):
        Peer(target, key).enter("visitor").close()
    return count / (time.monotonic() - began)


KEPT = []  # what the process of an attacker holds between two things that it is told


def gather(target, count, room):
    """Log so many in, and keep them."""
    key = Key()
    KEPT.extend(Peer(target, key).enter("idle", room) for _ in range(count))
    return len(KEPT)


def talk(_target, first, count, window):
    """One of those that are kept says so much, `window` messages at a time, and each hears it before it
    says the next: how many deliveries."""
    before = sum(peer.counts["SAID"] for peer in KEPT)
    for i in range(first, first + count):
        KEPT[0].send(wire.encode("SAY", counter=i, room="bench", text="x" * 64))
        if (i - first + 1) % window and i < first + count - 1:
            continue
        for peer in KEPT:
            while peer.counts["SAID"] < i:
                peer.step()
                peer.messages()
    return sum(peer.counts["SAID"] for peer in KEPT) - before


def let_go(_target):
    for peer in KEPT:
        peer.close()
    KEPT.clear()


def measure(plaintext):
    """One server's figures: logins a second, bytes an idle connection, ns a delivery."""
    with table.Stand() as case:
        case.plaintext = plaintext
        server, client = stand(case)
        target = Target("127.0.0.1", server.port, "127.0.0.1", plaintext)
        client.ask(logins, target, 20)
        figures = {"connections with login, a second": client.ask(logins, target, LOGINS)}
        before = server.rss_kib()
        client.ask(gather, target, IDLE, None)
        figures["resident bytes of an idle connection"] = (server.rss_kib() - before) * 1024 / IDLE
        client.ask(let_go, target)
        server.stop()
        server, client = stand(case)
        target.port = server.port
        client.ask(gather, target, LISTENERS, "bench")
        first = 1
        for window in (1, 64):
            began = cpu_ns(server.pid)
            delivered = client.ask(talk, target, first, MESSAGES, window)
            figures[f"server's CPU ns of a delivery, {window} at once"] = \
                (cpu_ns(server.pid) - began) / delivered
            first += MESSAGES
        client.ask(let_go, target)
    return figures


def stand(case):
    """A server, and a process for its clients."""
    server = Server(case, "--rate", "off", "--max-clients", "off")
    return server, Attacker(case, None)


def show(rounds):
    runs = {True: [], False: []}
    for _ in range(rounds):
        for plaintext, figures in runs.items():
            figures.append(measure(plaintext))
    print(f"{rounds} rounds in turn, load of this machine {os.getloadavg()[0]:.1f} on "
          f"{len(os.sched_getaffinity(0))} cores; median (least to most)")
    table.line("figure", "TLS", "plaintext", "TLS / plaintext")
    table.line(*["---"] * 4)
    for name in runs[True][0]:
        cells, medians = [], []
        for plaintext in (False, True):
            values = [run[name] for run in runs[plaintext]]
            medians.append(statistics.median(values))
            cells.append(f"{medians[-1]:.0f} ({min(values):.0f} to {max(values):.0f})")
        table.line(name, *cells, f"{medians[0] / medians[1]:.2f}")
