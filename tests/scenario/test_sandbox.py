#!/usr/bin/env python3
"""What the server gives up, and what whoever started it is told: users, the sandbox, the service
manager, sockets that are handed over."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import time

from lib import Pipe, Raw, Scenario, Server, SLOW, main, wait_for
from lib.process import Program
from lib.wait import BUILD, COUNTED

SERVER = os.path.join(BUILD, "lanchatd")
STRANGER = 54321  # a user id that nothing else runs under, and that has no name
INSTRUMENTED = BUILD.endswith(("-asan", "-tsan", "-coverage"))


def numbers(text):
    return [int(n) for n in text.split()]


class Confined(Scenario):
    def parts(self, server):
        """What the log says of the sandbox."""
        return server.wait_stderr(r"sandbox: (.*)").group(1)

    def complete(self, *options, **more):
        """A server in all of the sandbox, where the machine has that."""
        server = Server(self, "--sandbox", "require", *options, wait=False, **more)
        try:
            server.wait_ready()
        except AssertionError:
            if "--sandbox require" in server.stderr():
                self.skipTest(server.stderr().strip())
            raise
        return server

    def talk(self, server, *lines, nick="anna"):
        """Somebody says these things, and has them kept."""
        client = Pipe(self, server, nick, "--until", str(len(lines)), input=lines)
        self.assertEqual(client.wait(), 0, client.tail())

    def heard(self, server, count, nick="reader"):
        reader = Pipe(self, server, nick, "--history", str(count), "--until", str(count), input=[])
        self.assertEqual(reader.wait(20), 0, reader.tail())
        return reader.texts()


class Sandbox(Confined):
    def test_said_and_done(self):
        """The log tells in one line what is on, and the kernel agrees."""
        server = Server(self)
        parts = self.parts(server)
        self.assertEqual(server.stderr().count("sandbox:"), 1)
        self.assertEqual(server.field("NoNewPrivs"), "1")
        self.assertIn("no new privileges", parts)
        self.assertEqual(int(server.field("CapEff"), 16) & ~0xb, 0)
        self.assertEqual("root" in parts and "not root" not in parts, os.geteuid() == 0)
        if os.geteuid() == 0:
            self.assertIn("--user", parts)
        if INSTRUMENTED:
            self.assertIn("this build is instrumented", parts)
            self.skipTest("instrumented builds have neither Landlock nor seccomp")
        self.assertEqual(server.field("Seccomp"), "2" if ", seccomp" in parts else "0")
        # Whoever may not trace it may not read its memory, nor may it leave any behind.
        self.assertEqual(os.stat(f"/proc/{server.pid}/mem").st_uid, 0)
        tasks = os.listdir(f"/proc/{server.pid}/task")
        self.assertGreater(len(tasks), 5)
        for task in tasks:
            with open(f"/proc/{server.pid}/task/{task}/status", encoding="ascii") as f:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(status["Seccomp"], server.field("Seccomp"))
            self.assertEqual(status["CapEff"], server.field("CapEff"))

    def test_off(self):
        server = Server(self, "--sandbox", "off")
        self.assertTrue(self.parts(server).startswith("off"), server.tail())
        self.assertEqual(server.field("NoNewPrivs"), "0")
        self.assertEqual(server.field("Seccomp"), "0")
        self.talk(server, "one")

    def test_required_and_missing(self):
        """Where a part is missing, `require` says which, and does not start."""
        if not INSTRUMENTED:
            self.skipTest("nothing is missing here; the unit tests pretend that it is")
        server = Server(self, "--sandbox", "require", wait=False)
        self.assertEqual(server.wait(), 1)
        self.assertEqual(len(server.stderr().splitlines()), 1, server.tail())
        self.assertIn("--sandbox require", server.stderr())
        self.assertFalse(os.path.exists(server.port_file))
        self.assertFalse(os.path.exists(server.port_file + ".new"))

    def test_a_life(self):
        """Everything that a server does, in all of the sandbox: talking, histories, searches, a copy,
        being killed, starting again, ending."""
        data = os.path.join(self.dir, "data")
        server = self.complete(data=data, beacon=True, listen=("127.0.0.1:0", "[::1]:0"))
        people = [Pipe(self, server, f"p{i}") for i in range(4)]
        for person in people:
            person.wait_joined()
        for person in people:
            person.say(*(f"{person.nick} says {i}" for i in range(50)))
        for person in people:
            person.until(lambda person=person: len(person.texts()) == 200, "all of it", 30)
        self.assertEqual(len({tuple(p.texts()) for p in people}), 1)
        said = people[0].texts()
        done = subprocess.run([os.path.join(BUILD, "lanchat"), "--discover"], text=True,
                              env=people[0].environment(None), capture_output=True, timeout=60)
        self.assertIn(str(server.port), done.stdout, done.stderr)
        copy = os.path.join(self.dir, "copy")
        for job in (["--backup", copy], ["--verify"]):
            done = subprocess.run([SERVER, "--data", data] + job, capture_output=True, text=True,
                                  env=server.environment(None), timeout=60 * SLOW)
            self.assertEqual(done.returncode, 0, done.stderr)
        server.kill()
        server = self.complete(data=data)
        self.assertEqual(self.heard(server, 200), said)
        self.talk(server, "after the crash")
        self.assertEqual(server.stop(), 0, server.tail())
        self.assertFalse(os.path.exists(server.port_file))
        server = self.complete(data=data)
        self.assertEqual(self.heard(server, 201), said + ["after the crash"])
        self.assertEqual(server.stop(), 0)
        server = self.complete("--history", "off")
        self.talk(server, "gone tomorrow")
        self.assertEqual(server.stop(), 0)

    def test_read_again(self):
        """SIGHUP finds the files that editors put in the place of others, through links as well; a
        folder that the sandbox does not know is told as what it is."""
        folders = {name: os.path.join(self.dir, name) for name in ("etc", "behind", "other")}
        for folder in folders.values():
            os.mkdir(folder)

        def put(folder, name, text):
            path = os.path.join(folders[folder], name)
            with open(path + "~", "w", encoding="ascii") as f:
                f.write(text)
            os.rename(path + "~", path)
            return path

        def motd():
            raw = Raw(self, server)
            raw.login("reader", flags=1)
            text = raw.expect("NOTICE", kind=1)["text"]
            raw.socket.close()
            return text.strip()

        self.plaintext = True
        put("behind", "motd", "one")
        os.symlink(os.path.join("..", "behind", "motd"), os.path.join(folders["etc"], "motd"))
        config = put("etc", "config", f"name First\nmotd {folders['etc']}/motd\n")
        server = Server(self, "--config", config)
        self.assertEqual((Raw(self, server).hello()["name"], motd()), ("First", "one"))
        put("behind", "motd", "two")
        put("etc", "config", f"name Second\nmotd {folders['etc']}/motd\n")
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: motd() == "two", "the new message of the day")
        self.assertEqual(Raw(self, server).hello()["name"], "Second")
        other = put("other", "motd", "three")
        put("etc", "config", f"name Third\nmotd {other}\n")
        server.send_signal(signal.SIGHUP)
        if "landlock (" in self.parts(server):
            said = server.wait_stderr(r"not reloaded: (.*)").group(1)
            self.assertIn(other, said)
            self.assertIn("the sandbox", said)
            self.assertEqual(motd(), "two")
        else:
            wait_for(lambda: motd() == "three", "the message of the day")
        self.assertEqual(server.stop(), 0)


class User(Confined):
    """Started as root, and somebody else from then on."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("becoming another user takes root")
        done = subprocess.run(["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}",
                               "--clear-groups", "true"], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            self.skipTest(f"no other users here: {done.stderr.strip()}")
        # Where the port file goes must be theirs.
        self.home = os.path.join(self.dir, "home")
        os.mkdir(self.home)
        os.chown(self.home, STRANGER, STRANGER)

    def start(self, *options, **more):
        return Server(self, "--user", str(STRANGER), *options,
                      port_file=os.path.join(self.home, "port"), **more)

    def refused(self, *options, status=1, **more):
        """It does not start, and says why in one line."""
        server = self.start(*options, wait=False, **more)
        self.assertEqual(server.wait(), status, server.tail())
        self.assertEqual(len(server.stderr().splitlines()), 1, server.tail())
        return server.stderr()

    def test_becomes(self):
        """All ids, no groups, no capabilities; what is kept is that user's, a port below 1024 is
        listened on."""
        os.setgroups([0, 4])
        self.addCleanup(os.setgroups, [])
        data = os.path.join(self.dir, "some", "where")
        server = self.start(data=data, listen="127.0.0.1:81")
        for name in ("Uid", "Gid"):
            self.assertEqual(numbers(server.field(name)), [STRANGER] * 4)
        self.assertEqual(server.field("Groups"), "")
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(server.field(name), 16), 0, name)
        self.assertIn("not root", self.parts(server))
        self.assertEqual(server.bound, ["127.0.0.1:81"])
        self.talk(server, "one", "two")
        paths = [os.path.join(data, name) for name in os.listdir(data)]
        self.assertGreater(len(paths), 3)
        for path in paths + [data, os.path.dirname(data), server.port_file]:
            self.assertEqual(os.stat(path).st_uid, STRANGER, path)
            self.assertEqual(os.stat(path).st_gid, STRANGER, path)
        self.assertEqual(server.stop(), 0, server.tail())
        self.assertFalse(os.path.exists(server.port_file))
        server = self.start(data=data)
        self.assertEqual(self.heard(server, 2), ["one", "two"])
        server.kill()
        # And that user without root finds it as it should be.
        done = subprocess.run(["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}",
                               "--clear-groups", "test", "-w", os.path.join(data, "log.db")],
                              check=False)
        self.assertEqual(done.returncode, 0)

    def test_by_name(self):
        """With the groups that the name has."""
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            self.skipTest("there is no nobody here")
        os.chown(self.home, entry.pw_uid, entry.pw_gid)
        server = Server(self, "--user", "nobody", port_file=os.path.join(self.home, "port"))
        self.assertEqual(numbers(server.field("Uid")), [entry.pw_uid] * 4)
        self.assertEqual(numbers(server.field("Gid")), [entry.pw_gid] * 4)
        self.assertEqual(sorted(numbers(server.field("Groups"))),
                         sorted(os.getgrouplist("nobody", entry.pw_gid)))

    def test_without_the_sandbox(self):
        """--sandbox off gives nobody their capabilities back."""
        server = self.start("--sandbox", "off")
        self.assertEqual(numbers(server.field("Uid")), [STRANGER] * 4)
        self.assertEqual(int(server.field("CapPrm"), 16), 0)
        self.talk(server, "one")

    def test_options_of_root(self):
        """A configuration that the user cannot read is read once, and a warning tells so."""
        config = os.path.join(self.dir, "config")
        with open(config, "w", encoding="ascii") as f:
            f.write("name First\n")
        os.chmod(config, 0o600)
        server = self.start("--config", config)
        server.wait_stderr(f"SIGHUP will change nothing: .*{config}")
        self.assertEqual(server.stop(), 0)
        os.chmod(config, 0o644)
        server = self.start("--config", config)
        with open(config, "w", encoding="ascii") as f:
            f.write("name Second\n")
        server.send_signal(signal.SIGHUP)
        server.wait_stderr("reloaded\n")
        self.assertNotIn("SIGHUP", server.stderr())

    def test_anothers_folder(self):
        """A data folder of somebody else is left alone."""
        data = os.path.join(self.dir, "roots")
        os.mkdir(data)
        said = self.refused(data=data)
        self.assertIn(data, said)
        self.assertIn("chown", said)
        self.assertEqual(os.listdir(data), [])
        self.assertEqual(os.stat(data).st_uid, 0)

    def test_no_such_user(self):
        server = Server(self, "--user", "no-such-user", wait=False)
        self.assertEqual(server.wait(), 2)
        self.assertIn("no-such-user", server.stderr())
        self.assertFalse(os.path.exists(server.data))

    def test_port_of_root(self):
        """Neither a port file where only root may write, nor a trap in the user's folder: nothing is
        written there as root."""
        if COUNTED:
            self.skipTest("other users cannot write the counters, which is told on stderr")
        path = os.path.join(self.dir, "roots.port")
        server = Server(self, "--user", str(STRANGER), port_file=path, wait=False)
        self.assertEqual(server.wait(), 1)
        self.assertIn(path, server.stderr())
        data = os.path.join(self.dir, "trap")
        os.mkdir(data)
        secret = os.path.join(self.dir, "secret")
        with open(secret, "w", encoding="ascii") as f:
            f.write("secret")
        os.chmod(secret, 0o600)
        os.link(secret, os.path.join(data, "lock"))
        os.chown(data, STRANGER, STRANGER)
        self.assertIn(data, self.refused(data=data))
        with open(secret, encoding="ascii") as f:
            self.assertEqual(f.read(), "secret")

    def test_jobs(self):
        """They are that user's as well, or the server could not use what they leave."""
        data = os.path.join(self.dir, "data")
        server = self.start(data=data)
        self.talk(server, "one")
        self.assertEqual(server.stop(), 0)
        copy = os.path.join(self.home, "copy")
        for job in (("--backup", copy), ("--restore", copy), ("--verify",)):
            program = Program(self, [SERVER, "--user", str(STRANGER), "--data", data, *job],
                              stdin=subprocess.DEVNULL)
            self.assertEqual(program.wait(30), 0, program.tail())
        for path in [copy] + [os.path.join(data, name) for name in os.listdir(data)]:
            self.assertEqual(os.stat(path).st_uid, STRANGER, path)
        self.assertEqual(self.heard(self.start(data=data), 1), ["one"])


class Manager:
    """The end of a service manager's socket, in the file system or abstract."""

    def __init__(self, case, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        case.addCleanup(self.socket.close)
        self.name = os.path.join(case.dir, "notify")
        self.socket.bind("\0" + self.name if abstract else self.name)
        if not abstract:
            os.chmod(self.name, 0o777)
        self.env = {"NOTIFY_SOCKET": "@" + self.name if abstract else self.name}

    def receive(self, timeout=10):
        """The next message, as a dict."""
        self.socket.settimeout(timeout * SLOW)
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())


class Notifying(Confined):
    def life(self, abstract):
        manager = Manager(self, abstract)
        config = os.path.join(self.dir, "config")
        with open(config, "w", encoding="ascii") as f:
            f.write("name Office\n")
        server = Server(self, "--config", config, env=manager.env, wait=False)
        ready = manager.receive()
        self.assertEqual(ready["READY"], "1")
        self.assertEqual(ready["MAINPID"], str(server.pid))
        # Now, not soon.
        server.wait_ready(0)
        self.assertIn(server.bound[0], ready["STATUS"])
        self.assertIn("Office", ready["STATUS"])
        self.talk(server, "one")
        for text in ("name Other\n", "nonsense\n"):
            with open(config, "w", encoding="ascii") as f:
                f.write(text)
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            server.send_signal(signal.SIGHUP)
            reloading = manager.receive()
            self.assertEqual(reloading["RELOADING"], "1")
            at = int(reloading["MONOTONIC_USEC"])
            self.assertLessEqual(before, at)
            self.assertLessEqual(at, time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
            self.assertEqual(manager.receive()["READY"], "1")
        server.send_signal(signal.SIGTERM)
        self.assertEqual(manager.receive()["STOPPING"], "1")
        self.assertEqual(server.wait(), 0, server.tail())
        manager.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            manager.socket.recv(4096)

    def test_in_a_folder(self):
        self.life(False)

    def test_abstract(self):
        self.life(True)

    def test_not_ready(self):
        """A server that cannot start says nothing."""
        manager = Manager(self)
        server = Server(self, listen="192.0.2.1:0", env=manager.env, wait=False)
        self.assertEqual(server.wait(), 1)
        manager.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            manager.socket.recv(4096)

    def test_nobody_there(self):
        """A manager that is gone is no reason not to serve."""
        server = Server(self, env={"NOTIFY_SOCKET": self.dir + "/none"})
        server.wait_stderr("nobody is notified")
        self.talk(server, "one")
        self.assertEqual(server.stop(), 0)

    def test_watchdog(self):
        """Signs of life come by themselves, also when many people make the loops busy, and not from a
        server that does not go on."""
        manager = Manager(self)
        limit = 0.4 * SLOW
        server = Server(self, env={**manager.env, "WATCHDOG_USEC": str(int(limit * 1000000))})
        self.assertEqual(manager.receive()["READY"], "1")
        people = [Pipe(self, server, f"p{i}") for i in range(5)]
        for person in people:
            person.wait_joined()
        for person in people:
            person.say(*(f"{person.nick} says {i}" for i in range(200)))
        for _ in range(8):
            self.assertEqual(manager.receive(), {"WATCHDOG": "1"})
        server.freeze()
        manager.socket.settimeout(limit)
        with self.assertRaises(TimeoutError):
            while True:
                self.assertEqual(manager.socket.recv(4096), b"WATCHDOG=1")
        server.thaw()
        self.assertEqual(manager.receive(), {"WATCHDOG": "1"})
        server.send_signal(signal.SIGTERM)
        while (message := manager.receive()) == {"WATCHDOG": "1"}:
            pass
        self.assertEqual(message["STOPPING"], "1")
        self.assertEqual(server.wait(), 0)

    def test_another_process(self):
        """A watchdog that is meant for somebody else gets none."""
        manager = Manager(self)
        server = Server(self, env={**manager.env, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
        self.assertEqual(manager.receive()["READY"], "1")
        self.talk(server, "one")
        server.send_signal(signal.SIGTERM)
        self.assertEqual(manager.receive()["STOPPING"], "1")


# Puts the descriptors that it is told to 3, 4 ... and executes the rest.
HAND_OVER = """
import fcntl, os, sys
count = int(sys.argv[1])
high = [fcntl.fcntl(int(n), fcntl.F_DUPFD, 100) for n in sys.argv[2:2 + count]]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count))
os.execvp(sys.argv[2 + count], sys.argv[2 + count:])
"""


class HandedOver(Confined):
    def listener(self, family=socket.AF_INET, address="127.0.0.1", both=False):
        s = socket.socket(family, socket.SOCK_STREAM)
        self.addCleanup(s.close)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
        s.bind((address, 0))
        s.listen()
        return s

    def start(self, *options, sockets, listen=(), **more):
        fds = [str(s.fileno()) for s in sockets]
        return Server(self, *options, listen=listen, fds=[s.fileno() for s in sockets],
                      prefix=[sys.executable, "-c", HAND_OVER, str(len(fds)), *fds], **more)

    def test_used(self):
        """They are listened on instead of --listen, and named in the port file; while the server is
        started again, whoever connects waits."""
        sockets = [self.listener(), self.listener(socket.AF_INET6, "::1")]
        wanted = [f"127.0.0.1:{sockets[0].getsockname()[1]}",
                  f"[::1]:{sockets[1].getsockname()[1]}"]
        data = os.path.join(self.dir, "data")
        server = self.start(sockets=sockets, listen="127.0.0.1:1", data=data)
        self.assertEqual(server.bound, wanted)
        self.assertIn("--listen does not count", server.stderr())
        self.assertEqual(len(server.stderr().split("LISTEN_FDS")), 2)
        text = "\n".join(wait_for(server.read, "how to join it"))
        for address in wanted:
            self.talk(server if address == wanted[0] else address, "one")
            self.assertIn(address, text)
        self.assertEqual(server.stop(), 0, server.tail())
        waiting = socket.create_connection(sockets[0].getsockname())
        self.addCleanup(waiting.close)
        server = self.start(sockets=sockets, data=data)
        self.assertEqual(server.bound, wanted)
        self.assertEqual(self.heard(server, 2), ["one", "one"])
        with open(f"/proc/{server.pid}/environ", "rb") as f:
            self.assertIn(b"LISTEN_PID", f.read())  # what it was started with
        waiting.settimeout(20 * SLOW)
        self.assertEqual(server.stop(), 0)
        while waiting.recv(100):  # it was accepted, told why, and let go at the end
            pass

    def test_both_families(self):
        """One socket for IPv6 and IPv4 counts for both: in the port file, in the beacon, for
        clients."""
        s = self.listener(socket.AF_INET6, "::", both=True)
        port = s.getsockname()[1]
        server = self.start(sockets=[s], beacon=True)
        self.assertEqual(server.bound, [f"[::]:{port}", f"0.0.0.0:{port}"])
        self.talk(f"127.0.0.1:{port}", "four")
        self.talk(f"[::1]:{port}", "six")
        done = subprocess.run([os.path.join(BUILD, "lanchat"), "--discover"], text=True,
                              env=server.environment(None), capture_output=True, timeout=60)
        self.assertIn(f"127.0.0.1:{port}", done.stdout, done.stderr)

    def test_as_another_user(self):
        """By a root who starts it as somebody else."""
        if os.geteuid() != 0:
            self.skipTest("becoming another user takes root")
        s = self.listener()
        home = os.path.join(self.dir, "home")
        os.mkdir(home)
        try:
            os.chown(home, STRANGER, STRANGER)
        except OSError as error:
            self.skipTest(f"no other users here: {error}")
        server = self.start("--user", str(STRANGER), sockets=[s],
                            port_file=os.path.join(home, "port"))
        self.assertEqual(numbers(server.field("Uid")), [STRANGER] * 4)
        self.talk(server, "one")

    def test_unfit(self):
        """What is no listening TCP socket is refused, in one line that names it."""
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        local.bind(os.path.join(self.dir, "local"))
        local.listen()
        idle = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for s in (datagrams, local, idle):
            self.addCleanup(s.close)
            server = self.start(sockets=[self.listener(), s], wait=False)
            self.assertEqual(server.wait(), 2, server.tail())
            self.assertEqual(len(server.stderr().splitlines()), 1, server.tail())
            self.assertIn("descriptor 4", server.stderr())

    def test_for_somebody_else(self):
        """Variables that a careless parent left behind mean nothing."""
        server = Server(self, env={"LISTEN_PID": "1", "LISTEN_FDS": "3"})
        self.talk(server, "one")


class Unit(Confined):
    """The files for systemd."""

    FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")

    def test_verified(self):
        """systemd has nothing against them."""
        try:
            done = subprocess.run(["systemd-analyze", "--version"], capture_output=True,
                                  check=False)
        except FileNotFoundError:
            self.skipTest("no systemd-analyze here")
        self.assertEqual(done.returncode, 0)
        for name in ("lanchatd.service", "lanchatd.socket"):
            with open(os.path.join(self.FOLDER, name), encoding="ascii") as f:
                text = f.read()
            with open(os.path.join(self.dir, name), "w", encoding="ascii") as f:
                f.write(text.replace("/usr/local/bin/lanchatd", SERVER))
        files = [os.path.join(self.dir, name) for name in ("lanchatd.service", "lanchatd.socket")]
        done = subprocess.run(["systemd-analyze", "verify", "--man=no"] + files,
                              capture_output=True, text=True, timeout=60, check=False)
        if "Failed to initialize manager" in done.stderr:
            self.skipTest(done.stderr.strip())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # Its scale goes from 0 to 10; what is left is that the server is on the network.
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20",
                               "--no-pager", files[0]], capture_output=True, text=True, timeout=60,
                              check=False)
        if "unrecognized option" in done.stderr:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    main()
