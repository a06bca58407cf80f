"""The six kinds of record and the rules that each row must follow.

columns.csv beside this module defines each column once.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from data.message import Message
from data.reference import area_countries
from data.reference.glossary import definition
from data.schema import vocabulary
from data.schema.column import Column, RecordKind, Rule

_FILE = Path(__file__).with_name("columns.csv")
_PUBLIC = vocabulary.ALL_PERSONAL - {"names", "addresses"}


def _read_columns() -> dict[str, tuple[Column, ...]]:
    """Return the columns of each kind in the order of the file."""
    columns: defaultdict[str, list[Column]] = defaultdict(list)
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            columns[row["kind"]].append(_parse_column(row))
    return {kind: tuple(of_kind) for kind, of_kind in columns.items()}


def _parse_column(row: dict[str, str]) -> Column:
    flags = row["flags"].split()
    return Column(
        name=row["name"],
        label=row["label"],
        meaning=definition(row["term"]) if row["term"] else row["meaning"],
        type=row["type"],  # type: ignore[arg-type]
        required="required" in flags,
        example=row["example"],
        allowed=getattr(vocabulary, row["allowed"].upper()) if row["allowed"] else {},
        default=row["default"],
        minimum=float(row["minimum"]) if row["minimum"] else None,
        maximum=float(row["maximum"]) if row["maximum"] else None,
        earliest=row["earliest"] or "2000-01-01",
        future="future" in flags,
        derived="derived" in flags,
        several="several" in flags or "many" in flags,
        many="many" in flags,
        abroad="abroad" in flags,
        later="later" in flags,
        level=None if row["level"] == "any" else "municipality",
        longest=int(row["longest"] or 200),
        in_files="vault_only" not in flags,
        stored="file_only" not in flags,
    )


def _country(areas: pd.Series) -> pd.Series:
    """Return the country of each area code, or of a country abroad; an empty code has an empty country."""
    countries = area_countries()
    return pd.Series([countries.get(area, area) for area in areas.tolist()], areas.index, dtype=object)


def _internal_crosses(frame: pd.DataFrame) -> pd.Series:
    origin, destination = _country(frame["origin"]), _country(frame["destination"])
    return (frame["pathway"] == "internal") & (origin != "") & (destination != "") & (origin != destination)


def _wrong_way(frame: pd.DataFrame) -> pd.Series:
    origin, destination = _country(frame["origin"]), _country(frame["destination"])
    elsewhere = (origin != "") & (origin != "AL") | (destination != "") & (destination != "GR")
    return (frame["pathway"] == "al_to_gr") & elsewhere


def _no_value(frame: pd.DataFrame) -> pd.Series:
    return frame["number"].isna() & frame["share"].isna()


def _no_share(frame: pd.DataFrame) -> pd.Series:
    return (frame["measure"] == "roma_share_of_national") & frame["share"].isna()


def _share_of_a_count(frame: pd.DataFrame) -> pd.Series:
    counts = ["population", "victims", "children_victims", "found_by_mobile_units", "mobile_unit_regions"]
    return frame["measure"].isin(counts) & frame["share"].notna()


_WAY = ("pathway", "origin", "destination")
_ENCOUNTER_RULES = (
    Rule(
        "country",
        ("country", "municipality"),
        Message("the country does not match the municipality"),
        "the country of the municipality, or an empty cell",
        lambda frame: (frame["country"] != "") & (frame["country"] != _country(frame["municipality"])),
    ),
    Rule(
        "pathway",
        _WAY,
        Message("internal trafficking, but origin and destination are in different countries"),
        "origin and destination in one country, or another pathway",
        _internal_crosses,
    ),
    Rule(
        "pathway",
        _WAY,
        Message("trafficking from Albania to Greece, but origin or destination is in another country"),
        "an origin in Albania and a destination in Greece, or an empty cell",
        _wrong_way,
    ),
)
_SERVICE_RULES = (
    Rule(
        "valid_to",
        ("valid_from", "valid_to"),
        Message("the last day is before the first day"),
        "a day on or after valid_from, or an empty cell",
        lambda frame: (frame["valid_to"] != "") & (frame["valid_to"] < frame["valid_from"]),
    ),
    Rule(
        "handed_to",
        ("handed_from", "handed_to"),
        Message("the service was handed over, but it is not said to whom"),
        "a duty bearer in both cells, or both cells empty",
        lambda frame: (frame["handed_from"] != "") & (frame["handed_to"] == ""),
    ),
)
_SHARE, _EMPTY = "a share between 0 and 1, for example 0.25", "an empty cell"
_MEASURE = ("measure", "share")
_FIGURE_RULES = (
    Rule(
        "number", ("number", "share"), Message("neither a number nor a share"), "a number, a share, or both", _no_value
    ),
    Rule("share", _MEASURE, Message("this measure needs a share, and the share is missing"), _SHARE, _no_share),
    Rule("share", _MEASURE, Message("this measure cannot have a share"), _EMPTY, _share_of_a_count),
)

# Name, title, meaning, the kinds of personal data that are refused, rules.
_KINDS = (
    ("encounter", "Encounters", "One row for each encounter with a child.", vocabulary.ALL_PERSONAL, _ENCOUNTER_RULES),
    (
        "effort",
        "Outreach",
        "One row for each day or week of outreach, also when no child was met.",
        vocabulary.ALL_PERSONAL,
        (),
    ),
    (
        "service",
        "Services",
        "One row for each service that an operator offers in a municipality.",
        vocabulary.ALL_PERSONAL,
        _SERVICE_RULES,
    ),
    (
        "community",
        "Community estimates",
        "One row for each estimate of a Roma or Egyptian population in an area. Never a settlement.",
        vocabulary.ALL_PERSONAL,
        (),
    ),
    (
        "indicator",
        "Indicators",
        "One row for each value of an indicator, with its target if there is one.",
        _PUBLIC,
        (),
    ),
    (
        "figure",
        "Published figures",
        "One row for each number that others have published, with its source. It is public and is copied "
        "unchanged into every release.",
        _PUBLIC,
        _FIGURE_RULES,
    ),
)
_COLUMNS = _read_columns()

KINDS: Mapping[str, RecordKind] = MappingProxyType(
    {
        name: RecordKind(name, title, meaning, _COLUMNS[name], refuses, rules)
        for name, title, meaning, refuses, rules in _KINDS
    }
)
