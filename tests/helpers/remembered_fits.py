"""A cache of fits of the risk model for one test run, for tests that are not about the fit itself.

The tests of the model itself (tests/risk/model, tests/risk/laplace) never use it.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
from filelock import FileLock

from risk import report
from risk.model import Fit, RiskModel
from risk.model.municipalities import MunicipalFit
from risk.model.observations import Observations
from risk.planning import inputs


def remember_fits(replace: Callable[[object, str, object], None], folder: Path) -> None:
    """Make fits of regions and of municipalities return an earlier fit of the same data and settings, if there is one.

    replace : sets an attribute of an object, as `setattr` and `MonkeyPatch.setattr` do. folder : where the fits are
    kept, shared by the workers of a test run.
    """
    fit, fit_inside = RiskModel.fit, report.fit_municipalities
    folder.mkdir(exist_ok=True)

    def recall(key: object, compute: Callable[[], Any]) -> Any:
        path = folder / joblib.hash(key)
        with FileLock(f"{path}.lock"):
            if not path.exists():
                path.write_bytes(pickle.dumps(compute()))
            return pickle.loads(path.read_bytes())

    def recall_fit(self: RiskModel, X: object, y: None = None, progress: object = None) -> RiskModel:  # noqa: N803
        self.fit_ = recall((self.get_params(), X), lambda: fit(self, X, y, progress).fit_)
        return self

    def recall_inside(regions: Fit, observations: Observations, progress: object = None) -> MunicipalFit:
        key = regions.observations, observations, regions.gamma_prior
        return recall(key, lambda: fit_inside(regions, observations, progress))

    replace(RiskModel, "fit", recall_fit)
    for module in (report, inputs):
        replace(module, "fit_municipalities", recall_inside)
