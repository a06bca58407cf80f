"""Addresses to which a secret may be sent: with encryption, or on this machine."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

# The names of this machine's own address.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def split_safe(address: str) -> SplitResult | None:
    """Return the parts of an address if nobody else can read what is sent to it: by https, or http on this machine.

    None for any other text, also with a name or passphrase in the address.
    """
    try:
        parts = urlsplit(address)
        is_address = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return None
    is_own = parts.scheme == "http" and parts.hostname in LOOPBACK
    return parts if is_address and (parts.scheme == "https" or is_own) else None
