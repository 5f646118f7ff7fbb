#!/usr/bin/env python3
"""The page of a run of lanchat-lab: well-formed, whole, and of the same run as the JSON beside it."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as tree

from lib import main
from lib.lab import Lab

CHECKER = os.path.join(os.path.dirname(__file__), "..", "unit", "report_check.py")
FIRST, NOTABLE = 40, 30  # packets of a diagram


def text(element):
    return "".join(element.itertext())


def parts(root):
    """The elements below each <h2>, by its words."""
    found, now = {}, None
    for element in root.find("body/main"):
        if element.tag == "h2":
            now = found.setdefault(text(element), [])
        elif now is not None:
            now.append(element)
    return found


def tables(elements):
    """{caption: {row: cells}}"""
    return {text(table.find("caption")): {text(row[0]): [text(cell) for cell in row[1:]]
                                          for row in table.find("tbody")}
            for element in elements for table in element.iter("table")}


def figures(elements):
    return {text(figure.find("h3")): figure for element in elements
            for figure in element.iter("figure")}


class Pages(Lab):
    def check_counts(self, result, elements):
        """What the tables say is what the JSON says."""
        counted = tables(elements)
        packets = counted["Packets, both ways"]
        for row, name in (("sent", "sent"), ("arrived", "arrived"), ("lost", "lost"),
                          ("retransmissions", "retransmitted"), ("bytes", "bytes")):
            self.assertEqual(packets[row], [str(result[side]["wire"][name])
                                            for side in ("tcp", "udp")], row)
        if "Numbered messages" not in counted:
            self.assertEqual(result["tcp"]["sent"], 0)
            return
        for row, name in (("sent", "sent"), ("received", "received"), ("lost", "lost"),
                          ("received twice", "twice"), ("received after a later one", "late")):
            self.assertEqual(counted["Numbered messages"][row],
                             [str(result[side][name]) for side in ("tcp", "udp")], row)

    def check_diagrams(self, result, elements):
        """A packet for each that was on the wire, or the bound."""
        drawn = figures(elements)
        for side in ("TCP", "UDP"):
            wire = result[side.lower()]["wire"]
            figure = drawn[f"On the wire: {side}"]
            packets = [g for g in figure.iter("g") if g.get("class") == "packet"]
            lost = [g for g in packets if "dropped: " in g.find("title").text]
            if wire["sent"] <= FIRST + NOTABLE:
                self.assertEqual(len(packets), wire["sent"])
                self.assertEqual(len(lost), wire["lost"])
            else:
                self.assertLessEqual(len(packets), FIRST + NOTABLE)
                self.assertGreaterEqual(len(packets), FIRST)
                self.assertIn(f"of {wire['sent']} packets", text(figure.find("figcaption")))
                self.assertIn("left out", text(figure))
            self.assertEqual(sum(t.get("class") == "struck" for t in figure.iter("text")),
                             len(lost))

    def check_verdicts(self, result, elements):
        said = [text(p) for p in elements if p.tag == "p" and "verdict" in p.get("class", "")]
        self.assertEqual(len(said), len(result["checks"]))
        for check, words in zip(result["checks"], said):
            self.assertTrue(words.startswith("Passed:" if check["good"] else "Failed:"), words)
            self.assertIn(check["measured"], words)

    def check_times(self, elements):
        """A table and an assertion say the same of the same; and times have a unit."""
        row = tables(elements)["Numbered messages"]["half of them within, ms"]
        said = [text(p) for p in elements if p.tag == "p" and "half within" in text(p)]
        found = [re.search(r"(TCP|UDP): .*half within (\S+) ms", words).groups() for words in said]
        self.assertEqual(sorted(found), [("TCP", row[0]), ("UDP", row[1])])
        self.assertIn("milliseconds from the beginning", " ".join(map(text, elements)))

    def test_page(self):
        """Three scenarios; of each all that was asked for."""
        page, results = self.path("page.html"), self.path("results.json")
        # A hostile name in the command line, which is on the page.
        odd = self.path("<script>&\".pcapng")
        self.run_it("run", "boundaries", "loss", "blocking", "--count", "100", "--seed", "5",
                    "--report", page, "--json", results, "--pcap", odd, status=None)
        checked = subprocess.run([sys.executable, "-B", CHECKER, page], capture_output=True,
                                 text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        with open(results, encoding="utf-8") as f:
            all_of_them = json.load(f)["scenarios"]
        root = tree.parse(page).getroot()
        found = parts(root)
        self.assertIn("<script>&\"", text(root.find("body/main/pre")))
        self.assertEqual(list(found), ["1. Message boundaries", "4. Loss, order, duplication",
                                       "5. Head-of-line blocking", "In all"])
        for result in all_of_them:
            elements = found[f"{result['number']}. {result['title']}"]
            with self.subTest(result["name"]):
                self.check_counts(result, elements)
                self.check_diagrams(result, elements)
                self.check_verdicts(result, elements)
                plots = "How long each message took" in figures(elements)
                self.assertEqual(plots, result["name"] != "boundaries")
        self.check_times(found["4. Loss, order, duplication"])
        # Calls stand on their side.
        tcp, udp = [element for element in found["1. Message boundaries"]
                    if element.get("class") == "sides"][0]
        self.assertIn("accept(", text(tcp))
        self.assertNotIn("accept(", text(udp))
        self.assertEqual(text(udp).count("recvmsg("), 3)
        self.assertEqual(sorted(os.listdir(self.folder)),
                         sorted(["page.html", "results.json", os.path.basename(odd)]))

    def test_standard_output(self):
        out, _ = self.run_it("run", "zero", "--report", "-")
        root = tree.fromstring(out.removeprefix("<!DOCTYPE html>"))
        self.assertIn("3. Reading zero", parts(root))

    def test_loopback(self):
        """Without a wire there are no packets, and it says so."""
        page = self.path("page.html")
        self.run_it("run", "boundaries", "blocking", "--loopback", "--report", page, status=3)
        found = parts(tree.parse(page).getroot())
        self.assertFalse(figures(found["1. Message boundaries"]))
        self.assertIn("there is no wire", "".join(map(text, found["1. Message boundaries"])))
        self.assertIn("not shown", "".join(map(text, found["5. Head-of-line blocking"])))

    def test_refused(self):
        """What cannot be written, or not drawn, is told before anything is played."""
        out, err = self.run_it("run", "boundaries", "--report", self.path("no/page.html"), status=1)
        self.assertEqual(out, "")
        self.assertIn("cannot write", err)
        out, err = self.run_it("run", "boundaries", "--report", "x", "--json", "x", status=2)
        self.assertEqual((out, err), ("", "lanchat-lab: --json, --pcap and --report: not into the "
                                          "same file\n"))
        out, err = self.run_it("run", "boundaries", "--report", self.path("page.html"), status=2,
                               PATH="/nowhere")
        self.assertEqual(out, "")
        self.assertIn("gnuplot-nox", err)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    main()
