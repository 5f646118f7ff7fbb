"""A client that was written from docs/PROTOCOL.md alone, with nothing of lanchat's own code.

It is here to prove that the document is complete: what a stranger needs to know to chat stands
in it. Its parts, from the wire up:

    encode, decode, Frames    one message, and a stream of them (sections 2, 3, 5 to 7)
    Wire                      a connection that sends and gets messages
    Room                      what is known of a room: position, messages, people (8.4, 9)
    Client                    a person's program: exactly once, through breaks (section 8)
    Beacon, discover          finding servers (section 12)
    Lane                      datagrams beside the connection (section 17)

A message is a dict of its fields by the document's names, and "message" with its name; texts are
str, ids bytes, lists lists of dicts. Everything is done by one thread.
"""

import hashlib
import itertools
import os
import re
import select
import socket
import struct
import time
import unicodedata

VERSION = 1
PORT = 19830
SKIP = 0x0001
HEADER = struct.Struct(">IHH")
PAYLOAD_MAX = 65536
NO_LOG = bytes(16)
NOBODY = bytes(32)

TEXT, ACTION, SPOKEN_NOTICE, TOPIC = range(4)
HERE, AWAY, GONE = range(3)
CAME, WENT, RENAMED, STATE = range(4)
BEFORE, AFTER, SINCE = range(3)
IN_ROOM, IN_INBOX, EVERYWHERE = range(3)
ANY_NICK = 1
COMPARE = 1
LANES = 4
RESUME = 1
RETRY = 16
CODES = dict(enumerate(
    "PROTOCOL VERSION FULL RESOURCES TIMEOUT STOPPING LOGIN_FIRST NICK_TAKEN BAD_NICK BAD_ROOM "
    "BAD_TEXT TOO_LONG NOT_A_MEMBER NO_SUCH_PERSON TOO_MANY_ROOMS RETRY NOT_KEPT QUIT BAD_VALUE "
    "ALREADY DISK_FULL DAMAGED TLS_WANTED NOT_YOUR_KEY TOO_MANY_HERE PENALTY "
    "TOO_MANY_LOGINS".split(), 1))
CODES.update(enumerate("ROOM_FULL NICK_TOO_LONG TOPIC_TOO_LONG TEXT_TOO_LONG".split(), 40))
CODES[34] = "NO_RIGHT"
CODES.update(enumerate("NO_LANE RACE_FULL NOT_THERE RACING RACE_TOO_SOON RACE_TOO_MUCH".split(), 52))
CODE = {name: number for number, name in CODES.items()}

# Fields as "name:kind" or "name:kind:least:most".
ITEMS = {
    "ROOM": "name:name:1:64 people:u32 topic:line:0:512",
    "MEMBER": "person:id32 state:u8 nick:name:1:48 away:line:0:256",
    "CHANGE": "what:u8 person:id32 state:u8 nick:name:1:48 text:line:0:256",
    "PLACE": "room:name:0:64 member:u8 read:u64",
    "ENTRY": "seq:u64 prev:u64 time:u64 instance:id16 counter:u64 person:id32 kind:u8 to:id32 "
             "nick:name:1:48 to_nick:name:0:48 room:name:0:64 text:line:0:4096",
    "STANDING": "kind:u8 range:u8 person:id32 label:name:0:64 until:u64",
    "ACT": "seq:u64 time:u64 actor:id32 nick:name:1:48 verb:u8 person:id32 label:name:0:64 "
           "value:u64 text:line:0:256",
}
MESSAGES = {
    (0x01, "HELLO"): "version_low:u16 version_high:u16 features:u32 agent:line:0:64",
    (0x02, "WELCOME"): "version:u16 features:u32 server:id32 log:id16 kept:u8 name:line:1:48 "
                       "agent:line:0:64",
    (0x03, "LOGIN"): "tag:u32 person:id32 instance:id16 log:id16 inbox_after:u64 "
                     "inbox_replay:u32 flags:u16 nick:name:1:48",
    (0x04, "LOGGED_IN"): "tag:u32 nick:name:1:48 accepted:u64 time:u64 text_max:u32 "
                         "rooms_max:u32 ping_seconds:u16 idle_seconds:u16",
    (0x05, "PING"): "token:u64",
    (0x06, "PONG"): "token:u64",
    (0x07, "DONE"): "tag:u32",
    (0x08, "ERROR"): "tag:u32 code:u16 fatal:u8 text:line:0:256",
    (0x09, "BYE"): "code:u16 text:line:0:256",
    (0x0a, "NOTICE"): "kind:u8 text:block:0:8192",
    (0x0b, "COMPARE"): "tag:u32 log:id16",
    (0x0c, "COMPARED"): "tag:u32 upto:u64",
    (0x0d, "PASSWORD"): "password:line:1:256",
    (0x10, "JOIN"): "tag:u32 room:name:1:64 flags:u16 after:u64 replay:u32",
    (0x11, "JOINED"): "tag:u32 room:name:1:64 after:u64 last:u64 read:u64 people:u32 "
                      "topic:line:0:512 topic_nick:name:0:48 topic_time:u64",
    (0x12, "PART"): "tag:u32 room:name:1:64",
    (0x13, "PARTED"): "tag:u32 room:name:1:64 code:u16 text:line:0:256",
    (0x14, "ROOMS"): "tag:u32 after:name:0:64 limit:u16",
    (0x15, "ROOM_LIST"): "tag:u32 more:u8 total:u32 rooms:ROOM:0:200",
    (0x16, "MEMBERS"): "tag:u32 room:name:1:64 after:name:0:48 limit:u16",
    (0x17, "MEMBER_LIST"): "tag:u32 room:name:1:64 version:u64 people:u32 more:u8 "
                           "members:MEMBER:0:200",
    (0x18, "PRESENCE"): "room:name:1:64 version:u64 people:u32 changes:CHANGE:0:200",
    (0x19, "NICK"): "tag:u32 nick:name:1:48",
    (0x1a, "RENAMED"): "tag:u32 nick:name:1:48",
    (0x1b, "AWAY"): "tag:u32 state:u8 text:line:0:256",
    (0x1c, "PLACES"): "more:u8 places:PLACE:0:200",
    (0x1d, "READ"): "room:name:0:64 seq:u64",
    (0x20, "SAY"): "counter:u64 kind:u8 room:name:1:64 text:line:0:4096",
    (0x21, "DIRECT"): "counter:u64 kind:u8 person:id32 nick:name:0:48 text:line:1:4096",
    (0x22, "ACK"): "counter:u64 seq:u64 duplicate:u8",
    (0x23, "REFUSED"): "counter:u64 code:u16 text:line:0:256",
    (0x24, "SAID"): "seq:u64 prev:u64 time:u64 instance:id16 counter:u64 person:id32 kind:u8 "
                    "nick:name:1:48 room:name:1:64 text:line:0:4096",
    (0x25, "DIRECT_SAID"): "seq:u64 prev:u64 time:u64 instance:id16 counter:u64 person:id32 "
                           "kind:u8 to:id32 nick:name:1:48 to_nick:name:1:48 text:line:1:4096",
    (0x26, "GAP"): "room:name:0:64 after:u64 next:u64",
    (0x27, "CAUGHT_UP"): "room:name:0:64 last:u64 version:u64 people:u32",
    (0x28, "HISTORY"): "tag:u32 room:name:0:64 from:u8 value:u64 limit:u16",
    (0x29, "HISTORY_PAGE"): "tag:u32 room:name:0:64 more:u8 pruned:u64 entries:ENTRY:0:200",
    (0x2a, "SEARCH"): "tag:u32 where:u8 room:name:0:64 before:u64 limit:u16 words:line:1:256",
    (0x2b, "FOUND"): "tag:u32 more:u8 entries:ENTRY:0:200",
    (0x30, "ACT"): "tag:u32 room:name:0:64 verb:u8 person:id32 label:name:0:64 value:u64 "
                   "text:line:0:256",
    (0x31, "CHARTER"): "tag:u32 room:name:0:64",
    (0x32, "CHARTER_IS"): "tag:u32 room:name:0:64 entry:u8 moderated:u8 slow:u32 rank:u8 "
                          "standings:STANDING:0:200",
    (0x33, "AUDIT"): "tag:u32 room:name:0:64 before:u64 limit:u16",
    (0x34, "AUDIT_PAGE"): "tag:u32 room:name:0:64 more:u8 acts:ACT:0:200",
    (0x35, "UNLOCK"): "tag:u32 room:name:1:64 key:line:1:64",
    (0x36, "WHOIS"): "tag:u32 nick:name:1:48",
    (0x37, "PERSON"): "tag:u32 person:id32 nick:name:1:48 state:u8 owned:u8 proven:u8 rank:u8 "
                      "away:line:0:256",
    (0x40, "LANE_OPEN"): "tag:u32",
    (0x41, "LANE"): "tag:u32 lane:u64 port:u16 sealed:u8",
    (0x42, "TOSS"): "kind:u8 room:name:1:64 text:line:1:4096",
    (0x43, "TOSSED"): "time:u64 person:id32 kind:u8 nick:name:1:48 room:name:1:64 "
                      "text:line:1:4096",
    (0x44, "RACE"): "tag:u32 nick:name:1:48 count:u32 size:u16",
    (0x45, "RACED"): "tag:u32 race:u32 person:id32 nick:name:1:48 count:u32 size:u16",
    (0x46, "RACE_ACCEPT"): "tag:u32 race:u32",
    (0x47, "PROBE"): "race:u32 number:u32 sent:u64 back:u8 padding:line:0:65447",
    (0x48, "RACE_OVER"): "race:u32 code:u16",
}


def parse_fields(text):
    """[(name, kind, least, most)] of a table's line above."""
    fields = []
    for field in text.split():
        name, kind, *bounds = field.split(":")
        fields.append((name, kind, *map(int, bounds or (0, 0))))
    return fields


ITEM_FIELDS = {name: parse_fields(text) for name, text in ITEMS.items()}
FIELDS = {name: parse_fields(text) for (_, name), text in MESSAGES.items()}
TYPES = {name: number for number, name in MESSAGES}
NAMES = {number: name for number, name in MESSAGES}
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "id16": 16, "id32": 32}


class Malformed(Exception):
    """Bytes that the document does not allow."""


class Closed(Exception):
    """The connection ended. `last` is the peer's ERROR or BYE, None when it left no word."""

    def __init__(self, last):
        super().__init__(f"the connection ended: {last}")
        self.last = last
        self.code = CODES.get(last["code"]) if last else None


class Failed(Exception):
    """A request was answered with ERROR."""

    def __init__(self, error):
        self.code = CODES.get(error["code"], error["code"])
        super().__init__(f"{self.code}: {error['text']}")


# Text (section 3.1)

UNCLEAN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef" +
                     "".join(chr(plane << 16 | low) for plane in range(17)
                             for low in (0xfffe, 0xffff)) + "]")


def is_clean(text, kind="line"):
    """Whether `text` is clean; in a block U+000A is allowed, in a name nothing blank."""
    if kind == "block":
        text = text.replace("\n", "")
    if kind == "name" and any(unicodedata.category(char) in ("Zs", "Cf") or char == "\u2800"
                              for char in text):
        return False
    return UNCLEAN.search(text) is None


# One message (sections 2 and 3)

def encode_field(value, kind):
    if kind in ITEM_FIELDS:
        return struct.pack(">H", len(value)) + b"".join(
            encode_fields(item, ITEM_FIELDS[kind]) for item in value)
    if kind in ("name", "line", "block"):
        # Bytes stand for themselves, so that a test can send what is no text.
        raw = value if isinstance(value, bytes) else value.encode("utf-8")
        return struct.pack(">H", len(raw)) + raw
    if kind in ("id16", "id32"):
        assert len(value) == SIZES[kind], kind
        return value
    return value.to_bytes(SIZES[kind], "big")


def encode_fields(values, fields):
    return b"".join(encode_field(values[name], kind) for name, kind, _, _ in fields)


def frame(number, payload=b"", flags=0):
    return HEADER.pack(len(payload), number, flags) + payload


def encode(name, /, **values):
    """The frame of a message. Lengths are not judged: whoever sends has to know them."""
    fields = FIELDS[name]
    assert set(values) == {field[0] for field in fields}, f"{name}: {sorted(values)}"
    return frame(TYPES[name], encode_fields(values, fields))


class Reader:
    """Takes fields off the front of a payload."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        if len(piece) != count:
            raise Malformed("the payload ends early")
        self.at += count
        return piece

    def integer(self, size):
        return int.from_bytes(self.take(size), "big")

    def field(self, kind, least, most):
        if kind in ("id16", "id32"):
            return self.take(SIZES[kind])
        if kind in SIZES:
            return self.integer(SIZES[kind])
        count = self.integer(2)
        if not least <= count <= most:
            raise Malformed(f"{count} is not from {least} to {most}")
        if kind in ITEM_FIELDS:
            return [self.fields(ITEM_FIELDS[kind]) for _ in range(count)]
        return self.text(count, kind)

    def text(self, count, kind):
        try:
            text = self.take(count).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(str(error)) from error
        if not is_clean(text, kind):
            raise Malformed(f"not clean: {text!r}")
        return text

    def fields(self, fields):
        return {name: self.field(kind, least, most) for name, kind, least, most in fields}


def decode(number, payload):
    """The message in a frame; None for a type that the document does not have."""
    name = NAMES.get(number)
    if name is None:
        return None
    reader = Reader(payload)
    message = {"message": name, **reader.fields(FIELDS[name])}
    if reader.at != len(payload):
        raise Malformed(f"{name}: {len(payload) - reader.at} bytes are left over")
    return message


class Frames:
    """Cuts what arrives into frames, however TCP delivers it."""

    def __init__(self):
        self.data = b""

    def feed(self, data):
        """Take `data`; returns the messages that are whole now. Unknown types that may be
        skipped are."""
        self.data += data
        messages = []
        while True:
            if len(self.data) >= 4 and int.from_bytes(self.data[:4], "big") > PAYLOAD_MAX:
                raise Malformed("a frame is too large")
            if len(self.data) < HEADER.size:
                return messages
            length, number, flags = HEADER.unpack_from(self.data)
            if flags & ~SKIP:
                raise Malformed(f"flags {flags:#x}")
            end = HEADER.size + length
            if len(self.data) < end:
                return messages
            message = decode(number, self.data[HEADER.size:end])
            if message is None and not flags & SKIP:
                raise Malformed(f"type {number:#06x} is not known")
            if message is not None:
                messages.append(message)
            self.data = self.data[end:]


# A connection

class Wire:
    """One connection. Sends messages, and gives those that come one at a time; a PING is
    answered, and not given. The sender of the tags, too: each request has its own."""

    def __init__(self, port, host="127.0.0.1", connection=None):
        """To a server, or with `connection` the accepted end of one."""
        self.socket = connection or socket.create_connection((host, port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.frames = Frames()
        self.ready = []
        self.last_words = None
        self.ended = False
        self.tags = itertools.count(1)

    def close(self):
        self.socket.close()
        self.ended = True

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, name, /, **values):
        self.raw(encode(name, **values))

    def ask(self, name, /, **values):
        """Send a request; returns its tag."""
        tag = next(self.tags)
        self.send(name, tag=tag, **values)
        return tag

    def get(self, timeout=10):
        """The next message, None when none came in `timeout` seconds. Raises Closed at the
        end of the stream."""
        deadline = time.monotonic() + timeout
        while not self.ready:
            if self.ended:
                raise Closed(self.last_words)
            rest = max(0, deadline - time.monotonic())
            if not select.select([self.socket], [], [], rest)[0]:
                return None
            self.receive()
        return self.ready.pop(0)

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
        for message in self.frames.feed(data):
            if message["message"] == "PING":
                self.send("PONG", token=message["token"])
                continue
            if message["message"] == "BYE" or message.get("fatal"):
                self.last_words = message
            self.ready.append(message)

    def wait(self, name, /, timeout=10, **fields):
        """The next message of that name with these fields; drops those before it."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.get(max(0, deadline - time.monotonic()))
            if message is None:
                raise AssertionError(f"no {name} {fields} in {timeout} s")
            if message["message"] == name and fields.items() <= message.items():
                return message

    def end(self, timeout=10):
        """Read to the end of the stream; returns the code of the peer's last words, or None."""
        try:
            while self.get(timeout) is not None:
                pass
        except Closed as closed:
            return closed.code
        raise AssertionError(f"the connection did not end in {timeout} s")

    def hello(self, low=VERSION, high=VERSION, features=COMPARE):
        self.send("HELLO", version_low=low, version_high=high, features=features,
                  agent="stranger/1")
        return self.wait("WELCOME")

    def login(self, nick, person=None, instance=None, **values):
        """Send LOGIN; returns LOGGED_IN, or raises Failed."""
        values = {"log": NO_LOG, "inbox_after": 0, "inbox_replay": 0, "flags": 0} | values
        return self.answer(self.ask("LOGIN", person=person or os.urandom(32),
                                    instance=instance or os.urandom(16), nick=nick, **values))

    def answer(self, tag):
        """The answer with this tag; drops what comes before it. Raises Failed for an ERROR."""
        while True:
            message = self.get()
            if message is None:
                raise AssertionError(f"no answer with the tag {tag}")
            if message.get("tag") == tag:
                return checked(message)


def checked(answer):
    if answer["message"] == "ERROR":
        raise Failed(answer)
    return answer


# Beside a connection (section 17)

class Lane:
    """The datagram lane of a connection without TLS, which is insecure (section 17). Everything
    that comes is given, but the server's PINGs, which are answered; `silent` gives them, too."""

    def __init__(self, wire, host="127.0.0.1"):
        answer = wire.answer(wire.ask("LANE_OPEN"))
        self.id, self.port, self.sealed = answer["lane"], answer["port"], answer["sealed"]
        self.place = (host, self.port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.counter = 0
        self.silent = False
        self.sent = self.got = 0  # bytes
        self.newest = 0

    def close(self):
        self.socket.close()

    def move(self):
        """Have another source port from now on, as behind a NAT that forgot; returns the old one."""
        old = self.socket
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.place[0], 0))
        return old

    def datagram(self, data, counter=None, lane=None, version=1):
        if counter is None:
            self.counter += 1
            counter = self.counter
        return struct.pack(">BQQ", version, self.id if lane is None else lane, counter) + data

    def raw(self, data, through=None):
        (through or self.socket).sendto(data, self.place)
        self.sent += len(data)

    def send(self, name, /, **values):
        self.raw(self.datagram(encode(name, **values)))

    def get(self, timeout=10):
        """The next message, None when none came in `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            rest = max(0, deadline - time.monotonic())
            if not select.select([self.socket], [], [], rest)[0]:
                return None
            data, place = self.socket.recvfrom(65536)
            self.got += len(data)
            version, lane, counter = struct.unpack(">BQQ", data[:17])
            assert (version, lane, place) == (1, self.id, self.place)
            assert counter > self.newest, (counter, self.newest)
            self.newest = counter
            length, number, _ = HEADER.unpack(data[17:25])
            assert length == len(data) - 25
            message = decode(number, data[25:])
            if message["message"] != "PING" or self.silent:
                return message
            self.send("PONG", token=message["token"])

    def open(self):
        """Until the server knows where we are: it asks, we answer, and it answers."""
        self.silent = True
        self.send("PING", token=1)
        self.send("PONG", token=self.get()["token"])
        self.silent = False
        self.send("PING", token=2)
        answer = self.get()
        assert answer == {"message": "PONG", "token": 2}, answer
        return self


# Rooms (sections 8.4 and 9)

class Room:
    """A room, or with the name "" the inbox. `position` is None until it is known."""

    def __init__(self, name):
        self.name = name
        self.position = None
        self.messages = []
        self.gaps = []
        self.topic = ""
        self.caught_up = False
        self.rows = {}
        self.version = None
        self.people = 0
        self.stale = False

    def texts(self):
        return [message["text"] for message in self.messages]

    def said(self, message):
        """Returns False if something before it is missing."""
        if self.position is not None:
            if message["seq"] <= self.position:
                return True
            if message["prev"] > self.position:
                return False
        self.position = message["seq"]
        self.messages.append(message)
        if message["message"] == "SAID" and message["kind"] == TOPIC:
            self.topic = message["text"]
        return True

    def gap(self, message):
        self.gaps.append(message)
        self.position = max(self.position or 0, message["next"] - 1)

    def reached(self, message):
        """CAUGHT_UP."""
        self.caught_up = True
        self.position = max(self.position or 0, message["last"])
        if self.version is not None and message["version"] > self.version:
            self.stale = True

    def list_begins(self):
        self.rows = {}
        self.version = None

    def listed(self, message):
        """A page of MEMBER_LIST. The first page's version is that of the whole."""
        if self.version is None or message["tag"] == 0:
            self.list_begins()
            self.version = message["version"]
            self.stale = False
        self.people = message["people"]
        for row in message["members"]:
            self.rows[row["person"], row["nick"]] = (row["state"], row["away"])

    def presence(self, message):
        if self.version is None:
            self.people = message["people"]
            return
        if message["version"] <= self.version:
            return
        self.stale |= message["version"] > self.version + 1
        self.version = message["version"]
        self.people = message["people"]
        for change in message["changes"]:
            self.change(change)
        # Also the sign of a large room, where numbers are all that is told.
        self.stale |= len(self.rows) != self.people

    def change(self, change):
        row = (change["person"], change["nick"])
        if change["what"] in (CAME, STATE):
            self.rows[row] = (change["state"], change["text"])
        elif change["what"] == WENT:
            self.rows.pop(row, None)
        elif change["what"] == RENAMED:
            _, away = self.rows.pop(row, (HERE, ""))
            self.rows[change["person"], change["text"]] = (change["state"], away)

    def nicks(self):
        return sorted(nick for _, nick in self.rows)


# A person's program (section 8)

class Client:
    """Says everything once and shows everything once, however often the connection breaks.
    `person` and the instance stay; wire is None while there is no connection."""

    def __init__(self, port, nick, person=None, inbox_replay=0):
        self.port = port
        self.nick = nick
        self.person = person or os.urandom(32)
        self.inbox_replay = inbox_replay
        self.instance = os.urandom(16)
        self.counters = itertools.count(1)
        self.outbox = {}        # counter -> (name, fields), in rising order
        self.settled = {}       # counter -> ACK or REFUSED
        self.log = NO_LOG
        self.inbox = Room("")
        self.rooms = {}
        self.notices = []
        self.places = {}        # room's name -> (member, read); "": the inbox
        self.answers = {}
        self.retry_at = None
        self.pause = 0.1
        self.wire = None

    # The connection

    def connect(self):
        """Log in and resume: 8.4's "after a break", 8.3's step 4."""
        self.wire = Wire(self.port)
        self.answers = {}
        self.retry_at = None
        self.pause = 0.1
        self.inbox.caught_up = False
        welcome = self.wire.hello()
        if welcome["log"] != self.log:
            if self.log != NO_LOG:
                self.another_log(welcome)
            self.log = welcome["log"]
        # The inbox is waited for below, so whoever has a log has a position for it.
        known = self.inbox.position is not None
        tag = self.wire.ask("LOGIN", person=self.person, instance=self.instance,
                            log=self.log if known else NO_LOG,
                            inbox_after=self.inbox.position or 0,
                            inbox_replay=self.inbox_replay, flags=ANY_NICK, nick=self.nick)
        self.nick = self.answer(tag)["nick"]
        self.until(lambda: self.inbox.caught_up, "the inbox")
        for name in list(self.rooms):
            self.join(name)
        self.send_from(0)
        return self

    def another_log(self, welcome):
        """8.4's "after a break", 1: by asking, or where that is not known, with all of it new."""
        upto = 0
        if welcome["features"] & COMPARE:
            tag = self.wire.ask("COMPARE", log=self.log)
            upto = self.wire.wait("COMPARED", tag=tag)["upto"]
        for room in (self.inbox, *self.rooms.values()):
            if room.position is not None:
                room.position = min(room.position, upto)

    def drop(self):
        """The connection breaks, without a word."""
        self.wire.close()
        self.wire = None

    def leave(self, text=""):
        """End in good order."""
        self.wire.send("BYE", code=CODE["QUIT"], text=text)
        code = self.wire.end()
        self.wire.close()
        self.wire = None
        return code

    # What comes

    def step(self, timeout=10):
        """Take one message; returns it, None when none came."""
        if self.retry_at is not None:
            timeout = min(timeout, max(0, self.retry_at[0] - time.monotonic()))
        message = self.wire.get(timeout)
        if self.retry_at is not None and time.monotonic() >= self.retry_at[0]:
            _, counter = self.retry_at
            self.retry_at = None
            self.send_from(counter)
        if message is not None:
            self.take(message)
        return message

    def until(self, condition, what="a condition", timeout=10):
        """Take messages until `condition` gives something true; returns that."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.nick} waited {timeout} s for {what}")
            self.step(max(0, deadline - time.monotonic()))
        return value

    def take(self, message):
        name = message["message"]
        if name in ("ACK", "REFUSED"):
            self.settle(message)
        elif name == "NOTICE":
            self.notices.append(message)
        elif name == "PLACES":
            self.places |= {place["room"]: (place["member"], place["read"])
                            for place in message["places"]}
        elif name != "HISTORY_PAGE" and ("room" in message or name == "DIRECT_SAID"):
            self.take_room(name, message)
        if message.get("tag"):
            self.answers[message["tag"]] = message

    def settle(self, message):
        counter = message["counter"]
        if message.get("code") == RETRY:
            # The server says RETRY to all that follow as well; the lowest one decides.
            if self.retry_at is None or counter < self.retry_at[1]:
                self.retry_at = (time.monotonic() + self.pause, counter)
                self.pause = min(2 * self.pause, 2)
            return
        self.pause = 0.1
        if self.outbox.pop(counter, None) is not None:
            self.settled[counter] = message

    def take_room(self, name, message):
        if name == "JOINED":
            room = self.rooms.setdefault(message["room"], Room(message["room"]))
            room.topic = message["topic"]
            room.people = message["people"]
            room.list_begins()
            if room.position is None:
                room.position = message["after"]
            return
        room = self.rooms.get(message["room"]) if message.get("room") else self.inbox
        if room is None:
            return
        if name == "PARTED":
            del self.rooms[room.name]
        elif name in ("SAID", "DIRECT_SAID"):
            if not room.said(message):
                raise AssertionError(f"{self.nick}: missing before {message}")
        else:
            {"GAP": room.gap, "CAUGHT_UP": room.reached, "MEMBER_LIST": room.listed,
             "PRESENCE": room.presence}[name](message)

    def answer(self, tag):
        self.until(lambda: tag in self.answers, f"the answer to {tag}")
        return checked(self.answers.pop(tag))

    def request(self, name, /, **fields):
        """Ask, and wait for the answer; raises Failed."""
        return self.answer(self.wire.ask(name, **fields))

    # What is said

    def say(self, room, text, kind=TEXT):
        return self.put("SAY", kind=kind, room=room, text=text)

    def direct(self, text, person=NOBODY, nick="", kind=TEXT):
        return self.put("DIRECT", kind=kind, person=person, nick=nick, text=text)

    def put(self, name, /, **fields):
        """Number a message, keep it until it is settled, and send it if there is a connection
        that is not holding back for RETRY; returns its counter."""
        counter = next(self.counters)
        self.outbox[counter] = (name, fields)
        if self.wire is not None and self.retry_at is None:
            self.wire.send(name, counter=counter, **fields)
        return counter

    def send_from(self, first):
        """Send what is not settled, by rising counter."""
        for counter, (name, fields) in self.outbox.items():
            if counter >= first:
                self.wire.send(name, counter=counter, **fields)

    def outcome(self, counter):
        """How a message ended: its ACK or its REFUSED."""
        return self.until(lambda: self.settled.get(counter), f"the fate of {counter}")

    # What was said before (8.6)

    def history(self, room, start, value=0, limit=0):
        """A page: BEFORE, AFTER or SINCE; of the inbox with the room ""."""
        return self.request("HISTORY", room=room, value=value, limit=limit, **{"from": start})

    def back_to_the_start(self, room, page=0):
        """All that is kept of a room, [ENTRY], read backwards, and how many pages it took."""
        entries = []
        for pages in itertools.count(1):
            answer = self.history(room, BEFORE, entries[0]["seq"] if entries else 0, page)
            entries = answer["entries"] + entries
            if not answer["more"]:
                return entries, pages

    def on_to_the_end(self, room, after=0, page=0):
        """What is kept above a number, [ENTRY], read forwards, and how many pages it took."""
        entries = []
        for pages in itertools.count(1):
            answer = self.history(room, AFTER, entries[-1]["seq"] if entries else after, page)
            entries += answer["entries"]
            if not answer["more"]:
                return entries, pages

    def search(self, words, where=EVERYWHERE, room="", before=0, limit=0):
        return self.request("SEARCH", where=where, room=room, before=before, limit=limit,
                            words=words)

    def read(self, room, seq):
        self.wire.send("READ", room=room, seq=seq)

    # Rooms and people

    def join(self, name, replay=0):
        """Join, or after a break resume, and wait until it is caught up; returns the Room."""
        known = self.rooms.get(name)
        resumes = known is not None and known.position is not None
        if known is not None:
            known.caught_up = False
        joined = self.request("JOIN", room=name, flags=RESUME if resumes else 0,
                              after=known.position if resumes else 0, replay=replay)
        room = self.rooms[joined["room"]]
        self.until(lambda: room.caught_up, f"CAUGHT_UP in {name}")
        return room

    def part(self, name):
        return self.request("PART", room=name)

    def rename(self, nick):
        self.nick = self.request("NICK", nick=nick)["nick"]
        return self.nick

    def away(self, text=""):
        return self.request("AWAY", state=AWAY, text=text)

    def back(self):
        return self.request("AWAY", state=HERE, text="")

    def list_rooms(self, page=0):
        """All rooms, [{name, people, topic}], and how many pages it took."""
        rooms = []
        for pages in itertools.count(1):
            answer = self.request("ROOMS", after=rooms[-1]["name"] if rooms else "", limit=page)
            rooms += answer["rooms"]
            if not answer["more"]:
                return rooms, pages

    def list_members(self, name, page=0):
        """Fetch the list of a room's people anew; returns it, and how many pages it took."""
        self.rooms[name].list_begins()
        after, members = "", []
        for pages in itertools.count(1):
            answer = self.request("MEMBERS", room=name, after=after, limit=page)
            members += answer["members"]
            if not answer["more"]:
                return members, pages
            after = members[-1]["nick"]


# Discovery (section 12)

QUERY, ANSWER, ANNOUNCEMENT, GOODBYE = range(1, 5)
IP_PKTINFO, IP_RECVTTL, IP_TTL = 8, 12, 2       # Linux's numbers; Python has no names for them
EVERYBODY_HERE = "127.255.255.255"


class Beacon:
    """A packet. Its fields are attributes by the document's names."""

    layout = struct.Struct(">4sBBHHHIIII8s32s16s16s48s44s")
    names = ("magic type flags version_low version_high port sequence lifetime people people_max "
             "nonce server instance commitment name padding").split()

    def __init__(self, data):
        if len(data) != self.layout.size:
            raise Malformed(f"{len(data)} bytes")
        vars(self).update(zip(self.names, self.layout.unpack(data)))
        self.check(data)

    def check(self, data):
        """The first rule of section 12.6."""
        name, _, after_name = self.name.partition(b"\0")
        zeros = self.padding + after_name
        if self.type == QUERY:
            zeros += data[10:28] + data[36:]
            good = True
        else:
            good = self.port != 0 and (self.lifetime == 0) == (self.type == GOODBYE)
            if self.type != ANSWER:
                zeros += self.nonce
        try:
            self.name = name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(str(error)) from error
        if not (good and self.magic == b"LCB1" and QUERY <= self.type <= GOODBYE
                and self.version_low <= self.version_high
                and not any(zeros) and is_clean(self.name)):
            raise Malformed(f"a bad beacon: {vars(self)}")

    def proves(self, goodbye):
        """Whether this server itself said that goodbye."""
        return ((self.server, self.instance) == (goodbye.server, goodbye.instance)
                and hashlib.sha256(goodbye.commitment).digest()[:16] == self.commitment)

    @classmethod
    def pack(cls, **fields):
        """The bytes of a packet; a field that is not given is zero."""
        fields = {"magic": b"LCB1", "version_low": VERSION, "version_high": VERSION} | fields
        assert set(fields) <= set(cls.names), fields
        blank = dict.fromkeys(cls.names, 0) | dict.fromkeys(cls.names[10:], b"")
        return cls.layout.pack(*(blank | fields).values())

    @classmethod
    def query(cls, nonce):
        return cls.pack(type=QUERY, nonce=nonce)


class Finder:
    """The two sockets of a program that looks for servers on this host."""

    def __init__(self):
        self.shared = self.open(PORT)
        self.private = self.open(0)
        self.nonces = set()

    @staticmethod
    def open(port):
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.setsockopt(socket.IPPROTO_IP, IP_TTL, 255)
        opened.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        opened.bind(("", port))
        return opened

    def close(self):
        self.shared.close()
        self.private.close()

    def ask(self, address=(EVERYBODY_HERE, PORT)):
        """Send a QUERY; returns its nonce. To everybody it goes by loopback alone."""
        nonce = os.urandom(8)
        self.nonces.add(nonce)
        loopback = struct.pack("=I4s4s", socket.if_nametoindex("lo"),
                               socket.inet_aton("127.0.0.1"), bytes(4))
        self.private.sendmsg([Beacon.query(nonce)],
                             [(socket.IPPROTO_IP, IP_PKTINFO, loopback)], 0, address)
        return nonce

    def hear(self, timeout=10):
        """The next good packet of a server: (beacon, address, raw bytes), None when none came.
        Questions, also one's own, are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            rest = max(0, deadline - time.monotonic())
            ready = select.select([self.private, self.shared], [], [], rest)[0]
            if not ready:
                return None
            data, ancillary, _, address = ready[0].recvmsg(2048, 256)
            ttl = [int.from_bytes(value, "little") for _, kind, value in ancillary
                   if kind == IP_TTL]
            try:
                beacon = Beacon(data)
            except Malformed:
                continue
            if (ttl != [255] or beacon.type == QUERY
                    or beacon.type == ANSWER and beacon.nonce not in self.nonces):
                continue
            return beacon, address, data


def discover(pauses=(0, 0.06, 0.19, 0.75), last=1):
    """Ask as section 12.3 says; returns the first server that answers as (host, port, beacon),
    None when there is none."""
    finder = Finder()
    try:
        for pause in (*pauses, last):
            while (heard := finder.hear(pause)) is not None:
                beacon, (host, _), _ = heard
                if beacon.type in (ANSWER, ANNOUNCEMENT):
                    return host, beacon.port, beacon
            finder.ask()
    finally:
        finder.close()
    return None
