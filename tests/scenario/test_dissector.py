#!/usr/bin/env python3
"""The dissector for Wireshark, driven by tshark: what it shows of a real conversation, of every message
however it is cut, of beacons, and of bytes that break the protocol.

What it should show is told by lib/wire.py and lib/beacon.py, which were written from the document."""

import datetime
import os
import random
import re
import shutil
import ssl
import struct
import subprocess
import xml.etree.ElementTree as xml

from lib import BUILD, Pipe, PlainScenario, Raw, Server, main, wire
from lib import beacon
from lib.capture import FIRST_SOURCE, Capture, Listener
from lib.secure import Secure

SCRIPT = os.path.join(BUILD, "lanchat.lua")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VECTORS = os.path.join(ROOT, "tests/vectors/messages.txt")
MANUAL = os.path.join(ROOT, "docs/WIRESHARK.md")
PORT = 19830
OTHER_PORT = 4000
AS_ROOT = "Running as user "  # tshark's only remark in its place
# The kernel may choose a port that another protocol has for its own.
ANY_PORT = ("-o", "tcp.try_heuristic_first:TRUE", "-o", "udp.try_heuristic_first:TRUE")
TIMES = ("time", "topic_time", "until")


def frames_of(stream):
    """A stream's frames as (name, values), PING and PONG with them."""
    frames = []
    while stream:
        length, number, _flags = struct.unpack(">IHH", stream[:wire.HEADER])
        frames.append(wire.decode(number, stream[wire.HEADER:wire.HEADER + length]))
        stream = stream[wire.HEADER + length:]
    return frames


def vectors():
    """The frames of messages.txt."""
    with open(VECTORS, encoding="utf-8") as file:
        return [bytes.fromhex(line.split()[1]) for line in file if line.startswith("frame ")]


def is_wrong(name):
    return name.startswith(("lanchat.wrong.", "lanchat.beacon.wrong"))


class Dissector(PlainScenario):
    def setUp(self):
        if shutil.which("tshark") is None:
            self.skipTest("no tshark")
        super().setUp()

    # ---- tshark ----

    def tshark(self, capture, *options):
        """Its output. It must have nothing to complain about."""
        path = os.path.join(self.dir, "capture.pcap")
        capture.write(path)
        done = subprocess.run(
            ["tshark", "-n", "-r", path, "-X", f"lua_script:{SCRIPT}", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False,
            env={"PATH": os.environ["PATH"], "HOME": self.dir, "LC_ALL": "C.UTF-8"})
        said = [line for line in done.stderr.splitlines() if not line.startswith(AS_ROOT)]
        self.assertEqual((done.returncode, said), (0, []))
        return done.stdout

    def packets(self, capture, *options):
        """The packets that it takes for lanchat's, each a list of "proto" elements."""
        text = self.tshark(capture, "-T", "pdml", "-J", "tcp udp lanchat lanchat.beacon",
                           "-Y", "lanchat || lanchat.beacon || _ws.lua.error", *options)
        # A script that fails, or reads beyond the end, is caught by Wireshark and told there.
        for failure in ("_ws.lua.error", "Lua Error", "Exception occurred"):
            self.assertFalse(failure in text, failure)
        return [packet.findall("proto") for packet in xml.fromstring(text)]

    def frames(self, capture, *options):
        """{(source port, port): its dissected frames}, in order."""
        found = {}
        for protos in self.packets(capture, *options):
            ports = {field.get("name"): field.get("show") for proto in protos for field in proto
                     if proto.get("name") in ("tcp", "udp")}
            kind = "tcp" if "tcp.srcport" in ports else "udp"
            key = int(ports[f"{kind}.srcport"]), int(ports[f"{kind}.dstport"])
            found.setdefault(key, []).extend(p for p in protos if p.get("name") == "lanchat")
        return found

    def columns(self, capture, where, *options):
        """The lines about the packets that match a filter."""
        return self.tshark(capture, "-T", "fields", "-e", "_ws.col.Info", "-Y", where,
                           *options).splitlines()

    # ---- what it should show ----

    def check_field(self, place, name, kind, value, field):
        self.assertIn(field.get("name"), (f"lanchat.{name}", f"lanchat.{place}.{name}"))
        if kind in wire.ITEMS:
            self.assertEqual(int(field.get("show")), len(value))
            items = [part for part in field if part.get("name") == "_ws.lua.text"]
            self.assertEqual(len(items), len(value))
            for item, part in zip(value, items):
                self.check_fields(kind, wire.ITEMS[kind], item, part)
            return
        self.assertEqual(field.get("value"), wire.encode_field(kind, value).hex())
        if name in TIMES:
            moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)
            self.assertEqual(field.get("show").replace("  ", " 0"),
                             moment.strftime("%b %d, %Y %H:%M:%S.%f000 UTC"))
        elif kind in wire.INTEGERS:
            self.assertEqual(int(field.get("show"), 0), value)
        elif kind in wire.IDS:
            self.assertEqual(field.get("show").replace(":", ""), value.hex())
        elif "\n" not in value:
            self.assertEqual(field.get("show"), value)

    def check_fields(self, place, layout, values, parent):
        """Those of a message or an item, in order, and nothing else."""
        shown = [field for field in parent
                 if field.get("name") not in ("lanchat.id", "_ws.expert")]
        ids = [field.get("show") for field in parent if field.get("name") == "lanchat.id"]
        expected = wire.fields(layout)
        self.assertEqual(len(shown), len(expected), [field.get("name") for field in shown])
        for (name, kind), field in zip(expected, shown):
            self.check_field(place, name, kind, values[name], field)
        if "instance" in values and "counter" in values:
            self.assertEqual(ids, [f"{values['instance'].hex()}:{values['counter']}"])
        else:
            self.assertEqual(ids, [])

    def check_frame(self, name, values, proto):
        header, payload = proto[:3], proto[3:]
        self.assertEqual([field.get("name") for field in header],
                         ["lanchat.length", "lanchat.type", "lanchat.header_flags"])
        self.assertEqual(header[1].get("showname"), f"type: {name} (0x{wire.MESSAGES[name][0]:04x})")
        self.assertEqual([part.get("name") for part in proto.iter() if is_wrong(part.get("name"))], [])
        body = xml.Element("payload")
        body.extend(payload)
        self.check_fields(name.lower(), wire.MESSAGES[name][1], values, body)

    def check_frames(self, expected, protos):
        """Every frame with every field, in order."""
        self.assertEqual([p[1].get("showname").split()[1] for p in protos],
                         [name for name, _ in expected])
        for (name, values), proto in zip(expected, protos):
            self.check_frame(name, values, proto)


class Conversation(Dissector):
    def converse(self):
        """Two clients and one by hand talk; the capture, and the server's port."""
        listener = Listener(self)
        server = Server(self, "--name", "Класс 5", beacon=True)
        anna, boris = Pipe(self, server, "anna"), Pipe(self, server, "boris")
        for one in (anna, boris):
            one.wait_joined()
        anna.say("hello")
        boris.wait_event("message", text="hello")
        boris.say("привет, мир")
        anna.wait_event("message", text="привет, мир")
        raw = Raw(self, server)
        raw.login("carol")
        raw.join()
        raw.say("машет рукой", kind=1)
        anna.wait_event("message", text="машет рукой")
        raw.say("обед в час", kind=3)
        anna.wait_event("topic", text="обед в час")
        raw.expect("REFUSED", counter=raw.say("x", room="elsewhere"), code=wire.CODES["NOT_A_MEMBER"])
        raw.expect("ERROR", tag=raw.request("PART", room="elsewhere"))
        for one in (anna, boris):
            one.close_input()
            self.assertEqual(one.wait(), 0, one.tail())
        raw.message("BYE", code=wire.CODES["QUIT"])
        raw.wait_end()
        port = server.port
        self.assertEqual(server.stop(), 0)
        return listener.stop(), port

    def test_all_of_it(self):
        """The server has a port that nobody knows. Nothing that was sent is missing or wrong."""
        capture, port = self.converse()
        streams = {key: frames_of(data) for key, data in capture.streams().items() if port in key}
        self.assertEqual(len(streams), 6)
        dissected = self.frames(capture, *ANY_PORT)
        for key, frames in streams.items():
            self.check_frames(frames, dissected[key])
        said = {values["text"] for frames in streams.values() for name, values in frames
                if name == "SAID"}
        self.assertEqual(said, {"hello", "привет, мир", "машет рукой", "обед в час"})
        told = self.columns(capture, f"tcp.dstport == {port} && lanchat.type == SAY", *ANY_PORT)
        self.assertEqual(told, ["SAY #lobby: hello", "SAY #lobby: привет, мир",
                                "SAY #lobby ACTION: машет рукой", "SAY #lobby TOPIC: обед в час",
                                "SAY #elsewhere: x"])
        refusals = " ".join(self.columns(capture, "lanchat.refused", *ANY_PORT))
        self.assertIn("REFUSED NOT_A_MEMBER: ", refusals)
        self.assertIn("ERROR NOT_A_MEMBER: ", refusals)
        self.check_beacons(capture)

    def check_beacons(self, capture):
        """Those that the server sent."""
        sent = [beacon.decode(data) for _, port, data in capture.datagrams() if port == PORT]
        kinds = [packet["type"] for packet in sent]
        self.assertIn(beacon.ANNOUNCEMENT, kinds)
        self.assertIn(beacon.GOODBYE, kinds)
        lines = self.tshark(capture, "-Y", "lanchat.beacon", "-T", "fields", "-e",
                            "lanchat.beacon.kind", "-e", "lanchat.beacon.port", "-e",
                            "lanchat.beacon.name", "-e", "_ws.expert.message").splitlines()
        self.assertEqual(lines, [f"{packet['type']}\t{packet['port']}\t{packet['name']}\t"
                                 for packet in sent])


class Encrypted(Dissector):
    plaintext = False

    def test_nothing_is_ours(self):
        """A conversation of the real programs, on lanchat's port: Wireshark shows the TLS in it as it
        does without the dissector."""
        listener = Listener(self)
        server = Server(self, listen=f"127.0.0.1:{PORT}")
        anna = Pipe(self, server, "anna")
        anna.wait_joined()
        anna.say(*["x" * wire.TEXT_MAX] * 20)
        anna.wait_event("message", count=20)
        anna.close_input()
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertEqual(server.stop(), 0)
        capture = listener.stop()
        lines = self.tshark(capture, "-Y", "tls || lanchat")
        self.assertGreater(lines.count("Application Data"), 20)
        self.assertNotIn("LANCHAT", lines)
        self.assertEqual(lines, self.tshark(capture, "-Y", "tls || lanchat", "-d",
                                            f"tcp.port=={PORT},tls"))


    def test_decrypted(self):
        """Whoever has the secrets sees the frames in it, on lanchat's port and on another one."""
        for port in (PORT, 0):
            with self.subTest(port=port):
                listener = Listener(self)
                server = Server(self, listen=f"127.0.0.1:{port}")
                secrets = os.path.join(self.dir, f"secrets.{port}")
                carol = Secure(self, server, secrets=secrets)
                carol.login("carol")
                carol.join()
                carol.say("привет")
                carol.expect("SAID", text="привет")
                carol.message("BYE", code=wire.CODES["QUIT"])
                carol.wait_end()
                bound = server.port
                self.assertEqual(server.stop(), 0)
                capture = listener.stop()
                reading = ("-o", f"tls.keylog_file:{secrets}", *ANY_PORT)
                types = self.tshark(capture, "-Y", f"lanchat && tcp.srcport == {bound}", "-T",
                                    "fields", "-e", "lanchat.type", *reading)
                self.assertEqual([wire.NAMES[int(number, 0)]
                                  for number in types.replace(",", "\n").split()], carol.seen)
                self.assertEqual(self.columns(capture, "lanchat.type == SAY", *reading),
                                 ["SAY #lobby: привет"])
                self.assertEqual(self.columns(capture, "_ws.lua.error || lanchat.wrong.type",
                                              *reading), [])


class Vectors(Dissector):
    def test_every_message(self):
        """Over TCP and over UDP, on lanchat's port and on another one, cut anywhere."""
        frames = vectors()
        expected = frames_of(b"".join(frames))
        self.assertEqual({name for name, _ in expected}, set(wire.MESSAGES))
        whole = b"".join(frames)
        capture = Capture()
        for frame in frames:
            capture.segment(1, PORT, frame)
            capture.segment(2, OTHER_PORT, frame)
            capture.datagram(3, PORT, frame)
            capture.datagram(4, OTHER_PORT, frame)
        for source, size in ((5, 1), (6, 7), (7, 1400), (8, len(whole))):
            for at in range(0, len(whole), size):
                capture.segment(source, PORT, whole[at:at + size])
        dissected = self.frames(capture)
        self.assertEqual(len(dissected), 8)
        for protos in dissected.values():
            self.check_frames(expected, protos)

    def test_every_cut(self):
        """One of the longest in two segments, for every cut."""
        frame = max(vectors(), key=len)
        capture = Capture()
        for cut in range(1, len(frame)):
            capture.segment(cut, PORT, frame[:cut])
            capture.segment(cut, PORT, frame[cut:])
        dissected = self.frames(capture)
        self.assertEqual(len(dissected), len(frame) - 1)
        for protos in dissected.values():
            self.check_frames(frames_of(frame), protos)

    def test_long_texts(self):
        """Wireshark cuts what is too long for a line wherever it is, also within a character."""
        frames = [wire.encode("SAY", counter=1, room="чат", text="x" * pad + sign * 1000)
                  for sign in ("я", "字", "👋") for pad in range(len(sign.encode()))]
        capture = Capture()
        for frame in frames:
            capture.segment(1, PORT, frame)
        capture.segment(2, PORT, b"".join(frames))
        for protos in self.frames(capture).values():
            self.check_frames(frames_of(b"".join(frames)), protos)
        lines = self.columns(capture, "lanchat")
        self.assertEqual(len(lines), len(frames) + 1)
        for line in lines:
            self.assertTrue(line.startswith("SAY #чат: ") and line.endswith("…"), line)

    def test_filters(self):
        """Fields by name, and values by theirs."""
        capture = Capture()
        for frame in vectors():
            capture.segment(1, PORT, frame)
        for where, lines in (
                ('lanchat.type == "SAY" && lanchat.room == "lobby" && lanchat.text',
                 ["SAY #lobby: hello, world", "SAY #lobby TOPIC"]),
                ('lanchat.code == "NICK_TAKEN"', ["ERROR NICK_TAKEN: somebody else has that nick"]),
                ('lanchat.verb == "BAN" && lanchat.label == "10.0.0.0/8"',
                 ["ACT #dev BAN 10.0.0.0/8: noise"])):
            with self.subTest(where):
                self.assertEqual(self.columns(capture, where), lines)


    def test_documented(self):
        """docs/WIRESHARK.md names filters that there are, and all that are exceptions to its rule."""
        with open(MANUAL, encoding="utf-8") as file:
            named = set(re.findall(r"\blanchat\.(?!lua)[a-z_.]*[a-z_]", file.read()))
        with open(SCRIPT, encoding="utf-8") as file:
            script = file.read()
        special = set(re.findall(r'"(lanchat\.[a-z_]+\.[a-z_]+)"', script))
        self.assertLess({"lanchat.notice.kind", "lanchat.wrong.text"}, special)
        self.assertLessEqual(special, named)
        capture = Capture()
        capture.segment(1, PORT, vectors()[0])
        self.assertEqual(self.columns(capture, " || ".join(sorted(named))),
                         ["HELLO: lanchat 0.1.0"])


class Beacons(Dissector):
    KINDS = {beacon.QUERY: "QUERY", beacon.ANSWER: "ANSWER", beacon.ANNOUNCEMENT: "ANNOUNCEMENT",
             beacon.GOODBYE: "GOODBYE"}

    def good(self):
        """One of each kind."""
        server = {"port": 19831, "sequence": 7, "people": 2, "people_max": 10000,
                  "server": os.urandom(32), "instance": os.urandom(16), "proof": os.urandom(16),
                  "name": "Класс 5".encode()}
        return [beacon.encode(beacon.QUERY, nonce=bytes(range(8))),
                beacon.encode(beacon.ANSWER, nonce=bytes(range(8)), lifetime=6500, flags=2, **server),
                beacon.encode(beacon.ANNOUNCEMENT, lifetime=6500, **server),
                beacon.encode(beacon.GOODBYE, **server)]

    def test_fields(self):
        packets = self.good()
        capture = Capture()
        for packet in packets:
            capture.datagram(1, PORT, packet)
            capture.datagram(2, OTHER_PORT, packet)
        dissected = self.packets(capture)
        self.assertEqual(len(dissected), 2 * len(packets))
        for packet, protos in zip((p for p in packets for _ in range(2)), dissected):
            self.check(packet, [p for p in protos if p.get("name") == "lanchat.beacon"])

    def check(self, packet, protos):
        self.assertEqual(len(protos), 1)
        fields = {field.get("name").removeprefix("lanchat.beacon."): field for field in protos[0]}
        values = beacon.decode(packet)
        kind = values["type"]
        proof = "secret" if kind == beacon.GOODBYE else "commitment"
        self.assertEqual(fields.pop("kind").get("showname"), f"kind: {self.KINDS[kind]} ({kind})")
        self.assertEqual(fields.pop("name").get("show"), values["name"])
        self.assertEqual(fields.pop(proof).get("value"), values["proof"].hex())
        for name in ("nonce", "server", "instance"):
            self.assertEqual(fields.pop(name).get("value"), values[name].hex())
        for name in ("flags", "version_low", "version_high", "port", "sequence", "lifetime",
                     "people", "people_max"):
            self.assertEqual(int(fields.pop(name).get("show"), 0), values[name], name)
        self.assertEqual(fields, {})

    def test_wrong(self):
        query, answer, announcement, goodbye = self.good()
        wrong = [query[:-1], query + b"\0", b"", b"LCB1", b"x" * 192, query[:191] + b"\1",
                 query[:4] + b"\0" + query[5:], query[:4] + b"\5" + query[5:],
                 announcement[:10] + b"\0\0" + announcement[12:],        # no port
                 announcement[:16] + b"\0\0\0\0" + announcement[20:],    # no lifetime
                 goodbye[:16] + b"\0\0\0\1" + goodbye[20:],              # one too many
                 answer[:6] + b"\0\4" + answer[8:],                      # versions
                 announcement[:147] + b"x" + announcement[148:],         # behind the name
                 announcement[:100] + b"\xff" + announcement[101:],
                 announcement[:100] + b"\x1b" + announcement[101:]]
        capture = Capture()
        for packet in wrong:
            capture.datagram(1, PORT, packet)
        dissected = self.packets(capture)
        self.assertEqual(len(dissected), len(wrong) - 1)  # an empty datagram is nobody's
        for protos in dissected:
            names = [part.get("name") for proto in protos for part in proto.iter()]
            self.assertIn("lanchat.beacon.wrong", names)


class Hostile(Dissector):
    UNCLEAN = (b"\xff", b"\xd0", b"\x80", b"\xd0x", b"\xe2\x82", b"\xf0\x9f\x91",
               b"\xc0\x80", b"\xc1\xa1", b"\xe0\x81\xa1", b"\xf0\x80\x81\xa1",  # overlong
               b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80",
               "\x1b[2J", "a\0b", "a\nb", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ufdd0",
               "\ufffe", "\U0010ffff")

    def wrong(self):
        """(what is wrong, the bytes of a connection)."""
        say = wire.encode("SAY", counter=1, room="lobby", text="hello")
        frame = wire.frame
        number = wire.MESSAGES["SAY"][0]
        members = wire.encode("MEMBER_LIST", tag=1, room="lobby", members=[{"nick": "x"}] * 201)
        return [
            ("length", frame(number, length=wire.PAYLOAD_MAX + 1) + b"x" * 100),
            ("length", b"GET / HTTP/1.1\r\n\r\n"),
            ("flags", frame(number, say[8:], flags=2)),
            ("flags", frame(number, say[8:], flags=0x8001)),
            ("type", frame(0x0e, b"what?")),
            ("type", frame(0xffff)),
            ("left_over", frame(number, say[8:] + b"x")),
            ("bounds", wire.encode("SAY", counter=1, room="", text="x")),
            ("bounds", wire.encode("SAY", counter=1, room="x" * 65, text="x")),
            ("bounds", wire.encode("SAY", counter=1, room="x", text="x" * 4097)),
            ("bounds", members),
            ("text", wire.encode("SAY", counter=1, room="a b", text="x")),
        ] + [("text", wire.encode("SAY", counter=1, room="lobby", text=text))
             for text in self.UNCLEAN] + \
            [("truncated", frame(number, say[8:size])) for size in range(8, len(say))]

    def test_what_is_wrong(self):
        """It is named, and nothing else is."""
        wrong = self.wrong()
        capture = Capture()
        for source, (_, data) in enumerate(wrong, 1):
            capture.segment(source, PORT, data)
        dissected = self.frames(capture)
        for source, (what, data) in enumerate(wrong, 1):
            with self.subTest(what=what, data=data[:40]):
                names = {part.get("name") for proto in dissected[FIRST_SOURCE + source, PORT]
                         for part in proto.iter() if is_wrong(part.get("name"))}
                self.assertEqual(names, {f"lanchat.wrong.{what}"})
        lines = self.columns(capture, "lanchat.wrong.text")
        self.assertEqual(len(lines), len([what for what, _ in wrong if what == "text"]))
        self.assertIn("SAY #lobby: \ufffd[2J [malformed]", lines)
        self.assertTrue(all(line.isprintable() for line in lines), lines)

    def test_datagrams(self):
        """A frame that is not the whole of its datagram, on a port that is told to be a lane's."""
        say = wire.encode("SAY", counter=1, room="lobby", text="hello")
        capture = Capture()
        for source, data in enumerate((say, say + b"x", say[:-1], say[:8], say[:7], b"")):
            capture.datagram(source, OTHER_PORT, data)
        lane = ("-d", f"udp.port=={OTHER_PORT},lanchat")
        self.assertEqual(len(self.packets(capture, *lane)), 4)
        self.assertEqual(self.columns(capture, "lanchat.wrong.length", *lane),
                         ["SAY #lobby: hello", "SAY #lobby [malformed]", "SAY [malformed]"])
        self.assertEqual(self.columns(capture, "lanchat.wrong.truncated", *lane),
                         ["SAY #lobby [malformed]", "SAY [malformed]"])

    def test_cut_by_the_capture(self):
        """Packets of which the capture has the beginning alone: nobody is to blame."""
        say = wire.encode("SAY", counter=1, room="lobby", text="hello" * 30)
        capture = Capture()
        capture.datagram(1, OTHER_PORT, say)
        capture.snap = 100
        lane = ("-d", f"udp.port=={OTHER_PORT},lanchat")
        self.assertEqual(self.columns(capture, "lanchat && !lanchat.wrong.truncated", *lane),
                         ["SAY #lobby"])

    def test_to_be_skipped(self):
        """An unknown message that may be passed over is no error, and what follows is understood."""
        capture = Capture()
        capture.segment(1, PORT, wire.frame(0x0e, b"new", flags=wire.FLAG_SKIP) +
                        wire.encode("PING", token=1))
        self.assertEqual(self.columns(capture, "lanchat.skipped && !_ws.expert.severity == error"),
                         ["0x000e [not understood] | PING token 1"])

    def test_tls(self):
        """It is left to whom it belongs, cut anywhere; a frame that answers it is ours all the same."""
        out = ssl.MemoryBIO()
        context = ssl.create_default_context()
        with self.assertRaises(ssl.SSLWantReadError):
            context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="x").do_handshake()
        hello = out.read()
        capture = Capture()
        for source, cuts in enumerate(((0,), (0, 100), (0, 1, 5, 6, 300)), 1):
            for cut, end in zip(cuts, cuts[1:] + (len(hello),)):
                capture.segment(source, PORT, hello[cut:end])
            capture.segment(source, PORT, wire.encode("ERROR", code=wire.CODES["FULL"], fatal=1),
                            answer=True)
        self.assertEqual(self.tshark(capture, "-Y", "tls.handshake.type == 1 && !lanchat", "-T",
                                     "fields", "-e", "tcp.srcport").split(),
                         [str(FIRST_SOURCE + source) for source in (1, 2, 3)])
        self.assertEqual(self.columns(capture, "lanchat"), ["ERROR FULL"] * 3)

    def test_not_ours(self):
        """Strangers on other ports are not claimed."""
        say = wire.encode("SAY", counter=1, room="lobby", text="hello")
        capture = Capture()
        for source, data in enumerate((b"\0" * 64, b"\0\0\0\x08abcdefghijk", say[:-1] + b"\xff",
                                       say[:20], say + b"\0" * 300, b"LCB1" + bytes(60))):
            capture.segment(source, OTHER_PORT, data)
            capture.datagram(source, OTHER_PORT, data)
        # Only the one that begins with a frame that is right.
        self.assertEqual(self.tshark(capture, "-Y", "lanchat || lanchat.beacon", "-T", "fields",
                                     "-e", "tcp.srcport", "-e", "udp.srcport"),
                         f"{FIRST_SOURCE + 4}\t\n")

    def test_noise(self):
        """Whatever bytes come, the script has no error of its own."""
        seed = random.SystemRandom().randrange(1 << 32)
        draw = random.Random(seed)
        packets = vectors() + [beacon.announcement("x"), beacon.encode(beacon.QUERY)]
        capture = Capture()
        for source in range(1, 1501):
            data = bytearray(draw.choice(packets))
            for _ in range(draw.randrange(1, 4)):
                data[draw.randrange(len(data))] = draw.choice((0, 1, 2, 0x80, 0xff, draw.randrange(256)))
            data = bytes(data[:draw.randrange(len(data) + 1)] if draw.random() < 0.3 else data)
            port = draw.choice((PORT, OTHER_PORT))
            if draw.random() < 0.5:
                capture.segment(source, port, data)
            else:
                capture.datagram(source, port, data)
        try:
            self.assertGreater(len(self.packets(capture)), 500)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error


if __name__ == "__main__":
    main()
