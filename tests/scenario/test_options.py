#!/usr/bin/env python3
"""Starting the programs rightly and wrongly: options, config, signals, refusals in one line."""

import os
import signal
import socket
import subprocess

from lib import Pipe, Program, Raw, PlainScenario, Server, Tmux, main, wait_for
from lib.wait import BUILD

SERVER = os.path.join(BUILD, "lanchatd")
CLIENT = os.path.join(BUILD, "lanchat")


class Starting(PlainScenario):
    def ended(self, argv, status, *words, **more):
        """Run to the end; with a failure's status, one line on stderr that has these words."""
        program = Program(self, argv, stdin=subprocess.DEVNULL, **more)
        self.assertEqual(program.wait(20), status, program.tail())
        if status != 0:
            self.assertEqual(len(program.stderr().splitlines()), 1, program.tail())
        for word in words:
            self.assertIn(word, program.stderr() if status else "\n".join(program.read()))
        return program

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path


class Usage(Starting):
    def test_help_and_version(self):
        for program in (SERVER, CLIENT):
            name = os.path.basename(program)
            self.ended([program, "--version"], 0, name)
            shown = self.ended([program, "--help"], 0, name, "--help", "--version", "--trace")
            self.assertLessEqual(max(len(line) for line in shown.read()), 80)

    def test_full_stdout(self):
        """What was asked for could not be printed: that is no success."""
        for program in (SERVER, CLIENT, os.path.join(BUILD, "lanchat-stress"),
                        os.path.join(BUILD, "lanchat-lab")):
            for option in ("--help", "--version"):
                with self.subTest(program=program, option=option):
                    self.ended(["sh", "-c", 'exec "$@" >/dev/full', "sh", program, option], 1)
                    self.ended(["sh", "-c", 'exec "$@" >&-', "sh", program, option], 1)
        self.ended(["sh", "-c", 'exec "$@" >/dev/full', "sh", SERVER, "--data", self.dir + "/data",
                    "--check-config"], 1)

    def test_unknown_option(self):
        for program in (SERVER, CLIENT):
            self.ended([program, "--bogus"], 2, "bogus")
        self.ended([SERVER, "--max-client", "3x"], 2)
        self.ended([SERVER, "--no-baecon"], 2, "no-baecon", "no-beacon")

    def test_bad_values(self):
        for option, value in (("--max-clients", "many"), ("--max-clients", "-1"),
                              ("--listen", "127.0.0.1:99999"), ("--listen", "[::1"),
                              ("--log-level", "loud"), ("--name", "x" * 49),
                              ("--name", "a\nb")):
            with self.subTest(option=option, value=value):
                self.ended([SERVER, "--data", self.dir + "/data", "--check-config",
                            option, value], 2)

    def test_lane_on_the_beacons_port(self):
        """They cannot have the same one, so without --no-beacon it is refused, also at the start."""
        argv = [SERVER, "--data", self.dir + "/data", "--lane", "19830"]
        self.ended([*argv, "--check-config"], 2, "--lane 19830", "--no-beacon")
        self.ended([*argv, "--listen", "127.0.0.1:0"], 2, "--lane 19830", "--no-beacon")
        self.ended([*argv, "--no-beacon", "--check-config"], 0)

    def test_bad_addresses(self):
        self.ended([CLIENT, "--pipe", "--nick", "anna", "127.0.0.1:port"], 2,
                   "127.0.0.1:port")
        self.ended([CLIENT, "--pipe", "--nick", "anna", "no-such-host.invalid:1"], 1,
                   "no-such-host.invalid")

    def test_unreachable(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.ended([CLIENT, "--pipe", "--nick", "anna", f"127.0.0.1:{port}"], 1,
                   f"127.0.0.1:{port}")

    def test_link_local_without_its_link(self):
        """It means nothing, and the kernel says no more than "Invalid argument"."""
        for text in ("fe80::1", "[fe80::1]:7"):
            self.ended([CLIENT, "--pipe", "--nick", "anna", text], 1, "name the interface as well")
        self.ended([SERVER, "--listen", "[fe80::1]:0", "--data", os.path.join(self.dir, "data")], 1,
                   "name the interface as well")

    def test_bad_names(self):
        server = Server(self)
        self.ended([CLIENT, "--pipe", "--nick", "a,b", server.address], 2)
        self.ended([CLIENT, "--pipe", "--nick", "anna", "--room", "a b", server.address], 2)

    def test_terminal(self):
        """No terminal, a dumb one, none named: said in a line, not drawn."""
        server = Server(self)
        self.ended([CLIENT, server.address], 1)
        for term in ("dumb", None):
            with self.subTest(term=term):
                shown = Tmux(self, ["env", "-u", "TERM"] + ([f"TERM={term}"] if term else []) +
                             [CLIENT, server.address])
                self.assertEqual(shown.wait_end(), 1)
                self.assertRegex(shown.text(), "TERM")
                self.assertTrue(shown.restored())

    def test_locale(self):
        """Where the locale is not UTF-8, pipes still are."""
        server = Server(self)
        anna = Pipe(self, server, "anna", "--until", "1", input=["Привет"],
                    env={"LANG": "C", "LC_ALL": "C"})
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertEqual(anna.texts(), ["Привет"])


class Ports(Starting):
    def test_port_file(self):
        """One line for each address, written when it is ready: a client can connect at once."""
        server = Server(self, listen=["127.0.0.1:0", "[::1]:0"])
        self.assertEqual(len(server.bound), 2)
        self.assertRegex(server.bound[0], r"127\.0\.0\.1:\d+$")
        self.assertRegex(server.bound[1], r"\[::1\]:\d+$")
        for bound in server.bound:
            anna = Pipe(self, bound.rpartition(" ")[2], "anna", "--until", "1", input=["hello"])
            self.assertEqual(anna.wait(), 0, anna.tail())

    def test_every_address(self):
        """Both families on one port."""
        server = Server(self, listen=":0")
        for address in (f"127.0.0.1:{server.port}", f"[::1]:{server.port}",
                        f"localhost:{server.port}"):
            anna = Pipe(self, address, "anna", "--until", "1", input=["hello"])
            self.assertEqual(anna.wait(), 0, anna.tail())

    def test_port_in_use(self):
        first = Server(self)
        second = Server(self, listen=f"127.0.0.1:{first.port}", wait=False)
        self.assertEqual(second.wait(), 1)
        self.assertEqual(len(second.stderr().splitlines()), 1, second.tail())
        self.assertIn(str(first.port), second.stderr())
        self.assertFalse(os.path.exists(second.port_file))
        anna = Pipe(self, first, "anna", "--until", "1", input=["unharmed"])
        self.assertEqual(anna.wait(), 0, anna.tail())

    def test_start_again(self):
        """A port that connections were just closed on can be bound again at once."""
        first = Server(self)
        raw = Raw(self, first)
        raw.login("anna")
        self.assertEqual(first.stop(), 0)
        Server(self, listen=f"127.0.0.1:{first.port}")


class Data(Starting):
    def test_unwritable(self):
        """A data folder that cannot be: its name, status 1."""
        path = self.file("plain", "a file where a folder should be")
        for data in (path, path + "/below"):
            server = Server(self, data=data, wait=False)
            self.assertEqual(server.wait(), 1, server.tail())
            self.assertEqual(len(server.stderr().splitlines()), 1, server.tail())
            self.assertIn(data, server.stderr())

    def test_identity_stays(self):
        """The server's id is the same after a restart, and its key is nobody else's to read."""
        data = os.path.join(self.dir, "kept")
        ids = []
        for _ in range(2):
            server = Server(self, data=data)
            ids.append(Raw(self, server).hello()["server"])
            self.assertEqual(server.stop(), 0)
        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], bytes(32))
        for folder, _, files in os.walk(data):
            for name in files:
                self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)


class Config(Starting):
    def motd(self, server):
        raw = Raw(self, server)
        raw.login("reader", flags=1)
        text = raw.expect("NOTICE", kind=1)["text"]
        raw.socket.close()
        return text.strip()

    def test_config(self):
        """The same names as the options; the command line wins."""
        path = self.file("conf", "# a comment\nname = From the file\nmax-clients 7\nno-beacon yes\n")
        server = Server(self, "--config", path)
        self.assertEqual(Raw(self, server).hello()["name"], "From the file")
        server = Server(self, "--config", path, "--name", "From the line")
        self.assertEqual(Raw(self, server).hello()["name"], "From the line")

    def test_check_config(self):
        good = self.file("good", "name = Fine\n")
        self.ended([SERVER, "--config", good, "--check-config"], 0)
        for text, line in (("nmae = typo\n", 1), ("\n\nmax-clients = lots\n", 3),
                           ("name\n", 1), ("log-level quietly\n", 1),
                           ("name x\nlisten :99999\n", 2)):
            with self.subTest(text=text):
                bad = self.file("bad", text)
                self.ended([SERVER, "--config", bad, "--check-config"], 2, f"{bad}:{line}")
        self.ended([SERVER, "--config", self.dir + "/none", "--check-config"], 2,
                   self.dir + "/none")

    def test_asked_before_given_up(self):
        """Whoever is silent is asked for a sign of life before they are given up."""
        for times, status in (("ping 20\nidle 10\n", 2), ("ping 20\nidle 20\n", 2),
                              ("idle 30\n", 2), ("ping 20\nidle 21\n", 0),
                              ("ping off\nidle 10\n", 0), ("ping 20\nidle off\n", 0)):
            with self.subTest(times=times):
                path = self.file("times", times)
                words = ("--idle", "--ping") if status else ()
                self.ended([SERVER, "--config", path, "--check-config"], status, *words)
        server = Server(self, "--idle", "10", "--ping", "20", wait=False)
        self.assertEqual(server.wait(), 2)
        self.assertIn("--idle (10 seconds) must be more than --ping (20)", server.stderr())

    def test_password_wanted(self):
        """What a program without a screen says that has none; nobody can be asked there."""
        path = self.file("password", "open sesame\n")
        server = Server(self, "--password-file", path)
        pipe = self.ended([CLIENT, "--pipe", "--plaintext", "--nick", "anna", server.address], 1)
        self.assertEqual(pipe.stderr().count("--password-file"), 1)
        self.assertNotIn("when you are asked", pipe.stderr())

    def test_motd(self):
        """Shown to whoever logs in, line by line."""
        path = self.file("motd", "Welcome!\nBe kind.\n")
        server = Server(self, "--motd", path)
        self.assertEqual(self.motd(server), "Welcome!\nBe kind.")

    def test_reload(self):
        """SIGHUP reads the config again; a broken one changes nothing; clients stay."""
        first, second = self.file("first", "first\n"), self.file("second", "second\n")
        path = self.file("conf", f"motd = {first}\n")
        server = Server(self, "--config", path)
        stays = Raw(self, server)
        stays.login("stays")
        self.assertEqual(self.motd(server), "first")
        self.file("conf", f"motd = {second}\n")
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: self.motd(server) == "second", "the new message of the day")
        said = len(server.stderr())
        self.file("conf", "motd = x\nnonsense here\n")
        server.send_signal(signal.SIGHUP)
        wait_for(lambda: "conf:2" in server.stderr()[said:], "a complaint", seen=server.stderr)
        self.assertEqual(self.motd(server), "second")
        stays.message("PING", token=5)
        stays.expect("PONG", token=5)


class Trace(Starting):
    def test_trace(self):
        """Every call of a connection's life, from both ends."""
        server = Server(self, "--trace")
        anna = Pipe(self, server, "anna", "--trace", "--until", "1", input=["hello"])
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertEqual(server.stop(), 0)
        for call in ("socket(", "bind(", "listen(", "accept", "recv", "send", "close("):
            self.assertIn(call, server.stderr())
        for call in ("getaddrinfo", "socket(", "connect(", "recv", "send", "close("):
            self.assertIn(call, anna.stderr())

    def test_looked_up_once(self):
        """A host is looked up to connect to it, and not before that as well."""
        server = Server(self)
        anna = Pipe(self, f"localhost:{server.port}", "anna", "--trace", "--until", "1",
                    input=["hello"])
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertEqual(anna.stderr().count("getaddrinfo("), 1, anna.stderr())
        nowhere = Pipe(self, "nowhere.invalid:7", "anna", input=["hello"])
        self.assertEqual(nowhere.wait(), 1)
        self.assertRegex(nowhere.stderr(), r"\Alanchat: cannot find the host nowhere.invalid: .*\n\Z")

    def test_silent(self):
        """Without it, nothing of that is written, and stdout is the server's to print on."""
        server = Server(self)
        anna = Pipe(self, server, "anna", "--until", "1", input=["hello"])
        self.assertEqual(anna.wait(), 0, anna.tail())
        self.assertEqual(anna.stderr(), "")
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("socket(", server.stderr())


class Joining(Starting):
    def test_says_how(self):
        """Started by hand, a server prints how to join it."""
        server = Server(self)
        server.wait_line(rf"^ +lanchat .*:{server.port}$")


if __name__ == "__main__":
    main()
