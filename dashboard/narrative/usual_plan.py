"""The usual plan of a release without results of `tact risk`: the model is fitted on demand, once per process."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

from dashboard.site.current_release import CurrentRelease
from data.errors import InputError, ReleaseError
from data.tables.spec import Level
from risk.planning.advice import make_usual_plan
from risk.planning.inputs import PlanInputs
from risk.planning.summary import PlanSummary

_READING = Lock()


def read_inputs(current: CurrentRelease, level: Level = "region") -> PlanInputs:
    """Return the inputs of a plan of a level, with the posts that the release shows.

    Raises ReleaseError if the release is of the public tier or has no data for a plan.
    """
    with _READING:  # a second reader waits for the first, instead of fitting the model too
        return _read_inputs(current, level)


@lru_cache(maxsize=4)
def _read_inputs(current: CurrentRelease, level: Level) -> PlanInputs:
    return PlanInputs.read(current.release, level=level)


@lru_cache(maxsize=4)
def compute_usual_plan(current: CurrentRelease) -> PlanSummary | None:
    """Compute the plan that Reallocate shows first; None if nothing can move, or no plan keeps the usual rules."""
    try:
        inputs = read_inputs(current)
        return make_usual_plan(current.release, inputs) if inputs.table.units.sum() else None
    except (InputError, ReleaseError):
        return None
