"""A demo workspace in which the outreach file of one partner is missing; its release has few tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.worlds.laws import leave_out_file
from dashboard.commands import demo
from data.workspace import Workspace
from risk.worlds.profiles import PARTNERS as PARTNERS

_POLICY = """
[[partner]]
measures = ["children"]
levels = ["country", "region"]
periods = ["quarter", "year", "whole"]

[[partner]]
measures = ["children"]
levels = ["region"]
periods = ["whole"]
breakdowns = ["pathway"]

[[partner]]
measures = ["model"]
levels = ["region"]
periods = ["quarter"]
breakdowns = ["crossing and found"]

[[partner]]
measures = ["effort"]
levels = ["country", "region"]
periods = ["quarter", "year"]

[[public]]
measures = ["children", "effort"]
levels = ["region"]
periods = ["year"]
"""


def build_without(path: Path, partner: str) -> Workspace:
    """Build the demo without the outreach days of a partner, with its release and the risk results."""
    usual = demo._build_world

    def build_world(*arguments):
        world, policy = usual(*arguments), path / "policy.toml"
        policy.write_text(policy.read_text(encoding="utf-8") + _POLICY, encoding="utf-8")
        return replace(world, records=dict(leave_out_file(world.records, partner)))

    demo._build_world = build_world
    try:
        workspace = demo.release_demo(path, demo.worlds.DEFAULT_SEED)
    finally:
        demo._build_world = usual
    demo.score(workspace, lambda *_: None)
    return workspace
