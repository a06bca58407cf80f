"""Series breaks: the table in the workspace, and the level that the risk model gives each side."""

from dataclasses import replace

import numpy as np
import pytest

from data.errors import FileRefused, InputError
from data.release.signed_list import BREAKS
from risk.model import RiskModel
from risk.model.breaks import Break, accept_break, read_breaks, remove_break
from risk.model.observations import Observations

PLACES = ("AL", "GR", "AL-11")
LAW = Break("2008-03-01/P3M", "AL", "a new law, since March", "data officer", "2009-06-01")


def test_a_break_is_accepted_changed_and_removed(tmp_path):
    assert read_breaks(tmp_path) == read_breaks(None) == ()
    accept_break(tmp_path, LAW, PLACES)
    everywhere = Break("2007-06-01/P3M", note='one form, with "quotes"')
    accept_break(tmp_path, everywhere, PLACES)
    assert read_breaks(tmp_path) == (everywhere, LAW)
    accept_break(tmp_path, replace(LAW, note="another reason"), PLACES)
    assert [entry.note for entry in read_breaks(tmp_path)] == [everywhere.note, "another reason"]
    with pytest.raises(ZeroDivisionError):
        remove_break(tmp_path, LAW.period, "AL", before=lambda: 1 / 0)
    assert len(read_breaks(tmp_path)) == 2
    remove_break(tmp_path, LAW.period, "AL")
    assert read_breaks(tmp_path) == (everywhere,)
    with pytest.raises(InputError, match="tact breaks list"):
        remove_break(tmp_path, LAW.period, "AL")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(LAW, place="XX"), "'XX'"),
        (replace(LAW, period="2008-03-01/P1Y"), "no quarter"),
        (replace(LAW, period="spring"), "'spring'"),
        (replace(LAW, note="call +355 69 123 4567"), "A note or role seems"),
        (replace(LAW, by="Arta, +355 69 123 4567"), "A note or role seems"),
        (replace(LAW, note="a new\u2028law"), "one line"),
        (replace(LAW, note="=1+1"), "spreadsheet"),
    ],
)
def test_what_is_no_break_is_refused_and_nothing_is_written(tmp_path, wrong, words):
    with pytest.raises(InputError, match=words):
        accept_break(tmp_path, wrong, PLACES)
    assert not (tmp_path / BREAKS).exists()


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / BREAKS).write_text("quarter\n2008\n")
    with pytest.raises(FileRefused, match=BREAKS):
        read_breaks(tmp_path)
    (tmp_path / BREAKS).write_text("period,place\n2008-03-01/P3M,AL\nspring,GR\n")
    with pytest.raises(InputError, match=f"{BREAKS}, row 3: No period 'spring'"):
        read_breaks(tmp_path)


def test_a_break_concerns_its_country_its_area_or_all():
    assert LAW.concerns("AL-11")
    assert not LAW.concerns("GR-A")
    assert replace(LAW, place="AL-11").concerns("AL-11")
    assert not replace(LAW, place="AL-11").concerns("AL-02")
    assert replace(LAW, place="").concerns("GR-A")


def observe(breaks=()):
    """Return exact counts of six areas: from the fifth quarter on, Albania records three times as many."""
    rng = np.random.default_rng(3)
    areas = tuple(f"{country}-{i}" for country in ("AL", "GR") for i in range(3))
    level = np.array([8.0, 16.0, 12.0, 10.0, 20.0, 8.0])
    mean = np.repeat(level[:, None], 8, axis=1)
    mean[:3, 4:] *= 3.0
    return Observations(
        areas,
        tuple(area[:2] for area in areas),
        np.full((6, 8), 1000.0),
        tuple(f"2008-0{q + 1}-01/P3M" for q in range(8)),
        ("internal",),
        ("reported",),
        rng.poisson(mean)[:, :, None, None],
        np.zeros((6, 8)),
        np.array([(0, 1), (1, 2), (3, 4), (4, 5)]),
        None,
        "partner",
        breaks=breaks,
    )


@pytest.mark.slow
def test_the_model_gives_each_side_a_level_and_keeps_the_rate_even():
    law = Break("2008-05-01/P3M", "AL")
    plain, broken = (RiskModel().fit(observe(breaks)).fit_ for breaks in ((), (law,)))
    draws = broken.draws(1000, 0)
    low, high = np.exp(np.quantile(-draws.breaks[:, 0, 0], [0.025, 0.975]))
    assert 1.5 < low < 3.0 < high < 6.0
    last_over_first = [
        np.exp(np.diff(fit.draws(1000, 0).log_rate[:, 0, [0, -1], 0].mean(axis=0))[0]) for fit in (plain, broken)
    ]
    assert last_over_first[0] > 2.2
    assert last_over_first[1] == pytest.approx(1.0, abs=0.35)
    # As counted, the rate still has the step, and the forecast goes on from the new level.
    counted = draws.log_rate_as_counted(broken.observations).mean(axis=0)
    assert np.exp(counted[0, -1, 0] - counted[0, 0, 0]) > 2.0
    assert counted[3, 0, 0] == pytest.approx(draws.log_rate.mean(axis=0)[3, 0, 0])
    ahead = broken.forecast(np.zeros((6, 1)), 1000, 0)[:, :3].sum(axis=(1, 2, 3, 4)).mean()
    assert ahead == pytest.approx(3 * 36.0, rel=0.25)


def test_breaks_that_the_quarters_do_not_cross_are_left_out():
    seen = observe((Break("2008-01-01/P3M", "AL"), Break("2009-01-01/P3M"), Break("2008-03-01/P3M", "IT")))
    assert seen.before_breaks.shape == (0, 6, 8)
    seen = observe((Break("2008-05-01/P3M", "GR"),))
    assert seen.before_breaks.sum() == 3 * 4
    assert seen.up_to(4).before_breaks.shape == (0, 6, 4)
