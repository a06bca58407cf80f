"""An invented world as the files that partners would send, for training and for load tests.

The files differ as much as those of real partners: two formats, names of places in three
scripts or as codes, a Kobo export, and a partner with its own headings and words, with the mapping that
reads them. Every file has a column "invented", so that it can be recognised under any name.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data.schema import INVENTED
from risk.numbers import stream
from risk.worlds.ground import choose
from risk.worlds.world import World

_MOST_ROWS_OF_A_WORKBOOK = 50_000
_AREA_COLUMNS = ("municipality", "origin", "destination", "area")

# How one partner writes: share of the spellings "code", "English", "local", "Latin", "capitals".
_LATIN = (0.05, 0.45, 0.40, 0.0, 0.10)
_GREEK = (0.05, 0.05, 0.75, 0.05, 0.10)
_ALBANIAN = (0.0, 0.05, 0.60, 0.25, 0.10)
_MIXED = (0.15, 0.25, 0.25, 0.20, 0.15)

_BKTF_COLUMNS = {
    "date": "meeting/day_of_meeting",
    "municipality": "meeting/where_met",
    "child_id": "child/child_code",
    "programme_number": "child/shared_number",
    "country": "meeting/country",
    "stage": "child/stage",
    "pathway": "child/pathway",
    "form": "child/form",
    "axis": "meeting/axis",
    "found": "meeting/found",
    "sex": "child/sex",
    "age_band": "child/age_band",
    "community": "child/community",
    "origin": "child/origin",
    "destination": "child/destination",
    "household_number": "child/household_code",
}
_BKTF_MAPPING = {
    "date": "day_of_meeting",
    "municipality": "where_met",
    "child_id": "child_code",
    "programme_number": "shared_number",
    "household_number": "household_code",
}
_AMARO_COLUMNS = {
    "date": "Data e takimit",
    "municipality": "Bashkia",
    "child_id": "Kodi i fëmijës",
    "programme_number": "Numri i programit",
    "country": "Shteti",
    "stage": "Faza",
    "pathway": "Rruga",
    "form": "Forma",
    "axis": "Fusha",
    "found": "Si u gjet",
    "sex": "Gjinia",
    "age_band": "Mosha",
    "community": "Komuniteti",
    "origin": "Bashkia e origjinës",
    "destination": "Bashkia e mbërritjes",
    "household_number": "Kodi i familjes",
}
_AMARO_VALUES = {
    "country": {"Shqipëri": "AL", "Greqi": "GR"},
    "stage": {
        "në rrezik": "at_risk",
        "i rekrutuar": "recruited",
        "në shfrytëzim": "in_exploitation",
        "i identifikuar": "identified",
        "në kthim": "returning",
        "në riintegrim": "reintegrating",
    },
    "pathway": {
        "brenda vendit": "internal",
        "Shqipëri-Greqi": "al_to_gr",
        "tjetër ndërkufitare": "other_cross_border",
        "e panjohur": "none_known",
    },
    "form": {
        "lypje": "begging",
        "punë në rrugë": "street_work",
        "shfrytëzim seksual": "sexual_exploitation",
        "punë e detyruar": "labour",
        "krim": "crime",
        "tjetër": "other",
    },
    "axis": {
        "parandalim": "prevention",
        "mbrojtje": "protection",
        "kthim vullnetar": "assisted_voluntary_return",
        "riintegrim": "reintegration",
        "bashkërendim": "coordination",
    },
    "found": {"raportuar": "reported", "zbuluar": "discovered"},
    "sex": {"vajzë": "female", "djalë": "male", "nuk dihet": "unknown"},
    "age_band": {"nuk dihet": "unknown"},
    "community": {"rom": "roma", "egjiptian": "egyptian", "tjetër": "other", "nuk dihet": "unknown"},
}


@dataclass(frozen=True)
class _File:
    """One file: its partner, its kind of records, its spelling of places, and its layout.

    spelling : share of each way to write a place. columns : headings by column. words : for each column, the values by
    the partner's words. kobo : whether it looks like an export of KoboToolbox.
    """

    partner: str
    kind: str
    suffix: str
    spelling: tuple[float, ...]
    columns: dict[str, str] | None = None
    words: dict[str, dict[str, str]] | None = None
    separator: str = ","
    kobo: bool = False

    @property
    def name(self) -> str:
        """The name of the file; a workbook with too many rows is written as .csv instead."""
        return f"invented-{_stem(self.partner)}-{self.kind}{self.suffix}"


_FILES = (
    _File("Terre des hommes", "encounter", ".csv", _LATIN),
    _File("Terre des hommes", "effort", ".csv", _LATIN),
    _File("Terre des hommes", "service", ".xlsx", _LATIN),
    _File("Terre des hommes", "indicator", ".csv", _LATIN),
    _File("ARSIS", "encounter", ".xlsx", _GREEK),
    _File("ARSIS", "effort", ".csv", _GREEK, separator=";"),
    _File("ARSIS", "indicator", ".xlsx", _GREEK),
    _File("BKTF", "encounter", ".csv", _MIXED, _BKTF_COLUMNS, kobo=True),
    _File("BKTF", "effort", ".xlsx", _MIXED),
    _File("Amaro Drom", "encounter", ".xlsx", _ALBANIAN, _AMARO_COLUMNS, _AMARO_VALUES),
    _File("Amaro Drom", "effort", ".csv", _ALBANIAN),
    _File("Amaro Drom", "community", ".csv", _MIXED),
)


def _stem(partner: str) -> str:
    return partner.casefold().replace(" ", "-")


def write_partner_files(world: World, folder: Path, bad_rows: bool = False) -> list[Path]:
    """Write a world as partner files and column mappings; return the paths of the written files.

    A file is named invented-PARTNER-KIND, a mapping invented-PARTNER.toml. In a workspace a mapping must be at
    mappings/PARTNER.toml. With `bad_rows` each file of encounters and effort ends with rows that an import must reject.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spell = _Spelling(world)
    paths = [_write(world, file, folder, spell, bad_rows) for file in _FILES]
    mappings = {"BKTF": (_BKTF_MAPPING, {}), "Amaro Drom": (_AMARO_COLUMNS, _AMARO_VALUES)}
    for partner, (columns, values) in mappings.items():
        path = folder / f"invented-{_stem(partner)}.toml"
        lines = ["# Invented. How this partner's encounter files name columns and categories.", ""]
        lines += ["[encounter.constants]", f"partner = {_quoted(partner)}", "", "[encounter.columns]"]
        lines += [f"{ours} = {_quoted(theirs)}" for ours, theirs in columns.items()]
        for column, names in values.items():
            lines += ["", f"[encounter.values.{column}]"]
            lines += [f"{_quoted(theirs)} = {_quoted(ours)}" for theirs, ours in names.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class _Spelling:
    """Spellings of area codes as partners use them; the product reads each back as the same area."""

    def __init__(self, world: World) -> None:
        from geo.places import Places

        self._areas = world.areas
        self._places = Places(world.areas)
        self._seed = world.parameters.seed

    def __call__(self, column: pd.Series, file: _File, level: str | None) -> pd.Series:
        """Draw a spelling of the area code in each row; `level` is that of the areas, None for any level."""
        texts = column.astype("str")
        codes, position = np.unique(texts.to_numpy(dtype=object), return_inverse=True)
        rng = stream(self._seed, f"spelling {file.name} {column.name}")
        which = choose(rng.random(len(texts)), np.array(file.spelling))
        table = np.array([self._variants(str(code), level) for code in codes], dtype=object)
        return pd.Series(table.reshape(-1, len(_LATIN))[position, which], index=column.index, name=column.name)

    def _variants(self, code: str, level: str | None) -> list[str]:
        if not code:
            return [""] * len(_LATIN)
        from anyascii import anyascii

        area = self._areas.loc[code]
        local, english = str(area["name_local"]), str(area["name_en"])
        forms = [code, english, local, str(anyascii(local)), _capitals(local)]
        return [form if self._places.resolve(form, None, level).code == code else code for form in forms]


def _capitals(text: str) -> str:
    """Return a text in capitals; Greek capitals lose their accents, Albanian ones keep their marks."""
    upper = text.upper()
    if not any("Α" <= letter <= "Ω" for letter in upper):
        return upper
    apart = unicodedata.normalize("NFD", upper)
    return "".join(letter for letter in apart if letter != "\u0301")


def _write(world: World, file: _File, folder: Path, spell: _Spelling, bad_rows: bool) -> Path:
    frame = _rows_of(world, file)
    for name in _AREA_COLUMNS:
        if name in frame.columns:
            level = None if name == "area" else "municipality"
            frame[name] = spell(frame[name], file, level)
    frame = pd.DataFrame({name: frame[name].astype(object) for name in frame.columns})
    if bad_rows and file.kind in _BAD:
        frame = pd.concat([frame, _bad_rows(frame, file.kind)], ignore_index=True)
    for column, names in (file.words or {}).items():
        theirs = {ours: text for text, ours in names.items()}
        frame[column] = frame[column].map(lambda text, theirs=theirs: theirs.get(text, text))
    frame = frame.rename(columns=file.columns or {})
    if file.kobo:
        frame = _as_kobo(frame)
    frame.insert(0, INVENTED, "yes")
    path = folder / file.name
    if file.suffix == ".xlsx" and len(frame) <= _MOST_ROWS_OF_A_WORKBOOK:
        # ISO days become dates of the spreadsheet.
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Invented")
        sheet.append(list(frame.columns))
        for row in frame.itertuples(index=False):
            sheet.append([_cell(value) for value in row])
        book.save(path)
    else:
        path = path.with_suffix(".csv")
        # With a byte order mark, or a spreadsheet shows Greek as nonsense.
        frame.to_csv(path, index=False, sep=file.separator, encoding="utf-8-sig", lineterminator="\r\n")
    return path


def _rows_of(world: World, file: _File) -> pd.DataFrame:
    """Return the partner's records of the file's kind (all if these have no partner), with the columns of the file.

    A file with its own headings has no column for the partner: the import names the partner.
    """
    frame = world.records[file.kind]
    if "partner" in frame.columns:
        frame = frame[frame["partner"] == file.partner]
    if file.columns is not None:
        frame = frame[list(file.columns)]
    return frame.reset_index(drop=True).copy()


def _as_kobo(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as KoboToolbox exports it, with the columns that the tool adds."""
    day = frame[_BKTF_COLUMNS["date"]].astype(str)
    number = np.arange(1, len(frame) + 1)
    added = pd.DataFrame({"start": day + "T09:00:00.000+02:00", "end": day + "T09:20:00.000+02:00"})
    frame = frame.assign(
        _id=50_000_000 + number,
        _uuid=[f"00000000-0000-4000-8000-{i:012x}" for i in number],
        _submission_time=(day + "T20:00:00").to_numpy(),
        _validation_status="",
        _index=number,
    )
    return pd.concat([added, frame], axis=1)


_BAD: dict[str, tuple[dict[str, object], ...]] = {
    "encounter": (
        {"municipality": "Atlantis"},
        {"date": "2008-02-31"},
        {"stage": "somewhere in between"},
        {"found": ""},
        {"child_id": "", "programme_number": ""},
    ),
    "effort": ({"days": -2}, {"municipality": ""}, {"date": "last week"}),
}


def _bad_rows(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return a copy of the first row for each fault, with the fault in it."""
    wrong = [fault for fault in _BAD[kind] if set(fault) <= set(frame.columns)]
    rows = frame.iloc[[0] * len(wrong)].reset_index(drop=True)
    if "record_number" in rows.columns:
        rows["record_number"] = ""
    for column in {name for fault in wrong for name in fault}:
        values = [fault.get(column, old) for fault, old in zip(wrong, rows[column], strict=True)]
        rows[column] = pd.Series(values, dtype=object)
    return rows


def _cell(value: object) -> object:
    if isinstance(value, str) and len(value) == 10 and value[4::3] == "--":
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, np.generic):
        return value.item()
    return None if value == "" else value
