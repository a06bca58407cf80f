"""Policies with few tables, for tests that need a release from the command line but do not test its tables."""

from pathlib import Path

SMALL_POLICY = """
[[partner]]
measures = ["children", "encounters", "effort"]
levels = ["country", "region", "municipality"]
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
levels = ["country", "region"]
periods = ["year", "whole"]

[[public]]
measures = ["communities"]
levels = ["region"]
periods = ["year"]
"""

# The same without municipalities, whose cells take most of the time of a release: for tests of the right to release.
COARSE_POLICY = SMALL_POLICY.replace(', "municipality"', "")

# Every measure, at few levels and times: for tests that need all measures but no fine detail.
BROAD_POLICY = """
[[partner]]
measures = ["children", "encounters", "effort"]
levels = ["country", "region", "municipality"]
periods = ["year", "whole"]

[[partner]]
measures = ["children"]
levels = ["region"]
periods = ["whole"]
breakdowns = ["pathway", "found"]

[[partner]]
measures = ["services", "staff", "capacity"]
levels = ["region"]
periods = ["quarter"]
breakdowns = ["none", "axis"]

[[partner]]
measures = ["communities"]
levels = ["region", "municipality"]
periods = ["year"]

[[partner]]
measures = ["flows"]
levels = ["region"]
periods = ["whole"]
breakdowns = ["origin"]

[[partner]]
measures = ["model"]
levels = ["region"]
periods = ["quarter"]
breakdowns = ["crossing and found"]

[[public]]
measures = ["children", "effort", "services", "communities"]
levels = ["region"]
periods = ["year"]
"""


def write_broad_policy(workspace: Path) -> None:
    """Write a policy so that the next releases of a workspace have every measure, at few levels and times."""
    (workspace / "policy.toml").write_text(BROAD_POLICY, encoding="utf-8")


def write_coarse_policy(workspace: Path) -> None:
    """Write a policy so that the next releases of a workspace have only tables of countries and regions."""
    (workspace / "policy.toml").write_text(COARSE_POLICY, encoding="utf-8")


def write_small_policy(workspace: Path) -> None:
    """Write a policy so that the next releases of a workspace have a few tables of each kind."""
    (workspace / "policy.toml").write_text(SMALL_POLICY, encoding="utf-8")
