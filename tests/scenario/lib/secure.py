"""A peer made by hand, as in raw.py, that speaks TLS and has a key of its own."""

import hashlib
import os
import ssl
import subprocess

from .raw import Raw

# What comes before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo; RFC 8410.
SPKI = bytes.fromhex("302a300506032b6570032100")


class Key:
    """An Ed25519 key with its certificate, in files of the test's own."""

    def __init__(self, case):
        folder = os.path.join(case.dir, "keys")
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, f"{len(os.listdir(folder))}.pem")
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=peer",
             "-days", "2", "-keyout", "-", "-out", "-"],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        with open(self.path, "wb") as file:
            file.write(made.stdout)
        der = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"],
                             check=True, stdout=subprocess.PIPE, timeout=60).stdout
        assert der.startswith(SPKI), der
        self.person = hashlib.sha256(der).digest()


class Secure(Raw):
    """A TLS connection to a server, with a key (a new one unless it is given). What is needed to read
    along goes into the file `secrets`."""

    def __init__(self, case, server, key=None, secrets=None, **others):
        super().__init__(case, server, **others)
        self.key = key or Key(case)
        self.person = self.key.person
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(self.key.path)
        if secrets:
            context.keylog_filename = secrets
        self.socket = context.wrap_socket(self.socket)
        case.addCleanup(self.socket.close)

    def fill(self, deadline):
        if self.socket.pending():
            self.bytes += self.socket.recv(1 << 16)
            return True
        try:
            return super().fill(deadline)
        except ssl.SSLWantReadError:
            return True
        except ssl.SSLError as error:
            self.ended = str(error)
            return False
