"""A policy of a few tables, for tests that make releases by the command line and are about something else."""

from pathlib import Path

SMALL_POLICY = """
[[partner]]
measures = ["children", "encounters", "effort"]
levels = ["region", "municipality"]
periods = ["year", "whole"]

[[partner]]
measures = ["services"]
levels = ["region"]
periods = ["quarter"]

[[partner]]
measures = ["communities"]
levels = ["region"]
periods = ["year"]

[[public]]
measures = ["children"]
levels = ["region"]
periods = ["year", "whole"]

[[public]]
measures = ["communities"]
levels = ["region"]
periods = ["year"]
"""


def write_small_policy(workspace: Path) -> None:
    """Have the next releases of a workspace hold a few tables of each kind."""
    (workspace / "policy.toml").write_text(SMALL_POLICY, encoding="utf-8")
