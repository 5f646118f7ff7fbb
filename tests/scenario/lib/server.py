"""lanchatd under test."""

import os
import re
import subprocess

from .process import Program
from .wait import BUILD, wait_for


class Server(Program):
    """A server on a port of the kernel's choosing, with a data folder of its own. Without
    `beacon` it neither announces itself nor answers. With `wait` false it need not come up."""

    def __init__(self, case, *options, listen=("127.0.0.1:0",), beacon=False, data=None,
                 wait=True, port_file=None, program=None, **more):
        number = len(case.programs)
        self.port_file = port_file or os.path.join(case.dir, f"port.{number}")
        self.data = data or os.path.join(case.dir, f"data.{number}")
        argv = [program or os.path.join(BUILD, "lanchatd"), "--port-file", self.port_file,
                "--data", self.data]
        for address in [listen] if isinstance(listen, str) else listen:
            argv += ["--listen", address]
        if not beacon:
            argv.append("--no-beacon")
        if case.plaintext:
            argv.append("--plaintext")
        super().__init__(case, argv + list(options), stdin=subprocess.DEVNULL, **more)
        self.bound = []
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout=10):
        """Until the port file says what was bound; `bound` is its lines."""
        def bound():
            if not self.running():
                raise AssertionError(f"it did not come up: {self.tail()}")
            try:
                with open(self.port_file, encoding="utf-8") as f:
                    text = f.read()
            except FileNotFoundError:
                return None
            return text.split() if text.endswith("\n") else None
        self.bound = wait_for(bound, "the port file", timeout, self.tail)

    @property
    def port(self):
        """The first bound port."""
        return int(re.search(r"(\d+)$", self.bound[0]).group(1))

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def shape(self):
        """What must be as it was when everybody has left: threads, and descriptors but those of the log,
        whose readers are opened when they are first wanted, and kept."""
        folder = f"/proc/{self.pid}/fd"
        count = 0
        for number in os.listdir(folder):
            try:
                count += "/log.db" not in os.readlink(f"{folder}/{number}")
            except FileNotFoundError:
                pass  # closed since
        return self.threads(), count
