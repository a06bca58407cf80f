"""The format of the vault's database: one table for each record kind, and tables for its administration.

A text with few distinct values is stored as a number that table `term` explains, column by column: half the
file size and half the reading time of plain text (1,000,000 encounters: 114 against 273 MB). Hashes are
stored as 32 bytes. Any change here needs a new VERSION and a migration.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, cast

from data.errors import VaultError
from data.message import Message

# ruff: noqa: S608
# Names of tables and columns cannot be parameters of a statement. They come from TABLES alone, and
# this module is the only one that puts them into SQL; every value is a parameter.

VERSION = 5
READABLE = (1, 2, 3, 4, VERSION)
APPLICATION = 0x54414354  # "TACT", in the file's header

Storage = Literal["term", "text", "hash", "integer", "real"]

_SQL = {
    "term": "INTEGER NOT NULL",
    "text": "TEXT NOT NULL",
    "hash": "BLOB NOT NULL",  # empty when missing
    "integer": "INTEGER",
    "real": "REAL",
}


def _table(columns: str) -> MappingProxyType[str, Storage]:
    """Parse "name name:storage ..."; without a storage, a column is stored as a term."""
    split = (column.partition(":") for column in columns.split())
    return MappingProxyType({name: cast("Storage", storage or "term") for name, _, storage in split})


# Columns at the end of a kind's table, by the version that added them. In older records a term has the number of the
# text "unknown", and a hash is empty.
_ADDED: MappingProxyType[int, Mapping[str, str]] = MappingProxyType(
    {
        4: {"encounter": "victim_status status_decided_by citizenship_group recruitment_method means_of_control"},
        5: {"encounter": "help household:hash", "service": "help"},
    }
)
_UNKNOWN = 0
_OLDER: Mapping[Storage, str] = {"term": str(_UNKNOWN), "hash": "x''"}

TABLES: MappingProxyType[str, MappingProxyType[str, Storage]] = MappingProxyType(
    {
        "encounter": _table(
            "date municipality child:hash programme_child:hash country stage pathway form axis found sex "
            f"age_band community origin destination partner record_number:text {_ADDED[4]['encounter']} "
            f"{_ADDED[5]['encounter']}"
        ),
        "effort": _table("date span municipality partner days:real kind"),
        "service": _table(
            "municipality operator duty_bearer axis staff:integer capacity:integer valid_from valid_to "
            f"handed_from handed_to {_ADDED[5]['service']}"
        ),
        "community": _table("area group estimate:integer year:integer source partner"),
        "indicator": _table("area period indicator value:real target:real unit source partner"),
        "figure": _table("area period measure number:real share:real source year:integer status note:text"),
    }
)

# Since version 2: who was forgotten and which partner left (data/restricted/vault/forget_log.py).
_FORGOTTEN = """CREATE TABLE forgotten (
        kind TEXT NOT NULL, name TEXT NOT NULL, day TEXT NOT NULL,
        PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID"""

# Since version 3: the imports that can be undone, because the history has all that they replaced or repeated.
_UNDOABLE = "CREATE TABLE undoable (batch INTEGER PRIMARY KEY) STRICT"

_BOOKS = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE term (
        "column" TEXT NOT NULL, code INTEGER NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY ("column", code), UNIQUE ("column", text)) STRICT, WITHOUT ROWID""",
    # The file's name is kept as a keyed hash (rotation.py): people put names of children into it.
    """CREATE TABLE batch (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, source BLOB NOT NULL, partner TEXT NOT NULL,
        at TEXT NOT NULL, accepted INTEGER NOT NULL, changed INTEGER NOT NULL,
        already_known INTEGER NOT NULL) STRICT""",
    """CREATE TABLE published (
        block TEXT PRIMARY KEY, members BLOB NOT NULL, release TEXT NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE staged (
        block TEXT PRIMARY KEY, members BLOB NOT NULL) STRICT, WITHOUT ROWID""",
    _FORGOTTEN,
    _UNDOABLE,
)

NOTE = "remark "  # in table meta, before the name of a note; as earlier versions stored it
REJECTED = "rejected "  # before the number of an import in the name of a note: how many of its rows were rejected
OUTLINE = "outline "  # before the number of an import: how its file was read (data/restricted/intake/outline.py)
DRAFT = "draft "  # before the kind in the name of a note: records that are not imported (data/restricted/drafts.py)

REMOVED = "zeroblob(16)"  # the content of an entry in the history that says that its import removed the record

_FIRST = ("meta", "term", "batch", "published", "staged", *TABLES)
_SECOND = (*_FIRST, "forgotten")
_THIRD = (*_SECOND, "undoable", *(f"{kind}_history" for kind in TABLES))
_TABLES_OF = {1: _FIRST, 2: _SECOND, **dict.fromkeys(READABLE[2:], _THIRD)}
PARTNERS = ("partner", "operator")  # columns that name a partner
NAMED = (
    'SELECT text FROM term WHERE "column" IN ('
    + ", ".join(f"'{kind}.{c}'" for kind, columns in TABLES.items() for c in PARTNERS if c in columns)
    + ") UNION SELECT partner FROM batch"
)
LAST_IMPORT = (
    "SELECT max(coalesce((SELECT max(id) FROM batch), 0), coalesce((SELECT max(CAST(day AS INTEGER)) FROM forgotten "
    "WHERE kind = 'partner' AND day NOT LIKE '%-%'), 0), "
    "coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'last_import'), 0))"
)


def columns_of(kind: str) -> MappingProxyType[str, Storage]:
    """Return a kind's columns with their storage; raise VaultError for an unknown kind."""
    if kind not in TABLES:
        raise VaultError(
            Message("There is no record kind {kind!r}; the kinds are {tables}.", kind=kind, tables=", ".join(TABLES))
        )
    return TABLES[kind]


def term_name(kind: str, column: str) -> str:
    """Return the name of a column in table `term`."""
    return f"{kind}.{column}"


def create_sql(schema: str = "main") -> list[str]:
    """Return the statements that create the tables of an empty vault in a database; `schema` is its name in SQL."""
    create = f"CREATE TABLE {schema}."
    records = [*map(_create, TABLES), *map(_create_history, TABLES)]
    return [s.replace("CREATE TABLE ", create, 1) for s in (*_BOOKS, *records)]


def upgrade_sql(version: int) -> list[str]:
    """Return the statements that convert a vault of an earlier version to this version."""
    forgotten = [_FORGOTTEN] if version == 1 else []
    history = [_UNDOABLE, *map(_create_history, TABLES)] if version < 3 else []
    with_history = version >= 3
    added = [
        f'ALTER TABLE {table} ADD COLUMN "{name}" {_SQL[storage]} DEFAULT {_OLDER[storage]}'
        for kind, columns in _list_added(version).items()
        for table in (kind, *([history_of(kind)] * with_history))
        for name, storage in columns.items()
    ]
    return [*forgotten, *history, *added, *_name_unknown("main", version), f"PRAGMA user_version = {VERSION}"]


def _list_added(version: int) -> dict[str, dict[str, Storage]]:
    """Return the columns that later versions added to the tables of kinds, in their order, with their storage."""
    later = [kinds for number, kinds in _ADDED.items() if number > version]
    return {
        kind: {name: storage for kinds in later for name, storage in _table(kinds.get(kind, "")).items()}
        for kind in TABLES
    }


def _list_unknown(version: int) -> list[str]:
    """Return the names of the terms that later versions added."""
    added = _list_added(version).items()
    return [term_name(kind, name) for kind, columns in added for name, how in columns.items() if how == "term"]


def _name_unknown(schema: str, version: int) -> list[str]:
    """Return the statements that store "unknown" as the text of the added columns in older records."""
    return [f"INSERT INTO {schema}.term VALUES ('{name}', {_UNKNOWN}, 'unknown')" for name in _list_unknown(version)]


def history_of(kind: str) -> str:
    """Return the name of a kind's table of earlier and repeated content of records; see undoing.py."""
    return f"{kind}_history"


def copy_sql(schema: str, version: int = VERSION) -> list[str]:
    """Return the statements that copy all tables of a version into an empty, attached vault, without drafts.

    Drafts hold identifiers of children as they were typed, which a forget log has only as hashes: in a copy they would
    remain when a child is forgotten.
    """
    more = {
        table: "".join(f", {_OLDER[storage]}" for storage in columns.values())
        for kind, columns in _list_added(version).items()
        for table in (kind, history_of(kind))
    }
    copies = [
        f"INSERT INTO {schema}.{name} SELECT *{more.get(name, '')} FROM {_copied(name)}" for name in _TABLES_OF[version]
    ]
    return [*copies, *_name_unknown(schema, version)]


def count_sql(version: int = VERSION) -> list[str]:
    """Return the statements that count the rows that `copy_sql` copies, one for each table.

    Rows of `term` that only later versions have are not counted.
    """
    names = ", ".join(f"'{name}'" for name in _list_unknown(version))
    known = f' WHERE "column" NOT IN ({names})'
    return [f"SELECT count(*) FROM {_copied(name)}{known if name == 'term' else ''}" for name in _TABLES_OF[version]]


def _copied(table: str) -> str:
    return f"main.{table}" + (f" WHERE name NOT LIKE '{NOTE}{DRAFT}%'" if table == "meta" else "")


def insert_sql(kind: str, batch: int) -> str:
    """Return the statement that inserts a record unless its identity is known.

    Parameters: identity, content, and the columns of the kind.
    """
    names = ["identity", "content", *columns_of(kind)]
    columns = ", ".join(_quoted(name) for name in names)
    marks = ", ".join(f"?{i + 1}" for i in range(len(names)))
    # Not "insert or ignore", which would skip a broken row as well.
    return f"INSERT INTO {kind} (batch, {columns}) VALUES ({batch:d}, {marks}) ON CONFLICT (identity) DO NOTHING"


def update_sql(kind: str, batch: int) -> str:
    """Return the statement that replaces a record if its content differs; parameters as for `insert_sql`."""
    names = ["content", *columns_of(kind)]
    values = ", ".join(f"{_quoted(name)} = ?{i + 2}" for i, name in enumerate(names))
    return f"UPDATE {kind} SET batch = {batch:d}, {values} WHERE identity = ?1 AND content <> ?2"


def repeat_sql(kind: str, batch: int) -> str:
    """Return the statement that adds a record to the history if another import has it with the same content.

    Parameters as for `insert_sql`.
    """
    columns = all_columns(kind)
    marks = ", ".join(f"?{i + 1}" for i in range(columns.count(",")))
    other_import = f"SELECT 1 FROM {kind} WHERE identity = ?1 AND content = ?2 AND batch <> {batch:d}"
    return (
        f"INSERT INTO {history_of(kind)} ({columns}) SELECT {marks}, {batch:d} WHERE EXISTS ({other_import}) "
        "ON CONFLICT (identity, batch) DO NOTHING"
    )


def archive_sql(kind: str, batch: int) -> str:
    """Return the statement that copies a record to the history before it is replaced; parameters: identity, content."""
    columns = all_columns(kind)
    return (
        f"INSERT INTO {history_of(kind)} ({columns}) SELECT {columns} FROM {kind} "
        f"WHERE identity = ?1 AND content <> ?2 AND batch <> {batch:d} ON CONFLICT (identity, batch) DO NOTHING"
    )


def settle_sql(kind: str, batch: int) -> str:
    """Return the statement that deletes an import's entries in the history of records that now have its content."""
    same = f"SELECT identity FROM {kind} WHERE batch = {batch:d}"
    return f"DELETE FROM {history_of(kind)} WHERE batch = {batch:d} AND identity IN ({same})"


def all_columns(kind: str) -> str:
    """Return the columns of a kind's tables, separated by commas: identity, content, the kind's own columns, batch."""
    return ", ".join(["identity", "content", *map(_quoted, columns_of(kind)), "batch"])


def select_sql(kind: str, names: Sequence[str]) -> str:
    """Return the statement that selects columns of all records, in the order of their identity.

    Raises VaultError for an unknown kind or column, and if no column is named.
    """
    allowed = {*columns_of(kind), "identity", "batch"}
    if not names or not allowed.issuperset(names):
        unknown = ", ".join(name for name in names if name not in allowed) or "none at all"
        raise VaultError(
            Message(
                "Columns of {kind!r} are {listed}; asked for was {unknown}.",
                kind=kind,
                listed=", ".join(columns_of(kind)),
                unknown=unknown,
            )
        )
    return f"SELECT {', '.join(_quoted(name) for name in names)} FROM {kind} ORDER BY identity"


def count_records_sql(kind: str) -> str:
    """Return the statement that counts the records of a kind; raise VaultError for an unknown kind."""
    columns_of(kind)
    return f"SELECT count(*) FROM {kind}"


def any_sql(kind: str) -> str:
    """Return the statement that selects whether there is a record of a kind."""
    return f"SELECT EXISTS (SELECT 1 FROM {kind})"


def two_sexes_sql() -> str:
    """Return the statement that counts children of an import who are female and male in records of one partner.

    Parameter: the number of the import.
    """
    known = f"SELECT code FROM term WHERE \"column\" = '{term_name('encounter', 'sex')}' AND text IN ('female', 'male')"
    return (
        f"SELECT count(DISTINCT child) FROM (SELECT child FROM encounter WHERE sex IN ({known}) "
        "GROUP BY child, partner HAVING min(sex) <> max(sex) AND max(batch) = ?)"
    )


def days_sql() -> str:
    """Return the statement that selects each day of an import's encounters, with the number of its encounters.

    Parameter: the number of the import.
    """
    return (
        f"SELECT text, count(*) FROM encounter JOIN term ON \"column\" = '{term_name('encounter', 'date')}' "
        "AND code = date WHERE batch = ? GROUP BY text"
    )


def of_other_partner_sql() -> str:
    """Return the statement that finds encounters of an import which another partner has, from earlier imports.

    They are the same in all columns but those of the child and the partner. It selects the other partner with most of
    them, their number, and the number of records that were compared: all of the import, at most _COMPARED.
    Parameter ?1: the number of the import.
    """
    alike = [_quoted(name) for name in columns_of("encounter") if name not in _OWN_OF_PARTNER]
    columns, same = ", ".join(alike), " AND ".join(f"other.{name} = mine.{name}" for name in alike)
    # Records that are alike are one row of `mine`, so that each other record meets one at most. CROSS JOIN reads all
    # records once, and looks each up in an index of `mine`.
    return (
        f"WITH some AS MATERIALIZED (SELECT partner, {columns} FROM encounter WHERE batch = ?1 LIMIT {_COMPARED:d}), "
        f"mine AS MATERIALIZED (SELECT row_number() OVER () AS number, count(*) AS records, partner, {columns} "
        f"FROM some GROUP BY partner, {columns}) "
        "SELECT text, sum(records), (SELECT count(*) FROM some) FROM (SELECT DISTINCT other.partner, number, records "
        f"FROM encounter AS other CROSS JOIN mine ON {same} WHERE other.batch <> ?1 AND other.partner <> mine.partner) "
        f"AS found JOIN term ON \"column\" = '{term_name('encounter', 'partner')}' AND code = found.partner "
        "GROUP BY text ORDER BY 2 DESC LIMIT 1"
    )


_OWN_OF_PARTNER = (
    "child",
    "programme_child",
    "partner",
    "household",
)  # columns of encounters: the hash of a child has its partner
_COMPARED = 10_000


def terms_in_use_sql(kind: str, column: str) -> str:
    """Return the statement that selects the texts in a column of records; parameter: the result of `term_name`."""
    return f'SELECT text FROM term WHERE "column" = ? AND code IN (SELECT DISTINCT {_quoted(column)} FROM {kind})'


def clear_terms_sql(kind: str, column: str) -> str:
    """Return the statement that deletes texts in no record and no history; parameter: the result of `term_name`."""
    used = " UNION ".join(f"SELECT {_quoted(column)} FROM {table}" for table in (kind, history_of(kind)))
    return f'DELETE FROM term WHERE "column" = ? AND code NOT IN ({used})'


def select_brought(kind: str) -> str:
    """Return the condition that selects a partner's records up to an import.

    Parameters: the partner's spellings as a JSON list, and the number of the import. A record belongs to the
    partner that it names, or to the sender of its file if its kind has no column for a partner. A service also belongs
    to its operator.
    """
    is_spelling = "IN (SELECT value FROM json_each(?1))"
    conditions = [
        f"{c} IN (SELECT code FROM term WHERE \"column\" = '{term_name(kind, c)}' AND text {is_spelling})"
        for c in PARTNERS
        if c in TABLES[kind]
    ]
    if "partner" not in TABLES[kind]:
        conditions.append(f"batch IN (SELECT id FROM batch WHERE partner {is_spelling})")
    return f"batch <= ?2 AND ({' OR '.join(conditions)})"


def unexplained_sql(kind: str, column: str) -> str:
    """Return the statement that selects whether a number in a column has no text.

    Parameter: the result of `term_name`.
    """
    return (
        f"SELECT EXISTS (SELECT 1 FROM (SELECT DISTINCT {_quoted(column)} AS code FROM {kind}) "
        'WHERE code NOT IN (SELECT code FROM term WHERE "column" = ?))'
    )


def _create(kind: str) -> str:
    return f"CREATE TABLE {kind} ({_definitions(kind)}, PRIMARY KEY (identity)) STRICT, WITHOUT ROWID"


def _create_history(kind: str) -> str:
    key = "PRIMARY KEY (identity, batch)"
    return f"CREATE TABLE {history_of(kind)} ({_definitions(kind)}, {key}) STRICT, WITHOUT ROWID"


def _definitions(kind: str) -> str:
    columns = ", ".join(f"{_quoted(name)} {_SQL[storage]}" for name, storage in TABLES[kind].items())
    return (
        "identity BLOB NOT NULL CHECK (length(identity) = 16), "
        f"content BLOB NOT NULL CHECK (length(content) = 16), batch INTEGER NOT NULL, {columns}"
    )


def _quoted(name: str) -> str:
    return f'"{name}"'  # `group` is a word of SQL
