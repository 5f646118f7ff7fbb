#!/usr/bin/env python3
"""Who may do what: nicks that have owners, operators."""

import os

from lib.case import main
from lib.process import Program
from lib.rights import BANNED, MODERATOR, Person, Rights
from lib.secure import Key, Secure
from lib.server import Server
from lib.wait import BUILD, wait_for
from lib.wire import CODES, VERBS


class Nicks(Rights):
    """A nick belongs to the first key that used it."""

    # What looks like "Paulo1": case, width, scripts, digits for letters.
    ALIKE = ("paulo1", "PAULO1", "\uff30\uff41\uff55\uff4c\uff4f\uff11", "Paulol", "PauIo1",
             "Pau\u217co1")

    def test_owned(self):
        server = self.serve()
        paulo = Person(self, server, "Paulo1")
        other = Key(self)
        for nick in self.ALIKE:
            with self.subTest(nick):
                self.refused(server, nick, "NICK_TAKEN", key=other)
        # Also when its owner is gone, and after a restart.
        paulo.peer.message("BYE")
        paulo.peer.wait_end()
        self.refused(server, "paulo1", "NICK_TAKEN", key=other)
        server.stop()
        again = self.serve(data=server.data)
        self.refused(again, "paulol", "NICK_TAKEN", key=other)
        back = paulo.again(again)
        self.assertEqual(back.welcome["nick"], "Paulo1")
        # Whole words in another script: "оса" is not Latin, and looks it.
        Person(self, again, "oca")
        self.refused(again, "\u043e\u0441\u0430", "NICK_TAKEN", key=other)
        # Not everything is taken.
        self.assertEqual(Person(self, again, "paula").welcome["nick"], "paula")

    # A nick, how its owner writes it next, and what passes for the first of these.
    SPELLINGS = (("BILL", "bill", "BlLL"), ("\u0412\u041e\u0412\u0410",
                                            "\u0432\u043e\u0432\u0430", "BOBA"))

    def test_spellings(self):
        """However its owner writes it: what looked like it is kept from others as before."""
        server = self.serve()
        other = Key(self)
        for first, next_, alike in self.SPELLINGS:
            with self.subTest(first):
                owner = Person(self, server, first)
                self.refused(server, alike, "NICK_TAKEN", key=other)
                small = Person(self, server, next_, owner.key)
                self.assertEqual(small.welcome["nick"], next_)
                self.refused(server, alike, "NICK_TAKEN", key=other)
                self.assertEqual(owner.again().welcome["nick"], first)
                Person(self, server, next_, owner.key)
        server.stop()
        again = self.serve(data=server.data)
        for first, _, alike in self.SPELLINGS:
            self.refused(again, alike, "NICK_TAKEN", key=other)
            self.refused(again, first, "NICK_TAKEN", key=other)

    def test_spelling_of_another(self):
        """Who came first with a look has it: the owner of "bill" stays so, and is no "BlLL"."""
        server = self.serve()
        bill, other = Person(self, server, "bill"), Person(self, server, "BlLL")
        self.assertEqual(other.welcome["nick"], "BlLL")
        for flags in 0, 1:
            peer = Secure(self, server, key=bill.key)
            self.assertEqual(peer.login("BILL", flags=flags)["nick"], "bill")
            peer.reset()
        tag = bill.peer.request("NICK", nick="BILL")
        self.assertEqual(bill.peer.expect("RENAMED", tag=tag)["nick"], "bill")
        self.assertEqual(bill.whois("bill")["owned"], 1)
        self.assertEqual(bill.whois("blll")["person"], other.key.person)

    def test_next_free_one(self):
        server = self.serve()
        Person(self, server, "anna").peer.reset()
        peer = Secure(self, server)
        self.assertEqual(peer.login("Anna", flags=1)["nick"], "Anna2")
        self.assertEqual(peer.expect("PLACES")["more"], 0)

    def test_many_who_look_alike_at_once(self):
        """Each gets a nick, where any will do, however often another one was faster."""
        server = self.serve()
        nicks = ("bill-x", "bilI-x", "biII-x", "bi11-x", "BlLL-x", "b1ll-x", "Bi1I-x", "BILL-x")
        for _ in range(5):
            peers = [Secure(self, server) for _ in nicks]
            for peer, nick in zip(peers, nicks):
                welcome = peer.hello()
                peer.ask = ("LOGIN", {"person": peer.person, "instance": peer.instance,
                                      "log": welcome["log"], "flags": 1, "nick": nick})
            tags = [peer.request(peer.ask[0], **peer.ask[1]) for peer in peers]
            for peer, tag in zip(peers, tags):
                peer.expect("LOGGED_IN", tag=tag)

    def test_several_machines(self):
        """One key may be here twice, as one person."""
        server = self.serve()
        anna = Person(self, server, "anna")
        second = anna.again()
        third = Person(self, server, "anna-phone", anna.key)
        self.assertEqual(second.welcome["nick"], "anna")
        for one in (anna, second, third):
            self.assertEqual(one.whois("anna")["person"], anna.key.person)
            self.assertEqual(one.whois("anna-phone")["person"], anna.key.person)

    def test_whois(self):
        server = self.serve()
        anna, bob = Person(self, server, "Anna"), Person(self, server, "bob")
        found = bob.whois("anna")
        self.assertEqual((found["nick"], found["person"], found["state"], found["owned"],
                          found["proven"], found["rank"]),
                         ("Anna", anna.key.person, 0, 1, 1, 0))
        anna.peer.message("BYE")
        anna.peer.wait_end()
        wait_for(lambda: bob.whois("anna")["state"] == 2, "that she is gone")
        tag = bob.peer.request("WHOIS", nick="nobody")
        self.assertEqual(bob.peer.expect("ERROR", tag=tag)["code"], CODES["NO_SUCH_PERSON"])

    def test_renaming(self):
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        tag = bob.peer.request("NICK", nick="ANNA")
        self.assertEqual(bob.peer.expect("ERROR", tag=tag)["code"], CODES["NICK_TAKEN"])
        tag = bob.peer.request("NICK", nick="robert")
        self.assertEqual(bob.peer.expect("RENAMED", tag=tag)["nick"], "robert")
        tag = anna.peer.request("NICK", nick="bob")  # he has it still
        self.assertEqual(anna.peer.expect("ERROR", tag=tag)["code"], CODES["NICK_TAKEN"])
        self.assertEqual(anna.whois("bob")["person"], bob.key.person)

    def test_released(self):
        server = self.serve()
        root = self.operator(server)
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        bob.act("release", "anna", room="", code="NO_RIGHT")
        bob.act("release", "nobody", room="", code="NO_SUCH_NICK")
        anna.act("release", "ANNA", room="den", code="BAD_VALUE")
        anna.act("release", "ANNA", room="")
        anna.peer.message("BYE")
        anna.peer.wait_end()
        new = wait_for(lambda: self.try_login(server, "anna"), "her nick")
        root.act("release", "anna", room="")
        self.assertEqual(new.whois("anna")["owned"], 0)

    def try_login(self, server, nick):
        try:
            return Person(self, server, nick)
        except AssertionError:
            return None

    def test_longer_than_a_nick(self):
        """What cannot be a nick is not taken for the one that it begins with."""
        anna = Person(self, Server(self), "n" * 48)
        anna.act("release", "n" * 49, room="", code="NO_SUCH_NICK")
        self.assertEqual(anna.whois("n" * 48)["owned"], 1)

    def test_messages_to_an_owner(self):
        """They wait for the owner, whoever had the nick last."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.peer.message("BYE")
        anna.peer.wait_end()
        bob.peer.counter += 1
        bob.peer.message("DIRECT", counter=bob.peer.counter, nick="Anna", text="for you")
        bob.peer.expect("ACK", counter=bob.peer.counter)
        back = Secure(self, server, key=anna.key)
        welcome = back.hello()
        back.request("LOGIN", person=back.person, instance=back.instance, log=welcome["log"],
                     nick="anna", inbox_after=0)
        self.assertEqual(back.expect("DIRECT_SAID")["text"], "for you")


class Operators(Rights):
    def test_code(self):
        server = self.serve()
        path = os.path.join(server.data, "operator-code")
        with open(path, encoding="utf-8") as file:
            code = file.read().strip()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertIn(f"/op {code}", server.tail())
        stranger = Person(self, server, "stranger")
        tag = stranger.peer.request("ACT", verb=VERBS["op"], text="abcd-efgh-ijkl-mnop")
        _, got = stranger.peer.wait_end()
        self.assertEqual(got[-1][1]["code"], CODES["WRONG_CODE"], (tag, got))
        first = Person(self, server, "first")
        first.act("op", room="", text=code.replace("-", "").upper())  # as somebody may type it
        self.assertFalse(os.path.exists(path))
        self.assertEqual(first.whois("first")["rank"], 3)
        # It works once.
        late = Person(self, server, "late")
        late.peer.request("ACT", verb=VERBS["op"], text=code)
        self.assertEqual(late.peer.wait_end()[1][-1][1]["code"], CODES["WRONG_CODE"])
        # Operators make operators, and are operators after a restart.
        second = Person(self, server, "second")
        second.act("op", "second", room="", code="NO_RIGHT")
        first.act("op", "second", room="")
        second.act("deop", "first", room="")
        server.stop()
        again = self.serve(data=server.data)
        self.assertNotIn("/op", again.tail())
        self.assertEqual(second.again(again).standings(MODERATOR, ""), ["second"])

    def test_new_code(self):
        """For whoever has lost the key of the only one."""
        server = self.serve()
        self.operator(server)
        made = self.run_server("--operator-code", "--data", server.data)
        code = made.split("/op ")[1].split()[0]
        new = Person(self, server, "new")
        new.act("op", room="", text=code)
        self.assertEqual(new.standings(MODERATOR, ""), ["new", "root"])

    def test_last_operator(self):
        """Who gives it up leaves a code behind, without a restart."""
        server = self.serve()
        root = self.operator(server)
        root.act("deop", "root", room="")
        self.assertIn("no operator now", root.peer.expect("NOTICE", kind=2)["text"])
        self.operator(server, "next")
        self.assertEqual(root.standings(MODERATOR, ""), ["next"])

    def run_server(self, *options):
        program = Program(self, [os.path.join(BUILD, "lanchatd"), *options])
        self.assertEqual(program.wait(), 0, program.tail())
        return program.tail()

    def test_kick_and_ban_from_the_server(self):
        server = self.serve()
        root = self.operator(server)
        bob, eve = Person(self, server, "bob"), Person(self, server, "eve")
        for one in (eve, bob):
            one.join("lobby")
        root.act("kick", "bob", room="", text="enough")
        _, got = bob.peer.wait_end()
        self.assertEqual((got[-1][1]["code"], got[-1][1]["fatal"]), (CODES["KICKED"], 1))
        self.assertEqual(got[-1][1]["text"], "root sent you off the server: enough")
        self.assertEqual(self.left(eve, "bob"), "was sent off the server: enough")
        bob = bob.again()
        bob.join("lobby")
        root.act("ban", "bob", room="", value=7200, text="again")
        _, got = bob.peer.wait_end()
        self.assertEqual(got[-1][1]["code"], CODES["BANNED"])
        # Half a second later it is a minute less.
        self.assertRegex(got[-1][1]["text"],
                         r"\Aroot banned you from the server for (2 h|1 h 59 min): again\Z")
        self.assertEqual(self.left(eve, "bob"), "was banned from the server: again")
        peer = self.refused(server, "bob", "BANNED", key=bob.key)
        self.assertRegex(peer.error["text"], r"\Ayou are banned here for (2 h|1 h 59 min)\Z")
        root.act("unban", "bob", room="")
        bob = bob.again()
        # By address, too; operators are above it.
        root.act("ban", "127.0.0.0/8", room="")
        bob.peer.wait_end()
        self.refused(server, "bob", "BANNED", key=bob.key)
        self.assertEqual(root.standings(BANNED, ""), ["127.0.0.0/8"])
        root.act("ban", "root", room="", code="NO_RIGHT")
        self.assertIn(("root", VERBS["ban"], "127.0.0.0/8"), root.audit(""))


    def left(self, person, nick):
        """What somebody is told of why another left the lobby."""
        while True:
            for c in person.peer.expect("PRESENCE", room="lobby")["changes"]:
                if c["what"] == 1 and c["nick"] == nick:
                    return c["text"]

    def test_wrong_code_is_not_for_others(self):
        """They do not read what was said to the one who guessed."""
        server = self.serve()
        anna, bob = Person(self, server, "anna"), Person(self, server, "bob")
        anna.join("lobby")
        bob.join("lobby")
        bob.peer.request("ACT", verb=VERBS["op"], text="abcd-efgh-ijkl-mnop")
        bob.peer.wait_end()
        self.assertEqual(self.left(anna, "bob"), "the server ended the connection")


if __name__ == "__main__":
    main()
