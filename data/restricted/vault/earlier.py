"""Compare the records of an import with those of earlier imports, inside its transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from data.restricted.vault import tables
from data.restricted.vault.sqlcipher import Connection

# ruff: noqa: S608 - names of tables and columns come from tables.py and from here alone

# Rows of two files with the same values here are about the same child, service or number.
_SUBJECTS = {
    "encounter": "child",
    "effort": "date, municipality, partner",
    "service": "municipality, operator",
    "community": 'area, "group", year, source, partner',
    "indicator": "area, period, indicator, partner",
    "figure": "area, period, measure, source",
}
_DAYS = ("encounter", "effort")  # kinds whose files cover a span of days
_ON_PAPER = ("date", "period", "valid_from", "municipality", "area", "age_band", "stage")  # what a file is checked by
_SHOWN = 3  # pairs of places and months
FileCounts: TypeAlias = dict[str, dict[str, int]]  # by our column and its values


@dataclass(frozen=True)
class Corrections:
    """Numbers of rows with a known record number: all, with another child, place or day, and with all three of them.

    `pairs` has the place and month that is stored and that of the file, with the number of rows; most rows first.
    """

    rows: int
    child: int
    some: int
    all: int
    pairs: tuple[tuple[str, str, str, str, int], ...]


@dataclass(frozen=True)
class Overlap:
    """Earlier imports with rows of a file: their numbers, and how many rows are the same, missing in it, and new."""

    imports: tuple[int, ...]
    same: int
    gone: int
    new: int


def count_corrections(connection: Connection, batch: int) -> Corrections:
    """Compare the rows of an import that have a known record number with the records that were stored."""
    before = "SELECT max(batch) FROM encounter_history WHERE identity = new.identity AND batch <> ?1"
    pairs = (
        f"FROM encounter AS new JOIN encounter_history AS old USING (identity) WHERE new.batch = ?1 "
        f"AND old.batch = ({before})"
    )
    differs = [f"new.{name} <> old.{name}" for name in ("child", "municipality", "date")]
    sums = [differs[0], " OR ".join(differs), " AND ".join(differs)]
    counted = ", ".join(f"coalesce(sum({test}), 0)" for test in sums)
    rows, child, some, every = connection.execute(f"SELECT count(*), {counted} {pairs}", (batch,)).fetchone()
    (same,) = connection.execute(
        "SELECT count(*) FROM encounter_history JOIN encounter AS now USING (identity) "
        "WHERE encounter_history.batch = ?1 AND now.batch <> ?1 AND now.record_number <> ''",
        (batch,),
    ).fetchone()
    words = [
        f"(SELECT substr(text, 1, {length}) FROM term WHERE \"column\" = 'encounter.{name}' AND code = {side}.{name})"
        for side in ("old", "new")
        for name, length in (("municipality", 20), ("date", len("2008-01")))
    ]
    shown = connection.execute(
        f"SELECT {', '.join(words)}, count(*) {pairs} GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4", (batch,)
    ).fetchmany(_SHOWN)
    return Corrections(rows + same, child, some, every, tuple(shown))


def find_overlap(connection: Connection, kind: str, batch: int) -> Overlap | None:
    """Return the earlier imports of which a file seems to be another version, or None.

    They have records of its months that it does not have, and at least half of the records of the smaller of the two
    are the same or about the same children, services or numbers. A file of corrections alone is none.
    """
    earlier = "(SELECT batch FROM undoable WHERE batch <> ?1)"
    if not connection.execute(f"SELECT 1 FROM {kind} WHERE batch IN {earlier} LIMIT 1", (batch,)).fetchone():
        return None
    connection.execute("DROP TABLE IF EXISTS temp.gone")
    connection.execute(f"CREATE TEMP TABLE gone AS {_select_gone(kind)}", (batch,))
    history = tables.history_of(kind)
    known = dict(
        connection.execute(
            f"SELECT {kind}.batch, count(*) FROM {kind} JOIN {history} AS mine USING (identity) "
            f"WHERE mine.batch = ?1 AND {kind}.batch <> ?1 GROUP BY 1",
            (batch,),
        )
    )
    corrected = dict(
        connection.execute(
            f"SELECT old.batch, count(*) FROM {kind} JOIN {history} AS old USING (identity) "
            f"WHERE {kind}.batch = ?1 AND old.batch <> ?1 GROUP BY 1",
            (batch,),
        )
    )
    (new,) = connection.execute(f"SELECT count(*) FROM {kind} WHERE batch = ?1", (batch,)).fetchone()
    mine = new + sum(known.values())
    fresh = f"SELECT 1 FROM {kind} WHERE batch = ?1 AND identity NOT IN (SELECT identity FROM {history}) LIMIT 1"
    if not known and not connection.execute(fresh, (batch,)).fetchone():  # no row goes in, or all are corrections
        return None
    versions = []
    for number, gone, about in connection.execute("SELECT batch, count(*), sum(about) FROM temp.gone GROUP BY 1"):
        alike = known.get(number, 0) + corrected.get(number, 0)
        if 2 * (alike + about) >= min(alike + gone, mine):
            versions.append((number, known.get(number, 0), gone))
    if not versions:
        return None
    numbers = tuple(number for number, _, _ in versions)
    connection.execute(f"DELETE FROM temp.gone WHERE batch NOT IN ({', '.join(map(str, numbers))})")
    return Overlap(numbers, sum(same for _, same, _ in versions), sum(gone for *_, gone in versions), new)


def count_file(connection: Connection, kind: str, batch: int) -> FileCounts:
    """Count what the file of an import has, by our column and by its values in order; a day counts as its month.

    Children are counted, or rows where a kind is not about children. Under "" stands the number of all.
    """
    counted = "count(DISTINCT child)" if kind == "encounter" else "count(*)"
    rows = " UNION ALL ".join(
        f"SELECT {tables.all_columns(kind)} FROM {table} WHERE batch = ?1 AND content <> {tables.REMOVED}"
        for table in (kind, tables.history_of(kind))
    )
    counts = {"": {"": int(connection.execute(f"SELECT {counted} FROM ({rows})", (batch,)).fetchone()[0])}}
    for name in [name for name in _ON_PAPER if name in tables.columns_of(kind)]:
        word = "substr(text, 1, 7)" if name == "date" else "text"
        query = (
            f'SELECT {word}, {counted} FROM ({rows}) JOIN term ON "column" = ?2 AND code = "{name}" '
            "GROUP BY 1 ORDER BY 1"
        )
        counts[name] = dict(connection.execute(query, (batch, tables.term_name(kind, name))).fetchall())
    return counts


def find_last(connection: Connection, kind: str, batch: int) -> int | None:
    """Return the import of the file before this one of the same partners and kind; None if there is none."""
    outline, partners = f"{tables.NOTE}{tables.OUTLINE}", "json_extract(value, '$.partners')"
    query = (
        f"SELECT max(id) FROM batch JOIN meta ON name = ?1 || id WHERE kind = ?2 AND id < ?3 "
        f"AND {partners} = (SELECT {partners} FROM meta WHERE name = ?1 || ?3)"
    )
    number = connection.execute(query, (outline, kind, batch)).fetchone()[0]
    return None if number is None else int(number)


def remove_gone(connection: Connection, kind: str, batch: int) -> None:
    """Delete the records that the last `find_overlap` found missing in the file of an import.

    For `tact undo` (undoing.py) the history gets them, and that the import removed them.
    """
    history, columns, gone = tables.history_of(kind), tables.all_columns(kind), "(SELECT identity FROM temp.gone)"
    removed = columns.replace("content,", f"{tables.REMOVED},").removesuffix("batch") + str(batch)
    for values in (columns, removed):
        connection.execute(f"INSERT INTO {history} ({columns}) SELECT {values} FROM {kind} WHERE identity IN {gone}")
    connection.execute(f"DELETE FROM {kind} WHERE identity IN {gone}")


def _select_gone(kind: str) -> str:
    """Return the statement that selects records of earlier imports that a file lacks although it has their months.

    `about` is 1 if a new row of the file is about the same child, service or number, in the days of the file. One about
    the same child has the same day, or differs by the day alone: two teams may meet the same children. Kinds without
    days: services are one list, and of the others only such rows count. Parameter: the import.
    """
    history, subject = tables.history_of(kind), _SUBJECTS[kind]
    # A row with a number of its own is another record than all with other numbers.
    bare = " AND record_number = ''" if kind == "encounter" else ""
    subjects = [subject]
    if kind == "encounter":
        others = [f'"{name}"' for name in tables.columns_of(kind) if name not in ("date", "record_number")]
        subjects = ["child, date", ", ".join(others)]
    about = " OR ".join(f"({names}) IN (SELECT {names} FROM {kind} WHERE batch = ?1{bare})" for names in subjects)
    about = f"({about})"
    inside = "1" if kind == "service" else about
    if kind in _DAYS:
        term = f"FROM term WHERE \"column\" = '{tables.term_name(kind, 'date')}' AND"
        mine = f"SELECT date FROM {kind} WHERE batch = ?1 UNION SELECT date FROM {history} WHERE batch = ?1"
        first, last = (f"(SELECT {end}(text) {term} code IN ({mine}))" for end in ("min", "max"))
        about += f" AND date IN (SELECT code {term} text BETWEEN {first} AND {last})"
        months = f"substr({first}, 1, 7) AND substr({last}, 1, 7)"
        inside = f"date IN (SELECT code {term} substr(text, 1, 7) BETWEEN {months})"
    return (
        f"SELECT identity, batch, {about} AS about FROM {kind} "
        f"WHERE batch IN (SELECT batch FROM undoable WHERE batch <> ?1) AND {inside} "
        f"AND identity NOT IN (SELECT identity FROM {history} WHERE batch = ?1)"
    )
