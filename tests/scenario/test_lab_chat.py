#!/usr/bin/env python3
"""lanchat-lab chat: real clients and a real server over a network that loses packets. Every line comes
once and in order; datagrams beside them do not; and nothing is left of it afterwards."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess

from lib import BUILD, main, wait_for
from lib.lab import Lab, MISSING
from lib.stress import children

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
# In mounts of its own, with a device that is open to everybody, as on most systems.
WITH_TUN = ("mount -t tmpfs -o mode=755,dev none /dev/net && mknod /dev/net/tun c 10 200 && "
            "chmod 0666 /dev/net/tun && exec ")


def script(count):
    return "".join(f"{who}: line {number} of {who}\n" for number in range(count) for who in "ab")


def namespaces(pid):
    """The network namespaces of its children."""
    return {os.readlink(f"/proc/{child}/ns/net") for child in children(pid)}


def users_of(namespace):
    """Processes that are in a network namespace."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/ns/net") in namespace:
                found.append(pid)
        except OSError:
            pass
    return found


def runs(pid):
    """Is it there, and not only waiting to be buried?"""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Chat(Lab):
    def check_nothing_left(self, names):
        self.assertEqual(users_of(names), [])
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("lanchat")],
                         [])

    def started(self, process):
        """Its children, once there are so many, and no longer on their way to be what they will be."""
        def there():
            self.assertIsNone(process.poll())
            found = {}
            for child in children(process.pid):
                # One that finds out what the system allows is gone soon.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                        open(f"/proc/{child}/comm", encoding="utf-8") as f:
                    found[child] = f.read().strip()
            return found if sorted(found.values()) == ["lanchat", "lanchat", "lanchatd"] else None
        found = wait_for(there, "its programs", 20)
        return found, next(pid for pid, name in found.items() if name == "lanchatd")

    def test_all_arrive(self):
        """30 % are lost, and nobody notices; of the datagrams some never come."""
        # It prints the results alone: told by a pipe, as whoever types does it.
        process = self.start("chat", "--loss", "30%", "--seed", "7", "--json", "-", "--report",
                             "chat.html", stdin=subprocess.PIPE)
        process.stdin.write(script(1))
        process.stdin.flush()
        if process.poll() == MISSING:
            self.skipTest(process.communicate()[1])
        programs, _ = self.started(process)
        names = namespaces(process.pid)
        self.assertEqual(len(names), 2)
        out, err = process.communicate(script(19), timeout=90)
        self.assertEqual(process.returncode, 0, out + err)
        result, = json.loads(out)["scenarios"]
        self.assertEqual((result["name"], result["failed"]), ("chat", 0))
        self.assertGreater(result["tcp"]["wire"]["lost"], 0)
        self.assertGreater(result["tcp"]["wire"]["retransmitted"], 0)
        for field, value in (("sent", 40), ("received", 40), ("lost", 0), ("twice", 0)):
            self.assertEqual(result["tcp"][field], value, field)
        udp = result["udp"]
        self.assertGreaterEqual(udp["sent"], 100)
        self.assertGreater(udp["lost"], 0)
        self.assertEqual(udp["lost"], udp["wire"]["lost"])
        self.assertEqual(udp["sent"], udp["received"] + udp["lost"])
        for program in programs:
            self.assertFalse(os.path.exists(f"/proc/{program}"))
        self.check_nothing_left(names)
        # In the page, frames of lanchat.
        with open(self.path("chat.html"), encoding="utf-8") as f:
            page = f.read()
        for frame in ("HELLO", "SAY"):
            self.assertRegex(page, rf">[^<]*\b{frame} \d+ bytes")

    def test_told(self):
        """From a file, and as text: what was said and printed, what was lost, what holds."""
        with open(self.path("lines"), "w", encoding="utf-8") as f:
            f.write("a: hello\nb: Grüße\n")
        out, _ = self.run_it("chat", "--script", "lines", "--loss", "0%", "--delay", "1ms",
                             "--count", "5")
        for words in ("a says: hello", "a's client prints: [lobby] b: Grüße",
                      "b's client prints: [lobby] a: hello", "2 of 2, 0 twice",
                      "5 assertions held, 0 failed"):
            self.assertIn(words, out)

    def test_script(self):
        """Blank lines and comments are nobody's; a wrong line of a file is named before anything is
        played, wherever the file is read from."""
        with open(self.path("lines"), "w", encoding="utf-8") as f:
            f.write("# two people\n\na: hello\n   \n  # and the other\nb: hi\n\n")
        with open(self.path("wrong"), "w", encoding="utf-8") as f:
            f.write("# two people\n\na: hello\nc: who is c\nd: and d\n")
        out, err = self.run_it("chat", "--script", "wrong", status=2)
        self.assertEqual(out, "")
        self.assertEqual(err, "lanchat-lab: wrong: line 4 is not of the form \"a: hello\" or "
                              "\"b: hello\", nor blank, nor a comment (#)\n")
        with open(self.path("wrong"), encoding="utf-8") as f:
            process = self.start("chat", stdin=f)
            self.assertIn("standard input: line 4", process.communicate(timeout=30)[1])
            self.assertEqual(process.returncode, 2)
        out, _ = self.run_it("chat", "--script", "lines", "--loss", "0%", "--delay", "1ms",
                             "--count", "5")
        self.assertIn("2 of 2, 0 twice", out)
        self.assertIn("5 assertions held, 0 failed", out)

    def test_server_dies(self):
        """The server is killed: it says so at once, and is not held up."""
        process = self.start("chat", "--json", "-", stdin=subprocess.PIPE)
        process.stdin.write("a: hello\n")
        process.stdin.flush()
        if process.poll() == MISSING:
            self.skipTest(process.communicate()[1])
        _, server = self.started(process)
        names = namespaces(process.pid)
        os.kill(server, signal.SIGKILL)
        out, err = process.communicate(timeout=60)  # its input ends as well, but later
        self.assertEqual(process.returncode, 1, out + err)
        result, = json.loads(out)["scenarios"]
        self.assertIn("the server was ended by signal 9",
                      [check["measured"] for check in result["checks"] if not check["good"]])
        self.check_nothing_left(names)

    def test_interrupted(self):
        process = self.start("chat", stdin=subprocess.PIPE)
        if process.poll() == MISSING:
            self.skipTest(process.communicate()[1])
        self.started(process)
        names = namespaces(process.pid)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 1)
        self.check_nothing_left(names)

    def test_killed(self):
        """What one that was killed has left, the next one removes: not what another still has, nor what
        is somebody's own."""
        def start():
            process = self.start("chat", stdin=subprocess.PIPE)
            if process.poll() == MISSING:
                self.skipTest(process.communicate()[1])
            programs, _ = self.started(process)
            return process, programs

        def folders():
            return {name for name in os.listdir(self.folder) if name.startswith("lanchat-lab-")}
        first, programs = start()
        left = folders()
        self.assertEqual(len(left), 1)
        first.kill()
        first.wait()
        wait_for(lambda: not any(map(runs, programs)), "no programs", 20)
        self.assertEqual(folders(), left)
        own = self.path("lanchat-lab-abcdef")
        os.mkdir(own)
        second, _ = start()
        kept = folders()
        self.assertFalse(left & kept)
        self.assertEqual(len(kept), 2)
        third, _ = start()
        self.assertEqual(len(folders()), 3)
        self.assertTrue(kept <= folders())
        for process in (second, third):
            process.communicate("a: hello\n", timeout=60)
            self.assertEqual(process.returncode, 0)
        self.assertEqual(folders(), {"lanchat-lab-abcdef"})

    def test_wrong(self):
        """A line of nobody's fails; so does what cannot be."""
        out, _ = self.run_it("chat", "--loss", "0%", "--count", "1", status=1,
                             said="a: hello\nc: who is c\n")
        self.assertIn("1 do not, the first is line 2", out)
        for words in (["chat", "b: hello"], ["chat", "--script", self.path("none")],
                      ["chat", "--terminals", "--json", "-"], ["list", "--terminals"],
                      ["run", "zero", "--script", "/dev/null"]):
            self.run_it(*words, status=2)
        _, err = self.run_it("chat", "--loopback", status=MISSING)
        _, err = self.run_it("chat", "--terminals", "--loopback", status=MISSING)
        self.assertIn("hosts of its own", err)

    def terminals(self, before):
        """The commands that it prints, tried: they lead to the same room."""
        command = [*before, *self.command("chat", "--loss", "10%", "--terminals")]
        if before:
            # Programs that were built below a folder of root's alone are run from elsewhere.
            for name in ("lanchat-lab", "lanchatd", "lanchat"):
                shutil.copy(os.path.join(BUILD, name), self.dir)
            command[len(before)] = os.path.join(self.dir, "lanchat-lab")
            command = ["unshare", "--mount", "sh", "-c", WITH_TUN + shlex.join(command)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, cwd=self.folder,
                                   env={**os.environ, "TMPDIR": self.folder,
                                        **self.sanitizer_options()})
        self.addCleanup(self.end, process)
        commands = []
        while len(commands) < 2:
            line = process.stdout.readline()
            if not line:
                self.skipTest(process.communicate()[1])
            if "nsenter" in line:
                commands.append(shlex.split(line.strip().removeprefix("sudo ")))
        names = namespaces(process.pid)
        clients = []
        for command in commands:
            home = os.path.join(self.folder, f"home{len(clients)}")
            client = subprocess.Popen([*before, *command, "--pipe", "--history", "10", "--until",
                                       "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True,
                                      env={**os.environ, "HOME": home, "XDG_DATA_HOME": home,
                                           "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home,
                                           **self.sanitizer_options()})
            self.addCleanup(self.end, client)
            clients.append(client)
        for client in clients:
            client.stdin.write("hello\n")
            client.stdin.close()
            client.stdin = None
        for client in clients:
            out, err = client.communicate(timeout=90)
            self.assertEqual(sorted(out.splitlines()), ["[lobby] a: hello", "[lobby] b: hello"], err)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, out + err)
        self.check_nothing_left(names)

    def test_terminals(self):
        self.terminals([])

    def test_terminals_of_a_user(self):
        """By a user namespace, where the system allows it."""
        if os.geteuid() != 0:
            self.skipTest("it takes root to become somebody else")
        if BUILD.endswith("-tsan"):
            self.skipTest("user namespaces refuse who has threads, and the thread sanitizer has one")
        os.chmod(self.folder, 0o777)
        self.terminals(NOBODY)


if __name__ == "__main__":
    main()
