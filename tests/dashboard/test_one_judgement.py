"""No two pages give two numbers for one thing: every statement of every page on every area, against the one judgement.

Each check runs in all three languages, and must fail where a contradiction is planted in the judgement. Two more
invented worlds are built for it by the long tests, small and with other seeds.
"""

import re
from dataclasses import replace

import pytest

from dashboard import briefing
from dashboard.briefing.document import FirstPage
from dashboard.map.view import parse_address, settle_view
from dashboard.narrative import area as words
from dashboard.narrative import moves, plan
from dashboard.narrative.judgement import (
    judge_areas,
    read_area_advice,
    read_country_changes,
    read_needs,
    read_shifts,
    read_usual_plan,
)
from dashboard.narrative.risk import name_certainty, name_claim, name_pathways
from dashboard.narrative.speech import LANGUAGES, PATHWAYS, Speech
from dashboard.pages.coverage import summary as coverage
from dashboard.pages.flows import summary as flows
from dashboard.pages.overview import partner
from dashboard.pages.reallocate import planner
from dashboard.pages.reallocate import summary as reallocate
from dashboard.pages.risk import summary as risk
from dashboard.pages.situation import summary as situation
from dashboard.pages.trends import summary as trends
from dashboard.site import Site, current_release
from dashboard.site.current_release import load_areas
from dashboard.site.text import _, format_number, speak
from risk.planning.inputs import Setting
from risk.planning.summary import Author
from tests.helpers import plans
from tests.helpers.nonempty import nonempty
from tests.helpers.quick import use_few_draws, use_few_worlds

WORLDS = ["demo", *(pytest.param(seed, marks=pytest.mark.long) for seed in (12, 13))]
GAPS = {"gap": "gap", "none": "no gap", "cannot_tell": "cannot tell", "withheld": "withheld"}
NAMED = ("very_high", "high", "above", "low")  # claims whose areas a sentence names
CITIES = ("AL-02", "AL-11")


@pytest.fixture(scope="module", params=WORLDS)
def folder(request, demo_world, shared):
    """Return the workspace of a world; the small ones are built once for all runs that share a folder."""
    if request.param == "demo":
        return demo_world
    from dashboard.commands import demo

    place = shared / f"small-world-{request.param}"
    if not (place / "derived").exists():
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(shared / "small-config"))
            patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
            use_few_worlds(patch)
            use_few_draws(patch)
            patch.setattr(demo, "reconstruct_forecasts", lambda *_: None)  # no page compares them here
            demo.build_demo(place, seed=request.param, children=500)
    return place


@pytest.fixture(scope="module")
def current(folder):
    return current_release.open_current_release(Site(folder / "releases", "partner", derived=folder / "derived"))


@pytest.fixture(params=LANGUAGES)
def t(current, request):
    """Return the speech in a language, which the pages speak, too."""
    with speak(request.param):
        yield Speech(request.param, load_areas(current.release))


@pytest.fixture(scope="module")
def judged(current):
    areas = judge_areas(current)
    assert len(areas) == 25
    return areas


def list_overview_rows(t, current):
    """Return the rows of the list of the Overview as markup, by area."""
    content = partner.make_content(t, current)
    markup = "".join(str(content.render_rows(land, "unmet", "internal")) for land in content.countries)
    return dict(re.findall(r'<tr data-area="([^"]+)"(.*?)</tr>', markup, re.S))


def write_briefing(t, current, most=99):
    """Return the sentences of the briefing on the situation, and on what changed."""
    document = briefing._open_document(plans.saved(current.release.name), current.release, t.language)
    first = document.write_first_page(FirstPage(9.0, 1, most, most))
    return first["situation"]["items"], first["changes"]["items"]


def find_level(sentences, t, country, pathway):
    """Return the sentence on the rates of a country and pathway."""
    head = t("{country}, {pathway}", country=t.name_area(country), pathway=t.name_pathway(pathway))
    (sentence,) = (text for text in sentences if text.startswith(f"{head}: ") and "×" in text)
    return sentence


def check_risk_page(current, t, judged):
    for code, area in judged.items():
        for pathway, rate in area.rates.items():
            statement = risk.explain_statement(current, pathway, code)
            assert words.word_unmet(t, area) in statement
            assert words.word_change(t, area.changes[pathway]) in statement
            assert words.word_burden(t, area, pathway) in statement
            value, low, high = (t.format_number(number, 2) for number in (rate.value, rate.low, rate.high))
            whole = _("{value} ({low} to {high})", value=_("{value} times", value=value), low=low, high=high)
            assert whole in [text for _words, text in risk.list_reasons(current, pathway, code)]


def check_table_of_rates_and_overview(current, t, judged):
    rows = list_overview_rows(t, current)
    assert set(rows) == set(judged)
    pathway = next(iter(name_pathways()))
    table = risk.tabulate_rates(current, pathway).set_index(_("Area"))
    for code, area in judged.items():
        row, rate = table.loc[t.name_area(code)], area.rates[pathway]
        assert row[_("Rate compared with the national average")] == round(rate.value, 2)
        assert (row[_("Rate")], row[_("Certainty")]) == (name_claim(rate.claim), name_certainty(rate.certainty))
        value, low, high = (t.format_number(number, 2) for number in (rate.value, rate.low, rate.high))
        interval = _(
            "{value} times the national average (95 % interval {low} to {high}), whole time",
            value=value,
            low=low,
            high=high,
        )
        title = ". ".join(filter(None, (interval, words.word_tipping(t, rate))))
        assert f'<span title="{title}">{name_claim(rate.claim)} <small>' in rows[code]
        assert f'class="number">{t.format_number(area.unmet.amount.value)}<' in rows[code]
        for axis, gap in area.gaps.items():
            assert f"{t.name_kind(axis)}: {_(GAPS[gap])}" in rows[code]


def check_briefing(current, t, judged):
    """Each area that the briefing names has there the rate of the judgement, and all others are counted."""
    levels, _changes = write_briefing(t, current)
    for country in ("AL", "GR"):
        for pathway in PATHWAYS:
            sentence = find_level(levels, t, country, pathway)
            inside = [area for area in judged.values() if area.country == country]
            figures = dict(re.findall(r"(?:: |, )([^,:(]+) \(([\d.,]+)×", sentence))
            rates = {t.name_area(area.area): area.rates[pathway] for area in inside}
            wanted = {name: t.format_number(r.value, 2) for name, r in rates.items() if r.claim in NAMED}
            assert figures == wanted
            for name, rate in rates.items():
                if rate.claim in NAMED:
                    point = t.format_number(rate.tipping, 2)
                    tips = t(", tips at {factor}×", factor=point) if rate.tipping == rate.tipping else ""
                    assert f"{name} ({wanted[name]}×, {name_certainty(rate.certainty)}{tips})" in sentence
            unsure = sum(not rate.claim for rate in rates.values())
            count = t("Cannot tell: {unsure} of {all} areas.", unsure=unsure, all=len(rates))
            assert (count in sentence) == (unsure > 0)


def check_changes_in_briefing(current, t, judged):
    _levels, changes = write_briefing(t, current)
    known = [(code, *item) for code, area in judged.items() for item in area.changes.items()]
    known += [
        (code, *item)
        for code, country_changes in read_country_changes(current).items()
        for item in country_changes.items()
    ]
    for place, pathway, change in known:
        head = f"{t.name_area(place)}, {t.name_pathway(pathway)}: "
        sentences = [sentence for sentence in changes if sentence.startswith(head)]
        is_country = place in ("AL", "GR")
        assert bool(sentences) == (bool(change.claim) if is_country else change.claim in RISEN)
        assert all(words.word_change_in(t, place, pathway, change) in sentence for sentence in sentences)


RISEN = ("rising", "more", "falling", "less")


def check_map_panel(current, t, judged):
    areas = load_areas(current.release)
    for code, area in judged.items():
        view = settle_view(parse_address({"layer": "risk", "area": code}), current, areas.table)
        panel = str(situation.render_panel(current, view))
        assert words.word_unmet(t, area) in panel
        assert words.word_rate(t, area.rates["internal"], "internal") in panel
        assert words.word_area_advice(t, read_area_advice(current, code)) in panel


def check_trends(current, t, judged):
    for code, area in judged.items():
        sentences = trends.list_changes(current, code)
        for pathway, change in area.changes.items():
            latest = [sentence for sentence in sentences if sentence.startswith(f"{name_pathways()[pathway]}: ")]
            assert len(latest) == 1
            assert words.word_change(t, change) in latest[0]


def check_shifts(current, t, judged):
    """Share before and after: in the sentences of the Risk page and of the briefing, and in the answer of Overview."""
    answer = " ".join(f"{finding.lead} {finding.detail}" for finding in partner.make_content(t, current).findings)
    pages = risk.list_headlines(current), write_briefing(t, current)[1]
    for code in CITIES:
        shift = judged[code].share
        before, after = (t.format_percent(share / 100) for share in (shift.before, shift.after))
        assert re.search(rf"\b{re.escape(before)}\D+{re.escape(after)}", answer)
        for page in pages:
            (sentence,) = (text for text in page if text.startswith(f"{t.name_area(code)}: "))
            assert sentence.index(before) < sentence.index(after)


def check_flows(current, t, judged):
    shares = flows.read_shares(current)
    for code in CITIES:
        years, shift = shares.loc[shares["place"] == t.name_area(code), "share"], judged[code].share
        assert (years.iloc[0], years.iloc[-1]) == (shift.before, shift.after)


def check_need(current, t, judged):
    """Children in need on Coverage, on Reallocate and in the briefing."""
    needs, summary = read_needs(current), read_usual_plan(current)
    assert needs == {code: area.need.value for code, area in judged.items()}
    covered = coverage.tabulate_access(current, "all").set_index(_("Area"))[_("Children in need")]
    table = reallocate.tabulate_areas(t, summary, needs)
    moved = table.set_index(_("County or region"))[_("Children in need per quarter")]
    changed = {row[0]: row[1] for row in moves.tabulate_changed_areas(t, summary, 99, needs)}
    wanted = {t.name_area(code): area.need.value for code, area in judged.items()}
    assert changed
    assert set(covered.index) == set(moved.index) == set(wanted) >= set(changed)
    for name, need in wanted.items():
        assert covered[name].startswith(f"{format_number(need)} (")
        assert moved[name] == t.format_number(need)
    assert changed == {name: t.format_number(wanted[name]) for name in changed}


def check_gaps(current, t, judged):
    for axis in next(iter(judged.values())).gaps:
        table = coverage.tabulate_access(current, f"axis-{axis}")
        answers = dict(zip(table[_("Area")], table[_("Gap")], strict=True))
        assert {t.name_area(code): _(GAPS[area.gaps[axis]]) for code, area in judged.items()} == answers


CHECKS = (
    check_risk_page,
    check_table_of_rates_and_overview,
    check_briefing,
    check_changes_in_briefing,
    check_map_panel,
    check_trends,
    check_shifts,
    check_flows,
    check_need,
    check_gaps,
)


@pytest.mark.always(
    "demo-el-check_risk_page",
    "demo-el-check_table_of_rates_and_overview",
    "demo-el-check_briefing",
    "demo-el-check_changes_in_briefing",
    "demo-el-check_map_panel",
    "demo-el-check_trends",
    "demo-el-check_shifts",
    "demo-el-check_flows",
    "demo-el-check_need",
    "demo-el-check_gaps",
)
@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_every_page_says_the_judgement_in_every_language(check, current, t, judged):
    check(current, t, judged)


def contradict(area):
    """Return a judgement of an area of which every number and word is another."""

    def shift(estimate, claim):
        return replace(estimate, value=1.07 * estimate.value + 0.1, claim=claim if estimate.claim != claim else "")

    def more(amount):
        return replace(amount, value=1.5 * amount.value + 1)

    other = {"gap": "none", "none": "gap", "cannot_tell": "gap", "withheld": "gap"}
    return replace(
        area,
        rates={name: shift(rate, "high") for name, rate in area.rates.items()},
        changes={name: shift(change, "rising") for name, change in area.changes.items()},
        burdens={name: replace(burden, amount=more(burden.amount)) for name, burden in area.burdens.items()},
        need=more(area.need),
        unmet=replace(area.unmet, amount=more(area.unmet.amount)),
        share=area.share and replace(area.share, before=area.share.before + 4, after=area.share.after + 4),
        gaps={axis: other[gap] for axis, gap in area.gaps.items()},
    )


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("t", ["en"], indirect=True)
def test_each_check_finds_a_contradiction_in_one_area(check, current, t, judged):
    """Of Durrës alone every page says something else than the judgement."""
    with pytest.raises((AssertionError, ValueError)):
        check(current, t, {**judged, "AL-02": contradict(judged["AL-02"])})


@pytest.mark.parametrize("number", ["value", "low", "high"])
@pytest.mark.parametrize("t", ["el"], indirect=True)
def test_a_rate_that_is_another_in_its_second_decimal_is_found(current, t, judged, number):
    area = judged["GR-B"]
    rate = area.rates["internal"]
    rates = {**area.rates, "internal": replace(rate, **{number: getattr(rate, number) + 0.01})}
    other = {**judged, "GR-B": replace(area, rates=rates)}
    for check in (check_risk_page, check_table_of_rates_and_overview, check_map_panel):
        with pytest.raises(AssertionError):
            check(current, t, other)


def test_areas_without_a_rate_are_named_on_both_pages(current, t, judged):
    table = load_areas(current.release).table
    others = [code for code in table.index[table["level"] == "region"] if code not in judged]
    content = partner.make_content(t, current)
    markup = "".join(str(content.render_rows(land, "unmet", "internal")) for land in content.countries)
    assert others
    assert all(t.name_area(code) in risk.name_unjudged(current) and t.name_area(code) in markup for code in others)


def test_communities_stand_never_beside_need(current, t, judged):
    areas = load_areas(current.release)
    for code, area in nonempty(judged.items()):
        beside = settle_view(parse_address({"layer": "communities", "area": code}), current, areas.table)
        assert words.word_unmet(t, area) not in str(situation.render_panel(current, beside))


def test_both_cities_have_a_share_of_their_own_and_one_together(current, judged):
    shifts = read_shifts(current)
    assert set(shifts) == {(code,) for code in CITIES} | {CITIES}
    assert all(judged[code].share == shifts[(code,)] for code in CITIES)


@pytest.mark.slow
def test_the_plan_of_the_first_screen_is_that_of_reallocate(current, judged):
    usual = read_usual_plan(current)
    author = Author("programme manager", "2026-11-26")
    shown = planner.compute_plan(current, "", Setting(), (), author, title="x")
    assert (shown.verdict, shown.moves, shown.coverage) == (usual.verdict, usual.moves, usual.coverage)
    assert shown.moves
    for code in judged:
        advice = read_area_advice(current, code)
        assert advice.leaving == sum(move.units for move in shown.moves if move.start == code)
        assert advice.coming == sum(move.units for move in shown.moves if move.end == code)


@pytest.mark.parametrize("answer", ["do", "optional", "keep"])
def test_no_figure_sounds_like_moves_under_the_advice_to_change_nothing(current, t, judged, answer):
    usual = read_usual_plan(current)
    assert usual.moves
    summary = replace(usual, verdict=replace(usual.verdict, answer=answer))
    labels = [figure.label for figure in plan.list_figures(t, summary)]
    considered = answer == "keep"
    assert considered == (t("Teams and services considered") in labels)
    assert considered != (t("Teams and services that move") in labels)
    advised = t("The plan advises: {moved}.", moved="\0").partition("\0")[0]
    for code in judged:
        advice = replace(read_area_advice(current, code), answer=answer)
        moved = bool(advice.leaving or advice.coming)
        assert words.word_area_advice(t, advice).startswith(advised) == (moved and answer == "do")
