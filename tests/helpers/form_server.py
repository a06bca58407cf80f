"""A server of forms for tests: it speaks the API of ODK Central or KoboToolbox as documented and holds ciphertext only.

Submissions are encrypted here as ODK Collect does; what opens them is tested against those of others
(tests/data/restricted/forms/test_opening.py).
"""

import hashlib
import json
import os
import re
import threading
import uuid
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

_OAEP = OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None)


def encrypt(public, form, answers):
    """Return the number, the envelope and the encrypted file of a submission."""
    number, secret = f"uuid:{uuid.uuid4()}", os.urandom(32)
    fields = "".join(f"<{name}>{text}</{name}>" for name, text in answers.items())
    plain = f'<data id="{form}"><start/>{fields}<meta><instanceID>{number}</instanceID></meta></data>'.encode()
    vector = bytearray(hashlib.md5(number.encode() + secret).digest())
    vector[0] = (vector[0] + 1) % 256
    cipher, padder = Cipher(AES(secret), CFB(bytes(vector))).encryptor(), PKCS7(128).padder()
    content = cipher.update(padder.update(plain) + padder.finalize())
    key = b64encode(public.encrypt(secret, _OAEP)).decode()
    source = f"{form}\n1\n{key}\n{number}\nsubmission.xml::{hashlib.md5(plain).hexdigest()}\n"
    signature = b64encode(public.encrypt(hashlib.md5(source.encode()).digest(), _OAEP)).decode()
    envelope = (
        f'<data xmlns="http://opendatakit.org/submissions" id="{form}" version="1" encrypted="yes">'
        f"<base64EncryptedKey>{key}</base64EncryptedKey>"
        f'<meta xmlns="http://openrosa.org/xforms"><instanceID>{number}</instanceID></meta>'
        "<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>"
        f"<base64EncryptedElementSignature>{signature}</base64EncryptedElementSignature></data>"
    )
    return number, envelope.encode(), content


@contextmanager
def serve_forms(submissions, login):
    """Yield the base address of a server with these submissions (number, envelope, encrypted file or None)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, content = self.answer()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def answer(self):
            path = unquote(self.path)
            wanted = f"Token {login}" if path.startswith("/api") else f"Basic {b64encode(login.encode()).decode()}"
            if self.headers["Authorization"] != wanted:
                return 401, b""
            if path.startswith("/v1/projects/1/forms/tact_encounter/submissions"):
                rest = path.removeprefix("/v1/projects/1/forms/tact_encounter/submissions").strip("/")
                if not rest:
                    return 200, json.dumps([{"instanceId": number} for number, _, _ in submissions]).encode()
                return self.find({number: (e, c) for number, e, c in submissions}, rest)
            if page := re.fullmatch(r"/api/v2/assets/aXY/data\.json\?limit=(\d+)&start=(\d+)", path):
                size, start = map(int, page.groups())
                entries = [
                    {
                        "_id": n,
                        "_attachments": [{"id": 1, "filename": "u/attachments/x/submission.xml.enc"}] if c else [],
                    }
                    for n, (_, _, c) in enumerate(submissions)
                ]
                return 200, json.dumps({"count": len(entries), "results": entries[start : start + size]}).encode()
            rest = path.removeprefix("/api/v2/assets/aXY/data/")
            return self.find({str(n): (e, c) for n, (_, e, c) in enumerate(submissions)}, rest)

        def find(self, known, rest):
            number, _, file = rest.removesuffix(".xml").partition("/")
            envelope, content = known.get(number, (b"", b""))
            if file:
                envelope = content if file in ("attachments/submission.xml.enc", "attachments/1/") else b""
            return (200, envelope) if envelope else (404, b"")

        def log_message(self, *_):
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
