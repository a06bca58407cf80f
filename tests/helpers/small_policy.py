"""A policy with few tables, for tests that need a release from the command line but do not test its tables."""

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
    """Write a policy with which the next releases of a workspace hold a few tables of each kind."""
    (workspace / "policy.toml").write_text(SMALL_POLICY, encoding="utf-8")
