"""People of organisations with their own sign-in (OpenID Connect): the file `access.toml`, written by hand.

It names the provider of the organisation, and the role here for each of its groups. A person in none of these groups
is not let in.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.accounts.addresses import split_safe
from data.accounts.rights import Role
from data.errors import InputError
from data.workspace.toml_text import parse_toml

FILE = "access.toml"
_SECTION, _ROLES = "openid", "roles"
_NEEDED = ("issuer", "client_id", "title")
_SECRETS = ("client_secret_file", "client_secret_env")
_DEFAULTS = {"organisation": "", "groups_claim": "groups", "name_claim": "name", "scope": "openid profile"}
_LONGEST = 60  # characters of the title, which stands on a button


@dataclass(frozen=True)
class ProviderSettings:
    """The provider of an organisation, and the requests to it.

    issuer : its address. client_id, client_secret : those of this map there. title : its name on the button to sign in.
    organisation : the name of the organisation; may be empty. groups_claim, name_claim : the claims of the ID token
    with the groups and the name of a person. scope : the scopes of a request. roles : the role of each group; the first
    group of a person counts.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    title: str
    organisation: str
    groups_claim: str
    name_claim: str
    scope: str
    roles: Mapping[str, Role]

    def find_role(self, groups: Collection[str]) -> Role | None:
        """Return the role of the first group in the file to which a person belongs; None if they belong to none."""
        return next((role for group, role in self.roles.items() if group in groups), None)


def find_provider_file(*folders: Path) -> Path | None:
    """Return the path of `access.toml` in the first of these folders that has it; None if no folder has it."""
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


def read_provider(path: Path) -> ProviderSettings:
    """Read a file `access.toml`, and the client's secret from the file or environment variable that it names.

    Raises InputError if one of them cannot be read, if a part is missing, or if a name or value is not allowed. It
    names the place of the first fault, and what is allowed there.
    """
    try:
        fields = parse_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path} cannot be read: {error}. Correct it, or move it away: then only accounts sign in."
        ) from (None)
    for name in sorted(set(fields) - {_SECTION, _ROLES}):
        raise _make_error(path, name, f"is not known. There are: [{_SECTION}], [{_ROLES}]")
    section = _read_section(path, fields, _SECTION)
    allowed = [*_NEEDED, *_SECRETS, *_DEFAULTS]
    for name in sorted(set(section) - set(allowed)):
        raise _make_error(path, f"[{_SECTION}] {name}", f"is not known. There are: {', '.join(allowed)}")
    words = {name: _read_words(path, section, name) for name in (*_NEEDED, *_DEFAULTS)}
    _check_issuer(path, words["issuer"])
    if len(words["title"]) > _LONGEST:
        raise _make_error(path, f"[{_SECTION}] title", f"has more than {_LONGEST} characters")
    if "openid" not in words["scope"].split():
        raise _make_error(path, f"[{_SECTION}] scope", 'has to name openid, as in "openid profile"')
    return ProviderSettings(client_secret=_read_secret(path, section), roles=_read_roles(path, fields), **words)


def _read_section(path: Path, fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = fields.get(name)
    if not isinstance(section, dict) or not section:
        raise _make_error(path, f"[{name}]", "is missing. docs/install.md has an example")
    return section


def _read_words(path: Path, section: Mapping[str, Any], name: str) -> str:
    value = section.get(name, _DEFAULTS.get(name, ""))
    words = " ".join(value.split()) if isinstance(value, str) else ""
    if not words.isprintable() or not (words or _DEFAULTS.get(name) == ""):
        raise _make_error(path, f"[{_SECTION}] {name}", "is missing, empty or no text in quotes")
    return words


def _check_issuer(path: Path, issuer: str) -> None:
    parts = split_safe(issuer)
    if parts is None or parts.query or parts.fragment:
        raise _make_error(
            path,
            f"[{_SECTION}] issuer",
            f"is {issuer!r}. Give the address that the provider calls its issuer, as https://login.example.org/realms/ngo",
        )


def _read_secret(path: Path, section: Mapping[str, Any]) -> str:
    names = [name for name in _SECRETS if name in section]
    place = f"[{_SECTION}] {' and '.join(names or _SECRETS)}"
    if len(names) != 1:
        raise _make_error(path, place, "say one of them: the file that has the client's secret, or a variable's name")
    value = _read_words(path, section, names[0])
    if names[0] == "client_secret_env":
        if value.upper().startswith("TACT_"):
            raise _make_error(path, place, f"is {value}. The map is given no variable whose name begins with TACT_")
        secret, source = os.environ.get(value, ""), f"the variable {value}"
    else:
        try:
            secret, source = (path.parent / value).read_text(encoding="utf-8"), str(path.parent / value)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise _make_error(path, place, f"names {path.parent / value}, which cannot be read ({reason})") from None
    if not secret.strip():
        raise _make_error(path, place, f"names {source}, which has no secret. Write the client's secret there")
    return secret.strip()


def _read_roles(path: Path, fields: Mapping[str, Any]) -> Mapping[str, Role]:
    section = _read_section(path, fields, _ROLES)
    for group, role in section.items():
        if role not in list(Role):
            raise _make_error(path, f'[{_ROLES}] "{group}"', f"is {role!r}. There are: {', '.join(Role)}")
    return {group: Role(role) for group, role in section.items()}


def _make_error(path: Path, place: str, what: str) -> InputError:
    return InputError(f"{path}, {place} {what}.")
