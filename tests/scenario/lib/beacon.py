"""The discovery packet, written from its description, and a host that speaks it by hand."""

import hashlib
import os
import select
import socket
import struct
import time

PORT = 19830
SIZE = 192
GROUP = "ff12::ec61:6e63"
QUERY, ANSWER, ANNOUNCEMENT, GOODBYE = 1, 2, 3, 4
FIELDS = struct.Struct("!4sBBHHHIIII8s32s16s16s48s44s")
NAMES = ("magic", "type", "flags", "version_low", "version_high", "port", "sequence", "lifetime",
         "people", "people_max", "nonce", "server", "instance", "proof", "name", "padding")


def encode(kind, **fields):
    values = dict.fromkeys(NAMES[1:10], 0) | dict.fromkeys(NAMES[10:], b"")
    values.update(magic=b"LCB1", version_low=1, version_high=1, type=kind, **fields)
    return FIELDS.pack(*(values[name] for name in NAMES))


def decode(packet):
    """A dict, or None for anything else."""
    if len(packet) != SIZE or packet[:4] != b"LCB1":
        return None
    values = dict(zip(NAMES, FIELDS.unpack(packet)))
    values["name"] = values["name"].rstrip(b"\0").decode("utf-8", "replace")
    return values


def kind(packet):
    """Its type, or None for anything else."""
    values = decode(packet)
    return values["type"] if values else None


def announcement(name, *, port=1, secret=None, **fields):
    """Of a made-up server."""
    secret = secret or os.urandom(16)
    values = {"port": port, "sequence": 1, "lifetime": 6500, "people": 1, "people_max": 2,
              "server": os.urandom(32), "instance": os.urandom(16),
              "proof": hashlib.sha256(secret).digest()[:16], "name": name.encode()}
    return encode(ANNOUNCEMENT, **(values | fields))


class Station:
    """Sends and hears raw packets on a host, over IPv4. `hops` is the TTL of what it sends."""

    def __init__(self, case, host, hops=255):
        self.host = host
        self.private = self.open(case, 0, hops)
        self.shared = self.open(case, PORT, hops)

    def open(self, case, port, hops):
        s = self.host.socket(socket.AF_INET, socket.SOCK_DGRAM)
        case.addCleanup(s.close)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
        s.bind(("", port))
        return s

    def broadcast(self, packet, to, port=PORT):
        """To everybody on the network with the broadcast address `to`."""
        self.private.sendto(packet, (to, port))

    def hear(self, seconds, wanted=lambda packet: True, most=None):
        """The (packet, source) pairs that come in within so many seconds and are `wanted`, at
        most so many of them."""
        heard = []
        deadline = time.monotonic() + seconds
        while most is None or len(heard) < most:
            ready, _, _ = select.select([self.private, self.shared], [], [],
                                        max(0, deadline - time.monotonic()))
            if not ready:
                return heard
            for s in ready:
                packet, source = s.recvfrom(2048)
                if wanted(packet):
                    heard.append((packet, source))
        return heard
