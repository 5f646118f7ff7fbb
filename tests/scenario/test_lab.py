#!/usr/bin/env python3
"""lanchat-lab: what it asserts holds, on hosts of its own and on loopback, as root and as an ordinary
user; what it cannot show it says; and tshark finds in its captures what it counted."""

import json
import os
import re
import shlex
import shutil
import subprocess

from lib import Scenario, brief, main
from lib.wait import BUILD, COUNTED

LAB = os.path.join(BUILD, "lanchat-lab")
NOBODY = "65534"
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]

# How many assertions of each scenario hold, on hosts and on loopback (0: it is not shown there).
CHECKS = {
    "operations": (6, 5), "boundaries": (2, 2), "short-buffer": (3, 3), "zero": (4, 4),
    "loss": (5, 3), "blocking": (5, 0), "refused": (11, 5), "slow-reader": (4, 4),
    "half-close": (10, 8), "time-wait": (4, 4), "nagle": (3, 0), "fragments": (5, 0),
    "dead-peer": (3, 0), "connected": (4, 4), "broadcast": (5, 0), "congestion": (3, 0),
}


def can_make_hosts():
    """Whether somebody who is root here can; else the reason."""
    done = subprocess.run([LAB, "run", "boundaries"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    return None if "played on loopback" not in done.stderr else done.stderr.strip()


class Lab(Scenario):
    longest = 120 if brief() else 900

    def start(self, *words, before=()):
        return subprocess.Popen([*before, LAB, *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **self.sanitizer_options()})

    def lab(self, *words, status=0, before=()):
        process = self.start(*words, before=before)
        self.addCleanup(self.end, process)
        out, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, status, out + err)
        return out, err

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def results(self, *words, status=0, before=()):
        """What it says as JSON, with its scenarios by name."""
        out, err = self.lab(*words, "--json", "-", status=status, before=before)
        try:
            result = json.loads(out)
        except ValueError:
            self.fail(out + err)
        self.assertEqual(result["status"], status)
        result["by_name"] = {s["name"]: s for s in result["scenarios"]}
        return result

    def sound(self, scenario, checks):
        """It was played, and everything that it should assert held."""
        # Whose peer a socket has cannot be shown where a relay stands between.
        relayed = scenario["name"] == "operations" and scenario["loopback"]
        wrong = [c for c in scenario["checks"] if not c["good"]]
        self.assertEqual([c["good"] for c in wrong], [None] if relayed else [], wrong)
        self.assertTrue(scenario["shown"], scenario["reason"])
        self.assertIsNone(scenario["error"], scenario["name"])
        self.assertEqual(len(scenario["checks"]) - len(wrong), checks, scenario["name"])
        self.assertEqual(scenario["not_shown"], len(wrong))
        self.assertEqual(scenario["held"], checks)
        self.assertEqual(scenario["failed"], 0)


class Hosts(Lab):
    """Needs namespaces and a TUN device."""

    def setUp(self):
        super().setUp()
        reason = can_make_hosts()
        if reason:
            self.skipTest(reason)

    def test_all(self):
        """Every scenario, with every assertion; told as text, as JSON and as a capture."""
        for _ in range(1 if brief() else 20):
            kept = os.path.join(self.dir, "all.json")
            capture = os.path.join(self.dir, "all.pcapng")
            out, err = self.lab("run", "all", "--json", kept, "--pcap", capture)
            self.assertEqual(err, "")
            with open(kept, encoding="utf-8") as f:
                result = json.load(f)
            self.assertEqual([s["name"] for s in result["scenarios"]], list(CHECKS))
            self.assertEqual([s["number"] for s in result["scenarios"]], list(range(len(CHECKS))))
            for s in result["scenarios"]:
                self.sound(s, CHECKS[s["name"]][0])
                self.assertFalse(s["loopback"])
            total = sum(on_hosts for on_hosts, _ in CHECKS.values())
            self.assertEqual((result["held"], result["failed"], result["status"]), (total, 0, 0))
            self.assertEqual(len(re.findall(r"^ok ", out, re.M)), total)
            self.assertNotIn("FAILED", out)
            self.assertIn(f"{len(CHECKS)} scenarios, {total} assertions held, 0 failed", out)
            self.compare(result["scenarios"][4])
            with open(capture, "rb") as f:
                self.assertEqual(f.read(4), b"\x0a\x0d\x0d\x0a")

    def test_retransmissions(self):
        """Each scenario's kernels are asked how often TCP sent something again."""
        result = self.results("run", "blocking", "refused", "slow-reader")["by_name"]
        for name, s in result.items():
            self.assertIsInstance(s["tcp"]["retransmitted"], int, name)
        self.assertGreater(result["blocking"]["tcp"]["retransmitted"], 0)
        self.assertGreater(result["refused"]["tcp"]["retransmitted"], 0)

    def test_large_message(self):
        """More than a socket's buffer takes at once is sent all the same."""
        s = self.results("run", "fragments", "--size", "65507")["by_name"]["fragments"]
        self.sound(s, 5)
        self.assertIn("65507 of 65507 bytes", s["checks"][-1]["measured"])

    def test_messages_are_numbered_alike(self):
        """The fifth datagram is the one that says so, and it is the one that the wire drops."""
        capture = os.path.join(self.dir, "numbers.pcapng")
        out, _ = self.lab("run", "blocking", "--pcap", capture)
        self.assertIn('"0000001', out)
        self.assertNotIn('"0000000', out)
        if not shutil.which("tshark"):
            self.skipTest("tshark is not installed")
        lost = subprocess.run(["tshark", "-r", capture, "-Y",
                               "udp && frame.interface_id == 0 && frame.comment contains \"purpose\"",
                               "-T", "fields", "-e", "udp.payload"], capture_output=True, text=True,
                              timeout=60, check=True).stdout
        self.assertEqual(bytes.fromhex(lost.strip())[:8], b"0000005 ")

    def test_group(self):
        """What is said of the group is true of the wire: it went to both hosts, and a report was sent."""
        capture = os.path.join(self.dir, "group.pcapng")
        self.lab("run", "broadcast", "--pcap", capture)
        if not shutil.which("tshark"):
            self.skipTest("tshark is not installed")
        out = subprocess.run(["tshark", "-r", capture, "-T", "fields", "-e", "frame.interface_id",
                              "-e", "ip.dst", "-e", "_ws.col.Protocol"], capture_output=True,
                             text=True, timeout=60, check=True).stdout
        rows = [line.split("\t") for line in out.splitlines()]
        self.assertEqual({r[0] for r in rows if r[1] == "239.83.19.1"}, {"0", "1", "2"})
        self.assertTrue(any(r[2].startswith("IGMP") for r in rows), rows)

    def compare(self, loss):
        """Both sides of the scenario that has it all."""
        tcp, udp = loss["tcp"], loss["udp"]
        self.assertEqual((tcp["sent"], tcp["received"], tcp["lost"], tcp["late"], tcp["twice"]),
                         (1000, 1000, 0, 0, 0))
        self.assertEqual(udp["received"] + udp["lost"], 1000)
        self.assertEqual(udp["wire"]["sent"], 1000)
        self.assertEqual(udp["wire"]["arrived"], udp["received"] + udp["twice"])
        self.assertEqual(udp["wire"]["retransmitted"], 0)
        self.assertEqual(udp["latency_us"]["count"], udp["received"])

    def test_seed(self):
        """The same seed loses the same datagrams, whatever TCP does beside them."""
        def play(seed):
            s = self.results("run", "loss", "--seed", seed, "--count", "200")["by_name"]["loss"]
            self.sound(s, 5)
            return [s["udp"][key] for key in ("received", "lost", "twice", "late")]
        first = play("7")
        self.assertGreater(first[1], 0)
        # Who is overtaken depends on when each was sent, too.
        self.assertEqual(play("7")[:3], first[:3])
        others = [play(seed)[:3] for seed in ("8", "9", "10")]
        self.assertTrue(any(other != first[:3] for other in others))

    def test_failing(self):
        """A line without bounds overflows nowhere: what is asserted of congestion does not hold."""
        out, _ = self.lab("run", "boundaries", "congestion", "--rate", "off", "--queue", "off",
                          status=1)
        self.assertIn("FAILED  UDP", out)
        result = self.results("run", "congestion", "--rate", "off", "--queue", "off", status=1)
        wrong = [c for c in result["by_name"]["congestion"]["checks"] if not c["good"]]
        self.assertEqual(result["failed"], len(wrong))
        self.assertIn("udp", [c["side"] for c in wrong])

    def test_another_network(self):
        """What adapts to the network holds on others as well."""
        for options in (["--loss", "0"], ["--loss", "15%", "--dup", "10%"],
                        ["--jitter", "5ms", "--size", "300"], ["--mtu", "576", "--size", "500"]):
            result = self.results("run", "loss", "--count", "150", "--delay", "5ms", *options)
            self.sound(result["by_name"]["loss"], 5)
        result = self.results("run", "fragments", "--mtu", "1000", "--size", "6000")
        self.sound(result["by_name"]["fragments"], 5)

    def test_two_beside_each_other(self):
        """Two runs do not meet."""
        names = ["boundaries", "half-close", "time-wait", "connected"]
        runs = [self.start("run", *names) for _ in range(2)]
        for process in runs:
            self.addCleanup(self.end, process)
        for process in runs:
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, out + err)

    def test_interrupted(self):
        """A signal ends it soon, in the middle of what waits for seconds."""
        process = self.start("run", "dead-peer", "congestion")
        self.addCleanup(self.end, process)
        for line in process.stdout:
            if line.startswith("12."):
                break
        process.send_signal(2)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, out + err)
        self.assertNotIn("15. ", out)
        self.assertIn("did not come to its end", out)


class Capture(Lab):
    """tshark reads what was on the wire, and comes to the same counts."""

    # What tshark says of a segment that was sent again. Out of order is its word for one that comes
    # within 3 ms, or a round trip, of a later one; where nothing overtakes, that was sent again, too.
    SENT_AGAIN = ["tcp.analysis.retransmission", "tcp.analysis.fast_retransmission",
                  "tcp.analysis.out_of_order", "tcp.analysis.spurious_retransmission"]

    def setUp(self):
        super().setUp()
        if not shutil.which("tshark"):
            self.skipTest("tshark is not installed")
        reason = can_make_hosts()
        if reason:
            self.skipTest(reason)

    def tshark(self, capture, *options):
        return subprocess.run(["tshark", "-r", capture, *options], capture_output=True, text=True,
                              timeout=60, check=True).stdout

    def of_host(self, capture, host):
        """What a capture on that host would have: for each packet whether it is UDP, whether it was
        lost, where it came from, and whether tshark says that it was sent again."""
        kept = os.path.join(self.dir, f"host{host}.pcapng")
        self.tshark(capture, "-Y", f"frame.interface_id == {host}", "-w", kept)
        fields = ["udp.length", "frame.comment", "ip.src", *self.SENT_AGAIN]
        out = self.tshark(kept, "-T", "fields", *[word for f in fields for word in ("-e", f)])
        rows = [line.split("\t") for line in out.splitlines()]
        return [(bool(r[0]), "lost" in r[1], r[2], any(r[3:])) for r in rows]

    def test_counts(self):
        capture = os.path.join(self.dir, "loss.pcapng")
        s = self.results("run", "loss", "--dup", "0", "--reorder", "0", "--count", "200", "--pcap",
                         capture)["by_name"]["loss"]
        self.sound(s, 5)
        udp, tcp = s["udp"]["wire"], s["tcp"]["wire"]
        hosts = [self.of_host(capture, host) for host in (0, 1)]
        self.assertEqual(sum(is_udp for is_udp, *_ in hosts[0]), udp["sent"])
        self.assertEqual(sum(is_udp and lost for is_udp, lost, *_ in hosts[0]), udp["lost"])
        self.assertEqual(sum(is_udp for is_udp, *_ in hosts[1]), udp["arrived"])
        own = [row for host, rows in enumerate(hosts) for row in rows
               if not row[0] and row[2] == f"10.83.19.{host + 1}"]
        self.assertEqual(len(own), tcp["sent"])
        self.assertEqual(sum(lost for _, lost, *_ in own), tcp["lost"])
        self.assertEqual(sum(again for *_, again in own), tcp["retransmitted"])

    def test_delayed(self):
        """Whoever took longer than the delay has a comment that says so, and by how much."""
        capture = os.path.join(self.dir, "delayed.pcapng")
        self.lab("run", "boundaries", "--delay", "20ms", "--jitter", "10ms", "--pcap", capture)
        rows = self.tshark(capture, "-Y", "frame.comment contains \"delayed\"", "-T", "fields",
                           "-e", "frame.comment").splitlines()
        self.assertGreater(len(rows), 0)
        for row in rows:
            self.assertRegex(row, r"delayed: \d+\.\d{3} ms longer than the wire's delay")
        with open(capture, "rb") as f:
            self.assertIn(b"each way, is 20.000 ms", f.read())
        # Without jitter, every packet takes as long as any other.
        self.lab("run", "boundaries", "--delay", "20ms", "--pcap", capture)
        self.assertEqual(self.tshark(capture, "-Y", "frame.comment contains \"delayed\""), "")

    def view(self, host):
        """The results of a scenario, and tshark's rows of one host's view: who sent each segment of
        TCP, and whether it is one that was sent again."""
        capture = os.path.join(self.dir, f"{host}.pcapng")
        s = self.results("run", "blocking", "--pcap", capture, "--pcap-host",
                         host)["by_name"]["blocking"]
        self.sound(s, 5)
        fields = ["ip.src", "frame.comment", *self.SENT_AGAIN]
        rows = [line.split("\t") for line in self.tshark(
            capture, "-Y", "tcp", "-T", "fields",
            *[word for f in fields for word in ("-e", f)]).splitlines()]
        return s, rows, self.tshark(capture, "-Y", "udp").splitlines()

    def test_one_end(self):
        """Of one host's view tshark comes to the lab's own counts of segments and retransmissions,
        without any filter. In this scenario one segment of the client's is lost, and nothing else."""
        s, rows, udp = self.view("client")
        tcp = s["tcp"]["wire"]
        self.assertEqual((len(rows), len(udp)), (tcp["sent"], s["udp"]["wire"]["sent"]))
        self.assertEqual(sum("dropped: on purpose" in row[1] for row in rows), tcp["lost"])
        self.assertGreater(tcp["retransmitted"], 0)
        self.assertEqual(sum(any(row[2:]) for row in rows), tcp["retransmitted"])
        s, rows, udp = self.view("server")
        self.assertEqual((len(rows), len(udp)),
                         (s["tcp"]["wire"]["arrived"], s["udp"]["wire"]["arrived"]))
        self.assertEqual(sum("dropped" in row[1] for row in rows), 0)

    def test_all_media(self):
        """What is written of hosts with TAP devices can be read as well, without complaint."""
        capture = os.path.join(self.dir, "broadcast.pcapng")
        self.lab("run", "broadcast", "--pcap", capture)
        self.assertEqual(self.tshark(capture, "-Y", "_ws.malformed"), "")
        self.assertNotEqual(self.tshark(capture, "-Y", "udp && ip.dst == 10.83.19.255"), "")


class OrdinaryUser(Lab):
    """Somebody who is not root, with a /dev/net that this test makes, in namespaces of its own."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("it takes root to become somebody else")
        if BUILD.endswith("-tsan"):
            self.skipTest("user namespaces refuse who has threads, and the thread sanitizer has one")
        # Programs that were built below a folder of root's alone are run from elsewhere.
        self.program = os.path.join(self.dir, "lanchat-lab")
        shutil.copy(LAB, self.program)

    def as_nobody(self, device, *words, status=0):
        """Run it so that it finds a device of this mode, or none ("")."""
        node = "" if not device else \
            f"mknod /dev/net/tun c 10 200 && chmod {device} /dev/net/tun && "
        script = "mount -t tmpfs -o mode=755,dev none /dev/net && " + node + "exec " + \
            shlex.join(AS_NOBODY + [self.program, *words])
        process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, **self.sanitizer_options()})
        self.addCleanup(self.end, process)
        out, err = process.communicate(timeout=100)
        if "mknod" in err or "mount" in err:
            self.skipTest(err.strip())
        self.assertEqual(process.returncode, status, out + err)
        return out, err

    def test_hosts(self):
        """Where it may open the device, an ordinary user has all that root has."""
        if COUNTED:
            self.skipTest("other users cannot write the counters, which is told on stderr")
        if subprocess.run([*AS_NOBODY, "unshare", "--user", "--net", "true"], capture_output=True,
                          timeout=20, check=False).returncode != 0:
            self.skipTest("no user namespaces for ordinary users here")
        names = ["operations", "blocking", "fragments", "broadcast"] if brief() else ["all"]
        out, err = self.as_nobody("0666", "run", *names, "--json", "-")
        self.assertEqual(err, "")
        for s in json.loads(out)["scenarios"]:
            self.sound(s, CHECKS[s["name"]][0])
            self.assertFalse(s["loopback"])

    def refused(self, device, *clues):
        """It says what is missing, shows what it can on loopback, and what it cannot it says."""
        out, err = self.as_nobody(device, "run", "boundaries", "fragments", "--json", "-", status=3)
        result = {s["name"]: s for s in json.loads(out)["scenarios"]}
        self.sound(result["boundaries"], 2)
        self.assertTrue(result["boundaries"]["loopback"])
        self.assertFalse(result["fragments"]["shown"])
        for clue in clues:
            self.assertIn(clue, result["fragments"]["reason"])
            self.assertIn(clue, err)
        # Everything that was asked for can be shown: that is no failure.
        self.as_nobody(device, "run", "boundaries")

    def test_device_is_closed(self):
        self.refused("0600", "/dev/net/tun", "Permission denied")

    def test_no_device(self):
        self.refused("", "/dev/net/tun", "modprobe tun")

    def test_no_namespaces(self):
        """Where user namespaces are used up, and there are no capabilities either."""
        script = "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --no-new-privs " \
            f"--bounding-set -all -- {shlex.quote(LAB)} run boundaries nagle --json -"
        process = subprocess.run(["unshare", "--user", "--map-root-user", "--pid", "--fork",
                                  "--mount-proc", "sh", "-c", script], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=60, check=False,
                                 env={**os.environ, **self.sanitizer_options()})
        if "max_user_namespaces" in process.stderr and "cannot create" in process.stderr or \
                "unshare:" in process.stderr:
            self.skipTest(process.stderr.strip())
        self.assertEqual(process.returncode, 3, process.stdout + process.stderr)
        result = {s["name"]: s for s in json.loads(process.stdout)["scenarios"]}
        self.sound(result["boundaries"], 2)
        self.assertIn("CLONE_NEWUSER", result["nagle"]["reason"])
        self.assertIn("user namespaces", process.stderr)


class Loopback(Lab):
    def test_all(self):
        """What a relay can show is shown, under that name; what not is named."""
        out, err = self.lab("run", "all", "--loopback", status=3)
        self.assertEqual(err, "")
        self.assertIn("a relay on loopback, in place of hosts", out)
        self.assertIn("Between the two stands a relay", out)
        self.assertRegex(out, "NOT SHOWN  TCP  the socket that accept gave has the client as its peer")
        result = self.results("run", "all", "--loopback", "--count", "200", status=3)
        for name, (_, checks) in CHECKS.items():
            s = result["by_name"][name]
            self.assertTrue(s["loopback"])
            if checks:
                self.sound(s, checks)
            else:
                self.assertFalse(s["shown"], name)
                self.assertIn("hosts of its own", s["reason"])
                self.assertEqual(s["checks"], [])

    def test_seed(self):
        """Also the relay's chances are those of the seed."""
        def play():
            s = self.results("run", "loss", "--loopback", "--seed", "3", "--count", "150")
            return [s["by_name"]["loss"]["udp"][key] for key in ("received", "lost", "twice")]
        first = play()
        self.assertGreater(first[1], 0)
        self.assertEqual(play(), first)


class Usage(Lab):
    def test_list(self):
        """Without a terminal, lanchat-lab alone lists too, and tells how to play."""
        listed, _ = self.lab("list")
        self.assertEqual([line.split()[:2] for line in listed.splitlines()],
                         [[str(n), name] for n, name in enumerate(CHECKS)])
        alone, _ = self.lab()
        self.assertTrue(alone.startswith(listed), alone)
        self.assertIn("lanchat-lab run NAME", alone[len(listed):])

    def test_wrong(self):
        for words, clue in ((["run"], "run what"), (["run", "los"], "did you mean \"loss\""),
                            (["run", "16"], "no scenario"), (["play"], "not list, run or chat"),
                            (["blokcing"], "did you mean \"blocking\""),
                            (["lsit"], "did you mean \"list\""),
                            (["list", "extra"], "list goes without other words"),
                            (["run", "all", "5"], "all is every scenario"),
                            (["run", "loss", "all"], "all is every scenario"),
                            (["run", "loss", "--loss", "101%"], "at most 100%"),
                            (["run", "loss", "--dup", "101%"], "at most 100%"),
                            (["run", "loss", "--reorder", "101%"], "at most 100%"),
                            (["run", "loss", "--rate", "0"], "from 1bit to 1000gbit"),
                            (["run", "loss", "--queue", "2000m"], "to 1000000000 bytes"),
                            (["run", "loss", "--json", ""], "name of a file is missing"),
                            (["run", "loss", "--pcap", ""], "name of a file is missing"),
                            (["run", "loss", "--report", ""], "name of a file is missing"),
                            (["run", "loss", "--pcap-host", "client"], "goes with --pcap"),
                            (["run", "loss", "--loss", "much"], "--loss"),
                            (["run", "loss", "--delay", "1h"], "--delay"),
                            (["run", "loss", "--count", "0"], "count"),
                            (["run", "blocking", "--count", "1"], "--count 6"),
                            (["run", "fragments", "--size", "8"], "--size 1473"),
                            (["run", "congestion", "--count", "20"], "--count 32"),
                            (["run", "loss", "--bogus"], "bogus")):
            out, err = self.lab(*words, status=2)
            self.assertEqual(out, "")
            self.assertIn(clue, err)
            self.assertEqual(err.count("\n"), 1, err)

    def test_help(self):
        out, _ = self.lab("--help")
        for name in CHECKS:
            self.assertIn(f"  {name}\n", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80)
        out, _ = self.lab("--version")
        self.assertTrue(out.startswith("lanchat-lab "))

    def test_unwritable(self):
        """Files that cannot be written are named, and the status says so."""
        for option in ("--json", "--pcap"):
            out, err = self.lab("run", "boundaries", "--loopback", option, "/nowhere/at/all",
                                status=1)
            self.assertIn("/nowhere/at/all", err)
            self.assertEqual(out, "", "it is known before anything is played")
        for words in (["run", "boundaries", "--loopback"], ["list"], [], ["--help"], ["--version"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                process = subprocess.run([LAB, *words], stdout=full, stderr=subprocess.PIPE,
                                         text=True, timeout=60, check=False,
                                         stdin=subprocess.DEVNULL,
                                         env={**os.environ, **self.sanitizer_options()})
            self.assertEqual(process.returncode, 1, words)
            self.assertIn("standard output: No space left", process.stderr)

    def test_full(self):
        """A full disk is named with its file, and takes nothing else with it."""
        kept = os.path.join(self.dir, "kept.json")
        out, err = self.lab("run", "boundaries", "zero", "--json", kept, "--pcap", "/dev/full",
                            status=1)
        if "played on loopback" in err:
            self.skipTest(err)
        self.assertEqual(err, "lanchat-lab: /dev/full: No space left on device\n")
        self.assertIn("2 scenarios, 6 assertions held, 0 failed", out)
        with open(kept, encoding="utf-8") as f:
            result = json.load(f)
        self.assertEqual((result["held"], result["failed"], result["status"]), (6, 0, 1))

    def test_killed(self):
        """Nothing is left of files that were not written to their end."""
        folder = os.path.join(self.dir, "kept")
        os.mkdir(folder)
        try:
            os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
        except OSError as e:
            self.skipTest(f"no files without a name here: {e}")
        process = self.start("run", "loss", "--loopback", "--json", os.path.join(folder, "j"),
                             "--pcap", os.path.join(folder, "p"))
        self.addCleanup(self.end, process)
        process.stdout.readline()
        process.kill()
        process.wait()
        self.assertEqual(os.listdir(folder), [])

    def test_by_name(self):
        """Without a terminal a scenario's name does the same as run."""
        out, _ = self.lab("boundaries", "2", "--loopback")
        self.assertIn("2 scenarios, 5 assertions held", out)

    def test_capture_on_standard_output(self):
        process = subprocess.run([LAB, "run", "zero", "--loopback", "--pcap", "-"],
                                 capture_output=True, timeout=60, check=False, cwd=self.dir,
                                 env={**os.environ, **self.sanitizer_options()})
        self.assertEqual((process.returncode, process.stdout), (0, b""), process.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "-")))
        process = subprocess.run([LAB, "run", "zero", "--pcap", "-"], capture_output=True,
                                 timeout=60, check=False, cwd=self.dir,
                                 env={**os.environ, **self.sanitizer_options()})
        if b"played on loopback" not in process.stderr:
            self.assertEqual(process.stdout[:4], b"\x0a\x0d\x0d\x0a")


if __name__ == "__main__":
    main()
