"""What attackers are made of: keys in a moment, and a peer that sees the bytes below TLS."""

import base64
import collections
import ctypes
import ctypes.util
import hashlib
import itertools
import os
import select
import socket
import ssl
import struct
import tempfile
import time

from lib import wire
from lib.secure import SPKI

CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto"))
CRYPTO.EVP_PKEY_new_raw_private_key.restype = ctypes.c_void_p
CRYPTO.EVP_PKEY_new_raw_private_key.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p,
                                                ctypes.c_size_t]
CRYPTO.EVP_PKEY_get_raw_public_key.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
CRYPTO.EVP_PKEY_free.argtypes = [ctypes.c_void_p]
ED25519 = 1087  # NID_ED25519
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
CODE = {number: name for name, number in wire.CODES.items()}


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    length = bytes([size]) if size < 128 else b"\x82" + struct.pack(">H", size)
    return bytes([tag]) + length + body


def pem(label, data):
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


class Key:
    """An Ed25519 key and a certificate for it, without a program to make them. The certificate's
    signature is random: nothing in it counts but the key (docs/PROTOCOL.md, 2.1)."""

    def __init__(self):
        seed = os.urandom(32)
        key = CRYPTO.EVP_PKEY_new_raw_private_key(ED25519, None, seed, 32)
        public = ctypes.create_string_buffer(32)
        size = ctypes.c_size_t(32)
        CRYPTO.EVP_PKEY_get_raw_public_key(key, public, ctypes.byref(size))
        CRYPTO.EVP_PKEY_free(key)
        spki = SPKI + public.raw
        algorithm = bytes.fromhex("300506032b6570")
        name = bytes.fromhex("300c310a30080603550403") + b"\x0c\x01x"
        dates = der(0x30, der(0x17, b"200101000000Z"), der(0x17, b"400101000000Z"))
        body = der(0x30, bytes.fromhex("a003020102"), der(2, b"\x01"), algorithm, name, dates, name,
                   spki)
        certificate = der(0x30, body, algorithm, der(3, b"\0" + os.urandom(64)))
        self.person = hashlib.sha256(spki).digest()
        self.pem = pem("PRIVATE KEY", PKCS8 + seed) + pem("CERTIFICATE", certificate)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(self.pem)
            file.flush()
            self.context.load_cert_chain(file.name)


class Target:
    """Where the server is, and the address to come from. Without TLS where `plaintext`."""

    def __init__(self, host, port, source, plaintext=False):
        self.host, self.port, self.source, self.plaintext = host, port, source, plaintext

    def connect(self, timeout=10, buffer=None):
        """A TCP connection."""
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if buffer:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            s.settimeout(timeout)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((self.source, 0))
            s.connect((self.host, self.port))
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            s.close()
            raise
        return s

    def peers(self, count, key=None, **more):
        """So many Peers, or as many as the server takes before TLS."""
        return [Peer(self, key, **more) for _ in range(count)]


class Ended(Exception):
    """The server did not go on; the text says how."""


def first_words(data):
    """The code of an ERROR that came in place of TLS; None for anything else."""
    if len(data) < wire.HEADER or data[0] != 0:
        return None
    length, number, _ = struct.unpack(">IHH", data[:wire.HEADER])
    if wire.NAMES.get(number) != "ERROR" or len(data) < wire.HEADER + length:
        return None
    return CODE[wire.decode(number, data[wire.HEADER:wire.HEADER + length])[1]["code"]]


def how_it_ends(s, seconds=10):
    """What the server has to say to a connection, without TLS, until it ends."""
    deadline = time.monotonic() + seconds
    got = b""
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([s], [], [], left)[0]:
            break
        try:
            data = s.recv(1 << 16)
        except ConnectionError:
            return first_words(got) or "reset"
        if not data:
            return first_words(got) or "closed"
        got += data
    return "still open"


def together(words):
    """Outcomes as words: "closed 12, PENALTY 3"."""
    return ", ".join(f"{word} {count}" for word, count in
                     sorted(collections.Counter(words).items(), key=lambda pair: -pair[1]))


class Peer:
    """A connection with TLS on top, of which every byte passes through here."""

    def __init__(self, target, key=None, buffer=None):
        self.key = key or Key()
        self.plaintext = target.plaintext
        self.socket = target.connect(buffer=buffer)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.key.context.wrap_bio(self.incoming, self.outgoing)
        self.output = b""    # encrypted, not sent yet
        self.bytes = b""     # decrypted, not understood yet
        self.raw = b""       # what came before TLS did
        self.counts = collections.Counter()
        self.counter = 0

    def close(self):
        self.socket.close()

    def client_hello(self):
        """The first record that a client sends."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def read_raw(self):
        """What comes next into `incoming`."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError:
            data = b""
        except TimeoutError as error:
            raise Ended("silence") from error
        self.raw = (self.raw + data)[:512]
        if not data:
            raise Ended(first_words(self.raw) or "closed")
        self.incoming.write(data)

    def handshake(self):
        while not self.plaintext:
            done = True
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError as error:
                raise Ended(first_words(self.raw) or "no TLS") from error
            self.flush()
            if done:
                return
            self.read_raw()

    def flush(self):
        data = self.outgoing.read()
        if data:
            try:
                self.socket.sendall(data)
            except OSError as error:
                raise Ended(self.last_words()) from error

    def last_words(self):
        """A connection cannot be written to any more: perhaps the reason has come before."""
        try:
            while True:
                self.read_raw()
        except (Ended, OSError) as end:
            return str(end) if isinstance(end, Ended) else "reset"

    def send(self, data):
        try:
            self.socket.sendall(self.encrypt(data))
        except OSError as error:
            raise Ended(self.last_words()) from error

    def encrypt(self, data):
        if self.plaintext:
            return data
        self.tls.write(data)
        return self.outgoing.read()

    def decrypt(self):
        if self.plaintext:
            self.bytes += self.incoming.read()
            return
        try:
            while data := self.tls.read(1 << 16):
                self.bytes += data
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise Ended("no TLS") from error
        raise Ended("closed")

    def messages(self):
        """Those that are complete; counted, by name and in ERROR by code. PINGs are answered."""
        at, found = 0, []
        while len(self.bytes) - at >= wire.HEADER:
            length, number, _ = struct.unpack_from(">IHH", self.bytes, at)
            if len(self.bytes) - at - wire.HEADER < length:
                break
            payload = self.bytes[at + wire.HEADER:at + wire.HEADER + length]
            at += wire.HEADER + length
            name = wire.NAMES[number]
            if name in ("ERROR", "REFUSED"):
                code = struct.unpack_from(">H", payload, 4 if name == "ERROR" else 8)[0]
                self.counts[CODE[code]] += 1
            elif name == "PING":
                self.send(wire.frame(wire.MESSAGES["PONG"][0], payload))
            else:
                self.counts[name] += 1
            found.append((name, number, payload))
        self.bytes = self.bytes[at:]
        return found

    def expect(self, wanted):
        """Read until a message of that name has come; what its ERROR says raises Ended."""
        end = None
        while True:
            for name, number, payload in self.messages():
                if name == wanted:
                    return wire.decode(number, payload)[1]
                if name == "ERROR":
                    raise Ended(CODE[wire.decode(number, payload)[1]["code"]])
            if end:
                raise end
            try:
                self.step()
            except Ended as ended:
                end = ended

    def step(self):
        """Read and decrypt what comes next. What came before an end is kept for messages()."""
        self.read_raw()
        self.decrypt()

    def login(self, nick):
        self.send(wire.encode("HELLO", version_low=1, version_high=1, agent="attack") +
                  wire.encode("LOGIN", tag=1, person=self.key.person, instance=os.urandom(16),
                              flags=1, nick=nick))
        return self.expect("LOGGED_IN")

    def enter(self, nick, room=None):
        """All the way in."""
        self.handshake()
        self.login(nick)
        if room:
            self.send(wire.encode("JOIN", tag=1, room=room))
            self.expect("JOINED")
        return self

    def storm(self, frames, seconds):
        """Send the frames as fast as the server takes them, and read until all are answered, for so
        long at most. Returns how many went out; `counts` says what came back."""
        deadline = time.monotonic() + seconds
        mark = wire.encode("PING", token=0x57084)
        frames = itertools.chain(frames, [mark])
        sent, out, last = 0, b"", None
        self.socket.setblocking(False)
        try:
            while (now := time.monotonic()) < deadline and not self.counts["PONG"]:
                while last is not mark and len(out) < 1 << 15:
                    last = next(frames)
                    sent += last is not mark
                    out += self.encrypt(last)
                readable, writable, _ = select.select(
                    [self.socket], [self.socket] if out else [], [], deadline - now)
                if writable:
                    out = out[self.socket.send(out):]
                if readable:
                    self.step()
                    self.messages()
        except (Ended, ConnectionError):
            self.messages()
            self.counts["connection ended"] += 1
        finally:
            self.socket.settimeout(10)
        return sent

    def tally(self, sent, *names):
        """What a storm came to, in words: what was asked, and answers of these names, and errors."""
        shown = [f"{name} {self.counts[name]}" for name in self.counts
                 if name in names or name in wire.CODES or name == "connection ended"]
        return f"{sent} sent: " + (", ".join(shown) or "no answers")
