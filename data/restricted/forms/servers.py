"""The servers of forms, ODK Central and KoboToolbox: what they hold is fetched as ciphertext and opened in memory.

Nothing is remembered between two pulls: each brings all that is on the server, and the number of a submission is its
record number. So a pull that is ended at any moment loses and doubles nothing. The address and the login of a form are
a note of the vault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from urllib.parse import quote, urlsplit

import httpx2
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from data.errors import InputError
from data.message import Message, mark
from data.restricted.forms.key import read_keys
from data.restricted.forms.opening import (
    CannotOpen,
    Envelope,
    number_record,
    open_submission,
    read_answers,
    read_envelope,
    write_table,
)
from data.restricted.intake.memory_file import MemoryFile
from data.restricted.vault import Vault
from data.workspace.types import ProgressCount

_NOTE = "form servers"
_PAGE = 1000
_SECONDS, _TO_CONNECT = 60.0, 10.0
_PROBLEMS = {
    "readable": mark(
        "{count:,} submissions are NOT encrypted: the server can read them. They were left there. Replace the form on "
        "the phones with one of tact templates --kobo."
    ),
    "key": mark(
        "{count:,} submissions are encrypted for a key that this workspace does not have. It comes back from a backup, "
        "or from form-key.escrow with the passphrase of the second person: tact restore FILE, or “Restore a backup” on "
        "the page Release of the desk. Without either there is no way to them."
    ),
    "damaged": mark(
        "{count:,} submissions are damaged or were changed. They were left there: ask the partner to send them again."
    ),
    "incomplete": mark("{count:,} submissions are not there with all their files yet: the phone sends the rest."),
}
_HERE = ("127.0.0.1", "localhost", "::1")
_CENTRAL = re.compile(r"/projects/(?P<project>\d+)/forms/(?P<form>[^/?]+)")
_KOBO = re.compile(r"/forms/(?P<form>\w+)")
# Its envelope, what finds the address of a file by its name, and the number of all submissions of the form.
_Submission = tuple[bytes, Callable[[str], str], int]
_ListForm = Callable[..., Iterator[_Submission]]


@dataclass(frozen=True)
class FormServer:
    """A form on a server: its address as a browser shows it, and the login (Central: EMAIL:PASSWORD; Kobo: a token)."""

    address: str
    login: str = field(repr=False)

    @property
    def name(self) -> str:
        """The form and its server, as an officer knows them."""
        return f"{_find_form(self.address)[1]['form']} ({urlsplit(self.address).netloc})"


@dataclass(frozen=True)
class Pull:
    """What a pull brought: a table in memory (None if no submission was opened), and the submissions in it.

    `problems` counts those that could not be opened, by the reason of CannotOpen or "incomplete".
    """

    file: MemoryFile | None
    numbers: tuple[str, ...]
    problems: dict[str, int]

    def word_problems(self) -> list[Message]:
        """Return a sentence with the remedy on each kind of submission that was not opened."""
        return [Message(_PROBLEMS[why], count=count) for why, count in self.problems.items()]


def read_servers(vault: Vault) -> list[FormServer]:
    """Return the forms on servers that the workspace knows."""
    return [FormServer(**entry) for entry in json.loads(vault.read_note(_NOTE) or "[]")]


def write_server(vault: Vault, server: FormServer) -> None:
    """Store the address and login of a form in the vault; an empty login removes it. Raises InputError as `pull`."""
    _find_form(server.address)
    with vault.writing():
        others = [other for other in read_servers(vault) if other.address != server.address]
        vault.write_note(_NOTE, json.dumps([asdict(entry) for entry in [*others, *([server] if server.login else [])]]))


def pull(vault: Vault, server: FormServer, progress: ProgressCount | None = None) -> Pull:
    """Fetch all submissions of a form and open them in memory.

    Raises InputError for an address that is none of a form, a server that cannot be reached, or a wrong login.
    """
    list_form, form = _find_form(server.address)
    keys = read_keys(vault)
    rows: list[tuple[str, dict[str, str]]] = []
    problems: dict[str, int] = {}
    login = {} if list_form is _list_central else {"Authorization": f"Token {server.login}"}
    user, _, password = server.login.partition(":")
    try:
        with httpx2.Client(
            base_url=_base(server.address),
            headers=login,
            auth=None if login else (user, password),
            timeout=httpx2.Timeout(_SECONDS, connect=_TO_CONNECT),
            follow_redirects=True,
        ) as client:
            for number, (content, find_place, total) in enumerate(list_form(client, **form), start=1):
                try:
                    envelope = read_envelope(content)
                    files = {name: client.get(find_place(name)) for name in (*envelope.media, envelope.file)}
                    rows.append((envelope.submission, _open(keys, envelope, files)))
                except CannotOpen as error:
                    problems[error.why] = problems.get(error.why, 0) + 1
                except KeyError:  # the phone has not sent all files yet
                    problems["incomplete"] = problems.get("incomplete", 0) + 1
                if progress:
                    progress(number, total)
    except (httpx2.HTTPError, ValueError, KeyError) as error:  # ValueError, KeyError: not what the API promises
        raise InputError(_word_failure(server, error)) from None
    name = f"submissions-{form['form']}.csv"
    numbers = tuple(number_record(number) for number, _ in rows)
    return Pull(MemoryFile(name, write_table(rows)) if rows else None, numbers, problems)


def find_stored(vault: Vault, kind: str, numbers: Iterable[str]) -> list[str]:
    """Return those of the submissions that are stored as records, so that they may be deleted on the server."""
    stored = {number for batch in vault.read(kind, ["record_number"]) for number in batch["record_number"].to_pylist()}
    return [number for number in numbers if number in stored]


def _open(keys: list[RSAPrivateKey], envelope: Envelope, files: dict[str, httpx2.Response]) -> dict[str, str]:
    if any(answer.status_code == httpx2.codes.NOT_FOUND for answer in files.values()):
        raise CannotOpen("incomplete")
    contents = {name: answer.raise_for_status().content for name, answer in files.items()}
    return read_answers(open_submission(keys, envelope, contents))


def _word_failure(server: FormServer, error: Exception) -> Message:
    """Return why a form cannot be read, and the remedy. Nothing of what the server answered is repeated."""
    values: dict[str, object] = {"form": server.name, "address": server.address}
    if isinstance(error, httpx2.HTTPStatusError):
        status = error.response.status_code
        if status in (401, 403):
            text = mark(
                "The server of {form} does not accept the login. It may have been changed or withdrawn. Nothing was "
                "imported. Give the login that counts now: tact pull --form {address}"
            )
        elif status == httpx2.codes.NOT_FOUND:
            text = mark(
                "{form} is not on its server any more, or the login may not see it. Nothing was imported. If it is "
                "gone for good: tact pull --forget {address}"
            )
        else:
            text = mark("The server of {form} has error {status}. Nothing was imported. Try again later.")
            values["status"] = status
    elif isinstance(error, httpx2.TransportError):
        text = mark(
            "The server of {form} cannot be reached, or stopped answering ({reason}). Nothing was imported. See "
            "whether this machine is on line and the server is up, then try again."
        )
        values["reason"] = type(error).__name__
    else:
        text = mark(
            "{form}: the answer is none of a server of forms. Nothing was imported. See in the browser whether the "
            "address still leads to the form: {address}"
        )
    return Message(text, **values)


def _base(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _find_form(address: str) -> tuple[_ListForm, dict[str, str]]:
    """Return the function that lists a form's submissions, and what names the form; raise InputError for no form."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE):
        path = parts.path + "/" + parts.fragment
        if names := _CENTRAL.search(path):
            return _list_central, names.groupdict()
        if names := _KOBO.search(path):
            return _list_kobo, names.groupdict()
    raise InputError(
        Message(
            "{address} is no form. Copy the address that the browser shows for it: "
            "https://SERVER/projects/1/forms/tact_encounter (ODK Central) or https://SERVER/#/forms/ID (KoboToolbox).",
            address=address,
        )
    )


def _list_central(client: httpx2.Client, project: str, form: str) -> Iterator[_Submission]:
    """Yield the submissions of a form of ODK Central, https://docs.getodk.org/central-api-submission-management."""
    base = f"/v1/projects/{project}/forms/{form}/submissions"
    entries = client.get(base).raise_for_status().json()
    for entry in entries:
        place = f"{base}/{quote(entry['instanceId'], safe='')}"
        content = client.get(f"{place}.xml").raise_for_status().content
        yield content, partial(_place_file, place), len(entries)


def _place_file(submission: str, name: str) -> str:
    return f"{submission}/attachments/{quote(name, safe='')}"


def _list_kobo(client: httpx2.Client, form: str) -> Iterator[_Submission]:
    """Yield the submissions of a form of KoboToolbox, https://support.kobotoolbox.org/api.html (API v2)."""
    base, start = f"/api/v2/assets/{form}/data", 0
    while (page := client.get(f"{base}.json?limit={_PAGE}&start={start}").raise_for_status().json())["results"]:
        for entry in page["results"]:
            content = client.get(f"{base}/{entry['_id']}.xml").raise_for_status().content
            # Built here and not taken from the answer, so that the token goes to no other server.
            files = {
                file["filename"].rpartition("/")[2]: file.get("uid") or file["id"] for file in entry["_attachments"]
            }
            places = {name: f"{base}/{entry['_id']}/attachments/{file}/" for name, file in files.items()}
            yield content, places.__getitem__, page["count"]
        start += len(page["results"])
