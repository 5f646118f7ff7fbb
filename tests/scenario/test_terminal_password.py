#!/usr/bin/env python3
"""The client in a real terminal: a server that wants a password, a room that wants a key."""

import os
import subprocess
import unittest

from lib import Client, Scenario, Server, main
from lib.wait import BUILD, SANITIZED

WORD = "open sesame"
BOX = "This server wants a password"


def in_memory(pid, word):
    """Is the text anywhere in what the process may write to?"""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            where, access = line.split()[:2]
            start, end = (int(number, 16) for number in where.split("-"))
            if not access.startswith("rw"):
                continue
            try:
                memory.seek(start)
                if word.encode() in memory.read(end - start):
                    return True
            except OSError:  # reserved, and not there
                pass
    return False


class Password(Scenario):
    def write(self, word):
        path = os.path.join(self.dir, "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write(word + "\n")
        return path

    def serve(self, word=WORD, *options, **more):
        return Server(self, "--name", "alpha", "--password-file", self.write(word), *options, **more)

    def again(self, server, word=WORD):
        """The server, restarted where it was."""
        return self.serve(word, listen=f"127.0.0.1:{server.port}", data=server.data)

    def typed(self, client, word):
        """Type it, see as many bullets, and nothing of the word; then Enter."""
        client.type(word)
        client.wait_text(r"> •{%d}_" % len(word))
        self.assertNotIn(word, client.text())
        client.keys("Enter")

    def test_asked(self):
        """It is asked for, hidden, asked again when it is wrong, and kept for this run."""
        server = self.serve()
        anna = Client(self, server, "anna")
        anna.wait_text(BOX)
        anna.wait_text("Enter: go in   Ctrl-U: empty the line   Esc: give up")
        anna.keys("Enter")
        anna.wait_text("Type the password, or press Esc")
        anna.type("jk q")  # which scroll or close other boxes
        anna.wait_text("> ••••_")
        anna.keys("BSpace")
        anna.wait_text("> •••_")
        anna.keys("C-u")
        anna.wait_text("> _")
        self.typed(anna, "open")
        anna.wait_text("That is not the password of this server")
        self.typed(anna, WORD)
        anna.wait_room()
        anna.keys("Up")  # nothing of it is recalled
        anna.enter("here I am")
        anna.wait_text("anna: here I am")
        server.stop()
        anna.wait_text("next try in")
        self.again(server)
        anna.wait_text("Connected again")
        self.assertNotIn(BOX, anna.text())
        for folder, _, names in os.walk(self.dir):
            for name in names:
                path = os.path.join(folder, name)
                if name != "password" and os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.assertNotIn(WORD.encode(), file.read(), path)

    @unittest.skipIf(SANITIZED, "a sanitizer reserves more memory than can be read")
    def test_wiped(self):
        """What was typed, given up or refused is in memory no longer."""
        anna = Client(self, self.serve(), "anna")
        anna.wait_text(BOX)
        anna.type("never sent")
        anna.wait_text("> •{10}_")
        self.assertTrue(in_memory(anna.pid(), "never sent"))  # so it would be found
        anna.keys("Escape")
        anna.wait_text("Without its password")
        self.assertFalse(in_memory(anna.pid(), "never sent"))
        anna.enter("/connect")
        anna.wait_text(BOX)
        self.typed(anna, "not the right one")
        anna.wait_text("That is not the password of this server")
        self.assertFalse(in_memory(anna.pid(), "not the right one"))
        anna.paste("also not the right one")
        anna.wait_text("> •{22}_")
        anna.keys("Enter")
        anna.wait_text("That is not the password of this server")
        anna.wait_text("> _")
        self.assertFalse(in_memory(anna.pid(), "also not the right one"))

    def test_given_up(self):
        """Esc says what to do, and the same command asks again."""
        server = self.serve()
        anna = Client(self, server, "anna")
        anna.wait_text(BOX)
        anna.type("open")
        anna.keys("Escape")
        anna.wait_text("Without its password, this server lets")
        anna.wait_text("/connect asks for it again")
        anna.enter("/connect")
        anna.wait_text(BOX)
        anna.wait_text("> _")  # what was typed is forgotten
        anna.paste(WORD + "\n")
        anna.wait_text(r"> •{%d}_" % len(WORD))
        anna.keys("Enter")
        anna.wait_room()

    def test_other_server(self):
        """/connect asks for the other server's, and remembers both for this run."""
        server = self.serve()
        other = self.serve("another word")
        anna = Client(self, server, "anna")
        anna.wait_text(BOX)
        self.typed(anna, WORD)
        anna.wait_room()
        anna.enter(f"/connect {other.address}")
        anna.wait_text(BOX)
        self.typed(anna, "another word")
        anna.wait_room()
        anna.enter("on the other one")
        anna.wait_text("anna: on the other one")
        anna.enter(f"/connect {server.address}")
        anna.wait_text(r"(?s)\A(?!.*on the other one)")
        anna.wait_room()
        self.assertNotIn(BOX, anna.text())

    def test_changed(self):
        """A password that was right is asked for anew when it is no longer, over whatever is open."""
        server = self.serve()
        anna = Client(self, server, "anna")
        anna.wait_text(BOX)
        self.typed(anna, WORD)
        anna.wait_room()
        anna.paste("one\ntwo\n")
        anna.wait_text("Paste: 2 lines")
        server.stop()
        self.again(server, "a new word")
        anna.wait_text("not connected")
        self.assertNotIn("not the password", anna.text())  # the paste is still asked about
        anna.keys("Escape")
        anna.wait_text("That is not the password of this server")
        self.typed(anna, "a new word")
        anna.wait_text("Connected again")

    def test_file(self):
        """--password-file is enough; a wrong one is told, and asked for."""
        server = self.serve()
        path = os.path.join(self.dir, "password")
        anna = Client(self, server, "anna", "--password-file", path)
        anna.wait_room()
        wrong = os.path.join(self.dir, "wrong")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write("open\n")
        bob = Client(self, server, "bob", "--password-file", wrong)
        bob.wait_text("That is not the password of this server")
        self.typed(bob, WORD)
        bob.wait_room()

    def test_pipe(self):
        """Without a screen nobody is asked: one line, which names the option, and the end."""
        server = self.serve()
        for options in (["--pipe"], ["--export", "lobby"]):
            run = subprocess.run(
                [os.path.join(BUILD, "lanchat"), *options, server.address], text=True,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False,
                env={**os.environ, "HOME": self.dir, "USER": "anna"})
            self.assertEqual(run.returncode, 1)
            last = run.stderr.splitlines()[-1]
            self.assertIn("password", last)
            self.assertIn("--password-file", last)


class Found(Scenario):
    def test_list(self):
        """From the list of servers: Esc goes back there, and choosing it again asks again."""
        path = os.path.join(self.dir, "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORD + "\n")
        Server(self, "--name", "alpha", "--password-file", path, listen=":0", beacon=True)
        anna = Client(self)
        anna.wait_text(BOX)
        anna.keys("Escape")
        anna.wait_text("No connection: this server wants a password, and was given none")
        anna.wait_text("alpha")
        anna.keys("Enter")
        anna.wait_text(BOX)
        anna.type(WORD)
        anna.keys("Enter")
        anna.wait_room()
        anna.enter("/discover")
        anna.wait_gone("#lobby")
        anna.wait_text("alpha")
        anna.keys("Enter")  # in again, without being asked
        anna.wait_room()


class Key(Scenario):
    def test_locked_room(self):
        """Whoever has not the key is told what to type."""
        server = Server(self, "--name", "alpha")
        anna = Client(self, server, "anna", env={"XDG_DATA_HOME": os.path.join(self.dir, "anna")})
        anna.wait_room()
        bob = Client(self, server, "bob", env={"XDG_DATA_HOME": os.path.join(self.dir, "bob")})
        bob.wait_room()
        anna.enter("/join den")
        anna.wait_text("You are in #den")
        anna.enter("/mode key open sesame")
        anna.wait_text("locked the room with a key")
        bob.enter("/join den")
        bob.wait_text("#den is locked")
        bob.wait_text("type: /join den KEY")
        bob.enter("/clear")
        bob.enter("/join den nonsense")
        bob.wait_text("not the key of #den")
        bob.wait_text("/join den KEY")
        bob.enter("/join den open sesame")
        bob.wait_text("You are in #den")


if __name__ == "__main__":
    main()
