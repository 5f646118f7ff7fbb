"""Plays attacks and prints their table."""

import os

from lib import Scenario

from . import datagrams
from .hostile import Target
from .stage import SERVER, Stage

HEAD = ("attack", "result for the attacker", "p50/p99 before, ms", "p50/p99 during, ms",
        "delivered/sent", "RSS before/worst/after, KiB", "threads, descriptors")


class Stand(Scenario):
    """A test case for those who are not in a test: what it started ends with the block."""

    def runTest(self):
        """What unittest asks of a case."""

    def __enter__(self):
        self.setUp()
        return self

    def __exit__(self, *_):
        self.doCleanups()


def line(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def pair(figures):
    return "-" if figures is None else f"{figures[0]:.1f} / {figures[1]:.1f}"


def head():
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores")
    line(*HEAD)
    line(*["---"] * len(HEAD))


def show(figures, delivered):
    line(figures.name, str(figures.result), pair(figures.before), pair(figures.during), delivered,
         f"{figures.rss_before} / {figures.rss_worst} / {figures.rss_after}",
         f"{figures.threads[0]}, {figures.descriptors[0]} / "
         f"{figures.threads[1]}, {figures.descriptors[1]}")


def sound(stage):
    """The server lives and the canary has heard all, in order; in words where it is not so."""
    canary = stage.canary
    faults = [] if stage.server.running() else ["the server has ended"]
    if canary.ended:
        faults.append(f"the canary has ended: {canary.ended}")
    if len(canary.order) < len(canary.sent):
        faults.append("messages were lost")
    if not canary.in_order():
        faults.append("out of order")
    for fault in faults:
        print(f"  FAULT: {fault}\n{stage.server.tail()}", flush=True)
    return not faults


def full(attacks):
    """Each with full amounts on a server of its own. False where the canary suffered a loss."""
    good = True
    head()
    for attack in attacks:
        with Stand() as case:
            stage = Stage(case)
            figures = stage.play(attack, attack.full)
            stage.canary.stop()
            show(figures, f"{len(stage.canary.order)}/{len(stage.canary.sent)}")
            good &= sound(stage)
    return good


def brief(attacks):
    """All with small amounts on one server, twice: the second time is shown."""
    head()
    with Stand() as case:
        stage = Stage(case)
        for attack in attacks:
            stage.play(attack, attack.brief, before=0, after=0)
        for attack in attacks:
            show(stage.play(attack, attack.brief, before=0.2, after=0), "see below")
        stage.canary.stop()
        print(f"delivered: {len(stage.canary.order)} of {len(stage.canary.sent)}")
        return sound(stage)


def amplification():
    """Prints what each kind of datagram brings back. False where it is more than was sent."""
    with Stand() as case:
        stage = Stage(case)
        measured = stage.away.ask(datagrams.amplification,
                                  Target(SERVER, stage.server.port, "10.1.1.1"))
        stage.canary.stop()
    line("datagram", "sent, bytes", "came back, bytes", "factor")
    line(*["---"] * 4)
    for name, out, sizes, back, came in measured:
        line(name, f"{out}, {sizes}", f"{back}, {came}",
             f"{came / sizes:.3f}" if sizes else f"{came} for nothing")
    return datagrams.worst(measured) <= 1.0
