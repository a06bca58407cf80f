"""The gate of pages on this machine's local address: who may enter, and how a person's browser gets in.

Other users and programs of the machine can reach the same address. So the process that serves the pages prints an
address with a token. A browser sends the token once and gets its own secret as a cookie. It is then known for twelve
hours or until the process ends; the secrets are only in the memory of that process.

A token works only once, even in a browser that is already known. Addresses stay in lists of processes, in terminals and
in the history of browsers; an opened address that somebody finds there does not work any more. A known browser gets in
with a used address too. So if another person has used a token first, only a person whose browser is not yet known
notices it: their browser gets the page of the gate. No restart is needed: Enter, pressed in the terminal where the
product was started, prints a new address.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterable
from urllib.parse import quote, urlencode

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.site import HEALTH
from dashboard.site.text import LANGUAGE_NAMES, _, html, join_markup, speak

_TOKEN = "token"  # noqa: S105 (the name of the parameter)
_SECONDS = 12 * 60 * 60
# The style is in the page: a browser that is not known gets no style sheet either.
_STYLE = (
    "body{margin:0;padding:6vh 6vw;background:#fbfaf7;color:#1d2433;font:18px/1.5 sans-serif}"
    "main{max-width:44rem}h1{font-size:28px;margin:0}h2{font-size:20px;margin:0}"
    "section{margin:2rem 0;padding-top:1.5rem;border-top:1px solid #dfe3e8}p{margin:.6rem 0 0}a{color:#0f6b66}"
)
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def list_own_hosts(names: Iterable[str], port: int) -> frozenset[str]:
    """Return the values that a browser of this machine may send as `Host`: each name with the port."""
    bracketed = [f"[{name}]" if ":" in name else name for name in names]
    # Browsers leave out the port that a scheme has by itself.
    return frozenset([*(f"{name}:{port}" for name in bracketed), *(bracketed if port == 80 else ())])


class Entry:
    """The secrets of the browsers that a process knows, and the token that is not used yet.

    Cookies do not separate ports, so the port is part of the cookie's name, and two local processes do not overwrite
    each other's cookies.
    """

    def __init__(self, name: str, port: int, clock: Callable[[], float] = time.time) -> None:
        self.cookie = f"{name}-{port}"
        self._clock = clock
        self._secrets: dict[str, float] = {}  # when each was made
        self._token = ""

    def make_address(self, address: str) -> str:
        """Return an address that lets one browser in. The address that was made before does not work any more."""
        self._token = secrets.token_urlsafe(32)
        return f"{address}/?{urlencode({_TOKEN: self._token})}"

    def spend_token(self, token: str) -> bool:
        """Return whether a token is the last one made. If it is, nobody can use it again."""
        if not self._token or not _is_same(token, self._token):
            return False
        self._token = ""
        return True

    def is_known(self, connection: HTTPConnection) -> bool:
        """Return whether a request or websocket has a cookie with a secret of the last twelve hours."""
        asked, now = connection.cookies.get(self.cookie, ""), self._clock()
        # If the clock was set back, a secret from its future is not valid.
        young = [secret for secret, then in self._secrets.items() if 0 <= now - then < _SECONDS]
        return sum(_is_same(asked, secret) for secret in young) > 0

    def make_cookie(self) -> str:
        """Return the header that gives a browser a new secret. No script can read it, and no other site can send it."""
        now = self._clock()
        self._secrets = {secret: then for secret, then in self._secrets.items() if 0 <= now - then < _SECONDS}
        secret = secrets.token_urlsafe(32)
        self._secrets[secret] = now
        return f"{self.cookie}={secret}; Path=/; Max-Age={_SECONDS}; HttpOnly; SameSite=Strict"


def _is_same(answer: str, secret: str) -> bool:
    return secrets.compare_digest(answer.encode("utf-8", "replace"), secret.encode())


class Gate:
    """Middleware that answers only requests to a known host and, if there is an entry, only those with its cookie.

    hosts : the values of `Host` that are answered, with the port. Others get 421, which prevents DNS rebinding.
    entry : how browsers get in; with None, every request to a known host is answered, for pages that anyone may see.

    Everything else is denied. If a request or websocket names an origin (a websocket has to), it must come from a page
    of the same scheme, host and port; with `entry` None, either scheme will do. Without the cookie, only /health and a
    GET with a valid token are answered.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], entry: Entry | None = None) -> None:
        self._app, self._hosts, self._entry = app, frozenset(hosts), entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here.

        Answers: 421 for another host, 403 for another origin or without the cookie, 303 after a valid token.
        """
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._find_refusal(HTTPConnection(scope))
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            # Before it is accepted, this is status 403.
            await send({"type": "websocket.close", "code": 1008})

    def _find_refusal(self, connection: HTTPConnection) -> Response | None:
        """Return the gate's own answer, a refusal or the redirect after a token; None if the request may pass."""
        scope = connection.scope
        # On the public tier both schemes are allowed: a proxy in front encrypts, and need not say so.
        schemes = [_SCHEMES[scope["scheme"]]] if self._entry is not None else ["http", "https"]
        if refusal := find_foreign(connection, self._hosts, schemes):
            return refusal
        if scope["path"] == HEALTH or self._entry is None:
            return None
        if scope["type"] == "http" and scope["method"] == "GET" and _TOKEN in connection.query_params:
            return self._exchange(connection, self._entry)
        return None if self._entry.is_known(connection) else _refuse(connection)

    @staticmethod
    def _exchange(connection: HTTPConnection, entry: Entry) -> Response:
        """Use up the token, give an unknown browser a cookie for it, and redirect to the address without the token.

        An unknown browser with a token that is not the last one is refused.
        """
        is_known = entry.is_known(connection)
        is_spent = entry.spend_token(connection.query_params[_TOKEN])
        if not (is_known or is_spent):
            return _refuse(connection)
        scope, query = connection.scope, _drop_token(connection)
        # The address names the host, which is one of our own, so that no path can lead to another site.
        start = f"{scope['scheme']}://{connection.headers['host']}{quote(scope['path'])}"
        headers = {"Location": f"{start}?{query}" if query else start, "Cache-Control": "no-store"}
        return Response(status_code=303, headers=headers if is_known else headers | {"Set-Cookie": entry.make_cookie()})


def find_foreign(connection: HTTPConnection, hosts: Collection[str], schemes: Iterable[str]) -> Response | None:
    """Return the refusal of a request to another host (421), or from a page of another origin (403); else None.

    hosts : the allowed values of `Host`. schemes : those of the allowed origins. A websocket must name its origin.
    """
    named, origins = connection.headers.getlist("host"), connection.headers.getlist("origin")
    if len(named) != 1 or named[0] not in hosts:
        return PlainTextResponse("This host name is not served here.\n", status_code=421)
    is_own = origins in [[f"{scheme}://{named[0]}"] for scheme in schemes] if origins else connection["type"] == "http"
    return None if is_own else PlainTextResponse("Pages of other origins are not answered.\n", status_code=403)


def _refuse(connection: HTTPConnection) -> Response:
    """Return the refusal of a client without a cookie: the page of the gate to a browser, a line of text to others."""
    if "text/html" not in connection.headers.get("accept", ""):
        return PlainTextResponse("Open the address that was printed where TACT Map was started.\n", status_code=403)
    return HTMLResponse(make_door_page(f"?{_drop_token(connection)}"), status_code=403)


def _drop_token(connection: HTTPConnection) -> str:
    """Return the query of an address without the token."""
    return urlencode([(name, value) for name, value in connection.query_params.multi_items() if name != _TOKEN])


def make_door_page(again: str) -> str:
    """Return the page for an unknown browser, in every language. `again` is the address that it asked for.

    The page links to that address for readers who come from another site, such as their mail: in that case a known
    browser does not send its cookie with the first request.
    """
    parts = []
    for language in LANGUAGE_NAMES:
        with speak(language):
            parts.append(
                html(
                    '<section lang="{}"><h2>{}</h2><p>{}</p><p>{}</p><p>{}</p><p><a href="{}">{}</a></p></section>',
                    language,
                    _("Open the address that was printed where TACT Map was started"),
                    _("It works once. Then this browser is known for twelve hours, or until TACT Map is stopped."),
                    _("For another address press Enter there. A new one is printed."),
                    _(
                        "Did the address not work although nobody of you used it? Then somebody else on this computer "
                        "did. Stop TACT Map and tell your data officer."
                    ),
                    again,
                    _("If the map was open in this browser before, go on to it."),
                )
            )
    return str(
        html(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>TACT Map</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{}</style></head>'
            "<body><main><h1>TACT Map</h1>{}</main></body></html>",
            _STYLE,
            join_markup(parts),
        )
    )
