#!/usr/bin/env python3
"""The client in a real terminal: operators, moderators, rooms that are locked, who somebody is."""

import os
import re

from lib import Client, Scenario, Server, main, wait_for


class Rights(Scenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self, "--name", "alpha")

    def client(self, nick, *options, **more):
        home = os.path.join(self.dir, nick)  # a key of their own
        env = {f"XDG_{kind}_HOME": f"{home}/{kind}" for kind in ("DATA", "STATE", "CONFIG")}
        client = Client(self, self.server, nick, *options, env=env, **more)
        client.wait_room()
        return client

    def test_a_room_of_ones_own(self):
        """Who makes a room looks after it."""
        anna, bob = self.client("anna"), self.client("bob")
        for one in (anna, bob):
            one.enter("/join den")
            one.wait_text("#den")
        anna.wait_text("│2 people")
        anna.enter("/mode")
        anna.wait_text("Owner: anna")
        bob.enter("/kick anna")
        bob.wait_text("you may not do that here")
        anna.enter("/mute bob 10m too loud")
        bob.wait_text("anna muted bob for 10 min: too loud")
        bob.enter("am I?")
        bob.wait_text("you are muted in this room")
        anna.enter("/unmute bob")
        bob.wait_text("anna lets bob speak again")
        anna.enter("/kick bob for a walk")
        bob.wait_text("You are no longer in this room: anna sent")
        anna.wait_text("│1 person")
        anna.enter("/mode key open sesame")
        anna.wait_text("locked the room with a key")
        bob.enter("/join den")
        bob.wait_text("type: /join den KEY")
        bob.enter("/join den open sesame")
        anna.wait_text("│2 people")
        anna.enter("/audit")
        anna.wait_text("anna sent bob out: for a walk")
        anna.wait_text("anna muted bob for 10 min: too loud")
        anna.wait_text("anna opened the room")

    def test_sent_out_is_told_once(self):
        anna, bob = self.client("anna"), self.client("bob")
        for one in (anna, bob):
            one.enter("/join den")
            one.wait_text("You are in #den")
        anna.wait_text("bob joined")
        anna.enter("/kick bob too loud")
        anna.wait_text("bob left +│")
        self.assertEqual(anna.text().count("sent bob out: too loud"), 1)
        bob.wait_text("no longer in this room")

    def refused(self, client, line, told):
        """The line does nothing but tell why, and stays, to be corrected."""
        client.enter(line)
        client.wait_text(told)
        client.wait_input(line)
        client.keys("C-u")
        client.wait_input("")

    def people(self, client, *wanted):
        """Until the list of members is this one, in this order."""
        count = f"{len(wanted)} {'person' if len(wanted) == 1 else 'people'}"
        def shown():
            rows = [line.rpartition("│")[2].rstrip() for line in client.screen()[1:-2]]
            return [row for row in rows if row] == [count, *wanted]
        wait_for(shown, f"the members {wanted}", 10, lambda: "\n" + client.text())

    def test_marks(self):
        """The list of members shows who is what, on each screen, as it changes; messages do not."""
        anna, bob, abel = self.client("anna"), self.client("bob"), self.client("abel")
        everybody = (anna, bob, abel)
        for one in everybody:
            self.people(one, "abel", "anna", "bob")
            one.enter("/join den")
            one.wait_text("You are in #den")
        for one in everybody:
            self.people(one, "&anna", " abel", " bob")
        anna.enter("/mod bob")
        for one in everybody:
            self.people(one, "&anna", "@bob", " abel")
        bob.enter("/voice abel")
        for one in everybody:
            self.people(one, "&anna", "@bob", "+abel")
        anna.enter("/nick zoe")
        for one in everybody:
            self.people(one, "&zoe", "@bob", "+abel")
        bob.enter("here I am")
        abel.wait_text(r"\d bob: here I am")
        bob.enter("/mute abel 4s")
        self.people(anna, "&zoe", "@bob", "-abel")
        self.people(abel, "&zoe", "@bob", "+abel")  # who is muted is for moderators to see
        self.people(anna, "&zoe", "@bob", "+abel")  # and ends by itself
        bob.enter("/unvoice abel")
        anna.enter("/own bob")
        for one in everybody:
            self.people(one, "&bob", " abel", " zoe")
        bob.enter("/part")
        self.people(anna, "abel", "zoe")  # nobody has a mark, and no column is kept for it

    def test_mark_of_an_operator(self):
        """In every room, before the other marks."""
        anna = self.client("anna")
        anna.enter(f"/op {self.code()}")
        self.people(anna, "*anna")
        bob = self.client("bob")
        for one in (anna, bob):
            self.people(one, "*anna", " bob")
        bob.enter("/join den")
        self.people(bob, "&bob")
        anna.enter("/join den")
        for one in (anna, bob):
            self.people(one, "*anna", "&bob")
        anna.enter("/help")
        anna.keys("End")
        anna.wait_text(r"\* +an operator of the server")

    def code(self):
        with open(os.path.join(self.server.data, "operator-code"), encoding="utf-8") as file:
            return file.read().strip()

    def test_operator(self):
        """By the code that the server printed, as people type it."""
        anna, bob = self.client("anna", columns=150), self.client("bob")
        self.refused(anna, f"/op {self.code()[:-1]}", "cannot be the code: it has 15 letters")
        self.refused(anna, f"/op {self.code()[:-1]}0", 'there is "0" in it')
        anna.enter("/op " + self.code().upper().replace("-", " "))
        anna.wait_text("You are an operator of the server now")
        bob.enter("/whois anna")
        bob.wait_text("An operator of the server.")
        bob.wait_text("([a-z2-7]{4}-){7}")
        anna.enter("/kick -s bob")
        anna.wait_text("bob was sent off the server")
        bob.wait_text("anna sent you off the server")
        anna.enter("/ban -s bob 1d")
        anna.wait_text(r"bob is banned from the server for 1 day, until \d{4}-\d\d-\d\d \d\d:\d\d\.")
        anna.enter("/mode -s")
        anna.wait_text("Banned: bob")

    def test_back_after_being_sent_away(self):
        """/connect alone tries again: after a kick, a ban that was lifted, and a wrong code."""
        anna, bob = self.client("anna"), self.client("bob", columns=150)
        anna.enter(f"/op {self.code()}")
        anna.wait_text("You are an operator")
        for do, undo in (("/kick -s bob", None), ("/ban -s bob", "/unban -s bob")):
            anna.enter(do)
            bob.wait_text("Cannot go on with this server")
            if undo:
                bob.enter("/clear")
                bob.enter("/connect")
                bob.wait_text("Cannot go on with this server: you are banned")
                anna.enter(undo)
                anna.wait_text("bob may come to the server again")
            bob.enter("/clear")
            bob.enter("/connect")
            bob.wait_room()
            bob.enter(f"back after {do[1:]}")
            anna.wait_text(f"bob: back after {do[1:]}")
        bob.enter("/op abcd-efgh-2345-ijkl")
        bob.wait_text("that is not the code")
        bob.enter("/clear")
        bob.enter("/connect")
        bob.wait_room()
        bob.enter("back again")
        anna.wait_text("bob: back again")

    def test_slips_of_the_fingers(self):
        """What was mistyped does nothing, and how it is written is told."""
        anna, bob = (self.client(nick, columns=150) for nick in ("anna", "bob"))
        for one in (anna, bob):
            one.enter("/join den")
            one.wait_text("You are in #den")
        self.people(anna, "&anna", " bob")
        for line, told in (
                ("/ban bob 2x noise", '"2x" is no time: write 30s, 10m, 2h'),
                ("/ban bob 0s", '"0s" is no time'),
                ("/ban bob -5m", '"-5m" is no time'),
                ("/ban bob 99999999999999d", "The longest is ten years"),
                ("/mode slow 4000", "1 to 3600"),
                ("/ban 10.0.0.0/99", '"10.0.0.0/99" is no range of addresses'),
                ("/ban 10.0.0/8", '"10.0.0/8" is no range of addresses'),
                ("/ban 0/0", '"0/0" is no range of addresses'),
                ("/mute -s bob", "/mute is about a room"),
                ("/mode -s open", "nothing is set by it"),
                ("/mode open wide", "Nothing follows /mode open"),
                ("/audit all", "Use it so: /audit [-s] [more]"),
        ):
            self.refused(anna, line, re.escape(told))
        anna.enter("/clear")
        anna.enter("/audit")
        anna.wait_text("owns it")
        self.assertNotIn("banned", anna.text())
        anna.enter("/mute bob 1h30m x")
        anna.wait_text("bob is muted in #den for 1 h 30 min, until")
        anna.enter("/clear")
        anna.enter("/mute bob -- 2x noise")
        anna.wait_text("bob is muted in #den for good")
        anna.enter("/mode")
        anna.wait_text(r"Muted: bob \(for good\)")
        anna.enter("/audit")
        anna.wait_text("anna muted bob for good: 2x noise")

    def test_nothing_to_do(self):
        """What is so already is not done again."""
        anna, bob = (self.client(nick, columns=150) for nick in ("anna", "bob"))
        for one in (anna, bob):
            one.enter("/join den")
            one.wait_text("You are in #den")
        self.people(anna, "&anna", " bob")
        anna.enter("/own anna")
        anna.wait_text("You own #den already")
        anna.enter("/mod bob")
        self.people(anna, "&anna", "@bob")
        anna.enter("/mod bob")
        anna.wait_text("bob is a moderator of #den already")
        anna.enter("/unmod bob")
        anna.enter("/mod bob")  # nothing is taken for known while the other one is on its way
        anna.enter("/clear")
        anna.enter("/audit")
        anna.wait_text(r"(?s)made bob a moderator no longer.*made bob a moderator *│")
        self.people(anna, "&anna", "@bob")

    def test_pages_of_the_audit(self):
        """/audit more goes on before what was shown, up to the beginning."""
        anna = self.client("anna", columns=150)
        anna.enter("/join den")
        anna.wait_text("You are in #den")
        for seconds in range(1, 36):
            anna.enter(f"/mode slow {seconds}")
            anna.wait_text(f"slow mode: a message every {seconds} s")
        anna.enter("/clear")
        anna.enter("/audit")
        anna.wait_text("There is more from before that: /audit more")
        anna.enter("/clear")
        anna.enter("/audit more")
        text = anna.wait_text(r"(?s)owns it.*a message every 5 s")  # the first and the last of them
        for seconds in range(1, 36):
            shown = f"a message every {seconds} s" in text
            self.assertEqual(shown, seconds <= 5, f"{seconds}: {text}")
        self.assertNotIn("There is more", text)
        self.refused(anna, "/audit more", "That was all; /audit begins again with the newest")

    def test_completion(self):
        """Tab knows what a command takes, and who is on a list."""
        anna = self.client("anna", columns=150)
        self.client("bob")
        self.people(anna, "anna", "bob")
        anna.enter("/join den")
        anna.wait_text("You are in #den")
        anna.enter("/ban 10.9.0.0/16")
        anna.wait_text("10.9.0.0/16 is banned from #den for good")
        def complete(line, wanted):
            anna.type(line)
            anna.keys("Tab")
            anna.wait_input(wanted)
            anna.keys("C-u")
            anna.wait_input("")
        complete("/mode mod", "/mode moderated")
        complete("/mode moderated o", "/mode moderated on")
        complete("/kick -", "/kick -s")
        complete("/invite b", "/invite bob")
        anna.enter("/mode")
        anna.wait_text("Banned: 10.9.0.0/16")
        complete("/unban 1", "/unban 10.9.0.0/16")


if __name__ == "__main__":
    main()
