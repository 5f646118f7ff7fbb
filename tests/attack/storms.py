"""Attacks by one who is logged in and asks for more than anybody could."""

import itertools

from lib import wire

from . import Attack
from .hostile import Peer


def storm(target, amount, frames, *answers, room="lobby"):
    """One peer sends frames(i) for i from 1 on; (count, seconds) bound it."""
    count, seconds = amount
    peer = Peer(target).enter("storm", room)
    sent = peer.storm((frames(i) for i in range(1, count + 1)), seconds)
    words = peer.tally(sent, *answers)
    peer.close()
    return words


def said(target, amount):
    return storm(target, amount,
                 lambda i: wire.encode("SAY", counter=i, room="lobby", text="flood " * 10), "ACK")


def said_in_the_room(target, amount):
    """The same where the canary is."""
    return storm(target, amount,
                 lambda i: wire.encode("SAY", counter=i, room="canary", text="flood"), "ACK",
                 room="canary")


def join_part(target, amount):
    return storm(target, amount, lambda i: wire.encode("JOIN", tag=i, room="canary") +
                 wire.encode("PART", tag=i, room="canary"), "JOINED", "PARTED")


def new_rooms(target, amount):
    return storm(target, amount, lambda i: wire.encode("JOIN", tag=i, room=f"room{i}", replay=100) +
                 wire.encode("SAY", counter=i, room=f"room{i}", text="mine") +
                 wire.encode("PART", tag=i, room=f"room{i}"), "JOINED", "ACK")


def nicks(target, amount):
    return storm(target, amount, lambda i: wire.encode("NICK", tag=i, nick=f"name{i}"), "RENAMED",
                 room="canary")


def searches(target, amount):
    words = itertools.cycle(("flood", "a", "canary 1", "nothing of it", '"x y"'))
    return storm(target, amount, lambda i: wire.encode(
        "SEARCH", tag=i, where=i % 3, room="canary", before=2 ** 63, limit=50, words=next(words)),
        "FOUND", room="canary")


def pages(target, amount):
    return storm(target, amount, lambda i: wire.encode(
        "HISTORY", tag=i, room="canary", value=2 ** 63, limit=200), "HISTORY_PAGE", room="canary")


ATTACKS = [
    Attack("messages without end", said, (60000, 10), (300, 2)),
    Attack("messages into the canary's room", said_in_the_room, (60000, 10), (300, 2)),
    Attack("JOIN and PART of the canary's room", join_part, (20000, 10), (150, 2)),
    Attack("ever new rooms", new_rooms, (20000, 10), (100, 2)),
    Attack("NICK storm in the canary's room", nicks, (20000, 10), (200, 2)),
    Attack("SEARCH storm", searches, (20000, 10), (100, 2)),
    Attack("HISTORY storm", pages, (20000, 10), (100, 2)),
]
