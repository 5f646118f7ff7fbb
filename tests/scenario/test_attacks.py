#!/usr/bin/env python3
"""Attempts to fill the server, to stop it or to turn it against others, by one who plays by the
letter of the protocol or ignores it."""

import os
import resource
import socket
import ssl
import subprocess
import threading
import time

from lib import Pipe, Raw, SLOW, PlainScenario, Scenario, Server, main, wait_for, wire


def settle(raw, data):
    """Send all of `data` while reading what is answered, until the server has acted on it."""
    token = 0x5e771ed
    mark = wire.encode("PONG", token=token)
    left = memoryview(data + wire.encode("PING", token=token))
    tail = b""
    raw.socket.settimeout(0.05)
    try:
        while left or mark not in tail:
            if left:
                try:
                    left = left[raw.socket.send(left[:1 << 16]):]
                except TimeoutError:
                    pass
            try:
                got = raw.socket.recv(1 << 18)
                if not got:
                    raise AssertionError("the server closed the connection")
                tail = tail[-len(mark):] + got
            except TimeoutError:
                pass
    finally:
        raw.socket.settimeout(10 * SLOW)


class Greed(PlainScenario):
    """One peer takes as much as it can get of what belongs to all."""

    def peer(self, server, nick):
        raw = Raw(self, server)
        raw.login(nick)
        return raw

    def test_all_rooms(self):
        """A word in as many rooms as there may be: others still open rooms of their own."""
        server = Server(self, "--max-rooms", "50")
        greedy = self.peer(server, "greedy")
        settle(greedy, b"".join(
            wire.encode("JOIN", tag=i, room=f"room{i}") +
            wire.encode("SAY", counter=i, room=f"room{i}", text="mine") +
            wire.encode("PART", tag=i, room=f"room{i}") for i in range(1, 101)))
        anna = self.peer(server, "anna")
        anna.join("lobby")
        anna.expect("ACK", counter=anna.say("still possible"))
        # What was said in a room that made way is not lost.
        tag = anna.request("JOIN", room="room1", replay=10)
        self.assertEqual(anna.expect("JOINED", tag=tag)["last"], 1)
        self.assertEqual(anna.expect("SAID", room="room1")["text"], "mine")


class Halves(PlainScenario):
    """Peers that begin something and never end it."""

    def test_no_spin(self):
        """They are waited for, asleep: whatever of theirs is there, it wakes nobody twice."""
        server = Server(self, "--login-timeout", "2", "--frame-timeout", "2")
        hello = wire.encode("HELLO", version_low=1, version_high=1)
        halves = [b"", hello[:1], hello[:5], hello[:-1], hello + b"\0", hello + hello[:-1]]
        before, began = server.cpu_seconds(), time.monotonic()
        peers = []
        for i, half in enumerate(halves * 4):
            raw = Raw(self, server)
            raw.send(half)
            if i % 2:
                raw.socket.shutdown(socket.SHUT_WR)
            peers.append(raw)
        for raw in peers:
            raw.wait_end()
        self.assertLess(server.cpu_seconds() - before, (time.monotonic() - began) / 2)


class Visitor(Raw):
    """The other end of a connection: a client that came to a false server."""

    def __init__(self, connection):  # pylint: disable=super-init-not-called
        self.socket = connection
        self.socket.settimeout(10 * SLOW)
        self.bytes = b""
        self.ended = None
        self.seen = []

    def admit(self):
        """Let the client in, as a server should; the tag of its first JOIN."""
        self.expect("HELLO")
        self.message("WELCOME", version=1, server=b"s" * 32, log=b"l" * 16, name="false")
        login = self.expect("LOGIN")
        self.message("LOGGED_IN", tag=login["tag"], nick=login["nick"], text_max=4096,
                     rooms_max=100, ping_seconds=30, idle_seconds=120)
        self.message("CAUGHT_UP")
        return self.expect("JOIN")["tag"]

    def show_room(self, tag):
        self.message("JOINED", tag=tag, room="lobby", people=1)
        self.message("CAUGHT_UP", room="lobby")


class Trap:
    """A false server. Whoever connects is dealt with by `script`, each in a thread."""

    def __init__(self, case, script):
        self.script = script
        self.visits = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        case.addCleanup(self.listener.close)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.visits.append(time.monotonic())
            threading.Thread(target=self.visit, args=(connection,), daemon=True).start()

    def visit(self, connection):
        with connection:
            try:
                self.script(self.visitor(connection))
            except (OSError, AssertionError):
                pass  # the client has had enough

    def visitor(self, connection):
        return Visitor(connection)


class TlsTrap(Trap):
    """One that speaks TLS, at first."""

    def __init__(self, case, script):
        pem = os.path.join(case.dir, "trap.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x",
                        "-keyout", pem, "-out", pem + ".crt"], check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem + ".crt", pem)
        super().__init__(case, script)

    def visitor(self, connection):
        """A plain socket: what is sent from now on goes past TLS."""
        with self.context.wrap_socket(connection, server_side=True) as encrypted:
            return socket.socket(fileno=encrypted.detach())


class FalseServers(PlainScenario):
    """What a client meets when it connects to somebody who means harm."""

    def test_thrown_out(self):
        """Taken in and thrown out at once, again and again: it comes back ever more slowly."""
        trap = Trap(self, Visitor.admit)
        Pipe(self, trap, "anna")
        wait_for(lambda: len(trap.visits) >= 5, "five visits", seen=lambda: len(trap.visits))
        self.assertGreater(trap.visits[4] - trap.visits[3], 1.5)

    def test_escapes(self):
        """Nothing that a server says can steer the terminal that the output goes to."""
        evil = b"\x1b]0;pwned\x07 \x1b[2J \xc2\x9b31m \x7f \xff \xed\xa0\x80 \xe2\x80\xae \r"
        def script(visitor):
            visitor.show_room(visitor.admit())
            visitor.message("NOTICE", text=evil)
            visitor.message("SAID", seq=1, counter=1, nick=b"n", room="lobby", text=evil)
            visitor.message("DIRECT_SAID", seq=2, counter=2, nick=evil, to_nick=b"x", text=evil,
                            person=b"p" * 32)
            visitor.wait_end()
        for json in (True, False):
            client = Pipe(self, Trap(self, script), "anna", json=json)
            def said(client=client):
                with open(client.out_path, encoding="utf-8") as out:
                    text = out.read() + client.stderr()
                return text if text.count("pwned") >= 3 and text.endswith("\n") else None
            text = wait_for(said, "all three messages", seen=client.tail)
            steering = [c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)]
            self.assertEqual(steering, [], text)


class FalseTls(Scenario):
    """Servers that shake hands and then send what no key has encrypted."""

    def run_client(self, data):
        """A client that meets one; its last words, and how much of the time it was busy."""
        def script(peer):
            with peer:
                peer.sendall(data)
                while peer.recv(1000):
                    pass
        trap = TlsTrap(self, script)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        client = Pipe(self, trap, "anna", "--timeout", "2", input=[])
        self.assertEqual(client.wait(30), 1, client.tail())
        self.assertEqual(len(trap.visits), 1)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return client.stderr(), used / (time.monotonic() - began)

    def test_garbage(self):
        """The client hangs up, and says why."""
        said, _ = self.run_client(b"\x17\x03\x03\x00\x20" + b"garbage!" * 20)
        self.assertIn("receiving failed", said)

    def test_half_a_record(self):
        """The rest of a record is waited for, asleep, until the time for the login is up."""
        said, busy = self.run_client(b"\x17\x03\x03\x00\x20" + b"garbage!")
        self.assertIn("took too long", said)
        self.assertLess(busy, 0.5)


if __name__ == "__main__":
    main()
