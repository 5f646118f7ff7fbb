#!/usr/bin/env python3
"""Write the kept corpus, tests/fuzz/corpus, anew from the test vectors.

    tests/fuzz/seeds.py

Run it when the vectors have changed. It removes nothing but its own files, whose
names begin with "seed-"; inputs that a fuzzer found may be kept beside them.
"""
import base64
import glob
import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors", "messages.txt")

sys.path.insert(0, os.path.join(HERE, "..", "scenario"))
from lib import wire  # pylint: disable=wrong-import-position

# What the words of the vectors do not have: other scripts, joined emoji, floods, bad bytes.
TEXTS = [
    "", "a", "hello, world", "\u043f\u0440\u0438\u0432\u0435\u0442", "\u65e5\u672c\u8a9e",
    "e\u0301\u0323", "a" + "\u0301" * 40, "\u0301", "\u0e19\u0e49\u0e33", "\u0915\u094d\u0937\u093f",
    "\uac01 \u1100\u1161\u11a8", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1f7\U0001f1fa\U0001f1e9", "1\ufe0f\u20e3 \u2764\ufe0f", "\U0001f3f4\U000e0067\U000e007f",
    "\u0600" * 20 + "1", "\u1100" * 20, "\U0001f600\u200d" * 20, "a\u200bb\u00adc\ufeff",
    "\u202eabc\u2066\u2028", "\x1b[31mred\x07\r\n\ttab", "two\nlines\n", "\x00", "\u0085",
    "\u200btext", "Anna", "stra\u00dfe", "\uff21\uff03", "\ufdfa", "\u0430nna", "\u0447\u0430\u0442-linux",
    "x" * 47 + "\u00e9", "\u0390" * 24, "\u1fb7\u0345", "\\ \"quoted\"",
]
BYTES = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"a\x80b",
         b"\xe2\x82A", b"\xf8\x88\x80\x80\x80", b"12345678\x7f234567"]

STRANGERS = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n",
             b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\xff" * 9]


# A key of nobody's, encrypted with the passphrase "secret": by scrypt and by PBKDF2, both with little work.
PASSPORTS = [base64.b64decode(text) for text in (
    "MIGSME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAjO9E2/4sAYhAIBEAIBAQIBATAdBglghkgBZQME"
    "ASoEEKjoFOb+KByY7XLQu6OaWkIEQDcmMcWG9wkB/9Rv6S+0Hf/+QfUnGZ9xNQgPQ2Z4EXe+hS2Os/JtAPCN"
    "EaRwr838tLusaKawkz35r+pcmVXenyY=",
    "MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAjSocLE6hPkjgIBZDAMBggqhkiG9w0CCQUAMB0G"
    "CWCGSAFlAwQBKgQQ/zIrbLUdmwCs5wTXlnmwVQRAMUu13/j8aWP2O/TTcMeTsuopzz9X+1jaY2pk+ZW5g+xQ"
    "k9UCXvDTO4yi3mkIa4cgFT7awQgaq05otEWm5i/z6g==")]

CONFIGS = [
    (0, "listen 127.0.0.1:0\nlisten = [::1]:7\nname = \"Room \\\"12\\\"\" # where\nhistory off\n"),
    (0, "name text\nmax-rooms 9\n"), (0, "max-clients off\nmax-rooms=47\nkeep-bytes 64M\n\n# nothing\nplaintext\nno-beacon no\n"),
    (0, "sync os\nrate 0\nmotd /etc/motd\nidle-timeout 90\nmax-rooms 471\n"),
    (0, "nmae x\n"), (0, "name"), (0, "name \"x"), (0, "help\n"), (0, "max-clients 1x\n"), (0, "= 1"),
    (1, "nick anna\nroom lobby\nroom \"dev\"\nhistory 50\nhost on\n"),
    (1, "nick \"two words\"\n"), (1, "timeout 5\n"), (1, "log-level debug\ninterface lo # only\n"),
]

WORDS = [("one tw", "one two"), ("\"one two\" x", "one two, x"), ("\u0451\u043b\u043a\u0430", "\u0415\u043b\u043a\u0438"),
         ("\u6771\u4eac", "\u6771\u4eac\u90fd"), ("caf", "Caf\u00e9"), ("o tw", "text one two"),
         ("NOT a OR b*", "not a or b"), ("\u0e17\u0e35\u0e48 x", "\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48")]

TYPED = ["hello\n//x\n/me waves\n", "/join #dev\r\n/part\n", "/msg @ben hi there\n/notice #dev x y\n", "a\tb",
         "/query ben\n/nick\n/nick ben\n", "/unknown\n/jion x\n/", "/last 2h\n2h\n3w\n14:30\n2026-11-20",
         "2026-11-20T14:30\n2026-11-20 14:30:59\n/connect [::1]:7\n", "/notice #text x\n/search -a words\n"]


def ip(protocol, carries, back=False, fragment=0, identity=1):
    """A packet of fuzz_packet, with its length before it."""
    ends = [bytes((10, 83, 19, 1)), bytes((10, 83, 19, 2))]
    packet = b"\x45\0" + (20 + len(carries)).to_bytes(2, "big") + identity.to_bytes(2, "big") + \
        fragment.to_bytes(2, "big") + bytes((64, protocol, 0, 0)) + b"".join(ends[::-1] if back else ends) + carries
    return len(packet).to_bytes(2, "big") + packet


def ip6(protocol, carries, extension=b""):
    """The same of IPv6; headers of extension begin with the kind of the next."""
    packet = b"\x60\0\0\0" + (len(extension) + len(carries)).to_bytes(2, "big") + bytes((protocol, 64)) + \
        b"\xfd" + bytes(14) + b"\1" + b"\xfd" + bytes(14) + b"\2" + extension + carries
    return len(packet).to_bytes(2, "big") + packet


def tcp(flags, seq, ack, data=b"", back=False, window=500, more=b""):
    """A segment; `more` are its options."""
    ports = [b"\x1b\x58", b"\x9c\x40"]
    return ip(6, b"".join(ports if back else ports[::-1]) + seq.to_bytes(4, "big") + ack.to_bytes(4, "big") +
              bytes((5 * 16 + len(more) * 4, flags)) + window.to_bytes(2, "big") + bytes(4) + more + data, back)


def udp(data):
    return b"\x9c\x40\x1b\x59" + (8 + len(data)).to_bytes(2, "big") + bytes(2) + data


def packets():
    """Inputs of fuzz_packet: conversations, and what else is on the lab's wire."""
    syn, ack, fin, rst = 2, 16, 17, 20
    mss, blocks = b"\2\4\5\xb4", b"\1\1\5\x0a" + (100).to_bytes(4, "big") + (104).to_bytes(4, "big")
    shake = tcp(syn, 0, 0, more=mss) + tcp(syn | ack, 900, 1, back=True, more=mss) + tcp(ack, 1, 901)
    error = b"\3\4\0\0\0\0\2\x40"
    return [
        shake + tcp(ack, 1, 901, b"text"), shake + tcp(syn, 0, 0) + tcp(rst, 900, 1, back=True) + tcp(syn, 77, 0),
        shake + tcp(ack, 1, 901, b"one") + tcp(ack, 5, 901, b"two") + tcp(ack, 901, 5, back=True) +
        tcp(ack, 901, 5, back=True, more=blocks) + tcp(ack, 5, 901, b"two") + tcp(ack, 901, 8, back=True, window=0) +
        tcp(ack, 7, 901) + tcp(ack, 901, 8, back=True) + tcp(fin, 8, 901, b"x") + tcp(fin, 901, 10, back=True),
        tcp(ack, 2 ** 32 - 2, 2 ** 31, b"wrap") + tcp(ack, 2, 2 ** 31) + tcp(ack, 2 ** 32 - 3, 2 ** 31),
        ip(17, udp(b"text")), ip(17, udp(b"")) + ip(17, udp(b"x"), back=True) + ip(17, udp(b"12345678"), fragment=0x2000, identity=9) +
        ip(17, b"rest", fragment=2, identity=9) + ip(17, b"rest", fragment=2, identity=8),
        ip(17, udp(b"x")) + ip(1, b"\3\3" + bytes(6) + ip(17, udp(b"x"))[2:], back=True) + ip(1, b"\x08\0" + bytes(6) + b"ping"),
        shake + ip(1, error + tcp(ack, 1, 901, b"text")[2:30], back=True) + ip(2, b"\x16\0" + bytes(6)),
        ip6(17, udp(b"text")) + ip6(0, udp(b"x"), b"\x3c\0" + bytes(6) + b"\x2b\0" + bytes(6) + b"\x11\0" + bytes(6)),
        ip6(44, udp(b"12345678"), b"\x11\0\0\1\0\0\0\7") + ip6(44, b"rest", b"\x11\0\0\x10\0\0\0\7"),
        ip6(58, b"\2\0" + bytes(4) + b"\5\0" + ip6(17, udp(b"x"))[2:]) + ip6(51, udp(b"x"), b"\x11\2" + bytes(14)),
        b"".join(ip(17, bytes((0, i)) + udp(b"x")[2:]) for i in range(70)), b"\xff\xff\x45",
    ]


def step(kind, payload=b""):
    """A frame as a step of fuzz_server, fuzz_link and fuzz_session, which alone knows of 0x0040."""
    kind -= 8 if kind >= 0x40 else 0
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


def member(kind, key, value):
    """A member of fuzz_json."""
    return bytes([kind, len(key), len(value)]) + key + value


def met(address, rest, server=bytes(range(32))):
    """An input of fuzz_book."""
    return bytes([len(address)]) + address + server + rest


def beacon(kind, port, lifetime, name):
    """A discovery packet, as common/beacon.h pictures it."""
    packet = b"LCB1" + bytes([kind, 0]) + b"\0\1\0\1" + port.to_bytes(2, "big")
    packet += b"\0\0\0\5" + lifetime.to_bytes(4, "big")
    if kind == 1:
        return packet[:12].ljust(28, b"\0") + b"\1\2\3\4\5\6\7\x08" + bytes(156)
    packet += b"\0\0\0\2\0\0\0\x40" + b"\1\2\3\4\5\6\7\x08"
    packet += bytes(range(32)) + bytes(range(16)) + bytes(range(16, 32))
    return packet + name.encode().ljust(48, b"\0") + bytes(44)


def vectors():
    """The frames and the texts of the vectors."""
    frames, texts = [], []
    with open(VECTORS, encoding="utf-8") as file:
        for line in file:
            words = line.rstrip("\n").split(" ", 2)
            if words[0] == "frame":
                frames.append(bytes.fromhex(words[1]))
            elif len(words) == 3 and words[1] in ("name", "line", "block"):
                texts.append(json.loads(words[2]))
    return frames, texts


def write(target, seeds):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    for old in glob.glob(os.path.join(folder, "seed-*")):
        os.remove(old)
    for seed in seeds:
        name = "seed-" + hashlib.sha256(seed).hexdigest()[:16]
        with open(os.path.join(folder, name), "wb") as file:
            file.write(seed)


def main():
    frames, texts = vectors()
    # A stream begins with a byte for the limit and one for the pieces.
    streams = [b"\3\0" + b"".join(frames[at:at + 4]) for at in range(0, len(frames), 4)]
    streams += [bytes([at % 4, 7 * at]) + frame for at, frame in enumerate(frames[:16])]
    streams += [b"\3\0" + 2 * b"\0\0\0\4\0\x20\0\0text"]
    streams += [b"\3\2" + stranger for stranger in STRANGERS]
    streams += [b"\2\5" + frames[0] + b"\0\0\2\0\0\1\0\0", b"\2\5" + frames[0] + b"\0\0\2\1",
                b"\0\0" + b"\0\0\0\0\0\1\0\1" * 3, b"\3\1" + b"\0\0\0\0\0\1\0\2"]
    write("fuzz_frame", streams)
    write("fuzz_message", [frame[4:6] + frame[8:] for frame in frames] + [b"\xff\xff", b"\0\1"] + [
        wire.encode("SAY", counter=1, room="lobby", text="text")[5:6].rjust(2, b"\0") +
        wire.encode("SAY", counter=1, room="lobby", text="text")[8:]])
    write("fuzz_text", [text.encode() for text in TEXTS + texts] + BYTES)
    write("fuzz_beacon", [beacon(1, 0, 0, ""), beacon(2, 19830, 6500, "Room 12"),
                          beacon(3, 1, 1, "\u041a\u0430\u0431\u0438\u043d\u0435\u0442 12"),
                          beacon(4, 65535, 0, ""), beacon(4, 65535, 0, "text"), beacon(3, 1, 1, "")[:191]])
    write("fuzz_packet", packets())
    write("fuzz_lane", lane_plays())
    write_plays(frames)
    write_files()


def lane_plays():
    """Datagrams for the lane: frames to seal, those of others, and those in the clear."""
    probe = wire.encode("PROBE", race=1, number=2, sent=3, back=0, padding="...")
    toss, ping = wire.encode("TOSS", kind=0, room="dev", text="text"), wire.encode("PING", token=1)
    header = b"\1\1\2\3\4\5\6\7\x08"

    def play(what, data):
        return bytes([len(data), what]) + data
    far = header + (1 << 40).to_bytes(8, "big") + ping
    return [b"\0" + play(1, toss) + play(2, ping) + play(3, probe),
            b"\1" + play(1, toss) + play(0, far) + play(0, far) + play(1, ping),
            b"\0" + play(0, far + bytes(16)) + play(0, far[:30]) + play(129, toss),
            b"\1" + b"".join(play(0, header + at.to_bytes(8, "big") + ping) for at in (9, 3, 3, 2000, 900, 0)),
            b"\0" + play(1, ping + b"x") + play(2, ping[:9]) + play(1, b"")]


def said(seq, text="hi", **more):
    return message("SAID", **{"seq": seq, "prev": seq - 1, "counter": seq, "nick": "ben", "room": "lobby",
                              "person": b"\1" * 32, "text": text, **more})


def lane_races():
    """A lane that is given, what is tossed, and races. The tags are those that the client gives."""
    lanes = b"".join(message("LANE", tag=tag, lane=1, port=4000, sealed=1) for tag in range(3, 7)) + b"\xbf"
    pong, ping = message("PONG", token=1), message("PING", token=1)
    tossed = message("TOSSED", time=5, person=b"\1" * 32, kind=0, nick="ben", room="lobby", text="catch")
    probes = b"".join(message("PROBE", race=race, number=number, sent=1, back=back, padding=".")
                      for race in (0, 1) for number in (0, 1, 1, 0) for back in (0, 1))
    raced = b"".join(message("RACED", tag=tag, race=1, person=b"\1" * 32, nick="ben", count=5, size=9)
                     for tag in (0, 3, 4, 5, 6))
    return [b"\xcf" + lanes + pong + tossed, tossed + b"\xcf" + lanes + ping, b"\xdf" + lanes + pong + b"\x79\xbf" * 6 + probes,
            b"\xef" + lanes + raced + pong + b"\x79\xbf" * 6 + probes + b"\x4a\x4c",
            raced + b"\xaf" + lanes + pong + b"\x79" + probes + b"\xbf", b"\xdf\xcf" + message("ERROR", tag=3, code=51, text="no"),
            raced + b"\xcf" + lanes + pong + probes + b"\x4a" * 3 + b"\xbf"]


def message(name, **fields):
    """One of the protocol as a step."""
    frame = wire.encode(name, **fields)
    return step(frame[5], frame[8:])


def link_plays():
    """What a server says to somebody who is in the lobby. The tags are those that the client gives."""
    entries = [{"seq": seq, "prev": seq - 1, "counter": seq, "nick": "ben", "room": "lobby",
                "text": f"words {seq}"} for seq in range(60, 63)]
    direct = message("DIRECT_SAID", seq=101, prev=0, counter=1, nick="ben", person=b"\1" * 32, to=b"\7" * 32,
                     to_nick="anna", text="psst anna")
    people = message("MEMBER_LIST", tag=3, room="lobby", version=1, people=2, members=[
        {"person": b"\1" * 32, "nick": "ben"}, {"person": b"\7" + bytes(31), "nick": "anna", "away": "x"}])
    changes = [message("PRESENCE", room="lobby", version=version, people=3, changes=[
        {"what": what, "person": b"\2" * 32, "nick": nick, "text": text}])
               for version, what, nick, text in ((2, 1, "zoe", ""), (3, 3, "zoe", "zed"), (4, 4, "zed", "tea"),
                                                 (5, 2, "zed", "bye"))]
    pages = b"".join(message("HISTORY_PAGE", tag=tag, room="lobby", more=1, entries=entries)
                     for tag in range(3, 7))
    return [said(101, "text"), b"".join(said(seq) for seq in (101, 102, 103)), said(101) + said(105, prev=103) + said(104),
            b"\x4a" + said(101, "anna: look") + said(102, kind=3) + said(103, kind=1), direct + b"\x4a" + direct,
            people + b"".join(changes), b"\x47" + pages, b"\x4a\x57\x67" + pages + b"\x77",
            b"\x48" + b"".join(message("FOUND", tag=tag, entries=entries[::-1]) for tag in range(3, 7)) + b"\x49",
            b"\x4a\x46" + message("ACK", counter=1, seq=101) + b"\x46\x46" +
            message("REFUSED", counter=3, code=6, text="no") + message("ACK", counter=2, seq=102),
            b"\x5d" + message("RENAMED", tag=4, nick="bea") + message("PARTED", tag=0, room="lobby", text="out"),
            message("GAP", room="lobby", after=100, next=110) + said(110, prev=109),
            message("NOTICE", kind=1, text="two\nlines") + message("PLACES", places=[
                {"room": "lobby", "member": 1, "read": 95}, {"room": "", "read": 3}]),
            message("ROOM_LIST", tag=0, total=1, rooms=[{"name": "x", "people": 1, "topic": "t"}]),
            message("BYE", code=1, text="later"), b"\x5c" + message("ERROR", tag=3, code=5, text="no")]


def write_plays(frames):
    """Steps after a login, and on a connection that has just begun."""
    steps = [step(frame[5], frame[8:]) for frame in frames if frame[4] == 0]
    groups = [b"".join(steps[at:at + 3]) for at in range(0, len(steps), 3)]
    # Logged in; twice, with one in the other; one who is read nothing of; by the clock.
    write("fuzz_server", [b"\0" + at for at in steps[:4]] + [b"\0\x45" + at for at in groups] + [
        b"\0\x45" + b"\x47" * 3 + message("HISTORY", tag=5, room="lobby", value=9, limit=2, **{"from": which})
        for which in range(5)] + [b"\0\x45" + b"\x47" * 3 + message(
            "SEARCH", tag=6, where=which, room="lobby" if which == 1 else "", words="any", limit=9)
                                 for which in range(3)] + [
        b"\0\x45" + message("SAY", counter=1, kind=1, room="lobby", text="text"),
        b"\0\x45" + b"\x48" * 3 + message("HISTORY", tag=5, room="", limit=9),
        b"\x10\x45" + b"\x47" * 20, b"\x3e\x45\x43" + b"\x57\x58" * 9 + b"\x44\x47",
        b"\0\x45\x41\x55\x47\x4a\x47\x42\x47", b"\0\x45\x4b\x4b\x4b\x4b", b"\0\x45\x49", b"\0\x4b",
        b"\2\xff" + b"".join(frames[:3])] + [b"\0\xff" + stranger for stranger in STRANGERS])
    topic = message("JOINED", tag=2, room="lobby", topic="text", topic_nick="ben", topic_time=5)
    write("fuzz_link", [b"\1" + topic, b"\1\x4c" + topic] + [b"\0" + at for at in steps[:4]] + [b"\1\x45" + at for at in groups + link_plays()] + [
        b"\1\x45\x46\x42\x46\x46\x43\x41\x44\x45", b"\1\x45\x47\x57\x67\x77\x48\x49\x4a",
        b"\1\x45\x4e\x4a\x46\x4b\x4c\x5c", b"\x0f\xff" + b"".join(frames[:3])] + [
        b"\0\xff" + stranger for stranger in STRANGERS])
    room = message("JOINED", tag=2, room="lobby", last=100, after=100, people=1) + \
        message("CAUGHT_UP", room="lobby", last=100)
    write("fuzz_session", [b"\1" + room + play for play in link_plays() + lane_races()] + [
        b"\1" + room + b"".join(said(seq, "text") for seq in range(101, 105))])


def write_files():
    """What programs read from files, from a terminal and from pipes, and what they write."""
    write("fuzz_options", [bytes([which]) + text.encode() for which, text in CONFIGS])
    write("fuzz_words", [words.encode() + b"\0" + text.encode() for words, text in WORDS] +
          [b"\xff\0\xff", b"\"\0\""])
    write("fuzz_typed", [b"\x10\3" + text.encode() for text in TYPED] + [
        b"\1\0" + b"too long for it\n/me x\n", b"\x10\7\xff\n\0\n\x1b[31m\n"])
    write("fuzz_json", [member(7, b"text", b"x") + member(3, b"x", b""), b"".join(member(kind, b"k", b"\1\2\3\4\5\6\7\x08") for kind in range(8)),
                        member(7, b"ke", b"\x1b\x9b\xc2\x9b\"\\\t\n\r\xe2\x80\xae"),
                        member(6, b"list", b"\xf0\x9f\x98\x80\xff"), member(5, b"\"", b"\xff" * 8)])
    one, two = b"00" * 32 + b" 192.0.2.1:19830\n", b"ab" * 32 + b" ~office\n"
    write("fuzz_book", [met(b"192.0.2.1:19830", one + two), met(b"~office", one + one), met(b"192.0.2.1:19830", one, b"text" + bytes(28)), met(b"x", b""),
                        met(b"", one), met(b"a\nb", one), met(b"y", b"# by hand\n" + one + two[:-1]),
                        met(b"192.0.2.1:19830", b"f" * 576 + one), met(b"\xc3\xa9", two + b"\0" + one)])
    wrapped = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + base64.encodebytes(der) +
               b"-----END ENCRYPTED PRIVATE KEY-----\n" for der in PASSPORTS]
    write("fuzz_passport", [b"\0\6secret" + text for text in wrapped] +
          [b"\1\6secret" + der for der in PASSPORTS] +
          [b"\2\4text", b"\2\x0ccorrect hors", b"\3\x08whatever\1\2A\0\x50B", b"\0\0", b"\1\1x0"])


if __name__ == "__main__":
    main()
