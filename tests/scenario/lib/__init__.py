"""Scenarios: tests that drive the real programs.

A test file is a unittest module that begins and ends like this:

    from lib import Pipe, Scenario, Server, main

    class Chat(Scenario):
        def test_two_people(self):
            server = Server(self)
            ...

    if __name__ == "__main__":
        main()

Every file runs in namespaces of its own (isolate.py), so nothing that a test sends can leave the
machine and two runs can go side by side. LANCHAT_BUILD names the folder with the programs, so the
same tests run against sanitized ones. What is waited for is a condition with a deadline, never a
fixed time.
"""

from .case import PlainScenario, Scenario, brief, main
from .lan import Host, Lan
from .pipe import Pipe
from .process import Program
from .raw import Raw
from .screens import Client, Screen
from .server import Server
from .tmux import Tmux
from .wait import BUILD, SLOW, wait_for
from . import wire

__all__ = ["BUILD", "Client", "Host", "Lan", "Pipe", "PlainScenario", "Program", "Raw", "SLOW", "Scenario",
           "Screen", "Server", "Tmux", "brief", "main", "wait_for", "wire"]
