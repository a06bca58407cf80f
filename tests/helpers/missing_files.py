"""A demo workspace in which the outreach file of one partner is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dashboard.commands import demo
from data.workspace import Workspace
from risk.worlds.laws import leave_out_file
from risk.worlds.profiles import PARTNERS as PARTNERS


def build_without(path: Path, partner: str, children: int = 1400, *, seed: int | None = None) -> Workspace:
    """Build the demo without the outreach days of a partner, with its release and risk result."""
    usual = demo._build_world

    def build_world(*arguments):
        world = usual(*arguments)
        return replace(world, records=dict(leave_out_file(world.records, partner)))

    demo._build_world = build_world
    try:
        workspace = demo.release_demo(path, demo.worlds.DEFAULT_SEED if seed is None else seed, children)
    finally:
        demo._build_world = usual
    demo.score(workspace, lambda *_: None)
    return workspace
