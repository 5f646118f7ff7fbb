"""Each call that can fail is made to fail once, in a whole conversation: what the files of sweeps have in
common.

tests/faults/fail.c lets the n-th call of a kind fail, for n = 1, 2, 3 ... until there is no n-th
call any more; a brief run draws some of them, and so does a long run with a sanitizer, under which each
takes seconds. LANCHAT_FAULT="lock EAGAIN 186" tries just that.
"""

import errno
import glob
import os
import random
import select
import time

from . import wire
from .case import PlainScenario, brief
from .raw import Raw
from .secure import Secure
from .shim import shim
from .wait import SLOW, wait_for

# Not among them: the memory of libseccomp (kind "seccomp"). Its version 2.5.4 crashes where that is out
# while it makes a filter, which is at the start, before anybody has come.
FAULTS = [("alloc", "ENOMEM"), ("crypto", "ENOMEM"), ("sqlite", "ENOMEM"),
          ("write", "ENOSPC"), ("write", "EIO"), ("sync", "EIO"), ("lock", "EAGAIN"),
          ("lock", "EACCES"), ("open", "EMFILE"),
          ("socket", "ECONNRESET"), ("socket", "EINTR"), ("thread", "EAGAIN"), ("event", "EMFILE"),
          ("map", "ENOMEM")]
SAMPLED = {"crypto": 200, "sqlite": 1000}  # drawn anew in each long run: there are thousands more
SANITIZED_RUNS = 300


class Broken(Exception):
    """The connection is over, or the server says that it cannot."""


class Talk:
    """One client of the scripted session: each request gets an answer, if only a refusal, or the
    connection ends."""

    def __init__(self, case, server, nick, key=None):
        self.nick = nick
        self.acknowledged = {}  # counter: seq
        self.parted = None  # the last PARTED that came while another answer was awaited
        try:
            self.raw = Secure(case, server, key=key) if key else Raw(case, server)
            case.sockets.append(self.raw.socket)
            self.raw.message("HELLO", version_low=1, version_high=1, agent="sweep")
            log = self.answer("WELCOME")["log"]
            self.ask("LOGIN", "LOGGED_IN", person=self.raw.person, instance=self.raw.instance,
                     log=log, nick=nick, flags=1)
        except OSError as error:
            raise Broken from error

    def answer(self, *names, tag=None, counter=None):
        """The answer to what was asked. A Broken where it is a refusal."""
        deadline = time.monotonic() + 8 * SLOW
        while (got := self.raw.receive(1)) is not None or not self.raw.ended:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.nick}: no {names} within {8 * SLOW} s")
            if got is None:
                continue
            name, values = got
            if name == "BYE" or (name == "ERROR" and (values["fatal"] or values["tag"] == tag)):
                raise Broken(f"{values['code']} {values['text']}")
            if name in names and (tag is None or values["tag"] == tag) and \
                    (counter is None or values["counter"] == counter):
                return {"name": name, **values}
            if name == "PARTED":
                self.parted = values
        raise Broken("the connection ended")

    def ask(self, name, answer, **values):
        try:
            return self.answer(answer, tag=self.raw.request(name, **values))
        except OSError as error:
            raise Broken from error

    def say(self, name, **values):
        """Until it is accepted or finally refused; where the server asks for it, again."""
        self.raw.counter += 1
        counter = self.raw.counter
        deadline = time.monotonic() + 8 * SLOW
        while time.monotonic() < deadline:
            try:
                self.raw.message(name, counter=counter, **values)
            except OSError as error:
                raise Broken from error
            got = self.answer("ACK", "REFUSED", counter=counter)
            if got["name"] == "ACK":
                self.acknowledged[counter] = got["seq"]
                return
            if got["code"] != wire.CODES["RETRY"]:
                return
            # The pause of PROTOCOL.md, 8.3; something to read, if only the end, cuts it short.
            select.select([self.raw.socket], [], [], 0.1)
        raise AssertionError(f"{self.nick}: only RETRY for {8 * SLOW} s")


class Sweep(PlainScenario):
    """One run of the session for each call that fails."""

    longest = 240 if brief() else 3500
    faults = FAULTS

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("LANCHAT_SEED") or random.SystemRandom().randrange(1 << 32))
        self.chance = random.Random(self.seed)
        self.number = 0
        self.runs = 0
        self.findings = []
        self.sockets = []

    def faulty(self, fault):
        """Environment in which that call fails; (kind, error name, number)."""
        kind, error, number = fault
        self.number += 1
        self.failed = os.path.join(self.dir, f"failed.{self.number}")
        self.counts = os.path.join(self.dir, f"counts.{self.number}")
        env = shim("fail", fail=f"{kind} {getattr(errno, error)} {number}", failed=self.failed,
                   counts=self.counts)
        if kind == "crypto":
            # Where its own memory is out, libcrypto leaks some of what it had. The leak checker cannot
            # see who called it, so with these faults nothing of libcrypto's counts.
            known = os.path.join(self.dir, "known-leaks")
            with open(known, "w", encoding="ascii") as f:
                f.write("leak:libcrypto.so\n")
            env["LSAN_OPTIONS"] = f"suppressions={known}:print_suppressions=0"
        return env

    def has_failed(self):
        """Has the call come that was to fail?"""
        return os.path.getsize(self.failed) > 0

    def place(self):
        """What failed, and from where."""
        with open(self.failed, encoding="utf-8", errors="replace") as f:
            return " < ".join(line.strip().rsplit("/", 1)[-1] for line in f)

    def sweep(self, once, count):
        """Let once(fault) run for every fault, or for `count` of them that chance draws in a brief run."""
        everything = self.calls(once)
        if "LANCHAT_FAULT" in os.environ:
            kind, error, number = os.environ["LANCHAT_FAULT"].split()
            self.one(once, (kind, error, int(number)))
        elif brief() or SLOW > 1:
            count = count if brief() else SANITIZED_RUNS
            chosen = []
            for kind, error in self.faults:  # each kind, then whatever chance says
                if everything[kind]:
                    chosen.append((kind, error, self.chance.randint(1, everything[kind])))
            while len(chosen) < count:
                kind, error = self.chance.choice(self.faults)
                if everything[kind]:
                    chosen.append((kind, error, self.chance.randint(1, everything[kind])))
            for fault in chosen[:count]:
                self.one(once, fault)
        else:
            for kind, error in self.faults:
                most = everything[kind]
                if kind in SAMPLED:
                    for number in self.chance.sample(range(most), min(most, SAMPLED[kind])):
                        self.one(once, (kind, error, number + 1))
                    continue
                number = 1
                while self.one(once, (kind, error, number)):
                    number += 1
        print(f"# {self.id().removeprefix('__main__.')}: seed {self.seed}: {self.runs} runs, "
              f"calls {everything}")
        if self.findings:
            self.fail(f"{len(self.findings)} findings:\n" + "\n".join(self.findings))

    def calls(self, once):
        """How many calls of each kind there are where nothing fails."""
        once(("alloc", "ENOMEM", 0))
        with open(self.counts, encoding="ascii") as f:
            return {kind: int(count) for kind, count in (line.split() for line in f)}

    def one(self, once, fault):
        """False when there is no such call any more. What is wrong is kept, and the sweep goes
        on."""
        before = len(self.programs)
        try:
            self.runs += 1
            once(fault)
        except (AssertionError, OSError, ValueError) as error:
            where = self.place() if self.has_failed() else "it did not happen"
            self.findings.append(f"{' '.join(map(str, fault))} ({where}): {error}")
            for report in glob.glob(self.reports + "/*"):  # it is not the next one's
                os.remove(report)
            if len(self.findings) >= 20:
                self.fail("20 findings:\n" + "\n".join(self.findings))
        happened = self.has_failed()
        for left in self.programs[before:]:
            left.discard()
        while self.sockets:
            self.sockets.pop().close()
        return happened

    def ended_well(self, program, status):
        """It ended by itself, and where it failed it said why in a line or two."""
        self.check_reports()  # a sanitizer ends it with status 1 as well
        self.assertIn(status, (0, 1), f"it ended with {status}: {program.tail()}")
        if status == 1:
            # A log line has its time; what it ends with has its name.
            said = [line for line in program.stderr().splitlines() if ": " in line]
            self.assertTrue(said, f"it failed without a word: {program.tail()}")
        self.check_reports()

    def came_up(self, server):
        def ready():
            return not server.running() or os.path.exists(server.port_file)
        wait_for(ready, "the server to come up or end", 15, server.tail)
        if server.running():
            server.wait_ready()
            return True
        return False
