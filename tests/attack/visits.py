"""Attacks that come and leave at once, thousands of times."""

import time

from . import Attack
from .hostile import Ended, Key, Peer, first_words, together


def visit(target, amount, come):
    """So many visits one after the other, for so long at most; come(target) says how one ended."""
    count, seconds = amount
    deadline = time.monotonic() + seconds
    began = time.monotonic()
    words = []
    while len(words) < count and time.monotonic() < deadline:
        try:
            words.append(come(target))
        except (Ended, OSError) as end:
            words.append(str(end) if isinstance(end, Ended) else "reset")
    took = time.monotonic() - began
    return f"{together(words)}; {len(words) / took:.0f}/s"


def refused(s):
    """What the server has said already, if it has."""
    s.setblocking(False)
    try:
        return first_words(s.recv(4096))
    except OSError:
        return None


def bare(target, amount):
    def come(where):
        with where.connect() as s:
            return refused(s) or "came and left"
    return visit(target, amount, come)


def half(target, amount):
    key = Key()
    def come(where):
        peer = Peer(where, key)
        try:
            peer.socket.sendall(peer.client_hello())
            return refused(peer.socket) or "came and left"
        finally:
            peer.close()
    return visit(target, amount, come)


def shaken(target, amount):
    key = Key()
    def come(where):
        peer = Peer(where, key)
        try:
            peer.handshake()
            return "shook hands and left"
        finally:
            peer.close()
    return visit(target, amount, come)


def logged_in(target, amount, key=None):
    def come(where):
        peer = Peer(where, key)
        try:
            peer.enter("visitor")
            return "logged in and left"
        finally:
            peer.close()
    return visit(target, amount, come)


ATTACKS = [
    Attack("connect and leave", bare, (10000, 60), (100, 1)),
    Attack("half a TLS handshake and leave", half, (10000, 60), (50, 1)),
    Attack("whole TLS handshake and leave", shaken, (10000, 60), (30, 1)),
    Attack("login and leave, a new key each", logged_in, (10000, 90), (30, 1)),
    Attack("login and leave, one key",
           lambda target, amount: logged_in(target, amount, Key()), (10000, 90), (30, 1)),
]
