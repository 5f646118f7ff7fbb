#!/usr/bin/env python3
"""The client in a real terminal: talking, rooms, unread counts, commands, help."""

import json
import re

from lib import Client, Pipe, Scenario, Server, brief, main, wait_for


class Talking(Scenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self, "--name", "alpha")

    def bob(self, nick="bob", rooms=("lobby",)):
        bob = Pipe(self, self.server, nick, rooms=rooms)
        for room in rooms:
            bob.wait_joined(room)
        return bob

    def anna(self, *options, **more):
        anna = Client(self, self.server, "anna", *options, **more)
        anna.wait_room()
        return anna


class Conversation(Talking):
    def test_two_people(self):
        """Two screens show the same conversation."""
        anna = self.anna()
        bob = Client(self, self.server, "bob")
        bob.wait_room()
        anna.wait_text("│2 people")
        anna.enter("hello bob")
        bob.wait_text("anna: hello bob")
        bob.enter("hi anna, how are you?")
        anna.wait_text("bob: hi anna, how are you?")
        anna.enter("/me waves")
        bob.wait_text(r"\* ?anna waves")
        bob.enter("//help is how one says /help")
        anna.wait_text("bob: /help is how one says /help")
        bob.enter("/quit")
        anna.wait_text("│1 person")
        anna.same("two-people")

    def test_history(self):
        """What was said before is there on joining, oldest first, once."""
        bob = self.bob()
        bob.say(*(f"line {n}" for n in range(1, 31)))
        bob.wait_event("ack", 30)
        anna = self.anna()
        anna.wait_text("line 30")
        anna.settle()
        seen = re.findall(r"line (\d+)", anna.text())
        self.assertGreater(len(seen), 10)
        self.assertEqual(seen, [str(n) for n in range(31 - len(seen), 31)])
        few = Client(self, self.server, "carl", "--history", "3")
        few.wait_room()
        few.wait_text("You are in #lobby")
        wait_for(lambda: re.findall(r"line (\d+)", few.text()) == ["28", "29", "30"],
                 "the last three lines, once", seen=few.text)

    def test_scrollback(self):
        """PageUp and PageDown pass every line; what comes in meanwhile does not move the view, and
        is told."""
        bob = self.bob()
        bob.say(*(f"line {n}" for n in range(1, 101)))
        bob.wait_event("ack", 100)
        anna = self.anna()
        anna.wait_text("line 100$|line 100 ")
        anna.wait_text("You are in #lobby")

        def numbers():
            return [int(n) for n in re.findall(r"line (\d+)", anna.text())]

        def page():
            """Whole, and next to what was shown before."""
            shown = numbers()
            return shown if shown and shown[0] < top <= shown[-1] + 1 and \
                shown == list(range(shown[0], shown[-1] + 1)) else None
        seen = set(numbers())
        while 1 not in seen:
            top = min(seen)
            anna.keys("PageUp")
            seen |= set(wait_for(page, f"the lines before {top}", seen=anna.text))
        self.assertEqual(seen, set(range(1, 101)))
        anna.settle()
        top = anna.messages()
        below = int(re.search(r"(\d+) below", anna.text()).group(1))
        bob.say("news while scrolled back")
        anna.wait_text(f"{below + 1} below")
        self.assertEqual(anna.messages(), top)
        for _ in range(8):
            anna.keys("PageDown")
        anna.wait_text("news while scrolled back")
        anna.keys("M-<")
        anna.wait_text(r"line 1\b")
        anna.keys("M->")
        anna.wait_text("news while scrolled back")
        anna.keys("PageUp")
        anna.wait_gone("news while scrolled back")
        anna.keys("Escape")
        anna.wait_text("news while scrolled back")

    def test_long_history(self):
        """Many lines at once, and the way back to the first."""
        count = 300 if brief() else 3000
        bob = self.bob()
        bob.say(*(f"line {n}" for n in range(1, count + 1)))
        bob.wait_event("ack", count, timeout=60)
        anna = self.anna("--history", str(count))
        anna.wait_text(f"line {count}")
        anna.keys("M-<")
        anna.wait_text(r"line 1\b")

    def test_while_scrolled_back(self):
        """Sending goes to the newest line."""
        bob = self.bob()
        bob.say(*(f"line {n}" for n in range(1, 61)))
        bob.wait_event("ack", 60)
        anna = self.anna()
        anna.wait_text("line 60")
        anna.keys("PageUp")
        anna.wait_gone("line 60")
        anna.enter("my own")
        anna.wait_text("anna: my own")


class Rooms(Talking):
    def test_unread(self):
        """Counts of unread lines and of mentions, the marker of the first unread, and the key
        that goes there."""
        bob = self.bob(rooms=("lobby", "games", "quiet"))
        anna = self.anna()
        anna.enter("/join games")
        anna.wait_room("games")
        anna.enter("/join quiet")
        anna.wait_room("quiet")
        anna.keys("M-2")
        anna.wait_room()
        bob.say("in the lobby")
        anna.wait_text("bob: in the lobby")
        anna.keys("M-4")
        anna.wait_room("quiet")
        bob.say("one", "two", "anna: three", "Anna, four", "joanna five")
        anna.wait_text(r"#lobby +@2 5│")
        anna.same("unread")
        anna.keys("M-a")
        anna.wait_room()
        anna.wait_text("─ unread ─")

        def between():
            lines = anna.messages()
            at = next((n for n, line in enumerate(lines) if "unread" in line), 0)
            return 0 < at < len(lines) - 1 and "in the lobby" in lines[at - 1] and \
                lines[at + 1].endswith("bob: one")
        wait_for(between, "the marker between what was read and what was not", seen=anna.text)
        anna.wait_gone("@2 5")
        anna.same("marker")

    def test_unread_scrolled(self):
        """More unread than a page: the first of them is a key away."""
        bob = self.bob()
        anna = self.anna()
        anna.enter("/join quiet")
        anna.wait_room("quiet")
        bob.say(*(f"line {n}" for n in range(1, 81)))
        anna.wait_text("#lobby +80│")
        anna.keys("M-a")
        anna.wait_room()
        anna.keys("M-u")
        anna.wait_text("─ unread ─")
        anna.wait_text(r"line 1\b")

    def test_mention_rings(self):
        """A mention rings the bell; other lines do not."""
        bob = self.bob()
        anna = self.anna()
        anna.run("set-window-option", "-g", "monitor-bell", "on")
        anna.run("set-option", "-g", "bell-action", "any")
        anna.run("new-window", "-d", "-t", "main:7", "sleep", "100")
        anna.run("select-window", "-t", "main:7")
        bell = lambda: anna.run("display-message", "-p", "-t", "main:0", "#{window_bell_flag}")
        bob.say("nothing for you")
        bob.wait_event("ack")
        show = lambda: anna.run("capture-pane", "-p", "-t", "main:0")
        wait_for(lambda: "nothing for you" in show(), "the line")
        self.assertEqual(bell().strip(), "0")
        bob.say("hey anna!")
        wait_for(lambda: bell().strip() == "1", "the bell")

    def test_switching(self):
        """The keys between rooms, and a room's own unfinished line."""
        anna = self.anna()
        anna.enter("/join games")
        anna.wait_room("games")
        anna.type("for games")
        anna.keys("M-2")
        anna.wait_room()
        anna.keys("M-Right")
        anna.wait_room("games")
        anna.keys("M-Left")
        anna.wait_room()
        anna.keys("M-/")
        anna.wait_room("games")
        anna.wait_text("^anna> for games")
        anna.keys("C-u")
        anna.enter("/join lobby")
        anna.wait_room()
        anna.enter("/part games")
        anna.wait_gone("#games")

    def test_direct(self):
        """Words between two people have a room of their own in the list."""
        bob = self.bob()
        anna = self.anna()
        anna.enter("/msg bob a secret")
        bob.wait_event("message", text="a secret")
        anna.wait_text("Sent to bob: room 3 in the list")
        anna.wait_text(r"^ 3 bob")
        carl = Client(self, self.server, "carl")
        carl.wait_room()
        carl.enter("/query anna are you there?")
        carl.wait_text("carl: are you there\\?|carl │ are you there\\?")
        anna.wait_text(r"carl +@?1? ?1│")
        anna.keys("M-a")
        anna.wait_text("are you there")
        anna.enter("yes, I am")
        carl.wait_text("anna: yes, I am|anna │ yes, I am")
        anna.same("direct")
        anna.enter("/msg nobody hello")
        anna.wait_text(r"^ 5 nobody")
        anna.wait_text("Not sent to nobody: nobody of that name")


class Commands(Talking):
    def test_help(self):
        anna = self.anna()
        anna.enter("/help")
        anna.wait_text("─ Help ─")
        anna.same("help")
        for _ in range(3):
            anna.keys("PageDown")
        anna.wait_text("/udp TEXT")
        anna.keys("Escape")
        anna.wait_gone("─ Help ─")
        anna.keys("F1")
        anna.wait_text("Ctrl-|C-")
        anna.same("keys")
        anna.keys("Escape")
        anna.wait_gone("─ Help ─")
        anna.enter("/help msg")
        anna.wait_text("/msg NICK TEXT")

    def test_unknown(self):
        """An unknown command stays in the line, and nothing is said."""
        bob = self.bob()
        anna = self.anna()
        anna.enter("/jion games")
        anna.wait_text("no command /jion")
        anna.wait_input("/jion games")
        anna.same("unknown-command")
        anna.keys("C-u")
        anna.enter("after it")
        bob.wait_event("message", text="after it")
        self.assertEqual(bob.texts(), ["after it"])

    def test_missing_arguments(self):
        """Each says how it is used, and keeps the line."""
        anna = self.anna()
        for line in ("/msg", "/msg bob", "/join", "/nick", "/me", "/unignore", "/kick",
                     "/nick a,b"):
            with self.subTest(line=line):
                before = len(anna.messages()) - anna.messages().count("")
                anna.enter(line)
                wait_for(lambda: len(anna.messages()) - anna.messages().count("") > before or
                         not re.match(" alpha  #lobby", anna.screen()[-2]), "an answer",
                         seen=anna.text)
                anna.wait_input(line)
                anna.keys("C-u")
                anna.enter("/clear")
                anna.wait_input("")
                wait_for(lambda: not any(anna.messages()), "a clear pane", seen=anna.text)

    def test_all(self):
        """What each of them shows."""
        bob = self.bob()
        anna = self.anna()
        anna.enter("/topic What we talk about")
        anna.wait_text(r"\A #lobby  What we talk about$")
        bob.wait_event("topic", text="What we talk about")
        anna.enter("/topic")
        anna.enter("/away at lunch")
        anna.wait_text("away$")
        anna.wait_text("│anna \\(away")
        anna.enter("/names")
        anna.wait_text(r"2 in #lobby: anna \(away: at lunch\), bob")
        anna.enter("/rooms")
        anna.wait_text("1 room")
        anna.enter("/back")
        anna.wait_gone("away$")
        anna.wait_text("│anna$")
        anna.enter("/nick annie")
        anna.wait_text("^annie>")
        bob.wait_event("nick", text="annie")
        anna.wait_text("│annie$")
        anna.same("commands")
        anna.enter("/notice bob a notice")
        bob.wait_event("message", text="a notice")

    def test_ignore(self):
        bob = self.bob()
        carl = self.bob("carl")
        anna = self.anna()
        anna.enter("/ignore bob")
        anna.wait_text("bob says from now on")
        bob.say("not seen")
        bob.wait_event("ack")
        carl.say("seen")
        anna.wait_text("carl: seen")
        self.assertNotIn("not seen", anna.text())
        anna.enter("/ignore")
        anna.wait_text("bob$|bob +│")
        anna.enter("/unignore bob")
        anna.wait_text("shown again")
        bob.say("again")
        anna.wait_text("bob: again")

    def test_nick_taken(self):
        """The next free one, with a word about it where one looks."""
        self.bob("anna")
        second = Client(self, self.server, "anna")
        second.wait_room()
        second.wait_text("^anna2>")
        second.wait_text("anna was taken")
        second.enter("/nick anna")
        second.wait_text("taken|in use")

    def test_too_long(self):
        """Said before sending, with the limit; the text stays."""
        bob = self.bob()
        anna = self.anna()
        anna.paste("x" * 4095 + "y")
        wait_for(lambda: anna.input().endswith("xy"), "the long line", seen=anna.text)
        anna.keys("Enter")
        bob.wait_event("message", text="x" * 4095 + "y")
        anna.wait_input("")
        anna.paste("x" * 4095 + "yz")
        anna.wait_text("A line has 4097 bytes; a message may have 4096")
        anna.wait_text("too long to send")
        anna.keys("Enter", "e")
        wait_for(lambda: anna.input().endswith("xyz"), "the longer line", seen=anna.text)
        anna.keys("Enter")
        anna.wait_text("4096|4,096")
        self.assertTrue(anna.input().endswith("xyz"), anna.text())
        anna.keys("BSpace", "Enter")
        wait_for(lambda: len(bob.texts()) == 2, "the shortened line")

    def test_pipe_sees_it(self):
        """Bytes from the screen arrive as they were typed."""
        bob = self.bob()
        anna = self.anna()
        lines = ["Привет, мир", "日本語", "e\u0301", "a 👍🏽 b", "  blanks  kept  ", "tab\tin it"]
        for line in lines[:5]:
            anna.enter(line)
        wait_for(lambda: len(bob.texts()) == 5, "five lines", seen=lambda: json.dumps(bob.texts()))
        self.assertEqual(bob.texts(), lines[:5])


class Meanwhile(Talking):
    """What is typed while the server's answers are still to come."""

    def setUp(self):
        super().setUp()
        self.client = self.anna()

    def stop(self):
        self.server.freeze()

    def go_on(self):
        self.server.thaw()

    def test_elsewhere_while_joining(self):
        """Who has gone to somebody since is not taken from there, and says there what they write."""
        bob = self.bob()
        self.stop()
        self.client.enter("/join pub")
        self.client.enter("/query bob")
        self.client.wait_text(r"\A bob")
        self.client.type("private words")
        self.client.wait_input("private words")
        self.go_on()
        self.client.wait_text(r"\d #pub ")
        self.client.wait_input("private words")
        self.client.keys("Enter")
        bob.wait_event("message", text="private words")
        self.client.wait_gone("^ #pub")

    def test_back_while_joining(self):
        """The last that was asked for is what is shown."""
        self.stop()
        self.client.enter("/join pub")
        self.client.enter("/join lobby")
        self.go_on()
        self.client.wait_text(r"\d #pub ")
        self.client.enter("still here")
        self.client.wait_text("✓ *anna: still here")
        self.client.wait_text("^ #lobby")

    def test_left_while_joining(self):
        """/part of a room that is being joined: it is not entered."""
        self.stop()
        self.client.enter("/join pub")
        self.client.enter("/part pub")
        self.client.wait_input("")
        self.client.enter("in the lobby")
        self.go_on()
        self.client.wait_text("✓ *anna: in the lobby")
        self.client.enter("/join other")
        self.client.wait_text("You are in #other")
        self.assertNotIn("#pub", self.client.text())
        self.client.enter("/part pub")
        self.client.wait_text("You are not in a room called #pub")

    def test_cleared_while_loading(self):
        """The page that comes then is not put where the newest lines were."""
        bob = self.bob(rooms=("many",))
        bob.say(*(f"line {n}" for n in range(1, 301)))
        bob.wait_event("ack", 300)
        self.client.enter("/join many")
        self.client.wait_text("You are in #many")
        self.client.keys("PageUp", "PageUp", "PageUp")
        self.client.settle()
        self.stop()
        for _ in range(20):  # up to where the next page is asked for
            self.client.keys("PageUp")
        self.client.wait_text("loading what was said before")
        self.client.enter("/clear")
        self.client.wait_gone(r"\bline \d")
        self.go_on()
        self.client.enter("a new one")
        self.client.wait_text("✓ *anna: a new one")
        self.assertNotRegex(self.client.text(), r"\bline \d")
        self.client.keys("PageUp")
        self.client.wait_text("line 300$|line 300 ")


if __name__ == "__main__":
    main()
