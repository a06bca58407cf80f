"""Fits of the risk model that are made once a run: for tests about what stands around a fit.

The tests of the model itself (tests/risk/model, tests/risk/laplace) never use it.
"""

import pickle
from pathlib import Path

import joblib
import pytest
from filelock import FileLock

from risk.model import RiskModel


def remember_fits(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have RiskModel.fit give the fit of the same observations by the same settings, if there was one."""
    fit = RiskModel.fit
    folder.mkdir(exist_ok=True)

    def recall(self: RiskModel, X: object, y: None = None, progress: object = None) -> RiskModel:  # noqa: N803
        path = folder / joblib.hash((self.get_params(), X))
        with FileLock(f"{path}.lock"):
            if path.exists():
                self.fit_ = pickle.loads(path.read_bytes())
            else:
                fit(self, X, y, progress)
                path.write_bytes(pickle.dumps(self.fit_))
        return self

    patch.setattr(RiskModel, "fit", recall)
