#!/usr/bin/env python3
"""The client in a real terminal: sizes, scripts and symbols, colours, the mouse."""

import datetime
import os
import random
import re

from lib import Client, Pipe, Scenario, Server, main, wait_for
from lib.screens import bars, columns

FAMILY = "👨‍👩‍👧‍👦"
TEXTS = ["Привет, как дела?", "日本語のテキスト、全角。", "한국어 문장", "🎉🚀👍🏽 и " + FAMILY + " x",
         "e\u0301a\u0308o\u0302 combining", "🇩🇪🇫🇷 flags", "עברית", "ภาษาไทย", "\u2764\ufe0f heart"]


class Shape(Scenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self, "--name", "alpha")

    def bob(self, nick="bob"):
        bob = Pipe(self, self.server, nick)
        bob.wait_joined()
        return bob

    def anna(self, *options, **more):
        anna = Client(self, self.server, "anna", *options, **more)
        anna.wait_room()
        return anna


class Sizes(Shape):
    def test_narrowing(self):
        """The members go first, then the rooms; what is left is usable."""
        bob = self.bob()
        # She has met the server: a key in narrow columns would be another one at each run.
        home = os.path.join(self.dir, "home")
        env = {"XDG_DATA_HOME": home + "/data", "XDG_STATE_HOME": home + "/state"}
        self.assertEqual(Pipe(self, self.server, "anna", input=[], env=env).wait(20), 0)
        anna = self.anna(env=env)
        bob.say("a line that is long enough to need some wrapping when it gets narrow here")
        anna.wait_text("gets narrow")
        panes = []
        for width in (100, 80, 60, 50, 40, 30, 20):
            anna.resize(width, 12)
            wait_for(lambda: len(anna.screen()) == 12 and anna.screen()[-1] == "anna>",
                     f"the screen of {width} columns", seen=anna.text)
            anna.settle()
            anna.same(f"width-{width}")
            panes.append(bars(anna.screen()[1]))
        counts = [len(p) for p in panes]
        self.assertEqual(counts[0], max(counts))
        self.assertEqual(counts[-1], 0)

    def test_low(self):
        """Few lines: the input line stays to the last."""
        anna = self.anna()
        for rows in (6, 4, 3, 2, 1):
            anna.resize(60, rows)
            anna.type("x")
            wait_for(lambda: len(anna.screen()) == rows and anna.screen()[-1].startswith("anna>"),
                     f"the input line on {rows} rows", seen=anna.text)

    def test_one_by_one(self):
        """Down to a single cell and back, with keys and messages meanwhile."""
        bob = self.bob()
        anna = self.anna()
        anna.type("kept")
        anna.wait_input("kept")
        anna.resize(1, 1)
        bob.say("said to a tiny screen")
        bob.wait_event("ack")
        anna.type("!")
        anna.keys("F1", "PageUp", "PageDown", "Tab", "Escape")
        anna.resize(80, 24)
        anna.wait_text("said to a tiny screen")
        anna.wait_input("kept!")
        self.assertEqual(len(anna.screen()), 24)

    def test_boxes_when_small(self):
        """Help and a paste at tiny sizes."""
        anna = self.anna()
        for open_box in (lambda: anna.keys("F1"), lambda: anna.paste("one\ntwo\nthree")):
            open_box()
            anna.wait_text("─ (Help|Paste)")
            for size in ((20, 5), (5, 3), (2, 2), (1, 1), (80, 24)):
                anna.resize(*size)
            anna.wait_text("─ (Help|Paste)")
            anna.keys("Escape")
            anna.wait_room()

    def test_storm(self):
        """Fifty sizes while people talk."""
        bob = self.bob()
        anna = self.anna()
        sizes = random.Random(1)
        for n in range(50):
            anna.resize(sizes.randint(1, 150), sizes.randint(1, 50))
            bob.say(f"line {n} " + TEXTS[n % len(TEXTS)])
        anna.resize(80, 24)
        anna.wait_text("line 49 ")
        wait_for(lambda: all(len(bars(line)) == 2 for line in anna.screen()[1:-2]),
                 "straight lines between the panes", seen=anna.text)
        anna.enter("still here")
        bob.wait_event("message", text="still here")


class Scripts(Shape):
    def test_columns(self):
        """The line between the panes stands straight, whatever is written beside it."""
        bob = self.bob()
        anna = self.anna()
        bob.say(*TEXTS)
        anna.wait_text("heart")
        for line in anna.screen()[1:-2]:
            self.assertEqual(len(bars(line)), 2, line)
        plain = [line for line in anna.screen()[1:-2] if not re.search("[🇩\u2764]", line)]
        self.assertEqual({tuple(bars(line)) for line in plain}, {(16, 66)}, anna.text())
        anna.same("scripts")

    def test_wrapping(self):
        """Long texts break between characters, never inside one, and nothing is lost."""
        bob = self.bob()
        anna = self.anna()
        for text in ("日本語" * 30, "e\u0301" * 100, "Ж" * 120, "🚀" * 40, "слово " * 30):
            with self.subTest(text=text[:4]):
                anna.enter("/clear")
                anna.wait_gone(r"\d\d:\d\d")
                bob.say(text)
                wait_for(lambda: anna.input() == "" and re.sub(r"\s", "", "".join(
                    line[6:] for line in anna.messages())).endswith(
                        re.sub(r"\s", "", text)), "the whole text", seen=anna.text)
                for line in anna.screen()[1:-2]:
                    self.assertEqual(bars(line), [16, 66], anna.text())

    def test_wide_input(self):
        """The cursor stands after what was typed."""
        anna = self.anna()
        for text in ("日本語", "Привет", "e\u0301e\u0301", "🚀"):
            anna.type(text)
            wait_for(lambda: anna.format("#{cursor_x}") == str(6 + columns(text)),
                     "the cursor after " + text, seen=lambda: anna.format("#{cursor_x}"))
            anna.keys("C-u")

    def test_hostile(self):
        """Overrides of the writing direction, and floods of marks, harm only their own line."""
        bob = self.bob()
        anna = self.anna()
        bob.say("\u202eright to left", "a" + "\u0301" * 300 + "b", "\u2066x", "zero\u200bwidth")
        bob.say("after")
        anna.wait_text("bob: after")
        for line in anna.screen()[1:-2]:
            self.assertEqual(bars(line), [16, 66], anna.text())
        self.assertNotIn("\u202e", anna.text())

    def test_nicks(self):
        """Nicks of other scripts line up as well."""
        first = self.bob("Борис")
        second = self.bob("日本")
        first.wait_event("join", **{"from": "日本"})
        for person in (first, second):
            person.say("hello")
            person.wait_event("ack")
        anna = self.anna(columns=110)
        anna.wait_text("│3 people")
        anna.same("nicks")

    def test_day(self):
        """The day stands above its first line."""
        anna = self.anna()
        today = datetime.datetime.now(datetime.timezone.utc)
        anna.wait_text(f"─ {today:%A}, {today.day} {today:%B %Y} ─")


class Looks(Shape):
    def test_no_colour(self):
        bob = self.bob()
        for setting, coloured in (("1", False), ("", True)):
            anna = self.anna(env={"NO_COLOR": setting})
            bob.say("hello")
            anna.wait_text("bob: hello")
            self.assertEqual(bool(re.search(r"\x1b\[[0-9;]*(38;5|3[1-7]|9[0-7]|4[1-7])",
                                            anna.styled())), coloured)

    def test_nick_colours(self):
        """A person has the same colour on every screen."""
        bob = self.bob()
        bob.say("hello")
        colours = set()
        for nick in ("anna", "carl"):
            client = Client(self, self.server, nick)
            client.wait_room()
            client.wait_text("bob: hello")
            colours.add(re.search(r"\x1b\[([0-9;]+)mbob", client.styled()).group(1))
        self.assertEqual(len(colours), 1)


class Mouse(Shape):
    def mouse(self, client, button, x, y, end="M"):
        """An event as a terminal sends it."""
        client.type(f"\x1b[<{button};{x};{y}{end}")

    def test_click(self):
        anna = self.anna()
        anna.enter("/join games")
        anna.wait_room("games")
        self.assertEqual(anna.format("#{mouse_any_flag}"), "1")
        self.mouse(anna, 0, 5, 3)
        self.mouse(anna, 0, 5, 3, "m")
        anna.wait_room()
        self.mouse(anna, 0, 5, 20)
        self.mouse(anna, 0, 200, 200)
        self.mouse(anna, 0, 5, 4)
        anna.wait_room("games")
        anna.wait_input("")

    def test_wheel(self):
        bob = self.bob()
        bob.say(*(f"line {n}" for n in range(1, 61)))
        bob.wait_event("ack", 60)
        anna = self.anna()
        anna.wait_text("line 60")
        for _ in range(40):
            self.mouse(anna, 64, 30, 10)
        anna.wait_text(r"line 1\b")
        for _ in range(40):
            self.mouse(anna, 65, 30, 10)
        anna.wait_text("line 60")


if __name__ == "__main__":
    main()
