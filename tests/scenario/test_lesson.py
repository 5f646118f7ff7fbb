#!/usr/bin/env python3
"""The lesson, docs/SOCKETS.md and docs/SOCKETS.ru.md: what it shows is what the programs print, what it
names is there, and both languages have the same."""

import collections
import ctypes
import glob
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import unittest

from lib import Client, Lan, Pipe, PlainScenario, Program, Screen, Server, main, wait_for, wire
from lib.wait import BUILD, SLOW

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
LANGUAGES = ("SOCKETS.md", "SOCKETS.ru.md")
LAB = ("operations", "boundaries", "short-buffer", "zero", "loss", "blocking", "refused",
       "slow-reader", "half-close", "time-wait", "nagle", "fragments", "dead-peer", "connected",
       "broadcast", "congestion")
CODE = re.compile(r"`([^`]+)`")
PLACE = re.compile(r"`(\w+)`\s\(`([\w/.]+\.[ch])`\)")
# A row of the table in section 2, whose first column may be empty: the row above goes on.
OPERATIONS = {"socket": "socket", "bind": "bind", "listen": "listen", "accept": "accept4?",
              "connect": "connect", "send": "send|sendmsg", "receive": "recv|recvmsg",
              "close": "close"}
# Rows of the table that files have for themselves: a call, not a name behind "." or "->" or in another.
CALLS = {**{name: name for name in OPERATIONS}, "accept": "accept4?",
         "send": "send|sendto|sendmsg|sendmmsg", "receive": "recv|recvfrom|recvmsg|recvmmsg"}
del CALLS["close"]  # of files too


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def scenarios():
    """The lab's, in order: those of its table, where there is one with rows."""
    path = os.path.join(ROOT, "tools/lab/scenarios.def")
    table = read(path) if os.path.exists(path) else ""
    return tuple(re.findall(r'^SCENARIO\(\s*\d+,\s*\w+,\s*"([^"]+)"', table, re.M)) or LAB


def code(path):
    """A file of C without its comments and texts."""
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', " ", read(path), flags=re.S)


def callers():
    """{operation: files that call it}, of those whose sockets are for the network."""
    found = collections.defaultdict(set)
    for folder in ("common", "server", "client"):
        for path in glob.glob(f"{ROOT}/{folder}/*.c"):
            path = os.path.relpath(path, ROOT)
            text = code(path)
            if re.search(r"\bAF_(UNIX|NETLINK)\b", text):
                continue  # between programs of one machine, or to the kernel
            for operation, names in CALLS.items():
                if re.search(rf"(?<![\w.>])(?:{names})\(", text) and \
                        not re.search(rf"^static .*\b(?:{names})\(", text, re.M):
                    found[operation].add(path)
    return found


class Section:
    """What stands between two headings."""

    def __init__(self, heading, body):
        self.level, _, self.title = heading.partition(" ")
        self.blocks = re.findall(r"^```(.*)\n((?:.*\n)*?)```$", body, re.M)
        self.prose = re.sub(r"^```(?:.*\n)*?```$", "", body, flags=re.M)
        self.rows = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                     for line in self.prose.splitlines() if line.startswith("|")]
        self.items = re.findall(r"^(\d+\.|-) ", self.prose, re.M)
        self.codes = {" ".join(code.split()) for code in CODE.findall(self.prose)}
        self.places = PLACE.findall(self.prose)


def sections(name):
    """A lesson's, by their headings."""
    parts = re.split(r"^(#+ .*)\n", "\n" + re.sub(  # "# " in a block is no heading
        r"^```(?:.*\n)*?```$", lambda block: block.group().replace("\n#", "\n\0#"),
        read("docs/" + name), flags=re.M), flags=re.M)
    return [Section(heading, body.replace("\0", ""))
            for heading, body in zip(parts[1::2], parts[2::2])]


def numbered(name, number):
    """The chapter "## number." of a lesson, with what is below it."""
    inside, found = False, []
    for section in sections(name):
        if section.level in ("#", "##"):
            inside = section.title.startswith(f"{number}. ")
        if inside:
            found.append(section)
    return found


def function(path, name):
    """The text of a function that a file defines; None where it does not."""
    found = re.search(rf"^\w[\w\s*]*\b{name}\([^;{{]*\n{{\n(.*?)^}}", read(path), re.M | re.S)
    return found and found.group(1)


class Languages(unittest.TestCase):
    def test_same_shape(self):
        """Section by section: the same blocks, as many rows and items, the same names."""
        there, here = (sections(name) for name in LANGUAGES)
        self.assertEqual([s.level for s in there], [s.level for s in here])
        for left, right in zip(there, here):
            with self.subTest(section=left.title):
                self.assertEqual(left.blocks, right.blocks)
                self.assertEqual(left.items, right.items)
                self.assertEqual([len(row) for row in left.rows], [len(row) for row in right.rows])
                self.assertEqual(left.places, right.places)
                self.assertEqual(left.codes ^ right.codes, self.each_other(left, right))
                self.assertEqual(re.match(r"[\d.]*", left.title).group(),
                                 re.match(r"[\d.]*", right.title).group())

    @staticmethod
    def each_other(left, right):
        """The first section of each names the other document."""
        return {"docs/" + name for name in LANGUAGES} if left.level == "#" and right.level == "#" \
            else set()

    def test_translated(self):
        """A section's prose is in its language."""
        for section in sections(LANGUAGES[1]):
            letters = re.sub(CODE, "", section.prose)
            if letters.strip():
                self.assertGreater(len(re.findall("[а-яё]", letters)),
                                   len(re.findall("[a-z]", letters)), section.title)
        for section in sections(LANGUAGES[0]):
            self.assertNotRegex(section.prose, "[а-яё]", section.title)


class Names(unittest.TestCase):
    def test_functions(self):
        """Each is defined in the file that it is said to be in."""
        for name in LANGUAGES:
            places = [place for section in sections(name) for place in section.places]
            self.assertGreater(len(places), 15)
            for called, path in places:
                self.assertTrue(function(path, called), f"{called} in {path}")

    def test_operations(self):
        """The table has all eight, and the call is where it says."""
        for name in LANGUAGES:
            rows = [row for section in numbered(name, 2) for row in section.rows
                    if row[0] in OPERATIONS or row[0] == "" and PLACE.search(row[1])]
            tabled = [row for row in rows if PLACE.search(row[1])]
            self.assertEqual({row[0] for row in tabled} - {""}, set(OPERATIONS))
            self.assertEqual({row[0] for row in rows if not PLACE.search(row[1])}, set(OPERATIONS))
            operation, places = None, collections.defaultdict(set)
            for row in tabled:
                operation = row[0] or operation
                called, path = PLACE.search(row[1]).groups()
                self.assertRegex(function(path, called), rf"\b(?:{OPERATIONS[operation]})\(",
                                 f"{operation}: {called}")
                places[operation].add(path)
            del places["close"]
            self.assertEqual(places, callers())
            intro = next(section for section in numbered(name, 2) if section.rows and
                         len(section.rows[0]) == 3 and section.places)
            above = re.sub(r"^\|.*", "", intro.prose, flags=re.M)
            self.assertEqual(set(re.findall(r"`(\S+\.c)`", above)),
                             set().union(*places.values()))

    def test_sizes(self):
        """Of datagrams: what section 8 tells is what the headers have."""
        header = read("common/lane.h") + read("common/frame.h") + read("common/beacon.h")

        def number(name):
            return int(re.search(rf"#define {name}\s+(\d+)", header).group(1))

        least = number("LANE_HEADER") + number("FRAME_HEADER") + 8  # a PING is a token
        for name in LANGUAGES:
            text = " ".join(" ".join(section.prose for section in numbered(name, 8)).split())
            self.assertEqual(
                [tuple(map(int, pair)) for pair in
                 re.findall(r"(?:have|от) (\d+) (?:to|до) (\d+) (?:bytes|байтов)", text)],
                [(least, number("LANE_MAX"))])
            self.assertRegex(text, rf"\b{number('BEACON_SIZE')} (bytes|байта)")
            self.assertRegex(text, rf"\b{number('LANE_HEADER')} (bytes|of the|байтов)")

    def test_lane(self):
        """The lane, and what shows it, are told of where they belong."""
        for name in LANGUAGES:
            for chapter in (8, 11):
                codes = {code.split()[0] for section in numbered(name, chapter)
                         for code in section.codes}
                self.assertLessEqual({"/race", "/udp"}, codes, (name, chapter))
            last = [section.rows[-1] for section in numbered(name, 9) if section.rows][-1]
            self.assertRegex(last[2], "; (the lane|дорожка)$")

    def test_files(self):
        """What looks like a path of ours is one; each example is told about."""
        for name in LANGUAGES:
            codes = {code for section in sections(name) for code in section.codes}
            paths = {code for code in codes
                     if re.match(r"(common|server|client|docs|tests|tools)/", code)}
            for path in paths:
                self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)
            told = {path for path in paths if re.search(r"examples/.", path)}
            self.assertEqual(told, {"docs/examples/" + os.path.basename(path)
                                    for path in glob.glob(ROOT + "/docs/examples/*")})

    def test_scenarios(self):
        """Each that is named is one of the lab's; the table has all, in their order."""
        lab = scenarios()
        self.assertEqual(lab, LAB, "the lesson's table has another list than the lab")
        for name in LANGUAGES:
            text = " ".join(read("docs/" + name).split())
            named = set(re.findall(r"`lanchat-lab run ([^`]+)`", text))
            self.assertGreater(len(named), 5)
            self.assertEqual(named - set(lab), set())
            table = [row[3].strip("`") for section in numbered(name, 9) for row in section.rows
                     if len(row) == 4]
            self.assertEqual([cell for cell in table[2:] if cell], list(lab))

    def test_exercises(self):
        """At least ten, and as many answers."""
        for name in LANGUAGES:
            asked, answered = (sum((s.items for s in numbered(name, number)), [])
                               for number in (11, 12))
            self.assertEqual(asked, [f"{n}." for n in range(1, len(asked) + 1)])
            self.assertEqual(asked, answered)
            self.assertGreaterEqual(len(asked), 10)


def blocks(kind):
    """(info, text) of the blocks of a kind; both languages have the same (Languages)."""
    return [(info, text) for section in sections(LANGUAGES[0]) for info, text in section.blocks
            if info.split()[:1] == [kind]]


def hexadecimal(text):
    return bytes.fromhex("".join(text.split()))


def pattern(line):
    """A line of a trace without what differs from run to run. What a frame is, its size, and what HELLO
    offers are the same each time; so is the size of a datagram, but not what is read of a stream at once."""
    kept = re.findall(r"\b(?:features|version_low|version_high|sealed|length|number)[= ]\w+|"
                      r"\b\d+ bytes(?=, PKTINFO|\))|^(?:recvmsg|send)\([^=]*[^s]\) = \d+|"
                      r"^recv\(\d+\) = \d+", line)
    kept = [re.sub(r"\(.*\)", "", text) for text in kept]
    line = re.sub(r"\(\d+(, \d+ bytes, )a peer that is gone\)", r"(1\g<1>1.1.1.1:1)", line)
    line = re.sub(r"fe80::[0-9a-f:]+", "fe80::", line)
    return " ".join([*kept, re.sub(r"\d+", "N", " ".join(line.split()))])


class Tapped:
    """Passes one connection on, and keeps what the client says."""

    def __init__(self, case, target):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.said = bytearray()
        self.target = target
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        case.addCleanup(self.end)

    def run(self):
        with self.listener.accept()[0] as client, \
                socket.create_connection(self.target) as server:
            back = threading.Thread(target=self.pass_on, args=(server, client))
            back.start()
            self.pass_on(client, server, self.said)
            back.join()

    @staticmethod
    def pass_on(source, sink, kept=None):
        try:
            while piece := source.recv(65536):
                if kept is not None:
                    kept += piece
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end has gone

    def end(self):
        with self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()


class Shown(PlainScenario):
    """What looks like output is output."""

    def lanchat(self, host, *arguments):
        return Program(self, [os.path.join(BUILD, "lanchat"), "--trace", *arguments], host=host,
                       env={"HOME": self.dir})

    def play(self):
        """The lesson's two machines; all that the programs told there."""
        lan = Lan(self)
        lan.switch("lan")
        there, here = lan.host("there"), lan.host("here")
        lan.connect(there, "lan", address="192.0.2.7/24")
        lan.connect(here, "lan", address="192.0.2.1/24")
        for host in (there, here):
            host.link_local("eth0")
        server = Program(self, [os.path.join(BUILD, "lanchatd"), "--trace", "--plaintext", "--data",
                                self.dir + "/data"], host=there, stdin=subprocess.DEVNULL)
        for itself in (r"127\.0\.0\.1", r"192\.0\.2\.7", r"\[fe80::"):
            server.wait_stderr(r"recvmsg\(\d+, from " + itself)
        talk = ["--pipe", "--plaintext", "--nick", "anna"]
        refused = self.lanchat(here, *talk, "192.0.2.7:19831")
        self.assertEqual(refused.wait(), 1)
        client = self.lanchat(here, *talk, "192.0.2.7:19830")
        client.write("hello\n")
        client.close_input()
        self.assertEqual(client.wait(20), 0, client.tail())
        talker = Screen(self, ["sh", "-c", f"exec {BUILD}/lanchat --trace --plaintext --nick anna "
                               f"192.0.2.7:19830 2>{self.dir}/talker"], name="talker", host=here,
                        env={"HOME": self.dir})
        talker.wait_text("online, ")
        talker.enter("/udp hello")
        server.wait_stderr(r"frame in on \d+: number 0x0006 ")  # the lane works both ways
        self.told(r"^recv\(\d+\) = 33 ")
        talker.enter("/quit")
        told = self.told(r"^shutdown\((?:.*\n)*close\(")
        # It waits for more than the first answer.
        finder = self.lanchat(here, "--discover")
        self.assertEqual(finder.wait(20), 0, finder.tail())
        self.assertEqual(server.stop(), 0)
        return "\n".join([*(program.stderr() for program in (server, refused, client, finder)), told])

    def told(self, wanted):
        """What the client of play with a screen has told, when that is there."""
        def read_it():
            text = read(self.dir + "/talker")
            return re.search(wanted, text, re.M) and text
        return wait_for(read_it, f"{wanted!r} of the client")

    def test_traces(self):
        """Each line of a trace, apart from its numbers; where it ends in "...", what is before that."""
        printed = {pattern(re.sub(r"^\S+Z info ", "", line)) for line in self.play().splitlines()}
        shown = [line for _, text in blocks("trace") for line in text.splitlines()]
        self.assertGreater(len(shown), 80)
        calls = [cell.strip("`") for section in numbered(LANGUAGES[0], 2) for row in section.rows
                 for cell in row[2:] if re.match(r"`\w+\(.*\) = ", cell)]
        self.assertEqual(len(calls), 15)
        for line in shown + calls:
            start, cut, _ = pattern(line).partition("...")
            found = any(other.startswith(start) for other in printed) \
                if cut or line in calls else start in printed
            self.assertTrue(found, line)
        # And of sockets for datagrams, all that is said of any is said in the lesson: none is left out.
        shown = {pattern(line).partition(" | ")[2] for line in shown}
        for line in printed:
            if re.search(r"\bdatagram|\bonly this address", line) and "IPV" not in line:
                self.assertIn(line.partition(" | ")[2], shown, line)

    def test_race(self):
        """The end of a race, but for its figures and its marks."""
        def labels(text):
            lines = re.findall(r"^ (?:TCP: every|[#x]|sent|arrived|lost|late|twice|p50|p99).*", text, re.M)
            return [" ".join(re.sub(r"[#x]{5,}", "#", re.sub(r"[\d.]+", "N", line)).split())
                    for line in lines]

        (_, text), = blocks("race")
        server = Server(self)
        client = Client(self, server, "anna", "--plaintext", columns=100)
        client.wait_room()
        client.enter("/race")
        client.wait_text("The race is over", 20)
        self.assertEqual(labels(text), labels(client.text()))
        self.assertEqual(len(labels(text)), len(text.splitlines()))

    def test_waits(self):
        """Calls that wait on the lab's screen, and what they come to."""
        done = subprocess.run([os.path.join(BUILD, "lanchat-lab"), "run", "zero"], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        if "played on loopback" in done.stderr:
            self.skipTest(done.stderr.strip().partition(": ")[2])
        (_, text), = blocks("wait")
        lab = Screen(self, [os.path.join(BUILD, "lanchat-lab")], name="lab", columns=140, rows=50)
        lab.wait_text("TCP beside UDP")
        lab.keys("6", "Enter")
        for line in text.splitlines():
            lab.wait_text(re.sub(r"\d+\\\.\d", r"\\d+\\.\\d", re.escape(line)), 20)

    def exercise(self, number):
        """The commands of one, in their order."""
        text = " ".join(section.prose for section in numbered(LANGUAGES[0], 11))
        asked = re.search(rf"^{number}\. .*?(?=^{number + 1}\. )", text, re.M | re.S).group()
        return CODE.findall(" ".join(asked.split()))

    def typed(self, command):
        """What a command of the exercises prints, typed where the server is."""
        return self.alone.run("sh", "-c", f"PATH={BUILD}:{ROOT}/build/examples/c:$PATH; {command}")

    def test_exercises(self):
        """Two that need a program to send by hand work as they are typed, with what is there."""
        self.alone = Lan(self).host("alone")
        subprocess.run(["make", "-s", "-C", ROOT, "examples"], check=True, timeout=120 * SLOW)
        server = Program(self, [os.path.join(BUILD, "lanchatd"), "--plaintext", "--trace", "--data",
                                self.dir + "/data"], host=self.alone, stdin=subprocess.DEVNULL)
        server.wait_stderr(r"listen\(")
        seventh, = (line for line in self.exercise(7) if "|" in line)
        self.assertRegex(self.typed(seventh), r"\A 00 00 00 32 00 08 ")
        tenth, = (line for line in self.exercise(10) if "|" in line)
        with self.alone.inside():
            listener = socket.create_server(("127.0.0.1", 7000))
        sizes = []

        def echo():
            with listener, listener.accept()[0] as peer:
                while got := peer.recv(4096):
                    sizes.append(len(got))
                    peer.sendall(got)

        echoing = threading.Thread(target=echo)
        echoing.start()
        self.assertEqual(self.typed(tenth), "")
        echoing.join()
        self.assertEqual(sum(sizes), 588895)
        self.assertEqual(max(sizes), 4096)

    def test_tools(self):
        """Commands of the exercises are ours, or of every system."""
        ours = {"lanchat", "lanchatd", "lanchat-lab", *(os.path.splitext(os.path.basename(path))[0]
                for path in glob.glob(ROOT + "/docs/examples/*.c"))}
        for name in LANGUAGES:
            for section in numbered(name, 11) + numbered(name, 12):
                for command in section.codes:
                    if not re.match(r"[a-z_-]+ [^;=]*[^;)}]$", command):
                        continue
                    for part in command.split(" | "):
                        self.assertIn(part.split()[0], ours | {"printf", "seq", "od", "kill", "ss", "make"})

    def test_frame(self):
        """The bytes of the frame are what the client sends, and what the document makes of them."""
        (_, text), = blocks("hex")
        frame = hexadecimal(text)
        table = [row for section in numbered(LANGUAGES[0], 6) for row in section.rows]
        self.assertEqual(b"".join(hexadecimal("".join(CODE.findall(row[0]))) for row in table), frame)
        self.assertEqual(wire.encode("SAY", counter=1, kind=0, room="lobby", text="hello"), frame)
        server = Server(self)
        tap = Tapped(self, ("127.0.0.1", server.port))
        client = Pipe(self, tap.address, "anna", "--plaintext", input=["hello"])
        self.assertEqual(client.wait(), 0, client.tail())
        self.assertIn(frame, bytes(tap.said))

    def test_no_frame(self):
        """The answer to the exercise with HTTP."""
        text = " ".join(section.prose for section in numbered(LANGUAGES[0], 12))
        answer = re.search(r"^7\. .*?(?=^8\. )", text, re.M | re.S).group()
        told = b"".join(hexadecimal(code) for code in CODE.findall(answer)
                        if re.fullmatch(r"[0-9a-f]{2}( [0-9a-f]{2})*", code))
        server = Server(self)
        with socket.create_connection(("127.0.0.1", server.port)) as peer:
            peer.settimeout(20)
            peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
            got = peer.recv(1000, socket.MSG_WAITALL)
        self.assertGreater(len(told), 8)
        self.assertEqual(got[:len(told)], told)
        self.assertEqual(len(got), 8 + struct.unpack_from(">I", told)[0])

    def compile(self, *arguments):
        if shutil.which("cc") is None:
            self.skipTest("cc is not installed (make deps-test)")
        done = subprocess.run(["cc", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                               *arguments], text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    @unittest.skipUnless(sys.byteorder == "little" and struct.calcsize("P") == 8,
                         "the lesson shows 64 bits with the small end first")
    def test_examples(self):
        """Blocks that a command stands above."""
        runs = blocks("run")
        self.assertEqual(len(runs), 2)
        for info, text in runs:
            _, name, *arguments = info.split()
            program = os.path.join(self.dir, name)
            self.compile("-o", program, f"{ROOT}/docs/examples/{name}.c")
            done = subprocess.run([program, *arguments], text=True, capture_output=True, timeout=20)
            self.assertEqual(done.stdout, text)

    def test_answer_in_c(self):
        """The functions that answer the exercise with frames do."""
        (_, text), = blocks("c")
        source, library = self.dir + "/answer.c", self.dir + "/answer.so"
        with open(source, "w", encoding="utf-8") as f:
            f.write("#include <arpa/inet.h>\n#include <errno.h>\n#include <stdint.h>\n"
                    "#include <sys/socket.h>\n" +
                    re.sub(r"^static ssize_t", "ssize_t", text, flags=re.M))
        self.compile("-shared", "-fPIC", "-D_DEFAULT_SOURCE", "-o", library, source)
        recv_frame = ctypes.CDLL(library).recv_frame
        recv_frame.restype = ctypes.c_ssize_t
        buffer = ctypes.create_string_buffer(16)
        here, there = socket.socketpair()
        with here, there:
            there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            writer = threading.Thread(target=lambda: [
                there.send(bytes([byte])) for byte in b"\0\0\0\3abc\0\0\0\0\0\0\0\x11"])
            writer.start()

            def take():
                return recv_frame(here.fileno(), buffer, ctypes.c_size_t(16))

            self.assertEqual((take(), buffer.raw[:3]), (3, b"abc"))
            self.assertEqual(take(), 0)
            self.assertEqual(take(), -1)  # longer than 16
            writer.join()
            there.send(b"\0\0\0\5ab")
            there.shutdown(socket.SHUT_WR)
            self.assertEqual(take(), -1)  # the end, in the middle


if __name__ == "__main__":
    main()
