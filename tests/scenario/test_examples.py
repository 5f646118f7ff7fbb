#!/usr/bin/env python3
"""The small programs of docs/examples: each is compiled as its first comment says, and run, from C and
from C++."""

import concurrent.futures
import glob
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from lib import Lan, Program, Scenario, main

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/examples")
LANGUAGES = {"c": "cc", "cpp": "c++"}
LONGEST = 88  # lines
FOLDERS = {}  # with the programs, by language
COMPILED = {}  # what the compiler said, by name and language


def sources():
    """{language: [name]} of what there is."""
    return {language: sorted(os.path.basename(path)[:-len(language) - 1]
                             for path in glob.glob(f"{SOURCES}/*.{language}"))
            for language in LANGUAGES}


def opening(path):
    """The comment that a file begins with."""
    with open(path, encoding="utf-8") as f:
        return f.read().partition("*/")[0]


def compile_one(folder, name, language):
    """Compile by the command in the file, in a folder that has what docs/examples has; what the
    compiler says."""
    command = re.search(r"Compile:\s+(.*)", opening(f"{SOURCES}/{name}.{language}"))
    if command is None:
        return f"{name}.{language} does not say how to compile it\n"
    done = subprocess.run(command.group(1).split() + ["-Werror"], cwd=folder, text=True,
                          capture_output=True, timeout=120)
    return done.stderr


def setUpModule():
    """Compile all, once."""
    missing = [program for program in LANGUAGES.values() if shutil.which(program) is None]
    if missing:
        raise unittest.SkipTest(f"{' and '.join(missing)} is not installed (make deps-test)")
    built = tempfile.mkdtemp(prefix="lanchat-examples-")
    unittest.addModuleCleanup(shutil.rmtree, built, ignore_errors=True)
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for language, names in sources().items():
            FOLDERS[language] = os.path.join(built, language)
            shutil.copytree(SOURCES, FOLDERS[language])
            for name in names:
                COMPILED[name, language] = pool.submit(compile_one, FOLDERS[language], name, language)


class Examples(Scenario):
    def argv(self, name, language, *arguments):
        return [os.path.join(FOLDERS[language], name), *arguments]

    def start(self, name, language, *arguments, **more):
        return Program(self, self.argv(name, language, *arguments), **more)

    def listen(self, name, language, *arguments):
        """A server on a port of the kernel's choosing: (program, port)."""
        program = self.start(name, language, *arguments, "0")
        return program, re.search(r"port (\d+)$", program.wait_line(r" port \d+$")).group(1)

    def ended(self, name, language, *arguments, text="", status=0):
        """Run to the end: (stdout, stderr), of the type that the text has."""
        done = subprocess.run(self.argv(name, language, *arguments), input=text,
                              text=isinstance(text, str), capture_output=True, timeout=20)
        self.assertEqual(done.returncode, status, done.stdout[-1000:] + done.stderr)
        return done.stdout, done.stderr


class Text(Examples):
    def test_compiles_as_it_says(self):
        for (name, language), error in COMPILED.items():
            self.assertEqual(error.result(), "", f"{name}.{language}")

    def test_each_in_both_languages(self):
        names = sources()
        self.assertEqual(names["c"], names["cpp"])
        self.assertGreaterEqual(len(names["c"]), 7)

    def test_short(self):
        """And each says how it is run, on a port or not, and with what."""
        for language, names in sources().items():
            for name in names:
                with open(f"{SOURCES}/{name}.{language}", encoding="utf-8") as f:
                    self.assertLessEqual(len(f.readlines()), LONGEST, name)
                self.assertIn(f"./{name}", opening(f"{SOURCES}/{name}.{language}"))

    def test_usage(self):
        """Wrong arguments: one line, and status 2."""
        for language, names in sources().items():
            for name in names:
                if name == "layout":
                    continue  # takes none
                for arguments in ([], ["1", "2", "3", "4"]):
                    _, said = self.ended(name, language, *arguments, status=2)
                    self.assertRegex(said, rf"\Ausage: {name} [A-Z[].*\n\Z")

    def test_no_such_port(self):
        """getaddrinfo would make another port of it, and say nothing."""
        before = {"broadcast_receiver": [], "layout": None}
        for language, names in sources().items():
            for name in names:
                arguments = before.get(name, ["127.0.0.1"])
                if arguments is None:
                    continue
                text = ["hello"] if name == "broadcast_sender" else []
                for port in ("65536", "99999", "-1", "4294967303"):
                    with self.subTest(name=name, language=language, port=port):
                        _, said = self.ended(name, language, *arguments, port, *text, status=1)
                        self.assertEqual(said, f"{name}: {port} is no port: they end at 65535\n")
        for language in LANGUAGES:
            self.assertIn("port 65535", self.ended("lookup", language, "::1", "65535")[0])


# What is not text, or no line.
ODD = (b"a\0b\nc", b"\0", b"no end", b"\n\n", bytes(range(256)) * 3)


class Stream(Examples):
    def test_any_bytes(self):
        """All of them come back, whatever they are, and nothing besides."""
        for here in LANGUAGES:
            _, port = self.listen("tcp_server", here, "127.0.0.1")
            for sent in (*ODD, random.Random(1).randbytes(200000)):
                said, _ = self.ended("tcp_client", here, "127.0.0.1", port, text=sent)
                self.assertTrue(said == sent, f"{here}: {len(sent)} bytes, {len(said)} back")

    def test_crosswise(self):
        """Each client with each server: some lines, a line in many sends, an empty input."""
        for there in LANGUAGES:
            _, port = self.listen("tcp_server", there, "127.0.0.1")
            for here in LANGUAGES:
                for text in ("one\ntwo\n", "x" * 1000 + "\n" + "y" * 900 + "\n", ""):
                    said, _ = self.ended("tcp_client", here, "127.0.0.1", port, text=text)
                    self.assertEqual(said, text)

    def test_ipv6(self):
        for language in LANGUAGES:
            server, port = self.listen("tcp_server", language, "::1")
            self.assertRegex(server.read()[0], r"listening on ::1 port \d+")
            said, _ = self.ended("tcp_client", language, "::1", port, text="hello\n")
            self.assertEqual(said, "hello\n")

    def test_partial_sends(self):
        """What send does not take at once is sent later: the client here sends much before it reads,
        so both kernels' buffers fill."""
        sent = bytes(range(256)) * (8 << 12)
        for language in LANGUAGES:
            _, port = self.listen("tcp_server", language, "127.0.0.1")
            with socket.create_connection(("127.0.0.1", int(port))) as peer:
                peer.settimeout(20)
                with concurrent.futures.ThreadPoolExecutor(1) as pool:
                    got = bytearray()
                    writing = pool.submit(self.write_all, peer, sent)
                    while piece := peer.recv(1 << 16):
                        got += piece
                    writing.result()
                self.assertEqual(bytes(got), sent)

    @staticmethod
    def write_all(peer, sent):
        peer.sendall(sent)
        peer.shutdown(socket.SHUT_WR)

    def test_broken_off(self):
        """A client that breaks off costs the server nothing; the next is served."""
        for language in LANGUAGES:
            server, port = self.listen("tcp_server", language, "127.0.0.1")
            with socket.create_connection(("127.0.0.1", int(port))) as peer:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                peer.sendall(b"x" * 100000)
            said, _ = self.ended("tcp_client", language, "127.0.0.1", port, text="next\n")
            self.assertEqual(said, "next\n")
            self.assertTrue(server.running())

    def test_server_ends(self):
        """The server closes before it has answered: an error at the client."""
        for language in LANGUAGES:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                client = self.start("tcp_client", language, "127.0.0.1",
                                    str(listener.getsockname()[1]))
                with listener.accept()[0] as peer:
                    client.write("half\n")
                    self.assertEqual(peer.recv(5, socket.MSG_WAITALL), b"half\n")
                    peer.sendall(b"ha")
                self.assertEqual(client.wait(), 1)
                self.assertIn("the server has closed the connection", client.stderr())

    def test_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            for language in LANGUAGES:
                _, said = self.ended("tcp_server", language, "127.0.0.1", port, status=1)
                self.assertIn("Address already in use", said)
        for language in LANGUAGES:
            _, said = self.ended("tcp_client", language, "127.0.0.1", port, status=1)
            self.assertIn("Connection refused", said)
            _, said = self.ended("tcp_client", language, "no-such-host.invalid", port, status=1)
            self.assertRegex(said, r"\Atcp_client: no-such-host.invalid port \d+: .+\n\Z")


class Datagrams(Examples):
    @staticmethod
    def echo(peer):
        """Send back what comes, until "the end"; what came, each repetition once."""
        heard = []
        while (got := peer.recvfrom(65536))[0] != b"the end":
            peer.sendto(*got)
            if heard[-1:] != [got[0]]:
                heard.append(got[0])
        return heard

    def test_any_bytes(self):
        """A line is a datagram, with its end, if it has one."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            peer.settimeout(20)
            peer.bind(("127.0.0.1", 0))
            port = str(peer.getsockname()[1])
            for language in LANGUAGES:
                for sent in (*ODD, b"x" * 65507, b"x" * 30000 + b"\n" + b"y" * 40000):
                    heard = pool.submit(self.echo, peer)
                    try:
                        said, _ = self.ended("udp_client", language, "127.0.0.1", port, text=sent)
                    finally:
                        peer.sendto(b"the end", peer.getsockname())
                    self.assertTrue(said == sent, f"{language}: {said[:40]}")
                    lines = re.findall(rb"[^\n]*\n|[^\n]+", sent)
                    self.assertEqual(heard.result(), [line for n, line in enumerate(lines)
                                                      if line not in lines[n - 1:n]])

    def test_too_long(self):
        """A line that is no datagram is an error, in either language the same."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            for language in LANGUAGES:
                said = self.ended("udp_client", language, "127.0.0.1", str(peer.getsockname()[1]),
                                  text="x" * 70000 + "\n", status=1)
                self.assertEqual(said, ("", "udp_client: send: Message too long\n"))

    def test_crosswise(self):
        for there in LANGUAGES:
            server, port = self.listen("udp_server", there, "127.0.0.1")
            for here in LANGUAGES:
                text = "one\ntwo\n" + "x" * 1000 + "\n"
                said, _ = self.ended("udp_client", here, "127.0.0.1", port, text=text)
                self.assertEqual(said, text)
            self.assertEqual(len(server.read()), 1 + 2 * 3)

    def test_empty_and_large(self):
        """Each datagram is one, the empty one and the largest too."""
        for language in LANGUAGES:
            _, port = self.listen("udp_server", language, "127.0.0.1")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.settimeout(20)
                for size in (0, 1, 65507):
                    peer.sendto(b"x" * size, ("127.0.0.1", int(port)))
                    self.assertEqual(len(peer.recv(65536)), size)

    def test_lost(self):
        """A datagram that is not answered is sent again; a late answer is not taken for another's."""
        for language in LANGUAGES:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.settimeout(20)
                peer.bind(("127.0.0.1", 0))
                client = self.start("udp_client", language, "127.0.0.1",
                                    str(peer.getsockname()[1]))
                client.write("hello\n")
                first, _ = peer.recvfrom(100)
                again, where = peer.recvfrom(100)
                self.assertEqual((first, again), (b"hello\n", b"hello\n"))
                peer.sendto(b"hello\n", where)
                peer.sendto(b"hello\n", where)  # of the second asking
                client.wait_line("^hello$")
                client.write("more\n")
                self.assertEqual(peer.recv(100), b"more\n")
                self.assertEqual(peer.recv(100), b"more\n")  # "hello" was no answer
                peer.sendto(b"more\n", where)
                client.close_input()
                self.assertEqual(client.wait(), 0)
                self.assertEqual(client.read(), ["hello", "more"])

    def test_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = str(taken.getsockname()[1])
            for language in LANGUAGES:
                _, said = self.ended("udp_server", language, "127.0.0.1", port, status=1)
                self.assertIn("Address already in use", said)
        for language in LANGUAGES:
            _, said = self.ended("udp_client", language, "127.0.0.1", port, text="x\n", status=1)
            self.assertIn("Connection refused", said)


class Broadcast(Examples):
    def test_everybody(self):
        """Two receivers on one machine and one on another: each gets the one datagram."""
        lan = Lan(self)
        lan.switch("lan")
        sender, other = lan.host("sender"), lan.host("other")
        lan.connect(sender, "lan", address="192.0.2.1/24")
        lan.connect(other, "lan", address="192.0.2.7/24")
        receivers = [self.start("broadcast_receiver", language, "7000", host=host)
                     for language, host in (("c", other), ("cpp", other), ("cpp", sender))]
        for receiver in receivers:
            receiver.wait_line("^bound to port 7000$")
        for language in LANGUAGES:
            sender.run(*self.argv("broadcast_sender", language, "192.0.2.255", "7000",
                                  f"from {language}"))
        for receiver in receivers:
            receiver.wait_line(r": from cpp$")
            lines = [re.sub(r"port \d+", "port N", line) for line in receiver.read()[1:]]
            self.assertEqual(lines, [f"192.0.2.1 port N: from {language}" for language in LANGUAGES])

    def test_no_such_network(self):
        for language in LANGUAGES:
            _, said = self.ended("broadcast_sender", language, "255.255.255.255", "7000", "x",
                                 status=1)
            self.assertIn("Network is unreachable", said)


class Lookup(Examples):
    def test_numeric(self):
        for language in LANGUAGES:
            said, _ = self.ended("lookup", language, "192.0.2.7", "19830")
            self.assertEqual([line.split()[:5] for line in said.splitlines()],
                             [["AF_INET", "SOCK_STREAM", "protocol", "6", "16"],
                              ["AF_INET", "SOCK_DGRAM", "protocol", "17", "16"],
                              ["AF_INET", "SOCK_RAW", "protocol", "0", "16"]])
            self.assertIn("16 bytes  192.0.2.7 port 19830  called 192.0.2.7", said)
            said, _ = self.ended("lookup", language, "::1", "19830")
            self.assertIn("AF_INET6  SOCK_STREAM  protocol 6    28 bytes  ::1 port 19830", said)

    def test_localhost(self):
        for language in LANGUAGES:
            said, _ = self.ended("lookup", language, "localhost")
            self.assertRegex(said, r"(127\.0\.0\.1|::1) port 0")

    def test_same_in_both(self):
        for name, *arguments in (("layout",), ("lookup", "localhost", "http"),
                                 ("lookup", "fe80::7%lo")):
            self.assertEqual(*(self.ended(name, language, *arguments) for language in LANGUAGES))

    def test_unknown(self):
        for language in LANGUAGES:
            _, said = self.ended("lookup", language, "no-such-host.invalid", status=1)
            self.assertRegex(said, r"\Alookup: no-such-host.invalid")


if __name__ == "__main__":
    main()
