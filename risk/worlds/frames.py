"""Columns of invented records, made from codes without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.workspace.types import Ints
from risk.worlds.meeting import MeetingTable

_PREFIXES = ("K", "S", "B", "D", "E", "F", "G", "H")
_FACTORS = (387_421, 611_953, 754_877, 912_347, 133_273, 524_287, 864_197, 275_503)


def make_categories(codes: Ints, values: Sequence[str] | np.ndarray) -> pd.Series:
    """Return a column with the value at each code (a position in `values`); its categories are the values in use."""
    used = np.zeros(len(values), dtype=bool)
    used[codes] = True
    position = np.cumsum(used) - 1
    categories = pd.Index(np.asarray(values, dtype=object)[used].tolist(), dtype="str")
    return pd.Series(pd.Categorical.from_codes(position[codes], categories=categories))


def format_days(days: Ints) -> pd.Series:
    """Return a column of ISO days from days since 1970."""
    if not len(days):
        return make_categories(days, [])
    first = int(days.min())
    span = np.arange(first, int(days.max()) + 1).astype("datetime64[D]")
    return make_categories(days - first, np.datetime_as_string(span, unit="D"))


def format_numbers(prefix: str, numbers: Ints, width: int, blank: np.ndarray | None = None) -> pd.Series:
    """Return texts such as K-000123 (from K, 123, 6); empty where the mask `blank` is True."""
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, padding="0")
    text = pc.binary_join_element_wise(prefix, digits, "-")
    if blank is not None:
        text = pc.if_else(pa.array(blank), "", text)
    return pd.Series(pd.array(text, dtype="str"))


def make_identifiers(child: Ints, partner: Ints, size: int) -> pd.Series:
    """Return the identifier of the child in each meeting, at the partner of this meeting.

    child, partner : positions, (n,). size : number of children. The numbers are mixed, so that one partner's identifier
    of a child says nothing about another's.
    """
    width = max(6, len(str(max(size - 1, 0))))
    key, position = np.unique(partner * size + child, return_inverse=True)
    who, number = key // max(size, 1), key % max(size, 1)
    texts = [(_PREFIXES[p], (number[who == p] * _FACTORS[p] + 7 * p + 123) % 10**width) for p in range(len(_PREFIXES))]
    parts = [format_numbers(prefix, numbers, width) for prefix, numbers in texts if len(numbers)]
    values = pd.concat(parts, ignore_index=True) if parts else pd.Series([], dtype="str")
    return pd.Series(pd.Categorical.from_codes(position, categories=pd.Index(values)))


def make_programme_numbers(rng: np.random.Generator, every: MeetingTable, size: int, linked_share: float) -> pd.Series:
    """Draw the programme number of each meeting's child, which all partners use; empty for children without one.

    Mostly children whom several partners have met get a number: each of them with probability `linked_share`.
    """
    low = np.full(size, np.iinfo(np.int64).max)
    high = np.full(size, -1)
    np.minimum.at(low, every.child, every.partner)
    np.maximum.at(high, every.child, every.partner)
    shared = rng.random(size) < np.where(high > low, linked_share, 0.3 * linked_share)
    width = max(6, len(str(max(size - 1, 0))))
    order = rng.permutation(size)[shared]
    values = pd.concat([pd.Series([""], dtype="str"), format_numbers("P", order, width)], ignore_index=True)
    position = np.where(shared, np.cumsum(shared), 0)
    used = np.unique(position[every.child], return_inverse=True)
    return pd.Series(pd.Categorical.from_codes(used[1], categories=pd.Index(values.iloc[used[0]])))
