"""The ledger of forecasts: which entries count, and that their scores are those of what was published."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data.errors import ReleaseError
from data.release import MANIFEST, Release
from data.tables.periods import Calendar, Period
from data.tables.spec import table_name
from data.workspace.hash_chain import append_entries, read_chain
from risk.evaluation.baselines import HISTORICAL_MEAN
from risk.evaluation.forecast_ledger import (
    TrackRecord,
    find_last_quarter,
    make_entry,
    read_draws,
    reconstruct_entries,
    score_ledger,
)
from risk.evaluation.risk_model import MODEL, build_panel
from risk.laplace.likelihood import MISSING
from risk.model.observations import PATHWAYS, WAYS, Observations
from tests.helpers.manifests import edit_manifest

WHOLE = Period.parse("2006-06-01/2008-05-31")
QUARTERS = tuple(period.id for period in Calendar(6).between(WHOLE.start, WHOLE.end, "quarter"))
AREAS = ("AL-01", "AL-02", "GR-A")
RIVAL = HISTORICAL_MEAN


def observe(quarters=8, published=2):
    """Return observations in which every area, pathway and way has the same number."""
    shape = (len(AREAS), quarters, len(PATHWAYS), len(WAYS))
    return Observations(
        AREAS, ("AL", "AL", "GR"), np.full(shape[:2], 100.0), QUARTERS[:quarters], PATHWAYS, WAYS,
        np.full(shape, published, np.int64), np.ones(shape[:2]), np.array([[0, 1]]), None, "partner",
    )  # fmt: skip


def entry(known, model=4, rival=4, last_published=QUARTERS[3], silent=(), **changes):
    """Return the entry of a release with `known` quarters, in which each forecaster is sure of one value."""
    forecasts = {
        name: np.full((10, len(AREAS), 4, len(PATHWAYS)), float(value))
        for name, value in ((MODEL, model), (RIVAL, rival))
    }
    release = SimpleNamespace(name="r", checksum=f"sum-{known}", tier="partner", invented=True)
    return {**make_entry(release, build_panel(observe(known)), forecasts, last_published, silent=silent), **changes}


@pytest.fixture
def register(tmp_path):
    return lambda *entries: append_entries(tmp_path / "ledger.jsonl", entries)


def test_draws_come_back_from_the_ledger_as_they_were(register):
    drawn = np.random.default_rng(0).poisson(3.0, (50, len(AREAS), 4, len(PATHWAYS))).astype(float)
    release = SimpleNamespace(name="r", checksum="sum", tier="partner", invented=True)
    chain = register(make_entry(release, build_panel(observe(4)), {MODEL: drawn}, QUARTERS[3]))
    content = read_chain(chain.path).entries[0].content
    np.testing.assert_array_equal(read_draws(content, MODEL), np.sort(drawn, axis=0))
    assert content["targets"] == list(QUARTERS[4:])
    assert content["origin"] == "2007-06-01"


def test_the_scores_are_those_of_the_published_sums(register):
    """Published are 4 everywhere. Who is sure of 4 has no error; who is sure of 7 has one of 3 in every score."""
    record = score_ledger(register(entry(4, model=4, rival=7)), observe())
    rows = {row["forecaster"]: row for row in record.scores}
    assert rows[MODEL]["wis"] == pytest.approx(0.0)
    assert rows[MODEL]["crps"] == pytest.approx(0.0)
    assert rows[MODEL]["counts"] == 3 * 4 * 2
    assert (rows[MODEL]["in_50"], rows[MODEL]["in_95"]) == (1.0, 1.0)
    assert rows[RIVAL]["wis"] == pytest.approx(3.0)
    assert rows[RIVAL]["crps"] == pytest.approx(3.0)
    assert rows[RIVAL]["in_95"] == 0.0
    assert record.verdict.beats
    assert (record.verdict.baseline, record.verdict.counts) == (RIVAL, 24)
    assert {area.area: (area.counts, area.wis, area.wis_best) for area in record.areas} == {
        code: (8, pytest.approx(0.0), pytest.approx(3.0)) for code in AREAS
    }
    assert [row["counts"] for row in record.ahead if row["forecaster"] == MODEL] == [6, 6, 6, 6]
    assert TrackRecord.read(asdict(record)) == record


def test_only_quarters_that_arrived_are_scored(register):
    chain = register(entry(4), entry(7))
    record = score_ledger(chain, observe(6))
    assert (record.entries, record.verdict.counts) == (1, 2 * 6)
    assert score_ledger(chain, observe(4)) is None


def write_release(folder, name, quarters, tier="partner"):
    """Write a release with the table of the model alone; of published figures where there are no quarters."""
    path = folder / name / tier
    path.mkdir(parents=True)
    table = table_name("model", "region", "quarter", "crossing", "found")
    resources = [{"name": table, "path": f"{table}.parquet"}] if quarters else []
    pd.DataFrame({"period": quarters}).to_parquet(path / f"{table}.parquet")
    (path / MANIFEST).write_text(json.dumps({"tact": {"invented": True}, "resources": resources}))
    with edit_manifest(path / MANIFEST):
        pass


def test_the_last_quarter_is_the_last_that_any_release_of_the_tier_shows(tmp_path):
    write_release(tmp_path, "earlier", QUARTERS[:4])
    assert find_last_quarter(Release.open(tmp_path, "partner", "earlier")) == QUARTERS[3]
    write_release(tmp_path, "later", QUARTERS[:5])
    write_release(tmp_path, "figures", ())
    write_release(tmp_path, "public", QUARTERS[:7], "public")
    for name in ("earlier", "later"):
        assert find_last_quarter(Release.open(tmp_path, "partner", name)) == QUARTERS[4]


def test_an_entry_is_late_where_a_release_shows_its_first_quarter_already(register):
    late = entry(4, model=9, last_published=QUARTERS[4])
    assert late["late"]
    assert not entry(5, last_published=QUARTERS[4])["late"]
    chain = register(late)
    assert score_ledger(chain, observe()) is None
    record = score_ledger(register(entry(5)), observe())
    assert (record.entries, record.late) == (1, 1)
    assert {row["wis"] for row in record.scores} == {0.0}, "late entries never count"


def test_of_an_origin_the_first_entry_counts(register):
    record = score_ledger(register(entry(4, model=6), entry(4, model=4, release_sha256="later")), observe())
    assert record.entries == 1
    assert next(row["wis"] for row in record.scores if row["forecaster"] == MODEL) == pytest.approx(2.0)


def test_reconstructed_entries_are_never_mixed_with_others(register):
    chain = register(entry(4, model=9, reconstructed=True), entry(5, model=9, reconstructed=True))
    assert (score_ledger(chain, observe()).reconstructed, score_ledger(chain, observe()).entries) == (True, 2)
    record = score_ledger(register(entry(6, model=4)), observe())
    assert (record.reconstructed, record.entries) == (False, 1)
    assert {row["wis"] for row in record.scores} == {0.0}


def test_forecasts_of_real_records_are_never_reconstructed():
    release = SimpleNamespace(name="r", checksum="sum", tier="partner", invented=False)
    with pytest.raises(ReleaseError, match="never made up"):
        list(reconstruct_entries(release, observe()))


def test_a_number_of_which_a_part_is_withheld_is_left_out_for_all(register):
    observations = observe()
    observations.published[0, 5, 0, 1] = MISSING
    record = score_ledger(register(entry(4, model=4, rival=7)), observations)
    assert record.left_out == 1
    assert {row["counts"] for row in record.scores} == {23}
    assert [row["wis"] for row in record.scores] == pytest.approx([0.0, 3.0]), "a part would be taken for the whole"


def test_of_a_country_without_a_record_nothing_is_registered_until_it_has_one(register):
    """Quarters 4 to 7 and 5 to 7 have come: both entries are scored where they said something."""
    first = entry(4, silent=("GR", "GR-A"))
    assert (first["areas"], len(first["values"][MODEL])) == (["AL-01", "AL-02"], 2 * 4 * len(PATHWAYS))
    assert len(first["top"][MODEL]) == 2
    record = score_ledger(register(first, entry(5)), observe())
    counts = {area.area: area.counts // len(PATHWAYS) for area in record.areas}
    assert counts == {"AL-01": 7, "AL-02": 7, "GR-A": 3}
    assert [row["chances"] for row in record.top] == [2, 2]


def test_areas_that_are_not_in_all_are_left_out(register):
    fewer = entry(4, areas=["AL-02", "GR-A", "GR-B"])
    record = score_ledger(register(fewer), observe())
    assert [area.area for area in record.areas] == ["AL-02", "GR-A"]


def test_chances_to_be_among_the_top_five_have_a_brier_score_once_the_year_has_arrived(register):
    """With three areas all are among the five: a forecaster who says .5 of each is off by .25 in the square."""
    sure = entry(4)
    assert sure["top"][MODEL] == [1.0, 1.0, 1.0]
    chain = register({**sure, "top": {MODEL: [1.0, 1.0, 1.0], RIVAL: [0.5, 0.5, 1.0]}})
    assert score_ledger(chain, observe(7)).top == ()
    rows = {row["forecaster"]: row for row in score_ledger(chain, observe()).top}
    assert rows[MODEL]["brier"] == 0.0
    assert rows[RIVAL]["brier"] == pytest.approx(0.5 / 3)
    assert rows[RIVAL]["chances"] == 3


def test_the_top_five_are_those_of_a_country_and_ties_count_for_both():
    """Of seven areas of Albania the drawn totals are 1, 2, 3, 4, 5, 5, 9; the one of Greece has no rival."""
    totals = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 9.0, 0.0])
    drawn = np.zeros((2, 8, 4, 2))
    drawn[:, :, 0, 0] = totals
    drawn[1, 1, 0, 0] = 4.0  # in the second draw the second area has as many as the fourth
    panel = replace(
        build_panel(observe(4)), areas=tuple("abcdefgh"), countries=("AL",) * 7 + ("GR",), expected=np.ones((8, 4)),
        counts=np.zeros((8, 4, 2)), effort=np.ones((8, 4)),
    )  # fmt: skip
    release = SimpleNamespace(name="r", checksum="sum", tier="partner", invented=True)
    assert make_entry(release, panel, {MODEL: drawn}, QUARTERS[3])["top"][MODEL] == [
        0.0,
        0.5,
        0.5,
        1.0,
        1.0,
        1.0,
        1.0,
        1.0,
    ]
