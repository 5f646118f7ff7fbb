"""Programs in a real terminal, and their screens kept as text.

screens/NAME.txt holds what a screen has to look like. What varies between runs is masked by
something as wide, so columns stay comparable. LANCHAT_UPDATE_SCREENS=1 writes the files anew: look at
the difference before keeping it.
"""

import difflib
import os
import re
import time
import unicodedata

from .tmux import Tmux
from .wait import BUILD, wait_for

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "screens")
UPDATE = os.environ.get("LANCHAT_UPDATE_SCREENS") == "1"
DAY = re.compile(r"─+ (\w+day, )?\d+ \w+ \d{4} ─+")
MASKS = [
    (re.compile(r"\b\d\d:\d\d\b"), "12:34"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?= 12:34)"), "2026-01-01"),
    (re.compile(r"((?:127\.0\.0\.1|\[::1\]):)\d{5}\b"), r"\g<1>54321"),
    (re.compile(r"\b(?:[a-z2-7]{4}-){7}[a-z2-7]{4}\b"), "-".join(["wxyz"] * 8)),
    (re.compile(r"(?<=p50) +\d+\.\d ms|(?<=p99) +\d+\.\d ms"), "0.1 ms".rjust(20)),
    (re.compile(r"\d+(?:\.\d)? (?:ms|us)  "), "0.1 ms  "),
    (re.compile(r"(?<= )\d+(?:\.\d)? (?:ms|us)$", re.MULTILINE), "0.1 ms"),
    (re.compile(r"(?<=online, )\d[\d.]*[ mus]*…"), "0.…"),
    (re.compile(r"(?<=online, 0\.1 ms  )\w+…"), "hist…"),
    (re.compile(r"next try in \d+ s"), "next try in 1 s"),
]


def day(match):
    """A line of another day, as wide."""
    name = " Thursday, 1 January 2026 " if match.group(1) else " 1 Jan 2026 "
    return name.center(len(match.group()), "─")


def masked(text):
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in DAY.sub(day, text).splitlines()) + "\n"


def columns(text):
    """How many columns of a terminal a text takes."""
    return sum(0 if unicodedata.combining(c) or c == "\u200d" else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def bars(line):
    """The columns of a line's vertical lines."""
    return [columns(line[:at]) for at, c in enumerate(line) if c == "│"]


class Screen(Tmux):
    """A program in a terminal whose screens are kept."""

    def masked(self):
        """The screen without what varies between runs."""
        return masked(self.text())

    def same(self, name, timeout=5):
        """Until the screen is the one kept under this name."""
        path = os.path.join(FOLDER, name + ".txt")
        if UPDATE:
            self.settle()
            with open(path, "w", encoding="utf-8") as f:
                f.write(self.masked())
            return
        with open(path, encoding="utf-8") as f:
            wanted = f.read()
        wait_for(lambda: self.masked() == wanted, f"the screen {name}", timeout,
                 lambda: "\n" + "\n".join(difflib.unified_diff(
                     wanted.splitlines(), self.masked().splitlines(), "kept", "shown",
                     lineterm="")))

    def settle(self, seconds=0.4):
        """Until the screen has not changed for so long."""
        seen, since = self.text(), time.monotonic()
        while time.monotonic() < since + seconds:
            now = self.text()
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.02)


class Client(Screen):
    """lanchat with its full screen. `server` is a Server, an address, or None for discovery."""

    def __init__(self, case, server=None, nick="anna", *options, env=None, **more):
        argv = [os.path.join(BUILD, "lanchat"), *options]
        if server is not None:
            argv.append(getattr(server, "address", server))
        super().__init__(case, argv, env={"USER": nick, **(env or {})}, name=f"client-{nick}",
                         **more)

    def wait_room(self, room="lobby", timeout=10):
        """Until the room is shown, with a connection."""
        self.wait_text(rf"\A #{room}(  .*)?$", timeout)
        return self.wait_text(r"#" + room + r"  online, [\d.]+ ms", timeout)

    def wait_input(self, text, timeout=10):
        """Until the input line, the last on the screen, is exactly so after the prompt."""
        return wait_for(lambda: self.input() == text, f"the input {text!r}", timeout,
                        lambda: "\n" + self.text())

    def input(self):
        line = self.screen()[-1]
        return line.partition("> ")[2] if "> " in line else ""

    def messages(self):
        """The messages pane: what stands between the other panes."""
        return [line.split("│")[1].rstrip() if "│" in line else line
                for line in self.screen()[1:-2]]
