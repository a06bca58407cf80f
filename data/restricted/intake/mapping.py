"""How a partner names its columns and categories, stored in workspace/mappings/<partner>.toml.

    ignore = ["remarks"]            # known, and not wanted
    sheet = "Rastet"                # a sheet's name or number, where several have our columns
    heading_row = 3                 # where the product does not find it

    [columns]                       # ours = theirs
    date = "Data e takimit"
    age_band = ["Mosha", "Grupi"]   # the first that is filled; for a date also day, month and year

    [values.stage]                  # theirs = ours
    "në rrezik" = "at_risk"

    [constants]                     # for all rows of a file that has no such column
    axis = "prevention"

    [defaults]                      # for empty cells
    found = "reported"

    [skip]                          # rows that are not records, by one of their columns
    "Statusi" = ["anuluar"]

    [dates]                         # only for files with days such as 31/05/2007
    slashes = "day first"           # or "month first"

An empty text is a question that nobody has answered yet. Entries at the top are for every record kind;
`[effort.columns]`, `[effort.values.kind]` and so on are for one kind and take precedence.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from data.errors import InputError
from data.message import Message, count_more
from data.reference import area_table
from data.restricted.intake.personal_words import is_personal, is_personal_in
from data.restricted.intake.values import is_band_of
from data.schema import get_kind
from data.schema.column import Column
from data.schema.kinds import KINDS
from data.schema.words import says_hours
from data.workspace.files import write_text
from data.workspace.folding import make_key
from data.workspace.partner_names import find_similar
from data.workspace.toml_text import parse_toml

Slashes = Literal["", "day first", "month first"]
_MAPPING = Message("The mapping")
SLASHES: tuple[str, ...] = ("day first", "month first")
_PARTS = 8  # in a message
_HEAD = "# How this partner writes its files; each entry is explained in docs/data-officer.md.\n"


@dataclass(frozen=True)
class ColumnMapping:
    """A partner's names for columns and categories, and how its files are written.

    `columns`: our name to the partner's heading, or to several as a tuple. `value_names`: by column, the partner's word
    to our code. `constants` and `defaults`: by column, a text for all rows and for empty cells. `skip`: by the
    partner's heading, the words of rows that are not records. `sheet`: name or number, from 1. `heading_row`: the line
    of the file, 0 if the product finds it.
    """

    columns: Table[str, str | tuple[str, ...]] = field(default_factory=dict)
    value_names: Table[str, Table[str, str]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    slashes: Slashes = ""
    constants: Table[str, str] = field(default_factory=dict)
    defaults: Table[str, str] = field(default_factory=dict)
    skip: Table[str, tuple[str, ...]] = field(default_factory=dict)
    sheet: str = ""
    heading_row: int = 0

    def headings_of(self, column: str) -> tuple[str, ...]:
        """Return the partner's headings for one of our columns."""
        theirs = self.columns.get(column, ())
        return (theirs,) if isinstance(theirs, str) else theirs

    def extend(self, other: ColumnMapping) -> ColumnMapping:
        """Return this mapping with the entries of another one, which take precedence."""
        return replace(
            self,
            columns={**self.columns, **other.columns},
            value_names=_merged(self.value_names, other.value_names),
            ignore=tuple(dict.fromkeys((*self.ignore, *other.ignore))),
            slashes=other.slashes or self.slashes,
            constants={**self.constants, **other.constants},
            defaults={**self.defaults, **other.defaults},
            skip={**self.skip, **other.skip},
            sheet=other.sheet or self.sheet,
            heading_row=other.heading_row or self.heading_row,
        )


def file_for(folder: Path, partner: str) -> Path:
    """Return the path of a partner's mapping: its name in small letters, with - for all but letters, digits and _.

    Raises InputError for a name without letters and digits.
    """
    stem = re.sub(r"[^\w-]+", "-", partner.casefold()).strip("-_")
    if not stem:
        raise InputError(
            Message("The partner's name {partner!r} has no letter or digit. Give the partner a name.", partner=partner)
        )
    return folder / f"{stem}.toml"


def read(path: Path, kind: str) -> ColumnMapping:
    """Read the part of a mapping file that is for one kind, as `read_all` does."""
    return _read_kind(_load(path), kind, path.name)


def read_all(path: Path) -> dict[str, ColumnMapping]:
    """Read a mapping file for all kinds; a missing file gives an empty mapping for each.

    Raises InputError for a file that is not TOML, an entry that is unknown or of a wrong type, and as `check` does.
    """
    content = _load(path)
    return {kind: _read_kind(content, kind, path.name) for kind in KINDS}


def _read_kind(content: Table[str, object], kind: str, name: str) -> ColumnMapping:
    _refuse_unknown_keys(content, name)
    of_kind = _table(content, kind, name)
    _refuse_unknown_keys(of_kind, f"{name}: {kind}", inner=True)
    everywhere, here = (_leave_out_wrong(_parse(table, name)) for table in (content, of_kind))
    check(here, kind, name)
    mapping = keep_columns(everywhere, kind).extend(here)
    check(mapping, kind, name)
    return mapping


def _leave_out_wrong(mapping: ColumnMapping) -> ColumnMapping:
    """Return a mapping without the answers that an earlier version took although they count wrongly.

    These are hours in place of days, and a band that an age is not in. The data officer is asked again.
    """
    ages = mapping.value_names.get("age_band", {})
    right = {word: band for word, band in ages.items() if is_band_of(band, word)}
    columns = {name: theirs for name, theirs in mapping.columns.items() if name != "days" or not find_hours(mapping)}
    return replace(
        mapping, columns=columns, value_names={**mapping.value_names, **({"age_band": right} if ages else {})}
    )


def keep(folder: Path, partner: str, kind: str, answers: ColumnMapping) -> Path:
    """Write answers into the mapping of a partner in a folder, with the name of the partner; return its path.

    Raises InputError as `file_for` and `save` do.
    """
    path = file_for(folder, partner)
    save(path, kind, answers, {"partner": partner})
    return path


def save(path: Path, kind: str, answers: ColumnMapping, constants: Table[str, str] | None = None) -> None:
    """Write answers into the part of a mapping file for one kind; its other entries are kept.

    constants : for all kinds that have these columns.
    Raises InputError as `check` does, and for an existing file that is not valid.
    """
    check(answers, kind)
    content = _load(path)
    table = _table(content, kind, path.name)
    content[kind] = _as_table(_parse(table, path.name).extend(answers))
    if constants:
        merged = {**_table(content, "constants", path.name), **constants}
        content = {"constants": merged, **{name: part for name, part in content.items() if name != "constants"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, _HEAD + "\n".join(_lines(content, ())) + "\n", mode=0o600)


def forget(path: Path, kind: str) -> None:
    """Remove the part for one kind from a mapping file; the entries for all kinds are kept."""
    content = _load(path)
    if content.pop(kind, None) is not None:
        write_text(path, _HEAD + "\n".join(_lines(content, ())) + "\n", mode=0o600)


def check(mapping: ColumnMapping, kind: str, name: str = _MAPPING) -> None:
    """Raise InputError for a column, category or order of dates that is not allowed.

    Raises it also for hours in place of days, for a band that an age is not in, for a word or the name of a sheet that
    may be about a person, and for one identifier for all rows.
    """
    _check_columns(mapping, kind, name)
    _check_ages(mapping, name)
    for column, names in mapping.value_names.items():
        _check_codes(kind, column, names.values(), name)
        # Another spelling of the partner that it means says no more than that name.
        words = [word for word, ours in names.items() if column != "partner" or not find_similar(word, [ours])]
        if any(is_personal_in(get_kind(kind).column(column), word) for word in words):
            raise InputError(
                Message(
                    "{name}: a word for {column} seems to hold a name or a number of a person. A mapping is "
                    "not encrypted: take it out there, and correct the cells in the partner's file.",
                    name=name,
                    column=column,
                )
            )
    if is_personal(mapping.sheet):
        raise InputError(
            Message(
                "{name}: the name of the sheet seems to be that of a person. A mapping is not encrypted: "
                "give the number of the sheet, from 1.",
                name=name,
            )
        )
    for texts in (mapping.constants, mapping.defaults):
        for column, text in texts.items():
            _check_codes(kind, column, [text], name)
            if get_kind(kind).column(column).type == "identifier":
                raise InputError(
                    Message(
                        "{name}: {column} is the code of one child and cannot be the same for all rows.",
                        name=name,
                        column=column,
                    )
                )
    if mapping.slashes and mapping.slashes not in SLASHES:
        raise InputError(
            Message(
                "{name}: slashes is {slashes!r}. Allowed: {allowed}.",
                name=name,
                slashes=mapping.slashes,
                allowed=", ".join(map(repr, SLASHES)),
            )
        )


def _check_columns(mapping: ColumnMapping, kind: str, name: str) -> None:
    ours = _column_names(kind)
    for column in (*mapping.columns, *mapping.value_names, *mapping.constants, *mapping.defaults):
        if column not in ours:
            raise InputError(
                Message(
                    "{name}: {kind} has no column {column!r}. It has: {ours}.",
                    name=name,
                    kind=kind,
                    column=column,
                    ours=", ".join(ours),
                )
            )
    if heading := find_hours(mapping):
        raise InputError(Message("{name}: {why}", name=name, why=explain_hours(heading)))


def find_hours(mapping: ColumnMapping) -> str:
    """Return the heading that a mapping reads as days although it says hours; empty if none does.

    Eight hours would count as eight days.
    """
    return next(filter(says_hours, mapping.headings_of("days")), "")


def explain_hours(heading: str) -> Message:
    """Return why no days are read from a heading that says hours."""
    return Message(
        "{heading!r} holds hours and is not read as days. Days are working days of all workers added together. "
        "Write them into a column of the file: hours divided by the hours of a working day.",
        heading=heading,
    )


def _check_ages(mapping: ColumnMapping, name: str) -> None:
    """Raise InputError for a word of several ages, such as rreth 10, with a band that contains none of them."""
    for word, band in mapping.value_names.get("age_band", {}).items():
        if not is_band_of(band, word):
            raise InputError(
                Message(
                    "{name}: {word!r} is not an age from {band}. Give a band that contains it, or unknown.",
                    name=name,
                    word=word,
                    band=band,
                )
            )


def keep_columns(mapping: ColumnMapping, kind: str) -> ColumnMapping:
    """Return a mapping for all kinds without the columns that one kind does not have."""
    ours = _column_names(kind)
    return replace(
        mapping,
        columns={column: theirs for column, theirs in mapping.columns.items() if column in ours},
        value_names={column: names for column, names in mapping.value_names.items() if column in ours},
        constants={column: text for column, text in mapping.constants.items() if column in ours},
        defaults={column: text for column, text in mapping.defaults.items() if column in ours},
    )


def _check_codes(kind: str, column: str, codes: Any, name: str) -> None:  # noqa: ANN401 - any iterable of texts
    definition = get_kind(kind).column(column)
    if definition.type == "area" and definition.level:
        for text in codes:
            _refuse_other_level(definition, str(text), name)
    allowed = definition.allowed
    wrong = sorted({ours for ours in codes if allowed and ours not in allowed})
    if wrong:
        raise InputError(
            Message(
                "{name}: {words} is not allowed in {column}. Allowed: {allowed}.",
                name=name,
                words=", ".join(map(repr, wrong)),
                column=column,
                allowed=", ".join(allowed),
            )
        )


def _refuse_other_level(column: Column, text: str, name: str) -> None:
    """Raise InputError for the code or name of areas of which none has the level that a column needs."""
    levels = _list_levels().get(make_key(text), {})
    if not levels or column.level in levels or (column.abroad and "country" in levels):
        return
    (level, code), *_ = levels.items()
    areas = area_table()
    parts = areas.loc[areas["parent"] == code, "name_en"].tolist()
    raise InputError(
        Message(
            "{name}: {text!r} is a {level}, and {column} is a {wanted}. Its parts: {parts}.",
            name=name,
            text=text,
            level=level,
            column=column.name,
            wanted=column.level,
            parts=count_more(", ".join(parts[:_PARTS]), len(parts) - _PARTS),
        )
    )


@lru_cache(maxsize=1)
def _list_levels() -> dict[str, dict[str, str]]:
    """Return the areas with a code or name, a code by level, by the key of their code or name."""
    areas = area_table()
    levels: dict[str, dict[str, str]] = {}
    for code, level, english, local in zip(
        areas.index, areas["level"], areas["name_en"], areas["name_local"], strict=True
    ):
        for key in map(make_key, (code, english, local)):
            levels.setdefault(key, {}).setdefault(str(level), str(code))
    return levels


def _column_names(kind: str) -> tuple[str, ...]:
    return tuple(column.name for column in get_kind(kind).file_columns)


def _load(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            Message("{file} is not a valid TOML file: {error}", file=path.name, error=str(error))
        ) from None


_KEYS = ("columns", "values", "ignore", "constants", "defaults", "skip", "sheet", "heading_row", "dates")


def _refuse_unknown_keys(content: Table[str, object], name: str, *, inner: bool = False) -> None:
    every = {column.name for kind in KINDS.values() for column in kind.file_columns}
    wrong = set(content) - {*_KEYS, *(() if inner else KINDS)}
    for key in ("columns", "values", "constants", "defaults"):
        wrong |= set(_table(content, key, name)) - every
    if wrong:
        raise InputError(
            Message(
                "{name}: unknown {words}. Allowed at the top: {keys} and the kinds {kinds}; below them "
                "the kinds' columns.",
                name=name,
                words=", ".join(map(repr, sorted(wrong))),
                keys=", ".join(_KEYS),
                kinds=", ".join(KINDS),
            )
        )


def _parse(content: Table[str, object], name: str) -> ColumnMapping:
    """Read the entries at the top of a file, or in the part for one kind."""
    values = _table(content, "values", name)
    row = content.get("heading_row", 0)
    if not isinstance(row, int) or isinstance(row, bool) or row < 0:
        raise InputError(Message("{name}: heading_row must be the number of a row, as heading_row = 3.", name=name))
    return ColumnMapping(
        columns={
            ours: tuple(_list(theirs, f"columns.{ours}", name))
            if isinstance(theirs, list)
            else _text(theirs, f"columns.{ours}", name)
            for ours, theirs in _table(content, "columns", name).items()
        },
        value_names={column: _answered(_texts(values, column, name)) for column in values},
        ignore=tuple(_list(content.get("ignore", []), "ignore", name)),
        slashes=cast("Slashes", _texts(content, "dates", name).get("slashes", "")),
        constants=_answered(_texts(content, "constants", name)),
        defaults=_answered(_texts(content, "defaults", name)),
        skip={
            heading: tuple(_list(words, f"skip.{heading}", name))
            for heading, words in _table(content, "skip", name).items()
        },
        sheet=_text(content.get("sheet", ""), "sheet", name),
        heading_row=row,
    )


def _answered(entries: Table[str, str]) -> dict[str, str]:
    """Return the entries that are filled in; a draft has empty ones."""
    return {key: text for key, text in entries.items() if text}


def _merged(first: Table[str, Table[str, str]], then: Table[str, Table[str, str]]) -> dict[str, dict[str, str]]:
    return {column: {**first.get(column, {}), **then.get(column, {})} for column in (*first, *then)}


def _table(content: Table[str, object], key: str, name: str) -> dict[str, object]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise InputError(Message("{name}: {key!r} must be a table, as [{key}].", name=name, key=key))
    return table


def _texts(content: Table[str, object], key: str, name: str) -> dict[str, str]:
    return {theirs: _text(ours, f"{key}.{theirs}", name) for theirs, ours in _table(content, key, name).items()}


def _list(value: object, key: str, name: str) -> Iterator[str]:
    if not isinstance(value, list):
        raise InputError(
            Message('{name}: {key!r} must be a list of texts, as {key} = ["remarks"].', name=name, key=key)
        )
    yield from (_text(text, key, name) for text in value)


def _text(value: object, key: str, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(Message("{name}: {key!r} must be a text in quotation marks.", name=name, key=key))
    return value


def _as_table(mapping: ColumnMapping) -> dict[str, Any]:
    """Return the entries of a mapping as they are written in a file, without empty ones."""
    table = {entry.name: getattr(mapping, entry.name) for entry in fields(mapping)}
    table["values"] = table.pop("value_names")
    table["dates"] = {"slashes": mapping.slashes} if mapping.slashes else {}
    return {key: table[key] for key in _KEYS if table[key]}


def _lines(content: Table[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a TOML table: first its own entries, then the tables in it."""
    plain = {key: value for key, value in content.items() if not isinstance(value, dict)}
    if plain and path:
        yield f"\n[{'.'.join(map(_quote, path))}]"
    for key, value in plain.items():
        listed = isinstance(value, (list, tuple))
        text = f"[{', '.join(map(_quote_value, value))}]" if listed else _quote_value(value)
        yield f"{_quote(key)} = {text}"
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _lines(value, (*path, key))


def _quote(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quote_value(key)


def _quote_value(value: object) -> str:
    # The strings of JSON are strings of TOML, but for the delete character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
