#!/usr/bin/env python3
"""--pipe --resume: nothing that was said is missed and nothing that was typed is lost, however the
client ends."""

import os
import signal
import subprocess

from lib import BUILD, Pipe, Scenario, Server, brief, main


class Run(Pipe):
    def wait_quiet(self):
        """Until it neither reads nor writes any more, the state on disk included: for many looks,
        its counters stay as they are."""
        last = [None, 0]

        def still():
            with open(f"/proc/{self.pid}/io", encoding="ascii") as f:
                now = f.read()
            last[1] = last[1] + 1 if now == last[0] else 0
            last[0] = now
            return last[1] > 100
        self.until(still, "quiet")


class Resume(Scenario):
    longest = 120

    def setUp(self):
        super().setUp()
        self.server = Server(self)
        home = os.path.join(self.dir, "home")
        # Runs of one person, who has one key and one state folder.
        self.env = {"XDG_DATA_HOME": home + "/data", "XDG_STATE_HOME": home + "/state"}

    def run_pipe(self, *options, **more):
        return Run(self, self.server, "anna", *options, env=self.env, **more)

    def say(self, *lines):
        """Somebody else says something; all is acknowledged then."""
        boris = Pipe(self, self.server, "boris", input=lines)
        self.assertEqual(boris.wait(30), 0, boris.tail())

    def restart_server(self):
        port, data = self.server.port, self.server.data
        self.server = Server(self, listen=f"127.0.0.1:{port}", data=data)

    def kill_server(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def test_what_was_missed(self):
        """Each run prints what was said since the run before, and nothing twice; the end of stdin
        waits for it. However the run before ended."""
        first = self.run_pipe("--resume")
        first.wait_joined()
        self.say("one")
        first.wait_event("message", text="one")
        first.close_input()
        self.assertEqual(first.wait(), 0, first.tail())
        said = 0
        for end in ("itself", "kill", "itself", "itself"):
            self.say(*[f"line {said + i}" for i in range(300)])
            run = self.run_pipe("--resume", input=None if end == "kill" else [])
            run.wait_event("message", text=f"line {said + 299}", timeout=20)
            if end == "kill":
                run.say("settle")
                run.wait_event("message", text="settle")
                # Noted a moment after it was printed; then nothing comes twice.
                run.wait_quiet()
                run.send_signal(signal.SIGKILL)
                run.wait()
            else:
                self.assertEqual(run.wait(20), 0, run.tail())
            self.assertEqual(run.texts()[:300], [f"line {said + i}" for i in range(300)])
            self.assertEqual(run.texts()[300:], ["settle"] if end == "kill" else [])
            said += 300
        nothing = self.run_pipe("--resume", input=[])
        self.assertEqual(nothing.wait(20), 0, nothing.tail())
        self.assertEqual(nothing.texts(), [])

    def test_killed_anywhere(self):
        """Killed while it prints, the next run goes on at most a few lines back and never ahead:
        together they print everything, in order, each at least once."""
        first = self.run_pipe("--resume", input=[])
        self.assertEqual(first.wait(20), 0, first.tail())
        lines = [f"line {i}" for i in range(5000)]
        self.say(*lines)
        seen = []
        for round_number in range(3 if brief() else 20):
            run = self.run_pipe("--resume")
            run.wait_event("message", timeout=20)
            run.send_signal(signal.SIGKILL)
            run.wait()
            seen.append(run.texts())
        last = self.run_pipe("--resume", input=[])
        self.assertEqual(last.wait(30), 0, last.tail())
        seen.append(last.texts())
        at = 0
        for texts in seen:
            begin = lines.index(texts[0]) if texts else at
            self.assertLessEqual(begin, at, "a run went on ahead of what had been printed")
            self.assertEqual(texts, lines[begin:begin + len(texts)])
            at = max(at, begin + len(texts))
        self.assertEqual(at, len(lines))

    def test_without_resume(self):
        """A plain run in between prints nothing old, and does not move the position."""
        first = self.run_pipe("--resume", input=[])
        self.assertEqual(first.wait(20), 0, first.tail())
        self.say("missed")
        plain = self.run_pipe("--until", "1", input=["plain"])
        self.assertEqual(plain.wait(20), 0, plain.tail())
        self.assertEqual(plain.texts(), ["plain"])
        again = self.run_pipe("--resume", input=[])
        self.assertEqual(again.wait(20), 0, again.tail())
        self.assertEqual(again.texts(), ["missed", "plain"])

    def test_typed_while_away(self):
        """What was typed without a connection outlives a kill -9 and is sent once, in order, under
        its old number, which the next run tells."""
        anna = self.run_pipe("--resume", "--timeout", "60")
        anna.wait_joined()
        self.kill_server()
        anna.wait_event("status", state="waiting")
        lines = [f"typed {i}" for i in range(400)]
        anna.say(*lines)
        anna.wait_quiet()
        anna.send_signal(signal.SIGKILL)
        anna.wait()
        self.restart_server()
        again = self.run_pipe("--resume", input=[])
        self.assertEqual(again.wait(20), 0, again.tail())
        waiting = again.of("waiting")
        self.assertEqual([e["text"] for e in waiting], lines[:len(waiting)])
        self.assertGreater(len(waiting), 255)
        self.assertEqual(again.texts(), [e["text"] for e in waiting])
        for kind in ("ack", "message"):
            self.assertEqual([e["id"] for e in again.of(kind)], [e["id"] for e in waiting])

    def test_gives_up(self):
        """A run that cannot connect again says that what it read will be sent, and it is."""
        anna = self.run_pipe("--timeout", "2")
        anna.wait_joined()
        self.kill_server()
        anna.wait_event("status", state="waiting")
        anna.say("late")
        self.assertEqual(anna.wait(30), 1)
        self.assertIn("the next run will send it", anna.stderr())
        self.restart_server()
        again = self.run_pipe("--until", "1", input=[])
        self.assertEqual(again.wait(20), 0, again.tail())
        self.assertEqual(again.texts(), ["late"])

    def test_stdout_missing(self):
        """Where nothing can be written to stdout, that is an error, and nothing counts as read."""
        first = self.run_pipe("--resume", input=[])
        self.assertEqual(first.wait(20), 0, first.tail())
        self.say("missed")
        for how in (">&-", "1</dev/null", ">/dev/full"):
            done = subprocess.run(
                ["sh", "-c", f'exec "$@" {how}', "sh", os.path.join(BUILD, "lanchat"), "--pipe",
                 "--resume", "--nick", "anna", self.server.address], stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, timeout=30, check=False,
                env={**os.environ, **self.sanitizer_options(), **self.env})
            self.assertEqual(done.returncode, 1, how)
            self.assertIn("cannot write to stdout", done.stderr)
        again = self.run_pipe("--resume", input=[])
        self.assertEqual(again.wait(20), 0, again.tail())
        self.assertEqual(again.texts(), ["missed"])

    def test_no_state(self):
        """--no-state leaves nothing on disk."""
        anna = self.run_pipe("--no-state", "--until", "1", input=["hello"])
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertFalse(os.path.exists(self.env["XDG_STATE_HOME"]))


if __name__ == "__main__":
    main()
