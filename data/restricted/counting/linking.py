"""Link the records of one child across partners. Behind the wall.

A hash of 256 bits is four words of 64, most significant first; rows of words have the same sort order as the hashes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.workspace.types import Ints, Words


def link_children(child: npt.NDArray[np.generic], programme: npt.NDArray[np.generic]) -> tuple[Ints, Words, list[str]]:
    """Link children that share a programme number, directly or through others.

    child, programme: hashes of each record, (records, 4) words; zero for no programme number. Returns the number of
    each record's child, (records,), and for each child the first word of the hash that names it, (children,), and this
    hash as text: the smallest of its programme numbers, or its own hash if it has none.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes, number = _distinct(child)
    linked = programme.any(axis=1)
    shared, other = _distinct(programme[linked])
    size = len(nodes) + len(shared)
    links = coo_array((np.ones(len(other), np.int8), (number[linked], other + len(nodes))), shape=(size, size))
    children, label = connected_components(links, directed=False)
    # Both lists are in order of their words, so the smallest programme number is the first of them.
    preferred = np.concatenate([np.arange(len(shared), size), np.arange(len(shared))])
    best = np.full(children, size, np.int64)
    np.minimum.at(best, label, preferred)
    names = np.concatenate([shared, nodes])[best]
    order = _order(names)
    position = np.empty(children, np.int64)
    position[order] = np.arange(children)
    named = names[order]
    return position[label[: len(nodes)]][number], named[:, 0], [raw.hex() for raw in _rows(named)]


def _distinct(words: npt.NDArray[np.generic]) -> tuple[Words, Ints]:
    """Return the distinct rows of (n, 4) words, sorted, and for each row its index among them."""
    rows = words.astype(np.uint64, copy=False)
    order = _order(rows)
    ordered = rows[order]
    new = np.ones(len(rows), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.empty(len(rows), np.int64)
    number[order] = np.cumsum(new) - 1
    return ordered[new], number


def _order(words: Words) -> Ints:
    """Return the order that sorts rows of (n, 4) words; nearly always the first word decides."""
    order = np.argsort(words[:, 0], kind="stable")
    first = words[order]
    same = first[1:, 0] == first[:-1, 0]
    if (first[1:][same] != first[:-1][same]).any():
        order = np.lexsort(words.T[::-1])
    return order


def _rows(words: Words) -> list[bytes]:
    raw = words.astype(">u8").tobytes()
    return [raw[i : i + 32] for i in range(0, len(raw), 32)]
