"""Signing in through the provider of an organisation: the steps between the page to sign in and a session.

The browser that begins keeps a secret in a cookie until it comes back. Only this cookie is also sent with a visit from
another site, because the provider sends the browser back from its own site.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol
from urllib.parse import quote, unquote

from dashboard.site.text import LANGUAGE_NAMES
from dashboard.web.threads import look_up
from data.accounts import sessions
from data.accounts.database import Accounts
from data.accounts.people import Identity
from data.accounts.provider import ProviderSettings
from data.accounts.sessions import Reason, Refusal

SECONDS = 600  # from the page to sign in until the browser comes back
_LONGEST = 1500  # characters of a path; a browser keeps no cookie of more than 4,096


class Fault(StrEnum):
    """What went wrong with a provider."""

    DOWN = "down"  # it does not answer, or not in time
    REFUSED = "refused"  # it did not let the person or this map in
    UNBELIEVED = "unbelieved"  # its answer is not for this request, not signed by it, or cannot be read
    BUSY = "busy"  # many people sign in just now


class ProviderError(Exception):
    """A provider cannot be used. The text is for the server's log: it names no person and repeats no input."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class Provider(Protocol):
    """The provider of an organisation. redirect : the address to which it sends browsers back."""

    settings: ProviderSettings
    redirect: str

    async def make_address(self, secret: str) -> str:
        """Return the address at the provider to which a browser with a secret is sent. Raises ProviderError."""

    async def identify(self, secret: str, answer: Mapping[str, str]) -> tuple[Identity, frozenset[str]]:
        """Return the person who comes back with an answer, and their groups. Raises ProviderError."""


@dataclass(frozen=True)
class Beginning:
    """What a browser keeps while its person is at the provider: a secret, the language, and the path to open later."""

    secret: str
    language: str
    to: str

    @classmethod
    def make(cls, language: str, to: str) -> Beginning:
        """Return a new beginning, with a new secret. A path that is too long for a cookie is replaced by `/`."""
        return cls(secrets.token_urlsafe(32), language, to if len(quote(to, safe="")) <= _LONGEST else "/")

    @classmethod
    def read(cls, text: str) -> Beginning | None:
        """Return the beginning in a cookie, or None if the cookie is not one of ours."""
        parts = text.split(".")
        if len(parts) != 3 or len(parts[0]) != 43 or parts[1] not in LANGUAGE_NAMES:
            return None
        return cls(parts[0], parts[1], unquote(parts[2]))

    def write(self) -> str:
        """Return the value of the cookie."""
        return f"{self.secret}.{self.language}.{quote(self.to, safe='').replace('.', '%2E')}"


async def finish(
    provider: Provider, accounts: Accounts, beginning: Beginning | None, answer: Mapping[str, str], address: str
) -> str | Refusal:
    """Return the session of the person who comes back, or why there is none. Raises ProviderError.

    address : the network address of the browser; it must wait if too many attempts from it have failed.
    """
    state = answer.get("state", "")
    if beginning is None or not secrets.compare_digest(state.encode(), derive("state", beginning.secret).encode()):
        return Refusal(reason=Reason.SPENT)
    refusal = await look_up(sessions.begin_answer, accounts, state, address)
    if refusal is not None:
        return refusal
    identity, groups = await provider.identify(beginning.secret, answer)
    role = provider.settings.find_role(groups)
    return await look_up(sessions.sign_in_from_provider, accounts, identity, role, address)


def derive(purpose: str, secret: str) -> str:
    """Derive a value from a secret for a purpose. It reveals neither the secret nor the value for another purpose."""
    return sha256(f"{purpose} {secret}".encode()).hexdigest()
