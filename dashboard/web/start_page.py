"""The page that a browser loads first, with the product's style and script; and the answer to unknown paths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import streamlit
from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.site.text import LANGUAGE_NAMES, _, html, join_markup, speak

_ASSETS = Path(__file__).resolve().parents[2] / "static"
_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
_FRAMES = "/component/"


@lru_cache(maxsize=8)
def _name_asset(name: str) -> str:
    digest = hashlib.sha256((_ASSETS / name).read_bytes()).hexdigest()[:8]
    return f"./assets/{name}?v={digest}"


@lru_cache(maxsize=8)
def make_start_page(language: str) -> str:
    """Return Streamlit's own page with the product's name, language, style and script.

    The style comes last, so that it wins over Streamlit's; the script comes first, so that it sees each step.
    """
    page = _INDEX.read_text(encoding="utf-8")
    for old, new in (
        ("<title>Streamlit</title>", f'<title>TACT Map</title><script src="{_name_asset("shell.js")}"></script>'),
        ('<html lang="en">', f'<html lang="{language}">'),
        ("</body>", f'<link rel="stylesheet" href="{_name_asset("theme.css")}"></body>'),
    ):
        if old not in page:
            msg = f"Streamlit's page has changed: it has no {old}."
            raise RuntimeError(msg)
        page = page.replace(old, new)
    return page


def make_unknown_page(language: str, pages: Sequence[tuple[str, str]], home: str) -> str:
    """Return the page for a path that is not there, with links to the pages: their addresses and titles."""
    with speak(language):
        links = join_markup(html('<li><a href="{}{}">{}</a></li>', home, path, _(title)) for path, title in pages)
        page = html(
            '<!DOCTYPE html><html lang="{}"><head><meta charset="utf-8"><title>{} · TACT Map</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">{}</head>'
            '<body class="unknown"><main><p>TACT Map</p><h1>{}</h1><p>{}</p><ul>{}</ul></main></body></html>',
            language,
            _("No such page"),
            Markup('<link rel="stylesheet" href="{}">').format(home + _name_asset("theme.css").removeprefix("./")),
            _("There is no page at this address"),
            _("These are the pages:"),
            links,
        )
    return str(page)


class StartPage:
    """Middleware that answers each page's path with the start page, and other paths without a file with links.

    `old` are paths of earlier versions that still open a page.
    """

    def __init__(self, app: ASGIApp, pages: Sequence[tuple[str, str]], base: str = "", old: Iterable[str] = ()) -> None:
        self._app, self._pages, self._base = app, pages, base
        self._paths = {f"{base}/{path}" for path in ("", *old, *(path for path, _title in pages))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass the request on. Streamlit answers each unknown path with its own page, which is replaced."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or _FRAMES in scope["path"]:
            await self._app(scope, receive, send)
            return
        asked = Request(scope).query_params.get("lang", "en")
        language = asked if asked in LANGUAGE_NAMES else "en"
        if scope["path"] in self._paths:
            await HTMLResponse(make_start_page(language))(scope, receive, send)
            return
        replaced = False

        async def replace_page(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                replaced = Headers(scope=message).get("content-type", "").startswith("text/html")
            if not replaced:
                await send(message)

        await self._app(scope, receive, replace_page)
        if replaced:
            page = make_unknown_page(language, self._pages, f"{self._base}/")
            await HTMLResponse(page, status_code=404)(scope, receive, send)
