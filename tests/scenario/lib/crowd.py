"""Many clients in one process that talk without pause, lose their connections, come back and
resume, and keep book of what they were told.

Each member follows section 8 of the protocol: what is not acknowledged is sent again in order under
its old counter, rooms and the inbox are resumed by position. A Crowd judges what the members saw
against each other and against what a newcomer reads from the log.
"""

import collections
import os
import random
import selectors
import socket
import struct
import time

from . import isolate, wire
from .wait import SLOW

SAID = struct.Struct(">QQQ16sQ32sB")
DIRECT_SAID = struct.Struct(">QQQ16sQ32sB32s")
HEAD = struct.Struct(">IHH")
ACK = struct.Struct(">QQB")
NUMBER = {name: number for name, (number, _) in wire.MESSAGES.items()}
INBOX = ""
PERSON, INSTANCE = 32, 16

# What a member keeps of a message that it saw. Its number is first, so that they sort as the log.
Seen = collections.namedtuple("Seen", "seq time instance counter text")


def texts(payload, at):
    """The texts from offset `at` to the end."""
    found = []
    while at < len(payload):
        size = int.from_bytes(payload[at:at + 2], "big")
        found.append(payload[at + 2:at + 2 + size])
        at += 2 + size
    return found


class Place:
    """A room, or the inbox, as one member sees it."""

    def __init__(self):
        self.position = 0
        self.seen = []
        self.caught_up = False
        self.joined = False


class Member:
    """One client. `waiting` is what it sent and was not told about yet, by counter and in order."""

    def __init__(self, crowd, nick, rooms):
        self.crowd = crowd
        self.nick = nick
        self.person = os.urandom(PERSON)
        self.instance = os.urandom(INSTANCE)
        self.rooms = rooms
        self.places = {room: Place() for room in [INBOX, *rooms]}
        self.log = None
        self.counter = 0
        self.waiting = {}
        self.accepted = {}  # counter: (room, text, seq)
        self.refused = {}   # counter: code
        self.faults = []
        self.socket = None
        self.connections = 0
        self.online = False
        self.arrived = False  # was here at least once
        self.dial_at = 0
        self.again_at = None
        self.heard = 0
        self.input = bytearray()
        self.output = bytearray()

    # ---- the connection ----

    def dial(self, now):
        self.input.clear()
        self.output.clear()
        self.online = False
        self.again_at = None
        self.heard = now
        self.socket = self.crowd.open()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        self.crowd.selector.register(
            self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)
        try:
            self.socket.connect(self.crowd.address)
        except BlockingIOError:
            pass
        except OSError:
            self.hang_up(now)
            return
        self.put("HELLO", version_low=1, version_high=1, agent="crowd")

    def hang_up(self, now):
        if self.socket is not None:
            self.crowd.selector.unregister(self.socket)
            self.socket.close()
        self.socket = None
        self.online = False
        for place in self.places.values():
            place.joined = place.caught_up = False
        self.dial_at = now + self.crowd.chance.uniform(0.002, 0.03)

    def put(self, name, **values):
        self.output += wire.encode(name, **values)

    def write(self, now):
        try:
            sent = self.socket.send(self.output)
            del self.output[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.hang_up(now)

    def read(self, now):
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.hang_up(now)
            return
        self.heard = now
        self.input += data
        at, have = 0, len(self.input)
        while have - at >= HEAD.size and self.socket is not None:
            length, number, _flags = HEAD.unpack_from(self.input, at)
            if have - at - HEAD.size < length:
                break
            payload = bytes(self.input[at + HEAD.size:at + HEAD.size + length])
            at += HEAD.size + length
            self.take(number, payload, now)
        del self.input[:at]

    def take(self, number, payload, now):
        if number == NUMBER["SAID"]:
            self.said(SAID, payload)
        elif number == NUMBER["DIRECT_SAID"]:
            self.said(DIRECT_SAID, payload)
        elif number == NUMBER["ACK"]:
            self.acknowledged(*ACK.unpack(payload))
        else:
            name, values = wire.decode(number, payload)
            handler = getattr(self, "on_" + name.lower(), None)
            if handler:
                handler(values, now)

    # ---- coming back ----

    def on_welcome(self, values, _now):
        if self.log not in (None, values["log"]):
            self.faults.append("the log has another id")
        self.log = values["log"]
        self.put("LOGIN", tag=1, person=self.person, instance=self.instance, log=self.log,
                 inbox_after=self.places[INBOX].position, flags=1, nick=self.nick)

    def on_logged_in(self, values, _now):
        highest = max(self.accepted, default=0)
        if values["accepted"] < highest:
            self.faults.append(f"acknowledged up to {highest}, the log has {values['accepted']}")
        for room in self.rooms:
            self.put("JOIN", tag=2, room=room, flags=1, after=self.places[room].position)
        self.send_again()
        self.online = self.arrived = True

    def on_joined(self, values, _now):
        place = self.places[values["room"]]
        place.joined = True
        if values["after"] != place.position:
            self.faults.append(f"resumed {values['room']} after {values['after']}, not "
                               f"{place.position}")

    def on_caught_up(self, values, _now):
        self.places[values["room"]].caught_up = True

    def on_gap(self, values, _now):
        self.faults.append(f"a gap: {values}")

    def on_ping(self, values, _now):
        self.put("PONG", token=values["token"])

    def on_error(self, values, _now):
        if not values["fatal"]:
            self.faults.append(f"an error: {values}")

    # ---- talking ----

    def say(self, room, text):
        self.counter += 1
        self.waiting[self.counter] = (room, text)
        self.send_one(self.counter)

    def send_one(self, counter):
        room, text = self.waiting[counter]
        if room in self.places:
            self.put("SAY", counter=counter, room=room, text=text)
        else:
            self.put("DIRECT", counter=counter, nick="somebody", person=room, text=text)

    def send_again(self, first=0):
        for counter in self.waiting:
            if counter >= first:
                self.send_one(counter)
        self.again_at = None

    def talk(self):
        """Fill the window."""
        crowd = self.crowd
        while len(self.waiting) < crowd.window and self.again_at is None and \
                len(self.output) < 1 << 16:
            text = f"{self.nick} {self.counter + 1} " + "x" * crowd.chance.randrange(crowd.padding)
            if crowd.chance.random() < 0.05:
                # To whom the server knows: whoever was never there is nobody.
                known = [m for m in crowd.members if m.arrived]
                self.say(crowd.chance.choice(known).person, text)
            else:
                self.say(crowd.chance.choice(self.rooms), text)

    def acknowledged(self, counter, seq, _duplicate):
        if counter in self.waiting:
            if next(iter(self.waiting)) != counter:
                self.faults.append(f"{counter} acknowledged before {next(iter(self.waiting))}")
            self.accepted[counter] = (*self.waiting.pop(counter), seq)
        elif counter not in self.accepted:
            self.faults.append(f"{counter} acknowledged, which was refused or never sent")

    def on_refused(self, values, now):
        counter = values["counter"]
        if values["code"] == wire.CODES["RETRY"]:
            if self.again_at is None:
                self.again_at = now + 0.1
        elif counter in self.waiting:
            del self.waiting[counter]
            self.refused[counter] = values["code"]
        elif counter in self.accepted:
            self.faults.append(f"{counter} refused ({values['code']}) after it was acknowledged")

    # ---- listening ----

    def said(self, layout, payload):
        seq, prev, at, instance, counter, *_ = layout.unpack_from(payload)
        found = texts(payload, layout.size)
        room = INBOX if layout is DIRECT_SAID else found[1].decode()
        place = self.places[room]
        if seq <= place.position:
            self.faults.append(f"{room}: {seq} again, after {place.position}")
            return
        if prev != place.position:
            self.faults.append(f"{room}: {seq} comes after {prev}, the last was {place.position}")
        place.position = seq
        place.seen.append(Seen(seq, at, instance, counter, found[-1].decode()))


class Crowd:
    """`count` members, each in two of the rooms. `address` may change while it runs; `open` makes
    their sockets. `silence` is how long a connection may say nothing before it is given up."""

    def __init__(self, case, address, seed, count=20, rooms=4, window=16, padding=100,
                 silence=10 * SLOW, host=None):
        isolate.required()
        self.case = case
        self.address = address
        self.seed = seed
        self.chance = random.Random(seed)
        self.window = window
        self.padding = padding
        self.silence = silence
        self.host = host
        self.talking = True
        self.selector = selectors.DefaultSelector()
        self.log = None  # a newcomer who read everything, once all is finished
        self.members = []
        for i in range(count):
            self.add(f"c{i}", [f"room{i % rooms}", f"room{(i + 1) % rooms}"])
        case.addCleanup(self.close)

    def add(self, nick, rooms):
        member = Member(self, nick, rooms)
        self.members.append(member)
        return member

    def open(self):
        return (self.host.socket if self.host else socket.socket)(
            socket.AF_INET, socket.SOCK_STREAM)

    def close(self):
        for member in self.members:
            if member.socket:
                member.socket.close()
        self.selector.close()

    # ---- running ----

    def step(self, wait=0.01):
        """Do what can be done now, or wait for it so long."""
        now = time.monotonic()
        for member in self.members:
            if member.socket is None:
                if now >= member.dial_at:
                    member.dial(now)
                continue
            if now - member.heard > self.silence:
                member.hang_up(now)
                continue
            if member.again_at is not None and now >= member.again_at:
                member.send_again()
            if member.online and self.talking:
                member.talk()
            self.selector.modify(member.socket, selectors.EVENT_READ | (
                selectors.EVENT_WRITE if member.output else 0), member)
        for key, events in self.selector.select(wait):
            member = key.data
            if events & selectors.EVENT_READ and member.socket is key.fileobj:
                member.read(now)
            if events & selectors.EVENT_WRITE and member.socket is key.fileobj:
                member.write(now)

    def accepted(self):
        """How many messages were acknowledged to their senders."""
        return sum(len(m.accepted) for m in self.members)

    def run(self, seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.step(min(left, 0.01))

    def until(self, condition, what, timeout=30):
        deadline = time.monotonic() + timeout * SLOW
        while not condition():
            self.step()
            if time.monotonic() > deadline:
                self.case.fail(f"seed {self.seed}: waited {timeout * SLOW} s for {what}; "
                               f"{self.state()}")

    def state(self):
        lost = sum(len(m.waiting) for m in self.members)
        online = sum(m.online for m in self.members)
        faults = [f"{m.nick}: {f}" for m in self.members for f in m.faults][:5]
        return f"{online} online, {lost} not acknowledged, faults {faults}"

    def finish(self, timeout=60):
        """Say nothing new, until all is acknowledged, and everybody has everything that a newcomer
        reads from the log."""
        self.talking = False
        self.until(lambda: all(m.online and not m.waiting for m in self.members),
                   "every message to be acknowledged", timeout)
        def caught_up():
            return all(p.caught_up and (p.joined or room == INBOX)
                       for m in self.members for room, p in m.places.items())
        self.until(caught_up, "everybody to be caught up", timeout)
        # An acknowledgement may come before what it is about has been sent to anybody, so what there
        # is to have is known from the log alone.
        self.log = self.newcomer(timeout)
        wanted = self.wanted()
        self.until(lambda: all(m.places[room].position >= seq for m, room, seq in wanted),
                   "everybody to have what the log has", timeout)

    def wanted(self):
        """(member, room, number): how far each is to come in each room, and in its inbox, where what
        was acknowledged to the writers must be."""
        inbox = collections.Counter()
        for writer in self.members:
            for room, _text, seq in writer.accepted.values():
                if room not in writer.places:
                    for person in (writer.person, room):
                        inbox[person] = max(inbox[person], seq)
        return [(m, room, inbox[m.person] if room == INBOX else self.log.places[room].position)
                for m in self.members for room in m.places]

    # ---- judging ----

    def newcomer(self, timeout=60):
        """Somebody who reads all rooms from the first message on, and has said nothing."""
        rooms = sorted({room for m in self.members for room in m.rooms})
        reader = self.add("newcomer", rooms)
        self.talking = False
        self.until(lambda: all(p.joined and p.caught_up for room, p in reader.places.items()
                               if room != INBOX), "the newcomer to be caught up", timeout)
        self.members.remove(reader)
        reader.hang_up(0)
        return reader

    def judge(self, others=0):
        """Counts, once `finish` is done; fails where anything is lost, doubled, out of order or
        different. So many messages are of people who are not in the crowd."""
        log = self.log
        copies = collections.Counter()
        where = {}
        for room, place in log.places.items():
            for seen in place.seen:
                copies[seen.instance, seen.counter] += 1
                where[seen.instance, seen.counter] = (room, seen)
        for member in self.members:
            for seen in member.places[INBOX].seen:
                if seen.instance == member.instance:
                    copies[seen.instance, seen.counter] += 1
                    where[seen.instance, seen.counter] = (INBOX, seen)
        lost = doubled = wrong = ghosts = 0
        for member in self.members:
            for counter, (room, text, seq) in member.accepted.items():
                there = copies[member.instance, counter]
                lost += there == 0
                doubled += there > 1
                if there:
                    found, seen = where[member.instance, counter]
                    wrong += seen.text != text or (seq not in (0, seen.seq)) or \
                        found != (room if room in member.places else INBOX)
            ghosts += sum(copies[member.instance, counter] for counter in member.refused)
        known = {m.instance: m for m in self.members}
        strangers = sum(instance not in known or counter > known[instance].counter
                        for instance, counter in copies)
        counts = {
            "messages": self.accepted(), "lost": lost,
            "doubled": doubled, "wrong": wrong, "refused and there": ghosts,
            "never said": strangers, "refused": sum(len(m.refused) for m in self.members),
            "deliveries": sum(len(p.seen) for m in self.members for p in m.places.values()),
            "connections": sum(m.connections for m in self.members)}
        faults = [f"{m.nick}: {f}" for m in self.members + [log] for f in m.faults]
        if [lost, doubled, wrong, ghosts, strangers, len(faults)] != [0, 0, 0, 0, others, 0]:
            self.case.fail(f"seed {self.seed}: {counts}, {len(faults)} faults: {faults[:10]}")
        for room, place in log.places.items():
            self.same_order(room, place.seen)
        for member in self.members:
            self.inbox_of(member)
        return counts

    def same_order(self, room, kept):
        """Everybody saw the room as the log has it, and time goes forward in it."""
        for member in self.members:
            if room in member.rooms and member.places[room].seen != kept:
                self.case.fail(f"seed {self.seed}: {member.nick} saw {room} otherwise than the log "
                               f"has it: {difference(member.places[room].seen, kept)}")
        times = [seen.time for seen in kept]
        self.case.assertEqual(times, sorted(times), f"seed {self.seed}: times fall in {room}")

    def inbox_of(self, member):
        """Every direct message that was acknowledged to its writer came to the other one once."""
        got = collections.Counter((s.instance, s.counter) for s in member.places[INBOX].seen)
        for writer in self.members:
            for counter, (to, _text, _seq) in writer.accepted.items():
                if to == member.person and got[writer.instance, counter] != 1:
                    self.case.fail(f"seed {self.seed}: {member.nick} got {counter} of "
                                   f"{writer.nick} {got[writer.instance, counter]} times")


def difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    return f"at {at} of {len(a)} and {len(b)}: {a[at:at + 2]}, {b[at:at + 2]}"
