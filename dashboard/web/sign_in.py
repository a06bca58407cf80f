"""The pages of the door: sign in, accept an invitation, the account. They need no script, no font and no other file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from urllib.parse import urlencode

from markupsafe import Markup

from dashboard.site import INVITATION, PASSKEY, PASSKEY_SCRIPT, PROVIDER, SIGN_IN
from dashboard.site.text import LANGUAGE_NAMES, _, find_language, format_day, html, join_markup
from dashboard.web.organisation import Fault
from data.accounts.log import Event, Verdict
from data.accounts.people import HOURS, Person
from data.accounts.proof import CHARACTERS, write_factor, write_factor_link
from data.accounts.rights import Role
from data.accounts.sessions import Reason, Refusal
from data.message import mark
from data.workspace.hash_chain import Entry

_STYLE = (
    ":root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1d2433;--soft:#4c5667;--line:#dfe3e8;"
    "--accent:#0f6b66;--on:#fff;--bad:#9b1c1c;--bad-soft:#fdecec}"
    "@media (prefers-color-scheme:dark){:root{--paper:#12171d;--card:#1a2129;--ink:#e6eaf0;--soft:#a9b3c0;"
    "--line:#343f4b;--accent:#5cc3ba;--on:#12171d;--bad:#ffb4b4;--bad-soft:#3a1f22}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.5 'Source Sans 3',"
    "system-ui,sans-serif;display:flex;flex-direction:column;align-items:center;min-height:100vh;padding:7vh 16px 40px}"
    "header{width:100%;max-width:26rem;display:flex;justify-content:space-between;align-items:baseline;"
    "margin-bottom:14px}header strong{font-size:20px}header nav{display:flex;gap:12px;font-size:15px}"
    "main{width:100%;max-width:26rem;background:var(--card);border:1px solid var(--line);border-radius:14px;"
    "padding:26px 26px 28px;box-shadow:0 1px 3px rgb(0 0 0/6%)}h1{font-size:25px;line-height:1.2;margin:0 0 6px}"
    "h2{font-size:17px;margin:24px 0 2px}p{margin:0 0 10px;color:var(--soft)}a{color:var(--accent)}"
    "label{display:block;font-weight:600;margin-top:14px}input{width:100%;margin-top:4px;padding:10px 12px;"
    "font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:8px}"
    "input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}"
    "button,.lead{display:block;width:100%;margin-top:22px;padding:11px;font:inherit;font-weight:650;color:var(--on);"
    "background:var(--accent);border:0;border-radius:8px;cursor:pointer;text-align:center;text-decoration:none}"
    "button:hover,.lead:hover{filter:brightness(1.08)}"
    ".lead~form button{color:var(--accent);background:none;border:1px solid var(--accent)}"
    ".other{color:var(--accent);background:none;border:1px solid var(--accent);margin:12px 0 16px}"
    "[hidden]{display:none}.problem{color:var(--bad);background:var(--bad-soft);border-radius:8px;padding:10px 12px;"
    "margin:12px 0 0}"
    ".note{margin:18px 0 0;font-size:15px}"
    ".check{overflow-wrap:anywhere;font-size:14px}.key{font:600 16px/1.6 ui-monospace,monospace;color:var(--ink);"
    "overflow-wrap:anywhere;user-select:all}.code svg{display:block;width:200px;height:200px;margin:10px 0;"
    "background:#fff;border-radius:8px}table{width:100%;border-collapse:collapse;font-size:14px;margin-top:6px}"
    "td{padding:5px 8px 5px 0;border-top:1px solid var(--line);vertical-align:top}td:first-child{white-space:nowrap}"
)
_POLICY = (
    "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    f"style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)
# Browsers send the origin of a form only if the policy lets pages of the same origin see where a request comes from.
HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
BUSY = mark("Many people sign in just now. Try again in some seconds.")
STALE = mark("That form was not taken, because it was not from this page. Try again.")
SIGNED_OUT = mark("You are signed out.")
DIFFERENT = mark("The two passphrases are different.")
WRONG_CODE = mark(
    "The code does not belong to the key below. Give the app this key, delete an older entry of TACT Map in it, and "
    "type the code that it shows now. If it is refused again, let the phone set its time by itself."
)
NO_PASSKEY = mark("The passkey was not taken. Try again; a person has at most ten.")
_REFUSALS: Mapping[Reason, str] = {
    Reason.WRONG: mark("Name, passphrase or code is wrong. Each code counts once: wait for the next one."),
    Reason.SPENT: mark("That sign-in has ended, or it was begun in another window. Begin again."),
    Reason.ROLE: mark(
        "{organisation} knows you, but none of your groups there may see this map. Ask your administrator to add you "
        "to one."
    ),
    Reason.REVOKED: mark("You may no longer sign in to this map. Ask your data officer."),
    Reason.NAMESAKE: mark("You cannot sign in this way yet. Ask your data officer to admit you."),
    Reason.UNCONFIRMED: mark("That is not your passphrase. Try again."),
    Reason.PASSKEY: mark("Name, passphrase or passkey is wrong, or this page was open for too long. Try again."),
}
_FAULTS: Mapping[Fault, str] = {
    Fault.BUSY: BUSY,
    Fault.DOWN: mark("{organisation} does not answer just now. Try again in some minutes."),
    Fault.REFUSED: mark("{organisation} did not sign you in. Try again; if it happens again, tell your administrator."),
    Fault.UNBELIEVED: mark(
        "What {organisation} answered could not be verified, so nobody was signed in. Tell your administrator."
    ),
}
ROLE_NAMES: Mapping[Role, str] = {
    Role.PUBLIC: mark("Public"),
    Role.GUEST: mark("Guest"),
    Role.PARTNER: mark("Partner"),
    Role.MANAGER: mark("Manager"),
    Role.RESEARCHER: mark("Researcher"),
    Role.OFFICER: mark("Data officer"),
}
_EVENTS: Mapping[str, str] = {
    Event.INVITED: mark("invited"),
    Event.ACCEPTED: mark("accepted the invitation"),
    Event.ADMITTED: mark("admitted by the organisation"),
    Event.PASSKEY: mark("added a passkey"),
    Event.REVOKED: mark("revoked"),
    Event.SIGNED_IN: mark("signed in"),
    Event.FAILED: mark("failed to sign in"),
    Event.SIGNED_OUT: mark("signed out"),
    Event.SAW: mark("saw"),
    Event.EXPORTED: mark("exported"),
    Event.PLANNED: mark("planned"),
    Event.TOKEN_MADE: mark("made a token"),
    Event.TOKEN_USED: mark("read layers by a token"),
    Event.TOKEN_ENDED: mark("ended a token"),
    Event.SHORTENED: mark("removed old rows"),
}


@dataclass(frozen=True)
class PasskeyAsk:
    """A page's request to the browser for a passkey, see data/accounts/passkeys.py.

    moment : when the challenge was made, in seconds since 1970, which the form sends back. options : the options for
    the browser, as JSON. is_new : whether the browser makes a new passkey; otherwise it signs with one that it has.
    """

    moment: str
    options: str
    is_new: bool = False


def make_page(
    token: str,
    to: str,
    problem: str,
    languages: Mapping[str, str],
    organisation: str = "",
    passkey: PasskeyAsk | None = None,
) -> str:
    """Return the sign-in page. `to` is the path to open afterwards, `problem` the fault in the last attempt, or "".

    token : the token of the form. languages : the address of the page in each language. organisation : the one whose
    people sign in at their own provider; empty if there is none. passkey : None if the address has no https.
    """
    return _make_page(
        _("Sign in"),
        html(
            '{}{}{}{}{}{}{}{}<button>{}</button>{}</form><p class="note">{}</p><p class="note"><a href="{}">{}</a></p>',
            _show_problem(problem),
            _lead_to_provider(to, organisation) if organisation else "",
            _begin_form(SIGN_IN),
            _hide("token", token),
            _hide("to", to),
            _ask("name", _("Name"), f'autocomplete="username"{"" if organisation else " autofocus"}'),
            _ask("passphrase", _("Passphrase"), 'type="password" autocomplete="current-password"'),
            _ask("code", _("Code that the app on your phone shows now"), _CODE),
            _("Sign in"),
            _offer_passkey(passkey, _("Sign in with a passkey in place of the code")),
            _("No account, or your phone is lost? Ask your data officer for an invitation."),
            # A browser that comes from another site, such as a mail, does not send its cookie for the first page.
            to,
            _("If you are signed in already, go on."),
        ),
        languages,
    )


def make_arrival_page(to: str) -> str:
    """Return the page for a person whom their provider has sent back; it opens the path `to` by itself."""
    return _make_page(
        _("You are signed in"),
        html('<meta http-equiv="refresh" content="0;url={}"><p><a href="{}">{}</a></p>', to, to, _("Go on to the map")),
        {},
    )


def make_invitation_page(
    token: str,
    secret: str,
    person: Person,
    factor: bytes,
    problem: str,
    languages: Mapping[str, str],
    passkey: PasskeyAsk | None = None,
) -> str:
    """Return the page on which an invited person chooses a passphrase and takes the second factor.

    secret : that of the invitation. factor : the second factor, from which an app makes codes.
    """
    link = write_factor_link(factor, person.name)
    key = write_factor(factor)
    return _make_page(
        _("Welcome, {name}", name=person.name),
        html(
            "<p>{}</p>{}{}{}{}{}<h2>{}</h2><p>{}</p>{}{}<h2>{}</h2>{}<p>{}</p>"
            '<div class="code">{}</div><p>{}</p><p class="key">{}</p><p><a href="{}">{}</a></p>{}'
            "<button>{}</button></form>",
            _("You will sign in with a passphrase and a second factor."),
            _show_problem(problem),
            _begin_form(INVITATION),
            _hide("token", token),
            _hide("invitation", secret),
            # Password managers keep the passphrase under the name.
            html('<input type="hidden" name="name" value="{}" autocomplete="username">', person.name),
            _("1. Passphrase"),
            _("At least {count} characters, for example four random words.", count=CHARACTERS),
            _ask("passphrase", _("New passphrase"), _NEW),
            _ask("again", _("The same again"), _NEW),
            _("2. Second factor"),
            _offer_passkey(passkey, _("Finish with a passkey of this device, without an app for codes")),
            _("Scan this with an app for codes, such as Aegis, FreeOTP or Google Authenticator."),
            draw_code(link),
            _("Or type this key into the app:"),
            " ".join(key[i : i + 4] for i in range(0, len(key), 4)),
            link,
            _("Or open it in an app on this phone"),
            _ask("code", _("Code that the app shows now"), _CODE),
            _("Finish and sign in"),
        ),
        languages,
    )


def make_ended_page() -> str:
    """Return the page for an invitation link that is not valid, or not any more."""
    return _make_page(
        _("This link no longer works"),
        html(
            "<p>{}</p>",
            _("An invitation works once, within {hours} hours. Ask your data officer for another one.", hours=HOURS),
        ),
        {},
    )


def make_account_page(
    token: str,
    person: Person,
    rows: Sequence[Entry],
    log: tuple[Sequence[Entry], Verdict] | None,
    languages: Mapping[str, str],
    problem: str = "",
    passkey: PasskeyAsk | None = None,
) -> str:
    """Return the page with the person who has signed in, their rows in the log, and the button to sign out.

    log : the last rows about everybody and whether the log is whole, for readers who may see it. problem : why the
    passkey was not added. passkey : None for a person without a passphrase here.
    """
    end = _("until {day}", day=format_day(date.fromisoformat(person.last_day))) if person.last_day else ""
    return _make_page(
        person.name,
        html(
            "<p>{}</p>{}{}{}<button>{}</button></form>"
            '<p class="note"><a href="/">{}</a></p>{}<h2>{}</h2><table>{}</table>{}',
            " · ".join(filter(None, (_(ROLE_NAMES[person.role]), person.organisation, end))),
            _show_problem(problem),
            _begin_form("/sign-out"),
            _hide("token", token),
            _("Sign out"),
            _("Back to the map"),
            _ask_for_passkey(token, passkey) if passkey else "",
            _("What the log says of you (times in UTC)"),
            join_markup(_list_rows(rows)),
            _show_log(*log) if log else "",
        ),
        languages,
    )


def draw_code(link: str) -> Markup:
    """Draw a link as a QR code, in SVG."""
    import segno  # imported here, because nothing else needs it

    drawing = segno.make(link, error="m").svg_inline(border=4, omitsize=True, title=_("QR code of the key"))
    return Markup(drawing)  # noqa: S704 (made here, of a link whose name is escaped)


def format_refusal(refusal: Refusal, organisation: str = "") -> str:
    """Return why a person was not let in, with a passphrase or through the provider of an organisation."""
    if refusal.wait:
        return _("Too many attempts failed. Wait {seconds} seconds, then try again.", seconds=int(refusal.wait) + 1)
    return _(_REFUSALS[refusal.reason], organisation=organisation)


def format_fault(fault: Fault, organisation: str) -> str:
    """Return in words what went wrong with the provider of an organisation."""
    return _(_FAULTS[fault], organisation=organisation)


def make_headers(origin: str) -> dict[str, str]:
    """Return the headers of a page that asks for a passkey: it may run one script of this origin, and no other."""
    return {**HEADERS, "Content-Security-Policy": f"{_POLICY}; script-src {origin}{PASSKEY_SCRIPT}"}


def _ask_for_passkey(token: str, passkey: PasskeyAsk) -> Markup:
    """Return the form with which a person who has signed in adds a passkey."""
    return html(
        "<div hidden>{}{}<h2>{}</h2><p>{}</p>{}{}</form></div>",
        _begin_form(PASSKEY),
        _hide("token", token),
        _("Passkeys"),
        _("A passkey of this device or of a security key stands in for the code of an app."),
        _ask("passphrase", _("Passphrase"), 'type="password" autocomplete="current-password"'),
        _offer_passkey(passkey, _("Add a passkey")),
    )


def _offer_passkey(passkey: PasskeyAsk | None, words: str) -> Markup:
    """Return the button that asks the browser for a passkey; empty if `passkey` is None.

    The button is hidden until its script finds that the browser supports passkeys.
    """
    if passkey is None:
        return Markup("")
    return html(
        '{}{}<button type="button" class="other" hidden data-make="{}" data-options="{}" data-different="{}" '
        'data-failed="{}">{}</button><script src="{}" defer></script>',
        _hide("moment", passkey.moment),
        _hide("passkey", ""),
        str(passkey.is_new).lower(),
        passkey.options,
        _(DIFFERENT),
        _("The passkey was not used. Try again, or take the code."),
        words,
        PASSKEY_SCRIPT,
    )


_CODE = 'inputmode="numeric" autocomplete="one-time-code" maxlength="9"'
_NEW = f'type="password" autocomplete="new-password" minlength="{CHARACTERS}"'


def _make_page(title: str, content: Markup, languages: Mapping[str, str]) -> str:
    links = (
        html('<a href="{}" lang="{}" hreflang="{}">{}</a>', address, code, code, LANGUAGE_NAMES[code])
        for code, address in languages.items()
        if code != find_language()
    )
    return str(
        html(
            '<!DOCTYPE html><html lang="{}"><head><meta charset="utf-8"><title>{} · TACT Map</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{}</style></head>'
            "<body><header><strong>TACT Map</strong><nav>{}</nav></header><main><h1>{}</h1>{}</main></body></html>",
            find_language(),
            title,
            Markup(_STYLE),  # noqa: S704
            join_markup(links),
            title,
            content,
        )
    )


def _show_problem(problem: str) -> Markup:
    return html('<p class="problem" role="alert">{}</p>', problem) if problem else Markup("")


def _begin_form(path: str) -> Markup:
    """Return the beginning of a form; the answer to the form is in the language of this page."""
    return html('<form method=post action="{}?lang={}">', path, find_language())


def _hide(name: str, value: str) -> Markup:
    return html('<input type="hidden" name="{}" value="{}">', name, value)


def _ask(name: str, words: str, attributes: str) -> Markup:
    return html('<label>{}<input name="{}" required {}></label>', words, name, Markup(attributes))  # noqa: S704


def _lead_to_provider(to: str, organisation: str) -> Markup:
    return html(
        '<a class="lead" href="{}?{}">{}</a><p class="note">{}</p>',
        PROVIDER,
        urlencode({"to": to, "lang": find_language()}),
        _("Sign in with {organisation}", organisation=organisation),
        _("Or with an account of this map:"),
    )


def _show_log(rows: Sequence[Entry], verdict: Verdict) -> Markup:
    number, sha256 = verdict.head
    whole = _("All {count} rows are as they were written. Keep this elsewhere: row {number}, {sha256}",
              count=verdict.rows, number=number, sha256=sha256)  # fmt: skip
    last = verdict.start + verdict.rows
    broken = _("The log was changed after row {number}. Tell your data protection officer.", number=last)
    return html(
        '<h2>{}</h2><p class="{}">{}</p><table>{}</table>',
        _("The audit log of everybody, newest first"),
        "problem" if verdict.problem else "check",
        broken if verdict.problem else whole,
        join_markup(_list_rows(rows, with_name=True)),
    )


def _list_rows(rows: Sequence[Entry], *, with_name: bool = False) -> Iterable[Markup]:
    for entry in reversed(rows):
        names = [name for name in (str(entry.content["person"]) or "?",) if with_name]
        details = [str(value) for key, value in entry.content.items() if key not in ("event", "person") and value]
        event = _(_EVENTS.get(str(entry.content["event"]), str(entry.content["event"])))
        words = " · ".join([*names, event, *details])
        yield html("<tr><td>{}</td><td>{}</td></tr>", entry.registered[:16].replace("T", " "), words)
