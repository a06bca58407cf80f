"""Layers of a release: numbers, states, figures with their sources, and which layers may be combined."""

import pickle
from itertools import product

import pandas as pd
import pytest

from dashboard.site.text import speak, translate
from data.errors import InputError
from data.message import Message
from data.release import Release
from data.tables.periods import Period
from data.tables.states import STATES, WORDS
from geo.layers import LAYERS, find_conflict, find_layer, find_map_conflict, group_layers
from geo.layers.core import View
from geo.layers.core.words import describe_state
from geo.layers.output import terms, wide
from geo.layers.output.table import build_table
from geo.layers.profile import build_profile
from tests.helpers import small_release
from tests.helpers.manifests import edit_manifest
from tests.helpers.small_release import QUARTERS, REGIONS, WHOLE, YEARS


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    return small_release.make(tmp_path_factory.mktemp("partner"), "partner")


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return small_release.make(tmp_path_factory.mktemp("public"), "public")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return a release that has only published figures."""
    return small_release.make(tmp_path_factory.mktemp("bare"), "public", tables={})


@pytest.mark.slow
def test_every_layer_reads_every_level_and_at_regions_every_choice(partner, public, bare):
    for release, layer, level in product((partner, public, bare), LAYERS, ("country", "region", "municipality")):
        chosen = [{option.id: choice.id} for option in layer.options for choice in option.choices]
        is_every = level == "region" and release is not bare
        for options in ({}, *(chosen if is_every else ())):
            data = layer.read(release, View(level, YEARS[1], options))
            assert set(data.frame["state"]) <= set(STATES)
            classes = len(data.style.bounds) or len(data.style.breaks) + (layer.kind != "circle")
            assert len(data.style.labels) == classes
            assert data.legend.title
            assert data.legend.unit


def test_a_value_stands_with_its_margin(partner):
    row = find_layer("encounters").read(partner, View("region", YEARS[1])).frame.loc["AL-02"]
    assert (row["value"], row["margin"], row["state"]) == (79, 5, "number")


def test_states_are_never_values(partner):
    frame = find_layer("encounters").read(partner, View("region", YEARS[0])).frame
    assert frame.loc["AL-01", "state"] == "almost_none"
    assert frame.loc["GR-I", "state"] == "not_searched"
    assert frame.loc[["AL-01", "GR-I"], "value"].isna().all()


def test_a_missing_table_is_no_data(public):
    data = find_layer("encounters").read(public, View("municipality", YEARS[0]))
    assert set(data.frame["state"]) == {"no_data"}
    assert data.legend.period == ""


def test_a_pathway_is_read_from_its_own_table(partner):
    view = View("region", YEARS[1], {"of": "pathway-internal"})
    data = find_layer("encounters").read(partner, view)
    assert data.frame.loc["AL-02", "value"] == 71
    assert data.legend.title == "Children identified or met by outreach: internal trafficking"


def test_colours_and_circles_keep_their_meaning_in_time(partner):
    for name in ("encounters", "effort", "services"):
        layer = find_layer(name)
        styles = {layer.read(partner, View("region", p)).style for p in layer.periods(partner, View("region", ""))}
        assert len(styles) == 1


def test_circles_of_a_part_are_drawn_to_the_scale_of_the_whole(partner):
    layer = find_layer("encounters")
    part = layer.read(partner, View("region", YEARS[1], {"of": "pathway-internal"}))
    assert part.style == layer.read(partner, View("region", YEARS[1])).style


def test_periods_are_those_of_the_grain_that_is_asked_for(partner):
    layer = find_layer("encounters")
    assert layer.periods(partner, View("region", "")) == tuple(QUARTERS)
    assert layer.periods(partner, View("region", YEARS[0])) == tuple(YEARS)
    assert layer.periods(partner, View("region", WHOLE)) == (WHOLE,)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("2006-06-01/P3M", "Jun 2006 to May 2007"),
        (YEARS[1], "Jun 2007 to May 2008"),
        (WHOLE, "Jun 2007 to May 2008"),
        ("1999-06-01/P3M", "Jun 2007 to May 2008"),
        ("nonsense", "Jun 2007 to May 2008"),
    ],
)
def test_a_period_that_is_not_held_settles_on_the_nearest(partner, asked, shown):
    assert find_layer("effort").read(partner, View("region", asked)).legend.period == shown


def test_only_the_offered_choices_of_a_release_can_be_chosen(partner, public):
    services = find_layer("services")
    choices = {o.id: [c.id for c in o.choices] for o in services.list_options(partner, "region")}
    assert choices["what"] == ["services", "capacity"]
    assert "axis-protection" in choices["of"]
    assert "duty_bearer-ngo" not in choices["of"]
    assert services.list_options(public, "region") == ()


def test_small_numbers_refer_to_the_number_of_the_whole_time(public):
    note = find_layer("encounters").read(public, View("region", YEARS[0])).frame.loc["AL-04", "note"]
    assert note == "whole programme (Jun 2006 to May 2008): 41 ±5"
    with speak("el"):
        assert translate(note) == "όλο το πρόγραμμα (Ιουν 2006 – Μαΐου 2008): 41 ±5"


def test_classes_become_classes(public, partner):
    data = find_layer("communities").read(partner, View("region", YEARS[1]))
    assert data.style.labels == ("50 to 199", "at least 1,000")
    assert data.classes().loc["AL-04"] == 1
    data = find_layer("effort").read(public, View("region", YEARS[1]))
    assert data.classes().to_dict()["AL-01"] == 0
    assert data.legend.margin == "published as ranges"


def test_a_class_that_holds_zero_says_so(tmp_path):
    cell = small_release.span(0, 49)
    tables = {"effort_region_year": small_release.rows(REGIONS, YEARS, lambda *_: cell)}
    data = find_layer("effort").read(small_release.make(tmp_path, "public", tables=tables), View("region", YEARS[1]))
    assert data.style.labels == ("fewer than 50, possibly none",)
    assert data.legend.margin == "published as ranges; zero and few look the same, to protect people"


def test_the_legend_of_circles_shows_nothing_smaller_than_the_map(public):
    data = find_layer("encounters").read(public, View("region", YEARS[1]))
    assert min(data.style.breaks) >= data.frame["value"].min()


def test_children_are_met_once_and_the_layer_says_so(partner):
    legend = find_layer("encounters").read(partner, View("region", YEARS[1])).legend
    assert legend.title == "Children identified or met by outreach"
    assert legend.note.startswith("Each child is counted once, in the area and period of the first encounter")


@pytest.mark.parametrize(("chosen", "words"), [({}, "Roma"), ({"group": "egyptian"}, "Egyptian")])
def test_a_community_is_named_even_if_the_layer_opens_with_it(partner, chosen, words):
    legend = find_layer("communities").read(partner, View("region", "", chosen)).legend
    assert legend.title == f"Roma and Egyptian communities: {words}"


def test_a_figure_says_whose_it_is(partner):
    layer = find_layer("roma_figures")
    for choice, words in (("roma", "Roma, number"), ("egyptian", "Egyptians, number")):
        legend = layer.read(partner, View("region", "", {"figure": choice})).legend
        assert legend.title == f"Published figures: {words}"


@pytest.mark.parametrize(("source", "shown"), [("Law 61", "Law 61 2011"), ("Census 2011", "Census 2011")])
def test_a_figure_names_its_source_with_the_year(tmp_path, source, shown):
    figure = ("AL-01", "2011-01-01/P1Y", "roma", 700.0, None, source, 2011, "read", "")
    release = small_release.make(tmp_path, more_figures=[figure])
    legend = find_layer("roma_figures").read(release, View("region", "", {"figure": "roma"})).legend
    assert shown in str(legend.source).split("; ")


def least_of(lows, table="services_region_quarter", periods=QUARTERS[:1]):
    """Return a table in which every total may be incomplete; 0 is withheld.

    The number of each period is one higher than that of the period before.
    """

    def cell(area, period):
        low = lows[area] and lows[area] + periods.index(period)
        return small_release.span(low, None) if low else small_release.state("withheld")

    return {table: small_release.rows(REGIONS, periods, cell)}


def test_a_total_from_which_something_may_be_missing_is_at_least_so_many(tmp_path):
    lows = dict(zip(REGIONS, (0, 1, 3, 7, 15, 40), strict=True))
    release = small_release.make(tmp_path, tables=least_of(lows, periods=QUARTERS[:2]))
    data = find_layer("services").read(release, View("region", QUARTERS[0]))
    assert data.frame["value"].isna().all()
    assert data.frame.loc["AL-01", "state"] == "withheld"
    assert data.classes().loc["AL-01"] == -1
    assert data.style.labels == tuple(f"at least {n}" for n in (1, 2, 5, 10, 20))
    for area, low in lows.items():
        if low:
            label = data.style.labels[data.classes().loc[area]]
            assert int(label.removeprefix("at least ")) <= low
    assert data.legend.margin.startswith("at least this number: services for protection, return and reintegration")
    assert "fewer than 3 operators work" in data.legend.margin
    assert data.legend.margin.endswith("are withheld in municipalities and where fewer than 3 operators work")


def test_exact_totals_beside_least_ones_keep_their_zero(partner):
    data = find_layer("services").read(partner, View("region", QUARTERS[0]))
    assert data.frame.loc["AL-01", ["value", "state"]].to_list() == [0, "number"]
    assert data.frame.loc["AL-02", ["low", "state"]].to_list() == [1, "class"]
    assert data.style.labels[data.classes().loc["AL-01"]] == "0"
    assert data.style.labels[data.classes().loc["AL-02"]] == "at least 1"
    assert data.legend.margin.startswith("exact, as recorded; at least this number: ")


def test_what_was_not_reported_is_missing_too(tmp_path):
    lows = dict.fromkeys(REGIONS, 5)
    release = small_release.make(tmp_path, tables=least_of(lows, "staff_region_quarter"))
    legend = find_layer("services").read(release, View("region", "", {"what": "staff"})).legend
    assert legend.margin.endswith("; numbers that were not reported are missing too")


def test_open_classes_of_services_say_at_least_and_why(tmp_path):
    lows = dict(zip(REGIONS, (0, 3, 3, 6, 11, 21), strict=True))
    release = small_release.make(tmp_path, "public", tables=least_of(lows, "services_region_year", YEARS[:1]))
    data = find_layer("services").read(release, View("region", ""))
    assert data.style.labels == ("at least 3", "at least 6", "at least 11", "at least 21")
    assert data.legend.margin.startswith("at least this number")


def test_an_area_without_a_number_has_no_class(partner):
    data = find_layer("encounters").read(partner, View("region", YEARS[1]))
    assert data.classes().loc["AL-01"] == -1


# ---- published figures ---------------------------------------------------------------------------


def figure(release, choice, area, level="region"):
    return find_layer("roma_figures").read(release, View(level, "", {"figure": choice})).frame.loc[area]


def test_attica_has_a_quarter_of_the_greek_roma_population(partner):
    row = figure(partner, "national-share", "GR-I")
    assert (row["value"], row["year"], row["state"]) == (25, 2021, "number")
    assert "Official mapping" in row["source"]


def test_fier_had_1640_roma_in_2011(partner):
    row = figure(partner, "roma", "AL-04")
    assert (row["value"], row["year"]) == (1640, 2011)
    assert row["source"] == "Census of Albania 2011"


def test_no_figure_was_found_for_berat(partner):
    row = figure(partner, "roma", "AL-01")
    assert row["state"] == "no_figure"
    assert pd.isna(row["value"])
    assert describe_state(row["state"], 11) == "no published figure"


def test_the_latest_figure_is_shown_and_the_others_named(partner):
    row = figure(partner, "roma", "AL", "country")
    assert (row["value"], row["year"]) == (9813, 2023)
    assert "8,301 (Census of Albania 2011)" in row["note"]
    assert "18,276" in row["note"]


def test_shares_are_per_cent(partner):
    assert figure(partner, "roma-share", "AL-11")["value"] == pytest.approx(0.32)


def made_up(number):
    return ("AL-02", "2024-01-01/P1Y", "population", number, None, "Invented: A census", 2024, "census", "")


@pytest.mark.slow
def test_figures_that_were_made_up_say_so_wherever_they_stand(tmp_path):
    release = small_release.make(tmp_path, made_up=[made_up(5.0)])
    layer, view = find_layer("population"), View("region", "")
    data = layer.read(release, view)
    assert data.frame.loc["AL-02", ["value", "source"]].to_list() == [5, "Invented: A census"]
    assert "Invented: A census 2024" in data.legend.source
    assert data.legend.margin == "as published; some are invented, as their source says"
    assert not data.invented, "the others are real"
    shown = build_table(release, layer, view)
    assert shown.loc["AL-02", "Source"] == "Invented: A census, 2024"
    assert "nvented" not in shown.loc["AL-01", "Source"]
    rows, _ = wide.build_map_table(release, layer, "region")
    assert rows["data"].loc[["AL-01", "AL-02"]].to_list() == ["published", "invented"]
    every = wide.build_long_table(release, layer)
    assert every[every["data"] == "invented"]["code"].to_list() == ["AL-02"]
    assert (wide.find_owner(release, layer), wide.find_owner(release, find_layer("referrals"))) == (
        "mixed",
        "published",
    )
    assert "made up for practice" in terms.describe_file(release, (layer,))["published_figures"]
    fact = next(f for f in build_profile(release, "AL-02", YEARS[0]).facts if f.id == "population")
    assert (fact.label, fact.invented) == ("Population, invented figure of 2024", True)


def test_published_figures_that_ship_are_never_invented(partner):
    for layer in LAYERS:
        assert layer.read(partner, View("region", "")).invented == (not layer.of_figures)


def test_figures_alone_make_a_release(bare):
    assert [layer.id for layer in LAYERS if layer.levels(bare)] == ["population", "roma_figures", "referrals"]


def test_referrals_are_of_countries_and_move_with_the_year(partner):
    layer = find_layer("referrals")
    assert layer.levels(partner) == ("country",)
    assert layer.periods(partner, View("country", ""))[-1] == "2022-01-01/P1Y"
    newest = layer.read(partner, View("country", "2022-01-01/P1Y")).frame
    assert newest.loc["AL", ["value", "note"]].tolist() == [112, "2 official and 110 potential victims"]
    assert newest.loc["GR", "state"] == "no_figure"
    frame = layer.read(partner, View("country", "2017-01-01/P1Y", {"who": "children"})).frame
    assert frame["value"].to_dict() == {"AL": 56, "GR": 14}
    assert "not comparable with 2018" in layer.read(partner, View("country", "2020-01-01/P1Y")).frame.loc["GR", "note"]


def test_population_says_which_figures_are_provisional(partner):
    frame = find_layer("population").read(partner, View("region", "")).frame
    assert frame.loc["GR-I", "note"].startswith("provisional")
    assert frame.loc["AL-01", "note"] == "other figures: 141,944 (Census of Albania 2011)"


def test_population_is_shown_by_municipality_as_provisional_with_source_and_year(partner, public):
    for release in (partner, public):
        data = find_layer("population").read(release, View("municipality", ""))
        frame = data.frame.drop("9999")  # an area without a figure
        assert frame[["value", "year"]].to_numpy().tolist() == [[598176, 2023], [22230, 2021]]
        assert frame["note"].str.startswith("provisional").all()
        assert data.legend.source == "Census of Albania 2023; Census of Greece 2021, provisional results"
        assert data.legend.period == "2021 to 2023, latest figure of each area"
        every = wide.build_long_table(release, find_layer("population"))
        assert set(every[every["level"] == "municipality"]["year"].dropna()) == {2011, 2021, 2023}


# ---- words -----------------------------------------------------------------------------------------


def test_words_of_the_states():
    assert {s: str(describe_state(s, 11)) for s in WORDS} == {
        "number": "number",
        "class": "range",
        "few": "fewer than 11, possibly none",
        "almost_none": "none or almost none",
        "not_searched": "not searched",
        "structural_zero": "zero: the programme does not work here",
        "withheld": "withheld to protect people",
        "no_data": "no data",
        "no_figure": "no published figure",
        "cannot_tell": "cannot tell",
    }


def test_legends_say_unit_period_source_margin(partner):
    legend = find_layer("encounters").read(partner, View("region", YEARS[1])).legend
    assert (legend.title, legend.unit, legend.period, legend.source, legend.margin) == (
        "Children identified or met by outreach",
        "children",
        "Jun 2007 to May 2008",
        "Invented records, release 2008-05-001",
        "at most 5 away from the true number",
    )


def test_the_margin_says_that_a_published_number_means_at_least_one(partner):
    layer, words = find_layer("encounters"), set()
    for level in ("region", "municipality"):
        for period in layer.periods(partner, View(level, "")):
            data = layer.read(partner, View(level, period))
            shown = data.frame[data.frame["state"] == "number"]
            reaches_zero = bool((shown["value"] - shown["margin"] < 1).any())
            assert ("a published number above 0 means at least 1" in data.legend.margin) is reaches_zero
            words.add(reaches_zero)
    assert words == {True, False}


def test_a_period_whose_year_is_not_final_is_called_provisional(tmp_path):
    release = small_release.make(tmp_path)
    with edit_manifest(release.folder / "datapackage.json") as about:
        about["tact"]["final"] = Period.parse(YEARS[0]).end.isoformat()
    later, layer = Release.open(tmp_path, "partner"), find_layer("encounters")
    first, last = (layer.read(later, View("region", year)).legend.period for year in (YEARS[0], YEARS[-1]))
    assert "provisional" not in first
    assert last.endswith("(provisional)")
    rows = layer.rows(later, "region").set_index("period")["note"]
    assert set(rows.loc[YEARS[0]]) == {""}
    assert set(rows.loc[YEARS[-1]]) == {"provisional"}


@pytest.mark.parametrize("name", ["communities", "roma_figures"])
def test_communities_say_what_they_do_not_mean_in_one_sentence(partner, name):
    note = find_layer(name).read(partner, View("region", "")).legend.note
    assert note.count(".") == 1
    assert "nothing about risk" in note


def test_a_message_keeps_its_template_when_it_is_stored():
    message = pickle.loads(pickle.dumps(Message("{low} to {high}", low=1, high=4)))
    assert message == "1 to 4"
    assert (message.template, message.values) == ("{low} to {high}", {"low": 1, "high": 4})  # noqa: PD011


# ---- what may lie over what -----------------------------------------------------------------------


@pytest.mark.parametrize("community", ["communities", "roma_figures"])
def test_communities_lie_over_encounters_and_services_on_the_partner_tier_only(community):
    assert not find_map_conflict("partner", [community, "encounters"])
    assert not find_map_conflict("partner", [community, "encounters", "services"])
    assert find_conflict("partner", [community, "access"])
    assert find_map_conflict("public", [community, "encounters"])
    assert not find_map_conflict("public", [community, "services"])
    assert not find_map_conflict("public", [community])


@pytest.mark.parametrize("tier", ["partner", "public"])
@pytest.mark.parametrize("community", ["communities", "roma_figures"])
def test_communities_never_lie_over_effort(tier, community):
    assert find_conflict(tier, [community, "effort"])
    assert find_conflict(tier, ["services", community, "effort"])


def test_one_fill_and_one_kind_of_circle():
    assert find_map_conflict("partner", ["services", "effort"])
    assert find_map_conflict("partner", ["encounters", "referrals"])
    assert not find_map_conflict("partner", ["encounters", "effort"])


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_sets_apart_hold_every_layer_once_and_may_stand_together(tier):
    sets = group_layers(tier, [layer.id for layer in LAYERS])
    assert sorted(name for group in sets for name in group) == sorted(layer.id for layer in LAYERS)
    assert not any(find_conflict(tier, group) for group in sets)
    assert len(sets) == 2


def test_an_unknown_layer_is_named_with_those_that_there_are():
    with pytest.raises(InputError, match=r"No layer 'risks'.*encounters"):
        find_layer("risks")
