"""The Overview page: its answer, its list and map, what is new, both tiers, and a world without results."""

import re
import shutil
from collections import Counter
from dataclasses import replace
from html import unescape
from itertools import combinations

import pandas as pd
import pytest
from markupsafe import Markup
from streamlit.testing.v1 import AppTest

from dashboard.map.plane import find_centres
from dashboard.narrative import judgement
from dashboard.narrative.judgement import judge_areas, read_area_advice, read_usual_plan
from dashboard.narrative.speech import Speech
from dashboard.pages import overview
from dashboard.pages.overview import alerts, partner, public, ranking
from dashboard.site import Site, current_release
from dashboard.site.current_release import CurrentRelease, load_areas, open_earlier_release
from dashboard.widgets import picture
from data.release import Release, current_name
from risk.model.statements import say_nothing_of
from risk.planning import advice
from risk.planning.advice import PlanReview
from risk.planning.saved import save_plan
from risk.report.shift import WATCHED
from tests.helpers.manifests import edit_manifest
from tests.helpers.paths import ROOT

APP = str(ROOT / "dashboard" / "web" / "script" / "app.py")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def site(scored):
    return Site(scored.releases, "partner", derived=scored.derived)


@pytest.fixture(autouse=True)
def shown_site(monkeypatch, scored):
    monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
    monkeypatch.setenv("TACT_DERIVED", str(scored.derived))
    monkeypatch.setenv("TACT_TIER", "partner")


@pytest.fixture(scope="module")
def current(site):
    return current_release.open_current_release(site)


@pytest.fixture(scope="module")
def t(current):
    return Speech("en", load_areas(current.release))


def run(**address):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    return app


def read_words(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def list_rows(markup):
    return re.findall(r'<tr data-area="([A-Z0-9-]+)"', str(markup))


def test_the_first_screen_answers_all_three_questions(current, t):
    lead = " ".join(re.findall(r"<span><b>(.*?)</b>", read_words(run())))
    judged = judge_areas(current)
    for country in ("AL", "GR"):
        most = max((a for a in judged.values() if a.country == country), key=lambda area: area.unmet.amount.value)
        assert t.name_area(most.area) in lead
    assert "internal trafficking" in lead.lower()
    assert re.search(r"Do it|Optional|Keep things as they are", lead)


@pytest.fixture
def small(current, monkeypatch):
    """Return the judgement of a small release: need that rounds to nothing, and nothing from Greece."""
    read_table = current_release.read_table

    def shrink(current, name):
        table = read_table(current, name)
        table = say_nothing_of(table.loc[table["area"].str.startswith("GR"), "area"], table)
        if name != judgement.UNMET:
            return table
        return table.assign(value=table["value"] / 5000, lower=table["lower"] / 10**6, upper=table["upper"] / 5)

    monkeypatch.setattr(judgement.current_release, "read_table", shrink)
    for read in (judgement.read_area_rates, judgement.read_burden):  # not those of the whole demo
        monkeypatch.setattr(judgement, read.__name__, read.__wrapped__)
    judged = judge_areas.__wrapped__(current)
    monkeypatch.setattr(partner, "judge_areas", lambda _current: judged)
    return judged


def test_a_small_release_gets_no_number_rank_or_colour_of_need(current, t, small):
    assert {(area.country, area.doubt) for area in small.values()} == {("AL", "few"), ("GR", "silent")}
    assert not any(area.unmet or area.need or area.burdens for area in small.values())
    assert {area.country for area in small.values() if area.rates and area.changes} == {"AL"}
    content = partner.make_content(t, current)
    assert content.findings[0].lead.startswith("It cannot be said yet")
    assert not content.key.classes
    assert "cannot be said yet" in content.key.unit
    assert {(mark.colour, mark.unsure) for mark in content.marks.values()} == {("#fff", True)}
    assert not any(mark.numbers for mark in content.marks.values())
    drawn = unescape(str(picture.render_map(load_areas(current.release), content.marks, (), Markup(""))))
    patterns = {f"url(#{name})" for name in re.findall(r'<pattern id="([^"]+)"', drawn)}
    assert set(re.findall(r'data-area="[^"]*" d="[^"]*" fill="([^"]*)"', drawn)) == patterns
    for country, words in (("AL", "cannot tell"), ("GR", "no figure")):
        rows = str(content.render_rows(country, "unmet", "internal"))
        assert f'<td class="unmet" colspan="2"><small>{words}</small>' in rows
        assert "0.0" not in re.sub(r'title="[^"]*"', "", rows)


def test_one_country_that_is_silent_leaves_the_other_as_it_is(current, t, small, monkeypatch):
    monkeypatch.setattr(judgement, "_doubt_need", lambda _amounts: None)
    judged = judge_areas.__wrapped__(current)
    assert {area.country for area in judged.values() if area.unmet} == {"AL"}
    assert {area.country for area in judged.values() if area.doubt} == {"GR"}


def test_classes_of_the_legend_never_read_the_same(t, current):
    areas = list(judge_areas(current).values())[:12]
    tiny = {}
    for n, area in enumerate(areas):
        amount = replace(area.unmet.amount, value=0.001 + 0.006 * n)
        tiny[area.area] = replace(area, unmet=replace(area.unmet, amount=amount))
    bounds = partner._choose_bounds(t, tiny)
    labels = ["0", *map(t.format_number, bounds)]
    assert len(set(labels)) == len(labels)
    assert "0.0" not in labels


def test_the_area_in_the_address_opens_its_country_and_its_card(t):
    words = read_words(run(area="GR-I"))
    assert set(list_rows(words)) == {code for code in list_rows(words) if code.startswith("GR")}
    assert re.search(rf'class="card"><p><b>{t.name_area("GR-I")}</b> About \d', words)


def test_tirana_and_durres_stand_first_in_every_order(current, t):
    inside = [area for area in judge_areas(current).values() if area.country == "AL"]
    for order in ranking.ORDERS:
        assert {area.area for area in ranking.order_areas(t, inside, order, "internal")[:2]} == set(WATCHED)


def test_ranks_by_need_follow_the_number_of_children(current, t):
    inside = [area for area in judge_areas(current).values() if area.country == "GR"]
    values = [area.unmet.amount.value for area in ranking.order_areas(t, inside, "unmet", "internal")]
    assert values == sorted(values, reverse=True)


def test_a_row_says_number_interval_certainty_and_each_gap(current, t):
    area = judge_areas(current)["AL-02"]
    row = str(ranking.render_ranking(t, [area], {}, "internal"))
    amount, rank = area.unmet.amount, area.unmet.rank
    assert f"{t.format_number(amount.value)}</span>" in row
    assert f"{t.format_number(amount.low)} to {t.format_number(amount.high)}" in row
    assert f"<b>{rank.value}</b> <small>({rank.first}–{rank.last})</small>" in row
    assert row.count('title="') >= len(area.gaps) == 5


@pytest.mark.parametrize(("pathway", "name"), [("internal", "internal"), ("cross_border", "cross-border")])
def test_each_number_says_of_which_pathways_it_is(current, t, pathway, name):
    content = partner.make_content(t, current)
    rows = str(content.render_rows("AL", "unmet", pathway))
    assert "Not reached, a quarter <small>all pathways</small></th>" in rows
    assert f"Rate <small>{name} trafficking</small></th>" in rows
    assert content.key.unit.startswith("all pathways, a quarter")
    assert "children in need (all pathways) are not reached" in content.word_area("AL-11", pathway)


@pytest.mark.parametrize(("quarters", "head"), [(3, "Met, 3 quarters"), (1, "Met, 1 quarter"), (12, "Met, 3 years")])
def test_the_head_of_the_course_says_the_true_span(current, t, quarters, head):
    area = judge_areas(current)["AL-02"]
    history = ranking.History(("2008-03-01/P3M",) * quarters, (4.0,) * quarters)
    assert f">{head}</th>" in str(ranking.render_ranking(t, [area], {"AL-02": history}, "internal"))


def test_a_period_without_a_number_is_no_zero_in_the_course():
    history = ranking.History(("2008-03-01/P3M", "2008-06-01/P3M"), (float("nan"), 4.0))
    assert str(ranking.render_history(history)).count("<i class=none>") == 1


def test_names_on_the_map_never_collide_and_lie_at_home(current, t, monkeypatch):
    """Place the names again and look at the boxes that were taken."""
    placed = []
    has_room = picture._has_room

    def remember(box, taken, passed, whole):
        placed[:] = list(taken)
        return has_room(box, taken, passed, whole)

    monkeypatch.setattr(picture, "_has_room", remember)
    content = partner.make_content(t, current)
    drawn = str(picture.render_map(load_areas(current.release), content.marks, (), picture.render_key(content.key)))
    assert len(re.findall(r'class="names".*?</div>', drawn)) == 1
    assert len(placed) > 15
    for box, other in combinations(placed, 2):
        assert box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]


def find_starts(drawn):
    """Return where the arrows of a picture begin, each as two texts."""
    circle = r'<circle cx="([\d.]+)" cy="([\d.]+)" r="[\d.]+" fill="#0F6B66"'
    return re.findall(circle, unescape(drawn))


@pytest.mark.parametrize("answer", ["do", "optional", "keep"])
def test_arrows_are_drawn_only_where_moves_are_advised(current, t, monkeypatch, answer):
    usual = read_usual_plan(current)
    assert usual.moves
    plan = replace(usual, verdict=replace(usual.verdict, answer=answer))
    monkeypatch.setattr(partner, "read_usual_plan", lambda _current: plan)
    content, areas = partner.make_content(t, current), load_areas(current.release)
    drawn = str(picture.render_map(areas, content.marks, content.flows, picture.render_key(content.key)))
    units = Counter()
    for move in usual.moves:
        units[move.start, move.end] += move.units
    ways = units.most_common() if answer == "do" else []
    centres = find_centres(areas, {start for (start, _end), _units in ways})
    least = ways[min(len(ways), picture._MOST_ARROWS) - 1][1] if ways else 0
    listed = [(tuple(f"{part:.1f}" for part in centres[start]), count) for (start, _end), count in ways]
    starts = Counter(find_starts(drawn))
    assert starts.total() == min(len(ways), picture._MOST_ARROWS)
    assert Counter(start for start, count in listed if count > least) <= starts
    assert starts <= Counter(start for start, count in listed if count >= least)
    assert ("Arrows: the moves to make." in drawn) == (answer == "do")


def test_a_flow_from_a_place_that_is_not_known_is_no_arrow(current, t):
    content, areas = partner.make_content(t, current), load_areas(current.release)
    flows = [("AL-01", "AL-11", 1), ("ZZ-9", "AL-11", 1)]
    single, both = (str(picture.render_map(areas, content.marks, some, Markup(""))) for some in (flows[:1], flows))
    assert len(find_starts(single)) == 1
    assert single == both


@pytest.mark.slow
def test_the_advice_is_that_of_the_usual_settings_and_a_saved_plan_is_named_among_what_is_new(
    scored, current, tmp_path, monkeypatch
):
    derived = shutil.copytree(scored.derived, tmp_path / "derived")
    monkeypatch.setenv("TACT_DERIVED", str(derived))
    before = read_words(run())
    usual = read_usual_plan(current)
    verdict = replace(usual.verdict, answer="do", moved=40)
    saved = save_plan(derived, current.release, replace(usual, title="Forty <units>", verdict=verdict))
    after = read_words(run())
    author = replace(usual.author, date="2026-11-28")
    named = replace(usual, title="Do it, 28 November 2026", verdict=verdict, author=author)
    save_plan(derived, current.release, named)
    assert "Saved plan: “Do it, 28 November 2026”</b><span></span>" in read_words(run())
    lead = re.search(r'<div class="finding">.*?</div>', before, re.S).group(0)
    assert lead in after
    assert "Forty" not in before
    assert "Saved plan: “Forty &lt;units&gt;”" in after
    assert f'href="reallocate?plan={saved.address}&amp;pathway=all"' in after
    assert 'href="reallocate?pathway=all"' in lead


def test_the_plan_is_read_once_for_all_areas(current, monkeypatch):
    """Another checksum is another release, of which nothing is remembered."""
    other, read, reads = replace(current, checksum="read anew"), advice.read_plan, []

    def count(content):
        reads.append(content)
        return read(content)

    monkeypatch.setattr(advice, "read_plan", count)
    assert all(read_area_advice(other, code) is not None for code in judge_areas(other))
    assert len(reads) == 1


def test_hostile_names_are_escaped_on_the_map(current, t):
    content = partner.make_content(t, current)
    marks = {code: replace(mark, name=HOSTILE, words=HOSTILE) for code, mark in content.marks.items()}
    drawn = str(picture.render_map(load_areas(current.release), marks, (), picture.render_key(content.key)))
    assert "<img" not in drawn
    assert "&lt;img" in drawn


def test_without_an_earlier_release_the_page_says_so(current, t, site):
    assert open_earlier_release(site, current) is None
    listed = alerts.list_alerts(t, current, None)
    assert len(listed) <= 4
    assert listed[-1].calm
    assert "First release" in listed[-1].title


def test_an_older_release_is_never_compared_with_a_later_one(scored, tmp_path):
    """Three releases: each is compared with the one before it, whatever is newest."""
    releases = tmp_path / "releases"
    original = scored.releases / current_name(scored.releases)
    for number, name in enumerate(("2009-03-001", "2009-04-001", "2009-05-001"), start=1):
        folder = shutil.copytree(original, releases / name)
        for manifest in folder.glob("*/datapackage.json"):
            with edit_manifest(manifest) as described:
                described["tact"]["sequence"] = number
    site = Site(releases, "partner", derived=scored.derived)
    opened = [Release.open(releases, "partner", name) for name in sorted(path.name for path in releases.iterdir())]
    shown = [CurrentRelease(release, release.checksum, "partner") for release in opened]
    earlier = [open_earlier_release(site, release) for release in shown]
    assert [before and before.release.name for before in earlier] == [None, "2009-03-001", "2009-04-001"]


def test_a_rise_that_was_known_before_is_no_news(current, t, monkeypatch):
    judged = judge_areas(current)
    change = judged["GR-B"].changes["internal"]
    rising = {**judged, "GR-B": replace(judged["GR-B"], changes={"internal": replace(change, claim="rising")})}
    more = {**judged, "GR-B": replace(judged["GR-B"], changes={"internal": replace(change, claim="more")})}
    unsure = {**judged, "GR-B": replace(judged["GR-B"], changes={"internal": replace(change, claim="")})}
    earlier = replace(current, checksum="earlier")
    for before, is_new in ((more, False), (rising, False), (unsure, True)):
        monkeypatch.setattr(
            alerts, "judge_areas", lambda release, judgement=before: judgement if release is earlier else rising
        )
        titles = [alert.title for alert in alerts.list_alerts(t, current, earlier)]
        assert ("The rate rose in Central Macedonia" in titles) == is_new


def test_nothing_is_new_beside_the_same_release(current, t):
    listed = alerts.list_alerts(t, current, current)
    assert [alert.title for alert in listed] == ["Nothing new"]


def test_beside_another_alert_nothing_else_is_new(current, t, monkeypatch):
    review = PlanReview("plan-x", "Eight moves", "2009-02-001", "do", "keep", 0.4)
    monkeypatch.setattr(alerts, "read_plan_review", lambda _current: review)
    titles = [alert.title for alert in alerts.list_alerts(t, current, current)]
    assert titles == ["The plan “Eight moves” no longer holds", "Nothing else is new"]


def test_a_rise_of_what_was_not_judged_before_is_no_news(current, t, monkeypatch):
    judged = judge_areas(current)
    rising = replace(judged["GR-B"].changes["internal"], claim="rising", certainty="likely")
    now = {**judged, "GR-B": replace(judged["GR-B"], changes={"internal": rising})}
    before = {code: area for code, area in judged.items() if code != "GR-B"}
    earlier = replace(current, checksum="earlier")
    monkeypatch.setattr(alerts, "judge_areas", lambda release: before if release is earlier else now)
    assert not any("The rate rose" in alert.title for alert in alerts.list_alerts(t, current, earlier))


def test_an_area_is_an_alert_when_it_falls_silent_for_two_quarters(current, t, monkeypatch):
    """Two made frames: Vlorë is silent in both, Fier in one, and a place that is not judged in both."""
    first = pd.DataFrame({"state": ["not_searched", "number", "not_searched"]}, index=["AL-12", "AL-04", "GR-69"])
    last = first.assign(state="not_searched")
    earlier = replace(current, checksum="earlier")
    spoken = {"first": first.assign(state="number"), "last": last}
    frames = {current: {"first": first, "last": last}, earlier: spoken}
    judged = judge_areas(current)
    monkeypatch.setattr(current_release, "read_series", lambda release, *_rest: frames[release])
    monkeypatch.setattr(alerts, "judge_areas", lambda _release: judged)
    (alert, _rest) = alerts.list_alerts(t, current, earlier)
    assert alert.title == f"{t.name_area('AL-12')}: not searched for two quarters"
    assert alert.link == "map?layer=effort&area=AL-12"
    assert not alert.calm
    frames[earlier] = frames[current]
    assert [alert.title for alert in alerts.list_alerts(t, current, earlier)] == ["Nothing new"]


def test_a_release_without_a_risk_result_is_nothing_to_compare_with(current, t, monkeypatch):
    earlier = replace(current, checksum="earlier")
    monkeypatch.setattr(alerts, "judge_areas", lambda release: {} if release is earlier else judge_areas(current))
    listed = alerts.list_alerts(t, current, earlier)
    assert not any("New" in alert.title for alert in listed)
    assert "tact risk was not run" in listed[-1].detail


@pytest.mark.parametrize(("now_has", "before_has"), [(True, False), (False, True), (False, False)])
def test_either_release_may_have_no_risk_result(current, t, now_has, before_has):
    """Nothing is new beside what is not known, and nothing is told of a release that was never judged."""
    bare = replace(current, release=replace(current.release, added=()), checksum="bare", added=())
    listed = alerts.list_alerts(t, current if now_has else bare, current if before_has else bare)
    assert all("Gap, " in alert.title for alert in listed[:-1])
    assert bool(listed[:-1]) == (now_has and not before_has)
    assert listed[-1].calm
    assert ("No risk of release" in listed[-1].title) == (not before_has)


@pytest.mark.parametrize(("then", "is_new"), [("none", True), ("withheld", False), ("cannot_tell", False)])
def test_only_where_there_was_no_gap_a_gap_is_new(current, t, monkeypatch, then, is_new):
    judged = judge_areas(current)
    code, axis = next((c, axis) for c, area in judged.items() for axis, gap in area.gaps.items() if gap == "gap")
    before = {**judged, code: replace(judged[code], gaps={**judged[code].gaps, axis: then})}
    earlier = replace(current, checksum="earlier")
    monkeypatch.setattr(alerts, "judge_areas", lambda release: before if release is earlier else judged)
    assert any("New gap" in alert.title for alert in alerts.list_alerts(t, current, earlier)) == is_new


def test_a_new_gap_and_a_new_rise_are_alerts(current, t, monkeypatch):
    judged = judge_areas(current)
    code, axis = next((c, axis) for c, area in judged.items() for axis, gap in area.gaps.items() if gap == "gap")
    before = dict(judged)
    before[code] = replace(judged[code], gaps={**judged[code].gaps, axis: "none"})
    rising = replace(judged["GR-B"].changes["internal"], claim="rising", certainty="likely")
    now = {**judged, "GR-B": replace(judged["GR-B"], changes={"internal": rising})}
    earlier = replace(current, checksum="earlier")
    monkeypatch.setattr(alerts, "judge_areas", lambda release: before if release is earlier else now)
    words = " ".join(f"{alert.title} {alert.link}" for alert in alerts.list_alerts(t, current, earlier))
    assert t.name_area(code) in words
    assert "The rate rose in Central Macedonia" in words
    assert "pathway=internal" in words


def test_a_plan_that_no_longer_holds_comes_first(current, t, monkeypatch):
    review = PlanReview("plan-x", "Eight moves", "2009-02-001", "do", "keep", 0.4)
    monkeypatch.setattr(alerts, "read_plan_review", lambda _current: review)
    first = alerts.list_alerts(t, current, current)[0]
    assert "Eight moves" in first.title
    monkeypatch.setattr(alerts, "read_plan_review", lambda _current: replace(review, now="do"))
    assert all("Eight moves" not in alert.title for alert in alerts.list_alerts(t, current, current))


def test_list_and_card_are_of_the_pathway_that_is_asked_for(current, t):
    content = partner.make_content(t, current)
    code, country = next(iter(content.areas.items()))
    rows, cards = zip(
        *(
            (overview._render_rows(current, pathway, country, "rate"), content.word_area(code, pathway))
            for pathway in ("internal", "cross_border")
        ),
        strict=True,
    )
    assert rows[0] != rows[1]
    assert cards[0] != cards[1]


def test_the_public_tier_says_what_public_numbers_can(scored, monkeypatch):
    monkeypatch.setenv("TACT_TIER", "public")
    words = read_words(run())
    assert "<ul class=words>" in words
    assert "by public numbers" in words
    assert "on the partner tier" in words
    assert "not reached" not in words
    site = Site(scored.releases, "public", derived=scored.derived)
    current = current_release.open_current_release(site)
    content = public.make_content(Speech("en", load_areas(current.release)), current)
    assert set(list_rows(content.render_rows("AL", "class", "internal"))) == {
        c for c, land in content.areas.items() if land == "AL"
    }


def test_dots_of_gaps_and_white_areas_have_a_legend(current, t):
    content = partner.make_content(t, current)
    foot = str(content.render_rows("AL", next(iter(content.orders)), "internal")).partition("<tfoot>")[2]
    assert re.findall(r'<i class="(\w+)"></i> ([\w ]+)<', foot) == [
        ("gap", "gap"),
        ("none", "no gap"),
        ("cannot_tell", "cannot tell"),
        ("withheld", "withheld"),
    ]
    white = {"GR-69"} - set(content.marks)
    assert ("White: no figure." in content.key.notes) == bool(white)


def test_text_below_the_list_explains_ranks_and_bars_that_are_there(current, t):
    """What only a pointer finds is found neither with a keyboard nor on a phone."""
    inside = [area for area in judge_areas(current).values() if area.country == "AL"]
    ranks = [area.unmet.rank.value for area in inside]
    assert len(set(ranks)) < len(ranks)
    foot = str(partner.make_content(t, current).render_rows("AL", "unmet", "internal")).partition("<tfoot>")[2]
    assert "Same rank: too close to order." in foot
    assert "Children met: each row has its own scale." in foot
    bare = str(ranking.render_ranking(t, [replace(area, unmet=None) for area in inside], {}, "internal"))
    assert "Same rank" not in bare
    assert "own scale" not in bare


def test_before_tact_risk_the_page_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("TACT_DERIVED", str(tmp_path))
    words = read_words(run())
    assert "has not been calculated" in words
    assert "tact risk" in words
    assert re.search(r"Do it|Optional|Keep things as they are", words)  # as Reallocate
    basis = "For this advice alone, this page calculated the model from this release."
    assert basis in words
    monkeypatch.setattr(overview, "compute_usual_plan", lambda _current: None)
    assert basis not in read_words(run())


def test_without_a_release_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    assert "tact release" in read_words(run())
