"""A browser that talks to the door (sign-in) of a map directly, without a server."""

import asyncio
import re
from html import unescape
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from dashboard.site.reader import HEADER
from dashboard.web.door import Door
from tests.helpers.accounts import PASSPHRASE

HOST = "map.example.org"
ORIGIN = f"https://{HOST}"
OWN = "127.0.0.1:8642"


class Browser:
    """An imitation of a browser that sends requests to a `Door` of its own.

    It keeps cookies, follows no redirects, and sends the hidden fields of the last page with each form.
    """

    def __init__(self, accounts, *, is_encrypted=True, host=HOST, provider=None):
        async def inside(scope, receive, send):
            words = f"inside {Headers(scope=scope).getlist(HEADER)}"
            await PlainTextResponse(words)(scope, receive, send)

        hosts = [HOST] if is_encrypted else [OWN]
        self.door = Door(inside, accounts, hosts, [OWN], 8642, is_encrypted=is_encrypted, provider=provider)
        self.host, self.origin = host, f"{'https' if is_encrypted else 'http'}://{host}"
        self.cookies, self.page, self.languages, self.is_gone = {}, "", None, False

    def ask(self, path="/", method="GET", form=None, kind="http", client="198.51.100.7", **headers):
        sent, asked = [], urlsplit(self.origin + path)
        listed = {"host": self.host, "accept": "text/html", **{n.replace("_", "-"): v for n, v in headers.items()}}
        listed.setdefault("accept-language", self.languages)
        if self.cookies:
            listed["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = urlencode(form or {}).encode()
        scope = {
            "type": kind,
            "scheme": {"http": "http", "websocket": "ws"}[kind],
            "method": method,
            "path": asked.path,
        }
        scope |= {"query_string": asked.query.encode(), "client": (client, 1), "root_path": ""}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in listed.items() if value is not None]

        async def run():
            async def receive():
                if self.is_gone:
                    return {"type": "http.disconnect"}
                return {"type": "http.request", "body": body, "more_body": False}

            async def send(message):
                sent.append(message)

            await self.door(scope | {"headers": raw}, receive, send)

        asyncio.run(run())
        if "status" not in sent[0]:
            return SimpleNamespace(status=sent[0]["type"], headers=Headers(), text="")
        headers = Headers(raw=sent[0]["headers"])
        for cookie in headers.getlist("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        text = b"".join(message.get("body", b"") for message in sent).decode()
        self.page = text or self.page
        return SimpleNamespace(status=sent[0]["status"], headers=headers, text=text)

    def send(self, path, origin="own", **fields):
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', unescape(self.page)))
        return self.ask(path, "POST", hidden | fields, origin=self.origin if origin == "own" else origin)

    def sign_in(self, member, now, passphrase=PASSPHRASE, **fields):
        now[0] += 60
        return self.send(
            "/sign-in", **({"name": member.name, "passphrase": passphrase, "code": member.make_code(now[0])} | fields)
        )
