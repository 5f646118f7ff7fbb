#!/usr/bin/env python3
"""One person on two machines: the key is moved with a passphrase, at a terminal and by scripts."""

import os
import shutil
import subprocess
import unittest

from lib import BUILD, Pipe, Scenario, Server, Tmux, main

WORDS = "correct horse battery"


class Identity(Scenario):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.dir, "me.key")

    def home(self, name):
        home = os.path.join(self.dir, name)
        return {"XDG_DATA_HOME": home + "/data", "XDG_STATE_HOME": home + "/state",
                "XDG_CONFIG_HOME": home + "/config"}

    def key(self, name):
        return os.path.join(self.home(name)["XDG_DATA_HOME"], "lanchat", "identity.pem")

    def client(self, home, *options, words=WORDS):
        return subprocess.run([os.path.join(BUILD, "lanchat"), *options], input=words + "\n",
                              capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, **self.sanitizer_options(), **self.home(home)})

    def moved(self, home, *options, **more):
        done = self.client(home, *options, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()[-1]

    def refused(self, home, *options, words=WORDS, says):
        done = self.client(home, *options, words=words)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(says, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def person(self, server, home):
        """Who the server takes the user of that home for."""
        run = Pipe(self, server, "anna", "--until", "1", input=["hello"], env=self.home(home))
        self.assertEqual(run.wait(20), 0, run.tail())
        return run.of("message")[0]["person"]

    def test_moved(self):
        """It is one person, to whom direct messages go wherever they are."""
        server = Server(self)
        here = self.person(server, "here")
        name = self.moved("here", "--export-identity", self.file)
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        with open(self.file, encoding="ascii") as f, open(self.key("here"), encoding="ascii") as k:
            self.assertTrue(f.readline().startswith("-----BEGIN ENCRYPTED PRIVATE KEY"))
            self.assertNotIn(k.read().splitlines()[1], f.read())
        self.assertEqual(self.moved("there", "--import-identity", self.file), name)
        self.assertEqual(os.stat(self.key("there")).st_mode & 0o777, 0o600)
        self.assertEqual(self.person(server, "there"), here)
        self.assertNotEqual(self.person(server, "elsewhere"), here)
        # Once more changes nothing.
        self.assertEqual(self.moved("there", "--import-identity", self.file), name)

    def test_refused(self):
        self.refused("here", "--export-identity", self.file, says="No such file")
        server = Server(self)
        self.person(server, "here")
        self.refused("here", "--export-identity", self.file, words="short", says="at least 8 bytes")
        self.assertFalse(os.path.exists(self.file))
        self.moved("here", "--export-identity", self.file)
        self.refused("here", "--export-identity", self.file, says="already")
        self.refused("there", "--import-identity", self.file, words="not that one",
                     says="not the passphrase")
        self.refused("there", "--import-identity", self.file + "x", says="No such file")
        self.assertFalse(os.path.exists(self.key("there")))
        # Somebody else's key is left as it is.
        there = self.person(server, "there")
        self.refused("there", "--import-identity", self.file, says="already")
        self.assertEqual(self.person(server, "there"), there)

    def test_damaged(self):
        """Cut anywhere or changed anywhere, it is no key, and makes none."""
        self.person(Server(self), "here")
        self.moved("here", "--export-identity", self.file)
        with open(self.file, "rb") as f:
            whole = f.read()
        damaged = [whole[:n] for n in range(0, len(whole) - 30, 97)]
        damaged += [whole[:n] + b"A" + whole[n + 1:] for n in range(50, len(whole) - 50, 101)
                    if whole[n:n + 1] != b"A"]
        damaged += [b"\0" * 20000, whole * 100]
        for i, content in enumerate(damaged[:-1]):
            with open(self.file, "wb") as f:
                f.write(content)
            done = self.client("there", "--import-identity", self.file)
            self.assertEqual(done.returncode, 1, i)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertFalse(os.path.exists(self.key("there")))

    @unittest.skipIf(BUILD.endswith("-tsan"), "its runtime writes to files of its own")
    def test_full_disk(self):
        """A file that cannot be written in full is not there."""
        self.person(Server(self), "here")
        done = subprocess.run(
            ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", os.path.join(BUILD, "lanchat"),
             "--export-identity", self.file], input=WORDS + "\n", capture_output=True, text=True,
            timeout=60, check=False,
            env={**os.environ, **self.sanitizer_options(), **self.home("here")})
        self.assertEqual(done.returncode, 1)
        self.assertFalse(os.path.exists(self.file))

    def test_at_a_terminal(self):
        """It is asked for twice and not shown; a slip is noticed."""
        self.person(Server(self), "here")
        program = os.path.join(BUILD, "lanchat")
        terminal = Tmux(self, ["sh"], env=self.home("here"))

        def run(command):
            """On an empty screen, so that what is waited for is not an older answer."""
            terminal.enter("PS1='ready '; clear")
            terminal.wait_text(r"\Aready$")
            terminal.enter(command)

        run(f"{program} --export-identity {self.file}")
        terminal.wait_text("New passphrase:")
        terminal.enter(WORDS)
        terminal.wait_text("The same again:")
        terminal.enter("something else")
        terminal.wait_text("the same one twice")
        self.assertFalse(os.path.exists(self.file))
        run(f"{program} --export-identity {self.file}")
        terminal.wait_text("New passphrase:")
        terminal.enter(WORDS)
        terminal.wait_text("The same again:")
        terminal.enter(WORDS)
        terminal.wait_text("whoever has the file and the passphrase is")
        self.assertNotIn("horse", terminal.text())
        # The terminal shows again what is typed, also after an interruption.
        terminal.wait_text(r"^ready$")
        terminal.type("seen")
        terminal.wait_text(r"^ready seen$")
        terminal.keys("C-u")
        shutil.rmtree(self.home("here")["XDG_DATA_HOME"])
        run(f"{program} --import-identity {self.file}")
        terminal.wait_text("Passphrase:")
        terminal.keys("C-c")
        terminal.keys("Enter")
        terminal.wait_text("no passphrase was given")
        terminal.wait_text(r"^ready$")
        terminal.type("seen")
        terminal.wait_text(r"^ready seen$")


if __name__ == "__main__":
    main()
