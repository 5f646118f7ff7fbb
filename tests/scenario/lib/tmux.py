"""A program in a real terminal: tmux with a server of its own."""

import os
import re
import shlex
import subprocess

from . import control, isolate
from .process import FIXED_ADDRESSES, Program
from .wait import wait_for


# Runs a command and keeps the terminal open when it has ended, with the terminal's settings before
# and after for comparison.
# The title comes behind all that the command wrote: where it is seen, that is on the screen.
AROUND = 'stty -g >"$0/before"; "$@"; s=$?; stty -g >"$0/after"; printf "\\033]2;over\\007"; ' \
    'echo $s >"$0/status"; exec sleep infinity'


class Tmux:
    """A terminal of `columns` x `rows` that runs a shell, or `command` (a list) alone. Options are
    those of Program."""

    def __init__(self, case, command=None, *, columns=80, rows=24, host=None, env=None,
                 term="tmux-256color", name="tmux"):
        isolate.required()
        self.case = case
        self.name = name
        self.dir = os.path.join(case.dir, f"{name}.{len(case.tmuxes)}")
        os.makedirs(self.dir)
        self.env = Program.environment(self, {"TMUX_TMPDIR": self.dir, "PS1": "$ ",
                                              "ENV": None, **(env or {})})
        self.base = ["tmux", "-L", "test", "-f", "/dev/null", "-u"]
        around = ["sh", "-c", AROUND, self.dir] + FIXED_ADDRESSES
        shell = shlex.join(around + list(command or ["sh"]))
        case.tmuxes.append(self)
        start = ["new-session", "-d", "-x", str(columns), "-y", str(rows), "-s", "main", shell]
        options = ["set-option", "-g", "default-terminal", term, ";",
                   "set-option", "-g", "status", "off", ";",
                   "set-option", "-g", "history-limit", "5000", ";"]
        self.control = None
        self.run("start-server", ";", *options, *start, prefix=host.prefix if host else [])
        self.control = control.Control(self.base, self.env)

    def run(self, *argv, prefix=()):
        """The output of a command of tmux."""
        if self.control is not None and control.fits(argv):
            text = self.control.run(argv)
            if text is not None:
                return text
        done = subprocess.run(list(prefix) + self.base + list(argv), env=self.env, timeout=30,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"tmux {' '.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def keys(self, *names):
        """Press keys by tmux's names: "Enter", "C-a", "PageUp", "M-b"."""
        self.run("send-keys", "-t", "main", *names)

    def type(self, text):
        """Type characters as they are."""
        self.run("send-keys", "-t", "main", "-l", "--", text)

    def enter(self, text):
        self.type(text)
        self.keys("Enter")

    def paste(self, text):
        """Paste, bracketed where the program asked for that."""
        self.run("set-buffer", "--", text)
        self.run("paste-buffer", "-p", "-t", "main")

    def resize(self, columns, rows):
        self.run("resize-window", "-t", "main", "-x", str(columns), "-y", str(rows))

    def screen(self):
        """What is on the screen, line by line, without trailing blanks."""
        return [x.rstrip() for x in self.run("capture-pane", "-p", "-t", "main").splitlines()]

    def styled(self):
        """The screen with its escape sequences for colours and attributes."""
        return self.run("capture-pane", "-p", "-e", "-t", "main")

    def text(self):
        return "\n".join(self.screen())

    def wait_text(self, pattern, timeout=10):
        """Until the regular expression is found on the screen, which is returned."""
        def found():
            text = self.text()
            return text if re.search(pattern, text, re.MULTILINE) else None
        return wait_for(found, f"{pattern!r} on the screen", timeout, lambda: "\n" + self.text())

    def wait_gone(self, pattern, timeout=10):
        return wait_for(lambda: not re.search(pattern, self.text(), re.MULTILINE),
                        f"no {pattern!r} on the screen", timeout, lambda: "\n" + self.text())

    def format(self, form):
        """tmux's own knowledge: "#{cursor_x}", "#{pane_pid}", "#{alternate_on}"."""
        return self.run("display-message", "-p", "-t", "main", form).strip()

    def recorded(self, name):
        try:
            with open(os.path.join(self.dir, name), encoding="ascii") as f:
                return f.read().strip()
        except FileNotFoundError:
            return ""

    def wait_end(self, timeout=10):
        """The exit status of the command, once it has ended and all that it wrote is on the screen."""
        status = wait_for(lambda: self.recorded("status"), "the program to end", timeout,
                          lambda: "\n" + self.text())
        wait_for(lambda: self.format("#{pane_title}") == "over", "the last of what it wrote", timeout,
                 lambda: "\n" + self.text())
        return int(status)

    def restored(self):
        """After the end: is the terminal as it was, and the usual screen shown?"""
        return self.recorded("before") == self.recorded("after") and \
            self.format("#{alternate_on} #{cursor_flag} #{mouse_any_flag}") == "0 1 0"

    def pid(self):
        """The process id of the command, while it runs."""
        shell = self.format("#{pane_pid}")
        with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as f:
            return int(f.read().split()[0])

    def tail(self):
        return f"{self.name}, the screen:\n{self.text()}"

    def discard(self):
        if self.control is not None:
            self.control.close()
        subprocess.run(self.base + ["kill-server"], env=self.env, capture_output=True, timeout=30)
