"""Waiting for a condition, with a deadline."""

import os
import time

# Where the programs come from, and how much slower than usual they are.
BUILD = os.path.abspath(os.environ.get("LANCHAT_BUILD", "build"))
SANITIZED = BUILD.endswith(("-asan", "-tsan"))
COUNTED = BUILD.endswith("-coverage")  # and the counters belong to whoever built it
SLOW = 6 if SANITIZED else 2 if COUNTED else 1


def wait_for(condition, what, timeout=10, seen=None):
    """Call `condition` until it gives something true, and return that. After `timeout` seconds
    (more where the programs are slow) fail, naming `what` was waited for and what seen() gives."""
    began = time.monotonic()
    deadline = began + timeout * SLOW
    while True:
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            saw = "" if seen is None else f"; saw: {seen()}"
            raise AssertionError(f"waited {timeout * SLOW} s for {what}{saw}")
        # To look costs those who are waited for: the longer it takes, the less often.
        time.sleep(min(max(0.002, (now - began) / 8), 0.025))
