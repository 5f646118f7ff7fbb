"""Hosts and switches made of network namespaces.

Nothing has a name outside: a host is a process that holds a network namespace open, and all is gone
when the test ends, however it ends. Without routes between them, hosts reach only what is on
the same switch.
"""

import contextlib
import ctypes
import os
import socket
import subprocess

from . import isolate
from .wait import wait_for

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class Host:
    """One machine. `prefix` executes a command on it."""

    def __init__(self, case, name):
        isolate.required()
        self.case = case
        self.name = name
        # The holder ends when its stdin does, so it cannot outlive this process.
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        case.addCleanup(self.remove)
        if self.holder.stdout.readline() != b"up\n":
            case.skipTest("no network namespaces here")
        self.namespace = f"/proc/{self.holder.pid}/ns/net"
        self.prefix = ["nsenter", f"--net={self.namespace}", "--"]

    def remove(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.kill()
        self.holder.wait()

    def run(self, *argv, check=True):
        """Run a command to its end; its stdout."""
        done = subprocess.run(self.prefix + list(argv), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)} on {self.name}: {done.stderr.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def inside(self):
        """This thread is on the host: sockets made meanwhile belong there for good."""
        with open("/proc/thread-self/ns/net", "rb") as back, open(self.namespace, "rb") as there:
            enter(there)
            try:
                yield
            finally:
                enter(back)

    def socket(self, *arguments):
        with self.inside():
            return socket.socket(*arguments)

    def up(self, interface):
        self.run("ip", "link", "set", interface, "up")

    def down(self, interface):
        self.run("ip", "link", "set", interface, "down")

    def link_local(self, interface):
        """Its usable IPv6 link-local address, waiting for it to stop being tentative."""
        def usable():
            shown = self.run("ip", "-6", "-o", "addr", "show", "dev", interface, "scope", "link")
            fields = shown.split()
            return fields[3].split("/")[0] if fields and "tentative" not in fields else None
        return wait_for(usable, f"a link-local address on {interface} of {self.name}")


def enter(namespace):
    if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Lan:
    """Hosts, and switches (Linux bridges, on a host of their own) that join them."""

    def __init__(self, case):
        self.case = case
        self.switches = Host(case, "switches")
        self.ports = 0

    def host(self, name):
        return Host(self.case, name)

    def switch(self, name):
        """A switch; returns its name, which is at most 15 characters long."""
        self.switches.run("ip", "link", "add", name, "type", "bridge", "forward_delay", "0")
        self.switches.up(name)
        return name

    def connect(self, host, switch, interface="eth0", address=None, quick=True):
        """A cable from the host's new `interface` to a switch. `address` is like "10.0.0.1/24";
        IPv6 link-local comes by itself, at once where `quick` (else after the usual second of
        duplicate detection)."""
        self.ports += 1
        port = f"port{self.ports}"
        self.switches.run("ip", "link", "add", port, "type", "veth", "peer", "name", interface,
                          "netns", str(host.holder.pid))
        self.switches.run("ip", "link", "set", port, "master", switch, "up")
        if quick:
            host.run("sh", "-c", f"echo 0 >/proc/sys/net/ipv6/conf/{interface}/accept_dad")
        if address:
            host.run("ip", "addr", "add", address, "brd", "+", "dev", interface)
        host.up(interface)
        wait_for(lambda: "state forwarding" in self.switches.run("ip", "-d", "-o", "link", "show", port),
                 f"{port} to forward")
        return port

    def unplug(self, port):
        """Pull the cable at the switch's end: the host sees the carrier go."""
        self.switches.down(port)

    def plug(self, port):
        self.switches.up(port)
