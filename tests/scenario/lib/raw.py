"""A peer that speaks the protocol by hand, as well or as badly as a test wants."""

import os
import select
import socket
import struct
import time

from . import isolate, wire
from .wait import SLOW


class Raw:
    """A TCP connection to a server. Small socket buffers (`buffer` bytes) make a reader that
    stalls early; `source` is the address that it comes from."""

    def __init__(self, case, server, host=None, buffer=None, source=None):
        isolate.required()
        address = ("127.0.0.1", server.port) if hasattr(server, "port") else server
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = (host.socket if host else socket.socket)(family, socket.SOCK_STREAM)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(10 * SLOW)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes = b""
        self.ended = None
        self.tag = 0
        self.counter = 0
        self.person = os.urandom(32)
        self.instance = os.urandom(16)
        self.seen = []
        case.addCleanup(self.socket.close)

    # ---- sending ----

    def send(self, data):
        self.socket.sendall(data)

    def message(self, name, /, **values):
        """Send a message."""
        self.send(wire.encode(name, **values))

    def request(self, name, **values):
        """Send one that has a tag; returns the tag."""
        self.tag += 1
        self.message(name, tag=self.tag, **values)
        return self.tag

    def say(self, text, room="lobby", kind=0):
        """Returns the message's counter."""
        self.counter += 1
        self.message("SAY", counter=self.counter, kind=kind, room=room, text=text)
        return self.counter

    def reset(self):
        """Break the connection as a crash does: with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # ---- receiving ----

    def fill(self, deadline):
        """Read what comes next; false at the deadline or the end."""
        left = deadline - time.monotonic()
        if self.ended or left <= 0 or not select.select([self.socket], [], [], left)[0]:
            return False
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            self.ended = "reset"
            return False
        if not data:
            self.ended = "closed"
            return False
        self.bytes += data
        return True

    def receive(self, timeout=10):
        """The next message as (name, fields); None when there is none in time or ever more.
        Pings are answered on the way."""
        deadline = time.monotonic() + timeout * SLOW
        while True:
            if len(self.bytes) >= wire.HEADER:
                length, number, _flags = struct.unpack(">IHH", self.bytes[:wire.HEADER])
                if length > wire.PAYLOAD_MAX:
                    raise AssertionError(f"the server sent a frame of {length} bytes")
                if len(self.bytes) >= wire.HEADER + length:
                    payload = self.bytes[wire.HEADER:wire.HEADER + length]
                    self.bytes = self.bytes[wire.HEADER + length:]
                    name, values = wire.decode(number, payload)
                    self.seen.append(name)
                    if name == "PING":
                        self.message("PONG", token=values["token"])
                    return name, values
            if not self.fill(deadline):
                return None

    def expect(self, name, timeout=10, **values):
        """The next message of that name with these values, passing over others."""
        deadline = time.monotonic() + timeout * SLOW
        passed = []
        while (left := deadline - time.monotonic()) > 0:
            got = self.receive(left / SLOW)
            if got is None:
                break
            if got[0] == name and all(got[1][k] == v for k, v in values.items()):
                return got[1]
            passed.append(got)
        raise AssertionError(f"no {name} {values or ''} within {timeout * SLOW} s; the "
                             f"connection is {self.ended or 'open'}; passed over {passed[-8:]}")

    def wait_end(self, timeout=10):
        """Until the server ends the connection: "closed" or "reset". Messages that come before
        are returned too."""
        deadline = time.monotonic() + timeout * SLOW
        got = []
        while (left := deadline - time.monotonic()) > 0 and not self.ended:
            message = self.receive(left / SLOW)
            if message is not None:
                got.append(message)
        if not self.ended:
            raise AssertionError(f"still connected after {timeout * SLOW} s; got {got[-8:]}")
        return self.ended, got

    # ---- conversations ----

    def hello(self):
        self.message("HELLO", version_low=1, version_high=1, agent="scenario")
        return self.expect("WELCOME")

    def login(self, nick, flags=0):
        welcome = self.hello()
        tag = self.request("LOGIN", person=self.person, instance=self.instance,
                           log=welcome["log"], flags=flags, nick=nick)
        return self.expect("LOGGED_IN", tag=tag)

    def join(self, room="lobby", replay=0):
        tag = self.request("JOIN", room=room, replay=replay)
        return self.expect("JOINED", tag=tag)
