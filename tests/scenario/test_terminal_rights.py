#!/usr/bin/env python3
"""The client in a real terminal: operators, moderators, rooms that are locked, who somebody is."""

import os

from lib import Client, Scenario, Server, main, wait_for


class Rights(Scenario):
    def setUp(self):
        super().setUp()
        self.server = Server(self, "--name", "alpha")

    def client(self, nick, *options):
        home = os.path.join(self.dir, nick)  # a key of their own
        env = {f"XDG_{kind}_HOME": f"{home}/{kind}" for kind in ("DATA", "STATE", "CONFIG")}
        client = Client(self, self.server, nick, *options, env=env)
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
        anna.wait_text("anna: kick bob")

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
        with open(os.path.join(self.server.data, "operator-code"), encoding="utf-8") as file:
            code = file.read().strip()
        anna = self.client("anna")
        anna.enter(f"/op {code}")
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

    def test_operator(self):
        """By the code that the server printed."""
        with open(os.path.join(self.server.data, "operator-code"), encoding="utf-8") as file:
            code = file.read().strip()
        anna, bob = self.client("anna"), self.client("bob")
        anna.enter(f"/op {code}")
        anna.wait_text("Done")
        bob.enter("/whois anna")
        bob.wait_text("An operator of the server.")
        bob.wait_text("([a-z2-7]{4}-){7}")
        anna.enter("/kick -s bob")
        bob.wait_text("anna sent you off the server")
        anna.enter("/ban -s bob 1d")
        anna.enter("/mode -s")
        anna.wait_text("Banned: bob")


if __name__ == "__main__":
    main()
