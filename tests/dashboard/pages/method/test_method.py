"""The Method page shows the numbers of this release and the limits of the data."""

from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.commands import forget
from dashboard.narrative import attacks
from dashboard.pages.method import costs, summary
from dashboard.site.text import LANGUAGE_NAMES
from data.disclosure.cost import compute_cost
from data.release import Release
from data.tables.spec import CATEGORIES, TIERS
from tests.helpers import small_release
from tests.helpers.audit_reports import write as write_report
from tests.helpers.pages import count_words, read_unfolded, speak_on_pages
from tests.helpers.pages import open_page as open_scored


def page():
    from dashboard.pages import method

    method.show()


def open_page(monkeypatch, releases, tier, derived=""):
    monkeypatch.setenv("TACT_RELEASES", str(releases))
    monkeypatch.setenv("TACT_TIER", tier)
    monkeypatch.setenv("TACT_DERIVED", str(derived))
    return AppTest.from_function(page, default_timeout=60).run()


def words(test):
    return " ".join([element.proto.body for element in test.get("html")] + [fold.label for fold in test.expander])


@pytest.fixture(scope="module")
def demo(demo_world):
    return demo_world / "releases"


@pytest.mark.always("public")
@pytest.mark.slow
@pytest.mark.parametrize("tier", ["partner", "public"])
def test_the_page_tells_the_whole_way(demo, monkeypatch, tier):
    test = open_page(monkeypatch, demo, tier)
    assert not test.exception
    text = words(test)
    for part in (
        "From a record to a number",
        "What the data are not",
        "Protection of children and communities",
        "a published count of children is at most 5 too high or too low",
        "An adjusted one may be farther away",
        "drawn once, when the year is final, and never changed",
        "of the land falls in the right municipality",
        "Approximate boundaries",
        "The programme&#39;s year begins in June",
        "They are not the number of trafficked children",
        "Census of Albania 2011",
        "CC-BY 4.0 (GeoNames)",
    ):
        assert part in text, part
    assert test.code[0].value.startswith("TACT Map, release")


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("language", LANGUAGE_NAMES)
def test_questions_have_short_answers_and_all_else_is_folded(scored, monkeypatch, tier, language):
    speak_on_pages(monkeypatch, language)
    test = open_scored(monkeypatch, scored, "method", tier)
    text = read_unfolded(test)
    questions = [element.proto.body for element in test.get("html") if "question" in element.proto.body]
    assert len(questions) == 9
    assert 100 < count_words(text) <= 250, text


def test_a_question_is_answered_in_the_open_and_explained_in_a_fold(scored, monkeypatch):
    text = read_unfolded(open_scored(monkeypatch, scored, "method"))
    assert "Can a child be recognised?" in text
    assert "protected, not anonymous" in text
    assert "no exact ranking of areas (read the interval of a rank)" in text
    assert "Who already knows" not in text
    folds = {fold.label for fold in open_scored(monkeypatch, scored, "method").expander}
    assert {"The words for certainty", "Access to services", "Citation", "Layers"} <= folds


def test_an_attack_that_succeeded_is_told_in_the_open(demo, monkeypatch, tmp_path):
    release = Release.open(demo, "public")
    write_report(tmp_path, release, findings=[{"attack": "bounds", "table": "t", "cell": {}, "reason": "is known"}])
    text = read_unfolded(open_page(monkeypatch, demo, "public", tmp_path))
    assert "An attack succeeded: do not give this release or its files to anybody." in text
    assert "is not shown" not in text


def test_what_is_said_of_forgetting_is_what_the_command_does():
    text = " ".join(summary.list_protections())
    assert "The data officer can delete all records of a child" in text
    assert "Published numbers of final years stay as they are." in text
    assert "Published numbers of final years stay as they are." in forget._PUBLISHED


def test_sources_are_named_as_people_know_them(demo):
    sources = summary.tabulate_sources(Release.open(demo, "public"))
    assert not sources.map(lambda text: any(word in text for word in ("npm", "scripts/", ".py"))).any(axis=None)
    assert (sources[["Source", "Licence"]] != "").all(axis=None)
    assert "Census of Albania 2023" in sources.set_index("What").loc["Published figures", "Source"]


def test_a_figure_with_markup_as_its_source_shows_as_text(tmp_path, monkeypatch):
    hostile = "<img src=x onerror=alert(1)>"
    row = ("AL-01", "2011-01-01/P1Y", "roma", 7.0, None, hostile, 2011, "read", hostile)
    small_release.make(tmp_path, "public", more_figures=[row])
    test = open_page(monkeypatch, tmp_path, "public")
    assert not test.exception
    assert hostile not in words(test)
    assert "&lt;img src=x onerror=alert(1)&gt;" in words(test)


def test_the_tier_decides_what_is_said_of_small_numbers(demo):
    public, partner = (" ".join(summary.describe_noise(Release.open(demo, tier))) for tier in ("public", "partner"))
    k = Release.open(demo, "public").k
    assert f"A count of children below {k} is not shown" in public
    assert "protected, not anonymous" in partner


def test_the_picture_of_the_noise_is_the_published_table(demo):
    rows = summary.read_noise(Release.open(demo, "public"))
    chances = rows[rows["true"] == 1].set_index("shown")["chance"]
    assert chances[0] == pytest.approx(0.52, abs=0.005)
    for true in (1, 4, 12):
        shown = rows[rows["true"] == true]
        assert shown["chance"].sum() == pytest.approx(1)
        assert (shown["shown"] * shown["chance"]).sum() == pytest.approx(true, abs=1e-6)
        assert (shown["shown"] >= 0).all()


def test_shares_shown_and_hidden_of_a_table_add_up(demo):
    for tier in ("partner", "public"):
        table = summary.tabulate_hidden(Release.open(demo, tier))
        numbers = table.select_dtypes("number")
        assert len(table) > 20
        assert (numbers.sum(axis=1) - 100).abs().max() < 0.5


def test_every_breakdown_has_a_name_for_people():
    assert set(summary._BREAKDOWNS) == {*CATEGORIES, "origin"}


def test_a_release_of_figures_alone_has_a_page_too(tmp_path, monkeypatch):
    small_release.make(tmp_path, "public", tables={})
    test = open_page(monkeypatch, tmp_path, "public")
    assert not test.exception


def test_without_a_release_the_page_says_what_to_do(tmp_path, monkeypatch):
    test = open_page(monkeypatch, tmp_path, "partner")
    assert not test.exception
    assert "There is no release to show yet" in words(test)


# -- what protection costs ------------------------------------------------------------------------------


def test_the_page_tells_what_protection_costs_with_this_releases_numbers(demo, monkeypatch):
    cost = compute_cost(Release.open(demo, "public"))
    test = open_page(monkeypatch, demo, "public")
    text = words(test).replace("\N{NO-BREAK SPACE}", " ")
    assert "What protection costs" in text
    region = cost[(cost["level"] == "region") & (cost["grain"] == "year")].set_index("country")
    for code, where in (("AL", "Albania by county"), ("GR", "Greece by region")):
        hidden = 100 * region.loc[code, "hidden"]
        share = f"{hidden:.0f} %" if hidden >= 10 else f"{hidden:.1f} %"
        assert f"about {share} (" in text
        assert f"about {share} of the children identified or met" in text or f"about {share} in Greece" in text
        assert f"{where}, each year" in text
        shown, cells = round(region.loc[code, "cells"] * region.loc[code, "shown"]), region.loc[code, "cells"]
        assert f"{shown} of {cells} (" in text
    assert "1.1 children, " in text
    assert "this is an estimate" in text
    assert "Albania by municipality" not in text


def test_partners_are_told_how_exact_small_numbers_are(demo, monkeypatch):
    table = costs.tabulate_costs(compute_cost(Release.open(demo, "partner"))).set_index("Area level and period")
    assert list(table) == ["Numbers shown", "Typical error"]
    assert len(table) == 18
    large, small = table["Typical error"][["Albania, whole programme", "Greece by municipality, each quarter"]]
    assert float(large.partition(", ")[2].removesuffix("\N{NO-BREAK SPACE}%")) < 0.5
    assert int(small.partition(", ")[2].removesuffix("\N{NO-BREAK SPACE}%")) > 20
    text = words(open_page(monkeypatch, demo, "partner"))
    assert "this is an estimate" not in text
    assert "or “not searched”; a few numbers are withheld" in text


def test_a_share_that_is_not_known_or_none_is_told_in_words(demo):
    cost = compute_cost(Release.open(demo, "public"))
    table = costs.tabulate_costs(cost).set_index("Area level and period")["Children in numbers that are not shown"]
    assert table["Greece, each year"] == "none"
    unknown = cost.assign(hidden=float("nan"), hidden_low=float("nan"), hidden_high=float("nan"))
    assert "Children in numbers that are not shown" not in costs.tabulate_costs(unknown)
    assert "away from the true number" in costs.format_headline(unknown)
    assert costs.format_headline(cost[cost["country"] == "AL"]) == ""


# -- what an attacker could still learn -----------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
def test_without_an_audit_the_page_tells_of_the_releases_own_check(demo, monkeypatch, tmp_path, tier):
    for derived in ("", tmp_path, tmp_path / "nowhere"):
        text = words(open_page(monkeypatch, demo, tier, derived))
        assert "What an attacker could still learn" in text
        assert "The product attacked this release as below before it was published. No attack" in text
        assert "Bounds and differencing: calculate hidden numbers from sums, differences and earlier releases" in text
        assert "tact audit" in text
        assert "The data officer attacked" not in text
    assert ("fewer than 11, possibly none” knows that at most 15 children" in text) == (tier == "public")


def test_the_newest_audit_is_told_with_its_day_and_what_it_tried(demo, monkeypatch, tmp_path):
    release = Release.open(demo, "public")
    write_report(tmp_path, release, "2026-11-20T10:00:00Z")
    write_report(tmp_path, release, "2026-11-24T10:00:00Z", checks=[{"attack": name} for name in attacks.TRIED])
    text = words(open_page(monkeypatch, demo, "public", tmp_path))
    assert "The data officer attacked this release as below on 2026-11-24. No attack succeeded" in text
    for tried in attacks.TRIED.values():
        assert tried[1:] in text
    assert text.count(">Held<") == len(attacks.TRIED)
    assert "tact audit" not in text


@pytest.mark.parametrize(("advantage", "more", "right"), [(0.22, 11, 61), (0.2539, 13, 63), (0.0, 0, 50)])
def test_the_advantage_is_told_as_guesses_beside_a_coin(demo, monkeypatch, tmp_path, advantage, more, right):
    check = {"attack": "membership", "all_numbers": 0.1, "all_numbers_high": advantage}
    write_report(tmp_path, Release.open(demo, "public"), checks=[check])
    text = words(open_page(monkeypatch, demo, "public", tmp_path))
    sentence = f"right at most about {more} times in 100 more often than by tossing a coin: {right} times instead"
    assert sentence in text


def test_what_stronger_attackers_gain_is_said_beside_it(demo, monkeypatch, tmp_path):
    stronger = {"two_siblings": 0.46, "three_siblings": 0.63, "half_known": 0.27, "all_others_known": 0.74}
    check = {"attack": "membership", "all_numbers_high": 0.22, **{f"all_numbers_{w}": v for w, v in stronger.items()}}
    write_report(tmp_path, Release.open(demo, "public"), checks=[check])
    text = words(open_page(monkeypatch, demo, "public", tmp_path))
    assert "is right about 73 times in 100; for three siblings, 82 times" in text
    assert "is right about 64 times; with all of them known, 87 times" in text


def test_on_the_partner_tier_the_advantage_is_measured_and_not_bounded(demo, monkeypatch, tmp_path):
    write_report(tmp_path, Release.open(demo, "partner"))
    text = words(open_page(monkeypatch, demo, "partner", tmp_path))
    assert "right about 10 times in 100 more often than by tossing a coin: 60 times instead" in text
    assert "With the numbers of municipalities it may be more" in text
    assert ">Measured<" in text
    assert "“Measured” means" in text


@pytest.mark.parametrize("tier", TIERS)
def test_an_audit_of_the_other_tier_is_never_shown(demo, monkeypatch, tmp_path, tier):
    other = {"public": "partner", "partner": "public"}[tier]
    write_report(tmp_path, Release.open(demo, other))
    text = words(open_page(monkeypatch, demo, tier, tmp_path))
    assert "The data officer attacked" not in text
    assert "tact audit" in text


def test_what_was_found_is_told_without_places_and_counts(demo, monkeypatch, tmp_path):
    cell = {"area": "AL-11", "period": "2026"}
    findings = [
        {"attack": "bounds", "table": f"table_{n}", "cell": cell, "reason": "is known to within <i>"} for n in range(37)
    ]
    write_report(tmp_path, Release.open(demo, "public"), findings=findings)
    test = open_page(monkeypatch, demo, "public", tmp_path)
    text = words(test)
    assert "An attack succeeded: do not give this release or its files to anybody." in text
    assert text.count("Found: is known to within &lt;i&gt;.") == 1
    assert ">Succeeded<" in text
    assert "No attack succeeded" not in text
    (body,) = (element.proto.body for element in test.get("html") if "attacked this release" in element.proto.body)
    assert not set("0123456789") & set(unescape(body).replace("2026-11-24", "")), "neither places nor counts"
    assert "table_" not in text


def test_a_check_that_the_release_did_not_pass_is_not_told_as_held(tmp_path):
    release = small_release.make(tmp_path, "public")
    checks = [{"name": "bounds", "passed": False}, {"name": "averaging", "passed": True}, "x"]
    release.manifest["tact"]["audit"] = {"passed": False, "checks": checks}
    assert "An attack succeeded" in attacks.describe_check(release)[0]
    assert list(attacks.tabulate_results(attacks.read_own_checks(release))["Result"]) == ["Succeeded", "Held"]
    release.manifest["tact"]["audit"] = None
    assert attacks.describe_check(release) == []


def test_a_page_drawn_again_makes_no_table_of_layers_and_no_chart_again(monkeypatch, scored):
    opened = open_scored(monkeypatch, scored, "method")
    calls = []
    for name in ("tabulate_layers", "draw_chances"):
        monkeypatch.setattr(summary, name, lambda *_a, name=name: calls.append(name))
    opened.run()
    assert not opened.exception
    assert calls == []
