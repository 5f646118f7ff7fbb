#!/usr/bin/env python3
"""lanchatd --status: numbers that agree with what was done, and a socket that can do no harm."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

from lib import PlainScenario, Raw, SLOW, Server, main, wait_for, wire
from lib.process import Program
from lib.wait import BUILD, SANITIZED

SERVER = os.path.join(BUILD, "lanchatd")
NOBODY = 54321  # a user id that nothing else runs under

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "stateset": ("",),
            "histogram": ("_bucket", "_count", "_sum")}


def parse_labels(text):
    found, at = {}, 0
    while at < len(text):
        m = LABELS.match(text, at)
        assert m and m.group(1) not in found, text
        found[m.group(1)] = m.group(2)
        at = m.end()
    return found


def parse_openmetrics(text):
    """{(name, sorted labels): value}; fails on what the specification does not allow."""
    assert text.endswith("# EOF\n") and text.count("# EOF") == 1, text[-80:]
    families, samples, family = {}, {}, None
    for line in text[:-len("# EOF\n")].splitlines():
        m = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.+)", line)
        if m and m.group(1) == "TYPE":
            family = m.group(2)
            assert family not in families, f"{family} twice"
            assert m.group(3) in SUFFIXES, line
            families[family] = {"type": m.group(3), "seen": set()}
            continue
        if m:
            assert m.group(2) == family and not families[family]["seen"], line
            assert m.group(1) not in families[family], line
            families[family][m.group(1)] = m.group(3)
            assert m.group(1) == "HELP" or family.endswith("_" + m.group(3)), line
            continue
        m = re.fullmatch(rf"({NAME})(?:\{{(.*)\}})? (\S+)", line)
        assert m, line
        kind = families[family]["type"]
        assert m.group(1).startswith(family), line
        assert m.group(1)[len(family):] in SUFFIXES[kind], line
        key = m.group(1), tuple(sorted(parse_labels(m.group(2) or "").items()))
        assert key not in samples, line
        samples[key] = float(m.group(3))
        assert kind != "counter" or samples[key] >= 0, line
        families[family]["seen"].add(key)
    for name, f in families.items():
        assert f["seen"], name
        if f["type"] == "histogram":
            check_histogram(name, samples)
        if f["type"] == "stateset":
            assert all(v in (0, 1) and dict(k[1])[name] for k, v in samples.items()
                       if k in f["seen"])
    return samples


def check_histogram(name, samples):
    buckets = sorted((float(dict(labels)["le"]), count) for (sample, labels), count
                     in samples.items() if sample == name + "_bucket")
    assert buckets[-1][0] == float("inf")
    counts = [count for _, count in buckets]
    assert counts == sorted(counts), counts
    assert counts[-1] == samples[name + "_count", ()]


class Counting(Raw):
    """Knows how many bytes went and came."""

    def __init__(self, *arguments, **more):
        self.went = self.came = 0
        super().__init__(*arguments, **more)

    def send(self, data):
        self.went += len(data)
        super().send(data)

    def fill(self, deadline):
        before = len(self.bytes)
        good = super().fill(deadline)
        self.came += len(self.bytes) - before
        return good


class Status(PlainScenario):
    def run_status(self, *options, data, prefix=(), status=0):
        program = Program(self, [SERVER, "--status", "--data", data, *options], prefix=prefix,
                          stdin=subprocess.DEVNULL)
        self.assertEqual(program.wait(20), status, program.tail())
        with open(program.out_path, encoding="utf-8") as f:
            out = f.read()
        self.assertEqual(len(program.stderr().splitlines()), 0 if status == 0 else 1,
                         program.tail())
        return out if status == 0 else program.stderr()

    def ask(self, server):
        return json.loads(self.run_status("--json", data=server.data))

    def wait_status(self, server, what, condition):
        last = []

        def good():
            last[:] = [self.ask(server)]
            return condition(last[0]) and last[0]
        return wait_for(good, what, 10, lambda: last)

    def enter(self, server, nick, room="lobby", kind=Raw):
        raw = kind(self, server)
        raw.login(nick)
        if room:
            raw.join(room)
            raw.expect("CAUGHT_UP", room=room)
        return raw


class Numbers(Status):
    @staticmethod
    def on_disk(server):
        return sum(os.path.getsize(os.path.join(server.data, "log.db" + end))
                   for end in ("", "-wal", "-shm"))

    def test_conversation(self):
        """What was said, by whom, to whom, and how many bytes that were."""
        server = Server(self, "--name", "office")
        people = [self.enter(server, f"p{i}", kind=Counting) for i in range(5)]
        for raw in people:
            for i in range(20):
                raw.say(f"line {i}")
        for raw in people:
            for _ in range(100):
                raw.expect("SAID")
        s = self.wait_status(server, "the numbers", lambda s: s["deliveries"] == 500 and
                             s["append_microseconds"]["count"] == 100)
        self.assertEqual(s["name"], "office")
        self.assertEqual(s["pid"], server.pid)
        self.assertEqual((s["connections"], s["connections_most"], s["connections_accepted"],
                          s["connections_logging_in"], s["logins"]), (5, 5, 5, 0, 5))
        self.assertEqual((s["persons"], s["rooms_open"], s["rooms_known"]), (5, 1, 1))
        self.assertEqual((s["messages_accepted"], s["messages_duplicate"], s["messages_refused"],
                          s["messages_retried"]), (100, 0, 0, 0))
        self.assertEqual((s["log"], s["log_health"], s["log_entries"]), ("sqlite", "well", 100))
        self.assertTrue(1 <= s["log_transactions"] <= 100)
        before = self.on_disk(server)  # the index of words is written when the server has time
        told = self.ask(server)["log_bytes"]
        self.assertTrue(before <= told <= self.on_disk(server), (before, told))
        took = s["append_microseconds"]
        self.assertTrue(0 < took["p50"] <= took["p90"] <= took["p99"] <= took["max"], took)
        self.assertTrue(took["max"] <= took["sum"] <= took["max"] * 100, took)
        self.assertEqual(sum(s["refused"].values()) + sum(s["limits"].values()), 0)
        self.assertGreater(s["per_second"]["messages"]["last_10s"], 0)
        # Everybody tells how many bytes that were. Presence may still be on its way.
        def all_came(s):
            for raw in people:
                while raw.receive(0.02):
                    pass
            return s["sent_bytes"] == sum(raw.came for raw in people)
        s = self.wait_status(server, "the bytes", all_came)
        self.assertEqual(s["received_bytes"], sum(raw.went for raw in people))

    def test_answers(self):
        """Messages that come again, are refused, or go to one person; sessions of one person."""
        server = Server(self, "--history", "off")
        anna, boris = self.enter(server, "anna"), self.enter(server, "boris")
        anna.expect("ACK", counter=anna.say("once"))
        anna.message("SAY", counter=1, kind=0, room="lobby", text="once")
        anna.expect("ACK", counter=1, duplicate=1)
        anna.expect("REFUSED", counter=anna.say("x", room="elsewhere"))
        anna.counter += 1
        anna.message("DIRECT", counter=anna.counter, kind=0, nick="boris", text="psst")
        anna.expect("ACK", counter=anna.counter)
        boris.expect("DIRECT_SAID")
        again = Raw(self, server)
        again.person = anna.person
        again.login("anna")
        again.expect("DIRECT_SAID")  # she gets her inbox here as well
        s = self.wait_status(server, "the numbers", lambda s: s["deliveries"] == 2 + 2 + 1 and
                             s["append_microseconds"]["count"] == 2)
        self.assertEqual((s["messages_accepted"], s["messages_duplicate"], s["messages_refused"]),
                         (2, 1, 1))
        self.assertEqual((s["persons"], s["connections"]), (2, 3))
        self.assertEqual((s["log"], s["log_entries"]), ("memory", 2))
        self.assertGreater(s["log_bytes"], 0)

    def test_history_counts(self):
        """What somebody gets who comes later counts as well, from the window and from the log."""
        server = Server(self)
        anna = self.enter(server, "anna")
        for i in range(50):
            anna.say(f"line {i}")
        anna.expect("ACK", counter=50)
        boris = Raw(self, server)
        boris.login("boris")
        boris.join("lobby", replay=30)
        boris.expect("CAUGHT_UP", room="lobby")
        self.wait_status(server, "50 + 30", lambda s: s["deliveries"] == 80)
        self.assertEqual(server.stop(), 0)
        again = Server(self, data=server.data)
        carl = Raw(self, again)
        carl.login("carl")
        carl.join("lobby", replay=40)
        carl.expect("CAUGHT_UP", room="lobby")
        s = self.wait_status(again, "40", lambda s: s["deliveries"] == 40)
        self.assertEqual((s["messages_accepted"], s["rooms_known"]), (0, 1))

    def test_slow_reader(self):
        """A frame that was cut counts once, however it goes on."""
        server = Server(self, "--rate", "off")
        anna = self.enter(server, "anna")
        slow = Raw(self, server, buffer=4096)
        slow.login("slow")
        slow.join("lobby")
        for i in range(3000):
            anna.say(f"{i} " + "x" * 1000)
        for _ in range(3000):
            anna.expect("SAID")
        got = 0
        while got < 3000:
            got += slow.receive()[0] == "SAID"
        self.wait_status(server, "6000", lambda s: s["deliveries"] == 6000)

    def test_refused(self):
        """Each newcomer who is refused counts under the reason, and for the limit."""
        server = Server(self, "--max-clients", "3", "--max-logging-in", "2")
        inside = self.enter(server, "anna")
        silent = [Raw(self, server) for _ in range(2)]
        for raw in silent:
            raw.hello()
        s = self.ask(server)
        self.assertEqual((s["connections"], s["connections_logging_in"]), (3, 2))
        full = Raw(self, server)
        self.assertEqual(full.expect("ERROR")["code"], wire.CODES["FULL"])
        inside.socket.close()
        wait_for(lambda: self.ask(server)["connections"] == 2, "a place")
        logins = Raw(self, server)
        self.assertEqual(logins.expect("ERROR")["code"], wire.CODES["TOO_MANY_LOGINS"])
        s = self.ask(server)
        self.assertEqual({k: v for k, v in s["refused"].items() if v},
                         {"full": 1, "logging_in": 1})
        self.assertEqual({k: v for k, v in s["limits"].items() if v},
                         {"max_clients": 1, "max_logging_in": 1})
        self.assertEqual((s["connections_accepted"], s["connections_most"]), (3, 3))

    def test_addresses(self):
        """The two limits that this machine's own addresses are exempt from."""
        for address in ("10.9.0.1", "10.9.0.2"):
            done = subprocess.run(["ip", "addr", "replace", address + "/32", "dev", "lo"],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                self.skipTest(f"no addresses to be had here: {done.stderr.strip()}")
        server = Server(self, "--max-per-address", "1", "--max-faults", "1", listen="0.0.0.0:0")
        place = ("10.9.0.1", server.port)
        first = Raw(self, place, source="10.9.0.2")
        first.hello()
        second = Raw(self, place, source="10.9.0.2")
        self.assertEqual(second.expect("ERROR")["code"], wire.CODES["TOO_MANY_HERE"])
        first.send(b"\xff" * 8)
        first.wait_end()
        self.wait_status(server, "a fault", lambda s: s["faults"] == 1 and s["connections"] == 0)
        third = Raw(self, place, source="10.9.0.2")
        self.assertEqual(third.expect("ERROR")["code"], wire.CODES["PENALTY"])
        s = self.ask(server)
        self.assertEqual({k: v for k, v in s["refused"].items() if v},
                         {"per_address": 1, "penalty": 1})
        self.assertEqual({k: v for k, v in s["limits"].items() if v},
                         {"max_per_address": 1, "max_faults": 1})

    def test_limits(self):
        """Limits of those who are in count by their names."""
        server = Server(self, "--max-text-length", "5", "--max-topic-length", "5", "--rooms-each",
                        "1", "--max-members", "1", "--max-nick-length", "6", "--login-timeout",
                        "3")
        silent = Raw(self, server)
        anna, boris = self.enter(server, "anna"), self.enter(server, "boris", room=None)
        anna.expect("REFUSED", counter=anna.say("123456"))
        anna.expect("REFUSED", counter=anna.say("123456", kind=3))
        anna.expect("ERROR", tag=anna.request("JOIN", room="two"))
        anna.expect("ERROR", tag=anna.request("NICK", nick="annabel"))
        for _ in range(2):
            boris.expect("ERROR", tag=boris.request("JOIN", room="lobby"))
        silent.wait_end()
        s = self.ask(server)
        self.assertEqual({k: v for k, v in s["limits"].items() if v},
                         {"max_text_length": 1, "max_topic_length": 1, "rooms_each": 1,
                          "max_nick_length": 1, "max_members": 2, "login_timeout": 1})
        self.assertEqual(s["messages_refused"], 2)

    def test_descriptors(self):
        """When there are no descriptors left, this can still be asked, and tells."""
        server = Server(self, prefix=["prlimit", "--nofile=48:48", "--"])
        crowd = [Raw(self, server) for _ in range(60)]
        wait_for(lambda: server.descriptors() >= 48, "all descriptors to be used",
                 seen=server.descriptors)
        s = self.wait_status(server, "a refusal", lambda s: s["refused"]["resources"] > 0)
        self.assertGreater(s["descriptors"], 40)
        for raw in crowd:
            raw.socket.close()
        self.wait_status(server, "them to be free", lambda s: s["connections"] == 0)

    def test_process(self):
        """What the kernel says, against what it tells us."""
        server = Server(self)
        for i in range(3):
            self.enter(server, f"p{i}")
        s = self.ask(server)
        self.assertEqual(s["threads"], server.threads())
        # One more while it was asked.
        self.assertIn(s["descriptors"], range(server.descriptors(), server.descriptors() + 3))
        self.assertLess(abs(s["memory_resident_bytes"] - server.rss_kib() * 1024), 8 << 20)
        if SANITIZED:  # they have an allocator of their own
            self.assertIsNone(s["memory_allocated_bytes"])
        else:
            self.assertGreater(s["memory_allocated_bytes"], 0)
        self.assertLess(abs(s["start_time_seconds"] + s["uptime_seconds"] - time.time()), 5 * SLOW)

    def test_beacon(self):
        server = Server(self, beacon=True)
        before = self.wait_status(server, "announcements",
                                  lambda s: s["beacon_announcements"] > 0)
        looker = Program(self, [os.path.join(BUILD, "lanchat"), "--discover"],
                         stdin=subprocess.DEVNULL)
        looker.wait(20)
        s = self.wait_status(server, "queries",
                             lambda s: s["beacon_queries"] > before["beacon_queries"])
        self.assertEqual(s["beacon_queries"], s["beacon_answers"] + s["beacon_dropped"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"x" * 192, ("127.0.0.1", 19830))
            self.wait_status(server, "a strange packet", lambda s: s["beacon_strange"] > 0)

    def test_disk_full(self):
        """The log's health is told."""
        server = Server(self)
        self.assertEqual(self.ask(server)["log_health"], "well")
        anna = self.enter(server, "anna")
        os.unlink(os.path.join(server.data, "log.db"))
        anna.expect("REFUSED", counter=anna.say("x"))
        self.assertEqual(self.ask(server)["log_health"], "damaged")

    def test_reload(self):
        config = os.path.join(self.dir, "config")
        data = os.path.join(self.dir, "the data")
        with open(config, "w", encoding="utf-8") as f:
            f.write(f'name before\ndata "{data}"\n')
        server = Server(self, "--config", config, data=data)
        with open(config, "w", encoding="utf-8") as f:
            f.write(f'name = "B\u00fcro \\"1\\""\ndata "{data}"\n')
        server.send_signal(signal.SIGHUP)
        server.wait_stderr("reloaded")
        # The config file says where the server is.
        program = Program(self, [SERVER, "--status", "--json", "--config", config],
                          stdin=subprocess.DEVNULL)
        self.assertEqual(program.wait(), 0, program.tail())
        self.assertEqual(json.loads("".join(program.read()))["name"], 'B\u00fcro "1"')
        metrics = parse_openmetrics(self.run_status("--openmetrics", data=data))
        self.assertIn(("lanchatd_info", (("log", "sqlite"), ("name", 'B\u00fcro \\"1\\"'),
                                         ("version", "0.1.0"))), metrics)


class Formats(Status):
    def test_three(self):
        server = Server(self)
        anna = self.enter(server, "anna")
        for i in range(7):
            anna.expect("ACK", counter=anna.say(f"{i}"))
        self.wait_status(server, "all", lambda s: s["append_microseconds"]["count"] == 7 and
                         s["deliveries"] == 7)
        s = self.ask(server)
        text = self.run_status(data=server.data)
        self.assertIn("7 accepted", text)
        self.assertIn(f"process {server.pid}", text)
        self.assertTrue(all(line[:13].strip() for line in text.splitlines()), text)
        m = parse_openmetrics(self.run_status("--openmetrics", data=server.data))
        changing = {"uptime_seconds", "memory_resident_bytes", "memory_allocated_bytes"}
        for name, value in s.items():
            if isinstance(value, (int, float)) and name not in changing | {"pid"}:
                got = m.get((f"lanchatd_{name}", ()), m.get((f"lanchatd_{name}_total", ())))
                if name == "log_bytes":  # the index of words is written when the server has time
                    self.assertGreaterEqual(got, value, name)
                else:
                    self.assertEqual(got, value, name)
        for name, value in s["refused"].items():
            self.assertEqual(m["lanchatd_refused_total", (("reason", name),)], value)
        for name, value in s["limits"].items():
            label = (("limit", name.replace("_", "-")),)
            self.assertEqual(m["lanchatd_limit_hits_total", label], value)
        self.assertEqual(m["lanchatd_append_seconds_count", ()], 7)
        self.assertAlmostEqual(m["lanchatd_append_seconds_sum", ()],
                               s["append_microseconds"]["sum"] / 1e6, 6)
        self.assertEqual(m["lanchatd_log_health", (("lanchatd_log_health", "well"),)], 1)

    def test_usage(self):
        """What does not go together is told, with status 2."""
        for options in (["--json"], ["--openmetrics"], ["--status", "--json", "--openmetrics"],
                        ["--status", "--verify"], ["--status", "--backup", "x"],
                        ["--check-config", "--json"]):
            program = Program(self, [SERVER, "--data", self.dir, *options],
                              stdin=subprocess.DEVNULL)
            self.assertEqual(program.wait(), 2, (options, program.tail()))
            self.assertEqual(len(program.stderr().splitlines()), 1, program.tail())

    def test_nobody_takes_it(self):
        server = Server(self)
        done = subprocess.run(f"exec {SERVER} --status --data {server.data} > /dev/full",
                              shell=True, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)


class Socket(Status):
    def path(self, server):
        return os.path.join(server.data, "status.sock")

    def test_private(self):
        """0600, and gone when the server ends."""
        server = Server(self, prefix=["sh", "-c", 'umask 0; exec "$@"', "sh"])
        st = os.stat(self.path(server))
        self.assertTrue(stat.S_ISSOCK(st.st_mode))
        self.assertEqual(stat.S_IMODE(st.st_mode), 0o600)
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.lexists(self.path(server)))
        self.assertIn("no server runs on", self.run_status(data=server.data, status=1))

    def test_no_server(self):
        empty = os.path.join(self.dir, "empty")
        os.mkdir(empty)
        self.assertEqual(self.run_status(data=empty, status=1).strip(),
                         f"lanchatd: no server runs on '{empty}'")
        missing = self.run_status("--json", data=os.path.join(self.dir, "missing"), status=1)
        self.assertIn("no server runs there", missing)
        self.assertIn(os.path.join(self.dir, "missing"), missing)
        self.assertEqual(os.listdir(empty), [])

    def test_stale(self):
        """A killed server's socket tells that nobody is there, and is replaced."""
        server = Server(self)
        server.kill()
        self.assertTrue(os.path.exists(self.path(server)))
        self.assertIn("no server runs on", self.run_status(data=server.data, status=1))
        again = Server(self, data=server.data)
        self.assertEqual(self.ask(again)["pid"], again.pid)
        self.assertEqual(stat.S_IMODE(os.stat(self.path(again)).st_mode), 0o600)

    def test_two_servers(self):
        """The second one on a folder is refused, and leaves the first one's socket alone."""
        first = Server(self)
        second = Server(self, data=first.data, wait=False)
        self.assertEqual(second.wait(), 1, second.tail())
        self.assertEqual(self.ask(first)["pid"], first.pid)

    def test_something_else(self):
        """What is no socket is not ours to remove; the server does without."""
        data = os.path.join(self.dir, "data")
        os.mkdir(data)
        with open(os.path.join(data, "status.sock"), "w", encoding="ascii") as f:
            f.write("precious")
        server = Server(self, data=data)
        server.wait_stderr("nobody can ask for --status: .*status.sock")
        self.enter(server, "anna")
        self.run_status(data=data, status=1)
        self.assertEqual(server.stop(), 0)
        with open(os.path.join(data, "status.sock"), encoding="ascii") as f:
            self.assertEqual(f.read(), "precious")

    def test_long_path(self):
        """A path longer than an address has room for."""
        data = os.path.join(self.dir, *["folder with a long name"] * 8)
        self.assertGreater(len(data), 150)
        server = Server(self, data=data)
        self.assertEqual(self.ask(server)["pid"], server.pid)
        self.assertEqual(stat.S_IMODE(os.stat(self.path(server)).st_mode), 0o600)
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.lexists(self.path(server)))

    def test_lengths(self):
        """Around the longest that an address has room for."""
        for length in range(94, 99):  # with "/status.sock": 106 to 110
            data = self.dir + "/" + "d" * (length - len(self.dir) - 1)
            server = Server(self, data=data)
            self.assertEqual(self.ask(server)["pid"], server.pid)
            self.assertEqual(server.stop(), 0)

    def test_strangers(self):
        """Others than the server's user and root get nothing, by the mode of the socket, and, where
        somebody changed that, by who they are."""
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        program = shutil.copy(SERVER, self.dir)
        if subprocess.run(as_nobody + ["test", "-x", program], capture_output=True,
                          check=False).returncode:
            self.skipTest("cannot run a program as another user")
        server = Server(self)

        def refused():
            asker = Program(self, [program, "--status", "--data", server.data], prefix=as_nobody,
                            stdin=subprocess.DEVNULL)
            self.assertEqual(asker.wait(20), 1, asker.tail())
            self.assertEqual(asker.read(), [])
            return asker.stderr()
        os.chmod(server.data, 0o755)
        self.assertIn("its own user and root alone", refused())
        os.chmod(self.path(server), 0o666)
        self.assertIn("no whole answer", refused())
        self.assertEqual(self.ask(server)["pid"], server.pid)

    def test_root_asks(self):
        """A server of another user answers root."""
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        program = shutil.copy(SERVER, self.dir)
        if os.geteuid() != 0 or subprocess.run(as_nobody + ["test", "-x", program],
                                               capture_output=True, check=False).returncode:
            self.skipTest("cannot run the server as another user")
        home = os.path.join(self.dir, "nobody")
        os.mkdir(home)
        os.chown(home, NOBODY, NOBODY)
        server = Server(self, prefix=as_nobody, data=os.path.join(home, "data"), wait=False,
                        port_file=os.path.join(home, "port"), program=program)
        server.wait_ready()
        self.assertEqual(self.ask(server)["pid"], server.pid)
        asker = Program(self, [program, "--status", "--data", server.data], prefix=as_nobody,
                        stdin=subprocess.DEVNULL)
        self.assertEqual(asker.wait(20), 0, asker.tail())

    def connect(self, server):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(s.close)
        s.settimeout(20 * SLOW)
        s.connect(self.path(server))
        return s

    def test_silent_peers(self):
        """Whoever says nothing is hung up on; others are answered in the end, and nobody who chats
        notices."""
        server = Server(self)
        anna, boris = self.enter(server, "anna"), self.enter(server, "boris")
        descriptors = server.descriptors()
        silent = [self.connect(server) for _ in range(12)]  # more than are served at once
        began = time.monotonic()
        for i in range(50):
            counter = anna.say(f"{i}")
            anna.expect("ACK", counter=counter)
            boris.expect("SAID", counter=counter)
        self.assertLessEqual(server.descriptors(), descriptors + 8)
        self.assertEqual(self.ask(server)["messages_accepted"], 50)
        for s in silent:
            self.assertEqual(s.recv(1), b"")
        self.assertGreater(time.monotonic() - began, 1)
        wait_for(lambda: server.descriptors() <= descriptors, "all to be closed",
                 seen=server.descriptors)

    def test_trickle(self):
        """A byte now and then does not put the end off."""
        server = Server(self)
        s = self.connect(server)
        began = time.monotonic()
        try:
            while time.monotonic() - began < 15 * SLOW:
                s.sendall(b"j")
                s.settimeout(0.3)
                try:
                    self.assertEqual(s.recv(1), b"")
                    break
                except TimeoutError:
                    pass
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertLess(time.monotonic() - began, 10 * SLOW)

    def test_never_reads(self):
        """Who asks and does not read takes one place, until the deadline."""
        server = Server(self)
        descriptors = server.descriptors()  # or one more: right after its start it lists the interfaces
        peers = [self.connect(server) for _ in range(8)]
        for s in peers:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            s.sendall(b"openmetrics\n")
        self.assertEqual(self.ask(server)["pid"], server.pid)
        wait_for(lambda: server.descriptors() <= descriptors, "them to be gone",
                 seen=server.descriptors)

    def test_nonsense(self):
        """What is no question is not answered, and ends at once."""
        server = Server(self)
        for question in (b"\n", b"JSON\n", b"jso\n", b"json \n", b"\0json\n", b"x" * 32,
                         b"openmetricsx\n", os.urandom(31).replace(b"\n", b"x") + b"\n"):
            s = self.connect(server)
            s.sendall(question)
            try:
                self.assertEqual(s.recv(100), b"", question)
            except ConnectionResetError:
                pass  # it did not read all of it
        s = self.connect(server)
        s.sendall(b"js")
        s.sendall(b"on\nand more")
        got = b""
        while not got.endswith(b"}\n"):
            got += s.recv(65536)
        header, _, body = got.partition(b"\n")
        self.assertEqual(header, b"lanchatd-status 1 %d" % len(body))
        json.loads(body)
        self.assertTrue(server.running())

    def test_busy(self):
        """While people talk and many ask at once, all answers are whole, and counters never fall."""
        server = Server(self, "--rate", "off", "--sync", "os")
        people = [self.enter(server, f"p{i}") for i in range(4)]
        over = threading.Event()

        def talk(raw):
            while not over.is_set():
                for _ in range(50):
                    raw.say("x" * 50)
                while raw.fill(time.monotonic() + 0.001):
                    raw.bytes = b""
        threads = [threading.Thread(target=talk, args=(raw,), daemon=True) for raw in people]
        for thread in threads:
            thread.start()
        try:
            last = self.ask(server)
            for _ in range(10):
                askers = [Program(self, [SERVER, "--status", "--json", "--data", server.data],
                                  stdin=subprocess.DEVNULL) for _ in range(4)]
                for asker in askers:
                    self.assertEqual(asker.wait(20), 0, asker.tail())
                now = json.loads(askers[-1].read()[-1])
                for name in ("messages_accepted", "deliveries", "received_bytes", "sent_bytes",
                             "log_entries", "log_transactions", "connections_accepted"):
                    self.assertGreaterEqual(now[name], last[name], name)
                last = now
            self.assertGreater(last["messages_accepted"], 0)
            self.assertGreater(last["append_microseconds"]["count"], 0)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(server.stop(), 0)

    def test_stopped_meanwhile(self):
        """A server that ends with askers at its socket ends as it should."""
        server = Server(self)
        peers = [self.connect(server) for _ in range(12)]
        peers[0].sendall(b"js")
        self.assertEqual(server.stop(), 0)
        for s in peers:
            try:
                self.assertEqual(s.recv(1), b"")
            except ConnectionResetError:
                pass
        self.assertFalse(os.path.lexists(self.path(server)))


if __name__ == "__main__":
    main()
