"""`tact people`: invite people to sign in to the map with a role, list them, and revoke or admit them."""

from __future__ import annotations

import datetime as dt
import shlex
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.workspace import open_workspace
from dashboard.site import INVITATION
from data.accounts import people
from data.accounts.addresses import split_safe
from data.accounts.database import Accounts
from data.accounts.provider import FILE, find_provider_file
from data.accounts.rights import Role
from data.errors import InputError
from data.schema.vocabulary import COUNTRIES

app = typer.Typer(help="The people who may sign in to the map (tact serve --people).", no_args_is_help=True)

AccountsFile = Annotated[
    Path | None,
    typer.Option("--accounts", help="The file of accounts of a server without a workspace. Default: the workspace's."),
]
_Name = Annotated[str, typer.Argument(help="Name of the person, by which they sign in.")]
LOCAL = "http://127.0.0.1:8642"  # where tact serve answers unless the port is taken
_LOCAL_LINK = (
    f"The link is for a map at {LOCAL}. If `tact serve --people` says that people sign in elsewhere, invite again with "
    "that address: --at ADDRESS"
)


def find_file(context: typer.Context, file: Path | None) -> Path:
    """Return `file` if it is given, else the path of the workspace's file of accounts."""
    return file if file is not None else open_workspace(context).accounts


@app.command()
def invite(
    context: typer.Context,
    name: _Name,
    role: Annotated[str, typer.Option(help=f"What the person is: {', '.join(Role)}.")],
    organisation: Annotated[str, typer.Option(help="The partner that the person works for.")] = "",
    countries: Annotated[
        str,
        typer.Option(
            help=f"Limit the person to countries, with commas between: {', '.join(COUNTRIES)}, or all. Default: "
            "no limit, or the one that the person has."
        ),
    ] = "",
    until: Annotated[
        str,
        typer.Option(
            help="Last day (UTC) on which the person may sign in, as YYYY-MM-DD, or never. Default: "
            f"{people.GUEST_DAYS} days from now for a guest; for others no end, or the one that the person has."
        ),
    ] = "",
    address: Annotated[str, typer.Option("--at", help=f"Address of the map, for the link. Default: {LOCAL}.")] = LOCAL,
    accounts: AccountsFile = None,
    as_json: Json = False,
) -> None:
    """Invite a person by a link that works once, within 72 hours. A later link replaces passphrase, factor and role."""
    start, limit, last_day = _check_address(address), _check_countries(countries), _check_day(until)
    opened = Accounts.open_or_create(find_file(context, accounts))
    secret = people.invite(opened, name, role, organisation, limit, last_day)
    last_day = _read_last_day(opened, name)
    link = f"{start}{INVITATION}?invitation={quote(secret)}"
    emit(
        {
            "name": name,
            "role": role,
            "organisation": organisation,
            "countries": limit,
            "until": last_day,
            "link": link,
            "hours": people.HOURS,
        },
        as_json,
        f"Give this link to {name}, on a way that nobody else reads. It works once, within {people.HOURS} hours:",
        link,
        *([_LOCAL_LINK] if start == LOCAL else []),
        *([f"{name} can sign in until {last_day} (UTC), and then no more."] if last_day else []),
        *(_word_other_door(opened, name) if limit or last_day else []),
    )


@app.command("list")
def list_people(context: typer.Context, accounts: AccountsFile = None, as_json: Json = False) -> None:
    """List the people, their roles and limits, and who is invited, active, ended or revoked."""
    opened = Accounts.open(find_file(context, accounts))
    everybody = people.list_people(opened)
    limits = {p.id: sorted(p.countries) for p in everybody}
    rows = [("name", "role", "organisation", "countries", "until", "state")]
    rows += [(p.name, p.role, p.organisation, ", ".join(limits[p.id]) or "all", p.last_day, p.state) for p in everybody]
    emit(
        [
            {
                "name": p.name,
                "role": p.role,
                "organisation": p.organisation,
                "countries": limits[p.id],
                "until": p.last_day,
                "state": p.state,
            }
            for p in everybody
        ],
        as_json,
        *format_table(rows),
    )


@app.command()
def revoke(context: typer.Context, name: _Name, accounts: AccountsFile = None, as_json: Json = False) -> None:
    """Take a person's right to sign in away and end all their sessions at once."""
    opened = Accounts.open(find_file(context, accounts))
    ended = people.revoke(opened, name)
    emit(
        {"name": name, "sessions": ended},
        as_json,
        f"{name} can no longer sign in. Sessions ended: {ended}.",
        *_word_other_door(opened, name),
    )


@app.command()
def admit(
    context: typer.Context,
    name: _Name,
    until: Annotated[
        str, typer.Option(help="Last day (UTC), as YYYY-MM-DD, or never. Default: the one that the person has.")
    ] = "",
    accounts: AccountsFile = None,
    as_json: Json = False,
) -> None:
    """Let a person who was revoked or has a limit sign in through their organisation."""
    opened = Accounts.open(find_file(context, accounts))
    people.admit(opened, name, _check_day(until))
    last_day = _read_last_day(opened, name)
    end = f" until {last_day} (UTC)" if last_day else ""
    emit(
        {"name": name, "until": last_day},
        as_json,
        f"{name} can sign in through their organisation{end}. A limit to countries stays.",
    )


def _read_last_day(accounts: Accounts, name: str) -> str:
    """Return the last day on which a person may sign in (ISO, UTC); empty if there is no end, or no such person."""
    with accounts.read() as connection:
        row = people.find_named(connection, name)
    return str(row["last_day"]) if row else ""


def _word_other_door(accounts: Accounts, name: str) -> list[str]:
    """Return lines on how a person can still sign in through the organisation, and what to do about it.

    Empty if no `access.toml` names a provider.
    """
    folder = accounts.path.parent
    if find_provider_file(folder, folder.parent) is None:
        return []
    return [
        *(
            f"{double} came through the organisation and can still sign in. If that is the same person: "
            f"tact people revoke {shlex.quote(double)}"
            for double in people.list_doubles(accounts, name)
        ),
        f"The sign-in of the organisation ({FILE}) is a door of its own. It refuses whoever is new there and called "
        f"{name}, but knows no other spelling: take {name} out of the groups there, too.",
    ]


def _check_countries(text: str) -> list[str] | None:
    """Return the codes of countries in a text; an empty list for "all", None for an empty text.

    Raises InputError for other codes.
    """
    if text == "all" or not text:
        return [] if text else None
    codes = sorted({code.strip().upper() for code in text.split(",")})
    if unknown := [code for code in codes if code not in COUNTRIES]:
        raise InputError(f"No country {unknown[0]!r}. There are: {', '.join(COUNTRIES)}, all.")
    return codes


def _check_day(text: str) -> str | None:
    """Return a day as ISO; empty for "never", None for an empty text. Raises InputError for any other text."""
    if text == "never" or not text:
        return "" if text else None
    try:
        return f"{dt.date.fromisoformat(text)}"
    except ValueError:
        raise InputError(f"{text!r} is no day. Give one such as 2027-01-31, or never.") from None


def _check_address(text: str) -> str:
    """Return scheme and host of an address.

    Raises InputError if others could read a link to it on its way, or if it has more than these two.
    """
    parts = split_safe(text)
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment:
        raise InputError(f"{text!r} is no address of a map. Give one such as https://map.example.org or {LOCAL}.")
    return f"{parts.scheme}://{parts.netloc}"
