"""Exact counts of a partner's bulk records by area and category, from files too large for a table in memory.

A file has a row for each record, with a point (longitude and latitude, EPSG:4326) or the code of an area. While it is
read, each point is replaced by the number of its area; no point is stored. No vault and no key is opened, and no
release uses these numbers. `count_batch` is a pure function of a batch of rows. Its results add up to the same whole
numbers in any order, so threads, a cluster or Spark may share the work.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import chain
from operator import add
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from data.errors import InputError
from data.reference import area_table, list_predecessors
from data.workspace.cluster import map_on_cluster
from data.workspace.types import Floats, Ints, SmallInts

_UNKNOWN = "unknown_area"  # the reason for which a code is refused

_BATCH = 1 << 20  # rows
_BLOCK = 1 << 17  # rows whose intermediate results stay in a processor's own memory
_SHARES = 64  # parts of a file, each counted by one thread or worker
_MOST_CELLS = 20_000  # combinations; columns with more do not have categories
_CSV_BLOCK = 1 << 22  # bytes
_WORD = pa.dictionary(pa.int32(), pa.string())
_SEPARATORS = ",;\t"
_LONGEST_HEAD = 1 << 16  # characters


class AreaFinder(Protocol):
    """A function object that finds the areas of points, such as geo/point_index.py; the command passes it in."""

    codes: tuple[str, ...]

    @property
    def places(self) -> tuple[str, ...]:
        """The places that `find` numbers: the codes of the areas, then the reasons why a point is refused."""

    def find(self, longitude: Floats, latitude: Floats) -> SmallInts:
        """Return the index in `places` of each point's place, (n,); points are in degrees, NaN if missing."""


@dataclass(frozen=True)
class Columns:
    """The columns of a file: those to count by, and those of the place (code of an area, or point in degrees)."""

    by: tuple[str, ...] = ()
    area: str | None = None
    longitude: str = "longitude"
    latitude: str = "latitude"

    @property
    def types(self) -> dict[str, pa.DataType]:
        """The columns to read, with their types."""
        points = {self.longitude: pa.float64(), self.latitude: pa.float64()}
        return (points if self.area is None else {self.area: _WORD}) | dict.fromkeys(self.by, _WORD)


@dataclass(frozen=True)
class Counts:
    """Numbers of records by place and category.

    numbers : shape (areas + reasons, categories of the first column to count by, categories of the second, ...).
    areas : the codes of the areas. reasons : why a record is in no area. labels : the distinct categories of each
    column, in the order of their texts; an empty text for a missing category.
    """

    areas: tuple[str, ...]
    reasons: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    numbers: Ints

    def __add__(self, other: Counts) -> Counts:
        """Return the sum of two counts of the same areas; raise InputError if it has too many combinations."""
        if self.labels == other.labels:
            return replace(self, numbers=self.numbers + other.numbers)
        labels = tuple(_sort_words((*a, *b)) for a, b in zip(self.labels, other.labels, strict=True))
        _check_cells(labels)
        numbers = np.zeros((len(self.numbers), *map(len, labels)), np.int64)
        for part in (self, other):
            numberings = (_number_words(every) for every in labels)
            places = [
                np.array([number[word] for word in some]) for number, some in zip(numberings, part.labels, strict=True)
            ]
            numbers[np.ix_(np.arange(len(numbers)), *places)] += part.numbers
        return replace(self, labels=labels, numbers=numbers)

    @property
    def counted(self) -> int:
        """The number of records in any area."""
        return int(self.numbers[: len(self.areas)].sum())

    @property
    def refused(self) -> dict[str, int]:
        """The number of records in no area, by reason. Reasons that no record has are left out."""
        totals = self.numbers[len(self.areas) :].reshape(len(self.reasons), -1).sum(axis=1)
        return {reason: int(total) for reason, total in zip(self.reasons, totals, strict=True) if total}

    def tabulate(self, by: Sequence[str]) -> pa.Table:
        """Return a row for each area and combination of categories with records: area, the columns `by`, records.

        The rows are in the order of the areas and then of the texts.
        """
        counted = self.numbers[: len(self.areas)]
        cells = np.nonzero(counted)
        texts = (pa.array(words, pa.string()) for words in (self.areas, *self.labels))
        columns = [text.take(pa.array(cell)) for text, cell in zip(texts, cells, strict=True)]
        return pa.table([*columns, pa.array(counted[cells])], names=["area", *by, "records"])


def count_batch(batch: pa.RecordBatch, columns: Columns, index: AreaFinder) -> Counts:
    """Count the records of a batch.

    Raises InputError if the columns to count by have too many combinations, or a column of points holds no numbers.
    """
    reasons = (*index.places[len(index.codes) :], _UNKNOWN)
    labels, numbers, rows = [], [], []
    for name in columns.by:
        words, number, row = _read_words(batch, name)
        labels.append(words)
        numbers.append(number)
        rows.append(row)
        _check_cells(numbers)
    combinations = np.zeros(1, np.int32)  # of words, for each combination of texts
    for words, number in zip(labels, numbers, strict=True):
        combinations = (combinations[:, None] * len(words) + number).ravel()
    sizes = (len(index.codes) + len(reasons), *map(len, labels))
    cells = _find_areas(batch, columns, index)
    for start in range(0, len(cells), _BLOCK):
        block = slice(start, start + _BLOCK)
        texts = np.zeros(len(cells[block]), np.int32)
        for number, row in zip(numbers, rows, strict=True):
            texts *= len(number)
            texts += row[block]
        cells[block] *= int(np.prod(sizes[1:]))
        cells[block] += combinations.take(texts)
    counts = np.bincount(cells, minlength=int(np.prod(sizes))).reshape(sizes)
    return Counts(index.codes, reasons, tuple(labels), counts)


def count_files(
    paths: Sequence[Path], columns: Columns, index: AreaFinder, *, cluster: str = "", workers: int = 1
) -> Counts:
    """Count the records of CSV and Parquet files, by `workers` threads, or on a cluster: see `map_on_cluster`.

    On a cluster the files must be at the same path for each worker; one worker reads a whole CSV file. Raises
    InputError if a file cannot be read, lacks a column or has it twice, or if there are too many combinations of
    categories; OSError if a file does not exist.
    """
    shares = [share for path in paths for share in _list_shares(path.resolve(strict=True), columns)]
    if cluster:
        results = map_on_cluster(_count_share, shares, address=cluster, workers=workers, shared=(columns, index))
        return reduce(add, results)
    with ThreadPoolExecutor(workers) as pool:
        return reduce(add, pool.map(lambda share: _count_share(share, columns, index), shares))


@dataclass(frozen=True)
class _Share:
    """A part of the work: row groups of a Parquet file, or a whole CSV file (without groups)."""

    path: Path
    groups: tuple[int, ...] = ()


def _list_shares(path: Path, columns: Columns) -> list[_Share]:
    if not _is_parquet(path):
        _check_headings(path, _read_headings(path)[0], columns)
        return [_Share(path)]
    with _open_parquet(path, columns) as file:
        _check_headings(path, file.schema_arrow.names, columns)
        groups = np.array_split(np.arange(file.num_row_groups), min(_SHARES, max(file.num_row_groups, 1)))
    return [_Share(path, tuple(part.tolist())) for part in groups]


def _count_share(share: _Share, columns: Columns, index: AreaFinder) -> Counts:
    nothing = pa.RecordBatch.from_pylist([], pa.schema(columns.types))
    try:
        batches = _read_batches(share, columns)
        batches = chain([next(batches, nothing)], batches)
        return reduce(_add_to, (count_batch(batch, columns, index) for batch in batches))
    except (pa.ArrowException, OSError) as error:
        # The message of Arrow quotes the value.
        raise InputError(
            f"{share.path.name} cannot be read. Columns of points hold degrees with a decimal point, such as 41.33, "
            "or nothing; texts are in UTF-8, and each row has as many values as there are headings. The file is whole, "
            "and at the same path for each worker."
        ) from error


def _add_to(total: Counts, part: Counts) -> Counts:
    """Return the sum of two counts; if the categories are the same, it is written into the first one."""
    if total.labels != part.labels:
        return total + part
    np.add(total.numbers, part.numbers, out=total.numbers)
    return total


def _read_batches(share: _Share, columns: Columns) -> Iterator[pa.RecordBatch]:
    if _is_parquet(share.path):
        with _open_parquet(share.path, columns) as file:
            yield from file.iter_batches(_BATCH, list(share.groups), list(columns.types), use_threads=False)
        return
    with pa_csv.open_csv(
        share.path,
        pa_csv.ReadOptions(block_size=_CSV_BLOCK),
        pa_csv.ParseOptions(delimiter=_read_headings(share.path)[1], newlines_in_values=True),
        pa_csv.ConvertOptions(
            column_types=columns.types, include_columns=list(columns.types), strings_can_be_null=True
        ),
    ) as reader:
        yield from reader


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _open_parquet(path: Path, columns: Columns) -> pq.ParquetFile:
    try:
        schema = pq.read_schema(path)
        words = [name for name in columns.types if name in schema.names and pa.types.is_string(schema.field(name).type)]
        return pq.ParquetFile(path, read_dictionary=words, buffer_size=1 << 20)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name} is no Parquet file. Write it again, or name a CSV file.") from error


def _read_headings(path: Path) -> tuple[list[str], str]:
    """Return the headings of a CSV file and its delimiter."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        head = file.readline(_LONGEST_HEAD)
    separator = max(_SEPARATORS, key=head.count)
    return next(csv.reader([head], delimiter=separator), []), separator


def _check_headings(path: Path, headings: Sequence[str], columns: Columns) -> None:
    if lacking := [name for name in columns.types if name not in headings]:
        raise InputError(
            f"{path.name} has no column {', '.join(map(repr, lacking))}. Name its columns: --longitude and --latitude "
            "for points, or --area for codes of areas, and --by for what is counted by."
        )
    if several := [name for name in columns.types if headings.count(name) > 1]:
        raise InputError(f"{path.name} has several columns {', '.join(map(repr, several))}. Give each another heading.")


def _read_words(batch: pa.RecordBatch, name: str) -> tuple[tuple[str, ...], SmallInts, SmallInts]:
    """Return the distinct words of a column, the index of each text's word, (texts,), and of each row's text, (n,).

    A word is the text without spaces at its ends; a missing value is the empty word.
    """
    column = batch.column(name)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    texts = [*((text or "").strip() for text in pc.cast(column.dictionary, pa.string()).to_pylist()), ""]
    row = column.indices.fill_null(len(texts) - 1) if column.null_count else column.indices
    words = _sort_words(texts)
    numbering = _number_words(words)
    return words, np.array([numbering[text] for text in texts], np.int32), row.to_numpy(zero_copy_only=False)


def _sort_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct words in a fixed order, so that batches with the same words can be added directly."""
    return tuple(sorted(set(words)))


def _number_words(words: Sequence[str]) -> dict[str, int]:
    return {word: number for number, word in enumerate(words)}


def _find_areas(batch: pa.RecordBatch, columns: Columns, index: AreaFinder) -> SmallInts:
    """Return the number of each row's place, found by point or by code, (n,), in a new array."""
    if columns.area is None:
        return index.find(_read_degrees(batch, columns.longitude), _read_degrees(batch, columns.latitude))
    words, number, row = _read_words(batch, columns.area)
    numbering = _number_codes(index.codes)
    unknown, missing = len(index.places), index.places.index("missing")
    places = np.array([numbering.get(word, unknown if word else missing) for word in words], np.int32)
    return places.take(number).take(row)


def _read_degrees(batch: pa.RecordBatch, name: str) -> Floats:
    try:
        column = batch.column(name).cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"Column {name!r} holds no numbers. Points are degrees, such as 41.33.") from error
    degrees: Floats = column.to_numpy(zero_copy_only=False)  # NaN where missing
    return degrees


@lru_cache(maxsize=2)
def _number_codes(codes: tuple[str, ...]) -> dict[str, int]:
    """Return the index of each area by code; a municipality of 2019 is counted in the one that it was split from."""
    numbers = _number_words(codes)
    older = list_predecessors(area_table())
    return numbers | {new: numbers[old] for new, old in older.items() if old in numbers}


def _check_cells(values: Sequence[Sized]) -> None:
    if np.prod([len(every) for every in values], dtype=float) > _MOST_CELLS:
        raise InputError(
            f"The columns to count by have more than {_MOST_CELLS:,} combinations of values. Count by columns with few "
            "different values: a quarter, not a day; a kind, not a number."
        )
