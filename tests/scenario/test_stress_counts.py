#!/usr/bin/env python3
"""lanchat-stress: what it counts and times when not all goes well: somebody is thrown out, or is not read
from, much is on its way at once, or what comes is damaged."""

import contextlib
import json
import os
import signal
import socket
import threading
import time

from lib import Server, main, wait_for
from lib.stress import Stress
from lib.wait import BUILD, SLOW

FAULTY = os.path.join(BUILD, "faulty", "lanchatd")


class Listener:
    """Takes every connection, one after the other, and serves it."""

    def __init__(self, case):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        case.addCleanup(self.listener.close)
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        with contextlib.suppress(OSError):
            while True:
                self.begin(self.listener.accept()[0])

    def begin(self, peer):
        """A thread of its own, unless there is another way."""
        threading.Thread(target=self.serve, args=(peer,), daemon=True).start()


class Proxy(Listener):
    """Relays every connection to a port, `most` of them, and can cut one. A thread for each direction."""

    def __init__(self, case, port, most=None):
        self.port = port
        self.most = most
        self.pairs = []
        super().__init__(case)

    def begin(self, peer):
        far = socket.create_connection(("127.0.0.1", self.port))
        self.pairs.append((peer, far))
        if len(self.pairs) == self.most:
            self.listener.shutdown(socket.SHUT_RDWR)
        for pair in ((peer, far), (far, peer)):
            threading.Thread(target=self.relay, args=pair, daemon=True).start()

    @staticmethod
    def relay(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def cut(self, number):
        for end in self.pairs[number]:
            with contextlib.suppress(OSError):  # the other one may have closed it meanwhile
                end.shutdown(socket.SHUT_RDWR)


class Echo(Listener):
    """A server of NATS for one client, which gets what it said, and the tenth of it again after a while."""

    def __init__(self, case, seconds):
        self.seconds = seconds
        super().__init__(case)

    def serve(self, peer):
        with contextlib.suppress(OSError, ValueError), peer, peer.makefile("rb") as lines:
            peer.sendall(b'INFO {"version":"9.9"}\r\n')
            said = 0
            for line in lines:
                word, *rest = line.split()
                if word == b"PING":
                    peer.sendall(b"PONG\r\n")
                elif word == b"SUB":
                    number = rest[-1]
                elif word == b"PUB":
                    size = int(rest[-1])
                    message = b"MSG %s %s %d\r\n" % (rest[0], number, size) + lines.read(size + 2)
                    peer.sendall(message)
                    said += 1
                    if said == 10:
                        threading.Timer(self.seconds, self.again, (peer.dup(), message)).start()

    @staticmethod
    def again(peer, message):
        with contextlib.suppress(OSError), peer:
            peer.sendall(message)


class LateHub(Listener):
    """A server of NATS which gives messages to whoever subscribes at once, and answers PING later."""

    def __init__(self, case, seconds):
        self.seconds = seconds
        self.lock = threading.Lock()
        self.members = {}  # connection: its subscription
        super().__init__(case)

    def send(self, peer, data):
        with contextlib.suppress(OSError), self.lock:
            peer.sendall(data)

    def serve(self, peer):
        with contextlib.suppress(OSError, ValueError), peer, peer.makefile("rb") as lines:
            self.send(peer, b'INFO {"version":"9.9"}\r\n')
            for line in lines:
                word, *rest = line.split()
                if word == b"PING":
                    threading.Timer(self.seconds, self.send, (peer, b"PONG\r\n")).start()
                elif word == b"SUB":
                    with self.lock:
                        self.members[peer] = rest[-1]
                elif word == b"PUB":
                    size = int(rest[-1])
                    self.publish(rest[0], lines.read(size + 2), size)
        with self.lock:
            self.members.pop(peer, None)

    def publish(self, subject, text, size):
        with self.lock:
            for peer, number in self.members.items():
                with contextlib.suppress(OSError):
                    peer.sendall(b"MSG %s %s %d\r\n" % (subject, number, size) + text)


class Counts(Stress):
    plaintext = True

    def serve(self, *options, **more):
        return Server(self, "--history", "off", "--rate", "off", *options, **more)

    def begin(self, *options):
        """The tool, once its load runs."""
        process = self.start("--plaintext", "--json", "-", *options)
        self.wait_phase(process, "running")
        return process

    def wait_phase(self, process, phase):
        while not process.stderr.readline().startswith(phase):
            self.assertIsNone(process.poll())

    def finish(self, process, status=0):
        out, err = process.communicate(timeout=90)
        self.assertEqual(process.returncode, status, out + err)
        return json.loads(out), err

    def test_thrown_out_at_the_end(self):
        """What somebody had said comes to the others all the same, and is waited for."""
        for pace in (("--rate", "200/s"), ("--window", "8")):
            with self.subTest(pace):
                server = self.serve()
                proxy = Proxy(self, server.port)
                process = self.begin(proxy.address, "-c", "4", "-s", "1", *pace, "-d", "800ms",
                                     "--patience", "3s")
                server.send_signal(signal.SIGSTOP)
                self.wait_phase(process, "waiting for the rest")
                descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
                proxy.cut(0)  # they come one by one, and the first is the one who speaks
                wait_for(lambda: process.poll() is not None or
                         len(os.listdir(f"/proc/{process.pid}/fd")) < descriptors, "it to be told")
                server.send_signal(signal.SIGCONT)
                r, _ = self.finish(process, status=1)
                # The last one may not have been with the server when the connection was cut.
                for client in r["by_client"][1:]:
                    self.assertGreaterEqual(client["delivered"], r["sent"] - 1)
                self.assertEqual(r["disconnected"], 1)
                self.assertEqual(r["lost"], r["sent"] * 4 - r["delivered"])
                self.assertEqual(r["lost_disconnected"], r["lost"])

    def test_thrown_out_midway(self):
        """By window, it is waited for no more, and the others go on."""
        server = self.serve()
        proxy = Proxy(self, server.port)
        process = self.begin(proxy.address, "-c", "4", "-s", "1", "--window", "4", "-d", "1s")
        proxy.cut(3)
        r, _ = self.finish(process, status=1)
        self.assertEqual([client["delivered"] for client in r["by_client"]][:3], [r["sent"]] * 3)
        self.assertGreater(r["sent"], 20 * 4)
        self.assertEqual(r["lost"], r["sent"] - r["by_client"][3]["delivered"])
        self.assertEqual(r["lost_disconnected"], r["lost"])

    def test_much_on_its_way(self):
        """However many of a sender's messages are, each is timed from when it was sent."""
        server = self.serve()
        process = self.begin(server.address, "-c", "2", "-s", "1", "--rate", f"{4000 // SLOW}/s", "-d",
                             "2s")
        server.send_signal(signal.SIGSTOP)
        time.sleep(1.2)  # in which some 4,800 are sent, unless they are few: that is the fault
        server.send_signal(signal.SIGCONT)
        r, _ = self.finish(process)
        self.sound(r)
        for name in ("latency_us", "service_us", "acknowledge_us"):
            # Of all, which were sent evenly over two seconds, three fifths came at the end of it.
            self.assertGreaterEqual(r[name]["max"], 1100000, name)
            self.assertGreater(r[name]["p50"], 100000, name)
            self.assertLess(r[name]["p50"], 1000000, name)

    def test_window_of_a_server_that_loses(self):
        """What is lost takes no place of the window."""
        r = self.measure("--local", "--plaintext", "--lanchatd", FAULTY, "-c", "4", "-s", "1", "--window",
                         "4", "-d", "1s", "--patience", "1s", status=1, LANCHAT_FAULT="drop",
                         LANCHAT_FAULT_EVERY="50")
        self.assertGreater(r["sent"], 4 * 50)
        self.assertEqual(r["lost"], 4 * (r["sent"] // 50))

    def test_window_of_which_all_is_lost(self):
        """No later message tells that: it is waited for as long as for anything, and then it goes on."""
        # A batch ends with a loss, and the next begins no sooner than the patience after that.
        for batches in (1, 2):
            with self.subTest(batches=batches):
                out, err = self.run_it("--local", "--plaintext", "--lanchatd", FAULTY, "-c", "4", "-s", "1",
                                       "--window", "1", "-d", f"{batches * SLOW}s", "--patience",
                                       f"{SLOW}s", "--json", "-", status=1, LANCHAT_FAULT="drop",
                                       LANCHAT_FAULT_EVERY="50")
                r = json.loads(out)
                self.assertEqual(r["sent"], batches * 50)
                self.assertEqual(r["lost"], 4 * (r["sent"] // 50))
                self.assertRegex(err, "WARNING: senders waited [0-9]+ % of their time for messages that did")

    def test_cpu_of_the_load(self):
        """The server's part of a core is that of the load's time, however long the rest is waited for."""
        r = self.measure("--local", "--plaintext", "--lanchatd", FAULTY, "-c", "4", "-s", "1", "--window",
                         "4", "-d", "500ms", "--patience", "2s", status=1, LANCHAT_FAULT="drop",
                         LANCHAT_FAULT_EVERY="50")
        self.assertGreater(r["server_cpu"] * r["load_seconds"] * 1e9, r["server_cpu_ns"] * 0.7)

    def test_server_that_ended(self):
        """What it had of a processor is not known, if there was no time to look, rather than nothing."""
        server = self.serve()
        process = self.begin(server.address, "-c", "4", "-s", "1", "--rate", "100/s", "-d", "60s")
        server.kill()
        r, _ = self.finish(process, status=1)
        for name in ("server_cpu_ns", "server_cpu", "server_cpu_ns_per_delivery"):
            self.assertNotEqual(r[name], 0, name)
        for second in r["by_second"]:
            self.assertEqual(second["server_cpu_ns"] is None, second["server_rss_bytes"] is None)

    def test_load_ends_with_its_senders(self):
        """However long slow readers have something to read of a server that is gone."""
        server = self.serve()
        process = self.begin(server.address, "-c", "20", "-s", "5", "--rate", "3000/s", "--size", "1000",
                             "--slow", "20", "-d", "60s", "--patience", "2s")
        wait_for(lambda: server.rss_kib() and self.queued(server.port) > 4 * 500000, "a lag")
        server.kill()
        r, _ = self.finish(process, status=1)
        self.assertLess(r["load_seconds"], 30)
        self.assertGreater(r["sent_per_s"], 2000)
        self.assertLess(r["unsent"], 500)

    @staticmethod
    def queued(port):
        """Bytes on their way from a port, that nobody has taken."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        return sum(int(row[4].split(":")[0], 16) for row in rows
                   if int(row[1].split(":")[1], 16) == port)

    def test_all_that_was_due(self):
        """Each message that was due has been sent, or is told."""
        server = self.serve()
        process = self.begin(server.address, "-c", "4", "-s", "2", "--rate", "1000/s", "-d", "3s")
        self.pause(process, 4)  # beyond the end
        r, err = self.finish(process)
        self.assertGreater(r["unsent"], 0)
        self.assertEqual(r["sent"] + r["unsent"], 3000)
        self.assertRegex(err, "WARNING: [0-9,]+ messages? that w(as|ere) due had not been sent")
        process = self.begin(server.address, "-c", "4", "-s", "1", "--rate", "2/s", "-d", "1s")
        self.pause(process, 1.5)
        r, _ = self.finish(process)
        self.assertEqual(r["sent"] + r["unsent"], 2)

    def test_doubled_when_all_have_come(self):
        """What comes once too often need not come before the rest."""
        echo = Echo(self, 0.01)
        r = self.measure("-p", "nats", echo.address, "-c", "1", "-s", "1", "--rate", "20/s", "-d", "500ms",
                         status=1)
        self.assertEqual((r["sent"], r["delivered"]), (10, 10))
        self.assertEqual(r["doubled"], 1)

    def test_return_without_history(self):
        """What was said while somebody was away is not owed to them, though something new comes before they
        know that they are back."""
        hub = LateHub(self, 0.05)
        r = self.measure("-p", "nats", hub.address, "-c", "10", "-s", "3", "--rate", "200/s", "-d", "2s",
                         "--churn", "10/s", "--patience", "2s")
        self.sound(r)
        self.assertGreater(r["churned"], 0)
        # Nor when it ends while they are away.
        process = self.start("-p", "nats", hub.address, "-c", "10", "-s", "3", "--rate", "200/s", "-d", "60s",
                             "--churn", "20/s", "--json", "-")
        self.wait_phase(process, "running")
        wait_for(lambda: len(hub.members) < 10, "somebody to be away")
        process.send_signal(signal.SIGINT)
        r, err = self.finish(process)
        self.assertEqual(r["outstanding"], 0, err)

    def test_churn_that_cannot_be(self):
        server = self.serve()
        r, err = self.finish(self.begin(server.address, "-c", "20", "-s", "2", "--rate", "50/s", "-d", "1s",
                                        "--churn", "1000/s"))
        self.assertLess(r["churned"], 500)
        self.assertRegex(err, f"WARNING: {r['churned']} clients? left and returned of the 1,0.. that")

    def test_nobody_returns(self):
        """Who left and was not let in again has not returned."""
        server = self.serve()
        proxy = Proxy(self, server.port, most=20)
        process = self.begin(proxy.address, "-c", "20", "-s", "2", "--rate", "50/s", "-d", "1500ms", "--churn",
                             "20/s")
        r, err = self.finish(process, status=1)
        self.assertEqual(r["churned"], 0)
        self.assertGreater(r["disconnected"], 0)
        self.assertRegex(err, r"WARNING: 0 clients left and returned of the [0-9]+ that were to \(--churn\)\n")

    def test_paused_for_a_moment(self):
        """A third of a second is told, and of what: of the load, or of connecting."""
        server = self.serve()
        process = self.begin(server.address, "-c", "4", "-s", "1", "--rate", "100/s", "-d", "1s")
        self.pause(process, 0.35)
        r, err = self.finish(process)
        self.assertGreaterEqual(r["own_pause_seconds"], 0.25)
        self.assertRegex(err, r"WARNING: this program was not let run for 0\.. s of the load")
        process = self.start("--plaintext", "--json", "-", server.address, "-c", "4", "-s", "1", "--rate",
                             "100/s", "--ramp", "1500ms", "-d", "500ms")
        self.wait_phase(process, "connecting")
        self.pause(process, 0.6)
        r, err = self.finish(process)
        self.assertLess(r["own_pause_seconds"], 0.5)
        self.assertGreaterEqual(r["connect_pause_seconds"], 0.5)
        self.assertRegex(err, r"WARNING: this program was not let run for 0\.. s while clients connected")

    @staticmethod
    def pause(process, seconds):
        """It does nothing for so long: that is the fault, not a time to wait for something."""
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def test_damaged(self):
        """The last byte of a long text: it is not what was sent, which so is lost."""
        r = self.measure("--local", "--plaintext", "--lanchatd", FAULTY, "-c", "5", "-s", "2", "--rate",
                         "200/s", "--size", "3000", "-d", "1s", "--patience", "1s", status=1,
                         LANCHAT_FAULT="damage", LANCHAT_FAULT_EVERY="50")
        self.assertEqual(r["foreign"], 5 * (r["sent"] // 50))
        self.assertEqual(r["lost"], r["foreign"])
        self.assertEqual(r["lost_disconnected"], 0)
        self.assertEqual((r["doubled"], r["reordered"]), (0, 0))

    def test_faults_of_every_run(self):
        """A fault that was planted is there in each run against one server."""
        server = self.serve(program=FAULTY, env={"LANCHAT_FAULT": "reorder", "LANCHAT_FAULT_EVERY": "20"})
        for _ in range(3):
            r = self.measure("--plaintext", server.address, "-c", "4", "-s", "1", "--rate", "200/s", "-d",
                             "305ms", "--patience", "1s", status=1)
            self.assertGreaterEqual(r["reordered"], 4 * (r["sent"] // 20 - 1))

    def test_one_is_not_read_from(self):
        """Whoever is not read from is late; the others say what they have to say when it is due."""
        port = self.listen_deaf_to_first(b'INFO {"version":"9.9"}\r\n', b"PING\r\n", b"PONG\r\n")
        r = self.measure("-p", "nats", f"127.0.0.1:{port}", "-c", "4", "-s", "4", "--rate", "800/s",
                         "--size", "20000", "-d", "2s", "--patience", "1s", status=1)
        self.assertGreater(r["unsent"], 0)
        self.assertGreaterEqual(r["sent"], 3 * 400)

    def listen_deaf_to_first(self, greeting, word, answer):
        """The port of a server that greets, answers a word, and takes all else but of the first."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve(peer, deaf):
            heard = b""
            if deaf:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with contextlib.suppress(OSError):
                peer.sendall(greeting)
                while word not in heard:
                    heard += peer.recv(4096) or word
                peer.sendall(answer)
                while not deaf and peer.recv(1 << 20):
                    pass

        def take():
            with contextlib.suppress(OSError):
                for number in range(100):
                    peer = listener.accept()[0]
                    self.addCleanup(peer.close)
                    threading.Thread(target=serve, args=(peer, number == 0), daemon=True).start()
        threading.Thread(target=take, daemon=True).start()
        return listener.getsockname()[1]


if __name__ == "__main__":
    main()
