#!/usr/bin/env python3
"""lanchat --export: all that is kept of a room, once and in order, whatever happens meanwhile."""

import json
import os
import re
import signal
import subprocess
import threading

from lib import BUILD, Pipe, Program, Raw, PlainScenario, Server, main, wait_for

HEAD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


class Export(Program):
    """An export; its lines are objects unless `json` is false."""

    def __init__(self, case, server, room, *options, json=True, **more):
        argv = [os.path.join(BUILD, "lanchat"), "--export", room]
        argv += (["--json"] if json else []) + list(options)
        argv.append(getattr(server, "address", server))
        super().__init__(case, argv, name="export", stdin=subprocess.DEVNULL, **more)

    def messages(self):
        return [json.loads(line) for line in self.read()]

    def texts(self):
        return [m["text"] for m in self.messages()]


class Exporting(PlainScenario):
    longest = 120

    def setUp(self):
        super().setUp()
        self.server = Server(self)

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.dir, **self.sanitizer_options()}

    def fill(self, count, nick="anna"):
        """Say so many lines and return them; all are acknowledged then."""
        lines = [f"line {i}" for i in range(count)]
        anna = Pipe(self, self.server, nick, input=lines)
        self.assertEqual(anna.wait(60), 0, anna.tail())
        return lines

    def test_everything_while_others_talk(self):
        """5,000 messages come out once and in order, while somebody goes on talking."""
        lines = self.fill(5000)
        talker = Pipe(self, self.server, "boris")
        talker.wait_joined()
        over = threading.Event()

        def talk():
            count = 0
            while not over.is_set():
                talker.say(f"more {count}")
                count += 1
                talker.wait_event("ack", count=count)

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            export = Export(self, self.server, "lobby")
            self.assertEqual(export.wait(60), 0, export.tail())
        finally:
            over.set()
            thread.join()
        talker.close_input()
        self.assertEqual(talker.wait(), 0, talker.tail())
        said = export.messages()
        self.assertEqual([m["text"] for m in said[:5000]], lines)
        more = [m["text"] for m in said[5000:]]
        self.assertEqual(more, [f"more {i}" for i in range(len(more))])
        self.assertEqual([m["seq"] for m in said], sorted({m["seq"] for m in said}))
        self.assertEqual(export.stderr(), "")

    def test_as_pipe_prints_it(self):
        """An object is the same as that of --pipe --json, but for being one's own."""
        self.fill(3)
        pipe = Pipe(self, self.server, "boris", "--history", "3", "--until", "3", input=[])
        self.assertEqual(pipe.wait(), 0, pipe.tail())
        export = Export(self, self.server, "lobby")
        self.assertEqual(export.wait(), 0, export.tail())
        self.assertEqual(export.messages(), pipe.of("message"))

    def test_text(self):
        """Each kind of message has its line, dated."""
        anna = Raw(self, self.server)
        anna.login("anna")
        anna.join()
        for kind, text in enumerate(("hello", "waves", "late", "exams")):
            anna.expect("ACK", counter=anna.say(text, kind=kind))
        export = Export(self, self.server, "lobby", json=False)
        self.assertEqual(export.wait(), 0, export.tail())
        for line in export.read():
            self.assertRegex(line, HEAD)
        self.assertEqual([HEAD.sub("", line) for line in export.read()],
                         ["<anna> hello", "* anna waves", "-anna- late",
                          "* anna set the topic: exams"])

    def test_since(self):
        """From a time on. The messages' own times say what has to come."""
        self.fill(3)
        said = Export(self, self.server, "lobby")
        self.assertEqual(said.wait(), 0, said.tail())
        for since, expected in (("1h", 3), ("2000-01-01", 3), ("2100-01-01", 0),
                                ("2100-01-01T00:00", 0)):
            export = Export(self, self.server, "lobby", "--since", since)
            self.assertEqual(export.wait(), 0, export.tail())
            self.assertEqual(len(export.messages()), expected, since)
            self.assertEqual(export.stderr(), "")
        wrong = Export(self, self.server, "lobby", "--since", "soon")
        self.assertEqual(wrong.wait(), 2)
        self.assertIn("soon", wrong.stderr())

    def test_since_a_second(self):
        """Between two messages: only the second comes."""
        self.fill(1)
        first = Export(self, self.server, "lobby")
        self.assertEqual(first.wait(), 0, first.tail())
        second = first.messages()[0]["time"][:19]
        # Said in a later second than the first: waited for by the clock that dates them.
        wait_for(lambda: subprocess.run(["date", "-u", "+%FT%T"], capture_output=True, text=True,
                                        check=True).stdout.strip() > second, "the next second")
        self.fill(1, nick="boris")
        boundary = subprocess.run(["date", "-u", "-d", second + "Z + 1 second", "+%FT%T"],
                                  capture_output=True, text=True, check=True).stdout.strip()
        export = Export(self, self.server, "lobby", "--since", boundary)
        self.assertEqual(export.wait(), 0, export.tail())
        self.assertEqual([m["from"] for m in export.messages()], ["boris"])

    def test_nothing_there(self):
        """A room that nobody ever spoke in is said to have nothing, also since a time."""
        for options in ((), ("--since", "1h")):
            export = Export(self, self.server, "nowhere", *options)
            self.assertEqual(export.wait(), 1)
            self.assertEqual(export.read(), [])
            self.assertEqual(len(export.stderr().splitlines()), 1, export.tail())
            self.assertIn("nowhere", export.stderr())

    def test_no_server(self):
        export = Export(self, "127.0.0.1:1", "lobby", "--timeout", "2")
        self.assertEqual(export.wait(), 1)
        self.assertEqual(len(export.stderr().splitlines()), 1, export.tail())

    def test_direct_messages(self):
        """@ is what was said to oneself and by oneself, and nobody else's."""
        boris = Raw(self, self.server)
        boris.login("boris")
        home = os.path.join(self.dir, "anna")
        env = {"XDG_DATA_HOME": home}
        anna = Pipe(self, self.server, "anna", env=env)
        anna.wait_joined()
        boris.message("DIRECT", counter=1, nick="anna", text="psst")
        boris.expect("ACK", counter=1)
        anna.wait_event("message", text="psst")
        anna.say("to all")
        anna.wait_event("ack")
        export = Export(self, self.server, "@", json=False, env=env)
        self.assertEqual(export.wait(), 0, export.tail())
        self.assertEqual([HEAD.sub("", line) for line in export.read()],
                         ["[@boris] <boris> psst"])
        stranger = Export(self, self.server, "@")
        self.assertEqual(stranger.wait(), 1)
        self.assertEqual(stranger.read(), [])

    def test_reader_has_enough(self):
        """As with head(1): it ends at once and quietly."""
        self.fill(5000)
        with subprocess.Popen(["head", "-n", "2"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as head:
            err = os.path.join(self.dir, "err")
            with open(err, "wb") as stderr:
                export = subprocess.Popen(
                    [os.path.join(BUILD, "lanchat"), "--plaintext", "--export", "lobby",
                     self.server.address],
                    stdin=subprocess.DEVNULL, stdout=head.stdin, stderr=stderr,
                    env=self.environment())
            self.addCleanup(export.kill)
            head.stdin.close()
            self.assertEqual(len(head.stdout.read().splitlines()), 2)
            self.assertEqual(export.wait(20), 1)
        with open(err, encoding="utf-8") as stderr:
            self.assertEqual(stderr.read(), "")

    def blocked(self):
        """An export whose output is not read beyond the first bytes: (process, descriptor to read
        the rest from, the bytes so far, the path of its stderr)."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        err = os.path.join(self.dir, "err")
        with open(err, "wb") as stderr:
            export = subprocess.Popen(
                [os.path.join(BUILD, "lanchat"), "--plaintext", "--export", "lobby", "--json",
                 self.server.address], stdin=subprocess.DEVNULL, stdout=write, stderr=stderr,
                env=self.environment())
        os.close(write)
        self.addCleanup(export.wait)
        self.addCleanup(export.kill)
        return export, read, os.read(read, 1000), err

    def test_interrupted(self):
        """SIGINT ends it, with a word and status 1, also while nobody reads what it writes."""
        self.fill(5000)
        export, _read, _begun, err = self.blocked()
        export.send_signal(signal.SIGINT)
        self.assertEqual(export.wait(20), 1)
        with open(err, encoding="utf-8") as stderr:
            self.assertIn("interrupted", stderr.read())

    def test_stdout_missing(self):
        """A stdout that is closed is an error, not an export of nothing."""
        self.fill(1)
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" >&-', "sh", os.path.join(BUILD, "lanchat"), "--export", "lobby",
             self.server.address], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=30, check=False, env=self.environment())
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "lanchat: cannot write to stdout\n")

    def restart(self, *options):
        """Kill the server while an export is in the middle, start it anew, and let the export go
        on: (status, texts, lines of stderr)."""
        export, read, output, err = self.blocked()
        port, data = self.server.port, self.server.data
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server = Server(self, *options, listen=f"127.0.0.1:{port}", data=data)
        while more := os.read(read, 1 << 20):
            output += more
        status = export.wait(30)
        with open(err, encoding="utf-8") as stderr:
            said = stderr.read().splitlines()
        return status, [json.loads(x)["text"] for x in output.splitlines()], said

    def test_server_killed(self):
        """The server is killed in the middle, and comes back: the rest follows, once."""
        lines = self.fill(5000)
        status, texts, stderr = self.restart()
        self.assertEqual((status, texts), (0, lines), stderr)
        self.assertEqual(len(stderr), 1, stderr)

    def test_history_lost(self):
        """It comes back with another history: the rest of this one cannot be had, and that is
        said in one line."""
        self.server = Server(self, "--history", "off")
        lines = self.fill(5000)
        status, texts, stderr = self.restart("--history", "off")
        self.assertEqual(status, 1)
        self.assertEqual(texts, lines[:len(texts)])
        self.assertLess(len(texts), 5000)
        self.assertEqual(len(stderr), 2, stderr)
        self.assertIn("export again", stderr[1])


if __name__ == "__main__":
    main()
