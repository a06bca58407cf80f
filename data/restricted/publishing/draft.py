"""A release before its tables are made, and the view of its tables that the attacks read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa

from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.attacks.sums import leave_out_sums
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Knowledge
from data.disclosure.policy import Policy
from data.errors import ReleaseRefused
from data.message import Message, join_messages
from data.restricted.publishing.published_table import Tables, describe_noise
from data.tables.grid import Grid
from data.tables.periods import Grain
from data.tables.spec import COUNTED, Level, Measure, Plan, TableSpec, Tier, name_knowledge

_LISTED = 20  # cells that a refusal names


@dataclass(frozen=True, eq=False)
class Draft:
    """A release that is being made, without its tables.

    grid: the areas and periods that it covers; None for a release that has only published figures. For partners:
    indicators, the table of indicators; completeness, what each partner sent; late, how late records come.
    """

    name: str
    invented: bool
    sequence: int
    first_month: int
    areas_source: str
    areas: bytes
    figures: pa.Table
    policy: Policy
    plan: Plan
    mechanism: CellKey
    grid: Grid | None
    indicators: pa.Table | None = None
    completeness: pa.Table | None = None
    late: pa.Table | None = None

    @classmethod
    def for_trial(cls, policy: Policy, plan: Plan, mechanism: CellKey, grid: Grid) -> Draft:
        """Return a draft for the trial of a policy on an invented world; it is never written."""
        return cls("trial", True, 1, 6, "", b"", pa.table({}), policy, plan, mechanism, grid)

    def parameters(self) -> dict[str, Any]:
        """Return the policy's parameters for the manifest: those of counting first, then those of the noise."""
        of_noise = {field.name for field in fields(CellKey)}
        general = {name: value for name, value in self.policy.parameters().items() if name not in of_noise}
        return {**general, **self.mechanism.parameters((1, self.policy.cap))}

    def knowledge(self, tier: Tier) -> dict[str, Knowledge]:
        """Return what a reader of a tier knows about one cell of each measure; the attacks start from it.

        Cells of the whole programme are sums of years, and have entries of their own, as have those of municipalities
        on the partner tier (`name_knowledge`).
        """
        measures: list[Measure] = sorted(COUNTED)
        levels: tuple[Level, ...] = ("region", "municipality") if tier == "partner" else ("region",)
        years: dict[Grain, int] = {"year": 1, "whole": len(self.grid.periods("year")) if self.grid else 1}
        return {
            name_knowledge(measure, level, grain): describe_noise(
                TableSpec(measure, level, grain), tier, self.policy, self.mechanism, number
            )
            for measure in measures
            for level in levels
            for grain, number in years.items()
        }

    def published(self, tier: Tier, tables: Tables) -> Published:
        """Return the tables of a tier in the form that the attacks read."""
        counted = {spec: table.arrow() for spec, table in tables.items() if spec.counted and table.value.size}
        final = self.grid.final.isoformat() if self.grid and self.grid.final else ""
        return Published(
            self.name, leave_out_sums(counted), self.knowledge(tier), self.policy.k, self.policy.frozen, final
        )

    def refusal(self, findings: Sequence[Finding]) -> ReleaseRefused:
        """Return the error that names the cells for which the release is not published."""
        lines: list[str] = [finding.words for finding in findings[:_LISTED]]
        if len(findings) > _LISTED:
            lines.append(Message("and {count} more", count=len(findings) - _LISTED))
        lead = Message(
            "Release {name} is refused and nothing was published, because the true number of these "
            "cells could be calculated:",
            name=self.name,
        )
        remedy = Message(
            "Raise k in the policy, remove the most detailed tables from the release plan, or wait for more records."
        )
        return ReleaseRefused(join_messages([join_messages([lead, *lines], "\n  "), remedy], "\n"))
