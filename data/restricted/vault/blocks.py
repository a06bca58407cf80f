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
    """What was last published of one area and period.

    values: by table, as drawn, before sums are made to hold and before any threshold. withheld: by tier,
    "table/cell" in the order of the values. marks: who stood behind them.
    """

    values: dict[str, list[int]]
    marks: Words
    withheld: dict[str, list[str]] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Pack it: eight bytes a child, and the values."""
        head = json.dumps([self.values, self.withheld], separators=(",", ":")).encode()
        return _HEAD.pack(_FORMAT, len(head)) + head + self.marks.astype("<u8").tobytes()

    @classmethod
    def decode(cls, blob: bytes) -> Block:
        """Unpack it; raise ReleaseError when it was packed by another version."""
        version, length = _HEAD.unpack_from(blob)
        if version != _FORMAT:
            raise ReleaseError(other_format("what was published", version, _FORMAT))
        end = _HEAD.size + length
        values, withheld = json.loads(blob[_HEAD.size : end])
        return cls(values, np.frombuffer(blob, "<u8", offset=end).astype(np.uint64), withheld)

    def disown(self, present: Words) -> bool:
        """Replace the marks of all but some children by random ones; tell whether there were any.

        `present` holds the first 40 bits of the hashes of children that are still known. A removed mark
        would let the rule count one change too few for ever, and a mark set to a fixed value would make
        two forgotten children one; a random one is nobody's, and goes when the block is drawn again. Each
        block has its own, so that no two blocks can be told to have held the same child.
        """
        gone = ~np.isin(self.marks >> CHILD_BITS, present)
        number = int(gone.sum())
        if not number:
            return False
        drawn = np.frombuffer(secrets.token_bytes(8 * number), "<u8").astype(np.uint64)
        self.marks = np.sort(np.concatenate([self.marks[~gone], drawn]))
        return True
