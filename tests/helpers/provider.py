"""An organisation's sign-in provider with planted faults: OpenID Connect on 127.0.0.1, with its own keys."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "tact-map", "kSxVgqyV2hWTv4tq"
ACCESS = """
[openid]
issuer = "{issuer}"
client_id = "tact-map"
client_secret_file = "client-secret"
title = "Example NGO"
organisation = "Example NGO"

[roles]
"tact officers" = "officer"
"tact managers" = "manager"
"tact partners" = "partner"
"""


@cache
def make_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


def write_access(folder: Path, issuer: str, text: str = ACCESS) -> Path:
    """Write access.toml and the secret of the client into a folder; return the path of access.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "client-secret").write_text(f"{SECRET}\n", encoding="utf-8")
    (folder / "access.toml").write_text(text.format(issuer=issuer), encoding="utf-8")
    return folder / "access.toml"


class FaultyProvider:
    """The answers of the provider. Tests change its attributes to plant a fault.

    claims : those about the person. change : a function that changes the claims of an ID token. sign : a function that
    returns the signed token for claims. pages : for a path, the (status, body) to send instead of the right answer, or
    a function that returns it; for "headers", further headers. asked : the paths of all requests so far.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.claims: dict[str, Any] = {"sub": "248289761001", "name": "Drita Marku", "groups": ["tact managers"]}
        self.change: Callable[[dict[str, Any]], object] = lambda claims: None
        self.key = make_key("first")
        self.published = [self.key]
        self.sign: Callable[[dict[str, Any]], str] = self.sign_rightly
        self.pages: dict[str, Any] = {}
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.about: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
        }

    def sign_rightly(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def sign_by_nothing(self, claims: dict[str, Any]) -> str:
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in ({"alg": "none", "kid": self.key.kid}, claims)
        )
        return f"{head}.{body}."

    def sign_by_public_key(self, claims: dict[str, Any]) -> str:
        """Return a token that is signed with the public key, as if this were a shared secret (HS256)."""
        key = OctKey.import_key(base64.urlsafe_b64encode(self.key.as_pem(private=False)).decode().rstrip("="))
        return jws.serialize_compact({"alg": "HS256", "kid": self.key.kid}, json.dumps(claims), key)

    def let_in(self, address: str) -> dict[str, str]:
        """Sign a person in at the provider; return the query parameters with which their browser is sent back."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        self.asked.append(path)
        if path in self.pages:
            page = self.pages[path]
            return page() if callable(page) else page
        if path == "/.well-known/openid-configuration":
            return 200, self.about
        if path == "/keys":
            return 200, {"keys": [key.as_dict(private=False) for key in self.published]}
        if path == "/token":
            return self._exchange(form, authorization)
        return 404, {}

    def _exchange(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        if authorization != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return 401, {"error": "invalid_client"}
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "Drita Marku did something"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= self.claims
        self.change(claims)
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)}


@contextmanager
def run_provider() -> Iterator[FaultyProvider]:
    """Run a provider on a free port until the `with` block ends, and yield it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            form = {name: values[-1] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            status, body = provider.answer(urlsplit(self.path).path, form, self.headers.get("authorization", ""))
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in provider.pages.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        provider = FaultyProvider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
