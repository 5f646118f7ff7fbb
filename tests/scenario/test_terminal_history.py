#!/usr/bin/env python3
"""The client in a real terminal: what was said before, searching it, where one left off, and what
becomes of one's own messages."""

import os
import re

from lib import Client, Pipe, Scenario, Server, main, wait_for


class History(Scenario):
    def server(self, *options):
        self.alpha = Server(self, "--name", "alpha", *options)
        return self.alpha

    def bob(self, *lines, rooms=("lobby",)):
        """Somebody who has said these lines."""
        bob = Pipe(self, self.alpha, "bob", rooms=rooms)
        bob.wait_joined(rooms[-1])
        self.say(bob, *lines)
        return bob

    def say(self, bob, *lines):
        before = len(bob.of("ack"))
        bob.say(*lines)
        wait_for(lambda: len(bob.of("ack")) == before + len(lines), "what bob says to be kept", 30,
                 bob.tail)

    def start(self, nick, *options):
        """A client; with the same nick, the same person again."""
        home = os.path.join(self.dir, "home." + nick)
        env = {"XDG_DATA_HOME": home + "/data", "XDG_STATE_HOME": home + "/state"}
        return Client(self, self.alpha, nick, *options, env=env, columns=100, rows=30)

    def anna(self, *options):
        anna = self.start("anna", *options)
        anna.wait_room()
        return anna

    def person(self, nick):
        client = self.start(nick)
        client.wait_room()
        return client

    def tell(self, client, *lines):
        """Say many lines at once, in a conversation that is shown."""
        client.paste("\n".join(lines))
        client.wait_text(f"Paste: {len(lines)} lines")
        client.keys("Enter")
        client.wait_text(f"✓ .*│ {lines[-1]}", 20)

    def leave(self, client):
        client.enter("/quit")
        client.wait_end()

    def again(self):
        """Another server in the same place, with the same data."""
        self.alpha = Server(self, "--name", "alpha", listen=f"127.0.0.1:{self.alpha.port}",
                            data=self.alpha.data)
        return self.alpha

    def numbers(self, client):
        return [int(n) for n in re.findall(r"│ line (\d+)", client.text())]


class LookingBack(History):
    def test_up_to_the_beginning(self):
        """Pages come by themselves, each line is there once and in order, up to the first; and
        down again to the newest."""
        self.server()
        self.bob(*(f"line {i}" for i in range(1, 351)))
        anna = self.anna("--history", "30")
        anna.wait_text("line 350")
        lowest = self.numbers(anna)[0]

        def page():
            """Lines before those, and no hole between, once all are drawn."""
            seen = self.numbers(anna)
            return seen if seen[0] < lowest <= seen[-1] + 1 and \
                seen == list(range(seen[0], seen[-1] + 1)) else None
        while lowest > 1:
            anna.keys("PageUp")
            wait_for(page, f"lines before {lowest}, all of them",
                     seen=lambda: "\n" + anna.text())
            anna.settle()  # half of a picture may look like one
            lowest = page()[0]
        anna.keys("PageUp")
        anna.wait_text("─ the beginning of #lobby ─")
        anna.same("history-beginning")
        while self.numbers(anna)[-1] < 350:
            highest = self.numbers(anna)[-1]
            anna.keys("PageDown")
            wait_for(lambda: self.numbers(anna)[-1] > highest, f"lines after {highest}",
                     seen=lambda: "\n" + anna.text())
            seen = self.numbers(anna)
            self.assertEqual(seen, list(range(seen[0], seen[-1] + 1)))

    def test_while_others_talk(self):
        """The view stays where it is when earlier and later lines come."""
        self.server()
        bob = self.bob(*(f"line {i}" for i in range(1, 201)))
        anna = self.anna("--history", "60")
        anna.wait_text("line 200")
        anna.wait_text("You are in #lobby")
        anna.keys("PageUp", "PageUp")
        anna.wait_text("scrolled back")
        anna.wait_gone(r"day, \d+ \w+ \d{4} ─")  # earlier lines have come
        anna.settle()
        before = self.numbers(anna)
        self.say(bob, "a new one", "and another one")
        anna.wait_text("2 new")
        self.assertEqual(self.numbers(anna), before)

    def test_so_many_more(self):
        """/history N, and what is no number."""
        self.server()
        self.bob(*(f"line {i}" for i in range(1, 101)))
        anna = self.anna("--history", "10")
        anna.wait_text("You are in #lobby")  # before that, these lines are still being loaded
        self.assertNotIn("line 90 ", anna.text() + " ")
        anna.enter("/history 40")
        anna.wait_text("│ line 51$|│ line 51 ")
        anna.wait_gone("│ line 50 ")
        anna.enter("/history many")
        anna.wait_text("A number from 1 to")

    def test_many_long_lines(self):
        """More of them than are kept beside what is said: what was asked for comes, and stays when somebody
        says something."""
        self.server()
        bob = self.bob()
        lines = [f"m{i:04} " + "x" * 3900 for i in range(1200)]
        for i in range(0, len(lines), 50):
            self.say(bob, *lines[i:i + 50])
        anna = self.anna("--history", "10")
        anna.wait_text("You are in #lobby")  # before that, nothing earlier is loaded
        anna.enter("/history 1200")
        anna.wait_text("m0000", 20)
        self.say(bob, "short")
        anna.wait_text("1 new", 10)
        self.assertIn("m0000", anna.text())

    def test_by_time(self):
        """/last goes to what was said from then on, and says where nothing was."""
        self.server()
        self.bob(*(f"line {i}" for i in range(1, 301)))
        anna = self.anna("--history", "10")
        anna.wait_text("line 300")
        anna.enter("/last 2h")
        anna.wait_text(r"│ line 1 ")
        anna.wait_text("far back")
        anna.keys("Escape")
        anna.wait_text("line 300")
        anna.enter("/last yesterday")
        anna.wait_text('"yesterday" is no time')
        anna.wait_input("/last yesterday")
        anna.keys("C-u")
        anna.enter("/last 2038-01-19")
        anna.wait_text("Nothing was said here since then")
        anna.enter("/last 30m")
        anna.wait_text(r"│ line 1 ")
        # Down again, page by page, to the newest line.
        while "line 300" not in anna.text():
            highest = self.numbers(anna)[-1]
            anna.keys("PageDown")

            def further():
                seen = self.numbers(anna)
                return seen[-1] > highest and seen == list(range(seen[0], seen[-1] + 1))
            wait_for(further, f"lines after {highest}, none left out", seen=lambda: "\n" + anna.text())

    def test_conversation(self):
        """What was said with one person, apart from what others said."""
        self.server()
        first = self.anna()
        self.leave(first)
        bob = self.person("bob")
        bob.enter("/query anna")
        self.tell(bob, *(f"for you {i}" for i in range(1, 31)))
        carl = self.person("carl")
        carl.enter("/query anna")
        self.tell(carl, *(f"and you {i}" for i in range(1, 151)))
        anna = self.anna()
        anna.enter("/query bob")
        anna.wait_text(r"\A bob")
        for _ in range(6):
            anna.keys("M-<")
            anna.settle()
            if "the beginning with bob" in anna.text():
                break
        text = anna.wait_text("the beginning with bob")
        self.assertRegex(text, r"for you 1\n")
        self.assertNotIn("and you", text)


class Searching(History):
    def test_jump(self):
        """Words are found whatever their case and marks; Enter goes there, Escape comes back."""
        self.server()
        bob = self.bob(*(f"line {i}" for i in range(1, 101)))
        self.say(bob, "Новогодняя ЁЛКА стоит в углу")
        self.say(bob, *(f"line {i}" for i in range(101, 301)))
        self.say(bob, "ещё одна ёлка")
        anna = self.anna("--history", "10")
        anna.wait_text("ещё одна ёлка")
        anna.enter("/search елка")
        anna.wait_text("2 in #lobby for: елка")
        text = anna.wait_text("Новогодняя ЁЛКА")
        self.assertLess(text.index("ещё одна"), text.index("Новогодняя"))
        anna.settle()
        anna.same("search")
        anna.keys("Down", "Enter")
        anna.wait_text("│ line 100 ")
        anna.wait_text("│ line 101 ")
        self.assertIn("\x1b[7mНовогодняя", anna.styled())
        anna.keys("PageDown")
        anna.wait_text("│ line 120 ")
        anna.keys("Escape")
        anna.wait_text("ещё одна ёлка")
        self.assertNotIn("line 120", anna.text())
        anna.enter("/search")
        anna.wait_text("2 in #lobby for: елка")
        anna.keys("Escape")
        anna.wait_gone("for: елка")

    def test_everywhere(self):
        """-a looks in all rooms and conversations; a click chooses."""
        self.server()
        self.bob("a needle here", rooms=("lobby", "games"))
        anna = self.anna("--room", "lobby", "--room", "games")
        anna.wait_text("a needle here")
        anna.enter("/join games")
        anna.wait_room("games")
        anna.enter("another needle")
        anna.wait_text("anna │ another needle")
        anna.enter("/msg bob a third needle")
        anna.wait_text("Sent to bob")
        anna.enter("/search -a needle")
        anna.wait_text("3 in all your rooms for: needle")
        for place in ("#lobby bob", "#games anna", "@bob anna"):
            anna.wait_text(place)
        anna.keys("End", "Enter")
        anna.wait_text(r"\A #lobby")
        anna.wait_text("a needle here")

    def test_no_match(self):
        self.server()
        self.bob("something")
        anna = self.anna()
        anna.enter("/search nothing of the kind")
        anna.wait_text("No match in #lobby for: nothing of the kind")
        anna.keys("Enter", "Escape")
        anna.wait_gone("No match")
        anna.enter("/search !?")
        anna.wait_text("No match|The search failed")
        anna.keys("Escape")
        self.alpha.kill()
        anna.wait_text("offline")
        anna.enter("/search something")
        anna.wait_text("The search failed: there is no connection")


class LeavingOff(History):
    def test_restarted(self):
        """The rooms are entered again, and what came meanwhile is marked and counted."""
        self.server()
        bob = self.bob("before", rooms=("lobby", "games"))
        anna = self.anna()
        anna.wait_text("before")
        anna.enter("/join games")
        anna.wait_room("games")
        anna.enter("first")
        anna.wait_text("✓ +anna │ first")
        anna.keys("M-2")
        anna.wait_room("lobby")
        anna.settle()
        self.leave(anna)
        self.say(bob, "while you were away", "and later")
        anna = self.anna()
        anna.wait_text("and later")
        text = anna.wait_text("─ unread ─")
        self.assertLess(text.index("before"), text.index("─ unread ─"))
        self.assertLess(text.index("─ unread ─"), text.index("while you were away"))
        anna.wait_text("#games")
        anna.settle()
        anna.same("left-off")
        self.leave(anna)
        # Nothing new: nothing is marked.
        anna = self.anna()
        anna.wait_text("and later")
        anna.wait_text("#games")
        anna.settle()
        self.assertNotIn("─ unread ─", anna.text())

    def test_long_ago(self):
        """So much came that the place is not in the last page: the top says how to get there."""
        self.server()
        bob = self.bob("line 0")
        anna = self.anna("--history", "20")
        anna.wait_text("line 0")
        anna.wait_text("You are in #lobby")  # what she has read is told from then on
        anna.settle()
        self.leave(anna)
        self.say(bob, *(f"line {i}" for i in range(1, 251)))
        anna = self.anna("--history", "20")
        anna.wait_text("line 250")
        anna.wait_text("unread from further up: Alt-u goes there")
        anna.keys("M-u")
        anna.wait_text(r"line 0 [^\0]*─ unread ─[^\0]*line 1 ")

    def test_beside_a_refusal(self):
        """What was read is not unread again, though a message to nobody was refused and its
        conversation never looked at."""
        self.server()
        bob = self.person("bob")
        anna = self.anna()
        anna.enter("/msg nobody hey")
        anna.wait_text("3 nobody +1")
        bob.enter("/msg anna and then this")
        anna.wait_text("4 bob +@1 1")
        anna.keys("M-4")
        anna.wait_text("bob: and then this|bob │ and then this")
        anna.settle()
        self.leave(anna)
        bob.enter("/msg anna later")
        bob.wait_text("Sent to anna")
        anna = self.anna()
        anna.wait_text("3 bob +@1 1")

    def test_renamed(self):
        """Whoever begins anew sees the nick that the other one has now, and had not when they
        wrote."""
        self.server()
        bob = self.person("bob")
        anna = self.anna()
        bob.enter("/msg anna who am I?")
        anna.wait_text("3 bob +@1 1")
        bob.enter("/nick bobby")
        anna.wait_text("3 bobby")
        self.leave(anna)
        anna = self.anna()
        anna.wait_text("3 bobby")
        self.assertNotRegex(anna.text(), r"3 bob\b")

    def test_direct(self):
        """Messages to somebody who is not here arrive later, and are counted."""
        self.server()
        bob = self.person("bob")
        anna = self.anna()
        bob.enter("/query anna")
        bob.enter("hello")
        anna.wait_text("3 bob +@1 1")
        self.leave(anna)
        bob.enter("are you there?")
        bob.wait_text("✓ +bob │ are you there?")
        anna = self.anna()
        anna.wait_text("3 bob +@2 2")
        anna.keys("M-3")
        anna.wait_text("are you there?")
        anna.settle()
        self.leave(anna)
        anna = self.anna()
        anna.settle()
        self.assertNotRegex(anna.text(), "bob +@")


class Keeping(History):
    def test_waiting_sent_kept(self):
        """While there is no server, what is written waits; then it is sent and kept, once."""
        self.server()
        anna = self.anna()
        anna.enter("one")
        anna.wait_text("✓ +anna │ one")
        self.alpha.stop()
        anna.wait_text("offline")
        anna.enter("two")
        anna.enter("three")
        anna.wait_text("… +anna │ two")
        anna.wait_text("… +anna │ three")
        self.again()
        anna.keys("Enter")
        anna.wait_text("✓ +anna │ two", 20)
        text = anna.wait_text("✓ +anna │ three")
        self.assertEqual(len(re.findall("│ (?:one|two|three) ", text)), 3)
        bob = Pipe(self, self.alpha, "bob", "--history", "10")
        wait_for(lambda: bob.texts()[-2:] == ["two", "three"], "the messages in order")

    def test_on_its_way(self):
        """Sent, and not acknowledged yet."""
        self.server()
        anna = self.anna()
        anna.settle()
        self.alpha.freeze()
        anna.enter("into the void")
        anna.wait_text("→ +anna │ into the void")
        self.alpha.thaw()
        anna.wait_text("✓ +anna │ into the void")

    def test_another_start(self):
        """What waited when the client was left waits when it is started again, and goes then."""
        self.server()
        anna = self.anna()
        anna.enter("/join games")
        anna.wait_room("games")
        self.alpha.stop()
        anna.wait_text("offline")
        anna.enter("left over")
        anna.wait_text("… +anna │ left over")
        anna.enter("/quit")
        anna.wait_text("sent the next time")
        anna.enter("/quit")
        anna.wait_end()
        anna.wait_text("not sent to #games: left over")
        anna = self.start("anna")
        anna.wait_text("offline|connecting")
        anna.wait_text("#games")
        anna.keys("M-2")
        anna.wait_text("… +anna │ left over")
        anna.enter("and one more")
        anna.wait_text("… +anna │ and one more")
        self.again()
        anna.keys("Enter")
        anna.wait_text("#games  online", 20)  # where she looked when the server came
        text = anna.wait_text("✓ +anna │ left over")
        anna.settle()
        self.assertEqual(anna.text().count("left over"), 1, text)
        bob = Pipe(self, self.alpha, "bob", "--history", "10", rooms=("games",))
        bob.wait_event("message", text="left over")
        wait_for(lambda: bob.texts("games") == ["left over", "and one more"], "both in order")


if __name__ == "__main__":
    main()
