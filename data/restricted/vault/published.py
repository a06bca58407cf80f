"""The published blocks: table `published` of the vault, and `staged` until a release is confirmed.

A release stages its blocks before its folder gets its name and confirms them afterwards, so that after a crash the
vault and the folder of releases can be made to agree. Functions that write run inside a transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from data.errors import VaultError
from data.message import Message
from data.restricted.vault.sqlcipher import Connection
from data.tables.periods import Period


class PublishedBlock(NamedTuple):
    """A packed block (column `members`, as in earlier versions), and the release that stored it last."""

    members: bytes
    release: str


_YEAR = "year|"


def name_year(year: Period) -> str:
    """Return the name of the block that says that the numbers of a year are final."""
    return f"{_YEAR}{year.id}"


def list_final_years(connection: Connection) -> list[Period]:
    """List the years whose numbers are final."""
    blocks = connection.execute("SELECT block FROM published WHERE block GLOB ?", (f"{_YEAR}*",))
    return [Period.parse(block.removeprefix(_YEAR)) for (block,) in blocks]


def read_staged_release(connection: Connection) -> str | None:
    """Return the name of the release whose blocks are staged; None if there is none."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'staged'").fetchone()
    return None if row is None else str(row[0])


def stage(connection: Connection, release: str, blocks: Mapping[str, bytes]) -> None:
    """Store the blocks of a release that is about to be published, and replace what it staged before.

    Raises VaultError while another release is staged.
    """
    staged = read_staged_release(connection)
    if staged not in (None, release):
        raise VaultError(
            Message(
                "Publishing {staged} was not finished, so {release} cannot start. Run `tact release`, "
                "which finishes or undoes it.",
                staged=staged,
                release=release,
            )
        )
    connection.execute("DELETE FROM staged")
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('staged', ?)", (release,))
    connection.executemany("INSERT INTO staged VALUES (?, ?)", sorted(blocks.items()))


def confirm(connection: Connection, release: str) -> None:
    """Turn the staged blocks of a release into published blocks. Raises VaultError if it is not staged."""
    _check_staged(connection, release)
    connection.execute("INSERT OR REPLACE INTO published SELECT block, members, ? FROM staged", (release,))
    _clear_staged(connection)


def discard(connection: Connection, release: str) -> None:
    """Delete the staged blocks of a release that was not published. Raises VaultError if it is not staged."""
    _check_staged(connection, release)
    _clear_staged(connection)


def _check_staged(connection: Connection, release: str) -> None:
    staged = read_staged_release(connection)
    if staged != release:
        raise VaultError(
            Message(
                "Nothing is staged for {release!r}; staged is {staged}.", release=release, staged=staged or "nothing"
            )
        )


def _clear_staged(connection: Connection) -> None:
    connection.execute("DELETE FROM staged")
    connection.execute("DELETE FROM meta WHERE name = 'staged'")
