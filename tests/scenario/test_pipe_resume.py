#!/usr/bin/env python3
"""--pipe --resume: nothing that was said is missed and nothing that was typed is lost, however the
client ends."""

import array
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import termios

from lib import BUILD, Pipe, Scenario, Server, brief, main, wait_for


def wait_quiet(pid):
    """Until a process neither reads nor writes any more, the state on disk included: for many looks,
    its counters stay as they are."""
    last = [None, 0]

    def still():
        with open(f"/proc/{pid}/io", encoding="ascii") as f:
            now = f.read()
        last[1] = last[1] + 1 if now == last[0] else 0
        last[0] = now
        return last[1] > 100
    wait_for(still, "it to be quiet", 20)


class Run(Pipe):
    def wait_quiet(self):
        wait_quiet(self.pid)


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
        anna = self.run_pipe("--timeout", "5")
        anna.wait_joined()
        self.kill_server()
        anna.wait_event("status", state="waiting")
        anna.say("late")
        self.assertEqual(anna.wait(30), 1)
        # The key, the break, and the end.
        self.assertEqual(len(anna.stderr().splitlines()), 3, anna.stderr())
        self.assertIn("the next run will send it", anna.stderr())
        # What it waited between the tries is not more than it was told to try.
        waits = [e["wait_ms"] for e in anna.of("status") if e.get("state") == "waiting"]
        self.assertLessEqual(sum(waits), 5000, waits)
        self.restart_server()
        again = self.run_pipe("--until", "1", input=[])
        self.assertEqual(again.wait(20), 0, again.tail())
        self.assertEqual(again.texts(), ["late"])

    def test_reader_has_enough(self):
        """One line, though messages are left over."""
        anna = subprocess.Popen(
            [os.path.join(BUILD, "lanchat"), "--pipe", "--json", "--nick", "anna",
             self.server.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env={**os.environ, **self.sanitizer_options(), **self.env})
        self.addCleanup(anna.kill)
        for line in anna.stdout:
            if '"join"' in line:
                break
        self.server.freeze()
        anna.stdin.write("left over\n")
        anna.stdin.flush()
        unread = array.array("i", [1])
        def taken():
            fcntl.ioctl(anna.stdin, termios.FIONREAD, unread)
            return unread[0] == 0
        wait_for(taken, "the line to be read")
        anna.stdout.close()
        said = anna.stderr.read()
        self.assertEqual(anna.wait(20), 1)
        anna.stdin.close()
        self.server.thaw()
        self.assertEqual(len(said.splitlines()), 2, said)
        self.assertIn("the server's key is new here", said.splitlines()[0])
        self.assertRegex(said, "1 message is not acknowledged yet, and the next run will send it")

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

    def state_path(self, *parts):
        return os.path.join(self.env["XDG_STATE_HOME"], "lanchat", *parts)

    def find_positions(self):
        servers = self.state_path("servers")
        return os.path.join(servers, os.listdir(servers)[0], "resume.db")

    def finish(self, run, texts):
        self.assertEqual(run.wait(20), 0, run.tail())
        self.assertEqual(run.texts(), texts)

    def refused(self, run, words):
        self.assertEqual(run.wait(20), 1, run.tail())
        self.assertIn(words, run.stderr())
        self.assertEqual(run.texts(), [])

    def test_two_at_once(self):
        """One run at a time goes by the positions: a second one would move them past what the first
        has not printed. When the first is gone, however it went, the next one goes on there."""
        first = self.run_pipe("--resume")
        first.wait_joined()
        self.say("one")
        first.wait_event("message", text="one")
        first.wait_quiet()
        first.send_signal(signal.SIGSTOP)
        self.say("two", "three")
        self.refused(self.run_pipe("--resume", input=[]), "another program goes by --resume")
        self.say("four")
        first.send_signal(signal.SIGKILL)
        first.wait()
        self.finish(self.run_pipe("--resume", input=[]), ["two", "three", "four"])
        self.finish(self.run_pipe("--resume", input=[]), [])

    def test_ends_in_the_middle(self):
        """A run that has what it wanted, while more comes, notes what it printed and nothing else:
        the next one goes on there."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        lines = [f"line {i}" for i in range(3000)]
        run = self.run_pipe("--resume", "--until", "1000", input=[])
        run.wait_joined()
        self.say(*lines)
        self.assertEqual(run.wait(30), 0, run.tail())
        printed = run.texts()
        self.assertGreaterEqual(len(printed), 1000)
        rest = self.run_pipe("--resume", input=[])
        self.assertEqual(rest.wait(30), 0, rest.tail())
        self.assertEqual(printed + rest.texts(), lines)

    def unread(self, *options):
        """A run whose output nobody reads yet: (process, descriptor to read it from)."""
        read, write = os.pipe()
        run = subprocess.Popen(
            [os.path.join(BUILD, "lanchat"), "--pipe", "--resume", "--nick", "anna", *options,
             self.server.address], stdin=subprocess.DEVNULL, stdout=write,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.sanitizer_options(), **self.env})
        os.close(write)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        return run, read

    def test_slow_reader(self):
        """The same when whoever reads the output takes his time, and the run ends by the clock."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        lines = [f"line {i}" for i in range(6000)]
        run, read = self.unread("--linger", "1")
        self.say(*lines)
        wait_quiet(run.pid)
        with os.fdopen(read, encoding="utf-8") as output:
            printed = [line.split(": ", 1)[1] for line in output.read().splitlines()]
        self.assertEqual(run.wait(30), 0)
        rest = self.run_pipe("--resume", input=[])
        self.assertEqual(rest.wait(30), 0, rest.tail())
        self.assertEqual(printed + rest.texts(), lines)

    def test_terminated_while_blocked(self):
        """Ended by a signal while nobody reads: what was written is noted, but for the line that it
        was writing."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        # More than three pipes and what the client has in hand take.
        lines = [f"line {i} {'.' * 60}" for i in range(7000)]
        self.say(*lines)
        at = 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            run, read = self.unread()
            wait_quiet(run.pid)
            run.send_signal(number)
            run.wait()
            with os.fdopen(read, encoding="utf-8") as output:
                whole = output.read().split("\n")[:-1]
            printed = [line.split(": ", 1)[1] for line in whole]
            begin = lines.index(printed[0])
            self.assertIn(begin, (max(at - 1, 0), at))
            self.assertEqual(printed, lines[begin:begin + len(printed)])
            at = begin + len(printed)
        rest = self.run_pipe("--resume", input=[])
        self.assertEqual(rest.wait(60), 0, rest.tail())
        self.assertIn(rest.texts(), (lines[at - 1:], lines[at:]))

    def test_folder_removed(self):
        """Where the positions are taken away from a run, it says at the end that they are lost."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        run = self.run_pipe("--resume")
        run.wait_joined()
        self.say("one")
        run.wait_event("message", text="one")
        shutil.rmtree(self.state_path())
        run.close_input()
        self.assertEqual(run.wait(20), 1, run.tail())
        self.assertIn("how far --resume got could not be written", run.stderr())

    def test_server_set_back(self):
        """The server's folder comes out of a snapshot: a run that sees that does not take what is
        said then for what it has."""
        self.say("one")
        self.assertEqual(self.server.stop(), 0)
        data, snapshot = self.server.data, os.path.join(self.dir, "snapshot")
        shutil.copytree(data, snapshot)
        self.server = Server(self, data=data)
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("two", "three")
        self.finish(self.run_pipe("--resume", input=[]), ["two", "three"])
        self.assertEqual(self.server.stop(), 0)
        self.server = Server(self, data=snapshot)
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("new two", "new three", "new four")
        self.finish(self.run_pipe("--resume", input=[]), ["new two", "new three", "new four"])

    def test_restored_again(self):
        """One backup restored twice, and an older one after that: each time it is known where the
        histories part."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("one", "two")
        older, newer = os.path.join(self.dir, "older"), os.path.join(self.dir, "newer")
        self.job("--backup", older)
        self.say("three")
        self.job("--backup", newer)
        self.say("four")
        self.finish(self.run_pipe("--resume", input=[]), ["one", "two", "three", "four"])
        for copy, said in ((newer, "a"), (newer, "b"), (older, "c"), (older, "d"), (newer, "e")):
            self.assertEqual(self.server.stop(), 0)
            self.job("--restore", copy)
            self.server = Server(self, data=self.server.data)
            self.say(said)
            # After the older one, "three" comes again: it was not in the history before.
            self.finish(self.run_pipe("--resume", input=[]),
                        (["three"] if said == "e" else []) + [said])

    def test_many_at_once(self):
        """Whichever of several comes first prints everything; who came too late says so."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        lines = [f"line {i}" for i in range(300)]
        self.say(*lines)
        runs = [self.run_pipe("--resume", input=[]) for _ in range(4)]
        printed = []
        for run in runs:
            status = run.wait(30)
            printed += run.texts()
            if status != 0:
                self.assertIn("another program goes by --resume", run.stderr())
        self.assertEqual(printed, lines)

    def test_beside_others(self):
        """Positions do not depend on which of the files of instances a run gets: with one that holds
        the last run's, it goes on all the same."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("missed")
        plain = self.run_pipe()
        plain.wait_joined()
        self.finish(self.run_pipe("--resume", input=[]), ["missed"])
        self.say("more")
        plain.close_input()
        plain.wait(20)
        self.finish(self.run_pipe("--resume", input=[]), ["more"])

    def test_nowhere_to_keep(self):
        """Where no position can be noted, that is an error, for the next run would miss something."""
        os.makedirs(self.env["XDG_STATE_HOME"])
        with open(self.state_path(), "w", encoding="ascii"):
            pass
        self.refused(self.run_pipe("--resume", input=[]), "--resume cannot keep how far it got")

    def test_damaged(self):
        """A damaged file is no reason to skip what was missed: it is left, and a person decides."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("missed")
        path = self.find_positions()
        for content in (b"", b"what is this?" * 1000):
            with open(path, "wb") as f:
                f.write(content)
            self.refused(self.run_pipe("--resume", input=[]), f"{path} is damaged; remove it")
            with open(path, "rb") as f:
                self.assertEqual(f.read(), content)
        os.remove(path)
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("again")
        self.finish(self.run_pipe("--resume", input=[]), ["again"])

    def test_full(self):
        """What was printed, but could not be noted, comes again, and the run says so."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("missed")
        run = self.run_pipe("--resume")
        run.wait_event("message", text="missed")
        run.wait_quiet()
        # No file may grow beyond what this one has; stdout is far smaller.
        wal = self.find_positions() + "-wal"
        said = 0
        while os.path.getsize(wal) < 20000:
            self.say(f"line {said}")
            run.wait_event("message", text=f"line {said}")
            run.wait_quiet()
            said += 1
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE,
                         (os.path.getsize(wal), resource.RLIM_INFINITY))
        self.say("more")
        run.wait_event("message", text="more")
        run.close_input()
        self.assertEqual(run.wait(20), 1, run.tail())
        self.assertIn("how far --resume got could not be written", run.stderr())
        self.finish(self.run_pipe("--resume", input=[]), ["more"])

    def test_input_ends_during_a_break(self):
        """stdin ends while the connection is broken: what is said until it is back is waited for."""
        anna = self.run_pipe("--resume", "--timeout", "60")
        anna.wait_joined()
        self.say("one")
        anna.wait_event("message", text="one")
        port, data = self.server.port, self.server.data
        self.kill_server()
        anna.wait_event("status", state="waiting")
        anna.close_input()
        # Meanwhile the server is back elsewhere; what is said there is in the same history.
        self.server = Server(self, data=data)
        self.say("two")
        self.kill_server()
        self.server = Server(self, listen=f"127.0.0.1:{port}", data=data)
        self.finish(anna, ["one", "two"])

    def job(self, *options):
        done = subprocess.run([os.path.join(BUILD, "lanchatd"), "--data", self.server.data, *options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, **self.sanitizer_options()})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_restored(self):
        """After a backup was restored, a run goes on where the two histories part: it misses nothing
        of the new one, and prints nothing of the old one twice. So does one that was there all the
        time."""
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("one", "two")
        copy = os.path.join(self.dir, "copy")
        self.job("--backup", copy)
        self.say("three")
        self.finish(self.run_pipe("--resume", input=[]), ["one", "two", "three"])
        stays = Run(self, self.server, "carl", "--timeout", "60")
        stays.wait_joined()
        self.say("four")
        stays.wait_event("message", text="four")
        port, data = self.server.port, self.server.data
        self.assertEqual(self.server.stop(), 0)
        stays.wait_event("status", state="waiting")
        self.job("--restore", copy)
        self.server = Server(self, data=data) # elsewhere, so that nobody is back too early
        self.say("new three", "new four", "new five")
        self.assertEqual(self.server.stop(), 0)
        self.server = Server(self, listen=f"127.0.0.1:{port}", data=data)
        run = self.run_pipe("--resume", input=[])
        self.finish(run, ["new three", "new four", "new five"])
        self.assertRegex(run.stderr(), r"the same up to message \d+;")
        stays.wait_event("message", text="new five")
        self.assertEqual(stays.texts(), ["four", "new three", "new four", "new five"])
        self.finish(self.run_pipe("--resume", input=[]), [])

    def test_set_aside(self):
        """A history that was begun anew is new from its first message."""
        self.say("one")
        self.finish(self.run_pipe("--resume", input=[]), [])
        self.say("two")
        self.assertEqual(self.server.stop(), 0)
        self.job("--set-aside")
        self.restart_server()
        self.say("new one", "new two")
        run = self.run_pipe("--resume", input=[])
        self.finish(run, ["new one", "new two"])
        self.assertIn("history is another one now", run.stderr())

    def test_no_state(self):
        """--no-state leaves nothing on disk."""
        anna = self.run_pipe("--no-state", "--until", "1", input=["hello"])
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertFalse(os.path.exists(self.env["XDG_STATE_HOME"]))


if __name__ == "__main__":
    main()
