#!/usr/bin/env python3
"""Two programs with copies of one home: nothing that either of them says is silently gone."""

import os
import shutil

from lib import Pipe, Scenario, Server, main


class Copies(Scenario):
    longest = 120

    def setUp(self):
        super().setUp()
        self.server = Server(self)
        first = self.pipe("one", input=["first"])
        self.assertEqual(first.wait(20), 0, first.tail())
        shutil.copytree(self.home("one"), self.home("two"), symlinks=True)
        self.watcher = Pipe(self, self.server, "watcher")
        self.watcher.wait_joined()

    def home(self, name):
        return os.path.join(self.dir, f"home-{name}")

    def pipe(self, name, **more):
        home = self.home(name)
        return Pipe(self, self.server, "anna", env={
            "XDG_DATA_HOME": home + "/data", "XDG_STATE_HOME": home + "/state"}, **more)

    def set_aside(self):
        return [f for name in ("one", "two") for _, _, files in os.walk(self.home(name))
                for f in files if f.endswith(".db.copied")]

    def check(self, programs, said):
        """Each line is in the room once, or the program said that it may not be and failed."""
        last = Pipe(self, self.server, "boris", input=["the end"])
        self.assertEqual(last.wait(20), 0, last.tail())
        self.watcher.wait_event("message", text="the end")
        texts = self.watcher.texts()
        for name, program in programs.items():
            status = program.wait(30)
            refused = len(program.of("error"))
            self.assertEqual(status, 1 if refused else 0, program.stderr())
            self.assertEqual(program.stderr().count("was refused"), refused)
            missing = [line for line in said[name] if line not in texts]
            self.assertLessEqual(len(missing), refused, (missing, program.stderr()))
            for line in said[name]:
                self.assertLessEqual(texts.count(line), 1, line)
            acked = {e["id"] for e in program.of("ack")}
            kept = {e["id"] for e in self.watcher.of("message")}
            self.assertLessEqual(acked, kept)
            self.assertEqual(len(acked) + refused, len(said[name]))

    def test_in_turns(self):
        """Both are connected, and say something by turns."""
        programs = {name: self.pipe(name) for name in ("one", "two")}
        said = {name: [f"{name} {i}" for i in range(5)] for name in programs}
        programs["one"].wait_joined()
        programs["two"].wait_joined()
        for i in range(5):
            for name, program in programs.items():
                program.say(said[name][i])
                program.until(lambda p=program, n=i + 1:
                              len(p.of("ack")) + len(p.of("error")) >= n, "an answer", 20)
        for program in programs.values():
            program.close_input()
        for program in programs.values():
            program.wait(30)
        self.check(programs, said)
        self.assertEqual(len(self.set_aside()), 1)
        # From now on each has its own.
        again = {name: self.pipe(name, input=[f"again {name}"]) for name in programs}
        for name, program in again.items():
            self.assertEqual(program.wait(20), 0, program.tail())
        self.check(again, {name: [f"again {name}"] for name in again})

    def test_in_a_hurry(self):
        """Both say much at once."""
        said = {name: [f"{name} {i}" for i in range(500)] for name in ("one", "two")}
        programs = {name: self.pipe(name) for name in said}
        for program in programs.values():
            program.wait_joined()
        for name, program in programs.items():
            program.say(*said[name])
            program.close_input()
        for program in programs.values():
            program.wait(60)
        self.check(programs, said)


if __name__ == "__main__":
    main()
