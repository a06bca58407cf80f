"""The plan with the usual settings, for a release without results of `tact risk`: the model is fitted on demand."""

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
    """Return the inputs of a plan for the areas of a level, with posts estimated from the records of outreach.

    The last four results are kept. Raises ReleaseError if the release is of the public tier or has no data for a plan.
    """
    with _READING:  # a second reader waits for the first, instead of fitting the model too
        return _read_inputs(current, level)


@lru_cache(maxsize=4)
def _read_inputs(current: CurrentRelease, level: Level) -> PlanInputs:
    return PlanInputs.read(current.release, level=level)


@lru_cache(maxsize=4)
def compute_usual_plan(current: CurrentRelease) -> PlanSummary | None:
    """Compute the plan that the Reallocate page shows first.

    None if the release has no data for a plan or no units, or if no plan keeps the usual rules.
    """
    try:
        inputs = read_inputs(current)
        return make_usual_plan(current.release, inputs) if inputs.table.units.sum() else None
    except (InputError, ReleaseError):
        return None
