"""Compare the records of an import with those of earlier imports, inside its transaction."""

from __future__ import annotations

from collections.abc import Iterable
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
    """Earlier imports with rows of a file: their numbers, and how many rows are the same, missing in it, and new.

    `outside` of the missing rows are of days before its first or after its last. `is_sure` : no rejected row of the
    file may be one of them.
    """

    imports: tuple[int, ...]
    same: int
    gone: int
    new: int
    outside: int
    is_sure: bool


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


def match_unnumbered(connection: Connection, batch: int) -> int:
    """Take encounters of an import for stored ones that are the same but for a number which one of them lacks.

    A record number that is not read any more, or is new, makes no second record of a row. Rows without a number beside
    others with one are new records. Returns how many rows were known so.
    """
    history, columns = tables.history_of("encounter"), tables.all_columns("encounter")
    alike = ", ".join(f'"{name}"' for name in tables.columns_of("encounter") if name != "record_number")
    mine, other = (f"FROM encounter WHERE batch {sign} ?1 AND record_number" for sign in ("=", "<>"))
    numbered = (
        f"SELECT 1 {mine} <> '' UNION ALL SELECT 1 FROM {history} WHERE batch = ?1 AND record_number <> '' LIMIT 1"
    )
    matched = 0
    for here, there in (("<> ''", "= ''"), ("= ''", "<> ''")):
        sides = (f"SELECT 1 {mine} {here} LIMIT 1", f"SELECT 1 {other} {there} LIMIT 1")
        if not all(connection.execute(side, (batch,)).fetchone() for side in sides):
            continue
        if here == "= ''" and connection.execute(numbered, (batch,)).fetchone():
            continue
        rows = f"SELECT identity, {alike}, row_number() OVER (PARTITION BY {alike} ORDER BY identity) AS number"
        fresh, unseen = (
            f"identity NOT IN (SELECT identity FROM {history}{where})" for where in ("", " WHERE batch = ?1")
        )
        connection.execute(
            f"CREATE TEMP TABLE twin AS WITH mine AS MATERIALIZED ({rows} {mine} {here} AND {fresh}), "
            f"stored AS MATERIALIZED ({rows} {other} {there} AND {unseen}) "
            f"SELECT mine.identity AS mine, stored.identity AS stored FROM mine JOIN stored USING ({alike}, number)",
            (batch,),
        )
        connection.execute(
            f"INSERT INTO {history} ({columns}) SELECT {columns.removesuffix('batch')} ?1 FROM encounter "
            "WHERE identity IN (SELECT stored FROM temp.twin)",
            (batch,),
        )
        matched += connection.execute("DELETE FROM encounter WHERE identity IN (SELECT mine FROM temp.twin)").rowcount
        connection.execute("DROP TABLE temp.twin")
    return matched


def find_overlap(
    connection: Connection, kind: str, batch: int, rejected: Iterable[bytes] = (), unsure: int = 0
) -> Overlap | None:
    """Return the earlier imports of which a file seems to be another version, or None.

    They have records of its months that it does not have, and at least half of the records of the smaller of the two,
    or of theirs in its days, are the same or about the same children, services or numbers. A file of corrections alone
    is none.

    rejected : identities of rows of the file that were rejected: it has these records. unsure : how many more rows were
    rejected.
    """
    earlier = "(SELECT batch FROM undoable WHERE batch <> ?1)"
    if not connection.execute(f"SELECT 1 FROM {kind} WHERE batch IN {earlier} LIMIT 1", (batch,)).fetchone():
        return None
    for name, more in (("gone", ", batch INTEGER, about INTEGER, outside INTEGER, bare INTEGER"), ("rejected", "")):
        connection.execute(f"DROP TABLE IF EXISTS temp.{name}")
        connection.execute(f"CREATE TEMP TABLE {name} (identity BLOB PRIMARY KEY{more}) WITHOUT ROWID")
    connection.execute(f"INSERT INTO temp.gone {_select_gone(kind)}", (batch,))
    connection.executemany("INSERT OR IGNORE INTO temp.rejected VALUES (?)", ((identity,) for identity in rejected))
    connection.execute("DELETE FROM temp.gone WHERE identity IN (SELECT identity FROM temp.rejected)")
    history = tables.history_of(kind)
    of_file = f"SELECT identity FROM {history} WHERE batch = ?1"
    new, same = (
        int(connection.execute(f"SELECT count(*) FROM {table} WHERE batch = ?1", (batch,)).fetchone()[0])
        for table in (kind, history)
    )
    fresh = f"SELECT 1 FROM {kind} WHERE batch = ?1 AND identity NOT IN (SELECT identity FROM {history}) LIMIT 1"
    if not same and not connection.execute(fresh, (batch,)).fetchone():  # no row goes in, or all are corrections
        return None
    alike = dict(
        connection.execute(
            f"SELECT batch, count(*) FROM (SELECT batch FROM {kind} WHERE batch <> ?1 AND identity IN ({of_file}) "
            f"UNION ALL SELECT batch FROM {history} WHERE batch <> ?1 AND content <> {tables.REMOVED} "
            f"AND identity IN ({of_file} UNION ALL SELECT identity FROM {kind} WHERE batch = ?1)) GROUP BY 1",
            (batch,),
        )
    )
    versions = []
    counts = "SELECT batch, count(*), sum(about), sum(NOT outside) FROM temp.gone GROUP BY 1"
    for number, gone, about, inside in connection.execute(counts):
        shared = alike.get(number, 0)
        if any(rows and 2 * (shared + about) >= min(shared + rows, new + same) for rows in (gone, inside)):
            versions.append(int(number))
    if not versions:
        return None
    numbers = tuple(versions)
    connection.execute(f"DELETE FROM temp.gone WHERE batch NOT IN ({', '.join(map(str, numbers))})")
    gone, outside, bare = connection.execute("SELECT count(*), sum(outside), sum(bare) FROM temp.gone").fetchone()
    unknown = f"SELECT count(*) FROM temp.rejected WHERE identity NOT IN (SELECT identity FROM {kind})"
    # A row with a number that is not stored may be a record that was stored without one.
    unsure += bare and connection.execute(unknown).fetchone()[0]
    return Overlap(numbers, same, gone, new, outside, not unsure)


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


def remove_gone(connection: Connection, kind: str, batch: int, *, inside: bool = False) -> int:
    """Delete the records that the last `find_overlap` found missing in the file of an import; return how many.

    inside : only those from its first to its last day. For `tact undo` (undoing.py) the history gets them, and that
    the import removed them.
    """
    history, columns = tables.history_of(kind), tables.all_columns(kind)
    gone = f"(SELECT identity FROM temp.gone{' WHERE NOT outside' * inside})"
    removed = columns.replace("content,", f"{tables.REMOVED},").removesuffix("batch") + str(batch)
    for values in (columns, removed):
        connection.execute(f"INSERT INTO {history} ({columns}) SELECT {values} FROM {kind} WHERE identity IN {gone}")
    return int(connection.execute(f"DELETE FROM {kind} WHERE identity IN {gone}").rowcount)


def _select_gone(kind: str) -> str:
    """Return the statement that selects records of earlier imports that a file lacks although it has their months.

    `about` is 1 if a new row of the file is about the same child, service or number, in the days of the file. One about
    the same child has the same day, or differs by the day alone: two teams may meet the same children. Kinds without
    days: services are one list, and of the others only such rows count. `outside` is 1 for a day before the first or
    after the last of the file, `bare` is 1 without a record number. Parameter: the import.
    """
    history, subject = tables.history_of(kind), _SUBJECTS[kind]
    mine, bare = f"FROM {kind} WHERE batch = ?1", "1"
    about = f"({subject}) IN (SELECT {subject} {mine})"
    if kind == "encounter":
        others = [f'"{name}"' for name in tables.columns_of(kind) if name not in ("date", "record_number")]
        bare, subjects = "record_number = ''", ("child, date", ", ".join(others))
        # A row with a number of its own is another record than all with other numbers.
        tests = (
            f"({names}) IN (SELECT {names} {mine} AND {bare}) OR {bare} AND ({names}) IN (SELECT {names} {mine})"
            for names in subjects
        )
        about = f"({' OR '.join(tests)})"
    inside, outside = ("1" if kind == "service" else about), "0"
    if kind in _DAYS:
        term = f"FROM term WHERE \"column\" = '{tables.term_name(kind, 'date')}' AND"
        dates = f"SELECT date {mine} UNION SELECT date FROM {history} WHERE batch = ?1"
        first, last = (f"(SELECT {end}(text) {term} code IN ({dates}))" for end in ("min", "max"))
        within = f"date IN (SELECT code {term} text BETWEEN {first} AND {last})"
        about, outside = f"{about} AND {within}", f"NOT {within}"
        months = f"substr({first}, 1, 7) AND substr({last}, 1, 7)"
        inside = f"date IN (SELECT code {term} substr(text, 1, 7) BETWEEN {months})"
        # A file of one partner is no version of what another has sent.
        inside += f" AND partner IN (SELECT partner {mine} UNION SELECT partner FROM {history} WHERE batch = ?1)"
    # The last file that has a record is the one of which this may be another version.
    repeated = (
        f"SELECT max(batch) FROM {history} WHERE identity = {kind}.identity AND batch <> ?1 "
        f"AND content <> {tables.REMOVED}"
    )
    return (
        f"SELECT identity, max(batch, coalesce(({repeated}), 0)), {about}, {outside}, {bare} FROM {kind} "
        f"WHERE batch IN (SELECT batch FROM undoable WHERE batch <> ?1) AND {inside} "
        f"AND identity NOT IN (SELECT identity FROM {history} WHERE batch = ?1)"
    )
