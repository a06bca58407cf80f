"""A cache of fits of the risk model for one test run, for tests that are not about the fit itself.

The tests of the model itself (tests/risk/model, tests/risk/laplace) never use it.
"""

import pickle
from pathlib import Path

import joblib
import pytest
from filelock import FileLock

from risk.model import RiskModel


def remember_fits(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make RiskModel.fit return the earlier fit of the same observations and settings, if there is one."""
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
