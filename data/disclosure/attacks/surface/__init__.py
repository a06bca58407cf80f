"""The surface attack: search exported files for numbers that are not in the release of their tier.

Every number in a table is looked up among the numbers of the release for the same area and, if the row names a period,
the same period. A number in a row whose state allows no number is a finding. In a row that names an indicator, every
number must be the number of this indicator in the same column, area and period. The words of a shape in a picture may
only have numbers that are also attributes of the shape. Texts are searched for numbers beside an area's code, and
metadata of pictures for any number.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from data.disclosure.attacks import indicators
from data.disclosure.attacks.bounds import Finding
from data.disclosure.attacks.surface import readers
from data.disclosure.attacks.surface.readers import DATES, Title
from data.disclosure.reconciliation import SHOWN
from data.message import Message
from data.release import Release
from data.release.completeness import LATE
from data.release.completeness import NAME as COMPLETENESS
from data.release.targets import read_targets
from data.tables.periods import Period
from data.tables.population import compute_rate, count_people
from data.tables.shown import NOISY, choose_numbers, sum_ways
from data.tables.states import STATES, ZEROS
from data.workspace.types import Bools, Floats, Ints, Words

__all__ = ["NumberIndex", "search"]

_ANY = -1
_AREA_COLUMNS = ("area", "code", "location")
_CODE_COLUMNS = {
    "area", "code", "location", "id", "parent", "country", "municipality", "origin", "destination",
}  # fmt: skip
_PERIOD_COLUMNS = {"period", "period_label"}
# Row numbers, which hold no data.
_SILENT_COLUMNS = {"fid", "ogc_fid"}
_BOUNDS = ("margin", "low", "high")
# Results of the model beside a number. Many are whole and small, and a count must not pass as one of them.
_OF_MODEL = (
    "rank", "rank_first", "rank_last", "top", "first", "probability", "sure_probability", "exceeding",
    "median", "lower", "upper", "met", "met_lower", "met_upper", "effort_ratio", "cluster", "p", "p_release", "gi",
    "gi_q", "by_population", "by_effort", "effort", "neighbours", "change", "tipping", "reached",
)  # fmt: skip
_RECONCILED = "reconciled"
_FIGURES = "figures"
_INDICATOR = "indicator"  # the column with the code of an indicator
_PARTNER_TABLES = (COMPLETENESS, LATE)  # days and dates by partner
_OBSERVED = "observation"  # in files for forecast hubs: sums over ways of finding
_RATES = {"value": "per_100000", "margin": "per_100000_margin"}  # of whole countries, in tables for standards
_PEOPLE = "population"
# Numbers that are looked up among their own kind alone.
_ROLES = (*_BOUNDS, *_OF_MODEL, _OBSERVED, *_RATES.values(), _PEOPLE)
# Columns of their own kind, also beside the number of a choice (choice__margin).
_KINDS = (*_BOUNDS, *NOISY, _RECONCILED)
# The states that allow a number beside them, by kind of number.
_WITH_NUMBER = {"number", "no_figure"}
_WITH_BOUNDS = {"class"}
_DIGITS = 6
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])")
_BESIDE = 24
_LEVELS = (95.0,)  # of intervals, in per cent


@dataclass(frozen=True, eq=False)
class NumberIndex:
    """A look-up index of all numbers of a release."""

    release: Release

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The tables whose numbers any row may have; indicators and days of one partner must not stand for counts."""
        return tuple(name for name in self.release.tables if name not in (indicators.NAME, *_PARTNER_TABLES))

    @cached_property
    def indicator_numbers(self) -> frozenset[tuple[int, str, str, str, float]]:
        """All numbers of indicators: index of the area, period, code of the indicator, column, number."""
        frame = self._frame(indicators.NAME) if indicators.NAME in self.release.tables else pd.DataFrame()
        columns = map(str, frame.columns)
        return frozenset(key for column in columns for _, key in _list_indicators(self, frame, column))

    @cached_property
    def areas(self) -> dict[str, int]:
        """The index of each area code, from 0 in the order of the file of areas."""
        codes = pq.read_table(self.release.areas_file, columns=["code"]).column("code").to_pylist()
        return {str(code): number for number, code in enumerate(codes)}

    @cached_property
    def periods(self) -> dict[str, int]:
        """The index of each period of the release, from 0 in the order of their names."""
        names = {p for name in self.tables for p in self._frame(name)["period"].unique()}
        return {str(period): number for number, period in enumerate(sorted(names))}

    def _frame(self, name: str) -> pd.DataFrame:
        return self.release.table(name)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels of periods, needed because the label "2001" looks like a number."""
        return frozenset(Period.parse(period).label for period in self.periods)

    @cached_property
    def sizes(self) -> frozenset[float]:
        """The numbers of areas that are ranked together, which are those of a country and level."""
        ranked = [self._frame(name) for name in self.tables]
        codes = {str(code) for frame in ranked if "rank" in frame for code in frame["area"].unique()}
        table = pq.read_table(self.release.areas_file, columns=["code", "country", "level"]).to_pylist()
        counted = Counter((row["country"], row["level"]) for row in table if row["code"] in codes)
        return frozenset(map(float, counted.values()))

    @cached_property
    def numbers(self) -> dict[str, Words]:
        """All numbers as sorted hashes of (area, period, number), by role; see `_hash`."""
        roles: dict[str, list[Words]] = {role: [] for role in ("value", _RECONCILED, *_ROLES)}
        for name in self.tables:
            frame = self._frame(name)
            area, period = self._locate(frame)
            if _RECONCILED in frame:
                roles[_RECONCILED] += _hash_numbers(area, period, frame[_RECONCILED])
                about = next(r["tact"] for r in self.release.manifest["resources"] if r["name"] == name)
                reach = self.release.find_reach(about["level"], about["grain"], about["measure"])
                choice = choose_numbers(frame, reach)
                roles["margin"] += _hash_numbers(area, period, choice["margin"])
            if {"crossing", "found"} <= set(frame):
                sums = sum_ways(frame)
                roles[_OBSERVED] += _hash_numbers(*self._locate(sums), sums["value"])
            for column in frame.columns:
                role = column if column in _ROLES else "value"
                if pd.api.types.is_bool_dtype(frame[column]):
                    continue
                if pd.api.types.is_numeric_dtype(frame[column]):
                    roles[role] += _hash_numbers(area, period, frame[column])
                if column == "share":  # exports show it in per cent too
                    roles[role] += _hash_numbers(area, period, frame[column] * 100)
        for role, numbers in self._list_rates():
            roles[role] += numbers
        targets = read_targets(self.release)
        for column, role in (("target", "value"), ("value", "value"), ("margin", "margin")):  # of no area
            known = targets.dropna(subset=[column])
            roles[role] += [_hash(_ANY, _codes(known["period"], self.periods), _floats(known[column]))]
        roles["value"] += self._hash_areas()
        roles["value"].append(_hash(_ANY, _ANY, np.array(self._constants(), float)))
        return {role: np.unique(np.concatenate(parts or [np.zeros(0, np.uint64)])) for role, parts in roles.items()}

    def _list_rates(self) -> Iterator[tuple[str, Iterator[Words]]]:
        """Yield roles, each with hashes of numbers: people by country and year, then rates of the published counts.

        Yields nothing if the release lacks these counts or the published figures.
        """
        names = [name for name in self.tables if name.startswith("children_country_year")]
        if not names or _FIGURES not in self.tables:
            return
        areas = pq.read_table(self.release.areas_file, columns=["code", "country", "level"]).to_pandas()
        counts = pd.concat([self._frame(name) for name in names], ignore_index=True)
        people = count_people(self._frame(_FIGURES), areas.set_index("code"), sorted(counts["period"].unique()))
        of_year = people.rename_axis("area").melt(ignore_index=False, var_name="period").reset_index()
        of_cell = counts[["area", "period"]].merge(of_year, on=["area", "period"], how="left")["value"]
        place = self._locate(counts)
        yield _PEOPLE, _hash_numbers(*place, of_cell)
        choice = choose_numbers(counts, self.release.find_reach("country", "year"))
        for column, role in _RATES.items():
            yield role, _hash_numbers(*place, compute_rate(choice[column], of_cell))

    def _hash_areas(self) -> Iterator[Words]:
        table = pq.read_table(self.release.areas_file)
        for name, kind in zip(table.column_names, table.schema.types, strict=True):
            if str(kind) in ("double", "float", "int64", "int32", "bool"):
                column = table.column(name).to_pandas().astype("float64")
                area = np.arange(len(column))
                yield from _hash_numbers(area, np.full(len(column), _ANY), column)

    def _constants(self) -> list[float]:
        about = self.release.manifest["tact"]
        parameters = about.get("parameters") or {}
        numbers = [v for v in parameters.values() if isinstance(v, (int, float)) and not isinstance(v, bool)]
        first, last = str(about.get("first") or "")[:4], str(about.get("last") or "")[:4]
        years = range(int(first), int(last) + 1) if first and last else ()
        return [float(v) for v in (self.release.k, *numbers, *years)]

    def _locate(self, frame: pd.DataFrame) -> tuple[Ints, Ints]:
        area = _codes(frame["area"], self.areas)
        period = _codes(frame["period"], self.periods)
        return area, period

    def knows(self, role: str, words: Words) -> Bools:
        """Return a mask of the hashes of (area, period, number) that the release has in this role."""
        numbers = self.numbers[role]  # sorted already
        if not len(numbers):
            return np.zeros(len(words), bool)
        place = np.searchsorted(numbers, words).clip(max=len(numbers) - 1)
        return np.asarray(numbers[place] == words)


def _codes(column: pd.Series, names: Mapping[str, int]) -> Ints:
    return np.asarray(column.map(dict(names)).fillna(_ANY), np.int64)


def _floats(column: pd.Series) -> Floats:
    return np.asarray(column.astype("Float64").to_numpy(np.float64, na_value=np.nan), np.float64)


def _hash_numbers(area: Ints, period: Ints, column: pd.Series) -> Iterator[Words]:
    """Yield hashes of the numbers of a column: with area and period, with the area only, and with neither."""
    values = _floats(column)
    known = ~np.isnan(values)
    area, period, values = area[known], period[known], values[known]
    for a, p in ((area, period), (area, _ANY), (_ANY, _ANY)):
        yield np.unique(_hash(a, p, values))


def _hash(area: object, period: object, values: Floats) -> Words:
    """Return 64-bit hashes of (area, period, number), (values,); numbers are rounded to six decimals."""
    number = np.round(values * 10**_DIGITS).astype(np.int64).astype(np.uint64)
    place = np.atleast_1d((np.asarray(area, np.int64) + 1) * 100_003 + np.asarray(period, np.int64) + 1)
    mixed = number * np.uint64(0x9E3779B97F4A7C15) ^ (place.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F))
    return np.asarray((mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9))


def search(
    release: Release, files: Sequence[Path], report: Callable[[float], None] | None = None
) -> tuple[list[Finding], dict[str, float]]:
    """Search files of the release's tier; return findings and statistics (seconds, cells of tables).

    A file that cannot be read is a finding. `report` is called with the finished share, from 0 to 1.
    """
    began, index = time.monotonic(), NumberIndex(release)
    findings: list[Finding] = []
    cells = 0
    for number, path in enumerate(files):
        if report is not None:
            report(number / len(files))
        # A table of days of partners, byte for byte: no other row may have its numbers.
        table = release.folder / path.name
        if path.stem in _PARTNER_TABLES and table.is_file() and table.read_bytes() == path.read_bytes():
            continue
        try:
            for where, what in readers.read_contents(path, index.areas):
                if isinstance(what, list):
                    findings += _search_titles(index, where, what)
                elif isinstance(what, str):
                    findings += _search_text(index, where, what, bare=path.suffix.lower() == ".png")
                else:
                    cells += what.size
                    findings += _search_table(index, where, what)
        except readers.UNREADABLE as error:
            findings.append(
                Finding("surface", path.name, {}, Message("cannot be read: {why}", why=type(error).__name__))
            )
    return findings, {"seconds": round(time.monotonic() - began, 3), "cells": cells}


def _search_table(index: NumberIndex, where: str, frame: pd.DataFrame) -> Iterator[Finding]:
    frame = frame.reset_index(drop=True)
    named = frame[_INDICATOR].notna() if _INDICATOR in frame else pd.Series(data=False, index=frame.index)
    area = _first(frame, index.areas, _AREA_COLUMNS)
    period = _first(frame, index.periods, ("period",))
    area_codes = np.full(len(frame), _ANY) if area is None else area
    period_codes = np.full(len(frame), _ANY) if period is None else period
    for column in map(str, frame.columns):
        if column.rpartition("__")[2] in _SILENT_COLUMNS:
            continue
        values = _numbers(frame[column], index, column)
        present = ~np.isnan(values)
        if not present.any():
            continue
        kind = column.rpartition("__")[2]
        role = "margin" if kind == "noisy_margin" else kind if kind in _ROLES else "value"
        words = _hash(area_codes, period_codes, np.nan_to_num(values))
        wrong = present & ~index.knows(role, words)
        if named.any():
            wrong = np.where(named, _find_foreign(index, frame, column), wrong)
        adjusted = kind not in (*NOISY, _OBSERVED) and index.knows("margin" if kind == "margin" else _RECONCILED, words)
        silent = present & ~wrong & _has_no_number(frame, column, adjusted)
        for rows, reason in (
            (wrong, Message("contains a number that is not in the release")),
            (silent, Message("contains a number where the state has no number")),
        ):
            yield from _reports(index, where, column, area_codes, period_codes, np.flatnonzero(rows), reason)


def _find_foreign(index: NumberIndex, frame: pd.DataFrame, column: str) -> Bools:
    """Return a mask of the rows with a number that is not the number of their indicator in this column."""
    wrong = np.zeros(len(frame), bool)
    wrong[[row for row, key in _list_indicators(index, frame, column) if key not in index.indicator_numbers]] = True
    return wrong


def _list_indicators(
    index: NumberIndex, frame: pd.DataFrame, column: str
) -> Iterator[tuple[int, tuple[int, str, str, str, float]]]:
    """Yield each number in a column of a table of indicators: its row, and (area, period, code, column, number)."""
    area, period = _first(frame, index.areas, _AREA_COLUMNS), frame.get("period")
    places = [_ANY] * len(frame) if area is None else area.tolist()
    periods = [""] * len(frame) if period is None else period.astype("str")
    numbers = _numbers(frame[column], index, column).round(_DIGITS).tolist()
    for row, key in enumerate(zip(places, periods, frame[_INDICATOR].astype("str"), numbers, strict=True)):
        if not np.isnan(key[-1]):
            yield row, (*key[:-1], column, key[-1])


def _reports(
    index: NumberIndex, where: str, column: str, area: Ints, period: Ints, rows: Ints, reason: Message
) -> Iterator[Finding]:
    areas, periods = list(index.areas), list(index.periods)
    for row in rows:
        cell = {"column": column, "row": str(row + 1)}
        if area[row] >= 0:
            cell["area"] = areas[area[row]]
        if period[row] >= 0:
            cell["period"] = periods[period[row]]
        yield Finding("surface", where, cell, reason)


def _first(frame: pd.DataFrame, names: dict[str, int], columns: Iterable[str]) -> Ints | None:
    """Return the index of each row's area or period, (rows,), from the columns that exist; None if none exists."""
    result: Ints | None = None
    for column in columns:
        if column in frame:
            codes = _codes(frame[column].astype("str"), names)
            result = codes if result is None else np.where(result >= 0, result, codes)
    return result


def _numbers(column: pd.Series, index: NumberIndex, name: str) -> Floats:
    """Return a column as numbers, (rows,); NaN for other cells, and for area codes and periods in their columns."""
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan)
    if pd.api.types.is_numeric_dtype(column):
        return _floats(column)
    place, distinct = pd.factorize(column.astype(object))
    numbers = np.array([*(_number(v, index, name) for v in distinct), np.nan], np.float64)
    return numbers[place]


def _number(value: object, index: NumberIndex, column: str) -> float:
    if isinstance(value, bool):
        return np.nan
    if isinstance(value, (int, float)):
        return float(value)
    text = str(value).strip().lstrip("'")
    if (column in _CODE_COLUMNS and text in index.areas) or (column in _PERIOD_COLUMNS and text in index.labels):
        return np.nan
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return np.nan


def _has_no_number(frame: pd.DataFrame, column: str, adjusted: Bools | bool) -> Bools:
    """Return a mask of the rows in which the state of the column means that there is no number.

    `adjusted`: rows with reconciled numbers or their margins; there a published zero may have a number.
    """
    stem, _, tail = column.rpartition("__")
    if column in ("value", _OBSERVED, *_KINDS, *_RATES.values()):
        state = "state"
    elif tail in _KINDS:
        state = f"{stem}__state"
    else:
        state = f"{column}__state"
    if state not in frame:
        return np.zeros(len(frame), bool)
    states = frame[state].astype("str")
    allowed = _WITH_BOUNDS if tail in ("low", "high") else SHOWN if tail == _RECONCILED else _WITH_NUMBER
    silent = states.isin(STATES) & ~states.isin(allowed) & ~(states.isin(ZEROS) & adjusted)
    return silent.to_numpy()


def _search_text(index: NumberIndex, where: str, text: str, *, bare: bool) -> Iterator[Finding]:
    """Yield a finding for each unknown number beside an area code in a text; in metadata (`bare`), for any number."""
    plain = DATES.sub(" ", text.replace(index.release.name, " "))
    anywhere = (("", m.group()) for m in _NUMBER.finditer(plain))
    pairs = anywhere if bare else _beside_codes(index, plain)
    for code, number in pairs:
        value = np.array([float(number.replace(",", ""))])
        place = index.areas.get(code, _ANY)
        if not index.knows("value", _hash(place, _ANY, value))[0]:
            cell = {"area": code} if code else {}
            yield Finding("surface", where, cell, Message("its text contains a number that is not in the release"))


def _search_titles(index: NumberIndex, where: str, titles: Iterable[Title]) -> Iterator[Finding]:
    """Yield findings in the words of shapes: each number there must, when rounded, be an attribute of the shape.

    Three other numbers are allowed: the least true value of a number, the number of areas beside a rank, and the
    level of an interval (for example 95).
    """
    labels = re.compile("|".join(map(re.escape, sorted(index.labels, key=len, reverse=True))) or "(?!)")
    for title in titles:
        for match in _NUMBER.finditer(DATES.sub(" ", labels.sub(" ", title.words))):
            text = match.group().replace(",", "")
            half = 0.5 * 10.0 ** -len(text.partition(".")[2]) + 10.0**-_DIGITS
            allowed = [*title.numbers.values(), _find_least(title.numbers)]
            allowed += index.sizes if "rank" in title.numbers else ()
            allowed += _LEVELS if "lower" in title.numbers else ()
            if not any(abs(float(text) - number) <= half for number in allowed):
                reason = Message("its words contain a number that is not on its shape")
                yield Finding("surface", where, {"area": title.area}, reason)


def _find_least(numbers: Mapping[str, float]) -> float:
    """Return the least true value of a published number, at least 1: a true zero is never shown as a number.

    Returns NaN if a shape has no number with a margin.
    """
    value, margin = ("noisy", "noisy_margin") if "noisy" in numbers else ("value", "margin")
    return max(1.0, numbers[value] - numbers[margin]) if {value, margin} <= numbers.keys() else math.nan


def _beside_codes(index: NumberIndex, text: str) -> Iterator[tuple[str, str]]:
    lettered = sorted((c for c in index.areas if re.search(r"[A-Z]{2}-", c)), key=len, reverse=True)
    if not lettered:
        return
    codes = "|".join(map(re.escape, lettered))
    pattern = re.compile(rf"(?<![\w-])({codes})(?![\w-])[\"'\s:=,\[{{(]{{1,{_BESIDE}}}(\d+(?:\.\d+)?)(?![\w.])")
    for match in pattern.finditer(text):
        yield match.group(1), match.group(2)
