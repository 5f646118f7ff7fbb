#!/usr/bin/env python3
"""Looking after the history: backups while people talk, restoring, verifying, damage, one server a
folder."""

import glob
import os
import sqlite3
import subprocess

from lib import Pipe, Raw, PlainScenario, Server, main, wait_for
from lib.process import Program
from lib.wait import BUILD
from stranger import Client

SERVER = os.path.join(BUILD, "lanchatd")


class Operations(PlainScenario):
    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.dir, "data")
        self.log = os.path.join(self.data, "log.db")

    def start(self, *options, data=None, **more):
        return Server(self, *options, data=data or self.data, **more)

    def job(self, *options, status=0, words=(), data=None):
        """Run a job to its end; it says what it did, or in one line why not. Its output."""
        program = Program(self, [SERVER, "--data", data or self.data, *options],
                          stdin=subprocess.DEVNULL)
        self.assertEqual(program.wait(60), status, program.tail())
        self.assertEqual(len(program.stderr().splitlines()), 0 if status == 0 else 1,
                         program.tail())
        told = "\n".join(program.read()) + program.stderr()
        for word in words:
            self.assertIn(word, told)
        return told

    def talk(self, server, count=3):
        """Somebody says so many things, and has them kept."""
        anna = Pipe(self, server, "anna", "--until", str(count),
                    input=[f"message {i}" for i in range(count)])
        self.assertEqual(anna.wait(), 0, anna.tail())

    def log_id(self, server):
        return Raw(self, server).hello()["log"]

    def history(self, server, count, room="lobby"):
        """(number, id, text) of the last messages in a room."""
        reader = Pipe(self, server, None, "--history", str(count), "--until", str(count),
                      rooms=(room,), input=[])
        self.assertEqual(reader.wait(30), 0, reader.tail())
        return [(e["seq"], e["id"], e["text"]) for e in reader.of("message", room=room)]


class OneServer(Operations):
    def test_two_servers(self):
        """The second one on a folder says which and whose, and touches nothing."""
        first = self.start()
        self.talk(first)
        second = self.start(wait=False)
        self.assertEqual(second.wait(), 1, second.tail())
        self.assertEqual(len(second.stderr().splitlines()), 1, second.tail())
        self.assertIn(self.data, second.stderr())
        self.assertIn(f"process {first.pid})", second.stderr())
        self.assertEqual(len(self.history(first, 3)), 3)
        for options in (("--set-aside",), ("--restore", "x")):
            self.job(*options, status=1, words=[self.data])
        first.kill()
        again = self.start()
        self.assertEqual(len(self.history(again, 3)), 3)

    def test_lock_removed(self):
        """Whoever removes the lock's file lets nobody else in."""
        first = self.start()
        os.unlink(os.path.join(self.data, "lock"))
        second = self.start(wait=False)
        self.assertEqual(second.wait(), 1, second.tail())
        self.assertIn(self.data, second.stderr())
        self.talk(first)
        self.assertEqual(first.stop(), 0)
        self.start()

    def test_history_off(self):
        """Nothing is kept, and the folder is still one server's."""
        first = self.start("--history", "off")
        self.talk(first)
        self.assertFalse(os.path.exists(self.log))
        second = self.start("--history", "off", wait=False)
        self.assertEqual(second.wait(), 1, second.tail())
        one = self.log_id(first)
        self.assertEqual(first.stop(), 0)
        self.assertNotEqual(self.log_id(self.start("--history", "off")), one)

    def test_folder_of_everybody(self):
        data = os.path.join(self.dir, "everybodys")
        os.mkdir(data)
        os.chmod(data, 0o777)
        server = Server(self, data=data, wait=False)
        self.assertEqual(server.wait(), 1)
        self.assertRegex(server.stderr(), f"^lanchatd: other people may write to .*'{data}'.*"
                                          "chmod go-w.*\n$")
        self.assertEqual(os.listdir(data), [])
        os.chmod(data, 0o755)
        server = Server(self, data=data)
        self.assertIn("it is private now", server.stderr())
        self.assertEqual(os.stat(data).st_mode & 0o777, 0o700)

    def test_folder_of_somebody(self):
        """Whose folder it is could put their own key, and a code of their own for an operator there."""
        if os.geteuid() != 0:
            self.skipTest("only root can give a folder away")
        data = os.path.join(self.dir, "somebodys")
        os.mkdir(data, 0o700)
        os.chown(data, 54321, 54321)
        server = Server(self, data=data, wait=False)
        self.assertEqual(server.wait(), 1)
        self.assertRegex(server.stderr(), f"^lanchatd: the data folder '{data}' belongs to another user "
                                          r"\(54321\), .*--user.*\n$")
        os.chown(data, 0, 0)
        self.assertEqual(Server(self, data=data).stop(), 0)

    def test_pipe_for_a_code(self):
        """What is no file is not waited for."""
        self.plaintext = False  # without TLS there is no operator
        data = os.path.join(self.dir, "pipe")
        os.mkdir(data, 0o700)
        os.mkfifo(os.path.join(data, "operator-code"))
        server = Server(self, data=data)
        server.wait_stderr("who types /op")
        self.assertTrue(os.path.isfile(os.path.join(data, "operator-code")))
        self.assertEqual(server.stop(), 0)

    def test_closed_streams(self):
        """With stdin, stdout and stderr closed, no file and no connection has their numbers."""
        server = self.start(prefix=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
        client = Raw(self, server)
        client.login("anna")
        for fd in range(3):
            self.assertEqual(os.readlink(f"/proc/{server.pid}/fd/{fd}"), "/dev/null")
        server.stop()

    def test_files_are_documented(self):
        self.plaintext = False
        server = Server(self)
        with open("docs/lanchatd.8", encoding="utf-8") as file:
            page = file.read().partition(".Sh FILES")[2].partition(".Sh")[0]
        missing = [n for n in os.listdir(server.data) if f"Pa {n}\n" not in page]
        self.assertEqual(missing, [])

    def test_no_key(self):
        """What is no key is named, and left as it is."""
        for content in ("", "garbage\n"):
            data = os.path.join(self.dir, f"keyless{len(content)}")
            os.mkdir(data, 0o700)
            path = os.path.join(data, "server.pem")
            with open(path, "w", encoding="ascii") as file:
                file.write(content)
            server = Server(self, data=data, wait=False)
            self.assertEqual(server.wait(), 1)
            self.assertIn(f"'{path}' is not a server's key", server.stderr())
            self.assertIn("restore it, or move it away", server.stderr())
            with open(path, encoding="ascii") as file:
                self.assertEqual(file.read(), content)

    def test_private(self):
        """Nobody else may read what is kept, whatever the folder allows."""
        os.mkdir(self.data, 0o755)
        server = self.start()
        self.talk(server)
        for path in glob.glob(self.data + "/*"):
            self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


class Backup(Operations):
    longest = 90

    def test_while_people_talk(self):
        """Five people talk; a copy made meanwhile is sound and has what was acknowledged before;
        restored elsewhere, it has the same messages by the same numbers and ids."""
        server = self.start()
        people = [Pipe(self, server, f"p{i}") for i in range(5)]
        for person in people:
            person.wait_joined()
        for person in people:
            person.say(*(f"{person.nick} before {i}" for i in range(100)))
        people[0].until(lambda: len(people[0].texts()) >= 200, "some of it", 30)
        before = [(e["seq"], e["id"], e["text"]) for e in people[0].of("message", room="lobby")]
        copy = os.path.join(self.dir, "copy")
        self.job("--backup", copy, words=["messages"])
        self.job("--verify", words=["sound"])
        for person in people:
            person.say(*(f"{person.nick} after {i}" for i in range(20)))
        people[0].until(lambda: len(people[0].texts()) == 600, "all of it", 30)
        everything = [(e["seq"], e["id"], e["text"])
                      for e in people[0].of("message", room="lobby")]
        self.assertEqual(os.stat(copy).st_mode & 0o777, 0o600)

        other = os.path.join(self.dir, "other")
        told = self.job("--restore", copy, data=other)
        count = int(told.split(": ", 1)[1].split()[0])
        self.assertGreaterEqual(count, len(before))
        self.job("--verify", data=other, words=["sound"])
        restored = self.start(data=other)
        self.assertEqual(self.history(restored, count), everything[:count])
        self.assertNotEqual(self.log_id(restored), self.log_id(server))
        self.talk(restored, 1)
        self.assertEqual(server.stop(), 0)
        self.job("--verify", words=["sound", "600 messages"])

    def test_restore_in_place(self):
        """What was there is kept under another name; the restored log is another one."""
        server = self.start()
        self.talk(server, 5)
        one = self.log_id(server)
        copy = os.path.join(self.dir, "copy")
        self.job("--backup", copy)
        self.talk(server, 2)
        server.kill()
        self.job("--restore", copy, words=["5 messages", "log.db.before-"])
        aside = [path for path in glob.glob(self.log + ".before-*")
                 if not path.endswith(("-wal", "-shm"))]
        self.assertEqual(len(aside), 1)
        with sqlite3.connect(aside[0]) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM entry").fetchone(), (7,))
        server = self.start()
        self.assertNotEqual(self.log_id(server), one)
        self.assertEqual(len(self.history(server, 5)), 5)
        self.talk(server, 1)

    def test_where_the_logs_part(self):
        """Whoever was there before the restore gets what was said from where the logs part, and
        nothing else, whether they were away since before the backup or since after it."""
        server = self.start()
        anna, near, far = (Client(server.port, nick) for nick in ("anna", "near", "far"))
        for client in (anna, near, far):
            client.connect().join("lobby")

        def say(first, last):
            for i in range(first, last + 1):
                for counter in (anna.say("lobby", f"{i}"),
                                *(anna.direct(f"{i}", person=them.person, nick=them.nick)
                                  for them in (near, far))):
                    self.assertEqual(anna.outcome(counter)["message"], "ACK")

        def hear(client, last):
            for room in (client.rooms["lobby"], client.inbox):
                client.until(lambda room=room: room.messages and
                             room.texts()[-1] == f"{last}")
            client.drop()

        def come_again(client):
            """What it gets of the room and of the inbox."""
            rooms = (client.rooms["lobby"], client.inbox)
            known = [len(room.messages) for room in rooms]
            client.port = server.port
            client.connect()
            return [room.texts()[count:] for room, count in zip(rooms, known)]

        copy = os.path.join(self.dir, "copy")
        say(1, 10)
        hear(far, 10)
        say(11, 20)
        self.job("--backup", copy)
        say(21, 25)
        hear(near, 25)
        say(26, 30)
        anna.drop()
        log = anna.log
        self.assertEqual(server.stop(), 0)
        self.job("--restore", copy, words=["60 messages"])
        server = self.start()
        new = [f"{i}" for i in range(31, 36)]
        # The one who says them was at the end of the old log: nothing comes again.
        self.assertEqual(come_again(anna), [[], []])
        self.assertNotEqual(anna.log, log)
        say(31, 35)
        self.assertEqual(come_again(near), [new, new])
        old = [f"{i}" for i in range(11, 21)]
        self.assertEqual(come_again(far), [old + new, old + new])
        # From then on their positions are of the new log.
        for client in (near, far):
            client.drop()
        say(36, 36)
        for client in (near, far):
            self.assertEqual(come_again(client), [["36"], ["36"]])
            client.drop()
        anna.drop()
        self.job("--verify", words=["sound"])

    def test_a_log_that_nobody_knows(self):
        """After the history was set aside, all that there is is new to everybody."""
        server = self.start()
        anna = Client(server.port, "anna").connect()
        anna.join("lobby")
        self.talk(server, 3)
        anna.until(lambda: len(anna.rooms["lobby"].messages) == 3)
        anna.drop()
        self.assertEqual(server.stop(), 0)
        self.job("--set-aside")
        server = self.start()
        self.talk(server, 5)
        anna.port = server.port
        anna.connect()
        anna.until(lambda: len(anna.rooms["lobby"].messages) >= 8)
        self.assertEqual(len(anna.rooms["lobby"].messages), 8)

    def test_cut(self):
        """A copy that lost a part of its last page is refused."""
        server = self.start()
        self.talk(server, 20)
        copy = os.path.join(self.dir, "copy")
        self.job("--backup", copy)
        other = os.path.join(self.dir, "other")
        os.truncate(copy, os.stat(copy).st_size - 100)
        self.job("--restore", copy, status=1, words=[copy, "it was cut"], data=other)
        self.assertFalse(os.path.exists(os.path.join(other, "log.db")))

    def test_leftovers(self):
        """What a restore that was killed left goes at the next start."""
        self.assertEqual(self.start().stop(), 0)
        left = self.log + ".new-aB3xyZ"
        for suffix in ("", "-journal"):
            with open(left + suffix, "wb") as f:
                f.write(b"x")
        self.start()
        self.assertEqual(glob.glob(self.log + ".new-*"), [])

    def test_refused(self):
        """What is no copy is neither replaced nor restored."""
        self.job("--backup", self.dir + "/copy", status=1, words=[self.data])
        server = self.start()
        self.talk(server)
        text = os.path.join(self.dir, "text")
        with open(text, "w", encoding="ascii") as f:
            f.write("not a copy")
        self.job("--backup", text, status=1, words=[text])
        self.job("--backup", self.log, status=1, words=[self.log])
        self.assertEqual(server.stop(), 0)
        self.job("--restore", text, status=1, words=[text, "nothing has changed"])
        self.job("--restore", self.dir + "/none", status=1, words=[self.dir + "/none"])
        self.job("--verify", "--set-aside", status=2)
        with open(text, encoding="ascii") as f:
            self.assertEqual(f.read(), "not a copy")
        self.job("--verify", words=["sound", "3 messages"])


class Damage(Operations):
    def make(self):
        """A log, closed in good order; its bytes."""
        server = self.start()
        self.talk(server, 20)
        self.assertEqual(server.stop(), 0)
        return self.bytes()

    def bytes(self):
        with open(self.log, "rb") as f:
            return f.read()

    def spoil(self, data):
        with open(self.log, "wb") as f:
            f.write(data)

    def refused(self, *words):
        """The server does not start on the log, says why and what to do, and leaves it alone."""
        before = self.bytes()
        server = self.start(wait=False)
        self.assertEqual(server.wait(), 1, server.tail())
        said = server.stderr()
        self.assertEqual(len(said.splitlines()), 1, server.tail())
        for word in (self.log, f"--data {self.data} --restore FILE",
                     f"--data {self.data} --set-aside") + words:
            self.assertIn(word, said)
        self.assertEqual(self.bytes(), before)

    def test_damaged(self):
        """Damage of every kind; set aside, the server begins anew."""
        good = self.make()
        newer = good[:60] + (99).to_bytes(4, "big") + good[64:]
        cases = {
            "zeroed header": (bytes(100) + good[100:], ()),
            "cut": (good[:len(good) // 2 + 100], ()),
            "cut within the header": (good[:50], ()),
            "a page of noise": (good[:8192] + bytes(range(256)) * 16 + good[12288:], ()),
            "of a newer version": (newer, ("newer",)),
            "text": (b"no database at all\n" * 100, ()),
        }
        for name, (data, words) in cases.items():
            with self.subTest(name):
                self.spoil(data)
                self.refused(*words)
                self.job("--verify", status=1, words=[self.log])
        self.job("--set-aside", words=["log.db.aside-"])
        server = self.start()
        self.assertEqual(self.history(server, 0), [])
        self.talk(server, 1)

    def test_anothers(self):
        """Another program's database is no log, whether it says whose it is or not."""
        self.make()
        for number in (0, 1234):
            os.unlink(self.log)
            with sqlite3.connect(self.log) as db:
                db.execute("CREATE TABLE theirs (x)")
                db.execute(f"PRAGMA application_id = {number}")
            db.close()
            self.refused("not a log of lanchatd")

    def test_restored(self):
        """A backup takes the damaged log's place."""
        good = self.make()
        copy = os.path.join(self.dir, "copy")
        self.job("--backup", copy)
        self.spoil(good[:5000])
        self.refused()
        self.job("--restore", copy, words=["20 messages"])
        self.assertEqual(len(self.history(self.start(), 20)), 20)

    def test_found_by_verifying(self):
        """What a start does not see: an entry that is gone."""
        self.make()
        with sqlite3.connect(self.log) as db:
            db.execute("DELETE FROM entry WHERE seq = 7")
        db.close()
        self.job("--verify", status=1, words=["wrong: entry 7 is missing", "--restore"])


class Keeping(Operations):
    def test_keep_messages(self):
        """Of many messages so many are kept, the newest, and what is left is sound."""
        server = self.start("--keep-messages", "50")
        self.talk(server, 300)

        def kept():
            with sqlite3.connect(f"file:{self.log}?mode=ro", uri=True) as db:
                found = db.execute("SELECT count(*), max(seq) FROM entry").fetchone()
            db.close()
            return found
        wait_for(lambda: kept() == (50, 300), "the oldest to be dropped", 30, kept)
        self.job("--verify", words=["sound", "50 messages, numbers 251 to 300"])
        self.assertEqual(server.stop(), 0)
        server = self.start()
        self.assertEqual([seq for seq, _, _ in self.history(server, 50)], list(range(251, 301)))

    def test_no_room_for_one(self):
        server = self.start("--keep-bytes", "100", wait=False)
        self.assertEqual(server.wait(), 2, server.tail())
        self.assertIn("--keep-bytes", server.stderr())


if __name__ == "__main__":
    main()
