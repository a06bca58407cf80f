"""The profile of an area: only supported statements, how certain they are, and otherwise "cannot tell"."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.disclosure.cell_key import CellKey
from data.errors import AreaError
from geo.layers import encounters
from geo.layers.core.change import Cell, bound_share, compare_cells, compute_ratio_interval, find_bounds
from geo.layers.profile import build_profile, find_noise
from tests.helpers import small_release
from tests.helpers.small_release import QUARTERS, YEARS


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    return small_release.make(tmp_path_factory.mktemp("partner"), "partner")


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return small_release.make(tmp_path_factory.mktemp("public"), "public")


def facts(release, area, period=YEARS[1]):
    return {f.id: f for f in build_profile(release, area, period).facts}


def read_sentences(release, area, period=YEARS[1]):
    return " ".join(build_profile(release, area, period).meaning.sentences)


def test_who_and_where(partner):
    profile = build_profile(partner, "AL-02", YEARS[1])
    assert (profile.kind, profile.name, profile.country) == ("County", "Durrës", "Albania")
    assert build_profile(partner, "GR-I", YEARS[1]).kind == "Region"
    assert build_profile(partner, "10944420", YEARS[1]).kind == "Municipality"


def test_the_few_numbers_with_margin_and_source(partner):
    numbers = facts(partner, "AL-02")
    assert [numbers[n].text for n in ("children", "internal", "effort")] == ["79", "71", "103"]
    assert [numbers[n].margin for n in ("children", "internal", "effort")] == ["±5", "±5", ""]
    assert numbers["internal"].label == "of these, internal trafficking in Albania"
    assert numbers["population"].label == "Population, census 2023"
    assert (numbers["population"].text, numbers["population"].invented) == ("226,863", False)
    assert all(f.source for f in numbers.values())


def test_axes_that_are_not_published_are_not_counted_as_missing(partner):
    assert facts(partner, "AL-02")["services"].text == "2 axes shown"
    whole = facts(partner, "AL-04")["services"]
    assert whole.text == "2 of 5 axes"
    assert len(whole.note.split(", ")) == 2


def of_axes(folder, cells, tier="partner", table="services_region_quarter_axis", period=QUARTERS[0]):
    """Return the facts on services for a release with these cells by axis, the same in each region."""
    named = dict(zip(small_release.AXES, cells, strict=True))
    frame = small_release.rows(
        small_release.REGIONS, [period], lambda _a, _p, axis: named[axis], axis=small_release.AXES
    )
    return facts(small_release.make(folder, tier, tables={table: frame}), "AL-02", period)["services"]


def test_no_axis_is_called_empty_that_may_hide_a_service(tmp_path):
    hidden, span, number = small_release.state("withheld"), small_release.span, small_release.number
    none = of_axes(tmp_path / "none", [number(0), hidden, hidden, hidden, number(0)])
    assert (none.text, none.state) == ("withheld to protect people", "withheld")
    assert none.note.startswith("no service on the axes that are shown; withheld: protection")
    some = of_axes(tmp_path / "some", [number(2), span(3, None), hidden, hidden, number(0)])
    assert some.text == "2 axes shown"
    assert some.note == ("prevention, protection; withheld: assisted voluntary return, reintegration")
    year = (YEARS[0],)
    few = of_axes(
        tmp_path / "few", [span(0, 2), hidden, hidden, hidden, span(3, 5)], "public", "services_region_year_axis", *year
    )
    assert few.text == "1 axis shown"
    dark = of_axes(
        tmp_path / "dark", [span(0, 2), *[hidden] * 3, span(0, 2)], "public", "services_region_year_axis", *year
    )
    assert (dark.text, dark.state) == ("withheld to protect people", "withheld")


def test_a_part_of_another_time_stands_beside_all_of_that_time(tmp_path):
    tables, number = small_release.public(), small_release.number
    tables["children_region_whole"] = small_release.rows(
        small_release.REGIONS, [small_release.WHOLE], lambda *_: number(145, 5)
    )
    tables["children_region_whole_pathway"] = small_release.rows(
        small_release.REGIONS, [small_release.WHOLE], lambda *_: number(52, 5), pathway=small_release.PATHWAYS
    )
    release = small_release.make(tmp_path, "public", tables=tables)
    fact = facts(release, "AL-02", YEARS[1])["internal"]
    assert fact.label == "internal trafficking in Albania, Jun 2006 to May 2008"
    assert (fact.text, fact.margin) == ("52 of 145 children", "±5")


def test_a_state_is_said_in_words(partner, public):
    assert facts(partner, "AL-01")["children"].text == "none or almost none"
    assert facts(public, "AL-01")["children"].text == "fewer than 11, possibly none"
    assert facts(public, "AL-11", QUARTERS[0])["population"].text == "758,513"


def test_a_part_of_another_time_is_not_called_of_these(public):
    label = facts(public, "AL-02")["internal"].label
    assert label == "internal trafficking in Albania, Jun 2006 to May 2008"


def test_a_sure_rise_with_equal_effort(partner):
    profile = build_profile(partner, "AL-02", YEARS[1])
    assert profile.meaning.headline == "More than the year before"
    assert profile.meaning.sentences == (
        "29 to 49 more children were identified or met in Jun 2007 to May 2008 than in Jun 2006 to May 2007.",
        "Neither noise nor chance is likely to explain this.",
        "In Jun 2007 to May 2008, 7 to 10 in 10 of these children were in internal trafficking in Albania.",
        "Outreach stayed about the same: 100 days, then 103.",
    )


def test_a_sure_fall_beside_less_effort(partner):
    assert "40 to 60 fewer children" in read_sentences(partner, "AL-11")
    outreach = "Outreach changed from 200 to 90 days, which can explain part of it."
    assert outreach in read_sentences(partner, "AL-11")


def test_a_rise_that_chance_alone_could_bring(partner):
    assert "3 to 23 more children" in read_sentences(partner, "GR-A")
    assert "Noise cannot explain this, but chance can." in read_sentences(partner, "GR-A")


def test_the_margin_that_covers_a_change(partner):
    profile = build_profile(partner, "AL-04", YEARS[1])
    assert profile.meaning.headline == "Cannot tell whether it changed"
    assert "the margins are larger than the change" in profile.meaning.sentences[0]


def test_a_year_in_which_nobody_searched(partner):
    assert "no outreach is recorded for Jun 2006 to May 2007" in read_sentences(partner, "GR-I")


def test_no_word_calls_a_child_trafficked_that_may_be_at_risk(partner):
    texts = [read_sentences(partner, area) for area in ("AL-02", "AL-11", "GR-A")]
    texts += [fact.label for fact in facts(partner, "AL-02").values()]
    texts += [choice.label for choice in encounters.WHICH_CHILDREN.choices]
    assert not [words for words in texts if "trafficked" in words]


def test_the_first_year_has_nothing_to_compare_with(partner):
    assert build_profile(partner, "AL-02", QUARTERS[0]).meaning.headline == "No earlier year"


@pytest.mark.parametrize("period", [*YEARS, QUARTERS[-1]])
def test_a_year_in_which_the_programme_began_is_not_compared(tmp_path, period):
    later = small_release.make(tmp_path, first="2006-12-01")
    assert build_profile(later, "AL-02", period).meaning.headline == "No earlier year"


def test_series_tell_which_periods_are_complete(partner):
    profile = build_profile(partner, "AL-02", YEARS[1])
    assert [b.period for b in profile.series] == QUARTERS
    assert all(b.complete for b in profile.series)
    assert next(b.value for b in profile.series) == 10


def test_an_unknown_area_is_named(partner):
    with pytest.raises(AreaError, match="XX-9"):
        build_profile(partner, "XX-9", YEARS[1])


def test_an_area_without_any_table_has_a_profile(public):
    profile = build_profile(public, "10944420", YEARS[1])
    assert {f.text for f in profile.facts} == {"no data", "598,176"}
    assert profile.series == ()


# ---- change --------------------------------------------------------------------------------------

CELLS = st.builds(Cell, st.just("number"), st.integers(0, 500).map(float), st.integers(0, 15).map(float))


@given(before=CELLS, after=CELLS)
def test_a_change_is_told_only_when_every_true_pair_agrees(before, after):
    change = compare_cells(before, after, 15, 2)
    low = max(0, after.value - after.margin) - (before.value + before.margin)
    high = after.value + after.margin - max(0, before.value - before.margin)
    assert (change.low, change.high) == (low, high)
    assert change.verdict == ("more" if low > 0 else "fewer" if high < 0 else "cannot tell")


@pytest.mark.parametrize("state", ["few", "almost_none", "structural_zero"])
@pytest.mark.parametrize(("value", "beyond"), [(200.0, True), (22.0, False)])
def test_a_change_from_a_cell_without_a_number_is_compared_with_chance_too(state, value, beyond):
    """From none or few to 200, chance is no explanation, whatever the small number is."""
    small, large, reach = Cell(state), Cell("number", value, 5.0), 15 if state == "few" else 5
    rise, fall = (compare_cells(*cells, reach, 2) for cells in ((small, large), (large, small)))
    assert (rise.verdict, fall.verdict) == ("more", "fewer")
    assert rise.beyond_chance == fall.beyond_chance == (beyond or state != "few")


def test_counts_near_the_threshold_have_more_noise_to_explain_a_change():
    """Counts of 7 to 15 have a variance of 6, others of 2: from 8 to 20, chance and noise together are enough."""
    mechanism, cells = CellKey(variance_near_k=6.0), (Cell("number", 8.0, 5.0), Cell("number", 20.0, 5.0))
    assert find_noise(mechanism, *cells) == pytest.approx(6.0, abs=1e-3)
    assert find_noise(mechanism, Cell("number", 90.0, 5.0), Cell("few")) == pytest.approx(2.0, abs=1e-3)
    assert compare_cells(*cells, 5, 2.0).beyond_chance
    assert not compare_cells(*cells, 5, find_noise(mechanism, *cells)).beyond_chance


@given(before=CELLS, after=CELLS, moved=st.integers(1, 20))
def test_a_change_is_judged_by_the_published_numbers(before, after, moved):
    """An adjusted number has a wider margin, and the variance of its noise is not known."""

    def adjust(cell):
        return Cell("number", cell.value + moved, cell.margin + moved, noisy=cell.value, noisy_margin=cell.margin)

    assert compare_cells(adjust(before), adjust(after), 15, 2) == compare_cells(before, after, 15, 2)
    assert bound_share(adjust(before), adjust(after), 15) == bound_share(before, after, 15)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Cell("few"), (0, 15)),
        (Cell("number", 4, 6, noisy=3, noisy_margin=5), (0, 8)),
        (Cell("almost_none", 2, 7), (0, 5)),
        (Cell("almost_none"), (0, 5)),
        (Cell("structural_zero"), (0, 0)),
        (Cell("class", low=50, high=199), (50, 199)),
        (Cell("class", low=1000), (1000, math.inf)),
        (Cell("number", 3, 5), (0, 8)),
        (Cell("number", 12), (12, 12)),
        (Cell("not_searched"), None),
        (Cell("no_data"), None),
        (Cell("withheld"), None),
    ],
)
def test_bounds_of_each_state(cell, expected):
    assert find_bounds(cell, 15 if cell.state == "few" else 5) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(95, 105, (1.11, 0.84, 1.46)), (103, 86, (0.83, 0.63, 1.11)), (26, 51, (1.96, 1.22, 3.15))],
)
def test_ratio_of_two_counts_as_published(before, after, expected):
    assert [round(x, 2) for x in compute_ratio_interval(before, after)] == list(expected)


@given(before=st.integers(1, 400), after=st.integers(1, 400))
def test_noise_widens_the_interval(before, after):
    plain, noisy = compute_ratio_interval(before, after), compute_ratio_interval(before, after, 2.0)
    assert noisy[1] < plain[1] < plain[2] < noisy[2]


@given(part=st.integers(0, 100), whole=st.integers(1, 100), m=st.integers(0, 5))
def test_shares_stay_between_none_and_all(part, whole, m):
    low, high = bound_share(Cell("number", part, m), Cell("number", whole, m), 15)
    assert 0 <= low <= high <= 1
