"""Send requests to an ASGI application in this process."""

import asyncio
import gzip
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        plain = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(plain)


async def ask_inside(application, address, method="GET", **headers):
    """Send a request for an address (absolute, or a path) and return the answer.

    headers : names are written with `_` instead of `-`.
    """
    sent, asked = [], urlsplit(address)
    listed = {"host": asked.netloc or "map.test", **{name.replace("_", "-"): v for name, v in headers.items()}}
    scope = {"type": "http", "http_version": "1.1", "scheme": asked.scheme or "http", "method": method}
    scope |= {"path": unquote(asked.path), "query_string": asked.query.encode(), "root_path": ""}
    scope |= {"headers": [(name.encode(), value.encode("latin-1")) for name, value in listed.items()]}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    return Answer(
        sent[0]["status"], Headers(raw=sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent)
    )


def ask(application, address, method="GET", **headers):
    """Send a request as `ask_inside` does, from code that runs in no event loop."""
    return asyncio.run(ask_inside(application, address, method, **headers))
