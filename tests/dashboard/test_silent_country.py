"""A programme that has begun in Albania alone: nothing is known of Greece, and nothing there has a number of risk."""

import io
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from filelock import FileLock
from pypdf import PdfReader

from dashboard import briefing
from dashboard.map.atlas import describe_atlas
from dashboard.map.values import STATE_CODES
from dashboard.map.view import parse_address, settle_view
from dashboard.narrative.judgement import judge_areas, read_country_changes, read_needs, read_usual_plan
from dashboard.narrative.speech import LANGUAGES, PATHWAYS, Speech
from dashboard.pages.coverage import summary as coverage
from dashboard.pages.risk import rates
from dashboard.pages.risk import summary as risk
from dashboard.pages.situation import summary as situation
from dashboard.pages.trends import cells
from dashboard.pages.trends import summary as trends
from dashboard.pages.trends.multiples import Badge
from dashboard.site.current_release import load_areas
from dashboard.site.text import _, speak
from dashboard.web.page_list import RELEASE_PAGES
from data.reference import area_table
from data.release.derived import LEDGER
from data.workspace.hash_chain import read_chain
from geo.export import FORMATS
from geo.layers import find_layer
from geo.layers.core import View
from geo.layers.output.table import build_table
from geo.layers.output.wide import build_long_table
from tests.helpers import plans
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import open_current, open_page, read_text, speak_on_pages
from tests.helpers.quick import use_few_draws, use_few_worlds

pytestmark = pytest.mark.long
LAND = area_table()["country"].astype(str).to_dict()
SAID = "Greece shows no child past the stage “at risk” and no day of outreach in this release, so no figure."
RISK, ACCESS = find_layer("risk"), find_layer("access")
QUIET = {"cannot_tell", "withheld", "no_data"}
NUMBERED = r"\d×|\d times the (?:national|year)|children are newly in need|are not reached in a quarter"
NEED = ["show-gap", "show-places"]


@pytest.fixture(scope="module")
def world(shared):
    """Build the world once for all runs that share a folder."""
    from dashboard.commands import demo

    build, place = demo._build_world, shared / "silent-world"

    def leave_out_greece(seed, children):
        whole = build(seed, children)
        heard = {kind: whole.records[kind] for kind in ("encounter", "effort")}
        albanian = {kind: frame[frame["municipality"].map(LAND) == "AL"] for kind, frame in heard.items()}
        return replace(whole, records={**whole.records, **albanian})

    with FileLock(f"{place}.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(shared / "silent-config"))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        use_few_worlds(patch)
        use_few_draws(patch)
        patch.setattr(demo, "_build_world", leave_out_greece)
        patch.setattr(demo, "reconstruct_forecasts", lambda *_: None)
        if not place.exists():
            aside = shared / "silent-world-building"
            demo.build_demo(aside, seed=13, children=300)
            aside.replace(place)
    return SimpleNamespace(releases=place / "releases", derived=place / "derived")


@pytest.fixture(scope="module")
def current(world):
    return open_current(world)


@pytest.fixture(scope="module")
def public(world):
    return open_current(world, "public")


@pytest.fixture
def t(current):
    return Speech("en", load_areas(current.release))


def is_greek(area):
    return LAND[str(area)] == "GR"


def list_greek(t, current):
    return [t.name_area(code) for code in judge_areas(current) if is_greek(code)]


def test_no_forecast_of_it_is_registered(world):
    entries = [entry.content for entry in read_chain(world.derived / LEDGER).entries]
    areas = [area for content in entries if content["kind"] == "forecast" for area in content["areas"]]
    assert areas
    assert not [area for area in areas if is_greek(area)]


def test_no_table_of_the_model_has_a_number_of_it(current, public):
    checked = 0
    for tier in (current, public):
        for result in tier.release.added:
            for name in (resource["name"] for resource in result.resources):
                if name.startswith(("travel", "accesstime")):  # roads and services alone
                    continue
                table = tier.release.table(name)
                greek = table["area"].map(is_greek)
                assert set(table.loc[greek, "state"]) <= QUIET - {"no_data"}, name
                assert table[greek].select_dtypes("number").isna().all(axis=None), name
                assert not set(table[greek].get("statement", ())) - {""}, name
                assert table[~greek].notna().any(axis=None), name
                checked += 1
    assert checked == 24


def test_its_judgement_is_empty_and_that_of_the_other_country_is_not(current):
    for code, area in judge_areas(current).items():
        numbers = (area.rates, area.burdens, area.changes, area.need, area.unmet, area.share)
        if is_greek(code):
            assert area.doubt == "silent"
            assert not any(numbers)
            assert set(area.gaps.values()) <= QUIET
        else:
            assert area.doubt is None
            assert all(numbers[:5])
    assert set(read_country_changes(current)) == {"AL"}
    assert not any(map(is_greek, read_needs(current)))
    usual = read_usual_plan(current)
    assert {row.area[:2] for row in usual.coverage} == {row.area[:2] for row in usual.equity} == {"AL"}
    assert not any(is_greek(place) for move in usual.moves for place in (move.start, move.end))


def test_the_risk_page_has_no_colour_rate_or_claim_there(current, t):
    for pathway in PATHWAYS:
        marks = rates.make_marks(current, pathway, rates.EVERY, "GR-I")
        table = risk.tabulate_rates(current, pathway).drop(columns=[_("Area"), _("Country")])
        for code, area in judge_areas(current).items():
            mark, row = marks[code], str(rates.render_rates(current, pathway, rates.EVERY, code))
            (row,) = re.findall(rf'<tr data-area="{code}"(.*?)</tr>', row, re.S)
            assert (mark.colour == "#fff") == (not mark.numbers) == mark.unsure == is_greek(code)
            assert bool(re.search(r"\d[.,]\d", re.sub("<[^>]*>", "", row))) != is_greek(code)
            if is_greek(code):
                assert mark.words == f"{t.name_area(code)}: cannot tell"
                assert risk.explain_statement(current, pathway, code) == [f"{t.name_area(code)}: cannot tell.", SAID]
                assert risk.word_turning_point(current, pathway, code) == SAID
                assert risk.list_facts(current, pathway, code) == risk.list_steps(current, pathway, code) == []
                assert risk.list_reasons(current, pathway, code) == []
                assert risk.tabulate_municipalities(current, pathway, code).empty
                assert set(table.loc[code].dropna()) == {"cannot tell", ""}
            else:
                assert area.rates[pathway].value == mark.numbers["median"]
                assert len(risk.tabulate_municipalities(current, pathway, code))
    assert "Crosses: cannot tell" in rates.word_hidden(current, "internal", rates.EVERY)


@pytest.mark.parametrize("area", ["GR-I", "GR", ""])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_opens_in_every_language(world, monkeypatch, language, area):
    speak_on_pages(monkeypatch, language)
    for tier in ("partner", "public"):
        for module, *_rest in RELEASE_PAGES:
            address = {"area": area, **({"layer": "risk"} if module == "situation" else {})}
            text = read_text(open_page(monkeypatch, world, module, tier, **address))
            assert "nan" not in re.findall(r"\w+", text.lower()), (module, tier)


def test_no_sentence_of_a_page_has_a_rate_or_need_of_it(world, current, t, monkeypatch):
    names, modules = list_greek(t, current), set()
    for module, *_rest in RELEASE_PAGES:
        for area in ("GR-I", "AL-11"):
            address = {"area": area, **({"layer": "risk"} if module == "situation" else {})}
            text = re.sub(r"\s+", " ", read_text(open_page(monkeypatch, world, module, **address)))
            modules |= {module} if SAID.rstrip(".") in text else set()
            for name in (*names, "Greece"):
                assert not re.findall(rf"{name}[^.]*(?:{NUMBERED})", text), (module, name)
    assert modules == {"overview", "situation", "risk"}


def test_coverage_trends_and_the_panel_of_the_map_say_that_it_cannot_be_told(current, t):
    table, areas = coverage.tabulate_access(current, "all").set_index(_("Area")), load_areas(current.release)
    for code in nonempty(judge_areas(current)):
        need, *_more, gap, chance, _minutes = table.loc[t.name_area(code)].drop(_("Country"))
        view = settle_view(parse_address({"layer": "risk", "area": code}), current, areas.table)
        panel = str(situation.render_panel(current, view))
        assert (need == "cannot tell") == (SAID in panel) == is_greek(code)
        if is_greek(code):
            assert gap in ("cannot tell", "withheld")
            assert chance == ""
            assert not re.search(r"\d times the", panel)
            for pathway in PATHWAYS:
                assert trends.read_expected(current, code, pathway).empty
            assert trends.read_share(current, code).empty
        else:
            assert len(trends.read_share(current, code))


@pytest.mark.parametrize("pathway", [trends.EVERY, *PATHWAYS])
def test_trends_knows_of_no_change_there(current, t, pathway):
    badges = cells.judge_changes(current, (), pathway)
    assert {code for code, badge in badges.items() if badge == Badge("cannot tell", "")} >= set(
        filter(is_greek, badges)
    )
    assert set(badges) == set(judge_areas(current))
    assert not [name for name in list_greek(t, current) if f"{name}," in cells.find_answer(current, badges)]


def list_views(layer, release):
    for level in layer.levels(release):
        for option in layer.list_options(release, level):
            for choice in option.choices:
                options = {option.id: choice.id}
                for period in layer.periods(release, View(level, "", options)):
                    yield f"{option.id}-{choice.id}", View(level, period, options)


@pytest.mark.parametrize("layer", [RISK, ACCESS], ids=["risk", "access"])
def test_no_layer_map_or_table_has_a_number_of_it(current, layer):
    release, seen = current.release, set()
    for shown, view in list_views(layer, release):
        if layer is ACCESS and shown not in NEED:
            continue
        data = layer.read(release, view)
        frame = data.frame[[LAND.get(code) == "GR" for code in data.frame.index]]
        assert set(frame["state"]) <= QUIET
        assert frame[["value", "margin", "low", "high"]].isna().all(axis=None)
        assert set(frame["note"]) == {""}
        assert set(data.classes()[frame.index]) <= {-1}
        table = build_table(release, layer, view, data).loc[frame.index]
        assert set(table["Value"]) == {""}
        seen.add((view.level, shown))
    assert len(seen) >= (len(NEED) if layer is ACCESS else 12)


@pytest.mark.parametrize("layer", [RISK, ACCESS], ids=["risk", "access"])
def test_no_export_has_a_number_of_it(current, layer, tmp_path):
    rows = build_long_table(current.release, layer)
    rows = rows if layer is RISK else rows[rows["show"].isin([name.partition("-")[2] for name in NEED])]
    greek = rows[rows["code"].map(LAND) == "GR"]
    numbers = set(rows.select_dtypes("number")) - {"year"}
    assert rows[rows["code"].map(LAND) == "AL"][list(numbers)].notna().any(axis=None)
    assert greek[list(numbers)].isna().all(axis=None)
    assert set(greek["state"]) <= QUIET
    FORMATS["csv"](current.release, tmp_path, (layer,))
    assert any(tmp_path.iterdir())


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_the_atlas_has_a_state_for_each_area_of_it_and_no_number(current, public, tier):
    opened = {"partner": current, "public": public}[tier]
    areas, codes = load_areas(opened.release), {STATE_CODES[state] for state in QUIET & STATE_CODES.keys()}
    atlas = describe_atlas(opened.release, areas, (RISK,), lambda: None)
    for choice in nonempty(atlas["layers"][0]["choices"]):
        for level, views in choice["levels"].items():
            for view in views:
                states = re.sub(r"(.)\((\d+)\)", lambda run: run[1] * int(run[2]), view["s"])
                assert len(states) == len(atlas["codes"][level])
                greek = [s for code, s in zip(atlas["codes"][level], states, strict=True) if is_greek(code)]
                assert set(greek) <= codes


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_briefing_says_it_once_and_no_number(current, language):
    release, t = current.release, Speech(language, load_areas(current.release))
    saved = replace(plans.saved(release.name), summary=read_usual_plan(current))
    pages = PdfReader(io.BytesIO(briefing.make_pdf(saved, release, language))).pages
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))
    with speak(language):
        sentence = t(
            "{country} shows no child past the stage “at risk” and no day of outreach in this release, so no figure",
            country=t.name_area("GR"),
        )
    assert text.count(sentence) == 1
    assert not [name for name in list_greek(t, current) if re.search(rf"{name} \([\d.,]+×", text)]
