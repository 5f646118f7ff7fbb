"""Attacks that take their time: connections that are held, and bytes that trickle."""

import select
import subprocess
import tempfile
import time

from lib import wire

from . import Attack
from .hostile import Ended, Key, Peer, first_words, together


def hold(target, count, seconds, prepare, drip=None):
    """Hold connections, each after prepare(socket, key), and give each the next byte of `drip` once
    a second; what became of them after so long."""
    key = Key()
    held, words = {}, []
    watched = select.poll()  # select() knows 1024 descriptors
    for i in range(count):
        try:
            s = target.connect()
            prepare(s, key)
            s.setblocking(False)
            held[s.fileno()] = [s, b""]
            watched.register(s, select.POLLIN)
        except OSError:
            words.append("not connected")
    deadline = time.monotonic() + seconds
    tick, at = time.monotonic(), 0
    while held and (now := time.monotonic()) < deadline:
        if drip and now >= tick:
            tick += 1
            for s, _ in held.values():
                try:
                    s.send(drip[at % len(drip):][:1])
                except OSError:
                    pass  # its end is read below
            at += 1
        for number, _ in watched.poll(50):
            s = held[number][0]
            try:
                data = s.recv(4096)
            except OSError:
                data = b""
            held[number][1] += data
            if not data:
                words.append(first_words(held.pop(number)[1]) or "closed")
                watched.unregister(s)
                s.close()
    for s, got in held.values():
        words.append(first_words(got) or "held to the end")
        s.close()
    return together(words)


def hello_of(target, key):
    peer = Peer(target, key)
    peer.close()
    return peer.client_hello()


def silent(target, amount):
    """More than an address may have, or than may be on their way in."""
    count, seconds = amount
    return hold(target, count, seconds, lambda s, key: None)


def half_handshakes(target, amount):
    """ClientHello, and nothing after it."""
    count, seconds = amount
    hello = hello_of(target, Key())
    return hold(target, count, seconds, lambda s, key: s.sendall(hello))


def trickle(target, amount):
    """A ClientHello at one byte a second."""
    count, seconds = amount
    hello = hello_of(target, Key())
    return hold(target, count, seconds, lambda s, key: None, drip=hello)


def trickle_inside(target, amount):
    """A SAY at one byte a second, of many that are logged in."""
    count, seconds = amount
    say = wire.encode("SAY", counter=1, room="lobby", text="x" * 200)
    peers, words = [], []
    key = Key()
    for _ in range(count):
        try:
            peers.append(Peer(target, key).enter("drip"))
        except (Ended, OSError) as end:
            words.append(str(end))
    deadline = time.monotonic() + seconds
    at = 0
    while time.monotonic() < deadline and peers:
        next_tick = time.monotonic() + 1
        for peer in list(peers):
            try:
                peer.send(say[at:at + 1])
            except (Ended, OSError) as end:
                words.append(str(end))
                peers.remove(peer)
        at += 1
        select.select([], [], [], max(0, min(next_tick, deadline) - time.monotonic()))
    words += ["held to the end"] * len(peers)
    for peer in peers:
        peer.close()
    return together(words)


def never_reads(target, amount):
    """One floods a room where others do not read at all."""
    count, messages, seconds = amount
    deaf = [Peer(target, buffer=4096).enter(f"deaf{i}", "flooded") for i in range(count)]
    loud = Peer(target).enter("loud", "flooded")
    text = "x" * 1000
    sent = loud.storm((wire.encode("SAY", counter=i, room="flooded", text=text)
                       for i in range(1, messages + 1)), seconds)
    words = loud.tally(sent, "ACK")
    for peer in [*deaf, loud]:
        peer.close()
    return f"{count} deaf; {words}"


def key_updates(target, amount):
    """Asks for new keys again and again. Python cannot; openssl's client can, on a line "K"."""
    count, seconds = amount
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(Key().pem)
        file.flush()
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"{target.host}:{target.port}", "-bind",
             target.source, "-cert", file.name, "-key", file.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + seconds
        shaken, asked = b"", 0
        while b"Verify return code" not in shaken and (data := client.stdout.readline()):
            shaken += data
        try:
            # One line for each time that it reads.
            while asked < count and time.monotonic() < deadline and client.poll() is None:
                client.stdin.write(b"K\n")
                client.stdin.flush()
                asked += 1
                select.select([], [], [], 0.002)
        except OSError:
            pass
        ended = client.poll() is not None
        client.kill()
        client.communicate()
    return f"{'ended' if ended else 'not ended'} after {asked} updates"


ATTACKS = [
    Attack("1 byte a second of a ClientHello", trickle, (250, 14), (20, 1.2)),
    Attack("1 byte a second of a frame, logged in", trickle_inside, (200, 35), (5, 1.2)),
    Attack("silent connections, one address", silent, (400, 14), (60, 0.5)),
    Attack("silent connections, loopback", silent, (1200, 14), (40, 0.5), here=True),
    Attack("half TLS handshakes, held", half_handshakes, (400, 14), (50, 0.5)),
    Attack("20 that never read a flooded room", never_reads, (20, 20000, 15), (3, 600, 3)),
    Attack("KeyUpdate flood", key_updates, (2000, 10), (100, 2)),
]
