"""The product's access to services, compared with PySAL's package access (BSD) on random cases.

    python benchmarks/access_agreement.py --access PYTHON [--cases 60] [--json]

`--access` names a Python that has the package (pip install access, in an environment of its own). Both get
the same people, supply and minutes: the plain two-step floating catchment (Luo and Wang 2003) and its
enhanced form with weights in steps (Luo and Qi 2009) and with Gaussian weights. Some areas have no people, some
sites have no supply, some are out of everybody's reach.

Prints the largest difference, relative to the largest access of the case; exit code 1 where it is above 1e-9.
PySAL leaves out an area that no site reaches, which has access 0 here. An area where nobody lives has no
access here but a number in PySAL. Such areas are counted but not compared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from risk.access import Catchment, compute_access

LEAST = 1e-9
FORMS = {
    "two-step": Catchment(60.0, "none"),
    "enhanced, steps": Catchment(60.0, "step"),
    "enhanced, normal": Catchment(60.0, "gaussian", 30.0),
}

THEIRS = """
import sys
import numpy as np, pandas as pd
from access import fca, weights
data = np.load(sys.argv[1])
forms = {
    "two-step": None,
    "enhanced, steps": weights.step_fn({20: 1.0, 40: 0.68, 60: 0.22}),
    "enhanced, normal": weights.gaussian(30),
}
out = {}
for case in range(int(data["cases"])):
    minutes = data[f"minutes{case}"]
    size = len(minutes)
    area, site = np.indices(minutes.shape)
    cost = pd.DataFrame({"origin": area.ravel(), "dest": site.ravel(), "cost": minutes.ravel()})
    place = pd.Index(range(size), name="geoid")
    people = pd.DataFrame({"demand": data[f"people{case}"]}, index=place)
    supply = pd.DataFrame({"supply": data[f"supply{case}"]}, index=place)
    for name, weigh in forms.items():
        found = fca.two_stage_fca(
            people, supply, cost, 60, demand_index=True, demand_name="demand", supply_index=True,
            supply_name="supply", cost_origin="origin", cost_dest="dest", cost_name="cost", weight_fn=weigh,
        )
        out[f"{name}{case}"] = found.reindex(place).to_numpy(dtype=float)
np.savez(sys.argv[2], **out)
"""


@dataclass(frozen=True)
class Agreement:
    """The agreement in one form: values compared, areas not compared, and the largest relative difference.

    unlived : areas where nobody lives. unreached : areas that PySAL leaves out, as no site reaches them.
    """

    form: str
    compared: int
    unlived: int
    unreached: int
    differ: float


def case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw people by area, (n,), supply by site, (n,), and minutes from areas to sites, (n, n); n is 5 to 40.

    Minutes are whole numbers, so that some are exactly on the edge of a zone.
    """
    size = int(rng.integers(5, 41))
    areas, sites = rng.random((2, 2, size)) * rng.choice([40.0, 90.0, 300.0])
    minutes = np.round(np.hypot(*(areas[:, :, None] - sites[:, None, :])))
    people = np.where(rng.random(size) < 0.1, 0, rng.integers(1, 10_000, size)).astype(float)
    supply = np.where(rng.random(size) < 0.4, 0.0, rng.gamma(2.0, 5.0, size))
    return people, supply, minutes


def compare(python: str, cases: int, seed: int = 0) -> list[Agreement]:
    rng = np.random.default_rng(seed)
    samples = [case(rng) for _ in range(cases)]
    with tempfile.TemporaryDirectory() as folder:
        inputs, answer = Path(folder) / "inputs.npz", Path(folder) / "answer.npz"
        named = {
            f"{name}{number}": value
            for number, sample in enumerate(samples)
            for name, value in zip(("people", "supply", "minutes"), sample, strict=True)
        }
        np.savez(inputs, cases=cases, **named)
        subprocess.run([python, "-c", THEIRS, str(inputs), str(answer)], check=True)
        theirs = dict(np.load(answer))
    return [agreement(form, samples, theirs) for form in FORMS]


def agreement(form: str, samples: list[tuple[np.ndarray, ...]], theirs: dict[str, np.ndarray]) -> Agreement:
    compared = unlived = unreached = 0
    differ = 0.0
    for number, (people, supply, minutes) in enumerate(samples):
        ours = compute_access(people, supply, FORMS[form].weight(minutes))
        other = theirs[f"{form}{number}"]
        lived = people > 0
        nothing = lived & ~np.isfinite(other)
        if (ours[nothing] != 0.0).any():
            differ = np.inf
        both = lived & ~nothing
        compared, unlived = compared + int(both.sum()), unlived + int((~lived).sum())
        unreached += int(nothing.sum())
        if both.any():
            largest = max(float(np.abs(other[both]).max()), 1e-300)
            differ = max(differ, float(np.abs(ours[both] - other[both]).max()) / largest)
    return Agreement(form, compared, unlived, unreached, differ)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--access", metavar="PYTHON", required=True, help="a Python that has the package")
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = compare(arguments.access, arguments.cases)
    if arguments.json:
        print(json.dumps([asdict(row) for row in results], indent=1))
    else:
        print(f"{'form':<18} {'compared':>8} {'unlived':>8} {'unreached':>9} {'largest difference':>19}")
        for row in results:
            print(f"{row.form:<18} {row.compared:8,} {row.unlived:8,} {row.unreached:9,} {row.differ:19.1e}")
    sys.exit(any(row.differ > LEAST for row in results))


if __name__ == "__main__":
    main()
