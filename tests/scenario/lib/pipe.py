"""lanchat --pipe under test."""

import json
import os

from .process import Program
from .wait import BUILD


class Pipe(Program):
    """A client for scripts. `server` is a Server, an address, or None for discovery; `input` is
    lines that stdin consists of, else say() writes them one by one."""

    def __init__(self, case, server, nick, *options, rooms=("lobby",), input=None, json=True,
                 **more):
        argv = [os.path.join(BUILD, "lanchat"), "--pipe"]
        argv += ["--json"] if json else []
        argv += ["--nick", nick] if nick else []
        for room in rooms:
            argv += ["--room", room]
        argv += options
        if server is not None:
            argv.append(getattr(server, "address", server))
        self.nick = nick
        self.parsed = []
        if input is None:
            super().__init__(case, argv, name=f"pipe-{nick}", **more)
            return
        path = os.path.join(case.dir, f"input.{len(case.programs)}")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in input)
        with open(path, "rb") as f:
            super().__init__(case, argv, name=f"pipe-{nick}", stdin=f, **more)

    def say(self, *lines):
        self.write("".join(line + "\n" for line in lines))

    def events(self):
        """Every event so far."""
        for line in self.read()[len(self.parsed):]:
            self.parsed.append(json.loads(line))
        return self.parsed

    def of(self, kind, **fields):
        """The events of one type whose fields have these values."""
        return [e for e in self.events() if e["type"] == kind and
                all(e.get(k) == v for k, v in fields.items())]

    def wait_event(self, kind, count=1, timeout=10, **fields):
        """The `count`th event of a type with these values."""
        what = f"{count} x {kind} {fields or ''} at {self.name}"
        return self.until(lambda: self.of(kind, **fields)[count - 1:count], what, timeout)[0]

    def wait_joined(self, room="lobby", timeout=10):
        """Until it is in the room: it sees itself join."""
        return self.wait_event("join", room=room, own=True, timeout=timeout)

    def texts(self, room="lobby"):
        """What was said in the room, in the order in which it was printed."""
        return [e["text"] for e in self.of("message", room=room)]
