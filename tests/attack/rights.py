"""Attacks on what not everybody may do."""

import os

from lib import wire

from . import Attack
from .hostile import Key, Peer
from .storms import storm
from .visits import visit

VERBS = tuple(wire.VERBS.values())


def acts(target, amount):
    """Every act, of one who may do none of them."""
    return storm(target, amount, lambda i: wire.encode(
        "ACT", tag=i, room="canary", verb=VERBS[i % len(VERBS)], label="listener", value=i % 3,
        text="why not"), "DONE")


def questions(target, amount):
    kinds = (("CHARTER", {"room": "canary"}), ("AUDIT", {"room": "canary"}), ("CHARTER", {}),
             ("AUDIT", {}), ("WHOIS", {"nick": "listener"}), ("WHOIS", {"nick": "nobody"}))

    def ask(i):
        name, values = kinds[i % len(kinds)]
        return wire.encode(name, tag=i, **values)
    return storm(target, amount, ask, "CHARTER_IS", "AUDIT_PAGE", "PERSON")


def codes(target, amount):
    """Guesses of the operator's code, each of which ends a connection."""
    key = Key()
    def guess(where):
        peer = Peer(where, key)
        try:
            peer.enter("guesser")
            peer.send(wire.encode("ACT", tag=2, verb=wire.VERBS["op"], text=os.urandom(8).hex()))
            peer.expect("DONE")
            return "became an operator"
        finally:
            peer.close()
    return visit(target, amount, guess)


ATTACKS = [
    Attack("ACT storm without any right", acts, (20000, 10), (150, 2)),
    Attack("CHARTER, AUDIT, WHOIS storm", questions, (20000, 10), (150, 2)),
    Attack("wrong operator codes", codes, (1000, 20), (20, 1)),
]
