"""The plan of a release: made from the release alone, within its rules, saved beside it and opened unchanged."""

import json
import shutil
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from operator import getitem

import numpy as np
import pytest

from data.errors import InputError, ReleaseError
from data.release import Release
from data.release.derived import LEDGER
from data.workspace.hash_chain import read_chain
from geo.areas import read_areas
from risk.planning import saved
from risk.planning.inputs import ALL, PlanInputs, Setting, _average_times, make_frontier, make_plan, value_days
from risk.planning.outcomes import list_plan_entries
from risk.planning.posts import parse_posts, write_posts
from risk.planning.problem import Decision
from risk.planning.result import Point
from risk.planning.summary import Author, AuthoredDecision, summarise_plan
from tests.helpers.manifests import edit_manifest
from tests.helpers.remembered_fits import remember_fits

MANAGER = Author("programme manager", "2009-06-01")
INTERNAL = Setting(pathway="internal")


@pytest.fixture(scope="module")
def release(demo_world):
    return Release.open(demo_world / "releases", "partner", derived=demo_world / "derived")


def read_inputs(release, fits, **more):
    """Read the inputs of a plan from fits that are remembered in a folder: what a module shares comes before a test."""
    with pytest.MonkeyPatch.context() as patch:
        remember_fits(patch.setattr, fits)
        return PlanInputs.read(release, **more)


@pytest.fixture(scope="module")
def ground(release, shared):
    return read_inputs(release, shared / "fits")


@pytest.fixture(scope="module")
def plan(ground):
    return make_plan(ground, INTERNAL)


def summarise(ground, setting, plan, **more):
    return summarise_plan(ground, setting, plan, MANAGER, title="More in the east", **more)


def test_posts_are_drafted_of_the_outreach_that_the_release_shows(ground, release):
    days = release.table("effort_region_quarter")
    last = sorted(days["period"].unique())[-4:]
    mean = days[days["period"].isin(last)].groupby("area")["value"].sum() / 4
    assert [kind.search for kind in ground.table.kinds] == [True]
    assert ground.table.units[:, 0].tolist() == [round(float(mean[area]) / 20.0) for area in ground.table.areas]


@pytest.mark.slow
def test_it_rests_on_the_partner_tier_and_on_nothing_of_communities(release, ground, plan, demo_world):
    with pytest.raises(ReleaseError, match="partner tier"):
        PlanInputs.read(Release.open(demo_world / "releases", "public"))
    without = PlanInputs.read(replace(release, without=frozenset({"communities"})))
    assert not without.communities.any()
    assert (without.needs[ALL] == ground.needs[ALL]).all()
    assert (without.under_searched == ground.under_searched).all()
    # The draft holds no service, of which alone a floor for communities could be.
    assert (make_plan(without, INTERNAL).units == plan.units).all()


def test_needs_of_the_pathways_make_up_the_whole(ground):
    parts = ground.needs["internal"] + ground.needs["cross_border"]
    assert np.allclose(parts, ground.needs[ALL])
    assert (ground.needs[ALL] > 0).all()


def test_no_unit_crosses_the_border_and_no_area_falls_below_its_floor(ground, plan):
    assert plan.moves
    assert all(move.start[:2] == move.end[:2] for move in plan.moves)
    assert plan.moved <= INTERNAL.moves
    # An archipelago has one floor, wherever its teams stand.
    capacity = ground.posts.floor_members @ plan.capacities[1].sum(axis=1)
    assert ground.posts.floor_areas == ground.table.areas
    assert (capacity >= ground.make_rules(INTERNAL).floor - 1e-6).all()
    # Half of the teams, rounded down, but one where there is one.
    today = ground.table.units[:, 0]
    working = capacity / ground.posts.children[0]
    assert (working >= np.where(today, np.maximum(today // 2, 1), 0) - 1e-6).all()


@pytest.mark.long
def test_the_same_gives_the_same(release, ground, plan):
    again = make_plan(PlanInputs.read(release), INTERNAL)
    assert (again.units == plan.units).all()
    assert summarise(ground, INTERNAL, again) == summarise(ground, INTERNAL, plan)


@pytest.fixture(scope="module")
def inside(release, shared):
    """Return the inputs of a plan between municipalities."""
    return read_inputs(release, shared / "fits", level="municipality")


def test_a_day_away_is_worth_its_mean_over_uncertain_times():
    """Exact while no drawn way is longer than half a day: 1 - t E[exp(sigma z)] / 240, nearly exp(sigma^2 / 2)."""
    minutes, spread = np.array([0.0, 60.0, 120.0, np.inf]), np.array([0.2, 0.2, 0.0, 0.2])
    expected = [1.0, 1.0 - 60.0 * np.exp(0.02) / 240.0, 0.5, 0.0]
    assert _average_times(value_days, minutes, spread) == pytest.approx(expected, abs=0.001)


@pytest.mark.slow
def test_municipalities_share_the_need_and_the_teams_of_their_region(ground, inside, release):
    areas = read_areas(release.areas_file).frame("municipality")
    parents = areas["parent"].reindex(list(inside.posts.areas)).to_numpy(dtype=object)
    members = np.array(ground.table.areas)[:, None] == parents
    assert len(inside.posts.areas) == 386
    for pathway, need in inside.needs.items():
        assert np.allclose(need @ members.T, ground.division.sum_areas(ground.needs[pathway].T).T)
    assert (members @ inside.table.units == ground.table.units).all()
    days = release.table("effort_municipality_quarter")
    without = set(inside.posts.areas) - set(days.loc[days["value"] > 0, "area"])
    assert not inside.table.units[[inside.posts.areas.index(code) for code in without]].any()
    # Community floors are of municipalities, too.
    known = release.table("communities_municipality_year").query("state == 'class'")["area"]
    assert {code for code, there in zip(inside.posts.areas, inside.communities, strict=True) if there} == set(known)


@pytest.mark.long
def test_a_plan_between_municipalities_keeps_its_rules_and_is_opened_as_it_was(inside, release, tmp_path):
    lines = [*write_posts(inside.table).splitlines(), f"{inside.posts.areas[0]},prevention,no,1,12,1,"]
    ground = inside.with_posts(parse_posts("posts.csv", "\n".join(lines), inside.posts.areas))
    country = dict(zip(inside.posts.areas, inside.countries, strict=True))
    setting = Setting(level="municipality", moves=6, seconds=4.0)
    plan = make_plan(ground, setting)
    assert 0 < plan.moved <= 6
    assert all(country[move.start] == country[move.end] for move in plan.moves)
    assert {move.kind for move in plan.moves} == {"outreach team"}  # the service is committed
    after = ground.posts.floor_members @ plan.capacities[1].sum(axis=1)
    assert (after >= ground.make_rules(setting).floor - 1e-6).all()
    parents = read_areas(release.areas_file).frame("municipality")["parent"]
    assert ground.posts.floor_areas == tuple(sorted(set(parents)))  # no municipality has a floor of its own
    summary = summarise(ground, setting, plan)
    assert len(summary.coverage) == 386
    saved.save_plan(tmp_path, release, summary)
    (again,) = saved.list_saved_plans([tmp_path], release).plans
    assert again.summary == summary
    regions = dict.fromkeys(ground.posts.areas, "all")
    need, met = (sum(getattr(row, name) for row in summary.coverage) for name in ("need", "planned"))
    assert summary.met_shares("planned", regions) == {"all": pytest.approx(met / need)}


@pytest.mark.parametrize("searches", ["no", "yes"])
@pytest.mark.parametrize("name", ["shelter", "protection", "reintegration", "day centre"])
def test_nothing_between_municipalities_says_where_a_shelter_may_be(ground, name, searches):
    table = parse_posts(
        "posts.csv",
        f"area,kind,searches,units,children\nAL-11,outreach team,yes,3,9\nAL-11,{name},{searches},1,8\n",
        ground.table.areas,
    )
    assert ground.with_posts(table).table is table
    with pytest.raises(InputError, match="of one of these kinds: outreach team, prevention, coordination") as refused:
        replace(ground, level="municipality").with_posts(table)
    assert "AL-11" not in str(refused.value)


def test_a_plan_is_by_region_or_municipality():
    with pytest.raises(InputError, match="region, municipality"):
        Setting(level="country")


@pytest.mark.long
def test_a_budget_holds_and_a_declined_move_is_not_made(ground, plan):
    cheap = make_plan(ground, replace(INTERNAL, budget=10.0))
    assert cheap.cost <= 10.0 < plan.cost
    first = plan.moves[0]
    declined = make_plan(ground, INTERNAL, [Decision(first.start, first.end, first.kind, "decline")])
    assert (first.start, first.end) not in {(move.start, move.end) for move in declined.moves}


@pytest.mark.long
def test_ever_more_moves_gain_ever_more(ground):
    points = make_frontier(ground, INTERNAL)
    assert make_frontier(ground, INTERNAL, plan=make_plan(ground, INTERNAL)) == points
    assert [point.limit for point in points] == sorted({point.limit for point in points})
    gains = [point.gain.mean for point in points]
    assert gains[-1] > gains[0]


@pytest.mark.slow
def test_a_kept_plan_is_opened_as_it_was(ground, plan, release, tmp_path):
    first = plan.moves[0]
    decision = Decision(first.start, first.end, first.kind, "accept", first.units, "Agreed in the meeting")
    decisions = (AuthoredDecision(decision, MANAGER),)
    points = (Point(0, 0, 0.0, plan.gain, 0.4, False), Point(10, plan.moved, plan.cost, plan.gain, 0.9, True))
    summary = summarise(ground, INTERNAL, plan, decisions=decisions, frontier=points)
    result = saved.save_plan(tmp_path, release, summary)
    assert saved.save_plan(tmp_path, release, summary).folder == result.folder
    assert saved.list_saved_plans([tmp_path], release).plans == (result,)
    assert result.summary == summary
    manifest = json.loads((result.folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["tier"], manifest["invented"], manifest["release"]) == ("partner", True, release.name)
    assert saved.read_plan(manifest) == summary
    assert (parse_posts("posts", summary.posts, ground.table.areas).units == ground.table.units).all()
    assert manifest["plan"]["moved"] == sum(move["units"] for move in manifest["moves"]) == plan.moved


def test_a_summary_adds_up(ground, plan):
    summary = summarise(ground, INTERNAL, plan)
    rows = summary.coverage
    gain = sum(row.planned - row.today for row in rows)
    assert gain == pytest.approx(summary.verdict.gain.mean, abs=0.01)
    for name in ("units_today", "units_planned"):
        assert sum(sum(getattr(row, name).values()) for row in rows) == ground.table.units.sum()
    countries = {row.area: row for row in summary.equity if row.group == "country"}
    for country, row in countries.items():
        inside = [area_row for area_row in rows if area_row.area.startswith(country)]
        share = sum(area_row.planned for area_row in inside) / sum(area_row.need for area_row in inside)
        assert row.planned == pytest.approx(share, abs=1e-3)
        parts = [part for part in summary.equity if part.area == country and part.group != "country"]
        assert not parts or sum(part.areas for part in parts) == row.areas


def test_every_move_is_made_in_some_quarter_or_left_for_later(ground, plan):
    summary = summarise(ground, replace(INTERNAL, per_quarter=2), plan)
    steps = [step for quarter in summary.phases for step in quarter.moves]
    assert [sum(step.units for step in quarter.moves) for quarter in summary.phases] == [2, 2, 2, 2]
    assert sum(step.units for step in (*steps, *summary.left)) == plan.moved
    met = [quarter.met.mean for quarter in summary.phases]
    assert met == sorted(met)


def test_a_later_decision_takes_the_place_of_an_earlier_one():
    first = AuthoredDecision(Decision("AL-11", "AL-07", "team", "accept", 2), MANAGER)
    second = AuthoredDecision(Decision("AL-02", "AL-07", "team", "decline"), MANAGER)
    changed = AuthoredDecision(Decision("AL-11", "AL-07", "team", "decline", reason="No room"), MANAGER)
    assert saved.replace_decision([first, second], changed) == (second, changed)


def test_a_plan_is_not_kept_with_a_person_among_its_kinds(ground, plan):
    kinds = tuple(replace(kind, name="Arta, +355 69 123 4567") for kind in plan.posts.kinds)
    named = replace(plan, posts=replace(plan.posts, kinds=kinds))
    with pytest.raises(InputError, match="seems to contain phone numbers"):
        summarise_plan(ground, INTERNAL, named, MANAGER, title="Moves")


@pytest.mark.parametrize(
    ("title", "note", "message"),
    [
        ("  ", "", "needs a title"),
        ("x" * 301, "", "longer than"),
        ("Moves", "x" * 301, "longer than"),
        ("Moves", "Ask +355 69 123 4567", "seems to contain phone numbers"),
        ("a.person@example.org", "", "seems to contain addresses"),
        ("Moves", "the boy born on 4.3.2001", "seems to contain dates of birth"),
    ],
)
def test_a_plan_is_not_kept_without_a_title_or_with_an_endless_text(ground, plan, title, note, message):
    with pytest.raises(InputError, match=message) as refused:
        summarise_plan(ground, INTERNAL, plan, MANAGER, title=title, note=note)
    assert not note or note not in str(refused.value)
    reason = AuthoredDecision(Decision("AL-11", "AL-07", "outreach team", "accept", reason=note), MANAGER)
    if note:
        with pytest.raises(InputError, match=message):
            summarise_plan(ground, INTERNAL, plan, MANAGER, title="Moves", decisions=[reason])


@pytest.mark.parametrize(
    "wrong", [{"floor": 1.5}, {"equity": -0.1}, {"moves": -1}, {"pathway": "inside"}, {"seconds": 0.0}]
)
def test_a_setting_that_is_none_is_refused(wrong):
    with pytest.raises(InputError):
        Setting(**wrong)
    with pytest.raises(InputError, match="No role"):
        Author("Anna", "2009-06-01")


def test_plans_of_another_release_are_not_listed(release, ground, plan, demo_world, tmp_path):
    result = saved.save_plan(tmp_path, release, summarise(ground, INTERNAL, plan))
    shutil.copytree(result.folder, result.folder.parent / "plan-partner-copy")
    with edit_manifest(result.folder / "manifest.json") as manifest:
        manifest["release_sha256"] = "0" * 64
    assert [entry.name for entry in saved.list_saved_plans([tmp_path], release).plans] == ["plan-partner-copy"]


@pytest.fixture(scope="module")
def content(ground, plan):
    return json.loads(json.dumps(saved.write_plan(summarise(ground, INTERNAL, plan))))


def test_plans_that_were_saved_before_still_open(content):
    """Plans of older versions: no moves per quarter, no hand-over, reasons as sentences, no third answer."""
    del content["parameters"]["per_quarter"], content["handover"], content["handover_tables"]
    for move in content["moves"]:
        del move["accepted"]
    task = {"area": "AL-11", "partner": "A", "axis": "protection", "children": 3}
    content["stays"] = [
        {**task, "why": "no duty bearer in AL-11 that may take it (the state) has room for 3 children"},
        {**task, "why": "there is room in AL-11 for 3 children a quarter, but the tasks of more children"},
        {**task, "why": "it serves no children, so there is nothing to hand over"},
    ]
    del content["plan"]["answer"], content["plan"]["year"]
    for recommended, answer in ((False, "keep"), (True, "do")):
        content["plan"]["recommended"] = recommended
        plan = saved.read_plan(content)
        assert (plan.answer, plan.verdict.year) == (answer, None)
    for older, answer in (("nothing", "keep"), ("small", "optional"), ("move", "do")):
        assert saved.read_plan({**content, "plan": {**content["plan"], "answer": older}}).answer == answer
    assert plan.setting == INTERNAL
    assert [task.why for task in plan.stays] == ["no_room", "room_taken", "no_children"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("plan",), "none", "verdict is no group of values"),
        (("plan", "gain", "mean"), "much", "verdict.gain.mean is no float"),
        (("plan", "gain", "low"), float("inf"), "verdict.gain.low"),
        (("plan", "answer"), "perhaps", "verdict.answer is no"),
        (("plan", "moved"), True, "verdict.moved is no int"),
        (("plan", "cost"), 10**400, "verdict.cost"),
        (("moves", 0, "units"), 1.5, "moves[0].units is no int"),
        (("moves", 0, "brings"), {}, "moves[0].brings"),
        (("parameters", "floor"), 7.0, "must be from 0 to 1"),
        (("parameters", "pathway"), "sideways", "sideways"),
        (("author", "role"), "Anna", "Anna"),
        (("title",), None, "title is no str"),
        (("coverage", 0, "units_today"), {"team": "two"}, "coverage[0].units_today.team"),
        (("decisions",), [{"start": "AL-11"}], "decisions[0].decision.end is missing"),
        (("created",), "yesterday", "created is no moment"),
    ],
)
def test_a_damaged_plan_is_named_and_the_others_are_listed(release, ground, plan, tmp_path, path, value, message):
    good = saved.save_plan(tmp_path, release, summarise(ground, INTERNAL, plan))
    bad = shutil.copytree(good.folder, good.folder.parent / "plan-partner-bad") / "manifest.json"
    with edit_manifest(bad) as manifest:
        reduce(getitem, path[:-1], manifest)[path[-1]] = value
    listing = saved.list_saved_plans([tmp_path], release)
    assert [entry.name for entry in listing.plans] == [good.name]
    assert message in listing.damaged["plan-partner-bad"]
    assert "The saved plan plan-partner-bad is damaged" in listing.damaged["plan-partner-bad"]


def test_a_plan_that_was_changed_by_hand_is_named_and_the_others_are_listed(release, ground, plan, tmp_path):
    good = saved.save_plan(tmp_path, release, summarise(ground, INTERNAL, plan))
    bad = shutil.copytree(good.folder, good.folder.parent / "plan-partner-bad") / "manifest.json"
    text = bad.read_text(encoding="utf-8")
    for damaged in (text.replace('"moved": ', '"moved": 1'), text[: len(text) // 2]):
        assert damaged != text
        bad.write_text(damaged, encoding="utf-8")
        listing = saved.list_saved_plans([tmp_path], release)
        assert [entry.name for entry in listing.plans] == [good.name]
        assert listing.damaged["plan-partner-bad"].endswith("is left out: its file was changed.")


def test_without_a_folder_there_are_no_saved_plans(release, tmp_path):
    assert saved.list_saved_plans([], release).plans == ()
    assert saved.list_saved_plans([tmp_path / "nowhere"], release).plans == ()


@pytest.fixture
def server(release, ground, plan, tmp_path):
    """Return a copy of a server's folder of plans, with one plan."""
    saved.save_plan(tmp_path / "server", release, summarise(ground, INTERNAL, plan))
    return tmp_path / "server"


def take(folder, server, release):
    return saved.take_plans(folder, server, {release.name: release}.__getitem__)


def test_plans_of_a_server_are_taken_over_once_and_registered(release, server, tmp_path):
    here = tmp_path / "derived"
    (new,), refused = take(here, server, release)
    assert not refused
    assert saved.list_saved_plans([here], release).plans == (new,)
    assert new.summary == saved.list_saved_plans([server], release).plans[0].summary
    entries = list_plan_entries(read_chain(here / LEDGER))
    assert [entry["plan"] for entry in entries] == [new.name]
    (here / LEDGER).unlink()  # as if it was stopped before this
    assert take(here, server, release) == ([], {})
    assert list_plan_entries(read_chain(here / LEDGER)), "registered the second time"
    assert [entry.name for entry in saved.list_saved_plans([here, server], release).plans] == [new.name], "listed once"


def test_a_plan_that_was_changed_on_a_server_is_refused_and_the_others_are_taken(release, server, tmp_path):
    (good,) = saved.list_saved_plans([server], release).plans
    bad = shutil.copytree(good.folder, good.folder.parent / "plan-partner-bad") / "manifest.json"
    with edit_manifest(bad) as manifest:
        manifest["title"] = "Another title"
    (new,), refused = take(tmp_path / "derived", server, release)
    assert new.name == good.name
    assert "was changed after it was saved" in refused["plan-partner-bad"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"title": "Ask Arta, +355 69 123 4567"}, "seems to contain"),
        ({"note": "x" * 301}, "longer than 300"),
        ({"release_sha256": "0" * 64}, "another release"),
        ({"release": "2001-01-001"}, "another release"),
        ({"title": 7}, "title is no str"),
    ],
)
def test_a_plan_made_by_hand_is_refused(release, server, tmp_path, changes, why):
    """Who takes a server's machine can write a plan whose name fits its content."""
    (good,) = saved.list_saved_plans([server], release).plans
    with edit_manifest(good.folder / "manifest.json") as manifest:
        manifest.update(changes)
    content = json.dumps({key: manifest[key] for key in manifest.keys() - {"created", "sha256"}}, sort_keys=True)
    good.folder.rename(good.folder.with_name(f"plan-partner-{sha256(content.encode()).hexdigest()[:16]}"))
    new, refused = take(tmp_path / "derived", server, release)
    assert (new, len(refused)) == ([], 1)
    assert why in next(iter(refused.values()))
    assert not list((tmp_path / "derived").glob("*/*"))
