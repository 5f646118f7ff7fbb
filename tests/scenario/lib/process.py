"""One running program: its output, its end, and what the kernel says about it."""

import os
import re
import signal
import subprocess
import time

from . import isolate
from .wait import BUILD, SANITIZED, wait_for

TICK = os.sysconf("SC_CLK_TCK")


def fixed_addresses():
    """The thread sanitizer fails under some kernels' address randomisation; switch it off where
    that is allowed."""
    if not BUILD.endswith("-tsan"):
        return []
    way = ["setarch", "-R"]
    good = subprocess.run(way + ["true"], capture_output=True).returncode == 0
    return way if good else []


FIXED_ADDRESSES = fixed_addresses()


class Program:
    """A process. Its stdout and stderr go to files in the test's folder, so it never waits for
    the test to read, and what it wrote is still there when it has ended.

    `host` is where on a Lan it runs, `prefix` a command that executes it, such as prlimit; `fds` are
    descriptors that it inherits under their numbers."""

    def __init__(self, case, argv, *, name=None, host=None, prefix=(), env=None, stdin=None,
                 fds=()):
        isolate.required()
        self.case = case
        self.name = f"{name or os.path.basename(argv[0])}.{len(case.programs)}"
        self.dir = os.path.join(case.dir, self.name)
        os.makedirs(self.dir)
        self.out_path = os.path.join(self.dir, "stdout")
        self.err_path = os.path.join(self.dir, "stderr")
        command = (host.prefix if host else []) + list(prefix) + FIXED_ADDRESSES + list(argv)
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE if stdin is None else stdin, stdout=out,
                stderr=err, env=self.environment(env), start_new_session=True, pass_fds=fds)
        self.pid = self.process.pid
        self.started = time.monotonic()
        self.offset = 0
        self.lines = []
        case.programs.append(self)

    def environment(self, more):
        """A person's clean environment: every program has a home of its own."""
        env = {k: v for k, v in os.environ.items()
               if k in ("PATH", "LANCHAT_ISOLATED") or k.startswith("GCOV_")}
        env.update(HOME=self.dir, USER="tester", LANG="C.UTF-8", TERM="xterm-256color", TZ="UTC",
                   TMPDIR=self.dir)
        env.update(XDG_CONFIG_HOME=self.dir + "/config", XDG_DATA_HOME=self.dir + "/data",
                   XDG_STATE_HOME=self.dir + "/state", XDG_CACHE_HOME=self.dir + "/cache",
                   XDG_RUNTIME_DIR=self.dir)
        env.update(self.case.sanitizer_options())
        env.update(more or {})
        if "LD_PRELOAD" in env and "ASAN_OPTIONS" in env:
            # A shim is loaded before the sanitizer, which otherwise insists on being the first.
            # A symbolizer of its own would have the shim as well, and fail as it is told to.
            env["ASAN_OPTIONS"] += ":verify_asan_link_order=0:external_symbolizer_path="
        if self.case.plaintext:
            folder = os.path.join(env["XDG_CONFIG_HOME"], "lanchat")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, "config"), "a", encoding="ascii") as f:
                f.write("plaintext = yes\n")
        return {k: v for k, v in env.items() if v is not None}

    # ---- what it wrote ----

    def read(self):
        """All complete lines of stdout so far."""
        with open(self.out_path, "rb") as f:
            f.seek(self.offset)
            new = f.read()
        end = new.rfind(b"\n") + 1
        self.offset += end
        self.lines += new[:end].decode("utf-8", "backslashreplace").splitlines()
        return self.lines

    def stderr(self):
        with open(self.err_path, encoding="utf-8", errors="backslashreplace") as f:
            return f.read()

    def until(self, condition, what, timeout=10):
        """wait_for, which gives up at once where the program has ended."""
        def check():
            ended = not self.running()
            value = condition()
            if ended and not value:
                raise AssertionError(f"no {what}; {self.tail()}")
            return value
        return wait_for(check, what, timeout, self.tail)

    def wait_line(self, pattern, timeout=10):
        """The first line of stdout that the regular expression is found in."""
        return self.until(lambda: next((x for x in self.read() if re.search(pattern, x)), None),
                          f"a line like {pattern!r} from {self.name}", timeout)

    def wait_stderr(self, pattern, timeout=10):
        return self.until(lambda: re.search(pattern, self.stderr()),
                          f"{pattern!r} on stderr of {self.name}", timeout)

    def tail(self, count=12):
        """Its last words, for a failure's text."""
        out = "\n    ".join(self.read()[-count:])
        err = "\n    ".join(self.stderr().splitlines()[-count:])
        state = "running" if self.running() else f"ended with {self.process.returncode}"
        return f"{self.name} ({state})\n  stdout:\n    {out}\n  stderr:\n    {err}"

    # ---- what it is told ----

    def write(self, text):
        self.process.stdin.write(text.encode() if isinstance(text, str) else text)
        self.process.stdin.flush()

    def close_input(self):
        self.process.stdin.close()

    def send_signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def freeze(self):
        """Stop it, as ^Z would, and wait until it is."""
        self.send_signal(signal.SIGSTOP)
        wait_for(lambda: self.field("State").startswith("T"), f"{self.name} to be stopped")

    def thaw(self):
        self.send_signal(signal.SIGCONT)

    def kill(self):
        """Give it no chance."""
        self.send_signal(signal.SIGKILL)
        self.process.wait()

    # ---- its end ----

    def running(self):
        return self.process.poll() is None

    def wait(self, timeout=10):
        """Its exit status, once it has ended."""
        wait_for(lambda: not self.running(), f"{self.name} to end", timeout, self.tail)
        return self.process.returncode

    def stop(self, timeout=10, number=signal.SIGTERM):
        """Ask it to end; its exit status."""
        self.send_signal(number)
        return self.wait(timeout)

    def discard(self):
        """What a test left behind: asked once, then killed."""
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        if self.running():
            self.send_signal(signal.SIGCONT)
            self.send_signal(signal.SIGTERM)
            try:
                # Sanitizers report leaks at a regular end.
                self.process.wait(10 if SANITIZED else 3)
            except subprocess.TimeoutExpired:
                self.kill()

    # ---- what the kernel says ----

    def field(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith(name + ":"):
                    return line.split(":", 1)[1].strip()
        raise AssertionError(f"{self.name} has no {name}")

    def rss_kib(self):
        """Resident memory."""
        return int(self.field("VmRSS").split()[0])

    def peak_rss_kib(self):
        return int(self.field("VmHWM").split()[0])

    def threads(self):
        return int(self.field("Threads"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        """User and system time so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
