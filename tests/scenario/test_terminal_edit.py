#!/usr/bin/env python3
"""The client in a real terminal: the input line, completion, pasting."""

import re
import time

from lib import Client, Pipe, Scenario, Server, brief, main, wait_for


class Editing(Scenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self, "--name", "alpha")
        self.bob = Pipe(self, self.server, "bob", rooms=("lobby", "games"))
        self.bob.wait_joined("games")
        self.anna = Client(self, self.server)
        self.anna.wait_room()

    def pressed(self, *steps):
        """Each step is (keys or text, the input line that comes of it)."""
        for keys, expected in steps:
            if isinstance(keys, list):
                self.anna.keys(*keys)
            else:
                self.anna.type(keys)
            self.anna.wait_input(expected)

    def cursor(self, column):
        wait_for(lambda: self.anna.format("#{cursor_x}") == str(len("anna> ") + column),
                 f"the cursor in column {column}", seen=lambda: self.anna.format("#{cursor_x}"))


class Keys(Editing):
    def test_moving(self):
        self.pressed(("one two", "one two"), (["C-a"], "one two"), ("> ", "> one two"),
                     (["C-e"], "> one two"), ("!", "> one two!"), (["C-b", "C-b"], "> one two!"),
                     ("x", "> one twxo!"), (["C-f"], "> one twxo!"), (["M-b"], "> one twxo!"),
                     ("(", "> one (twxo!"), (["M-b", "M-b"], "> one (twxo!"),
                     (["M-f"], "> one (twxo!"), (",", "> one, (twxo!"))
        self.anna.keys("Home")
        self.cursor(0)
        self.anna.keys("End")
        self.cursor(len("> one, (twxo!"))

    def test_killing(self):
        """What was cut comes back, the last first; cuts in a row are one."""
        self.pressed(("one two three", "one two three"), (["C-w"], "one two"),
                     (["C-w"], "one"), (["C-y"], "one two three"), (["C-a", "M-d"], " two three"),
                     (["C-e", "C-y"], " two threeone"), (["M-y"], " two threetwo three"),
                     (["C-u"], ""), (["C-y"], " two threetwo three"), (["C-a", "C-k"], ""),
                     ("ab", "ab"), (["C-t"], "ba"), (["C-h"], "b"), (["BSpace"], ""))

    def test_words(self):
        self.pressed(("the word here", "the word here"), (["C-a", "M-U"], "THE word here"),
                     (["M-c"], "THE Word here"), (["M-l"], "THE Word here"),
                     (["C-_"], "THE word here"), (["C-a", "DC"], "HE word here"),
                     (["C-d"], "E word here"))

    def test_clusters(self):
        """A key moves over, and deletes, what is one character for people."""
        self.anna.type("e\u0301👨‍👩‍👧‍👦日🇩🇪x")
        wait_for(lambda: self.anna.input().endswith("x"), "the text")
        self.pressed((["BSpace", "BSpace", "BSpace", "BSpace"], "e\u0301"), (["BSpace"], ""),
                     ("日本", "日本"), (["Left"], "日本"))
        self.cursor(2)
        self.pressed((["DC"], "日"), (["C-u"], ""), ("Привет", "Привет"))
        self.cursor(6)

    def test_history(self):
        """Lines said before, and what was being written."""
        for line in ("first", "second", "third"):
            self.anna.enter(line)
            self.anna.wait_input("")
        self.pressed(("draft", "draft"), (["Up"], "third"), (["Up"], "second"),
                     (["C-p"], "first"), (["Up"], "first"), (["Down"], "second"),
                     (["C-n"], "third"), (["Down"], "draft"))
        self.pressed((["Up", "Up"], "second"), (["Enter"], ""))
        self.bob.wait_event("message", count=2, text="second")

    def test_long_line(self):
        """A line longer than the screen scrolls; both ends can be reached."""
        text = " ".join(f"word{n:03}" for n in range(40))
        self.anna.type(text)
        self.anna.wait_text("word039$")
        self.anna.keys("C-a")
        self.anna.wait_text("> word000 ")
        self.anna.keys("C-e")
        self.anna.wait_text("word039$")
        self.anna.keys("Enter")
        self.bob.wait_event("message", text=text)

    def test_control_characters(self):
        """Unbound keys put nothing in the line."""
        self.anna.keys("F12", "C-]", "M-z")
        self.anna.type("ok")
        self.anna.wait_input("ok")


class Completion(Editing):
    def test_nicks(self):
        Pipe(self, self.server, "barbara").wait_joined()
        Pipe(self, self.server, "Борис").wait_joined()
        self.anna.wait_text("│4 people")
        self.pressed(("bo", "bo"), (["Tab"], "bob:"))
        self.anna.keys("Space" if not self.anna.format("#{cursor_x}") == "11" else "C-e")
        self.anna.keys("C-u")
        self.pressed(("and b", "and b"), (["Tab"], "and barbara"), (["Tab"], "and bob"),
                     (["BTab"], "and barbara"), (["C-u"], ""), ("бо", "бо"),
                     (["Tab"], "Борис:"), (["C-u"], ""), ("zz", "zz"), (["Tab"], "zz"))
        self.anna.keys("C-u")
        self.pressed(("/msg bo", "/msg bo"), (["Tab"], "/msg bob"), ("hello", "/msg bob hello"),
                     (["Enter"], ""))
        self.bob.wait_event("message", text="hello")

    def test_candidates_that_fit(self):
        """None is left out while there is room for all, whatever letters they have."""
        nicks = [f"Фёдор-{name}" for name in ("Анна", "Борис", "Вера", "Глеб")]
        for nick in nicks:
            Pipe(self, self.server, nick).wait_joined()
        self.anna.wait_text("│6 people")
        self.pressed(("и фё", "и фё"), *((["Tab"], f"и {nick}") for nick in nicks))
        for nick in nicks:
            self.assertIn(nick, self.anna.screen()[-2])

    def test_commands(self):
        self.pressed(("/to", "/to"), (["Tab"], "/topic"), ("news", "/topic news"), (["C-u"], ""),
                     ("/unig", "/unig"), (["Tab"], "/unignore"), (["C-u"], ""))

    def test_rooms(self):
        self.anna.enter("/join games")
        self.anna.wait_room("games")
        self.anna.keys("M-2")
        self.anna.wait_room()
        self.anna.type("/join ga")
        self.anna.keys("Tab")
        wait_for(lambda: re.fullmatch("/join #?games", self.anna.input()), "the room's name",
                 seen=self.anna.input)
        self.anna.keys("Enter")
        self.anna.wait_room("games")


class Paste(Editing):
    def test_several_lines(self):
        """Shown before they are sent; Enter sends, Esc drops."""
        text = "first\n  second, indented\n\nfourth\n"
        self.anna.paste(text)
        self.anna.wait_text("─ Paste: ")
        self.anna.same("paste")
        self.anna.keys("Escape")
        self.anna.wait_gone("─ Paste: ")
        self.anna.wait_input("")
        self.assertEqual(self.bob.texts(), [])
        self.anna.paste(text)
        self.anna.wait_text("─ Paste: ")
        self.anna.keys("Enter")
        self.bob.wait_event("message", text="fourth")
        self.assertEqual([t for t in self.bob.texts() if t],
                         ["first", "  second, indented", "fourth"])

    def test_one_line(self):
        """Goes into the line, where the cursor is, and is not sent."""
        self.anna.type("ab")
        self.anna.keys("Left")
        self.anna.paste("pasted text")
        self.anna.wait_input("apasted textb")
        self.anna.keys("C-u", "C-k")
        self.anna.wait_input("")
        self.anna.paste("with its newline\n")
        self.anna.wait_input("with its newline")
        self.assertEqual(self.bob.texts(), [])

    def test_into_a_line(self):
        """Several lines pasted into a begun one: nothing of it is lost."""
        self.anna.type("see: ")
        self.anna.paste("one\ntwo")
        self.anna.wait_text("─ Paste: ")
        self.anna.keys("Escape")
        self.anna.wait_gone("─ Paste: ")
        self.anna.wait_input("see:")

    def test_edit(self):
        self.anna.paste("one\ntwo")
        self.anna.wait_text("─ Paste: ")
        self.anna.keys("e")
        self.anna.wait_gone("─ Paste: ")
        self.anna.type(" and a half")
        self.anna.wait_text("two and a half")
        self.anna.same("paste-edit")
        self.anna.keys("Enter")
        self.bob.wait_event("message", text="two and a half")

    def test_a_command_in_it(self):
        """A pasted command is text, not obeyed."""
        self.anna.paste("one\n/quit\nthree")
        self.anna.wait_text("─ Paste: ")
        self.anna.keys("Enter")
        self.bob.wait_event("message", text="three")
        self.assertEqual(self.bob.texts(), ["one", "/quit", "three"])

    def test_escapes_in_it(self):
        """Control characters of a paste do nothing, and the rest of it arrives."""
        self.anna.run("set-buffer", "--", "a\x1b[31mred\x07\x08b\r\nsecond")
        self.anna.run("paste-buffer", "-p", "-r", "-t", "main")
        self.anna.wait_text("─ Paste: 2 lines")
        self.anna.same("paste-escapes")
        self.anna.keys("Escape")
        self.anna.wait_gone("─ Paste: ")
        self.anna.enter("still here")
        self.bob.wait_event("message", text="still here")

    def test_without_an_end(self):
        """The end of a paste is lost on the way: ^C ends it after a while, and keys are keys again."""
        self.anna.type("\x1b[200~one\rtwo\r")
        # It is the time without a byte that makes ^C a key; nothing on the screen tells of that.
        time.sleep(3)
        self.anna.keys("C-c")
        self.anna.wait_text("─ Paste: 2 lines")
        self.anna.keys("Escape")
        self.anna.wait_gone("─ Paste: ")
        self.anna.enter("still here")
        self.bob.wait_event("message", text="still here")
        self.assertEqual(self.bob.texts(), ["still here"])

    def test_huge(self):
        """A megabyte: no hang, no crash, and a word about it."""
        size = 1 << 20
        path = self.dir + "/huge"
        with open(path, "w", encoding="ascii") as f:
            f.write("a line of a very long text, again and again\n" * (size // 44))
        self.anna.run("load-buffer", path)
        self.anna.run("paste-buffer", "-p", "-t", "main")
        self.anna.wait_text("─ Paste: |too (long|big|large|much)", 20)
        self.anna.same("paste-huge")
        self.anna.keys("Escape")
        self.anna.wait_gone("─ Paste: ", 20)
        self.anna.enter("still here")
        self.bob.wait_event("message", text="still here", timeout=20)
        self.assertEqual(self.bob.texts(), ["still here"])

    def test_huge_line(self):
        """A megabyte without a newline."""
        path = self.dir + "/huge"
        with open(path, "w", encoding="utf-8") as f:
            f.write("без конца " * ((1 << 20) // 19))
        self.anna.run("load-buffer", path)
        self.anna.run("paste-buffer", "-p", "-t", "main")
        self.anna.wait_text("too (long|big|large|much)|limit|more than|cut|bytes", 20)
        self.anna.same("paste-huge-line")
        self.anna.keys("Escape")
        self.anna.wait_gone("─ Paste: ", 20)
        self.anna.wait_input("")
        self.anna.enter("still here")
        self.bob.wait_event("message", text="still here", timeout=20)

    def test_many_lines(self):
        """Some hundred lines arrive in order, once."""
        count = 200 if brief() else 2000
        path = self.dir + "/lines"
        with open(path, "w", encoding="ascii") as f:
            f.writelines(f"line {n}\n" for n in range(count))
        self.anna.run("load-buffer", path)
        self.anna.run("paste-buffer", "-p", "-t", "main")
        self.anna.wait_text(f"─ Paste: {count} lines")
        if count == 200:
            self.anna.same("paste-long")
        self.anna.keys("Enter")
        wait_for(lambda: len(self.bob.texts()) >= count, "all lines", 30,
                 lambda: len(self.bob.texts()))
        self.assertEqual(self.bob.texts(), [f"line {n}" for n in range(count)])


if __name__ == "__main__":
    main()
