"""Attacks with datagrams, at the beacon; and how much comes back for what is sent, on the wire."""

import os
import select
import socket
import time

from lib import beacon

from . import Attack

HOPS = 255


def station(source):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, HOPS)
    s.bind((source, 0))
    return s


def exchange(target, packets, seconds, acted_on):
    """Send the packets from one address, for so long at most. (datagrams sent, bytes sent, datagrams
    that came back, bytes that came back); acted_on(target) returns when all were looked at."""
    deadline = time.monotonic() + seconds
    out = sizes = back = came = 0
    with station(target.source) as s:
        for packet in packets:
            if time.monotonic() >= deadline:
                break
            s.sendto(packet, (target.host, beacon.PORT))
            out, sizes = out + 1, sizes + len(packet)
            while out % 16 == 0 and select.select([s], [], [], 0)[0]:
                back, came = back + 1, came + len(s.recv(65535))
        acted_on(target)
        while select.select([s], [], [], 0)[0]:
            back, came = back + 1, came + len(s.recv(65535))
    return out, sizes, back, came


def fence(target):
    """Until a query that was sent after all others is answered. Datagrams that a flood made the kernel
    drop cannot be waited for, so this has a deadline."""
    with station(target.source) as s:
        s.sendto(query(), (target.host, beacon.PORT))
        select.select([s], [], [], 2)


def quiet(_target):
    """Of a flood's end, where a query is not answered."""
    select.select([], [], [], 0.3)


def query():
    return beacon.encode(beacon.QUERY, nonce=os.urandom(8))


def in_words(counts):
    out, sizes, back, came = counts
    return f"{out} sent, {back} answered: {came / max(sizes, 1):.3f} bytes for each byte"


def queries(target, amount):
    count, seconds = amount
    return in_words(exchange(target, (query() for _ in range(count)), seconds, quiet))


# What may be anything in a query: flags, the highest version, the nonce (docs/PROTOCOL.md, 12.1).
FREE = {5, 8, 9, *range(28, 36)}


def malformed_packets():
    """Of a wrong length, and with a wrong byte at each place where there can be one, for ever."""
    good = query()
    lengths = [0, 1, 4, 16, 100, 190, 191, 193, 194, 384, 1400, 8000]
    while True:
        for length in lengths:
            yield (good * 42)[:length]
        for at in set(range(beacon.SIZE)) - FREE:
            yield good[:at] + bytes([good[at] ^ 0xff]) + good[at + 1:]


def malformed(target, amount):
    count, seconds = amount
    packets = malformed_packets()
    return in_words(exchange(target, (next(packets) for _ in range(count)), seconds, fence))


def kinds():
    """(name, packet) of every kind of datagram that there is, and of lengths around the right one."""
    yield "query", query()
    yield "announcement", beacon.announcement("false")
    yield "answer", beacon.encode(
        beacon.ANSWER, nonce=os.urandom(8), port=1, sequence=1, lifetime=6500, people=1,
        people_max=2, server=os.urandom(32), instance=os.urandom(16), proof=os.urandom(16),
        name=b"false")
    yield "goodbye", beacon.encode(
        beacon.GOODBYE, port=1, sequence=2, lifetime=6500, server=os.urandom(32),
        instance=os.urandom(16), proof=os.urandom(16), name=b"false")
    good = query()
    for length in (0, 1, 96, 188, 189, 190, 191, 193, 194, 195, 196, 384, 1400):
        yield f"{length} bytes that begin like a query", (good * 8)[:length]
    yield "192 random bytes", os.urandom(192)


TIMES = 20  # of each kind


def amplification(target):
    """[(name, datagrams out, bytes out, datagrams in, bytes in)], as the sender's socket has them.
    Few enough for no limit to help."""
    return [(name, *exchange(target, [packet] * TIMES, 5, fence)) for name, packet in kinds()]


def worst(measured):
    """The most bytes for a byte, of all kinds; of an empty datagram, any answer is too much."""
    return max(came / sizes if sizes else float("inf") if came else 0.0
               for _, _, sizes, _, came in measured)


ATTACKS = [
    Attack("UDP: queries from one address", queries, (100000, 10), (2000, 1)),
    Attack("UDP: malformed", malformed, (100000, 10), (2000, 1)),
]
