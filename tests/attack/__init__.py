"""Attacks on a real server, with an honest pair of clients beside them as the canary.

An attack is a function that is handed a Target and how much to do, and says in a few words what came
of it. It runs in a process of its own, on a host of its own, so that neither its CPU time nor its
address is the canary's. Each is bounded in count and in time.
"""

import collections

# `act(target, amount)` returns words; `full` and `brief` are the amounts of either mode. `here`: it
# comes from the server's own machine, which limits for each address do not count.
Attack = collections.namedtuple("Attack", "name act full brief here", defaults=(False,))


def every():
    """All attacks, in the order in which they are shown."""
    from . import datagrams, framing, lingering, rights, storms, visits
    return [*framing.ATTACKS, *lingering.ATTACKS, *visits.ATTACKS, *storms.ATTACKS,
            *rights.ATTACKS, *datagrams.ATTACKS]
