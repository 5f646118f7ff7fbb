#!/usr/bin/env python3
"""TLS between the real programs: who is met, who is refused, and what is said when one side speaks
it and the other one does not."""

import os
import socket
import ssl
import subprocess

from lib import BUILD, Client, Pipe, Program, Raw, Scenario, Server, main, wait_for

GROUPS = r"[a-z2-7]{4}(?:-[a-z2-7]{4}){7}"


class Tls(Scenario):
    def setUp(self):
        super().setUp()
        home = os.path.join(self.dir, "home")
        # Runs of one person, who has one key and one list of servers.
        self.env = {"XDG_DATA_HOME": home + "/data", "XDG_STATE_HOME": home + "/state"}

    def key_of(self, server):
        """As its owner reads it out."""
        return server.wait_line(rf"Its key is {GROUPS}$").split()[-1]

    def pipe(self, server, *options, **more):
        return Pipe(self, server, "anna", *options, env=self.env, **more)

    def run_pipe(self, server, *options, status=0):
        run = self.pipe(server, *options, "--until", "1", input=["hello"])
        self.assertEqual(run.wait(20), status, run.tail())
        return run

    def known(self):
        with open(self.env["XDG_DATA_HOME"] + "/lanchat/known_servers", encoding="ascii") as f:
            return f.read().splitlines()

    def client(self, *options):
        return subprocess.run([os.path.join(BUILD, "lanchat"), *options], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, **self.sanitizer_options(), **self.env})

    def another_at(self, server, *options):
        """The server's place is taken by another one."""
        port = server.port
        self.assertEqual(server.stop(), 0)
        return Server(self, *options, listen=f"127.0.0.1:{port}")

    # ---- who it is ----

    def test_first_meeting(self):
        """The first time the key is shown, the same that the server shows; then not any more, at
        another address of the same server neither."""
        server = Server(self, listen=("127.0.0.1:0", "127.0.0.2:0"))
        key = self.key_of(server)
        first = self.run_pipe(server)
        self.assertIn(f"the server's key is new here: {key}", first.stderr())
        self.assertEqual([e["key"] for e in first.of("status", state="new-key")], [key])
        for address in server.bound:
            again = self.run_pipe(address)
            self.assertEqual(again.stderr(), "")
            self.assertEqual(again.of("status", state="new-key"), [])
        self.assertEqual(sorted(line.split(" ", 1)[1] for line in self.known()),
                         sorted(server.bound))

    def test_changed_key(self):
        """Another key at a known address is refused, with both of them and what to do; nothing is
        sent. When it has been done, it is a first meeting."""
        server = Server(self)
        old = self.key_of(server)
        self.run_pipe(server)
        server = self.another_at(server)
        new = self.key_of(server)
        refused = self.run_pipe(server, status=1)
        said = refused.stderr()
        self.assertIn(f"it was {old} and is {new}", said)
        command = f"lanchat --forget {server.address}"
        self.assertIn(command, said)
        self.assertNotIn("logged in", server.stderr())
        done = self.client(*command.split()[1:])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"new here: {new}", self.run_pipe(server).stderr())

    def test_changed_at_an_ipv6_address(self):
        """What is to be typed then works as it is printed, and so does what was printed before."""
        for printed in ("[::1]:{}", "::1:{}"):
            with self.subTest(printed=printed):
                server = Server(self, listen="[::1]:0")
                self.run_pipe(server.bound[0])
                port = server.port
                self.assertEqual(server.stop(), 0)
                server = Server(self, listen=f"[::1]:{port}")
                said = self.run_pipe(server.bound[0], status=1).stderr()
                self.assertIn(f"[::1]:{port} has another key than before", said)
                self.assertTrue(said.endswith(f"lanchat --forget [::1]:{port}\n"), said)
                done = self.client("--forget", printed.format(port))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.run_pipe(server.bound[0]).stderr().count("new here"), 1)
                self.assertEqual(server.stop(), 0)

    def test_changed_while_connected(self):
        """The same when it changes during a break."""
        server = Server(self)
        anna = self.pipe(server, "--timeout", "60")
        anna.wait_joined()
        server = self.another_at(server)
        self.assertEqual(anna.wait(30), 1)
        self.assertIn("has another key than before", anna.stderr())
        self.assertNotIn("logged in", server.stderr())

    def test_changed_behind_a_beacon_while_connected(self):
        """Nor does whoever took any server that was found go on with another one in its place."""
        server = Server(self, "--name", "office", beacon=True)
        old = self.key_of(server)
        anna = self.pipe(None, "--timeout", "60")
        anna.wait_joined()
        server = self.another_at(server, "--name", "office")
        new = self.key_of(server)
        self.assertEqual(anna.wait(30), 1)
        self.assertIn(f"office has another key than before: it was {old} and is {new}",
                      anna.stderr())
        self.assertNotIn("logged in", server.stderr())

    def test_changed_and_not_remembered(self):
        """Where keys cannot be written down, a program goes by the one that it has met itself."""
        os.makedirs(self.env["XDG_DATA_HOME"] + "/lanchat/known_servers.lock")
        server = Server(self)
        anna = self.pipe(server, "--timeout", "60")
        anna.wait_joined()
        server = self.another_at(server)
        self.assertEqual(anna.wait(30), 1)
        self.assertIn("the server's key cannot be remembered", anna.stderr())
        self.assertIn("has another key than before", anna.stderr())
        self.assertNotIn("logged in", server.stderr())

    def test_changed_on_the_screen(self):
        server = Server(self)
        self.run_pipe(server)
        server = self.another_at(server)
        anna = Client(self, server, env=self.env)
        anna.wait_text(r"another key than before")

    def test_beacon_with_an_address_for_a_name(self):
        """Whatever a beacon calls its server, what is known of an address stays."""
        server = Server(self)
        self.run_pipe(server)
        before = self.known()
        rogue = Server(self, "--name", server.address, beacon=True)
        self.run_pipe(None)
        rogue.wait_stderr("anna logged in")
        self.assertTrue(set(before) < set(self.known()), self.known())
        self.assertEqual(self.run_pipe(server).stderr(), "")
        # A name that cannot be looked up is no reason to take a beacon that has it.
        named = Server(self, "--name", "server.invalid:7777", beacon=True)
        refused = self.run_pipe("server.invalid:7777", status=1)
        self.assertNotIn("new here", refused.stderr())
        self.assertNotIn("logged in", named.stderr())

    def test_changed_behind_a_name(self):
        """Whoever asks for a server by its name does not get another one; whoever takes any is told."""
        office = Server(self, "--name", "office", beacon=True)
        old = self.key_of(office)
        self.run_pipe("office")
        self.assertEqual(self.run_pipe("office").stderr(), "")
        self.assertEqual(office.stop(), 0)
        office = Server(self, "--name", "office", beacon=True)
        new = self.key_of(office)
        said = self.run_pipe("office", status=1).stderr()
        self.assertIn(f"office has another key than before: it was {old} and is {new}", said)
        self.assertIn("lanchat --forget office", said)
        self.assertNotIn("logged in", office.stderr())
        for _ in range(2):
            self.assertIn(f"is not the one that was known by that name: it was {old} and is {new}",
                          self.run_pipe(None).stderr())
        anna = Client(self, env=self.env)
        anna.wait_text("One server found")
        anna.wait_room()
        wait_for(lambda: "Careful: this is not the office that you met before" in
                 " ".join("".join(anna.messages()).replace("│", " ").split()), "a warning",
                 seen=anna.text)
        self.run_pipe("office", status=1)  # which does not change by that
        self.assertEqual(self.client("--forget", "office").returncode, 0)
        self.assertIn(f"new here: {new}", self.run_pipe("office").stderr())
        self.assertEqual(self.run_pipe("office").stderr(), "")

    def test_name_of_two(self):
        """Of two servers that have the name, the one that was met by it; where none was, both are
        named and none is taken."""
        office = Server(self, "--name", "office", beacon=True)
        self.run_pipe("office")
        rogue = Server(self, "--name", "office", beacon=True)
        for _ in range(6):
            self.assertEqual(self.run_pipe("office").stderr(), "")
        self.assertNotIn("logged in", rogue.stderr())
        self.assertEqual(self.client("--forget", "office").returncode, 0)
        said = self.run_pipe("office", status=1).stderr()
        self.assertIn('2 servers on this network are called "office": give the address', said)
        for server in office, rogue:
            self.assertIn(f":{server.port}", said)
        self.assertNotIn("logged in", rogue.stderr())
        anna = Client(self, "office", env=self.env)
        anna.wait_text('2 servers on this network are called "office"')
        self.assertEqual(office.stop(), 0)
        self.assertIn("new here", self.run_pipe("Office").stderr())

    def test_name_in_another_case(self):
        """A name is no other one for being written otherwise."""
        office = Server(self, "--name", "office", beacon=True)
        self.run_pipe("office")
        self.assertEqual(office.stop(), 0)
        rogue = Server(self, "--name", "OFFICE", beacon=True)
        self.assertIn("office has another key than before",
                      self.run_pipe("office", status=1).stderr())
        self.assertNotIn("logged in", rogue.stderr())
        # Nor by what the user writes, nor when they take any.
        for text in ("OFFICE", "Office"):
            self.assertIn("another key than before", self.run_pipe(text, status=1).stderr())
        for _ in range(2):
            self.assertIn("is not the one that was known by that name",
                          self.run_pipe(None).stderr())
        self.assertIn("another key than before", self.run_pipe("office", status=1).stderr())
        # It is forgotten by any spelling.
        self.assertEqual(self.client("--forget", "Office").returncode, 0)
        self.assertIn("new here", self.run_pipe("office").stderr())

    def test_name_with_blanks(self):
        """Such a name is compared as others are."""
        Server(self, "--name", "B\u00fcro 12", beacon=True)
        self.run_pipe("B\u00fcro 12")
        for text in ("B\u00dcRO 12", "bu\u0308ro 12"):
            self.assertEqual(self.run_pipe(text).stderr(), "")

    def test_known_under_another_name(self):
        """A server that has been met does not pass for another one by taking its name."""
        office = Server(self, "--name", "office", beacon=True)
        self.run_pipe("office")
        self.assertEqual(office.stop(), 0)
        rogue = Server(self, "--name", "games", beacon=True)
        self.run_pipe("games")
        self.assertEqual(self.run_pipe(None).stderr(), "")
        self.assertEqual(rogue.stop(), 0)
        rogue = Server(self, "--name", "office", beacon=True, data=rogue.data)
        for _ in range(2):
            self.assertIn("is not the one that was known by that name",
                          self.run_pipe(None).stderr())

    def test_first_meetings_at_once(self):
        """Several programs of one person meet two servers for the first time at the same moment: both
        are known after that, by one line each, and everybody goes on."""
        servers = [Server(self), Server(self)]
        runs = [self.pipe(server, "--until", "1", input=["hello"])
                for _ in range(3) for server in servers]
        for run in runs:
            self.assertEqual(run.wait(30), 0, run.tail())
        self.assertEqual(sorted(line.split(" ", 1)[1] for line in self.known()),
                         sorted(server.address for server in servers))
        for server in servers:
            self.assertEqual(self.run_pipe(server).stderr(), "")

    def test_forget_nobody(self):
        done = self.client("--forget", "192.0.2.1:19830")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no server is known by that address", done.stderr)

    def test_known_servers_unreadable(self):
        """Whoever cannot know whether the key has changed does not go on."""
        server = Server(self)
        self.run_pipe(server)
        path = self.env["XDG_DATA_HOME"] + "/lanchat/known_servers"
        os.remove(path)
        os.symlink("/dev/null", path)
        self.assertIn("cannot be read", self.run_pipe(server, status=1).stderr())

    def test_known_servers_damaged(self):
        """Nor whoever cannot read which key was there: the line stays for somebody to correct."""
        server = Server(self)
        self.run_pipe(server)
        path = self.env["XDG_DATA_HOME"] + "/lanchat/known_servers"
        with open(path, "rb") as file:
            line = file.read()
        for damaged in (b"\xef\xbb\xbf" + line, line.replace(b"\n", b"\r\n"), line[:-3], b"0" + line):
            with open(path, "wb") as file:
                file.write(damaged)
            self.assertIn("is damaged, so it cannot be told",
                          self.run_pipe(server, status=1).stderr())
            with open(path, "rb") as file:
                self.assertEqual(file.read(), damaged)
        with open(path, "wb") as file:
            file.write(line)
        self.run_pipe(server)

    def test_files_are_private(self):
        server = Server(self)
        self.run_pipe(server)
        for folder in (self.env["XDG_DATA_HOME"] + "/lanchat", server.data):
            self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        for path in (self.env["XDG_DATA_HOME"] + "/lanchat/identity.pem",
                     self.env["XDG_DATA_HOME"] + "/lanchat/known_servers",
                     server.data + "/server.pem"):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    # ---- with and without ----

    def test_plaintext_client(self):
        server = Server(self)
        self.assertIn("this server speaks TLS; connect without --plaintext",
                      self.run_pipe(server, "--plaintext", status=1).stderr())
        server.wait_stderr("does not speak TLS")

    def test_plaintext_server(self):
        server = Server(self, "--plaintext")
        server.wait_line("Connections are PLAINTEXT")
        self.assertIn("the server does not speak TLS; if it is meant not to, use --plaintext",
                      self.run_pipe(server, status=1).stderr())
        server.wait_stderr("speaks TLS, and this server does not")
        self.run_pipe(server, "--plaintext")

    def test_plaintext_on_the_screen(self):
        """It is said all the time; with TLS it is not."""
        server = Server(self, "--plaintext")
        anna = Client(self, server, "anna", "--plaintext")
        anna.wait_room()
        anna.wait_text(r"^ PLAINTEXT  ")
        for columns in (40, 20):
            anna.resize(columns, 10)
            anna.wait_text(r"^ PLAINTEXT")
        boris = Client(self, Server(self), "boris")
        boris.wait_room()
        self.assertNotIn("PLAINTEXT", boris.text())

    def test_first_meeting_on_the_screen(self):
        """The key of a server that was never met is where the user looks: in the room."""
        server = Server(self)
        anna = Client(self, server, env=self.env)
        anna.wait_room()
        anna.wait_text("You meet ")
        anna.wait_text(self.key_of(server))
        anna.enter("/quit")
        anna.wait_end()
        again = Client(self, server, env=self.env)
        again.wait_room()
        again.wait_text("You are in #lobby")
        self.assertNotIn("You meet", again.text())

    def test_full(self):
        """A server that cannot take one more says so to whoever speaks TLS, too."""
        server = Server(self, "--max-clients", "1")
        anna = self.pipe(server)
        anna.wait_joined()
        boris = Pipe(self, server, "boris", input=[])
        self.assertEqual(boris.wait(20), 1)
        self.assertIn("the server has all the clients that it may have", boris.stderr())

    # ---- strangers ----

    def connect(self, server):
        peer = socket.create_connection(("127.0.0.1", server.port), 10)
        self.addCleanup(peer.close)
        return peer

    def test_garbage(self):
        """It is closed at once, and costs nobody anything."""
        server = Server(self)
        anna = self.pipe(server)
        anna.wait_joined()
        before = server.threads()
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100,
                     b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"SSH-2.0-OpenSSH_9.2\r\n",
                     b"\x80" * 1000, b"\x15\x03\x03\x00\x02\x01\x00"):
            for _ in range(20):
                peer = self.connect(server)
                peer.sendall(data)
                try:
                    while peer.recv(1000):
                        pass
                except ConnectionResetError:
                    pass
                peer.close()
        wait_for(lambda: server.threads() == before, "their threads to end")
        anna.say("still here")
        anna.wait_event("message", text="still here")

    def test_not_here(self):
        """A server without TLS says so to whoever begins with it."""
        self.plaintext = True
        raw = Raw(self, Server(self))
        raw.send(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"x" * 200)
        name, error = raw.receive()
        self.assertEqual((name, error["fatal"]), ("ERROR", 1))
        self.assertIn("speaks without TLS", error["text"])

    def test_no_certificate(self):
        """A peer that has no key is refused, as is one of an older TLS."""
        server = Server(self)
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.maximum_version = version
            with self.assertRaises(OSError):
                with context.wrap_socket(self.connect(server)) as peer:
                    peer.sendall(b"x")
                    while peer.recv(1000):
                        pass
                    raise OSError("closed without a word")
        server.wait_stderr("peer did not return a certificate")

    def test_half_a_handshake(self):
        """The time for it is absolute, however the bytes trickle in."""
        server = Server(self, "--login-timeout", "1")
        peer = self.connect(server)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        hello = context.wrap_bio(incoming, outgoing)
        with self.assertRaises(ssl.SSLWantReadError):
            hello.do_handshake()
        data = outgoing.read()
        peer.settimeout(0.1)
        ended = False
        for at in range(len(data) - 1):
            try:
                peer.sendall(data[at:at + 1])
                ended = peer.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
            if ended:
                break
        self.assertTrue(ended)
        wait_for(lambda: "took too long" in server.stderr(), "the reason")

    def test_trace_shows_frames(self):
        """--trace narrates the frames as without TLS; the socket calls carry ciphertext."""
        server = Server(self)
        run = Program(self, [os.path.join(BUILD, "lanchat"), "--pipe", "--trace", "--nick", "anna",
                             server.address], name="traced", stdin=subprocess.DEVNULL)
        self.assertEqual(run.wait(20), 0, run.tail())
        self.assertIn("HELLO", run.stderr())
        self.assertIn("WELCOME", run.stderr())


if __name__ == "__main__":
    main()
