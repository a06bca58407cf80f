"""What stands in the manifest of a release that is being made, and how the attacks read it before that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Knowledge
from data.disclosure.policy import Policy
from data.errors import ReleaseRefused
from data.restricted.publishing import manifest
from data.restricted.publishing.tables import Tables
from data.tables.periods import Period
from data.tables.spec import Plan, Tier

__all__ = ["Draft"]

_NAMED = 20  # cells that a refusal lists


@dataclass(frozen=True, eq=False)
class Draft:
    """A release that is being made, but for its tables."""

    name: str
    invented: bool
    sequence: int
    repeats: bool
    first_month: int
    areas_source: str
    areas: bytes
    figures: pa.Table
    policy: Policy
    plan: Plan
    mechanism: CellKey
    whole: Period | None

    @classmethod
    def of_trial(cls, policy: Policy, plan: Plan, mechanism: CellKey) -> Draft:
        """Make one that is never written, of an invented world."""
        nothing = pa.table({})
        return cls("trial", True, 1, False, 6, "", b"", nothing, policy, plan, mechanism, None)

    def knowledge(self, tier: Tier) -> dict[str, Knowledge]:
        """Give what a reader of a tier knows of one cell of each measure."""
        stated = manifest.knowledge(tier, self.policy, self.mechanism)
        return {measure: Knowledge.from_manifest(values) for measure, values in stated.items()}

    def published(self, tier: Tier, tables: Tables) -> Published:
        """Give what the attacks read of the tables of a tier."""
        counted = {s: t.arrow() for s, t in tables.items() if s.counted}
        return Published(self.name, counted, self.knowledge(tier), self.policy.k, self.policy.frozen)

    def refusal(self, findings: Sequence[Finding]) -> ReleaseRefused:
        """Name the cells for which it is not published."""
        listed = "\n".join(f"  {f.words}" for f in findings[:_NAMED])
        more = f"\n  and {len(findings) - _NAMED} more" if len(findings) > _NAMED else ""
        return ReleaseRefused(
            f"Release {self.name} is refused and nothing was published: what is published would give cells "
            f"away.\n{listed}{more}\n"
            "Raise k in the policy, take the finest tables out of its plan, or wait for more records."
        )
