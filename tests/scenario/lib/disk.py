"""What a power cut would leave of a folder, from the records of tests/faults/record.c.

Only what was synced is certain: a file's bytes by an fsync of the file, its name by an fsync of its
folder. Of what came later any part may have reached the disk, in any order, by sectors.
"""

import os
import struct

from . import wire

HEAD = struct.Struct("=IIQII")
SECTOR = 512
ACK = wire.MESSAGES["ACK"][0]


def records(path):
    """(kind, number, offset, path, bytes) of each; a last one that is cut off is left out."""
    with open(path, "rb") as f:
        data = f.read()
    at, found = 0, []
    while at + HEAD.size <= len(data):
        kind, number, offset, path_length, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        name = data[at:at + path_length].decode()
        body = data[at + path_length:at + path_length + length]
        at += path_length + length
        if at <= len(data):
            found.append((chr(kind), number, offset, name, body))
    return found


def store(content, offset, data):
    if len(content) < offset:
        content += bytes(offset - len(content))
    content[offset:offset + len(data)] = data


def cut(content, size):
    del content[size:]
    content += bytes(size - len(content))


class File:
    """One file, under whatever name."""

    def __init__(self):
        self.certain = bytearray()
        self.pending = []  # (offset, bytes), or (size, None) for a truncation

    def sync(self):
        for offset, data in self.pending:
            if data is None:
                cut(self.certain, offset)
            else:
                store(self.certain, offset, data)
        self.pending = []

    def left(self, keep):
        """Its bytes after the cut, where keep() says of each write, sector or truncation whether
        it arrived."""
        content = bytearray(self.certain)
        for offset, data in self.pending:
            if data is None:
                if keep():
                    cut(content, offset)
                continue
            at = 0
            while at < len(data):
                end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
                if keep():
                    store(content, offset + at, data[at:end])
                at = end
        return bytes(content)


class Disk:
    """The folder, as the records so far have made it. `changes` counts what makes a difference
    after a cut: a sync, or an acknowledgement."""

    def __init__(self, folder):
        self.folder = folder
        self.names = {}    # as programs see them
        self.certain = {}  # as a cut would leave them
        self.pending = []  # (name, File), or (name, None): removed
        self.streams = {}
        self.acknowledged = {}  # seq: counter
        self.changes = 0

    def play(self, kind, number, offset, name, body):
        if kind == "C":
            self.link(name, File())
        elif kind == "W":
            self.file(name).pending.append((offset, body))
        elif kind == "T":
            self.file(name).pending.append((offset, None))
        elif kind == "U":
            self.names.pop(name, None)
            self.pending.append((name, None))
        elif kind == "R":
            self.link(body.decode(), self.file(name))
            self.names.pop(name)
            self.pending.append((name, None))
        elif kind == "S":
            self.sync(name)
        elif kind == "M":
            self.sent(number, body)

    def adopt(self):
        """What is in the folder now was there before the records began, and is certain."""
        for entry in os.scandir(self.folder):
            if entry.is_file():
                file = self.file(entry.path)
                with open(entry.path, "rb") as f:
                    file.certain[:] = f.read()

    def file(self, name):
        """One that was there before the records began is certain."""
        if name not in self.names:
            self.names[name] = self.certain[name] = File()
        return self.names[name]

    def link(self, name, file):
        self.names[name] = file
        self.pending.append((name, file))

    def sync(self, name):
        self.changes += 1
        if name in self.names:
            self.names[name].sync()
            return
        rest = []
        for entry, file in self.pending:
            if os.path.dirname(entry) != name:
                rest.append((entry, file))
            elif file is None:
                self.certain.pop(entry, None)
            else:
                self.certain[entry] = file
        self.pending = rest

    def sent(self, number, data):
        """Bytes for a client; remember what they acknowledge."""
        stream = self.streams.setdefault(number, bytearray())
        stream += data
        while len(stream) >= wire.HEADER:
            length, kind, _flags = struct.unpack_from(">IHH", stream)
            if len(stream) < wire.HEADER + length:
                return
            if kind == ACK:
                counter, seq, _ = struct.unpack_from(">QQB", stream, wire.HEADER)
                self.acknowledged[seq] = counter
                self.changes += 1
            del stream[:wire.HEADER + length]

    def new_process(self):
        """The next records are of another process, which numbers its connections anew."""
        self.streams = {}

    def left(self, keep):
        """{name: bytes} after a cut now."""
        names = dict(self.certain)
        for name, file in self.pending:
            if not keep():
                continue
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file
        return {name: file.left(keep) for name, file in names.items()
                if not name.endswith("-shm")}

    def write(self, left, folder):
        """Make such files in another folder."""
        for name, content in left.items():
            path = os.path.join(folder, os.path.relpath(name, self.folder))
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(path, "wb") as f:
                f.write(content)
            os.chmod(path, 0o600)
