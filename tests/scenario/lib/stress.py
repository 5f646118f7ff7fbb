"""lanchat-stress in a test."""

import contextlib
import json
import os
import socket
import subprocess
import threading

from .case import Scenario
from .wait import BUILD

STRESS = os.path.join(BUILD, "lanchat-stress")
SOUND = {"lost": 0, "doubled": 0, "reordered": 0, "foreign": 0, "disconnected": 0}


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        return [int(word) for word in f.read().split()]


def server_below(pid, threads=10):
    """The process below it, at any depth, that has as many threads; None while there is none."""
    for child in children(pid):
        if len(os.listdir(f"/proc/{child}/task")) > threads:
            return child
        if found := server_below(child, threads):
            return found
    return None


class Stress(Scenario):
    longest = 100

    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.dir, "files")
        os.mkdir(self.folder)

    def start(self, *options, **environment):
        """The tool with options, on a server of its own unless they name one."""
        process = subprocess.Popen([STRESS, *options], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "TMPDIR": self.folder, **self.sanitizer_options(),
                                        **environment})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def run_it(self, *options, status=0, **environment):
        process = self.start(*options, **environment)
        out, err = process.communicate(timeout=90)
        self.assertEqual(process.returncode, status, out + err)
        return out, err

    def measure(self, *options, status=0, **environment):
        """What it says as JSON."""
        out, err = self.run_it("--json", "-", *options, status=status, **environment)
        try:
            return json.loads(out)
        except ValueError:
            self.fail(out + err)

    def listen_to(self, greeting, word, answer):
        """The port of a server that greets, answers once it has heard a word, and then reads no more."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.addCleanup(listener.close)

        def serve(peer):
            heard = b""
            with contextlib.suppress(OSError):
                peer.sendall(greeting)
                while word not in heard:
                    heard += peer.recv(4096) or word
                peer.sendall(answer)

        def take():
            with contextlib.suppress(OSError):
                while True:
                    peer = listener.accept()[0]
                    self.addCleanup(peer.close)
                    threading.Thread(target=serve, args=(peer,), daemon=True).start()
        threading.Thread(target=take, daemon=True).start()
        return listener.getsockname()[1]

    def sound(self, result):
        self.assertEqual({name: result[name] for name in SOUND}, SOUND)
        self.assertGreater(result["sent"], 0)
