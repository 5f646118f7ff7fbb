#!/usr/bin/env python3
"""The client in a real terminal: a server that goes away, comes back, refuses, hesitates."""

import re

from lib import Client, Pipe, Scenario, Server, main, wait_for


class Reconnecting(Scenario):
    def again(self, server, *options):
        """Another server in the same place."""
        return Server(self, "--name", "alpha", *options, listen=f"127.0.0.1:{server.port}",
                      data=server.data)

    def joined(self, *options):
        self.server = Server(self, "--name", "alpha", *options)
        anna = Client(self, self.server)
        anna.wait_room()
        return anna

    def test_another_nick(self):
        """Who is not let in for the nick takes another one, and is."""
        server = Server(self, "--max-nick-length", "4")
        anna = Client(self, server, "annabella")
        anna.keys("x")  # somebody is there: it does not end
        anna.wait_text("nick")
        anna.keys("C-u")
        anna.enter("/nick anna")
        anna.wait_room()
        anna.wait_input("")
        self.assertIn("anna>", anna.text())

    def test_killed(self):
        """It says what it is doing, keeps what is written meanwhile, and goes on in the same
        rooms."""
        anna = self.joined()
        anna.enter("/join games")
        anna.wait_room("games")
        anna.enter("before")
        anna.wait_text("anna: before")
        self.server.kill()
        anna.wait_text("offline, next try in [0-9]+ s|[Cc]onnecting")
        for text in ("meanwhile one", "meanwhile two"):
            anna.enter(text)
            anna.wait_text(text)
        anna.settle()
        server = self.again(self.server)
        bob = Pipe(self, server, "bob", "--history", "10", rooms=("lobby", "games"))
        bob.wait_joined("games")
        anna.keys("Enter")
        anna.wait_room("games", 20)
        bob.wait_event("message", text="meanwhile two", timeout=20)
        self.assertEqual([t for t in bob.texts("games") if "meanwhile" in t],
                         ["meanwhile one", "meanwhile two"])
        bob.say("hello again")
        bob.wait_event("ack")
        anna.keys("M-2")
        anna.wait_text("bob: hello again")
        anna.keys("M-3")
        for text in ("meanwhile one", "meanwhile two"):
            anna.wait_text(text)
            self.assertEqual(anna.text().count(text), 1, anna.text())
        anna.wait_gone("…anna")

    def test_stopped(self):
        """A server that says goodbye is quoted."""
        anna = self.joined()
        self.server.stop()
        anna.wait_text("offline, next try in [0-9]+ s")
        anna.keys("M-1")
        anna.wait_text("stopping|shutting down|goodbye|stops")

    def test_gone_for_good(self):
        """It tries ever more seldom, without filling the screen, and can be left at any time."""
        anna = self.joined()
        self.server.kill()
        anna.wait_text("next try in [2-9] s", 15)
        self.assertIn("Enter: now", anna.text())
        anna.same("offline")
        anna.enter("/discover")
        anna.wait_text("servers on this network")
        anna.keys("q")
        self.assertEqual(anna.wait_end(), 0)
        self.assertTrue(anna.restored())

    def test_quit_while_offline(self):
        """What was written and never sent is not lost silently."""
        anna = self.joined()
        self.server.kill()
        anna.wait_text("offline, next try")
        anna.enter("never sent")
        anna.wait_text("…anna: never sent")
        anna.enter("/quit")
        anna.wait_text("Not sent yet: 1 message")
        anna.enter("/quit")
        anna.wait_end()
        self.assertTrue(anna.restored())
        anna.wait_text("not sent to #lobby: never sent")

    def test_elsewhere_while_offline(self):
        """Whoever goes to another server is told of what has not been sent to this one."""
        anna = self.joined()
        other = Server(self, "--name", "beta")
        self.server.kill()
        anna.wait_text("offline, next try")
        anna.enter("of no use")
        anna.wait_text("…anna: of no use")

        def asked_again():
            """Only soon after the question is it an answer."""
            anna.enter(f"/connect {other.address}")
            anna.wait_text("Not sent yet: 1 message. Again: leave|beta  #lobby  online")
            return "beta  #lobby  online" in anna.text()
        self.assertFalse(asked_again())
        wait_for(asked_again, "the other server")

    def test_connect(self):
        """To another server, and back by its address."""
        anna = self.joined()
        other = Server(self, "--name", "beta")
        anna.enter(f"/connect {other.address}")
        anna.wait_text("beta  #lobby  online")
        anna.enter("/connect 127.0.0.1:port")
        anna.wait_text("no address|HOST")
        anna.wait_text("/connect 127.0.0.1:port")

    def test_frozen(self):
        """A server that does not answer for a while: what is said meanwhile is marked, and goes
        through once."""
        anna = self.joined()
        bob = Pipe(self, self.server, "bob")
        bob.wait_joined()
        anna.wait_text("│2 people")
        self.server.freeze()
        anna.enter("into the void")
        anna.wait_text("into the void")
        anna.settle()
        anna.same("unconfirmed")
        self.server.thaw()
        bob.wait_event("message", text="into the void")
        anna.settle()
        anna.same("confirmed")

    def test_full(self):
        """A server that is full says so."""
        self.joined("--max-clients", "1")
        bob = Client(self, self.server, "bob")
        bob.wait_text("full|clients")

    def test_history_is_off(self):
        """That a restarted server has forgotten everything is said, in the room too: what was said
        before stays above that line, what is said from then on comes below."""
        anna = self.joined("--history", "off")
        anna.enter("forgotten")
        anna.wait_text("·anna: forgotten")  # what is not accepted yet will be said again
        self.server.kill()
        anna.wait_text("offline")
        self.again(self.server, "--history", "off")
        anna.keys("Enter")
        anna.wait_text("#lobby  online", 20)
        anna.wait_text("log is another one")
        anna.enter("from now on")
        text = anna.wait_text("·? *anna: from now on")
        anna.settle()
        self.assertLess(text.index("anna: forgotten"), text.index("log is another one"))
        self.assertLess(text.index("log is another one"), text.index("anna: from now on"))
        anna.keys("M-1")
        anna.wait_text("History is off")

    def test_motd(self):
        path = self.dir + "/motd"
        with open(path, "w", encoding="utf-8") as f:
            f.write("Добро пожаловать!\nBe kind.\n")
        anna = self.joined("--motd", path)
        anna.keys("M-1")
        anna.wait_text("Добро пожаловать!")
        anna.wait_text("Be kind.")


if __name__ == "__main__":
    main()
