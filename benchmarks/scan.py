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

from data.workspace.types import Floats, Progress
from risk.clusters.scan import Cluster, Null, scan_space, search_windows

QUARTERS, CASES = 12, 1400
_LONGEST = 0.5  # of the quarters, in one window


def scan_space_time(
    cases: Floats,
    expected: Floats,
    centres: Floats,
    *,
    prospective: bool = False,
    size: float | Floats = np.inf,
    between_sd: float = 0.0,
    largest: float = 0.5,
    replicates: int = 9999,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Cluster, ...]:
    """Find circles and intervals with more cases than expected (Kulldorff 2001), docs/risk-model.md eq. (52).

    `cases` and `expected` have the shape (A, T), and `size` one that fits it. An interval has at most half of the
    quarters. With `prospective`, only intervals that end with the last quarter are tested; the p value does not allow
    for tests in earlier quarters. `scan_space` explains the result, the other arguments and the errors.
    """
    time = cases.shape[1]
    longest = max(int(_LONGEST * time), 1)
    stretches = [
        (stop - length, stop)
        for stop in ([time] if prospective else range(1, time + 1))
        for length in range(1, min(longest, stop) + 1)
    ]
    null = Null(np.asarray(size, float), between_sd, replicates, seed)
    return search_windows(cases, expected, centres, stretches, (1, largest), null, progress)


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
