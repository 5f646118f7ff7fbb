"""The servers that are compared: how each is started on a port of loopback, without limits of its own,
as far as it has any, and without keeping anything."""

import os
import re
import shutil
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("LANCHAT_BUILD", "build"))

NGIRCD = """
[Global]
Name = bench.invalid
Listen = 127.0.0.1
Ports = {port}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
PingTimeout = 3600
PongTimeout = 3600
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""

INSPIRCD = """
<server name="bench.invalid" description="bench" network="bench" id="00B">
<admin name="bench" email="bench@bench.invalid" nick="bench">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="600" pingfreq="3600" hardsendq="67108864" softsendq="67108864"
 recvq="67108864" localmax="20000" globalmax="20000" maxchans="100" useident="no" resolvehostnames="no"
 fakelag="no" commandrate="1000000000" threshold="1000000000" limit="20000">
<options allowmismatch="yes" defaultmodes="n">
<performance netbuffersize="65534" softlimit="20000" somaxconn="4096">
<security hidesplits="no">
<limits maxnick="64" maxchan="64">
<channels users="100">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/log">
<pid file="{folder}/pid">
"""


NATS = """
host: 127.0.0.1
port: {port}
max_pending: 1073741824
max_connections: 65536
"""


def port_that_is_free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peer:
    """A server that is not ours. `program` and what its --version prints; `arguments(folder, port)`."""

    def __init__(self, name, program, protocol, arguments, *options):
        self.name, self.program, self.arguments = name, program, arguments
        self.options = ["--protocol", protocol, "--plaintext", *options]

    def path(self):
        return shutil.which(self.program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")

    def version(self):
        out = subprocess.run([self.path(), "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"[\d.]+\d", out.stdout + out.stderr)
        return found.group(0) if found else "?"

    def start(self, folder):
        """(its process, where it is)."""
        port = port_that_is_free()
        with open(os.path.join(folder, "output"), "wb") as output:
            process = subprocess.Popen([self.path(), *self.arguments(folder, port)], cwd=folder,
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process, f"127.0.0.1:{port}"
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    with open(os.path.join(folder, "output"), encoding="utf-8") as f:
                        raise SystemExit(f"{self.name} did not start: {f.read()[-500:]}") from None
                time.sleep(0.02)


class Lanchat:
    """Ours, started by the tool itself."""

    program = "lanchatd"

    def __init__(self, name="lanchat", history="off", tls=False):
        self.name = name
        self.options = ["--local", "--history", history, *([] if tls else ["--plaintext"])]

    @staticmethod
    def path():
        return os.path.join(BUILD, "lanchatd")

    def version(self):
        out = subprocess.run([self.path(), "--version"], capture_output=True, text=True, check=True)
        return out.stdout.split()[-1]


def config(name, text):
    def arguments(folder, port):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.format(port=port, folder=folder))
        os.chmod(folder, 0o777)  # some of them become another user
        os.chmod(path, 0o644)
        return [path]
    return arguments


def ngircd(folder, port):
    return ["-n", "-f", *config("ngircd.conf", NGIRCD)(folder, port)]


def inspircd(folder, port):
    return ["--nofork", "--runasroot", "--nolog", "--config",
            *config("inspircd.conf", INSPIRCD)(folder, port)]


def redis(folder, port):
    return ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--maxclients", "20000", "--client-output-buffer-limit", "pubsub 0 0 0", "--dir", folder]


def nats(folder, port):
    return ["-c", *config("nats.conf", NATS)(folder, port)]


OTHERS = [
    Peer("redis", "redis-server", "redis", redis),
    Peer("inspircd", "inspircd", "irc", inspircd),
    Peer("ngircd", "ngircd", "irc", ngircd, "--connecting", "8"),  # it lets 10 wait
    Peer("nats", "nats-server", "nats", nats),
]
