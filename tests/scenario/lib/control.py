"""tmux's control mode: one client that stays, and takes commands from a pipe.

A client for each command costs more than most of what it asks, and a terminal that is waited for is
asked many times a second. Each answer stands between "%begin TIME NUMBER FLAGS" and a "%end" (or
"%error") with the same three; lines outside of these tell of changes and are passed over (tmux(1),
CONTROL MODE).
"""

import contextlib
import os
import select
import subprocess
import time

# What a command line can carry as it is; the rest takes a client of its own.
LONGEST = 4096


def quoted(word):
    """A word as tmux's parser takes it literally."""
    return "'" + word.replace("'", "'\\''") + "'"


def fits(argv):
    return sum(map(len, argv)) < LONGEST and all(word.isprintable() for word in argv)


class Control:
    """A control client of the server that `base` (a command line of tmux) speaks to. It draws nothing
    and has no size, so the terminal stays as it is."""

    def __init__(self, base, env):
        self.client = subprocess.Popen(
            base + ["-C", "attach-session", "-f", "no-output,ignore-size", "-t", "main"], env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.client.stdout.fileno(), False)
        self.read = b""
        self.answer()  # to attach-session

    def run(self, argv):
        """The output of one command; None where there is no server any more."""
        try:
            self.client.stdin.write((" ".join(map(quoted, argv)) + "\n").encode())
            self.client.stdin.flush()
        except BrokenPipeError:
            return None
        return self.answer()

    def line(self, deadline):
        """The next line; None at the end of them."""
        while b"\n" not in self.read:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.client.stdout], [], [], left)[0]:
                raise AssertionError("tmux did not answer within 30 s")
            more = self.client.stdout.read()
            if not more:
                return None
            self.read += more
        line, _, self.read = self.read.partition(b"\n")
        return line.decode(errors="surrogateescape")

    def answer(self):
        deadline = time.monotonic() + 30
        mark = None
        lines = []
        while True:
            line = self.line(deadline)
            if line is None:
                return None
            verb, _, rest = line.partition(" ")
            if mark is None:
                mark = rest if verb == "%begin" else None
            elif rest == mark and verb in ("%end", "%error"):
                text = "".join(line + "\n" for line in lines)
                if verb == "%error":
                    raise AssertionError(f"tmux: {text.strip()}")
                return text
            else:
                lines.append(line)

    def close(self):
        with contextlib.suppress(BrokenPipeError):  # what could not be written any more
            self.client.stdin.close()
        self.client.stdout.close()
        self.client.kill()
        self.client.wait()
