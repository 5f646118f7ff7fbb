#!/usr/bin/env python3
"""What was said before: pages, searching, read positions, places, settled counters; with the log
on disk and in memory. The client is the stranger, which knows docs/PROTOCOL.md alone."""

import os
import unittest

from lib import PlainScenario, Server, main, wait_for
from stranger import (AFTER, BEFORE, CODE, EVERYWHERE, IN_INBOX, IN_ROOM, SINCE, TOPIC, Client,
                      Failed, Wire)

END = 2 ** 64 - 1


class History(PlainScenario):
    """A server, and clients of it."""

    options = ("--history", "on")

    def setUp(self):
        super().setUp()
        self.server = Server(self, *self.options)

    def client(self, nick, *rooms, person=None):
        client = Client(self.server.port, nick, person=person).connect()
        self.addCleanup(lambda: client.wire and client.wire.close())
        for room in rooms:
            client.join(room)
        return client

    def again(self, client):
        """Another session of the same person, logged in from now on."""
        return self.client(client.nick, person=client.person)

    def say_all(self, client, room, texts):
        """Say them, and wait until they are kept; returns their numbers."""
        counters = [client.say(room, text) for text in texts]
        return [client.outcome(counter)["seq"] for counter in counters]

    def write_all(self, client, person, texts):
        counters = [client.direct(text, person=person) for text in texts]
        return [client.outcome(counter)["seq"] for counter in counters]

    def assert_fails(self, code, act, *args, **values):
        with self.assertRaises(Failed) as caught:
            act(*args, **values)
        self.assertEqual(caught.exception.code, code)

    def texts(self, page):
        return [entry["text"] for entry in page["entries"]]

    def found(self, client, words, *args, **values):
        return self.texts(client.search(words, *args, **values))


class Pages(History):
    def test_both_ways_to_both_ends(self):
        """Whatever the size of the pages, they make up the whole, each linked to the one before."""
        anna = self.client("anna", "lobby", "other")
        said = [f"message {i}" for i in range(120)]
        numbers = []
        for text in said:
            numbers += self.say_all(anna, "lobby", [text])
            anna.say("other", "between")
        anna.outcome(anna.say("other", "last"))
        reader = self.client("reader")
        for size in (1, 7, 119, 120, 121, 0, 65535):
            with self.subTest(size):
                for entries, pages in (reader.back_to_the_start("lobby", size),
                                       reader.on_to_the_end("LOBBY", 0, size)):
                    self.assertEqual([e["text"] for e in entries], said)
                    self.assertEqual([e["seq"] for e in entries], numbers)
                    self.assertEqual([e["prev"] for e in entries], [0] + numbers[:-1])
                    self.assertEqual(pages, -(-120 // size) if 0 < size < 120 else 1)
        entry = entries[0]
        self.assertEqual((entry["room"], entry["nick"], entry["person"], entry["instance"],
                          entry["counter"], entry["to"], entry["to_nick"], entry["kind"]),
                         ("lobby", "anna", anna.person, anna.instance, 1, bytes(32), "", 0))

    def test_ends(self):
        anna = self.client("anna", "lobby")
        numbers = self.say_all(anna, "lobby", "abcde")
        for start, value, limit, texts, more in (
                (BEFORE, 0, 2, "de", 1), (BEFORE, END, 2, "de", 1), (BEFORE, 0, 5, "abcde", 0),
                (BEFORE, numbers[3], 2, "bc", 1), (BEFORE, numbers[1], 2, "a", 0),
                (BEFORE, numbers[0], 2, "", 0), (BEFORE, 1, 2, "", 0),
                (AFTER, 0, 2, "ab", 1), (AFTER, numbers[2], 2, "de", 0),
                (AFTER, numbers[2], 1, "d", 1), (AFTER, numbers[4], 2, "", 0),
                (AFTER, END, 2, "", 0), (SINCE, 0, 3, "abc", 1), (SINCE, END, 3, "", 0)):
            with self.subTest(start=start, value=value, limit=limit):
                page = anna.history("Lobby", start, value, limit)
                self.assertEqual(("".join(self.texts(page)), page["more"]), (texts, more))
                self.assertEqual((page["room"], page["pruned"]), ("lobby", 0))

    def test_since(self):
        anna = self.client("anna", "lobby")
        self.say_all(anna, "lobby", "abc")
        entries, _ = anna.back_to_the_start("lobby")
        for entry in entries:
            expected = [e["text"] for e in entries if e["time"] >= entry["time"]]
            page = anna.history("lobby", SINCE, entry["time"])
            self.assertEqual((self.texts(page), page["more"]), (expected, 0))
        self.assertEqual(self.texts(anna.history("lobby", SINCE, entries[-1]["time"] + 1)), [])

    def test_large_messages_cut_a_page(self):
        """60 KiB hold fourteen of the longest messages; a page is cut at its far end."""
        anna = self.client("anna", "lobby")
        self.say_all(anna, "lobby", [chr(ord("a") + i) * 4096 for i in range(26)])
        older = anna.history("lobby", BEFORE)
        newer = anna.history("lobby", AFTER, 0)
        self.assertEqual((older["more"], newer["more"]), (1, 1))
        self.assertEqual(older["entries"][-1]["text"][0], "z")
        self.assertEqual(newer["entries"][0]["text"][0], "a")
        self.assertLess(len(older["entries"]), 16)
        for entries, pages in (anna.back_to_the_start("lobby"), anna.on_to_the_end("lobby")):
            self.assertEqual("".join(e["text"][0] for e in entries), "abcdefghijklmnopqrstuvwxyz")
            self.assertEqual(pages, 2)

    def test_inbox(self):
        """Each sees the conversation from their own end, and nobody else's."""
        anna, boris, clara = self.client("anna"), self.client("boris"), self.client("clara")
        one, two = self.write_all(anna, boris.person, ["one", "two"])
        three, = self.write_all(boris, anna.person, ["three"])
        note, = self.write_all(anna, anna.person, ["note"])
        self.write_all(clara, boris.person, ["four"])
        mine, _ = anna.back_to_the_start("", 2)
        self.assertEqual([(e["text"], e["seq"], e["prev"]) for e in mine],
                         [("one", one, 0), ("two", two, one), ("three", three, two),
                          ("note", note, three)])
        self.assertEqual([(e["nick"], e["to_nick"], e["to"], e["room"]) for e in mine],
                         [("anna", "boris", boris.person, "")] * 2 +
                         [("boris", "anna", anna.person, ""), ("anna", "anna", anna.person, "")])
        theirs, _ = boris.on_to_the_end("", 0, 1)
        self.assertEqual([e["text"] for e in theirs], ["one", "two", "three", "four"])
        self.assertEqual(theirs[2]["prev"], two)
        self.assertEqual(clara.history("", BEFORE)["entries"][0]["text"], "four")

    def test_what_cannot_be(self):
        anna = self.client("anna", "lobby")
        for room in ("#lobby", "a,b", "a:b", "bоb"):
            self.assert_fails("BAD_ROOM", anna.history, room, BEFORE)
            self.assert_fails("BAD_ROOM", anna.search, "x", IN_ROOM, room)
        self.assert_fails("BAD_ROOM", anna.search, "x", IN_ROOM, "")
        self.assert_fails("BAD_TEXT", anna.history, "two words", BEFORE)
        self.assert_fails("BAD_TEXT", anna.search, b"\xff")
        for start in (3, 255):
            self.assert_fails("BAD_VALUE", anna.history, "lobby", start)
        for where in (3, 255):
            self.assert_fails("BAD_VALUE", anna.search, "x", where)
        page = anna.history("nowhere", BEFORE)
        self.assertEqual((page["room"], page["entries"], page["more"], page["pruned"]),
                         ("nowhere", [], 0, 0))
        anna.read("no,room", END)
        anna.read(b"\xff", 1)
        self.assertEqual(anna.outcome(anna.say("lobby", "still here"))["duplicate"], 0)

    def test_many_at_once(self):
        """Requests that nobody waits for are answered all the same, in order."""
        anna = self.client("anna", "lobby")
        self.say_all(anna, "lobby", ["x" * 4000] * 15)
        tags = [anna.wire.ask("HISTORY", room="lobby", value=0, limit=0, **{"from": BEFORE})
                for _ in range(40)]
        for tag in tags:
            page = anna.answer(tag)
            self.assertEqual((len(page["entries"]), page["more"]), (14, 1))


class Searching(History):
    def test_words(self):
        anna = self.client("anna", "lobby")
        self.say_all(anna, "lobby", ["Ёлка в лесу", "a Café in the wood", "the wood in a café",
                                     "лес, ёлочки", "nothing"])
        for words, texts in (
                ("елка", ["Ёлка в лесу"]), ("ЕЛ", ["лес, ёлочки", "Ёлка в лесу"]),
                ("ел ", []), ('"ел"', []), ("лес", ["лес, ёлочки", "Ёлка в лесу"]),
                ("cafe wood", ["the wood in a café", "a Café in the wood"]),
                ('"the wood"', ["the wood in a café", "a Café in the wood"]),
                ('"wood in"', ["the wood in a café"]), ("CAFÉ nothing", [])):
            with self.subTest(words):
                wait_for(lambda w=words, t=texts: self.found(anna, w, IN_ROOM, "LOBBY") == t,
                         f"{texts}, have {self.found(anna, words, IN_ROOM, 'lobby')}")

    def test_where(self):
        """A room needs no membership; everywhere is one's rooms and the inbox; nobody finds what
        others wrote to each other."""
        anna, boris = self.client("anna", "one", "two"), self.client("boris", "two", "three")
        clara = self.client("clara", "one")
        self.say_all(anna, "one", ["word one"])
        self.say_all(boris, "two", ["word two"])
        self.say_all(boris, "three", ["word three"])
        self.write_all(boris, anna.person, ["word direct"])
        wait_for(lambda: self.found(anna, "word") == ["word direct", "word two", "word one"],
                 "what anna finds")
        self.assertEqual(self.found(anna, "word", EVERYWHERE, "ignored"),
                         ["word direct", "word two", "word one"])
        self.assertEqual(self.found(anna, "word", IN_INBOX), ["word direct"])
        self.assertEqual(self.found(anna, "word", IN_ROOM, "three"), ["word three"])
        self.assertEqual(self.found(boris, "word"), ["word direct", "word three", "word two"])
        self.assertEqual(self.found(clara, "word"), ["word one"])
        self.assertEqual(self.found(clara, "word", IN_INBOX), [])
        entry, = anna.search("direct", IN_INBOX)["entries"]
        self.assertEqual((entry["room"], entry["to"], entry["to_nick"]), ("", anna.person, "anna"))
        anna.part("two")
        self.assertEqual(self.found(anna, "word"), ["word direct", "word one"])

    def test_pages(self):
        anna = self.client("anna", "lobby")
        said = [f"page {i}" for i in range(25)]
        self.say_all(anna, "lobby", said)
        wait_for(lambda: len(self.found(anna, "page")) == 25, "all to be found")
        for limit in (1, 7, 24, 25, 26, 65535):
            texts, before = [], 0
            while True:
                page = anna.search("page", IN_ROOM, "lobby", before, limit)
                texts += self.texts(page)
                if not page["more"]:
                    break
                before = page["entries"][-1]["seq"]
            self.assertEqual(texts, said[::-1])
        self.assertEqual(len(self.found(anna, "page", before=END)), 25)
        self.assertEqual(self.found(anna, "page", before=1), [])

    def test_no_word(self):
        anna = self.client("anna", "lobby")
        for words in (" ", "...", '"' * 256, '" "', "-*()^"):
            self.assert_fails("BAD_VALUE", anna.search, words)
        for words in ('"a' * 128, "a " * 128, "NEAR(a", "a OR b", "x:y", "a*", "\u6f22" * 85):
            self.assertEqual(self.found(anna, words), [])


class People(History):
    def places(self, client):
        """What a new session of the person is told."""
        other = self.again(client)
        other.until(lambda: other.places or other.inbox.caught_up)
        places = other.places
        other.leave()
        return places

    def wait_places(self, client, expected):
        wait_for(lambda: expected.items() <= self.places(client).items(), f"{expected}")

    def test_places(self):
        """Joining makes a member, parting ends it, breaking off does not."""
        anna = self.client("anna")
        self.assertNotIn("lobby", anna.places)
        anna.join("lobby")
        anna.join("other")
        self.wait_places(anna, {"lobby": (1, 0), "other": (1, 0)})
        anna.drop()
        self.wait_places(anna, {"lobby": (1, 0), "other": (1, 0)})
        anna.connect()
        anna.part("other")
        wait_for(lambda: self.places(anna).get("other", (0, 0))[0] == 0, "to have left")
        anna.leave("bye")
        self.wait_places(anna, {"lobby": (1, 0)})

    def test_read_position(self):
        """It is the person's, whichever session told it; it never falls, nor runs ahead."""
        anna = self.client("anna", "lobby")
        numbers = self.say_all(anna, "lobby", "abcde")
        other = self.again(anna)
        other.join("lobby")
        anna.read("LOBBY", numbers[2])
        self.wait_places(anna, {"lobby": (1, numbers[2])})
        other.read("lobby", numbers[3])
        self.wait_places(anna, {"lobby": (1, numbers[3])})
        anna.read("lobby", numbers[0])
        anna.read("elsewhere", 5)
        anna.outcome(anna.say("lobby", "f"))
        self.assertEqual(self.places(anna)["lobby"], (1, numbers[3]))
        self.assertNotIn("elsewhere", self.places(anna))
        third = self.again(anna)
        self.assertEqual(third.request("JOIN", room="Lobby", flags=0, after=0, replay=0)["read"],
                         numbers[3])
        anna.read("lobby", END)
        last = anna.history("lobby", BEFORE, 0, 1)["entries"][0]["seq"]
        self.wait_places(anna, {"lobby": (1, last)})
        note, = self.write_all(anna, anna.person, ["note"])
        anna.read("", note)
        self.wait_places(anna, {"": (0, note)})
        stranger = self.client("boris")
        self.assertEqual(
            stranger.request("JOIN", room="lobby", flags=0, after=0, replay=0)["read"], 0)

    def test_many_places(self):
        """More than one PLACES holds."""
        anna = self.client("anna")
        for i in range(230):
            anna.join(f"room{i}")
            anna.part(f"room{i}")
            anna.join(f"room{i}")
            if i % 50 == 49:
                anna.drop()
                anna.rooms.clear()
                anna.connect()
        expected = {f"room{i}": (1, 0) for i in range(230)}
        self.wait_places(anna, expected)

    def test_direct_to_somebody_who_left(self):
        """By the nick that they had last; it waits in their inbox."""
        anna, boris = self.client("anna", "lobby"), self.client("boris", "lobby")
        boris.rename("Борис")
        boris.leave()
        counter = wait_for(lambda: self.sent_to(anna, "БОРИС", "hello"), "boris to be known")
        self.assertEqual(anna.settled[counter]["duplicate"], 0)
        for nick in ("nobody", "no,nick", ""):
            outcome = anna.outcome(anna.direct("x", nick=nick))
            self.assertEqual(outcome.get("code"), CODE["NO_SUCH_PERSON"])
        boris.connect()
        boris.until(lambda: boris.inbox.messages)
        self.assertEqual([(m["text"], m["to_nick"], m["to"]) for m in boris.inbox.messages],
                         [("hello", "Борис", boris.person)])

    def sent_to(self, client, nick, text):
        counter = client.direct(text, nick=nick)
        return counter if client.outcome(counter)["message"] == "ACK" else None


class Settled(History):
    def test_all_is_sent_again(self):
        """After a break everything is sent again: what was kept is acknowledged with its number,
        what was refused is refused, also where the first answer was lost."""
        anna = self.client("anna", "lobby")
        one = anna.outcome(anna.say("lobby", "one"))
        lost = anna.say("elsewhere", "refused")
        kept = anna.say("lobby", "two")
        direct = anna.direct("note", person=anna.person)
        self.assertEqual(anna.outcome(lost)["code"], CODE["NOT_A_MEMBER"])
        answers = {c: anna.outcome(c) for c in (kept, direct)}
        # As if none of the answers had come.
        anna.outbox = {1: ("SAY", {"kind": 0, "room": "lobby", "text": "one"}),
                       lost: ("SAY", {"kind": 0, "room": "lobby", "text": "refused"}),
                       kept: ("SAY", {"kind": 0, "room": "lobby", "text": "two"}),
                       direct: ("DIRECT", {"kind": 0, "person": anna.person, "nick": "",
                                           "text": "note"})}
        anna.settled = {}
        anna.drop()
        anna.connect()
        new = anna.outcome(anna.say("lobby", "three"))
        self.assertEqual(new["duplicate"], 0)
        self.assertEqual(anna.outcome(1), one | {"duplicate": 1})
        self.assertEqual(anna.outcome(lost)["code"], CODE["NOT_KEPT"])
        for counter, answer in answers.items():
            self.assertEqual(anna.outcome(counter), answer | {"duplicate": 1})
        self.assertEqual(self.texts(anna.history("lobby", BEFORE)), ["one", "two", "three"])

    def test_whatever_else_it_says(self):
        """A settled counter is answered from the log without a look at the rest."""
        anna = self.client("anna", "lobby")
        seq = self.say_all(anna, "lobby", ["one", "two"])
        for fields in ({"room": "nowhere", "text": "x", "kind": 0},
                       {"room": "lobby", "text": b"\xff", "kind": 0},
                       {"room": "lobby", "text": "", "kind": 77}):
            anna.wire.send("SAY", counter=1, **fields)
            self.assertEqual(anna.wire.wait("ACK"), {"message": "ACK", "counter": 1,
                                                     "seq": seq[0], "duplicate": 1})
        anna.wire.send("DIRECT", counter=2, kind=3, person=bytes(32), nick="nobody", text="x")
        self.assertEqual(anna.wire.wait("ACK")["seq"], seq[1])

    def test_another_persons_instance(self):
        anna = self.client("anna", "lobby")
        self.say_all(anna, "lobby", ["one"])
        wire = Wire(self.server.port)
        self.addCleanup(wire.close)
        wire.hello()
        self.assertEqual(wire.login("boris", person=os.urandom(32),
                                    instance=anna.instance)["accepted"], 0)
        wire.send("SAY", counter=1, kind=0, room="lobby", text="x")
        self.assertEqual(wire.wait("REFUSED")["code"], CODE["NOT_A_MEMBER"])


class Rooms(History):
    options = ("--history", "on", "--max-rooms", "2")

    def test_forgotten_rooms_come_back(self):
        """The table holds two; the log knows them all, with their names, topics and messages."""
        anna = self.client("anna")
        for i in range(5):
            name = f"Room{i}"
            anna.join(name)
            self.say_all(anna, name, [f"in {i}"])
            anna.outcome(anna.say(name, f"about {i}", TOPIC))
            anna.part(name)
        for size in (0, 1, 2, 3, 5):
            rooms, _ = anna.list_rooms(size)
            self.assertEqual([(r["name"], r["topic"], r["people"]) for r in rooms],
                             [(f"Room{i}", f"about {i}", 0) for i in range(5)])
        answer = anna.request("JOIN", room="ROOM0", flags=0, after=0, replay=10)
        self.assertEqual((answer["room"], answer["topic"], answer["topic_nick"]),
                         ("Room0", "about 0", "anna"))
        anna.until(lambda: anna.rooms["Room0"].caught_up)
        self.assertEqual(anna.rooms["Room0"].texts(), ["in 0", "about 0"])
        rooms, _ = anna.list_rooms(2)
        self.assertEqual([r["people"] for r in rooms], [1, 0, 0, 0, 0])
        self.assertEqual(anna.outcome(anna.say("Room0", "more"))["duplicate"], 0)
        anna.join("Room3")
        self.assert_fails("TOO_MANY_ROOMS", anna.join, "Room1")


class Restart(History):
    """What outlives the server. Of memory, nothing does."""

    def test_everything_is_there_again(self):
        anna, boris = self.client("anna", "Lobby"), self.client("boris", "lobby")
        numbers = self.say_all(anna, "Lobby", ["one", "two words"])
        anna.outcome(anna.say("Lobby", "a topic", TOPIC))
        self.write_all(boris, anna.person, ["psst"])
        anna.read("Lobby", numbers[1])
        wait_for(lambda: self.again(anna).places.get("Lobby") == (1, numbers[1]), "the position")
        boris.leave()
        anna.leave()
        self.server.stop()
        self.server = Server(self, *self.options, data=self.server.data)
        anna.port = boris.port = self.server.port
        anna.connect()
        self.assertEqual(anna.places["Lobby"], (1, numbers[1]))
        late = self.client("late")
        answer = late.request("JOIN", room="LOBBY", flags=0, after=0, replay=0)
        self.assertEqual((answer["room"], answer["topic"]), ("Lobby", "a topic"))
        self.assertEqual(self.texts(late.history("lobby", BEFORE)),
                         ["one", "two words", "a topic"])
        self.assertEqual(self.found(late, "word"), ["two words"])
        self.assertEqual([r["name"] for r in late.list_rooms()[0]], ["Lobby"])
        self.assertEqual(self.texts(anna.history("", BEFORE)), ["psst"])
        self.assertEqual(late.outcome(late.direct("you were here", nick="BORIS"))["message"], "ACK")
        boris.connect()
        boris.until(lambda: boris.inbox.messages and boris.inbox.texts()[-1] == "you were here")


class InMemory:
    options = ("--history", "off")


class PagesInMemory(InMemory, Pages):
    pass


class SearchingInMemory(InMemory, Searching):
    pass


class PeopleInMemory(InMemory, People):
    pass


class SettledInMemory(InMemory, Settled):
    pass


class RoomsInMemory(Rooms):
    options = ("--history", "off", "--max-rooms", "2")


if __name__ == "__main__":
    main()
