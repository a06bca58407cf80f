"""Compare the log-linear models of `data/capture` with Poisson regressions of statsmodels, on the published tables.

    python benchmarks/capture_agreement.py --statsmodels PYTHON

`--statsmodels` names a Python that has the package (pip install statsmodels, in an environment of its own). Up to 200
models of each table in tests/reference/capture_histories are compared. Prints the largest relative difference of the
number of people and of the deviance; exit code 1 where one is above 1e-6. Models without an estimate are left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from data.capture import tabulate_histories
from data.capture.models import build_design, check_existence, count_lists, fit_models, list_models, split_parameters

LEAST = 1e-6
TABLES = ("made_up_three_lists", "western_united_states", "uk_2013_five_lists")
_FOLDER = Path("tests/reference/capture_histories")
_MOST = 200

THEIRS = """
import sys
import numpy as np, statsmodels.api as sm
data = np.load(sys.argv[1])
answers = []
for i in range(int(data["size"])):
    fit = sm.GLM(data[f"counts{i}"], data[f"design{i}"], family=sm.families.Poisson()).fit(tol=1e-12)
    answers.append([np.exp(fit.params[0]), fit.deviance])
np.save(sys.argv[2], answers)
"""


def compare(name: str, python: str) -> tuple[int, float, float]:
    """Fit models to a table here and with statsmodels; return their number and the largest relative differences.

    name : of the table's file, without ".csv". python : path of a Python that has statsmodels. The differences are
    those of the number of people and of the deviance. Raises CalledProcessError if that Python fails.
    """
    frame = pd.read_csv(_FOLDER / f"{name}.csv")
    counts = tabulate_histories(frame.iloc[:, :-1].to_numpy(bool), frame["count"].to_numpy(np.int64))
    models = np.random.default_rng(0).permutation(list_models(count_lists(counts)))[:_MOST]
    models = models[[check_existence(counts, model) for model in models]]
    fits = fit_models(np.broadcast_to(counts, (len(models), len(counts))), models)
    design, cases = build_design(count_lists(counts)).matrix, {"size": np.array(len(models))}
    for i, model in enumerate(models):
        cells, free = split_parameters(counts[None], model[None])
        cases |= {f"counts{i}": counts[cells[0]], f"design{i}": design[np.ix_(cells[0], free[0])]}
    with tempfile.TemporaryDirectory() as folder:
        inputs, answers = Path(folder) / "inputs.npz", Path(folder) / "answers.npy"
        np.savez(inputs, **cases)
        subprocess.run([python, "-c", THEIRS, inputs, answers], check=True)
        theirs = np.load(answers)
    people = (counts.sum() + np.exp(fits.log_unseen)) / (counts.sum() + theirs[:, 0]) - 1
    deviance = (fits.deviance - theirs[:, 1]) / np.maximum(theirs[:, 1], 1.0)
    return len(models), float(np.abs(people).max()), float(np.abs(deviance).max())


def main() -> int:
    """Compare all tables and return the exit code (1 if a difference is larger than LEAST)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statsmodels", required=True, metavar="PYTHON", help="a Python that has statsmodels")
    python, largest = parser.parse_args().statsmodels, 0.0
    for table in TABLES:
        size, people, deviance = compare(table, python)
        largest = max(largest, people, deviance)
        print(f"{table}: {size} models, people {people:.1e}, deviance {deviance:.1e}")
    return int(largest > LEAST)


if __name__ == "__main__":
    sys.exit(main())
