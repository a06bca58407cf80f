"""Published numbers in the vault: one block for each area and period."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

from data.errors import ReleaseError, other_format
from data.message import Message

# An entry that earlier versions stored among the blocks, though it is not a block: what drawing numbers had cost.
LEDGER = "ledger"
# Format 2, of earlier versions, had marks of the children after the values. They are not read.
_FORMAT, _WITH_MARKS = 3, 2
_HEAD = struct.Struct("<BI")


@dataclass(frozen=True)
class Block:
    """The published numbers of one area and period.

    values: numbers by table, with noise, before the threshold. withheld: by tier, texts "table/cell", where `cell` is
    an index in the values of the table.
    """

    values: dict[str, list[int]]
    withheld: dict[str, list[str]] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the packed block: a head, and the values as JSON."""
        text = json.dumps([self.values, self.withheld], separators=(",", ":")).encode()
        return _HEAD.pack(_FORMAT, len(text)) + text

    @classmethod
    def decode(cls, blob: bytes) -> Block:
        """Unpack a block; raise ReleaseError if its format is unknown, because a later version packed it."""
        version, length = _HEAD.unpack_from(blob)
        if version not in (_FORMAT, _WITH_MARKS):
            raise ReleaseError(other_format(Message("what was published"), version, _FORMAT))
        return cls(*json.loads(blob[_HEAD.size : _HEAD.size + length]))
