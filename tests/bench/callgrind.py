"""A server under valgrind's callgrind, and what it executed between two moments.

Callgrind counts instructions of user space, and calls between functions; what the kernel does for the
server is not among them. It runs one thread at a time, so what threads cost each other is not either.
"""

import collections
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
from lib.wait import BUILD, wait_for  # noqa: E402

VALGRIND = "valgrind"
CONTROL = "callgrind_control"
NAME = re.compile(r"\((\d+)\)(?: (.*))?")


def missing():
    """Which program is not there, if one is not."""
    return next((name for name in (VALGRIND, CONTROL) if not shutil.which(name)), None)


class Profile:
    """A dump: instructions in all and of each function by itself, and how often each was called."""

    def __init__(self, path):
        self.total = 0
        self.own, self.calls = collections.Counter(), collections.Counter()
        self.names = {"ob": {}, "fn": {}}
        with open(path, encoding="utf-8", errors="replace") as f:
            self.read(f)

    def name(self, kind, text):
        """A name is written once, behind its number, and then the number alone stands for it."""
        number, name = NAME.match(text).groups()
        if name:
            self.names[kind][number] = re.sub(r"'\d+$", "", name)  # behind it, how deep it recurs
        return self.names[kind][number]

    def read(self, lines):
        """Callgrind's format (valgrind manual, "Callgrind Format Specification"): costs of the function
        that was named last; behind `calls`, the line of what the callee cost, which it has itself."""
        library, function, callee = "?", "?", "?"
        for line in lines:
            if line.startswith("ob="):
                library = os.path.basename(self.name("ob", line[3:]))
            elif line.startswith("cob="):
                self.name("ob", line[4:])
            elif line.startswith("fn="):
                function = self.name("fn", line[3:])
                if function.startswith("0x"):
                    function = f"({library}, without symbols)"
            elif line.startswith("cfn="):
                callee = self.name("fn", line[4:])
            elif line.startswith("calls="):
                self.calls[callee] += int(line[6:].split()[0])
                next(lines)
            elif line[0].isdigit() or line[0] in "+-*":
                fields = line.split()
                if len(fields) > 1:
                    self.own[function] += int(fields[1])
        self.total = sum(self.own.values())


class Server:
    """lanchatd under callgrind, with a folder of its own. It is not confined: valgrind writes files, and
    makes system calls, that the server has no need of."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.prefix = f"--vgdb-prefix={folder}/vgdb"
        self.dumps = 0
        port_file = os.path.join(folder, "port")
        with open(os.path.join(folder, "output"), "wb") as output:
            self.process = subprocess.Popen(
                [VALGRIND, "--tool=callgrind", "-q", f"--callgrind-out-file={folder}/profile", self.prefix,
                 os.path.join(BUILD, "lanchatd"), "--data", folder, "--listen", "127.0.0.1:0",
                 "--port-file", port_file, "--no-beacon", "--sandbox", "off", "--rate", "off",
                 "--max-per-address", "off", *options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for(lambda: os.path.exists(port_file) or self.process.poll() is not None, "the port file", 60)
        if self.process.poll() is not None:
            with open(os.path.join(folder, "output"), encoding="utf-8") as f:
                sys.exit(f"the server did not start under valgrind: {f.read()[-500:]}")
        with open(port_file, encoding="utf-8") as f:
            self.port = int(f.read().rsplit(":", 1)[1])

    def control(self, *what):
        subprocess.run([CONTROL, self.prefix, *what, str(self.process.pid)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def begin(self):
        """Count from now on."""
        self.control("--zero")

    def end(self):
        """What was executed since then."""
        self.control("--dump")
        self.dumps += 1
        path = os.path.join(self.folder, f"profile.{self.dumps}")
        wait_for(lambda: os.path.exists(path), path, 60)
        return Profile(path)

    def stop(self):
        self.process.terminate()
        if self.process.wait(120) != 0:
            sys.exit("the server did not end in good order")
