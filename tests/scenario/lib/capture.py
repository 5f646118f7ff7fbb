"""Packet captures: made of bytes, or of what passes over loopback; and what they carry.

A capture is a file in the pcap format (draft-ietf-opsawg-pcap): a header, then each packet behind a
header of its own. All packets here are Ethernet frames with IPv4.
"""

import os
import select
import socket
import struct
import threading

ETHERNET = 1       # the link type
SNAP = 1 << 18     # more than any packet has
ALL_PROTOCOLS = 3  # ETH_P_ALL
OUTGOING = 4       # PACKET_OUTGOING: loopback shows each packet twice, going out and coming in
SOL_PACKET = 263
STATISTICS = 6     # PACKET_STATISTICS
FORCE = 33         # SO_RCVBUFFORCE: beyond what net.core.rmem_max allows
BUFFER = 16 << 20
TCP, UDP = 6, 17
FIRST_SOURCE = 50000  # of the ports that connections here come from; no protocol has them
CLIENT, SERVER = socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2")


class Capture:
    """A capture in memory. The packets that are made here have no checksums, which nobody checks.
    `snap` is how many bytes of a packet the file has."""

    def __init__(self):
        self.snap = SNAP
        self.packets = []
        self.sequence = {}

    def write(self, path):
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, self.snap, ETHERNET))
            for number, packet in enumerate(self.packets):
                file.write(struct.pack("<IIII", 1700000000 + number // 1000, number % 1000 * 1000,
                                       min(len(packet), self.snap), len(packet)))
                file.write(packet[:self.snap])

    def add(self, protocol, transport, ends=(CLIENT, SERVER)):
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(transport), 0, 0, 255, protocol, 0,
                             *ends)
        self.packets.append(bytes(12) + b"\x08\x00" + header + transport)

    def segment(self, source, port, data, answer=False):
        """The next bytes of a connection, or of the other direction; `source` tells it from others to
        that port."""
        ports = FIRST_SOURCE + source, port
        ends = CLIENT, SERVER
        if answer:
            ports, ends = ports[::-1], ends[::-1]
        at = self.sequence.get(ports, 1)
        self.sequence[ports] = at + len(data)
        header = struct.pack(">HHIIBBHHH", *ports, at, 1, 0x50, 0x18, 65535, 0, 0)
        self.add(TCP, header + data, ends)

    def datagram(self, source, port, data):
        header = struct.pack(">HHHH", FIRST_SOURCE + source, port, 8 + len(data), 0)
        self.add(UDP, header + data)

    def transports(self, protocol):
        """(source port, port, transport header and what is behind it) of each packet."""
        for packet in self.packets:
            if packet[12:14] != b"\x08\x00" or packet[23] != protocol:
                continue
            start = 14 + (packet[14] & 15) * 4
            end = 14 + struct.unpack(">H", packet[16:18])[0]
            yield (*struct.unpack(">HH", packet[start:start + 4]), packet[start:end])

    def streams(self):
        """The bytes of each direction of each connection: {(source port, port): bytes}. They came
        over loopback, which neither loses nor reorders; a segment that was sent again is left out."""
        streams, ends = {}, {}
        for source, port, transport in self.transports(TCP):
            sequence = struct.unpack(">I", transport[4:8])[0]
            data = transport[(transport[12] >> 4) * 4:]
            expected = ends.get((source, port), sequence)
            if not data or (sequence - expected) % 2 ** 32 != 0:
                continue
            ends[source, port] = (sequence + len(data)) % 2 ** 32
            streams[source, port] = streams.get((source, port), b"") + data
        return streams

    def datagrams(self):
        """(source port, port, payload) of each."""
        return [(source, port, transport[8:]) for source, port, transport in self.transports(UDP)]


class Listener:
    """Records what passes over loopback, from now on until stop()."""

    def __init__(self, case):
        self.capture = Capture()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        # For all that comes while this thread waits for a processor.
        self.socket.setsockopt(socket.SOL_SOCKET, FORCE, BUFFER)
        self.socket.bind(("lo", ALL_PROTOCOLS))
        self.socket.setblocking(False)
        self.wake, self.waker = os.pipe()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        case.addCleanup(self.close)

    def run(self):
        while True:
            ready = select.select([self.socket, self.wake], [], [])[0]
            self.drain()
            if self.wake in ready:
                return

    def drain(self):
        try:
            while True:
                packet, (_, _, kind, *_) = self.socket.recvfrom(SNAP)
                if kind != OUTGOING:
                    self.capture.packets.append(packet)
        except BlockingIOError:
            pass

    def stop(self):
        """Whatever was sent before is in the capture that this returns."""
        os.write(self.waker, b"x")
        self.thread.join()
        self.drain()
        dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, STATISTICS, 8))[1]
        if dropped:
            raise AssertionError(f"the kernel dropped {dropped} packets of the capture")
        return self.capture

    def close(self):
        if self.thread.is_alive():
            os.write(self.waker, b"x")
            self.thread.join()
        self.socket.close()
        os.close(self.wake)
        os.close(self.waker)
