"""What the numbers of a release cost by way of privacy: booked before they are published. Behind the wall.

The ledger stands in the vault beside the blocks, and is staged and confirmed with them: a release that is not
published costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from data.disclosure.channel import Mechanism
from data.disclosure.dp import Ledger
from data.restricted.publishing.frozen import Frozen
from data.restricted.vault.blocks import LEDGER

__all__ = ["Spending", "booked"]


@dataclass(frozen=True)
class Spending:
    """The ledger before a release and with it."""

    before: Ledger
    after: Ledger

    def staged(self) -> dict[str, bytes]:
        """Pack the ledger where something is booked."""
        return {LEDGER: self.after.encode()} if self.after.entries != self.before.entries else {}


def booked(
    release: str,
    frozen: Frozen | None,
    published: Mapping[str, bytes],
    mechanism: Mechanism,
    limit: float | None,
) -> Spending:
    """Book each table of which a number is drawn; a number that is repeated costs nothing.

    Raises ReleaseError when it is more than may ever be spent.
    """
    known = Ledger.decode(published[LEDGER]) if LEDGER in published else Ledger()
    before = after = replace(known, limit=limit)
    drawn = sorted(frozen.drawn, key=lambda spec: spec.name) if frozen else []
    prices = {spec: mechanism.price(spec, frozen.numbers) for spec in drawn} if frozen else {}
    before.spend(f"{len(drawn)} tables of {release}", sum(prices.values()))
    for spec, price in prices.items():
        if price > 0:
            after = after.spend(f"{release} {spec.name}", price)
    return Spending(before, after)
