"""The published numbers of a vault while a release is made: what was published is repeated, the rest is added.

A block has the numbers of one area and period, by the name of a table or of another number. Blocks name no partner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from data.restricted.vault.blocks import Block


class Book:
    """Blocks by name: those of the vault, and what a release adds to them. It grows while the release is made."""

    def __init__(self, published: Mapping[str, bytes]) -> None:
        self.published, self._blocks, self._changed = published, dict[str, Block](), set[str]()

    def open(self, name: str) -> Block:
        """Return a block; one without numbers if there is none of this name."""
        if name not in self._blocks:
            self._blocks[name] = Block.decode(self.published[name]) if name in self.published else Block({})
        return self._blocks[name]

    def has(self, name: str, entry: str, count: int = 1) -> bool:
        """Return whether a block has so many numbers of an entry."""
        return len(self.open(name).values.get(entry, ())) == count

    def repeat(self, name: str, entry: str, drawn: Sequence[int]) -> list[int]:
        """Return the numbers of an entry of a block; if it has not as many as were drawn, store and return those."""
        if not self.has(name, entry, len(drawn)):
            self._change(name, replace(self.open(name), values={**self.open(name).values, entry: list(drawn)}))
        return self.open(name).values[entry]

    def withhold(self, name: str, tier: str, entries: Sequence[str]) -> None:
        """Add entries to those that a block withholds from a tier for ever."""
        listed = self.open(name).withheld.get(tier, [])
        if new := [entry for entry in entries if entry not in listed]:
            self._change(name, replace(self.open(name), withheld={**self.open(name).withheld, tier: [*listed, *new]}))

    def _change(self, name: str, block: Block) -> None:
        self._blocks[name] = block
        self._changed.add(name)

    def staged(self) -> dict[str, bytes]:
        """Return the blocks, as bytes, that are new or have changed."""
        return {name: self._blocks[name].encode() for name in sorted(self._changed)}
