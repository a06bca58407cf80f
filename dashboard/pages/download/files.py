"""The formats and files of the Download page. The last files are kept, so that each is made only once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd

from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, translate
from data.message import mark
from data.release import Release
from data.tables.states import MEANINGS
from geo import export
from geo.export.records import write_records
from geo.layers import find_layer
from geo.layers.core import Option, View
from geo.layers.core.words import LEVELS, describe_state
from geo.layers.output import columns, terms, wide
from geo.layers.output.table import build_table

_ROWS = 8
MAKING = Lock()  # files are made one at a time, to save memory


@dataclass(frozen=True)
class Format:
    """A format. use : a sentence on its use. together : whether one file contains all layers. kind : its media type.

    The media type is empty for a format that always comes inside a ZIP file.
    """

    id: str
    name: str
    use: str
    together: bool
    kind: str


FORMATS: tuple[Format, ...] = (
    Format(
        "gpkg",
        "GeoPackage",
        mark("Maps for QGIS and R: all layers with styles, tables and codebook in one file."),
        True,
        "application/geopackage+sqlite3",
    ),
    Format(
        "xlsx",
        "Excel",
        mark("Tables for Excel and LibreOffice: one sheet for each layer, with codebook."),
        True,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    Format("csv", "CSV", mark("Plain tables for any program, with codebook and read-me."), False, "text/csv"),
    Format(
        "geojson",
        "GeoJSON",
        mark("One map file for each layer and level, with styles for QGIS, codebook and read-me."),
        False,
        "application/geo+json",
    ),
    Format("parquet", "GeoParquet", mark("Compact maps and tables for pandas, R and DuckDB."), False, ""),
)
NAMES: dict[str, str] = {form.id: form.name for form in FORMATS}
_ZIP = "application/zip"


@dataclass(frozen=True)
class Offer:
    """A file to download. kind : its media type. make : returns its content. sentence : what it contains."""

    name: str
    kind: str
    make: Callable[[], bytes]
    sentence: str

    @property
    def zipped(self) -> bool:
        """Whether it is a ZIP file."""
        return self.kind == _ZIP


def list_layers(release: Release) -> list[str]:
    """Return the ids of the layers that can be downloaded."""
    return [data_layer.id for data_layer in export.list_layers(release)]


def read_request(release: Release, address: Mapping[str, str]) -> dict[str, Any]:
    """Return the layers and the format that an address asks for, under the keys "layers" (ids) and "format" (id).

    Unknown layers are left out; all layers are the default. The first format is the default.
    """
    offered = list_layers(release)
    layers = [name for name in address.get("layers", "").split(",") if name in offered] or offered
    kind = address.get("format", "")
    return {"layers": layers, "format": kind if kind in NAMES else FORMATS[0].id}


def list_terms(release: Release) -> list[str]:
    """Return sentences on the terms of use of the files, and on what each file says about its content."""
    return [
        translate(terms.TIERS[release.tier]),
        _("Licence: {licence}.", licence=_(terms.find_licence(release))),
        _(
            "Counts of children carry noise: when a number was published, the true one lay within its margin. Later "
            "files repeat it for ever, once its year is final."
        ),
        _(
            "Every file says its tier and release, what each column and state means, and where "
            "numbers and boundaries come from."
        ),
        _("The numbers of the programme in it are invented, and the files say so.") if release.invented else "",
        _("Figures whose source begins with “Invented” were made up for practice.")
        if terms.has_invented_figures(release)
        else "",
        f"{_(terms.describe_boundaries(release))}.",
    ]


def explain_command() -> str:
    """Return a sentence on why partner files of real records are not offered here."""
    return _("Partner files of real records have a named receiver and are logged; the data officer writes them.")


def format_command(command: str, end: str = "") -> str:
    """Return the command that writes partner files and records their receiver; `end` : the options at its end."""
    return f'tact {command} --tier partner --for "{_("NAME")}" --to {_("FOLDER")}{end}'


def make_offer(current: CurrentRelease, kind: str, layers: tuple[str, ...]) -> Offer:
    """Return the offer of a file; it is made only when the reader asks for it. kind, layers : ids."""
    form = next(f for f in FORMATS if f.id == kind)
    sets = export.split_layers(current.release, layers)
    single = form.together and len(sets) == 1
    invented = wide.has_invented_numbers(current.release, map(find_layer, layers))
    stem = terms.name_files(current.release, invented=invented)
    name = f"{stem}.{kind}" if single else f"{stem}-{kind}.zip"
    sentence = (
        _("One file, {name}.", name=name)
        if single
        else _("One ZIP file of {format} files, {name}.", format=form.name, name=name)
    )
    if len(sets) > 1 and form.together:
        sentence += " " + _("Community layers are in a file of their own, never together with outreach or risk.")
    return Offer(name, form.kind if single else _ZIP, partial(_make_once, current, kind, layers), sentence)


def _make_once(current: CurrentRelease, kind: str, layers: tuple[str, ...]) -> bytes:
    """Return the content of the file, from a cache if it was made before. Files are made one at a time."""
    with MAKING:
        return _make(current, kind, layers)


@lru_cache(maxsize=6)
def _make(current: CurrentRelease, kind: str, layers: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="tact-export-") as folder:
        files = export.export_layers(current.release, Path(folder), [kind], layers)
        return files[0].read_bytes() if len(files) == 1 else export.pack_files(files)


def pack_records(release: Release) -> bytes:
    """Return a ZIP file with the entries of a release for reference lists and catalogues of data."""
    with tempfile.TemporaryDirectory(prefix="tact-records-") as folder:
        return export.pack_files(write_records(release, Path(folder)))


def tabulate_contents(release: Release, layers: tuple[str, ...]) -> pd.DataFrame:
    """Return a table with a row for each of these layers: areas, finest periods, choices, and whose numbers."""
    rows = []
    for name in layers:
        data_layer = find_layer(name)
        levels = data_layer.levels(release)
        finest = data_layer.periods(release, View(levels[-1], ""))
        rows.append(
            {
                _("Layer"): _(data_layer.title),
                _("Areas"): ", ".join(_(LEVELS[level]).lower() for level in levels),
                _("Finest periods"): _format_periods(finest),
                _("Also by"): "; ".join(_list_choices(data_layer.list_options(release, levels[-1]))) or "—",
                _("Whose numbers"): _(_WHOSE[wide.find_owner(release, data_layer)]),
            }
        )
    return pd.DataFrame(rows)


def _list_choices(options: tuple[Option, ...]) -> list[str]:
    """Return the names of what a layer can be shown by: the groups of its choices, or choices without a group."""
    distinct = [[c for c in option.choices if c.group] or option.choices for option in options]
    return list(dict.fromkeys(_(c.group).lower() if c.group else _(c.label) for choices in distinct for c in choices))


_WHOSE = {
    "invented": mark("invented"),
    "programme": mark("the programme's records"),
    "published": mark("published figures, real"),
    "mixed": mark("published figures, some invented for practice"),
}


_GRAINS = {"/P1M": mark("months"), "/P3M": mark("quarters"), "/P1Y": mark("years")}
_WHOLE = mark("whole programme")


def _format_periods(periods: tuple[str, ...]) -> str:
    if not periods:
        return _("latest figure of each area")
    grain = _GRAINS.get(periods[0][10:], _WHOLE)
    return f"{len(periods)} {_(grain)}" if len(periods) > 1 else _(grain)


def preview_layer(release: Release, name: str) -> pd.DataFrame:
    """Return the first eight rows of a layer as they are in the file, with their period."""
    data_layer = find_layer(name)
    levels = data_layer.levels(release)
    level = "region" if "region" in levels else levels[-1]
    view = wide.choose_latest_view(release, level)
    data = data_layer.read(release, view)
    rows = build_table(release, data_layer, view, data).head(_ROWS)
    when = data.frame["year"].astype("Int64").astype("str") if data_layer.of_figures else data.legend.period
    rows.insert(list(rows).index("Value"), mark("Period"), when)
    return rows.rename(columns=translate)


def tabulate_states(release: Release) -> pd.DataFrame:
    """Return a table of the states that occur in the release: code, words, and meaning."""
    occurring = columns.list_states(release, export.list_layers(release))
    rows = [(state, translate(describe_state(state, release.k)), _(MEANINGS[state])) for state in occurring]
    return pd.DataFrame(rows, columns=[_("State"), _("In words"), _("What it means")])
