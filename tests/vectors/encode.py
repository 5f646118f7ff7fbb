#!/usr/bin/env python3
"""Fill in the frames of messages.txt from the fields written there.

    tests/vectors/encode.py [FILE]

It knows docs/PROTOCOL.md section 2 and nothing of the C code, so what it writes
checks that code and is not checked by it. The rows of a record say what they
are; the message table is not needed.
"""
import json
import os
import sys

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


def field_bytes(kind, value):
    """One field as it goes over the wire."""
    if kind in SIZES:
        return int(value).to_bytes(SIZES[kind], "big")
    if kind in ("id16", "id32"):
        data = bytes.fromhex(value)
        if len(data) != int(kind[2:]):
            raise ValueError(f"{kind} of {len(data)} bytes")
        return data
    if kind in ("name", "line", "block"):
        data = json.loads(value).encode()
        return len(data).to_bytes(2, "big") + data
    if kind == "list":
        return int(value).to_bytes(2, "big")
    raise ValueError(f"no kind {kind}")


def encode(lines):
    """Yield the lines with each frame made anew."""
    number, payload = 0, b""
    for line in lines:
        words = line.split(None, 2)
        if not words or words[0].startswith("#") or words[0] == "item":
            yield line
        elif words[0] == "message":
            number, payload = int(words[2], 16), b""
            yield line
        elif words[0] == "frame":
            header = len(payload).to_bytes(4, "big") + number.to_bytes(2, "big") + b"\0\0"
            yield "frame " + (header + payload).hex()
        else:
            payload += field_bytes(words[1], words[2])
            yield line


def main():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "messages.txt")
    path = sys.argv[1] if len(sys.argv) > 1 else beside
    with open(path, encoding="utf-8") as file:
        lines = list(encode(file.read().splitlines()))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
