"""Count encounters: from Arrow batches of records to arrays of counts and cell keys. Behind the wall.

A child is counted once in tables of children: in the cell of its first encounter of the whole programme,
with its attributes of that day. Children are linked across partners by the shared programme number. Families are
counted as children are. In tables of encounters a child is counted at most `cap` times in a cell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.disclosure.cell_key import compute_cell_keys, salt_of
from data.disclosure.policy import Policy
from data.errors import ReleaseError
from data.message import Message
from data.restricted.counting.linking import link_children
from data.schema.vocabulary import COUNTRIES
from data.schema.words import index_codes
from data.tables.grid import Grid
from data.tables.periods import Grain
from data.tables.spec import CATEGORIES, OF_COUNTRIES, Level, Plan, TableSpec, is_sum_of_years
from data.workspace.folding import normalize_partner
from data.workspace.types import Ints, Words

RecordKeys = Callable[[Sequence[str]], Words]

_ATTRIBUTES = ("pathway", "stage", "form", "axis", "sex", "age_band", "found")
COLUMNS = ("date", "municipality", "child", "programme_child", *_ATTRIBUTES, "origin", "destination")
_HASH_DIGITS = 64
_NONE: tuple[Ints, Words] = np.zeros(0, np.int64), np.zeros(0, np.uint64)
_CROSSING = np.array([0, 1, 1, -1], np.int8)  # index of the category "crossing" of each pathway; -1 for none_known
_AT_RISK, _RETURNING = (CATEGORIES["stage"].index(stage) for stage in ("at_risk", "returning"))


class Cells(NamedTuple):
    """True counts and cell keys of one table; both of shape (areas, periods, *categories)."""

    counts: Ints
    keys: Ints


@dataclass(frozen=True, eq=False)
class CountedTables:
    """True counts and cell keys of the counted tables of a plan, each of shape (areas, periods, *categories)."""

    grid: Grid
    plan: Plan
    counts: Mapping[TableSpec, Ints]
    keys: Mapping[TableSpec, Ints]


@dataclass(frozen=True, eq=False)
class Encounters:
    """Encounters and their children as arrays of numbers; the encounters are sorted by child.

    One entry for each encounter, (n,): child: number of the child from 0, in ascending order. day: datetime64[D].
    place, origin, destination: index in grid.names, -1 for none. codes: index in CATEGORIES, by column. partner: index
    among the `partners` of load_encounters, -1 for none; empty if no partners were given. batch: number of the import.

    One entry for each child, (children,): identity: the first 64 bits of its hash. record_key: from 0 to 2**64 - 1.
    family: number of its family, -1 for none known; empty if the records were read without households. family_key: the
    record key of each family, (families,).
    """

    grid: Grid
    child: npt.NDArray[np.int32]
    day: npt.NDArray[np.datetime64]
    place: npt.NDArray[np.int32]
    codes: dict[str, npt.NDArray[np.int8]]
    origin: npt.NDArray[np.int32]
    destination: npt.NDArray[np.int32]
    identity: Words
    record_key: Words
    partner: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    batch: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    family: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    family_key: Words = field(default_factory=lambda: np.zeros(0, np.uint64))
    # Results for the last level and grain: tables are counted in groups with the same level and grain.
    last_home: dict[str, Any] = field(default_factory=dict, repr=False)
    last_pairs: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def content(self) -> Ints:
        """A number for each encounter, (n,), that combines all its counted columns except the day.

        Columns that only some plans read come last, so that they decide only if all other columns are equal.
        """
        total: Ints = self.place.astype(np.int64)
        names = len(self.grid.names) + 1
        for ends in (self.origin, self.destination):
            total = total * names + ends + 1
        for name, codes in self.codes.items():
            total = total * len(CATEGORIES[name]) + codes
        return total

    @cached_property
    def first_rows(self) -> Ints:
        """The row of each child's first encounter, (children,).

        Of several on one day, the one with the smallest `content` counts, so the order of the file makes no difference.
        """
        days = self.day.astype(np.int64)
        earliest = np.minimum.reduceat(days, self.start_rows) if len(self.start_rows) else days
        candidates = np.flatnonzero(days == earliest[self.child])
        child = self.child[candidates]
        order = candidates[np.lexsort((self.content[candidates], child))]
        return np.asarray(order[np.flatnonzero(np.diff(self.child[order], prepend=-1))])

    @cached_property
    def start_rows(self) -> Ints:
        """The index of each child's first row in the arrays, (children,)."""
        return np.flatnonzero(np.diff(self.child, prepend=-1))

    @cached_property
    def families(self) -> Encounters:
        """The encounters of children whose family is known, with the family in place of the child."""
        family = self.family[self.child] if len(self.family) else np.full(len(self.child), -1)
        rows = np.argsort(family, kind="stable")[(family < 0).sum() :]
        present, number = np.unique(family[rows], return_inverse=True)
        codes = {name: code[rows] for name, code in self.codes.items()}
        key, ends = self.family_key[present], (self.origin[rows], self.destination[rows])
        return Encounters(self.grid, number.astype(np.int32), self.day[rows], self.place[rows], codes, *ends, key, key)

    def keys(self, salt: str, key_range: int) -> Ints:
        """Return each child's record key under a salt, from 0 to key_range - 1, (children,).

        `key_range` is a power of two. Another salt gives unrelated keys.
        """
        mark = hashlib.blake2b(salt.encode(), digest_size=8).digest()
        mixed = _hash_words(self.record_key ^ np.frombuffer(mark, "<u8").astype(np.uint64))
        return (mixed & np.uint64(key_range - 1)).astype(np.int64)


EncounterColumns = dict[str, npt.NDArray[np.generic]]


def load_encounters(
    batches: Iterable[pa.RecordBatch], names: Mapping[str, int], partners: Sequence[str] = ()
) -> EncounterColumns:
    """Read batches with the canonical columns of encounters into arrays by column, one entry for each record.

    Texts become indices: of areas in `names` (Grid.names), -1 for none; of partners in `partners`, -1 for none; of
    categories in CATEGORIES. The municipality is named `place`. child, programme_child and household are hashes, (n, 4)
    words. The partner is read only if `partners` are given; household, the columns OF_COUNTRIES and `batch` (the number
    of the import) only if the batches have them.

    Raises ReleaseError for an area, category or partner that is not known, and for a text that is not a hash.
    """
    parts = [_read_batch(batch, names, partners) for batch in batches]
    if not parts:
        texts = (*COLUMNS, *(("partner",) if partners else ()))
        nothing = {**{c: pa.array([], pa.string()) for c in texts}, "batch": pa.array([], pa.int64())}
        parts = [_read_batch(pa.RecordBatch.from_pydict(nothing), names, partners)]
    records: EncounterColumns = {}
    for name in list(parts[0]):
        records[name] = np.concatenate([part.pop(name) for part in parts])
    return records


def read_encounters(records: EncounterColumns, grid: Grid, record_keys: RecordKeys) -> Encounters:
    """Return the encounters within the periods of a grid, sorted by child; `records` come from load_encounters.

    `record_keys` turns hashes of children into numbers uniform on 0 .. 2**64 - 1
    (data.restricted.keys.IdentifierHasher.record_keys). Raises ReleaseError for a place that is not a municipality.
    """
    days = records["day"].astype("datetime64[D]")
    number, identity, names = link_children(records["child"], records["programme_child"])
    keys = np.asarray(record_keys(names), np.uint64)
    family, family_key = _link_families(number, records["household"], record_keys) if "household" in records else _NONE
    inside = np.flatnonzero(grid.period_of(days, "quarter") >= 0)
    rows = inside[np.argsort(number[inside], kind="stable")]
    present, child = np.unique(number[rows], return_inverse=True)
    place, origin, destination = (records[name][rows].astype(np.int32) for name in ("place", "origin", "destination"))
    grid.check_places(place)
    return Encounters(
        grid,
        child.astype(np.int32),
        days[rows],
        place,
        {name: records[name][rows].astype(np.int8) for name in (*_ATTRIBUTES, *OF_COUNTRIES) if name in records},
        origin,
        destination,
        identity[present],
        keys[present],
        records["partner"][rows].astype(np.int32) if "partner" in records else np.zeros(0, np.int32),
        records["batch"][rows].astype(np.int64) if "batch" in records else np.zeros(0, np.int64),
        family[present] if len(family) else family,
        family_key,
    )


def _link_families(child: Ints, household: npt.NDArray[np.generic], record_keys: RecordKeys) -> tuple[Ints, Words]:
    """Return the number of each child's family, -1 for none, (children,), and the record key of each, (families,).

    child: number of the child of each record, (n,). household: hash of its household, (n, 4) words, zero for none. A
    family is the households that children link, named by the smallest of their hashes.
    """
    nodes = np.zeros((len(child), 4), np.uint64)
    nodes[:, 0] = child
    number, _, names = link_children(nodes, household)
    children = int(child.max(initial=-1)) + 1
    family, known = np.full(children, -1), np.zeros(len(names), bool)
    family[child] = number
    known[number[household.any(axis=1)]] = True
    new = np.where(known, np.cumsum(known) - 1, -1)
    return new[family], np.asarray(record_keys([names[i] for i in np.flatnonzero(known)]), np.uint64)


def _read_batch(batch: pa.RecordBatch, names: Mapping[str, int], partners: Sequence[str]) -> EncounterColumns:
    # A country in place of a municipality is in no flow.
    areas = {"": -1, **dict.fromkeys([*COUNTRIES, *index_codes("abroad.country").values()], -1), **names}
    attributes = (*_ATTRIBUTES, *(name for name in OF_COUNTRIES if name in batch.schema.names))
    lookups: dict[str, Mapping[str, int]] = {
        "municipality": names,
        "origin": areas,
        "destination": areas,
        **{name: {c: i for i, c in enumerate(CATEGORIES[name])} for name in attributes},
    }
    result: EncounterColumns = {}
    for name, lookup in lookups.items():
        kind = np.int8 if name in attributes else np.int32
        result["place" if name == "municipality" else name] = read_codes(batch, name, lookup).astype(kind)
    if partners:
        result["partner"] = read_codes(batch, "partner", number_partners(partners)).astype(np.int32)
    result["day"] = read_days(batch, "date")
    if "batch" in batch.schema.names:
        result["batch"] = batch.column("batch").to_numpy(zero_copy_only=False).astype(np.int64)
    for name in ("child", "programme_child", *(c for c in ("household",) if c in batch.schema.names)):
        result[name] = _read_hashes(batch.column(name))
    return result


def number_partners(names: Sequence[str]) -> dict[str, int]:
    """Return the number of each name, -1 for none; spellings of one partner have the same number."""
    numbers: dict[str, int] = {}
    return {"": -1, **{name: numbers.setdefault(normalize_partner(name), len(numbers)) for name in names}}


def read_codes(batch: pa.RecordBatch, name: str, lookup: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Return the number in `lookup` of each text of a column, (n,); raise ReleaseError for a text without a number."""
    column = batch.column(name)
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    missing = len(lookup) + 1
    numbers = np.array([lookup.get(text, missing) for text in texts] or [missing], np.int64)
    result: Ints = numbers[encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)]
    if (result == missing).any():
        wrong = next(t for t in texts if t not in lookup)
        raise ReleaseError(
            Message(
                "A record has {name} {wrong!r}, which is not known. Correct and import it again.",
                name=name,
                wrong=wrong,
            )
        )
    return result


def read_days(batch: pa.RecordBatch, name: str) -> npt.NDArray[np.datetime64]:
    """Return a text column of ISO days as datetime64[D], (n,); an empty text becomes NaT."""
    column = batch.column(name)
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = np.array([t or "NaT" for t in encoded.dictionary.to_pylist()] or ["NaT"], "datetime64[D]")
    return np.asarray(values[encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)])


def _read_hashes(column: pa.Array) -> npt.NDArray[np.generic]:
    """Return hashes as (n, 4) words of 64 bits, all zero for a missing hash; raise ReleaseError for other texts."""
    texts = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    if not np.isin(lengths, (0, _HASH_DIGITS)).all():
        raise ReleaseError(
            Message("A hash of a child must have {hash_digits} hexadecimal digits.", hash_digits=_HASH_DIGITS)
        )
    result = np.zeros((len(lengths), 4), np.uint64)
    try:
        raw = bytes.fromhex("".join(texts.to_pylist()))
    except ValueError:
        raise ReleaseError(Message("A hash of a child must be hexadecimal.")) from None
    result[lengths > 0] = np.frombuffer(raw, ">u8").reshape(-1, 4)
    return result


def _find_blocks(
    grid: Grid, level: Level, grain: Grain, place: npt.NDArray[np.int32], day: npt.NDArray[np.datetime64]
) -> tuple[Ints, int]:
    """Return the block of each record, (n,), and the number of blocks; a block is one area in one period.

    The number of a block is area * periods + period; a record outside all areas or periods has -1.
    """
    periods = len(grid.periods(grain))
    area = np.where(place >= 0, grid.area_index[level][place], -1).astype(np.int64)
    period = grid.period_of(day, grain)
    block = np.where((area >= 0) & (period >= 0), area * periods + period, -1)
    return block, len(grid.codes[level]) * periods


def _find_home_blocks(encounters: Encounters, by_destination: bool, level: Level, grain: Grain) -> Ints:
    """Return the block of each child's first encounter (with `by_destination`: of its destination), (children,).

    It is -1 for a child who is in no block.
    """
    key = (by_destination, level, grain)
    if encounters.last_home.get("key") != key:
        first = encounters.first_rows
        place = encounters.destination if by_destination else encounters.place
        home = _find_blocks(encounters.grid, level, grain, place[first], encounters.day[first])[0]
        encounters.last_home.update(key=key, home=home)
    return np.asarray(encounters.last_home["home"])


def count_tables(encounters: Encounters, plan: Plan, policy: Policy) -> CountedTables:
    """Count the tables of both tiers of a plan that have counts.

    For each level and grain of these, the table of all children without a breakdown is counted too, even if the plan
    does not have it, because "not searched" depends on it. A table of the whole programme is counted by year, or not at
    all if it is the sum of other numbers (`is_sum_of_years`).
    """
    counted = {spec for tier in plan for spec in plan[tier] if spec.counted}
    totals = {TableSpec("children", spec.level, spec.grain) for spec in counted}
    counts, keys = dict[TableSpec, Ints](), dict[TableSpec, Ints]()
    wanted = [spec for spec in counted | totals if not is_sum_of_years(spec, plan)]
    # Tables of one level and grain follow each other, so that what they share is computed once.
    for spec in sorted(wanted, key=lambda s: (s.level, s.grain, s.measure, s.breakdown)):
        counts[spec], keys[spec] = count_table(encounters, spec, policy.cap, policy.key_range)
    return CountedTables(encounters.grid, plan, counts, keys)


def count_table(encounters: Encounters, spec: TableSpec, cap: int, key_range: int) -> Cells:
    """Count one table of children, encounters, flows, returns, families or the model, and compute its cell keys.

    A child adds at most `cap` to a cell of encounters, and at most 1 to a cell of another table. A table of the whole
    programme has the years as its periods: they are drawn one by one, when each is final, and summed. Provisional
    periods have cell keys under another salt, so that their noise reveals nothing about the noise of the final numbers.
    """
    if spec.measure == "families":
        encounters = encounters.families
    grid = encounters.grid
    grain: Grain = "year" if spec.grain == "whole" else spec.grain
    shape: tuple[int, ...] = (len(grid.codes[spec.level]), len(grid.periods(grain)))
    if spec.measure == "encounters":
        cell, child, times = _list_pairs(encounters, spec.level, grain)
        weights = np.minimum(times, cap)
    else:
        cell, sizes = _find_cells(encounters, spec, grain)
        child, shape = np.flatnonzero(cell >= 0), (*shape, *sizes)
        cell, weights = cell[child], None
    size = int(np.prod(shape))
    counts = np.bincount(cell, weights=weights, minlength=size).astype(np.int64)
    record_key = encounters.keys(salt_of(spec), key_range)[child]
    provisional = grid.is_provisional(grain)
    if provisional.any():
        again = encounters.keys(f"provisional|{salt_of(spec)}", key_range)[child]
        period = cell // int(np.prod(shape[2:])) % shape[1]
        record_key = np.where(provisional[period], again, record_key)
    keys = compute_cell_keys(cell, record_key, size, key_range)
    return Cells(counts.reshape(shape), keys.reshape(shape))


def _find_cells(encounters: Encounters, spec: TableSpec, grain: Grain) -> tuple[Ints, tuple[int, ...]]:
    """Return the index of each child's cell, (children,), and the number of categories of each breakdown.

    The index is -1 for a child whom the table does not count. `spec` is not a table of encounters.
    """
    first = encounters.first_rows
    cell = _find_home_blocks(encounters, spec.measure == "flows", spec.level, grain)
    sizes = []
    for name in spec.breakdown:
        code, size = _find_category(encounters, spec.level, name)
        cell = np.where((cell >= 0) & (code >= 0), cell * size + code, -1)
        sizes.append(size)
    if spec.measure == "model":  # in the model, meeting a child at risk is prevention
        cell = np.where(encounters.codes["stage"][first] == _AT_RISK, -1, cell)
    if spec.measure == "household_children":
        cell = np.where(encounters.family >= 0, cell, -1) if len(encounters.family) else np.full(len(cell), -1)
    if spec.measure == "returns":
        cell = np.where(encounters.codes["stage"][first] == _RETURNING, cell, -1)
    return cell, tuple(sizes)


def _find_category(encounters: Encounters, level: Level, name: str) -> tuple[npt.NDArray[np.integer], int]:
    grid, first = encounters.grid, encounters.first_rows
    if name == "origin":
        origin = encounters.origin[first]
        return np.where(origin >= 0, grid.area_index[level][origin], -1), len(grid.codes[level])
    if name == "return_way":
        return _find_return_ways(encounters), len(CATEGORIES[name])
    if name == "crossing":
        return _CROSSING[encounters.codes["pathway"][first]], len(CATEGORIES[name])
    return encounters.codes[name][first], len(CATEGORIES[name])


def _find_return_ways(encounters: Encounters) -> npt.NDArray[np.integer]:
    """Return the index of each child's way home, to its origin, in the categories of `return_way`, (children,)."""
    grid, first = encounters.grid, encounters.first_rows
    ends = [encounters.destination[first], encounters.origin[first]]
    start, home = (np.where(end >= 0, grid.area_index["country"][end], -1) for end in ends)
    ways = np.full(len(first), CATEGORIES["return_way"].index("unknown"))
    ways[(start >= 0) & (start == home)] = CATEGORIES["return_way"].index("inside")
    for way, codes in (("gr_to_al", ("GR", "AL")), ("al_to_gr", ("AL", "GR"))):
        if set(codes) <= set(grid.codes["country"]):
            begin, end = map(grid.codes["country"].index, codes)
            ways[(start == begin) & (home == end)] = CATEGORIES["return_way"].index(way)
    return ways


def _list_pairs(encounters: Encounters, level: Level, grain: Grain) -> tuple[Ints, Ints, Ints]:
    """Return the pairs of a block and a child met in it, sorted by block and child.

    Three arrays, (pairs,): the block, the child, and the number of encounters of the child in the block.
    """
    if encounters.last_pairs.get("key") != (level, grain):
        block, blocks = _find_blocks(encounters.grid, level, grain, encounters.place, encounters.day)
        # Rows are sorted by child already; a stable sort of 16-bit numbers is a radix sort.
        short = block.astype(np.int16) if blocks < 2**15 else block
        order = np.argsort(short, kind="stable")
        order = order[np.searchsorted(short[order], 0) :]
        block, child = block[order], encounters.child[order].astype(np.int64)
        new = (np.diff(block, prepend=-1) != 0) | (np.diff(child, prepend=-1) != 0)
        start = np.flatnonzero(new)
        pairs = block[start], child[start], np.diff(start, append=len(block))
        encounters.last_pairs.update(key=(level, grain), pairs=pairs)
    block, child, times = encounters.last_pairs["pairs"]
    return block, child, times


def _hash_words(values: Words) -> Words:
    """Return hashes of 64-bit words, in their shape (finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
