#!/usr/bin/env python3
"""Attempts to fill the server, to stop it or to turn it against others, by one who plays by the
letter of the protocol or ignores it."""

from lib import Raw, SLOW, Scenario, Server, main, wire


def settle(raw, data):
    """Send all of `data` while reading what is answered, until the server has acted on it."""
    token = 0x5e771ed
    mark = wire.encode("PONG", token=token)
    left = memoryview(data + wire.encode("PING", token=token))
    tail = b""
    raw.socket.settimeout(0.05)
    try:
        while left or mark not in tail:
            if left:
                try:
                    left = left[raw.socket.send(left[:1 << 16]):]
                except TimeoutError:
                    pass
            try:
                got = raw.socket.recv(1 << 18)
                if not got:
                    raise AssertionError("the server closed the connection")
                tail = tail[-len(mark):] + got
            except TimeoutError:
                pass
    finally:
        raw.socket.settimeout(10 * SLOW)


class Greed(Scenario):
    """One peer takes as much as it can get of what belongs to all."""

    def peer(self, server, nick):
        raw = Raw(self, server)
        raw.login(nick)
        return raw

    def test_all_rooms(self):
        """A word in as many rooms as there may be: others still open rooms of their own."""
        server = Server(self, "--max-rooms", "50")
        greedy = self.peer(server, "greedy")
        settle(greedy, b"".join(
            wire.encode("JOIN", tag=i, room=f"room{i}") +
            wire.encode("SAY", counter=i, room=f"room{i}", text="mine") +
            wire.encode("PART", tag=i, room=f"room{i}") for i in range(1, 101)))
        anna = self.peer(server, "anna")
        anna.join("lobby")
        anna.expect("ACK", counter=anna.say("still possible"))
        # What was said in a room that made way is not lost.
        tag = anna.request("JOIN", room="room1", replay=10)
        self.assertEqual(anna.expect("JOINED", tag=tag)["last"], 1)
        self.assertEqual(anna.expect("SAID", room="room1")["text"], "mine")


if __name__ == "__main__":
    main()
