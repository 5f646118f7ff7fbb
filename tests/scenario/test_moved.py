#!/usr/bin/env python3
"""A server that was found comes back somewhere else: its clients go on with it there, and with nobody
else who says that they are it."""

import json
import os
import subprocess

from lib import Lan, Pipe, Program, Scenario, Server, beacon, main, wait_for
from lib.wait import BUILD


class Moved(Scenario):
    def setUp(self):
        super().setUp()
        self.lan = Lan(self)
        self.switch = self.lan.switch("switch")
        self.hosts = {}
        for number, name in enumerate(("anna", "bob", "eve"), 1):
            host = self.hosts[name] = self.lan.host(name)
            self.lan.connect(host, self.switch, address=f"10.1.0.{number}/24")
        self.data = None

    def serve(self, listen="0.0.0.0:0", **more):
        """The same server each time, on anna's machine."""
        server = Server(self, "--name", "annas", listen=(listen,), beacon=True, data=self.data,
                        host=self.hosts["anna"], **more)
        self.data = server.data
        return server

    def join(self):
        client = Pipe(self, None, "bob", "--timeout", "60", host=self.hosts["bob"])
        client.wait_joined()
        self.talk(client, "before")
        return client

    @staticmethod
    def talk(client, text):
        """Something is said, and kept."""
        client.say(text)
        client.wait_event("message", text=text, timeout=40)

    def test_another_port(self):
        server = self.serve()
        client = self.join()
        server.kill()
        again = self.serve()
        self.assertNotEqual(again.port, server.port)
        self.talk(client, "at another port")
        # And once more: it is the new place that is known now.
        again.stop()
        self.serve()
        self.talk(client, "at a third one")

    def test_another_address(self):
        server = self.serve()
        client = self.join()
        server.kill()
        host = self.hosts["anna"]
        host.run("ip", "addr", "del", "10.1.0.1/24", "dev", "eth0")
        host.run("ip", "addr", "add", "10.1.0.77/24", "dev", "eth0")
        self.serve(f"0.0.0.0:{server.port}")
        self.talk(client, "at another address")

    def test_somebody_else(self):
        """Whoever announces themselves as the server is not talked to, and keeps nobody from it."""
        server = self.serve()
        client = self.join()
        found = Program(self, [os.path.join(BUILD, "lanchat"), "--discover", "--json"], host=self.hosts["bob"],
                        stdin=subprocess.DEVNULL)
        found.wait()
        key = bytes.fromhex(json.loads(found.read()[0])["id"])
        false = Server(self, "--log-level", "debug", listen=("0.0.0.0:0",), host=self.hosts["eve"])
        station = beacon.Station(self, self.hosts["eve"])
        server.kill()
        packet = beacon.announcement("annas", port=false.port, server=key)

        def tried():
            station.broadcast(packet, "10.1.0.255")
            return any("where another server is" in (e["text"] or "") for e in client.of("status"))

        wait_for(tried, "the false one to be seen through", 40, client.tail)
        self.assertTrue(client.running())
        self.assertEqual(false.stderr().count("logged in"), 0)
        self.serve(f"0.0.0.0:{server.port}")
        self.talk(client, "back where it was")


if __name__ == "__main__":
    main()
