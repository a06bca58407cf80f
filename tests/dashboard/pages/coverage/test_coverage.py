"""The Coverage page: certain gaps are named, and a withheld number never counts as zero."""

import inspect
import re
import shutil
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

from dashboard.narrative.access import describe_access
from dashboard.narrative.judgement import judge_areas
from dashboard.narrative.speech import Speech
from dashboard.pages.coverage import matrix, summary
from dashboard.site import Site, current_release
from dashboard.site.current_release import name_regions
from data.release import Release
from data.tables.spec import CATEGORIES
from geo.layers.access import SURE
from geo.travel import Link
from risk.access.tables import Times, describe_travel
from risk.report import assess
from tests.helpers.manifests import edit_manifest
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import open_current, open_page, read_text, read_unfolded, speak_on_pages


@pytest.fixture
def run(monkeypatch, scored):
    return partial(open_page, monkeypatch, scored, "coverage")


@pytest.fixture(scope="module")
def current(scored):
    return open_current(scored)


def test_every_gap_that_is_sure_is_named_on_its_axis_and_no_other_area_is(current):
    lines = summary.list_headlines(current)
    table = current.release.table("accessgap_region_quarter_axis")
    names = current.release.table("accessgap_region_quarter_axis")["area"].map(
        lambda code: summary.read_access(current, "gap", "all").loc[code, "name"]
    )
    named = 0
    for axis in ("prevention", "protection", "reintegration", "coordination"):
        (line,) = [text for text in lines if text.lower().startswith(f"{axis}:")]
        rows = table[table["axis"] == axis]
        sure = set(names[rows.index[rows["low"] == SURE]])
        names_in_line = line.partition(".")[0]
        assert {name for name in names.unique() if re.search(rf"(in|,|and) {name}(,| and|$)", names_in_line)} == sure
        named += len(sure)
        unsure = int((rows["state"] == "cannot_tell").sum())
        assert (f"Cannot tell for {unsure} of {len(rows)} areas." in line) == (unsure > 0)
        hidden = int((rows["state"] == "withheld").sum())
        assert (f"For {hidden} areas all services within reach are withheld." in line) == (hidden > 0)
    assert named > 0


def test_the_longest_way_is_named_and_so_are_the_islands(current):
    ways = current.release.table("accesstime_region_quarter").set_index("area")
    names = summary.read_access(current, "gap", "all")["name"]
    lines = " ".join(summary.list_headlines(current))
    farthest = ways["value"].idxmax()
    assert f"{names[farthest]} ({ways.loc[farthest, 'value']:.0f} minutes)" in lines
    islands = lines.partition("Between islands, travel time not known: ")[2]
    assert all(names[code] in islands for code in ways.index[ways["way"] == "islands"])


@pytest.mark.parametrize("kind", ["all", "axis-prevention", "axis-protection", "duty_bearer-ngo", "help-legal"])
def test_the_table_holds_what_the_maps_show(current, kind):
    table = summary.tabulate_access(current, kind)
    maps = {show: summary.read_access(current, show, kind) for show in summary.name_measures()}
    assert len(table) == len(maps["places"])
    for position, (area, row) in enumerate(maps["places"].iterrows()):
        entry = table.iloc[position]
        assert entry["Area"] == row["name"]
        assert entry["Service places for 100 of them"].startswith("at least") == (row["state"] == "class")
        assert (entry["Service places for 100 of them"] == "withheld") == (row["state"] == "withheld")
        gap = maps["gap"].loc[area]
        expected = {"withheld": "withheld", "cannot_tell": "cannot tell"}.get(
            gap["state"], "gap" if gap["low"] == SURE else "no gap"
        )
        assert entry["Gap"] == expected
        way = maps["minutes"].loc[area]
        if way["way"] == "land":
            assert entry["Minutes to the nearest"].startswith(f"{way['value']:.0f}")
            assert ("a withheld service may be nearer" in entry["Minutes to the nearest"]) == way["nearer"]


def test_over_water_without_a_time_it_says_so(current):
    table = summary.tabulate_access(current, "axis-protection").set_index("Area")
    listed = [f"{name}, {row['Country']}" for name, row in table.iterrows()]
    assert listed == [name for name in name_regions(current).values() if name in listed]
    assert table.loc["Ionian Islands", "Minutes to the nearest"] == "across water, travel time not entered"


@pytest.mark.long
def test_the_address_opens_the_same_view_and_follows_what_is_chosen(run):
    test = run(show="gap", services="axis-prevention")
    assert "Gaps: prevention" in read_text(test)
    test.selectbox[0].set_value("axis-assisted_voluntary_return").run()
    assert test.query_params["services"] == "axis-assisted_voluntary_return"
    assert test.query_params["show"] == "gap"
    assert "These services are withheld to protect people." in read_text(test)
    assert run(services="nonsense").query_params["services"] == "all"


def test_who_carries_how_much_adds_up_in_each_country(current):
    carried = summary.tabulate_carriers(current)
    counts = current.release.table("services_country_quarter_duty_bearer")
    last = counts[counts["period"] == counts["period"].max()]
    for land, column in (("AL", "Albania"), ("GR", "Greece")):
        cells = [re.fullmatch(r"([\d,]+) \((\d+) %\)", cell).groups() for cell in carried[column]]
        assert [int(count) for count, _ in cells] == last.loc[last["area"] == land, "value"].to_list()
        assert sum(int(share) for _, share in cells) == pytest.approx(100, abs=3)


def test_hand_over_is_said_to_begin_where_both_are_seen_at_work(current):
    (first, *_) = summary.suggest_handover(current)
    table = current.release.table("services_region_quarter_duty_bearer")
    last = table[table["period"] == table["period"].max()]
    there = last[last["value"].astype(float).fillna(last["low"].astype(float)) > 0]
    by = {bearer: set(rows["area"]) for bearer, rows in there.groupby("duty_bearer")}
    public = by["state"] | by["anti_trafficking_police"] | by["municipality"] | by["school"]
    names = summary.read_access(current, "gap", "all")["name"]
    both = {names[code] for code in by["ngo"] & public}
    assert both
    assert all(name in first for name in both)
    assert first.count(",") + 2 == len(both)


@pytest.mark.long
def test_how_it_is_worked_out_names_what_was_entered(current, run, scored, tmp_path):
    text = " ".join(describe_access(current))
    assert "multiplied by 1.3, at 50 km per hour" in text
    assert "assumes that 11 to 25 % of the children in need were met" in text
    assert "No times were entered" in text
    derived = shutil.copytree(scored.derived, tmp_path / "derived")
    (result,) = derived.glob("*/risk-partner-*/manifest.json")
    with edit_manifest(result) as described:
        times = Times(ferries=(Link("GR-F", "GR-D", 90.0, "Timetable <2009>"),))
        described["travel"] = describe_travel(times)
    test = run(derived=derived, services="axis-prevention")
    assert "Ferry between Ionian Islands and Epirus: 90 minutes (Timetable <2009>)." in read_text(test)


@pytest.mark.long
def test_where_a_ferry_was_entered_no_time_across_water_is_assumed(scored, tmp_path, few_draws):
    """The Ionian Islands are in the row of each of the two tables that are compared."""
    tables = []
    for folder, ferries in (("without", ()), ("with", (Link("GR-F", "GR-D", 90.0, "Timetable <2009>"),))):
        assess(Release.open(scored.releases, "partner"), tmp_path / folder, times=Times(ferries=ferries))
        shown = current_release.open_current_release(Site(scored.releases, "partner", derived=tmp_path / folder))
        tables.append(
            summary.tabulate_access(shown, "axis-prevention").set_index("Area").loc["Ionian Islands"].to_list()
        )
    without, with_ferry = tables
    assert without != with_ferry
    assert "across water" not in with_ferry


@pytest.mark.slow
def test_the_public_tier_shows_services_and_says_what_is_not_public(run):
    test = run("public", services="axis-prevention")
    text = read_text(test)
    assert "calculated from numbers that are not public" in text
    assert "Services: prevention" in text
    assert "a child in need can reach less" not in text
    assert "Who runs the services of prevention and coordination" in [expander.label for expander in test.expander]


@pytest.mark.slow
def test_without_a_result_it_says_what_to_do(run, tmp_path):
    test = run(derived=tmp_path)
    assert "tact risk" in read_text(test)
    assert "Access to services has not been calculated" in read_text(test)


def test_without_a_release_it_says_what_to_do(run, tmp_path):
    assert "tact release" in read_text(run(releases=tmp_path))


def read_matrix(drawn):
    """Return the rows of a matrix: for each area the sign of each cell, by kind of services."""
    rows = re.findall(r'<tr data-area="([^"]+)".*?</tr>', drawn)
    cells = {area: re.search(rf'<tr data-area="{area}".*?</tr>', drawn).group() for area in rows}
    return {area: dict(re.findall(r"services=([\w-]+)&amp;show=gap[^>]*>(.)</a>", row)) for area, row in cells.items()}


@pytest.mark.parametrize("country", ["AL", "GR"])
def test_the_matrix_has_the_judgement_of_each_axis_the_areas_with_most_need_first(current, country):
    drawn = matrix.render_matrix(current, country, "axes", "all", "")
    assert "children newly in need in a quarter, all pathways" in drawn
    rows = read_matrix(drawn)
    judged = {code: area for code, area in judge_areas(current).items() if area.country == country}
    assert set(rows) == set(judged)
    needs = [judged[code].need.value for code in rows]
    assert needs == sorted(needs, reverse=True)
    for code, cells in rows.items():
        assert cells == {f"axis-{axis}": matrix.SIGNS[gap][0] for axis, gap in judged[code].gaps.items()}
    assert len({sign for sign, _words in matrix.SIGNS.values()}) == len(matrix.SIGNS)


def test_the_columns_can_be_duty_bearers_with_the_words_of_the_table(current):
    rows = read_matrix(matrix.render_matrix(current, "AL", "bearers", "all", ""))
    signs = {words: sign for sign, words in matrix.SIGNS.values()} | {"withheld": matrix.SIGNS["withheld"][0]}
    for kind in ("duty_bearer-ngo", "duty_bearer-state"):
        table = summary.tabulate_access(current, kind)["Gap"]
        assert {code: cells[kind] for code, cells in rows.items()} == {
            code: signs[words] for code, words in table.items() if code in rows
        }


@pytest.mark.parametrize("country", ["AL", "GR"])
def test_where_there_is_no_legal_help_within_two_hours_is_one_sentence(current, country):
    table = current.release.table("accesstime_region_quarter_help")
    rows = table[(table["help"] == "legal") & table["area"].str.startswith(country)].set_index("area")
    names = summary.read_access(current, "minutes", "help-legal")["name"]
    near = {code for code, value in rows["value"].items() if value <= 120}
    none = rows[(rows["way"] == "none") | (rows["value"] > 120)]
    far = set(none.index[~none["maybe_near"] & (none["state"] != "withheld")])
    answer = matrix.word_answer(current, country, "help-legal")
    where, _mark, unsure = answer.partition("cannot tell for")
    assert all(names[code] in where for code in far)
    assert all(names[code] in unsure for code in set(rows.index) - far - near)
    count, all_areas = map(int, re.search(r"within two hours in (\d+) of (\d+) areas", where).groups())
    assert (count, all_areas) == (len(far or near), len(rows))
    assert ("no legal help (prevention and coordination)" in where) == bool(far)
    assert "; ".join(matrix.list_reach(current, [country])).count("legal help") == answer.count("legal help")


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"state": "number", "value": 120.0, "maybe_near": True}, "none"),
        ({"state": "number", "value": 121.0, "maybe_near": False}, "gap"),
        ({"state": "number", "value": 121.0, "maybe_near": True}, "cannot_tell"),
        ({"state": "structural_zero", "value": float("nan"), "maybe_near": False}, "gap"),
        ({"state": "cannot_tell", "value": float("nan"), "maybe_near": False}, "cannot_tell"),
        ({"state": "withheld", "value": float("nan"), "maybe_near": True}, "withheld"),
    ],
)
def test_help_is_missing_only_where_no_unknown_service_may_be_near(current, monkeypatch, row, answer):
    monkeypatch.setattr(matrix, "read_access", lambda *_: pd.DataFrame([row], index=["AL-11"]))
    assert inspect.unwrap(matrix.read_gaps)(current, "AL", "kinds")["AL-11"]["help-legal"] == answer


def test_the_columns_can_be_kinds_of_help_never_shelters(current):
    drawn = matrix.render_matrix(current, "AL", "kinds", "help-legal", "AL-11")
    cells = re.findall(r"services=(help-\w+)&amp;show=minutes&amp;area=AL-11", drawn)
    assert cells == [f"help-{kind}" for kind in CATEGORIES["help"]]
    assert "shelter" not in drawn.lower()
    assert all(words in drawn for _sign, words in matrix.SIGNS_OF_KINDS.values())


def test_the_page_answers_where_a_kind_of_help_is_missing(run, current):
    text = read_text(run(columns="kinds", services="help-legal", show="minutes", area="GR"))
    assert matrix.word_answer(current, "GR", "help-legal") in text
    assert "Travel time to the nearest service: legal help" in text
    assert "kinds that are not recorded or not shown may be missing" in text


def test_a_release_of_before_has_no_kinds_of_help(run, current, monkeypatch):
    has_layer = current_release.has_layer
    monkeypatch.setattr(current_release, "has_layer", lambda *view: "help" not in str(view[-1]) and has_layer(*view))
    of_before = replace(current, checksum="before")  # what is remembered of the release is not read again
    monkeypatch.setattr(current_release, "open_current_release", lambda _site: of_before)
    test = run(columns="kinds", services="help-legal", show="minutes")
    assert "This release has no kinds of help" in read_text(test)
    assert (test.query_params["columns"], test.query_params["services"]) == ("axes", "all")


def test_a_withheld_number_is_no_gap_and_each_sign_says_its_words(current):
    drawn = "".join(matrix.render_matrix(current, country, "axes", "all", "") for country in ("AL", "GR"))
    named = re.findall(r'<td class="(\w+)[^"]*"><a [^>]*title="([^"]+)" aria-label="([^"]+)">(.)</a>', drawn)
    words = {gap: (sign, text) for gap, (sign, text) in matrix.SIGNS.items()}
    assert len(named) == 25 * 5
    for gap, title, label, sign in named:
        assert title == label
        assert (sign, title.rpartition(": ")[2]) == words[gap]
    assert {gap for gap, *_rest in named} == {"gap", "none", "cannot_tell", "withheld"}


def test_the_chosen_cell_is_marked_and_its_map_stands_beside_it(run):
    test = run(area="AL-02", services="axis-coordination", show="gap")
    bodies = " ".join(element.proto.body for element in test.get("html"))
    (cell,) = re.findall(r'<td class="\w+ picked"><a href="([^"]+)"', bodies)
    assert cell == "?services=axis-coordination&amp;show=gap&amp;area=AL-02"
    assert '<tr data-area="AL-02" class="chosen"' in bodies
    assert "Gaps: coordination" in read_text(test)
    assert 'data-area="GR-' not in bodies
    assert 'data-area="GR-I"' in " ".join(element.proto.body for element in run(area="GR").get("html"))


def test_minutes_are_those_to_the_nearest_of_the_chosen_services(current):
    drawn = matrix.render_matrix(current, "AL", "axes", "axis-protection", "")
    times = summary.read_access(current, "minutes", "axis-protection")
    for code, words in nonempty(re.findall(r'<tr data-area="([^"]+)".*?<td class="minutes"[^>]*>([^<]+)</td>', drawn)):
        row = times.loc[code]
        assert words.removeprefix("≤") == (f"{row['value']:.0f}" if row["value"] == row["value"] else "–")
        assert words.startswith("≤") == bool(row["nearer"] and row["value"] == row["value"])


def test_the_answer_counts_likely_gaps_alone(current):
    gaps = matrix.read_gaps(current, "GR", "axes")
    count = sum(gap == "gap" for cells in gaps.values() for gap in cells.values())
    assert matrix.word_gaps(current, "GR").startswith(f"Greece: {count} likely gaps on the axes of work, in ")


def test_where_no_area_is_chosen_the_answer_is_of_both_countries(current):
    both = [matrix.word_gaps(current, country) for country in ("AL", "GR")]
    assert matrix.word_answer(current, "", "all") == " ".join(both)
    assert matrix.word_answer(current, "GR-I", "all") == both[1]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"axis-prevention": "none", "axis-protection": "withheld"}, "no gap is likely where it can be told"),
        ({"axis-prevention": "cannot_tell", "axis-protection": "withheld"}, "cannot be told"),
        ({}, "cannot be told"),
    ],
)
def test_that_there_is_no_gap_is_said_only_where_it_is_known(current, monkeypatch, cells, words):
    monkeypatch.setattr(matrix, "read_gaps", lambda *_: {"AL-11": cells})
    assert words in matrix.word_gaps(current, "AL")


@pytest.mark.parametrize("tier", ["partner", "public"])
@pytest.mark.parametrize("language", ["en", "sq", "el"])
@pytest.mark.parametrize(
    "view", [{"show": "gap", "columns": "bearers"}, {"columns": "kinds", "services": "help-legal"}]
)
def test_few_words_stand_on_the_page_before_it_is_unfolded(run, monkeypatch, view, language, tier):
    speak_on_pages(monkeypatch, language)
    words = re.findall(r"\S*[^\W\d_]\S*", read_unfolded(run(tier, area="GR-I", **view)))
    assert 40 < len(words) <= 250


def test_text_from_data_is_text(current, monkeypatch):
    monkeypatch.setattr(Speech, "name_area", lambda *_: "<img src=x onerror=alert(1)>")
    drawn = inspect.unwrap(matrix.render_matrix)(current, "GR", "axes", "all", "")
    assert "<img" not in drawn
    assert "&lt;img" in drawn
