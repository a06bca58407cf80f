"""The value of a plan between municipalities in invented worlds: the study `plan_once` at the finer level.

The solver has 30 seconds for each plan; a world needs at least seven plans.
"""

from __future__ import annotations

from functools import partial

from benchmarks.studies.command import run_study
from benchmarks.studies.plan_once import describe, study
from risk.planning.problem import Solver

if __name__ == "__main__":
    run_study(
        partial(study, level="municipality", solver=Solver(seconds=30.0)),
        describe,
        "Compare plans between municipalities with rivals on invented worlds (some minutes each).",
        spread=True,
    )
