"""A child in the final years and not in the whole programme: how surely the difference of the two says so."""

import numpy as np
import pyarrow as pa
import pytest

from data.disclosure.attacks import second_draw
from data.disclosure.attacks.bounds import Published
from data.disclosure.cell_key import CellKey
from data.tables.spec import TableSpec

YEARS = ["2006-06-01/P1Y", "2007-06-01/P1Y", "2008-06-01/P1Y"]
WHOLE = "2006-06-01/2009-05-31"


def publish(whole, years, state="number"):
    """Return a release with one county: its number of the whole programme and those of its years."""
    rows = {"area": ["AL-11"], "period": [WHOLE], "value": pa.array([whole], pa.int64()), "state": ["number"]}
    of_years = {
        "area": ["AL-11"] * len(years),
        "period": YEARS[: len(years)],
        "value": pa.array(years, pa.int64()),
        "state": [*["number"] * (len(years) - 1), state],
    }
    specs = [TableSpec("children", "region", grain) for grain in ("whole", "year")]
    tables = {spec: pa.table(table) for spec, table in zip(specs, (rows, of_years), strict=True)}
    return Published("r", tables, {"children": CellKey().knowledge()}, 11)


@pytest.mark.parametrize(("years", "known"), [(2, 0.163), (3, 0.141)])
def test_an_independent_attack_found_the_same(years, known):
    """The figures of an attack with other code, 20,000 keys an arm, on published numbers alone."""
    numbers = np.full(years, 60)
    assert second_draw.compute_shift_advantage(CellKey(), int(numbers.sum()), numbers) == pytest.approx(known, abs=0.01)


@pytest.mark.parametrize("siblings", second_draw.SIBLINGS)
def test_the_advantage_is_that_of_the_best_guess_over_many_keys(siblings):
    """The product publishes with random keys; the attacker guesses "not in the whole" from the difference."""
    mechanism, rng, draws = CellKey(), np.random.default_rng(5), 40_000
    years = np.array([40, 55, 70])

    def differ(missing):
        counts = np.repeat([[years.sum() - missing, *years]], draws, axis=0)
        numbers = mechanism.publish(counts, rng.integers(0, mechanism.key_range, counts.shape))
        return numbers[:, 0] - numbers[:, 1:].sum(axis=1)

    both = [np.bincount(differ(missing) + 30, minlength=61) / draws for missing in (0, siblings)]
    simulated = np.abs(both[0] - both[1]).sum() / 2
    exact = second_draw.compute_shift_advantage(mechanism, int(years.sum()), years, siblings)
    assert exact == pytest.approx(simulated, abs=0.02)


def test_a_release_is_measured_where_the_whole_was_drawn_and_all_years_are_shown():
    measured = second_draw.measure(publish(167, [40, 55, 70]), CellKey())
    assert list(measured) == ["second_draw_1", "second_draw_2", "second_draw_3"]
    assert 0.10 < measured["second_draw_1"] < measured["second_draw_2"] < measured["second_draw_3"]
    assert second_draw.measure(publish(165, [40, 55, None], "few"), CellKey()) == {}, "no sum to compare with"
    assert second_draw.measure(publish(96, [40, 55, None], "almost_none"), CellKey()) == {}, "a zero of unknown noise"


def test_a_sum_of_published_years_tells_nothing():
    assert second_draw.measure(publish(165, [40, 55, 70]), CellKey()) == {}
