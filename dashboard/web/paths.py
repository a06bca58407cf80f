"""Paths and languages of the door's pages: no path leads to another site, and each keeps the reader's language."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request

from dashboard.site import ANSWER, SIGN_IN
from dashboard.site.text import LANGUAGE_NAMES, find_language


def choose_language(request: Request) -> str:
    """Return the language in the address, else the first language of the browser that the product has, else English."""
    wanted = [request.query_params.get("lang", "")]
    wanted += [part.strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((code for code in wanted if code in LANGUAGE_NAMES), "en")


def list_languages(request: Request) -> dict[str, str]:
    """Return the address of this page in each language, by code; empty for the answer to a form, which has no address.

    The answer of a provider can be used only once, so that page has the addresses of the page to sign in.
    """
    if request.method != "GET":
        return {}
    is_answer = request.url.path == ANSWER
    start = SIGN_IN if is_answer else format_path(request).partition("?")[0]
    others = [] if is_answer else [(n, value) for n, value in request.query_params.multi_items() if n != "lang"]
    return {code: f"{start}?{urlencode([*others, ('lang', code)])}" for code in LANGUAGE_NAMES}


def keep_language(to: str) -> str:
    """Return a path that opens in the reader's language: English needs no parameter, and a `lang` in the path stays."""
    path, _, query = to.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    language = find_language()
    is_said = language == "en" or any(name == "lang" for name, _ in pairs)
    return to if is_said else f"{path}?{urlencode([*pairs, ('lang', language)])}"


def format_path(request: Request) -> str:
    """Return the path of a request with its query, as a link."""
    path, query = quote(request.scope["path"]), request.url.query
    return take_path(f"{path}?{query}" if query else path)


def take_path(to: str) -> str:
    """Return a path of this site unchanged, and `/` for any other text, such as `//` and another host."""
    is_path = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if is_path else "/"
