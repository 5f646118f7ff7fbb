#!/usr/bin/env python3
"""How many rooms one person may own, and who finds a private one in the list."""

import json
import os
import signal
import subprocess

from lib.case import main
from lib.rights import INVITED, OPEN, OWNER, Person, Rights
from lib.wait import BUILD, wait_for


class Owned(Rights):
    """How many rooms one person may own: whoever joins a new one owns it."""

    LIMIT = ("--max-owned-rooms", "3")

    def make(self, person, *rooms):
        for room in rooms:
            person.join(room)
            self.assertEqual(person.standings(OWNER, room), [person.nick])

    def refused_room(self, person, room):
        """A new room that they cannot have: they are told why, and it is not there."""
        error = person.join(room, code="TOO_MANY_OWNED")
        self.assertIn("(max-owned-rooms)", error["text"])
        self.assertEqual(error["fatal"], 0)
        person.says("a word", room, code="NOT_A_MEMBER")
        self.assertNotIn(room, person.rooms())

    def check_limit(self, server):
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        self.make(anna, "one", "two", "three")
        self.refused_room(anna, "four")
        # Rooms that are there are open to her, and everything else is as before.
        self.make(bob, "bobs")
        anna.join("bobs")
        anna.join("lobby")
        anna.says("a word", "lobby")
        anna.says("a word", "one")
        # The room that she could not have is new to somebody else.
        self.make(bob, "four")
        anna.join("four")
        return anna, bob

    def test_limit(self):
        for history in ("on", "off"):
            with self.subTest(history):
                server = self.serve(*self.LIMIT, "--history", history)
                anna, _bob = self.check_limit(server)
                # On another connection she is the same.
                self.refused_room(anna.again(), "five")

    def test_restart(self):
        """It is the log that counts."""
        server = self.serve(*self.LIMIT)
        anna, _bob = self.check_limit(server)
        server.stop()
        server = self.serve(*self.LIMIT, data=server.data)
        anna = anna.again(server)
        self.refused_room(anna, "five")
        anna.join("one")
        self.assertEqual(anna.standings(OWNER, "one"), ["anna"])

    def test_given(self):
        """Nobody is given one too many, and whoever gives one away may have another."""
        for history in ("on", "off"):
            with self.subTest(history):
                server = self.serve(*self.LIMIT, "--history", history)
                anna, bob = self.check_limit(server)
                bob.join("one")
                bob.join("two")
                error = bob.act("own", "anna", room="bobs", code="TOO_MANY_OWNED")
                self.assertIn("(max-owned-rooms)", error["text"])
                self.assertEqual(bob.standings(OWNER, "bobs"), ["bob"])
                anna.act("own", "bob", room="one")
                bob.act("own", "anna", room="bobs")
                self.refused_room(anna, "five")
                anna.act("own", "bob", room="two")  # who has three now
                self.make(anna, "five")
                self.refused_room(bob, "six")

    def test_given_to_who_is_there(self):
        """Nobody finds that they own what they never wanted: it would be instead of rooms of theirs."""
        server = self.serve(*self.LIMIT)
        root = self.operator(server)
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        self.make(anna, "one", "two")
        anna.act("own", "bob", room="one", code="NOT_THERE")
        self.assertEqual(anna.standings(OWNER, "one"), ["anna"])
        # Who has no right to hears of nothing else.
        bob.act("own", "anna", room="two", code="NO_RIGHT")
        bob.act("own", "root", room="two", code="NO_RIGHT")
        bob.join("one")
        anna.act("own", "bob", room="one")
        root.act("own", "bob", room="two")  # who looks after all of them may

    def test_operator(self):
        """An operator is no exception."""
        server = self.serve(*self.LIMIT)
        root, anna = self.operator(server), Person(self, server, "anna")
        self.make(root, "one", "two", "three")
        self.refused_room(root, "four")
        self.make(anna, "annas")
        root.act("own", "root", room="annas", code="TOO_MANY_OWNED")
        root.act("entry", room="annas", value=INVITED)  # all else they may do there

    def test_off(self):
        server = self.serve("--max-owned-rooms", "off", "--rooms-each", "off")
        anna = Person(self, server, "anna")
        for i in range(120):  # more than the default
            anna.join(f"room{i}")

    def test_changed_while_it_runs(self):
        config = os.path.join(self.dir, "config")

        def write(value):
            with open(config, "w", encoding="ascii") as file:
                file.write(f"max-owned-rooms {value}\n")

        write(1)
        server = self.serve("--config", config)
        anna = Person(self, server, "anna")
        self.make(anna, "one")
        self.refused_room(anna, "two")
        write(2)
        server.send_signal(signal.SIGHUP)

        def comes_in():
            tag = anna.peer.request("JOIN", room="two")
            while True:
                name, got = anna.peer.receive()
                if name in ("JOINED", "ERROR") and got["tag"] == tag:
                    return name == "JOINED"

        wait_for(comes_in, "the limit to be read again")
        self.refused_room(anna, "three")

    def test_counted(self):
        """--status tells how often it was reached."""
        server = self.serve("--max-owned-rooms", "1")
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        self.make(anna, "one")
        self.make(bob, "bobs")
        self.refused_room(anna, "two")
        anna.join("bobs")
        bob.act("own", "anna", room="bobs", code="TOO_MANY_OWNED")
        done = subprocess.run([os.path.join(BUILD, "lanchatd"), "--data", server.data, "--status",
                               "--json"], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["limits"]["max_owned_rooms"], 2)


class Listed(Rights):
    """Who finds a private room in the list."""

    def names(self, person):
        """Their list, page by page, and how many rooms it says that there are."""
        names, after, more = [], "", True
        while more:
            tag = person.peer.request("ROOMS", after=after, limit=2)
            page = person.peer.expect("ROOM_LIST", tag=tag)
            names += [room["name"] for room in page["rooms"]]
            after, more = names[-1] if names else "", page["more"]
        return names, page["total"]

    def fill(self, server):
        """Open and private rooms, in turn; two of the private ones are bob's too."""
        root, anna, bob = (self.operator(server), Person(self, server, "anna"),
                           Person(self, server, "bob"))
        for i in range(8):
            room = f"room{i}"
            anna.join(room)
            anna.says("a word", room)
            if i % 2:
                anna.act("entry", room=room, value=INVITED)
        for room in ("room1", "room5"):
            anna.act("invite", "bob", room=room)
            bob.join(room)
        return root, anna, bob

    def expect(self, person, rooms):
        self.assertEqual(self.names(person), ([f"room{i}" for i in rooms], len(rooms)))

    def test_list(self):
        for history in ("on", "off"):
            with self.subTest(history):
                server = self.serve("--history", history)
                root, anna, bob = self.fill(server)
                eve = Person(self, server, "eve")
                self.expect(eve, [0, 2, 4, 6])
                self.expect(bob, [0, 1, 2, 4, 5, 6])
                self.expect(anna, range(8))
                self.expect(root, range(8))
                anna.act("entry", room="room3", value=OPEN)
                anna.act("entry", room="room0", value=INVITED)
                self.expect(eve, [2, 3, 4, 6])
                self.expect(bob, [1, 2, 3, 4, 5, 6])
                self.expect(root, range(8))

    def test_of_the_log_alone(self):
        """After a restart nobody is in them, and the table of rooms is empty."""
        server = self.serve()
        root, _anna, bob = self.fill(server)
        server.stop()
        server = self.serve(data=server.data)
        self.expect(Person(self, server, "eve"), [0, 2, 4, 6])
        self.expect(root.again(server), range(8))
        bob = bob.again(server)
        bob.join("room5")
        self.expect(bob, [0, 2, 4, 5, 6])


if __name__ == "__main__":
    main()
