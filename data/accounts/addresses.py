"""Addresses to which a secret may be sent: with encryption, or on this machine."""

from __future__ import annotations

from urllib.parse import SplitResult

# The names of this machine's own address.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_safe(address: SplitResult) -> bool:
    """Return whether nobody else can read what is sent to an address: it has https, or http on this machine."""
    is_encrypted = address.scheme == "https"
    return bool(address.hostname) and (is_encrypted or (address.scheme == "http" and address.hostname in LOOPBACK))
