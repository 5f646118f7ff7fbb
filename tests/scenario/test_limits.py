#!/usr/bin/env python3
"""What a server runs out of costs one newcomer a clear refusal, and nothing else."""

import os
import random
import shutil
import signal
import subprocess
import time

from lib import Pipe, Raw, SLOW, PlainScenario, Scenario, Server, main, wait_for, wire
from lib.wait import BUILD, SANITIZED

NOBODY = random.SystemRandom().randrange(55000, 60000)  # nothing else runs under it, nor another run

# What a refused newcomer is told names the option.
REFUSALS = {"FULL": "max-clients", "TOO_MANY_HERE": "max-per-address",
            "TOO_MANY_LOGINS": "max-logging-in", "PENALTY": "max-faults"}


class Addresses(PlainScenario):
    """What one address may take of what belongs to all."""

    HERE, ELSEWHERE = "10.9.0.2", "10.9.0.3"

    def setUp(self):
        super().setUp()
        for address in ("10.9.0.1", self.HERE, self.ELSEWHERE):
            done = subprocess.run(["ip", "addr", "replace", address + "/32", "dev", "lo"],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                self.skipTest(f"no addresses to be had here: {done.stderr.strip()}")

    def serve(self, *options):
        server = Server(self, *options, listen="0.0.0.0:0")
        self.place = ("10.9.0.1", server.port)
        return server

    def connect(self, source):
        return Raw(self, self.place, source=source)

    def enter(self, source, nick):
        raw = self.connect(source)
        raw.login(nick)
        return raw

    def refused(self, source, code):
        raw = self.connect(source)
        try:
            raw.message("HELLO", version_low=1, version_high=1, agent="scenario")
        except OSError:
            pass
        got = raw.receive(5)
        raw.socket.close()
        self.assertIsNotNone(got, f"no word, just {raw.ended}")
        refused = got[0] == "ERROR" and got[1]["code"] == wire.CODES[code]
        if refused:
            self.assertIn(f"({REFUSALS[code]})", got[1]["text"])
        return refused

    def test_connections(self):
        """An address has so many; others have theirs, and this machine as many as it likes."""
        server = self.serve("--max-per-address", "3")
        mine = [self.enter(self.HERE, f"anna{i}") for i in range(3)]
        for _ in range(3):
            self.assertTrue(self.refused(self.HERE, "TOO_MANY_HERE"))
        self.enter(self.ELSEWHERE, "boris")
        local = [Raw(self, server) for _ in range(6)]
        for i, raw in enumerate(local):
            raw.login(f"carl{i}")
        mine[0].socket.close()
        wait_for(lambda: not self.refused(self.HERE, "TOO_MANY_HERE"), "its place to be free")

    def test_changed_while_it_runs(self):
        config = os.path.join(self.dir, "config")
        with open(config, "w", encoding="ascii") as f:
            f.write("max-per-address 1\n")
        server = self.serve("--config", config)
        self.enter(self.HERE, "anna")
        self.assertTrue(self.refused(self.HERE, "TOO_MANY_HERE"))
        with open(config, "w", encoding="ascii") as f:
            f.write("max-per-address off\n")
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: not self.refused(self.HERE, "TOO_MANY_HERE"), "the limit to go")
        for i in range(5):
            self.enter(self.HERE, f"boris{i}")

    def test_rooms(self):
        """Its connections are in so many rooms, each counted, and whoever leaves one makes a place."""
        server = self.serve("--max-rooms-per-address", "4")
        anna, boris = self.enter(self.HERE, "anna"), self.enter(self.HERE, "boris")

        def full(raw, room):
            error = raw.expect("ERROR", tag=raw.request("JOIN", room=room))
            self.assertEqual(error["code"], wire.CODES["TOO_MANY_ROOMS"])
            self.assertIn("(max-rooms-per-address)", error["text"])

        for raw, room in ((anna, "one"), (anna, "two"), (boris, "one"), (boris, "three")):
            raw.join(room)
        full(anna, "four")
        full(boris, "four")
        anna.expect("PARTED", tag=anna.request("PART", room="two"))
        # What was refused for another reason takes no place.
        anna.expect("ERROR", tag=anna.request("JOIN", room="one"))
        anna.expect("ERROR", tag=anna.request("JOIN", room="#bad"))
        boris.join("four")
        full(anna, "two")
        boris.socket.close()
        wait_for(lambda: self.joins(anna, "two"), "boris' places to be free")
        self.enter(self.ELSEWHERE, "carl").join("five")
        local = Raw(self, server)
        local.login("dora")
        for i in range(6):
            local.join(f"local{i}")

    @staticmethod
    def joins(raw, room):
        tag = raw.request("JOIN", room=room)
        while True:
            name, got = raw.receive()
            if name in ("JOINED", "ERROR") and got["tag"] == tag:
                return name == "JOINED"

    def test_logging_in(self):
        """So many may be on their way in; whoever is in does not count."""
        server = self.serve("--max-logging-in", "3")
        inside = [self.enter(self.HERE, f"anna{i}") for i in range(6)]
        silent = [self.connect(self.ELSEWHERE) for _ in range(3)]
        for raw in silent:
            raw.hello()
        self.assertTrue(self.refused(self.HERE, "TOO_MANY_LOGINS"))
        silent[0].request("LOGIN", person=silent[0].person, instance=silent[0].instance,
                          nick="boris")
        silent[0].expect("LOGGED_IN")
        carl = self.enter(self.HERE, "carl")
        inside[0].join("lobby")
        carl.join("lobby")
        counter = carl.say("still possible")
        inside[0].expect("SAID", counter=counter)
        self.assertTrue(server.running())

    def test_faults(self):
        """Whoever breaks the protocol again and again is not let in for a while; others are, from
        there too while they are in."""
        self.serve("--max-faults", "5")
        anna = self.enter(self.HERE, "anna")
        for _ in range(5):
            raw = self.connect(self.HERE)
            raw.send(b"\xff" * 8)
            raw.wait_end()
        # Each is counted when its session has ended, a moment after its connection.
        wait_for(lambda: self.refused(self.HERE, "PENALTY"), "the refusal")
        boris = self.enter(self.ELSEWHERE, "boris")
        for raw in (anna, boris):
            raw.join("lobby")
        anna.expect("SAID", counter=boris.say("hello"))
        # Forgiven, one after the other.
        wait_for(lambda: not self.refused(self.HERE, "PENALTY"), "forgiveness", 20)

    def test_off(self):
        """Without these limits, one address may have what others are refused."""
        self.serve("--max-per-address", "off", "--max-faults", "off", "--max-logging-in", "off",
                   "--max-clients", "off")
        for _ in range(150):  # more than the default of --max-faults
            raw = self.connect(self.HERE)
            raw.send(b"\xff" * 8)
            raw.wait_end()
        for _ in range(300):  # more than the default of --max-per-address
            self.connect(self.HERE).hello()
        self.enter(self.HERE, "anna").join("lobby")


class Rate(PlainScenario):
    """Whoever says more than they may is slowed, and loses nothing."""

    def test_sender_is_slowed(self):
        server = Server(self, "--rate", "50", "--rate-burst", "10")
        anna, boris, carl = Raw(self, server), Raw(self, server), Raw(self, server)
        for raw, nick in ((anna, "anna"), (boris, "boris"), (carl, "carl")):
            raw.login(nick)
            raw.join("lobby")
        began = time.monotonic()
        texts = [f"line {i}" for i in range(150)]
        for text in texts:
            anna.say(text)
        # Somebody else is served meanwhile.
        boris.expect("ACK", counter=boris.say("me too"))
        heard = [carl.expect("SAID", person=anna.person)["text"] for _ in texts]
        self.assertEqual(heard, texts)
        self.assertGreater(time.monotonic() - began, (150 - 10) / 50 - 0.5)
        # And is still there, and was told once.
        anna.expect("ACK", counter=150)
        self.assertEqual(anna.seen.count("NOTICE"), 1)
        anna.message("PING", token=7)
        anna.expect("PONG", token=7)

    def test_goodbye_at_rest(self):
        """A server that stops does not wait for those that are slowed; one that leaves meanwhile is
        heard out."""
        server = Server(self, "--rate", "1", "--rate-burst", "5")
        anna, boris = Raw(self, server), Raw(self, server)
        for raw, nick in ((anna, "anna"), (boris, "boris")):
            raw.login(nick)
        anna.request("SEARCH", room="lobby", words="nothing", limit=1)
        anna.expect("FOUND")
        counter = anna.say("after fifty seconds")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(boris.expect("BYE")["code"], wire.CODES["STOPPING"])
        self.assertNotIn("ACK", anna.seen, counter)

    def test_is_told(self):
        server = Server(self, "--rate", "50", "--rate-burst", "10")
        anna = Raw(self, server)
        anna.login("anna")
        anna.join("lobby")
        for i in range(50):
            anna.say(f"{i}")
        notice = anna.expect("NOTICE")
        self.assertEqual(notice["kind"], 2)
        self.assertIn("(rate)", notice["text"])

    def test_off(self):
        for options in (("--rate", "off", "--rate-burst", "1"),
                        ("--rate", "1", "--rate-burst", "off")):
            server = Server(self, *options)
            anna = Raw(self, server)
            anna.login("anna")
            anna.join("lobby")
            for i in range(2000):
                anna.say(f"{i}")
            anna.expect("ACK", counter=2000)
            self.assertNotIn("NOTICE", anna.seen)


class Named(PlainScenario):
    """Whoever runs into a limit is told so by its name; where it is off, the same does no harm."""

    def with_and_without(self, name, value, act):
        """What act(server) is told by a server with the limit; by one without, nothing."""
        told = act(Server(self, "--" + name, value))
        self.assertIsNotNone(told, f"--{name} {value} did not matter")
        self.assertIn(f"({name})", told)
        self.assertIsNone(act(Server(self, "--" + name, "off")))

    def enter(self, server, nick):
        raw = Raw(self, server)
        raw.login(nick)
        return raw

    @staticmethod
    def outcome(raw, tag, good):
        """The text of an ERROR about a request; None where it was answered."""
        while True:
            got = raw.receive()
            assert got is not None, raw.ended
            if got[0] == "ERROR":
                return got[1]["text"]
            if got[0] == good and got[1]["tag"] == tag:
                return None

    def join_all(self, raw, count):
        told = None
        for i in range(count):
            told = told or self.outcome(raw, raw.request("JOIN", room=f"room{i}"), "JOINED")
        return told

    def say(self, raw, name, **values):
        raw.counter += 1
        raw.message(name, counter=raw.counter, **values)
        while True:
            got = raw.receive()
            assert got is not None, raw.ended
            if got[0] in ("ACK", "REFUSED") and got[1]["counter"] == raw.counter:
                return got[1].get("text")

    def test_rooms_each(self):
        self.with_and_without("rooms-each", "2", lambda server: self.join_all(
            self.enter(server, "anna"), 120))

    def test_max_rooms(self):
        self.with_and_without("max-rooms", "2", lambda server: self.join_all(
            self.enter(server, "anna"), 3))

    def test_max_members(self):
        def crowd(server):
            told = None
            for nick in ("anna", "boris", "carl"):
                raw = self.enter(server, nick)
                told = self.outcome(raw, raw.request("JOIN", room="lobby"), "JOINED")
            # Who is refused is still there, and may be elsewhere.
            raw.join("elsewhere")
            return told
        self.with_and_without("max-members", "2", crowd)

    def test_max_members_leaving(self):
        server = Server(self, "--max-members", "1")
        anna, boris = self.enter(server, "anna"), self.enter(server, "boris")
        anna.join("lobby")
        tag = boris.request("JOIN", room="lobby")
        self.assertEqual(boris.expect("ERROR", tag=tag)["code"], wire.CODES["ROOM_FULL"])
        anna.request("PART", room="lobby")
        anna.expect("PARTED")
        boris.join("lobby")

    def test_max_nick_length(self):
        def rename(server):
            raw = self.enter(server, "anna")
            return self.outcome(raw, raw.request("NICK", nick="n" * 48), "RENAMED")

        def login(server):
            raw = Raw(self, server)
            raw.hello()
            return self.outcome(raw, raw.request("LOGIN", person=raw.person, nick="\u0430" * 24,
                                                 instance=raw.instance), "LOGGED_IN")
        self.with_and_without("max-nick-length", "47", rename)
        self.with_and_without("max-nick-length", "47", login)

    def test_max_topic_length(self):
        def topic(server):
            raw = self.enter(server, "anna")
            raw.join("lobby")
            self.assertIsNone(self.say(raw, "SAY", kind=0, room="lobby", text="x" * 4096))
            return self.say(raw, "SAY", kind=3, room="lobby", text="t" * 512)
        self.with_and_without("max-topic-length", "511", topic)

    def test_max_text_length(self):
        def text(server):
            raw = Raw(self, server)
            self.most = raw.login("anna")["text_max"]
            raw.join("lobby")
            self.assertIsNone(self.say(raw, "SAY", kind=3, room="lobby", text="t" * 512))
            return self.say(raw, "SAY", kind=0, room="lobby", text="x" * 4096)

        def direct(server):
            raw = self.enter(server, "anna")
            return self.say(raw, "DIRECT", kind=0, nick="anna", text="x" * 4096)
        self.with_and_without("max-text-length", "100", text)
        self.assertEqual(self.most, 4096)
        self.with_and_without("max-text-length", "100", direct)

    def test_client_obeys(self):
        """The real client does not send what would be refused, and says why."""
        server = Server(self, "--max-text-length", "10")
        vera = Pipe(self, server, "vera", input=["0123456789", "0123456789a"])
        self.assertEqual(vera.wait(20), 1, vera.tail())
        self.assertEqual(vera.texts(), ["0123456789"])
        self.assertIn("longer than 10 bytes", vera.stderr())

    def ends(self, name, begin, on):
        """Of two connections that begin alike, the one with the limit ends; the other one, which
        began before it, is still there by then."""
        free, limited = Server(self, f"--{name}", "off", *on), Server(self, f"--{name}", "1", *on)
        stays = begin(free)
        told = [m for m in begin(limited).wait_end()[1] if m[0] == "ERROR"]
        self.assertEqual(told[-1][1]["code"], wire.CODES["TIMEOUT"])
        self.assertIn(f"({name})", told[-1][1]["text"])
        self.assertFalse(stays.fill(time.monotonic() + 0.5))
        self.assertIsNone(stays.ended)
        return stays

    def test_login_timeout(self):
        stays = self.ends("login-timeout", lambda server: Raw(self, server), ())
        stays.login("anna")

    def test_frame_timeout(self):
        def begin(server):
            raw = self.enter(server, "anna")
            raw.expect("CAUGHT_UP")
            raw.send(wire.encode("PING", token=5)[:-1])
            return raw
        stays = self.ends("frame-timeout", begin, ())
        stays.send(wire.encode("PING", token=5)[-1:])
        stays.expect("PONG", token=5)

    def test_idle(self):
        def begin(server):
            raw = self.enter(server, "anna")
            raw.expect("CAUGHT_UP")
            return raw
        stays = self.ends("idle", begin, ("--ping", "off"))
        stays.message("PING", token=5)
        stays.expect("PONG", token=5)

    def test_ping(self):
        """Off: nobody is asked."""
        asked, left_alone = (Raw(self, Server(self, "--ping", value)) for value in ("1", "off"))
        for raw, seconds in ((left_alone, 0), (asked, 1)):
            self.assertEqual(raw.login("anna")["ping_seconds"], seconds)
        asked.expect("PING")
        asked.expect("PING")
        left_alone.message("PING", token=9)
        left_alone.expect("PONG", token=9)
        self.assertNotIn("PING", left_alone.seen)

    def test_reload(self):
        """They change while the server runs, for whoever comes then."""
        config = os.path.join(self.dir, "config")

        def write(text):
            with open(config, "w", encoding="ascii") as f:
                f.write(text)
        write("max-members 1\nmax-text-length 5\nlogin-timeout off\n")
        server = Server(self, "--config", config)
        anna = self.enter(server, "anna")
        anna.join("lobby")
        self.assertIn("(max-text-length)", self.say(anna, "SAY", kind=0, room="lobby",
                                                    text="123456"))
        write("max-members off\nmax-text-length off\n")
        server.send_signal(signal.SIGHUP)
        server.wait_stderr("reloaded")
        boris = self.enter(server, "boris")
        boris.join("lobby")
        self.assertIsNone(self.say(boris, "SAY", kind=0, room="lobby", text="123456"))


class Handshake(Scenario):
    def test_timeout(self):
        """Before TLS there is one way to say it: a frame in its place."""
        free = Server(self, "--handshake-timeout", "off", "--login-timeout", "off")
        limited = Server(self, "--handshake-timeout", "1", "--login-timeout", "off")
        stays, ends = Raw(self, free), Raw(self, limited)
        told = ends.wait_end()[1]
        self.assertEqual([name for name, _ in told], ["ERROR"])
        self.assertEqual(told[0][1]["code"], wire.CODES["TIMEOUT"])
        self.assertIn("(handshake-timeout)", told[0][1]["text"])
        self.assertFalse(stays.fill(time.monotonic() + 0.5))
        self.assertIsNone(stays.ended)


class Limits(PlainScenario):
    def refused(self, server, code):
        """Connect; true when the server says no with this code, false when it says welcome."""
        raw = Raw(self, server)
        try:
            raw.message("HELLO", version_low=1, version_high=1, agent="scenario")
        except OSError:
            pass  # refused before it could say anything
        got = raw.receive(5)
        raw.socket.close()
        if got and got[0] == "WELCOME":
            return False
        self.assertIsNotNone(got, f"no word, just {raw.ended}")
        self.assertIn(got[0], ("ERROR", "BYE"))
        self.assertEqual(got[1]["code"], wire.CODES[code], got)
        if code in REFUSALS:
            self.assertIn(f"({REFUSALS[code]})", got[1]["text"])
        return True

    def chats(self, one, other):
        """Two who were there before talk as if nothing were the matter."""
        counter = one.say("can you hear me")
        one.expect("ACK", counter=counter)
        other.expect("SAID", counter=counter)

    def pair(self, server):
        both = Raw(self, server), Raw(self, server)
        for raw, nick in zip(both, ("anna", "boris")):
            raw.login(nick)
            raw.join("lobby")
        return both

    def test_max_clients(self):
        server = Server(self, "--max-clients", "2")
        anna, boris = self.pair(server)
        for _ in range(5):
            self.assertTrue(self.refused(server, "FULL"))
        self.chats(anna, boris)
        boris.reset()
        wait_for(lambda: not self.refused(server, "FULL"), "a free place")

    def test_client_is_told(self):
        """The client says why in one line, with status 1."""
        server = Server(self, "--max-clients", "2")
        self.pair(server)
        vera = Pipe(self, server, "vera", input=["hello"])
        self.assertEqual(vera.wait(20), 1, vera.tail())
        self.assertEqual(len(vera.stderr().splitlines()), 1, vera.tail())

    def test_descriptors(self):
        """RLIMIT_NOFILE reached: newcomers are told, nobody spins, and it recovers."""
        server = Server(self, prefix=["prlimit", "--nofile=48:48", "--"])
        anna, boris = self.pair(server)
        taken = []
        for _ in range(60):
            raw = Raw(self, server)
            taken.append(raw)
        wait_for(lambda: server.descriptors() >= 40, "most descriptors to be used",
                 seen=server.descriptors)
        self.chats(anna, boris)
        before, began = server.cpu_seconds(), time.monotonic()
        ended = 0
        for raw in taken:
            try:
                raw.message("HELLO", version_low=1, version_high=1)
            except OSError:
                pass
            got = raw.receive(1)
            if got is None or got[0] != "WELCOME":
                ended += 1
                self.assertTrue(got is None or
                                got[1].get("code") == wire.CODES["RESOURCES"], got)
        self.assertGreater(ended, 0)
        self.chats(anna, boris)
        self.assertLess(server.cpu_seconds() - before, 0.5 * (time.monotonic() - began) + 0.5,
                        "it spins")
        for raw in taken:
            raw.socket.close()
        wait_for(lambda: not self.refused(server, "RESOURCES"), "a free descriptor")
        self.assertEqual(server.stop(), 0, server.tail())

    def test_threads(self):
        """RLIMIT_NPROC reached: newcomers are told; it recovers. Root is above the limit, so the
        server runs as somebody else."""
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        # A copy, for the folder that it was built in may be closed to others.
        program = shutil.copy(os.path.join(BUILD, "lanchatd"), self.dir)
        if subprocess.run(as_nobody + ["test", "-x", program], capture_output=True).returncode:
            self.skipTest("cannot run the server as another user")
        if SANITIZED:
            self.skipTest("sanitizers need threads of their own")
        home = os.path.join(self.dir, "nobody")
        os.mkdir(home)
        os.chown(home, NOBODY, NOBODY)
        server = Server(self, prefix=as_nobody, data=os.path.join(home, "data"), wait=False,
                        port_file=os.path.join(home, "port"), program=program)
        server.wait_ready()
        anna, boris = self.pair(server)
        most = server.threads() + 5
        subprocess.run(as_nobody + ["prlimit", f"--nproc={most}:{most}", "--pid",
                                    str(server.pid)], check=True)
        waiting = []
        def full():
            raw = Raw(self, server)
            waiting.append(raw)
            raw.message("HELLO", version_low=1, version_high=1)
            got = raw.receive(5)
            self.assertIsNotNone(got)
            return got[0] == "ERROR" and got[1]["code"] == wire.CODES["RESOURCES"]
        for _ in range(12):
            if full():
                break
        else:
            self.fail("twelve newcomers and no refusal")
        for _ in range(5):
            self.assertTrue(self.refused(server, "RESOURCES"))
        self.chats(anna, boris)
        for raw in waiting:
            raw.socket.close()
        wait_for(lambda: not self.refused(server, "RESOURCES"), "a free thread")
        self.assertEqual(server.stop(), 0, server.tail())

    def test_many(self):
        """A few hundred connections at once, then none: memory and threads go back."""
        server = Server(self)
        anna, boris = self.pair(server)
        threads = server.threads()
        crowd = []
        for i in range(300):
            raw = Raw(self, server)
            raw.login(f"p{i}")
            crowd.append(raw)
        self.assertGreaterEqual(server.threads(), threads + 300)
        if SLOW == 1:
            self.assertLess(server.rss_kib(), 32768)
        self.chats(anna, boris)
        for raw in crowd:
            raw.reset()
        wait_for(lambda: server.threads() <= threads, "their threads to end", seen=server.threads)
        self.chats(anna, boris)


if __name__ == "__main__":
    main()
