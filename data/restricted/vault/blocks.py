"""Published numbers in the vault: one block for each area and period, with marks of the children in it."""

from __future__ import annotations

import json
import secrets
import struct
from dataclasses import dataclass, field

import numpy as np

from data.errors import ReleaseError, other_format
from data.workspace.types import Words

# Kept among the blocks by earlier versions, and no block: what drawing numbers had cost.
LEDGER = "ledger"


_FORMAT = 2


_HEAD = struct.Struct("<BI")


CHILD_BITS = np.uint64(24)  # bits of a mark below the child's


@dataclass(eq=False)
class Block:
    """The last published numbers of one area and period.

    values: by table, with noise, before the threshold. withheld: by tier, "table/cell" in the order of the
    values. marks: the children behind the numbers.
    """

    values: dict[str, list[int]]
    marks: Words
    withheld: dict[str, list[str]] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the packed block: a head, the values as JSON, and eight bytes for each child."""
        head = json.dumps([self.values, self.withheld], separators=(",", ":")).encode()
        return _HEAD.pack(_FORMAT, len(head)) + head + self.marks.astype("<u8").tobytes()

    @classmethod
    def decode(cls, blob: bytes) -> Block:
        """Unpack a block; raise ReleaseError if another version packed it."""
        version, length = _HEAD.unpack_from(blob)
        if version != _FORMAT:
            raise ReleaseError(other_format("what was published", version, _FORMAT))
        end = _HEAD.size + length
        values, withheld = json.loads(blob[_HEAD.size : end])
        return cls(values, np.frombuffer(blob, "<u8", offset=end).astype(np.uint64), withheld)

    def disown(self, present: Words) -> bool:
        """Replace the marks of children who are gone by random ones; return whether there were any.

        `present` are the first 40 bits of the hashes of children that are still in the vault. Without a mark, the
        number of changed children would always be one too small; with a fixed mark, two forgotten children would count
        as one. A random mark belongs to nobody and disappears when the block is drawn again. Each block gets other
        marks, so that two blocks do not show that they had the same child.
        """
        missing = ~np.isin(self.marks >> CHILD_BITS, present)
        number = int(missing.sum())
        if not number:
            return False
        random_marks = np.frombuffer(secrets.token_bytes(8 * number), "<u8").astype(np.uint64)
        self.marks = np.sort(np.concatenate([self.marks[~missing], random_marks]))
        return True
