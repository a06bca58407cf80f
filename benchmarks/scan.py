"""Compare the spatial scan with a plain loop over circles and replicates, and time the space-time scan.

Both use the same circles on the same invented map. The loop runs few replicates; its time is scaled up to
all of them.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from risk.clusters.scan import scan_space, scan_space_time

QUARTERS, CASES = 12, 1400


def world(areas: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw cases at a common rate; return cases and expected cases, (areas, quarters), and centres, (areas, 2)."""
    rng = np.random.default_rng(seed)
    expected = np.repeat(rng.lognormal(0.0, 0.8, areas)[:, None], QUARTERS, axis=1)
    cases = rng.multinomial(CASES, (expected / expected.sum()).ravel()).reshape(expected.shape)
    return cases.astype(float), expected, rng.random((areas, 2))


def loop(cases: np.ndarray, expected: np.ndarray, centres: np.ndarray, replicates: int) -> float:
    """Compute the p value of the most likely circle in plain loops over replicates and circles.

    cases, expected : by area, (areas,). centres : (areas, 2).
    """
    rng, share, total = np.random.default_rng(0), expected / expected.sum(), int(cases.sum())
    orders = [np.argsort(((centres - centre) ** 2).sum(axis=1)) for centre in centres]

    def largest(counts: np.ndarray) -> float:
        best = 0.0
        for order in orders:
            n = inside = 0.0
            for area in order:
                n, inside = n + counts[area], inside + share[area]
                if inside > 0.5:
                    break
                e = inside * total
                if n > e:
                    rest = (total - n) * np.log((total - n) / (total - e)) if n < total else 0.0
                    best = max(best, n * np.log(n / e) + rest)
        return best

    observed = largest(cases)
    worlds = rng.multinomial(total, share, size=replicates)
    return (1 + sum(largest(counts) >= observed for counts in worlds)) / (replicates + 1)


def timed(run: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def peak() -> float:
    """Return the peak resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(areas: int, replicates: int, repeats: int, few: int) -> dict[str, float]:
    cases, expected, centres = world(areas, 0)
    by_area = cases.sum(axis=1), expected.sum(axis=1), centres
    base = peak()
    spatial = timed(lambda: scan_space(*by_area, replicates=replicates), repeats)
    after = peak()
    plain = timed(lambda: loop(*by_area, few), 1) * (replicates + 1) / (few + 1)
    now = timed(lambda: scan_space_time(cases, expected, centres, prospective=True, replicates=replicates), 1)
    return {
        "areas": areas,
        "replicates": replicates,
        "spatial seconds": spatial,
        "spatial peak MB over start": after - base,
        "plain loop seconds, extrapolated": plain,
        "times faster": plain / spatial,
        "prospective space-time seconds": now,
        "prospective peak MB over start": peak() - base,
    }


def whole_time(areas: int, replicates: int) -> dict[str, float]:
    cases, expected, centres = world(areas, 0)
    seconds = timed(lambda: scan_space_time(cases, expected, centres, replicates=replicates), 1)
    return {"areas": areas, "replicates": replicates, "retrospective space-time seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--areas", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=9999)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--few", type=int, default=9, help="replicates of the plain loop")
    parser.add_argument("--retrospective", type=int, default=0, metavar="AREAS", help="also all stretches")
    arguments = parser.parse_args()
    results = [measured(arguments.areas, arguments.replicates, arguments.repeats, arguments.few)]
    if arguments.retrospective:
        results.append(whole_time(arguments.retrospective, arguments.replicates))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
