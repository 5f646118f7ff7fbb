#!/usr/bin/env python3
"""lanchat-lab in a real terminal: the menu, a scenario that plays, what its keys change, and every
way out."""

import json
import os
import re
import signal
import subprocess

from lib import BUILD, Scenario, Screen, Tmux, main, wait_for

LAB = os.path.join(BUILD, "lanchat-lab")
NUMBER = re.compile(r" *\b\d+(?:\.\d+)?\b")
OVER = r"over: all \d+ held"


def as_wide(match):
    """Another number, and what is blank before it, as wide."""
    return "0".rjust(len(match.group())) if match.group().startswith(" ") else \
        "0" * len(match.group())


class Lab(Screen):
    """lanchat-lab; `choose` is the number of the scenario that is to be played."""

    def __init__(self, case, *options, choose=None, **more):
        super().__init__(case, [LAB, *options], name="lab", **more)
        self.numbers = False
        self.wait_text("TCP beside UDP")
        if choose is not None:
            self.keys(*str(choose), "Enter")
            self.wait_text(rf"\A {choose}\. ")

    def masked(self):
        """Menus and the guide are the same every time; of a scenario the figures vary."""
        return super().masked() if not self.numbers else \
            NUMBER.sub(as_wide, self.text()) + "\n"

    def figure(self, name, side=0):
        """A counter, of the left side or the right."""
        found = re.findall(rf"\b{name} (\d+)", self.text())
        return int(found[side]) if len(found) > side else None

    def wires(self):
        """What changes with every packet that arrives: how many rows the wires' panes have, where
        they are more than fit, and how many packets are on their way."""
        text = self.text()
        return re.findall(r"on the wire  \S+ of \d+", text) + re.findall(r"on the wire \d+", text)


class Terminal(Scenario):
    def wire(self):
        """What needs hosts of its own is left out where the system does not allow them."""
        done = subprocess.run([LAB, "run", "zero"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        if "played on loopback" in done.stderr:
            self.skipTest(done.stderr.strip().partition(": ")[2])


class Menu(Terminal):
    def test_moving(self):
        lab = Lab(self, "--loopback", columns=90)
        lab.same("lab-menu")
        for keys, question in ((("1", "2"), "The cable is pulled out"), ("j", "connect do to"),
                               ("Down", "one send reach"), (("k", "Up"), "The cable"),
                               (("7",), "does not read"), ("End", "narrower"), ("Home", "eight"),
                               ("Up", "eight")):
            with self.subTest(keys=keys):
                lab.keys(*((keys,) if isinstance(keys, str) else keys))
                lab.wait_text(question if question != "eight" else "Which calls make")
        lab.keys("5", "Enter")
        lab.wait_text("relay on loopback cannot show it")
        lab.keys("?")
        lab.same("lab-menu-guide")
        lab.keys("Escape")
        lab.wait_gone("Esc: back")
        lab.keys("q")
        self.assertEqual(lab.wait_end(), 0)
        self.assertTrue(lab.restored())

    def test_all_in_turn(self):
        lab = Lab(self, "--loopback", "--count", "50")
        lab.keys("a")
        lab.wait_text("All have been played", 40)
        text = lab.text()
        self.assertEqual(len(re.findall(r"all \d+ held$", text, re.MULTILINE)), 9, text)
        self.assertRegex(text, r"operations .* 5 held, 1 not shown")
        self.assertEqual(text.count("not on loopback"), 6, text)
        self.assertNotIn("FAILED", text)
        lab.keys("a")
        lab.wait_text("plays")
        lab.keys("Escape")
        lab.wait_text("Stopped")
        lab.keys("q")
        self.assertEqual(lab.wait_end(), 0)

    def test_wrong_options(self):
        """Told on a line of its own, before anything is drawn."""
        lab = Tmux(self, [LAB, "--loss", "much"])
        self.assertEqual(lab.wait_end(), 2)
        self.assertRegex(lab.text(), '^lanchat-lab: --loss: "much" is not one')
        self.assertTrue(lab.restored())


class Playing(Terminal):
    def test_blocking(self):
        """What is lost once on both sides: all of it is on the screen."""
        self.wire()
        lab = Lab(self, choose=5, columns=110, rows=40)
        lab.wait_text(OVER, 20)
        text = lab.wait_text("^held  TCP: the packet was lost once, and sent again")
        self.assertEqual((lab.figure("lost", 0), lab.figure("lost", 1)), (0, 1), text)
        self.assertEqual((lab.figure("received", 0), lab.figure("received", 1)), (20, 19), text)
        # The wire of TCP, alone and from its beginning.
        lab.keys("Tab", "Tab", "z", "Home")
        lab.wait_text(r"│─+ SYN ─+>│")
        lab.wait_text(r"│<─+ SYN-ACK ─+│")
        lab.wait_text(r"│─ data 257\.\.320 ──✗ on purpose +│")
        lab.keys("PageDown")
        text = lab.wait_text(r"│─ retransmission 257\.\.320 ")
        self.assertRegex(text, r"duplicate ACK 257 ─│")
        # And that of UDP.
        lab.keys("Tab", "Tab", "Home")
        lab.wait_text(r"│─ datagram 5, 64 bytes ──✗ on purpose +│")
        lab.keys("End")
        lab.wait_text(r"datagram 20, 64 bytes ─>│")
        self.assertNotIn("retransmission", lab.text())
        lab.keys("q")
        lab.wait_text("5  blocking .*all 5 held")

    def test_waiting(self):
        """A call that has not returned is seen while it waits, and not when it has."""
        self.wire()
        lab = Lab(self, choose=6, columns=130, rows=40)
        seen = set()

        def both():
            seen.update(re.findall(r"client: (connect|recvmsg)\(\d+\) waits, \d+\.\d s", lab.text()))
            return len(seen) == 2
        wait_for(both, "connect and recvmsg that wait", 20, lab.text)
        lab.wait_text(OVER, 20)
        lab.wait_gone(" waits, ", 1)

    def test_a_screen(self):
        """What the processes do and what the wire brings keep an order of their own only where the machine
        is not busy with other things: three times at most."""
        self.wire()
        for last in (False, False, True):
            lab = Lab(self, choose=3, columns=100, rows=36)
            lab.wait_text(OVER, 20)
            lab.numbers = True
            try:
                lab.same("lab-zero")
                return
            except AssertionError:
                if last:
                    raise

    def test_stands_still(self):
        """Space, one packet at a time, and one that a hand drops."""
        self.wire()
        lab = Lab(self, "--count", "300", "--loss", "0", "--dup", "0", choose=4, columns=110,
                  rows=40)
        lab.wait_text("received [1-9].*received [1-9]")
        lab.keys("Space")
        lab.wait_text("the wire stands still")
        lab.settle(0.6)
        received, wires = lab.figure("received", 1), lab.wires()
        self.assertEqual(len(wires), 4)
        while lab.figure("received", 1) == received:
            lab.keys(".")
            wait_for(lambda: lab.wires() != wires, "a packet that arrives", 10, lab.text)
            lab.settle(0.4)
            wires = lab.wires()
        self.assertEqual(lab.figure("received", 1), received + 1)
        lab.keys("Tab", "Tab", "Tab", "Tab", "z", "d")
        lab.wait_text("next packet with data of UDP will be dropped")
        lab.keys("Space")
        lab.wait_text("✗ on purpose")
        lab.keys("q")
        lab.wait_text("Enter: play")

    def test_from_the_first_packet(self):
        """A scenario that stands still before its first packet, and does so when it is played again."""
        self.wire()
        lab = Lab(self, columns=110, rows=40)
        lab.keys("1", "Space")
        for key in ("r", "n", "Space"):
            with self.subTest(key=key):
                lab.wait_text("the wire stands still")
                lab.wait_text(r"│─ SYN ─ ─ ─ ")
                lab.settle(0.3)
                self.assertNotIn("─>│", lab.text())
                lab.keys(".")
                lab.wait_text("─>│")
                lab.keys(key)
                if key != "Space":
                    lab.wait_gone("─>│")
        lab.wait_text(OVER, 20)

    def test_over(self):
        """Only when the last packets have arrived; and it says how slow it was."""
        self.wire()
        lab = Lab(self, choose=5, columns=110, rows=40)
        lab.wait_text(r"over: all 5 held, 5 times as slow", 20)
        # As soon as that picture is whole: long before one that is still on its way could arrive.
        wait_for(lambda: (lab.figure("on the wire", 0), lab.figure("on the wire", 1)) == (0, 0),
                 "a picture with nothing on the wire", 0.1, lambda: "\n" + lab.text())
        lab.keys("+")
        lab.wait_text("2 times as slow as the network is")
        self.assertIn("over: all 5 held, 5 times as slow", lab.text())

    def test_story_begins(self):
        """With the question, while there is nothing else to be told."""
        lab = Lab(self, "--loopback", choose=4, columns=110, rows=40)
        lab.wait_text(r"playing")
        lab.wait_text(r"── What happens ─+\n *The network loses, doubles and overtakes")

    def test_words_go(self):
        """What a key has done makes room for the keys again."""
        lab = Lab(self, "--loopback", "--loss", "0", choose=4, columns=110, rows=40)
        lab.keys("l")
        lab.wait_text("Loss: that is the end of its scale")
        lab.wait_gone("that is the end of its scale", 20)
        lab.wait_text(r"\?: help")

    def test_network(self):
        """Knobs change what happens from then on; r and n begin again, with and without the same
        chances."""
        self.wire()
        lab = Lab(self, "--seed", "7", "--loss", "0", choose=4, columns=120, rows=40)
        lab.wait_text("received [1-9].*received [1-9]")
        lab.wait_text("dropped 0 .*dropped 0 ")
        for _ in range(8):
            lab.keys("L")
        lab.wait_text("Loss 50%")
        lab.wait_text("Loss is 50% from now on")
        wait_for(lambda: (lab.figure("dropped", 1) or 0) > 10, "datagrams that are dropped", 20,
                 lab.text)
        lab.keys("l", "E", "J", "O", "T", "B", "u", "m")
        lab.wait_text(r"Loss 30%  dElay 50 ms  Jitter 1 ms  reOrder 5%  Twice 5%  Bits/s off  "
                      r"queUe 256 KiB  Mtu 1492")
        lab.keys("0")
        lab.wait_text(r"Loss 5%  dElay 20 ms  Jitter 0 ms  reOrder 3%  Twice 3%  Bits/s off  "
                      r"queUe off  Mtu 1500")
        lab.keys("-")
        lab.wait_text("playing, 10 times as slow")
        lab.keys("+", "+", "+", "+")
        lab.wait_text(r"playing   ")
        lab.keys("r")
        lab.wait_text(r" s   seed 7$")
        lab.keys("n")
        lab.wait_gone(r"seed 7$")
        lab.keys("C-c")
        self.assertEqual(lab.wait_end(), 0)
        self.assertTrue(lab.restored())

    def test_loopback(self):
        """Without hosts of its own: what can be shown, and no wire."""
        lab = Lab(self, "--loopback", choose=2, columns=100, rows=30)
        lab.wait_text(OVER, 20)
        lab.wait_text(r"over: all 3 held, \d+ times as slow   \d+\.\d s   on loopback   seed \d+")
        self.assertNotIn("on the wire", lab.text())
        lab.keys(".")
        lab.wait_text("cannot let a single packet pass")
        lab.keys("q")
        lab.wait_text("2  short-buffer .*all 3 held")

    def test_guide(self):
        lab = Lab(self, "--loopback", choose=1, columns=80, rows=70)
        lab.wait_text(OVER, 20)
        lab.keys("?")
        lab.same("lab-guide")
        lab.resize(60, 12)
        lab.wait_text("1-10 of")
        lab.keys("PageDown")
        lab.wait_text("11-20 of")
        lab.keys("End")
        lab.wait_text("slow line")
        lab.keys("Escape")
        lab.wait_gone("Esc: back")


class ByName(Terminal):
    """One scenario, and no menu."""

    def watch(self, *options, **more):
        return Screen(self, [LAB, *options], name="lab", **more)

    def test_name(self):
        for name in ("short-buffer", "2"):
            lab = self.watch(name, "--loopback", columns=110)
            lab.wait_text(r"\A 2\. A buffer")
            lab.wait_text(OVER, 20)
            lab.keys("q")
            self.assertEqual(lab.wait_end(), 0)
            self.assertTrue(lab.restored())

    def test_kept(self):
        """What was watched is written when it is left: of the last run."""
        self.wire()
        page, results, capture = (os.path.join(self.dir, name) for name in ("p.html", "r", "c"))
        lab = self.watch("zero", "--report", page, "--json", results, "--pcap", capture, columns=110)
        lab.wait_text(OVER, 20)
        lab.keys("r")
        lab.wait_text(r"\A 3\. Reading zero   playing")
        lab.wait_text(OVER, 20)
        self.assertFalse(os.path.exists(results))
        lab.keys("q")
        self.assertEqual(lab.wait_end(), 0)
        self.assertTrue(lab.restored())
        with open(results, encoding="utf-8") as f:
            result, = json.load(f)["scenarios"]
        self.assertEqual((result["name"], result["held"], result["failed"]), ("zero", 4, 0))
        with open(page, encoding="utf-8") as f:
            self.assertIn("3. Reading zero", f.read())
        with open(capture, "rb") as f:
            self.assertEqual(f.read(4), b"\x0a\x0d\x0d\x0a")

    def test_left_early(self):
        """What was seen until then is written; the status says that it was not all."""
        results = os.path.join(self.dir, "r")
        lab = self.watch("loss", "--loopback", "--json", results, columns=110)
        lab.wait_text("received [1-9]")
        lab.keys("q")
        self.assertEqual(lab.wait_end(), 1)
        with open(results, encoding="utf-8") as f:
            result, = json.load(f)["scenarios"]
        self.assertIsNotNone(result["error"])

    def test_refused(self):
        """Told on a line of its own, and the terminal is left alone."""
        for status, words, clue in (
                (2, ("zero", "blocking"), "one scenario is watched at a time"),
                (2, ("blocking", "--count", "1"), "--count"),
                (2, ("--report", "x.html"), "go with one scenario"),
                (2, ("run", "zero", "--pcap", "-"), "not for a terminal"),
                (1, ("zero", "--json", "/nowhere/x"), "/nowhere/x: No such file"),
                (3, ("blocking", "--loopback"), "hosts of its own")):
            with self.subTest(words=words):
                lab = Tmux(self, [LAB, *words], columns=110)
                self.assertEqual(lab.wait_end(), status)
                self.assertIn(clue, lab.text())
                self.assertTrue(lab.restored())


class Sizes(Terminal):
    def test_storm(self):
        """At every size something is shown, and what is played goes on."""
        lab = Lab(self, "--loopback", choose=4, columns=100, rows=30)
        for columns, rows in ((1, 1), (200, 60), (2, 40), (150, 1), (79, 23), (40, 14), (39, 13),
                              (75, 24), (1, 30), (80, 2), (10, 5), (76, 14), (30, 10)):
            with self.subTest(columns=columns, rows=rows):
                lab.resize(columns, rows)
                if rows > 2 and columns > 20:
                    lab.wait_text(r"\A 4\. Loss, order")
                    wait_for(lambda: len(lab.screen()) == rows and lab.screen()[-1],
                             "something on the last line", 10, lab.text)
        lab.resize(80, 24)
        lab.wait_text(r"\A 4\. Loss, order, duplication")
        lab.wait_text("^── TCP .*│── UDP ")
        lab.resize(1, 1)
        lab.keys("q", "q")
        self.assertEqual(lab.wait_end(), 0)
        self.assertTrue(lab.restored())

    def test_narrow(self):
        """One side at a time, the one that is chosen; and smaller still, one pane."""
        lab = Lab(self, "--loopback", choose=2, columns=60, rows=24)
        lab.wait_text(OVER, 20)
        lab.keys("Tab")
        lab.wait_text("^── TCP ")
        self.assertNotIn("── UDP", lab.text())
        lab.keys("Tab")
        lab.wait_text("^── UDP ")
        self.assertNotIn("── TCP", lab.text())
        lab.resize(39, 24)
        lab.wait_gone("What happens")
        lab.wait_text("^── UDP ")


class Looks(Terminal):
    def test_plain_lines(self):
        """Where the terminal has no lines of box drawing, they are of ASCII."""
        for setting in ({"LANG": "C"}, {"TERM": "vt100"}):
            with self.subTest(setting=setting):
                argv = ["env", *(f"{k}={v}" for k, v in setting.items()), LAB, "--loopback"]
                lab = Tmux(self, argv, columns=100, rows=30)
                lab.wait_text("TCP beside UDP")
                lab.keys("2", "Enter")
                lab.wait_text(OVER, 20)
                text = lab.wait_text(r"^-- TCP .*\|-- UDP ")
                self.assertTrue(text.isascii(), text)
                lab.keys("?")
                lab.wait_text(r"^\+- ?What this is")
                self.assertTrue(lab.text().isascii(), lab.text())
                lab.keys("C-c")
                self.assertEqual(lab.wait_end(), 0)

    def test_colours(self):
        """Only where they are wanted."""
        for value, coloured in ((None, True), ("1", False)):
            with self.subTest(NO_COLOR=value):
                lab = Lab(self, "--loopback", choose=2, env={"NO_COLOR": value})
                lab.wait_text(OVER, 20)
                # At the end of the pane that tells what was held, which has the colours.
                lab.wait_text("^held .*MSG_TRUNC")
                if coloured:
                    wait_for(lambda: "\x1b[38;5;" in lab.styled(), "a colour", seen=lab.styled)
                else:
                    self.assertNotIn("\x1b[38;5;", lab.styled())


class WaysOut(Terminal):
    def test_signals(self):
        """While it plays: the terminal is given back, nothing is left behind, and the status says that
        somebody else ended it."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number):
                lab = Lab(self, "--loopback", choose=4)
                lab.wait_text("playing")
                os.kill(lab.pid(), number)
                self.assertEqual(lab.wait_end(), 1)
                self.assertTrue(lab.restored())

    def test_stopped(self):
        """Ctrl-Z and fg, in the middle of a scenario."""
        shell = Tmux(self)
        shell.wait_text("^[$#]")
        shell.enter(f"{LAB} --loopback")
        shell.wait_text("TCP beside UDP")
        shell.keys("4", "Enter")
        shell.wait_text("playing")
        shell.keys("C-z")
        shell.wait_text("Stopped|Suspended")
        self.assertEqual(shell.format("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"), "0 1 0")
        shell.enter("fg")
        shell.wait_text(r"\A 4\. Loss")
        shell.keys("Escape")
        shell.wait_text("Enter: play")
        shell.keys("q")
        shell.wait_text("^[$#]$")
        self.assertEqual(shell.format("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"), "0 1 0")


if __name__ == "__main__":
    main()
