#!/usr/bin/env python3
"""The client in a real terminal: finding a server, joining it, and every way out."""

import os
import signal
import subprocess

from lib import Client, Pipe, Scenario, Server, Tmux, main, wait_for
from lib.wait import BUILD

CLIENT = os.path.join(BUILD, "lanchat")


def announced(case, name, **more):
    """A server that can be found, on any address."""
    return Server(case, "--name", name, listen=":0", beacon=True, **more)


def gone(pid):
    """Has a process ended?"""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def hosted(case):
    """The servers that clients of this test have started: their folders are the test's."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
                named = f.read().strip() == "lanchatd"
            with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as f:
                if named and case.dir in f.read() and not gone(pid):
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Discovery(Scenario):
    def discard(self):
        super().discard()
        for pid in hosted(self):
            os.kill(pid, signal.SIGKILL)

    def test_none(self):
        """Nothing found: what usually causes that, and the address line."""
        server = Server(self, "--name", "alpha")
        anna = Client(self)
        anna.wait_text("No server was found")
        for cause in ("subnet", "[Ff]irewall", "19830", "TCP and UDP", "Wi-Fi", "VPN"):
            anna.wait_text(cause)
        anna.same("seek-none")
        anna.keys("a")
        anna.wait_text("^Address:")
        anna.type(server.address)
        anna.same("seek-address")
        anna.keys("Enter")
        anna.wait_room()
        anna.same("joined")

    def test_one(self):
        """Just one: it says so, and joins by itself."""
        announced(self, "alpha")
        anna = Client(self)
        anna.wait_text("One server found: alpha. Joining it")
        anna.wait_room()
        anna.wait_text("alpha  #lobby  online")

    def test_one_and_a_key(self):
        """A key keeps the list on the screen; Enter then joins."""
        announced(self, "alpha")
        anna = Client(self)
        anna.wait_text("One server found: alpha. Joining it")
        anna.keys("Up")
        anna.wait_gone("Joining it")
        anna.same("seek-one")
        anna.keys("Enter")
        anna.wait_room()

    def test_two(self):
        """A list, an arrow, Enter. Servers that stop leave it, others come."""
        first = announced(self, "alpha")
        anna = Client(self)
        anna.wait_text("servers on this network")
        anna.keys("Up")
        second = announced(self, "Вторая 二")
        bob = Pipe(self, second, "bob")
        bob.wait_joined()
        anna.wait_text("^ Вторая 二 .* 1 +[0-9.]+ ms")
        anna.wait_text("^ alpha .* 0 +[0-9.]+ ms")
        self.assertRegex(anna.text(), f"127.0.0.1:{first.port}")
        anna.same("seek-two")
        third = announced(self, "gamma")
        anna.wait_text("^ gamma ")
        third.stop()
        anna.wait_gone("^ gamma ", 5)
        anna.keys("Down")
        wait_for(lambda: "\x1b[7m Вторая" in anna.styled(), "the second row to be chosen")
        anna.keys("Enter")
        anna.wait_room()
        anna.wait_text("Вторая 二  #lobby  online")
        anna.enter("hello")
        bob.wait_event("message", text="hello")

    def test_choice_stays(self):
        """The chosen row stays chosen when others come and go above and below."""
        announced(self, "middle")
        last = announced(self, "upper")
        anna = Client(self)
        anna.wait_text("^ middle .*\n upper ")
        anna.keys("Down")
        wait_for(lambda: "\x1b[7m upper" in anna.styled(), "the second row to be chosen")
        announced(self, "above")
        announced(self, "zebra")
        anna.wait_text("^ above ")
        anna.wait_text("^ zebra ")
        self.assertIn("\x1b[7m upper", anna.styled())
        last.kill()
        anna.wait_gone("^ upper ", 8)
        anna.keys("Enter")
        anna.wait_room()

    def test_click_in_a_long_list(self):
        """More servers than lines: a click chooses the one that is seen there, which stays there, and another
        one joins it."""
        for number in range(9):
            announced(self, f"house-{number}")
        anna = Client(self, rows=11)
        anna.wait_text("^ house-0 ")

        def down():
            """Not all may have been found yet."""
            anna.keys("Down")
            return "\x1b[7m house-8" in anna.styled()
        wait_for(down, "the last row to be chosen")
        anna.wait_text("^ house-5 .*\n house-6 .*\n house-7 .*\n house-8 ")
        row = next(y for y, line in enumerate(anna.screen()) if line.startswith(" house-5 "))
        for wanted in ("\x1b[7m house-5", None):
            anna.type(f"\x1b[<0;5;{row + 1}M\x1b[<0;5;{row + 1}m")
            if wanted:
                wait_for(lambda: wanted in anna.styled(), "the row that was clicked to be chosen")
                self.assertTrue(anna.screen()[row].startswith(" house-5 "), anna.text())
        anna.wait_room()
        anna.wait_text("house-5  #lobby  online")

    def test_host(self):
        """h starts a server here; others find it; it ends with its last client."""
        anna = Client(self)
        anna.wait_text("No server was found")
        anna.keys("h")
        anna.wait_room()
        self.assertEqual(len(hosted(self)), 1)
        bob = Client(self, nick="bob")
        bob.wait_text("One server found")
        bob.wait_room()
        anna.enter("hello bob")
        bob.wait_text("anna.* hello bob")
        anna.enter("/quit")
        self.assertEqual(anna.wait_end(), 0)
        self.assertTrue(anna.restored())
        bob.wait_text("│1 person")
        bob.enter("still here")
        bob.wait_text("bob.* still here")
        bob.enter("/quit")
        self.assertEqual(bob.wait_end(), 0)
        wait_for(lambda: not hosted(self), "the server to end")

    def test_host_option(self):
        """--host joins what is there, else starts one at once."""
        server = announced(self, "alpha")
        anna = Client(self, None, "anna", "--host")
        anna.wait_room()
        anna.wait_text("alpha  #lobby")
        anna.enter("/quit")
        self.assertEqual(anna.wait_end(), 0)
        server.stop()
        bob = Client(self, None, "bob", "--host")
        bob.wait_room()
        self.assertEqual(len(hosted(self)), 1)
        bob.enter("/quit")
        wait_for(lambda: not hosted(self), "the server to end")

    def test_host_replaced(self):
        """When another server takes the place of the one that was started here, the client does not go
        on with it, and says so where one looks."""
        anna = Client(self, None, "anna", "--host", "--stay")
        anna.wait_room()
        anna.enter("hello")
        anna.wait_text("anna.* hello")
        process, = hosted(self)
        os.kill(process, signal.SIGKILL)
        anna.wait_text("offline, next try")
        other = Server(self, "--name", "other", listen="127.0.0.1:19830")
        anna.keys("Enter")
        anna.wait_text("has another key than before: it was")
        anna.wait_text("start lanchat again")
        self.assertNotIn("logged in", other.stderr())

    def test_host_port_in_use(self):
        """A silent server has the usual port: hosting works all the same, or says who has it."""
        Server(self, "--name", "silent", listen=":19830")
        anna = Client(self)
        anna.wait_text("No server was found")
        anna.keys("h")
        anna.wait_text("online|19830.*in use|19830.*taken")

    def test_help(self):
        """F1 shows the keys of the list, also while an address is typed; closing it leaves the rest as
        it was."""
        anna = Client(self)
        anna.wait_text("No server was found")
        anna.keys("F1")
        anna.wait_text("─ Help ─")
        anna.same("seek-help")
        anna.keys("q")
        anna.wait_gone("─ Help ─")
        anna.keys("a")
        anna.wait_text("^Address:$")
        anna.type("host:1")
        anna.wait_text("^Address: host:1$")
        anna.keys("F1")
        anna.wait_text("─ Help ─")
        anna.keys("Escape")
        anna.wait_gone("─ Help ─")
        anna.wait_text("^Address: host:1$")

    def test_bad_addresses(self):
        """What was typed stays, with the reason."""
        anna = Client(self)
        anna.wait_text("No server was found")
        anna.keys("a")
        for typed in ("127.0.0.1:port", "[::1", "a b", "127.0.0.1:99999"):
            anna.wait_text("^Address:$")
            anna.type(typed)
            anna.keys("Enter")
            anna.wait_text("is no address")
            anna.wait_text("^Address: " + typed.replace("[", r"\["))
            if typed == "[::1":
                anna.same("seek-bad-address")
            anna.keys("C-u")
        anna.keys("Escape")
        anna.wait_gone("^Address:")
        anna.keys("q")
        self.assertEqual(anna.wait_end(), 0)
        self.assertTrue(anna.restored())

    def test_unreachable(self):
        """Back to the list, with the address as it was typed and the reason."""
        anna = Client(self)
        anna.wait_text("No server was found")
        anna.keys("a")
        anna.wait_text("^Address:")
        anna.enter("127.0.0.1:1")
        anna.wait_text("cannot connect to 127.0.0.1:1: Connection refused")
        anna.wait_text("servers on this network")
        anna.wait_text("^Address: 127.0.0.1:1$")
        anna.wait_text("No server was found")
        anna.same("seek-unreachable")
        # A digit begins another address; the key for an address goes on with the one that is there.
        anna.keys("Escape")
        anna.wait_gone("^Address:")
        anna.type("127.0.0.1:2")
        anna.wait_text("^Address: 127.0.0.1:2$")
        anna.keys("Escape")
        anna.wait_gone("^Address:")
        anna.keys("a")
        anna.wait_text("^Address: 127.0.0.1:2$")

    def test_unreachable_operand(self):
        """A server that was named when starting is tried again and again, and says so; there is a
        way to the list."""
        anna = Client(self, "127.0.0.1:1")
        anna.wait_text("offline, next try in [0-9]+ s")
        anna.wait_text("/discover")
        anna.enter("/discover")
        anna.wait_text("servers on this network")

    def test_small(self):
        """The list at every size."""
        announced(self, "alpha")
        announced(self, "beta")
        anna = Client(self)
        anna.wait_text("^ beta ")
        anna.resize(40, 10)
        anna.wait_text("^ alpha")
        anna.same("seek-narrow")
        for columns, rows in ((20, 5), (10, 3), (3, 2), (1, 1), (200, 50)):
            anna.resize(columns, rows)
        anna.wait_text("2 servers")
        anna.resize(80, 24)
        anna.wait_text("2 servers")
        anna.keys("Enter")
        anna.wait_room()


class Leaving(Scenario):
    """Every way out leaves the terminal as it was."""

    def joined(self, *options, **more):
        self.server = Server(self, "--name", "alpha")
        anna = Client(self, self.server, "anna", *options, **more)
        anna.wait_room()
        self.assertEqual(anna.format("#{alternate_on}"), "1")
        return anna

    def ended(self, client, status=0):
        self.assertEqual(client.wait_end(), status)
        wait_for(client.restored, "the terminal to be restored", 5,
                 lambda: client.format("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"))

    def test_quit(self):
        anna = self.joined()
        anna.enter("/quit")
        self.ended(anna)

    def test_quit_is_seen(self):
        """The others see that somebody left, at once."""
        anna = self.joined()
        bob = Pipe(self, self.server, "bob")
        bob.wait_joined()
        anna.enter("/quit")
        bob.wait_event("part", **{"from": "anna"}, timeout=5)

    def test_keys(self):
        for key in ("C-d", "C-c"):
            with self.subTest(key=key):
                anna = self.joined()
                anna.keys(key)
                anna.wait_text("again")
                anna.keys(key)
                self.ended(anna)

    def test_half_a_line(self):
        """Ctrl-C empties the line first; Ctrl-Y brings it back."""
        anna = self.joined()
        anna.type("half a thought")
        anna.keys("C-c")
        anna.wait_input("")
        anna.keys("C-y")
        anna.wait_input("half a thought")

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number=number):
                anna = self.joined()
                os.kill(anna.pid(), number)
                self.assertIn(anna.wait_end(), (0, 128 + number))
                wait_for(anna.restored, "the terminal to be restored")

    def test_signal_in_the_list(self):
        anna = Client(self)
        anna.wait_text("No server was found")
        os.kill(anna.pid(), signal.SIGTERM)
        self.assertIn(anna.wait_end(), (0, 128 + signal.SIGTERM))
        wait_for(anna.restored, "the terminal to be restored")

    def test_keys_in_the_list(self):
        for key in ("q", "C-c"):
            with self.subTest(key=key):
                anna = Client(self)
                anna.wait_text("No server was found")
                anna.keys(key)
                self.ended(anna)

    def test_terminal_closed(self):
        """The terminal goes away: so does the client, in the list and in a room."""
        anna = self.joined()
        bob = Client(self, nick="bob")
        bob.wait_text("No server was found")
        for client in (anna, bob):
            pid = client.pid()
            client.run("kill-server")
            wait_for(lambda: gone(pid), "the client to end", 5)

    def test_server_killed_in_the_list(self):
        """A row goes, the client stays."""
        server = announced(self, "alpha")
        other = announced(self, "beta")
        anna = Client(self)
        anna.wait_text("2 servers")
        server.kill()
        anna.wait_gone("^ alpha ", 7)
        anna.wait_text("^ beta ")
        anna.wait_text("Choose|Enter joins it|One server")
        self.assertNotRegex(anna.text(), "Joining")
        other.kill()
        anna.wait_gone("^ beta ", 7)
        anna.wait_text("No server was found")
        anna.keys("q")
        self.ended(anna)

    def test_stop_and_go_on(self):
        """Ctrl-Z gives the shell its terminal back; fg draws everything again, with what was said
        meanwhile."""
        server = Server(self, "--name", "alpha")
        bob = Pipe(self, server, "bob")
        bob.wait_joined()
        shell = Tmux(self, env={"USER": "anna"})
        shell.wait_text("^[$#]")
        before = subprocess.check_output(["stty", "-F", shell.format("#{pane_tty}"), "-g"])
        shell.enter(f"{CLIENT} {server.address}")
        shell.wait_text("#lobby  online")
        shell.type("unfinished")
        shell.wait_text("^anna> unfinished")
        shell.keys("C-z")
        shell.wait_text("Stopped|Suspended")
        self.assertEqual(shell.format("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"), "0 1 0")
        stopped = subprocess.check_output(["stty", "-F", shell.format("#{pane_tty}"), "-g"])
        self.assertEqual(before, stopped)
        bob.say("said meanwhile")
        bob.wait_event("ack")
        shell.enter("fg")
        shell.wait_text("bob.* said meanwhile")
        shell.wait_text("^anna> unfinished")
        shell.keys("C-u")
        shell.enter("back again")
        bob.wait_event("message", text="back again")
        shell.enter("/quit")
        shell.wait_text("^[$#]$")
        self.assertEqual(shell.format("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"), "0 1 0")

    def test_resized_while_stopped(self):
        server = Server(self, "--name", "alpha")
        shell = Tmux(self, env={"USER": "anna"})
        shell.wait_text("^[$#]")
        shell.enter(f"{CLIENT} {server.address}")
        shell.wait_text("#lobby  online")
        shell.keys("C-z")
        shell.wait_text("Stopped|Suspended")
        shell.resize(100, 30)
        shell.enter("fg")
        shell.wait_text("#lobby  online")
        wait_for(lambda: len(shell.screen()) == 30 and shell.screen()[-1] == "anna>",
                 "the input line at the bottom", seen=shell.text)


class Terminals(Scenario):
    def test_unsuitable(self):
        """A line that says what to do, and nothing drawn."""
        for term, word in (("dumb", "--pipe"), (None, "TERM"), ("no-such-terminal", "TERM=")):
            with self.subTest(term=term):
                setting = [f"TERM={term}"] if term else []
                anna = Tmux(self, ["env", "-u", "TERM"] + setting + [CLIENT, "127.0.0.1:1"],
                            columns=120)
                self.assertEqual(anna.wait_end(), 1)
                said = [line for line in anna.screen() if line]
                self.assertEqual(len(said), 1, said)
                self.assertRegex(said[0], "^lanchat: .*" + word)
                self.assertTrue(anna.restored())

    def test_locale(self):
        """A locale without UTF-8: text is still UTF-8, and drawn where it belongs."""
        server = Server(self, "--name", "alpha")
        anna = Client(self, server, env={"LANG": "C", "LC_ALL": "C"})
        anna.wait_room()
        anna.enter("Привет, 世界")
        anna.wait_text("anna: Привет, 世界 +│")

    def test_trace(self):
        """On the screen it would garble everything: it says where to send it."""
        server = Server(self, "--name", "alpha")
        anna = Client(self, server, "anna", "--trace", columns=120)
        self.assertEqual(anna.wait_end(), 1)
        anna.wait_text("--trace.*2>")
        self.assertTrue(anna.restored())
        path = os.path.join(self.dir, "trace.txt")
        bob = Tmux(self, ["sh", "-c", f"exec {CLIENT} --trace {server.address} 2>{path}"],
                   env={"USER": "bob"})
        bob.wait_text("#lobby  online")
        bob.enter("hello")
        bob.wait_text("bob: hello")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.assertRegex(text, r"connect\(\d+, 127\.0\.0\.1")
        self.assertRegex(text, "(?m)^getaddrinfo")


if __name__ == "__main__":
    main()
