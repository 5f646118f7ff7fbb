#!/usr/bin/env python3
"""Write the kept corpus, tests/fuzz/corpus, anew from the test vectors.

    tests/fuzz/seeds.py

Run it when the vectors have changed. It removes nothing but its own files, whose
names begin with "seed-"; inputs that a fuzzer found may be kept beside them.
"""
import glob
import hashlib
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors", "messages.txt")

# What the words of the vectors do not have: other scripts, joined emoji, floods, bad bytes.
TEXTS = [
    "", "a", "hello, world", "\u043f\u0440\u0438\u0432\u0435\u0442", "\u65e5\u672c\u8a9e",
    "e\u0301\u0323", "a" + "\u0301" * 40, "\u0301", "\u0e19\u0e49\u0e33", "\u0915\u094d\u0937\u093f",
    "\uac01 \u1100\u1161\u11a8", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1f7\U0001f1fa\U0001f1e9", "1\ufe0f\u20e3 \u2764\ufe0f", "\U0001f3f4\U000e0067\U000e007f",
    "\u0600" * 20 + "1", "\u1100" * 20, "\U0001f600\u200d" * 20, "a\u200bb\u00adc\ufeff",
    "\u202eabc\u2066\u2028", "\x1b[31mred\x07\r\n\ttab", "two\nlines\n", "\x00", "\u0085",
    "Anna", "stra\u00dfe", "\uff21\uff03", "\ufdfa", "\u0430nna", "\u0447\u0430\u0442-linux",
    "x" * 47 + "\u00e9", "\u0390" * 24, "\u1fb7\u0345", "\\ \"quoted\"",
]
BYTES = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"a\x80b",
         b"\xe2\x82A", b"\xf8\x88\x80\x80\x80", b"12345678\x7f234567"]

STRANGERS = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n",
             b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\xff" * 9]


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
    streams += [b"\3\2" + stranger for stranger in STRANGERS]
    streams += [b"\2\5" + frames[0] + b"\0\0\2\0\0\1\0\0", b"\2\5" + frames[0] + b"\0\0\2\1",
                b"\0\0" + b"\0\0\0\0\0\1\0\1" * 3, b"\3\1" + b"\0\0\0\0\0\1\0\2"]
    write("fuzz_frame", streams)
    write("fuzz_message", [frame[4:6] + frame[8:] for frame in frames] + [b"\xff\xff", b"\0\1"])
    write("fuzz_text", [text.encode() for text in TEXTS + texts] + BYTES)
    write("fuzz_beacon", [beacon(1, 0, 0, ""), beacon(2, 19830, 6500, "Room 12"),
                          beacon(3, 1, 1, "\u041a\u0430\u0431\u0438\u043d\u0435\u0442 12"),
                          beacon(4, 65535, 0, ""), beacon(3, 1, 1, "")[:191]])


if __name__ == "__main__":
    main()
