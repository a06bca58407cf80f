"""Write the tables of a standard (geo/export/standards.py) as files, with crosswalk, codebook, read-me and schema.

The files of one report: a CSV for each table, `contents`, `crosswalk`, `codebook`, a workbook with all of them, a
read-me, and `datapackage.json` with a Table Schema for each table. Headings and codes are the same in every language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data.message import mark
from data.release import Release
from data.tables.spec import CATEGORIES, TIERS
from data.tables.states import MEANINGS, STATES
from geo.export import geojson, write_csv, xlsx
from geo.export.package import describe_csv, describe_package
from geo.export.standards import (
    ALL,
    BASES,
    BREAKDOWNS,
    COUNTED,
    NOT_RECORDED,
    NOT_RELEASED,
    NOTES,
    OUTCOMES,
    STANDARDS,
    Standard,
    build_crosswalk,
    build_tables,
    judge_table,
    offers_tables,
)
from geo.layers.core.words import describe_state
from geo.layers.output import terms
from geo.layers.output.columns import COLUMNS
from geo.layers.reading import tables
from geo.layers.reading.counted import NOISY_MEANINGS

Translate = Callable[[str], str]
_ABOUT = "about"


@dataclass(frozen=True)
class Field:
    """A column of a table: its type in Table Schema, its meaning, its possible values, and whether it may be empty."""

    name: str
    kind: str
    meaning: str
    values: tuple[str, ...] = ()
    required: bool = False


_CATEGORIES = (ALL, *dict.fromkeys(category for by in BREAKDOWNS for category in CATEGORIES[by]))
_AVAILABILITY = {
    "released": mark("In the table, for every year and for the whole time."),
    "in_part": mark("In the table for some periods; for the others the release does not hold it."),
    NOT_RELEASED: mark("The release does not hold it, and it is not worked out from other numbers."),
    NOT_RECORDED: mark("The programme does not record it."),
}
_WIDER = mark("It counts all children identified or met, at risk or not: victims alone are not released in this way.")
_IC_TIP = mark(
    "In the crosswalk: a place for the code of the International Classification (IC-TIP). It is empty, because the "
    "text of the classification was not read."
)
_AS_EXPORTED = {column.name: column.meaning for column in COLUMNS}
_NOISY, _NOISY_MARGIN = (meaning for _, meaning in NOISY_MEANINGS)
FIELDS: tuple[Field, ...] = (
    Field("standard", "string", mark("The standard."), required=True),
    Field("area", "string", mark("The country (ISO 3166) in which the children were first met."), required=True),
    Field("area_name", "string", _AS_EXPORTED["name"], required=True),
    Field("period", "string", mark("The period as an ISO 8601 interval."), required=True),
    Field("period_label", "string", _AS_EXPORTED["period_label"], required=True),
    Field("first_day", "date", _AS_EXPORTED["first_day"], required=True),
    Field("last_day", "date", _AS_EXPORTED["last_day"], required=True),
    Field("year", "integer", mark("The calendar year; empty if the period is none, as a programme year from June.")),
    Field("counted", "string", mark("Which children the number counts."), tuple(COUNTED), required=True),
    Field("breakdown", "string", mark("The breakdown of the release; empty for a total."), BREAKDOWNS),
    Field("category", "string", mark("The category of the release, or all."), _CATEGORIES, required=True),
    Field("standard_field", "string", mark("The field or column of the standard; empty if there is none.")),
    Field("standard_code", "string", mark("The code of the standard; empty if there is none.")),
    Field("outcome", "string", mark("What becomes of the category in the standard."), tuple(OUTCOMES), required=True),
    Field("basis", "string", mark("Where the code was read."), tuple(BASES), required=True),
    Field("value", "number", _AS_EXPORTED["value"]),
    Field("state", "string", mark("The state of the number."), (*STATES, NOT_RELEASED), required=True),
    Field("margin", "number", _AS_EXPORTED["margin"]),
    Field("noisy", "number", _NOISY),
    Field("noisy_margin", "number", _NOISY_MARGIN),
    Field("unit", "string", _AS_EXPORTED["unit"], required=True),
    Field("publisher", "string", mark("Who publishes the number."), required=True),
    Field("source", "string", _AS_EXPORTED["source"], required=True),
    Field("data", "string", _AS_EXPORTED["data"], ("invented", "programme"), required=True),
    Field("tier", "string", _AS_EXPORTED["tier"], TIERS, required=True),
    Field("release", "string", _AS_EXPORTED["release"], required=True),
)
_RATES: tuple[Field, ...] = (
    Field(
        "population",
        "number",
        mark(
            "All people of the country, of every age: its counties or regions together, between two censuses by date."
        ),
    ),
    Field(
        "population_source",
        "string",
        mark("The census that counted the population; two censuses where the period lies between them."),
    ),
    Field("per_100000", "number", mark("The value for each 100,000 people of the country; empty by sex and age.")),
    Field("per_100000_margin", "number", mark("The margin for each 100,000 people.")),
)
RULES: tuple[str, ...] = (
    mark("Do not add up rows: numbers have margins, and rows of different tables count the same children."),
    mark("Each child is counted once, in the country, year and stage of the first encounter. Later ones do not count."),
    mark("The numbers are not all victims of the country: they are the children whom this programme met."),
    mark("Nothing is worked out from other numbers. What the release does not hold is empty, and its state says so."),
    mark("A programme year may begin in another month than January: compare it with no figure of a calendar year."),
    mark("No conformity with a standard is claimed. Read the column basis before you send a code to anybody."),
)


def list_fields(standard: Standard) -> tuple[Field, ...]:
    """List the columns of the tables of a standard, in order."""
    return (*FIELDS, *_RATES) if standard.rates else FIELDS


def write_report(release: Release, folder: Path, standard: Standard, translate: Translate = str) -> list[Path]:
    """Write the tables of a standard, with explanations, into a folder, and return the files.

    `translate` translates the explanations. Raises InputError if the release counts no children of whole countries.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{terms.name_files(release, invented=release.invented)}-{standard.id}"
    sheets = build_sheets(release, standard, translate)
    files = []
    tables_alone = {name: sheet for name, sheet in sheets.items() if name != _ABOUT}
    for name, sheet in tables_alone.items():
        files.append(folder / f"{stem}-{name}.csv")
        write_csv(files[-1], sheet)
    about = _describe_report(release, standard)
    title = f"{about['title']}: {standard.name}"
    readme, package, book = (folder / f"{stem}{end}" for end in ("-README.txt", "-datapackage.json", ".xlsx"))
    readme.write_text(_format_readme(release, standard, about, translate), encoding="utf-8", newline="\n")
    resources = [
        _describe_csv(path, name, sheet, standard, release)
        for path, (name, sheet) in zip(files, tables_alone.items(), strict=True)
    ]
    described = describe_package(release, standard.id, title, standard.about, resources)
    package.write_text(f"{geojson.format_json(described)}\n", encoding="utf-8", newline="\n")
    xlsx.write_workbook(book, sheets, title)
    return [*files, readme, package, book]


def build_sheets(release: Release, standard: Standard, translate: Translate = str) -> dict[str, pd.DataFrame]:
    """Return the sheets of a standard's workbook by name; each sheet except "about" is also written as a CSV file.

    Raises InputError if the release counts no children of whole countries.
    """
    columns = [field.name for field in list_fields(standard)]
    built = {by: rows[columns] for by, rows in build_tables(release, standard).items()}
    about = [(key, translate(value)) for key, value in _describe_report(release, standard).items()]
    # A row for each item that the standard asks for: the table that has it, or why no table has it.
    rows = [(translate(standard.tables[by]), by, judge_table(table, by)) for by, table in built.items()]
    rows += [(translate(title), "", code) for title, code in standard.missing.items()]
    frame = pd.DataFrame(rows, columns=["asked_for", "table", "availability"])
    return {
        _ABOUT: pd.DataFrame(about, columns=["key", "value"]),
        **{by.replace("_", "-"): rows for by, rows in built.items()},
        "contents": frame.assign(note=[_explain_availability(table, code, translate) for _, table, code in rows]),
        "crosswalk": _explain_crosswalk(standard, translate),
        "codebook": _build_codebook(release, standard, translate),
    }


def _describe_report(release: Release, standard: Standard) -> dict[str, str]:
    return {**terms.describe_file(release, ()), "standard": standard.name, "standard_means": standard.about}


def write_reports(release: Release, folder: Path) -> list[Path]:
    """Write the tables of every standard into a folder; none if the release counts no children of whole countries."""
    if not offers_tables(release):
        return []
    return [path for standard in STANDARDS.values() for path in write_report(release, folder, standard)]


def _explain_availability(table: str, availability: str, translate: Translate) -> str:
    wider = table not in ("", "stage", "victim_status") and availability != NOT_RELEASED
    return " ".join([translate(_AVAILABILITY[availability]), *([translate(_WIDER)] if wider else [])])


def _explain_crosswalk(standard: Standard, translate: Translate) -> pd.DataFrame:
    rows = build_crosswalk(standard)
    meanings = rows["outcome"].map({name: translate(meaning) for name, meaning in OUTCOMES.items()})
    notes = rows["note"].map({k: translate(v) if v else "" for k, v in NOTES.items()})
    return rows.assign(meaning=meanings, note=notes, ic_tip="")


def _build_codebook(release: Release, standard: Standard, translate: Translate) -> pd.DataFrame:
    """Return the meaning of every column and code. Columns: column, kind, value, meaning."""
    rows = [("", "rule", "", translate(rule)) for rule in RULES]
    rows += [(field.name, field.kind, "", translate(field.meaning)) for field in list_fields(standard)]
    rows.append(("ic_tip", "string", "", translate(_IC_TIP)))
    for name, meanings in (
        ("counted", COUNTED),
        ("outcome", OUTCOMES),
        ("basis", BASES),
        ("availability", _AVAILABILITY),
    ):
        rows += [(name, "code", value, translate(meaning)) for value, meaning in meanings.items()]
    rows += [
        ("state", "code", s, f"{translate(describe_state(s, release.k))}. {translate(MEANINGS[s])}") for s in STATES
    ]
    rows.append(("state", "code", NOT_RELEASED, translate(_AVAILABILITY[NOT_RELEASED])))
    return pd.DataFrame(rows, columns=["column", "kind", "value", "meaning"])


def _format_readme(release: Release, standard: Standard, about: dict[str, str], translate: Translate) -> str:
    sources = terms.list_sources(release)
    credit = sources.loc[sources["credit"] != "", "credit"]
    missing = [
        f"- {translate(title)}: {translate(_AVAILABILITY[availability])}"
        for title, availability in standard.missing.items()
    ]
    lines = [
        f"{standard.name} — {release.name}",
        "",
        *([translate(terms.INVENTED)] if release.invented else []),
        translate(standard.about),
        translate(terms.TIERS[release.tier]),
        "",
        *(f"- {translate(rule)}" for rule in RULES),
        "",
        translate(mark("What the standard asks for and no table has:")),
        *missing,
        "",
        *(f"{key.replace('_', ' ')}: {translate(value)}" for key, value in about.items()),
        "",
        *credit,
    ]
    return "\n".join(lines) + "\n"


def _describe_csv(path: Path, name: str, sheet: pd.DataFrame, standard: Standard, release: Release) -> dict[str, Any]:
    if "state" not in sheet:
        return describe_csv(path, name, [{"name": column, "type": "string"} for column in map(str, sheet.columns)])
    fields = [_describe_field(field, release) for field in list_fields(standard)]
    return describe_csv(path, name, fields, ["area", "period", "breakdown", "category"])


def _describe_field(field: Field, release: Release) -> dict[str, Any]:
    """Return a column as a field of Table Schema; of areas, tiers and releases it allows only those of this release."""
    only = {"area": tuple(tables.list_areas(release, "country")), "tier": (release.tier,), "release": (release.name,)}
    values = only.get(field.name, field.values)
    constraints: dict[str, Any] = {"required": True} if field.required else {}
    if values:
        constraints["enum"] = list(values)
    if field.kind == "number":
        constraints["minimum"] = 0
    described: dict[str, Any] = {"name": field.name, "type": field.kind, "description": str(field.meaning)}
    return {**described, "constraints": constraints} if constraints else described
