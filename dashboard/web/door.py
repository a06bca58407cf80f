"""The door of a map to which people sign in. It stands in front of everything and lets in only people it knows.

It answers its own pages itself (dashboard/web/sign_in.py): sign in, accept an invitation, account and sign out. It adds
a header with the reader to each request that it lets in (dashboard/site/reader.py). An open websocket is closed within
seconds after its session has ended. A program sends the token of a person, in place of a session, to read layers.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.site import (
    ACCOUNT,
    ANSWER,
    FEATURES,
    HEALTH,
    INVITATION,
    NEWEST,
    PASSKEY,
    PASSKEY_SCRIPT,
    PROVIDER,
    SIGN_IN,
)
from dashboard.site.assets import ASSETS
from dashboard.site.reader import HEADER, write_header
from dashboard.site.text import _, find_language, speak, translate_message
from dashboard.web import sign_in
from dashboard.web.admission import find_right
from dashboard.web.conversations import MEDIA, Conversations
from dashboard.web.gate import find_foreign
from dashboard.web.limits import find_address
from dashboard.web.organisation import SECONDS, Beginning, Fault, Provider, ProviderError, derive, finish
from dashboard.web.paths import choose_language, format_path, keep_language, list_languages, take_path
from dashboard.web.threads import compare_passphrase, look_up
from data.accounts import passkeys, people, sessions, tokens
from data.accounts.database import Accounts
from data.accounts.log import Event, Verdict, note, read_log, verify_log
from data.accounts.passkeys import Challenge, Passkeys
from data.accounts.people import Person
from data.accounts.rights import Right
from data.accounts.sessions import LONGEST, Reason, Refusal
from data.errors import InputError, WorkspaceError
from data.workspace.hash_chain import Entry

_LOG = logging.getLogger(__name__)
_MOST_BYTES, _MOST_FIELDS, _SECONDS = 8192, 9, 10.0  # of a form, and until it has arrived
_WAITING = 20  # people whose passphrase is being compared or waits for it
_MOST_ROWS, _MOST_ROWS_OF_ALL = 50, 500  # rows of the log on the account page: about its person, about everybody
_SIGN_OUT = "/sign-out"
_PATHS = (SIGN_IN, _SIGN_OUT, INVITATION, ACCOUNT, PROVIDER, ANSWER, PASSKEY, PASSKEY_SCRIPT)
_LAYERS = f"{FEATURES}/collections/"
_FILES = ("/picture/", "/slides/", MEDIA, _LAYERS)  # paths of files, which are noted in the log
_READ = f"{FEATURES}/"  # what a token is for
_REFUSED_TOKEN = PlainTextResponse(
    "This token has ended, or it is none. Make another one on the page Download.\n",
    status_code=401,
    headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"},
)
# What an open page asks for by itself: the newest release, and after a break of its line whether the map is back. By
# itself it also opens its websocket again; what a person does is a message on it.
_ASKED_BY_PAGES = (NEWEST, "/_stcore/health", "/_stcore/host-config")
_Form = dict[str, str]
_Answer = Callable[[Request, Person | None], Awaitable[Response]]


class _BusyError(Exception):
    """Too many people wait for their passphrase to be checked."""


class Door:
    """Middleware that answers only people who have signed in, and lets each of them reach what their role allows.

    hosts : the values of `Host` that are answered. own_hosts : the values of this machine itself, which may also ask
    for /health. is_encrypted : whether readers come by https, through a proxy; then cookies are sent only by https.
    port : the port of the process; it is part of the names of cookies, because cookies do not separate ports.
    provider : the provider of an organisation whose people sign in there; None if all people have an account here.
    """

    def __init__(
        self,
        app: ASGIApp,
        accounts: Accounts,
        hosts: Iterable[str],
        own_hosts: Iterable[str],
        port: int,
        *,
        is_encrypted: bool,
        provider: Provider | None = None,
    ) -> None:
        self._app, self._accounts, self._provider = app, accounts, provider
        self._hosts, self._own_hosts = frozenset(hosts), frozenset(own_hosts)
        self._scheme = "https" if is_encrypted else "http"
        # A name that begins with __Host- is accepted by browsers only over https, for one host and all of its paths.
        self._session, self._form, self._beginning = (
            f"__Host-tact-{what}" if is_encrypted else f"tact-{what}-{port}"
            for what in ("session", "form", "beginning")
        )
        self._answers: dict[tuple[str, str], _Answer] = {
            ("GET", SIGN_IN): self._show_sign_in,
            ("POST", SIGN_IN): self._sign_in,
            ("GET", INVITATION): self._show_invitation,
            ("POST", INVITATION): self._accept,
            ("GET", ACCOUNT): self._show_account,
            ("POST", _SIGN_OUT): self._sign_out,
        }
        if provider is not None:
            self._answers[("GET", PROVIDER)] = lambda request, _person: self._begin(request, provider)
            self._answers[("GET", ANSWER)] = lambda request, _person: self._finish(request, provider)
        self._origin = _find_origin(self._hosts) if is_encrypted else ""
        self._passkeys = Passkeys(accounts, self._origin) if self._origin else None
        if self._passkeys is not None:
            self._answers[("GET", PASSKEY_SCRIPT)] = self._give_script
            self._answers[("POST", PASSKEY)] = self._add_passkey
        self._conversations = Conversations(accounts)
        self._hashing_or_waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request for a page of the door, pass another request on, or refuse it.

        Refusals: 421 for another host; 403 for another origin, without signing in, or without the right; 401 for a
        token that is not valid; 404 for an address that nobody gets; 503 if the accounts cannot be read.
        """
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        is_health = scope["type"] == "http" and scope["path"] == HEALTH
        answer = find_foreign(connection, self._hosts | self._own_hosts if is_health else self._hosts, [self._scheme])
        person, token = None, _read_token(connection)
        if answer is None and not is_health:
            try:
                person = await self._find_person(connection, token)
                answer = _REFUSED_TOKEN if token and person is None else await self._answer(scope, receive, person)
            except WorkspaceError as error:
                _LOG.error("%s", error)
                answer = PlainTextResponse("Nobody can sign in just now. Try again later.\n", status_code=503)
        if answer is None:
            noting = send if token else self._note_files(scope, receive, send, person)
            await self._pass_on(scope, receive, noting, person)
        elif scope["type"] == "http":
            await answer(scope, receive, send)
        else:
            # Before it is accepted, this is status 403.
            await send({"type": "websocket.close", "code": 1008})

    async def _find_person(self, connection: HTTPConnection, token: str) -> Person | None:
        if token:
            return await look_up(tokens.find_holder, self._accounts, token)
        secret = connection.cookies.get(self._session)
        is_use = connection.scope["type"] == "http" and connection.scope["path"] not in _ASKED_BY_PAGES
        return await look_up(sessions.find_person, self._accounts, secret, is_use=is_use) if secret else None

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, person: Person | None) -> None:
        inside = {**scope, "headers": list(scope["headers"])}
        headers = MutableHeaders(raw=inside["headers"])
        del headers[HEADER], headers["authorization"]
        if person is not None:
            headers[HEADER] = write_header(person.name, person.role, person.countries)
        inside["headers"] = headers.raw
        if scope["type"] == "websocket":
            await self._conversations.hold(self._app, inside, receive, send, self._read_secret(scope))
        else:
            await self._app(inside, receive, send)

    def _note_files(self, scope: Scope, receive: Receive, send: Send, person: Person | None) -> Send:
        """Return a `send` function that writes the name of each file to the log before any part of the file is sent.

        If the log cannot be written, the file is not sent and the answer is 503. Reads by programs with a token do not
        come here: `tokens.find_holder` notes them once a day.
        """
        if person is None or not scope["path"].startswith(_FILES) or scope.get("method") != "GET":
            return send

        is_refused = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start" and message["status"] in (200, 206):
                name = _name_file(scope["path"], Headers(raw=message["headers"]).get("content-disposition", ""))

                async def write() -> None:
                    await look_up(note, self._accounts, Event.EXPORTED, person.name, file=name)

                try:
                    if scope["path"].startswith(MEDIA):
                        await self._conversations.note_once(self._read_secret(scope), scope["path"], write)
                    else:
                        await write()
                except WorkspaceError as error:
                    _LOG.error("%s", error)
                    is_refused = True
                    refusal = PlainTextResponse("No file is given just now. Try again later.\n", status_code=503)
                    await refusal(scope, receive, send)
            if not is_refused:
                await send(message)

        return send_and_note

    async def _answer(self, scope: Scope, receive: Receive, person: Person | None) -> Response | None:
        """Return the door's own answer to a request; None if the request may pass."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            with speak(choose_language(request)):
                handler = self._answers.get((scope["method"], scope["path"]))
                if handler is not None:
                    return await handler(request, person)
                if person is None:
                    return self._ask_to_sign_in(request)
        elif person is None:
            return PlainTextResponse("", status_code=403)
        right = find_right(scope["path"])
        if right is None or not self._may_have(scope):
            return PlainTextResponse("Not found.\n", status_code=404)
        if right not in person.rights:
            return PlainTextResponse("Your role does not include this.\n", status_code=403)
        return None

    def _may_have(self, scope: Scope) -> bool:
        """Return whether a session may ask for a path: a file of a page only if it was offered to this session."""
        path = scope["path"]
        return not path.startswith(MEDIA) or self._conversations.has_offered(self._read_secret(scope), path)

    def _read_secret(self, scope: Scope) -> str:
        """Return the secret of the session that a browser sends; empty if it sends none."""
        return HTTPConnection(scope).cookies.get(self._session, "")

    # ---- pages of the door ----------------------------------------------------------------------------------------

    def _ask_to_sign_in(
        self, request: Request, problem: str = "", to: str | None = None, status: int = 403
    ) -> Response:
        """Return the sign-in page to a browser that opens a page, and one line of text to any other client.

        to : the path to open afterwards; None for the requested page. The answer to a form is always the page.
        """
        if request.method == "GET" and "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse("Sign in first.\n", status_code=status)
        if to is None:
            to = "/" if request.method != "GET" or request.url.path in _PATHS else format_path(request)
        title = self._provider.settings.title if self._provider else ""
        return self._show(
            request,
            lambda token: sign_in.make_page(
                token, to, problem, list_languages(request), title, self._ask_passkey(token, passkeys.SIGN_IN)
            ),
            status,
        )

    def _show(self, request: Request, make: Callable[[str], str], status: int = 200) -> Response:
        """Return a page with a form. The form's token belongs to a cookie of the browser."""
        secret = request.cookies.get(self._form) or secrets.token_urlsafe(32)
        headers = sign_in.make_headers(self._origin) if self._passkeys else sign_in.HEADERS
        response = HTMLResponse(make(derive("form", secret)), status_code=status, headers=headers)
        self._set_cookie(response, self._form, secret)
        return response

    async def _show_sign_in(self, request: Request, person: Person | None) -> Response:
        return self._ask_to_sign_in(request, status=200) if person is None else self._lead("/")

    async def _sign_in(self, request: Request, _person: Person | None) -> Response:
        form = await self._read_form(request)
        if form is None:
            return self._ask_to_sign_in(request, _(sign_in.STALE))
        to = take_path(form.get("to", ""))
        proofs = [form.get(name, "") for name in ("name", "passphrase", "code")]
        try:
            passkey = self._find_answer(form, passkeys.SIGN_IN)
            if form.get("passkey") and passkey is None:
                return self._ask_to_sign_in(request, sign_in.format_refusal(Refusal(reason=Reason.PASSKEY)), to)
            result = await self._work(sessions.sign_in, self._accounts, *proofs, find_address(request), passkey)
        except _BusyError:
            return self._ask_to_sign_in(request, _(sign_in.BUSY), to, 503)
        if isinstance(result, Refusal):
            return self._ask_to_sign_in(request, sign_in.format_refusal(result), to, 429 if result.wait else 403)
        return self._let_in(result, to)

    async def _begin(self, request: Request, provider: Provider) -> Response:
        """Send a browser to the provider, or first to the host to which the provider will send it back."""
        home = urlsplit(provider.redirect)
        if request.headers["host"] != home.netloc:
            return RedirectResponse(f"{home.scheme}://{home.netloc}{format_path(request)}", status_code=303)
        beginning = Beginning.make(find_language(), take_path(request.query_params.get("to", "")))
        try:
            address = await provider.make_address(beginning.secret)
        except ProviderError as error:
            return self._word_fault(request, provider, error, beginning.to)
        response = RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
        self._set_cookie(response, self._beginning, beginning.write(), SECONDS, is_sent_from_elsewhere=True)
        return response

    async def _finish(self, request: Request, provider: Provider) -> Response:
        """Answer a person whom the provider sends back: let them in, or say why not; remove the cookie either way."""
        beginning = Beginning.read(request.cookies.get(self._beginning, ""))
        with speak(beginning.language if beginning else find_language()):
            response = await self._answer_provider(request, provider, beginning)
        self._set_cookie(response, self._beginning, "", 0, is_sent_from_elsewhere=True)
        return response

    async def _answer_provider(self, request: Request, provider: Provider, beginning: Beginning | None) -> Response:
        to = take_path(beginning.to) if beginning else "/"
        try:
            result = await finish(provider, self._accounts, beginning, request.query_params, find_address(request))
        except ProviderError as error:
            return self._word_fault(request, provider, error, to)
        if isinstance(result, Refusal):
            words = sign_in.format_refusal(result, provider.settings.title)
            return self._ask_to_sign_in(request, words, to, 429 if result.wait else 403)
        # A page in between: on a visit from another site, also after a redirect, a browser would not send the session.
        response = HTMLResponse(sign_in.make_arrival_page(keep_language(to)), headers=sign_in.HEADERS)
        self._set_cookie(response, self._session, result, int(LONGEST))
        return response

    def _word_fault(self, request: Request, provider: Provider, error: ProviderError, to: str) -> Response:
        _LOG.warning("The provider of sign-ins: %s", error)
        words = sign_in.format_fault(error.fault, provider.settings.title)
        return self._ask_to_sign_in(request, words, to, 403 if error.fault == Fault.REFUSED else 503)

    async def _show_invitation(self, request: Request, _person: Person | None) -> Response:
        secret = request.query_params.get("invitation", "")
        invited = await look_up(people.renew_factor, self._accounts, secret)
        return self._ask_to_accept(request, secret, invited, "")

    def _ask_to_accept(
        self, request: Request, secret: str, invited: tuple[Person, bytes] | None, problem: str
    ) -> Response:
        if invited is None:
            return HTMLResponse(sign_in.make_ended_page(), status_code=403, headers=sign_in.HEADERS)
        languages = list_languages(request)
        return self._show(
            request,
            lambda token: sign_in.make_invitation_page(
                token,
                secret,
                *invited,
                problem,
                languages,
                self._ask_passkey(token, passkeys.name_invitation(secret), invited[0]),
            ),
            403 if problem else 200,
        )

    async def _accept(self, request: Request, _person: Person | None) -> Response:
        form = await self._read_form(request)
        if form is None:
            return self._ask_to_sign_in(request, _(sign_in.STALE))
        secret = form.get("invitation", "")
        result = await self._take_in(secret, form)
        if isinstance(result, Person):
            return self._let_in(await look_up(sessions.start_session, self._accounts, result), "/")
        invited = await look_up(people.find_invited, self._accounts, secret)
        return self._ask_to_accept(request, secret, invited, translate_message(result))

    async def _take_in(self, secret: str, form: _Form) -> Person | str:
        """Accept an invited person and return them; else return the fault in the form, for `translate_message`."""
        passphrase = form.get("passphrase", "")
        if passphrase != form.get("again", ""):
            return sign_in.DIFFERENT
        answer = self._find_answer(form, passkeys.name_invitation(secret))
        passkey = None if answer is None else await look_up(passkeys.read_new, *answer)
        if form.get("passkey") and passkey is None:
            return sign_in.NO_PASSKEY
        try:
            return (
                await self._work(people.accept, self._accounts, secret, passphrase, form.get("code", ""), passkey)
                or sign_in.WRONG_CODE
            )
        except _BusyError:
            return sign_in.BUSY
        except InputError as error:
            return error.message

    async def _add_passkey(self, request: Request, person: Person | None) -> Response:
        form = await self._read_form(request)
        if person is None or form is None:
            return await self._show_account(request, person, _(sign_in.STALE))
        try:
            refusal = await self._work(sessions.confirm_passphrase, self._accounts, person, form.get("passphrase", ""))
        except _BusyError:
            return await self._show_account(request, person, _(sign_in.BUSY))
        if refusal is not None:
            return await self._show_account(request, person, sign_in.format_refusal(refusal))
        answer = self._find_answer(form, passkeys.name_addition(person.id))
        passkey = None if answer is None else await look_up(passkeys.read_new, *answer)
        if passkey is None or not await look_up(people.add_own_passkey, self._accounts, person, passkey):
            return await self._show_account(request, person, _(sign_in.NO_PASSKEY))
        return self._lead(keep_language(ACCOUNT))

    async def _give_script(self, _request: Request, _person: Person | None) -> Response:
        return FileResponse(ASSETS / "passkey.js", headers={"Cache-Control": "no-cache"})

    def _ask_passkey(self, token: str, purpose: str, person: Person | None = None) -> sign_in.PasskeyAsk | None:
        """Return what a page needs to ask for a passkey; with `person`, for a new one.

        None without https, or if the host is an IPv4 address.
        """
        if self._passkeys is None:
            return None
        challenge = self._passkeys.ask(token, purpose)
        owner = (self._passkeys.make_handle(person.id), person.name) if person else None
        return sign_in.PasskeyAsk(challenge.moment, challenge.write_options(owner), is_new=person is not None)

    def _find_answer(self, form: _Form, purpose: str) -> tuple[Challenge, str] | None:
        """Return the challenge that a form answers with a passkey, and the answer.

        None without an answer, or if the challenge is not valid any more.
        """
        text = form.get("passkey", "")
        if not text or self._passkeys is None:
            return None
        challenge = self._passkeys.find(form["token"], purpose, form.get("moment", ""))
        return None if challenge is None else (challenge, text)

    async def _show_account(self, request: Request, person: Person | None, problem: str = "") -> Response:
        if person is None:
            return self._ask_to_sign_in(request, to=ACCOUNT)
        entries = await look_up(read_log, self._accounts, person.name, _MOST_ROWS)
        # This takes long, so it does not run in the threads for accounts, for which everybody waits.
        log = await asyncio.to_thread(self._read_whole_log) if Right.READ_LOG in person.rights else None
        languages = list_languages(request)
        has_passphrase = await look_up(people.has_passphrase, self._accounts, person)

        def make(token: str) -> str:
            passkey = self._ask_passkey(token, passkeys.name_addition(person.id), person) if has_passphrase else None
            return sign_in.make_account_page(token, person, entries, log, languages, problem, passkey)

        return self._show(request, make, 403 if problem else 200)

    def _read_whole_log(self) -> tuple[list[Entry], Verdict]:
        """Return the last rows and the verdict; no rows if one of them cannot be read, which the verdict then says."""
        verdict = verify_log(self._accounts)
        try:
            return read_log(self._accounts, most=_MOST_ROWS_OF_ALL), verdict
        except WorkspaceError:
            if not verdict.problem:
                raise
            return [], verdict

    async def _sign_out(self, request: Request, person: Person | None) -> Response:
        if await self._read_form(request) is None:
            return await self._show_account(request, person)
        await look_up(sessions.sign_out, self._accounts, request.cookies.get(self._session, ""))
        response = self._ask_to_sign_in(request, _(sign_in.SIGNED_OUT), status=200)
        self._set_cookie(response, self._session, "", 0)
        return response

    # ---- forms and cookies ----------------------------------------------------------------------------------------

    async def _read_form(self, request: Request) -> _Form | None:
        """Return the fields of a form; None if it is from another site, too long, too slow or cannot be read."""
        secret = request.cookies.get(self._form, "")
        if not secret or "origin" not in request.headers:
            return None
        body = b""
        try:
            async with asyncio.timeout(_SECONDS):
                async for part in request.stream():
                    body += part
                    if len(body) > _MOST_BYTES:
                        return None
            fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
        except (TimeoutError, ClientDisconnect, ValueError):  # the last for too many fields
            return None
        form = {name: values[-1] for name, values in fields.items()}
        is_own = secrets.compare_digest(form.get("token", "").encode(), derive("form", secret).encode())
        return form if is_own else None

    async def _work(self, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
        """Run a function that checks a passphrase, when earlier ones have ended, and return its result.

        Raises _BusyError if too many wait.
        """
        if self._hashing_or_waiting >= _WAITING:
            raise _BusyError
        self._hashing_or_waiting += 1
        try:
            return await compare_passphrase(function, *arguments)
        finally:
            self._hashing_or_waiting -= 1

    def _let_in(self, session: str, to: str) -> Response:
        response = self._lead(keep_language(to))
        self._set_cookie(response, self._session, session, int(LONGEST))
        return response

    @staticmethod
    def _lead(to: str) -> Response:
        """Redirect to a path of this door, or to the first page if the path is another one."""
        return RedirectResponse(take_path(to), status_code=303, headers={"Cache-Control": "no-store"})

    def _set_cookie(
        self,
        response: Response,
        name: str,
        value: str,
        seconds: int | None = None,
        *,
        is_sent_from_elsewhere: bool = False,
    ) -> None:
        """Set a cookie that no script can read and no other site can send; without `seconds` it ends with the browser.

        is_sent_from_elsewhere : whether the browser sends it too when another site leads the browser here.
        """
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._scheme == "https",
            httponly=True,
            samesite="lax" if is_sent_from_elsewhere else "strict",
        )


def _find_origin(hosts: Iterable[str]) -> str:
    """Return the https origin of the only host of a map; empty for an IPv4 address, because passkeys need a name."""
    (host,) = hosts
    name = urlsplit(f"//{host}").hostname or ""
    return "" if re.fullmatch(r"[0-9.]+", name) else f"https://{host}"


def _read_token(connection: HTTPConnection) -> str:
    """Return the token of a program; empty without a token, and for requests that a token does not allow."""
    scope, token = connection.scope, re.fullmatch("bearer +(.+)", connection.headers.get("authorization", ""), re.I)
    is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and f"{scope['path']}/".startswith(_READ)
    return token[1] if token and is_read else ""


def _name_file(path: str, disposition: str) -> str:
    """Return the name of a file for the log: the path of a layer, a name that the product gave, else the ending.

    The file of a plan has only its ending here, because its name is a title that a person typed.
    """
    if path.startswith(_LAYERS):
        return path
    match = re.search(r'filename="(tact-[^"]*)"', disposition)
    return match[1] if match else Path(path).suffix
