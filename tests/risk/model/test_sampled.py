"""The deterministic fit and long runs of a sampler give the same results for the same model.

The sampler takes half a minute a data set, so its answers are a table of tests/reference; `make long` samples one data
set again. Make the table again: python -m tests.risk.model.test_sampled
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest

from data.disclosure.cell_key import CellKey
from risk.laplace.graph import build_structure
from risk.laplace.likelihood import Counts
from risk.model import RiskModel
from risk.model.observations import Observations
from tests.helpers.fits import log_means, true_counts
from tests.helpers.nuts import sample_areas
from tests.helpers.reference import FOLDER, read_example, read_example_edges, read_scotland, read_scotland_edges
from tests.helpers.repetitions import vary


def observations(counts, expected, edges, mechanism=None):
    size = len(counts)
    published, channel = counts.astype(np.int64), None
    if mechanism is not None:
        keys = np.random.default_rng(0).integers(0, 2**24, size)
        published, channel = mechanism.publish(published, keys), mechanism.channel(int(counts.max()) + 10)
    return Observations(
        tuple(f"{i:03d}" for i in range(size)),
        ("one",) * size,
        expected[:, None],
        ("1975-01-01/P1Y",),
        ("all",),
        ("reported",),
        published.reshape(size, 1, 1, 1),
        np.zeros((size, 1)),
        edges,
        channel,
        "public",
    )


def scotland():
    table = read_scotland()
    return table["cases"].to_numpy(), table["expected"].to_numpy(), read_scotland_edges("carlin")


def example(name, counts, people):
    number, living = read_example(name, counts, people)
    return number.astype(np.int64), living * number.sum() / living.sum(), read_example_edges(name)


CASES = {
    "lip cancer": (scotland, "poisson", False),
    "sids 1974": (
        lambda: example("sids2", "sid74", "bir74"), "poisson", False
    ),
    "sids 1979, through the noise": (
        lambda: example("sids2", "sid79", "bir79"), "poisson", True
    ),
    "homicides about St Louis": (
        lambda: example("stl", "hc7984", "po7984"), "negative_binomial", False
    ),
}  # fmt: skip
HYPERS = ("area_sd", "structured")


def sampled(seen, likelihood):
    """Run the sampler in a new process: JAX starts threads, and after that tests could not fork safely."""
    pytest.importorskip("numpyro")
    counts = Counts.from_published(seen.published.ravel(), seen.channel)
    true, chance = true_counts(counts)
    root = build_structure(len(seen.areas), seen.edges).root()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(
            sample_areas, root, true.astype(np.float64), chance, np.log(seen.living), likelihood
        ).result()


def sample(case):
    """Run the sampler on a data set; return posterior means and standard deviations by name."""
    data, likelihood, noisy = CASES[case]
    draws = sampled(observations(*data(), CellKey() if noisy else None), likelihood)
    eta = {f"eta {i}": draws["eta"][:, i] for i in range(draws["eta"].shape[1])}
    answers = eta | {name: draws[name] for name in HYPERS}
    return pd.DataFrame(
        {"mean": {n: d.mean() for n, d in answers.items()}, "sd": {n: d.std() for n, d in answers.items()}}
    )


def read_answers(case):
    """Return what the sampler answered when it was last run on all data sets."""
    table = pd.read_csv(FOLDER / "sampler.csv")
    return table[table["case"] == case].set_index("name")[["mean", "sd"]]


@pytest.mark.always("homicides about St Louis")
@pytest.mark.slow
@vary("case", CASES, "lip cancer", "homicides about St Louis")
def test_it_agrees_with_a_sampler(case):
    data, likelihood, noisy = CASES[case]
    answers = read_answers(case)
    eta = answers[answers.index.str.startswith("eta")]
    fit = RiskModel(likelihood).fit(observations(*data(), CellKey() if noisy else None)).fit_
    mean, sd = (column[:, 0] for column in log_means(fit.posterior))
    away = mean - eta["mean"]
    # What a chain of this length leaves open is about 0.01.
    assert np.sqrt((away**2).mean()) < 0.015
    assert np.abs(away).max() < 0.05
    ratio = sd / eta["sd"]
    assert 0.93 < ratio.mean() < 1.07
    for name in HYPERS:
        ours, other = fit.hyper[name], answers.loc[name]
        assert ours[0] == pytest.approx(other["mean"], abs=0.2 * other["sd"] + 0.01), name
        assert ours[1] == pytest.approx(other["sd"], rel=0.25), name


@pytest.mark.long
def test_the_answers_are_those_of_the_sampler():
    pd.testing.assert_frame_equal(
        sample("lip cancer"), read_answers("lip cancer"), rtol=0, atol=0.02, check_names=False
    )


if __name__ == "__main__":
    parts = [sample(case).rename_axis("name").reset_index().assign(case=case) for case in CASES]
    table = pd.concat(parts)[["case", "name", "mean", "sd"]]
    table.to_csv(FOLDER / "sampler.csv", index=False, float_format="%.4f", lineterminator="\n")
