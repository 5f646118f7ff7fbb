#!/usr/bin/env python3
"""People talking: order, exactly once, completeness; rooms, names, direct messages."""

import contextlib
import os
import threading

from lib import Pipe, Raw, PlainScenario, Server, brief, main, wait_for, wire


def send_all(sock, data):
    """As far as the server takes it."""
    with contextlib.suppress(OSError):
        sock.sendall(data)


class Talk(PlainScenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self)

    def test_two_people(self):
        """Each sees what both said, in one order, and an ack for its own."""
        anna = Pipe(self, self.server, "anna")
        anna.wait_joined()
        boris = Pipe(self, self.server, "boris")
        boris.wait_joined()
        anna.say("hello")
        boris.wait_event("message", text="hello")
        boris.say("hi anna")
        for one in (anna, boris):
            one.wait_event("message", text="hi anna")
        anna.wait_event("ack")
        for one in (anna, boris):
            one.close_input()
            self.assertEqual(one.wait(), 0, one.tail())
            self.assertEqual(one.texts(), ["hello", "hi anna"])
        for name in ("seq", "id", "from", "time"):
            self.assertEqual([e[name] for e in anna.of("message")],
                             [e[name] for e in boris.of("message")])

    def test_event_fields(self):
        """What a program that reads --json can count on."""
        anna = Pipe(self, self.server, "anna")
        anna.wait_joined()
        anna.say("one")
        said = anna.wait_event("message")
        ack = anna.wait_event("ack")
        for event in (said, ack):
            for name in ("type", "room", "seq", "id", "time"):
                self.assertIn(name, event)
        self.assertEqual(said["from"], "anna")
        self.assertEqual(said["room"], "lobby")
        self.assertEqual(said["seq"], ack["seq"])
        self.assertEqual(said["id"], ack["id"])
        self.assertRegex(said["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

    def test_plain_lines(self):
        anna = Pipe(self, self.server, "anna", "--until", "1", input=["hello there"], json=False)
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertIn("[lobby] anna: hello there", anna.read())

    def test_all_scripts(self):
        """Text goes through as it was written."""
        lines = ["Привет, мир", "你好，世界", "👩‍👩‍👧‍👦 family", "e\u0301 and é", "مرحبا", "a\\b \"c\" <d>", "  blanks  "]
        boris = Pipe(self, self.server, "boris")
        boris.wait_joined()
        anna = Pipe(self, self.server, "anna", input=lines)
        self.assertEqual(anna.wait(), 0, anna.tail())
        boris.wait_event("message", count=len(lines))
        self.assertEqual(boris.texts(), lines)

    def test_longest_message(self):
        """The limit itself goes through; one byte more is refused before it is sent, with the
        limit, and with a status that says so."""
        text = "x" * wire.TEXT_MAX
        good = Pipe(self, self.server, "anna", "--until", "1", input=[text])
        self.assertEqual(good.wait(), 0, good.tail())
        self.assertEqual(good.texts(), [text])
        bad = Pipe(self, self.server, "boris", input=[text + "x"])
        self.assertEqual(bad.wait(), 1)
        self.assertEqual(len(bad.stderr().splitlines()), 1, bad.tail())
        self.assertIn(str(wire.TEXT_MAX), bad.stderr())

    def test_invalid_text(self):
        """stdin that is not UTF-8 is an error, not a message."""
        boris = Pipe(self, self.server, "boris")
        boris.wait_joined()
        anna = Pipe(self, self.server, "anna")
        anna.wait_joined()
        anna.write(b"bad \xff\xfe bytes\n")
        anna.close_input()
        self.assertEqual(anna.wait(), 1)
        self.assertEqual(len(anna.stderr().splitlines()), 1, anna.tail())
        boris.say("still here")
        boris.wait_event("message")
        self.assertEqual(boris.texts(), ["still here"])

    def test_rooms_are_apart(self):
        anna = Pipe(self, self.server, "anna", rooms=["red", "blue"])
        boris = Pipe(self, self.server, "boris", rooms=["blue"])
        anna.wait_joined("red")
        anna.wait_joined("blue")
        boris.wait_joined("blue")
        anna.say("to the first room")
        anna.wait_event("message", room="red")
        boris.say("to blue")
        anna.wait_event("message", room="blue", text="to blue")
        boris.wait_event("message", text="to blue")
        self.assertEqual([e["text"] for e in boris.of("message")], ["to blue"])

    def test_history_on_joining(self):
        """--history gives that many of the last messages, in order, before anything new."""
        lines = [f"line {i}" for i in range(30)]
        anna = Pipe(self, self.server, "anna", input=lines)
        self.assertEqual(anna.wait(), 0, anna.tail())
        late = Pipe(self, self.server, "late", "--history", "10", "--until", "11",
                    input=["and mine"])
        self.assertEqual(late.wait(), 0, late.tail())
        self.assertEqual(late.texts(), lines[-10:] + ["and mine"])

    def test_all_that_was_asked_for(self):
        """Where nothing is said, it stays until the history of every room has come, or was refused."""
        server = Server(self, "--rooms-each", "2")
        lines = [f"line {i}" for i in range(150)]
        for room in ("lobby", "den"):
            anna = Pipe(self, server, "anna", rooms=[room], input=lines)
            self.assertEqual(anna.wait(), 0, anna.tail())
        for _ in range(10):
            late = Pipe(self, server, "late", "--history", "150", rooms=["lobby", "den", "third"],
                        input=[])
            self.assertEqual(late.wait(), 1, late.tail())
            self.assertEqual(late.texts("lobby"), lines)
            self.assertEqual(late.texts("den"), lines)
            self.assertIn("third: ", late.stderr())

    def test_room_given_twice(self):
        """It is one room, and the end does not wait for a second one."""
        for rooms in (["lobby", "lobby"], ["lobby", "LOBBY", "den", "\uff4cobby"]):
            for options in ([], ["--resume"], ["--history", "5"]):
                anna = Pipe(self, self.server, "anna", *options, rooms=rooms, input=["hello"])
                self.assertEqual(anna.wait(), 0, anna.tail())
                self.assertIn("hello", anna.texts())

    def test_until_and_linger(self):
        """--until waits for others' messages after stdin has ended."""
        anna = Pipe(self, self.server, "anna", "--until", "2", input=["mine"])
        anna.wait_event("message", text="mine")
        anna.wait_event("ack")
        self.assertTrue(anna.running())
        boris = Pipe(self, self.server, "boris", input=["his"])
        self.assertEqual(boris.wait(), 0, boris.tail())
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertEqual(anna.texts(), ["mine", "his"])

    def test_taken_nick(self):
        """The second of a name gets the next free one."""
        first = Pipe(self, self.server, "anna")
        first.wait_joined()
        second = Pipe(self, self.server, "anna", "--until", "1", input=["who am I"])
        self.assertEqual(second.wait(), 0, second.tail())
        other = first.wait_event("message")["from"]
        self.assertNotEqual(other, "anna")
        self.assertTrue(other.startswith("anna"), other)

    def test_come_and_go(self):
        """Others see a join, and a part however somebody leaves."""
        anna = Pipe(self, self.server, "anna")
        anna.wait_joined()
        boris = Pipe(self, self.server, "boris")
        anna.wait_event("join", **{"from": "boris"})
        boris.close_input()
        self.assertEqual(boris.wait(), 0)
        anna.wait_event("part", **{"from": "boris"})
        vera = Pipe(self, self.server, "vera")
        anna.wait_event("join", **{"from": "vera"})
        vera.kill()
        anna.wait_event("part", **{"from": "vera"})

    def crowd(self, people, each):
        """Everybody says `each` lines; all must see all, once, in one order."""
        clients = [Pipe(self, self.server, f"p{i}", "--until", str(people * each))
                   for i in range(people)]
        for client in clients:
            client.wait_joined(timeout=30)
        for i, client in enumerate(clients):
            client.say(*[f"{i} {n}" for n in range(each)])
            client.close_input()
        for client in clients:
            self.assertEqual(client.wait(timeout=60 if brief() else 300), 0, client.tail())
        order = [(e["seq"], e["id"], e["text"]) for e in clients[0].of("message")]
        self.assertEqual(len(order), people * each)
        self.assertEqual(len({identity for _, identity, _ in order}), people * each)
        self.assertEqual([seq for seq, _, _ in order], sorted({seq for seq, _, _ in order}))
        for client in clients[1:]:
            self.assertEqual([(e["seq"], e["id"], e["text"]) for e in client.of("message")], order)
        for i, client in enumerate(clients):
            own = [text for _, _, text in order if text.startswith(f"{i} ")]
            self.assertEqual(own, [f"{i} {n}" for n in range(each)])
            self.assertEqual(len(client.of("ack")), each)

    longest = 120 if brief() else 900

    def test_crowd(self):
        if brief():
            self.crowd(20, 50)
        else:
            self.crowd(50, 100)


class Requests(PlainScenario):
    """What the protocol offers, asked by hand."""

    def setUp(self):
        super().setUp()
        self.server = Server(self)

    def person(self, nick, *rooms):
        raw = Raw(self, self.server)
        raw.login(nick)
        for room in rooms:
            raw.join(room)
        return raw

    def test_topic(self):
        """A topic is seen by who is there, who comes later, and in the list of rooms."""
        anna, boris = self.person("anna", "lobby"), self.person("boris", "lobby")
        anna.say("all about tea", kind=3)
        for one in (anna, boris):
            said = one.expect("SAID", kind=3)
            self.assertEqual((said["text"], said["nick"]), ("all about tea", "anna"))
        vera = self.person("vera")
        joined = vera.join("lobby")
        self.assertEqual((joined["topic"], joined["topic_nick"]), ("all about tea", "anna"))
        tag = vera.request("ROOMS", limit=100)
        rooms = vera.expect("ROOM_LIST", tag=tag)["rooms"]
        self.assertEqual([(r["name"], r["people"], r["topic"]) for r in rooms],
                         [("lobby", 3, "all about tea")])

    def test_members_and_away(self):
        anna, boris = self.person("anna", "lobby"), self.person("boris", "lobby")
        tag = anna.request("AWAY", state=1, text="lunch")
        anna.expect("DONE", tag=tag)
        change = boris.expect("PRESENCE", room="lobby")
        def away():
            tag = boris.request("MEMBERS", room="lobby", limit=100)
            listed = boris.expect("MEMBER_LIST", tag=tag)
            return listed if ("anna", 1, "lunch") in [
                (m["nick"], m["state"], m["away"]) for m in listed["members"]] else None
        listed = wait_for(away, "anna to be away", seen=lambda: change)
        self.assertEqual({m["nick"] for m in listed["members"]}, {"anna", "boris"})
        self.assertEqual(listed["people"], 2)

    def test_nick_change(self):
        anna, boris = self.person("anna", "lobby"), self.person("boris", "lobby")
        tag = anna.request("NICK", nick="anne")
        self.assertEqual(anna.expect("RENAMED", tag=tag)["nick"], "anne")
        def renamed():
            changes = boris.expect("PRESENCE", room="lobby")["changes"]
            return [c for c in changes if (c["what"], c["nick"], c["text"]) == (2, "anna", "anne")]
        wait_for(renamed, "the new name")
        anna.say("it is me")
        self.assertEqual(boris.expect("SAID")["nick"], "anne")
        tag = boris.request("NICK", nick="ANNE")
        self.assertEqual(boris.expect("ERROR", tag=tag)["code"], wire.CODES["NICK_TAKEN"])
        # The name that she left is free.
        tag = boris.request("NICK", nick="anna")
        boris.expect("RENAMED", tag=tag)

    def test_name_clash(self):
        """Same name in another case or width: refused, and the connection lives on."""
        self.person("anna")
        for nick in ("anna", "ANNA", "ａｎｎａ"):
            raw = Raw(self, self.server)
            welcome = raw.hello()
            tag = raw.request("LOGIN", person=raw.person, instance=raw.instance,
                              log=welcome["log"], nick=nick)
            error = raw.expect("ERROR", tag=tag)
            self.assertEqual((error["code"], error["fatal"]), (wire.CODES["NICK_TAKEN"], 0))
            tag = raw.request("LOGIN", person=raw.person, instance=raw.instance,
                              log=welcome["log"], nick=nick, flags=1)
            self.assertNotEqual(raw.expect("LOGGED_IN", tag=tag)["nick"].lower(), "anna")

    def test_direct(self):
        """A direct message reaches every session of both, and nobody else."""
        anna, boris, vera = self.person("anna"), self.person("boris"), self.person("vera")
        again = Raw(self, self.server)
        again.person = boris.person
        again.login("boris2")
        anna.counter += 1
        anna.message("DIRECT", counter=anna.counter, nick="boris", text="between us")
        anna.expect("ACK", counter=1)
        for one in (boris, again, anna):
            said = one.expect("DIRECT_SAID")
            self.assertEqual((said["nick"], said["text"]), ("anna", "between us"))
            self.assertEqual(said["to"], boris.person)
        vera.message("PING", token=7)
        vera.expect("PONG", token=7)
        self.assertNotIn("DIRECT_SAID", vera.seen)
        anna.counter += 1
        anna.message("DIRECT", counter=anna.counter, nick="nobody", text="hello?")
        self.assertEqual(anna.expect("REFUSED", counter=2)["code"], wire.CODES["NO_SUCH_PERSON"])

    def test_part(self):
        anna, boris = self.person("anna", "lobby"), self.person("boris", "lobby")
        tag = anna.request("PART", room="lobby")
        anna.expect("PARTED", tag=tag)
        anna.say("from outside")
        self.assertEqual(anna.expect("REFUSED")["code"], wire.CODES["NOT_A_MEMBER"])
        boris.say("alone now")
        boris.expect("SAID")
        anna.message("PING", token=1)
        anna.expect("PONG")
        self.assertNotIn("SAID", anna.seen)

    def test_once(self):
        """The same counter again is acknowledged again and said once, also after the connection
        broke."""
        boris = self.person("boris", "lobby")
        anna = self.person("anna", "lobby")
        for _ in range(3):
            anna.message("SAY", counter=1, room="lobby", text="only once")
        first = anna.expect("ACK", counter=1)
        self.assertEqual(first["duplicate"], 0)
        for _ in range(2):
            again = anna.expect("ACK", counter=1)
            self.assertEqual((again["duplicate"], again["seq"] in (0, first["seq"])), (1, True))
        anna.reset()
        back = Raw(self, self.server)
        back.person, back.instance = anna.person, anna.instance
        login = back.login("anna", flags=1)
        self.assertEqual(login["accepted"], 1)
        back.join("lobby")
        back.message("SAY", counter=1, room="lobby", text="only once")
        self.assertEqual(back.expect("ACK", counter=1)["duplicate"], 1)
        back.message("SAY", counter=2, room="lobby", text="then this")
        back.expect("ACK", counter=2, duplicate=0)
        self.assertEqual(boris.expect("SAID")["text"], "only once")
        self.assertEqual(boris.expect("SAID")["text"], "then this")

    def again(self, before):
        """The same client on another connection: (it, LOGGED_IN)."""
        raw = Raw(self, self.server)
        raw.person, raw.instance = before.person, before.instance
        return raw, raw.login("anna")

    def test_late(self):
        """What a connection that was given up brings after the next login is not kept: the answers
        on the new one hold."""
        boris = self.person("boris", "lobby")
        anna = self.person("anna", "lobby")
        late = b"".join(wire.encode("SAY", counter=i, room="lobby", text="late") for i in (1, 2))
        anna.send(late[:-1])
        anna.expect("ACK", counter=1)
        back, login = self.again(anna)
        self.assertEqual(login["accepted"], 1)
        back.message("SAY", counter=2, room="lobby", text="too early")
        self.assertEqual(back.expect("REFUSED", counter=2)["code"], wire.CODES["NOT_A_MEMBER"])
        end = anna.expect("ERROR")
        self.assertEqual((end["fatal"], end["code"]), (1, wire.CODES["ALREADY"]))
        with contextlib.suppress(OSError):
            anna.send(late[-1:] + wire.encode("SAY", counter=3, room="lobby", text="later"))
        back.join("lobby")
        back.message("SAY", counter=3, room="lobby", text="now")
        back.expect("ACK", counter=3, duplicate=0)
        self.assertEqual([boris.expect("SAID")["text"] for _ in range(2)], ["late", "now"])

    def test_late_while_much_comes(self):
        """The same where the old connection is being read while the new one logs in."""
        many = 20000
        anna = self.person("anna", "lobby")
        late = b"".join(wire.encode("SAY", counter=i + 1, room="lobby", text=f"late {i}")
                        for i in range(many))
        sender = threading.Thread(target=send_all, args=(anna.socket, late))
        sender.start()
        anna.expect("ACK", counter=1)
        back, login = self.again(anna)
        accepted = login["accepted"]
        for counter in range(accepted + 1, min(accepted + 100, many) + 1):
            back.message("SAY", counter=counter, room="elsewhere", text="early")
            back.expect("REFUSED", counter=counter, code=wire.CODES["NOT_A_MEMBER"])
        sender.join()
        back.join("lobby", replay=10)
        back.message("SAY", counter=many + 1, room="lobby", text="done")
        counters = []
        while not counters or counters[-1] <= many:
            counters.append(back.expect("SAID")["counter"])
        self.assertLessEqual(counters[-2], accepted)
        self.assertLess(0, accepted)

    def test_others_stay(self):
        """Only the same person's login with the same instance ends a session."""
        anna = self.person("anna", "lobby")
        for person, instance in ((anna.person, os.urandom(16)), (os.urandom(32), anna.instance)):
            other = Raw(self, self.server)
            other.person, other.instance = person, instance
            other.login("other", flags=1)
        anna.say("still here")
        anna.expect("ACK", counter=1)

    def test_resume(self):
        """Who was away gets what came meanwhile, in order, before anything new, and no more."""
        boris = self.person("boris", "lobby")
        anna = self.person("anna", "lobby")
        boris.say("before")
        seen = anna.expect("SAID")["seq"]
        anna.reset()
        for i in range(100):
            boris.say(f"meanwhile {i}")
        boris.expect("ACK", counter=101)
        anna = self.person("anna2")
        tag = anna.request("JOIN", room="lobby", flags=1, after=seen)
        anna.expect("JOINED", tag=tag)
        boris.say("now")
        texts, last = [], seen
        while not texts or texts[-1] != "now":
            said = anna.expect("SAID")
            self.assertEqual(said["prev"], last)
            last = said["seq"]
            texts.append(said["text"])
        self.assertEqual(texts, [f"meanwhile {i}" for i in range(100)] + ["now"])

    def test_bad_requests(self):
        """A request that cannot be: an answer with its tag or counter, and the connection goes on."""
        anna = self.person("anna", "lobby")
        cases = [
            ("JOIN", dict(room="no#good"), "BAD_ROOM"),
            ("JOIN", dict(room="a\x07b"), "BAD_TEXT|BAD_ROOM"),
            ("PART", dict(room="elsewhere"), "NOT_A_MEMBER"),
            ("NICK", dict(nick="a,b"), "BAD_NICK"),
            ("NICK", dict(nick=b"\xff\xfe"), "BAD_TEXT|BAD_NICK"),
            ("MEMBERS", dict(room="elsewhere", limit=10), "NOT_A_MEMBER"),
            ("AWAY", dict(state=9), "BAD_VALUE"),
        ]
        for name, values, codes in cases:
            with self.subTest(name=name, **values):
                tag = anna.request(name, **values)
                error = anna.expect("ERROR", tag=tag, timeout=3)
                self.assertIn(error["code"], [wire.CODES[c] for c in codes.split("|")])
                self.assertEqual(error["fatal"], 0)
        for text in (b"esc \x1b[31m", b"c1 \xc2\x9b", b"bad \xff", b"over \xc0\xaf",
                     b"half \xed\xa0\x80", "bidi \u202e".encode(), b"nul \x00"):
            with self.subTest(text=text):
                counter = anna.say(text)
                refused = anna.expect("REFUSED", counter=counter, timeout=3)
                self.assertEqual(refused["code"], wire.CODES["BAD_TEXT"])
        counter = anna.say("and on it goes")
        anna.expect("ACK", counter=counter)

    def test_one_person_two_sessions_leave(self):
        """Somebody is gone when the last of their sessions is."""
        boris = self.person("boris", "lobby")
        one = self.person("anna", "lobby")
        two = Raw(self, self.server)
        two.person = one.person
        two.login("anna-too")
        two.join("lobby")
        one.reset()
        tag = boris.request("MEMBERS", room="lobby", limit=10)
        people = {m["person"] for m in boris.expect("MEMBER_LIST", tag=tag)["members"]}
        self.assertIn(one.person, people)
        two.reset()
        def gone():
            tag = boris.request("MEMBERS", room="lobby", limit=10)
            members = boris.expect("MEMBER_LIST", tag=tag)["members"]
            return all(m["person"] != one.person or m["state"] == 2 for m in members)
        wait_for(gone, "the person to be gone")


if __name__ == "__main__":
    main()
