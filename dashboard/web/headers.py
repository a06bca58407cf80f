"""The headers of every answer of the web process."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.web.admission import CLOSED
from dashboard.web.conversations import MEDIA

_COMPONENTS = "/component/"
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_NEVER_KEPT = ("text/html", "application/json")
# Anybody with a session may send files here, even if no page asks for one, and they stay in memory without limit.
_UPLOADS = "/_stcore/upload_file/"


def _format_policy(**sources: str) -> str:
    base = {
        "default-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    named = {name.replace("_", "-"): value for name, value in sources.items()}
    return "; ".join(f"{name} {value}" for name, value in {**base, **named}.items())


def make_page_policy() -> str:
    """Return the content security policy of a page: this origin, no inline script, no frame around it."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    bodies = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digests = [hashlib.sha256(body.encode()).digest() for body in bodies]
    return _format_policy(
        script_src=" ".join(["'self'", *[f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]]),
        worker_src="'self' blob:",
        frame_src="'self'",
        frame_ancestors="'none'",
    )


class SecurityHeaders:
    """Middleware that sets the headers, and hides addresses of Streamlit that nobody needs.

    Caches must not store answers with numbers. `uploads` says whether any page accepts files; if not, nobody can send
    a file.
    """

    def __init__(self, app: ASGIApp, *, uploads: bool) -> None:
        self._app, self._hidden = app, CLOSED if uploads else (*CLOSED, _UPLOADS)
        self._page = make_page_policy()
        # The map's frame: streamlit-folium passes its script as text and evaluates it.
        self._component = _format_policy(script_src="'self' 'unsafe-inline' 'unsafe-eval'", frame_ancestors="'self'")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add headers to its answer. For a hidden address the answer is 404."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._set(MutableHeaders(scope=message), scope["path"])
            await send(message)

        # Under any base path. A route of our own may not take the place of one of Streamlit's.
        is_hidden = any(part in scope["path"] for part in self._hidden)
        answer = PlainTextResponse("Not found.\n", status_code=404) if is_hidden else self._app
        await answer(scope, receive, with_headers)

    def _set(self, headers: MutableHeaders, path: str) -> None:
        # The pages of the door bring a policy of their own, which is stricter.
        if "content-security-policy" not in headers:
            headers["Content-Security-Policy"] = self._component if path.startswith(_COMPONENTS) else self._page
            headers["Referrer-Policy"] = "no-referrer"
        for name, value in _COMMON.items():
            headers[name] = value
        kind = headers.get("content-type", "").partition(";")[0]
        # Streamlit says nothing of files of a page, and caches would keep them.
        is_file = MEDIA in path
        if is_file or (kind in _NEVER_KEPT and "max-age" not in headers.get("cache-control", "")):
            headers["Cache-Control"] = "no-store"
