"""A passkey in software, which answers as a browser does."""

import base64
import json
import os
import struct
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256


def encode(value):
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


class SoftPasskey:
    """A key pair for one origin. `counter` is the number of uses that it reports; None if it does not count them."""

    def __init__(self, origin, counter=0):
        self.origin, self.counter = origin, counter
        self.id, self.key = os.urandom(16), ec.generate_private_key(ec.SECP256R1())

    def make(self, options, **change):
        """Return the answer to options for making a passkey; `change` replaces entries of the browser's client data."""
        options = json.loads(options)
        numbers = self.key.public_key().public_numbers()
        point = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        stored = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps({1: 2, 3: -7, -1: 1, **point})
        data = self._describe(options["rp"]["id"], 0x45) + stored
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._say("webauthn.create", options, change)
        return self._answer(clientDataJSON=client_data, attestationObject=attestation)

    def sign(self, options, **change):
        """Return the answer to options for signing in; `change` replaces entries of the browser's client data."""
        options = json.loads(options)
        if self.counter is not None:
            self.counter += 1
        data, client_data = self._describe(options["rpId"], 0x05), self._say("webauthn.get", options, change)
        signature = self.key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=client_data, authenticatorData=data, signature=signature)

    def _describe(self, host, flags):
        return sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.counter or 0)

    def _say(self, kind, options, change):
        client_data = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(client_data | change).encode()

    def _answer(self, **response):
        about = {"id": encode(self.id), "rawId": encode(self.id), "type": "public-key", "clientExtensionResults": {}}
        return json.dumps(about | {"response": {name: encode(value) for name, value in response.items()}})
