#!/usr/bin/env python3
"""The server's log as JSON: every line is an object, whatever peers send."""

import datetime
import json
import os
import re
import signal

from lib import PlainScenario, Raw, Scenario, Server, main, wire

NICKS = ["back\\slash", "\\", "{}", "[]}", "\u0436\u6f22", "\\u0000", "a\U0001f600", "a'b", "a%s%n%d",
         "\\n"]
HOSTILE = NICKS + ['an"na', 'x","level":"error', "\u202e".join("ab"), "\x7f"]
REFUSED = [b"\xff\xfe", b"a\nb", b"\x1b[31m", b"\xc0\x80", b"\xed\xa0\x80", b"a\x00b"]


class Log(PlainScenario):
    def lines(self, server):
        """Every line so far, parsed; each has what each has."""
        with open(server.err_path, "rb") as f:
            raw = f.read()
        parsed = []
        for line in raw.decode("utf-8").splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            self.assertFalse(any(ord(c) < 32 or 0x7f <= ord(c) < 0xa0 for c in line[:-1]), line)
            record = json.loads(line)
            when = datetime.datetime.strptime(record["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
            self.assertEqual(len(record["time"]), len("2026-11-22T19:30:00.123456Z"))
            self.assertGreater(when.year, 2023)
            self.assertIn(record["level"], ("error", "warning", "info", "debug", "trace"))
            self.assertIsInstance(record["message"], str)
            parsed.append(record)
        return parsed

    def wait_record(self, server, **fields):
        """The first record with these fields."""
        def found():
            return next((r for r in self.lines(server)
                         if all(r.get(k) == v for k, v in fields.items())), None)
        return server.until(found, f"a record with {fields}")

    def test_hostile_nicks(self):
        server = Server(self, "--log", "json")
        for nick in NICKS:
            raw = Raw(self, server)
            raw.login(nick)
            peer = "%s:%d" % raw.socket.getsockname()
            record = self.wait_record(server, nick=nick, peer=peer)
            self.assertEqual(record["message"], f"{peer}: {nick} logged in")
            self.assertEqual(record["level"], "info")
            raw.socket.close()
            self.wait_record(server, message=f"{peer}: {nick}: left", peer=peer, nick=nick)

    def test_hostile_bytes(self):
        """With --trace, which tells of every frame."""
        server = Server(self, "--log", "json", "--trace")
        raw = Raw(self, server)
        raw.login("anna")
        raw.join("lobby")
        for text in HOSTILE + REFUSED:
            raw.counter += 1
            raw.message("SAY", counter=raw.counter, kind=0, room="lobby", text=text)
            while True:
                name, values = raw.receive()
                if name in ("ACK", "REFUSED") and values["counter"] == raw.counter:
                    break
        raw.send(wire.encode("NICK", tag=1, nick=REFUSED[2]))
        raw.expect("ERROR", tag=1)
        raw.send(os.urandom(64).replace(b"\0", b"\1"))
        raw.wait_end()
        self.wait_record(server, nick="anna", level="info")
        records = self.lines(server)
        self.assertTrue(any(r["level"] == "trace" and "frame in on" in r["message"]
                            for r in records))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.lines(server)[-1]["level"] in ("info", "trace"), True)

    def test_reload(self):
        """SIGHUP changes how lines look from then on; what is wrong in the file is told as JSON."""
        config = os.path.join(self.dir, "config")

        def write(text):
            with open(config, "wb") as f:
                f.write(text)
        write(b"log text\n")
        server = Server(self, "--config", config)
        Raw(self, server).login("anna")
        server.wait_stderr("Z info    .*anna logged in")
        write(b"log = json\n")
        server.send_signal(signal.SIGHUP)
        before = len(server.stderr().splitlines())
        server.wait_stderr("reloaded")
        Raw(self, server).login("boris")
        server.wait_stderr("boris logged in")
        write(b'log json\n"\xff\\\x1b[31m" = {"}\n')
        server.send_signal(signal.SIGHUP)
        server.wait_stderr("not reloaded")
        for line in server.stderr().splitlines()[before:]:
            self.assertIn("message", json.loads(line))

    def test_start_fails(self):
        """Also the last word of a server that cannot start."""
        first = Server(self)
        second = Server(self, "--log", "json", data=first.data, wait=False)
        self.assertEqual(second.wait(), 1, second.tail())
        record = self.lines(second)[-1]
        self.assertEqual(record["level"], "error")
        self.assertIn(first.data, record["message"])

    def test_usage(self):
        server = Server(self, "--log", "xml", wait=False)
        self.assertEqual(server.wait(), 2, server.tail())
        self.assertIn("text, json", server.stderr())


class Tls(Scenario):
    def test_handshake(self):
        """Bytes that are no TLS are told about in one object each."""
        server = Server(self, "--log", "json")
        for start in (b"\x16\x03\x01\x00\x05\"\\\x1b\xff\x00", b"GET / HTTP/1.0\r\n\r\n",
                      b'"},{"' * 20):
            raw = Raw(self, server)
            raw.send(start)
            raw.wait_end()
            peer = "%s:%d" % raw.socket.getsockname()
            server.wait_stderr(peer)
        told = [json.loads(line) for line in server.stderr().splitlines()]
        about = [line for line in told if re.match(r"127\.0\.0\.1:\d+:", line["message"])]
        self.assertGreaterEqual(len(about), 3)
        for line in about:
            self.assertIn("peer", line)


if __name__ == "__main__":
    main()
