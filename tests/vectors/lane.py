#!/usr/bin/env python3
"""Fill in the datagrams of lane.txt from the fields written there.

    tests/vectors/lane.py [FILE]

It has a ChaCha20-Poly1305 of its own, written after RFC 8439 and checked against the
example in its section 2.8.2, and knows docs/PROTOCOL.md section 17 and nothing of the C
code; so what it writes checks that code and is not checked by it.
"""
import os
import struct
import sys

MASK = 0xffffffff


def quarter(s, a, b, c, d):
    for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & MASK
        s[z] ^= s[x]
        s[z] = (s[z] << turn | s[z] >> (32 - turn)) & MASK


def block(key, counter, nonce):
    """RFC 8439 2.3."""
    start = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, *struct.unpack("<8I", key), counter,
             *struct.unpack("<3I", nonce)]
    s = list(start)
    for _ in range(10):
        for columns in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                        (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(s, *columns)
    return struct.pack("<16I", *((x + y) & MASK for x, y in zip(s, start)))


def crypt(key, nonce, text):
    """RFC 8439 2.4, from block 1 on."""
    stream = b"".join(block(key, 1 + at, nonce) for at in range((len(text) + 63) // 64))
    return bytes(a ^ b for a, b in zip(text, stream))


def tag_of(key, nonce, clear, sealed):
    """RFC 8439 2.5 and 2.8."""
    once = block(key, 0, nonce)
    r = int.from_bytes(once[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    data = b"".join(part + bytes(-len(part) % 16) for part in (clear, sealed))
    data += struct.pack("<QQ", len(clear), len(sealed))
    sum_ = 0
    for at in range(0, len(data), 16):
        sum_ = (sum_ + int.from_bytes(data[at:at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((sum_ + int.from_bytes(once[16:32], "little")) % 2**128).to_bytes(16, "little")


def seal(key, nonce, clear, text):
    sealed = crypt(key, nonce, text)
    return sealed + tag_of(key, nonce, clear, sealed)


def check():
    """The example of RFC 8439 2.8.2."""
    text = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
            b"future, sunscreen would be it.")
    sealed = seal(bytes(range(0x80, 0xa0)), bytes.fromhex("070000004041424344454647"),
                  bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), text)
    if sealed[:4].hex() != "d31a8d34" or sealed[-16:].hex() != "1ae10b594f09e26a7e902ecbd0600691":
        sys.exit("this is no ChaCha20-Poly1305")


def datagram(fields):
    """docs/PROTOCOL.md 17.1: with keys a sealed one, without an insecure one."""
    counter = int(fields["counter"])
    header = b"\1" + bytes.fromhex(fields["lane"]) + counter.to_bytes(8, "big")
    frame = bytes.fromhex(fields["frame"])
    keys = bytes.fromhex(fields.get("keys", ""))
    if not keys:
        return header + frame
    mine = ("client", "server").index(fields["from"])
    iv = keys[64 + 12 * mine:76 + 12 * mine]
    nonce = bytes(a ^ b for a, b in zip(iv, counter.to_bytes(12, "big")))
    return header + seal(keys[32 * mine:32 * mine + 32], nonce, header, frame)


def fill(lines):
    fields = {}
    for line in lines:
        words = line.split()
        if not words:
            fields = {}
        elif words[0] == "datagram":
            line = "datagram " + datagram(fields).hex()
        elif words[0] != "#":
            fields[words[0]] = words[1]
        yield line


def main():
    check()
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lane.txt")
    path = sys.argv[1] if len(sys.argv) > 1 else beside
    with open(path, encoding="utf-8") as file:
        lines = list(fill(file.read().splitlines()))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
