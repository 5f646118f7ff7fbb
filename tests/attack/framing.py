"""Attacks with bytes that make no sense, or that mean more than they are."""

import os
import socket
import struct

from lib import wire

from . import Attack
from .hostile import Ended, Key, Peer, how_it_ends, together


def inside(target, count, data, login=False, leave=False):
    """What becomes of connections that send `data` inside TLS, before or after the login, and then
    wait, or close their half where they `leave`."""
    key = Key()
    words = []
    for i in range(count):
        try:
            peer = Peer(target, key)
        except OSError:
            words.append("not connected")
            continue
        try:
            peer.handshake()
            if login:
                peer.login("framer")
            peer.send(data(i))
            if leave:
                peer.socket.shutdown(socket.SHUT_WR)
            peer.expect("nothing")
        except (Ended, OSError) as end:
            words.append(str(end) if isinstance(end, Ended) else "reset")
        finally:
            peer.close()
    return together(words)


def huge(target, count):
    sizes = (0xffffffff, 0x80000000, 0x7fffffff, 65537, 4097)
    return inside(target, count,
                  lambda i: struct.pack(">IHH", sizes[i % len(sizes)], 1, 0) + bytes(100))


def huge_inside(target, count):
    sizes = (0xffffffff, 0x80000000, 65537)
    return inside(target, count,
                  lambda i: struct.pack(">IHH", sizes[i % len(sizes)], 0x20, 0) + bytes(1000),
                  login=True)


def short(target, count):
    """Frames without a payload, and a good one that ends at each of its bytes in turn."""
    hello = wire.encode("HELLO", version_low=1, version_high=1, agent="short")
    kinds = [wire.frame(number) for number, _ in wire.MESSAGES.values()]
    kinds += [hello[:end] for end in range(1, len(hello))]
    return inside(target, count, lambda i: kinds[i % len(kinds)], leave=True)


def outside(target, count, data):
    """What becomes of connections that send `data` in place of TLS, and no more."""
    words = []
    for i in range(count):
        try:
            with target.connect() as s:
                s.sendall(data(i))
                s.shutdown(socket.SHUT_WR)
                words.append(how_it_ends(s))
        except OSError:
            words.append("reset")
    return together(words)


def garbage(target, count):
    return outside(target, count, lambda i: bytes([1 + i % 255]) + os.urandom(1 + i * 37 % 3000))


def records(target, count):
    """Records of TLS's shape with nothing good in them: handshake, alert, early data, ..."""
    return outside(target, count, lambda i: struct.pack(
        ">BHH", 20 + i % 5, 0x0301, (16384, 0xffff, 1, 40)[i % 4]) + os.urandom(i * 61 % 4000))


def plain_hello(target, count):
    hello = wire.encode("HELLO", version_low=1, version_high=1, agent="plain")
    return outside(target, count, lambda i: hello)


ATTACKS = [
    Attack("length fields up to 2^32-1, before login", huge, 300, 10),
    Attack("length fields up to 2^32-1, logged in", huge_inside, 300, 6),
    Attack("frames of zero length, and truncated", short, 300, 16),
    Attack("garbage in place of TLS", garbage, 300, 10),
    Attack("bad TLS records", records, 300, 10),
    Attack("plaintext HELLO to TLS", plain_hello, 300, 10),
]
