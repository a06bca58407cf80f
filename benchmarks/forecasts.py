"""The risk model against all its rivals, from rolling origins, over many invented worlds.

    python benchmarks/forecasts.py [--worlds 20] [--json]

The counts of each world are as published under the default policy. Prints one line for each rival and score (log
score, CRPS): the model's mean gain per count, the smallest and largest gain over worlds, and in how many worlds the
model beats the rival (95 % interval without zero) or the rival beats the model.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from benchmarks.studies.command import map_seeds
from benchmarks.studies.observe import observe_release
from benchmarks.worlds import WorldParameters, simulate_default_areas
from risk.evaluation.baselines import BASELINES
from risk.evaluation.risk_model import MODEL, evaluate_model

SCORES = ("log", "crps")


def study_world(seed: int) -> list[dict[str, object]]:
    world = simulate_default_areas(WorldParameters(seed=seed))
    evaluation = evaluate_model(observe_release(world))
    rows = []
    for rival in BASELINES:
        for score in SCORES:
            verdict = evaluation.beats(MODEL, rival, score)  # type: ignore[arg-type]
            low, high = verdict.interval
            rows.append(
                {
                    "seed": seed,
                    "rival": rival,
                    "score": score,
                    "gained": verdict.gained,
                    "beats": low > 0,
                    "beaten": high < 0,
                }
            )
    return rows


def tell(rows: list[dict[str, object]]) -> None:
    for rival in BASELINES:
        for score in SCORES:
            mine = [r for r in rows if r["rival"] == rival and r["score"] == score]
            gained = np.array([r["gained"] for r in mine], dtype=float)
            beats, beaten = (sum(bool(r[name]) for r in mine) for name in ("beats", "beaten"))
            print(
                f"{rival:18} {score:5} {gained.mean():+.3f}  from {gained.min():+.3f} to {gained.max():+.3f}"
                f"  beats in {beats} of {len(mine)}, beaten in {beaten}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = [row for rows in map_seeds(study_world, range(arguments.worlds), "Worlds", processes=2) for row in rows]
    print(json.dumps(rows, indent=1)) if arguments.json else tell(rows)


if __name__ == "__main__":
    main()
