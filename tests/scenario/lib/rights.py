"""Somebody with a key, and what they may do: the ground of the scenarios about rights."""

import os

from lib.case import Scenario
from lib.secure import Key, Secure
from lib.server import Server
from lib.wire import CODES, VERBS

OPEN, KEY, INVITED = range(3)
OWNER, MODERATOR, VOICE, GUEST, BANNED, MUTED = range(6)


class Person:
    """Somebody with a key, on as many connections as they like."""

    def __init__(self, case, server, nick, key=None, **others):
        self.case, self.server, self.nick, self.others = case, server, nick, others
        self.key = key or Key(case)
        self.peer = Secure(case, server, key=self.key, **others)
        self.welcome = self.peer.login(nick)

    def again(self, server=None):
        """Another connection of the same key."""
        return Person(self.case, server or self.server, self.nick, self.key, **self.others)

    def act(self, verb, label="", room="den", value=0, text="", code=None):
        """Do something; with `code`, the error that has to come."""
        tag = self.peer.request("ACT", room=room, verb=VERBS[verb], label=label, value=value,
                                text=text)
        return self.outcome("DONE", tag, code)

    def outcome(self, name, tag, code):
        if code is None:
            return self.peer.expect(name, tag=tag)
        error = self.peer.expect("ERROR", tag=tag)
        self.case.assertEqual(error["code"], CODES[code], error)
        return error

    def join(self, room="den", code=None, replay=0):
        return self.outcome("JOINED", self.peer.request("JOIN", room=room, replay=replay), code)

    def unlock(self, key, room="den", code=None):
        return self.outcome("DONE", self.peer.request("UNLOCK", room=room, key=key), code)

    def says(self, text, room="den", code=None):
        """Say something; it is kept, or refused."""
        counter = self.peer.say(text, room)
        if code is None:
            return self.peer.expect("ACK", counter=counter)
        refused = self.peer.expect("REFUSED", counter=counter)
        self.case.assertEqual(refused["code"], CODES[code], refused)
        return refused

    def whois(self, nick):
        return self.peer.expect("PERSON", tag=self.peer.request("WHOIS", nick=nick))

    def charter(self, room="den"):
        return self.peer.expect("CHARTER_IS", tag=self.peer.request("CHARTER", room=room))

    def standings(self, kind, room="den"):
        return sorted(s["label"] for s in self.charter(room)["standings"] if s["kind"] == kind)

    def audit(self, room="den", code=None):
        got = self.outcome("AUDIT_PAGE", self.peer.request("AUDIT", room=room), code)
        return [(a["nick"], a["verb"], a["label"]) for a in got.get("acts", [])]

    def rooms(self):
        tag = self.peer.request("ROOMS")
        return sorted(r["name"] for r in self.peer.expect("ROOM_LIST", tag=tag)["rooms"])


class Rights(Scenario):
    def serve(self, *options, **more):
        return Server(self, *options, **more)

    def operator(self, server, nick="root"):
        """Somebody who shows the server's code."""
        with open(os.path.join(server.data, "operator-code"), encoding="utf-8") as file:
            code = file.read().strip()
        person = Person(self, server, nick)
        person.act("op", room="", text=code)
        return person

    def refused(self, server, nick, code, key=None, flags=0, **others):
        """A login that is refused."""
        peer = Secure(self, server, key=key, **others)
        welcome = peer.hello()
        tag = peer.request("LOGIN", person=peer.person, instance=peer.instance,
                           log=welcome["log"], flags=flags, nick=nick)
        peer.error = peer.expect("ERROR", tag=tag)
        self.assertEqual(peer.error["code"], CODES[code], peer.error)
        return peer
