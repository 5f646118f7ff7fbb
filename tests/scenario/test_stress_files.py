#!/usr/bin/env python3
"""lanchat-stress and what it is started with: descriptors, signals, files that it writes, a server of its own
that ends."""

import json
import os
import signal
import stat
import subprocess

from lib import Server, main, wait_for
from lib.stress import STRESS, Stress, server_below


class Surroundings(Stress):
    plaintext = True

    SHORT = ("-c", "4", "-s", "1", "--rate", "50/s", "-d", "300ms")

    def refused(self, *options):
        _, err = self.run_it(*options, status=2)
        self.assertEqual(len(err.strip().splitlines()), 1, err)
        return err

    def serve(self):
        return Server(self, "--history", "off", "--rate", "off")

    def shell(self, script, *arguments):
        return subprocess.run(["sh", "-c", script, "sh", STRESS, "--plaintext", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env={**os.environ, **self.sanitizer_options()})

    def test_closed_descriptors(self):
        """No connection has the number of one that is missing, and gets what is for people."""
        path = os.path.join(self.folder, "r.json")
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", STRESS, "--plaintext", self.serve().address,
             *self.SHORT, "--json", path], env={**os.environ, **self.sanitizer_options()})
        wait_for(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) > 8, "its clients")
        for number in range(3):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{number}"), "/dev/null")
        # The table cannot be written.
        self.assertEqual(process.wait(60), 1)
        with open(path, encoding="utf-8") as file:
            r = json.load(file)
        self.sound(r)
        self.assertEqual(r["delivered"], r["sent"] * 4)

    def test_ignored_signals(self):
        """As nohup(1) has it: what is ignored stays so, and what is not ends the load."""
        address = self.serve().address
        process = subprocess.Popen(
            ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", STRESS, "--plaintext", address, "-c", "4", "-s",
             "1", "--rate", "50/s", "-d", "1s", "--json", "-"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **self.sanitizer_options()})
        self.addCleanup(self.end, process)
        while not process.stderr.readline().startswith("running"):
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertFalse(json.loads(out)["stopped"])

    def test_stopped_before_the_load(self):
        """There is nothing to tell of, in whichever phase it was."""
        path = os.path.join(self.folder, "r.json")
        deaf = f"127.0.0.1:{self.listen_to(b'', b'never', b'')}"
        for where, phase in ((deaf, "connecting"), (self.serve().address, "resting")):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                with self.subTest(phase=phase, signal=number):
                    process = self.start("--plaintext", where, *self.SHORT, "--json", path)
                    while not process.stderr.readline().startswith(phase):
                        self.assertIsNone(process.poll())
                    process.send_signal(number)
                    out, err = process.communicate(timeout=60)
                    self.assertEqual((process.returncode, out), (1, ""), err)
                    self.assertEqual(err, "lanchat-stress: stopped before the load began\n")
                    self.assertEqual(os.listdir(self.folder), [])

    def test_stopped_while_it_waits(self):
        """It waits no more, and tells what there is; what still was to come is not lost."""
        path = os.path.join(self.folder, "r.json")
        server = self.serve()
        process = self.start("--plaintext", server.address, "-c", "4", "-s", "1", "--rate", "50/s", "-d",
                             "1s", "--patience", "10m", "--json", path)
        lines = iter(process.stderr.readline, "")
        self.assertTrue(any(line.startswith("running") for line in lines))
        os.kill(server.pid, signal.SIGSTOP)
        self.assertTrue(any(line.startswith("waiting for the rest") for line in lines))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        os.kill(server.pid, signal.SIGCONT)
        with open(path, encoding="utf-8") as file:
            r = json.load(file)
        self.sound(r)
        self.assertTrue(r["stopped"])
        self.assertIsNone(r["waited_seconds"])
        self.assertLess(r["delivered"], 4 * r["sent"])
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(r["outstanding"], 4 * r["sent"] - r["delivered"])
        self.assertRegex(out, f"(?m)^PASSED +stopped early; .*, and {r['outstanding']} deliver[iesy]+ w")

    def test_mode_is_kept(self):
        """A file that is replaced may be read by whom it could be read by."""
        address = self.serve().address
        path, new = (os.path.join(self.folder, name) for name in ("old.json", "new.json"))
        for mode in (0o600, 0o640, 0o666):
            with open(path, "w", encoding="ascii"):
                pass
            os.chmod(path, mode)
            self.run_it("--plaintext", address, *self.SHORT, "-q", "--json", path)
            self.assertGreater(os.path.getsize(path), 0)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode)
        process = self.shell('umask 027; "$@" -q', address, *self.SHORT, "--json", new)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(stat.S_IMODE(os.stat(new).st_mode), 0o640)

    def test_same_file(self):
        """However it is called."""
        one, link = (os.path.join(self.folder, name) for name in ("one", "link"))
        with open(one, "w", encoding="ascii"):
            pass
        os.symlink("one", link)
        for a, b in ((one, link), (one, os.path.join(self.folder, ".", "one")), ("/dev/stdout", "-"),
                     ("/dev/stdout", "/proc/self/fd/1")):
            with self.subTest(a=a, b=b):
                self.assertIn("not into the same file",
                              self.refused("--local", *self.SHORT, "--json", a, "--csv", b))
        process = self.shell('"$@" > ' + one, self.serve().address, *self.SHORT, "--json", "-", "--csv", one)
        self.assertEqual(process.returncode, 2)
        self.assertIn("not into the same file", process.stderr)

    def test_alone_on_stdout(self):
        """What is for a program has stdout to itself, however that is called."""
        address = self.serve().address
        for option, path, first in (("--csv", "-", "at_ms,"), ("--json", "/dev/stdout", "{"),
                                    ("--csv", "/proc/self/fd/1", "at_ms,")):
            with self.subTest(option=option, path=path):
                out, err = self.run_it("--plaintext", address, *self.SHORT, option, path)
                self.assertTrue(out.startswith(first), out)
                self.assertNotIn("PASSED", out)
                self.assertIn("PASSED", err)

    def test_nobody_else(self):
        """In IRC nobody gets what they say themselves."""
        for options in (("-c", "1", "-s", "1"), ("-c", "5", "-r", "3", "-s", "3")):
            self.assertIn("at least two --clients", self.refused("-p", "irc", "127.0.0.1:1", *options))

    def test_its_server_is_ended(self):
        """By whatever: the reason is told, and no line of the log that was there by chance."""
        process = self.start("--local", "--plaintext", "-c", "20", "-s", "1", "--rate", "50/s", "-d", "60s")
        server = wait_for(lambda: server_below(process.pid), "its server with its clients")
        while not process.stderr.readline().startswith("running"):
            self.assertIsNone(process.poll())
        os.kill(server, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("lanchatd was ended by signal 9 (Killed)", err)
        self.assertNotIn(" logged in", err)
        self.assertNotIn(" info ", err)

    def test_its_server_does_not_come(self):
        """It is told what is waited for, and whoever started it need not wait."""
        program = os.path.join(self.dir, "never")
        with open(program, "w", encoding="ascii") as script:
            script.write("#!/bin/sh\nwhile :; do sleep 60 & wait; done\n")
        os.chmod(program, 0o700)
        process = self.start("--local", "--lanchatd", program, "-c", "4", "-s", "1", "-d", "1s")
        self.assertEqual(process.stderr.readline(), "waiting for lanchatd to be ready, 10 s at most\n")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(err, "lanchat-stress: stopped before lanchatd was ready\n")
        self.assertEqual(process.returncode, 1)
        self.assertEqual(os.listdir(self.folder), [])

    def test_its_server_is_stopped(self):
        """It is not waited for without a word, and ends with the run."""
        process = self.start("--local", "--plaintext", "-c", "20", "-s", "1", "--rate", "50/s", "-d", "2s",
                             "--patience", "500ms")
        server = wait_for(lambda: server_below(process.pid), "its server with its clients")
        while not process.stderr.readline().startswith("running"):
            self.assertIsNone(process.poll())
        os.kill(server, signal.SIGSTOP)
        _, err = process.communicate(timeout=20)
        self.assertNotIn("did not end", err)
        self.assertFalse(os.path.exists(f"/proc/{server}"))

    def test_waits_once(self):
        """Nothing comes: it is waited for as long as --patience says, and no longer."""
        server = self.serve()
        process = self.start("--plaintext", server.address, "-c", "4", "-s", "1", "--rate", "50/s", "-d",
                             "1s", "--patience", "3s")
        lines = iter(process.stderr.readline, "")
        self.assertTrue(any(line.startswith("running") for line in lines))
        os.kill(server.pid, signal.SIGSTOP)
        self.assertTrue(any(line.startswith("waiting for the rest") for line in lines))
        # Not twice three seconds.
        process.communicate(timeout=5.5)
        os.kill(server.pid, signal.SIGCONT)
        self.assertEqual(process.returncode, 1)


    def test_waits_once_for_the_slow(self):
        """Who got nothing either, while the others were waited for, is not waited for once more."""
        server = self.serve()
        process = self.start("--plaintext", server.address, "-c", "10", "-s", "1", "--rate", "50/s", "-d",
                             "1s", "--slow", "10", "--patience", "2s")
        lines = iter(process.stderr.readline, "")
        self.assertTrue(any(line.startswith("running") for line in lines))
        os.kill(server.pid, signal.SIGSTOP)
        self.assertTrue(any(line.startswith("waiting for the rest") for line in lines))
        _, err = process.communicate(timeout=60)
        os.kill(server.pid, signal.SIGCONT)
        self.assertEqual(process.returncode, 1)
        self.assertNotIn("waiting for the slow", err)


if __name__ == "__main__":
    main()
