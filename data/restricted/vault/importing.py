"""The import of one file's records into the vault, inside one transaction."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from data.restricted.vault import earlier, frames, published
from data.restricted.vault.sqlcipher import Connection
from data.restricted.vault.tables import (
    NOTE,
    OUTLINE,
    archive_sql,
    days_sql,
    insert_sql,
    of_other_partner_sql,
    repeat_sql,
    settle_sql,
    two_sexes_sql,
    update_sql,
)

# Rows are collected up to this number and then written in the order of their identity: keys in random
# order touch a page each (52 s for a million rows; sorted, 12 s). A million rows take about 150 MB here.
_BUFFERED_ROWS = 1_000_000
_ROWS_PER_WRITE = 50_000
_COUNT_LARGE = (
    "SELECT count(*) FROM (SELECT 1 FROM encounter WHERE household IN (SELECT household FROM encounter WHERE batch = ? "
    "AND household <> x'') GROUP BY household HAVING count(DISTINCT child) > ?)"
)


@dataclass(frozen=True)
class Counts:
    """The numbers of records that were new, replaced older content, or were known already."""

    accepted: int = 0
    changed: int = 0
    already_known: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.accepted + other.accepted, self.changed + other.changed, self.already_known + other.already_known
        )


class Import:
    """The writer of one file's records, chunk by chunk; `Vault.importing` begins and ends it."""

    def __init__(self, connection: Connection, kind: str, batch: int) -> None:
        self.kind = kind
        self.number = batch
        self.counts = Counts()
        self._connection = connection
        self._batch = batch
        self._terms = frames.TermBook(connection)
        self._buffer: list[pa.RecordBatch] = []
        self._insert, self._update = insert_sql(kind, batch), update_sql(kind, batch)
        self._repeat, self._archive = repeat_sql(kind, batch), archive_sql(kind, batch)
        self._settle = settle_sql(kind, batch)

    def add(self, frame: frames.Frame) -> None:
        """Add a chunk: the kind's canonical columns, `identity` and `content` (16 bytes each).

        A record with a known identity and another content replaces the old one and counts as changed; at intake, only
        a record with a record number gets an identity that allows this. `counts` is complete when the `with` block of
        the import has ended. Raises VaultError if a column is missing, unknown or of a wrong type.
        """
        batch = frames.encode(frame, self.kind, self._terms)
        if batch is not None:
            self._buffer.append(batch)
        if sum(len(batch) for batch in self._buffer) >= _BUFFERED_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the collected rows into the database."""
        if not self._buffer:
            return
        table = pa.Table.from_batches(self._buffer)
        self._buffer.clear()
        for layer in frames.split_repeats(table):
            for batch in layer.combine_chunks().to_batches(max_chunksize=_ROWS_PER_WRITE):
                self._write(batch)

    def count_two_sexes(self) -> int:
        """Return how many children of this import are female in one record of a partner and male in another.

        Collected rows are written first. Only encounters are about children.
        """
        self.flush()
        if self.kind != "encounter":
            return 0
        return int(self._connection.execute(two_sexes_sql(), (self._batch,)).fetchone()[0])

    def count_large_households(self, most: int) -> int:
        """Return how many households of this import have more than `most` children in all records."""
        self.flush()
        if self.kind != "encounter":
            return 0
        return int(self._connection.execute(_COUNT_LARGE, (self._batch, most)).fetchone()[0])

    def count_late(self) -> int:
        """Return how many new or changed encounters of this import are of years whose numbers are final.

        Collected rows are written first.
        """
        self.flush()
        years = published.list_final_years(self._connection) if self.kind == "encounter" else []
        if not years:
            return 0
        days = self._connection.execute(days_sql(), (self._batch,)).fetchall()
        return sum(n for day, n in days if any(year.start <= dt.date.fromisoformat(day) <= year.end for year in years))

    def find_other_partner(self) -> tuple[str, int, int] | None:
        """Return another partner that already has records of this import, how many, and of how many compared; or None.

        Such records are the same but for child and partner. Collected rows are written first. Only encounters are
        compared, at most 10,000 of the import.
        """
        self.flush()
        if self.kind != "encounter":
            return None
        row = self._connection.execute(of_other_partner_sql(), (self._batch,)).fetchone()
        return (str(row[0]), int(row[1]), int(row[2])) if row else None

    def count_corrections(self) -> earlier.Corrections | None:
        """Compare corrected encounters with what was stored; None if none is corrected. Collected rows go in first."""
        self.flush()
        if self.kind != "encounter" or not self.counts.changed:
            return None
        return earlier.count_corrections(self._connection, self._batch)

    def match_unnumbered(self) -> None:
        """Take rows for known records that are the same but for a record number (see earlier.py); flush before."""
        self.flush()
        if self.kind == "encounter":
            known = earlier.match_unnumbered(self._connection, self._batch)
            self.counts += Counts(-known, 0, known)

    def find_overlap(self, rejected: Iterable[bytes], unsure: int) -> earlier.Overlap | None:
        """Return the earlier imports of which this file seems to be another version. Collected rows go in first.

        The parameters are about its rejected rows, see earlier.py.
        """
        self.flush()
        return earlier.find_overlap(self._connection, self.kind, self._batch, rejected, unsure)

    def remove_gone(self, *, inside: bool = False) -> int:
        """Delete the records of earlier versions that this file does not have any more, and return how many.

        inside : only those from its first to its last day.
        """
        return earlier.remove_gone(self._connection, self.kind, self._batch, inside=inside)

    def list_outlines(self) -> list[str]:
        """Return the outlines of the files of earlier imports of this kind, the latest first."""
        query = "SELECT value FROM meta JOIN batch ON name = ? || id WHERE kind = ? AND id <> ? ORDER BY id DESC"
        rows = self._connection.execute(query, (f"{NOTE}{OUTLINE}", self.kind, self._batch))
        return [str(text) for (text,) in rows]

    def write_outline(self, text: str) -> None:
        """Store the outline of the file with the import."""
        self._connection.execute("INSERT INTO meta VALUES (?, ?)", (f"{NOTE}{OUTLINE}{self._batch}", text))

    def _write(self, batch: pa.RecordBatch) -> None:
        inserted = self._connection.executemany(self._insert, frames.iter_rows(batch)).rowcount
        changed = 0
        if inserted < len(batch):
            # For `tact undo`: content that is repeated or replaced (data/restricted/vault/undoing.py).
            self._connection.executemany(self._repeat, frames.iter_rows(batch))
            self._connection.executemany(self._archive, frames.iter_rows(batch.select(["identity", "content"])))
            changed = self._connection.executemany(self._update, frames.iter_rows(batch)).rowcount
        if changed:
            self._connection.execute(self._settle)
        self.counts += Counts(inserted, changed, len(batch) - inserted - changed)
