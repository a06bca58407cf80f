"""Access to a server under test: the address that it printed is used once, then every client sends the cookie."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

_cookies: dict[str, str] = {}


def enter(address: str) -> str:
    """Exchange the token in a printed address for the cookie; return the address without the token.

    Without a token, nothing is requested.
    """
    asked = urlsplit(address)
    url = f"{asked.scheme}://{asked.netloc}"
    if asked.query:
        line = http.client.HTTPConnection(asked.netloc, timeout=60)
        line.request("GET", f"{asked.path}?{asked.query}")
        answer = line.getresponse()
        line.close()
        assert answer.status == 303, answer.status
        _cookies[url] = answer.headers["Set-Cookie"].partition(";")[0]
    return url


def keep_cookie(url: str, cookie: str) -> None:
    """Make all clients of the server at `url` send this cookie from now on."""
    _cookies[url] = cookie


def cookie_headers(url: str) -> dict[str, str]:
    """Return the header with the cookie of the server at an address; empty if the server has no cookie."""
    asked = urlsplit(url)
    cookie = _cookies.get(f"{asked.scheme}://{asked.netloc}")
    return {} if cookie is None else {"Cookie": cookie}


def list_cookies() -> list[dict[str, str | bool]]:
    """List the cookies of all servers in the form that Playwright's `add_cookies` expects."""
    pairs = [(url, *cookie.split("=", 1)) for url, cookie in _cookies.items()]
    return [{"url": url, "name": name, "value": value, "httpOnly": True} for url, name, value in pairs]
