"""The protocol by hand, as docs/PROTOCOL.md has it: frames and messages to bytes and back.

Written from the document and sharing nothing with the C code, so the two check each other. It
also encodes what no client should send: values are not checked against their bounds.
"""

import struct

HEADER = 8
PAYLOAD_MAX = 65536
TEXT_MAX = 4096
FLAG_SKIP = 1

INTEGERS = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q"}
IDS = {"id16": 16, "id32": 32}

# number, then the fields in order: name:type, where type is an integer, an id, text, or the name
# of a list's items.
MESSAGES = {
    "HELLO": (0x01, "version_low:u16 version_high:u16 features:u32 agent:text"),
    "WELCOME": (0x02, "version:u16 features:u32 server:id32 log:id16 kept:u8 name:text agent:text"),
    "LOGIN": (0x03, "tag:u32 person:id32 instance:id16 log:id16 inbox_after:u64 inbox_replay:u32 "
                    "flags:u16 nick:text"),
    "LOGGED_IN": (0x04, "tag:u32 nick:text accepted:u64 time:u64 text_max:u32 rooms_max:u32 "
                        "ping_seconds:u16 idle_seconds:u16"),
    "PING": (0x05, "token:u64"),
    "PONG": (0x06, "token:u64"),
    "DONE": (0x07, "tag:u32"),
    "ERROR": (0x08, "tag:u32 code:u16 fatal:u8 text:text"),
    "BYE": (0x09, "code:u16 text:text"),
    "NOTICE": (0x0a, "kind:u8 text:text"),
    "COMPARE": (0x0b, "tag:u32 log:id16"),
    "COMPARED": (0x0c, "tag:u32 upto:u64"),
    "PASSWORD": (0x0d, "password:text"),
    "JOIN": (0x10, "tag:u32 room:text flags:u16 after:u64 replay:u32"),
    "JOINED": (0x11, "tag:u32 room:text after:u64 last:u64 read:u64 people:u32 topic:text "
                     "topic_nick:text topic_time:u64"),
    "PART": (0x12, "tag:u32 room:text"),
    "PARTED": (0x13, "tag:u32 room:text code:u16 text:text"),
    "ROOMS": (0x14, "tag:u32 after:text limit:u16"),
    "ROOM_LIST": (0x15, "tag:u32 more:u8 total:u32 rooms:room"),
    "MEMBERS": (0x16, "tag:u32 room:text after:text limit:u16"),
    "MEMBER_LIST": (0x17, "tag:u32 room:text version:u64 people:u32 more:u8 members:member"),
    "PRESENCE": (0x18, "room:text version:u64 people:u32 changes:change"),
    "NICK": (0x19, "tag:u32 nick:text"),
    "RENAMED": (0x1a, "tag:u32 nick:text"),
    "AWAY": (0x1b, "tag:u32 state:u8 text:text"),
    "PLACES": (0x1c, "more:u8 places:place"),
    "READ": (0x1d, "room:text seq:u64"),
    "SAY": (0x20, "counter:u64 kind:u8 room:text text:text"),
    "DIRECT": (0x21, "counter:u64 kind:u8 person:id32 nick:text text:text"),
    "ACK": (0x22, "counter:u64 seq:u64 duplicate:u8"),
    "REFUSED": (0x23, "counter:u64 code:u16 text:text"),
    "SAID": (0x24, "seq:u64 prev:u64 time:u64 instance:id16 counter:u64 person:id32 kind:u8 "
                   "nick:text room:text text:text"),
    "DIRECT_SAID": (0x25, "seq:u64 prev:u64 time:u64 instance:id16 counter:u64 person:id32 "
                          "kind:u8 to:id32 nick:text to_nick:text text:text"),
    "GAP": (0x26, "room:text after:u64 next:u64"),
    "CAUGHT_UP": (0x27, "room:text last:u64 version:u64 people:u32"),
    "HISTORY": (0x28, "tag:u32 room:text from:u8 value:u64 limit:u16"),
    "HISTORY_PAGE": (0x29, "tag:u32 room:text more:u8 pruned:u64 entries:entry"),
    "SEARCH": (0x2a, "tag:u32 where:u8 room:text before:u64 limit:u16 words:text"),
    "FOUND": (0x2b, "tag:u32 more:u8 entries:entry"),
    "ACT": (0x30, "tag:u32 room:text verb:u8 person:id32 label:text value:u64 text:text"),
    "CHARTER": (0x31, "tag:u32 room:text"),
    "CHARTER_IS": (0x32, "tag:u32 room:text entry:u8 moderated:u8 slow:u32 rank:u8 "
                         "standings:standing"),
    "AUDIT": (0x33, "tag:u32 room:text before:u64 limit:u16"),
    "AUDIT_PAGE": (0x34, "tag:u32 room:text more:u8 acts:act"),
    "UNLOCK": (0x35, "tag:u32 room:text key:text"),
    "WHOIS": (0x36, "tag:u32 nick:text"),
    "PERSON": (0x37, "tag:u32 person:id32 nick:text state:u8 owned:u8 proven:u8 rank:u8 away:text"),
    "LANE_OPEN": (0x40, "tag:u32"),
    "LANE": (0x41, "tag:u32 lane:u64 port:u16 sealed:u8"),
    "TOSS": (0x42, "kind:u8 room:text text:text"),
    "TOSSED": (0x43, "time:u64 person:id32 kind:u8 nick:text room:text text:text"),
    "RACE": (0x44, "tag:u32 nick:text count:u32 size:u16"),
    "RACED": (0x45, "tag:u32 race:u32 person:id32 nick:text count:u32 size:u16"),
    "RACE_ACCEPT": (0x46, "tag:u32 race:u32"),
    "PROBE": (0x47, "race:u32 number:u32 sent:u64 back:u8 padding:text"),
    "RACE_OVER": (0x48, "race:u32 code:u16"),
}
ITEMS = {
    "room": "name:text people:u32 topic:text",
    "member": "person:id32 state:u8 nick:text away:text",
    "change": "what:u8 person:id32 state:u8 nick:text text:text",
    "place": "room:text member:u8 read:u64",
    "entry": "seq:u64 prev:u64 time:u64 instance:id16 counter:u64 person:id32 kind:u8 to:id32 "
             "nick:text to_nick:text room:text text:text",
    "standing": "kind:u8 range:u8 person:id32 label:text until:u64",
    "act": "seq:u64 time:u64 actor:id32 nick:text verb:u8 person:id32 label:text value:u64 "
           "text:text",
}
VERBS = {"claim": 1, "release": 2, "op": 3, "deop": 4, "own": 5, "mod": 6, "unmod": 7, "voice": 8,
         "unvoice": 9, "kick": 10, "ban": 11, "unban": 12, "mute": 13, "unmute": 14, "invite": 15,
         "uninvite": 16, "entry": 17, "moderated": 18, "slow": 19, "take": 20,
         "prove": 21}
NAMES = {number: name for name, (number, _) in MESSAGES.items()}
CODES = {"PROTOCOL": 1, "VERSION": 2, "FULL": 3, "RESOURCES": 4, "TIMEOUT": 5, "STOPPING": 6,
         "LOGIN_FIRST": 7, "NICK_TAKEN": 8, "BAD_NICK": 9, "BAD_ROOM": 10, "BAD_TEXT": 11,
         "TOO_LONG": 12, "NOT_A_MEMBER": 13, "NO_SUCH_PERSON": 14, "TOO_MANY_ROOMS": 15,
         "RETRY": 16, "NOT_KEPT": 17, "QUIT": 18, "BAD_VALUE": 19, "ALREADY": 20,
         "DISK_FULL": 21, "DAMAGED": 22, "TLS_WANTED": 23, "NOT_YOUR_KEY": 24, "TOO_MANY_HERE": 25,
         "PENALTY": 26, "TOO_MANY_LOGINS": 27, "BANNED": 28, "KEY_WANTED": 29, "NOT_INVITED": 30,
         "MUTED": 31, "MODERATED": 32, "SLOW": 33, "NO_RIGHT": 34, "LIST_FULL": 35,
         "NICKS_FULL": 36, "NO_SUCH_NICK": 37, "KICKED": 38, "PASSWORD": 39, "ROOM_FULL": 40,
         "NICK_TOO_LONG": 41, "TOPIC_TOO_LONG": 42, "TEXT_TOO_LONG": 43,
         "ROOM_DAMAGED": 44, "NO_CHANGE": 45, "NO_SUCH_ROOM": 46, "NOT_ALLOWED": 48,
         "WRONG_CODE": 49, "NOT_PROVEN": 50, "TOO_MANY_OWNED": 51, "NO_LANE": 52, "RACE_FULL": 53,
         "NOT_THERE": 54, "RACING": 55, "RACE_TOO_SOON": 56, "RACE_TOO_MUCH": 57}


def fields(text):
    return [part.split(":") for part in text.split()]


def nothing(kind):
    return 0 if kind in INTEGERS else bytes(IDS[kind]) if kind in IDS else "" if kind == "text" else []


def encode_field(kind, value):
    if kind in INTEGERS:
        return struct.pack(INTEGERS[kind], value)
    if kind in IDS:
        return value
    if kind == "text":
        raw = value.encode() if isinstance(value, str) else value
        return struct.pack(">H", len(raw)) + raw
    items = [b"".join(encode_field(k, item.get(n, nothing(k))) for n, k in fields(ITEMS[kind]))
             for item in value]
    return struct.pack(">H", len(items)) + b"".join(items)


def frame(number, payload=b"", flags=0, length=None):
    """A frame; `length` lies about the payload's."""
    size = len(payload) if length is None else length
    return struct.pack(">IHH", size, number, flags) + payload


def encode(name, /, **values):
    """A message's frame. Fields that are not given are 0, zero bytes, empty."""
    number, layout = MESSAGES[name]
    payload = b""
    for field, kind in fields(layout):
        payload += encode_field(kind, values.pop(field, nothing(kind)))
    if values:
        raise KeyError(f"{name} has no {sorted(values)}")
    return frame(number, payload)


class Reader:
    """Takes values off the front of a payload; a ValueError where it is too short."""

    def __init__(self, payload):
        self.left = payload

    def take(self, size):
        if len(self.left) < size:
            raise ValueError("truncated")
        head, self.left = self.left[:size], self.left[size:]
        return head

    def value(self, kind):
        if kind in INTEGERS:
            return struct.unpack(INTEGERS[kind], self.take(struct.calcsize(INTEGERS[kind])))[0]
        if kind in IDS:
            return self.take(IDS[kind])
        count = self.value("u16")
        if kind == "text":
            return self.take(count).decode()
        return [self.record(ITEMS[kind]) for _ in range(count)]

    def record(self, layout):
        return {name: self.value(kind) for name, kind in fields(layout)}


def decode(number, payload):
    """(name, fields) of a message. The server's bytes must be exactly right."""
    name = NAMES[number]
    reader = Reader(payload)
    values = reader.record(MESSAGES[name][1])
    if reader.left:
        raise ValueError(f"{name} has {len(reader.left)} bytes too many")
    return name, values
