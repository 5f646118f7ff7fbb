#!/usr/bin/env python3
"""lanchat-stress: who was slow, what is late, and what is lost. A server that pauses loses nothing, and
neither does the tool when it is paused itself; what it cannot know it does not claim."""

import json
import os
import signal
import socket
import threading
import time

from lib import Server, main, wait_for, wire
from lib.stress import Stress


class WithoutAcks:
    """A proxy that keeps one acknowledgement in `every` to itself. A thread for each direction."""

    def __init__(self, case, port, every):
        self.port, self.every, self.kept, self.count = port, every, 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        case.addCleanup(self.listener.close)
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.upwards, args=(near, far), daemon=True).start()
            threading.Thread(target=self.downwards, args=(far, near), daemon=True).start()

    @staticmethod
    def upwards(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def passes(self, number):
        if number != wire.MESSAGES["ACK"][0]:
            return True
        with self.lock:
            self.count += 1
            kept = self.count % self.every == 0
            self.kept += kept
        return not kept

    def downwards(self, source, sink):
        held = b""
        try:
            while data := source.recv(65536):
                held += data
                out = b""
                while len(held) >= wire.HEADER:
                    size = wire.HEADER + int.from_bytes(held[:4], "big")
                    if len(held) < size:
                        break
                    if self.passes(int.from_bytes(held[4:6], "big")):
                        out += held[:size]
                    held = held[size:]
                sink.sendall(out)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Verdicts(Stress):
    plaintext = True

    def serve(self, *options):
        return Server(self, "--history", "off", "--rate", "off", *options)

    def begin(self, *options):
        """The tool, once its load runs."""
        process = self.start("--plaintext", "--json", "-", *options)
        while not process.stderr.readline().startswith("running"):
            self.assertIsNone(process.poll())
        return process

    def finish(self, process, status=0):
        out, err = process.communicate(timeout=90)
        self.assertEqual(process.returncode, status, out + err)
        return json.loads(out), err

    @staticmethod
    def pause(process, seconds):
        """It does nothing for so long: that is the fault, not a time to wait for something."""
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGCONT)

    def test_server_pauses(self):
        """For longer than anybody's patience, in the midst of the load: it runs on to its end, and what
        is late is late."""
        server = self.serve()
        for pace in (("--rate", "100/s"), ("--window", "4")):
            with self.subTest(pace):
                process = self.begin(server.address, "-c", "10", "-s", "2", *pace, "-d", "4s",
                                     "--patience", "1s")
                self.pause(server, 2)
                r, _ = self.finish(process)
                self.sound(r)
                self.assertGreaterEqual(r["load_seconds"], 4)
                self.assertGreaterEqual(r["latency_us"]["max"], 1900000)
                self.assertEqual(r["delivered"], r["sent"] * 10)
                self.assertEqual(sum(s["delivered"] for s in r["by_second"]), r["delivered"])

    def test_ramp_outlasts_patience(self):
        """Nobody is waited for whose time to connect has not come."""
        server = self.serve()
        r = self.measure("--plaintext", server.address, "-c", "3", "-s", "1", "--rate", "10/s", "-d",
                         "500ms", "--ramp", "6s", "--patience", "1500ms")
        self.sound(r)

    def test_endless_churn(self):
        """However many are to leave, no more than are there do, and the run ends."""
        server = self.serve()
        for rate in ("2M/s", "100M/s"):
            r = self.measure("--plaintext", server.address, "-c", "20", "-s", "2", "--rate", "50/s", "-d",
                             "500ms", "--churn", rate)
            self.sound(r)
            self.assertGreater(r["churned"], 0)

    def test_rates(self):
        """Nothing is sent faster than it was to be."""
        server = self.serve()
        for rate, seconds, sent in (("1/s", 1, 1), ("20/s", 1, 20), ("2/s", 2, 4)):
            r = self.measure("--plaintext", server.address, "-c", "4", "-s", "1", "--rate", rate, "-d",
                             f"{seconds}s")
            self.sound(r)
            self.assertEqual(r["sent"], sent)
            self.assertLessEqual(r["sent_per_s"], sent / seconds)
            self.assertGreaterEqual(r["seconds"], seconds)

    def test_server_gone_silent(self):
        """It answers no more: what did not come is missing, and for how long nothing came is said."""
        server = self.serve()
        process = self.begin(server.address, "-c", "5", "-s", "1", "--rate", "50/s", "-d", "2s",
                             "--patience", "1s")
        os.kill(server.pid, signal.SIGSTOP)
        r, err = self.finish(process, status=1)
        os.kill(server.pid, signal.SIGCONT)
        self.assertGreater(r["lost"], 0)
        self.assertEqual(r["waited_seconds"], 1)
        self.assertIn("nothing more had come for 1 s (--patience)", err)
        # What is told second by second goes on until nothing is waited for; which of it is the load's is known.
        ends = [second["at_ms"] for second in r["by_second"]]
        of_load = 1 + sum(end < int(r["load_seconds"] * 1000) for end in ends)
        self.assertEqual(sum(second["sent"] for second in r["by_second"][:of_load]), r["sent"])
        self.assertGreaterEqual(ends[-1], (r["load_seconds"] + r["waited_seconds"]) * 1000 - 1)
        self.assertLessEqual(r["sent_per_s"], 50)

    def test_stopped_before_it_came(self):
        """Who stops the tool does not want to wait, and what was on its way then is not lost."""
        server = self.serve()
        process = self.begin(server.address, "-c", "5", "-s", "1", "--rate", "100/s", "-d", "10m")
        os.kill(server.pid, signal.SIGSTOP)
        time.sleep(0.3)  # for messages that it does not read any more
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        os.kill(server.pid, signal.SIGCONT)
        r = json.loads(out)
        self.assertTrue(r["stopped"])
        self.assertEqual(r["lost"], 0, err)
        self.assertEqual(r["waited_seconds"], 2)
        self.assertEqual(process.returncode, 0)

    def test_paused_itself(self):
        """By ^Z, or as the machine slept: nobody else is to blame, and nothing ends for it."""
        server = self.serve()
        process = self.begin(server.address, "-c", "5", "-s", "1", "--rate", "100/s", "-d", "3s",
                             "--patience", "1s")
        self.pause(process, 2)
        r, err = self.finish(process)
        self.sound(r)
        self.assertGreaterEqual(r["own_pause_seconds"], 1.5)
        self.assertGreaterEqual(r["load_seconds"], 3)
        self.assertIn("WARNING: this program was not let run", err)

    def test_acknowledgements(self):
        """Each message has one of its own: those that do not come are found, and not made up for by later
        ones."""
        server = self.serve()
        proxy = WithoutAcks(self, server.port, 10)
        r = self.measure("--plaintext", proxy.address, "-c", "4", "-s", "2", "--rate", "100/s", "-d",
                         "1s", "--patience", "1s", status=1)
        self.assertEqual(r["sent"], 100)
        self.assertEqual(proxy.kept, 10)
        self.assertEqual(r["acknowledged"], 90)
        self.assertEqual(r["unacknowledged"], 10)
        self.assertEqual(r["acknowledge_us"]["count"], 90)
        self.assertEqual(r["lost"], 0)

    def test_more_than_it_takes(self):
        """What the server does not read waits here, and is added to only when it does."""
        server = Server(self, "--sync", "os", "--rate", "off")
        r = self.measure("--plaintext", server.address, "-c", "4", "-s", "2", "--size", "4096",
                         "--window", "65536", "--in-flight", "131072", "-d", "1s")
        self.sound(r)
        self.assertEqual(r["delivered"], r["sent"] * 4)

    def test_slow_by_default(self):
        """What waits for slow readers is on disk, unless it is said that nothing is."""
        r = self.measure("--local", "--plaintext", "-c", "10", "-s", "2", "-d", "1s", "--slow", "9")
        self.sound(r)
        self.assertIn("sync os", r["conditions"])
        self.assertEqual(sum(c["slow"] for c in r["by_client"]), 1)

    def test_texts_too_long(self):
        """A server that does not take such texts is not let lose them."""
        server = self.serve("--max-text-length", "60")
        _, err = self.run_it("--plaintext", server.address, "-c", "4", "-s", "1", "-d", "1s", status=1)
        self.assertIn("max-text-length", err)

    def test_signals_at_the_end(self):
        """Nobody reads its results: it can be ended all the same."""
        fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(fifo)
        server = self.serve()
        process = self.start("--plaintext", server.address, "-c", "4", "-s", "1", "--rate", "50/s",
                             "-d", "300ms", "-q", "--json", fifo)
        wait_for(lambda: b"fifo" in self.waits_in(process.pid), "it to wait for a reader")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, -signal.SIGINT)

    @staticmethod
    def waits_in(pid):
        """Where in the kernel it waits."""
        with open(f"/proc/{pid}/stack", "rb") as f:
            return f.read()


class Refused(Stress):
    def test_full(self):
        """A server that is full says so in the clear, and that is what is told."""
        server = Server(self, "--max-clients", "3")
        _, err = self.run_it(server.address, "-c", "8", "-s", "1", "-d", "1s", status=1)
        self.assertIn("max-clients", err)
        self.assertNotIn("does not speak TLS", err)


if __name__ == "__main__":
    main()
