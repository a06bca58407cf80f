"""The Risk page: it shows the results of the model, in plain words and with their uncertainty."""

import inspect
import re
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from dashboard.narrative import model_card
from dashboard.narrative import risk as narrative
from dashboard.narrative.area import word_change_in
from dashboard.narrative.evaluation import is_beaten
from dashboard.narrative.judgement import Change, judge_area
from dashboard.narrative.shift import word_shifts
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.pages.risk import evaluation as predicted
from dashboard.pages.risk import rates, summary
from dashboard.pages.trends import summary as trendspage
from dashboard.site import Site, current_release
from dashboard.widgets import address, picture
from data.release import Release
from geo import areas as geography
from geo.layers.core import palette
from risk.evaluation import evaluate
from risk.evaluation.baselines import HISTORICAL_MEAN, HistoricalMean, PopulationShare
from risk.evaluation.risk_model import MODEL, build_panel
from risk.model.observations import Observations
from risk.report import assess
from risk.report.manifest import EvaluationSummary
from tests.helpers.manifests import edit_manifest
from tests.helpers.pages import open_current, open_page, read_text, read_unfolded, speak_on_pages
from tests.helpers.quick import leave_out_plan


@pytest.fixture
def run(monkeypatch, scored):
    return partial(open_page, monkeypatch, scored, "risk")


@pytest.fixture
def run_method(monkeypatch, scored):
    return partial(open_page, monkeypatch, scored, "method")


@pytest.fixture(scope="module")
def current(scored):
    return open_current(scored)


@pytest.fixture(scope="module")
def manifest(current):
    return current_release.read_risk_manifest(current)


def test_where_no_area_is_chosen_the_answer_is_of_both_countries_and_the_card_says_whose_it_is(current):
    with address.follow({}):
        words, why = summary.word_answer(current, "internal"), summary.explain_choice(current, "internal")
    assert words.startswith("Albania, internal trafficking")
    assert "Greece, internal trafficking" in words
    assert why == "No area is chosen; shown is Epirus, most surely high."
    with address.follow({"area": "AL-02"}):
        assert "Greece" not in summary.word_answer(current, "internal")
        assert summary.explain_choice(current, "internal") == ""


def test_an_area_that_is_not_said_to_be_high_is_not_called_most_surely_high(current, monkeypatch):
    """Without any high rate, and in countries of which nothing is said, an area is shown all the same."""
    rates = narrative.read_area_rates(current, "internal").assign(claim="", exceeding=np.nan)
    monkeypatch.setattr(summary, "read_area_rates", lambda *_: rates)
    with address.follow({}):
        name = rates.iloc[0]["name"]
        assert summary.explain_choice(current, "internal") == f"No area is chosen; shown is {name}."


def test_the_card_says_how_many_more_children_the_outreach_lets_expect(current):
    steps = dict(summary.list_steps(current, "internal", "GR-D"))
    _words, outreach, more = summary.list_facts(current, "internal", "GR-D")[0]
    ratio = steps["and from outreach"] / steps["expected from people"]
    assert (outreach, more) == ("6.20 times the average", f"so {ratio:.1f} times as many children are expected")


@pytest.fixture(scope="module")
def evaluations():
    """Return the evaluations of this module and their folders of derived results, by the forecaster."""
    return {}


@pytest.fixture
def measured(scored, current, evaluations, tmp_path_factory, few_draws, monkeypatch):
    """Return a function that evaluates two baselines, one under the name of the model, on the demo world.

    It returns the evaluation, and a folder of derived results with it. Each is made once.
    """

    def measure(model):
        if model not in evaluations:
            areas = geography.read_areas(current.release.areas_file)
            panel = build_panel(Observations.from_release(current.release, areas))
            both = {HISTORICAL_MEAN: HistoricalMean(), MODEL: model()}
            evaluation = evaluate(panel, both, first_origin=10, horizons=2, draws=200).as_dict()
            evaluations[model] = evaluation, place_evaluation(evaluation)
        return evaluations[model]

    def place_evaluation(evaluation):
        folder = tmp_path_factory.mktemp("evaluated")
        if is_beaten(EvaluationSummary.read(evaluation)):
            leave_out_plan(monkeypatch)
            assess(Release.open(scored.releases, "partner"), folder, evaluation=evaluation)
        else:  # all tables are those of the model without an evaluation
            shutil.copytree(scored.derived, folder, dirs_exist_ok=True)
            (result,) = folder.glob("*/risk-partner-*/manifest.json")
            with edit_manifest(result) as described:
                described["evaluation"] = evaluation
        return folder

    return measure


def test_the_statement_on_durres_and_tirana_comes_first(run, current, manifest):
    first = manifest.shifts[0]
    assert first.areas == ("AL-02", "AL-11")
    t = Speech("en", current_release.load_areas(current.release))
    words, *others = word_shifts(t, manifest.shifts, manifest.years)
    assert words.startswith("Durrës and Tirana together: the share of internal trafficking rose from")
    assert [sentence.partition(":")[0] for sentence in others] == ["Durrës", "Tirana"]
    text = read_text(run())
    assert words in text
    assert all(sentence in text for sentence in others)
    findings = text[text.index(words) :]
    assert "Albania, internal trafficking" in findings, "what is said of levels follows"
    assert "never a person, a settlement or a community" in text


def test_every_area_that_is_high_is_named_in_its_country_and_no_other_is(current):
    lines = summary.list_headlines(current)
    table = current.release.table("risk_region_whole_crossing")
    for pathway, words in (("internal", "internal"), ("cross_border", "cross-border")):
        frame = table[table["crossing"] == pathway]
        for code, country in (("AL", "Albania"), ("GR", "Greece")):
            about = [line for line in lines if line.startswith(f"{country}, {words} trafficking")]
            (line,) = [text for text in about if "times the year before" not in text]
            inside = frame[frame["area"].str.startswith(code)]
            names = current_release.read_area_names(current)
            named = {a for a in inside["area"] if re.search(rf"{re.escape(names[a])} \([\d.]+×", line)}
            assert named == set(inside.loc[inside["statement"].isin(["very_high", "high", "above", "low"]), "area"])
            for row in inside[inside["area"].isin(named)].to_dict("records"):
                word = row["certainty"].replace("_", " ")
                name = re.escape(names[row["area"]])
                assert re.search(rf"{name} \({row['median']:.2f}×, {word}(, tips at [\d.]+×)?\)", line)
            unsure = int((inside["state"] == "cannot_tell").sum())
            assert (f"Cannot tell: {unsure} of {len(inside)} areas." in line) == (unsure > 0)


def test_of_the_low_areas_the_lowest_comes_first(current):
    lows = [line.partition("low: ")[2] for line in summary.list_headlines(current)]
    rates = [[float(rate) for rate in re.findall(r"\(([\d.]+)×", low)] for low in lows]
    assert max(map(len, rates)) > 1
    assert rates == [sorted(each) for each in rates]


def test_the_areas_with_the_most_children_in_need_are_named(current):
    text = " ".join(summary.list_headlines(current))
    table = current.release.table("burden_region_quarter_crossing")
    sure = table[table["top"] >= 0.9]
    assert text.count("Most children newly in need: ") == 4
    assert all(current_release.read_area_names(current)[area] in text for area in sure["area"])


def test_how_each_country_changed_is_told_even_where_no_area_can_be(current):
    lines = summary.list_headlines(current)
    table = current.release.table("riskchange_country_quarter_crossing")
    last = table[(table["period"] == table["period"].max()) & (table["state"] == "class")]
    assert sum("times the year before" in line and line.startswith(("Albania", "Greece")) for line in lines) == len(
        last
    )


def test_a_change_is_told_with_the_outreach_that_may_be_why(current):
    t = speak_to_reader(current)
    change = Change(1.7, 1.2, 2.4, "more", "likely", "not_falling", 1.4, "2009-03-01/P3M", 1.9, effort_warning=True)
    words = word_change_in(t, "AL-01", "internal", change)
    assert words.startswith("Berat, internal trafficking: higher (likely), not falling (very likely), 1.70 times")
    assert "Outreach was 1.9 times that of the year before, which may be the reason." in words
    assert "which may be the reason" not in word_change_in(
        t, "AL-01", "internal", replace(change, effort_warning=False)
    )
    none = word_change_in(t, "AL-01", "internal", replace(change, effort_ratio=float("nan")))
    assert "No outreach is recorded for the year before" in none


def test_the_chance_of_a_high_rate_is_written_as_in_the_list(current):
    sentence = summary.explain_statement(current, "internal", "GR-D")[0]
    table = current.release.table("exceedance_region_whole_crossing").set_index(["area", "crossing"])
    chance = speak_to_reader(current).format_chance(table.loc[("GR-D", "internal"), "probability"])
    assert sentence.endswith(f" A high rate is very likely ({chance}).")


@pytest.mark.parametrize("area", ["AL-01", "AL-02", "GR-D", "GR-I"])
def test_the_reasons_are_the_numbers_of_the_model(current, area):
    row = (
        current.release.table("riskreasons_region_whole_crossing")
        .set_index(["area", "crossing"])
        .loc[(area, "internal")]
    )
    facts = dict(summary.list_reasons(current, "internal", area))
    assert facts["Children identified or met"] == f"{row['value']:.0f}"
    assert facts["Expected from population only"] == f"{row['by_population']:.0f}"
    assert facts["Expected from population and outreach"] == f"{row['by_effort']:.0f}"
    words = " ".join(summary.explain_statement(current, "internal", area))
    assert f"{row['value']:.0f} children were identified or met" in words
    rate = current.release.table("risk_region_whole_crossing").set_index(["area", "crossing"]).loc[(area, "internal")]
    undone = re.findall(r"if teams there found (?:only )?(\d+\.\d+) times as many", words)[:1]
    assert undone == ([f"{rate['tipping']:.2f}"] if rate["statement"] and abs(rate["tipping"] - 1) >= 0.005 else [])


def test_the_page_shows_the_pathway_and_the_area_of_the_address(run, current):
    test = run(pathway="cross_border", area="AL-12")
    assert find_chosen(test) == "AL-12"
    assert "Vlorë: " in read_text(test)
    test.query_params["area"] = "GR-M"
    test.run()
    assert "Crete: " in read_text(test)


def test_of_a_municipality_the_county_around_it_is_shown(run, current):
    table = current_release.load_areas(current.release).table
    inside = table.index[(table["level"] == "municipality") & (table["parent"] == "AL-12")][0]
    assert "Vlorë: " in read_text(run(pathway="cross_border", area=inside))


def test_an_address_of_nothing_that_there_is_opens_where_the_chance_is_highest(run, current):
    test = run(pathway="<b>", area="XX-1")
    frame = current.release.table("risk_region_whole_crossing").query("crossing == 'internal'")
    highest = frame.loc[frame["exceeding"].idxmax(), "area"]
    assert f"{current_release.read_area_names(current)[highest]}: " in read_text(test)
    assert "<b>" not in read_text(test)


def test_only_clusters_that_chance_seldom_brings_are_shown_and_say_so(current):
    every = current.release.table("hotspots_region_whole_crossing")
    for pathway, part in every.groupby("crossing", observed=True):
        table = summary.tabulate_clusters(current, pathway)
        areas, words = table.iloc[:, 1], table.iloc[:, 3]
        assert sum(len(row.split(", ")) for row in areas) == (part["p_release"] <= 0.1).sum()
        assert all(re.fullmatch(r"fewer than 1 of 1,000|([1-9]\d?|100) of 1,000", row) for row in words)
    assert (every["p_release"] <= 0.1).any()


def test_clusters_of_an_earlier_version_are_not_shown(current, monkeypatch):
    table = current.release.table("hotspots_region_whole_crossing").drop(columns="p_release")
    monkeypatch.setattr(current_release, "read_table", lambda *_: table)
    assert summary.tabulate_clusters(current, "internal") is None


def test_the_page_says_what_a_cluster_is_evidence_of(run):
    assert "a single area in it may have no more than expected" in read_text(run())


def test_where_it_was_not_measured_it_says_what_to_run(run):
    test = run()
    assert "tact risk --evaluate" in [code.value for code in test.code]
    assert not test.warning


@pytest.mark.slow
def test_a_model_that_is_not_better_says_so_first_and_gives_way_to_the_mean(run, measured):
    evaluation, folder = measured(PopulationShare)
    assert is_beaten(EvaluationSummary.read(evaluation))
    test = run(derived=folder)
    assert "does not beat the historical mean" in test.warning[0].value
    shown = test.dataframe[0].value
    assert list(shown)[:2] == ["Area", "Pathway"]
    assert len(list(shown)) == 2 + 4
    assert len(shown) == 50
    kinds = [child.type for child in test.main.children.values()]
    assert kinds[1:4] == ["warning", "caption", "dataframe"]  # after the title


@pytest.mark.slow
def test_the_historical_mean_that_is_shown_is_the_mean_of_what_was_published(scored, measured):
    _evaluation, folder = measured(PopulationShare)
    current = current_release.open_current_release(Site(scored.releases, "partner", derived=folder))
    panel = build_panel(Observations.from_release(current.release, geography.read_areas(current.release.areas_file)))
    shown = predicted.tabulate_forecast(current).set_index(["Area", "Pathway"])
    mean = panel.counts[panel.areas.index("AL-11"), :, 0].mean()
    children = float(shown.loc[("Tirana", "Internal trafficking")].iloc[0].split(" ")[0])
    assert children == pytest.approx(mean, abs=0.25 * mean + 0.5)
    ahead = trendspage.read_expected(current, "AL-11", "internal")
    assert ahead["value"].mean() == pytest.approx(mean, rel=0.25)


@pytest.mark.long
def test_what_was_measured_is_drawn(run, measured):
    evaluation, folder = measured(HistoricalMean)
    test = run(derived=folder)
    assert len(test.get("arrow_vega_lite_chart") or test.get("vega_lite_chart")) == 2
    rows = predicted.draw_calibration(EvaluationSummary.read(evaluation)).to_dict()
    shares = [row["inside"] for rows in rows["datasets"].values() for row in rows]
    mine = next(row for row in evaluation["calibration"] if row["forecaster"] == MODEL)
    assert shares == pytest.approx([mine["in_50"], mine["in_80"], mine["in_95"]])
    table = predicted.tabulate_calibration(EvaluationSummary.read(evaluation))
    assert list(table["lay within"]) == [f"{share:.0%}" for share in shares]
    hits = predicted.tabulate_hits(EvaluationSummary.read(evaluation))
    drawn = predicted.draw_hits(EvaluationSummary.read(evaluation)).to_dict()
    (rates_drawn,) = [[row["hit_rate"] for row in rows] for rows in drawn["datasets"].values()]
    assert list(hits["share of children"]) == [f"{share:.0%}" for share in rates_drawn]
    assert all(words in read_text(test) for words in (*table["lay within"], *hits["share of children"]))
    scores = predicted.tabulate_scores(EvaluationSummary.read(evaluation))
    assert list(scores["Forecast"].sort_values()) == sorted([HISTORICAL_MEAN, MODEL])


def test_the_table_holds_the_picture(current):
    rated, shown = narrative.read_area_rates(current, "internal"), summary.tabulate_rates(current, "internal")
    assert len(shown) == len(rated) == 25
    assert set(shown["Certainty"]) <= {"likely", "very likely", ""}
    assert shown["Rank in the country"].between(1, 13).all()
    assert np.allclose(shown["Rate compared with the national average"], rated["median"], atol=0.006)
    by_country = rated.groupby("country", sort=False)["median"]
    assert all(values.is_monotonic_decreasing for _code, values in by_country)


def test_the_page_says_what_stands_whatever_is_assumed_and_method_how_much_does(run, run_method, current, manifest):
    """The table under the card has the statements of the card; the demo shows a partner of its own as a scenario."""
    page = run(area="AL-02")
    text, labels = read_text(page), " ".join(fold.label for fold in page.expander)
    assert re.search(r"[0-3] of [1-3] statements on Durrës stand in all \d+ scenarios", labels)
    assert "5\xa0% to 40\xa0% of the children are found" in text
    assert "Teams find unequally, by a factor of 1.1 to 1.6" in text
    assert "Twice the outreach finds 1.3 to 2.0 times as many" in text
    assert "Without " in text
    assert re.search(r"but [\d.]+ to [\d.]+ children a quarter", text)
    everywhere = manifest.card.sensitivity
    words = f"{everywhere.stand} stand in all {len(everywhere.scenarios)} scenarios"
    assert words in read_text(run_method())
    assert "The model fits this release: what it leaves unexplained is no more alike" in read_text(run_method())


def test_the_card_says_what_it_never_reads_and_what_was_checked(run, run_method, current, manifest):
    for text in (read_text(run()), read_text(run_method())):
        assert "It never uses: layers of communities, ethnicity, single children" in text
        assert "could not be checked" not in text
        assert "An area with 50 % of the true rates ends with" in text
        assert text.index("moves away from the truth") < text.index("stays near the truth")
    assert len(model_card.tabulate_checks(current, manifest.checks)) == len(manifest.checks) > 0


def test_a_proxy_that_was_found_is_told(current, manifest):
    t = Speech("en", current_release.load_areas(current.release))
    first, *others = manifest.checks
    weaker = replace(manifest, checks=(replace(first, low=0.2, high=0.9), *others))
    assert model_card.list_safeguards(t, weaker)[0].startswith(f"In 1 of {len(others) + 1} checks")
    reverse = replace(manifest, checks=(replace(first, low=-0.9, high=-0.2), *others))
    assert "by community size, or with its reverse, more than by luck" in model_card.list_safeguards(t, reverse)[0]


def test_the_public_page_has_classes_by_year_and_no_rate(run, run_method, scored):
    text = read_text(run("public"))
    release = Release.open(scored.releases, "public", derived=scored.derived)
    rows = release.table("risk_region_year")
    assert text.count("cannot tell") >= int((rows["state"] == "cannot_tell").sum())
    assert "95 % interval" not in text
    assert "share of internal trafficking rose" not in text
    assert "could not be checked" not in read_text(run_method("public"))


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_without_a_result_it_says_what_to_do(run, run_method, tmp_path, tier):
    text = read_text(run(tier, derived=tmp_path))
    assert "tact risk" in text
    assert "The risk model" not in read_text(run_method(tier, derived=tmp_path))


def test_without_a_release_it_says_what_to_do(run, tmp_path):
    assert "tact release" in read_text(run(releases=tmp_path))


def test_registered_forecasts_are_shown_with_their_scores_and_that_they_were_reconstructed(run):
    shown = read_text(run())
    assert "Reconstructed on invented data" in shown
    assert "lay in its 50 % interval" in shown
    assert "endemic-epidemic" in shown
    assert "Mean place" in shown


def test_the_municipalities_of_a_county_add_up_to_it_and_stand_below_the_reasons(run, current):
    table = summary.tabulate_municipalities(current, "internal", "AL-11")
    assert set(table["Municipality"]) == {"Tirana", "Kamëz", "Kavajë", "Rrogozhinë", "Vorë"}
    assert table["Rank in the country"].is_monotonic_increasing
    burden = current.release.table("burden_region_quarter_crossing").query("area == 'AL-11' and crossing == 'internal'")
    # Medians, each rounded to two digits.
    assert table["Children newly in need per quarter"].sum() == pytest.approx(burden["value"].iloc[0], rel=0.1)
    labels = [expander.label for expander in run(area="GR-I").expander]
    assert "Municipalities of Attica, Greece" in labels
    assert not any("Municipalities" in expander.label for expander in run("public").expander)


def find_chosen(test):
    """Return the area whose row is marked in the list."""
    bodies = " ".join(element.proto.body for element in test.get("html"))
    (area,) = re.findall(r'<tr data-area="([^"]+)" class="chosen', bodies)
    assert f'data-chosen="{area}"' in bodies
    return area


def test_the_list_shows_the_country_of_the_chosen_area_highest_rate_first(run, current):
    test = run(pathway="cross_border", area="GR-I")
    bodies = " ".join(element.proto.body for element in test.get("html"))
    rated = narrative.read_area_rates(current, "cross_border")
    inside = rated[rated["country"] == "GR"]
    assert re.findall(r'<tr data-area="([^"]+)"', bodies) == list(inside.index)
    for code, row in inside.iterrows():
        cells = re.search(rf'<tr data-area="{code}".*?</tr>', bodies, re.S).group()
        assert f"{row['median']:.2f} <small>{row['lower']:.2f}–{row['upper']:.2f}<" in cells
        assert narrative.name_claim(row["claim"] or row["surely"]) in cells
    assert find_chosen(run(area="GR")).startswith("GR-")


def test_the_map_has_the_value_as_hue_and_how_sure_it_is_as_strength(current):
    rated = narrative.read_area_rates(current, "internal")
    every = rates.make_marks(current, "internal", rates.EVERY, "AL-11")
    sure = rates.make_marks(current, "internal", "90", "AL-11")
    assert next(iter(every)) == "AL-11"  # its name has room before others
    for code, row in rated.iterrows():
        hue = palette.RISKS[sum(row["median"] >= cut for cut in rates.CUTS)]
        strength = rates.STRENGTHS[row["certainty"] if row["claim"] else ""]
        assert every[code].colour == picture.fade_colour(hue, strength)
        assert not every[code].unsure
        assert sure[code].unsure == (not row["claim"] or row["probability"] < 0.9)
    assert 0 < sum(mark.unsure for mark in sure.values()) < len(sure)
    hidden = rates.word_hidden(current, "internal", "90")
    assert hidden == "Crosses: less sure than 90 in 100."
    assert hidden in rates.render_legend("", hidden)
    assert not rates.word_hidden(current, "internal", rates.EVERY)
    assert rates.word_white(current) == "White: no figure."  # Mount Athos


def test_how_sure_an_area_must_be_stands_in_the_address(run):
    test = run(sure="80", area="AL-11")
    assert test.select_slider(key="pick-sure").value == "80"
    assert "less sure than 80 in 100" in read_text(test)
    test.select_slider(key="pick-sure").set_value("95").run()
    assert test.query_params["sure"] == "95"
    assert run(sure="garbage").query_params["sure"] == "50"


def test_the_card_says_what_was_met_expected_rate_burden_rank_and_what_would_change_it(run, current):
    text = re.search(r'<div class="areacard">.*', " ".join(e.proto.body for e in run(area="AL-11").get("html"))).group()
    judged, steps = judge_area(current, "AL-11"), summary.list_steps(current, "internal", "AL-11")
    assert [round(value) for _words, value in steps] == [int(n) for n in re.findall(r'value">(\d+)<', text)]
    rate, burden = judged.rates["internal"], judged.burdens["internal"]
    assert f"{rate.value:.2f} <small>{rate.low:.2f} to {rate.high:.2f}<" in text
    assert "Internal trafficking: newly in need a quarter, if 11 to 25 % are found<" in text
    assert f"{burden.rank.value} of {burden.rank.areas} <small>{burden.rank.first} to {burden.rank.last}<" in text
    assert "times the national average its rate would be called high" in text or "no longer be called" in text


@pytest.mark.parametrize("tier", ["partner", "public"])
@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_few_words_stand_on_the_page_before_it_is_unfolded(run, monkeypatch, language, tier):
    speak_on_pages(monkeypatch, language)
    words = re.findall(r"\S*[^\W\d_]\S*", read_unfolded(run(tier)))
    assert 40 < len(words) <= 250


@pytest.mark.long
def test_how_sure_the_model_is_stands_in_one_sentence_above_its_fold(run, measured):
    assert "has not been tested on this release" in read_unfolded(run())
    words = read_unfolded(run(derived=measured(HistoricalMean)[1]))
    assert "out of sample" in words
    assert "Log score" not in words


# Without its cache, because tests change what it reads.
RENDER_RATES = inspect.unwrap(rates.render_rates)


def read_row(current, code):
    """Return the row of an area in the list: the classes of its interval, and the places of its dots."""
    drawn = str(RENDER_RATES(current, "internal", rates.EVERY, code))
    (row,) = re.findall(rf'<tr data-area="{code}".*?</tr>', drawn)
    cut, left, width = re.search(r'<b class="([^"]*)" style="left:([\d.]+)%;width:([\d.]+)%">', row).groups()
    return (
        cut,
        float(left),
        float(left) + float(width),
        [float(dot) for dot in re.findall(r'<i style="left:([\d.]+)', row)],
    )


def test_the_axis_of_rates_is_wide_enough_for_every_interval(current):
    assert summary.read_area_rates(current, "internal")["upper"].max() > 5
    for code in summary.name_areas(current):
        cut, low, high, (dot,) = read_row(current, code)
        assert cut == ""
        assert 0 <= low < dot < high <= 100


def test_an_interval_that_leaves_the_axis_is_marked_and_no_dot_stands_at_its_end(current, monkeypatch):
    table = summary.read_area_rates(current, "internal").copy()
    table.loc["GR-D", ["lower", "median", "upper"]] = 15.0, 30.0, 60.0
    table.loc["GR-A", ["lower", "median", "upper"]] = 0.01, 0.5, 2.0
    monkeypatch.setattr(rates, "read_area_rates", lambda _current, _pathway: table)
    cut, low, high, dots = read_row(current, "GR-D")
    assert (cut, high, dots) == ("above", 100, [])
    assert low < 100
    cut, low, _high, dots = read_row(current, "GR-A")
    assert (cut, low, len(dots)) == ("below", 0, 1)


def test_numbers_above_the_axis_have_room():
    assert rates._choose_ticks((0.2, 5.0)) == [0.25, 0.5, 1, 2, 4]
    assert rates._choose_ticks((0.1, 10.8)) == [0.25, 1, 2, 4, 8]
    assert rates._choose_axis(float("nan"), float("nan")) == (0.2, 5.0)


def test_text_from_data_is_text(current, monkeypatch):
    hostile = "<img src=x onerror=alert(1)>"
    monkeypatch.setattr(Speech, "name_area", lambda *_: hostile)
    drawn = RENDER_RATES(current, "internal", rates.EVERY, "AL-11")
    assert "<img" not in drawn
    assert "&lt;img" in drawn


@pytest.mark.parametrize(("silent", "opened"), [("GR", "AL"), ("AL", "GR")])
def test_the_page_opens_the_country_with_records(current, monkeypatch, silent, opened):
    rates = summary.read_area_rates(current, "internal")
    without = rates.assign(exceeding=rates["exceeding"].mask(rates["country"] == silent))
    monkeypatch.setattr(summary, "read_area_rates", lambda _current, _pathway: without)
    assert summary.find_area(current, "internal").startswith(opened)
