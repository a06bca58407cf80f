"""The page that a browser loads first, with the product's style and script; and the answer to unknown paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import streamlit
from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.map import list_frame_scripts, name_asset
from dashboard.map.shapes import list_first_shapes
from dashboard.site.text import LANGUAGE_NAMES, _, html, join_markup, speak
from data.message import mark

_STATIC = Path(streamlit.__file__).parent / "static"
_INDEX = _STATIC / "index.html"
# Parts of Streamlit for our own words and for the map's frame. It asks for them when it shows the first of each, one
# after the other. Each takes seconds on a slow line.
_PARTS = ("Html", "ComponentInstance")
_IMPORT = r'(?:from|import)"\./([^"]+\.js)"'
_FRAMES = "/component/"
# Addresses of earlier versions, which people have kept. In an earlier version the root was the map: see `_find_moved`.
MOVED = {"situation": "map", "overview": ""}
_STYLE = r'<link rel="stylesheet"[^>]*index[^>]*>'
_FONT = r'<link\s+rel="preload"[^>]*as="font"[^>]*>'
_NOSCRIPT = r"<noscript>.*?</noscript>"
# Words until scripts and styles have arrived; shell.js removes them when the page has a bar. A browser that does not
# know light-dark() shows them in the light colours.
_SHELL = (
    '<div id="starting" role="status" style="position:fixed;inset:0;z-index:9;padding:12vh 8vw;background:#fbfaf7;'
    "color:#1d2433;font:18px/1.5 sans-serif;color-scheme:{scheme};background:light-dark(#fbfaf7,#12171d);"
    'color:light-dark(#1d2433,#e6eaf0)"><p style="font-size:28px;margin:0"><strong>{name}</strong></p>'
    "<p>{place}</p><p>{words}</p><noscript><p>{needs}</p></noscript></div>"
)
_NEEDS = "The map needs JavaScript: please allow it in the settings of the browser."


class Opening(NamedTuple):
    """The words until the first page has arrived, and whether that page will have a map."""

    words: str
    has_map: bool


THEMES = ("light", "dark")  # in the address; without one the system's theme is shown
MAP = Opening(mark("Opening the map. On a slow line this may take half a minute the first time."), True)


def list_parts(page: str) -> list[str]:
    """Return the addresses of the scripts of `_PARTS` and of their imports, without the scripts that the page names."""
    folder, names = _STATIC / "static" / "js", dict[str, None]()
    waiting = [file.name for part in _PARTS for file in folder.glob(f"{part}.*.js")]
    while waiting:
        name = waiting.pop(0)
        if name not in page and name not in names:
            names[name] = None
            waiting += re.findall(_IMPORT, (folder / name).read_text(encoding="utf-8"))
    return [f"./static/js/{name}" for name in names]


@lru_cache(maxsize=24)
def make_start_page(language: str, opening: Opening = MAP, theme: str = "") -> str:
    """Return Streamlit's own page with the product's name, language, style and script. theme: one of `THEMES`, or "".

    The style comes last, so that it wins over Streamlit's; the script comes first, so that it sees each step. Raises
    RuntimeError if Streamlit's page has no such parts any more.
    """
    page = _INDEX.read_text(encoding="utf-8")
    style = _find(_STYLE, page)
    parts = "".join(f'<link rel="modulepreload" crossorigin href="{part}">' for part in list_parts(page))
    # Fetched early, because the map's frame asks for one after the other.
    later = (*list_frame_scripts(), *list_first_shapes(language)) if opening.has_map else ()
    early = "".join(f'<link rel="prefetch" href="{address}">' for address in later)
    with speak(language):
        scheme, words = theme or "light dark", _(opening.words)
        shell = html(
            _SHELL, name="TACT Map", place=_("Albania and Greece"), words=words, needs=_(_NEEDS), scheme=scheme
        )
    for old, new in (
        ("<title>Streamlit</title>", f'<title>TACT Map</title><script defer src="{name_asset("shell.js")}"></script>'),
        ('<html lang="en">', f'<html lang="{language}">'),
        # A style sheet in the head, and a font that no text needs, would delay the first words.
        (style, ""),
        (_find(_FONT, page), ""),
        (_find(_NOSCRIPT, page), str(shell)),
        ("</body>", f'{style}<link rel="stylesheet" href="{name_asset("theme.css")}">{parts}{early}</body>'),
    ):
        page = page.replace(_find(re.escape(old), page), new, 1)
    return page


def _find(pattern: str, page: str) -> str:
    """Return the part of Streamlit's page that matches. Raises RuntimeError if no part does."""
    match = re.search(pattern, page, flags=re.DOTALL)
    if match is None:
        raise RuntimeError(f"Streamlit's page has changed: it has no {pattern}.")
    return match.group()


def make_unknown_page(language: str, pages: Sequence[tuple[str, str]], home: str) -> str:
    """Return the page for a path that does not exist, with links to the pages of the product.

    pages : their addresses, relative to `home`, and their titles. home : the path of the first page.
    """
    with speak(language):
        links = join_markup(html('<li><a href="{}{}">{}</a></li>', home, path, _(title)) for path, title in pages)
        page = html(
            '<!DOCTYPE html><html lang="{}"><head><meta charset="utf-8"><title>{} · TACT Map</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">{}</head>'
            '<body class="unknown"><main><p>TACT Map</p><h1>{}</h1><p>{}</p><ul>{}</ul></main></body></html>',
            language,
            _("No such page"),
            Markup('<link rel="stylesheet" href="{}">').format(home + name_asset("theme.css").removeprefix("./")),
            _("There is no page at this address"),
            _("These are the pages:"),
            links,
        )
    return str(page)


class StartPage:
    """Middleware that answers the path of a page with the start page, and an unknown path with links to the pages.

    pages : their addresses and titles. base : the path under which the product is served, without a slash at its end.
    """

    def __init__(self, app: ASGIApp, pages: Sequence[tuple[str, str]], base: str = "", opening: Opening = MAP) -> None:
        self._app, self._pages, self._base, self._opening = app, pages, base, opening
        self._paths = {f"{base}/{path}" for path, _title in pages}
        self._moved = {f"{base}/{old}": f"{base}/{new}" for old, new in MOVED.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the path of a page, redirect an address of an earlier version, or pass the request on.

        Streamlit answers each unknown path with its own page, which is replaced by links, with status 404.
        """
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or _FRAMES in scope["path"]:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        asked = request.query_params.get("lang", "en")
        language = asked if asked in LANGUAGE_NAMES else "en"
        moved = self._find_moved(request)
        if moved is not None:
            await RedirectResponse(f"{moved}?{request.url.query}", 307)(scope, receive, send)
            return
        if scope["path"] in self._paths:
            theme = request.query_params.get("theme", "")
            page = make_start_page(language, self._opening, theme if theme in THEMES else "")
            await HTMLResponse(page)(scope, receive, send)
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

    def _find_moved(self, request: Request) -> str | None:
        """Return the present path for an address of an earlier version; None for another address."""
        path = request.scope["path"]
        if path == f"{self._base}/" and "layer" in request.query_params:
            return f"{self._base}/map"
        return self._moved.get(path)
