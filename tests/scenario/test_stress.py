#!/usr/bin/env python3
"""lanchat-stress: what it measures is there, what goes wrong is found out, and it says what it cannot
do. No figure passes or fails but counts."""

import contextlib
import csv
import html.parser
import io
import json
import os
import shutil
import socket
import subprocess
import threading

from lib import Server, main, wait_for
from lib.stress import STRESS, Stress, server_below
from lib.wait import BUILD, SANITIZED

FAULTY = os.path.join(BUILD, "faulty", "lanchatd")


class Loads(Stress):
    def test_local(self):
        """A server of its own, TLS and all: everybody gets everything, and it ends with the run."""
        r = self.measure("--local", "-c", "20", "-s", "4", "-d", "1s")
        self.sound(r)
        self.assertEqual(r["delivered"], r["sent"] * 20)
        self.assertEqual(r["acknowledged"], r["sent"])
        self.assertEqual(r["acknowledge_us"]["count"], r["sent"])
        self.assertGreater(r["acknowledge_us"]["p50"], 0)
        self.assertEqual(r["clients"], 20)
        self.assertEqual(r["server_version"], "lanchatd/" + r["version"])
        self.assertIn("TLS", r["conditions"])
        self.assertGreater(r["server_cpu_ns_per_delivery"], 0)
        self.assertGreater(r["server_rss_bytes_per_client"], 0)
        for less, more in (("p50", "p90"), ("p90", "p99"), ("p99", "p999"), ("p999", "max")):
            self.assertLessEqual(r["latency_us"][less], r["latency_us"][more])
        self.assertEqual(os.listdir(self.folder), [], "its folder is gone")

    def test_kept(self):
        """The same with what is said kept on disk."""
        for history in ("os", "full"):
            r = self.measure("--local", "--plaintext", "--history", history, "-c", "10", "-s", "2",
                             "-d", "500ms")
            self.sound(r)
            self.assertIn(history, r["conditions"])

    def test_server(self):
        """A server that runs already, which it finds on this machine."""
        server = Server(self, "--rate", "off")
        where = f"127.0.0.1:{server.port}"
        extra = ["--plaintext"] if self.plaintext else []
        r = self.measure(where, *extra, "-c", "12", "-r", "3", "-s", "3", "--rate", "60/s", "-d",
                         "1s", "--size", "200")
        self.sound(r)
        self.assertEqual(r["delivered"], r["sent"] * 4)
        self.assertEqual(r["sent"], 60)
        self.assertGreater(r["server_cpu_ns_per_delivery"], 0)
        self.assertTrue(server.running())
        # The same people once more, whom the server has met.
        again = self.measure(where, *extra, "-c", "4", "-s", "1", "-d", "300ms", "--seed", "7")
        self.sound(again)
        again = self.measure(where, *extra, "-c", "4", "-s", "1", "-d", "300ms", "--seed", "7")
        self.sound(again)

    def test_slow_are_behind(self):
        """A slow reader is behind when the others are done, and gets everything all the same."""
        r = self.measure("--local", "--plaintext", "-c", "20", "-s", "2", "--slow", "10",
                         "--size", "2000", "-d", "2s", "--rate", "200/s")
        self.sound(r)
        self.assertEqual(r["delivered"], r["sent"] * 20)

    def test_slow_catch_up(self):
        """Slow readers who have missed very much get it all in the end, as fast as anybody reads."""
        self.sound(self.measure("--local", "--plaintext", "-c", "20", "-s", "2", "--slow", "5", "-d",
                                "1s"))

    def test_files(self):
        """A line of CSV for each second, a page, and a table."""
        table, page = os.path.join(self.folder, "t.csv"), os.path.join(self.folder, "t.html")
        out, _ = self.run_it("--local", "--plaintext", "-c", "10", "-s", "2", "-d", "2s", "--csv",
                             table, "--report", page, "--seed", "5")
        self.assertIn("delivered", out)
        with open(table, encoding="utf-8") as f:
            rows = list(csv.DictReader(io.StringIO(f.read())))
        self.assertGreaterEqual(len(rows), 2)
        with open(page, encoding="utf-8") as f:
            text = f.read()
        parser = html.parser.HTMLParser()
        parser.feed(text)
        self.assertIn("<svg", text)
        self.assertNotIn("http://", text.replace("http://www.w3.org/", ""))

    def test_stopped(self):
        """SIGINT ends the load early, with what there is."""
        process = self.start("--local", "--plaintext", "-c", "5", "-s", "1", "-d", "10m", "--json",
                             "-")
        child = wait_for(lambda: server_below(process.pid), "its server with its clients")
        while not process.stderr.readline().startswith("running"):
            self.assertIsNone(process.poll())
        process.send_signal(2)
        out, err = process.communicate(timeout=60)
        self.assertFalse(os.path.exists(f"/proc/{child}"), err)
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(process.returncode, 0, err)
        r = json.loads(out)
        self.sound(r)
        self.assertTrue(r["stopped"])

    def test_late(self):
        """What slow readers get when the load is over counts apart, and its latency for them alone."""
        r = self.measure("--local", "--plaintext", "-c", "20", "-s", "2", "--slow", "10", "--size",
                         "2000", "-d", "1s", "--rate", "200/s")
        self.sound(r)
        self.assertFalse(r["stopped"])
        in_time = r["delivered"] - r["delivered_late"]
        self.assertEqual(sum(second["delivered"] for second in r["by_second"]), in_time)
        self.assertEqual(r["latency_us"]["count"], r["sent"] * 18)
        self.assertGreater(r["delivered_late"], 0)
        self.assertGreater(r["bytes_in"], r["delivered"] * 2000)
        for client in r["by_client"]:
            self.assertGreater(client["mean_us"], 0)
            self.assertGreaterEqual(client["max_us"], client["mean_us"])

    def test_by_client(self):
        """Who comes and goes has no latency, and is counted in place of shown as the fastest of all."""
        page = os.path.join(self.folder, "t.html")
        r = self.measure("--local", "--plaintext", "-c", "20", "-s", "2", "-d", "1s", "--rate",
                         "200/s", "--churn", "20/s", "--slow", "5", "--report", page)
        self.sound(r)
        unknown = [client for client in r["by_client"] if client["mean_us"] is None]
        self.assertEqual(len(unknown), 4)
        self.assertNotIn(True, [client["slow"] for client in unknown])
        with open(page, encoding="utf-8") as f:
            self.assertIn("Left out: 4 that came and went", f.read())

    def test_too_fast(self):
        """What was due and could not be sent is told."""
        out, err = self.run_it("--local", "--plaintext", "-c", "4", "-s", "2", "--rate", "20M/s", "-d",
                               "200ms")
        self.assertIn("had not been sent", out, err)
        r = self.measure("--local", "--plaintext", "-c", "4", "-s", "2", "--rate", "20M/s", "-d",
                         "200ms")
        self.assertGreater(r["unsent"], 0)


    def test_not_taken(self):
        """What was written for a server that takes nothing is not counted as sent in time."""
        port = self.listen_to(b'INFO {"version":"9.9"}\r\n', b"PING\r\n", b"PONG\r\n")
        r = self.measure("-p", "nats", f"127.0.0.1:{port}", "-c", "2", "-s", "2", "--rate", "1000/s",
                         "--size", "20000", "-d", "1s", "--patience", "2s", status=1)
        self.assertEqual(r["server_version"], "9.9")
        taken = r["bytes_out"] // 20000
        self.assertAlmostEqual(r["unsent"] + taken, 1000, delta=10)
        self.assertGreater(r["sent_late"], 0)
        self.assertAlmostEqual(r["sent"] - r["sent_late"] + r["unsent"], 1000, delta=1)
        self.assertAlmostEqual(r["sent_per_s"] * r["load_seconds"], r["sent"] - r["sent_late"], delta=1)


class Faults(Stress):
    """What a faulty server does to one message in many is found each time."""

    def plant(self, fault, *options):
        return self.measure("--local", "--plaintext", "--lanchatd", FAULTY, "-c", "20", "-s", "4",
                            "--patience", "2s", *options, status=1, LANCHAT_FAULT=fault, LANCHAT_FAULT_EVERY="50")

    def test_drop(self):
        r = self.plant("drop", "--rate", "200/s", "-d", "1s")
        self.assertEqual(r["lost"], 20 * (r["sent"] // 50))
        self.assertEqual((r["doubled"], r["reordered"]), (0, 0))

    def test_quiet(self):
        """With -q there is a line of what went wrong all the same, and nothing else."""
        out, err = self.run_it("--local", "--plaintext", "--lanchatd", FAULTY, "-c", "5", "-s", "1", "-q",
                               "--rate", "100/s", "-d", "600ms", status=1, LANCHAT_FAULT="double",
                               LANCHAT_FAULT_EVERY="50")
        self.assertEqual((out, err), ("", "lanchat-stress: FAILED: 5 doubled\n"))

    def test_double(self):
        r = self.plant("double", "-d", "300ms")
        self.assertEqual(r["doubled"], 20 * (r["sent"] // 50))
        self.assertEqual((r["lost"], r["reordered"]), (0, 0))

    def test_reorder(self):
        """Whoever's the two are that changed places; only the last of all may have none to do so."""
        for seed in ("1", "2"):
            for options in (("-s", "1"), ("-s", "20"), ("-s", "20", "--rate", "1000/s"),
                            ("-s", "6", "-r", "3", "--rate", "1000/s")):
                with self.subTest(options=options, seed=seed):
                    r = self.plant("reorder", *options, "-d", "520ms", "--seed", seed)
                    members = 20 // int(r["rooms"])
                    planted = r["sent"] // 50 - 1
                    self.assertGreater(planted, 0)
                    self.assertGreaterEqual(r["reordered"], members * planted)
                    self.assertLessEqual(r["lost"], 20)
                    self.assertEqual(r["doubled"], 0)

    def test_drop_among_churn(self):
        """Coming and going ends with the load, and does not keep up waiting for what is lost."""
        for fault, count in (("drop", "lost"), ("double", "doubled")):
            with self.subTest(fault=fault):
                r = self.plant(fault, "--rate", "200/s", "-d", "1s", "--churn", "20/s", "--slow", "5")
                self.assertGreaterEqual(r[count], 16 * (r["sent"] // 50))
                self.assertGreater(r["churned"], 0)

    def test_none(self):
        """The same server without a fault is sound."""
        self.sound(self.measure("--local", "--plaintext", "--lanchatd", FAULTY, "-c", "20", "-s",
                                "4", "-d", "300ms"))

    def test_killed(self):
        """A server that ends in the middle of it."""
        server = Server(self, "--rate", "off")
        extra = ["--plaintext"] if self.plaintext else []
        process = self.start(f"127.0.0.1:{server.port}", *extra, "-c", "8", "-s", "2", "-d", "60s")
        wait_for(lambda: server.threads() > 8, "its clients")
        server.kill()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertIn("client ", err)

    def test_babbles(self):
        """A server that sends without end, and lets nobody in, is given up."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def babble():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=send_zeros, args=(listener.accept()[0],),
                                     daemon=True).start()

        def send_zeros(peer):
            with contextlib.suppress(OSError), peer:
                while True:
                    peer.sendall(bytes(8))
        threading.Thread(target=babble, daemon=True).start()
        _, err = self.run_it("--plaintext", f"127.0.0.1:{listener.getsockname()[1]}", "-c", "2", "-s",
                             "1", "--patience", "1s", status=1)
        self.assertRegex(err, "does not answer in lanchat|not everybody")

    def test_escapes(self):
        """What a server says when it refuses a client does nothing to a terminal."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def refuse():
            with contextlib.suppress(OSError):
                while True:
                    peer = listener.accept()[0]
                    self.addCleanup(peer.close)
                    peer.sendall(b"ERROR :\x1b]0;mine\x07 no\r\n")
        threading.Thread(target=refuse, daemon=True).start()
        _, err = self.run_it("--protocol", "irc", f"127.0.0.1:{listener.getsockname()[1]}", "-c", "2",
                             "-s", "1", status=1)
        self.assertIn(r"ERROR :\x1b]0;mine\x07 no", err)
        self.assertNotIn("\x1b", err)


class Wishes(Stress):
    def refused(self, *options, status=2):
        _, err = self.run_it(*options, status=status)
        self.assertEqual(len(err.strip().splitlines()), 1, err)
        return err

    def test_options(self):
        for options, word in (
                ((), "--local"),
                (("--local", "localhost"), "not both"),
                (("--local", "--rate", "fast"), "200/s"),
                (("--local", "--duration", "1y"), "10s"),
                (("--local", "--rate", "5/s", "--window", "2"), "not both"),
                (("--local", "--scenario", "flood"), "one-room"),
                (("--local", "--protocol", "xmpp"), "irc"),
                (("--local", "--protocol", "irc"), "lanchatd"),
                (("--local", "-c", "2", "-r", "3", "-s", "3"), "rooms"),
                (("--local", "-c", "2", "-s", "3"), "senders"),
                (("--local", "-c", "4", "-s", "4", "--churn", "1/s"), "churn"),
                (("--local", "-c", "4", "-s", "2", "--slow", "90"), "slow"),
                (("--local", "--size", "10"), "30"),
                (("--local", "--json", "/there/is/no/such"), "cannot be written"),
                (("--local", "--csv", ""), "cannot be written"),
                (("--local", "--csv", "."), "Is a directory"),
                (("--local", "--json", "/"), "Is a directory"),
                (("--local", "--report", "/proc/no.html"), "cannot be written"),
                (("--history", "off", "127.0.0.1:1"), "--local"),
                (("--history", "os", "127.0.0.1:1"), "--local"),
                (("--local", "--csv", "a", "--json", "a"), "same file"),
                (("--limits", "127.0.0.1:1"), "--local"),
                (("a", "b"), "more than one")):
            with self.subTest(options=options):
                self.assertIn(word, self.refused(*options))

    def test_machine(self):
        """More than the machine can do is refused before anything is started."""
        process = subprocess.run(
            ["prlimit", "--nofile=200:200", "setpriv", "--bounding-set=-sys_resource",
             "--inh-caps=-sys_resource", STRESS, "--local", "-c", "1000"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertIn("descriptors", process.stderr)
        self.assertIn("200", process.stderr)
        # Enough for the tool, and not for the server that it would start.
        process = subprocess.run(
            ["prlimit", "--nofile=1200:1200", "setpriv", "--bounding-set=-sys_resource",
             "--inh-caps=-sys_resource", STRESS, "--local", "-c", "1000"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertIn("1256 descriptors", process.stderr)

    def test_no_process(self):
        """Where no process may be started, that is told with its reason, whoever finds it out. Root is
        above the limit, so the tool runs as somebody else."""
        stranger = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--"]
        program = shutil.copy(STRESS, self.dir)
        os.chmod(self.dir, 0o755)
        os.chmod(self.folder, 0o777)
        if subprocess.run(stranger + ["test", "-x", program], capture_output=True).returncode:
            self.skipTest("cannot run the tool as another user")
        if SANITIZED:
            self.skipTest("sanitizers need threads of their own")
        for most in (1, 2):
            process = subprocess.run(
                stranger + ["prlimit", f"--nproc={most}:{most}", program, "--local", "--lanchatd",
                            "/bin/true"], env={**os.environ, "TMPDIR": self.folder},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertIn("cannot start a process: Resource temporarily", process.stderr)
            self.assertIn("ulimit -u", process.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_memory(self):
        """A server of its own that has no memory left closes connections; why, is told by its log."""
        if SANITIZED:
            self.skipTest("sanitizers map more than that")
        process = subprocess.run(
            ["prlimit", "--as=200000000:200000000", STRESS, "--local", "-c", "3000"],
            env={**os.environ, "TMPDIR": self.folder}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=90)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertRegex(process.stderr, "its server told of: warning no thread .*RLIMIT_AS")

    def few_ports(self):
        """In this namespace there are a hundred ports to connect from."""
        path = "/proc/sys/net/ipv4/ip_local_port_range"
        with open(path, encoding="ascii") as f:
            before = f.read()

        def write(text):
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        write("40000 40099")
        self.addCleanup(write, before)

    def test_ports(self):
        """Where an address has no port left, the next one has; where there is none, that is told."""
        self.few_ports()
        r = self.measure("--local", "--plaintext", "-c", "350", "-s", "1", "--rate", "10/s", "-d",
                         "500ms")
        self.sound(r)
        self.assertEqual(r["connected"], 350)
        server = Server(self, "--plaintext", "--max-per-address", "off", "--max-clients", "off",
                        "--max-logging-in", "off", listen="[::1]:0")
        err = self.refused("--plaintext", f"[::1]:{server.port}", "-c", "150", "-s", "1", "-q")
        self.assertIn("ip_local_port_range", err)

    def test_nobody_there(self):
        process = self.start("127.0.0.1:1", "-c", "3", "-s", "1")
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn("refused", err)

    def test_wrong_kind(self):
        """TLS against plaintext says what is wrong."""
        server = Server(self, "--plaintext")
        _, err = self.run_it(f"127.0.0.1:{server.port}", "-c", "2", "-s", "1", status=1)
        self.assertRegex(err, "TLS|plaintext")

    def test_wrong_protocol(self):
        """Who takes connections and says nothing that helps does not speak the protocol."""
        port = self.listen_to(b"", b"never", b"")
        err = self.refused(f"127.0.0.1:{port}", "--plaintext", "-q", "-c", "2", "-s", "1", "--patience",
                           "1s", status=1)
        self.assertIn("does not answer in lanchat", err)

    def test_full_disk(self):
        _, err = self.run_it("--local", "--plaintext", "-c", "4", "-s", "1", "-d", "200ms",
                             "--json", "/dev/full", status=1)
        self.assertIn("/dev/full", err)

    def test_file_size(self):
        """A limit on the size of files is an error like others, and nothing is left of the file."""
        server = Server(self, "--rate", "off")
        extra = ["--plaintext"] if self.plaintext else []
        process = subprocess.run(
            ["prlimit", "--fsize=1000:1000", STRESS, f"127.0.0.1:{server.port}", *extra, "-c", "4",
             "-s", "1", "-d", "200ms", "--json", os.path.join(self.folder, "r.json")],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertIn("File too large", process.stderr)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    main()
